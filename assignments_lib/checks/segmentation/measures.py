"""Exercise 3.3: `to_labels` and three scores, against sets of pixels.

The reference knows no formula over a matrix: it spreads the counts out to pixels again, one entry each, and asks of
every pixel whether it belongs to a class and whether it was called so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from assignments_lib.checks.answer import Answer, Value
from assignments_lib.checks.compare import Near, in_words
from assignments_lib.checks.demonstration import Demonstration
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each
from assignments_lib.checks.segmentation import resizing

_IGNORE = 255


# -- what is seen of numbers --------------------------------------------------------------------------------


def figure(value: Value) -> Value:
    """One number in whatever form it comes (int, float, a tensor of it): NaN and infinity as words.

    Up to 1e-5, so that float32 passes, and so that the tiny number which some add to a denominator only shows where it
    replaces a 0.
    """
    if isinstance(value, Tensor) and value.ndim <= 1 and value.numel() == 1:
        value = value.item()
    if not isinstance(value, (int, float)):
        return value
    if math.isnan(value):
        return "nan"
    return Near(float(value), 1e-5) if math.isfinite(value) else "infinity"


def by_class(value: Value) -> Value:
    """Numbers in a row with the class that each belongs to; anything else as a single `figure`."""
    numbers = value.tolist() if isinstance(value, Tensor) and value.ndim == 1 else value
    if not isinstance(numbers, list):
        return figure(value)
    return [(f"class {number}", figure(each)) for number, each in enumerate(numbers)]


def numbers_of(value: Value) -> str:
    """The type of a tensor's numbers."""
    return str(value.dtype).removeprefix("torch.") if isinstance(value, Tensor) else in_words(value)


# -- to_labels ----------------------------------------------------------------------------------------------


def _pictures(
    draw: Draw, shape: tuple[int, int, int], values: Sequence[int], present: Sequence[int]
) -> Tensor:
    """Grey pictures of the classes ``present``, each of which occurs."""
    pixels = draw.integers(0, len(present) - 1, *shape).flatten()
    pixels[: len(present)] = torch.arange(len(present))
    return torch.tensor([values[number] for number in present], dtype=torch.uint8)[pixels].view(shape)


def _stored_as(draw: Draw, low: int, number: int) -> list[int]:
    """Different grey values below 255, the largest first and the rest in no order."""
    drawn: list[int] = (low + draw.uniform(_IGNORE - low).argsort()[:number]).tolist()
    return sorted(drawn)[-1:] + [value for value in drawn if value != max(drawn)]


def _of_shape(labels: Value, shape: tuple[int, ...]) -> Tensor:
    """The labels, or a tensor without meaning where they have another shape: that has been seen by then."""
    return labels if isinstance(labels, Tensor) and labels.shape == shape else torch.full(shape, -100)


def _becomes(grey: Tensor, labels: Tensor) -> dict[int, Value]:
    """What became of each grey value: a number, or a list of them where it isn't always the same."""
    found: dict[int, Value] = {}
    for value in grey.unique().tolist():
        numbers = labels[grey == value].double().unique().tolist()
        whole = [int(number) if number.is_integer() else number for number in numbers]
        found[value] = whole[0] if len(whole) == 1 else whole
    return found


def _relation(found: dict[int, Value]) -> str:
    """How the numbers follow from the grey values, for those who compute them instead of looking them up."""
    pairs = list(found.items())
    if len({str(number) for _, number in pairs}) == 1:
        return "one and the same everywhere"
    if all(number == value for value, number in pairs):
        return "the grey values themselves"
    for divisor in range(2, 256):
        if any(all(number == by(value / divisor) for value, number in pairs) for by in (int, round, float)):
            return "the grey values divided by one number"
    return "neither the grey values nor multiples of them"


def _table(found: dict[int, Value]) -> list[tuple[str, Value]]:
    return [(f"grey {value}", number) for value, number in found.items()]


