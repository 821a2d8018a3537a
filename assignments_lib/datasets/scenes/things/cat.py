"""A cat."""

from __future__ import annotations

from ...doodles.pen import Knot, mirrored
from ..brush import Brush
from ..paint import Colour, darker, lighter


def cat(brush: Brush) -> None:
    """Mostly a face with ears and whiskers; else a whole cat, sitting, walking or lying."""
    brush.round = brush.between(0.6, 1.0)
    fur = brush.paint(orange=3, grey=3, black=3, white=2, cream=2, brown=2, wood=2, brick=1, steel=1, any=2)
    pose = brush.pick({_portrait: 0.45, _sitting: 0.2, _walking: 0.2, _lying: 0.15})
    with brush.placed(scale=(brush.pick([-1, 1]), 1)):
        pose(brush, fur)


def _portrait(brush: Brush, fur: Colour) -> None:
    with brush.placed(angle=brush.between(-18, 18)):
        _head(brush, fur)


def _sitting(brush: Brush, fur: Colour) -> None:
    """Head on a body seen from the front, the tail beside it."""
    r, wide, low = brush.between(0.5, 0.65), brush.between(0.48, 0.68), brush.between(1.15, 1.45)
    brush.curve(
        (0.5 * wide, low - 0.15), (wide + 0.35, low - 0.15), (wide + 0.4, low - 0.7), (wide + 0.2, low - 1)
    )
    brush.tube(fur, brush.between(0.16, 0.26))
    half: list[Knot] = [(-0.45 * r, -0.4), (-0.9 * wide, 0.55 * low), (-wide, 0.9 * low), (-0.6 * wide, low)]
    brush.curve(*half, (0, low), *mirrored(half), closed=True)
    brush.fill(fur)
    if brush.chance(0.5):
        brush.circle(0, 0.5 * low, 0.45 * wide, 0.35 * low)
        brush.fill(lighter(fur, 0.5), rim=0)
    for side in (-1, 1):
        brush.line(0.22 * side, 0.6 * low, 0.22 * side, low)
    brush.trace(darker(fur, 0.5), 0.05)
    with brush.placed(0, -0.6, r, brush.between(-12, 12)):
        _head(brush, fur)


def _walking(brush: Brush, fur: Colour) -> None:
    """The body from the side: head at the right, legs below, tail at the left."""
    long, thick, leg = brush.between(0.65, 0.85), brush.between(0.34, 0.45), brush.between(0.35, 0.6)
    lift = brush.between(0.3, 0.9)
    brush.curve((-0.8 * long, -0.1), (-long - 0.35, -0.2), (-long - 0.35, -0.6 * lift), (-long - 0.6, -lift))
    brush.tube(fur, brush.between(0.15, 0.22))
    for x, shade in ((-0.55, 0.2), (0.75, 0.2), (-0.78, 0.0), (0.5, 0.0)):
        foot, w = x * long + brush.between(-0.1, 0.1), 0.11
        brush.path((x * long - w, 0), (foot - w, thick + leg), (foot + w, thick + leg), (x * long + w, 0))
        brush.fill(darker(fur, shade))
    brush.curve(
        (-long, -0.5 * thick),
        (-0.3 * long, -thick),
        (0.5 * long, -0.9 * thick),
        (long, -0.6 * thick),
        (long, 0.5 * thick),
        (0.2 * long, 0.9 * thick),
        (-0.6 * long, thick),
        (-1.05 * long, 0.4 * thick),
        closed=True,
    )
    brush.fill(fur)
    if brush.chance(0.4):
        for x in (-0.5, -0.2, 0.1):
            brush.line(x * long, -0.85 * thick, (x + 0.05) * long, 0.1 * thick)
        brush.trace(darker(fur, 0.45), 0.1)
    r = brush.between(0.5, 0.62)
    with brush.placed(long + 0.25 * r, -thick - 0.3 * r, r, brush.between(-15, 15)):
        _head(brush, fur)


