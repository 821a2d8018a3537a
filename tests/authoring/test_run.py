"""Running a notebook headlessly: what is written, and what a person is told."""

from __future__ import annotations

import io

import nbformat
import pytest
from rich.console import Console

from assignments_lib.authoring.errors import BuildError
from assignments_lib.authoring.notebooks import solution
from assignments_lib.authoring.run import inject, run


@pytest.fixture
def said():
    return Console(file=io.StringIO(), width=200)


def test_other_data_in_a_copy_and_a_page(checkout, lookup, said):
    assert run(checkout, "tiny", said, data="quickdraw", lookup=lookup) == 0
    executed = nbformat.read(checkout.runs / "tiny-quickdraw.ipynb", as_version=4)
    assert executed.cells[3].source == "DATASET = 'quickdraw'"
    assert "on quickdraw: 42" in said.file.getvalue()
    page = (checkout.runs / "tiny-quickdraw.html").read_text(encoding="utf-8")
    assert "<title>Tiny</title>" in page
    assert "on quickdraw: 42" in page
    assert "<script src=" not in page.replace(
        '<script src="https://cdnjs.cloudflare.com/ajax/libs/mathjax', ""
    )


def test_the_blank_notebook_says_where_it_stopped(checkout, lookup, said, tmp_path, line_of):
    assert run(checkout, "tiny", said, blank=True, output=tmp_path / "out", lookup=lookup) == 0
    told = said.file.getvalue()
    assert "Cells that raised: 1" in told
    assert f"tiny.py:{line_of('needs=')}: code-" in told
    assert "NotFilledIn: Exercise 1.2 (Doubler) is not filled in yet" in told
    assert (tmp_path / "out" / "tiny-student.html").is_file()


def test_a_failure_is_told_and_what_ran_is_written(checkout, lookup, said, tiny, line_of):
    checkout.source("tiny").write_text(tiny.replace("doubler = ", "1 / 0\ndoubler = "), encoding="utf-8")
    assert run(checkout, "tiny", said, lookup=lookup) == 1
    told = said.file.getvalue()
    assert f"tiny.py:{line_of('1 / 0')}: the cell code-" in told
    assert "ZeroDivisionError" in told
    executed = nbformat.read(checkout.runs / "tiny.ipynb", as_version=4)
    assert executed.cells[4].outputs[0].text == "1.1 True\n"


def test_data_needs_a_cell_to_replace(reading, tiny):
    source = reading(tiny.replace('tags=["parameters"]', ""))
    with pytest.raises(BuildError, match="--data has nothing to replace"):
        inject(solution(source), source, "quickdraw")


def test_masks_go_where_masks_are_asked_for(reading, tiny):
    both = reading(tiny.replace('DATASET = "doodles"', 'DATASET = "doodles"\nMASKS = "scenes"'))
    for source, data, line in (
        (both, "camvid", "MASKS = 'camvid'"),
        (both, "quickdraw", "DATASET = 'quickdraw'"),
        (both, "pets", "DATASET = 'pets'\nMASKS = 'pets'"),  # it gives labels, and masks
        (both, "mine", "DATASET = 'mine'"),
        (reading(tiny), "camvid", "DATASET = 'camvid'"),
        (reading(tiny), "pets", "DATASET = 'pets'"),
        (reading(tiny.replace("DATASET", "MASKS")), "pets", "MASKS = 'pets'"),
    ):
        notebook = solution(source)
        inject(notebook, source, data)
        assert line in [cell.source for cell in notebook.cells]
