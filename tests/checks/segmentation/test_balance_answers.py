"""Exercise 3.8: right answers in many styles keep all points; wrong ones, written as students write them, are named."""

import math
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.exercise import Result, evaluate
from assignments_lib.checks.segmentation.balance import EXERCISE

Function = Callable[[Tensor], Any]


def graded(function: Function, seed: int) -> Result:
    return evaluate(EXERCISE, InProcess({"class_weights": function}), seed)


def from_lists(pixels: Tensor) -> Tensor:
    shares = [n / sum(pixels.tolist()) for n in pixels.tolist()]
    middle = statistics.median(share for share in shares if share)
    return torch.tensor([middle / share if share else 0.0 for share in shares])


def by_numpy(pixels: Tensor) -> Any:
    frequency = pixels.numpy() / pixels.numpy().sum()
    middle = np.median(frequency[frequency > 0])
    return np.divide(middle, frequency, out=np.zeros_like(frequency), where=frequency > 0).astype(np.float32)


def in_float32(pixels: Tensor) -> Tensor:
    frequency = pixels.float() / pixels.float().sum()
    weights = frequency[frequency > 0].median() / frequency
    weights[weights.isinf()] = 0
    return weights


def by_sorting(pixels: Tensor) -> Tensor:
    occurring = pixels[pixels.nonzero()[:, 0]].sort().values
    return (occurring[len(occurring) // 2] / pixels.double()).masked_fill(pixels == 0, 0).to(torch.float32)


RIGHT: dict[str, Function] = {
    "lists": from_lists,
    "numpy": by_numpy,
    "float32": in_float32,
    "sorted": by_sorting,
    "nanmedian": lambda n: torch.where(n > 0, n.float(), torch.nan).nanmedian().div(n).where(n > 0, 0),
}


@pytest.mark.parametrize("style", RIGHT)
def test_right_answers_keep_all_points(style: str) -> None:
    for seed in range(20):
        result = graded(RIGHT[style], seed)
        assert [part.title for part in result.parts if part.earned < part.points] == []


def test_the_median_class_weighs_1_and_one_of_half_its_pixels_2() -> None:
    """What the paper says, of the reference."""
    weights = EXERCISE.reference()["class_weights"](torch.tensor([200, 100, 0, 50]))
    assert weights.tolist() == [0.5, 1, 0, 2]


def written(pixels: Tensor) -> Tensor:
    weights = from_lists(pixels)
    pixels[pixels == 0] = 1
    return weights


def median(pixels: Tensor) -> Tensor:
    return pixels[pixels > 0].median()


WRONG: list[tuple[str, Function]] = [
    ("frequent classes weigh more", lambda n: n / median(n)),
    ("the frequencies themselves", lambda n: n.float() / n.sum()),
    ("1 minus the frequency", lambda n: (1 - n / n.sum()).where(n > 0, 0)),
    ("without the median", lambda n: (n.sum() / n).nan_to_num(posinf=0)),
    ("1 over the number of pixels", lambda n: (1 / n).nan_to_num(posinf=0)),
    ("mean instead of median", lambda n: (n[n > 0].float().mean() / n).nan_to_num(posinf=0)),
    ("mean instead of median", lambda n: n.sum() / (len(n) * n)),  # as scikit-learn's "balanced"
    ("largest instead of median", lambda n: (n.max() / n).where(n > 0, 0)),
    ("the class in the middle of the list", lambda n: (n[n > 0][(n > 0).sum() // 2] / n).where(n > 0, 0)),
    ("median over absent classes too", lambda n: (n.median() / n).where(n > 0, 0)),
    ("an absent class gets infinity", lambda n: median(n) / n),
    ("an absent class gets nan", lambda n: median(n) / torch.where(n > 0, n, torch.nan)),
    ("an absent class gets 1", lambda n: (median(n) / n).where(n > 0, 1)),
    ("an absent class gets the largest weight", lambda n: median(n) / n.clamp(min=1)),
    ("absent classes left out of the result", lambda n: median(n) / n[n > 0]),
    ("weights that add up to 1", lambda n: from_lists(n) / from_lists(n).sum()),
    ("the root taken", lambda n: from_lists(n) ** 0.5),
    ("the logarithm taken", lambda n: torch.tensor([math.log(w) if w else 0.0 for w in from_lists(n).tolist()])),
    ("whole-number division", lambda n: (median(n) // n.clamp(min=1)).where(n > 0, 0).float()),
    ("float64", lambda n: (median(n).double() / n).where(n > 0, 0)),
    ("written into the counts", written),
]  # fmt: skip


@pytest.mark.parametrize(
    ("mistake", "wrong"), WRONG, ids=[f"{i}-{name}" for i, (name, _) in enumerate(WRONG)]
)
def test_wrong_answers_lose_points_and_are_named(mistake: str, wrong: Function) -> None:
    for seed in (31, 32, 33):
        result = graded(wrong, seed)
        assert result.earned < EXERCISE.points
        assert mistake in [found.name for found in result.mistakes]


@pytest.mark.parametrize("odd", [lambda n: None, lambda n: n, lambda n: [1.0], lambda n: torch.zeros(3, 0)])
def test_whatever_comes_back_is_a_wrong_answer_and_no_crash(odd: Function) -> None:
    assert graded(odd, 43).earned <= 1  # the one of the type


def test_a_recorded_answer_is_no_answer() -> None:
    tape: dict[int, Any] = {}

    def recorded(pixels: Tensor) -> Any:
        return tape.setdefault(len(pixels), from_lists(pixels))

    assert graded(recorded, 52).earned < EXERCISE.points
    assert graded(recorded, 53).earned < EXERCISE.points
