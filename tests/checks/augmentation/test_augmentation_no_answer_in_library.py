"""Nothing that can be imported from the package solves an exercise of assignment 2."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
from answers import namespace_of
from augmentation_variants import VARIANTS
from library import check_of, solvers
from torch import Tensor, nn

from assignments_lib.checks import augmentation as check
from assignments_lib.checks.exercise import Exercise

IMAGES = torch.rand(2, 3, 6, 5, dtype=torch.float64)
MASKS, LABELS = torch.zeros(2, 6, 5, dtype=torch.int64), torch.tensor([0, 1])


def _pictures(*arguments: Any) -> Callable[[Callable[..., Any]], bool]:
    """Gives pictures of the old shape for these arguments."""

    def plausible(function: Callable[..., Any]) -> bool:
        result = function(*arguments)
        return isinstance(result, Tensor) and result.shape == IMAGES.shape

    return plausible


def _pair(*arguments: Any) -> Callable[[Callable[..., Any]], bool]:
    """Gives a pair of tensors for these arguments."""

    def plausible(function: Callable[..., Any]) -> bool:
        first, second = function(*arguments)
        return isinstance(first, Tensor) and isinstance(second, Tensor)

    return plausible


# For each name a quick look whether a candidate can play the part at all; what can is checked in full.
PLAUSIBLE: dict[str, Callable[[Callable[..., Any]], bool]] = {
    "normalize": _pictures(IMAGES, [0.5] * 3, [0.2] * 3),
    "denormalize": _pictures(IMAGES, [0.5] * 3, [0.2] * 3),
    "random_flip": _pictures(IMAGES),
    "random_crop": _pictures(IMAGES, 2),
    "rotate": _pictures(IMAGES, torch.tensor([20.0, 30.0])),
    "adjust_brightness": _pictures(IMAGES, torch.tensor([0.5, 1.5])),
    "adjust_contrast": _pictures(IMAGES, torch.tensor([0.5, 1.5])),
    "gaussian_blur": _pictures(IMAGES, 0.5),
    "augment_pair": _pair(IMAGES, MASKS),
    "random_erase": _pictures(IMAGES),
    "mixup": _pair(IMAGES, LABELS, 3),
    "cutmix": _pair(IMAGES, LABELS, 3),
    "RandAugment": lambda f: isinstance(f([(lambda x, s: x, 1.0)]), nn.Module),
    "predict_with_views": lambda f: (
        f(nn.Sequential(nn.Flatten(), nn.Linear(90, 2)).double(), IMAGES, [lambda x: x]).shape == (2, 2)
    ),
    "mean_and_spread": _pair(torch.rand(3, 4)),
}


def plausible(name: str, candidate: Callable[..., Any]) -> bool:
    try:
        return bool(PLAUSIBLE[name](candidate))
    except (Exception, SystemExit):
        return False


TARGETS = [
    (exercise, name)
    for exercise in check.ASSIGNMENT.exercises
    if isinstance(exercise, Exercise)
    for name in exercise.defines
]


def test_the_quick_look_lets_right_answers_through() -> None:
    right = namespace_of(VARIANTS["textbook"])
    assert [name for name in PLAUSIBLE if not plausible(name, right[name])] == []
    assert {
        name for _, name in TARGETS
    } >= PLAUSIBLE.keys()  # an instructor's own may come without a quick look


@pytest.mark.slow
@pytest.mark.parametrize(("exercise", "name"), TARGETS, ids=[f"{e.id}-{name}" for e, name in TARGETS])
@pytest.mark.usefixtures("_numbers_are_no_files")
def test_nothing_importable_solves_an_exercise(exercise: Exercise, name: str) -> None:
    assert solvers(exercise, name, plausible, namespace_of(VARIANTS["textbook"])) == []


def test_signatures_of_checks_name_what_the_exercises_define() -> None:
    for exercise in check.ASSIGNMENT.exercises:
        assert isinstance(exercise, Exercise)
        assert tuple(inspect.signature(check_of(check, exercise.id)).parameters) == exercise.defines
