"""Exercise 2.3: `adjust_brightness`, `adjust_contrast` and `gaussian_blur`, against torchvision's.

The blur is looked at twice: on a single bright pixel, where the picture that comes out *is* the kernel, and at the
border. Values are compared in float32, as torchvision's grey weights are rounded (0.2989 for 0.299).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms.v2 import functional as tv

from assignments_lib.checks.answer import Answer, Value
from assignments_lib.checks.demonstration import Demonstration
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each
from assignments_lib.datasets import doodles

_FLOATS = (torch.float32, torch.float64)
_NAMES = ("adjust_brightness", "adjust_contrast", "gaussian_blur")


def _type(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _rounded(value: Value) -> Value:
    return value.float() if isinstance(value, Tensor) else value


def _factors(draw: Draw, n: int, low: float, high: float) -> Tensor:
    """(n,) factors, in even steps from low to high and a little off, in any order: no two are alike."""
    steps = (draw.uniform(n).argsort() + draw.uniform(n)) / n
    return (low + (high - low) * steps).float()


def _pictures(draw: Draw, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> Tensor:
    return draw.uniform(*shape, dtype=torch.float32) * (high - low) + low


# -- brightness ---------------------------------------------------------------------------------------------


def _brightness(answer: Answer, draw: Draw) -> Iterator[Observation]:
    # (what, shape, pixels from, to, factors from, to): first where no pixel leaves [0, 1]
    cases = (
        ("dark pictures", (2, 3, 6, 9), 0.1, 0.3, 0.2, 0.6),
        ("dark pictures", (4, 1, 5, 4), 0.1, 0.3, 0.2, 2.5),
        ("bright pictures", (3, 3, 4, 7), 0.3, 1.0, 0.5, 2.5),
        ("one picture, one pixel wide,", (1, 1, 7, 1), 0.6, 1.0, 1.2, 2.0),
    )

    def observe(case: tuple[str, tuple[int, ...], float, float, float, float]) -> Iterator[Observation]:
        what, shape, low, high, least, most = case
        given = _pictures(draw, shape, low, high), _factors(draw, shape[0], least, most)
        yield f"{what} {shape} times factors", _rounded(answer.call("adjust_brightness", *given))

    yield from each(cases, observe)
    zero_and_one = torch.tensor([0.0, 1.0])
    given = _pictures(draw, (2, 3, 3, 5)), zero_and_one
    yield "the factors 0 and 1", _rounded(answer.call("adjust_brightness", *given))


# -- contrast -----------------------------------------------------------------------------------------------


def _tinted(draw: Draw, n: int, height: int, width: int) -> Tensor:
    """(n, 3, H, W): mostly red, mostly blue, mostly red ..., so that every weighting of colours has its own mean."""
    strengths = torch.tensor([[0.6, 0.2, 0.1], [0.1, 0.3, 0.9]])[torch.arange(n) % 2]
    return _pictures(draw, (n, 3, height, width), 0.4) * strengths[:, :, None, None]


def _levels(draw: Draw, shape: tuple[int, ...]) -> Tensor:
    """Pictures from dark to light, none with a mean of 0.5, as far from the others' means as can be."""
    levels = torch.linspace(0.15, 0.85, shape[0])[draw.uniform(shape[0]).argsort()] if shape[0] > 1 else 0.2
    noise = _pictures(draw, shape, -0.1, 0.1)
    return noise + torch.as_tensor(levels, dtype=torch.float32).reshape(-1, 1, 1, 1)


