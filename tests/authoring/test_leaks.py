"""The leak gate: whatever way a line of a solution gets into a student's notebook, it is found."""

from __future__ import annotations

import nbformat
import pytest

from assignments_lib.authoring.build import student_notebook
from assignments_lib.authoring.errors import BuildError
from assignments_lib.authoring.leaks import leaks, telling
from assignments_lib.authoring.notebooks import marked, student

SECRET = "return number + number * 1"


def test_a_source_in_order_leaks_nothing(reading, tiny):
    source = reading(tiny)
    assert list(leaks(source, student(source))) == []


def test_clearing_that_does_nothing_is_found(reading, tiny):
    source = reading(tiny)
    found = "\n".join(leaks(source, marked(source)))
    assert SECRET in found
    assert "twice either" in found
    assert "still holds a solution mark" in found
    assert "has no stub" in found


def test_a_leak_names_both_lines(reading, tiny, line_of):
    source = reading(tiny)
    notebook = student(source)
    notebook.cells[0].source += f"\n{SECRET}"
    (found,) = leaks(source, notebook)
    assert f"tiny.py:{line_of('# Tiny')}" in found
    assert f"line {line_of(SECRET)} " in found


@pytest.mark.parametrize("spelling", [SECRET, f"    {SECRET}", "return number+number*1", f"`{SECRET};`"])
def test_a_leak_in_any_spacing(reading, tiny, spelling):
    source = reading(tiny)
    notebook = student(source)
    notebook.cells[-2].source += f"\n# {spelling}"
    assert list(leaks(source, notebook))


def test_a_leak_in_an_output(reading, tiny):
    source = reading(tiny)
    notebook = student(source)
    notebook.cells[-2].outputs = [nbformat.v4.new_output("stream", text=SECRET)]
    assert any(SECRET in leak for leak in leaks(source, notebook))


def test_a_leak_in_metadata(reading, tiny):
    source = reading(tiny)
    notebook = student(source)
    notebook.cells[-2].metadata["note"] = {"for": [SECRET]}
    assert list(leaks(source, notebook))
    notebook = student(source)
    notebook.metadata["note"] = SECRET
    assert list(leaks(source, notebook))


def test_outputs_are_refused(reading, tiny):
    source = reading(tiny)
    notebook = student(source)
    notebook.cells[1].execution_count = 1
    assert any("has outputs" in leak for leak in leaks(source, notebook))


def test_an_answer_without_its_stub_is_refused(reading, tiny):
    source = reading(tiny)
    notebook = student(source)
    notebook.cells[3].source = "def double(number):\n    pass"
    assert any("exercise-1-1 has no stub" in leak for leak in leaks(source, notebook))


def test_help_must_not_quote_the_solution_unless_it_is_meant(reading, tiny):
    quoting = tiny.replace("Add it to itself.", f"It is\n# `{SECRET}`, no more.")
    source = reading(quoting)
    with pytest.raises(BuildError, match="reword"):
        student_notebook(source)
    meant = quoting.replace("# %% [markdown]\n# <details>", '# %% [markdown] gives="1.1"\n# <details>')
    assert SECRET in "".join(cell.source for cell in student_notebook(reading(meant)).cells)


def test_what_teaching_code_shows_is_no_secret(reading, tiny):
    shown = tiny.replace('DATASET = "doodles"', f'DATASET = "doodles"\ndef same(number):\n    {SECRET}')
    student_notebook(reading(shown))


def test_a_blank_that_is_no_python_is_refused(reading, tiny):
    # Once the answer is out, the `else` has no `if`
    broken = tiny.replace(
        f"    {SECRET}\n    ### END SOLUTION",
        f"    if True:\n        {SECRET}\n    ### END SOLUTION\n    else:\n        pass",
    )
    with pytest.raises(BuildError, match="isn't valid Python once"):
        student_notebook(reading(broken))


@pytest.mark.parametrize(
    "line", ["return x", "pass", "else:", "return logits", ")", "self.stride = stride", "", "x = 1"]
)
def test_common_lines_tell_nothing(line):
    assert not telling(line)


@pytest.mark.parametrize("line", ["return F.relu(out + shortcut)", "# ReLU comes after the addition"])
def test_particular_lines_tell_something(line):
    assert telling(line)
