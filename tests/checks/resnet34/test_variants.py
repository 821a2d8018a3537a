"""Correct answers in other styles get full marks, here and in a child process; hard-coded ones don't."""

import pytest
from answers import answered, answers_to, namespace_of
from resnet34_variants import VARIANTS

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.child import Piped
from assignments_lib.checks.exercise import Exercise, Observation, _expected, _same, evaluate
from assignments_lib.checks.report import Report
from assignments_lib.checks.resnet34 import ASSIGNMENT

EXERCISES = [exercise for exercise in ASSIGNMENT.exercises if isinstance(exercise, Exercise)]
# Full networks take seconds; what is small is tried with more seeds.
SEEDS = {"1.4": (11,), "1.5": (11, 12), "1.6": (11,), "1.8": (11,)}
# Through a pipe full networks take longest: these three have the most of their own making.
IN_FULL = ("handmade", "convolutional_head", "wrapped")


def test_there_are_enough_variants() -> None:
    assert len(VARIANTS) >= 8
    assert len(answers_to(EXERCISES, VARIANTS)) >= 8 * len(VARIANTS)


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "exercise"), answers_to(EXERCISES, VARIANTS))
def test_a_correct_answer_gets_full_marks(variant: str, exercise: Exercise) -> None:
    namespace = namespace_of(VARIANTS[variant])
    for seed in SEEDS.get(exercise.id, range(10, 15)):
        result = evaluate(exercise, InProcess(namespace), seed)
        assert result.earned == exercise.points, Report(result)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_correct_answer_gets_full_marks_in_a_child(variant: str, child: Piped) -> None:
    assert child.define([VARIANTS[variant]]) == []
    for exercise in (exercise for exercise in EXERCISES if answered(exercise, VARIANTS[variant])):
        if exercise.id not in SEEDS or variant in IN_FULL:
            result = evaluate(exercise, child, seed=11)
            assert result.earned == exercise.points, Report(result)


# An exercise and a line of the textbook variant, made to work for the usual numbers only.
HARD_CODED = [
    (
        "1.1",
        "    return (size + 2",
        "    if size == 224:\n        return 112\n    return 9\n    return (size + 2",
    ),
    (
        "1.2",
        "        shortcut = x if",
        "        if x.shape[1] % 64:\n            return x\n        shortcut = x if",
    ),
    ("1.3", "    blocks = [", "    assert in_channels in (64, 128, 256)\n    blocks = ["),
    ("1.7", "    return total / count, right", "    count = 40\n    return total / count, right"),
]


@pytest.mark.parametrize(("id", "right", "wrong"), HARD_CODED, ids=[id for id, _, _ in HARD_CODED])
def test_an_answer_for_the_usual_numbers_only_loses_points(id: str, right: str, wrong: str) -> None:
    exercise = ASSIGNMENT.task(id)
    assert isinstance(exercise, Exercise)
    assert right in VARIANTS["textbook"]
    namespace = namespace_of(VARIANTS["textbook"].replace(right, wrong))
    assert evaluate(exercise, InProcess(namespace), seed=3).earned < exercise.points


@pytest.mark.parametrize("id", ["1.1", "1.2", "1.3", "1.7"])
def test_what_is_right_with_one_seed_is_wrong_with_another(id: str) -> None:
    exercise = ASSIGNMENT.task(id)
    assert isinstance(exercise, Exercise)
    varying = [p for p in exercise.parts if not _alike(_expected(exercise, p, 1), _expected(exercise, p, 2))]
    assert sum(part.points for part in varying) > exercise.points / 2


def _alike(one: list[Observation], other: list[Observation]) -> bool:
    return len(one) == len(other) and all(
        what == other_what and _same(seen, other_seen)
        for (what, seen), (other_what, other_seen) in zip(one, other, strict=True)
    )
