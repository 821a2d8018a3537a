"""The drawing of a U-Net, made from what its forward pass does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from torch import nn

from assignments_lib.look import MIST, PALE_BLUE, PALE_PURPLE, SMALL
from assignments_lib.plots.style import BLUE, GREEN, INK, PURPLE, QUIET, VERMILION, new_canvas, style
from assignments_lib.segmentation.unet import Step, UNet, trace
from assignments_lib.widgets.controls import Choice, Control, Slider
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.panel import Drawing, Pictures

PAPER, PADDED = "the paper's, no padding", "padded"

_WIDTH, _MARGIN = 8.0, 0.32  # inches
_COLUMN = 0.6  # from box to box at most, where there is room
_TALLEST, _NARROWEST, _WIDEST = 0.95, 0.07, 0.25  # inches of a box
_NUMBERS, _BETWEEN = 0.19, 0.26  # a line of numbers, and from level to level
_PICTURE, _OWN, _ACROSS = MIST, PALE_BLUE, PALE_PURPLE  # the picture and scores, maps, maps from across


@dataclass(frozen=True)
class Shape:
    """A network and the maps that one picture becomes in it."""

    steps: tuple[Step, ...]
    layers: int  # convolutions of all kinds
    parameters: int

    @property
    def side(self) -> int:
        """The picture's height and width."""
        return self.steps[0].height

    @property
    def cropped(self) -> list[tuple[int, int]]:
        """For each skip, from the bottom up: the size of the map on the left, and what of it goes across."""
        return [
            (self.steps[step.partner].height, step.height) for step in self.steps if step.partner is not None
        ]


@dataclass
class _Box:
    """A map as it is drawn."""

    step: Step
    x: float  # its middle
    y: float
    width: float
    height: float


class UShape(Demonstration):
    """The U: a box for every map, as tall as the map is large, with arrows for what leads from one to the next."""

    title = "The U, drawn from the network itself"

    def __init__(self) -> None:
        self.shape = lru_cache(maxsize=32)(self._new_shape)

    def controls(self) -> Mapping[str, Control]:
        """The kind of network, its depth and width, and the picture's size."""
        return {
            "network": Choice((PAPER, PADDED), PAPER, still=PADDED),
            "depth": Slider(1, 4, 4, still=2, step=1, on_release=True),
            "width": Slider(8, 64, 64, still=16, step=8, on_release=True),
            "picture": Slider(188, 636, 572, still=380, step=16, on_release=True),
        }

    def _new_shape(self, network: str, depth: int, width: int, picture: int) -> Shape:
        """The shape for a picture of this side, or the next larger one that the network can take."""
        padded = network == PADDED
        with torch.device("meta"):  # layers without numbers
            model = UNet(3 if padded else 1, 2, width, depth, padded=padded, norm=padded)
        layers = sum(isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) for layer in model.modules())
        parameters = sum(each.numel() for each in model.parameters())
        for side in range(picture, picture + 2**depth):
            try:
                return Shape(tuple(trace(model, (side, side))), layers, parameters)
            except ValueError:
                continue  # some map on the way can't be halved
        raise ValueError(
            f"a picture of {picture} pixels is too small to be halved {depth} times without padding"
        )

    def pictures(self, network: str, depth: int, width: int, picture: int) -> Pictures:
        """The U, and what it amounts to."""
        shape = self.shape(network, int(depth), int(width), int(picture))
        said = self._said(shape, int(picture))
        with style():
            figure = _drawn(shape)
        ways = {
            side: [step for step in shape.steps if step.side == side and step.name == "convolution"]
            for side in ("down", "up")
        }
        down, up = (
            ", ".join(f"{each.channels} channels of {each.height}" for each in steps[1::2])
            for steps in ways.values()
        )
        return {
            "channels above, size below each map": Drawing(figure, f"A U. Down: {down}. Up: {up}. {said}"),
            "In numbers": said,
        }

    @staticmethod
    def _said(shape: Shape, asked: int) -> str:
        side, last = shape.side, shape.steps[-1]
        other = (
            ""
            if side == asked
            else f"A picture of {asked} can't be halved that often; the next that can has {side}. "
        )
        crops = [f"{kept} of {whole}" for whole, kept in shape.cropped if kept != whole]
        skips = (
            f"the skips keep, from the bottom up, {', '.join(crops)} units a side"
            if crops
            else "the skips fit as they are"
        )
        return (
            f"{other}{shape.layers} convolutional layers, {_count(shape.parameters)} parameters. "
            f"A picture of {side}×{side} gives scores for {last.height}×{last.width}; {skips}."
        )


def _count(parameters: int) -> str:
    return f"{parameters / 1e6:.1f} million" if parameters >= 1e6 else f"{parameters:,}"


def _columns(steps: tuple[Step, ...]) -> list[int]:
    """In which column each step stands: what is pooled or enlarged stands right below or above what it comes from."""
    columns: list[int] = []
    at = 0
    for before, step in pairwise((None, *steps)):
        if before is not None and step is not None:
            beside = step.level == before.level and step.name != "skip"
            at += beside
        columns.append(at)
    return columns


