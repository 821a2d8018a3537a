"""What one process has looked at, another reads; what it can't read, it looks at itself."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from assignments_lib.checks.answer import Answer, Lost, Opaque, Raised
from assignments_lib.checks.compare import agree
from assignments_lib.checks.exercise import Draw, Mistake, Observation, Part, show
from assignments_lib.checks.resnet34.block import EXERCISE
from assignments_lib.marking import score
from assignments_lib.marking.score import Remembered
from assignments_lib.marking.shelf import END, Shelf

MISTAKE = Mistake("one", "a hint", {})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(score, "_shelf", None)
    score.share(tmp_path)
    return tmp_path


class Counted:
    """Three steps, and how often each was taken."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    def __call__(self, answer: Answer, draw: Draw) -> Iterator[Observation]:
        for step in range(3):
            self.taken.append(step)
            yield f"step {step}", step + draw.seed


def remembered(observe: Any, seed: int = 5, mistake: Mistake = MISTAKE) -> Remembered:
    return Remembered(Part("a part", 1, observe, "look"), mistake, seed)


def test_the_second_takes_no_step_that_the_first_has_taken(folder: Path) -> None:
    first, second = Counted(), Counted()
    whole = list(remembered(first))
    assert whole == [("step 0", 5), ("step 1", 6), ("step 2", 7)]
    assert list(remembered(second)) == whole
    assert (first.taken, second.taken) == ([0, 1, 2], [])


def test_it_goes_on_where_the_first_stopped(folder: Path) -> None:
    first, second, third = Counted(), Counted(), Counted()
    assert next(iter(remembered(first))) == ("step 0", 5)
    mine = remembered(second)
    assert next(iter(mine)) == ("step 0", 5)
    assert second.taken == []
    assert [what for what, _ in mine] == ["step 0", "step 1", "step 2"]
    assert list(remembered(third)) == list(mine)
    assert third.taken == []


def test_another_seed_or_mistake_is_another_thing(folder: Path) -> None:
    list(remembered(Counted()))
    for other in ({"seed": 6}, {"mistake": Mistake("two", "a hint", {})}):
        again = Counted()
        list(remembered(again, **other))
        assert again.taken == [0, 1, 2]


def test_a_file_that_is_damaged_is_passed_over(folder: Path) -> None:
    whole = list(remembered(Counted()))
    for damage in (b"", b"\0" * 5, b"\xff" * 40):
        for path in folder.iterdir():
            path.write_bytes(damage)
        again = Counted()
        assert list(remembered(again)) == whole
        assert again.taken == [0, 1, 2]


def test_a_folder_that_is_gone_is_no_harm(folder: Path) -> None:
    folder.rmdir()
    again = Counted()
    assert len(list(remembered(again))) == 3


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        -0.5,
        math.inf,
        "words",
        (1, 2),
        [1, (2.0, "x")],
        {"a": [1]},
        Opaque("set"),
        torch.arange(6.0),
    ],
    ids=str,
)
def test_values_come_back_as_they_were(tmp_path: Path, value: Any) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("key", 0, ("what", value))
    found = shelf.take("key", 0)
    assert isinstance(found, tuple)
    assert found[0] == "what"
    assert type(found[1]) is type(value)
    assert agree(found[1], value)
    assert shelf.take("key", 1) is None
    shelf.put("key", 1, END)
    assert shelf.take("key", 1) == END


def test_errors_come_back_with_their_kind_and_words(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("key", 0, ("error", Raised("ValueError", "2 is not 3")))
    found = shelf.take("key", 0)
    assert isinstance(found, tuple)
    assert type(found[1]) is Raised
    assert str(found[1]) == str(Raised("ValueError", "2 is not 3"))


def test_what_is_no_folder_is_refused_at_once(folder: Path) -> None:
    """Tests that call whatever can be imported call this, too: what is in use must stay as it is."""
    before = score._shelf
    with pytest.raises(TypeError):
        score.share(torch.zeros(2))  # type: ignore[arg-type]
    assert score._shelf is before


def test_what_cant_be_written_is_not_kept(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("key", 0, ("what", Lost("it hung")))
    shelf.put("key", 1, ("what", object()))
    assert list(tmp_path.iterdir()) == []


def test_every_step_of_a_real_catalogue_comes_back_the_same(folder: Path) -> None:
    for part in EXERCISE.parts:
        for mistake in EXERCISE.mistakes[:2]:
            looked = list(show(part, mistake, 3))
            list(Remembered(part, mistake, 3))
            read = list(Remembered(part, mistake, 3)._from_the_shelf())
            assert [what for what, _ in read] == [what for what, _ in looked]
            for (_, mine), (_, theirs) in zip(read, looked, strict=True):
                if isinstance(theirs, Exception):
                    assert (type(mine), str(mine)) == (type(theirs), str(theirs))
                else:
                    assert agree(mine, theirs)
