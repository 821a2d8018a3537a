"""Correct answers to assignment 2 in other styles get full marks, here and in a child process."""

import pytest
from answers import answered, answers_to, namespace_of
from augmentation_variants import VARIANTS

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.augmentation import ASSIGNMENT
from assignments_lib.checks.child import Piped
from assignments_lib.checks.exercise import Exercise, evaluate
from assignments_lib.checks.report import Report

EXERCISES = [exercise for exercise in ASSIGNMENT.exercises if isinstance(exercise, Exercise)]


def test_there_are_enough_variants() -> None:
    assert len(VARIANTS) >= 6
    assert len(answers_to(EXERCISES, VARIANTS)) >= 9 * len(VARIANTS)


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "exercise"), answers_to(EXERCISES, VARIANTS))
def test_a_correct_answer_gets_full_marks(variant: str, exercise: Exercise) -> None:
    namespace = namespace_of(VARIANTS[variant])
    for seed in range(10, 14):
        result = evaluate(exercise, InProcess(namespace), seed)
        assert result.earned == exercise.points, Report(result)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_correct_answer_gets_full_marks_in_a_child(variant: str, child: Piped) -> None:
    assert child.define([VARIANTS[variant]]) == []
    for exercise in (exercise for exercise in EXERCISES if answered(exercise, VARIANTS[variant])):
        result = evaluate(exercise, child, seed=11)
        assert result.earned == exercise.points, Report(result)
