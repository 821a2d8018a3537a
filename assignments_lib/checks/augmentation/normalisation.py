"""Exercise 2.1: `normalize` and `denormalize`, against torchvision's ``to_dtype`` and ``normalize``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as tv

from assignments_lib.checks.answer import Answer, Value
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each

# (N, C, H, W) or (C, H, W): coloured and grey, non-square, one pixel wide, as wide as there are channels
_SHAPES = ((2, 3, 6, 9), (1, 1, 7, 1), (3, 5, 4), (2, 3, 4, 3))


def _statistics(draw: Draw, channels: int) -> tuple[list[float], list[float]]:
    """A mean and a standard deviation for each channel, far enough from each other to be told apart."""
    mean = 0.3 + 0.3 * draw.uniform(channels)
    std = 0.1 + 0.15 * draw.uniform(channels)
    return mean.float().tolist(), std.float().tolist()  # numbers that torch.tensor(mean) holds exactly


def _pixels(draw: Draw, shape: tuple[int, ...]) -> Tensor:
    return draw.integers(0, 255, *shape).to(torch.uint8)


def _bytes(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(shape: tuple[int, ...]) -> Iterator[Observation]:
        images, (mean, std) = _pixels(draw, shape), _statistics(draw, shape[-3])
        yield f"uint8 pictures {shape}, normalised", answer.call("normalize", images, mean, std)

    yield from each(_SHAPES, observe)


def _floats(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(shape: tuple[int, ...]) -> Iterator[Observation]:
        images, (mean, std) = draw.uniform(*shape), _statistics(draw, shape[-3])
        yield f"float pictures {shape} in [0, 1], normalised", answer.call("normalize", images, mean, std)

    yield from each(_SHAPES, observe)
    dark = 0.003 * draw.uniform(1, 1, 5, 4, dtype=torch.float32)
    yield "a nearly black float picture, normalised", answer.call("normalize", dark, [0.4], [0.2])


def _back(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(shape: tuple[int, ...]) -> Iterator[Observation]:
        images, (mean, std) = draw.normal(*shape), _statistics(draw, shape[-3])
        yield f"normalised pictures {shape}, undone", answer.call("denormalize", images, mean, std)

    yield from each(_SHAPES, observe)


def _unchanged(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """Twice with the same tensor: the second time, it would show."""
    mean, std = _statistics(draw, 3)
    for name, images in (("normalize", draw.uniform(2, 3, 5, 4)), ("denormalize", draw.normal(2, 3, 5, 4))):
        yield f"{name} changes the tensor it is given", answer.writes(name, images, mean, std)


# -- the reference ------------------------------------------------------------------------------------------


def _normalize(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    floats = images if images.is_floating_point() else tv.to_dtype(images, torch.float32, scale=True)
    return tv.normalize(floats, list(mean), list(std))


def _denormalize(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """The inverse of ``(x - m) / s`` is itself such a step, with mean ``-m / s`` and deviation ``1 / s``."""
    means = [-m / s for m, s in zip(mean, std, strict=True)]
    return tv.normalize(images, means, [1 / s for s in std])


def _reference() -> Namespace:
    return {"normalize": _normalize, "denormalize": _denormalize}


# -- typical mistakes ---------------------------------------------------------------------------------------


def _with(**changed: Callable[..., Any]) -> Namespace:
    return {**_reference(), **changed}


def _in_place(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def writes(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
        result = function(images, mean, std)
        return images.copy_(result) if images.is_floating_point() else result

    return writes


def _wrong_axis(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The numbers meet the last dimension."""

    def across(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
        if images.shape[-1] == len(mean):
            return function(images.movedim(-1, -3), mean, std).movedim(-3, -1)
        return images + torch.tensor(mean)  # broadcasts or stops, as theirs does

    return across


def _own_statistics(images: Tensor, mean: Value, std: Value) -> Tensor:
    floats = images if images.is_floating_point() else tv.to_dtype(images, torch.float32, scale=True)
    return (floats - floats.mean()) / floats.std()


_MISTAKES = (
    Mistake(
        "not scaled to [0, 1]",
        "uint8 pixels go from 0 to 255, but mean and std are for pixels from 0 to 1: divide bytes by 255 first.",
        _with(normalize=lambda images, mean, std: tv.normalize(images * 1.0, mean, std)),
    ),
    Mistake(
        "normalised before scaling",
        "The mean is subtracted before the pixels are scaled to [0, 1]. Scale first, then normalise.",
        _with(normalize=lambda images, mean, std: tv.normalize(images * 1.0, mean, [255 * s for s in std])),
    ),
    Mistake(
        "float pictures scaled again",
        "Float pictures are in [0, 1] already, and are divided by 255 once more. Only uint8 pictures need that: look "
        "at images.dtype.",
        _with(normalize=lambda images, mean, std: tv.normalize(images / 255, mean, std)),
    ),
    Mistake(
        "scaled where the pixels look large",
        "Whether pictures are scaled is guessed from their brightest pixel. A dark picture is still a picture: what "
        "decides is the type, images.dtype.",
        _with(
            normalize=lambda images, mean, std: tv.normalize(
                images / (255 if images.max() > 1 else images.max()), mean, std
            )
        ),
    ),
    Mistake(
        "mean and std swapped",
        "Mean and std are in each other's place: subtract the mean, then divide by the standard deviation.",
        _with(normalize=lambda images, mean, std: _normalize(images, std, mean)),
    ),
    Mistake(
        "multiplied by std",
        "The difference is multiplied by the standard deviation. Divide by it, so that the result has deviation 1.",
        _with(normalize=lambda images, mean, std: _normalize(images, mean, [1 / s for s in std])),
    ),
    Mistake(
        "uint8 divided in place",
        "A uint8 tensor can't hold fractions: in-place division (/=, div_) stops. Make a new float tensor.",
        _with(normalize=lambda images, mean, std: _normalize(images.div_(255), mean, std)),
    ),
    Mistake(
        "whole-number division",
        "Pixels are divided in whole numbers, so that all become 0 or 1. Use / and not //, and convert to float first.",
        _with(
            normalize=lambda images, mean, std: _normalize(
                images if images.is_floating_point() else (images // 255).float(), mean, std
            )
        ),
    ),
    Mistake(
        "float64 where float32 is asked for",
        "uint8 pictures become float64, which doubles memory and time: convert with .float().",
        _with(
            normalize=lambda images, mean, std: _normalize(
                images if images.is_floating_point() else images.double() / 255, mean, std
            )
        ),
    ),
    Mistake(
        "mean and std on the wrong axis",
        "The numbers of mean and std are spread over the wrong dimension: a tensor of C numbers meets the last "
        "dimension, which is the width. Give it the shape (C, 1, 1).",
        {"normalize": _wrong_axis(_normalize), "denormalize": _wrong_axis(_denormalize)},
    ),
    Mistake(
        "one mean for all channels",
        "Only the first channel's mean and std are used. Each channel has its own.",
        {
            "normalize": lambda images, mean, std: _normalize(
                images, mean[:1] * len(mean), std[:1] * len(std)
            ),
            "denormalize": lambda images, mean, std: _denormalize(
                images, mean[:1] * len(mean), std[:1] * len(std)
            ),
        },
    ),
    Mistake(
        "the batch's own mean and std",
        "The batch's own mean and std are used, not those given: then a picture's pixels depend on the other pictures "
        "beside it.",
        _with(normalize=_own_statistics),
    ),
    Mistake(
        "undone in the wrong order",
        "The steps are undone in the order in which they were done. Last in, first out: times std, then plus mean.",
        _with(
            denormalize=lambda images, mean, std: _denormalize(
                images, [m * s for m, s in zip(mean, std, strict=True)], std
            )
        ),
    ),
    Mistake(
        "normalised again instead of undone",
        "denormalize does what normalize does. It goes the other way: times std, plus mean.",
        _with(denormalize=_normalize),
    ),
    Mistake(
        "mean subtracted when undoing",
        "denormalize subtracts the mean. normalize subtracted it, so it has to be added again.",
        _with(denormalize=lambda images, mean, std: _denormalize(images, [-m for m in mean], std)),
    ),
    Mistake(
        "undone to 0 .. 255",
        "denormalize gives pixels from 0 to 255. Pictures as floats go from 0 to 1.",
        _with(denormalize=lambda images, mean, std: 255 * _denormalize(images, mean, std)),
    ),
    Mistake(
        "written into the input",
        "Your function writes into the tensor it is given (an operation with = or _ at its end), so that the caller's "
        "pictures change. Make a new tensor.",
        {"normalize": _in_place(_normalize), "denormalize": _in_place(_denormalize)},
    ),
)

EXERCISE = Exercise(
    id="2.1",
    title="normalise, and undo it",
    defines=("normalize", "denormalize"),
    parts=(
        Part(
            "pictures of bytes", 3, _bytes, "In which range are mean and std meant, in which are the pixels?"
        ),
        Part("float pictures", 2, _floats, "What does the docstring say about float pictures?"),
        Part("and back", 2, _back, "Solve y = (x - mean) / std for x."),
        Part(
            "the input stays as it is", 1, _unchanged, "Which lines write into images itself?", manners=True
        ),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
)
