"""The cost of separable convolutions: counted on torch's own layers; the clock is only asked, not believed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from assignments_lib.widgets import Drawing
from assignments_lib.widgets.separable import Cost, SeparableCost, measure

SIZES = [(16, 32, 3), (128, 128, 3), (64, 256, 5), (48, 16, 7)]


@pytest.mark.parametrize(("in_channels", "out_channels", "kernel_size"), SIZES)
def test_weights_are_those_of_torchs_layers(in_channels: int, out_channels: int, kernel_size: int) -> None:
    cost = Cost(in_channels, out_channels, kernel_size)
    layers = {
        "full": nn.Conv2d(in_channels, out_channels, kernel_size, bias=False),
        "depthwise": nn.Conv2d(in_channels, in_channels, kernel_size, groups=in_channels, bias=False),
        "pointwise": nn.Conv2d(in_channels, out_channels, 1, bias=False),
    }
    for name, layer in layers.items():
        assert getattr(cost, name) == layer.weight.numel()
    assert cost.separable == cost.depthwise + cost.pointwise
    assert cost.ratio == pytest.approx(1 / out_channels + 1 / kernel_size**2)


def test_the_clock_measures_both_and_leaves_random_numbers_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    seconds = measure(Cost(16, 16, 3, side=8))
    assert torch.equal(torch.rand(4), expected)
    assert all(0 < each < 5 for each in seconds)


def test_each_setting_is_measured_once() -> None:
    asked = []

    def clock(cost: Cost) -> tuple[float, float]:
        asked.append(cost)
        return 0.02, 0.005

    shown = SeparableCost(clock)
    for kernel_size in (3, 7, 3):
        pictures = shown.pictures(32, 64, kernel_size)
    assert [cost.kernel_size for cost in asked] == [3, 7]
    assert "20.00 ms for the full one, 5.00 ms" in str(pictures["Measured here"])
    assert "4.0 times as fast" in str(pictures["Measured here"])
    assert f"{1 / (1 / 64 + 1 / 9):.1f}" in str(pictures["By count"])


def test_a_separable_one_that_is_slower_is_called_so() -> None:
    said = str(SeparableCost(lambda _: (0.001, 0.002)).pictures(16, 16, 3)["Measured here"])
    assert "not faster: it takes 2.0 times as long" in said


def test_each_control_moves_the_picture() -> None:
    shown = SeparableCost(lambda _: (0.02, 0.01))
    start = {name: control.value for name, control in shown.controls().items()}
    settings = [start, *({**start, name: control.still} for name, control in shown.controls().items())]
    drawings = [shown.pictures(**values)["cost"] for values in settings]
    assert len({each.picture.png for each in drawings if isinstance(each, Drawing)}) == len(settings)
