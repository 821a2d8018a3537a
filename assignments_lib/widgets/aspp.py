"""The branches of ASPP over a map: which of their weights see the map, and which see only padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from assignments_lib.datasets import scenes
from assignments_lib.look import PALETTE, SMALL
from assignments_lib.plots.style import BLUE, FAINT, GREEN, INK, VERMILION, new_figure, style
from assignments_lib.widgets.controls import Choice, Control, Slider
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.panel import Drawing, Pictures

_COLOURS = 128  # of the file: greys need some
_SEED = 46  # of the scene below the map
_PLACES = {  # (row, column), as shares of the map's side
    "in the centre": (0.5, 0.5),
    "near the edge": (0.5, 0.1),
    "in the corner": (0.0, 0.0),
}
_LOOKS = ((BLUE, "o"), (VERMILION, "s"), (GREEN, "^"))  # of the branches: colour and marker
_SHADES = (BLUE, PALETTE[9], "white")  # all nine weights, some, only the centre


@dataclass(frozen=True)
class Taps:
    """The nine weights of a 3x3 kernel of this rate on a square map with this side."""

    side: int
    rate: int

    def inside(self, row: int, column: int) -> np.ndarray:
        """Which of the weights see the map from there: (3, 3) bool."""
        sees = [[0 <= place + step * self.rate < self.side for step in (-1, 0, 1)] for place in (row, column)]
        return np.outer(sees[0], sees[1])

    @property
    def histogram(self) -> dict[int, int]:
        """How many of the map's units have so many weights inside."""
        along = torch.arange(self.side)
        one = 1 + (along >= self.rate).int() + (along < self.side - self.rate).int()  # of three in a row
        counts = (one[:, None] * one).flatten().bincount(minlength=10)
        return {weights: int(units) for weights, units in enumerate(counts) if units}

    @property
    def shares(self) -> tuple[float, float, float]:
        """Of all units: those with all nine weights inside, with some, with the centre only."""
        every, only = (self.histogram.get(weights, 0) / self.side**2 for weights in (9, 1))
        return every, 1 - every - only, only

    @property
    def mean(self) -> float:
        """Weights inside, on average over all units."""
        return sum(weights * units for weights, units in self.histogram.items()) / self.side**2


class ASPPBranches(Demonstration):
    """Three dilated 3x3 kernels over a map of a scene, and what is left of them at the map's edges (DeepLabv3)."""

    title = "The 3x3 branches of ASPP on a map"

    def controls(self) -> Mapping[str, Control]:
        """The first rate, of which the others are two and three times as much, the map's side, and the place."""
        return {
            "first_rate": Slider(1, 24, 6, still=12, step=1),
            "map_size": Slider(5, 65, 33, still=13, step=4),
            "place": Choice(tuple(_PLACES), "in the centre", still="near the edge"),
        }

    def pictures(self, first_rate: int, map_size: int, place: str) -> Pictures:
        """The taps at one place, the shares over all places, and the numbers."""
        branches = [Taps(map_size, times * first_rate) for times in (1, 2, 3)]
        row, column = (round(share * (map_size - 1)) for share in _PLACES[place])
        counts = [int(taps.inside(row, column).sum()) for taps in branches]
        said = (
            f"{place}, {_listed(counts)} of 9 weights see the map of {map_size} x {map_size}, at the rates "
            f"{_listed([taps.rate for taps in branches])}. On average over all units they are "
            f"{_listed([f'{taps.mean:.1f}' for taps in branches])}. Only the centre is left at "
            f"{_listed([f'{taps.shares[2]:.0%}' for taps in branches])} of the units."
        )
        alt = f"Taps of three 3x3 kernels over a map, and bars of how many see it: {said}"
        return {"taps": Drawing(_drawn(branches, row, column), alt, _COLOURS), "Numbers": said}


def _listed(values: Sequence[object]) -> str:
    *first, last = map(str, values)
    return f"{', '.join(first)} and {last}"


