"""Correct answers in several styles, and a memory for what mistakes show."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assignments_lib.checks import exercise
from assignments_lib.checks.answer import Answer, InProcess
from assignments_lib.checks.exercise import Observation, Part
from assignments_lib.checks.host import run_source

VARIANTS = {path.stem: path.read_text() for path in sorted((Path(__file__).parent / "variants").glob("*.py"))}


def namespace_of(source: str) -> dict[str, Any]:
    """What a source defines, as in a notebook's kernel."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    run_source(source, "<cell 1>", namespace)
    return namespace


@pytest.fixture(scope="session", autouse=True)
def _mistakes_observed_once() -> Iterator[None]:
    """Every answer is compared with the same mistakes: keep what was seen of each of them.

    A full network takes a second or more; observing 25 mistakes anew for each of 25 mistakes would take minutes.
    """
    steps = exercise._steps
    kept: dict[Any, list[Observation]] = {}

    def remembered(part: Part, answer: Answer, seed: int) -> Iterator[Observation]:
        if not isinstance(answer, InProcess) or len(answer._host.namespace) > 3:
            return steps(part, answer, seed)  # a child's, or a whole assignment's
        key = (part, tuple(answer._host.namespace.items()), seed)
        if key not in kept:
            kept[key] = list(steps(part, answer, seed))
        return iter(kept[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exercise, "_steps", remembered)
        yield
