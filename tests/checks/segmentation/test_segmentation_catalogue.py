"""Every mistake of assignment 3 loses points and is named, and a child process shows the same as this one."""

import pytest
from answers import told

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.child import Piped
from assignments_lib.checks.exercise import PASS, Exercise, Mistake, evaluate
from assignments_lib.checks.segmentation import ASSIGNMENT

EXERCISES = [exercise for exercise in ASSIGNMENT.exercises if isinstance(exercise, Exercise)]
SEED = 7

CATALOGUE = [
    pytest.param(exercise, number, id=f"{exercise.id}-{mistake.name}")
    for exercise in EXERCISES
    for number, mistake in enumerate(exercise.mistakes)
]


@pytest.mark.slow
@pytest.mark.parametrize(("exercise", "number"), CATALOGUE)
def test_a_mistake_loses_points_and_is_named(exercise: Exercise, number: int, child: Piped) -> None:
    mistake: Mistake = exercise.mistakes[number]
    here = evaluate(exercise, InProcess(mistake.namespace), SEED)
    assert here.earned < exercise.points
    assert mistake in here.mistakes
    source = (
        "from assignments_lib.checks.segmentation import ASSIGNMENT\n"
        f"globals().update(ASSIGNMENT.task({exercise.id!r}).mistakes[{number}].namespace)"
    )
    assert child.define([source]) == []
    there = evaluate(exercise, child, SEED)
    assert [told(part) for part in there.parts] == [told(part) for part in here.parts]


@pytest.mark.parametrize(
    "exercise", [exercise for exercise in EXERCISES if exercise.reference()], ids=lambda e: e.id
)
def test_the_reference_gets_full_marks(exercise: Exercise) -> None:
    for seed in range(20, 25):
        result = evaluate(exercise, InProcess(exercise.reference()), seed)
        assert {part.status for part in result.parts} == {PASS}


# The list of what people get wrong most often, and the entries of the catalogue that stand for it.
TYPICAL = {
    "weight.T.reshape instead of weight[:, :, None, None]": [("3.1", "the weight transposed and reshaped")],
    "bias not copied": [("3.1", "the bias not copied")],
    "a fresh layer copied, or a global one": [
        ("3.1", "a fresh layer"),
        ("3.1", "another layer than the argument"),
    ],
    "the copy not a Parameter": [
        ("3.1", "weights that are no parameters"),
        ("3.1", "a weight that is no parameter"),
    ],
    "sharing storage": [("3.1", "weight and bias shared with fc")],
    "softmax before cross-entropy": [("3.5", "softmax before the cross-entropy")],
    "one-hot target": [("3.5", "one-hot masks with 255 in them")],
    "arg max over the wrong axis": [("3.5", "arg max over the batch"), ("3.5", "arg max over the columns")],
    "grey values taken for class ids": [("3.3", "grey values taken for class numbers")],
    "255 not ignored": [("3.5", "255 taken for a class")],
    "255 kept as a class": [("3.5", "255 kept as a class of its own")],
    "IoU pooled over classes": [("3.3", "pooled over the classes")],
    "absent class 0 or 1": [("3.3", "an absent class counts as 0"), ("3.3", "an absent class counts as 1")],
    "union without subtracting the intersection": [("3.3", "intersection not subtracted")],
    "mean of per-image IoU": [("3.3", "mean of the pictures' mIoU")],
    "bilinear resize of label maps": [("3.3", "label maps resized bilinearly")],
    "align_corners mismatch": [("3.2", "align_corners=True"), ("3.5", "align_corners=True")],
    "nearest upsampling of logits": [("3.5", "nearest neighbour")],
    "transposed convolution sizes off by one": [("3.4", "one short"), ("3.5", "enlarged to whole units")],
    "kernel normalised wrongly": [
        ("3.4", "kernel normalised to sum 1"),
        ("3.5", "kernel normalised to a sum of 1"),
    ],
    "features added before they are scored": [("3.5", "features added before they are scored")],
    "skips in the wrong order or from the wrong stage": [
        ("3.5", "skips in the wrong order"),
        ("3.5", "skips one stage too fine"),
    ],
    "crop at the corner and not the centre": [
        ("3.5", "cropped at the corner"),
        ("3.7", "cropped at the corner"),
    ],
    "dilation without matching padding": [("3.6", "padding left at 1")],
    "dilating but leaving the stride": [("3.6", "stride left")],
    "first block of a dilated stage left at the old rate": [("3.6", "first block left at the old rate")],
    "BatchNorm updated by an evaluation pass": [
        ("3.5", "left in training mode"),
        ("3.2", "left in training mode"),
    ],
    "odd sizes dropped silently": [("3.5", "odd sizes rounded down"), ("3.7", "an even size for an odd one")],
}


@pytest.mark.parametrize("typical", TYPICAL)
def test_what_people_get_wrong_most_often_is_in_the_catalogue(typical: str) -> None:
    catalogue = {(exercise.id, mistake.name) for exercise in EXERCISES for mistake in exercise.mistakes}
    assert set(TYPICAL[typical]) <= catalogue


def test_the_catalogue_is_large_and_its_words_are_its_own() -> None:
    mistakes = [mistake for exercise in EXERCISES for mistake in exercise.mistakes]
    assert len(mistakes) >= 25
    for exercise in EXERCISES:
        names = [mistake.name for mistake in exercise.mistakes]
        assert len(set(names)) == len(names)
    assert all(mistake.hint.endswith((".", "?", ")")) for mistake in mistakes)


def test_points_and_ids() -> None:
    ids = [exercise.id for exercise in ASSIGNMENT.exercises]
    assert ids == [f"3.{n}" for n in range(1, 1 + len(ids))]
    assert list(ASSIGNMENT.exercises) == EXERCISES
    assert ASSIGNMENT.points == sum(task.points for task in (*ASSIGNMENT.exercises, *ASSIGNMENT.questions))
    for exercise in EXERCISES:
        assert all(part.points > 0 and part.look for part in exercise.parts)
        assert set(exercise.builds_on) <= set(ids[: ids.index(exercise.id)])
