"""The taps of ASPP: counted with a convolution of ones, which sees what padding leaves of a kernel."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from assignments_lib.widgets import Drawing
from assignments_lib.widgets.aspp import ASPPBranches, Taps


def weights_inside(side: int, rate: int) -> torch.Tensor:
    """(side, side): how many of the nine weights see the map, at each of its units."""
    return F.conv2d(torch.ones(1, 1, side, side), torch.ones(1, 1, 3, 3), padding=rate, dilation=rate)[
        0, 0
    ].long()


@pytest.mark.parametrize(
    ("side", "rate"), [(33, 6), (33, 12), (33, 18), (65, 6), (13, 12), (5, 1), (9, 9), (9, 8)]
)
def test_taps_are_those_of_a_convolution(side: int, rate: int) -> None:
    taps, expected = Taps(side, rate), weights_inside(side, rate)
    for row, column in ((0, 0), (side // 2, side // 2), (side - 1, 0), (side // 3, side - 2)):
        assert taps.inside(row, column).sum() == expected[row, column]
    labels, units = expected.unique(return_counts=True)
    assert taps.histogram == dict(zip(labels.tolist(), units.tolist(), strict=True))
    assert taps.mean == pytest.approx(expected.float().mean().item())
    share = [
        float(part.float().mean()) for part in (expected == 9, (expected > 1) & (expected < 9), expected == 1)
    ]
    assert taps.shares == pytest.approx(share)


@pytest.mark.parametrize("side", [5, 13, 33, 65])
def test_from_a_rate_of_the_maps_side_on_only_the_centre_is_left(side: int) -> None:
    assert Taps(side, side).shares == (0, 0, 1)
    assert Taps(side, side - 1).shares[2] < 1


def test_which_taps_fall_outside() -> None:
    assert Taps(33, 6).inside(0, 16).tolist() == [[False] * 3, [True] * 3, [True] * 3]
    assert Taps(33, 6).inside(16, 30).tolist() == [[True, True, False]] * 3


def test_the_numbers_are_said() -> None:
    said = str(ASPPBranches().pictures(6, 13, "in the corner")["Numbers"])
    means = [f"{weights_inside(13, rate).float().mean():.1f}" for rate in (6, 12, 18)]
    assert f"{means[0]}, {means[1]} and {means[2]}" in said
    assert said.startswith("in the corner, 4, 4 and 1 of 9 weights")


def test_each_control_moves_the_picture() -> None:
    shown = ASPPBranches()
    start = {name: control.value for name, control in shown.controls().items()}
    settings = [start, *({**start, name: control.still} for name, control in shown.controls().items())]
    drawings = [shown.pictures(**values)["taps"] for values in settings]
    assert len({each.picture.png for each in drawings if isinstance(each, Drawing)}) == len(settings)
