"""Exercise 2.5: right answers in many styles keep all points; wrong ones, written as students write them, are named."""

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision import transforms, tv_tensors

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.augmentation.erasing import EXERCISE
from assignments_lib.checks.demonstration import demonstrate
from assignments_lib.checks.exercise import PASS, Result, evaluate

Range = tuple[float, float]
Function = Callable[..., Any]


def graded(function: Function, seed: int) -> Result:
    return evaluate(EXERCISE, InProcess({"random_erase": function}), seed)


def lost(result: Result) -> set[str]:
    return {part.title for part in result.parts if part.status != PASS}


# -- right answers ------------------------------------------------------------------------------------------


def with_torch(
    images: Tensor, p: float = 0.5, scale: Range = (0.02, 0.2), ratio: Range = (0.3, 3.3)
) -> Tensor:
    """Picture by picture, torch's global generator."""
    out = images.clone()
    height, width = images.shape[2:]
    low, high = (math.log(r) for r in ratio)
    for i in range(len(out)):
        if torch.rand(1).item() >= p:
            continue
        for _ in range(10):
            area = (scale[0] + (scale[1] - scale[0]) * torch.rand(1).item()) * height * width
            aspect = math.exp(low + (high - low) * torch.rand(1).item())
            h, w = round((area * aspect) ** 0.5), round((area / aspect) ** 0.5)
            if h < height and w < width:
                top = int(torch.randint(height - h + 1, (1,)))
                left = int(torch.randint(width - w + 1, (1,)))
                out[i, :, top : top + h, left : left + w].zero_()
                break
    return out


def with_masks(
    images: Tensor, p: float = 0.5, scale: Range = (0.02, 0.2), ratio: Range = (0.3, 3.3)
) -> Tensor:
    """A mask for each picture, numpy's global generator, sides rounded by floor(x + 0.5)."""
    height, width = images.shape[2:]
    rows, columns = np.ogrid[:height, :width]
    keep = np.ones((len(images), 1, height, width), dtype=bool)
    for mask in keep:
        tries = 10 if np.random.random_sample() < p else 0
        while tries:
            tries -= 1
            area = np.random.uniform(scale[0], scale[1]) * height * width
            aspect = np.exp(np.random.uniform(np.log(ratio[0]), np.log(ratio[1])))
            h, w = (int(np.floor(np.sqrt(side) + 0.5)) for side in (area * aspect, area / aspect))
            if h <= height and w <= width:
                top, left = np.random.randint(height - h + 1), np.random.randint(width - w + 1)
                inside = (rows >= top) & (rows < top + h) & (columns >= left) & (columns < left + w)
                mask &= ~inside
                break
    return images * torch.from_numpy(keep)


def with_pil(images: Tensor, p: float = 0.5, scale: Range = (0.02, 0.2), ratio: Range = (0.3, 3.3)) -> Tensor:
    """Pasted into PIL's pictures of floats, Python's random; every try from the start by recursion."""

    def box(width: int, height: int, tries: int = 10) -> tuple[int, int, int, int] | None:
        share = random.uniform(*scale)
        aspect = ratio[0] * (ratio[1] / ratio[0]) ** random.random()
        h = int(math.sqrt(share * width * height * aspect) + 0.5)
        w = int(math.sqrt(share * width * height / aspect) + 0.5)
        if h <= height and w <= width:
            left, top = random.randrange(width - w + 1), random.randrange(height - h + 1)
            return left, top, left + w, top + h
        return box(width, height, tries - 1) if tries > 1 else None

    def erased(image: Tensor) -> Tensor:
        found = box(*image.shape[:0:-1]) if random.random() < p else None
        if found is None:
            return image
        planes = [Image.fromarray(plane.float().numpy()) for plane in image]
        for plane in planes:
            plane.paste(0, found)
        return torch.stack([torch.from_numpy(np.array(plane)) for plane in planes]).to(image.dtype)

    return torch.stack([erased(image) for image in images])


def with_old_transforms(
    images: Tensor, p: float = 0.5, scale: Range = (0.02, 0.2), ratio: Range = (0.3, 3.3)
) -> Tensor:
    """torchvision's first version of transforms."""
    erase = transforms.RandomErasing(p=p, scale=scale, ratio=ratio)
    return tv_tensors.Image(torch.stack(list(map(erase, images))))


