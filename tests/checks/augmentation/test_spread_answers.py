"""Exercise 2.9: right answers in many styles keep all points; wrong ones, written as students write them, are named."""

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.augmentation.spread import EXERCISE
from assignments_lib.checks.exercise import Result, evaluate

Function = Callable[[Tensor], Any]


def graded(function: Function, seed: int) -> Result:
    return evaluate(EXERCISE, InProcess({"mean_and_spread": function}), seed)


def by_hand(accuracies: Tensor) -> tuple[Tensor, Tensor]:
    seeds = accuracies.size(1)
    mean = accuracies.sum(1) / seeds
    return mean, ((accuracies - mean.unsqueeze(1)).square().sum(1) / (seeds - 1)).sqrt()


def from_lists(accuracies: Tensor) -> list[Tensor]:
    rows = accuracies.tolist()
    return [torch.tensor([figure(row) for row in rows]) for figure in (statistics.mean, statistics.stdev)]


RIGHT: dict[str, Function] = {
    "torch": lambda a: (a.mean(1), a.std(1)),
    "torch, swapped back": lambda a: torch.std_mean(a, dim=1)[::-1],
    "numpy": lambda a: (a.numpy().mean(1), a.numpy().std(1, ddof=1)),
    "by hand": by_hand,
    "statistics": from_lists,
    "of the squares": lambda a: (
        a.double().mean(-1),
        ((a.double() ** 2).mean(-1).sub(a.double().mean(-1) ** 2) * a.shape[1] / (a.shape[1] - 1)).sqrt(),
    ),
}


@pytest.mark.parametrize("style", RIGHT)
def test_right_answers_keep_all_points(style: str) -> None:
    for seed in range(20):
        assert graded(RIGHT[style], seed).earned == EXERCISE.points


def pairwise(accuracies: Tensor) -> tuple[Tensor, Tensor]:
    return accuracies.mean(1), accuracies.amax(1).sub(accuracies.amin(1)).div(2)


WRONG: list[tuple[str, Function]] = [
    ("divided by n", lambda a: (a.mean(1), torch.from_numpy(np.std(a.numpy(), 1)))),
    ("divided by n", lambda a: (a.mean(1), a.std(1, correction=0))),
    ("over the methods", lambda a: (a.mean(0), a.std(0))),
    ("one number for all", lambda a: (a.mean(), a.std())),
    ("spread before mean", lambda a: torch.std_mean(a, 1)),
    ("the variance", lambda a: torch.var_mean(a, 1)[::-1]),
    ("the standard error", lambda a: (a.mean(1), a.std(1) / len(a[0]) ** 0.5)),
    ("half of the range", pairwise),
    ("the median", lambda a: (a.median(1).values, a.std(1))),
    ("one column instead of a vector", lambda a: torch.std_mean(a, 1, keepdim=True)[::-1]),
    ("in percent", lambda a: ((100 * a).mean(1), (100 * a).std(1))),
]


@pytest.mark.filterwarnings("ignore:std")  # PyTorch's own, of a deviation over a single method
@pytest.mark.parametrize(
    ("mistake", "wrong"), WRONG, ids=[f"{i}-{name}" for i, (name, _) in enumerate(WRONG)]
)
def test_wrong_answers_lose_points_and_are_named(mistake: str, wrong: Function) -> None:
    for seed in (31, 32, 33):
        result = graded(wrong, seed)
        assert result.earned < EXERCISE.points
        assert mistake in [found.name for found in result.mistakes]


def test_the_mean_alone_earns_its_point() -> None:
    assert graded(lambda a: (a.mean(1), torch.zeros(len(a))), 41).earned == 1
    assert graded(lambda a: (torch.zeros(len(a)), a.std(1)), 41).earned == 2


@pytest.mark.parametrize("odd", [lambda a: None, lambda a: a.mean(1), lambda a: (a, a, a)])
def test_what_is_no_pair_is_said_so(odd: Function) -> None:
    result = graded(odd, 43)
    assert result.earned == 0
    assert all("two tensors are asked for" in part.given for part in result.parts)


def test_a_recorded_answer_is_no_answer() -> None:
    tape: dict[tuple[int, ...], Any] = {}

    def recorded(accuracies: Tensor) -> Any:
        return tape.setdefault(tuple(accuracies.shape), by_hand(accuracies))

    assert graded(recorded, 51).earned == EXERCISE.points
    assert graded(recorded, 52).earned == 0
