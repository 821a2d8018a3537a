"""Correct answers in other styles get full marks, here and in a child process."""

import pytest
from resnet34_variants import VARIANTS, namespace_of

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.child import ChildProcess
from assignments_lib.checks.exercise import Exercise, evaluate
from assignments_lib.checks.report import Report
from assignments_lib.checks.resnet34 import ASSIGNMENT

EXERCISES = [exercise for exercise in ASSIGNMENT.exercises if isinstance(exercise, Exercise)]
# Full networks take seconds; what is small is tried with more seeds.
SEEDS = {"1.4": (11,), "1.5": (11, 12), "1.6": (11,), "1.8": (11,)}


def test_there_are_enough_variants() -> None:
    assert len(VARIANTS) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_correct_answer_gets_full_marks(variant: str, exercise: Exercise) -> None:
    namespace = namespace_of(VARIANTS[variant])
    for seed in SEEDS.get(exercise.id, range(10, 15)):
        result = evaluate(exercise, InProcess(namespace), seed)
        assert result.earned == exercise.points, Report(result)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_correct_assignment_gets_full_marks_in_a_child(variant: str, child: ChildProcess) -> None:
    assert child.define([VARIANTS[variant]]) == []
    for exercise in EXERCISES:
        result = evaluate(exercise, child, seed=11)
        assert result.earned == exercise.points, Report(result)


HARD_CODED = [
    (
        "1.2",
        "textbook",
        "def forward(self, x):\n        shortcut",
        "def forward(self, x):\n        if x.shape[1] not in (64, 128, 256, 512):\n            return x\n        shortcut",
    ),
    ("1.3", "textbook", "blocks = [", "assert in_channels in (64, 128, 256)\n    blocks = ["),
    ("1.4", "textbook", "self.fc = nn.Linear(512, num_classes)", "self.fc = nn.Linear(512, 1000)"),
    (
        "1.1",
        "textbook",
        "    return (size + 2",
        "    if size == 224:\n        return 112\n    return size // 2\n    return (size + 2",
    ),
]


@pytest.mark.parametrize(("id", "variant", "right", "wrong"), HARD_CODED, ids=[h[0] for h in HARD_CODED])
def test_an_answer_for_the_usual_numbers_only_loses_points(
    id: str, variant: str, right: str, wrong: str
) -> None:
    exercise = ASSIGNMENT.task(id)
    assert isinstance(exercise, Exercise)
    assert right in VARIANTS[variant]
    namespace = namespace_of(VARIANTS[variant].replace(right, wrong))
    assert evaluate(exercise, InProcess(namespace), seed=3).earned < exercise.points


@pytest.mark.parametrize("id", ["1.1", "1.2", "1.3", "1.7"])
def test_an_answer_that_knows_one_seed_fails_at_another(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was seen with one seed doesn't pass with the next: inputs and expectations are drawn anew."""
    from assignments_lib.checks import exercise as module

    exercise = ASSIGNMENT.task(id)
    assert isinstance(exercise, Exercise)
    recorded = {part: list(module._expected(exercise, part, 1)) for part in exercise.parts}
    fixed = [
        part for part in exercise.parts if not _agrees(recorded[part], module._expected(exercise, part, 2))
    ]
    varying = sum(part.points for part in fixed)
    assert varying >= exercise.points * 0.6


def _agrees(one: list, other: list) -> bool:
    from assignments_lib.checks.exercise import _same

    return len(one) == len(other) and all(
        a == b and _same(x, y) for (a, x), (b, y) in zip(one, other, strict=True)
    )
