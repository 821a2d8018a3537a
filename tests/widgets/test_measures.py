"""One mistake, three scores."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torchmetrics.functional.classification import multiclass_accuracy, multiclass_jaccard_index

from assignments_lib.datasets import scenes
from assignments_lib.plots.pixels import IGNORE
from assignments_lib.widgets.measures import APPLE, BALL, MISTAKES, RADIUS, Measures


@pytest.fixture(scope="module")
def demo() -> Measures:
    return Measures()


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("pixels", [1, 4, 8])
def test_scores_are_those_of_torchmetrics(demo: Measures, mistake: str, pixels: int) -> None:
    truth, prediction = demo.truth(mistake, pixels), demo.prediction(mistake, pixels)
    scores = demo.scores(prediction, truth)
    known = {"num_classes": len(scenes.CLASSES), "ignore_index": IGNORE}
    accuracy = multiclass_accuracy(prediction, truth, average="micro", **known)
    each = multiclass_jaccard_index(prediction, truth, average="none", **known)
    counted = truth != IGNORE
    present = torch.cat([prediction[counted], truth[counted]]).unique()
    assert scores.pixel_accuracy == pytest.approx(float(accuracy), abs=1e-6)
    assert scores.mean_iou == pytest.approx(float(each[present].mean()), abs=1e-6)
    assert scores.wrong == int(((prediction != truth) & counted).sum())
    assert 0 <= scores.boundary_iou < scores.pixel_accuracy


def test_the_truth_scores_one(demo: Measures) -> None:
    truth = demo.truth("shifted", 1)
    truth = truth.where(truth != IGNORE, 0)
    scores = demo.scores(truth, truth)
    assert (scores.pixel_accuracy, scores.mean_iou, scores.boundary_iou, scores.wrong) == (1, 1, 1, 0)


def test_boundary_iou_of_a_case_done_by_hand(demo: Measures) -> None:
    # A picture of 30 x 40 (diagonal 50): bands 1 wide. An edge between two halves, moved by one column.
    truth = torch.zeros(30, 40, dtype=torch.int64)
    truth[:, 20:] = 1
    prediction = torch.zeros_like(truth)
    prediction[:, 21:] = 1
    # Bands of class 0: column 19 and column 20; of class 1: 20 and 21. They have no pixel in common.
    assert demo.scores(prediction, truth).boundary_iou == 0
    assert demo.scores(truth, truth).boundary_iou == 1


def test_shifted_is_shifted(demo: Measures) -> None:
    one, three = demo.prediction("shifted", 1), demo.prediction("shifted", 3)
    assert torch.equal(one[:, 1:-2], three[:, 3:])
    assert bool((three[:, :3] == 0).all())


def test_fat_only_adds_and_thin_only_takes(demo: Measures) -> None:
    truth = demo.truth("too fat", 2)
    counted = truth != IGNORE
    fat, thin = demo.prediction("too fat", 2), demo.prediction("too thin", 2)
    assert torch.equal(fat[counted & (truth != 0)], truth[counted & (truth != 0)])
    assert int((fat != 0).sum()) > int((truth != 0).sum())
    assert bool((thin[truth == 0] == 0).all())
    assert int((thin != 0).sum()) < int((counted & (truth != 0)).sum())


@pytest.mark.parametrize(("mistake", "rule"), [("too fat", any), ("too thin", all)])
def test_the_ball_is_so_many_pixels_too_fat_or_thin(
    demo: Measures, mistake: str, rule: Callable[[list[bool]], bool]
) -> None:
    truth, prediction = demo.truth(mistake, 2) == BALL, demo.prediction(mistake, 2) == BALL
    rows, columns = truth.nonzero().T.tolist()  # nothing else is near
    for row in range(min(rows) - 4, max(rows) + 5):
        for column in range(min(columns) - 4, max(columns) + 5):
            near = truth[row - 2 : row + 3, column - 2 : column + 3].flatten().tolist()
            assert bool(prediction[row, column]) == rule(near)


@pytest.mark.parametrize(("mistake", "called"), [("ball missed", 0), ("ball called apple", APPLE)])
def test_the_ball_and_nothing_else_is_wrong(demo: Measures, mistake: str, called: int) -> None:
    truth, prediction = demo.truth(mistake, 4), demo.prediction(mistake, 4)
    wrong = (truth != prediction) & (truth != IGNORE)
    assert torch.equal(wrong, truth == BALL)
    assert prediction[wrong].unique().tolist() == [called]
    rows, columns = wrong.nonzero().T
    assert int(rows.max() - rows.min()) == int(columns.max() - columns.min()) == 2 * 4
    assert int((demo.truth("shifted", 4) == BALL).sum()) > int(wrong.sum())
    assert RADIUS > 4


def test_a_missed_thing_costs_mean_iou_the_same_whatever_its_size(demo: Measures) -> None:
    small, large = (
        demo.scores(demo.prediction("ball missed", r), demo.truth("ball missed", r)) for r in (1, 8)
    )
    assert small.mean_iou == pytest.approx(large.mean_iou, abs=0.01)
    assert 1 - small.pixel_accuracy < (1 - large.pixel_accuracy) / 20
    assert small.pixel_accuracy > 0.999


def test_predictions_have_a_class_everywhere(demo: Measures) -> None:
    for mistake in MISTAKES:
        assert int(demo.prediction(mistake, 3).max()) < len(scenes.CLASSES)


def test_pictures_say_the_scores(demo: Measures) -> None:
    pictures = demo.pictures("too thin", 2)
    scores = demo.scores(demo.prediction("too thin", 2), demo.truth("too thin", 2))
    for number in (scores.pixel_accuracy, scores.mean_iou, scores.boundary_iou):
        assert f"{number:.3f}" in pictures["In numbers"]
        assert f"{number:.3f}" in pictures["masks and scores"].alt
    start = {name: control.value for name, control in demo.controls().items()}
    pngs = {demo.pictures(**start)["masks and scores"].picture.png}
    for name, control in demo.controls().items():
        pngs.add(demo.pictures(**{**start, name: control.still})["masks and scores"].picture.png)
    assert len(pngs) == 3


def test_wrong_input_is_named(demo: Measures) -> None:
    with pytest.raises(ValueError, match="'upside down' is none of the mistakes shifted"):
        demo.prediction("upside down", 2)
    with pytest.raises(ValueError, match="scene 50 has a ball or an apple of its own"):
        Measures(50)
