"""The leak gate: proof that no line of a solution is in a student's notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from nbformat import NotebookNode

from assignments_lib.authoring.marks import looks_like_mark, regions, without_solutions
from assignments_lib.authoring.notebooks import TEXT_STUB
from assignments_lib.authoring.source import Source, python

_SHORTEST = 12  # characters, spaces aside, from which a line of code tells something
_SHORTEST_PROSE = 20
_COMMON = re.compile(r"return\w+|[^\w]*|(self\.)?\w+=(self\.)?\w+")


def leaks(source: Source, student: NotebookNode) -> Iterator[str]:
    """What a student's notebook tells, or lacks, that it mustn't: one sentence each, with file and line.

    Every telling line of every solution is looked for in the whole notebook: text, outputs, metadata, with
    all spaces taken out. A line that also stands in teaching code is no secret; one that stands in a help
    text is, unless that cell says ``gives="1.2"``.
    """
    taught = squeeze("\n".join(without_solutions(cell.source) for cell in source.cells if not cell.markdown))
    secrets = {
        (squeeze(line), cell.task): (line, cell.task, cell.first_line + region.begin + 1 + offset)
        for cell in source.cells
        if cell.answer
        for region in regions(cell.source)
        for offset, line in enumerate(region.lines)
        if telling(line, cell.markdown) and squeeze(line) not in taught
    }.values()
    origins = {cell.id: cell for cell in source.cells}
    for cell in student.cells:
        origin = origins[cell.id]
        where = source.place(origin.first_line)
        text = squeeze("\n".join(strings(cell)))
        for line, task, number in secrets:
            if squeeze(line) in text and task not in origin.gives:
                yield (
                    f"{where}: the student's cell {cell.id} tells {line.strip()!r}, which line {number} has in "
                    f'the solution of {task}; reword one of them, or give the cell `gives="{task}"` if meant'
                )
        yield from (f"{where}: the student's cell {cell.id} {problem}" for problem in _unfit(cell, origin))
    around = squeeze("\n".join(strings(student.metadata)))
    for line, task, number in secrets:
        if squeeze(line) in around:
            yield f"{source.place(number)}: the student's notebook tells this line of {task} in its metadata"


def squeeze(text: str) -> str:
    """The text without spaces, so that an indented or reformatted copy is still found."""
    return re.sub(r"\s+", "", text)


def telling(line: str, markdown: bool = False) -> bool:
    """Whether a line is long and particular enough to give something away."""
    text = squeeze(line)
    if markdown:
        return len(text) >= _SHORTEST_PROSE
    return len(text) >= _SHORTEST and not _COMMON.fullmatch(text)


def _unfit(cell: Any, origin: Any) -> Iterator[str]:
    """What is wrong with a student's cell in itself."""
    if any(looks_like_mark(line, origin.markdown) for line in cell.source.split("\n")):
        yield "still holds a solution mark"
    stub = TEXT_STUB if origin.markdown else f'raise NotFilledIn("Exercise {origin.task} ('
    if origin.answer and squeeze(stub) not in squeeze(cell.source):
        yield "has no stub in place of its solution"
    if origin.markdown:
        return
    if cell.outputs or cell.execution_count is not None:
        yield "has outputs"
    try:
        python(cell.source)
    except SyntaxError as error:
        yield f"isn't valid Python once the solution is taken out: {error.msg}"


def strings(node: Any) -> Iterator[str]:
    """Every string in a piece of JSON, keys included."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)
