"""How people draw a spoon."""

from __future__ import annotations

from ..pen import Pen, mirrored


def spoon(pen: Pen) -> None:
    """An oval bowl on a handle, held any way round."""
    angle = pen.pick({0: 0.32, 180: 0.2, 90: 0.1, -90: 0.1, 45: 0.1, 135: 0.05, -45: 0.08, -135: 0.05})
    with pen.placed(scale=(pen.pick([-1, 1]), 1), angle=angle + pen.between(-14, 14)):
        long = pen.between(0.24, 0.48)
        wide = long * pen.between(0.5, 0.9)
        y = -1 + long  # the middle of the bowl
        neck = y + long
        bowl = pen.pick({"oval": 0.64, "drop": 0.21, "open": 0.15})
        if bowl == "oval":
            pen.circle(0, y, wide, long)
        else:
            gap = 0.0 if bowl == "drop" else pen.between(0.04, 0.1)
            half = [(-gap, neck), (-0.85 * wide, y + 0.5 * long), (-wide, y), (-0.65 * wide, y - 0.8 * long)]
            pen.curve(*half, (0, -1), *mirrored(half))
        _handle(pen, neck)
        if pen.chance(0.22):
            pen.circle(0, y, 0.65 * wide, 0.68 * long)
        elif pen.chance(0.12):
            pen.arc(0, y, 0.65 * wide, 0.7 * long, 120, 110)
        elif pen.chance(0.04):
            pen.scribble(-0.6 * wide, y - 0.5 * long, 0.6 * wide, y + 0.5 * long, pen.count(3, 6))


def _handle(pen: Pen, neck: float) -> None:
    """From the neck of the bowl down to y = 1."""
    style = pen.pick({"line": 0.42, "loop": 0.32, "outline": 0.15, "two lines": 0.11})
    half = pen.between(0.04, 0.1)
    end = half * pen.between(0.7, 2)
    if style == "line":
        pen.curve((0, neck), (pen.between(-0.12, 0.12), 0.3), (pen.between(-0.1, 0.1), 1))
    elif style == "loop":
        side = [(-0.8 * half, neck), (-0.9 * half, 0.3), (-end, 0.8)]
        pen.curve(*side, (0, 1), *mirrored(side))
    elif style == "outline":
        pen.path((-half, neck - 0.03), (-end, 1), (end, 1), (half, neck - 0.03))
    else:
        pen.line(-half, neck - 0.03, -end, 1)
        pen.line(half, neck - 0.03, end, 1)
        if pen.chance(0.7):
            pen.arc(0, 1, end, 0.06, 180, -180)
