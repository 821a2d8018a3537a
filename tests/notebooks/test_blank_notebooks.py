"""A student's notebook, run from top to bottom as it is handed out: it stops at exercises, and only there.

nbval can't show this: a cell that is expected to raise passes there when it doesn't.
"""

from pathlib import Path

import nbformat
import pytest

from assignments_lib.authoring.blank import expected, run_blank

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
# The lecture has nothing blank: nbval runs the very same cells
WITH_BLANKS = [path for path in NOTEBOOKS if expected(nbformat.read(path, as_version=4))]


def test_there_are_notebooks():
    assert [path.stem for path in NOTEBOOKS] == sorted(
        path.stem for path in (NOTEBOOKS[0].parent / "source").glob("*.py")
    )
    assert [path.stem for path in NOTEBOOKS if path not in WITH_BLANKS] == ["0_lecture_semantic_segmentation"]


@pytest.mark.slow
@pytest.mark.parametrize("path", WITH_BLANKS, ids=lambda path: path.stem)
def test_cells_that_raise_are_those_that_need_a_blank_exercise(path, monkeypatch):
    monkeypatch.setenv("ASSIGNMENTS_SECONDS", "5")  # how well something learns is nbval's matter
    must_raise = expected(nbformat.read(path, as_version=4))
    raised = {cell: (name, message) for cell, name, message in run_blank(path)}

    assert raised.keys() == must_raise.keys()
    for cell, (name, message) in raised.items():
        assert name == "NotFilledIn", f"{cell} raised {name}: {message}"
        assert any(f"Exercise {id} " in message for id in must_raise[cell]), message
