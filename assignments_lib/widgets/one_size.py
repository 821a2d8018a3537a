"""Why a fully connected layer wants pictures of one size, and a convolution with the same weights doesn't."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor, nn
from torch.nn.utils import skip_init

from assignments_lib.look import SMALL
from assignments_lib.plots.style import (
    BLUE,
    GREEN,
    INK,
    QUIET,
    VERMILION,
    new_canvas,
    new_figure,
    style,
)
from assignments_lib.widgets.controls import Control, Slider
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.panel import Drawing, Pictures

Network = TypeVar("Network", bound=nn.Module)

TRAINED = 32  # pixels: the side of the pictures that the layer is made for
STRIDE, CHANNELS, CLASSES = 8, 6, 10
SIDE = TRAINED // STRIDE  # units along a side of the map that the layer is made for


@dataclass(frozen=True)
class Answers:
    """What both paths give for a picture.

    ``numbers`` is the length of the flattened map, ``taken`` what the layer takes; ``map`` (classes, h, w) are the
    scores of the convolution. ``difference`` is the largest between them and the layer's answers for all windows.
    """

    units: int
    numbers: int
    taken: int
    map: Tensor
    difference: float

    @property
    def fits(self) -> bool:
        """Whether the layer can be applied to the flattened map."""
        return self.numbers == self.taken


class FlattenOrConvolve(Demonstration):
    """The two ways from a feature map to class scores, for pictures of any size: flatten it, or convolve it.

    The network is a small one with random weights; all numbers are those of tensors computed on the spot.
    """

    title = "From a map to answers: flatten it, or convolve it"

    @cached_property
    def network(self) -> nn.Sequential:
        """Three convolutions of stride 2: pictures (N, 3, H, W) -> maps (N, 6, H / 8, W / 8)."""
        widths = (3, CHANNELS, CHANNELS, CHANNELS)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [skip_init(nn.Conv2d, before, after, 3, stride=2, padding=1), nn.ReLU()]
        return _drawn_at_random(nn.Sequential(*layers))

    @cached_property
    def layer(self) -> nn.Linear:
        """The fully connected layer behind it, for flattened maps of pictures of 32 x 32."""
        return _drawn_at_random(skip_init(nn.Linear, CHANNELS * SIDE * SIDE, CLASSES))

    def controls(self) -> dict[str, Control]:
        """The side of the picture."""
        return {"size": Slider(TRAINED, 96, TRAINED, still=64, step=STRIDE)}

    def pictures(self, size: int) -> Pictures:
        """Both paths, with the shapes and the verdict."""
        answers = self.answers(size)
        places = answers.map.shape[-1]
        verdict = "fits" if answers.fits else "doesn't fit"
        alt = (
            f"A picture of {size} by {size} pixels gives a map of {CHANNELS} channels with {answers.units} by "
            f"{answers.units} units. Above: flattened to {answers.numbers:,} numbers; a layer "
            f"that takes {answers.taken} {verdict}. Below: convolved with a kernel of {SIDE} by {SIDE}, {places} by "
            f"{places} answers."
        )
        where = (
            f"each of the {places} x {places} places" if places > 1 else "the one place where the kernel fits"
        )
        said = (
            f"Flattened: {answers.numbers:,} numbers, the layer takes {answers.taken}: it {verdict}. Convolved: scores "
            f"of {CLASSES} classes at {places} x {places} places. At {where} they are what the layer says about the "
            f"{SIDE} x {SIDE} units there; the largest difference is {answers.difference:.0e}."
        )
        return {"both ways": Drawing(self._drawn(size, answers), alt), "In numbers": said}

    @torch.no_grad()
    def answers(self, size: int) -> Answers:
        """Both paths for a random picture of ``size`` x ``size`` pixels."""
        picture = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(size))
        units = self.network(picture)  # (1, 6, h, w)
        weight, bias = self.layer.weight, self.layer.bias
        scores = F.conv2d(units, weight.reshape(CLASSES, CHANNELS, SIDE, SIDE), bias)[0]  # (10, h - 3, w - 3)
        windows = F.unfold(units, SIDE)[0].T  # (places, 6 * 4 * 4): every window of the map, flattened
        each = self.layer(windows).T.view_as(scores)
        return Answers(
            units.shape[-1],
            units[0].numel(),
            self.layer.in_features,
            scores,
            float((each - scores).abs().max()),
        )

    def _drawn(self, size: int, answers: Answers) -> Figure:
        with style():
            figure, axes = new_canvas(7.0, 3.6, 0)
            _tile(axes, 0.15, 1.8, size / 96 * 1.3, 1, BLUE)
            axes.text(0.15, 0.95, f"picture\n3 x {size} x {size}", va="top")
            _arrow(axes, (1.55, 1.8), (1.95, 1.8))
            _tile(axes, 2.05, 1.8, answers.units / 12 * 1.2, answers.units, BLUE)
            axes.text(2.05, 0.95, f"map\n{CHANNELS} x {answers.units} x {answers.units}", va="top")
            _arrow(axes, (3.35, 2.05), (3.75, 2.7))
            _arrow(axes, (3.35, 1.55), (3.75, 0.9))
            self._flattened(axes, answers)
            self._convolved(axes, answers)
        return figure

    def _flattened(self, axes: Axes, answers: Answers) -> None:
        """The upper path."""
        whole = 2.9 / (CHANNELS * 12 * 12)  # inches a number: the longest vector has 864
        axes.text(3.85, 3.32, "flatten, then a fully connected layer", fontweight="bold")
        for row, (numbers, colour, words) in enumerate(
            (
                (answers.numbers, BLUE, f"{answers.numbers} numbers"),
                (answers.taken, INK, f"{answers.taken} taken"),
            )
        ):
            top = 3.02 - 0.5 * row
            axes.add_patch(
                Rectangle((3.85, top - 0.06), whole * numbers, 0.18, facecolor=colour, edgecolor=INK)
            )
            axes.text(3.85, top - 0.19, words, fontsize=SMALL, va="center")
        fits, places = answers.fits, f"{CLASSES} scores, 1 answer"
        verdict = f"fits: {places}" if fits else "doesn't fit: no answer"
        axes.text(3.85, 1.98, verdict, color=GREEN if fits else VERMILION, fontweight="bold")

    def _convolved(self, axes: Axes, answers: Answers) -> None:
        """The lower path."""
        places = answers.map.shape[-1]
        axes.text(3.85, 1.48, f"convolve with a kernel of {SIDE} x {SIDE}", fontweight="bold")
        _tile(axes, 3.85, 0.78, places / 9 * 1.1, places, GREEN)
        answer = f"{places} x {places} answer" + "s" * (places > 1)
        axes.text(
            5.1,
            0.78,
            f"{CLASSES} x {places} x {places}\n{answer}",
            color=GREEN,
            va="center",
            fontweight="bold",
        )


class OneByOne(Demonstration):
    """A 1x1 convolution is one small fully connected layer at each position: the channels there are its input."""

    title = "A 1x1 convolution: the same layer at every position"

    HEIGHT, WIDTH, CLASSES = 5, 7, 4

    @cached_property
    def map(self) -> Tensor:
        """Features, (6, 5, 7)."""
        smooth = F.avg_pool2d(_normal(1, CHANNELS, self.HEIGHT + 2, self.WIDTH + 2), 3, stride=1)
        return 2 * smooth[0]

    @cached_property
    def layer(self) -> nn.Linear:
        """Six channels in, four classes out."""
        return _drawn_at_random(skip_init(nn.Linear, CHANNELS, self.CLASSES))

    def controls(self) -> dict[str, Control]:
        """Where to look."""
        return {
            "row": Slider(0, self.HEIGHT - 1, 2, still=4, step=1),
            "column": Slider(0, self.WIDTH - 1, 3, still=6, step=1),
        }

    def pictures(self, row: int, column: int) -> Pictures:
        """The map, the channels of one unit, and its scores in both ways."""
        channels = self.map[:, row, column]
        alone, everywhere = self.scores(row, column)
        listed = ", ".join(f"{score:.2f}" for score in alone.tolist())
        alt = (
            f"A map of {self.HEIGHT} by {self.WIDTH} units with {CHANNELS} channels; the unit in row {row}, column "
            f"{column} is marked. Bars show its channels, and the scores of {self.CLASSES} classes in two ways, which "
            f"agree: {listed}."
        )
        difference = float((alone - everywhere).abs().max())
        said = (
            f"Row {row}, column {column}: the layer, given the {CHANNELS} channels of this unit, says {listed}. The "
            f"1x1 convolution of the whole map says the same there; the largest difference is {difference:.0e}."
        )
        return {
            "one unit": Drawing(self._drawn(row, column, channels, alone, everywhere), alt),
            "In numbers": said,
        }

    @torch.no_grad()
    def scores(self, row: int, column: int) -> tuple[Tensor, Tensor]:
        """(classes,) twice: from the layer for this unit alone, and from the convolution of the whole map."""
        everywhere = F.conv2d(self.map[None], self.layer.weight[:, :, None, None], self.layer.bias)[0]
        return self.layer(self.map[:, row, column]), everywhere[:, row, column]

    def _drawn(self, row: int, column: int, channels: Tensor, alone: Tensor, everywhere: Tensor) -> Figure:
        with style():
            figure = new_figure(7.0, 2.7)
            place, bars, scores = figure.subplots(1, 3, width_ratios=(1.3, 1, 1.2))
            place.imshow(self.map.norm(dim=0).numpy(), cmap="Greys", vmin=0, vmax=4)
            place.add_patch(
                Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=VERMILION, linewidth=3)
            )
            place.set(xticks=range(self.WIDTH), yticks=range(self.HEIGHT), xlabel="column", ylabel="row")
            place.set_title("the map")
            bars.bar(range(CHANNELS), channels.tolist(), color=BLUE, edgecolor=INK)
            bars.set_title("channels here")
            bars.set(xlabel="channel", ylim=(-2.6, 2.6), xticks=range(CHANNELS))
            ticks = np.arange(self.CLASSES)
            scores.bar(ticks - 0.2, alone.numpy(), 0.4, color=BLUE, edgecolor=INK, label="layer")
            scores.bar(
                ticks + 0.2,
                everywhere.numpy(),
                0.4,
                color="white",
                edgecolor=INK,
                hatch="////",
                label="1x1 convolution",
            )
            scores.set_title("scores")
            scores.set(xlabel="class", ylim=(-2.2, 3.2), xticks=range(self.CLASSES))
            scores.legend(loc="upper left")
            for axes in (bars, scores):
                axes.axhline(0, color=QUIET, linewidth=0.8)
        return figure


def _normal(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(len(shape)))


def _drawn_at_random(module: Network) -> Network:
    """The same module, its parameters drawn from a generator of their own; nobody's seed is touched."""
    chance = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            scale = parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 0.1
            parameter.copy_(scale * torch.randn(parameter.shape, generator=chance))
    return module


def _tile(axes: Axes, left: float, middle: float, side: float, units: int, colour: str) -> None:
    """A square with a grid of so many units a side, its middle at a height of ``middle``."""
    bottom, step = middle - side / 2, side / units
    axes.add_patch(Rectangle((left, bottom), side, side, facecolor=colour, alpha=0.25, edgecolor="none"))
    for line in range(units + 1):
        axes.plot([left + line * step] * 2, [bottom, bottom + side], color=colour, linewidth=1)
        axes.plot([left, left + side], [bottom + line * step] * 2, color=colour, linewidth=1)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.4})
