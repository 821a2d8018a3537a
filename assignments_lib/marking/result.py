"""What grading one submission gives: marks part by part, as plain data that can be written down and read again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

FORMAT = 1  # of the JSON; a result of another format is graded anew


@dataclass(frozen=True)
class PartMark:
    """One part of an exercise. All but the first four are words for the student, and empty where it passed.

    ``lines`` are the student's own lines that an error passed through.
    """

    title: str
    points: int
    earned: int
    status: str  # PASS, FAIL or NOT FILLED IN, as at the desk
    what: str = ""
    given: str = ""
    expected: str = ""
    mistake: str = ""  # the name of the mistake, as in the catalogue
    hint: str = ""
    look: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExerciseMark:
    """One exercise, part by part; ``seconds`` is how long its check took."""

    id: str
    title: str
    points: int
    status: str
    parts: tuple[PartMark, ...]
    notes: tuple[str, ...] = ()
    not_covered: str = ""
    seconds: float = 0.0

    @property
    def earned(self) -> int:
        """Points."""
        return sum(part.earned for part in self.parts)


@dataclass(frozen=True)
class QuestionMark:
    """One written question: the student's words, and what a person gave for them (None: nobody has read it yet)."""

    id: str
    title: str
    points: int
    answer: str
    earned: float | None = None
    comment: str = ""


@dataclass(frozen=True)
class Graded:
    """What grading one submission gave.

    ``problem`` is empty, or says in a sentence why nothing could be graded. ``remarks`` tell the student what was
    missing, doubled or passed over; ``warnings`` are for the instructor's eyes only. ``seed`` is what the inputs of
    the checks were drawn from, recorded for the appeal; ``digest`` is the SHA-256 of the submission's file.
    """

    student: str
    assignment: str
    title: str
    file: str
    digest: str
    seed: int
    exercises: tuple[ExerciseMark, ...]
    questions: tuple[QuestionMark, ...] = ()
    problem: str = ""
    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    key: str = ""  # of what it was graded with; a result with another key is out of date
    format: int = field(default=FORMAT)

    @property
    def points(self) -> int:
        """Full marks, written questions included."""
        return sum(each.points for each in self.exercises) + sum(each.points for each in self.questions)

    @property
    def earned(self) -> float:
        """Points, written questions included as far as they are marked."""
        return sum(each.earned for each in self.exercises) + sum(each.earned or 0 for each in self.questions)

    @property
    def waiting(self) -> tuple[QuestionMark, ...]:
        """The questions that were answered and that nobody has marked yet."""
        return tuple(question for question in self.questions if question.earned is None and question.answer)

    def marked(self, question: str, earned: float | None, comment: str) -> Graded:
        """The same with a question's mark, given by a person."""
        return replace(
            self,
            questions=tuple(
                replace(each, earned=earned, comment=comment) if each.id == question else each
                for each in self.questions
            ),
        )


def to_json(graded: Graded) -> str:
    """The result as text, for people and for `from_json`."""
    return json.dumps(asdict(graded), ensure_ascii=False, indent=1) + "\n"


def from_json(text: str) -> Graded:
    """The result that `to_json` was given.

    Raises:
        ValueError: the text is no such result, or one of another format.
    """
    try:
        found: dict[str, Any] = json.loads(text)
        if found["format"] != FORMAT:
            raise ValueError(f"it has format {found['format']}, not {FORMAT}")
        return Graded(
            **found
            | {
                "exercises": tuple(_exercise(each) for each in found["exercises"]),
                "questions": tuple(QuestionMark(**each) for each in found["questions"]),
                "remarks": tuple(found["remarks"]),
                "warnings": tuple(found["warnings"]),
            }
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is no result of grading ({type(error).__name__}: {error})") from None


def _exercise(found: dict[str, Any]) -> ExerciseMark:
    parts = tuple(PartMark(**each | {"lines": tuple(each["lines"])}) for each in found["parts"])
    return ExerciseMark(**found | {"parts": parts, "notes": tuple(found["notes"])})