def _contrast(answer: Answer, draw: Draw) -> Iterator[Observation]:
    cases = (
        # Grey to begin with, and nothing to clamp: what is the contrast taken about?
        ("pictures of one channel", _levels(draw, (2, 1, 6, 9)), 0.2, 0.7),
        ("grey pictures of three channels", _levels(draw, (4, 1, 5, 4)).expand(-1, 3, -1, -1), 0.2, 1.3),
        ("coloured pictures", _tinted(draw, 4, 6, 7), 0.2, 0.8),
        ("coloured pictures, more of it", _tinted(draw, 2, 5, 4), 1.5, 2.0),
        ("noise, more of it", _pictures(draw, (3, 3, 4, 7)), 1.5, 2.0),
        ("one picture, one pixel wide,", _pictures(draw, (1, 3, 11, 1)), 1.5, 1.8),
    )

    def observe(case: tuple[str, Tensor, float, float]) -> Iterator[Observation]:
        what, images, least, most = case
        given = images.contiguous(), _factors(draw, len(images), least, most)
        yield f"{what} {tuple(images.shape)}", _rounded(answer.call("adjust_contrast", *given))

    yield from each(cases, observe)
    given = _pictures(draw, (2, 1, 3, 5)), torch.tensor([1.0, 0.0])
    yield "the factors 1 and 0", _rounded(answer.call("adjust_contrast", *given))


# -- blur ---------------------------------------------------------------------------------------------------


def _reach(sigma: float) -> int:
    return math.ceil(3 * sigma)


def _sigmas(draw: Draw) -> tuple[float, ...]:
    """3 sigma rounds down, then up, then is a whole number."""
    return round(1.68 + 0.1 * float(draw.uniform()), 2), round(0.52 + 0.1 * float(draw.uniform()), 2), 1.0