def _classes(answer: Answer, draw: Draw) -> Iterator[Observation]:
    mixed, rising, shift = _stored_as(draw, 20, 5), sorted(_stored_as(draw, 8, 4)), draw.integer(1, 4)
    turned = [(number + shift) % 5 for number in range(5)]
    cases: tuple[tuple[str, tuple[int, int, int], list[int], Sequence[int]], ...] = (
        ("in no order", (2, 6, 4), mixed, range(5)),
        ("that are other classes' numbers", (1, 4, 6), turned, range(5)),
        ("in rising order, one of them not in the picture", (1, 9, 1), rising, (0, 2, 3)),
        ("black and white", (3, 4, 2), [0, 255], (0, 1)),
    )

    def observe(case: tuple[str, tuple[int, int, int], list[int], Sequence[int]]) -> Iterator[Observation]:
        which, shape, values, present = case
        grey = _pictures(draw, shape, values, present)
        labels = answer.call("to_labels", grey, values)
        what = f"grey values {which}, {values}: "
        yield what + "what comes back", in_words(labels)
        found = _becomes(grey, _of_shape(labels, shape))
        if list(values) != sorted(values):  # those in rising order may well be multiples
            yield what + "the labels are", _relation(found)
        yield what + "the label of each", _table(found)

    yield from each(cases, observe)


def _no_class(answer: Answer, draw: Draw) -> Iterator[Observation]:
    cases = (_stored_as(draw, 20, 5), [*_stored_as(draw, 1, 3), 255], [3, 1, 0], [255])

    def observe(values: list[int]) -> Iterator[Observation]:
        """Large ones and small ones by themselves: the small ones could be taken for class numbers."""
        every = draw.uniform(256).argsort().to(torch.uint8).view(1, 16, 16)
        labels = answer.call("to_labels", every, values)
        what = f"values {values}, a picture of all 256: "
        yield what + "what comes back", in_words(labels)
        found = _becomes(every, _of_shape(labels, tuple(every.shape)))
        others = {grey: label for grey, label in found.items() if grey not in values}
        yield what + "the label of the other large ones", _table({g: k for g, k in others.items() if g >= 16})
        yield what + "the label of the other small ones", _table({g: k for g, k in others.items() if g < 16})

    yield from each(cases, observe)


# -- the scores ---------------------------------------------------------------------------------------------


def _counts(
    draw: Draw,
    *shape: int,
    absent: Sequence[int] = (),
    only_in_target: Sequence[int] = (),
    only_called: Sequence[int] = (),
    never_right: Sequence[int] = (),
) -> Tensor:
    """(..., C, C): large and small classes, large and small pictures, some called rightly more often than others."""
    counts = draw.integers(1, 9, *shape)
    counts.diagonal(dim1=-2, dim2=-1).add_(draw.integers(2, 60, *shape[:-1]))
    counts *= 1 + 2 * draw.uniform(shape[-1], 1).argsort(0)
    if len(shape) == 3:
        counts *= (1 + 2 * torch.arange(shape[0]))[:, None, None]
    counts[..., [*absent, *only_called], :] = 0
    counts[..., [*absent, *only_in_target]] = 0
    counts[..., list(never_right), list(never_right)] = 0
    return counts


_Cases = Sequence[tuple[str, Tensor]]


def _score(
    name: str, cases: Callable[[Draw], _Cases], seen: Callable[[Value], Value] = figure
) -> Callable[[Answer, Draw], Iterator[Observation]]:
    """What a function gives for each matrix, or for each stack of matrices."""

    def look(answer: Answer, draw: Draw) -> Iterator[Observation]:
        def observe(case: tuple[str, Tensor]) -> Iterator[Observation]:
            what, counts = case
            yield f"{name} of counts {tuple(counts.shape)}, {what}", seen(answer.call(name, counts))

        yield from each(cases(draw), observe)

    return look


def _all_occur(draw: Draw) -> _Cases:
    drawn = [_counts(draw, classes, classes) for classes in (4, 3, 6, 2, 1)]
    return [(f"{int(counts.sum()):,} pixels of {len(counts)} classes", counts) for counts in drawn]


def _some_absent(draw: Draw) -> _Cases:
    return [
        ("class 2 neither in the target nor called", _counts(draw, 4, 4, absent=[2])),
        ("class 0 and class 1 neither in the target nor called", _counts(draw, 5, 5, absent=[0, 1])),
        ("nothing counted", torch.zeros(3, 3, dtype=torch.int64)),
    ]


def _some_without_hit(draw: Draw) -> _Cases:
    return [
        ("class 1 in the target but never called", _counts(draw, 4, 4, only_in_target=[1])),
        ("class 2 called but not in the target", _counts(draw, 5, 5, only_called=[2])),
        ("class 0 in the target and called, but elsewhere", _counts(draw, 3, 3, never_right=[0])),
    ]


def _one_picture(draw: Draw) -> _Cases:
    return [("of one picture", _counts(draw, classes, classes)) for classes in (4, 3, 6, 2)]


