"""What can be imported from the package: none of it may solve an exercise."""

import inspect
import pkgutil
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

import torch

import assignments_lib
from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.exercise import Exercise, evaluate

INSTRUCTORS = (
    "assignments_lib.authoring",
    "assignments_lib.cli",
    "assignments_lib.checks.serve",
    "assignments_lib.grading",
)


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


def solvers(
    exercise: Exercise,
    name: str,
    plausible: Callable[[str, Callable[..., Any]], bool],
    right: Mapping[str, Callable[..., Any]],
) -> list[str]:
    """What can be imported and solves the exercise in the place of ``name``, all else being right.

    Only points matter: no mistake is looked for, which would take most of the time.
    """
    candidates = importable()
    assert len(candidates) > 100
    with torch.random.fork_rng(devices=[]):
        survivors = {path: candidate for path, candidate in candidates.items() if plausible(name, candidate)}
    results = {
        path: evaluate(exercise, InProcess({**right, name: candidate}), seed=3, shows=lambda *_: ())
        for path, candidate in survivors.items()
    }
    return [path for path, result in results.items() if result.earned == exercise.points]


def check_of(checks: ModuleType, id: str) -> Callable[..., Any]:
    """The one function of a package of checks that says it checks the exercise with this id."""
    own = [
        each
        for _, each in inspect.getmembers(checks, inspect.isfunction)
        if each.__module__ == checks.__name__
    ]
    (found,) = [each for each in own if (each.__doc__ or "").startswith(f"Check exercise {id}.")]
    return found
