"""An apple."""

from __future__ import annotations

from ...doodles.pen import mirrored
from ..brush import Brush
from ..paint import between, lighter


def apple(brush: Brush) -> None:
    """A round body with a dimple and a stem; mostly a leaf, at times a blush or a bite."""
    brush.round, brush.gloss = 1.0, brush.between(0.1, 0.7)
    skin = brush.paint(red=5, green=2, lime=3, yellow=2, brick=1, orange=1, pink=1, cream=1, purple=1, any=2)
    wide, dimple, low = brush.between(0.88, 1.05), brush.between(-0.72, -0.55), brush.between(0.8, 0.93)
    foot = brush.between(0.25, 0.4)
    half = [(-foot, 0.95), (-0.8 * wide, 0.5), (-wide, -0.25), (-0.5, brush.between(-0.95, -0.85))]
    with brush.placed(scale=(brush.pick([-1, 1]), 1), angle=brush.between(-28, 28)):
        lean, top = brush.between(-0.2, 0.3), dimple - brush.between(0.3, 0.6)
        stem = brush.paint(brown=3, green=1, wood=1)
        if brush.chance(0.75):
            _leaf(brush, 0.4 * lean, 0.5 * (dimple + top))
        if brush.chance(0.1):  # a bite
            bite = [(0.95 * wide, -0.5), (0.62 * wide, -0.35), (0.66 * wide, -0.1), (0.55 * wide, 0.1)]
            bite += [(0.66 * wide, 0.3), (0.9 * wide, 0.42)]
            brush.curve((0, dimple), (0.5, -0.92), *bite, (foot, 0.95), (0, low), *half, closed=True)
        else:
            brush.curve((0, dimple), *mirrored(half), (0, low), *half, closed=True)
        brush.fill(skin)
        if brush.chance(0.4):
            blush = brush.paint("red", "yellow", "lime", "orange", "brick")
            for part, r in ((0.15, 0.62), (0.3, 0.42)):
                brush.circle(-0.22 * wide, -0.05, r * wide, 1.1 * r)
                brush.fill(between(skin, blush, part), rim=0)
        brush.curve((-0.3, dimple - 0.16), (0, dimple + 0.12), (0.3, dimple - 0.16))
        brush.trace(between(skin, (0.15, 0.1, 0.05), 0.5), 0.06)
        brush.curve((0, dimple + 0.1), (0.3 * lean, 0.5 * (top + dimple)), (lean, top))
        brush.tube(stem, brush.between(0.1, 0.16), rim=0.7)


def _leaf(brush: Brush, x: float, y: float) -> None:
    green = brush.paint(green=3, lime=3, teal=1)
    with brush.placed(x, y, (brush.pick([1, 1, -1]) * brush.between(0.55, 0.9), 0.8), brush.between(-25, 25)):
        brush.curve((0, 0), (0.4, -0.35), (1.1, -0.3), (0.6, 0.12), closed=True)
        brush.fill(green, rim=0.8)
        brush.curve((0.05, -0.02), (0.5, -0.12), (0.9, -0.24))
        brush.trace(lighter(green, 0.4), 0.04)