def _missing_classes(draw: Draw) -> _Cases:
    return [
        ("class 2 neither in the target nor called", _counts(draw, 4, 4, absent=[2])),
        ("class 0 and class 3 neither in the target nor called", _counts(draw, 5, 5, absent=[0, 3])),
        ("class 1 in the target but never called", _counts(draw, 4, 4, only_in_target=[1])),
        ("class 2 called but not in the target", _counts(draw, 4, 4, only_called=[2])),
        ("nothing counted", torch.zeros(3, 3, dtype=torch.int64)),
    ]


def _several_pictures(draw: Draw) -> _Cases:
    by_turns = _counts(draw, 5, 4, 4)
    by_turns[::2, 1] = 0
    by_turns[::2, :, 1] = 0
    by_turns[3:, 0] = 0
    by_turns[3:, :, 0] = 0
    one_empty = _counts(draw, 3, 4, 4)
    one_empty[1] = 0
    return [
        ("a set of pictures", _counts(draw, 3, 3, 3)),
        ("a set of pictures", _counts(draw, 4, 3, 3)),
        ("a set of one picture", _counts(draw, 1, 4, 4)),
        ("a set of pictures, with some classes only in some of them", by_turns),
        ("a set of pictures, with nothing counted in one of them", one_empty),
    ]


def _several_or_nothing(draw: Draw) -> _Cases:
    nothing = torch.zeros(2, 3, 3, dtype=torch.int64)
    return [*_several_pictures(draw), ("nothing counted", nothing[0]), ("nothing counted", nothing)]


def _types(answer: Answer, draw: Draw) -> Iterator[Observation]:
    values = _stored_as(draw, 20, 4)
    grey = _pictures(draw, (2, 5, 3), values, [0, 1, 2, 3])
    counts, stack = _counts(draw, 4, 4), _counts(draw, 3, 4, 4)

    def observe(case: tuple[str, bool, tuple[Value, ...]]) -> Iterator[Observation]:
        name, of_a_type, given = case
        if of_a_type:
            yield f"{name} gives numbers of type", numbers_of(answer.call(name, *given))
        yield f"{name} changes the tensor it is given", answer.writes(name, *given)

    cases: tuple[tuple[str, bool, tuple[Value, ...]], ...] = (
        ("to_labels", True, (grey, values)),
        ("iou", True, (counts,)),
        ("mean_iou", False, (counts,)),
        ("mean_iou", False, (stack,)),
        ("pixel_accuracy", False, (counts,)),
        ("pixel_accuracy", False, (stack,)),
    )
    yield from each(cases, observe)


# -- the reference ------------------------------------------------------------------------------------------

_Label = Callable[[int, list[int]], int]
_ToLabels = Callable[[Tensor, list[int]], Tensor]
_OfPixels = Callable[[Tensor, Tensor], Tensor]
_Score = Callable[[Tensor], Value]


def _looked_up(grey: int, values: list[int], otherwise: int = _IGNORE) -> int:
    return values.index(grey) if grey in values else otherwise


def _labelled(label: _Label) -> _ToLabels:
    return lambda grey, values: grey.long().apply_(lambda value: label(value, values))


def _pixels(counts: Tensor) -> tuple[Tensor, Tensor]:
    """The class of each counted pixel, of one picture or several, and the class it was called."""
    pairs = counts.nonzero().repeat_interleave(counts[counts > 0], dim=0)
    return pairs[:, -2], pairs[:, -1]


def _each_class(counts: Tensor, of_pixels: _OfPixels) -> Tensor:
    """(C,) float64: a figure of each class, from the pixels that are it and those that are called it."""
    target, called = _pixels(counts)
    return torch.stack([of_pixels(target == k, called == k).double() for k in range(counts.shape[-1])])


def _overlap(target: Tensor, called: Tensor) -> Tensor:
    return (target & called).sum().double() / (target | called).sum()


def _iou(counts: Tensor) -> Tensor:
    return _each_class(counts, _overlap)


def _mean(counts: Tensor) -> Tensor:
    return _iou(counts).nanmean()


def _right(counts: Tensor) -> Tensor:
    target, called = _pixels(counts)
    return (target == called).double().mean()


def _reference() -> Namespace:
    return {
        "to_labels": _labelled(_looked_up),
        **resizing.reference(),
        "iou": _iou,
        "mean_iou": _mean,
        "pixel_accuracy": _right,
    }


# -- typical mistakes ---------------------------------------------------------------------------------------


def _overlaps(of_pixels: _OfPixels) -> Namespace:
    """Another figure of each class, whose mean over the classes is taken."""

    def iou(counts: Tensor) -> Tensor:
        return _each_class(counts, of_pixels)

    return {**_reference(), "iou": iou, "mean_iou": lambda counts: iou(counts).nanmean()}


