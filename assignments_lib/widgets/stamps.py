"""Transposed convolution, stamp by stamp: in a row with its sums, and on a grid with the number of stamps that meet.

Each input unit puts its kernel, times its value, onto the output, one stride after its neighbour; what meets is added
(Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", section 4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from torch import Tensor

from assignments_lib.look import TEXT
from assignments_lib.plots.style import BLUE, FAINT, GREEN, INK, PURPLE, QUIET, VERMILION, new_canvas, style
from assignments_lib.widgets.controls import Control, Slider
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.panel import Drawing, Pictures

# Stamps differ in colour and in hatching, so that colour is never needed to tell them apart
_LOOKS = ((BLUE, ""), (VERMILION, "///"), (GREEN, "..."), (PURPLE, "\\\\\\"), (INK, "---"))
_DARKEST = 0.7  # of the blue: still light enough for dark numbers
_BLUES = LinearSegmentedColormap.from_list("blues", ["white", BLUE])


class Stamps1D(Demonstration):
    """A row of numbers, enlarged: every number's stamp in a line of its own, and below them the sums.

    ``values`` are the input, ``weights`` the longest kernel: a kernel of k is the first k of them. None may be
    negative, so that bars can stand on each other.

    Raises:
        ValueError: there are no values or more than five, fewer than two weights, or a negative number.
    """

    title = "Transposed convolution in a row: each input number stamps its kernel"

    def __init__(
        self, values: Sequence[float] = (2, 1, 3, 2), weights: Sequence[float] = (1, 3, 2, 1, 2)
    ) -> None:
        if not 1 <= len(values) <= len(_LOOKS) or len(weights) < 2:
            raise ValueError(
                f"give 1 to {len(_LOOKS)} values and at least 2 weights, not {len(values)} and {len(weights)}"
            )
        if min(*values, *weights) < 0:
            raise ValueError(
                "values and weights must not be negative: the bars of the stamps stand on each other"
            )
        self.values, self.weights = tuple(values), tuple(weights)

    def controls(self) -> Mapping[str, Control]:
        """The kernel's size, the stride, and how many stamps have been placed."""
        most = len(self.values)
        return {
            "kernel_size": Slider(1, len(self.weights), min(3, len(self.weights)), min(4, len(self.weights)), 1),
            "stride": Slider(1, 4, 2, 3, 1),
            "stamps": Slider(0, most, most, most // 2, 1),
        }  # fmt: skip

    def placed(self, kernel_size: int, stride: int, stamps: int) -> Tensor:
        """What each placed stamp adds to each output unit: (stamps, output units). Their sum is the output."""
        row = torch.zeros(len(self.values), (len(self.values) - 1) * stride + kernel_size)
        kernel = torch.tensor(self.weights[:kernel_size], dtype=row.dtype)
        for number, value in enumerate(self.values[:stamps]):
            row[number, number * stride : number * stride + kernel_size] = value * kernel
        return row[:stamps]

    def pictures(self, kernel_size: int, stride: int, stamps: int) -> Pictures:
        """The stamps one below the other, and their sums as bars on top of each other."""
        parts = self.placed(kernel_size, stride, stamps)
        highest = float(self.placed(kernel_size, stride, len(self.values)).sum(0).max())
        units = parts.shape[1]
        with style():
            lines = 0.32 * len(self.values)  # inches
            tall = 2.9 + lines
            figure, _ = new_canvas(7, tall, 0)  # with places of their own: a layout takes twice the time
            below = figure.add_axes((0.05, 0.55 / tall, 0.93, 1.9 / tall))
            above = figure.add_axes((0.05, 2.55 / tall, 0.93, lines / tall), sharex=below)
            self._stamps(above, kernel_size, stride, stamps)
            bottom = np.zeros(units)
            for part, (colour, hatch) in zip(parts.numpy(), _LOOKS, strict=False):
                below.bar(
                    range(units), part, 0.8, bottom, color=colour, hatch=hatch, edgecolor="white", linewidth=0
                )
                bottom += part
            for unit, total in enumerate(bottom):
                below.text(
                    unit, total + 0.02 * highest, f"{total:g}", ha="center", va="bottom", weight="bold"
                )
            below.set(xlim=(-1.6, units - 0.4), ylim=(0, highest * 1.18 or 1), xticks=range(units))
            below.set(xlabel="output unit", ylabel="sum of the stamps", yticks=[])
        numbers = ", ".join(f"{total:g}" for total in parts.sum(0).tolist())
        said = (
            f"{stamps} of {len(self.values)} stamps of the kernel ({self._kernel(kernel_size)}) placed, with stride "
            f"{stride}. The {units} output units are {numbers}."
        )
        return {"stamps and their sums": Drawing(figure, said), "In numbers": said + self._met(parts)}

    def _stamps(self, axes: Axes, kernel_size: int, stride: int, stamps: int) -> None:
        """A line for each input number: the number, and where its kernel comes to lie."""
        for line, (value, (colour, hatch)) in enumerate(zip(self.values, _LOOKS, strict=False)):
            there = line < stamps
            axes.text(
                -0.7, line, f"{value:g} ×", ha="right", va="center", color=colour if there else QUIET, weight="bold"
            )  # fmt: skip
            for tap, weight in enumerate(self.weights[:kernel_size]):
                unit = line * stride + tap
                axes.add_patch(
                    Rectangle(
                        (unit - 0.4, line - 0.42), 0.8, 0.84, hatch=hatch if there else "",
                        facecolor=colour if there else "none", edgecolor="white" if there else QUIET,
                        linestyle="-" if there else ":", linewidth=0 if there else 1,
                    )
                )  # fmt: skip
                if there:
                    paper = {"facecolor": colour, "edgecolor": "none", "pad": 1.8}
                    axes.text(
                        unit, line, f"{value * weight:g}", ha="center", va="center", color="white", bbox=paper
                    )
        axes.set(ylim=(len(self.values) - 0.4, -0.6))
        axes.set_title(
            f"each input number times the kernel ({self._kernel(kernel_size)}), one stamp a line",
            fontsize=TEXT, fontweight="normal",
        )  # fmt: skip
        axes.set_axis_off()

    def _kernel(self, size: int) -> str:
        return ", ".join(f"{weight:g}" for weight in self.weights[:size])

    @staticmethod
    def _met(parts: Tensor) -> str:
        """How many stamps meet where the most do."""
        meet = int((parts > 0).sum(0).max()) if len(parts) else 0
        return f" At most {meet} stamp{'s' * (meet != 1)} meet{'s' * (meet == 1)} at one output unit."


class Stamps2D(Demonstration):
    """A grid of ``units`` by ``units`` input units, enlarged: in each output pixel, how many stamps have reached it.

    Raises:
        ValueError: ``units`` is below 2 or above 5.
    """

    title = "Transposed convolution on a grid: how many stamps meet in each output pixel"

    def __init__(self, units: int = 4) -> None:
        if not 2 <= units <= 5:
            raise ValueError(f"the numbers can be read for 2 to 5 input units a side, not for {units}")
        self.units = units

    def controls(self) -> Mapping[str, Control]:
        """The kernel's size, the stride, and how many stamps have been placed."""
        most = self.units**2
        return {
            "kernel_size": Slider(1, 5, 3, 4, 1),
            "stride": Slider(1, 4, 2, 3, 1),
            "stamps": Slider(0, most, most, self.units + 2, 1),
        }

    def counts(self, kernel_size: int, stride: int, stamps: int) -> Tensor:
        """How many of the first stamps, row by row, have reached each output pixel: (H, W) int64."""
        placed = (torch.arange(self.units**2) < stamps).float().view(1, 1, self.units, self.units)
        return _stamped(placed, kernel_size, stride)

    def inside(self, kernel_size: int, stride: int) -> tuple[int, int]:
        """The fewest and the most stamps that meet in a pixel far from the borders."""
        many = 2 * kernel_size + 2  # enough units that there is a middle, for every stride
        counts = _stamped(torch.ones(1, 1, many, many), kernel_size, stride)
        middle = counts[kernel_size:-kernel_size, kernel_size:-kernel_size][:stride, :stride]  # one period
        return int(middle.min()), int(middle.max())

    def pictures(self, kernel_size: int, stride: int, stamps: int) -> Pictures:
        """The input's used units, and the output with a number in every pixel."""
        counts = self.counts(kernel_size, stride, stamps)
        height = len(counts)
        with style():
            figure, _ = new_canvas(7, 5.3, 0)  # with places of their own: hundreds of numbers lay out slowly
            left, right = (
                figure.add_axes((0.01, 0.3, 0.24, 0.317)),
                figure.add_axes((0.28, 0.02, 0.69, 0.912)),
            )
            used = (torch.arange(self.units**2) < stamps).float().view(self.units, self.units)
            left.imshow(used.numpy() * _DARKEST / 2, cmap=_BLUES, vmin=0, vmax=1)
            _grid(left, self.units)
            left.set_title("input", fontsize=TEXT, fontweight="normal")
            top = max(1, self.inside(kernel_size, stride)[1])
            right.imshow(counts.numpy() / top * _DARKEST, cmap=_BLUES, vmin=0, vmax=1)
            _grid(right, height)
            for (row, column), count in np.ndenumerate(counts.numpy()):
                if count:
                    right.text(column, row, count, ha="center", va="center")
            if stamps:
                row, column = divmod(stamps - 1, self.units)
                _outline(left, row, column, 1)
                _outline(right, row * stride, column * stride, kernel_size)
            right.set_title(
                f"output, {height} × {height}: stamps in each pixel", fontsize=TEXT, fontweight="normal"
            )
        return {
            "where stamps meet": Drawing(
                figure,
                f"{stamps} of {self.units**2} stamps of a {kernel_size} by {kernel_size} kernel placed with stride "
                f"{stride} on an output of {height} by {height} pixels, the last one outlined. "
                f"In a pixel meet {int(counts.min())} to {int(counts.max())} of them.",
            ),
            "In numbers": self._evenness(kernel_size, stride),
        }

    def _evenness(self, kernel_size: int, stride: int) -> str:
        fewest, most = self.inside(kernel_size, stride)
        if fewest == most:
            stamps = "stamp reaches" if most == 1 else "stamps reach"
            return (
                f"The kernel of {kernel_size} is divisible by the stride of {stride}: away from the borders {most} "
                f"{stamps} every pixel."
            )
        return (
            f"The kernel of {kernel_size} is not divisible by the stride of {stride}: away from the borders {fewest} "
            f"to {most} stamps meet in a pixel, in a pattern that repeats every {stride} pixels."
        )


def _stamped(placed: Tensor, kernel_size: int, stride: int) -> Tensor:
    """Stamps of ones at the placed units, (1, 1, h, w) of 0 and 1 -> counts (H, W) int64."""
    stamp = torch.ones(1, 1, kernel_size, kernel_size)
    return F.conv_transpose2d(placed, stamp, stride=stride)[0, 0].round().long()


def _grid(axes: Axes, side: int) -> None:
    axes.set(xticks=[], yticks=[])
    axes.hlines(np.arange(side + 1) - 0.5, -0.5, side - 0.5, color=FAINT, linewidth=0.8)
    axes.vlines(np.arange(side + 1) - 0.5, -0.5, side - 0.5, color=FAINT, linewidth=0.8)
    axes.spines[:].set_visible(False)


def _outline(axes: Axes, row: int, column: int, side: int) -> None:
    axes.add_patch(
        Rectangle(
            (column - 0.5, row - 0.5), side, side, fill=False, edgecolor=VERMILION, linewidth=2.5, clip_on=False,
            zorder=5,
        )
    )  # fmt: skip
