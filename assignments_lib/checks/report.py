"""What a student reads: a table in JupyterLab and Colab, plain text elsewhere.

Status is a word before it is a colour. What came from the student's code is escaped. A message says what was
given, what was expected, the likely mistake, and where to look, in that order; a traceback stands last, and only
where the student's own code raised.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from assignments_lib.checks.answer import AnswerError, Raised
from assignments_lib.checks.demonstration import Shown, html
from assignments_lib.checks.exercise import Exercise, PartResult, Result
from assignments_lib.checks.registry import Assignment
from assignments_lib.look import BLANK, FINE_PRINT, LINE, PASS, badge_style

_NOT_CHECKED = "NOT CHECKED YET"
_CELL = f"padding:4px 10px;text-align:left;vertical-align:top;border-bottom:1px solid {LINE};"


def badge(status: str) -> str:
    """A status: a word before it is a colour."""
    return f'<span style="{badge_style(status)}">{status}</span>'


def _of(earned: int, points: int) -> str:
    return f"{earned} of {points} {'point' if points == 1 else 'points'}"


def _explanation(part: PartResult, told: set[str]) -> list[tuple[str, str]]:
    """The lines under a part that isn't right: (label, text). What was ``told`` already isn't said again."""
    if part.status == PASS:
        return []
    if part.status == BLANK:
        return [("", text) for text in _new([part.what], told)]
    if part.error is not None and not _new([part.given], told):
        return [("", "It stopped in the same way as above.")]
    lines = [("Looked at", part.what), ("Yours", part.given), ("Expected", part.expected)]
    if part.mistake is not None:
        hint = _new([part.mistake.hint], told) or [f"as above ({part.mistake.name})."]
        lines.append(("Likely mistake", hint[0]))
    lines.append(("Where to look", part.look))
    return [(label, text) for label, text in lines if text]


def _new(texts: list[str], told: set[str]) -> list[str]:
    """Those not told yet; they are from now on."""
    fresh = [text for text in texts if text not in told]
    told.update(fresh)
    return fresh


def own_lines(error: AnswerError | None) -> list[str]:
    """The student's own lines that an error passed through."""
    if not isinstance(error, Raised):
        return []
    return [f"in {f.where}, line {f.line_number}: {f.code}" for f in error.frames if f.code]


def _own_lines(part: PartResult, told: set[str]) -> list[str]:
    """The same, where they weren't told before."""
    lines = own_lines(part.error)
    return lines if lines and _new(["\n".join(lines)], told) else []


@dataclass(frozen=True)
class Report:
    """What one check found, ready to be shown, with pictures where there are some."""

    result: Result
    pictures: tuple[Shown, ...] = ()

    @property
    def earned(self) -> int:
        """Points."""
        return self.result.earned

    def _title(self) -> str:
        exercise = self.result.exercise
        return f"Exercise {exercise.id} ({exercise.title}): {_of(self.result.earned, exercise.points)}"

    def _closing(self) -> list[str]:
        covered = self.result.exercise.not_covered
        return [*self.result.notes, *([f"Not covered by this check: {covered}"] if covered else [])]

    def __repr__(self) -> str:
        lines = [self._title()]
        told: set[str] = set()
        for part in self.result.parts:
            lines.append(f"  {part.status:<13}  {part.earned}/{part.points}  {part.title}")
            for label, text in _explanation(part, told):
                lines.append(_indented(f"{label}: {text}" if label else text))
            lines += [_indented(line) for line in _own_lines(part, told)]
        lines += [_indented(f"Picture, {picture}") for picture in self.pictures]
        lines += [f"  {line}" for line in self._closing()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = []
        told: set[str] = set()
        for part in self.result.parts:
            details = "".join(
                f'<div style="margin-top:3px">{f"<b>{label}:</b> " if label else ""}{escape(text)}</div>'
                for label, text in _explanation(part, told)
            )
            own = _own_lines(part, told)
            if own:
                code = escape("\n".join(own))
                details += (
                    f'<pre style="margin:4px 0 0;white-space:pre-wrap;font-size:{FINE_PRINT}">{code}</pre>'
                )
            points = f"{part.earned} / {part.points}"
            rows.append(row(badge(part.status), points, escape(part.title) + details))
        closing = "".join(
            f'<div style="margin-top:4px;font-size:{FINE_PRINT}">{escape(line)}</div>'
            for line in self._closing()
        )
        pictures = html(self.pictures) if self.pictures else ""
        return table(self._title(), ("Status", "Points", "What is checked"), rows) + pictures + closing


@dataclass(frozen=True)
class Trouble:
    """The check could not be run; ``message`` says why and what to do."""

    exercise: Exercise
    message: str

    @property
    def earned(self) -> int:
        """No points."""
        return 0

    def __repr__(self) -> str:
        return f"Exercise {self.exercise.id} ({self.exercise.title}) was not checked. {self.message}"

    def _repr_html_(self) -> str:
        return f"<p><b>{escape(repr(self))}</b></p>"


@dataclass(frozen=True)
class Summary:
    """The points of one assignment so far."""

    assignment: Assignment
    results: Mapping[str, Result]

    @property
    def earned(self) -> int:
        """Points."""
        return sum(result.earned for result in self.results.values())

    def _rows(self) -> list[tuple[str, str, str]]:
        rows = []
        for task in self.assignment.exercises:
            result = self.results.get(task.id)
            status = result.status if result else _NOT_CHECKED
            earned = str(result.earned) if result else "-"
            rows.append((status, f"{earned} / {task.points}", f"{task.id} {task.title}"))
        return rows

    def _title(self) -> str:
        checked = sum(task.points for task in self.assignment.exercises)
        return f"{self.assignment.title}: {self.earned} of {checked} points from checks so far"

    def _closing(self) -> str:
        by_hand = sum(question.points for question in self.assignment.questions)
        if not by_hand:
            return ""
        names = " and ".join(question.id for question in self.assignment.questions)
        return (
            f"The other {by_hand} of {self.assignment.points} points are for the written questions {names}: "
            "no check covers them, your instructor reads them."
        )

    def __repr__(self) -> str:
        rows = [f"  {status:<15}  {points:>7}  {title}" for status, points, title in self._rows()]
        return "\n".join([self._title(), *rows, f"  {self._closing()}"]).rstrip()

    def _repr_html_(self) -> str:
        rows = [row(badge(status), points, escape(title)) for status, points, title in self._rows()]
        closing = f'<div style="margin-top:4px;font-size:{FINE_PRINT}">{escape(self._closing())}</div>'
        return table(self._title(), ("Status", "Points", "Exercise"), rows) + closing


def row(status: str, points: str, what: str) -> str:
    """A row of `table`: three cells of HTML."""
    return (
        f'<tr><td style="{_CELL}">{status}</td><td style="{_CELL}white-space:nowrap">{points}</td>'
        f'<td style="{_CELL}">{what}</td></tr>'
    )


def table(title: str, columns: tuple[str, ...], rows: list[str]) -> str:
    """A table as HTML; ``title`` is escaped here, ``rows`` are HTML."""
    head = "".join(f'<th scope="col" style="{_CELL}">{column}</th>' for column in columns)
    return (
        '<table style="border-collapse:collapse;margin:4px 0">'
        f'<caption style="caption-side:top;text-align:left;font-weight:600;color:inherit;padding:2px 0">'
        f"{escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _indented(text: str) -> str:
    return textwrap.fill(text, 100, initial_indent=" " * 8, subsequent_indent=" " * 10)
