"""A memory for what mistakes show."""

from collections.abc import Iterator
from typing import Any

import pytest

from assignments_lib.checks import exercise
from assignments_lib.checks.answer import Answer, InProcess
from assignments_lib.checks.exercise import Observation, Part


@pytest.fixture(scope="session", autouse=True)
def _mistakes_observed_once() -> Iterator[None]:
    """Every answer is compared with the same mistakes: keep what was seen of each of them.

    A full network takes a second or more; observing 25 mistakes anew for each of 25 mistakes would take minutes.
    """
    steps = exercise._steps
    kept: dict[Any, tuple[dict[str, Any], list[Observation]]] = {}

    def remembered(part: Part, answer: Answer, seed: int) -> Iterator[Observation]:
        if not isinstance(answer, InProcess) or len(answer._host.namespace) > 3:
            return steps(part, answer, seed)  # a child's, or a whole assignment's
        namespace = answer._host.namespace
        key = (part, seed, *((name, id(thing)) for name, thing in namespace.items()))
        if key not in kept:  # with the namespace, so that no id is used twice
            kept[key] = (namespace, list(steps(part, answer, seed)))
        return iter(kept[key][1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exercise, "_steps", remembered)
        yield