def _scores(**changed: _Score) -> Namespace:
    return {**_reference(), **changed}


def _pictures_of(counts: Tensor) -> Tensor:
    return counts if counts.ndim == 3 else counts[None]


def _of_each_picture(score: _Score) -> Callable[[Tensor], Tensor]:
    return lambda counts: torch.stack([torch.as_tensor(score(one)) for one in _pictures_of(counts)])


# to_labels


def _to_labels(to_labels: _ToLabels) -> Namespace:
    return {**_reference(), "to_labels": to_labels}


def _labels(label: _Label) -> Namespace:
    """`to_labels` with this label for each pixel."""
    return _to_labels(_labelled(label))


def _one_after_another(step: int) -> _Label:
    def label(grey: int, values: list[int]) -> int:
        for number, value in list(enumerate(values))[::step]:
            grey = number if grey == value else grey
        return grey

    return label


def _in_the_picture(grey: Tensor, values: list[int]) -> Tensor:
    return grey.apply_(lambda value: _one_after_another(1)(value, values)).long()


def _ranks(grey: Tensor, values: list[int]) -> Tensor:
    return grey.unique(return_inverse=True)[1]


def _divided(grey: int, values: list[int]) -> int:
    return grey // max(1, abs(values[-1] - values[0]) // max(1, len(values) - 1))


# iou


def _in_both_lists(target: Tensor, called: Tensor) -> Tensor:
    """The union with its intersection counted twice."""
    return (target & called).sum().double() / (target.sum() + called.sum())


def _over(whole: _OfPixels, part: _OfPixels = torch.logical_and) -> _OfPixels:
    """Share of ``whole`` that is ``part``."""
    return lambda target, called: part(target, called).sum().double() / whole(target, called).sum()


def _instead_of_nan(value: float) -> _OfPixels:
    return lambda target, called: _overlap(target, called).nan_to_num(value)


def _nan_unless(occurs: _OfPixels) -> _OfPixels:
    return lambda target, called: _overlap(target, called) / occurs(target, called).any()


def _pooled(counts: Tensor) -> Tensor:
    target, called = _pixels(counts)
    classes = torch.arange(counts.shape[-1])[:, None]
    return _overlap(target == classes, called == classes)


def _rows_as_shares(counts: Tensor) -> Tensor:
    """Each pixel weighs less, the more pixels its class has in the target."""
    target, called = _pixels(counts)
    weight = 1 / target.bincount().double()[target]

    def of(k: int) -> Tensor:
        return weight[(target == k) & (called == k)].sum() / weight[(target == k) | (called == k)].sum()

    return torch.stack([of(k) for k in range(counts.shape[-1])])


