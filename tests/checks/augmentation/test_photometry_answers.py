"""Exercise 2.3: right answers in many styles keep all points; wrong ones, written as students write them, are named."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.augmentation.photometry import EXERCISE
from assignments_lib.checks.demonstration import demonstrate
from assignments_lib.checks.exercise import PASS, Result, evaluate

SEEDS = range(20)
Namespace = dict[str, Callable[..., Any]]


def graded(answer: Namespace, seed: int) -> Result:
    return evaluate(EXERCISE, InProcess(answer), seed)


# -- right answers ------------------------------------------------------------------------------------------

GREY = torch.tensor([0.299, 0.587, 0.114])


def brightness(images: Tensor, factors: Tensor) -> Tensor:
    return torch.clamp(images * factors[:, None, None, None], 0, 1)


def contrast(images: Tensor, factors: Tensor) -> Tensor:
    weights = GREY.to(images.dtype) if images.shape[1] == 3 else torch.ones(1, dtype=images.dtype)
    mean = torch.tensordot(images, weights, dims=([1], [0])).mean((1, 2))[:, None, None, None]
    factors = factors[:, None, None, None]
    return (images * factors + mean * (1 - factors)).clamp(0, 1)


def blur(images: Tensor, sigma: float, *, mode: str = "reflect", size: int | None = None) -> Tensor:
    """One square kernel, every channel a picture of its own."""
    reach = math.ceil(3 * sigma) if size is None else size
    offsets = torch.arange(-reach, reach + 1).to(images)
    kernel = torch.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    padded = F.pad(images, (reach, reach, reach, reach), mode=mode)
    planes = padded.reshape(-1, 1, *padded.shape[-2:])
    return F.conv2d(planes, kernel[None, None]).reshape(images.shape)


def with_unfold(images: Tensor, sigma: float) -> Tensor:
    reach = math.ceil(3 * sigma)
    bell = torch.softmax(-(torch.arange(-reach, reach + 1).to(images) ** 2) / (2 * sigma**2), 0)
    padded = F.pad(images, [reach] * 4, mode="reflect")
    return torch.einsum(
        "nchwij,i,j->nchw", padded.unfold(2, len(bell), 1).unfold(3, len(bell), 1), bell, bell
    )


def in_python(images: Tensor, sigma: float) -> Tensor:
    """Lists of numbers, row by row and column by column."""
    reach = math.ceil(3 * sigma)
    bell = [math.exp(-0.5 * (i / sigma) ** 2) for i in range(-reach, reach + 1)]
    bell = [weight / sum(bell) for weight in bell]

    def line(values: list[float]) -> list[float]:
        longer = values[reach:0:-1] + values + values[-2 : -reach - 2 : -1]
        return [sum(w * longer[i + k] for k, w in enumerate(bell)) for i in range(len(values))]

    def plane(rows: list[list[float]]) -> list[list[float]]:
        columns = [line(list(column)) for column in zip(*map(line, rows), strict=True)]
        return [list(row) for row in zip(*columns, strict=True)]

    return torch.tensor([[plane(c) for c in picture] for picture in images.tolist()], dtype=images.dtype)


class Stretch(nn.Module):
    """In numpy, with float64 inside."""

    def forward(self, images: Tensor, factors: Tensor) -> Tensor:
        pixels = images.numpy().astype(np.float64)
        grey = pixels if pixels.shape[1] == 1 else np.einsum("nchw,c->nhw", pixels, [0.299, 0.587, 0.114])
        mean = grey.reshape(len(pixels), -1).mean(1).reshape(-1, 1, 1, 1)
        stretched = mean + (pixels - mean) * factors.numpy().reshape(-1, 1, 1, 1)
        return torch.from_numpy(np.clip(stretched, 0, 1)).to(images.dtype)


def each(function: Callable[[Tensor, float], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    def changed(images: Tensor, factors: Tensor) -> Tensor:
        pictures = zip(tv_tensors.Image(images), factors, strict=True)
        return tv_tensors.Image(
            torch.stack([function(picture, factor.item()) for picture, factor in pictures])
        )

    return changed


RIGHT: dict[str, Namespace] = {
    "batches": {"adjust_brightness": brightness, "adjust_contrast": contrast, "gaussian_blur": blur},
    "modules and windows": {
        "adjust_brightness": lambda images, factors: torch.einsum("nchw,n->nchw", images, factors).clip(0, 1),
        "adjust_contrast": Stretch(),
        "gaussian_blur": with_unfold,
    },
    "plain Python": {
        "adjust_brightness": lambda images, factors: torch.stack(
            [(x * f).clamp(max=1.0) for x, f in zip(images, factors, strict=True)]
        ),
        "adjust_contrast": contrast,
        "gaussian_blur": in_python,
    },
    "torchvision": {
        "adjust_brightness": each(tv.adjust_brightness),
        "adjust_contrast": each(tv.adjust_contrast),
        "gaussian_blur": lambda images, sigma: v2.GaussianBlur(2 * math.ceil(3 * sigma) + 1, sigma)(images),
    },
}


@pytest.mark.parametrize("style", RIGHT)
def test_right_answers_keep_all_points(style: str) -> None:
    for seed in SEEDS:
        result = graded(RIGHT[style], seed)
        assert {part.title: part.status for part in result.parts} == {p.title: PASS for p in EXERCISE.parts}


# -- wrong answers ------------------------------------------------------------------------------------------


def about(pivot: Callable[[Tensor], Any]) -> Callable[[Tensor, Tensor], Tensor]:
    def changed(images: Tensor, factors: Tensor) -> Tensor:
        centre = pivot(images)
        return (centre + factors.view(-1, 1, 1, 1) * (images - centre)).clamp(0, 1)

    return changed


def picture_mean(images: Tensor) -> Tensor:
    return torch.stack([tv.rgb_to_grayscale(picture).mean() for picture in images]).view(-1, 1, 1, 1)


def separable(images: Tensor, weights: Tensor, *, before: int, after: int, mode: str = "reflect") -> Tensor:
    """Rows, then columns, with any kernel and any padding."""
    channels = images.shape[1]
    weights = weights.to(images)
    padded = F.pad(images, (before, after, before, after), mode=mode)
    rows = F.conv2d(padded, weights.reshape(1, 1, 1, -1).repeat(channels, 1, 1, 1), groups=channels)
    return F.conv2d(rows, weights.reshape(1, 1, -1, 1).repeat(channels, 1, 1, 1), groups=channels)


def bell(offsets: Tensor, sigma: float) -> Tensor:
    weights = torch.exp(-(offsets**2) / (2 * sigma**2))
    return weights / weights.sum()


def reach(sigma: float) -> int:
    return math.ceil(3 * sigma)


def symmetric(sigma: float) -> Tensor:
    return torch.arange(-reach(sigma), reach(sigma) + 1.0)


def even(images: Tensor, sigma: float) -> Tensor:
    """2 ceil(3 sigma) weights about the place between two pixels."""
    size = 2 * reach(sigma)
    weights = bell(torch.arange(size) - (size - 1) / 2, sigma)
    return separable(images, weights, before=size // 2 - 1, after=size // 2)


def same_padding(images: Tensor, sigma: float) -> Tensor:
    channels = images.shape[1]
    weights = bell(symmetric(sigma), sigma).to(images)
    kernel = torch.outer(weights, weights).expand(channels, 1, -1, -1)
    return F.conv2d(images, kernel, padding="same", groups=channels)


def mirrored_with_the_edge(images: Tensor, sigma: float) -> Tensor:
    r = reach(sigma)
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), (r, r), (r, r)), mode="symmetric")
    return separable(torch.from_numpy(padded), bell(symmetric(sigma), sigma), before=0, after=0)


def summed_over_channels(images: Tensor, sigma: float) -> Tensor:
    weights = bell(symmetric(sigma), sigma).to(images)
    channels, r = images.shape[1], reach(sigma)
    kernel = torch.outer(weights, weights).expand(channels, channels, -1, -1)
    return F.conv2d(F.pad(images, (r, r, r, r), mode="reflect"), kernel)


def columns_only(images: Tensor, sigma: float) -> Tensor:
    weights = bell(symmetric(sigma), sigma).to(images)
    padded = F.pad(images, (0, 0, reach(sigma), reach(sigma)), mode="reflect")
    return torch.einsum("nchwk,k->nchw", padded.unfold(2, len(weights), 1), weights)


def square_twice(images: Tensor, sigma: float) -> Tensor:
    return blur(blur(images, sigma), sigma)


def from_one_end(images: Tensor, sigma: float) -> Tensor:
    weights = bell(torch.arange(2 * reach(sigma) + 1.0), sigma)
    return separable(images, weights, before=reach(sigma), after=reach(sigma))


def density(images: Tensor, sigma: float) -> Tensor:
    weights = torch.distributions.Normal(0, sigma).log_prob(symmetric(sigma)).exp()
    return separable(images, weights, before=reach(sigma), after=reach(sigma))


def with_a_kernel_in_float32(images: Tensor, sigma: float) -> Tensor:
    weights = bell(symmetric(sigma), sigma)
    planes = F.pad(images, [reach(sigma)] * 4, mode="reflect").flatten(0, 1)[:, None]
    return F.conv2d(planes, torch.outer(weights, weights)[None, None]).reshape(images.shape)


def with_one_axis_too_few(images: Tensor, factors: Tensor) -> Tensor:
    return (factors[..., None, None] * images).clamp(0, 1)


def brighter_in_place(images: Tensor, factors: Tensor) -> Tensor:
    for picture, factor in zip(images, factors, strict=True):
        picture *= factor
    return images.clamp_(0, 1)


WRONG: list[tuple[str, Namespace]] = [
    ("not clamped", {"adjust_brightness": lambda x, f: torch.clip(x * f.view(-1, 1, 1, 1), 0, 255)}),
    (
        "not clamped",
        {"adjust_contrast": lambda x, f: picture_mean(x) * (1 - (f := f[:, None, None, None])) + f * x},
    ),
    ("added instead of multiplied", {"adjust_brightness": lambda x, f: x + f.view(-1, 1, 1, 1)}),
    (
        "one more than the factor",
        {"adjust_brightness": lambda x, f: (x + x * f.view(-1, 1, 1, 1)).clip(0, 1)},
    ),
    (
        "one factor for the whole batch",
        {"adjust_brightness": lambda x, f: tv.adjust_brightness(x, float(f[0]))},
    ),
    ("factors spread over the width", {"adjust_brightness": lambda x, f: (f * x).clamp(0, 1)}),
    ("factors spread over the rows", {"adjust_brightness": lambda x, f: (x * f.unsqueeze(1)).clamp(0, 1)}),
    ("factors spread over the channels", {"adjust_brightness": with_one_axis_too_few}),
    ("written into the input", {"adjust_brightness": brighter_in_place}),
    ("contrast about 0", {"adjust_contrast": brightness}),
    ("contrast about 0.5", {"adjust_contrast": about(lambda x: 0.5)}),
    ("one mean for the whole batch", {"adjust_contrast": about(lambda x: x.mean())}),
    ("one mean for the whole batch", {"adjust_contrast": about(lambda x: tv.rgb_to_grayscale(x).mean())}),
    ("a mean for each channel", {"adjust_contrast": about(lambda x: x.flatten(2).mean(-1)[..., None, None])}),
    (
        "all channels weigh the same",
        {"adjust_contrast": about(lambda x: x.flatten(1).mean(1).view(-1, 1, 1, 1))},
    ),
    (
        "contrast in the wrong direction",
        {"adjust_contrast": lambda x, f: torch.lerp(x, picture_mean(x), f.view(-1, 1, 1, 1)).clamp(0, 1)},
    ),
    ("away from the grey picture", {"adjust_contrast": about(lambda x: tv.rgb_to_grayscale(x))}),
    ("mean not added back", {"adjust_contrast": lambda x, f: brightness(x - picture_mean(x), f)}),
    ("even kernel", {"gaussian_blur": even}),
    ("darker border", {"gaussian_blur": same_padding}),
    ("border repeated", {"gaussian_blur": lambda x, s: blur(x, s, mode="replicate")}),
    ("the far side comes in", {"gaussian_blur": lambda x, s: blur(x, s, mode="circular")}),
    ("border pixels mirrored too", {"gaussian_blur": mirrored_with_the_edge}),
    (
        "the picture shrinks",
        {"gaussian_blur": lambda x, s: separable(x, bell(symmetric(s), s), before=0, after=0)},
    ),
    ("weights of the density", {"gaussian_blur": density}),
    (
        "weights not normalised",
        {
            "gaussian_blur": lambda x, s: separable(
                x, torch.exp(-(symmetric(s) ** 2) / (2 * s**2)), before=reach(s), after=reach(s)
            )
        },
    ),
    ("kernel cut off too early", {"gaussian_blur": lambda x, s: blur(x, s, size=int(3 * s))}),
    ("kernel reaches only sigma", {"gaussian_blur": lambda x, s: blur(x, s, size=math.ceil(s))}),
    (
        "sigma taken for the variance",
        {
            "gaussian_blur": lambda x, s: separable(
                x, bell(symmetric(s), s**0.5), before=reach(s), after=reach(s)
            )
        },
    ),
    ("channels mixed", {"gaussian_blur": summed_over_channels}),
    ("blurred up and down only", {"gaussian_blur": columns_only}),
    ("blurred twice", {"gaussian_blur": square_twice}),
    ("kernel not centred", {"gaussian_blur": from_one_end}),
    ("kernel in float32 only", {"gaussian_blur": with_a_kernel_in_float32}),
]


@pytest.mark.parametrize(
    ("mistake", "wrong"), WRONG, ids=[f"{i}-{name}" for i, (name, _) in enumerate(WRONG)]
)
def test_wrong_answers_lose_points_and_are_named(mistake: str, wrong: Namespace) -> None:
    for seed in (31, 32, 33):
        result = graded({**RIGHT["batches"], **wrong}, seed)
        assert result.earned < EXERCISE.points
        assert mistake in [found.name for found in result.mistakes]


def test_every_function_costs_its_own_parts_only() -> None:
    parts = {"adjust_brightness": {"brightness"}, "adjust_contrast": {"contrast"}}
    for name in EXERCISE.defines:
        result = graded({**RIGHT["batches"], name: lambda images, _: torch.zeros_like(images)}, 41)
        lost = {part.title for part in result.parts if part.status != PASS}
        assert lost == parts.get(name, {"a blurred pixel", "blur at the border"})


def test_a_recorded_answer_is_no_answer() -> None:
    """The pictures that were right for one seed are wrong for the next."""
    tape: dict[tuple[str, int], Tensor] = {}
    played: dict[str, int] = {}

    def recorded(name: str) -> Callable[[Tensor, Any], Tensor]:
        def play(images: Tensor, argument: Any) -> Tensor:
            key = name, played.setdefault(name, 0)
            played[name] += 1
            if key not in tape:
                tape[key] = RIGHT["batches"][name](images, argument)
            return tape[key].clone()

        return play

    answer = {name: recorded(name) for name in EXERCISE.defines}
    assert graded(answer, 51).earned == EXERCISE.points
    played.clear()
    result = graded(answer, 52)
    values = ("brightness", "contrast", "a blurred pixel", "blur at the border")
    assert all(part.status != PASS for part in result.parts if part.title in values)


def test_demonstrations_show_what_is_wrong() -> None:
    assert all(
        shown.verdict == "the same"
        for shown in demonstrate(EXERCISE.demonstrations, InProcess(RIGHT["batches"]))
    )
    dark = {**RIGHT["batches"], "gaussian_blur": same_padding}
    verdicts = [shown.verdict for shown in demonstrate(EXERCISE.demonstrations, InProcess(dark))]
    assert verdicts[:2] == ["the same"] * 2
    assert verdicts[2].startswith("differs in")
    odd = {name: lambda images, argument: None for name in EXERCISE.defines}
    assert len(demonstrate(EXERCISE.demonstrations, InProcess(odd))) == 3