def _lying(brush: Brush, fur: Colour) -> None:
    """A loaf: an oval body with a head at its right and the tail around it."""
    r, long, thick = brush.between(0.5, 0.65), brush.between(0.85, 1.1), brush.between(0.42, 0.55)
    brush.curve(
        (-long, -0.1),
        (-0.75 * long, -thick),
        (0, -1.05 * thick),
        (0.8 * long, -0.6 * thick),
        (long, 0.4 * thick),
        (0.6 * long, thick),
        (-0.7 * long, thick),
        (-1.05 * long, 0.5 * thick),
        closed=True,
    )
    brush.fill(fur)
    brush.curve(
        (-0.95 * long, 0.3), (-0.8 * long, 0.95 * thick), (-0.2 * long, thick), (0.15 * long, 0.8 * thick)
    )
    brush.tube(fur, brush.between(0.16, 0.22))
    with brush.placed(0.75 * long, -0.55 * thick, r, brush.between(-20, 20)):
        _head(brush, fur)


def _head(brush: Brush, fur: Colour) -> None:
    """The head within about -1 to 1, the tips of the ears above it."""
    rx, ry = brush.between(0.82, 1.0), brush.between(0.68, 0.85)
    tip, base = (brush.between(0.6, 0.85), -brush.between(1.0, 1.3)), brush.between(0.1, 0.2)
    inner = brush.paint(pink=4, cream=1, brick=1, brown=1)
    for side in (-1, 1):
        with brush.placed(scale=(side, 1)):
            ear = ((base, -0.75 * ry), tip, (0.95 * rx, -0.2 * ry))
            brush.path(*ear)
            brush.fill(fur)
            brush.path(*[(0.55 * x + 0.45 * 0.57, 0.55 * y - 0.45 * 0.66) for x, y in ear])
            brush.fill(inner, rim=0)
    brush.circle(0, 0, rx, ry)
    brush.fill(fur)
    if brush.chance(0.4):
        brush.circle(0, 0.45 * ry, 0.5 * rx, 0.4 * ry)
        brush.fill(lighter(fur, 0.5), rim=0)
    if brush.chance(0.35):
        for x in (-0.2, 0, 0.2):
            brush.line(x, -0.92 * ry, 0.8 * x, -0.6 * ry)
        brush.trace(darker(fur, 0.5), 0.08)
    _face(brush, fur, rx, ry)


def _face(brush: Brush, fur: Colour, rx: float, ry: float) -> None:
    dark = sum(fur) < 1.2
    line = lighter(fur, 0.6) if dark else darker(fur, 0.75)
    x, y, size = 0.4 * rx, -0.15 * ry, brush.between(0.13, 0.19)
    eyes = brush.pick({"open": 0.6, "dots": 0.25, "shut": 0.15})
    for side in (-1, 1):
        if eyes == "shut":
            brush.arc(side * x, y, size, 0.7 * size, 0, 180)
        else:
            brush.circle(side * x, y, size, size * brush.between(1.0, 1.3))
    if eyes == "open":
        brush.fill(brush.paint(lime=3, yellow=3, sky=2, orange=1), rim=0.6)
        for side in (-1, 1):
            brush.circle(side * x, y, 0.4 * size, 0.9 * size)
        brush.fill((0.05, 0.05, 0.08), rim=0)
    elif eyes == "dots":
        brush.fill(brush.paint("yellow", "lime") if dark else (0.06, 0.06, 0.1), rim=0)
    else:
        brush.trace(line, 0.07)
    nose = 0.2 * ry
    brush.path((-0.13, nose), (0.13, nose), (0, nose + 0.14))
    brush.fill(brush.paint(pink=3, brick=1, black=1), rim=0.4)
    brush.curve(
        (-0.26, nose + 0.25), (-0.12, nose + 0.32), (0, nose + 0.14), (0.12, nose + 0.32), (0.26, nose + 0.25)
    )
    if brush.chance(0.7):  # whiskers, within the cheeks
        for side in (-1, 1):
            for k in (-1, 0, 1):
                brush.line(side * 0.38 * rx, nose + 0.1 + 0.05 * k, side * 0.88 * rx, nose + 0.1 + 0.16 * k)
    brush.trace(line, 0.045)
