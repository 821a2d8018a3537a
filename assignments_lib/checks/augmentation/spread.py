"""Exercise 2.9: `mean_and_spread`, against numpy's ``mean`` and ``std`` with one degree of freedom less."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from assignments_lib.checks.answer import Answer, Raised, Value
from assignments_lib.checks.compare import in_words
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each

# (methods, seeds): as many of the one as of the other, more, fewer; a single method; two seeds
_SHAPES = ((5, 3), (4, 4), (3, 8), (1, 6), (6, 2))


def _accuracies(draw: Draw, shape: tuple[int, int]) -> Tensor:
    """Each method with a level and a spread of its own."""
    level, spread = 0.5 + 0.3 * draw.uniform(shape[0], 1), 0.02 + 0.15 * draw.uniform(shape[0], 1)
    return (level + spread * (draw.uniform(*shape) - 0.5)).float()


def _figure(position: int, what: str) -> Callable[[Answer, Draw], Iterator[Observation]]:
    """One of the two that are returned; float32 or float64, that makes no difference."""

    def look(answer: Answer, draw: Draw) -> Iterator[Observation]:
        def observe(shape: tuple[int, int]) -> Iterator[Observation]:
            pair = answer.call("mean_and_spread", _accuracies(draw, shape))
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise Raised("TypeError", f"two tensors are asked for, mean and spread, not {in_words(pair)}")
            found: Value = pair[position]
            yield f"accuracies {shape}: the {what}", found.float() if isinstance(found, Tensor) else found

        yield from each(_SHAPES, observe)

    return look


# -- the reference ------------------------------------------------------------------------------------------

_Figure = Callable[[np.ndarray], Any]


def _figures(mean: _Figure, spread: _Figure) -> Namespace:
    """Each figure of the (methods, seeds) accuracies in float64, as a tensor."""

    def mean_and_spread(accuracies: Tensor) -> tuple[Tensor, Tensor]:
        values = np.asarray(accuracies, dtype=np.float64)
        return torch.as_tensor(mean(values)), torch.as_tensor(spread(values))

    return {"mean_and_spread": mean_and_spread}


def _mean(values: np.ndarray) -> Any:
    return np.mean(values, axis=1)


def _deviation(values: np.ndarray) -> Any:
    return np.std(values, axis=1, ddof=1)


def _reference() -> Namespace:
    return _figures(_mean, _deviation)


# -- typical mistakes ---------------------------------------------------------------------------------------


def _spread(spread: _Figure) -> Namespace:
    return _figures(_mean, spread)


def _range(values: np.ndarray) -> Any:
    return np.ptp(values, axis=1)


def _over_methods(values: np.ndarray) -> Any:
    return np.std(values, axis=0, ddof=min(1, len(values) - 1))  # no warning where there is one method only


_MISTAKES = (
    Mistake(
        "divided by n",
        "The squared deviations are divided by n. The mean was estimated from the same n runs, which makes them look "
        "too close together: divide by n - 1 (numpy's std divides by n unless told otherwise).",
        _spread(lambda values: np.std(values, axis=1)),
    ),
    Mistake(
        "over the methods",
        "Mean and spread are taken over the methods, for each seed. The seeds stand in dimension 1.",
        _figures(lambda values: np.mean(values, axis=0), _over_methods),
    ),
    Mistake(
        "one number for all",
        "There is one mean and one spread for all methods together. Each method needs its own, or there is nothing to "
        "compare.",
        _figures(np.mean, lambda values: np.std(values, ddof=1)),
    ),
    Mistake(
        "spread before mean",
        "The spread comes first and then the mean. Asked for is the mean first (torch.std_mean has it the other way "
        "round).",
        _figures(_deviation, _mean),
    ),
    Mistake(
        "the variance",
        "That is the variance, in squared accuracy: its square root is the deviation, in the accuracy's own unit.",
        _spread(lambda values: np.var(values, axis=1, ddof=1)),
    ),
    Mistake(
        "the standard error",
        "That is the standard error of the mean, which shrinks with the number of seeds. Asked for is how far single "
        "runs lie apart.",
        _spread(lambda values: _deviation(values) / np.sqrt(values.shape[1])),
    ),
    Mistake(
        "half of the range",
        "That is half of the distance between the best and the worst run, which only looks at two of them. Take the "
        "standard deviation.",
        _spread(lambda values: _range(values) / 2),
    ),
    Mistake(
        "the range",
        "That is the distance between the best and the worst run, which grows with the number of seeds. Take the "
        "standard deviation.",
        _spread(_range),
    ),
    Mistake(
        "the mean absolute deviation",
        "The deviations are averaged without their sign. Square them before, and take the root after.",
        _spread(lambda values: np.mean(np.abs(values - np.mean(values, axis=1, keepdims=True)), axis=1)),
    ),
    Mistake(
        "the median",
        "That is the median. It isn't moved by one failed run, but asked for is the mean.",
        _figures(lambda values: np.median(values, axis=1), _deviation),
    ),
    Mistake(
        "one column instead of a vector",
        "Both come back with a second dimension of size 1 (keepdim). Asked for is one number a method: (methods,).",
        _figures(lambda values: _mean(values)[:, None], lambda values: _deviation(values)[:, None]),
    ),
    Mistake(
        "in percent",
        "Mean and spread are in percent. Leave them in the unit of what comes in.",
        _figures(lambda values: 100 * _mean(values), lambda values: 100 * _deviation(values)),
    ),
)

EXERCISE = Exercise(
    id="2.9",
    title="mean and spread over seeds",
    defines=("mean_and_spread",),
    parts=(
        Part("the mean", 1, _figure(0, "mean"), "Which dimension of accuracies are the seeds?"),
        Part(
            "the spread",
            2,
            _figure(1, "spread"),
            "Of three runs with accuracies 0.5, 0.6 and 0.7 the sample standard deviation is 0.1.",
        ),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
)
