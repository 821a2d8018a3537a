"""An hourglass."""

from __future__ import annotations

from ...doodles.pen import mirrored
from ..brush import Brush
from ..paint import between


def hourglass(brush: Brush) -> None:
    """Two bulbs of glass between two plates, sand above and below; at times posts at the sides."""
    brush.round, brush.gloss = 0.6, brush.between(0.2, 0.8)
    frame = brush.paint(wood=4, brown=3, red=1, black=1, yellow=1, blue=1, white=1, any=3)
    glass = between(brush.paint(sky=4, white=3, steel=2, cream=1, lime=1), (0.85, 0.93, 0.97), 0.4)
    sand = brush.paint(wood=3, yellow=3, cream=2, orange=2, red=1, pink=1, purple=1, any=2)
    wide, waist = brush.between(0.48, 0.72), brush.between(0.05, 0.1)
    over, thick = wide + brush.between(0.06, 0.2), brush.between(0.13, 0.24)
    curved = brush.chance(0.65)
    angle = brush.between(-95, 95) if brush.chance(0.08) else brush.between(-14, 14)
    with brush.placed(angle=angle):
        posts = brush.chance(0.35)
        if posts:
            for side in (-1, 1):
                x = side * (over - 0.08)
                brush.line(x, -0.95, x, 0.95)
            brush.tube(frame, brush.between(0.09, 0.14))
        for way, level in ((-1, brush.between(0.25, 0.7)), (1, brush.between(0.3, 0.75))):
            with brush.placed(scale=(1, way)):  # the bulb below, then mirrored the one above
                half = [(-waist, -0.02), (-waist - 0.02, 0.06)]
                if curved:
                    half += [(-0.75 * wide, 0.38), (-wide, 0.7), (-0.93 * wide, 1.0)]
                else:
                    half += [(-0.55 * wide, 0.5), (-wide, 0.93), (-wide, 1.0)]
                (brush.curve if curved else brush.path)(*half, *mirrored(half), half[0])
                brush.fill(glass)
                if way > 0:  # a heap
                    top = 0.97 - 0.75 * level
                    slope = 0.4 + 0.6 * top
                    brush.path(
                        (-0.82 * wide, 0.97),
                        (-0.35 * wide, slope),
                        (0, top),
                        (0.35 * wide, slope),
                        (0.82 * wide, 0.97),
                    )
                else:  # what is left
                    y = 0.15 + 0.6 * level
                    x = wide * min(0.9, y * 1.05) - 0.04
                    left = [(-0.02, 0.04), (-0.6 * x, 0.55 * y), (-x, y)]
                    brush.path(*left, *mirrored(left))
                brush.fill(sand, rim=0)
        if brush.chance(0.5):
            brush.line(0, 0.0, 0, 0.6)
            brush.trace(sand, 0.06)
        for side in (-1, 1):
            brush.box(-over, side * 1.0 - 0.02 * side, over, side * (1 + thick))
        brush.fill(frame)
