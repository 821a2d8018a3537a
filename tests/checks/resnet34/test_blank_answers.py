"""What isn't filled in yet is said to be so, once, and nothing else is."""

import pytest
from answers import namespace_of
from resnet34_variants import VARIANTS

from assignments_lib.checks.answer import Answer, InProcess
from assignments_lib.checks.child import Piped
from assignments_lib.checks.exercise import BLANK, FAIL, PASS, Exercise, evaluate
from assignments_lib.checks.report import Report
from assignments_lib.checks.resnet34 import ASSIGNMENT

EXERCISES = [exercise for exercise in ASSIGNMENT.exercises if isinstance(exercise, Exercise)]
SENTENCE = "Exercise {id} is not filled in yet: write it in the cell above."


def blank(exercise: Exercise, *, as_classes: bool = False) -> str:
    """The stubs of an exercise, as functions, or as classes that can't be made yet."""
    lines = ["from assignments_lib.not_filled_in import NotFilledIn"]
    for name in exercise.defines:
        stop = f"raise NotFilledIn({SENTENCE.format(id=exercise.id)!r})"
        if as_classes:
            lines += [f"class {name}:", "    def __init__(self, *args, **kwargs):", f"        {stop}"]
        else:
            lines += [f"def {name}(*args, **kwargs):", f"    {stop}"]
    return "\n".join(lines)


def answers(source: str, child: Piped) -> list[Answer]:
    assert child.define([source]) == []
    return [InProcess(namespace_of(source)), child]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
@pytest.mark.parametrize("as_classes", [False, True], ids=["functions", "classes"])
def test_a_blank_exercise(exercise: Exercise, as_classes: bool, child: Piped) -> None:
    for answer in answers(blank(exercise, as_classes=as_classes), child):
        result = evaluate(exercise, answer, seed=3)
        assert result.status == BLANK
        assert {part.status for part in result.parts} == {BLANK}
        assert result.earned == 0
        assert result.mistakes == ()
        sentence = SENTENCE.format(id=exercise.id)
        assert " ".join(repr(Report(result)).split()).count(sentence) == 1
        assert Report(result)._repr_html_().count(sentence) == 1
        assert "Traceback" not in repr(Report(result))


def test_a_stage_of_blank_blocks_names_the_block(child: Piped) -> None:
    stage, block = ASSIGNMENT.task("1.3"), ASSIGNMENT.task("1.2")
    assert isinstance(stage, Exercise)
    assert isinstance(block, Exercise)
    source = f"{VARIANTS['textbook']}\n{blank(block)}"
    for answer in answers(source, child):
        result = evaluate(stage, answer, seed=3)
        assert result.status == BLANK
        assert {part.what for part in result.parts} == {SENTENCE.format(id="1.2")}


def test_one_function_of_two_is_blank(child: Piped) -> None:
    loops = ASSIGNMENT.task("1.7")
    assert isinstance(loops, Exercise)
    source = f"{blank(loops)}\nstub = evaluate\n{VARIANTS['textbook']}\nevaluate = stub"
    for answer in answers(source, child):
        result = evaluate(loops, answer, seed=3)
        assert result.status == FAIL  # of the exercise; each part says what it is
        assert [part.status for part in result.parts] == [PASS] * 5 + [BLANK] * 4
        assert result.earned == sum(part.points for part in loops.parts[:5])
        assert result.mistakes == ()


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_a_missing_function_is_no_mistake_of_the_catalogue(exercise: Exercise, child: Piped) -> None:
    """A cell was deleted: nothing is known of what the student would have done wrong."""
    for answer in answers("x = 1", child):
        result = evaluate(exercise, answer, seed=3)
        assert result.earned == 0
        assert result.mistakes == ()
        assert "is not defined" in repr(Report(result))
