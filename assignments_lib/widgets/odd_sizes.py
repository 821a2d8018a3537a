"""Odd sizes in a U-Net: what halving loses, where the way up no longer fits the way down, and what is done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from assignments_lib.look import SMALL
from assignments_lib.plots.style import BLUE, FAINT, GREEN, INK, QUIET, VERMILION, new_canvas, style
from assignments_lib.widgets.controls import Choice, Control, Slider
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.panel import Drawing, Pictures

DEPTH = 4  # how often the U-Net of the paper halves its maps
SMALLEST = 188  # the smallest picture that the paper's network without padding can take
CURES = NOTHING, PAPER, CUT, PAD = (
    "nothing",
    "no padding, crop the skips (paper)",
    "cut the picture",
    "pad, and crop back",
)

_WIDTH, _LEFT, _RIGHT = 7.4, 1.55, 1.75  # inches: of all, left of the strips, right of them
_LINE, _BAR = 0.33, 0.22  # inches from strip to strip, and of a strip
_THINNEST = 0.035  # inches: a lost pixel has to be seen


@dataclass(frozen=True)
class Strip:
    """A map, along one side of the picture.

    Attributes:
        name: what it is.
        units: how many it has along the side.
        unit: how many pixels lie between two of them.
        start: the pixel where the first one begins; negative if it was padded before.
        lost: units at its end that the pooling after it leaves out.
        skip: on the way up, the units of the map that comes across, before it is cropped.
        cropped: whether it may be cropped.
    """

    name: str
    units: int
    unit: int
    start: int = 0
    lost: int = 0
    skip: int | None = None
    cropped: bool = False

    @property
    def fits(self) -> bool:
        """Whether the map and what comes across can be concatenated."""
        return self.skip is None or self.skip == self.units or self.cropped


class OddSizes(Demonstration):
    """All the sizes that one side of a picture becomes in a U-Net with four poolings, as strips above one another."""

    title = "Odd sizes: what comes up must fit what went down"

    def controls(self) -> Mapping[str, Control]:
        """The picture's side, and what is done about odd sizes."""
        return {
            "size": Slider(SMALLEST, 600, 225, still=229, step=1),
            "cure": Choice(CURES, NOTHING, still=PAD),
        }

    def way(self, size: int, cure: str) -> list[Strip]:
        """The maps in their order; the last is the result, or the one where the way ends as nothing fits.

        Raises:
            ValueError: the picture is too small, or the cure is none of `CURES`.
        """
        if cure not in CURES:
            raise ValueError(f"{cure!r} is none of the cures {', '.join(map(repr, CURES))}")
        if size < SMALLEST:
            raise ValueError(
                f"without padding, nothing would be left of {size} pixels: at least {SMALLEST} are"
            )
        strips = [Strip("picture", size, 1)]
        step = 2**DEPTH
        x = strips[0]
        if cure == CUT and size % step:
            x = Strip("cut", size - size % step, 1)
            strips.append(x)
        elif cure == PAD and size % step:
            x = Strip("padded", size + -size % step, 1)
            strips.append(x)
        for level in range(DEPTH + 1):
            x = self._convolved(replace(x, name=f"down {level}" if level < DEPTH else "bottom"), cure)
            if level < DEPTH:
                x = replace(x, lost=x.units % 2)
            strips.append(x)
            x = Strip("", x.units // 2, 2 * x.unit, x.start)
        down = {strip.unit: strip for strip in strips[-DEPTH - 1 :]}
        x = strips[-1]
        for level in reversed(range(DEPTH)):
            x = Strip(f"up {level}", 2 * x.units, x.unit // 2, x.start)
            x = replace(x, skip=down[x.unit].units, cropped=cure == PAPER)
            strips.append(x)
            if not x.fits:
                return strips
            x = self._convolved(replace(x, skip=None, cropped=False), cure)
        strips.append(Strip("result", size if cure == PAD else x.units, 1, x.start))
        return strips

    def pictures(self, size: int, cure: str) -> Pictures:
        """The strips, and what becomes of the picture in words."""
        strips = self.way(size, cure)
        said = self._said(strips, cure)
        with style():
            height = _LINE * len(strips) + 0.75
            figure, axes = new_canvas(_WIDTH, height, 0)
            longest = max(strip.units for strip in strips if strip.unit == 1)
            scale = (_WIDTH - _LEFT - _RIGHT) / longest  # inches a pixel
            for text, x, align in (("map", 0.1, "left"), ("units", _LEFT - 0.12, "right")):
                axes.text(x, height - 0.2, text, ha=align, va="center", color=QUIET)
            axes.text(
                _LEFT, height - 0.2, "where they lie, along a side of the picture", va="center", color=QUIET
            )
            for edge in (0, size):
                x = _LEFT + edge * scale
                axes.plot([x, x], [0.35, height - 0.35], color=QUIET, linewidth=0.8, linestyle=":", zorder=0)
            for number, strip in enumerate(strips):
                self._strip(axes, strip, size, height - 0.52 - number * _LINE, scale)
            axes.text(
                _LEFT, 0.17, "dotted: the ends of the picture    hatched: lost, missing or cropped", va="center",
                fontsize=SMALL, color=QUIET,
            )  # fmt: skip
        sizes = ", ".join(f"{strip.name} {strip.units}" for strip in strips)
        return {
            "sizes on the way": Drawing(
                figure, f"Strips for the maps of a U-Net, in their order: {sizes}. {said}"
            ),
            "In words": said,
        }

    @staticmethod
    def _convolved(strip: Strip, cure: str) -> Strip:
        """After two 3x3 convolutions: without padding a unit less at each end, twice."""
        return (
            replace(strip, units=strip.units - 4, start=strip.start + 2 * strip.unit)
            if cure == PAPER
            else strip
        )

    @staticmethod
    def _strip(axes: Axes, strip: Strip, size: int, y: float, scale: float) -> None:
        def bar(start: float, end: float, **look: Any) -> None:
            across = max((end - start) * scale, _THINNEST)
            axes.add_patch(
                Rectangle((_LEFT + start * scale, y - _BAR / 2), across, _BAR, **{"linewidth": 0.8, **look})
            )

        end = strip.start + strip.units * strip.unit
        up = strip.name.startswith("up")
        special = strip.name in ("picture", "cut", "padded", "result")
        bar(strip.start, end, facecolor=FAINT if special else GREEN if up else BLUE, edgecolor=INK)
        gone = {"facecolor": "white", "edgecolor": VERMILION, "hatch": "/////"}
        note, bad = "", False
        if strip.lost:
            bar(end - strip.unit, end, **gone)
            note, bad = "pooling drops the last", True
        elif strip.skip is not None and strip.cropped:
            over = (strip.skip - strip.units) // 2 * strip.unit
            for left, right in ((strip.start - over, strip.start), (end, end + over)):
                bar(left, right, **gone)
            note = f"skip has {strip.skip}: crop it"
        elif not strip.fits and strip.skip is not None:
            bar(end, end + (strip.skip - strip.units) * strip.unit, **gone)
            note, bad = f"skip has {strip.skip}: error", True
        elif strip.skip is not None:
            note = f"skip has {strip.skip}: fits"
        elif strip.name in ("cut", "result") and end < size:
            bar(end, size, **gone)
            if strip.start > 0:
                bar(0, strip.start, **gone)
            note, bad = f"{size - strip.units} of {size} pixels less", True
        elif strip.name == "padded":
            bar(size, end, **gone)
            note = f"{strip.units - size} pixels invented"
        elif strip.name == "result":
            note = "every pixel has its scores"
        names = {"down": "down, level", "up": "up, level"}
        name, _, level = strip.name.partition(" ")
        axes.text(0.1, y, f"{names.get(name, name)} {level}".strip(), va="center")
        axes.text(_LEFT - 0.12, y, str(strip.units), ha="right", va="center", fontweight="bold")
        axes.text(
            _WIDTH - _RIGHT + 0.12, y, note, va="center", fontsize=SMALL, color=VERMILION if bad else INK,
        )  # fmt: skip

    @staticmethod
    def _said(strips: list[Strip], cure: str) -> str:
        size, last = strips[0].units, strips[-1]
        odd = [strip.units for strip in strips if strip.lost]
        halved = (
            f"{' and '.join(map(str, odd))} can't be halved without a rest"
            if odd
            else "every map can be halved"
        )
        if not last.fits:
            return (
                f"{halved}: on the way up, a map of {last.units} units meets a skip of {last.skip}, and the two can't "
                "be concatenated. PyTorch stops with an error."
            )
        if cure == PAPER:
            rest = (
                f", but {halved}: the skips are cropped beside the middle, and no longer match exactly"
                if odd
                else ""
            )
            return (
                f"{size} pixels in, {last.units} out: each convolution without padding takes a unit from each "
                f"end{rest}. What lies outside has no prediction; the paper lets its input tiles overlap for that."
            )
        if cure == CUT and last.units < size:
            return (
                f"The picture is cut from {size} to {last.units} pixels, quietly. The last {size - last.units} are "
                "never learned and have no prediction, and a mask of the whole picture no longer fits the result."
            )
        if strips[1].name == "padded":
            return (
                f"The picture is extended from {size} to {strips[1].units} pixels, which can be halved {DEPTH} times, "
                f"and the result is cropped back to {size}: every pixel has its scores."
            )
        return f"{size} can be halved {DEPTH} times: every skip fits, and nothing has to be done."
