"""How people draw a baseball."""

from __future__ import annotations

import math

from ..pen import Pen, mirrored


def baseball(pen: Pen) -> None:
    """A circle with two curved seams, stitched or not; at times a bat beside it."""
    tilt = pen.between(*pen.pick({(-10, 10): 0.55, (80, 100): 0.1, (-65, 65): 0.35}))
    pen.circle(0, 0, 1, pen.between(0.85, 1.05))
    stitches = pen.pick({"ticks": 0.55, "none": 0.25, "v": 0.12, "crosses": 0.08})
    far = pen.between(0.5, 0.75)  # where a seam meets the circle
    near = (
        far - pen.between(0.15, 0.4) - (0.15 if pen.chance(0.1) else 0)
    )  # where it comes nearest the middle
    with pen.placed(angle=tilt):
        for side in pen.pick({(-1, 1): 0.9, (-1,): 0.05, (1,): 0.05}):
            with pen.placed(scale=(side, 1)):
                edge = math.sqrt(1 - far * far)
                pen.curve((far, -edge), (near + 0.06, -0.4), (near, 0), (near + 0.06, 0.4), (far, edge))
                if stitches != "none":
                    _stitches(pen, stitches, near, far, edge)
    if pen.chance(0.05):  # a bat
        with pen.placed(1.3, 0.2, 1, pen.between(10, 40)):
            half = [(-0.05, 1.2), (-0.08, 0.3), (-0.2, -0.8)]
            pen.curve(*half, (0, -1.1), *mirrored(half), half[0])


def _stitches(pen: Pen, style: str, near: float, far: float, edge: float) -> None:
    number, long = pen.count(3, 7), pen.between(0.07, 0.16)
    for i in range(number):
        y = 0.85 * edge * (2 * (i + 0.5) / number - 1)
        x = near + (far - near) * (y / edge) ** 2
        if style == "ticks":
            pen.line(x - long, y, x + long, y + pen.between(-0.05, 0.05))
        elif style == "v":
            pen.path((x - long, y - 0.08), (x, y + 0.03), (x + long, y - 0.08))
        else:
            pen.line(x - long, y - 0.08, x + long, y + 0.08)
            pen.line(x - long, y + 0.08, x + long, y - 0.08)
