"""The table of a class: what is in it, and that nothing in it is a formula."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from assignments_lib.grading import tables
from assignments_lib.marking.result import ExerciseMark, Graded, PartMark, QuestionMark


def exercise(id, title, points, earned):
    return ExerciseMark(id, title, points, "PASS", (PartMark("all of it", points, earned, "PASS"),))


def graded(student, exercises=((10, 7), (6, 6)), question=(5, "Because.", 2.5), **more):
    (points, answer, mark) = question
    return Graded(
        student=student,
        assignment="1_resnet34",
        title="Assignment 1: ResNet34",
        file="1_resnet34.ipynb",
        digest="ab12",
        seed=42,
        exercises=tuple(
            exercise(f"1.{i}", ("Output size", "The block")[i - 1], points, earned)
            for i, (points, earned) in enumerate(exercises, 1)
        ),
        questions=(QuestionMark("Q1", "Why it trains", points, answer, mark),),
        **more,
    )


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_columns_and_marks(tmp_path):
    tables.write([graded("kim"), graded("lee", question=(5, "Because.", None))], tmp_path / "marks.csv")
    assert rows(tmp_path / "marks.csv") == [
        [
            *("Student", "1.1 Output size (10)", "1.2 The block (6)", "Q1 Why it trains (5)", "Total"),
            *("Points possible", "Waiting questions", "Problem", "File", "Seed"),
        ],
        ["kim", "7", "6", "2.5", "15.5", "21", "", "", "1_resnet34.ipynb", "42"],
        ["lee", "7", "6", "", "13", "21", "Q1", "", "1_resnet34.ipynb", "42"],
    ]


def test_a_blank_question_waits_for_nobody(tmp_path):
    tables.write([graded("kim", question=(5, "", None))], tmp_path / "marks.csv")
    assert rows(tmp_path / "marks.csv")[1][3:7] == ["", "13", "21", ""]


def test_numbers_are_numbers_and_texts_are_quoted(tmp_path):
    tables.write([graded("kim")], tmp_path / "marks.csv")
    line = (tmp_path / "marks.csv").read_text(encoding="utf-8-sig").splitlines()[1]
    assert line == '"kim",7,6,2.5,15.5,21,"","","1_resnet34.ipynb",42'


def test_results_that_know_different_exercises_share_one_table(tmp_path):
    broken = replace(graded("lee"), exercises=(), questions=(), problem="It isn't JSON.")
    tables.write([broken, graded("kim")], tmp_path / "marks.csv")
    header, first, second = rows(tmp_path / "marks.csv")
    assert header[1:4] == ["1.1 Output size (10)", "1.2 The block (6)", "Q1 Why it trains (5)"]
    assert first == ["lee", "", "", "", "0", "0", "", "It isn't JSON.", "1_resnet34.ipynb", "42"]
    assert second[:4] == ["kim", "7", "6", "2.5"]


def test_a_class_of_nobody_has_a_header(tmp_path):
    tables.write([], tmp_path / "marks.csv")
    assert rows(tmp_path / "marks.csv")[0][0] == "Student"
    assert len(rows(tmp_path / "marks.csv")) == 1


HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_formula_is_made_text(text):
    assert tables.safe(text) == "'" + text


@pytest.mark.parametrize("text", ["", "kim", "김민수", "a=b", "O'Brien", "'=1", " kim", "1.5"])
def test_a_name_stays_as_it_is(text):
    assert tables.safe(text) == text


NAMES = [*HOSTILE, 'two "quotes"', "two\r\nlines", "semi;=1+1", "김민수", "김" * 50_000, "comma, here"]


def test_hostile_names_come_back_as_cells_of_their_own(tmp_path):
    results = [graded(name, problem=name) for name in NAMES]
    tables.write(results, tmp_path / "marks.csv")
    found = rows(tmp_path / "marks.csv")[1:]
    assert [row[0] for row in found] == [tables.safe(name) for name in NAMES]
    assert [row[7] for row in found] == [tables.safe(name) for name in NAMES]
    assert {len(row) for row in found} == {10}


def test_a_semicolon_divides_no_cell_where_lists_have_semicolons(tmp_path):
    """German Excel divides by semicolons, but not within quotes."""
    tables.write([graded("semi;=1+1")], tmp_path / "marks.csv")
    line = (tmp_path / "marks.csv").read_text(encoding="utf-8-sig").splitlines()[1]
    assert next(csv.reader([line], delimiter=";"))[0].startswith("semi;=1+1")


def test_excel_is_told_that_it_is_utf8(tmp_path):
    tables.write([graded("김민수")], tmp_path / "marks.csv")
    assert (tmp_path / "marks.csv").read_bytes().startswith(b"\xef\xbb\xbf")