def _drawn(shape: Shape) -> Figure:
    steps = shape.steps
    columns = _columns(steps)
    depth = max(step.level for step in steps)
    pace = min(_COLUMN, (_WIDTH - 2 * _MARGIN) / columns[-1])
    left = (_WIDTH - pace * columns[-1]) / 2
    largest = max(step.height for step in steps)
    widest = max(step.channels for step in steps)
    # In proportion, 28 of 572 and 1 of 1024 would be dots
    tall = [
        _TALLEST * (max(s.height for s in steps if s.level == level) / largest) ** 0.5
        for level in range(depth + 1)
    ]
    middles, y = [], 0.62
    for each in reversed(tall):
        middles.append(y + _NUMBERS + each / 2)
        y += each + 2 * _NUMBERS + _BETWEEN
    middles.reverse()
    figure, axes = new_canvas(_WIDTH, y, 0)
    boxes = [
        _Box(
            step, left + pace * column, middles[step.level],
            _NARROWEST + (_WIDEST - _NARROWEST) * (step.channels / widest) ** 0.5,
            _TALLEST * (step.height / largest) ** 0.5,
        )
        for step, column in zip(steps, columns, strict=True)
    ]  # fmt: skip
    for number, box in enumerate(boxes):
        following = steps[number + 1].name if number + 1 < len(steps) else ""
        if following != "skip":  # what is concatenated at once is drawn with what it is concatenated to
            _box(axes, box, boxes)
    for before, after in pairwise(boxes):
        _arrow(axes, before, after)
    for box in boxes:
        if box.step.partner is not None:
            _across(axes, boxes[box.step.partner], box)
    names = {step.name for step in steps}
    _legend(axes, cropped=any(kept < whole for whole, kept in shape.cropped), extended="extended" in names)
    return figure


def _box(axes: Axes, box: _Box, boxes: list[_Box]) -> None:
    step = box.step
    x, y = box.x - box.width / 2, box.y - box.height / 2
    special = step.name in ("picture", "extended", "scores", "cut")
    own = _PICTURE if special else _OWN
    axes.add_patch(
        Rectangle((x, y), box.width, box.height, facecolor=own, edgecolor=INK, linewidth=0.9, zorder=3)
    )
    if step.partner is not None:
        share = boxes[step.partner].step.channels / step.channels * box.width
        axes.add_patch(
            Rectangle(
                (x, y),
                share,
                box.height,
                facecolor=_ACROSS,
                edgecolor=INK,
                linewidth=0.9,
                hatch="....",
                zorder=4,
            )
        )
    axes.text(
        box.x, box.y + box.height / 2 + 0.03, str(step.channels), ha="center", va="bottom", fontsize=SMALL
    )
    axes.text(
        box.x,
        box.y - box.height / 2 - 0.04,
        str(step.height),
        ha="center",
        va="top",
        fontsize=SMALL,
        color=QUIET,
    )


def _arrow(axes: Axes, before: _Box, after: _Box) -> None:
    name = after.step.name
    if name == "skip":
        return
    if after.step.level == before.step.level:
        gap = 0.02
        start, end = (before.x + before.width / 2 + gap, before.y), (after.x - after.width / 2 - gap, after.y)
        _line(axes, start, end, *((QUIET, ":") if name in ("extended", "cut") else (BLUE,)))
    elif name == "pooling":
        top, bottom = before.y - before.height / 2 - _NUMBERS, after.y + after.height / 2 + _NUMBERS
        _line(axes, (after.x, top), (after.x, bottom), VERMILION)
    else:
        bottom, top = before.y + before.height / 2 + _NUMBERS, after.y - after.height / 2 - _NUMBERS
        _line(axes, (after.x, bottom), (after.x, top), GREEN)


def _across(axes: Axes, left: _Box, right: _Box) -> None:
    """The skip: from the last map on the left, of which the middle may be all that fits."""
    start, end = left.x + left.width / 2 + 0.03, right.x - right.width / 2 - 0.03
    _line(axes, (start, left.y), (end, right.y), PURPLE, "--")
    if right.step.height < left.step.height:
        kept = left.height * right.step.height / left.step.height
        axes.add_patch(
            Rectangle(
                (left.x - left.width / 2, left.y - kept / 2), left.width, kept, facecolor=_ACROSS, edgecolor=PURPLE,
                hatch="....", linewidth=0.9, zorder=4,
            )
        )  # fmt: skip
    if end - start > 1.2:
        words = (
            f"crop {left.step.height} to {right.step.height}"
            if right.step.height < left.step.height
            else "copy"
        )
        axes.text(
            (start + end) / 2, left.y + 0.04, words, ha="center", va="bottom", fontsize=SMALL, color=PURPLE
        )


def _line(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str, dash: str = "-"
) -> None:
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=8, shrinkA=0, shrinkB=0, color=colour, linewidth=1.4,
            linestyle=dash, zorder=2,
        )
    )  # fmt: skip


def _legend(axes: Axes, cropped: bool, extended: bool) -> None:
    entries = [
        (BLUE, "-", "convolution", (1, 0)),
        (VERMILION, "-", "max pooling 2×2", (0, -1)),
        (GREEN, "-", "up-convolution 2×2", (0, 1)),
        (PURPLE, "--", "skip: copy the part that fits" if cropped else "skip: copy", (1, 0)),
    ]
    if extended:
        entries.append((QUIET, ":", "pad, or cut back", (1, 0)))
    x, y = 0.2, 0.3
    for colour, dash, words, (across, up) in entries:
        x += 0.13 * across
        _line(axes, (x - 0.13 * across, y - 0.13 * up), (x + 0.13 * across, y + 0.13 * up), colour, dash)
        x += 0.08 + 0.13 * across
        axes.text(x, y, words, fontsize=SMALL, va="center")
        x += 0.075 * len(words) + 0.28
