"""A baseball."""

from __future__ import annotations

import math

from ..brush import Brush
from ..paint import Colour, darker


def baseball(brush: Brush) -> None:
    """A ball with two curved seams and their stitches, turned any way."""
    brush.round, brush.gloss = 1.0, brush.between(0.0, 0.4)
    leather = brush.paint(white=6, cream=4, yellow=2, wood=1, pink=1, lime=1, sky=1, orange=1, any=2)
    thread = brush.paint(red=5, brick=2, blue=2, black=1, purple=1, green=1)
    far = brush.between(0.62, 0.8)  # where a seam meets the rim
    near = far - brush.between(0.25, 0.42)  # where it comes nearest to the middle
    edge = math.sqrt(1 - far * far)
    style, number = brush.pick({"ticks": 0.6, "v": 0.3, "plain": 0.1}), brush.count(4, 7)
    with brush.placed(scale=(1, brush.between(0.9, 1.05)), angle=brush.between(-180, 180)):
        brush.circle(0, 0, 1, 1)
        brush.fill(leather)
        for side in (-1, 1):
            with brush.placed(scale=(side, 1)):
                top, middle = 0.97 * edge, (near + 0.3 * (far - near), 0.5 * edge)
                brush.curve((0.97 * far, -top), (middle[0], -middle[1]), (near, 0), middle, (0.97 * far, top))
                brush.trace(darker(thread, 0.15), brush.between(0.05, 0.09))
                if style != "plain":
                    _stitches(brush, style, number, near, far, edge, thread)


def _stitches(
    brush: Brush, style: str, number: int, near: float, far: float, edge: float, thread: Colour
) -> None:
    long = brush.between(0.1, 0.16)
    for i in range(number):
        y = 0.85 * edge * (2 * (i + 0.5) / number - 1)
        x = near + (far - near) * (y / edge) ** 2
        if style == "ticks":
            brush.line(x - long, y, x + long, y)
        else:
            brush.path((x - long, y - 0.08), (x, y + 0.04), (x + long, y - 0.08))
    brush.trace(thread, brush.between(0.05, 0.08))
