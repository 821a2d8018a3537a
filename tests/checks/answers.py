"""What the tests of several assignments' checks do with answers and results."""

from typing import Any

from assignments_lib.checks.answer import Raised
from assignments_lib.checks.exercise import PartResult
from assignments_lib.checks.host import run_source


def namespace_of(source: str) -> dict[str, Any]:
    """What a source defines, as in a notebook's kernel."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    run_source(source, "<cell 1>", namespace)
    return namespace


def told(part: PartResult) -> tuple[Any, ...]:
    """All that a student reads of a part, the lines of their own code included."""
    frames = part.error.frames if isinstance(part.error, Raised) else ()
    mistake = part.mistake.name if part.mistake else ""
    return (part.title, part.points, part.status, part.what, part.given, part.expected, mistake, frames)
