"""Submissions made of the course's notebooks, and whether there can be a sandbox."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assignments_lib.marking.release import Release, read

Submit = Callable[..., bytes]
NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


def need_sandbox() -> None:
    """Skip where there can't be one: what is refused then is tested in test_sandbox.py."""
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap isn't installed here")


def released(name: str) -> Release:
    """A notebook of the course as students get it."""
    path = NOTEBOOKS / f"{name}.ipynb"
    return read(path.name, path.read_bytes())


def notebook_of(name: str, solved: bool = False) -> dict[str, Any]:
    """A notebook of the course as JSON."""
    folder = NOTEBOOKS / "solutions" if solved else NOTEBOOKS
    found: dict[str, Any] = json.loads((folder / f"{name}.ipynb").read_text(encoding="utf-8"))
    for cell in found["cells"]:
        cell["source"] = "".join(cell["source"])
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return found


def cell_of(notebook: dict[str, Any], id: str) -> dict[str, Any]:
    """The cell with an id."""
    found: dict[str, Any] = next(cell for cell in notebook["cells"] if cell["id"] == id)
    return found


def added(source: str) -> dict[str, Any]:
    """A code cell that a student added."""
    return {
        "cell_type": "code",
        "id": "added",
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
