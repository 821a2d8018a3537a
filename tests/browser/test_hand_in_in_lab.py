"""Handing in from JupyterLab, in a real browser: an id, a press of the button, and the zip lies beside the notebook."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import nbformat
import pytest
from lab import Notebook, chromium, jupyterlab, open_notebook
from looks import faults

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
NAME = "1_resnet34"
ANSWER = "exercise-1-1"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Debian's chromium is not on the PATH"),
]


def test_what_was_typed_and_saved_is_packed_and_what_was_not_saved_is_missed(tmp_path: Path) -> None:
    file = Path(shutil.copy(NOTEBOOKS / f"{NAME}.ipynb", tmp_path))
    solved = nbformat.read(NOTEBOOKS / "solutions" / file.name, as_version=4)
    right = next(cell.source for cell in solved.cells if cell.id == ANSWER)
    form_cell = next(cell.id for cell in solved.cells if "handin.form(" in cell.source)
    with jupyterlab(tmp_path) as address, chromium(1440, 900) as page:
        open_notebook(page, address, NAME)
        notebook = Notebook(page, file)
        notebook.run(form_cell)
        form = page.locator(".assignments-handin")

        def pack(answer: str) -> None:
            """Press the button, and wait for these words."""
            form.get_by_role("button", name="Pack it").click()
            form.get_by_text(answer).wait_for()

        pack("No id yet")
        form.get_by_role("textbox").fill("2026001")
        notebook.write(ANSWER, right)
        notebook.run(ANSWER)
        pack("Not packed: what you ran last in 1.1 isn't in the file.")
        assert list(tmp_path.glob("*.zip")) == []
        before = file.stat().st_mtime_ns
        page.keyboard.press("Control+S")
        for _ in range(100):
            if file.stat().st_mtime_ns != before:
                break
            page.wait_for_timeout(100)
        pack(f"Packed: 2026001-{NAME}.zip")
        assert faults(page) == []
    with zipfile.ZipFile(tmp_path / f"2026001-{NAME}.zip") as packed:
        cells = json.loads(packed.read(f"{NAME}.ipynb"))["cells"]
    assert right in ["".join(cell["source"]) for cell in cells]
