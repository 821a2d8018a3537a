"""Drawn the way other people draw: aslant, small, off-centre, with thick ink.

A network trained on doodles meets one way of holding the pen, cut out and centred as Quick, Draw! does it. Here
the *strokes* are slanted, shrunk or moved before any ink flows, and lines keep their width: no pixel is moved, so
this is not what an augmentation of the pictures does. Ranges are such that a person still names the things.

Angles in degrees, sizes as a share of the usual size, lines in 1/304 of the picture (usually 16):

    slanted      leaning like italics by 10 to 25, turned by 15 to 30, each to either side
    small        45 % to 65 % of the size, the pen as usual
    off-centre   60 % to 75 % of the size, pushed into one of the four corners
    thick        a felt pen: lines of 28 to 40
    mixed        a little of everything: leaning and turned by up to 20 to either side, 60 % to 80 % of the size,
                 anywhere in the picture, lines of 16 to 30
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .pen import GRID, Points, fitted
from .raster import FRAME, LINE, render

SHIFTS = ("slanted", "small", "off-centre", "thick", "mixed")


def render_shifted(
    strokes: Sequence[Points], kind: str, rng: np.random.Generator, size: int = 28
) -> npt.NDArray[np.uint8]:
    """A picture (size, size) uint8 of ``strokes`` as `render` makes it, shifted the way ``kind`` says.

    How far it goes, within the ranges above, is drawn from ``rng``; the ink never leaves the picture. Raises
    ValueError for a kind that is not in SHIFTS.
    """

    def between(low: float, high: float) -> float:
        return low + (high - low) * float(rng.random())

    def either(low: float, high: float) -> float:
        return between(low, high) * (1 if rng.random() < 0.5 else -1)

    if kind == "slanted":
        return render(slanted(strokes, either(10, 25), either(15, 30)), size)
    if kind == "small":
        return render(scaled(strokes, between(0.45, 0.65)), size)
    if kind == "off-centre":
        strokes = scaled(strokes, between(0.6, 0.75))
        return render(strokes, size, LINE, moved(strokes, LINE, either(0.7, 1), either(0.7, 1)))
    if kind == "thick":
        return render(strokes, size, between(28, 40))
    if kind == "mixed":
        strokes = scaled(slanted(strokes, either(0, 20), either(0, 20)), between(0.6, 0.8))
        line = between(16, 30)
        return render(strokes, size, line, moved(strokes, line, either(0, 1), either(0, 1)))
    raise ValueError(f"there is no shift {kind!r}; choose one of {', '.join(SHIFTS)}")


def slanted(strokes: Sequence[Points], lean: float, turn: float) -> list[Points]:
    """Leaning to the right by ``lean`` degrees, then turned clockwise by ``turn``, and fitted into the unit square."""
    c, s, k = math.cos(math.radians(turn)), math.sin(math.radians(turn)), math.tan(math.radians(lean))
    matrix = np.array([[c, -s], [s, c]]) @ np.array([[1, -k], [0, 1]])  # y is down: what is above goes right
    return [points / GRID for points in fitted([points @ matrix.T for points in strokes])]


def scaled(strokes: Sequence[Points], scale: float) -> list[Points]:
    """``scale`` times as large."""
    return [scale * points for points in strokes]


def moved(strokes: Sequence[Points], line: float, right: float, down: float) -> tuple[float, float]:
    """Where the drawing's centre comes when it is pushed, by -1 to 1 of the way, until its ink meets the edge."""
    everything = np.concatenate(strokes)
    room = (FRAME - line - GRID * (everything.max(axis=0) - everything.min(axis=0))) / (2 * FRAME)
    return 0.5 + right * float(room[0]), 0.5 + down * float(room[1])
