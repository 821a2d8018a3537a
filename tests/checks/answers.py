"""What the tests of several assignments' checks do with answers and results."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from assignments_lib.checks.answer import Raised
from assignments_lib.checks.exercise import Exercise, PartResult
from assignments_lib.checks.host import run_source


def namespace_of(source: str) -> dict[str, Any]:
    """What a source defines, as in a notebook's kernel."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    run_source(source, "<cell 1>", namespace)
    return namespace


def answered(exercise: Exercise, source: str) -> bool:
    """Whether a variant has an answer to the exercise at all: a new exercise needs none in every style."""
    return all(
        re.search(rf"^(def|class) {name}\b|^{name}\b.*=", source, re.MULTILINE) for name in exercise.defines
    )


def answers_to(exercises: Sequence[Exercise], variants: Mapping[str, str]) -> list[Any]:
    """Every variant with every exercise that it answers, as pytest's parameters."""
    return [
        pytest.param(variant, exercise, id=f"{variant}-{exercise.id}")
        for variant, source in variants.items()
        for exercise in exercises
        if answered(exercise, source)
    ]


def told(part: PartResult) -> tuple[Any, ...]:
    """All that a student reads of a part, the lines of their own code included."""
    frames = part.error.frames if isinstance(part.error, Raised) else ()
    mistake = part.mistake.name if part.mistake else ""
    return (part.title, part.points, part.status, part.what, part.given, part.expected, mistake, frames)
