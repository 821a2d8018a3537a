"""The three notebooks of one source, and that nbgrader takes them for its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator
from rich.console import Console

from assignments_lib.authoring.build import write_nbgrader_course
from assignments_lib.authoring.notebooks import TEXT_STUB, as_text, marked, solution, student


def cell(notebook, id):
    return next(cell for cell in notebook.cells if cell.id == id)


@pytest.mark.parametrize("make", [marked, student, solution])
def test_nbgrader_and_nbformat_accept_it(reading, tiny, make):
    notebook = nbformat.reads(as_text(make(reading(tiny))), as_version=4)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)


@pytest.mark.parametrize("make", [marked, student, solution])
def test_ids_are_nbgraders_ids(reading, tiny, make):
    for one in make(reading(tiny)).cells:
        if "nbgrader" in one.metadata:
            assert one.metadata.nbgrader.grade_id == one.id


@pytest.mark.parametrize(
    ("id", "grade", "solution", "locked", "points"),
    [
        ("exercise-1-2", False, True, False, None),
        ("check-1-2", True, False, True, 7),
        ("question-Q1", True, True, False, 3),
    ],
)
def test_roles_and_points(reading, tiny, id, grade, solution, locked, points):
    metadata = cell(student(reading(tiny)), id).metadata.nbgrader
    assert (metadata.grade, metadata.solution, metadata.locked) == (grade, solution, locked)
    assert metadata.get("points") == points
    assert metadata.checksum


def test_teaching_cells_are_locked_and_answers_are_not(reading, tiny):
    notebook = student(reading(tiny))
    for one in notebook.cells:
        answer = one.id.startswith(("exercise", "question"))
        parameters = one.metadata.get("tags") == ["parameters"]
        assert one.metadata.get("editable", True) == (answer or parameters)
        assert one.metadata.get("deletable", True) == parameters


def test_a_cell_to_play_with_is_not_locked(reading, tiny):
    notebook = student(reading(tiny.replace('tags=["report"]', "editable=true")))
    assert "nbgrader" not in notebook.cells[-2].metadata
    assert notebook.cells[-2].metadata.editable is True


def test_a_blank_exercise_names_itself_at_the_right_depth(reading, tiny):
    lines = cell(student(reading(tiny)), "exercise-1-2").source.split("\n")
    raised = [number for number, line in enumerate(lines) if "raise" in line]
    assert len(raised) == 2
    for number in raised:
        assert lines[number] == "        raise NotFilledIn("
        assert lines[number + 1] == '            "Exercise 1.2 (Doubler) is not filled in yet: "'


def test_a_title_with_quotes_is_still_python(reading, tiny, lookup, monkeypatch):
    source = reading(tiny)
    object.__setattr__(source.assignment.exercises[0], "title", 'the "double" \\ of é')
    namespace = {}
    exec(cell(student(source), "exercise-1-1").source, {"NotFilledIn": ValueError}, namespace)
    with pytest.raises(ValueError, match=r'Exercise 1\.1 \(the "double" \\ of é\)'):
        namespace["double"](1)


def test_a_blank_question_keeps_what_is_asked(reading, tiny):
    asked = cell(student(reading(tiny)), "question-Q1").source
    assert asked == f"**Q1.** Why is that twice?\n\n{TEXT_STUB}"


def test_the_solution_reads_without_marks(reading, tiny):
    notebook = solution(reading(tiny))
    assert "SOLUTION" not in as_text(notebook)
    assert "return number + number * 1" in cell(notebook, "exercise-1-1").source
    assert "twice either" in cell(notebook, "question-Q1").source


def test_project_data_has_its_own_namespace(reading, tiny):
    notebook = student(reading(tiny))
    assert notebook.cells[-2].metadata.assignments == {"needs": ["1.1", "1.2"]}
    assert cell(notebook, "check-1-2").metadata.assignments == {"check": "1.2"}
    assert notebook.metadata.assignments == {"notebook": "tiny"}


def test_the_file_is_the_same_twice(reading, tiny):
    assert as_text(student(reading(tiny))) == as_text(student(reading(tiny)))


@pytest.mark.slow
def test_nbgrader_releases_it_itself(checkout, lookup, tmp_path: Path):
    course = tmp_path / "course"
    write_nbgrader_course(checkout, ["tiny"], course, Console(quiet=True), lookup)
    # nbgrader calls alembic as a command
    environment = {
        **os.environ,
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
    }
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", "tiny"],
        cwd=course,
        env=environment,
        check=True,
        capture_output=True,
        timeout=300,
    )
    released = nbformat.read(course / "release" / "tiny" / "tiny.ipynb", as_version=4)
    assert "raise NotFilledIn" in cell(released, "exercise-1-1").source
    assert "number * 1" not in cell(released, "exercise-1-1").source
    assert TEXT_STUB in cell(released, "question-Q1").source
