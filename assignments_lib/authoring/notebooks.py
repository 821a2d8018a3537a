"""From one source, three notebooks: `marked` for nbgrader, `student` to fill in, `solution` to read."""

from __future__ import annotations

import json
import logging
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.nbgraderformat import SCHEMA_VERSION
from nbgrader.preprocessors import CheckCellMetadata, ClearSolutions, ComputeChecksums, LockCells

from assignments_lib.authoring.marks import without_marks
from assignments_lib.authoring.source import Cell, Source

TEXT_STUB = "*Write your answer here.*"
PARAMETERS = "parameters"
SET_UP = "set-up"  # the cell that installs the package on Colab

# kind -> nbgrader's (grade, solution, locked)
_ROLES = {
    "code": (False, False, True),
    "text": (False, False, True),
    "exercise": (False, True, False),
    "check": (True, False, True),
    "question": (True, True, False),
}
# What every notebook says of its language; versions come and go, so none is named
_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def marked(source: Source) -> NotebookNode:
    """The source as a notebook, marks and all: what nbgrader calls the instructor's version."""
    notebook = nbformat.v4.new_notebook(
        metadata={**_METADATA, "assignments": {"notebook": source.name}},
        cells=[_cell(source, cell) for cell in source.cells],
    )
    notebook.nbformat_minor = 5
    return notebook


def solution(source: Source) -> NotebookNode:
    """The answers in place and the marks gone; not executed."""
    notebook = marked(source)
    for cell, origin in zip(notebook.cells, source.cells, strict=True):
        if origin.answer:
            cell.source = without_marks(cell.source)
    return notebook


def student(source: Source) -> NotebookNode:
    """The answers replaced by stubs, and locked where nothing is to be filled in.

    nbgrader's own preprocessors do it, in the order of `nbgrader generate_assignment`. Its SaveCells isn't
    among them: that one writes to an instructor's gradebook, which exists only where they run nbgrader.
    """
    notebook = marked(source)
    LockCells().preprocess(notebook, {})
    for cell, origin in zip(notebook.cells, source.cells, strict=True):
        if origin.answer:
            clear = ClearSolutions(code_stub={"python": code_stub(source, origin)}, text_stub=TEXT_STUB)
            clear.log.setLevel(logging.ERROR)
            clear.preprocess_cell(cell, {"language": "python"}, 0)
    CheckCellMetadata().preprocess(notebook, {})
    ComputeChecksums().preprocess(notebook, {})
    CheckCellMetadata().preprocess(notebook, {})
    return notebook


def code_stub(source: Source, cell: Cell) -> str:
    """What stands in a blank answer: it says which exercise it is and what to do, wherever it is raised."""
    task = source.assignment.task(cell.task)
    subject = json.dumps(f"Exercise {task.id} ({task.title}) is not filled in yet: ", ensure_ascii=False)
    return (
        "# Your code here, in place of the lines below\n"
        "raise NotFilledIn(\n"
        f"    {subject}\n"
        '    "write it in its cell, run that cell, and come back here."\n'
        ")"
    )


def as_text(notebook: NotebookNode) -> str:
    """The notebook as the file's text, the same on every machine.

    Raises:
        nbformat.ValidationError: it is no valid notebook.
    """
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=4) + "\n"


def _cell(source: Source, cell: Cell) -> NotebookNode:
    """One cell with its id, nbgrader's metadata and ours."""
    make = nbformat.v4.new_markdown_cell if cell.markdown else nbformat.v4.new_code_cell
    metadata = dict(cell.metadata)
    ours: dict[str, Any] = {cell.kind: cell.task} if cell.task else {}
    ours |= {"part": cell.part} if cell.part else {}
    ours |= {"needs": list(cell.needs)} if cell.needs else {}
    if ours:
        metadata["assignments"] = ours
    # Students turn these, so nbgrader must neither lock them nor restore them
    if not (PARAMETERS in cell.tags or cell.metadata.get("editable")):
        grade, solution, locked = _ROLES[cell.kind]
        metadata["nbgrader"] = {
            "schema_version": SCHEMA_VERSION,
            "grade": grade,
            "solution": solution,
            "locked": locked,
            "task": False,
            "grade_id": cell.id,
        }
        if grade:
            metadata["nbgrader"]["points"] = source.assignment.task(cell.task).points
    return make(cell.source, id=cell.id, metadata=metadata)
