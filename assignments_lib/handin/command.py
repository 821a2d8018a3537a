"""`assignments check` and `assignments submit`: what the notebook's last cell does, for a file."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from assignments_lib.handin.desk import TROUBLES, about, words
from assignments_lib.handin.here import load
from assignments_lib.handin.pack import pack
from assignments_lib.handin.self_check import preview_of

# What `assignments check` exits with; `submit` has the first two
DONE, FAILED, NOT_ALL_RIGHT = 0, 1, 3


def check(path: Path, console: Console) -> int:
    """Print what the grader would give, and return the exit code."""
    try:
        notebook = load(path)
        console.print("Checking every exercise, up to a minute or two ...", style="dim")
        found = preview_of(notebook.name, notebook.data)
    except TROUBLES as problem:
        return _failed(problem, console)
    console.print(repr(found), markup=False, highlight=False, soft_wrap=True)
    if found.graded.problem:
        return FAILED
    return DONE if found.all_right else NOT_ALL_RIGHT


def submit(path: Path, student: str, output: Path | None, console: Console) -> int:
    """Write the zip to hand in, and return the exit code."""
    try:
        notebook = load(path)
        packed = pack(notebook.name, notebook.data, student)
        written = packed.write(output or path.parent)
    except TROUBLES as problem:
        return _failed(problem, console)
    for line in (f"Packed: {written}. Hand in this file.", *about(packed)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return DONE


def _failed(problem: Exception, console: Console) -> int:
    console.print(words(problem), style="red", markup=False, highlight=False, soft_wrap=True)
    return FAILED
