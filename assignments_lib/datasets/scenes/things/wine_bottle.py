"""A wine bottle."""

from __future__ import annotations

from ...doodles.pen import mirrored
from ..brush import Brush
from ..paint import Colour, darker


def wine_bottle(brush: Brush) -> None:
    """A tall body, shoulders, a long neck with foil or a cork, mostly a label; standing, or tipped over."""
    brush.round, brush.gloss = 0.9, brush.between(0.3, 1.0)
    glass = brush.paint(green=5, brown=2, navy=1, brick=2, black=2, teal=2, purple=1, cream=1, sky=1, any=2)
    wide = brush.between(0.3, 0.44)
    neck = wide * brush.between(0.3, 0.42)
    shoulder, throat = brush.between(-0.3, 0.02), brush.between(-0.5, -0.36)
    angle = brush.between(-100, 100) if brush.chance(0.15) else brush.between(-12, 12)
    with brush.placed(angle=angle):
        if brush.chance(0.4):
            brush.box(-0.75 * neck, -1.0 - brush.between(0.1, 0.2), 0.75 * neck, -0.95)
            brush.fill(brush.paint("wood", "cream"))
        if brush.chance(0.6):
            half = [(-neck, -1.0), (-neck, throat - 0.1), (-1.05 * neck, throat)]
            half += [(-0.82 * wide, 0.5 * (shoulder + throat) + 0.05), (-wide, shoulder + 0.1), (-wide, 0.4)]
            half += [(-wide, 0.9), (-0.85 * wide, 1.0)]
            brush.curve(*half, (0, 1.0), *mirrored(half), closed=True)
        else:
            half = [(-neck, -1.0), (-neck, throat), (-wide, shoulder), (-wide, 0.95), (-0.9 * wide, 1.0)]
            brush.path(*half, *mirrored(half), half[0])
        brush.fill(glass)
        _top(brush, neck, throat)
        if brush.chance(0.8):
            _label(brush, wide, glass)


def _top(brush: Brush, neck: float, throat: float) -> None:
    """Foil around the neck, or only its lip."""
    if brush.chance(0.6):
        low = brush.between(throat - 0.3, throat - 0.08)
        brush.path((-1.05 * neck, -1), (-1.1 * neck, low), (1.1 * neck, low), (1.05 * neck, -1))
        brush.fill(brush.paint("red", "yellow", "black", "brick", "steel", "purple", "white"), rim=0.6)
    else:
        brush.box(-1.35 * neck, -1.02, 1.35 * neck, -0.9)
        brush.fill(brush.paint("black", "wood", "green", "steel"), rim=0.6)


def _label(brush: Brush, wide: float, glass: Colour) -> None:
    paper = brush.paint(cream=4, white=3, yellow=1, black=1, sky=1, red=1)
    upper, lower = brush.between(0.05, 0.25), brush.between(0.55, 0.82)
    inset = wide * brush.between(0.75, 0.98)
    if brush.chance(0.15):
        brush.circle(0, 0.42, 0.75 * wide, 0.27)
    else:
        brush.path((-inset, upper), (-inset, lower), (inset, lower), (inset, upper))
    brush.fill(paper, rim=0.5)
    ink = darker(brush.paint("any"), 0.3)
    mark = brush.pick(["lines", "stripe", "dot", "none"])
    if mark == "lines":
        for k in (0.3, 0.5, 0.7)[: brush.count(2, 3)]:
            y = upper + k * (lower - upper)
            brush.line(-0.6 * inset, y, 0.6 * inset, y)
        brush.trace(ink, 0.045)
    elif mark == "stripe":
        y = 0.5 * (upper + lower)
        brush.box(-0.95 * inset, y - 0.07, 0.95 * inset, y + 0.07)
        brush.fill(ink, rim=0)
    elif mark == "dot":
        brush.circle(0, 0.5 * (upper + lower), 0.45 * inset, 0.3 * (lower - upper))
        brush.fill(ink, rim=0)
