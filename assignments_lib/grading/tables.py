"""The marks of a class as one table: a row a student, a column an exercise and a question."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from assignments_lib.atomic import write_atomically
from assignments_lib.marking.result import ExerciseMark, Graded, QuestionMark

Cell = str | int | float

_FORMULA = "=+-@"
_CONTROL = "\t\r\n"


def safe(text: str) -> str:
    """The text as a spreadsheet takes it for text: with an apostrophe in front where it would be a formula.

    Students choose names of folders and files. Excel and its relatives run what stands behind ``=``, ``+``, ``-`` or
    ``@``, their full-width forms (``＝``) and a tab or line end before them included.
    """
    first = unicodedata.normalize("NFKC", text.lstrip()[:1])
    return f"'{text}" if text[:1] in tuple(_CONTROL) or first in tuple(_FORMULA) else text


def as_csv(rows: Iterable[Sequence[Cell]]) -> str:
    """Rows as CSV. Every text is made `safe` and quoted, so that a semicolon in it divides no cell; numbers stay
    numbers.
    """
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    for row in rows:
        writer.writerow([safe(cell) if isinstance(cell, str) else _plain(cell) for cell in row])
    return text.getvalue()


def write(results: Sequence[Graded], path: str | Path) -> None:
    """Write the table of a class, a row for each result in the order given.

    The columns: student, one for each exercise and question ("1.1 Output size (10)"), total, points possible, the
    questions that wait for a person, the problem, the file, and the seed. A question that nobody has marked is an
    empty cell. The file is UTF-8 with a byte order mark, without which Excel doesn't read Korean.

    Raises:
        OSError: it could not be written; the old file is untouched.
    """
    write_atomically(path, "\ufeff" + as_csv(_rows(results)))


def _rows(results: Sequence[Graded]) -> Iterable[list[Cell]]:
    # Dictionaries for their order: exercises first, each where it first appears
    exercises = dict.fromkeys(_head(task) for result in results for task in result.exercises)
    questions = dict.fromkeys(_head(task) for result in results for task in result.questions)
    columns = [*exercises, *questions]
    ends = ["Total", "Points possible", "Waiting questions", "Problem", "File", "Seed"]
    yield ["Student", *columns, *ends]
    for result in results:
        tasks: tuple[ExerciseMark | QuestionMark, ...] = (*result.exercises, *result.questions)
        marks = {_head(task): task.earned for task in tasks}
        cells: list[Cell] = [result.student]
        for column in columns:
            earned = marks.get(column)
            cells.append("" if earned is None else earned)
        waiting = ", ".join(question.id for question in result.waiting)
        cells += [result.earned, result.points, waiting, result.problem, result.file, result.seed]
        yield cells


def _head(task: ExerciseMark | QuestionMark) -> str:
    return f"{task.id} {task.title} ({task.points})"


def _plain(number: int | float) -> int | float:
    """4.0 is 4 to people."""
    return int(number) if isinstance(number, float) and number.is_integer() else number
