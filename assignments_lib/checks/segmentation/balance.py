"""Exercise 3.8: `class_weights`, against a count of how many classes are rarer and how many are more common.

Source: median frequency balancing, in Eigen & Fergus 2015, "Predicting depth, surface normals and semantic labels with
a common multi-scale convolutional architecture". There a class's frequency is taken over the pictures that show it;
here it is the class's share of all pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from assignments_lib.checks.answer import Answer, Value
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each
from assignments_lib.checks.segmentation.measures import by_class, numbers_of


def _counted(draw: Draw, classes: int, absent: Sequence[int] = ()) -> Tensor:
    """(C,) int64: each class nearly twice as large as the next smaller one, in no order; ``absent`` ones 0.

    The number of classes that occur is odd, and the class in the middle of the list isn't the one of median size.
    """
    there = [number for number in range(classes) if number not in absent]
    middle = len(there) // 2
    rank = draw.uniform(len(there)).argsort()
    if len(there) > 1 and rank[middle] == middle:
        rank = rank.roll(1)
    sizes = 40 * 1.9 ** (rank + 0.8 * draw.uniform(len(there)))
    pixels = torch.zeros(classes, dtype=torch.int64)
    pixels[there] = sizes.long()
    return pixels


def _all_occur(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(classes: int) -> Iterator[Observation]:
        pixels = _counted(draw, classes)
        yield f"pixels {pixels.tolist()}: the weights", by_class(answer.call("class_weights", pixels))

    yield from each((5, 3, 7, 1), observe)


def _some_missing(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(case: tuple[int, Sequence[int]]) -> Iterator[Observation]:
        pixels = _counted(draw, *case)
        yield f"pixels {pixels.tolist()}: the weights", by_class(answer.call("class_weights", pixels))

    yield from each(((7, (1, 4)), (4, (0,)), (6, (5,))), observe)


def _types(answer: Answer, draw: Draw) -> Iterator[Observation]:
    pixels = _counted(draw, 6, (2,))
    yield "the weights are numbers of type", numbers_of(answer.call("class_weights", pixels))
    yield "class_weights changes the tensor it is given", answer.writes("class_weights", pixels)


# -- the reference ------------------------------------------------------------------------------------------


def _median(pixels: Tensor) -> Tensor:
    """Of an odd number: the one with as many below it as above."""
    below = (pixels[:, None] > pixels).sum(1)
    above = (pixels[:, None] < pixels).sum(1)
    return pixels[below == above][0]


def _weights(
    middle: Callable[[Tensor], Tensor] = _median,
    weight: Callable[[Tensor, Tensor], Tensor] = lambda middle, pixels: middle / pixels,
    absent: float = 0.0,
) -> Callable[[Tensor], Tensor]:
    """`class_weights`, with this middle of the classes that occur, this weight of each, and this one of the others."""

    def class_weights(pixels: Tensor) -> Tensor:
        there = pixels[pixels > 0].double()
        weights = torch.full(pixels.shape, absent, dtype=torch.float64)
        weights[pixels > 0] = weight(middle(there), there).double()
        return weights.float()

    return class_weights


def _reference() -> Namespace:
    return {"class_weights": _weights()}


# -- typical mistakes ---------------------------------------------------------------------------------------


def _with(class_weights: Callable[[Tensor], Value]) -> Namespace:
    return {"class_weights": class_weights}


def _over_all(pixels: Tensor) -> Tensor:
    """The absent classes' zeros take part in the median."""
    middle = pixels.double().quantile(0.5, interpolation="lower")
    return _weights(lambda there: middle)(pixels)


def _at_least_one(pixels: Tensor) -> Tensor:
    """An absent class as if it had one pixel."""
    return _weights(lambda there: _median(pixels[pixels > 0]))(pixels.clamp(min=1))


def _written(pixels: Tensor) -> Tensor:
    weights = _weights()(pixels)
    pixels.clamp_(min=1)
    return weights


