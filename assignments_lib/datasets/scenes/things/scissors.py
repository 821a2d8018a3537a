"""Scissors."""

from __future__ import annotations

from ..brush import Brush
from ..paint import darker


def scissors(brush: Brush) -> None:
    """Two blades that cross at a pivot, a coloured ring for the fingers at the end of each."""
    brush.round, brush.gloss = 0.6, brush.between(0.0, 0.7)
    steel = brush.paint(steel=6, grey=3, white=1, black=1, any=2)
    grip = brush.paint(red=2, orange=2, blue=2, black=2, green=1, yellow=1, purple=1, any=3)
    if brush.chance(0.12):
        grip = steel
    spread = brush.between(13, 32)
    loop = brush.between(0.24, 0.34)
    oval, tail, thick = brush.between(1.0, 1.4), brush.between(0.12, 0.3), brush.between(0.1, 0.17)
    reach, broad = brush.between(0.95, 1.2), brush.between(0.17, 0.26)
    with brush.placed(angle=brush.between(-180, 180)):
        for side in brush.pick([(-1, 1), (1, -1)]):
            with brush.placed(scale=(side, 1), angle=side * spread):
                brush.path(
                    (-0.5 * broad, tail + 0.1),
                    (-0.55 * broad, -0.1),
                    (-0.15 * broad, -reach),
                    (0.6 * broad, -0.35 * reach),
                    (0.5 * broad, tail + 0.1),
                )
                brush.fill(steel if side > 0 else darker(steel, 0.12))
                y = tail + loop * oval
                with brush.placed(brush.between(0.0, 0.1), y, 1, brush.between(-20, 20)):
                    brush.circle(0, 0, loop, loop * oval)
                    brush.fill(grip)
                    brush.circle(0, 0, loop - thick, loop * oval - thick)
                    brush.hole()
        brush.circle(0, 0, brush.between(0.05, 0.08))
        brush.fill(darker(steel, 0.4), rim=0.5)
