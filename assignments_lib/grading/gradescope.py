"""Gradescope: one submission's marks as the `results.json` of an autograder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from assignments_lib.atomic import write_atomically
from assignments_lib.marking.result import ExerciseMark, Graded, PartMark, QuestionMark

Visibility = Literal["visible", "hidden", "after_due_date", "after_published"]

_PASS = "PASS"


def results(graded: Graded, visibility: Visibility = "visible") -> dict[str, Any]:
    """What Gradescope shows: a test for each part of each exercise and for each written question.

    Everything is declared as plain text, so that Gradescope escapes what a student wrote. ``warnings`` are for the
    instructor and don't go in; seed and digest are ``extra_data``, which Gradescope keeps and doesn't show.

    Args:
        graded: the submission's result.
        visibility: when the student sees it, in Gradescope's words.
    """
    tests = [test for exercise in graded.exercises for test in _parts(exercise)]
    # Where nothing could be graded nobody knows whether they were answered
    tests += [_question(question) for question in graded.questions if not graded.problem]
    for test in tests:
        test |= {"output_format": "text", "visibility": visibility}
    waiting = ", ".join(question.id for question in graded.waiting)
    told = [
        graded.problem,
        *graded.remarks,
        f"Not marked yet, as a person reads it: {waiting}." if waiting else "",
    ]
    return {
        "score": graded.earned,
        "output": "\n".join(filter(None, told)),
        "output_format": "text",
        "visibility": visibility,
        "tests": tests,
        "extra_data": {"seed": graded.seed, "digest": graded.digest},
    }


def write(graded: Graded, path: str | Path, visibility: Visibility = "visible") -> None:
    """Write `results` as the JSON file that Gradescope reads (`/autograder/results/results.json`).

    Raises:
        OSError: it could not be written; the old file is untouched.
    """
    text = json.dumps(results(graded, visibility), ensure_ascii=False, indent=1, allow_nan=False)
    # Half of a surrogate pair, as from a damaged file name, is no text to Gradescope
    write_atomically(path, text.encode("utf-8", "replace") + b"\n")


def _parts(exercise: ExerciseMark) -> Iterator[dict[str, Any]]:
    notes = [*exercise.notes, exercise.not_covered]
    name = f"{exercise.id} {exercise.title}"
    if not exercise.parts:
        yield _test(exercise.id, name, exercise.status, exercise.earned, exercise.points, notes)
    for place, part in enumerate(exercise.parts, 1):
        yield _test(
            f"{exercise.id}.{place}",
            f"{name}: {part.title}",
            part.status,
            part.earned,
            part.points,
            [*_explained(part), *(notes if place == len(exercise.parts) else ())],
        )


def _test(
    number: str, name: str, status: str, earned: float, points: int, output: list[str]
) -> dict[str, Any]:
    return {
        "number": number,
        "name": name,
        "score": earned,
        "max_score": points,
        "status": "passed" if status == _PASS else "failed",
        "output": "\n".join(filter(None, [status, *output])),
    }


def _explained(part: PartMark) -> Iterator[str]:
    """The words under a part that isn't right, as at the desk."""
    for label, text in (
        ("Looked at", part.what),
        ("Yours", part.given),
        ("Expected", part.expected),
        ("Likely mistake", part.hint),
        ("Where to look", part.look),
        ("Your lines", "\n".join(part.lines)),
    ):
        if text:
            yield f"{label}:\n{text}" if "\n" in text else f"{label}: {text}"


def _question(question: QuestionMark) -> dict[str, Any]:
    name = f"{question.id} {question.title}"
    if question.earned is None and question.answer:
        # Without a score, as a 0 would be shown as failed
        output = f"Not marked yet, as a person reads it ({question.points} points)."
        return {
            "number": question.id,
            "name": name,
            "output": "\n".join(filter(None, [output, question.comment])),
        }
    earned = question.earned or 0
    status = _PASS if earned >= question.points else "" if question.answer else "Not answered."
    test = _test(question.id, name, status, earned, question.points, [question.comment])
    return test