class Erase:
    """An object with a method; all random numbers of a batch at once."""

    def __call__(
        self, images: Tensor, p: float = 0.5, scale: Range = (0.02, 0.2), ratio: Range = (0.3, 3.3)
    ) -> Tensor:
        n, _, height, width = images.shape
        unit = torch.rand(5, 10, n, dtype=torch.float64)
        area = torch.lerp(*torch.tensor(scale).double(), unit[0]) * height * width
        aspect = torch.lerp(*torch.tensor(ratio).double().log(), unit[1]).exp()
        h, w = (area * aspect).sqrt().round(), (area / aspect).sqrt().round()
        fits = (h <= height) & (w <= width)
        which = fits.int().argmax(0), torch.arange(n)
        top, left = (unit[2] * (height - h + 1)).floor()[which], (unit[3] * (width - w + 1)).floor()[which]
        h, w = h[which], w[which]
        y, x = torch.arange(height)[:, None], torch.arange(width)
        top, left, h, w = (side[:, None, None] for side in (top, left, h, w))
        inside = (y >= top) & (y < top + h) & (x >= left) & (x < left + w)
        chosen = (unit[4, 0] < p) & fits.any(0)
        return torch.where(
            (inside & chosen[:, None, None])[:, None], torch.zeros((), dtype=images.dtype), images
        )


RIGHT: dict[str, Function] = {
    "torch": with_torch,
    "numpy": with_masks,
    "PIL": with_pil,
    "old transforms": with_old_transforms,
    "an object": Erase(),
}


@pytest.mark.slow
@pytest.mark.parametrize("style", RIGHT)
def test_right_answers_keep_all_points(style: str) -> None:
    for seed in range(20):
        assert lost(graded(RIGHT[style], seed)) == set()


# -- wrong answers ------------------------------------------------------------------------------------------


def student(
    *,
    sides: Callable[[float, float], tuple[float, float]] = lambda area, aspect: (
        (area * aspect) ** 0.5,
        (area / aspect) ** 0.5,
    ),
    whole: Callable[[float], int] = round,
    area: Callable[[Tensor, float], float] = lambda image, share: share * image[0].numel(),
    aspect: Callable[[Range], float] = lambda ratio: math.exp(random.uniform(*map(math.log, ratio))),
    share: Callable[[Range], float] = lambda scale: random.uniform(*scale),
    corner: Callable[[int, int], int] = lambda size, side: random.randint(0, size - side),
    fill: Callable[[Tensor], Any] = lambda inside: 0,
    skips: Callable[[float], bool] = lambda p: random.random() > p,
    tries: int = 10,
    clip: bool = False,
) -> Function:
    """An answer with Python's random, and one habit changed."""

    def random_erase(
        images: Tensor, p: float = 0.5, scale: Range = (0.02, 0.2), ratio: Range = (0.3, 3.3)
    ) -> Tensor:
        images = images.clone()
        for image in images:
            for _ in range(0 if skips(p) else tries):
                height, width = image.shape[1:]
                h, w = map(whole, sides(area(image, share(scale)), aspect(ratio)))
                if clip:
                    h, w = min(h, height), min(w, width)
                if h > height or w > width:
                    continue
                top, left = corner(height, h), corner(width, w)
                inside = image[:, max(top, 0) : max(top + h, 0), max(left, 0) : max(left + w, 0)]
                inside[...] = fill(inside)
                break
        return images

    return random_erase


def on_the_batch(one: Function) -> Function:
    """The whole batch as if it were one picture of many channels."""
    return lambda images, *settings: one(images.flatten(0, 1)[None], *settings)[0].reshape(images.shape)


def first_rectangle_for_all(images: Tensor, p: float = 0.5, *settings: Any) -> Tensor:
    out = images.clone()
    gone = with_torch(torch.ones_like(images[:1, :1]), 1.0, *settings)[0, 0] == 0
    for picture in out:
        if random.random() < p:
            picture[:, gone] = 0
    return out


def one_decision(images: Tensor, p: float = 0.5, *settings: Any) -> Tensor:
    return with_masks(images, 1.0, *settings) if torch.rand(1) < p else images


def inverted(images: Tensor, *settings: Any) -> Tensor:
    gone = with_torch(torch.ones_like(images[:, :1]), *settings)
    return torch.where((gone == 0).any(3).any(2)[..., None, None], images * (1 - gone), images)


def dots(images: Tensor, p: float = 0.5, *settings: Any) -> Tensor:
    return torch.stack([x * (torch.rand_like(x[:1]) > 0.15) if random.random() < p else x for x in images])


def seeds_itself(images: Tensor, *settings: Any) -> Tensor:
    torch.manual_seed(42)
    return with_torch(images, *settings)


STREAM = random.Random(3)


def own_stream(images: Tensor, *settings: Any) -> Tensor:
    state = random.getstate()
    random.setstate(STREAM.getstate())
    erased = student()(images, *settings)
    STREAM.setstate(random.getstate())
    random.setstate(state)
    return erased


def in_place(images: Tensor, *settings: Any) -> Tensor:
    images[...] = with_torch(images, *settings)
    return images


