"""What mistakes show, kept on disk for the other processes that mark the same class with the same seed.

An instructor's processes only, and their own observations: nothing of a submission is ever in it. Nothing is pickled.
"""

from __future__ import annotations

import hashlib
import io
import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from assignments_lib.checks import wire
from assignments_lib.checks.answer import Lost, Raised
from assignments_lib.checks.exercise import Observation

END = "end"


class Shelf:
    """A folder with one file for each step; whoever finds none, or one that can't be read, looks for itself."""

    def __init__(self, folder: Path):
        self._folder = Path(folder)  # whatever else is given is refused here, not at the first look

    def take(self, key: str, place: int) -> Observation | str | None:
        """The step at a place, `END` after the last one, None where nobody has been yet."""
        try:
            found = wire.read(io.BytesIO(self._path(key, place).read_bytes()))
        except (OSError, EOFError, Lost):
            return None
        if found == END:
            return END
        what, value, raised = found
        return what, Raised(*raised) if raised else value

    def put(self, key: str, place: int, step: Observation | str) -> None:
        """Keep a step, or `END`. What can't be written is not kept."""
        path, into = self._path(key, place), io.BytesIO()
        temporary = path.with_name(f"{uuid4().hex}.tmp")
        with suppress(TypeError, ValueError, RuntimeError, OSError):
            wire.write(into, END if isinstance(step, str) else _plain(step))
            temporary.write_bytes(into.getvalue())
            os.replace(temporary, path)

    def _path(self, key: str, place: int) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}-{place}"


def _plain(step: Observation) -> tuple[str, object, tuple[str, str] | None]:
    """The step as what the wire carries: of an error its kind and its words, which is what answers are compared by."""
    what, value = step
    if isinstance(value, Raised):
        return what, None, (value.type_name, value.message)
    return what, value, None
