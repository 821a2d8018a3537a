"""The pen: a hurried hand that draws lines, curves and circles not quite where they were meant to go.

A thing is described in its own coordinates (x to the right, y down, about -1 to 1); the pen adds what a hand
adds: wobble, gaps, overshoot, rounded corners, slant, lopsidedness. `Pen.finish` then brings the drawing into
Quick, Draw!'s form: the longer side fills 0 to 255, coordinates are whole numbers, and points that a line
does not need are dropped (Ramer, Douglas and Peucker, tolerance 2).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Knot = tuple[float, float]
T = TypeVar("T")

GRID = 255  # Quick, Draw!'s coordinates run from 0 to 255
TOLERANCE = 2.0  # the simplification's, in those units

# Catmull-Rom: three points between two knots, from the two and their neighbours.
_T = np.array([[0.0], [1 / 3], [2 / 3]])
_CATMULL_ROM = 0.5 * np.hstack(
    [-(_T**3) + 2 * _T**2 - _T, 3 * _T**3 - 5 * _T**2 + 2, -3 * _T**3 + 4 * _T**2 + _T, _T**3 - _T**2]
)


def mirrored(half: Sequence[Knot]) -> list[Knot]:
    """The other half of an outline that is the same left and right: from the last knot back to the first."""
    return [(-x, y) for x, y in reversed(half)]


class Pen:
    """Draws with the hand of one person in one mood; both are drawn from ``rng``.

    Only ``rng.random`` is used, so that a seed gives the same drawing with every NumPy on every platform.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.slop = 0.5 + 1.7 * rng.random() ** 2  # careful ... careless
        self.rounding = rng.random() ** 3  # how much corners are cut
        self.strokes: list[Points] = []
        self._frame: tuple[float, float, float, float, float, float] = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)

    # Decisions -------------------------------------------------------------------------------------------

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.rng.random() < probability

    def between(self, low: float, high: float) -> float:
        """A number from the interval, all equally likely."""
        return low + (high - low) * self.rng.random()

    def count(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + int((high - low + 1) * self.rng.random())

    def pick(self, options: Sequence[T] | Mapping[T, float]) -> T:
        """One of the options; where they are given as ``{option: weight}``, by weight."""
        if not isinstance(options, Mapping):
            return options[int(len(options) * self.rng.random())]
        mark = self.rng.random() * sum(options.values())
        for option, weight in options.items():
            mark -= weight
            if mark < 0:
                return option
        return tuple(options)[-1]

    # Where to draw ---------------------------------------------------------------------------------------

    @contextmanager
    def placed(
        self, x: float = 0.0, y: float = 0.0, scale: float | tuple[float, float] = 1.0, angle: float = 0.0
    ) -> Iterator[None]:
        """Inside the ``with`` block, (0, 0) is at (x, y), lengths are scaled, then turned by degrees clockwise.

        A negative x scale draws the mirror image.
        """
        sx, sy = scale if isinstance(scale, tuple) else (scale, scale)
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        a, b, d, e, ox, oy = before = self._frame
        self._frame = (
            (a * c + b * s) * sx,
            (b * c - a * s) * sy,
            (d * c + e * s) * sx,
            (e * c - d * s) * sy,
            a * x + b * y + ox,
            d * x + e * y + oy,
        )
        try:
            yield
        finally:
            self._frame = before

    # Strokes ---------------------------------------------------------------------------------------------

    def ink(self, points: Points | Sequence[Knot]) -> None:
        """One stroke along these points (n, 2), shaken by the hand."""
        p = np.asarray(points, dtype=np.float64)
        a, b, d, e, ox, oy = self._frame
        x = p[:, 0] * a + p[:, 1] * b + ox
        y = p[:, 0] * d + p[:, 1] * e + oy
        n, slop = len(x), self.slop
        r = self.rng.random(12 + 2 * n) - 0.5
        cx, cy = x[0], y[0]
        reach = abs(float(x.max() - x.min())) + abs(float(y.max() - y.min()))
        # The stroke as a whole lands beside its place, a little turned and too long or too short.
        turn, grow = 0.16 * slop * r[0], 1 + 0.16 * slop * r[1]
        dx, dy = (x - cx) * grow, (y - cy) * grow
        x = cx + dx - turn * dy + 0.05 * slop * r[2]
        y = cy + dy + turn * dx + 0.05 * slop * r[3]
        if n > 2:  # slow drift along the way, then a fine tremor
            t = np.arange(n) * (2 * math.pi / (n - 1))
            drift = 0.05 * slop * min(reach, 1.5)
            tremor = 0.012 * slop * min(1.0, 0.3 + reach)
            p1, p2 = np.sin(t * (0.6 + r[4]) + 12 * r[5]), np.sin(t * (1.6 + r[6]) + 12 * r[7])
            x = x + drift * (r[8] * p1 + 0.6 * r[9] * p2) + tremor * r[12 : 12 + n]
            y = y + drift * (r[10] * p1 + 0.6 * r[11] * p2) + tremor * r[12 + n :]
        self.strokes.append(np.stack([x, y], axis=1))

    def line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """A stroke meant to be straight."""
        bow = 0.09 * self.slop * (self.rng.random() - 0.5)
        dx, dy = x1 - x0, y1 - y0
        middle = (x0 + 0.5 * dx - bow * dy, y0 + 0.5 * dy + bow * dx)
        self.ink([(x0, y0), middle, (x1, y1)])

    def path(self, *corners: Knot) -> None:
        """One stroke along straight edges; corners come out sharp or cut, as the mood is."""
        p = np.array(corners, dtype=np.float64)
        step = p[1:] - p[:-1]
        bow = (0.07 * self.slop * (self.rng.random(len(step)) - 0.5))[:, None]
        middles = p[:-1] + 0.5 * step + bow * np.stack([-step[:, 1], step[:, 0]], axis=1)
        cut = 0.3 * self.rounding
        if cut > 0.06:
            before, after = p[1:-1] - cut * step[:-1], p[1:-1] + cut * step[1:]
            soft = 0.25 * (before + after) + 0.5 * p[1:-1]
            inner = np.stack([middles[:-1], before, soft, after], axis=1).reshape(-1, 2)
        else:
            inner = np.stack([middles[:-1], p[1:-1]], axis=1).reshape(-1, 2)
        self.ink(np.concatenate([p[:1], inner, middles[-1:], p[-1:]]))

    def polygon(self, *corners: Knot) -> None:
        """A closed outline: in one stroke that does not quite meet its beginning, or edge by edge."""
        if self.chance(0.15):
            for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True):
                self.line(x0, y0, x1, y1)
            return
        start = self.count(0, len(corners) - 1)
        ring = (*corners[start:], *corners[:start])
        if self.chance(0.5):
            ring = ring[::-1]
        (x0, y0), (x1, y1) = ring[-1], ring[0]
        past = 1 + 0.16 * self.slop * (self.rng.random() - 0.5)
        self.path(*ring, (x0 + past * (x1 - x0), y0 + past * (y1 - y0)))

    def box(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """A rectangle from corner to corner."""
        self.polygon((x0, y0), (x1, y0), (x1, y1), (x0, y1))

    def arc(
        self, x: float, y: float, rx: float, ry: float, start: float, sweep: float, spiral: float = 0.0
    ) -> None:
        """Part of an ellipse: from angle ``start`` (0 is right, 90 is down) on by ``sweep``, in degrees."""
        n = max(4, int(abs(sweep) / 24) + 1)
        t = np.linspace(math.radians(start), math.radians(start + sweep), n)
        r = 1 + np.linspace(-spiral, spiral, n)
        self.ink(np.stack([x + rx * r * np.cos(t), y + ry * r * np.sin(t)], axis=1))

    def circle(self, x: float, y: float, rx: float, ry: float | None = None) -> None:
        """A closed ellipse, which a hand leaves a little open or runs past its beginning."""
        past = 30 * self.slop * (self.rng.random() - 0.35)
        way = 1 if self.chance(0.4) else -1
        start = self.between(-150, -30) if self.chance(0.7) else self.between(0, 360)
        spiral = 0.07 * self.slop * (self.rng.random() - 0.5)
        self.arc(x, y, rx, rx if ry is None else ry, start, way * (360 + past), spiral)

    def curve(self, *knots: Knot, closed: bool = False) -> None:
        """One smooth stroke through the knots."""
        p = np.array(knots, dtype=np.float64)
        if closed:
            p = np.concatenate([p[-1:], p, p[:2]])
        else:
            p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
        windows = np.stack([p[:-3], p[1:-2], p[2:-1], p[3:]], axis=1)  # (segments, 4, 2)
        smooth = (_CATMULL_ROM @ windows).reshape(-1, 2)
        self.ink(np.concatenate([smooth, p[-2:-1]]))

    def bumps(self, x: float, y: float, rx: float, ry: float, number: int) -> None:
        """A closed outline of bumps that meet in sharp corners: a cloud, the crown of a tree."""
        t = np.linspace(0, 2 * math.pi, 3 * number + 1) + 6.3 * self.rng.random()
        r = np.where(np.arange(3 * number + 1) % 3 == 0, 0.78, 1.1)
        self.ink(np.stack([x + rx * r * np.cos(t), y + ry * r * np.sin(t)], axis=1))

    def cloud(self, x: float, y: float, rx: float, ry: float) -> None:
        """A cloud as it comes: bumps, a mere loop, or a scrawl."""
        style = self.pick({"bumps": 0.6, "loop": 0.25, "scrawl": 0.15})
        if style == "bumps":
            self.bumps(x, y, rx, ry, self.count(4, 6))
        elif style == "loop":
            self.circle(x, y, rx, ry)
        else:
            self.scribble(x - rx, y - ry, x + rx, y + ry, self.count(3, 7))

    def dot(self, x: float, y: float, size: float = 0.02) -> None:
        """A touch of the pen."""
        self.ink([(x - size, y), (x + size, y + size * self.between(-1, 1))])

    def scribble(self, x0: float, y0: float, x1: float, y1: float, turns: int = 5) -> None:
        """Back and forth from left to right, to fill a box or to stand for writing."""
        k = np.arange(2 * turns + 1)
        x = x0 + (x1 - x0) * k / (2 * turns) + (x1 - x0) * 0.15 * (self.rng.random(len(k)) - 0.5)
        y = np.where(k % 2 == 0, y0, y1) + (y1 - y0) * 0.3 * (self.rng.random(len(k)) - 0.5)
        self.ink(np.stack([x, y], axis=1))

    # The finished drawing --------------------------------------------------------------------------------

    def finish(self) -> list[Points]:
        """The drawing as strokes (n, 2) in the unit square, in Quick, Draw!'s form."""
        strokes = self.strokes
        if len(strokes) > 2 and self.chance(0.22):  # time is up, or the game has guessed it
            strokes = strokes[: max(2, math.ceil(len(strokes) * self.between(0.55, 1)))]
        if self.chance(0.05):  # a line gone over once more
            again = self.pick(strokes)
            strokes = [*strokes, again + 0.1 * (self.rng.random((1, 2)) - 0.5)]
        if self.chance(0.04):  # the pen touched the paper where it should not
            strokes = [*strokes, self._stray(strokes)]
        return simplified(fitted(self._lopsided(strokes)))

    def _stray(self, strokes: list[Points]) -> Points:
        """A dot, a dash or a scrawl, near the drawing or a little off it."""
        p = np.concatenate(strokes)
        low, high = p.min(axis=0), p.max(axis=0)
        size = float((high - low).max()) * self.pick({0.02: 0.5, 0.15: 0.3, 0.4: 0.2})
        start = low + (1.4 * self.rng.random(2) - 0.2) * (high - low)
        return start + np.cumsum(size * (self.rng.random((self.count(2, 7), 2)) - 0.5), axis=0)

    def _lopsided(self, strokes: list[Points]) -> list[Points]:
        """Slant, stretch and bend of the whole drawing."""
        p = np.concatenate(strokes)
        low, high = p.min(axis=0), p.max(axis=0)
        half = max(float((high - low).max()) / 2, 1e-6)
        x, y = ((p - (low + high) / 2) / half).T
        r = self.slop * (self.rng.random(8) - 0.5)
        stretch = math.exp(0.36 * (self.rng.random() - 0.5))
        bent_x = x + 0.24 * r[0] * y + 0.16 * r[1] * y * y + 0.22 * r[2] * x * y + 0.12 * r[3] * x * x
        bent_y = y + 0.16 * r[4] * x + 0.16 * r[5] * x * x + 0.22 * r[6] * x * y + 0.12 * r[7] * y * y
        bent = np.stack([bent_x * stretch, bent_y / stretch], axis=1)
        return np.split(bent, np.cumsum([len(stroke) for stroke in strokes])[:-1])


def fitted(strokes: list[Points]) -> list[Points]:
    """The same drawing moved to the upper left and scaled so that its longer side runs from 0 to 255."""
    p = np.concatenate(strokes)
    low = p.min(axis=0)
    scale = GRID / max(float((p.max(axis=0) - low).max()), 1e-6)
    # Whole numbers: what sin and cos do in the last bit on another machine does not show.
    return [np.rint((stroke - low) * scale) for stroke in strokes]


def simplified(strokes: list[Points]) -> list[Points]:
    """Strokes on the 0-255 grid, without the points a line does not need, as fractions of the grid."""
    result = []
    for stroke in strokes:
        points = stroke.tolist()
        keep = [0, *_needed(points, 0, len(points) - 1), len(points) - 1]
        result.append(stroke[keep] / GRID)
    return result


def _needed(points: list[list[float]], first: int, last: int) -> list[int]:
    """Ramer-Douglas-Peucker: which points between two others lie too far from the line through them."""
    if last - first < 2:
        return []
    (x0, y0), (x1, y1) = points[first], points[last]
    dx, dy = x1 - x0, y1 - y0
    length2 = dx * dx + dy * dy
    worst, where = 0.0, first
    for i in range(first + 1, last):
        x, y = points[i]
        if length2:
            away = dx * (y - y0) - dy * (x - x0)
            away = away * away
        else:
            away = (x - x0) ** 2 + (y - y0) ** 2
        if away > worst:
            worst, where = away, i
    if worst <= TOLERANCE**2 * (length2 or 1.0):
        return []
    return [*_needed(points, first, where), where, *_needed(points, where, last)]