_MISTAKES = (
    Mistake(
        "frequent classes weigh more",
        "Large classes get large weights, which makes the imbalance worse. A weight balances where it falls with the "
        "class's frequency.",
        _with(_weights(weight=lambda middle, pixels: pixels / middle)),
    ),
    Mistake(
        "the frequencies themselves",
        "Those are the frequencies: large classes get large weights. Divide the median frequency by them.",
        _with(_weights(weight=lambda middle, pixels: pixels / pixels.sum())),
    ),
    Mistake(
        "1 minus the frequency",
        "1 - frequency is close to 1 for all but the largest class, so that two rare classes weigh the same though one "
        "is ten times rarer. Divide by the frequency.",
        _with(_weights(weight=lambda middle, pixels: 1 - pixels / pixels.sum())),
    ),
    Mistake(
        "without the median",
        "The weights are 1 / frequency. Their proportions are right, but the class of median frequency should weigh 1, "
        "so that the size of the loss stays about the same.",
        _with(_weights(weight=lambda middle, pixels: pixels.sum() / pixels)),
    ),
    Mistake(
        "1 over the number of pixels",
        "The weights are 1 / pixels: in the right proportions, but tiny, and the smaller, the more pictures there are. "
        "The class of median frequency should weigh 1.",
        _with(_weights(weight=lambda middle, pixels: 1 / pixels)),
    ),
    Mistake(
        "mean instead of median",
        "The mean of the frequencies stands where their median should. One huge background moves the mean, and with it "
        "all weights.",
        _with(_weights(torch.mean)),
    ),
    Mistake(
        "largest instead of median",
        "The largest frequency stands where the median should: then the commonest class has weight 1, and all others "
        "more.",
        _with(_weights(torch.max)),
    ),
    Mistake(
        "the class in the middle of the list",
        "The frequency in the middle of the list is taken. The median is in the middle of the *sorted* list.",
        _with(_weights(lambda pixels: pixels[len(pixels) // 2])),
    ),
    Mistake(
        "median over absent classes too",
        "The zeros of classes that don't occur are part of the median and make it too small. Only those that occur "
        "have a frequency to balance.",
        _with(_over_all),
    ),
    Mistake(
        "an absent class gets infinity",
        "Something divided by a frequency of 0 is infinite: the first loss is nan. A class that doesn't occur gets the "
        "weight 0.",
        _with(_weights(absent=float("inf"))),
    ),
    Mistake(
        "an absent class gets nan",
        "0 / 0, or 0 times infinity, is nan, and one nan spreads to the whole loss. A class that doesn't occur gets "
        "the weight 0.",
        _with(_weights(absent=float("nan"))),
    ),
    Mistake(
        "an absent class gets 1",
        "A class that doesn't occur gets the weight 1, as if it were a typical one. Nothing is known of it: 0 is asked "
        "for.",
        _with(_weights(absent=1.0)),
    ),
    Mistake(
        "an absent class gets the largest weight",
        "A class that doesn't occur is treated as if it had one pixel (clamp), so that it weighs more than all others. "
        "0 is asked for.",
        _with(_at_least_one),
    ),
    Mistake(
        "absent classes left out of the result",
        "There are fewer weights than classes. cross_entropy needs one for each, and the rest have moved to another "
        "class's place: keep a 0 where a class doesn't occur.",
        _with(lambda pixels: _weights()(pixels[pixels > 0])),
    ),
    Mistake(
        "weights that add up to 1",
        "The weights are divided by their sum. Asked for is the weight 1 for the class of median frequency.",
        _with(_weights(weight=lambda middle, pixels: (1 / pixels) / (1 / pixels).sum())),
    ),
    Mistake(
        "the root taken",
        "That is the square root of the weight, which balances only half of it. The paper takes the quotient itself.",
        _with(_weights(weight=lambda middle, pixels: (middle / pixels).sqrt())),
    ),
    Mistake(
        "the logarithm taken",
        "That is the logarithm of the weight: negative for classes above the median. The paper takes the quotient "
        "itself.",
        _with(_weights(weight=lambda middle, pixels: (middle / pixels).log())),
    ),
    Mistake(
        "whole-number division",
        "The counts are divided in whole numbers: common classes get 0 and are never learned. Divide with /, as "
        "floats.",
        _with(_weights(weight=lambda middle, pixels: middle // pixels)),
    ),
    Mistake(
        "float64",
        "The weights are float64. cross_entropy wants them in the type of the logits, float32.",
        _with(lambda pixels: _weights()(pixels).double()),
    ),
    Mistake(
        "written into the counts",
        "Your function changes the counts that it is given. Work on a copy: another function may need them.",
        _with(_written),
    ),
)

EXERCISE = Exercise(
    id="3.8",
    title="weights against imbalance",
    defines=("class_weights",),
    parts=(
        Part(
            "classes that all occur",
            1,
            _all_occur,
            "Of the pixels [100, 300, 600] the second class is the median: it weighs 1, the first 3, the last 1/2.",
        ),
        Part(
            "classes that don't occur",
            1,
            _some_missing,
            "Which classes have a frequency that belongs in the median, and what should an absent one weigh?",
        ),
        Part(
            "the type, and the counts stay as they are",
            1,
            _types,
            "Which type do the logits have? Which lines write into pixels?",
            manners=True,
        ),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
)
