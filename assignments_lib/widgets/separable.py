"""A full convolution and a depthwise separable one: what they cost by count, and by the clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from assignments_lib.look import SMALL, TEXT
from assignments_lib.plots.style import BLUE, VERMILION, new_figure, style
from assignments_lib.segmentation import SeparableConv2d
from assignments_lib.widgets.controls import Control, Slider
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.panel import Drawing, Pictures

MAP = 24  # units of the map's side
_RUNS = 5  # of which the median counts


@dataclass(frozen=True)
class Cost:
    """A convolution's sizes, and what it takes on a map of ``side`` x ``side`` units; biases are left out."""

    in_channels: int
    out_channels: int
    kernel_size: int
    side: int = MAP

    @property
    def full(self) -> int:
        """Weights of a full convolution."""
        return self.kernel_size**2 * self.in_channels * self.out_channels

    @property
    def depthwise(self) -> int:
        """Weights of the first step: a kernel for each channel."""
        return self.kernel_size**2 * self.in_channels

    @property
    def pointwise(self) -> int:
        """Weights of the second step: a 1x1 convolution."""
        return self.in_channels * self.out_channels

    @property
    def separable(self) -> int:
        """Weights of both steps."""
        return self.depthwise + self.pointwise

    @property
    def ratio(self) -> float:
        """Separable to full: 1 / out_channels + 1 / kernel_size², in weights and in multiply-adds alike."""
        return self.separable / self.full


def measure(cost: Cost) -> tuple[float, float]:
    """Seconds that a full and a separable convolution take here, on one picture: the median of a few runs."""
    sizes = (cost.in_channels, cost.out_channels, cost.kernel_size)
    with torch.random.fork_rng(devices=[]):  # nobody's random numbers change because of a demonstration
        layers = (nn.Conv2d(*sizes, padding="same", bias=False), SeparableConv2d(*sizes))
    maps = torch.zeros(1, cost.in_channels, cost.side, cost.side)
    taken: tuple[list[float], list[float]] = ([], [])
    with torch.inference_mode():
        for run in range(_RUNS + 1):  # in turn, so that a busy moment is shared; the first only warms up
            for layer, seconds in zip(layers, taken, strict=True):
                started = perf_counter()
                layer(maps)
                if run:
                    seconds.append(perf_counter() - started)
    return median(taken[0]), median(taken[1])


class SeparableCost(Demonstration):
    """Weights, multiply-adds and measured time of both kinds of convolution.

    Args:
        clock: gives the seconds of a full and a separable convolution. Each setting is measured once.
    """

    title = "A full convolution and a depthwise separable one"

    def __init__(self, clock: Callable[[Cost], tuple[float, float]] = measure) -> None:
        self._clock = clock
        self._measured: dict[Cost, tuple[float, float]] = {}

    def controls(self) -> Mapping[str, Control]:
        """The convolution's sizes."""
        return {
            "in_channels": Slider(16, 256, 128, still=32, step=16, on_release=True),
            "out_channels": Slider(16, 256, 128, still=16, step=16, on_release=True),
            "kernel_size": Slider(3, 7, 3, still=7, step=2, on_release=True),
        }

    def pictures(self, in_channels: int, out_channels: int, kernel_size: int) -> Pictures:
        """Bars of the costs, the ratio worked out, and what the clock says."""
        cost = Cost(in_channels, out_channels, kernel_size)
        if cost not in self._measured:
            self._measured[cost] = self._clock(cost)
        full, separable = self._measured[cost]
        counted = (
            f"1/{out_channels} + 1/{kernel_size}² = {1 / out_channels:.4f} + {1 / kernel_size**2:.4f} = "
            f"{cost.ratio:.4f}: {cost.separable:,} weights instead of {cost.full:,}, one for every "
            f"{1 / cost.ratio:.1f}. On a map of {MAP} x {MAP} units each weight is used {MAP**2} times, so that "
            "multiply-adds have the same ratio."
        )
        timed = (
            f"{1000 * full:.2f} ms for the full one, {1000 * separable:.2f} ms for the separable one: "
            f"{_compared(full / separable)} The count alone says {1 / cost.ratio:.1f} times as fast. "
            "The clock also sees how data is fetched and how well each kind is programmed, so that it may say less "
            "or more, and something else in each run."
        )
        alt = (
            f"Bars: {cost.full:,} weights against {cost.depthwise:,} + {cost.pointwise:,}; "
            f"{_millions(cost.full)} million multiply-adds against {_millions(cost.separable)} million; "
            f"{1000 * full:.2f} against {1000 * separable:.2f} milliseconds, measured here."
        )
        return {
            "cost": Drawing(_drawn(cost, full, separable), alt),
            "By count": counted,
            "Measured here": timed,
        }


def _compared(times: float) -> str:
    if times >= 1:
        return f"here the separable one is {times:.1f} times as fast."
    return f"here the separable one is not faster: it takes {1 / times:.1f} times as long."


def _millions(weights: int) -> str:
    return f"{weights * MAP**2 / 1e6:,.1f}"


def _drawn(cost: Cost, full: float, separable: float) -> Figure:
    with style():
        figure = new_figure(7.2, 3.4)
        weights, adds, seconds = figure.subplots(3, 1)
        _bars(
            weights,
            "weights",
            cost.full,
            cost.depthwise,
            cost.pointwise,
            f"{cost.full:,}",
            f"{cost.separable:,}",
        )
        times = MAP**2
        _bars(
            adds, "multiply-adds, millions", cost.full * times, cost.depthwise * times, cost.pointwise * times,
            _millions(cost.full), _millions(cost.separable),
        )  # fmt: skip
        _bars(
            seconds, "milliseconds, measured here", full, separable, 0,
            f"{1000 * full:.2f}", f"{1000 * separable:.2f}",
        )  # fmt: skip
    return figure


def _bars(axes: Axes, title: str, full: float, first: float, second: float, *labels: str) -> None:
    """Two bars; the second in two parts, the depthwise step's hatched, where they are known."""
    axes.barh(0, full, color=BLUE)
    parts = bool(second)
    axes.barh(1, first, color=VERMILION, hatch="////" if parts else "", edgecolor="white", linewidth=0)
    axes.barh(1, second, left=first, color=VERMILION)
    for place, (value, label) in enumerate(zip((full, first + second), labels, strict=True)):
        more = " (striped: depthwise, plain: pointwise)" if place and parts and value < 0.5 * full else ""
        axes.text(value, place, f" {label}{more}", va="center", fontsize=SMALL)
    axes.set_yticks((0, 1), ("full", "separable"))
    axes.set(xlim=(0, 1.25 * max(full, first + second)), ylim=(1.6, -0.6), xticks=[])
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_title(title, fontsize=TEXT)
