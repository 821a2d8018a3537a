"""Canvas: a gradebook file with the marks of one assignment, from nothing or into the instructor's own export."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from assignments_lib.atomic import write_atomically
from assignments_lib.grading import roster
from assignments_lib.grading.roster import GradebookError, Report, Sheet
from assignments_lib.grading.tables import Cell, as_csv
from assignments_lib.marking.result import Graded

_IDS = ("SIS Login ID", "SIS User ID", "ID")
_STUDENT_COLUMNS = ("Student", *_IDS, "Integration ID", "Root Account", "Section")
_POINTS = "    Points Possible"  # as Canvas writes it
_TEST_STUDENT = "student, test"
_READ_ONLY = "(read only)"
_EXCUSED = "EX"


def write(results: Sequence[Graded], path: str | Path, title: str) -> None:
    """Write a gradebook from nothing: a student is known by the folder's name, as SIS Login ID.

    Canvas finds the assignment by its title, or makes one. A result with a problem gets no mark.

    Raises:
        GradebookError: there are no results, or they aren't of one assignment.
        OSError: it could not be written; the old file is untouched.
    """
    rows: list[list[Cell]] = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title]]
    rows.append([_POINTS, "", "", "", "", roster.points_of(results)])
    for result in results:
        mark = "" if result.problem else round(result.earned, 2)
        rows.append([result.student, "", "", result.student, "", mark])
    write_atomically(path, as_csv(rows))


def fill(
    export_path: str | Path,
    results: Sequence[Graded],
    title: str,
    output_path: str | Path,
    scale: bool = False,
) -> Report:
    """Put the marks into the instructor's own export (Grades > Export in Canvas), and change nothing else.

    The assignment's column is found by its title, with or without Canvas's number ("Lab 1 (12345)"), and is put
    before the read-only columns if there is none. Students are found by SIS Login ID, SIS User ID or ID, else by
    name; who may be two people gets no mark. Who is excused ("EX") stays so.

    Args:
        export_path: UTF-8, UTF-16 or cp949, with commas, semicolons or tabs.
        results: a class's.
        title: of the assignment in Canvas.
        output_path: may be ``export_path``.
        scale: marks are scaled where Canvas has other points possible than the assignment.

    Raises:
        GradebookError: the file is no gradebook, or not one for these results.
        OSError: it could not be written; the old file is untouched.
    """
    points = roster.points_of(results)
    sheet = roster.read(export_path)
    columns = _student_columns(sheet)
    first, possible = _first_row(sheet)
    column = _assignment_column(sheet, title)
    there = sheet.value(possible, column).strip() if possible and column is not None else ""
    factor = _factor(sheet, title, points, there, scale)

    rows = [
        row
        for row in range(first, len(sheet.rows))
        if not sheet.blank(row) and sheet.value(row, columns["Student"]).strip().casefold() != _TEST_STUDENT
    ]

    def shown(row: int) -> str:
        ids = (sheet.value(row, columns[name]).strip() for name in _IDS if name in columns)
        return f"{sheet.value(row, columns['Student']).strip()} ({next(filter(None, ids), f'row {row + 1}')})"

    def ids_of(row: int) -> set[str]:
        return {
            key
            for name in _IDS
            if name in columns
            for key in roster.identity(sheet.value(row, columns[name]))
        }

    matched, report = roster.match(
        results,
        rows,
        [
            (lambda result: roster.identity(result.student), ids_of),
            (
                lambda result: roster.name_keys(result.student),
                lambda row: roster.name_keys(sheet.value(row, columns["Student"])),
            ),
        ],
        shown,
    )
    marks, report = _marks(sheet, matched, report, column, factor, there, shown)
    if column is None:
        marks[0] = title
        if possible:
            marks[possible] = roster.written(points, "")
        sheet.insert_column(_new_column(sheet, columns, possible), marks)
    else:
        for row, mark in marks.items():
            sheet.set(row, column, mark)
    sheet.save(output_path)
    return report


def _marks(
    sheet: Sheet,
    matched: dict[int, Graded],
    report: Report,
    column: int | None,
    factor: float,
    like: str,
    shown: roster.Shown,
) -> tuple[dict[int, str], Report]:
    """What is to be written into which row, and the report with those who get it."""
    marks: dict[int, str] = {}
    left = []
    for row, result in sorted(matched.items()):
        if result.problem:
            left.append(f"{shown(row)} is left as it was: {result.problem}")
        elif sheet.value(row, column).strip().upper() == _EXCUSED:
            left.append(f"{shown(row)} is excused in Canvas and is left so.")
        else:
            marks[row] = roster.written(result.earned * factor, like)
    return marks, replace(
        report,
        left=tuple(left),
        filled=tuple(matched[row].student for row in marks),
        waiting=tuple(matched[row].student for row in marks if matched[row].waiting),
    )


def _student_columns(sheet: Sheet) -> dict[str, int]:
    columns = {name: sheet.header.index(name) for name in _STUDENT_COLUMNS if name in sheet.header}
    if "Student" not in columns or not any(name in columns for name in _IDS):
        raise GradebookError(
            f"{sheet.path} is no gradebook of Canvas: its first row must name Student and ID, and it names "
            f"{', '.join(filter(None, sheet.header)) or 'nothing'}. Export it anew (Grades > Export), in English."
        )
    return columns


def _first_row(sheet: Sheet) -> tuple[int, int]:
    """The first row that may be a student's, and the row of the points possible (0: there is none)."""
    for row in range(1, min(len(sheet.rows), 5)):
        if sheet.value(row, 0).strip().casefold() == _POINTS.strip().casefold():
            return row + 1, row
    return 1, 0


def _assignment_column(sheet: Sheet, title: str) -> int | None:
    def same(name: str) -> bool:
        return " ".join(name.split()).casefold() == " ".join(title.split()).casefold()

    exact = [column for column, name in enumerate(sheet.header) if same(name)]
    numbered = [column for column, name in enumerate(sheet.header) if same(re.sub(r"\s*\(\d+\)$", "", name))]
    found = exact if len(exact) == 1 else sorted({*exact, *numbered})
    if len(found) > 1:
        rivals = " and ".join(sheet.header[column] for column in found)
        raise GradebookError(
            f"{sheet.path} has more than one column {title}: {rivals}. Give the title with its number."
        )
    if found and sheet.header[found[0]] in _STUDENT_COLUMNS:
        raise GradebookError(
            f"{title} is a column of {sheet.path} that says who a student is: give another title."
        )
    return found[0] if found else None


def _new_column(sheet: Sheet, columns: dict[str, int], possible: int) -> int:
    """Before the read-only columns at the end, where Canvas itself puts assignments."""
    first = max(columns.values()) + 1
    for column in range(first, len(sheet.header)):
        if possible and sheet.value(possible, column).strip().casefold() == _READ_ONLY:
            return column
    return len(sheet.header)


def _factor(sheet: Sheet, title: str, points: int, there: str, scale: bool) -> float:
    if not there:
        return 1.0
    possible = roster.number(there)
    if possible is None:
        raise GradebookError(
            f"{sheet.path} has {there} as points possible of {title}, which is no number that can be filled in: "
            "give another title, or export it again."
        )
    if possible == points:
        return 1.0
    if not scale or not possible:
        raise GradebookError(
            f"{title} has {there} points possible in {sheet.path} and {points} in its results: set it to {points} "
            f"in Canvas and export again, or ask for the marks to be scaled."
        )
    return possible / points if points else 1.0