def _in_whole_numbers(counts: Tensor) -> Tensor:
    return _each_class(counts, lambda target, called: (target & called).sum() // (target | called).sum())


def _emptied(result: _Score) -> _Score:
    """The diagonal of the counts themselves is set to 0 on the way."""

    def writes(counts: Tensor) -> Value:
        found = result(counts)
        counts.diagonal(dim1=-2, dim2=-1).zero_()
        return found

    return writes


def _nowhere(counts: Tensor) -> Tensor:
    """IoU without any intersection."""
    return _each_class(counts, _over(torch.logical_or, lambda target, called: target & ~target))


# mean_iou and pixel_accuracy


def _weighted(counts: Tensor) -> Tensor:
    target, _ = _pixels(counts)
    return (_iou(counts)[target]).mean()


def _summed_across(counts: Tensor) -> Tensor:
    """Over the target's classes instead of the pictures."""
    return _mean(counts.sum(1) if counts.ndim == 3 else counts)


def _of_one_row(counts: Tensor) -> Tensor:
    """A sum over the pictures; with a single matrix there is a dimension too few after it."""
    return _mean(counts) if counts.ndim == 3 else counts.sum(0).sum(1)


def _recall(counts: Tensor) -> Tensor:
    return _each_class(counts, _over(lambda target, called: target))


def _wrong_diagonal(counts: Tensor) -> Tensor:
    return counts.diagonal().sum() / counts.sum()


def _first(score: _Score) -> _Score:
    return lambda counts: score(_pictures_of(counts)[0])


def _zero_for_nothing(score: _Score) -> _Score:
    return lambda counts: score(counts) if counts.any() else 0.0


def _stops_at_nothing(counts: Tensor) -> float:
    target, called = _pixels(counts)
    return int((target == called).sum()) / len(target)


_PICTURE_BY_PICTURE = (
    "A small picture, or one with few classes, weighs as much as any other. Add up the counts of all pictures first, "
    "and take the score of the sum."
)
_SEVERAL_MATRICES = "With counts (N, C, C) there is a matrix for each picture: all of them belong to the set."

_MISTAKES = (
    # to_labels
    Mistake(
        "grey values taken for class numbers",
        "The labels are the grey values of the file. Which class a value stands for says values: its position there.",
        _labels(lambda grey, values: grey),
    ),
    Mistake(
        "grey values divided",
        "The class number is computed from the grey value, which only works for values at equal steps. Look each value "
        "up in values instead.",
        _labels(_divided),
    ),
    Mistake(
        "ranks of the values that occur",
        "The values that happen to occur in these pictures are numbered through (unique): where one class is missing, "
        "all after it get another number. Start from values.",
        _to_labels(_ranks),
    ),
    Mistake(
        "values sorted first",
        "The classes are numbered by rising grey value. Their numbers are the positions in values, as it was given.",
        _labels(lambda grey, values: _looked_up(grey, sorted(values))),
    ),
    Mistake(
        "numbered from 1",
        "Every class number is one too large: the first value stands for class 0.",
        _labels(lambda grey, values: _looked_up(grey, values, _IGNORE - 1) + 1),
    ),
    Mistake(
        "replaced one after another",
        "A pixel that has its class number already is replaced once more where that number is another class's grey "
        "value. Compare with the grey picture every time, and write into a tensor of its own.",
        _labels(_one_after_another(1)),
    ),
    Mistake(
        "replaced one after another, the last class first",
        "A pixel that has its class number already is replaced once more where that number is another class's grey "
        "value: going backwards doesn't help. Read from the grey picture, write into another tensor.",
        _labels(_one_after_another(-1)),
    ),
    Mistake(
        "written into the grey picture",
        "The class numbers are written into the tensor that was handed in: the caller's picture is gone, and a number "
        "just written may be replaced again.",
        _to_labels(_in_the_picture),
    ),
    Mistake(
        "other grey values become class 0",
        "A grey value that stands for no class becomes class 0, the background. It should be left out of loss and "
        "score: what number says so?",
        _labels(lambda grey, values: _looked_up(grey, values, 0)),
    ),
    Mistake(
        "other grey values stay",
        "Grey values that stand for no class are still there, and the small ones look like classes. All of them become "
        "255.",
        _labels(lambda grey, values: _looked_up(grey, values, grey)),
    ),
    Mistake(
        "other grey values become -1",
        "What stands for no class becomes -1. In this course, and in most data sets, the number for it is 255.",
        _labels(lambda grey, values: _looked_up(grey, values, -1)),
    ),
    Mistake(
        "other grey values become one more class",
        "What stands for no class becomes a class of its own, one too many. It is no class: 255.",
        _labels(lambda grey, values: _looked_up(grey, values, len(values))),
    ),
    Mistake(
        "255 is never a class",
        "Grey 255 is always ignored. It may stand for a class, as any other grey value may (white in a black and white "
        "mask): only 255 among the labels means ignore.",
        _labels(lambda grey, values: _IGNORE if grey == _IGNORE else _looked_up(grey, values)),
    ),
    Mistake(
        "labels of bytes",
        "The labels are still uint8. cross_entropy and most indexing need int64: make the new tensor of that type.",
        _to_labels(lambda *given: _labelled(_looked_up)(*given).to(torch.uint8)),
    ),
    *resizing.mistakes(_reference()),
    # iou, and the mean over it
    Mistake(
        "intersection not subtracted",
        "The union is too large: target plus prediction counts the pixels in both twice. Identical masks would get "
        "1/2 instead of 1.",
        _overlaps(_in_both_lists),
    ),
    Mistake(
        "Dice instead of IoU",
        "That is Dice's coefficient (F1), 2 |A and B| / (|A| + |B|). IoU divides the intersection by the union.",
        _overlaps(lambda target, called: 2 * _in_both_lists(target, called)),
    ),
    Mistake(
        "divided by the target alone",
        "That is the recall: the intersection is divided by the target's pixels, so that calling everything this class "
        "gives 1. Divide by the union of target and prediction.",
        _overlaps(_over(lambda target, called: target)),
    ),
    Mistake(
        "divided by the prediction alone",
        "That is the precision: the intersection is divided by the pixels that were called so, so that one right pixel "
        "is enough for 1. Divide by the union of target and prediction.",
        _overlaps(_over(lambda target, called: called)),
    ),
    Mistake(
        "divided by the errors alone",
        "The intersection is divided by the pixels that are in only one of target and prediction. The union holds "
        "those in both as well.",
        _overlaps(_over(torch.logical_xor)),
    ),
    Mistake(
        "divided by all pixels",
        "The intersection is divided by the number of all pixels: small classes can't get far from 0. Divide by the "
        "pixels of this class's union.",
        _overlaps(_over(lambda target, called: torch.ones_like(target))),
    ),
    Mistake(
        "true negatives counted",
        "Pixels that are rightly *not* called this class count as hits too. Nearly every pixel is one, so that every "
        "class looks good. The intersection holds only those that are it and are called it.",
        _overlaps(_over(lambda target, called: torch.ones_like(target), torch.eq)),
    ),
    Mistake(
        "pooled over the classes",
        "All classes' intersections are added up, and all unions: one number, in which large classes hide small ones. "
        "Each class has an IoU of its own.",
        _scores(iou=_pooled, mean_iou=_pooled),
    ),
    Mistake(
        "rows turned into shares first",
        "Each row is divided by its sum before, as if all classes were equally large. IoU counts pixels: take the "
        "counts as they are.",
        _scores(iou=_rows_as_shares, mean_iou=lambda counts: _rows_as_shares(counts).nanmean()),
    ),
    Mistake(
        "whole-number division",
        "Intersection and union are divided in whole numbers, which leaves 0 or 1. Divide with /, in float64.",
        _scores(iou=_in_whole_numbers, mean_iou=lambda counts: _in_whole_numbers(counts).nanmean()),
    ),
    Mistake(
        "1 added above and below",
        "1 is added to intersection and union, which smooths a loss but makes a score wrong. 0 / 0 gives nan in "
        "float64, and nan is meant there.",
        _overlaps(
            lambda target, called: ((target & called).sum() + 1).double() / ((target | called).sum() + 1)
        ),
    ),
    Mistake(
        "an absent class counts as 0",
        "A class that is neither in the target nor called gets 0 (a tiny number in the denominator does it, or a "
        "clamp), which punishes for nothing. It has no IoU: nan, and no part in the mean.",
        _overlaps(_instead_of_nan(0.0)),
    ),
    Mistake(
        "an absent class counts as 1",
        "A class that is neither in the target nor called gets 1: the mean rises with every class that isn't there. It "
        "has no IoU: nan, and no part in the mean.",
        _overlaps(_instead_of_nan(1.0)),
    ),
    Mistake(
        "only classes in the target",
        "A class that isn't in the target but is called gets nan and is left out of the mean. Every pixel called so is "
        "wrong: its IoU is 0, and it counts.",
        _overlaps(_nan_unless(lambda target, called: target)),
    ),
    Mistake(
        "only classes that are called",
        "A class that is in the target but is never called gets nan and is left out of the mean. It was missed "
        "altogether: its IoU is 0, and it counts.",
        _overlaps(_nan_unless(lambda target, called: called)),
    ),
    Mistake(
        "only classes with a hit",
        "A class without a single right pixel gets nan and is left out of the mean. Only one that occurs nowhere has "
        "no IoU: look at the union and not at the intersection.",
        _overlaps(_nan_unless(torch.logical_and)),
    ),
    Mistake(
        "a view of the diagonal that was emptied",
        "The intersection is 0 everywhere: counts.diagonal() is a view, and it changed when the diagonal of counts was "
        "set to 0. Leave counts as it is.",
        _scores(iou=_emptied(_nowhere), mean_iou=lambda counts: _nowhere(counts).nanmean()),
    ),
    Mistake(
        "written into the counts",
        "Your function changes the counts that it is given (their diagonal, say): the next score of the same counts is "
        "another. Work on a copy, or without writing.",
        _scores(iou=_emptied(_iou)),
    ),
    Mistake(
        "mean_iou or pixel_accuracy writes into the counts",
        "The counts are changed by the function that takes them, so that the next score of the same counts is another.",
        _scores(mean_iou=_emptied(_mean), pixel_accuracy=_emptied(_right)),
    ),
    Mistake(
        "float32",
        "IoU comes as float32, with some 7 digits: counts of a large set have more. Convert to float64 with .double() "
        "before you divide.",
        _scores(iou=lambda counts: _iou(counts).float()),
    ),
    # mean_iou alone
    Mistake(
        "mean of the pictures' mIoU",
        _PICTURE_BY_PICTURE,
        _scores(mean_iou=lambda counts: _of_each_picture(_mean)(counts).nanmean()),
    ),
    Mistake(
        "each class's IoU averaged over the pictures",
        _PICTURE_BY_PICTURE,
        _scores(mean_iou=lambda counts: _of_each_picture(_iou)(counts).nanmean(0).nanmean()),
    ),
    Mistake(
        "mean of all IoUs of all pictures",
        _PICTURE_BY_PICTURE,
        _scores(mean_iou=lambda counts: _of_each_picture(_iou)(counts).nanmean()),
    ),
    Mistake(
        "nan in the mean",
        "One class that doesn't occur makes the whole mean nan. Take the mean over those that do.",
        _scores(mean_iou=lambda counts: _iou(counts).mean()),
    ),
    Mistake(
        "absent classes counted in the mean",
        "Classes that don't occur are 0 in the mean, or the sum is divided by the number of all classes. Leave them "
        "out, and divide by the number of those that occur.",
        _scores(mean_iou=lambda counts: _iou(counts).nan_to_num(0.0).mean()),
    ),
    Mistake(
        "background left out",
        "Class 0 is left out of the mean. Background is a class as any other here: leaving it out is another score.",
        _scores(mean_iou=lambda counts: _iou(counts)[1:].nanmean()),
    ),
    Mistake(
        "weighted by frequency",
        "The classes are weighted by their number of pixels, so that small ones hardly count. In mIoU every class "
        "weighs the same.",
        _scores(mean_iou=_weighted),
    ),
    Mistake(
        "mean recall instead of mIoU",
        "That is the mean of the classes' recalls (mean accuracy): a wrong pixel only counts for the class it belongs "
        "to, not for the one it was called. Take the mean of iou(counts).",
        _scores(mean_iou=lambda counts: _recall(counts).nanmean()),
    ),
    Mistake(
        "pixel accuracy instead of mIoU",
        "mean_iou gives the share of right pixels. Take the mean of the classes' IoU.",
        _scores(mean_iou=_right),
    ),
    Mistake(
        "mIoU of the first picture only",
        _SEVERAL_MATRICES,
        _scores(mean_iou=_first(_mean)),
    ),
    Mistake(
        "summed over the wrong dimension",
        "The counts (N, C, C) are summed over a dimension of classes. The pictures stand in dimension 0.",
        _scores(mean_iou=_summed_across),
    ),
    Mistake(
        "a single matrix is summed too",
        "Dimension 0 is summed even where there is only one matrix (C, C): then it isn't the pictures' dimension. Look "
        "at counts.ndim.",
        _scores(mean_iou=_of_one_row),
    ),
    Mistake(
        "mIoU of nothing is 0",
        "Where nothing was counted there is no mIoU: nan, and not 0, which says that all was wrong.",
        _scores(mean_iou=_zero_for_nothing(_mean)),
    ),
    Mistake(
        "mIoU in percent",
        "The mIoU is in percent: 100 times too large. Scores go from 0 to 1 here.",
        _scores(mean_iou=lambda counts: 100 * _mean(counts)),
    ),
    # pixel_accuracy
    Mistake(
        "mean of the classes' accuracies",
        "That is the mean of the classes' recalls. Pixel accuracy counts pixels: all right ones, divided by all.",
        _scores(pixel_accuracy=lambda counts: _recall(counts).nanmean()),
    ),
    Mistake(
        "mean of the pictures' accuracies",
        _PICTURE_BY_PICTURE,
        _scores(pixel_accuracy=lambda counts: _of_each_picture(_right)(counts).nanmean()),
    ),
    Mistake(
        "divided by the number of pictures",
        "The result is divided by the number of pictures once more, though the sum over all pixels has it already.",
        _scores(pixel_accuracy=lambda counts: _right(counts) / len(_pictures_of(counts))),
    ),
    Mistake(
        "pooled IoU instead of accuracy",
        "The right pixels are divided by a union, in which a wrong pixel counts twice: for its class and for the one "
        "it was called. Divide by the number of pixels.",
        _scores(pixel_accuracy=_pooled),
    ),
    Mistake(
        "the number of right pixels",
        "That is the number of right pixels. Asked for is their share: divide by the number of pixels counted.",
        _scores(pixel_accuracy=lambda counts: sum(_pixels(counts)[0] == _pixels(counts)[1])),
    ),
    Mistake(
        "accuracy of the first picture only",
        _SEVERAL_MATRICES,
        _scores(pixel_accuracy=_first(_right)),
    ),
    Mistake(
        "the diagonal of the wrong dimensions",
        "counts.diagonal() takes dimensions 0 and 1 unless told otherwise: with (N, C, C) those aren't target and "
        "prediction. Sum over the pictures first, or name the last two dimensions.",
        _scores(pixel_accuracy=_wrong_diagonal),
    ),
    Mistake(
        "accuracy of one matrix only",
        "It stops at counts (N, C, C): trace takes a single matrix. Sum over the pictures first.",
        _scores(pixel_accuracy=lambda counts: counts.trace() / counts.sum()),
    ),
    Mistake(
        "accuracy in whole numbers",
        "The counts are divided in whole numbers, which leaves 0. Divide with /.",
        _scores(pixel_accuracy=lambda counts: _right(counts).floor()),
    ),
    Mistake(
        "accuracy of nothing is 0",
        "Where nothing was counted there is no accuracy: nan, and not 0, which says that all was wrong.",
        _scores(pixel_accuracy=_zero_for_nothing(_right)),
    ),
    Mistake(
        "stops where nothing was counted",
        "Python's numbers stop at 0 / 0 with an error. Tensors of floats give nan, which is asked for; or see to that "
        "case yourself.",
        _scores(pixel_accuracy=_stops_at_nothing),
    ),
    Mistake(
        "accuracy in percent",
        "The accuracy is in percent: 100 times too large. Scores go from 0 to 1 here.",
        _scores(pixel_accuracy=lambda counts: 100 * _right(counts)),
    ),
)


# -- the demonstration --------------------------------------------------------------------------------------

_STORED = [
    30,
    76,
    150,
    10,
    226,
    8,
    3,
    105,
    2,
    255,
    4,
]  # grey values of the scenes' classes: some are numbers of others


def _mask() -> Tensor:
    from assignments_lib.datasets import scenes  # a moment's work, only where somebody looks

    return torch.from_numpy(scenes.draw(seed=2)[1]).long()


def _yours(answer: Answer) -> Value:
    stored = torch.full((256,), 100, dtype=torch.uint8)  # 100: no class
    stored[: len(_STORED)] = torch.tensor(_STORED, dtype=torch.uint8)
    labels = answer.call("to_labels", stored[_mask()][None], _STORED)
    return labels[0] if isinstance(labels, Tensor) and labels.ndim == 3 else labels


EXERCISE = Exercise(
    id="3.3",
    title="from grey values to labels, from counts to scores",
    defines=("to_labels", "resize_masks", "iou", "mean_iou", "pixel_accuracy"),
    parts=(
        Part(
            "to_labels: class numbers",
            1,
            _classes,
            "For which k is values[k] the grey value of this pixel? Does the answer hold when k is a grey value too?",
        ),
        Part(
            "to_labels: what is no class",
            1,
            _no_class,
            "What does your tensor hold where none of the values fits?",
        ),
        resizing.PART,
        Part(
            "iou: classes that occur",
            2,
            _score("iou", _all_occur, by_class),
            "Draw two overlapping circles: which entries of counts lie in the one, in the other, in both?",
        ),
        Part(
            "iou: a class that occurs nowhere",
            1,
            _score("iou", _some_absent, by_class),
            "What is 0 / 0 in float64?",
        ),
        Part(
            "iou: a class without a hit",
            1,
            _score("iou", _some_without_hit, by_class),
            "How large are intersection and union of a class that is only in the target, or only called?",
        ),
        Part(
            "mean_iou: one picture", 1, _score("mean_iou", _one_picture), "What is the mean of iou(counts)?"
        ),
        Part(
            "mean_iou: classes that don't occur",
            1,
            _score("mean_iou", _missing_classes),
            "Over which classes is the mean taken, and by how many is it divided?",
        ),
        Part(
            "mean_iou: a set of pictures",
            2,
            _score("mean_iou", _several_pictures),
            "What is added up over the pictures: counts, or scores?",
        ),
        Part(
            "pixel_accuracy: one picture",
            1,
            _score("pixel_accuracy", _one_picture),
            "Where in counts are the pixels that were called rightly?",
        ),
        Part(
            "pixel_accuracy: a set of pictures, or nothing",
            1,
            _score("pixel_accuracy", _several_or_nothing),
            "How many pixels are there in all pictures together, and how many of them are right?",
        ),
        Part(
            "types, and the inputs stay as they are",
            1,
            _types,
            "Which type does the docstring ask for? Which lines write into what they were given?",
        ),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
    not_covered="how the pixels are counted (assignments_lib does that).",
    demonstrations=(
        Demonstration(
            "a spoon, a rainbow, an hourglass and a train, read from grey values",
            _yours,
            lambda found: _mask(),
        ),
    ),
)
