"""A hospital."""

from __future__ import annotations

from ...doodles.pen import Knot, mirrored
from ..brush import Brush
from ..paint import Colour, lighter


def hospital(brush: Brush) -> None:
    """A building with a cross on it, rows of windows, a door."""
    brush.round = brush.between(0.1, 0.4)
    wall = brush.paint(white=4, cream=4, brick=3, sky=2, grey=2, steel=1, pink=1, wood=1, yellow=1, any=2)
    roof = brush.paint(brick=3, grey=2, navy=2, red=2, brown=2, teal=1, any=2)
    cross = brush.paint(red=7, green=2, blue=2, brick=1)
    glass = brush.paint(sky=4, navy=2, yellow=2, steel=1, black=1)
    style = brush.pick({"box": 0.36, "tower": 0.22, "wings": 0.2, "roof": 0.22})
    wide = brush.between(0.75, 1.1)
    with brush.placed(angle=brush.between(-10, 10)):
        if style == "box":
            brush.box(-wide, -0.85, wide, 1)
            brush.fill(wall)
            if brush.chance(0.7):
                brush.box(-wide - 0.07, -1, wide + 0.07, -0.82)
                brush.fill(roof)
            x, y, r, top = 0.0, -0.45, brush.between(0.24, 0.32), -0.1
        elif style == "roof":
            brush.box(-wide, -0.25, wide, 1)
            brush.fill(wall)
            brush.polygon((-wide - 0.12, -0.2), (0, -1.15), (wide + 0.12, -0.2))
            brush.fill(roof)
            x, y, r, top = 0.0, -0.5, brush.between(0.2, 0.26), -0.15
        elif style == "tower":
            wide = 1.1
            brush.box(-wide, -0.1, wide, 1)
            brush.fill(wall)
            brush.box(-0.5, -1, 0.5, 1)
            brush.fill(lighter(wall, 0.15) if brush.chance(0.5) else wall)
            x, y, r, top = 0.0, -0.55, brush.between(0.24, 0.34), -0.05
        else:
            wide = 1.15
            for side in (-1, 1):
                brush.box(side * 0.45, brush.between(-0.35, 0.1), side * wide, 1)
            brush.fill(wall)
            brush.box(-0.52, -0.95, 0.52, 1)
            brush.fill(wall)
            brush.box(-0.58, -1.05, 0.58, -0.9)
            brush.fill(roof)
            x, y, r, top = 0.0, -0.5, brush.between(0.24, 0.32), 0.0
        _windows(brush, style, wide, top, glass)
        _door(brush)
        _sign(brush, x, y, r, cross)


def _sign(brush: Brush, x: float, y: float, r: float, cross: Colour) -> None:
    """A cross: by itself, on a plate or on a disc; or white on a coloured plate."""
    plate = brush.pick({"plate": 0.35, "disc": 0.25, "none": 0.4})
    ground = brush.paint(white=5, cream=1)
    if brush.chance(0.2):
        ground, cross = cross, ground
        plate = "plate" if plate == "none" else plate
    if plate == "plate":
        brush.box(x - 1.25 * r, y - 1.25 * r, x + 1.25 * r, y + 1.25 * r)
    elif plate == "disc":
        brush.circle(x, y, 1.3 * r)
    brush.fill(ground, rim=0.6)
    thick = r * brush.between(0.3, 0.42)
    half: list[Knot] = [
        (-thick, -r),
        (-thick, -thick),
        (-r, -thick),
        (-r, thick),
        (-thick, thick),
        (-thick, r),
    ]
    brush.path(*[(x + u, y + v) for u, v in (*half, *mirrored(half), half[0])])
    brush.fill(cross, rim=0.4)


def _door(brush: Brush) -> None:
    half, high = brush.between(0.14, 0.24), brush.between(0.38, 0.55)
    brush.path((-half, 1), (-half, 1 - high), (half, 1 - high), (half, 1))
    brush.fill(brush.paint("brown", "blue", "sky", "red", "green", "grey", "navy"), rim=0.6)


def _windows(brush: Brush, style: str, wide: float, top: float, glass: Colour) -> None:
    size, rows = brush.between(0.1, 0.15), brush.count(1, 2)
    columns = (-0.75, -0.45, 0.45, 0.75) if brush.chance(0.5) or style != "box" else (-0.65, 0.65)
    for row in range(rows):
        y = top + 0.3 + row * 0.4
        for x in columns:
            brush.box(wide * x - size, y - size, wide * x + size, y + 1.1 * size)
    if style == "box" and brush.chance(0.5):
        for x in (-0.65, 0.65):
            brush.box(wide * x - size, -0.45 - size, wide * x + size, -0.45 + size)
    brush.fill(glass, rim=0.5)
