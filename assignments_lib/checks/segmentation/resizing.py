"""The part of exercise 3.3 that resizes label maps: no label may appear that was not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from assignments_lib.checks.answer import Answer, Value
from assignments_lib.checks.compare import in_words
from assignments_lib.checks.exercise import Draw, Mistake, Namespace, Observation, Part, each

_Resize = Callable[[Tensor, int, int], Tensor]


def _masks(draw: Draw, shape: tuple[int, int, int]) -> Tensor:
    """Labels far apart, so that a mean of two is none of them; 255 among them."""
    return torch.tensor([0, 6, 20, 255])[draw.integers(0, 3, *shape)]


def _strangers(found: Value, masks: Tensor) -> Value:
    if not isinstance(found, Tensor):
        return "not a tensor"
    return sorted(set(found.double().unique().tolist()) - set(masks.double().unique().tolist()))[:3]


def _resized(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """Values only where every way to find the nearest pixel agrees: whole factors."""

    def larger(case: tuple[tuple[int, int, int], tuple[int, int]]) -> Iterator[Observation]:
        shape, factors = case
        masks = _masks(draw, shape)
        size = (shape[1] * factors[0], shape[2] * factors[1])
        what = f"masks {shape} enlarged to {size[0]} x {size[1]}: "
        found = answer.call("resize_masks", masks, *size)
        yield what + "what comes back", in_words(found)
        yield what + "labels that were not there", _strangers(found, masks)
        yield what + "the labels", found

    def smaller(factor: int) -> Iterator[Observation]:
        masks = _masks(draw, (2, 4, 5))
        blocks = masks.repeat_interleave(factor, 1).repeat_interleave(factor, 2)
        what = f"masks made of blocks of {factor} x {factor} pixels, a pixel for each block: "
        yield what + "the labels", answer.call("resize_masks", blocks, 4, 5)

    def any_size(size: tuple[int, int]) -> Iterator[Observation]:
        masks = _masks(draw, (1, 11, 9))
        found = answer.call("resize_masks", masks, *size)
        what = f"masks of 11 x 9 pixels brought to {size[0]} x {size[1]}: "
        yield what + "what comes back", in_words(found)
        yield what + "labels that were not there", _strangers(found, masks)

    yield from each((((2, 4, 3), (2, 2)), ((1, 3, 5), (4, 3))), larger)
    yield from each((2, 3), smaller)
    yield from each(((7, 13), (20, 5)), any_size)


PART = Part(
    "resize_masks",
    1,
    _resized,
    "What stands between class 6 and class 20? Which numbers may the result contain?",
)


def _by(mode: str, kind: Callable[[Tensor], Tensor] = lambda x: x.round().long()) -> _Resize:
    def resize(masks: Tensor, height: int, width: int) -> Tensor:
        return kind(F.interpolate(masks[:, None].double(), (height, width), mode=mode)[:, 0])

    return resize


def reference() -> Namespace:
    """`resize_masks` by torch's own."""
    return {"resize_masks": _by("nearest-exact")}


_BETWEEN = (
    "Labels are names, and there is nothing between two of them: a mean of class 6 and class 20 is class 13, which was "
    "never there. Each new pixel takes the label of the nearest old one."
)


def mistakes(everything: Namespace) -> tuple[Mistake, ...]:
    """The typical wrong ways, beside what else the exercise defines."""

    def changed(resize: _Resize) -> Namespace:
        return {**everything, "resize_masks": resize}

    return (
        Mistake("label maps resized bilinearly", _BETWEEN, changed(_by("bilinear"))),
        Mistake(
            "label maps resized bilinearly and rounded down", _BETWEEN, changed(_by("bilinear", Tensor.long))
        ),
        Mistake("label maps averaged over areas", _BETWEEN, changed(_by("area"))),
        Mistake("label maps resized by cubic curves", _BETWEEN, changed(_by("bicubic"))),
        Mistake(
            "resized labels as floats",
            "The right labels, but as floats: cross_entropy wants whole numbers (int64). Convert them back.",
            changed(_by("nearest-exact", Tensor.float)),
        ),
        Mistake(
            "height and width swapped when resizing",
            "Height and width are swapped: the size is (height, width), rows first.",
            changed(lambda masks, height, width: _by("nearest-exact")(masks, width, height)),
        ),
        Mistake(
            "a dimension too many after resizing",
            "F.interpolate wants a dimension for channels; it is still there. Masks are (N, height, width).",
            changed(lambda masks, height, width: _by("nearest-exact")(masks, height, width)[:, None]),
        ),
    )
