"""What `assignments build` wrote: up to date, executed, and clean."""

import re
from pathlib import Path

import nbformat
import pytest

from assignments_lib.authoring.build import stale
from assignments_lib.authoring.checkout import Checkout
from assignments_lib.checks.registry import assignment

CHECKOUT = Path(__file__).resolve().parents[2]
SOLUTIONS = sorted((CHECKOUT / "notebooks" / "solutions").glob("*.ipynb"))
LECTURE = "0_lecture_semantic_segmentation"  # no exercises in it


def outputs(path: Path):
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            yield cell, output


def test_everything_generated_is_up_to_date():
    assert list(stale(Checkout(CHECKOUT), [], assignment)) == []


@pytest.mark.parametrize(
    "path", [path for path in SOLUTIONS if path.stem != LECTURE], ids=lambda path: path.stem
)
def test_solutions_pass_their_checks_with_full_marks(path):
    tables = [
        (cell.id, str(output.data["text/plain"]))
        for cell, output in outputs(path)
        if cell.id.startswith("check-") and "data" in output
    ]
    assert len(tables) == len(assignment(path.stem).exercises)
    for id, table in tables:
        assert "PASS" in table, id
        assert "FAIL" not in table, f"{id}: {table}"
        assert "NOT FILLED IN" not in table, id


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_outputs_are_clean(path):
    assert "application/vnd.jupyter.widget" not in path.read_text()
    for cell, output in outputs(path):
        if output.output_type == "stream":
            assert output.name != "stderr", f"{cell.id} warns: {output.text[:200]}"
            assert not re.search(r"(/home|/root|/tmp|/work|C:\\)", output.text), f"{cell.id}: {output.text[:200]}"