def _drawn(branches: Sequence[Taps], row: int, column: int) -> Figure:
    with style():
        figure = new_figure(7.6, 4.6)
        left, right = figure.subplots(1, 2, width_ratios=(1.45, 1))
        _taps(left, branches, row, column)
        _shares(right, branches)
        figure.legend(
            *left.get_legend_handles_labels(),
            loc="outside lower left",
            ncols=5,
            handletextpad=0.3,
            columnspacing=1.4,
        )
    return figure


def _taps(axes: Axes, branches: Sequence[Taps], row: int, column: int) -> None:
    """The map, over the scene it is of, and around it the padding."""
    side = branches[0].side
    low, high = -0.5, side - 0.5
    grey = scenes.draw(_SEED, (96, 96))[0].mean(2)
    axes.imshow(
        grey / 255,
        cmap="gray",
        vmin=-2,
        vmax=1,
        extent=(low, high, high, low),
        interpolation="nearest",
        zorder=1,
    )
    if side <= 33:
        lines = np.arange(low, side)
        axes.vlines(lines, low, high, color="white", linewidth=0.5, zorder=2)
        axes.hlines(lines, low, high, color="white", linewidth=0.5, zorder=2)
    axes.add_patch(Rectangle((low, low), side, side, fill=False, edgecolor=INK, linewidth=2, zorder=3))
    furthest = max(branches[-1].rate, side / 2)
    for taps, (colour, marker) in zip(branches, _LOOKS, strict=True):
        inside = taps.inside(row, column)
        for (down, right), sees in np.ndenumerate(inside):
            x, y = column + (right - 1) * taps.rate, row + (down - 1) * taps.rate
            if down == right == 1:
                continue  # the same for all
            if sees:
                axes.plot(x, y, marker, color=colour, markeredgecolor="white", markersize=8, zorder=5)
            else:
                axes.plot(x, y, "x", color=colour, markersize=7, markeredgewidth=1.8, zorder=4)
        axes.plot([], [], marker, color=colour, markersize=7, label=f"rate {taps.rate}")
    axes.plot(column, row, "*", color=INK, markeredgecolor="white", markersize=13, zorder=6)
    axes.plot([], [], "*", color=INK, markersize=10, label="centre of all")
    axes.plot([], [], "x", color=INK, markersize=7, markeredgewidth=1.8, label="in the padding")
    margin = 0.06 * side + 1
    axes.set(
        xlim=(min(low, column - furthest) - margin, max(high, column + furthest) + margin),
        ylim=(max(high, row + furthest) + margin, min(low, row - furthest) - margin),
        aspect="equal", xticks=[], yticks=[],
    )  # fmt: skip
    axes.spines[:].set(visible=True, color=FAINT)
    axes.set_title(f"a map of {side} x {side} units")


def _shares(axes: Axes, branches: Sequence[Taps]) -> None:
    """A bar for each branch: units with all nine weights, with some, with the centre only."""
    names = ("all 9", "2 to 6", "only 1")
    for place, taps in enumerate(branches):
        below = 0.0
        for name, share, shade in zip(names, taps.shares, _SHADES, strict=True):
            hatch = "//" if name == "only 1" else ""
            axes.bar(place, share, 0.72, bottom=below, color=shade, edgecolor=INK, linewidth=0.8, hatch=hatch)
            if share > 0.09:
                axes.text(
                    place, below + share / 2, f"{name}\n{share:.0%}", ha="center", va="center", fontsize=SMALL,
                    color="white" if name == "all 9" else INK,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1} if hatch else None,
                )  # fmt: skip
            below += share
    axes.set(ylim=(0, 1), yticks=[], xlim=(-0.5, len(branches) - 0.5))
    axes.set_xticks(range(len(branches)), [f"rate {taps.rate}" for taps in branches])
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="x", length=0)
    axes.set_title("weights inside, of all units")
