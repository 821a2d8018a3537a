"""Moodle: the marks of one assignment in the instructor's own offline grading worksheet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from assignments_lib.grading import roster
from assignments_lib.grading.roster import GradebookError, Report, Sheet
from assignments_lib.marking.result import Graded

# What Moodle calls its columns in English, and may call them in Korean
_COLUMNS = {
    "identifier": ("Identifier", "식별 번호", "식별번호", "식별자"),
    "name": ("Full name", "성명", "전체 이름", "이름"),
    "number": ("ID number", "ID 번호", "학번"),
    "email": ("Email address", "이메일 주소", "이메일", "전자우편 주소", "메일 주소"),
    "grade": ("Grade", "성적", "점수"),
    "maximum": ("Maximum Grade", "최대 성적", "최고 성적", "최대 점수", "최고 점수"),
    "open": ("Grade can be changed", "성적 변경 가능", "성적을 변경할 수 있음", "성적 수정 가능"),
}
_NO = {"no", "아니오", "아니요"}
# "Full Name_123_assignsubmission_file_", as Moodle names the folders of a download
_FOLDER = re.compile(r"(?P<name>.*)_(?P<number>[0-9]+)_assignsubmission_[a-z]+_?", re.DOTALL)


def fill(
    worksheet_path: str | Path,
    results: Sequence[Graded],
    output_path: str | Path,
    scale: bool = False,
) -> Report:
    """Put the marks into a grading worksheet (Download grading worksheet in Moodle), and change nothing else.

    Students are found by the participant's number and name in the name of the folder that Moodle made, by ID number
    or email address (or the part before the @), else by name; who may be two people gets no mark. A row whose grade
    can't be changed is left as it is.

    Args:
        worksheet_path: with English or Korean headers.
        results: a class's.
        output_path: may be ``worksheet_path``.
        scale: marks are scaled where the maximum grade is another than the assignment's points.

    Raises:
        GradebookError: the file is no worksheet, or not one for these results.
        OSError: it could not be written; the old file is untouched.
    """
    points = roster.points_of(results)
    sheet = roster.read(worksheet_path)
    columns = _columns(sheet)

    def cell(row: int, name: str) -> str:
        return sheet.value(row, columns.get(name)).strip()

    def shown(row: int) -> str:
        who = cell(row, "name") or cell(row, "email")
        return f"{who} ({cell(row, 'identifier')})" if who else cell(row, "identifier")

    def participant(row: int) -> set[str]:
        found = re.search(r"([0-9]+)$", cell(row, "identifier"))
        return {_participant(found[1], cell(row, "name"))} if found else set()

    def ids_of(row: int) -> set[str]:
        email = cell(row, "email")
        texts = (cell(row, "number"), email, email.partition("@")[0])
        return {key for text in texts for key in roster.identity(text)}

    matched, report = roster.match(
        results,
        [row for row in range(1, len(sheet.rows)) if not sheet.blank(row)],
        [
            (_participants_of, participant),
            (lambda result: roster.identity(result.student), ids_of),
            (lambda result: roster.name_keys(_name(result)), lambda row: roster.name_keys(cell(row, "name"))),
        ],
        shown,
    )
    filled, left, waiting = [], [], []
    for row, result in sorted(matched.items()):
        if cell(row, "open").casefold() in _NO:
            left.append(f"{shown(row)} is left as it was: Moodle lets nobody change this grade.")
        elif result.problem:
            left.append(f"{shown(row)} is left as it was: {result.problem}")
        else:
            maximum = cell(row, "maximum")
            factor = _factor(sheet, shown(row), points, maximum, scale)
            sheet.set(row, columns["grade"], roster.written(result.earned * factor, maximum))
            filled.append(result.student)
            waiting += [result.student] if result.waiting else []
    sheet.save(output_path)
    return replace(report, filled=tuple(filled), left=tuple(left), waiting=tuple(waiting))


def _participants_of(result: Graded) -> set[str]:
    """The keys by number and name; by the number alone only where the worksheet hides the names.

    Numbers are an assignment's own, so that in a worksheet of another one the number is somebody else's.
    """
    found = _FOLDER.fullmatch(result.student)
    if not found:
        return set()
    return {_participant(found["number"], found["name"]), _participant(found["number"], "")}


def _participant(number: str, name: str) -> str:
    # Moodle drops some signs from names of folders, so that only letters count
    letters = "".join(sorted(letter for letter in roster.plain(name) if letter.isalnum()))
    return f"{number.lstrip('0')} {letters}"


def _name(result: Graded) -> str:
    found = _FOLDER.fullmatch(result.student)
    return found["name"] if found else result.student


def _columns(sheet: Sheet) -> dict[str, int]:
    header = [" ".join(name.split()).casefold() for name in sheet.header]
    columns = {
        meaning: header.index(name.casefold())
        for meaning, names in _COLUMNS.items()
        for name in reversed(names)
        if name.casefold() in header
    }
    missing = [_COLUMNS[name][0] for name in ("identifier", "grade", "maximum") if name not in columns]
    if missing:
        raise GradebookError(
            f"{sheet.path} is no grading worksheet of Moodle: it has no column {' and no '.join(missing)}, in "
            f"English or Korean, and it has {', '.join(filter(None, sheet.header)) or 'none at all'}. Download it "
            f"anew (View all submissions > Download grading worksheet), in English."
        )
    return columns


def _factor(sheet: Sheet, who: str, points: int, there: str, scale: bool) -> float:
    maximum = roster.number(there)
    if maximum == points:
        return 1.0
    if maximum is None or not maximum:
        raise GradebookError(
            f"{sheet.path} has {there or 'nothing'} as maximum grade of {who}, which is no number that can be "
            f"filled in: give the assignment {points} points in Moodle and download the worksheet again."
        )
    if not scale:
        raise GradebookError(
            f"The maximum grade of {who} is {there} in {sheet.path}, and the assignment has {points} points: set it "
            f"to {points} in Moodle and download the worksheet again, or ask for the marks to be scaled."
        )
    return maximum / points if points else 1.0
