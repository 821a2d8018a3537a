"""Dilation: which pixels a unit sees through layers with holes, and the grid that careless rates leave behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from assignments_lib.datasets import scenes
from assignments_lib.look import COUNTS, MIST, SMALL
from assignments_lib.plots.pixels import IGNORE
from assignments_lib.plots.style import FAINT, INK, QUIET, VERMILION, new_figure, style
from assignments_lib.widgets.controls import Choice, Control, Slider
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.panel import Drawing, Pictures

RATES = ("1, 1, 1", "2, 2, 2", "1, 2, 4", "2, 4, 8", "1, 2, 5")  # the last: hybrid dilated convolution
_SIDE = 31  # pixels of the window that is drawn: a unit that sees 29 x 29 fits
_COLOURS = 128  # of the file: many shades that are near each other
_WIDTH = 7.2  # inches, of two maps
_SEED = 46  # of the scene of `Gridding`


@dataclass(frozen=True)
class Seen:
    """``counts`` (side, side): in how many ways each pixel of the receptive field reaches the unit above."""

    counts: Tensor

    @property
    def side(self) -> int:
        """Of the receptive field, in pixels."""
        return len(self.counts)

    @property
    def used(self) -> int:
        """Pixels that count at least once."""
        return int((self.counts > 0).sum())

    @property
    def holes(self) -> int:
        """Pixels within the receptive field that count nowhere."""
        return self.side**2 - self.used

    @classmethod
    def through(cls, rates: Sequence[int]) -> Seen:
        """By 3x3 layers with these rates, one after the other."""
        counts = torch.ones(1, 1, 1, 1, dtype=torch.float64)
        for rate in rates:
            stamp = torch.ones(1, 1, 3, 3, dtype=torch.float64)
            counts = F.conv_transpose2d(counts, stamp, dilation=rate)  # larger by 2 * rate
        return cls(counts[0, 0].round().long())


class Dilation(Demonstration):
    """The pixels that one unit sees after some dilated 3x3 layers, and how often it uses each of them."""

    title = "What a unit sees through dilated 3x3 convolutions"

    def controls(self) -> Mapping[str, Control]:
        """The rates of the layers, and how many of them there are."""
        return {
            "rates": Choice(RATES, "1, 2, 4", still="2, 2, 2"),
            "layers": Slider(1, 3, 3, still=2, step=1),
        }

    def pictures(self, rates: str, layers: int) -> Pictures:
        """The pixel grid with its counts, and the numbers in a sentence."""
        used = _numbers(rates)[:layers]
        seen = Seen.through(used)
        said = (
            f"{layers} {'layer' if layers == 1 else 'layers'} with {_named(used)}: a receptive field of "
            f"{seen.side} x {seen.side} = {seen.side**2} pixels from {9 * layers} weights in one channel. "
            f"The unit uses {seen.used} of these pixels; {seen.holes} are holes."
        )
        alt = f"A grid of pixels around one unit, darker where a pixel is used more often. {said}"
        return {"pixels": Drawing(_counted(seen, used), alt, _COLOURS), "Numbers": said}


class Gridding(Demonstration):
    """Averaging a map several times with holes: with equal rates, units next to each other share nothing.

    Args:
        maps: maps (H, W) of floats, 0 or more, by the name of each; when None, a single active unit, and a scene's
            things, half of whose units are active at random.

    Raises:
        ValueError: there are no maps, or one isn't (H, W).
    """

    title = "A map averaged by three dilated 3x3 layers"

    def __init__(self, maps: Mapping[str, Tensor] | None = None) -> None:
        self.maps = dict(maps) if maps is not None else {"a scene's things": _things(), "one unit": _dot()}
        if not self.maps or any(each.ndim != 2 for each in self.maps.values()):
            raise ValueError("there must be at least one map, and each must be (H, W): a single channel")

    def controls(self) -> Mapping[str, Control]:
        """The rates, and what is averaged."""
        names = tuple(self.maps)
        return {
            "rates": Choice(RATES, "2, 2, 2", still="1, 2, 5"),
            "map": Choice(names, names[0], still=names[-1]),
        }

    def averaged(self, map: str, rates: str) -> Tensor:
        """The map (H, W) after a dilated average over 3x3 units for each rate; edges are repeated outwards."""
        maps = self.maps[map][None, None].double()
        for rate in _numbers(rates):
            padded = F.pad(maps, (rate,) * 4, mode="replicate")
            maps = F.conv2d(padded, maps.new_full((1, 1, 3, 3), 1 / 9), dilation=rate)
        return maps[0, 0]

    def pictures(self, rates: str, map: str) -> Pictures:
        """The map before and after, and how much units one and two apart differ."""
        before, after = self.maps[map], self.averaged(map, rates)
        one, two = (
            float((after[:, apart:] - after[:, :-apart]).abs().mean() / after.max().clamp(min=1e-12))
            for apart in (1, 2)
        )
        verdict = (
            "Neighbours differ more than units two apart: a grid."
            if one > two
            else "Neighbours differ less than units two apart, as in a smooth map."
        )
        said = (
            f"after {_named(_numbers(rates))}, units side by side differ by {one:.1%} of the maximum on average, "
            f"units two apart by {two:.1%}. {verdict}"
        )
        alt = f"Two maps, {map}, before and after three averages: {said}"
        return {"maps": Drawing(_side_by_side(before, after, rates), alt), "Differences": said}


def _numbers(rates: str) -> list[int]:
    return [int(rate) for rate in rates.split(",")]


def _named(rates: Sequence[int]) -> str:
    return f"{'rate' if len(rates) == 1 else 'rates'} {', '.join(map(str, rates))}"


def _dot() -> Tensor:
    dot = torch.zeros(_SIDE, _SIDE)
    dot[_SIDE // 2, _SIDE // 2] = 1
    return dot


def _things() -> Tensor:
    """(40, 56): 1 at every other unit, at random, of the things in a scene, else 0."""
    labels = torch.from_numpy(scenes.draw(_SEED, (40, 56))[1])
    active = torch.rand(labels.shape, generator=torch.Generator().manual_seed(0)) < 0.5
    return ((labels > 0) & (labels != IGNORE) & active).float()


def _side_by_side(before: Tensor, after: Tensor, rates: str) -> Figure:
    with style():
        figure = new_figure(_WIDTH, _WIDTH / 2 * before.shape[0] / before.shape[1] + 0.35)
        titles = ("before", f"after averages with rates {rates}")
        for axes, each, name in zip(figure.subplots(1, 2), (before, after), titles, strict=True):
            axes.imshow(
                each.numpy(), cmap="gray", vmin=0, interpolation="nearest"
            )  # white is the map's own maximum
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            axes.set_title(name)
    return figure


def _counted(seen: Seen, rates: Sequence[int]) -> Figure:
    """Cells for pixels, the unit's own in the middle."""
    counts, side = seen.counts.numpy(), seen.side
    half, reach = _SIDE / 2, side // 2
    shades = LinearSegmentedColormap.from_list("counts", COUNTS)
    lines = np.arange(-half, half + 1)
    with style():
        figure = new_figure(6.2, 6.7)
        axes = figure.subplots()
        axes.imshow(
            np.ma.masked_equal(counts, 0), cmap=shades, vmin=1, vmax=max(2, counts.max()),
            extent=(-side / 2, side / 2) * 2, interpolation="nearest",
        )  # fmt: skip
        axes.add_patch(Rectangle((-half, -half), _SIDE, _SIDE, facecolor=MIST, zorder=-2))
        axes.add_patch(Rectangle((-side / 2, -side / 2), side, side, facecolor="white", zorder=-1))  # holes
        for row, column in np.argwhere(counts):
            axes.text(
                column - reach,
                row - reach,
                str(counts[row, column]),
                fontsize=SMALL,
                ha="center",
                va="center_baseline",
            )
        axes.vlines(lines, -half, half, color=FAINT, linewidth=0.6)
        axes.hlines(lines, -half, half, color=FAINT, linewidth=0.6)
        for size, colour in ((side, INK), (1, VERMILION)):
            axes.add_patch(
                Rectangle(
                    (-size / 2, -size / 2), size, size, fill=False, edgecolor=colour, linewidth=2, zorder=3
                )
            )
        axes.set(xlim=(-half - 0.2, half + 0.2), ylim=(half + 0.2, -half - 0.2), aspect="equal")
        axes.set_axis_off()
        axes.set_title(f"{_named(rates)}: {side} x {side} pixels, {seen.holes} holes".capitalize())
        figure.supxlabel(
            "A number: how many ways lead from this pixel to the unit. White, without a number: a hole.",
            fontsize=SMALL, color=QUIET,
        )  # fmt: skip
    return figure
