"""Odd sizes: the strips have the sizes that a real U-Net has."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from assignments_lib.segmentation.unet import UNet, trace
from assignments_lib.widgets.odd_sizes import CURES, CUT, DEPTH, NOTHING, PAD, PAPER, OddSizes, Strip
from assignments_lib.widgets.panel import Drawing


def sizes(strips: list[Strip]) -> dict[str, int]:
    return {strip.name: strip.units for strip in strips}


def network_sizes(network: UNet, side: int) -> list[int]:
    """Of the last map of each level down, of what comes up, and of the result."""
    steps = trace(network, (side, side))
    down = [
        [s.height for s in steps if (s.level, s.side, s.name) == (level, "down", "convolution")][-1]
        for level in range(5)
    ]
    up = [s.height for s in steps if s.name == "up-convolution"]
    return [*down, *up, steps[-1].height]


@pytest.mark.parametrize("side", [188, 204, 572])
def test_without_padding_the_sizes_are_those_of_the_network(side: int) -> None:
    way = sizes(OddSizes().way(side, PAPER))
    assert list(way.values())[1:] == network_sizes(UNet(1, 2, 2, padded=False), side)


def test_the_papers_tile() -> None:
    assert sizes(OddSizes().way(572, PAPER))["result"] == 388  # figure 1


@pytest.mark.parametrize("side", [200, 225, 240])
def test_padded_the_sizes_are_those_of_the_network(side: int) -> None:
    way = sizes(OddSizes().way(side, PAD))
    assert [way[name] for name in way if name not in ("picture", "padded")] == network_sizes(
        UNet(1, 2, 2), side
    )


@pytest.mark.parametrize("side", [225, 229, 240, 248, 333])
def test_untreated_it_ends_where_torch_raises(side: int) -> None:
    strips = OddSizes().way(side, NOTHING)
    x, passed = torch.zeros(1, 1, 1, side), []
    for _ in range(DEPTH):
        passed.append(x)
        x = F.max_pool2d(x, (1, 2))
    enlarge = nn.ConvTranspose2d(1, 1, (1, 2), stride=(1, 2))
    widths = []
    with torch.no_grad():
        for across in reversed(passed):
            x = enlarge(x)
            widths.append(x.shape[-1])
            try:
                x = torch.cat([across, x], 1)[:, :1]
            except RuntimeError:
                break
    assert [strip.units for strip in strips if strip.name.startswith("up")] == widths
    failed = widths[-1] != passed[DEPTH - len(widths)].shape[-1]
    assert strips[-1].fits == (not failed)
    assert (strips[-1].name == "result") == (not failed)


def test_cutting_loses_the_last_rows() -> None:
    assert sizes(OddSizes().way(225, CUT))["result"] == 224
    assert sizes(OddSizes().way(239, CUT))["result"] == 224
    assert sizes(OddSizes().way(240, CUT))["result"] == 240


@pytest.mark.parametrize("cure", CURES)
def test_its_words_have_the_numbers(cure: str) -> None:
    drawing = OddSizes().pictures(225, cure)["sizes on the way"]
    assert isinstance(drawing, Drawing)
    assert drawing.picture.width > 400
    assert "picture 225" in drawing.alt
    assert {NOTHING: "224", PAPER: "out", CUT: "224", PAD: "240"}[cure] in drawing.alt


def test_all_controls_change_the_picture() -> None:
    demonstration = OddSizes()
    first = {name: control.value for name, control in demonstration.controls().items()}
    before = demonstration.pictures(**first)["sizes on the way"].picture.png
    for name, control in demonstration.controls().items():
        after = demonstration.pictures(**{**first, name: control.still})["sizes on the way"].picture.png
        assert after != before, name


def test_too_small_or_unknown_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing would be left of 187 pixels"):
        OddSizes().way(187, PAPER)
    with pytest.raises(ValueError, match="'hope' is none of the cures"):
        OddSizes().way(225, "hope")
