"""How much of a picture one unit can see, how much it does see, and how fine a map such units can draw."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from assignments_lib.datasets import scenes
from assignments_lib.plots.pixels import IGNORE, coloured
from assignments_lib.plots.style import BLUE, QUIET, VERMILION, new_figure, style
from assignments_lib.widgets.controls import Control, Slider
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.panel import Drawing, Pictures
from assignments_lib.widgets.regions import middle, write

SIDE = 160  # pixels of the picture
KERNEL = 3
SHARE = 0.95  # of what a unit depends on: what lies in its effective field
_CHANNELS, _DRAWS = 6, 24
_SCENE = 4


@dataclass(frozen=True)
class Stack:
    """So many 3x3 convolutions, the first ``strided`` of them with stride 2, the others with this dilation."""

    layers: int
    strided: int
    dilation: int

    @property
    def steps(self) -> list[tuple[int, int]]:
        """Stride and dilation of each layer."""
        return [(2, 1) if index < self.strided else (1, self.dilation) for index in range(self.layers)]

    @property
    def stride(self) -> int:
        """Pixels between neighbouring units of the last map."""
        return 2 ** min(self.strided, self.layers)

    @property
    def field(self) -> int:
        """Side of the theoretical receptive field in pixels.

        Each layer adds (kernel - 1) x its dilation x the strides of all layers before it.
        """
        side, apart = 1, 1
        for stride, dilation in self.steps:
            side += (KERNEL - 1) * dilation * apart
            apart *= stride
        return side

    def seen(self, draws: int = _DRAWS, channels: int = _CHANNELS) -> Tensor:
        """How much one unit depends on each pixel of its theoretical field, (side, side), the largest value 1.

        The mean square of the gradient by the pixel, over random pictures and networks with ReLU: random weights have
        either sign, so the gradient's mean is 0, and its variance says how strong it is (W. Luo et al., Understanding
        the effective receptive field in deep convolutional neural networks, NeurIPS 2016, section 2).
        """
        chance = torch.Generator().manual_seed(100 * self.layers + 10 * self.strided + self.dilation)
        total = torch.zeros(self.field, self.field)
        for _ in range(draws):
            # Without padding, a picture as large as the field gives exactly one unit.
            picture = torch.randn(1, 3, self.field, self.field, generator=chance).requires_grad_()
            x = picture
            for stride, dilation in self.steps:
                weight = torch.randn(channels, x.shape[1], KERNEL, KERNEL, generator=chance)
                weight *= (2 / weight[0].numel()) ** 0.5  # keeps the size of the numbers from layer to layer
                x = F.conv2d(x, weight, stride=stride, dilation=dilation).relu()
            mixed = (x.flatten() * torch.randn(channels, generator=chance)).sum()
            (gradient,) = torch.autograd.grad(mixed, picture)
            total += gradient[0].square().sum(0)
        return total / total.max().clamp_min(1e-30)


class ReceptiveField(Demonstration):
    """The field of one unit, in theory and by gradients, on a picture; and the finest mask that the map can hold."""

    title = "What a unit sees, and how fine the map is"

    def __init__(self) -> None:
        self._seen: dict[Stack, Tensor] = {}

    @cached_property
    def scene(self) -> tuple[np.ndarray, Tensor]:
        """A picture (160, 160, 3) and its mask (160, 160)."""
        picture, mask = scenes.draw(_SCENE, (SIDE, SIDE))
        return picture, torch.from_numpy(mask).long()

    @cached_property
    def names(self) -> list[tuple[str, tuple[int, int]]]:
        """Classes of the mask, and where their names can stand."""
        labels = [label for label in self.scene[1].unique().tolist() if label != IGNORE]
        return [(scenes.CLASSES[label], middle(self.scene[1] == label)) for label in labels]

    def controls(self) -> dict[str, Control]:
        """The layers, how many of them have stride 2, and the dilation of the others."""
        return {
            "layers": Slider(1, 8, 6, still=8, step=1, on_release=True),
            "strided": Slider(0, 2, 0, still=2, step=1, on_release=True),
            "dilation": Slider(1, 3, 1, still=3, step=1, on_release=True),
        }

    def pictures(self, layers: int, strided: int, dilation: int) -> Pictures:
        """The field on the picture, its profile, and the mask in the map's resolution."""
        stack = Stack(layers, strided, dilation)
        seen = self.seen(stack)
        effective, units = self.effective(seen), -(-SIDE // stack.stride)
        alt = (
            f"A picture of {SIDE} by {SIDE} pixels. A square of {stack.field} pixels is the theoretical field; the "
            f"heat inside is strongest in its middle: {SHARE:.0%} of it lie in a square of {effective} pixels. The "
            f"profile below is a bell in a box. Beside it the mask as a map of {units} by {units} units can hold it."
        )
        said = (
            f"In theory a unit sees {stack.field} x {stack.field} pixels. {SHARE:.0%} of what it depends on lies "
            f"within {effective} x {effective}: {(effective / stack.field) ** 2:.0%} of that square. Neighbouring "
            f"units lie {stack.stride} pixel{'s' * (stack.stride > 1)} apart, so the map has {units} x {units}."
        )
        return {"field and map": Drawing(self._drawn(stack, seen, effective, units), alt), "In numbers": said}

    def seen(self, stack: Stack) -> Tensor:
        """`Stack.seen`, measured once."""
        if stack not in self._seen:
            self._seen[stack] = stack.seen()
        return self._seen[stack]

    def effective(self, seen: Tensor) -> int:
        """Side of the smallest square around the middle that holds 95 % of what a unit depends on."""
        total, side = float(seen.sum()), 1
        while side < len(seen):
            edge = (len(seen) - side) // 2
            if float(seen[edge : edge + side, edge : edge + side].sum()) >= SHARE * total:
                break
            side += 2
        return side

    def _drawn(self, stack: Stack, seen: Tensor, effective: int, units: int) -> Figure:
        picture, mask = self.scene
        with style():
            figure = new_figure(6.4, 5.0)
            picture_axes, map_axes, profile = figure.subplot_mosaic("pm;ff", height_ratios=(2.1, 1)).values()
            picture_axes.imshow(_warmed(picture, seen), interpolation="nearest")
            for side, colour, line in ((stack.field, BLUE, "-"), (effective, VERMILION, ":")):
                corner = (SIDE - side) // 2 - 0.5
                for edge, dash, wide in (("white", "-", 3.5), (colour, line, 1.8)):
                    square = Rectangle((corner, corner), side, side, fill=False)
                    square.set(edgecolor=edge, linestyle=dash, linewidth=wide)
                    picture_axes.add_patch(square)
            picture_axes.set_title(f"theory {stack.field}, measured {effective} pixels")
            middle = stack.stride // 2
            map_axes.imshow(
                coloured(mask[middle :: stack.stride, middle :: stack.stride]), interpolation="nearest"
            )
            map_axes.set_title(f"mask in a map of {units} x {units}")
            for name, (row, column) in self.names:
                write(map_axes, name, (row // stack.stride, column // stack.stride), (units, units), inches=3)
            for axes in (picture_axes, map_axes):
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set(visible=True, color=QUIET)
            _profile(profile, stack, seen)
        return figure


def _warmed(picture: np.ndarray, seen: Tensor) -> np.ndarray:
    """The picture (H, W, 3) in pale grey, and red where the unit's field, in its middle, depends on it: uint8."""
    heat = torch.zeros(SIDE, SIDE)
    corner = (SIDE - len(seen)) // 2
    heat[corner : corner + len(seen), corner : corner + len(seen)] = (8 * seen.sqrt()).round() / 8
    grey = 90 + 0.6 * 24 * (
        picture.mean(-1, keepdims=True) // 24
    )  # few colours, so that the file is made quickly
    red = np.array([190.0, 30.0, 20.0])
    cover = heat[..., None].numpy()
    return ((1 - cover) * grey + cover * red).astype(np.uint8)


def _profile(axes: Axes, stack: Stack, seen: Tensor) -> None:
    """The field from left to right: a box in theory, a bell by gradients."""
    half, across = stack.field / 2, (seen.sum(0) / seen.sum(0).max()).numpy()
    places = np.arange(stack.field) - (stack.field - 1) / 2
    axes.plot(
        [-80, -half, -half, half, half, 80], [0, 0, 1, 1, 0, 0], color=BLUE, linestyle="--", label="in theory"
    )
    axes.fill_between(places, across, step="mid", color=VERMILION, alpha=0.5, linewidth=0)
    axes.step(places, across, where="mid", color=VERMILION, label="by gradients")
    axes.set(xlim=(-80, 80), ylim=(0, 1.5), yticks=(0, 1), xlabel="pixels from the middle")
    axes.legend(loc="upper right", ncols=2)
