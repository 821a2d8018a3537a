"""How people draw scissors."""

from __future__ import annotations

from ..pen import Pen, mirrored


def scissors(pen: Pen) -> None:
    """Two crossing blades with a loop for the fingers at the end of each."""
    angle = pen.pick({0: 0.26, 180: 0.1, 90: 0.16, -90: 0.1, 45: 0.14, -45: 0.14, 135: 0.05, -135: 0.05})
    spread = pen.between(4, 16) if pen.chance(0.3) else pen.between(16, 36)
    pivot = pen.between(-0.05, 0.3)
    blade = pen.pick({"line": 0.5, "edge": 0.25, "outline": 0.25})
    loop = pen.pick({"round": 0.4, "oval": 0.4, "drop": 0.2})
    size, tail = pen.between(0.2, 0.36), pen.between(0.2, 0.45)
    parts = ["blades", "loops"] if pen.chance(0.3) else ["both"]
    with pen.placed(angle=angle + pen.between(-12, 12)):
        for part in parts:
            for side in (-1, 1):
                with pen.placed(0, pivot, (side, 1), side * spread):
                    if part != "loops":
                        _blade(pen, blade, 1 + pivot + pen.between(-0.1, 0.1), tail)
                    if part != "blades":
                        _loop(pen, loop, tail, size)
        if pen.chance(0.15):
            pen.dot(0, pivot, 0.03)
        elif pen.chance(0.15):
            pen.circle(0, pivot, 0.06)


def _blade(pen: Pen, style: str, reach: float, tail: float) -> None:
    """From the tail below the pivot, at (0, 0), up to the tip."""
    if style == "line":
        pen.line(0, tail, 0, -reach)
    elif style == "edge":
        pen.path((0, tail), (-0.03, -reach), (0.14, -0.45 * reach), (0.03, 0))
    else:
        pen.path((-0.06, tail), (-0.05, 0), (0, -reach), (0.13, -0.2), (0.06, tail))


def _loop(pen: Pen, style: str, tail: float, size: float) -> None:
    if style == "round":
        pen.circle(0, tail + size, size)
    elif style == "oval":
        pen.circle(pen.between(0, 0.1), tail + 1.2 * size, 0.75 * size, 1.25 * size)
    else:
        half = [(0.0, tail), (-0.8 * size, tail + size), (-0.5 * size, tail + 2 * size)]
        pen.curve(*half, *mirrored(half))
