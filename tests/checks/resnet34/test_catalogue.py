"""Every mistake of the catalogue loses points and is named, and a child process shows the same as this one."""

import pytest
from answers import told

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.child import Piped
from assignments_lib.checks.exercise import PASS, Exercise, Mistake, Result, evaluate
from assignments_lib.checks.resnet34 import ASSIGNMENT

EXERCISES = [exercise for exercise in ASSIGNMENT.exercises if isinstance(exercise, Exercise)]
SEED = 7

CATALOGUE = [
    pytest.param(exercise, number, id=f"{exercise.id}-{mistake.name}")
    for exercise in EXERCISES
    for number, mistake in enumerate(exercise.mistakes)
]


def in_a_child(child: Piped, exercise: Exercise, number: int) -> Result:
    source = (
        "from assignments_lib.checks.resnet34 import ASSIGNMENT\n"
        f"globals().update(ASSIGNMENT.task({exercise.id!r}).mistakes[{number}].namespace)"
    )
    assert child.define([source]) == []
    return evaluate(exercise, child, SEED)


@pytest.mark.slow
@pytest.mark.parametrize(("exercise", "number"), CATALOGUE)
def test_a_mistake_loses_points_and_is_named_here_and_in_a_child(
    exercise: Exercise, number: int, child: Piped
) -> None:
    mistake: Mistake = exercise.mistakes[number]
    here = evaluate(exercise, InProcess(mistake.namespace), SEED)
    assert here.earned < exercise.points
    assert mistake in here.mistakes
    there = in_a_child(child, exercise, number)
    assert [told(part) for part in there.parts] == [told(part) for part in here.parts]


@pytest.mark.parametrize(
    "exercise", [exercise for exercise in EXERCISES if exercise.reference()], ids=lambda e: e.id
)
def test_the_reference_gets_full_marks(exercise: Exercise) -> None:
    result = evaluate(exercise, InProcess(exercise.reference()), SEED)
    assert result.status == PASS
    assert result.earned == exercise.points


# What the course's authors found in students' work, and the mistakes that stand for it.
FOUND_IN_STUDENTS_WORK = {
    "ReLU before the addition": [("1.2", "ReLU before the addition")],
    "no ReLU after it": [("1.2", "no ReLU after the addition")],
    "ReLU on the projection": [("1.2", "ReLU on the projection")],
    "no projection": [("1.2", "no projection")],
    "3x3 projection": [("1.2", "3x3 projection")],
    "projection without BatchNorm": [("1.2", "projection without BatchNorm")],
    "a projection on every shortcut, in stage 1 too": [
        ("1.2", "projection on every shortcut"),
        ("1.4", "projection in the first stage"),
    ],
    "stride in the wrong convolution, in both, or outside the block": [
        ("1.2", "stride in the second convolution"),
        ("1.2", "stride in both convolutions"),
        ("1.2", "stride in one of the two paths only"),
    ],
    "skip connections not accumulated": [("1.3", "skip connections not accumulated")],
    "stage block counts off": [
        ("1.3", "one block too many"),
        ("1.3", "one block too few"),
        ("1.4", "one block too few in the third stage"),
        ("1.4", "the block counts of ResNet18"),
    ],
    "layers kept in a plain list": [("1.3", "blocks in a plain list"), ("1.4", "stages in a plain list")],
    "one block object reused": [("1.3", "one block object used again and again")],
    "fc hard-coded to 10 classes": [("1.4", "fc hard-coded to 10 classes")],
    "fc hard-coded to one input size": [("1.4", "fc tied to one input size")],
    "squeeze() that drops a batch of 1": [("1.4", "squeeze drops a batch of one")],
    "softmax before cross-entropy": [
        ("1.4", "softmax at the end"),
        ("1.7", "softmax before cross-entropy"),
    ],
    "average pool fixed at 7": [("1.4", "average pooling fixed at 7x7")],
    "weights zeroed output": [("1.2", "zeroed output"), ("1.2", "zeroed residual")],
    "wrong initialisation fan": [("1.5", "fan-in instead of fan-out")],
    "only fc.weight unfrozen": [("1.8", "only the head's weight learns")],
    "BatchNorm left in train mode when evaluating": [
        ("1.7", "BatchNorm left in training mode when evaluating"),
        ("1.8", "BatchNorm left in training mode"),
    ],
    "zero_grad missing": [("1.7", "zero_grad missing")],
    "mean of batch means": [("1.7", "mean of batch means"), ("1.7", "mean of batch losses when evaluating")],
    "loss kept with its graph": [("1.7", "loss kept with its graph")],
}


@pytest.mark.parametrize("found", FOUND_IN_STUDENTS_WORK)
def test_what_students_really_did_is_in_the_catalogue(found: str) -> None:
    catalogue = {(exercise.id, mistake.name) for exercise in EXERCISES for mistake in exercise.mistakes}
    assert set(FOUND_IN_STUDENTS_WORK[found]) <= catalogue


def test_the_catalogue_is_large_and_its_words_are_its_own() -> None:
    mistakes = [mistake for exercise in EXERCISES for mistake in exercise.mistakes]
    assert len(mistakes) >= 20
    for exercise in EXERCISES:
        names = [mistake.name for mistake in exercise.mistakes]
        assert len(set(names)) == len(names)
    assert all(mistake.hint.endswith((".", "?", ")")) for mistake in mistakes)


def test_points_and_ids() -> None:
    ids = [exercise.id for exercise in ASSIGNMENT.exercises]
    assert ids == [f"1.{n}" for n in range(1, 1 + len(ids))]
    assert list(ASSIGNMENT.exercises) == EXERCISES
    assert ASSIGNMENT.points == sum(task.points for task in (*ASSIGNMENT.exercises, *ASSIGNMENT.questions))
    everything = [task.id for task in (*ASSIGNMENT.exercises, *ASSIGNMENT.questions)]
    assert len(set(everything)) == len(everything)
    for id in everything:
        assert ASSIGNMENT.task(id).id == id
    for exercise in ASSIGNMENT.exercises:
        assert all(part.points > 0 and part.look for part in exercise.parts)
        assert set(exercise.builds_on) <= set(ids[: ids.index(exercise.id)])
