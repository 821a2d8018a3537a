"""The lecture: what each section has, that quizzes explain every choice, and that it gives no answer away."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from assignments_lib import widgets

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
CELLS = nbformat.read(NOTEBOOKS / "0_lecture_semantic_segmentation.ipynb", as_version=4).cells
SECTIONS = (
    "What semantic segmentation is", "Fully convolutional networks", "Upsampling", "Low layers see detail",
    "Hypercolumns", "U-Net", "DeepLab", "Measuring", "What came after",
)  # fmt: skip
QUIZ = re.compile(r"\*\*Quiz\.\*\*(.*?)(?=\*\*Quiz\.\*\*|\Z)", re.DOTALL)
CHOICE = re.compile(r"<details><summary>(.*?)</summary>\s*(.*?)\s*</details>", re.DOTALL)


def sections() -> dict[str, str]:
    """Number of a section -> all its text and code."""
    found: dict[str, str] = {}
    number = ""
    for cell in CELLS:
        heading = re.match(r"# (\d)\. ", cell.source)
        if heading or cell.source.startswith("# "):
            number = heading[1] if heading else ""
        found[number] = found.get(number, "") + "\n\n" + cell.source
    return found


def test_every_section_is_there() -> None:
    for number, title in enumerate(SECTIONS, start=1):
        assert f"# {number}. {title}" in sections()[str(number)]


@pytest.mark.parametrize("number", [str(number) for number in range(1, 9)])
def test_every_section_has_a_demonstration_and_a_quiz(number: str) -> None:
    text = sections()[number]
    shown = re.findall(r"^widgets\.(\w+)\(.*\)\.show\(\)$", text, re.MULTILINE)
    assert shown
    assert all(issubclass(getattr(widgets, name), widgets.Demonstration) for name in shown)
    assert QUIZ.findall(text)


def test_every_demonstration_is_in_the_lecture() -> None:
    every = {
        name
        for name in widgets.__all__
        if isinstance(getattr(widgets, name), type)
        and issubclass(getattr(widgets, name), widgets.Demonstration)
    } - {"Demonstration"}
    code = "\n".join(cell.source for cell in CELLS if cell.cell_type == "code")
    assert {name for name in every if f"widgets.{name}(" in code} == every


def test_quizzes_explain_every_choice() -> None:
    quizzes = [quiz for text in sections().values() for quiz in QUIZ.findall(text)]
    assert len(quizzes) >= 10
    for quiz in quizzes:
        choices = CHOICE.findall(quiz)
        name = quiz.strip()[:60]
        assert len(choices) >= 3, name
        for label, (summary, explained) in zip("ABCDEF", choices, strict=False):
            assert summary.startswith(f"{label}. "), f"{name}: {summary}"
            assert re.match(r"(Yes|No)\. \S", explained), f"{name}: {explained}"
            assert len(explained.split()) >= 6, f"{name}: {explained}"
        right = [summary for summary, explained in choices if explained.startswith("Yes.")]
        assert 1 <= len(right) < len(choices), name


def test_facts_carry_their_sources() -> None:
    text = "\n".join(cell.source for cell in CELLS)
    for arxiv in ("1411.4038", "1411.5752", "1505.04597", "1412.7062", "1606.00915", "1706.05587", "1802.02611"):
        assert arxiv in text
    for number, name in (("2", "table 1"), ("4", "table 2"), ("5", "abstract"), ("6", "table 2"), ("7", "Table")):
        assert name.lower() in sections()[number].lower(), f"section {number} says {name}?"


def test_the_glossary_has_both_languages() -> None:
    (glossary,) = [cell.source for cell in CELLS if re.search(r"^# .*[Gg]lossary", cell.source, re.MULTILINE)]
    rows = [row for row in glossary.splitlines() if row.startswith("|")][2:]
    assert len(rows) >= 30
    for row in rows:
        assert re.search(r"[a-z]", row), row
        assert re.search(r"[\uac00-\ud7a3]", row), row


def test_no_line_of_a_solution_of_assignment_3_is_in_it() -> None:
    source = (NOTEBOOKS / "source" / "3_classification_to_segmentation.py").read_text()
    solutions = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", source, re.DOTALL)
    lines = {line.strip() for text in solutions for line in text.splitlines() if len(line.strip()) > 25}
    assert len(lines) > 40
    code = {line.strip() for cell in CELLS if cell.cell_type == "code" for line in cell.source.splitlines()}
    assert lines & code == set()