WRONG: list[tuple[str, Function]] = [
    ("one draw for the whole batch", on_the_batch(with_torch)),
    ("one rectangle for the whole batch", first_rectangle_for_all),
    ("one coin for the whole batch", one_decision),
    ("p the wrong way round", student(skips=lambda p: random.random() < p)),
    ("p ignored", student(skips=lambda p: bool(torch.rand(1).round()))),
    ("always erased", student(skips=lambda p: False)),
    ("cut off at the edge", student(corner=lambda size, side: random.randrange(size))),
    ("cut off at the edge", student(corner=lambda size, side: random.randrange(size) - side // 2)),
    (
        "the last row and column never reached",
        student(corner=lambda size, side: int(torch.randint(0, max(size - side, 1), (1,)))),
    ),
    ("always in the middle", student(corner=lambda size, side: (size - side) // 2)),
    ("area taken for the side", student(area=lambda image, share: share**2 * image[0].numel())),
    ("channels counted as area", student(area=lambda image, share: share * image.numel())),
    ("always the largest area", student(share=max)),
    ("always a square", student(sides=lambda area, aspect: (area**0.5, area**0.5))),
    ("height and width swapped", student(sides=lambda area, r: ((area / r) ** 0.5, (area * r) ** 0.5))),
    ("ratio uniform, not its logarithm", student(aspect=lambda ratio: random.uniform(*ratio))),
    ("sides rounded down", student(whole=int)),
    ("sides rounded up", student(whole=math.ceil)),
    ("given up after one try", student(tries=1)),
    ("cut to fit instead of drawn anew", student(clip=True)),
    ("filled with noise", student(fill=lambda inside: torch.randn(inside.shape))),
    ("filled with another colour", student(fill=lambda inside: 1.0)),
    ("filled with another colour", student(fill=lambda inside: inside.mean((1, 2), keepdim=True))),
    (
        "only one channel erased",
        lambda x, *settings: torch.cat([with_torch(x[:, :1], *settings), x[:, 1:]], 1),
    ),
    (
        "a rectangle of its own for each channel",
        lambda x, *settings: torch.cat([with_torch(c, *settings) for c in x.split(1, 1)], 1),
    ),
    ("everything else erased", inverted),
    ("scattered pixels erased", dots),
    ("the same draws in every call", seeds_itself),
    ("a generator of its own", own_stream),
    ("written into the input", in_place),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mistake", "wrong"), WRONG, ids=[f"{i}-{name}" for i, (name, _) in enumerate(WRONG)]
)
def test_wrong_answers_lose_points_and_are_named(mistake: str, wrong: Function) -> None:
    for seed in (31, 32):
        result = graded(wrong, seed)
        assert result.earned < EXERCISE.points
        assert mistake in [found.name for found in result.mistakes]


@pytest.mark.slow
def test_a_mistake_costs_its_own_part_only() -> None:
    """At a batch of one, a draw for the batch is a draw for the picture; and p = 0.5 has no wrong way round."""
    own = {
        "one coin for the whole batch": "how often, and each on its own",
        "p the wrong way round": "how often, and each on its own",
        "the last row and column never reached": "where",
        "height and width swapped": "how large, and of what shape",
        "always a square": "how large, and of what shape",
        "filled with noise": "a rectangle of 0",
        "written into the input": "the input stays as it is",
    }
    wrong = dict(WRONG)
    for name, title in own.items():
        assert lost(graded(wrong[name], 41)) == {title}


@pytest.mark.slow
def test_odd_answers_get_no_points_but_a_message() -> None:
    for odd in (lambda images, *settings: None, lambda images, *settings: images[0]):
        result = graded(odd, 43)
        assert result.earned <= 1  # an input left alone is left alone
        assert any("came back as" in part.given for part in result.parts)
    nothing = graded(lambda images, *settings: images, 44)
    assert lost(nothing) >= {"a rectangle of 0", "how large, and of what shape", "where"}


@pytest.mark.slow
def test_the_same_rectangle_for_ever_is_no_answer() -> None:
    def fixed(images: Tensor, *settings: Any) -> Tensor:
        out = images.clone()
        out[:, :, 1:5, 2:5] = 0
        return out

    assert lost(graded(fixed, 45)) >= {
        "how large, and of what shape",
        "where",
        "how often, and each on its own",
    }


def test_the_demonstration_reads_the_rectangle_off() -> None:
    for right in RIGHT.values():
        (shown,) = demonstrate(EXERCISE.demonstrations, InProcess({"random_erase": right}))
        assert shown.verdict == "the same"
    for name in ("filled with noise", "everything else erased", "scattered pixels erased"):
        (shown,) = demonstrate(EXERCISE.demonstrations, InProcess({"random_erase": dict(WRONG)[name]}))
        assert shown.verdict.startswith("differs in")
    (shown,) = demonstrate(
        EXERCISE.demonstrations, InProcess({"random_erase": lambda images, *settings: None})
    )
    assert shown.verdict == "it isn't a picture"
