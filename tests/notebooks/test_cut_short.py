"""On a slow machine nbval runs everything, and doesn't judge results of trainings that were cut short."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
pytest_plugins = ["pytester"]

SAID = 'print("2 epochs in 70 s; Cut short: to be done in 70 s (ASSIGNMENTS_SECONDS), it saw 41% of its batches.")'


def cell(source: str, stored: str, tags: list[str], **ours: object) -> nbformat.NotebookNode:
    output = nbformat.v4.new_output("stream", name="stdout", text=stored)
    made = nbformat.v4.new_code_cell(source, outputs=[output], execution_count=1)
    made.metadata.update({"tags": tags, "assignments": ours})
    return made


@pytest.mark.slow
@pytest.mark.parametrize(("first", "xfailed", "failed"), [(SAID, 1, 1), ('print("2 epochs in 7 s")', 0, 2)])
def test_results_of_a_cut_training_are_not_judged_and_checks_are(
    pytester: pytest.Pytester, first: str, xfailed: int, failed: int
) -> None:
    compare = ["nbval-check-output"]
    notebook = nbformat.v4.new_notebook(
        cells=[
            cell(first, "2 epochs in 5 s\n", []),
            cell('print("not kept")', "kept\n", compare, needs=["1.7"]),
            cell('print("same")', "same\n", compare, needs=["1.7"]),
            cell('print("FAIL")', "PASS\n", compare, check="1.7"),
        ]
    )
    nbformat.write(notebook, pytester.path / "trained.ipynb")
    pytester.makeconftest((CHECKOUT / "conftest.py").read_text())
    pytester.makeini("[pytest]\nmarkers = slow: slow\n")
    ran = pytester.runpytest_subprocess("--nbval-lax", "--nbval-current-env", "-p", "no:cacheprovider")
    ran.assert_outcomes(passed=4 - xfailed - failed, failed=failed, xfailed=xfailed)
