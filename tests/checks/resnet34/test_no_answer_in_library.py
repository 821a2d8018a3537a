"""Nothing that can be imported from the package solves an exercise."""

import inspect
import pkgutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from resnet34_variants import VARIANTS, namespace_of
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.models import resnet34

import assignments_lib
from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.exercise import Exercise, evaluate
from assignments_lib.checks.resnet34 import ASSIGNMENT

INSTRUCTORS = ("assignments_lib.authoring", "assignments_lib.cli", "assignments_lib.checks.serve")


def importable() -> dict[str, Callable[..., Any]]:
    """Every public function and class that a module of the package holds and that is the package's own."""
    found = {}
    for module in pkgutil.walk_packages(assignments_lib.__path__, "assignments_lib."):
        if module.name.startswith(INSTRUCTORS):
            continue
        for name, thing in vars(import_module(module.name)).items():
            own = getattr(thing, "__module__", None) or ""
            if callable(thing) and not name.startswith("_") and own.startswith("assignments_lib"):
                found[f"{own}.{name}"] = thing
    return found


def _small_training() -> tuple[nn.Module, DataLoader, torch.optim.Optimizer]:
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    data = TensorDataset(torch.randn(6, 1, 2, 2), torch.tensor([0, 1, 2] * 2))
    return model, DataLoader(data, batch_size=3), torch.optim.SGD(model.parameters(), lr=0.1)


def _trains(function: Callable[..., Any]) -> bool:
    model, loader, optimizer = _small_training()
    return isinstance(function(model, loader, optimizer, "cpu"), float)


def _evaluates(function: Callable[..., Any]) -> bool:
    model, loader, _ = _small_training()
    return len(function(model, loader, "cpu")) == 2


def _changes(function: Callable[..., Any], *rest: Any) -> bool:
    function(resnet34(num_classes=10), *rest)
    return True


# For each name a quick look whether a candidate can play the part at all; what can is checked in full.
PLAUSIBLE: dict[str, Callable[[Callable[..., Any]], bool]] = {
    "conv_output_size": lambda f: f(224, kernel_size=7, stride=2, padding=3) == 112,
    "receptive_field": lambda f: f([(3, 1)]) == 3,
    "BasicBlock": lambda f: isinstance(f(8, 8), nn.Module),
    "make_stage": lambda f: isinstance(f(8, 8, 3, 1), nn.Module),
    "ResNet34": lambda f: isinstance(f(10), nn.Module),
    "initialize": _changes,
    "load_pretrained": lambda f: _changes(f, resnet34(num_classes=10).state_dict()),
    "train_one_epoch": _trains,
    "evaluate": _evaluates,
    "replace_head": lambda f: _changes(f, 7),
    "train_head_only": _changes,
}


def plausible(name: str, candidate: Callable[..., Any]) -> bool:
    try:
        return PLAUSIBLE[name](candidate)
    except (Exception, SystemExit):
        return False


TARGETS = [
    (exercise, name)
    for exercise in ASSIGNMENT.exercises
    if isinstance(exercise, Exercise)
    for name in exercise.defines
    if not (name == "ResNet34" and exercise.id != "1.4")
]


def test_the_quick_look_lets_right_answers_through() -> None:
    right = namespace_of(VARIANTS["textbook"])
    assert all(plausible(name, right[name]) for name in PLAUSIBLE if name != "load_pretrained")
    assert {name for _, name in TARGETS} == PLAUSIBLE.keys()


@pytest.mark.slow
@pytest.mark.parametrize(("exercise", "name"), TARGETS, ids=[f"{e.id}-{name}" for e, name in TARGETS])
def test_nothing_importable_solves_an_exercise(
    exercise: Exercise, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    candidates = importable()
    assert len(candidates) > 100
    right = namespace_of(VARIANTS["textbook"])
    with torch.random.fork_rng(devices=[]):
        survivors = {path: c for path, c in candidates.items() if plausible(name, c)}
    for path, candidate in survivors.items():
        result = evaluate(exercise, InProcess({**right, name: candidate}), seed=3)
        assert result.earned < exercise.points, f"{path} solves exercise {exercise.id}"


def test_signatures_of_checks_name_what_the_exercises_define() -> None:
    from assignments_lib.checks import resnet34 as check

    functions = [
        check.output_size,
        check.basic_block,
        check.make_stage,
        check.resnet34,
        check.initialize,
        check.load_pretrained,
        check.training,
        check.fine_tuning,
    ]
    for function, exercise in zip(functions, ASSIGNMENT.exercises, strict=True):
        assert isinstance(exercise, Exercise)
        assert tuple(inspect.signature(function).parameters) == exercise.defines
        assert exercise.id in (function.__doc__ or "")
