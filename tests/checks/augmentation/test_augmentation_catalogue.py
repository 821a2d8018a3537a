"""Every mistake of assignment 2 loses points and is named, and a child process shows the same as this one."""

import pytest
from answers import told

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.augmentation import ASSIGNMENT
from assignments_lib.checks.child import Piped
from assignments_lib.checks.exercise import PASS, Exercise, Mistake, evaluate

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
        "from assignments_lib.checks.augmentation import ASSIGNMENT\n"
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


# What people get wrong most often, and the entries of the catalogue that stand for it.
TYPICAL = {
    "normalised before scaling to [0, 1]": [("2.1", "normalised before scaling")],
    "mean and std swapped": [("2.1", "mean and std swapped")],
    "uint8 divided in place": [("2.1", "uint8 divided in place")],
    "flipped on the wrong axis": [("2.2", "flipped upside down")],
    "a crop that can't reach the last row or column": [
        ("2.2", "the last row and column can't be reached"),
        ("2.2", "the last column can't be reached"),
        ("2.2", "the last row can't be reached"),
    ],
    "rotated in the wrong direction, or in degrees for radians": [
        ("2.2", "turned the wrong way"),
        ("2.2", "degrees taken for radians"),
    ],
    "aspect ratio lost on non-square images": [("2.2", "aspect ratio lost")],
    "one draw for the whole batch": [
        ("2.2", "one coin for the batch when flipping"),
        ("2.2", "one position for the batch"),
        ("2.4", "one draw for the batch"),
        ("2.5", "one draw for the whole batch"),
        ("2.7", "one draw for the whole batch"),
    ],
    "a generator of which every worker has a copy": [
        ("2.2", "a generator of its own"),
        ("2.4", "a generator of its own"),
        ("2.5", "a generator of its own"),
        ("2.6", "MixUp: a generator of its own"),
        ("2.7", "a generator of its own"),
    ],
    "brightness not clamped": [("2.3", "not clamped")],
    "contrast about 0": [("2.3", "contrast about 0")],
    "an even blur kernel": [("2.3", "even kernel")],
    "blur that darkens the border": [("2.3", "darker border")],
    "the input changed in place": [("2.3", "written into the input"), ("2.4", "written into the input")],
    "mask not flipped, or drawn separately": [("2.4", "mask not mirrored"), ("2.4", "mask drawn separately")],
    "bilinear on masks": [("2.4", "bilinear on masks")],
    "corners filled with class 0": [("2.4", "corners filled with class 0")],
    "mask cast to float": [("2.4", "mask as float")],
    "erased outside the picture": [("2.5", "cut off at the edge")],
    "MixUp's labels not mixed, or with 1 - lambda": [
        ("2.6", "MixUp: labels not mixed"),
        ("2.6", "MixUp: the labels' shares swapped"),
    ],
    "one lambda for images and another for labels": [("2.6", "MixUp: another lambda for the labels")],
    "CutMix's lambda not corrected after clipping": [("2.6", "CutMix: lambda not corrected")],
    "CutMix's box not clipped": [("2.6", "CutMix: box not cut off")],
    "augmented at test time": [("2.7", "applied in evaluation mode")],
    "an operation never drawn": [
        ("2.7", "the last operation never drawn"),
        ("2.7", "the first operation never drawn"),
    ],
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
    assert ids == [f"2.{n}" for n in range(1, 1 + len(ids))]
    assert list(ASSIGNMENT.exercises) == EXERCISES
    assert ASSIGNMENT.points == sum(task.points for task in (*ASSIGNMENT.exercises, *ASSIGNMENT.questions))
    for exercise in EXERCISES:
        assert all(part.points > 0 and part.look for part in exercise.parts)
        assert set(exercise.builds_on) <= set(ids[: ids.index(exercise.id)])