def _bright_pixel(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """One pixel of one channel of the second of two pictures, its border far away."""

    def observe(sigma: float) -> Iterator[Observation]:
        reach = _reach(sigma)
        height, width = (4 * reach + 3 + draw.integer(0, 2) for _ in range(2))
        row, column = 2 * reach + 1 + draw.integer(0, 1), 2 * reach + 1 + draw.integer(0, 1)
        images = torch.zeros(2, 3, height, width)
        images[1, 1, row, column] = 1.0
        seen = answer.call("gaussian_blur", images, sigma)
        what = f"a bright pixel, sigma {sigma:g}"
        yield f"{what}: the picture's size", _size(seen, images)
        if isinstance(seen, Tensor) and seen.shape == images.shape and seen.is_floating_point():
            yield from _blot(seen.double(), row, column, what)
            yield f"{what}: what comes back", _rounded(seen)

    yield from each(_sigmas(draw), observe)


def _size(seen: Value, images: Tensor) -> Value:
    if not isinstance(seen, Tensor) or seen.ndim != 4:
        return seen
    if seen.shape == images.shape:
        return "as before"
    shape = tuple(seen.shape)
    if seen.shape[:2] != images.shape[:2]:
        return f"shape {shape} instead of {tuple(images.shape)}"
    larger = seen.shape[2] > images.shape[2] or seen.shape[3] > images.shape[3]
    return "larger than before" if larger else "smaller than before"


def _blot(seen: Tensor, row: int, column: int, what: str) -> Iterator[Observation]:
    """In words, what has become of a bright pixel: where, how bright in all, how wide."""
    yield f"{what}: pictures it appears in", _those(seen, 0, {1: "its own"})
    yield f"{what}: channels it appears in", _those(seen, 1, {1: "its own"})
    blot = seen[1, 1]
    rows, columns = blot.sum(1), blot.sum(0)
    total = float(blot.sum())
    if not math.isfinite(total) or total <= 0:
        yield f"{what}: its brightness in all", "none"
        return
    centre = [float((side * torch.arange(len(side))).sum()) / total for side in (rows, columns)]
    away = max(abs(centre[0] - row), abs(centre[1] - column))
    place = (
        "where it was" if away < 0.05 else "half a pixel away" if abs(away - 0.5) < 0.2 else "further away"
    )
    yield f"{what}: where its centre is", place
    lit = [int((side > 0).sum()) for side in (rows, columns)]
    ways = {(True, True): "both ways", (False, True): "left and right", (True, False): "up and down"}
    yield f"{what}: it spreads", ways.get((lit[0] > 1, lit[1] > 1), "nowhere")
    kept = "as before" if abs(total - 1) < 1e-4 else "more than before" if total > 1 else "less than before"
    yield f"{what}: its brightness in all", kept
    yield f"{what}: rows and columns it covers", lit


def _those(seen: Tensor, axis: int, words: dict[int, str]) -> str:
    """Which pictures or channels hold any of the light."""
    others = tuple(i for i in range(seen.ndim) if i != axis)
    lit = [i for i, light in enumerate(seen.abs().amax(others).tolist()) if light > 0]
    if len(lit) == 1:
        return words.get(lit[0], "another")
    return "all" if len(lit) == seen.shape[axis] else "none" if not lit else "some"


def _border(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(case: tuple[tuple[int, ...], float]) -> Iterator[Observation]:
        shape, sigma = case
        seen = answer.call("gaussian_blur", torch.ones(shape), sigma)
        yield f"a white picture {shape[2:]} after the blur is", _whiteness(seen)
        seen = answer.call("gaussian_blur", _pictures(draw, shape), sigma)
        yield f"pictures {shape} blurred with sigma {sigma:g}", _rounded(seen)

    first, second, _ = _sigmas(draw)
    cases = (((2, 3, 9, 14), first), ((1, 1, 8, 6), second), ((3, 1, 6, 9), 1.0))
    yield from each(cases, observe)


def _whiteness(seen: Value) -> Value:
    if not isinstance(seen, Tensor) or seen.ndim != 4 or not seen.numel():
        return seen
    gap = seen.double() - 1
    if float(gap.abs().max()) < 1e-4:
        return "white"
    if float(gap.min()) < float(gap[:, :, gap.shape[2] // 2, gap.shape[3] // 2].min()) - 1e-3:
        return "darker at its border"
    return "brighter" if float(gap.max()) > 1e-4 else "darker"


# -- types, and the input -----------------------------------------------------------------------------------


def _one_picture(draw: Draw, name: str, dtype: torch.dtype) -> tuple[Tensor, Tensor | float]:
    """What every function can be given, even one that muddles pictures, or channels in its blur."""
    if name == "gaussian_blur":
        return draw.uniform(1, 1, 8, 11, dtype=dtype), 0.8
    return draw.uniform(1, 3, 8, 11, dtype=dtype), torch.tensor([1.5], dtype=dtype)


def _types(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(case: tuple[str, torch.dtype]) -> Iterator[Observation]:
        name, dtype = case
        seen = answer.call(name, *_one_picture(draw, name, dtype))
        found = _type(seen) if isinstance(seen, Tensor) else seen
        yield f"{name}: {str(dtype).removeprefix('torch.')} pictures become", found

    yield from each([(name, dtype) for name in _NAMES for dtype in _FLOATS], observe)


def _unchanged(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(name: str) -> Iterator[Observation]:
        given = _one_picture(draw, name, torch.float32)
        yield f"{name} changes the tensor it is given", answer.writes(name, *given)

    yield from each(_NAMES, observe)


# -- the reference ------------------------------------------------------------------------------------------

_Adjust = Callable[[Tensor, Tensor], Tensor]


def _one_by_one(function: Callable[[Tensor, float], Tensor]) -> _Adjust:
    def adjust(images: Tensor, factors: Tensor) -> Tensor:
        changed = [
            function(image, float(factor)) for image, factor in zip(images, factors.tolist(), strict=True)
        ]
        return torch.stack(changed)

    return adjust


_brighter = _one_by_one(tv.adjust_brightness)
_contrasted = _one_by_one(tv.adjust_contrast)


def _blurred(images: Tensor, sigma: float) -> Tensor:
    return tv.gaussian_blur(images, [2 * _reach(sigma) + 1] * 2, [sigma, sigma])


def _reference() -> Namespace:
    return {"adjust_brightness": _brighter, "adjust_contrast": _contrasted, "gaussian_blur": _blurred}


# -- typical mistakes ---------------------------------------------------------------------------------------


def _with(**changed: Callable[..., Any]) -> Namespace:
    return {**_reference(), **changed}


def _both(change: Callable[[_Adjust], _Adjust]) -> Namespace:
    """A habit that shows in brightness and contrast alike."""
    return _with(adjust_brightness=change(_brighter), adjust_contrast=change(_contrasted))


def _stretched(images: Tensor, centre: Tensor | float, factors: Tensor) -> Tensor:
    """From the centre through the pixels and beyond."""
    fixed = torch.as_tensor(centre, dtype=images.dtype).expand_as(images)
    return torch.lerp(fixed, images, factors.to(images.dtype).reshape(-1, 1, 1, 1))


def _against_axis(axis: int) -> Callable[[_Adjust], _Adjust]:
    """The factors, (N,), meet this axis of the images: 1 channels, 2 rows, 3 columns."""

    def change(adjust: _Adjust) -> _Adjust:
        def adjusted(images: Tensor, factors: Tensor) -> Tensor:
            shape = [1] * 4
            shape[axis] = len(factors)
            spread = (images * 0 + factors.reshape(shape)).movedim(axis, 0)  # stops where theirs does
            columns = [adjust(images, line.flatten()[:1].expand(len(images))) for line in spread]
            return torch.stack([c.select(axis, i) for i, c in enumerate(columns)], axis)

        return adjusted

    return change


def _about(centre: Callable[[Tensor], Tensor | float]) -> Namespace:
    """Contrast about something else than the mean of the picture's grey version."""

    def adjust(images: Tensor, factors: Tensor) -> Tensor:
        return _stretched(images, centre(images), factors).clamp(0, 1)

    return _with(adjust_contrast=adjust)


def _weighted(*weights: float) -> Callable[[Tensor], Tensor]:
    """The mean of a grey version by these weights."""

    def mean(images: Tensor) -> Tensor:
        if images.shape[1] == 1:
            return images.mean((1, 2, 3), keepdim=True)
        parts = images.mean((2, 3), keepdim=True) * images.new_tensor(weights).reshape(1, 3, 1, 1)
        return parts.sum(1, keepdim=True)

    return mean


_grey_mean = _weighted(0.299, 0.587, 0.114)


def _three_only(images: Tensor, factors: Tensor) -> Tensor:
    _green = images[:, 1]  # stops where there is one channel
    return _contrasted(images, factors)


def _on_bordered(mode: str) -> Callable[[Tensor, float], Tensor]:
    """The picture with another border around it, blurred, and the border cut off again."""

    def blur(images: Tensor, sigma: float) -> Tensor:
        r = _reach(sigma)
        if mode == "symmetric":
            rows = torch.cat([images[..., :r, :].flip(-2), images, images[..., -r:, :].flip(-2)], -2)
            bordered = torch.cat([rows[..., :r].flip(-1), rows, rows[..., -r:].flip(-1)], -1)
        else:
            bordered = F.pad(images, [r] * 4, mode=mode)
        return _blurred(bordered, sigma)[..., r:-r, r:-r]

    return blur


def _with_kernel(
    reach: Callable[[float], int] = _reach,
    sigma: Callable[[float], float] = lambda s: s,
    ways: tuple[bool, bool] = (True, True),
) -> Callable[[Tensor, float], Tensor]:
    """A kernel of another reach or width, across the columns and down the rows or one of both."""

    def blur(images: Tensor, s: float) -> Tensor:
        sizes = [2 * reach(s) + 1 if way else 1 for way in ways]
        return tv.gaussian_blur(images, sizes, [sigma(s)] * 2)

    return blur


def _scaled(sum_of: Callable[[Tensor, float], Tensor]) -> Callable[[Tensor, float], Tensor]:
    """Weights whose sum isn't 1: the blurred picture times that sum, once for rows and once for columns."""

    def blur(images: Tensor, sigma: float) -> Tensor:
        offsets = torch.arange(-_reach(sigma), _reach(sigma) + 1).double()
        bell = torch.exp(-(offsets**2) / (2 * sigma**2))
        return _blurred(images, sigma) * float(sum_of(bell, sigma)) ** 2

    return blur


def _half_a_pixel_off(images: Tensor, sigma: float) -> Tensor:
    """What an even kernel does: its middle lies between two pixels."""
    return F.avg_pool2d(F.pad(_blurred(images, sigma), [1, 0, 1, 0], mode="replicate"), 2, stride=1)


def _grown(images: Tensor, sigma: float) -> Tensor:
    return F.avg_pool2d(F.pad(_blurred(images, sigma), [1] * 4, mode="replicate"), 2, stride=1)


def _off_centre(images: Tensor, sigma: float) -> Tensor:
    return _blurred(images, sigma).roll((-_reach(sigma), -_reach(sigma)), (2, 3))


def _box(images: Tensor, sigma: float) -> Tensor:
    r = _reach(sigma)
    return F.avg_pool2d(F.pad(images, [r] * 4, mode="reflect"), 2 * r + 1, stride=1)


def _shrunk(images: Tensor, sigma: float) -> Tensor:
    r = _reach(sigma)
    return _blurred(images, sigma)[..., r:-r, r:-r]


def _without_groups(images: Tensor, sigma: float) -> Tensor:
    r = _reach(sigma)
    kernel = torch.ones(images.shape[1], 1, 2 * r + 1, 2 * r + 1, dtype=images.dtype)
    F.conv2d(F.pad(images, [r] * 4, mode="reflect"), kernel)  # stops where there are several channels
    return _blurred(images, sigma)


def _float32_kernel(images: Tensor, sigma: float) -> Tensor:
    F.conv2d(images, torch.ones(images.shape[1], 1, 1, 1), groups=images.shape[1])  # stops for float64
    return _blurred(images, sigma)


def _as_float32(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda images, argument: function(images, argument).float()


def _in_place(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda images, argument: images.copy_(function(images, argument))


_MISTAKES = (
    Mistake(
        "not clamped",
        "Pixels leave the range from 0 to 1: white can't get whiter. Clamp the result.",
        _with(
            adjust_brightness=lambda images, factors: _stretched(images, 0.0, factors),
            adjust_contrast=lambda images, factors: _stretched(images, _grey_mean(images), factors),
        ),
    ),
    Mistake(
        "scaled down instead of clamped",
        "Where a pixel would be brighter than 1, the whole batch is divided by its brightest pixel: that undoes the "
        "change. Cut off at 1 instead.",
        _with(
            adjust_brightness=lambda images, factors: (
                (bright := _stretched(images, 0.0, factors)) / bright.max().clamp(min=1)
            )
        ),
    ),
    Mistake(
        "added instead of multiplied",
        "The factor is added to the pixels. A factor multiplies them: 1 leaves the picture as it is, 0 makes it black.",
        _with(adjust_brightness=lambda images, factors: (images + factors.reshape(-1, 1, 1, 1)).clamp(0, 1)),
    ),
    Mistake(
        "one more than the factor",
        "The pixels are multiplied by 1 + factor. A factor of 1 has to leave the picture as it is.",
        _with(adjust_brightness=lambda images, factors: _brighter(images, 1 + factors)),
    ),
    Mistake(
        "one factor for the whole batch",
        "All pictures get the first one's factor. There is one factor for each picture: factors has shape (N,).",
        _both(lambda adjust: lambda images, factors: adjust(images, factors[:1].expand(len(images)))),
    ),
    Mistake(
        "factors spread over the width",
        "A tensor of N numbers meets the last dimension, which is the width: each column gets a factor, or PyTorch "
        "stops. Shape it (N, 1, 1, 1).",
        _both(_against_axis(3)),
    ),
    Mistake(
        "factors spread over the rows",
        "Factors of shape (N, 1) meet the rows, not the pictures. One more dimension for each of C, H and W is needed.",
        _both(_against_axis(2)),
    ),
    Mistake(
        "factors spread over the channels",
        "Factors of shape (N, 1, 1) meet the channels, not the pictures. The pictures are four-dimensional: "
        "(N, 1, 1, 1).",
        _both(_against_axis(1)),
    ),
    Mistake(
        "contrast about 0",
        "The pixels are stretched away from 0, which is brightness. Contrast stretches away from the picture's mean.",
        _about(lambda images: 0.0),
    ),
    Mistake(
        "contrast about 0.5",
        "The pixels are stretched away from 0.5, which makes a dark picture darker still. Take the picture's own mean.",
        _about(lambda images: 0.5),
    ),
    Mistake(
        "one mean for the whole batch",
        "The mean is taken over all pictures, so that a picture's contrast depends on the others beside it. Each has "
        "its own: leave the first dimension out of the mean.",
        _about(lambda images: _grey_mean(images).mean()),
    ),
    Mistake(
        "a mean for each channel",
        "Each channel is stretched away from its own mean, so that tints change. There is one mean for a picture: that "
        "of its grey version.",
        _about(lambda images: images.mean((2, 3), keepdim=True)),
    ),
    Mistake(
        "all channels weigh the same",
        "The mean is over the three channels alike. In the grey version green counts most and blue least: use the "
        "weights.",
        _about(_weighted(1 / 3, 1 / 3, 1 / 3)),
    ),
    Mistake(
        "weights in the wrong order",
        "The grey weights are given to blue, green, red. Channel 0 is red.",
        _about(_weighted(0.114, 0.587, 0.299)),
    ),
    Mistake(
        "other grey weights",
        "These are the weights of another standard (0.2126, 0.7152, 0.0722). The exercise names its own.",
        _about(_weighted(0.2126, 0.7152, 0.0722)),
    ),
    Mistake(
        "away from the grey picture",
        "Each pixel is moved away from its own grey value: that changes the colours' saturation and leaves a grey "
        "picture as it is. Take the mean of the grey version.",
        _with(adjust_contrast=_one_by_one(tv.adjust_saturation)),
    ),
    Mistake(
        "contrast in the wrong direction",
        "A factor above 1 makes the contrast smaller, one below 1 greater: factor and 1 - factor are in each other's "
        "place.",
        _with(
            adjust_contrast=lambda images, factors: _stretched(images, _grey_mean(images), 1 - factors).clamp(
                0, 1
            )
        ),
    ),
    Mistake(
        "mean not added back",
        "The mean is subtracted, but never added again, so that half of the pixels fall below 0.",
        _with(
            adjust_contrast=lambda images, factors: _stretched(
                images - _grey_mean(images), 0.0, factors
            ).clamp(0, 1)
        ),
    ),
    Mistake(
        "contrast of three channels only",
        "Pictures of one channel make it stop: they have no red, green and blue. They are their own grey version.",
        _with(adjust_contrast=_three_only),
    ),
    Mistake(
        "even kernel",
        "The kernel has an even number of weights, so that its middle lies between two pixels and the picture moves "
        "by half a pixel. The middle weight, and as many on each side of it: an odd number.",
        _with(gaussian_blur=_half_a_pixel_off),
    ),
    Mistake(
        "the picture grows",
        "The picture comes back larger than it was. With an even kernel and half of it as padding that happens: an odd "
        "kernel of size 2 reach + 1 needs a padding of reach.",
        _with(gaussian_blur=_grown),
    ),
    Mistake(
        "the picture shrinks",
        "The picture comes back smaller than it was: a convolution without padding loses the border. Pad first.",
        _with(gaussian_blur=_shrunk),
    ),
    Mistake(
        "kernel not centred",
        "The kernel's largest weight isn't in its middle, so that the picture moves. Offsets go from -reach to reach.",
        _with(gaussian_blur=_off_centre),
    ),
    Mistake(
        "darker border",
        "Zeros are padded, so that the border gets darker: beyond it there is nothing, which is black. Mirror the "
        "picture there (reflect) before you convolve.",
        _with(gaussian_blur=_on_bordered("constant")),
    ),
    Mistake(
        "border repeated",
        "Beyond the border its last pixels are repeated. The exercise mirrors the picture there, which is another "
        "mode of padding.",
        _with(gaussian_blur=_on_bordered("replicate")),
    ),
    Mistake(
        "border pixels mirrored too",
        "The picture is mirrored at its edge, so that its last pixel comes twice. It is mirrored at the last pixel, "
        "which comes once (what torch calls reflect; other libraries differ).",
        _with(gaussian_blur=_on_bordered("symmetric")),
    ),
    Mistake(
        "the far side comes in",
        "Beyond the border the picture goes on at its opposite side (circular). Mirror it there instead.",
        _with(gaussian_blur=_on_bordered("circular")),
    ),
    Mistake(
        "weights not normalised",
        "The weights are exp(-x^2 / (2 sigma^2)) as they are, and sum to more than 1: the picture gets brighter. "
        "Divide them by their sum.",
        _with(gaussian_blur=_scaled(lambda bell, sigma: bell.sum())),
    ),
    Mistake(
        "weights of the density",
        "The weights are the normal density, which sums to 1 only if nothing is cut off and sigma is large. Divide "
        "them by their own sum.",
        _with(gaussian_blur=_scaled(lambda bell, sigma: bell.sum() / (sigma * math.sqrt(2 * math.pi)))),
    ),
    Mistake(
        "kernel cut off too early",
        "The kernel's reach is 3 sigma rounded down. It reaches ceil(3 sigma) pixels to each side: round up.",
        _with(gaussian_blur=_with_kernel(reach=lambda s: int(3 * s))),
    ),
    Mistake(
        "reach rounded to nearest",
        "The kernel's reach is 3 sigma rounded to the nearest whole number. It is rounded up.",
        _with(gaussian_blur=_with_kernel(reach=lambda s: round(3 * s))),
    ),
    Mistake(
        "3 sigma for both sides together",
        "The kernel is about 3 sigma wide in all. It reaches that far to each side.",
        _with(gaussian_blur=_with_kernel(reach=lambda s: _reach(s) // 2)),
    ),
    Mistake(
        "kernel reaches only sigma",
        "The kernel ends where the bell is still high, one sigma from its middle. It reaches 3 sigma to each side.",
        _with(gaussian_blur=_with_kernel(reach=lambda s: math.ceil(s))),
    ),
    Mistake(
        "sigma taken for the variance",
        "sigma isn't squared in the exponent: it is the standard deviation, in pixels, and not the variance.",
        _with(gaussian_blur=_with_kernel(sigma=math.sqrt)),
    ),
    Mistake(
        "a 2 is missing in the exponent",
        "The bell is too narrow: the normal density has a 2 beside sigma squared.",
        _with(gaussian_blur=_with_kernel(sigma=lambda s: s / math.sqrt(2))),
    ),
    Mistake(
        "sigma ignored",
        "The picture is blurred with sigma 1, whatever sigma is given.",
        _with(gaussian_blur=_with_kernel(sigma=lambda s: 1.0)),
    ),
    Mistake(
        "all weights alike",
        "All pixels under the kernel count the same: that is a mean over a square, not a Gaussian.",
        _with(gaussian_blur=_box),
    ),
    Mistake(
        "blurred from left to right only",
        "Only the columns run into each other. A separable blur is done along both dimensions, one after the other.",
        _with(gaussian_blur=_with_kernel(ways=(True, False))),
    ),
    Mistake(
        "blurred up and down only",
        "Only the rows run into each other. A separable blur is done along both dimensions, one after the other.",
        _with(gaussian_blur=_with_kernel(ways=(False, True))),
    ),
    Mistake(
        "blurred twice",
        "The blur is applied twice, and reaches twice as far. Either one square kernel once, or a row and a column "
        "kernel once each.",
        _with(gaussian_blur=lambda images, sigma: _blurred(_blurred(images, sigma), sigma)),
    ),
    Mistake(
        "channels mixed",
        "Light of one channel comes out in all of them: the convolution sums over channels. Blur each by itself "
        "(groups).",
        _with(
            gaussian_blur=lambda images, sigma: (
                _blurred(images, sigma).sum(1, keepdim=True).expand(images.shape)
            )
        ),
    ),
    Mistake(
        "groups missing",
        "The kernel has one input channel, the pictures have several: with groups equal to the number of channels each "
        "is blurred by itself.",
        _with(gaussian_blur=_without_groups),
    ),
    Mistake(
        "kernel in float32 only",
        "The kernel is float32, whatever the pictures are, and PyTorch doesn't mix types in a convolution. Give it the "
        "pictures' dtype (and device).",
        _with(gaussian_blur=_float32_kernel),
    ),
    Mistake(
        "float32 whatever comes in",
        "float64 pictures come back as float32: digits are lost. Keep the pictures' own type.",
        {name: _as_float32(function) for name, function in _reference().items()},
    ),
    Mistake(
        "written into the input",
        "Your function writes into the tensor it is given (an operation with = or _ at its end), so that the caller's "
        "pictures change. Make a new tensor.",
        {name: _in_place(function) for name, function in _reference().items()},
    ),
)


# -- to look at ---------------------------------------------------------------------------------------------


def _scene() -> Tensor:
    """(1, 3, 28, 28): a yellow cat before an evening sky."""
    ink = torch.from_numpy(doodles.draw("cat", seed=3)) / 255
    down = torch.linspace(0, 1, 28)[:, None].expand(28, 28)
    sky = torch.stack([0.15 + 0.5 * down, 0.2 + 0.2 * down, 0.5 - 0.15 * down])
    return torch.lerp(sky, torch.tensor([0.9, 0.8, 0.3])[:, None, None].expand(3, 28, 28), ink)[None]


def _shows(caption: str, name: str, right: Callable[..., Tensor], argument: Tensor | float) -> Demonstration:
    def yours(answer: Answer) -> Value:
        seen = answer.call(name, _scene(), argument)
        return seen[0] if isinstance(seen, Tensor) and seen.ndim == 4 and len(seen) else seen

    return Demonstration(caption, yours, lambda found: right(_scene(), argument)[0], channels=3)


EXERCISE = Exercise(
    id="2.3",
    title="brightness, contrast and blur",
    defines=_NAMES,
    parts=(
        Part("brightness", 3, _brightness, "What shape must N factors have to meet N pictures?"),
        Part("contrast", 3, _contrast, "Which point stays where it is when the contrast changes?"),
        Part(
            "a blurred pixel",
            2,
            _bright_pixel,
            "Blur a black picture with one white pixel, and print it: you see your kernel.",
        ),
        Part("blur at the border", 2, _border, "What does your blur find beyond the border?"),
        Part(
            "every type of float",
            1,
            _types,
            "Which tensors do you make yourself, and of which dtype?",
            manners=True,
        ),
        Part(
            "the input stays as it is", 1, _unchanged, "Which lines write into images itself?", manners=True
        ),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
    not_covered="pictures smaller than the kernel's reach.",
    demonstrations=(
        _shows(
            "a yellow cat before an evening sky, 1.6 times as bright",
            "adjust_brightness",
            _brighter,
            torch.tensor([1.6]),
        ),
        _shows("the same cat with half of its contrast", "adjust_contrast", _contrasted, torch.tensor([0.5])),
        _shows("the same cat blurred with sigma 1.2", "gaussian_blur", _blurred, 1.2),
    ),
)
