"""The same scene as each task answers it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from assignments_lib.datasets import scenes
from assignments_lib.plots.pixels import IGNORE
from assignments_lib.widgets.regions import middle, regions
from assignments_lib.widgets.tasks import TASKS, FourTasks, Scene


@pytest.mark.parametrize("number", [0, 12, 76])
def test_boxes_hold_their_things_and_no_more(number: int) -> None:
    scene = Scene.drawn(number)
    for k, (top, left, bottom, right) in enumerate(scene.boxes, start=1):
        there = scene.things == k
        inside = there[top : bottom + 1, left : right + 1]
        assert int(inside.sum()) == int(there.sum())
        assert bool(inside[0].any() and inside[-1].any() and inside[:, 0].any() and inside[:, -1].any())


def test_things_of_one_class_have_numbers() -> None:
    names = Scene.drawn(76).names
    assert sorted(names) == ["cat 1", "cat 2", "rainbow", "spoon"]


def test_regions_of_the_mask_are_not_things() -> None:
    merged = Scene.drawn(12)  # two hourglasses that touch
    assert len(merged.labels) == 3
    assert [scenes.CLASSES[label] for label, _ in merged.regions] == ["apple", "hourglass"]
    said = FourTasks().said(merged, "semantic")
    assert "2 connected regions of things, the picture 3 things" in said


def test_the_class_that_covers_most_names_the_picture() -> None:
    scene = Scene.drawn(76)
    counts = torch.bincount(scene.mask[(scene.mask != 0) & (scene.mask != IGNORE)])
    assert scene.most == int(counts.argmax())


@pytest.mark.parametrize("task", TASKS)
def test_each_task_draws_another_answer_with_its_own_words(task: str) -> None:
    demo = FourTasks()
    pictures = demo.pictures(task=task, scene=76)
    other = demo.pictures(task=TASKS[TASKS.index(task) - 1], scene=76)
    assert list(pictures) == ["answer", "In words"]
    assert pictures["answer"].picture.png != other["answer"].picture.png
    assert pictures["answer"].alt != other["answer"].alt
    texts = [text.get_text() for text in pictures["answer"].figure.axes[0].texts]
    wanted = {
        "classification": {"cat"},
        "semantic": {"background", "cat", "rainbow", "spoon"},
        "panoptic": {"background", "cat 1", "cat 2", "rainbow", "spoon"},
    }.get(task, {"cat 1", "cat 2", "rainbow", "spoon"})
    assert set(texts) == wanted


def test_every_scene_of_the_slider_can_be_drawn() -> None:
    slider = FourTasks().controls()["scene"]
    for number in range(int(slider.low), int(slider.high) + 1, 7):
        scene = Scene.drawn(number)
        assert len(scene.boxes) == len(scene.names) == len(scene.labels) >= 1


@pytest.mark.parametrize("function", [regions, middle])
def test_numbers_are_no_region(function: Callable[[Tensor], object]) -> None:
    with pytest.raises(ValueError, match="a region is a mask of booleans"):
        function(torch.rand(4, 5))
