"""What a blank notebook does: which cells raise, and which ought to."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from assignments_lib.authoring import BUDGET
from assignments_lib.authoring.execute import execute
from assignments_lib.authoring.source import python


def run_blank(notebook_path: Path, timeout: int | None = BUDGET) -> list[tuple[str, str, str]]:
    """Execute a student's notebook with errors allowed, in a fresh kernel, without changing the file.

    Args:
        notebook_path: the .ipynb; it runs in the folder it lies in.
        timeout: seconds a cell may take; None for no limit.

    Returns:
        (cell id, name of the exception, its message) for each cell that raised, in their order.

    Raises:
        CellFailed: a cell took longer than ``timeout``, or killed the kernel.
    """
    notebook = nbformat.read(notebook_path, as_version=4)
    execute(notebook, notebook_path.parent, timeout=timeout, allow_errors=True)
    return raised(notebook)


def raised(notebook: NotebookNode) -> list[tuple[str, str, str]]:
    """(cell id, name of the exception, its message) for each cell of an executed notebook that raised."""
    return [
        (cell.id, output.ename, output.evalue)
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "error"
    ]


def expected(notebook: NotebookNode) -> dict[str, set[str]]:
    """The cells of a student's notebook that must raise NotFilledIn, each with the exercises it may name.

    They are the cells whose source says ``needs="..."``, and the answers whose stub stands outside any
    function and so raises at once.
    """
    cells: dict[str, set[str]] = {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        ours = cell.metadata.get("assignments", {})
        needed = set(ours.get("needs", []))
        if "exercise" in ours and _raises_at_once(cell.source):
            needed.add(ours["exercise"])
        if needed:
            cells[cell.id] = needed
    return cells


def _raises_at_once(code: str) -> bool:
    """Whether running a cell, and nothing in it being called, meets a ``raise NotFilledIn``."""
    waiting: list[ast.AST] = [python(code)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.Raise) and node.exc is not None and "NotFilledIn" in ast.unparse(node.exc):
            return True
        waiting.extend(ast.iter_child_nodes(node))
    return False
