"""Checks at the desk: they never raise, disturb nothing, and remember the points."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from assignments_lib.checks import desk
from assignments_lib.checks import resnet34 as check
from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.exercise import PASS, Exercise, Part, evaluate
from assignments_lib.checks.report import Report, Summary, Trouble
from assignments_lib.checks.resnet34 import ASSIGNMENT, convolution
from assignments_lib.not_filled_in import NotFilledIn

POINTS = {task.id: task.points for task in ASSIGNMENT.exercises}
MOST = sum(POINTS.values())


@pytest.fixture(autouse=True)
def _no_points(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    desk.forget_results()
    yield
    desk.forget_results()


def conv_output_size(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def receptive_field(layers: list[tuple[int, int]]) -> int:
    field, jump = 1, 1
    for kernel, stride in layers:
        field, jump = field + (kernel - 1) * jump, jump * stride
    return field


def wrong(*args: Any, **kwargs: Any) -> int:
    return 3


def blank(*args: Any, **kwargs: Any) -> int:
    raise NotFilledIn("Exercise 1.1 is not filled in yet.")


def test_a_right_answer_passes_whatever_is_drawn() -> None:
    for _ in range(5):
        shown = check.output_size(conv_output_size, receptive_field)
        assert isinstance(shown, Report)
        assert shown.result.status == PASS
    assert repr(check.summary()).startswith(f"Assignment 1: ResNet34: {POINTS['1.1']} of {MOST} points")


def test_inputs_are_drawn_anew_each_time() -> None:
    assert len({check.output_size(wrong, receptive_field).result.seed for _ in range(5)}) == 5


class Explodes:
    """Nothing can be done with it."""

    def __call__(self, *args: Any) -> Any:
        raise RuntimeError("no")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("not even that")


STRANGE = [
    wrong,
    blank,
    print,
    lambda: None,
    lambda *a, **k: object(),
    lambda *a, **k: a,
    lambda *a, **k: float("nan"),
    lambda *a, **k: 10**5000,
    lambda *a, **k: nn.Linear(1, 1),
    lambda *a, **k: nn.LazyConv2d(4, 3),
    lambda *a, **k: nn.Identity(),
    lambda *a, **k: nn.Conv2d(4, 4, 3).to("meta"),
    lambda *a, **k: torch.zeros(2, dtype=torch.complex64),
    nn.Module,
    type,
    int,
    pytest.param(Explodes(), id="explodes"),
    exit,
]
WITHOUT_MISTAKES = [
    replace(exercise, mistakes=()) for exercise in ASSIGNMENT.exercises if isinstance(exercise, Exercise)
]


@pytest.mark.slow
@pytest.mark.parametrize("answer", STRANGE)
def test_no_exercise_is_brought_down_by_what_an_answer_does(answer: Any) -> None:
    """Only the student's own errors come up, and they are what the check found."""
    for exercise in WITHOUT_MISTAKES:
        result = evaluate(exercise, InProcess(dict.fromkeys(exercise.defines, answer)), seed=1)
        assert result.earned < exercise.points
        assert repr(Report(result))


@pytest.mark.parametrize("answer", STRANGE)
def test_it_never_raises(answer: Any) -> None:
    for shown in (
        check.output_size(answer, answer),
        check.basic_block(answer),
        check.training(answer, answer),
    ):
        assert isinstance(shown, (Report, Trouble))
        assert repr(shown)
        assert shown._repr_html_()
        assert "failed" not in repr(shown) or "not your fault" not in repr(shown), repr(shown)


def test_a_block_that_gives_nan_is_the_blocks_fault() -> None:
    class Nan(nn.Conv2d):
        def __init__(self, *args: int) -> None:
            super().__init__(args[0], args[1], 3, *args[2:], padding=1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) * float("nan")

    text = repr(check.basic_block(Nan))
    assert "NaN" in text
    assert "not your fault" not in text


@pytest.mark.parametrize("answer", [None, 3, "BasicBlock", torch.ones(1), nn.Linear(1, 1)], ids=str)
def test_something_else_than_a_function_or_class(answer: Any) -> None:
    shown = check.basic_block(answer)
    assert isinstance(shown, Trouble)
    assert "BasicBlock is not a function or class" in repr(shown)
    assert repr(check.summary()).count("NOT CHECKED YET") == len(POINTS)


def test_a_fault_of_the_check_itself_is_not_the_students(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(answer: Any, draw: Any) -> Any:
        raise ZeroDivisionError("inside")

    exercise = replace(convolution.EXERCISE, parts=(Part("part", 1, broken, "look"),))
    shown = desk.run_check(ASSIGNMENT, exercise, conv_output_size=wrong, receptive_field=wrong)
    assert isinstance(shown, Trouble)
    assert "ZeroDivisionError: inside" in repr(shown)
    assert "not your fault" in repr(shown)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert desk.run_check(ASSIGNMENT, exercise, conv_output_size=wrong, receptive_field=wrong) == 0.0


def test_random_numbers_and_modes_are_left_as_they_were() -> None:
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    check.output_size(wrong, wrong)
    check.basic_block(nn.Conv2d)

    def careless(*args: Any, **kwargs: Any) -> float:
        torch.manual_seed(0)
        torch.set_grad_enabled(False)
        return 1.0

    check.training(careless, careless)
    assert torch.is_grad_enabled()
    assert torch.equal(torch.rand(3), expected)


def test_the_summary_counts_the_latest_result_of_each_exercise() -> None:
    assert f"0 of {MOST} points" in repr(check.summary())
    check.output_size(wrong, receptive_field)
    partly = check.summary()
    assert isinstance(partly, Summary)
    assert 0 < partly.earned < POINTS["1.1"]
    assert "FAIL" in repr(partly)
    check.output_size(conv_output_size, receptive_field)
    assert check.summary().earned == POINTS["1.1"]
    check.output_size(blank, blank)
    assert check.summary().earned == 0
    assert "NOT FILLED IN" in repr(check.summary())


def test_a_failure_says_which_earlier_exercise_it_stands_on() -> None:
    def stage(*args: int) -> nn.Module:
        return nn.Identity()

    note = "Make sure that it passes its check first"
    assert f"your answer to 1.2 (BasicBlock). {note}" in repr(check.make_stage(stage))
    several = replace(check.make_stage(stage).result, exercise=ASSIGNMENT.task("1.4"))
    assert "Make sure that they pass their checks first" in desk.groundwork(ASSIGNMENT, several, ()).notes[0]
    desk._latest[ASSIGNMENT.notebook, "1.2"] = replace(
        check.output_size(conv_output_size, receptive_field).result, exercise=ASSIGNMENT.task("1.2")
    )
    assert note not in repr(check.make_stage(stage))
    assert note not in repr(check.output_size(wrong, wrong))


def test_nbgrader_gets_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    earned = check.output_size(conv_output_size, receptive_field)
    assert type(earned) is float
    assert earned == POINTS["1.1"]
    assert type(check.output_size(None, None)) is float
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    assert isinstance(check.output_size(conv_output_size, receptive_field), Report)
