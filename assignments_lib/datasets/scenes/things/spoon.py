"""A spoon."""

from __future__ import annotations

from ...doodles.pen import mirrored
from ..brush import Brush
from ..paint import darker, lighter


def spoon(brush: Brush) -> None:
    """A hollow bowl on a handle that widens to its end, lying any way round."""
    brush.round, brush.gloss = 0.7, brush.between(0.1, 0.9)
    metal = brush.paint(steel=5, grey=2, wood=4, yellow=1, white=1, brown=1, any=4)
    long = brush.between(0.3, 0.45)  # half the bowl's length
    wide = long * brush.between(0.66, 0.85)
    slim, end = brush.between(0.06, 0.09), brush.between(0.1, 0.17)
    y = -1 + long  # the middle of the bowl
    with brush.placed(scale=(brush.pick([-1, 1]), 1), angle=brush.between(-180, 180)):
        handle = metal
        if brush.chance(0.25):
            handle = brush.paint("any")
        bow, neck = brush.between(-0.12, 0.12), y + 0.8 * long
        spine = [(0.0, neck, slim), (bow, 0.25, slim), (0.0, 0.8, 0.9 * end), (0.0, 0.97, 0.6 * end)]
        left, right = [(x - w, v) for x, v, w in spine], [(x + w, v) for x, v, w in spine]
        brush.curve(*left, (0, 1), *reversed(right), closed=True)
        brush.fill(handle)
        if brush.chance(0.3):
            brush.line(0, 0.45, 0, 0.85)
            brush.trace(darker(handle, 0.4), 0.05)
        if brush.chance(0.5):
            brush.circle(0, y, wide, long)
        else:
            half = [
                (-0.08, y + long),
                (-0.85 * wide, y + 0.55 * long),
                (-wide, y - 0.1),
                (-0.65 * wide, -0.94),
            ]
            brush.curve(*half, (0, -1), *mirrored(half), closed=True)
        brush.fill(metal)
        brush.circle(0.03, y - 0.02, 0.68 * wide, 0.72 * long)
        brush.fill(brush.pick([darker, darker, lighter])(metal, brush.between(0.2, 0.4)), rim=0)
