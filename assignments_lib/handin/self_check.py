"""What the grader would give for a notebook as it is saved: the same code as the grader's, in a process of its own."""

from __future__ import annotations

import secrets
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from assignments_lib.checks.report import badge, row, table
from assignments_lib.handin import blanks
from assignments_lib.look import BLANK, FAIL, FINE_PRINT, PASS
from assignments_lib.marking.mark import mark
from assignments_lib.marking.reading import Unreadable, notebooks
from assignments_lib.marking.result import ExerciseMark, Graded, PartMark, QuestionMark
from assignments_lib.marking.room import NoSandbox
from assignments_lib.training.randomness import undisturbed

NOT_READ = "NOT READ YET"


@dataclass(frozen=True)
class Preview:
    """What the grader would give, ready to be shown; ``notes`` stand first."""

    graded: Graded
    notes: tuple[str, ...] = ()

    @property
    def all_right(self) -> bool:
        """Whether every check passed and no written question is blank."""
        return all(each.status == PASS for each in self.graded.exercises) and all(
            question.answer for question in self.graded.questions
        )

    @property
    def blank(self) -> tuple[str, ...]:
        """The exercises and questions that are still blank."""
        exercises = [each.id for each in self.graded.exercises if each.status == BLANK]
        return (*exercises, *(each.id for each in self.graded.questions if not each.answer))

    def _tasks(self) -> list[ExerciseMark | QuestionMark]:
        return [*self.graded.exercises, *self.graded.questions]

    def _title(self) -> str:
        checked = sum(each.points for each in self.graded.exercises)
        earned = sum(each.earned for each in self.graded.exercises)
        return f"{self.graded.title}, as the grader would mark this file: {earned} of {checked} points from checks"

    def _closing(self) -> Iterator[str]:
        """What isn't in the table."""
        if self.blank:
            yield f"Still blank: {', '.join(self.blank)}."
        written = sum(question.points for question in self.graded.questions)
        if written:
            names = " and ".join(question.id for question in self.graded.questions)
            yield (
                f"Not covered: the {written} points for {names}, which a person reads; and experiments, which are not "
                "run for marks."
            )
        for each in self.graded.exercises:
            if each.not_covered:
                yield f"Not covered by the check of {each.id}: {each.not_covered}"
        yield "The grader draws its inputs anew: what passes only sometimes here may fail there."

    def __repr__(self) -> str:
        if self.graded.problem:
            return _filled("", self.graded.problem)
        lines = [*(_filled("", note) for note in (*self.notes, *self.graded.remarks)), self._title()]
        for each in self._tasks():
            lines.append(f"  {_status(each):<16}  {_points(each):>7}  {each.id} {each.title}")
            lines += [_filled(" " * 8, words) for words in _told(each)]
        return "\n".join([*lines, *(_filled("  ", line) for line in self._closing())])

    def _repr_html_(self) -> str:
        if self.graded.problem:
            return f"<p><b>{escape(self.graded.problem)}</b></p>"
        before = "".join(f"<div>{escape(note)}</div>" for note in (*self.notes, *self.graded.remarks))
        rows = [
            row(
                badge(_status(each)),
                _points(each),
                escape(f"{each.id} {each.title}")
                + "".join(f'<div style="margin-top:3px">{escape(words)}</div>' for words in _told(each)),
            )
            for each in self._tasks()
        ]
        after = "".join(
            f'<div style="margin-top:4px;font-size:{FINE_PRINT}">{escape(line)}</div>'
            for line in self._closing()
        )
        return before + table(self._title(), ("Status", "Points", "Exercise"), rows) + after


def preview_of(name: str, data: bytes, expected: str = "", notes: tuple[str, ...] = ()) -> Preview:
    """Mark a notebook, or the zip that `pack` made of it, as the grader would.

    Args:
        name: the file's name.
        data: its bytes.
        expected: the assignment that it must be of, such as "1_resnet34"; any where it is empty.
        notes: what to say before the marks.

    Raises:
        Unreadable: it can't be read, or is of no assignment.
    """
    notebook, *more = notebooks(name, data)
    if more:
        raise Unreadable(f"{name} holds several notebooks. Name one of them.")
    release = blanks.released(expected) if expected else blanks.of(notebook)
    with NoSandbox() as room, undisturbed():
        return Preview(mark(release, "", [(name, data)], secrets.randbelow(2**31), room), notes)


def _status(each: ExerciseMark | QuestionMark) -> str:
    if isinstance(each, ExerciseMark):
        return each.status
    return NOT_READ if each.answer else BLANK


def _points(each: ExerciseMark | QuestionMark) -> str:
    return f"{each.earned if isinstance(each, ExerciseMark) else '-'} / {each.points}"


def _told(each: ExerciseMark | QuestionMark) -> Iterator[str]:
    """For an exercise that isn't right: its notes, and of each part that failed the likely mistake or what was seen."""
    if not isinstance(each, ExerciseMark) or each.status != FAIL:
        return
    yield from each.notes
    told: set[str] = set()
    for part in each.parts:
        if part.status != PASS:
            words = _why(part)
            again = not words or words in told
            yield f"{part.status}: {part.title}{'' if again else f'. {words}'}"
            told.add(words)


def _why(part: PartMark) -> str:
    if part.status == BLANK:
        return ""
    if part.hint:
        return f"Likely mistake: {part.hint}"
    return f"Yours: {part.given}" + (f"; expected: {part.expected}" if part.expected else "")


def _filled(indent: str, text: str) -> str:
    return textwrap.fill(text, 100, initial_indent=indent, subsequent_indent=indent)
