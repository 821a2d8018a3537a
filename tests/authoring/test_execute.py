"""Executing a notebook: counts, failures, limits and the kernel's surroundings."""

from __future__ import annotations

import nbformat
import pytest

from assignments_lib.authoring.execute import CellFailed, execute


def notebook(*sources):
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)]
    return nbformat.v4.new_notebook(cells=cells)


def test_outputs_counts_and_surroundings(tmp_path):
    ran_in = notebook(
        "import os, sys\nprint(os.getcwd())\nprint(os.environ['ASSIGNMENTS_DATA'])\nprint(sys.executable)",
        "",
        "6 * 7",
    )
    begun = []
    times = execute(
        ran_in,
        tmp_path,
        environment={"ASSIGNMENTS_DATA": "elsewhere"},
        on_cell=lambda cell: begun.append(cell.id),
    )
    import sys

    assert ran_in.cells[0].outputs[0].text.split("\n")[:3] == [str(tmp_path), "elsewhere", sys.executable]
    assert ran_in.cells[2].outputs[0].execution_count == ran_in.cells[2].execution_count
    assert begun == [one.cell for one in times] == ["cell-0", "cell-2"]
    assert ran_in.metadata.language_info == {"name": "python"}


def test_a_failure_names_the_line_and_keeps_what_ran(tmp_path):
    broken = notebook("def f(x):\n    return 1 / x", "print('so far')", "y = 2\n\nf(0)", "print('never')")
    with pytest.raises(CellFailed, match="ZeroDivisionError: division by zero") as caught:
        execute(broken, tmp_path)
    assert caught.value.cell.id == "cell-2"
    assert caught.value.line == 3
    assert broken.cells[1].outputs[0].text == "so far\n"
    assert broken.cells[3].execution_count is None


def test_a_cell_that_takes_too_long(tmp_path):
    slow = notebook("x = 1", "import time\ntime.sleep(60)")
    with pytest.raises(CellFailed, match="longer than 1 s") as caught:
        execute(slow, tmp_path, timeout=1)
    assert caught.value.cell.id == "cell-1"


def test_a_kernel_that_dies(tmp_path):
    with pytest.raises(CellFailed, match="the kernel died") as caught:
        execute(notebook("x = 1", "import os\nos._exit(1)"), tmp_path)
    assert caught.value.cell.id == "cell-1"
