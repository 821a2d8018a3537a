"""The brush: the pen of the doodles in a steadier hand, which fills what it has outlined.

A thing is painted part by part, back to front. The outline of a part is drawn with the pen's own strokes (`curve`,
`circle`, `box`, ...), and then one word says what becomes of it:

    brush.circle(0, 0, 1)
    brush.fill(brush.paint("red"))     a red disc with a darker rim
    brush.line(0, -1, 0.1, -1.3)
    brush.tube(brown, 0.1)             a brown stem with a darker rim, 0.1 wide

The whole, with its rims, is the thing; `hole` opens it again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..doodles.pen import Knot, Pen, Points
from .paint import Colour, mixed


@dataclass(frozen=True)
class Part:
    """One polygon or line, in a colour, or a hole (None); widths are in units of the thing's half length.

    A polygon has ``width`` 0. ``rim`` is how far the darker outline goes beyond it, as a share of the usual.
    """

    points: Points
    colour: Colour | None
    width: float = 0.0
    rim: float = 0.0


@dataclass(frozen=True)
class Painting:
    """A thing, ready to be painted at any size: parts back to front, longer side from -1 to 1, around (0, 0).

    ``round`` is how much it bulges (0 is flat), ``gloss`` how much it shines, both 0 to 1; ``ink`` is how
    dark its outlines are.
    """

    parts: tuple[Part, ...]
    round: float
    gloss: float
    ink: float

    @property
    def reach(self) -> tuple[float, float]:
        """How far the thing goes to either side, and up and down, from its middle."""
        x, y = (
            np.array([abs(part.points).max(axis=0) + part.width / 2 for part in self.parts])
            .max(axis=0)
            .tolist()
        )
        return x, y


class Brush(Pen):
    """Paints one thing; everything it chooses is drawn from ``rng``."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__(rng)
        self.slop = 0.15 + 0.55 * rng.random() ** 2
        self.rounding *= 0.6  # or windows would stick out of rounded walls
        self.ink_strength = self.between(0.45, 0.85)
        self.round = 0.6
        self.gloss = 0.0
        self._parts: list[Part] = []

    def paint(self, *pots: str, **weighted: float) -> Colour:
        """A colour near that of one of these pots; ``paint(red=2, green=1)`` takes red twice as often."""
        return mixed(self, self.pick(weighted or pots))

    # Outlines that are to be filled ------------------------------------------------------------------------

    def polygon(self, *corners: Knot) -> None:
        """A closed outline in one stroke, never edge by edge: a surface needs its whole border."""
        self.path(*corners, corners[0])

    def curve(self, *knots: Knot, closed: bool = False) -> None:
        """One smooth stroke through the knots, smooth enough to be seen large."""
        super().curve(*knots, closed=closed)
        self.strokes.append(smoother(self.strokes.pop()))

    def arc(
        self, x: float, y: float, rx: float, ry: float, start: float, sweep: float, spiral: float = 0.0
    ) -> None:
        """Part of an ellipse, smooth enough to be seen large."""
        super().arc(x, y, rx, ry, start, sweep, spiral)
        self.strokes.append(smoother(self.strokes.pop()))

    # What becomes of the strokes drawn since the last of these calls ---------------------------------------

    def fill(self, colour: Colour, rim: float = 1.0) -> None:
        """Each stroke, closed, is a surface of this colour within a darker rim."""
        self._parts += [Part(points, colour, 0.0, rim) for points in self._taken()]

    def tube(self, colour: Colour, width: float, rim: float = 1.0) -> None:
        """Each stroke is a band so wide, with round ends, within a darker rim."""
        self._parts += [Part(points, colour, width, rim) for points in self._taken()]

    def trace(self, colour: Colour, width: float = 0.04) -> None:
        """Each stroke is a line: a seam, a mouth, a letter."""
        self.tube(colour, width, rim=0.0)

    def hole(self) -> None:
        """Each stroke, closed, is an opening: what lies behind shows through."""
        self._parts += [Part(points, None, 0.0, 1.0) for points in self._taken()]

    def _taken(self) -> list[Points]:
        strokes, self.strokes = self.strokes, []
        return strokes

    # The finished thing ------------------------------------------------------------------------------------

    def painting(self) -> Painting:
        """What has been painted, a little lopsided, moved and scaled to its place."""
        bent = self._lopsided([part.points for part in self._parts])
        points = np.concatenate(bent)
        low, high = points.min(axis=0), points.max(axis=0)
        middle, half = (low + high) / 2, max(float((high - low).max()) / 2, 1e-6)
        parts = tuple(
            Part((stroke - middle) / half, part.colour, part.width / half, part.rim)
            for stroke, part in zip(bent, self._parts, strict=True)
        )
        return Painting(parts, self.round, self.gloss, self.ink_strength)


def smoother(points: Points) -> Points:
    """The stroke with a point more between any two, on the curve through their neighbours (Catmull-Rom)."""
    p = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    between = (9 * (p[1:-2] + p[2:-1]) - p[:-3] - p[3:]) / 16
    result = np.empty((2 * len(points) - 1, 2))
    result[0::2], result[1::2] = points, between
    return result
