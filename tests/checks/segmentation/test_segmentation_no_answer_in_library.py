"""Nothing that can be imported from the package solves an exercise of assignment 3."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision
from answers import namespace_of
from library import check_of, solvers
from segmentation_variants import VARIANTS
from torch import Tensor, nn

from assignments_lib.checks import segmentation as check
from assignments_lib.checks.exercise import Exercise
from assignments_lib.trunk import Trunk

IMAGES, HEAT = torch.rand(1, 3, 64, 64), torch.rand(6, 5)
COUNTS = torch.tensor([[3, 1], [2, 4]])
LOGITS, MASKS = torch.rand(1, 2, 6, 5), torch.zeros(1, 6, 5, dtype=torch.int64)


def _trunk() -> Trunk:
    return Trunk.of(torchvision.models.resnet18(num_classes=3))


def _number(thing: Any) -> bool:
    return isinstance(thing, int | float) or (isinstance(thing, Tensor) and thing.ndim == 0)


# For each name a quick look whether a candidate can play the part at all; what can is checked in full.
PLAUSIBLE: dict[str, Callable[[Callable[..., Any]], bool]] = {
    "convolutionalize": lambda f: isinstance(f(nn.Linear(8, 3)), nn.Module),
    "heat_map": lambda f: f(_trunk(), nn.Conv2d(512, 2, 1), IMAGES).shape == (1, 2, 64, 64),
    "hottest": lambda f: f(HEAT).shape == HEAT.shape,
    "peak": lambda f: len(f(HEAT)) == 2,
    "to_labels": lambda f: f(torch.zeros(1, 4, 5, dtype=torch.uint8), [3, 0]).shape == (1, 4, 5),
    "resize_masks": lambda f: f(MASKS, 3, 7).shape == (1, 3, 7),
    "iou": lambda f: f(COUNTS).shape == (2,),
    "mean_iou": lambda f: _number(f(COUNTS)),
    "pixel_accuracy": lambda f: _number(f(COUNTS)),
    "transposed_size": lambda f: _number(f(5, 3)),
    "overlaps": lambda f: len(f(5, 3, 2)) > 2,
    "bilinear_upsampling": lambda f: isinstance(f(3, 2), nn.Module),
    "segmentation_loss": lambda f: _number(f(LOGITS, MASKS)),
    "FCN": lambda f: isinstance(f(_trunk(), 3), nn.Module),
    "segment": lambda f: f(nn.Conv2d(3, 4, 1), IMAGES).shape == (1, 64, 64),
    "dilate": lambda f: isinstance(f(_trunk()), nn.Module),
    "field_by_gradient": lambda f: len(f(nn.Conv2d(3, 4, 3), 9, 8)) == 2,
    "center_crop": lambda f: f(torch.rand(1, 2, 6, 5), 3, 2).shape == (1, 2, 3, 2),
    "DecoderStep": lambda f: isinstance(f(4, 3, 2), nn.Module),
    "class_weights": lambda f: f(torch.tensor([3, 2, 1])).shape == (3,),
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
