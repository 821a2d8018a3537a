"""Dilated layers: which pixels count how often, and the grid that equal rates leave behind."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from assignments_lib.widgets import Drawing
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.dilation import RATES, Dilation, Gridding, Seen


def counted(rates: list[int]) -> dict[tuple[int, int], int]:
    """Every way through the layers, walked."""
    counts: dict[tuple[int, int], int] = {}
    steps = list(product((-1, 0, 1), repeat=2))
    for way in product(steps, repeat=len(rates)):
        down, right = (
            sum(rate * step[axis] for rate, step in zip(rates, way, strict=True)) for axis in (0, 1)
        )
        counts[down, right] = counts.get((down, right), 0) + 1
    return counts


@pytest.mark.parametrize("rates", [[int(rate) for rate in rates.split(",")] for rates in RATES])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_counts_are_the_ways_through_the_layers(rates: list[int], layers: int) -> None:
    seen, ways = Seen.through(rates[:layers]), counted(rates[:layers])
    reach = sum(rates[:layers])
    assert seen.side == 2 * reach + 1
    assert {
        (row - reach, column - reach): int(seen.counts[row, column])
        for row, column in seen.counts.nonzero().tolist()
    } == ways
    assert seen.used == len(ways)
    assert seen.holes == seen.side**2 - len(ways)


def test_doubling_rates_see_exponentially_far_and_leave_no_hole() -> None:
    for layers in range(1, 6):
        seen = Seen.through([2**layer for layer in range(layers)])
        assert seen.side == 2 ** (layers + 1) - 1  # Yu and Koltun 2016, section 2
        assert seen.holes == 0
    assert Seen.through([2, 2, 2]).holes > 0
    assert Seen.through([1, 2, 5]).holes == 0


def test_averages_are_those_of_the_counts() -> None:
    shown = Gridding()
    dot = shown.maps["one unit"]
    for rates in RATES:
        numbers = [int(rate) for rate in rates.split(",")]
        expected = Seen.through(numbers).counts / 9 ** len(numbers)
        margin = (dot.shape[0] - len(expected)) // 2
        got = shown.averaged("one unit", rates)
        inner = got[margin : margin + len(expected), margin : margin + len(expected)]
        torch.testing.assert_close(inner, expected.double())
        assert got.sum() == pytest.approx(1)


def test_equal_rates_never_mix_units_of_different_parity() -> None:
    torch.manual_seed(0)
    even = torch.zeros(24, 24)
    even[::2, ::2] = torch.rand(12, 12)
    shown = Gridding({"even": even})
    averaged = shown.averaged("even", "2, 2, 2")[6:-6, 6:-6]  # where no repeated edge is seen
    assert averaged[::2, ::2].min() > 0
    assert not averaged[1::2].any()
    assert not averaged[:, 1::2].any()
    assert shown.averaged("even", "1, 2, 5").min() > 0


@pytest.mark.parametrize(
    ("rates", "expected"), [("2, 2, 2", "more than units two apart: a grid"), ("1, 2, 5", "less than")]
)
def test_the_sentence_tells_a_grid_from_a_smooth_map(rates: str, expected: str) -> None:
    assert expected in str(Gridding().pictures(rates, "a scene's things")["Differences"])


@pytest.mark.parametrize("shown", [Dilation(), Gridding()], ids=["dilation", "gridding"])
def test_each_control_moves_the_picture(shown: Demonstration) -> None:
    start = {name: control.value for name, control in shown.controls().items()}
    settings = [start, *({**start, name: control.still} for name, control in shown.controls().items())]
    drawings = [next(iter(shown.pictures(**values).values())) for values in settings]
    assert len({each.picture.png for each in drawings if isinstance(each, Drawing)}) == len(settings)


@pytest.mark.parametrize("maps", [{}, {"colours": torch.rand(3, 4, 4)}])
def test_maps_that_are_none(maps: dict[str, torch.Tensor]) -> None:
    with pytest.raises(ValueError, match="at least one map"):
        Gridding(maps)
