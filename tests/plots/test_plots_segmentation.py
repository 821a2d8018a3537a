"""Heat maps, predictions side by side, scores by class: what is drawn where, and what is said of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from assignments_lib import plots
from assignments_lib.plots import pixels, style

CLASSES = ("background", *(f"thing {label}" for label in range(1, 11)))


def seen(output: Any) -> np.ndarray:
    """What is displayed, (H, W, 3)."""
    return np.asarray(output.image).astype(int)


def near(picture: np.ndarray, colour: str) -> np.ndarray:
    """Where the picture has that colour, (H, W) bool."""
    return np.abs(picture - np.array(pixels._rgb(colour))).max(-1) < 24


def left_half() -> torch.Tensor:
    heat = torch.zeros(1, 20, 30)
    heat[:, :, :15] = 1
    return heat


@pytest.mark.parametrize("shape", [(1, 1, 20, 30), (1, 3, 20, 30)])
def test_heat_reddens_where_it_is_and_nowhere_else(shape: tuple[int, ...], shown: Any) -> None:
    plots.heat_maps(torch.full(shape, 0.5), left_half(), ["a thing that is left"])
    picture = seen(shown.only)
    red = picture[..., 0] - picture[..., 2] > 50
    columns = red.any(0).nonzero()[0]
    middle = red.shape[1] / 2
    assert red.mean() > 0.2
    assert middle - 5 < columns.max() < middle + 5
    assert columns.min() < middle / 4


def test_bytes_look_like_floats_and_what_is_no_number_is_cold(shown: Any) -> None:
    images = torch.randint(256, (1, 3, 20, 30), dtype=torch.uint8)
    heat = left_half()
    plots.heat_maps(images, heat, ["a thing that is left"])
    plots.heat_maps(images / 255, heat.where(heat > 0, math.nan), ["a thing that is left"])
    plots.heat_maps(images, torch.zeros_like(heat), ["a thing that is left"])
    assert np.array_equal(seen(shown[0]), seen(shown[1]))
    assert not np.array_equal(seen(shown[0]), seen(shown[2]))


def test_what_is_hot_is_surrounded_and_the_peak_is_marked(shown: Any) -> None:
    images, heat = torch.ones(1, 3, 20, 30), left_half() / 5
    for marks in ({}, {"hot": heat > 0}, {"peaks": [(10, 5)]}, {"hot": heat < 2}):
        plots.heat_maps(images, heat, ["a thing that is left"], **marks)
    without, around, peak, everywhere = (near(seen(output), style.BLUE) for output in shown)
    assert not without.any()
    assert not everywhere.any()  # what is hot everywhere has no outline
    assert around.any(1).mean() > 0.5  # from top to bottom
    assert around.any(0).mean() < 0.1  # a vertical line
    rows, columns = peak.nonzero()
    assert np.ptp(rows) < 0.2 * len(peak)
    assert columns.max() < peak.shape[1] / 3


def test_heat_is_told_in_words(shown: Any) -> None:
    images, heat = torch.ones(2, 3, 20, 30), torch.rand(2, 20, 30)
    plots.heat_maps(images, heat, ["cat", "train"], peaks=[(3, 4), (15, 6)], title="Where is it?")
    assert shown[0].alt == (
        "Where is it? cat, hottest at row 3, column 4; train, hottest at row 15, column 6."
    )
    plots.heat_maps(images, heat, ["cat", "train"], title="Heat of two classes")
    assert shown[1].alt == "Heat of two classes: cat; train."


def test_heat_that_does_not_fit_is_refused(shown: Any) -> None:
    images, heat = torch.ones(2, 3, 20, 30), torch.rand(2, 20, 30)
    for wrong in (heat[:1], heat[:, :10], heat[:, None]):
        with pytest.raises(ValueError, match="don't belong together"):
            plots.heat_maps(images, wrong, ["cat", "train"])
    with pytest.raises(ValueError, match="2 pictures, 1 titles"):
        plots.heat_maps(images, heat, ["cat"])
    with pytest.raises(ValueError, match="1 peaks"):
        plots.heat_maps(images, heat, ["cat", "train"], peaks=[(0, 0)])
    assert not shown


def test_masks_stand_beside_their_picture(shown: Any) -> None:
    truth = torch.zeros(1, 20, 30, dtype=torch.int64)
    guess = truth.clone()
    truth[:, 5:15, 5:15] = 3
    truth[:, 0] = 255
    guess[:, 5:15, 15:25] = 5
    plots.predictions(torch.full((1, 3, 20, 30), 0.5), {"truth": truth, "U-Net": guess}, CLASSES)
    picture = seen(shown.only)[: shown.only.image.height // 2]  # without the legend
    width = picture.shape[1]
    for colour, third in (("#808080", 0), (pixels.PALETTE[3], 1), (pixels.PALETTE[5], 2)):
        columns = near(picture, colour).sum(0)
        inside = columns[third * width // 3 : (third + 1) * width // 3].sum()
        assert inside > 100
        assert inside >= 0.9 * columns.sum()
    assert shown.only.alt == (
        "Predictions: 1 pictures, each with masks side by side: truth, U-Net. "
        "Classes: background, thing 3, thing 5."
    )


def test_predictions_that_do_not_fit_are_refused(shown: Any) -> None:
    images, masks = torch.ones(2, 3, 20, 30), torch.zeros(2, 20, 30, dtype=torch.int64)
    with pytest.raises(ValueError, match="no masks"):
        plots.predictions(images, {}, CLASSES)
    for wrong in (masks[:1], masks[:, ::2], masks[:, None]):
        with pytest.raises(ValueError, match=r"U-Net .* don't belong together"):
            plots.predictions(images, {"truth": masks, "U-Net": wrong}, CLASSES)
    assert not shown


@pytest.mark.parametrize("columns", [1, 3])
def test_the_legend_of_a_narrow_picture_goes_on_below(columns: int, shown: Any) -> None:
    masks = torch.arange(11).repeat_interleave(10).view(1, 10, 11).expand(3, -1, -1)
    plots.masks(masks, CLASSES, columns=columns)
    picture = seen(shown.only)
    below = picture[3 * picture.shape[0] // 4 :] if columns == 1 else picture[picture.shape[0] // 2 :]
    assert all(near(below, colour).any() for colour in pixels.PALETTE[4:11:3])
    assert (picture[:, -1] == 255).all()  # nothing is cut off


def test_scores_by_class_in_words(shown: Any) -> None:
    plots.per_class(
        {"FCN-8s": torch.tensor([0.9, math.nan, 0.25]), "U-Net": [0.5, 0.75, 0.5]}, ["sky", "bus", "pole"]
    )
    assert shown[0].alt == (
        "IoU by class: FCN-8s from 0.25 (pole) to 0.90 (sky); U-Net from 0.50 (sky) to 0.75 (bus)."
    )
    plots.per_class({"share": [0.5, 0.5]}, ["sky", "bus"], measure="share", title="How common is each?")
    assert shown[1].alt == "How common is each? share from 0.50 (sky) to 0.50 (sky)."
    plots.per_class({"FCN-8s": [math.nan]}, ["a class that is nowhere"])
    assert shown[2].alt == "IoU by class: no class occurs."


def test_nan_leaves_no_mark(shown: Any) -> None:
    for last in ((math.nan, math.nan), (0.5, math.nan), (0.5, 0.6)):
        plots.per_class({"FCN-8s": [0.25, *last]}, ["sky", "bus", "pole"])
    one, two, three = (int(near(seen(output), style.BLUE).sum()) for output in shown)
    assert two - one > 50
    assert three - two == pytest.approx(two - one, rel=0.2)


def test_equal_scores_do_not_hide_each_other(shown: Any) -> None:
    scores = [0.25, 0.5, 0.75]
    for number in (1, 5):
        plots.per_class({f"model {index}": scores for index in range(number)}, ["sky", "bus", "pole"])
    alone, among = (int(near(seen(output), style.BLUE).sum()) for output in shown)
    assert among > 0.3 * alone


def test_scores_that_do_not_fit_are_refused(shown: Any) -> None:
    for wrong in ({}, {"FCN-8s": [0.5]}, {"FCN-8s": [0.5, 0.5], "U-Net": [0.1, 0.2, 0.3]}):
        with pytest.raises(ValueError, match="2 scores, one for each class"):
            plots.per_class(wrong, ["sky", "bus"])
    assert not shown
