"""What isn't filled in yet is said to be so, once; a deleted cell is no mistake of the catalogue."""

import pytest
from answers import namespace_of

from assignments_lib.checks import desk
from assignments_lib.checks.answer import Answer, InProcess
from assignments_lib.checks.child import Piped
from assignments_lib.checks.exercise import BLANK, Exercise, evaluate
from assignments_lib.checks.report import Report
from assignments_lib.checks.segmentation import ASSIGNMENT

EXERCISES = [exercise for exercise in ASSIGNMENT.exercises if isinstance(exercise, Exercise)]
SENTENCE = "Exercise {id} is not filled in yet: write it in the cell above."


def blank(exercise: Exercise) -> str:
    """The stubs of an exercise; what has a capital is a class."""
    lines = ["from assignments_lib.not_filled_in import NotFilledIn"]
    for name in exercise.defines:
        stop = f"raise NotFilledIn({SENTENCE.format(id=exercise.id)!r})"
        if name[0].isupper():
            lines += [f"class {name}:", "    def __init__(self, *args, **kwargs):", f"        {stop}"]
        else:
            lines += [f"def {name}(*args, **kwargs):", f"    {stop}"]
    return "\n".join(lines)


def answers(source: str, child: Piped) -> list[Answer]:
    assert child.define([source]) == []
    return [InProcess(namespace_of(source)), child]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_a_blank_exercise(exercise: Exercise, child: Piped) -> None:
    for answer in answers(blank(exercise), child):
        result = evaluate(exercise, answer, seed=3)
        assert result.status == BLANK
        assert {part.status for part in result.parts} == {BLANK}
        assert result.earned == 0
        assert result.mistakes == ()
        assert " ".join(repr(Report(result)).split()).count(SENTENCE.format(id=exercise.id)) == 1


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_a_missing_function(exercise: Exercise, child: Piped) -> None:
    for answer in answers("x = 1", child):
        result = evaluate(exercise, answer, seed=3)
        assert result.earned == 0
        assert result.mistakes == ()
        assert "is not defined" in repr(Report(result))


@pytest.mark.parametrize(
    "exercise", [e for e in EXERCISES if e.demonstrations], ids=lambda exercise: exercise.id
)
def test_a_blank_exercise_shows_its_targets(exercise: Exercise) -> None:
    stubs = namespace_of(blank(exercise))
    report = desk.run_check(ASSIGNMENT, exercise, **{name: stubs[name] for name in exercise.defines})
    assert len(report.pictures) == len(exercise.demonstrations)
    assert all(picture.verdict == "nothing to show yet" for picture in report.pictures)
    desk.forget_results()


@pytest.mark.parametrize("id", ["3.2", "3.3", "3.4", "3.5", "3.7"])
def test_where_the_answer_is_a_picture_it_is_shown(id: str) -> None:
    exercise = ASSIGNMENT.task(id)
    assert isinstance(exercise, Exercise)
    assert exercise.demonstrations
