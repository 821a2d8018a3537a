"""Target, yours and difference: what is shown of right, wrong, broken and blank answers."""

import io
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from assignments_lib.checks import desk
from assignments_lib.checks.answer import Answer, InProcess
from assignments_lib.checks.demonstration import Demonstration, demonstrate, html
from assignments_lib.checks.exercise import Draw, Exercise, Part
from assignments_lib.checks.registry import Assignment
from assignments_lib.not_filled_in import NotFilledIn

RIGHT = torch.linspace(0, 1, 12).reshape(1, 3, 4)
DEMONSTRATION = Demonstration("a ramp", lambda answer: answer.call("draw"), lambda yours: RIGHT)


def shown(function: Any, demonstration: Demonstration = DEMONSTRATION) -> Any:
    return demonstrate([demonstration], InProcess({"draw": function}))[0]


def test_the_same_picture() -> None:
    found = shown(lambda: RIGHT.clone())
    assert str(found) == "a ramp: the same"
    assert found.target == found.yours
    difference = Image.open(io.BytesIO(found.difference))
    assert difference.size == (4, 3)
    assert difference.getextrema() == (255, 255)


def test_another_picture() -> None:
    other = RIGHT.clone()
    other[0, 1, 2] += 0.4
    found = shown(lambda: other)
    assert found.verdict == "differs in 1 of 12 pixels, by up to 0.4"
    assert Image.open(io.BytesIO(found.difference)).getpixel((2, 1)) == round(255 * 0.6)


def test_another_shape_an_error_something_else_and_nothing_yet() -> None:
    assert shown(lambda: RIGHT[:, :2]).verdict == "its shape is (1, 2, 4) instead of (1, 3, 4)"
    assert shown(lambda: 1 / 0).verdict == "it stopped with ZeroDivisionError"
    assert shown(lambda: "a ramp").verdict == "it isn't a picture"

    def blank() -> Tensor:
        raise NotFilledIn("Exercise 9.1")

    found = shown(blank)
    assert found.verdict == "nothing to show yet"
    assert found.yours is None
    assert found.target


def test_whole_numbers_are_no_picture() -> None:
    found = shown(lambda: torch.ones(3, 3, 4, dtype=torch.int64))
    assert found.verdict == "its numbers are of type int64 instead of float32"


def test_nan_differs() -> None:
    assert "differs in 12 of 12" in shown(lambda: RIGHT * torch.nan).verdict


def test_a_mask_has_colours() -> None:
    mask = torch.tensor([[0, 1], [2, 255]])
    found = shown(
        lambda: mask, Demonstration("a mask", lambda answer: answer.call("draw"), lambda yours: mask)
    )
    picture = Image.open(io.BytesIO(found.target)).convert("RGB")
    assert len({picture.getpixel((x, y)) for x in (0, 1) for y in (0, 1)}) == 4
    wrong = Demonstration("a mask", lambda answer: answer.call("draw"), lambda yours: mask + 1)
    assert shown(lambda: mask, wrong).verdict == "differs in 4 of 4 pixels"


def test_the_target_may_depend_on_the_draw_and_hidden_channels_stay_hidden() -> None:
    def target(yours: Tensor | None) -> Tensor:
        shift = 0 if yours is None else int(yours[1, 0, 0])
        return RIGHT.roll(shift, -1)

    demonstration = Demonstration("a moved ramp", lambda answer: answer.call("draw"), target, channels=1)
    found = shown(lambda: torch.cat([RIGHT.roll(2, -1), torch.full((1, 3, 4), 2.0)]), demonstration)
    assert found.verdict == "the same"
    assert Image.open(io.BytesIO(found.yours)).mode == "L"


def test_every_picture_has_its_words() -> None:
    page = html([shown(lambda: RIGHT)])
    assert page.count("<img ") == 3
    for what in ("target", "yours", "difference"):
        assert f'alt="{what}: a ramp"' in page


def _exercise(demonstration: Demonstration) -> Exercise:
    def observe(answer: Answer, draw: Draw) -> Any:
        yield "its sum", answer.call("draw").sum()

    part = Part("the picture", 2, observe, "Look.")
    return Exercise(
        "9.1",
        "a ramp",
        ("draw",),
        (part,),
        lambda: {"draw": RIGHT.clone},
        (),
        demonstrations=(demonstration,),
    )


def test_a_check_shows_them_before_it_passes_and_after() -> None:
    exercise = _exercise(DEMONSTRATION)
    assignment = Assignment("9_test", "A test", (exercise,))
    right = desk.run_check(assignment, exercise, draw=lambda: RIGHT.clone())
    wrong = desk.run_check(assignment, exercise, draw=lambda: RIGHT * 0)
    assert "Picture, a ramp: the same" in repr(right)
    assert "Picture, a ramp: differs in" in repr(wrong)
    assert (right.earned, wrong.earned) == (2, 0)
    for report in (right, wrong):
        assert report._repr_html_().count("<img ") == 3
    desk.forget_results()


def test_a_broken_demonstration_costs_nothing() -> None:
    def broken(yours: Tensor | None) -> Tensor:
        raise RuntimeError("the target's own fault")

    exercise = _exercise(Demonstration("a ramp", lambda answer: answer.call("draw"), broken))
    report = desk.run_check(Assignment("9_test", "A test", (exercise,)), exercise, draw=lambda: RIGHT.clone())
    assert report.earned == 2
    assert report.pictures == ()
    desk.forget_results()


def test_the_global_random_state_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    exercise = _exercise(DEMONSTRATION)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    desk.run_check(Assignment("9_test", "A test", (exercise,)), exercise, draw=lambda: torch.rand(1, 3, 4))
    assert torch.equal(torch.rand(3), expected)
    desk.forget_results()
