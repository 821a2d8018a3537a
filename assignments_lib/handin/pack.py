"""One zip to hand in: the notebook without what nobody needs, and a receipt."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assignments_lib.atomic import write_atomically
from assignments_lib.handin import blanks
from assignments_lib.marking import reading
from assignments_lib.marking.matching import match
from assignments_lib.marking.reading import Unreadable
from assignments_lib.marking.receipt import Receipt, to_json
from assignments_lib.marking.release import Release, normal

_ID = re.compile(r"\w[\w.@+-]{0,63}")
_TIME = (2020, 2, 2, 0, 0, 0)  # the same for everybody: when somebody worked is nobody's business
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


class BadId(Exception):
    """The id can't be in a file's name; the message says what can."""


@dataclass(frozen=True)
class Packed:
    """What is handed in: the zip's name and bytes, and what is blank in it, by exercise."""

    name: str
    data: bytes
    blank: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Of the zip: feedback names the same one."""
        return hashlib.sha256(self.data).hexdigest()

    def write(self, folder: Path) -> Path:
        """Write it, all or nothing, over the one packed before.

        Raises:
            OSError: it could not be written.
        """
        path = folder / self.name
        write_atomically(path, self.data)
        return path


def pack(name: str, data: bytes, student: str, expected: str = "") -> Packed:
    """Pack a filled-in notebook.

    Args:
        name: the notebook's file name.
        data: its bytes.
        student: the id that the instructor knows the student by.
        expected: the assignment that it must be of, such as "1_resnet34"; any where it is empty.

    Raises:
        Unreadable: it is no notebook of that assignment.
        BadId: the id can't be in a file's name.
    """
    student = student.strip()
    if not student:
        raise BadId("No id yet. Type the one that your instructor knows you by, such as your student number.")
    if not _ID.fullmatch(student):
        raise BadId(
            f"{student[:80]!r} can't be an id here: use letters, digits and . _ @ + - (no spaces), 64 at most, and "
            "begin with a letter or a digit."
        )
    if data[:2] == b"PK":
        raise Unreadable(f"{name} is a zip. Name the notebook (.ipynb) itself.")
    (before,) = reading.notebooks(name, data)
    release = blanks.of(before)
    assignment = release.assignment.notebook
    if expected not in ("", assignment):
        raise Unreadable(f"{name} is of {assignment}, not of {expected}.")
    content = cleaned(name, data, assignment)
    (after,) = reading.notebooks(f"{assignment}.ipynb", content)
    matched = match(release, after)
    if not matched.found:
        raise Unreadable(f"{name} has no answer cell of {assignment}: it can't be handed in for it.")
    remarks = list(matched.remarks)
    if any(cell.get("attachments") for cell in reading.document(name, data)["cells"]):
        remarks.append("Pictures pasted into text cells are not handed in: say it in words.")
    slip = Receipt(student, assignment, f"{assignment}.ipynb", hashlib.sha256(content).hexdigest())
    return Packed(
        f"{student}-{assignment}.zip",
        zipped({f"{assignment}.ipynb": content, reading.RECEIPT: to_json(slip).encode()}),
        still_blank(release, after),
        tuple(remarks),
    )


def still_blank(release: Release, notebook: reading.SubmittedNotebook) -> tuple[str, ...]:
    """The exercises and questions that are as they were given, such as ("1.8", "Q2")."""
    matched = match(release, notebook)
    stubs = {(blank.task, normal(blank.stub)) for blank in release.answers}
    empty = {
        cell.task
        for cell in matched.cells
        if (cell.task, normal(cell.source)) in stubs or (cell.task and not cell.source.strip())
    }
    empty |= {question for question, words in matched.questions.items() if not words}
    tasks = (*release.assignment.exercises, *release.assignment.questions)
    return tuple(task.id for task in tasks if task.id in empty)


def cleaned(name: str, data: bytes, assignment: str) -> bytes:
    """The notebook without outputs, pictures, widgets, and all metadata but what says which cell is which."""
    cells = [_cell(cell) for cell in reading.document(name, data)["cells"]]
    notebook = {
        "cells": cells,
        "metadata": {"assignments": {"notebook": assignment}, "kernelspec": _KERNEL},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(notebook, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def _cell(cell: dict[str, Any]) -> dict[str, Any]:
    read = reading.cell(cell)
    metadata = cell.get("metadata")
    kept = {
        key: metadata[key]
        for key, kind in (("nbgrader", dict), ("assignments", dict), ("id", str))
        if isinstance(metadata, dict) and isinstance(metadata.get(key), kind)
    }
    small: dict[str, Any] = {"cell_type": read.kind}
    if isinstance(cell.get("id"), str):
        small["id"] = cell["id"]
    small |= {"metadata": kept, "source": read.source}
    if read.kind == "code":
        small |= {"execution_count": None, "outputs": []}
    return small


def zipped(files: dict[str, bytes]) -> bytes:
    """The files in a zip, in this order, the same bytes each time."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return into.getvalue()
