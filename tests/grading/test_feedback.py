"""One student's page, of real answers: what was told once isn't told again."""

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

from grades import made

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.exercise import Exercise, Namespace, evaluate
from assignments_lib.checks.resnet34 import block, convolution
from assignments_lib.grading.feedback import feedback
from assignments_lib.marking.result import ExerciseMark, Graded, PartMark, QuestionMark
from assignments_lib.marking.score import _mark

EXERCISE = convolution.EXERCISE


def raising(*inputs: Any, **options: Any) -> Any:
    raise TypeError("unsupported operand")


def graded(namespace: Namespace, exercise: Exercise = EXERCISE) -> Graded:
    result = evaluate(exercise, InProcess(namespace), seed=1)
    mark = ExerciseMark(
        exercise.id, exercise.title, exercise.points, result.status, tuple(map(_mark, result.parts))
    )
    return replace(made(), exercises=(mark,), questions=())


def test_an_error_that_stops_every_part_is_told_once() -> None:
    html = feedback(graded(dict.fromkeys(EXERCISE.defines, raising)))
    assert html.count("it stopped with TypeError") == 1
    assert html.count("It stopped in the same way as above.") == len(EXERCISE.parts) - 1
    assert html.count("<pre>") == 1


def test_two_different_errors_are_both_told() -> None:
    parts = tuple(PartMark(word, 1, 0, "FAIL", given=f"it stopped with {word}") for word in ("one", "two"))
    html = feedback(replace(made(), exercises=(replace(made().exercises[0], parts=parts),)))
    assert "it stopped with one" in html
    assert "it stopped with two" in html
    assert "the same way" not in html


def test_every_mistake_is_named_with_its_hint_once() -> None:
    for mistake in EXERCISE.mistakes:
        result = graded(mistake.namespace)
        html = feedback(result)
        hints = {part.hint for part in result.exercises[0].parts if part.hint}
        assert hints
        for hint in hints:
            assert html.count(_escaped(hint)) == 1


def test_a_right_answer_has_full_marks_and_nothing_to_explain() -> None:
    exercise = block.EXERCISE
    html = feedback(graded(exercise.reference(), exercise))
    assert f"{exercise.points} of {exercise.points} points" in html
    assert "Likely mistake" not in html
    assert "Yours" not in html


def test_a_blank_submission_says_so_once_an_exercise() -> None:
    parts = tuple(PartMark(word, 2, 0, "NOT FILLED IN", "Exercise 1.1: write it.") for word in ("one", "two"))
    blank = replace(made().exercises[0], status="NOT FILLED IN", parts=parts, notes=())
    html = feedback(replace(made(), exercises=(blank,), questions=(QuestionMark("Q1", "why", 4, ""),)))
    assert html.count("Exercise 1.1: write it.") == 1
    assert "0 of 10 points" in html
    assert "Q1 why: not filled in" in html
    assert "nobody has read" not in html  # there is nothing to read


def test_headings_skip_no_level_and_every_row_has_a_head() -> None:
    html = feedback(made())
    levels = [int(level) for level in re.findall(r"<h(\d)>", html)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert html.count('<th scope="row">') == html.count("<tr>") - html.count("<thead>")


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#x27;")
