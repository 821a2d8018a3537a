"""The whole pipeline on a small project: what it writes, and how it notices that something is stale."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from rich.console import Console

from assignments_lib.authoring import build as authoring
from assignments_lib.authoring.checkout import Checkout
from assignments_lib.authoring.errors import BuildError

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """A folder for a project that is built once."""
    return tmp_path_factory.mktemp("built") / "project"


@pytest.fixture
def built(kept: Path, checkout, lookup, tmp_path) -> Checkout:
    """A project whose notebooks are built; each test gets a copy of its own."""
    if not kept.exists():
        authoring.build(checkout, [], QUIET, lookup=lookup)
        shutil.copytree(checkout.root, kept)
    copy = tmp_path / "copy"
    shutil.copytree(kept, copy)
    return Checkout(copy)


def edit(file: Path, change) -> None:
    """Change a notebook on disk."""
    notebook = nbformat.read(file, as_version=4)
    change(notebook)
    nbformat.write(notebook, file)


def test_both_notebooks_are_written(built):
    blank = nbformat.read(built.notebooks / "tiny.ipynb", as_version=4)
    assert all(
        not cell.outputs and cell.execution_count is None for cell in blank.cells if cell.cell_type == "code"
    )
    solved = nbformat.read(built.solutions / "tiny.ipynb", as_version=4)
    assert solved.cells[-2].outputs[0].text == "on doodles: 42\n"
    counts = [cell.execution_count for cell in solved.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert [cell.id for cell in blank.cells] == [cell.id for cell in solved.cells]


def test_what_is_fresh_is_not_stale(built, lookup):
    assert list(authoring.stale(built, [], lookup)) == []


def drop_count(notebook):
    notebook.cells[-2].update(execution_count=None, outputs=[])


def put_error(notebook):
    notebook.cells[-2].outputs = [nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])]


def edit_code(notebook):
    notebook.cells[-2].source += "\n"


def edit_text(notebook):
    notebook.cells[0].source += "!"


def drop_cell(notebook):
    del notebook.cells[0]


def put_widgets(notebook):
    notebook.metadata["widgets"] = {}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (drop_count, "was not executed at"),
        (put_error, "holds an error at"),
        (edit_code, "has another cell code-"),
        (edit_text, "has another cell text-"),
        (drop_cell, "has other cells"),
        (put_widgets, "has other metadata"),
    ],
)
def test_a_stale_solution_is_noticed(built, lookup, change, says):
    edit(built.solutions / "tiny.ipynb", change)
    (sentence,) = authoring.stale(built, [], lookup)
    assert says in sentence
    assert "solutions/tiny.ipynb" in sentence
    assert "run `assignments build tiny`" in sentence


def test_other_outputs_are_not_stale(built, lookup):
    def change(notebook):
        notebook.cells[-2].outputs[0].text = "on doodles: 41\n"

    edit(built.solutions / "tiny.ipynb", change)
    assert list(authoring.stale(built, [], lookup)) == []


def test_one_byte_in_the_students_notebook_is_noticed(built, lookup):
    file = built.notebooks / "tiny.ipynb"
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (sentence,) = authoring.stale(built, [], lookup)
    assert "notebooks/tiny.ipynb is not what" in sentence


@pytest.mark.parametrize(
    ("old", "new", "files"),
    [
        ("print(f", "print(  f", 2),  # teaching code: both differ
        ("number * 1", "1 * number", 1),  # an answer: the solution alone
        ("By the end", "At the end", 2),
    ],
)
def test_a_changed_source_is_noticed(built, lookup, old, new, files):
    source = built.source("tiny")
    source.write_text(source.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert len(list(authoring.stale(built, [], lookup))) == files


def test_changed_points_are_noticed(built, lookup):
    object.__setattr__(lookup("tiny").exercises[0], "points", 6)
    assert len(list(authoring.stale(built, [], lookup))) == 2


@pytest.mark.parametrize("content", [None, "", "{}", '{"cells": 3}'])
def test_missing_or_broken_files_are_noticed(built, lookup, content):
    for file in (built.notebooks / "tiny.ipynb", built.solutions / "tiny.ipynb"):
        if content is None:
            file.unlink()
        else:
            file.write_text(content, encoding="utf-8")
    assert len(list(authoring.stale(built, [], lookup))) == 2


def test_a_notebook_without_a_source_is_noticed(built, lookup):
    shutil.copy(built.notebooks / "tiny.ipynb", built.notebooks / "gone.ipynb")
    (sentence,) = authoring.stale(built, [], lookup)
    assert "gone.ipynb has no source" in sentence
    assert list(authoring.stale(built, ["tiny"], lookup)) == []


def test_without_executing_unchanged_cells_keep_outputs(built, lookup):
    source = built.source("tiny")
    source.write_text(
        source.read_text(encoding="utf-8").replace("1.2 is checked", "checked"), encoding="utf-8"
    )
    authoring.build(built, [], QUIET, run=False, lookup=lookup)
    solved = nbformat.read(built.solutions / "tiny.ipynb", as_version=4)
    assert solved.cells[-2].outputs[0].text == "on doodles: 42\n"
    check = next(cell for cell in solved.cells if cell.id == "check-1-2")
    assert (check.outputs, check.execution_count) == ([], None)
    (sentence,) = authoring.stale(built, [], lookup)
    assert "was not executed" in sentence


def test_a_failing_solution_names_its_line_and_keeps_the_old_one(built, lookup):
    source = built.source("tiny")
    text = source.read_text(encoding="utf-8").replace(
        "doubler = Doubler()", "doubler = Doubler()\nassert not 1"
    )
    source.write_text(text, encoding="utf-8")
    before = (built.solutions / "tiny.ipynb").read_bytes()
    line = text.split("\n").index("assert not 1") + 1
    with pytest.raises(BuildError, match=rf"tiny\.py:{line}: the cell code-\w+ failed: AssertionError"):
        authoring.build(built, [], QUIET, lookup=lookup)
    assert (built.solutions / "tiny.ipynb").read_bytes() == before


def test_a_notebook_too_large_for_git_is_refused(built, lookup, monkeypatch):
    monkeypatch.setattr(authoring, "LARGEST", 1000)
    with pytest.raises(BuildError, match=r"draw smaller or fewer pictures, first at .*tiny\.py:\d+"):
        authoring.build(built, [], QUIET, run=False, lookup=lookup)


def test_a_name_that_is_none(built, lookup):
    with pytest.raises(BuildError, match="Did you mean tiny"):
        authoring.build(built, ["tinny"], QUIET, lookup=lookup)


def test_a_course_for_nbgrader(built, lookup, tmp_path):
    course = tmp_path / "course"
    authoring.write_nbgrader_course(built, [], course, QUIET, lookup)
    notebook = json.loads((course / "source" / "tiny" / "tiny.ipynb").read_text(encoding="utf-8"))
    assert any("### BEGIN SOLUTION\n" in "".join(cell["source"]) for cell in notebook["cells"])
    config = course / "nbgrader_config.py"
    config.write_text("mine", encoding="utf-8")
    authoring.write_nbgrader_course(built, [], course, QUIET, lookup)
    assert config.read_text(encoding="utf-8") == "mine"
