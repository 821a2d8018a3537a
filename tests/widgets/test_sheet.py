"""Sheets of pictures: what is put on them, and where."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from assignments_lib.plots.style import style
from assignments_lib.widgets import sheet as of


def test_bytes_become_shares_and_floats_stay() -> None:
    assert of.floats(torch.tensor([0, 51, 255], dtype=torch.uint8)).tolist() == pytest.approx([0, 0.2, 1])
    assert of.floats(torch.tensor([0.25])).tolist() == [0.25]


def test_only_what_is_wrong_and_has_a_label_is_red() -> None:
    image = torch.full((3, 1, 3), 0.5)
    shown = of.mistaken(image, torch.tensor([[1, 2, 1]]), torch.tensor([[1, 1, 255]]))
    red = shown[0, :, 0] > shown[0, :, 1] + 0.1
    assert red.tolist() == [False, True, False]


def test_pictures_lie_beside_each_other_and_keep_their_proportions() -> None:
    with style():
        figure, placed = of.sheet({name: np.zeros((20, 40, 3)) for name in "abc"}, 2, width=6, below=0.5)
    boxes = [axes.get_position() for axes in placed]
    inches = figure.get_size_inches()
    for box in boxes:
        assert box.width * inches[0] == pytest.approx(2 * box.height * inches[1])
        assert 0 < box.x0 < box.x1 < 1
        assert box.y0 * inches[1] > 0.5
    assert boxes[0].y0 == boxes[1].y0 > boxes[2].y1
    assert boxes[0].x1 < boxes[1].x0
    assert [axes.get_title(loc="left") for axes in placed] == ["a", "b", "c"]


def test_labels_are_listed_once_and_the_ignored_last() -> None:
    labels = of.labels_in(torch.tensor([[3, 255]]), torch.tensor([[3, 0]]))
    assert labels == [0, 3, 255]
    with style():
        figure, _ = of.sheet({"a": np.zeros((20, 40, 3))}, 1, below=of.legend_height(labels))
        of.legend(figure, labels, ["sky", "road", "tree", "car"])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["sky", "car", "no label"]


def test_a_network_without_a_trunk_is_refused() -> None:
    with pytest.raises(TypeError, match="give a Trunk, or a network with one as its `trunk`, not Linear"):
        of.trunk_of(torch.nn.Linear(2, 2))
