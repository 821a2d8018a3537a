"""What a blank notebook does, and what it ought to do."""

from __future__ import annotations

import re

import nbformat

from assignments_lib.authoring.blank import expected, run_blank
from assignments_lib.authoring.notebooks import as_text, student


def test_a_blank_notebook_stops_only_where_it_should(reading, tiny, checkout):
    at_once = '\n# %% exercise="1.2" part="b"\n### BEGIN SOLUTION\nnumbers = [1, 2]\n### END SOLUTION\n'
    at_once += '\n# %% check="1.2"'
    text = tiny.replace('exercise="1.2"', 'exercise="1.2" part="a"').replace('\n# %% check="1.2"', at_once)
    file = checkout.notebooks / "tiny.ipynb"
    file.write_text(as_text(student(reading(text))), encoding="utf-8")

    stopped = run_blank(file, timeout=60)
    wanted = expected(nbformat.read(file, as_version=4))
    assert [id for id, _, _ in stopped] == list(wanted)
    assert "exercise-1-2-b" in wanted
    for id, name, message in stopped:
        assert name == "NotFilledIn"
        assert re.match(r"Exercise (\S+) ", message)[1] in wanted[id]
    assert file.read_text(encoding="utf-8") == as_text(student(reading(text)))


def test_stubs_in_functions_wait_until_they_are_called(reading, tiny):
    notebook = student(reading(tiny))
    assert expected(notebook) == {notebook.cells[-2].id: {"1.1", "1.2"}}
