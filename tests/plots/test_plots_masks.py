"""Masks, overlays, sampling grids and repeated runs: what is drawn, and what is said of it."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from assignments_lib import plots
from assignments_lib.plots import pixels

CLASSES = ("background", *(f"thing {label}" for label in range(1, 11)))


def scene() -> tuple[torch.Tensor, torch.Tensor]:
    masks = torch.zeros(2, 20, 30, dtype=torch.int64)
    masks[0, 4:12, 5:15] = 3
    masks[1, 10:18, 15:28] = 4
    masks[1, :3] = 255
    return torch.full((2, 3, 20, 30), 0.5), masks


def test_masks_name_the_classes_that_occur(shown: Any) -> None:
    plots.masks(scene()[1], CLASSES, title="Two masks")
    assert len(shown) == 1
    for words in ("Two masks", "background", "thing 3", "thing 4"):
        assert words in shown[0].alt
    assert "thing 5" not in shown[0].alt


def test_legend_colours_survive_beside_a_photograph(shown: Any) -> None:
    """Noise uses up a palette of 256 colours; a legend's yellow must stay yellow."""
    noise = torch.rand(2, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    images, masks = 0.3 + 0.4 * noise, scene()[1]
    plots.overlays(images, masks, CLASSES)
    found = np.array([colour for _, colour in shown[0].image.getcolors(10**6)])
    palette = np.array([pixels._rgb(colour) for colour in pixels.PALETTE])
    apart = min(np.linalg.norm(a - b) for i, a in enumerate(palette) for b in palette[:i])
    for label in (3, 4):
        assert np.linalg.norm(found - palette[label], axis=1).min() < apart / 2


def test_overlays_leave_the_background_as_it_is(shown: Any) -> None:
    images, masks = scene()
    plots.overlays(images, masks, CLASSES)
    assert (128, 128, 128) in {colour for _, colour in shown[0].image.getcolors(10**6)}


def test_where_0_is_a_class_it_is_covered_too(shown: Any) -> None:
    images, masks = scene()
    plots.overlays(images, masks, ("Sky", *CLASSES[1:]))
    assert (128, 128, 128) not in {colour for _, colour in shown[0].image.getcolors(10**6)}


def test_labels_without_a_class_are_shown_as_such(shown: Any) -> None:
    """A student's mask may have labels that don't exist: that must be seen, not stop the notebook."""
    plots.masks(scene()[1], CLASSES[:4])
    assert "label 4 (no such class)" in shown[0].alt
    plots.masks(torch.arange(400).view(1, 20, 20), CLASSES)
    assert "label 15 (no such class)" in shown[1].alt
    assert "label 16" not in shown[1].alt


def test_titles_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="2 masks but 1 titles"):
        plots.masks(scene()[1], CLASSES, titles=["one"])


def test_what_is_ignored_is_striped_and_other_labels_are_told_apart() -> None:
    picture = pixels.coloured(torch.tensor([[255] * 8, [0] * 8, [1] * 8]))
    assert len({tuple(pixel) for pixel in picture[0]}) == 2
    assert len({tuple(pixel) for pixel in picture[1]}) == 1
    colours = {tuple(pixels._rgb(colour)) for colour in (*pixels.PALETTE, pixels.IGNORED)}
    assert len(colours) == len(pixels.PALETTE) + 1


@pytest.mark.parametrize("picture", [torch.rand(5, 7), torch.rand(1, 5, 7), torch.rand(3, 5, 7)])
def test_a_picture_keeps_its_pixels(picture: torch.Tensor) -> None:
    image = Image.open(io.BytesIO(pixels.png(picture)))
    assert image.size == (7, 5)
    back = torch.from_numpy(np.asarray(image).copy()) / 255
    wanted = picture.permute(1, 2, 0) if len(picture) == 3 and picture.ndim == 3 else picture.reshape(5, 7)
    assert torch.allclose(back, wanted, atol=0.5 / 255 + 1e-6)


def test_a_byte_picture_is_no_mask_but_bytes_without_channels_are() -> None:
    byte_picture = torch.full((1, 4, 4), 128, dtype=torch.uint8)
    assert Image.open(io.BytesIO(pixels.png(byte_picture))).getextrema() == (128, 128)
    assert Image.open(io.BytesIO(pixels.png(byte_picture[0]))).mode == "RGB"


def test_an_image_tag_is_described_and_escaped() -> None:
    tag = pixels.tag(b"x", 'a "cat" & a <dog>', (10, 20))
    assert 'alt="a &quot;cat&quot; &amp; a &lt;dog&gt;"' in tag
    assert pixels.fitted(torch.zeros(3, 20, 40), 100) == (100, 50)


def test_align_corners_says_where_the_centres_lie(shown: Any) -> None:
    plots.align_corners()
    assert "-0.75, -0.25, 0.25, 0.75" in shown[0].alt
    assert "-1, -0.333, 0.333, 1" in shown[0].alt
    row = torch.arange(4.0).view(1, 1, 1, 4)
    for aligned, centres in ((False, (-0.75, -0.25, 0.25, 0.75)), (True, (-1, -1 / 3, 1 / 3, 1))):
        grid = torch.tensor([[[[x, 0.0] for x in centres]]])
        sampled = F.grid_sample(row, grid, align_corners=aligned)
        assert torch.allclose(sampled, row, atol=1e-5)  # what the picture claims is what PyTorch does


def test_a_sampling_grid_says_where_the_first_pixel_looks(shown: Any) -> None:
    angle = math.radians(90)
    theta = torch.tensor([[[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0]]])
    grid = F.affine_grid(theta, [1, 1, 10, 10], align_corners=False)
    plots.sampling_grid(torch.rand(1, 10, 10), grid[0], title="Turned by 90 degrees")
    assert "Turned by 90 degrees" in shown[0].alt
    assert "0 % of them lie outside" in shown[0].alt
    assert "x = 9.5, y = 0.5" in shown[0].alt


RUNS = {"held out": {"none": [0.5, 0.6], "all": [0.8, 0.9]}, "small": {"none": [0.2, 0.3], "all": [0.4, 0.5]}}


def test_repeated_runs(shown: Any) -> None:
    plots.spread(RUNS, title="Fifty drawings")
    assert "held out: none 55 %, all 85 %" in shown[0].alt
    assert "small: none 25 %, all 45 %" in shown[0].alt


def test_a_single_run_and_none() -> None:
    plots.spread({"held out": {"none": torch.tensor([0.5])}})
    with pytest.raises(ValueError, match="at least one run"):
        plots.spread({"held out": {"none": []}})
