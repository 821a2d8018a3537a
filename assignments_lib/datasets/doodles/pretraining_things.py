"""Ten other things, for pre-training: drawn as the ten in `things`, none of them one of those."""

from __future__ import annotations

import math
from collections.abc import Callable

from .pen import Pen


def house(pen: Pen) -> None:
    """A box, a pointed roof, a door, windows."""
    wide, eaves = pen.between(0.7, 1.0), pen.between(-0.35, 0.05)
    if pen.chance(0.25):  # in one stroke
        pen.path((-wide, 1), (-wide, eaves), (0, -1), (wide, eaves), (wide, 1), (-wide, 1))
        if pen.chance(0.5):
            pen.line(-wide, eaves, wide, eaves)
    else:
        pen.box(-wide, eaves, wide, 1)
        over = pen.between(0, 0.25)
        pen.polygon((-wide - over, eaves), (0, pen.between(-1.1, -0.8)), (wide + over, eaves))
    if pen.chance(0.8):
        x, half, high = pen.between(-0.4, 0.4), pen.between(0.1, 0.2), pen.between(0.4, 0.65)
        pen.path((x - half, 1), (x - half, 1 - high), (x + half, 1 - high), (x + half, 1))
    for side in (-1, 1):
        if pen.chance(0.45):
            x, y, r = 0.6 * side * wide, eaves + 0.35, pen.between(0.1, 0.17)
            pen.box(x - r, y - r, x + r, y + r)
            if pen.chance(0.4):
                pen.line(x, y - r, x, y + r)
                pen.line(x - r, y, x + r, y)
    if pen.chance(0.3):
        pen.path((0.45, -0.5), (0.45, -0.95), (0.65, -0.95), (0.65, -0.35))


def fish(pen: Pen) -> None:
    """An oval with a tail, an eye, fins."""
    high = pen.between(0.35, 0.65)
    with pen.placed(scale=(pen.pick([-1, 1]), 1), angle=pen.between(-12, 12)):
        tail = pen.between(0.3, 0.6)
        if pen.chance(0.5):  # one loop that crosses itself
            pen.curve(
                (1.4, -tail),
                (0.75, 0),
                (0, high),
                (-0.7, 0.6 * high),
                (-1, 0),
                (-0.7, -0.6 * high),
                (0, -high),
                (0.75, 0),
                (1.4, tail),
            )
            if pen.chance(0.85):
                pen.line(1.4, -tail, 1.4, tail)
        else:
            pen.circle(-0.1, 0, 0.9, high)
            pen.polygon((0.75, 0), (1.35, -tail), (1.35, tail))
        pen.circle(-0.6, -0.25 * high, 0.08) if pen.chance(0.6) else pen.dot(-0.6, -0.25 * high, 0.03)
        if pen.chance(0.4):
            pen.arc(-0.5, 0, 0.25, high * 0.8, -60, 120)
        if pen.chance(0.35):
            pen.path((-0.3, -high), (0.1, -1.4 * high), (0.3, -0.9 * high))
        if pen.chance(0.3):
            pen.curve((-0.95, 0.15), (-0.8, 0.2), (-0.7, 0.1))
        for _ in range(pen.pick({0: 0.7, 3: 0.2, 5: 0.1})):
            pen.arc(pen.between(-0.2, 0.4), pen.between(-0.4, 0.4) * high, 0.1, 0.12, -80, 160)


def tree(pen: Pen) -> None:
    """A trunk under a round, cloudy or pointed crown."""
    half, foot = pen.between(0.1, 0.22), pen.between(0.0, 0.12)
    crown = pen.pick({"cloud": 0.45, "fir": 0.22, "circle": 0.2, "branches": 0.13})
    low = pen.between(-0.1, 0.2)
    if crown == "cloud":
        pen.bumps(0, low - 0.45, pen.between(0.7, 0.95), pen.between(0.55, 0.7), pen.count(5, 8))
    elif crown == "circle":
        pen.circle(0, low - 0.45, pen.between(0.55, 0.9), 0.6)
    elif crown == "fir":
        tiers = pen.count(1, 3)
        for i in range(tiers):
            y, w = low - 0.45 * i, 0.75 - 0.15 * i
            pen.polygon((-w, y), (0, y - (1.2 if tiers == 1 else 0.65)), (w, y))
    else:
        for angle in (-60, -25, 10, 45):
            with pen.placed(0, low, 1, angle + pen.between(-8, 8)):
                pen.line(0, 0, 0, -pen.between(0.6, 1.0))
                pen.line(0, -0.5, 0.2, -0.7)
    pen.path((-half, low + 0.1), (-half - foot, 1))
    pen.path((half, low + 0.1), (half + foot, 1))
    if pen.chance(0.5):
        pen.line(-half - foot, 1, half + foot, 1)


def umbrella(pen: Pen) -> None:
    """A dome on a stick with a hooked end."""
    high, y = pen.between(0.6, 1.0), pen.between(-0.1, 0.1)
    with pen.placed(angle=pen.between(-20, 20)):
        pen.arc(0, y, 1, high, 180, 180)
        if pen.chance(0.65):
            n = pen.count(2, 5)
            knots = []
            for i in range(2 * n + 1):
                knots.append((-1 + i / n, y - (0.16 if i % 2 else 0)))
            pen.curve(*knots)
        else:
            pen.line(-1, y, 1, y)
        hook = pen.pick([-1, 1]) * pen.between(0.15, 0.3)
        if pen.chance(0.85):
            pen.curve((0, y - 0.05), (0, 0.5), (0, 0.85), (0.5 * hook, 1.05), (hook, 0.85), (hook, 0.75))
        else:
            pen.line(0, y, 0, 1.1)
        if pen.chance(0.3):
            pen.line(0, y - high, 0, y - high - 0.15)
        if pen.chance(0.3):
            pen.curve((-0.35, y - 0.1), (-0.3, y - 0.6 * high), (0, y - high))
            pen.curve((0.35, y - 0.1), (0.3, y - 0.6 * high), (0, y - high))


def envelope(pen: Pen) -> None:
    """A rectangle with a flap."""
    high = pen.between(0.5, 0.8)
    tip = pen.between(-0.1, 0.3) * high
    pen.box(-1, -high, 1, high)
    if pen.chance(0.8):
        pen.path((-1, -high), (0, tip), (1, -high))
    else:
        pen.path((-1, -high), (0, -1.7 * high), (1, -high))
    if pen.chance(0.35):
        pen.line(-1, high, -0.25, 0)
        pen.line(1, high, 0.25, 0)
    if pen.chance(0.12):
        pen.circle(0, tip, 0.15)


def ladder(pen: Pen) -> None:
    """Two rails and rungs."""
    half, top = pen.between(0.25, 0.5), pen.between(0.6, 1.0)
    with pen.placed(angle=pen.between(-30, 30) if pen.chance(0.5) else pen.between(-5, 5)):
        pen.line(-half * top, -1, -half, 1)
        pen.line(half * top, -1, half, 1)
        number = pen.count(3, 8)
        for i in range(number):
            y = -1 + 2 * (i + 0.5) / number
            w = half * (top + (1 - top) * (y + 1) / 2)
            pen.line(-w, y, w, y)


def cup(pen: Pen) -> None:
    """A cup with a handle at its side; steam or a saucer at times."""
    top, bottom = pen.between(0.55, 0.8), pen.between(0.4, 0.75)
    with pen.placed(scale=(pen.pick([-1, 1, 1]), 1)):
        if pen.chance(0.5):
            pen.circle(0, -0.7, top, pen.between(0.1, 0.22))
            pen.curve(
                (-top, -0.7), (-top, 0), (-bottom, 0.7), (0, 0.85), (bottom, 0.7), (top, 0), (top, -0.7)
            )
        else:
            pen.path((-top, -0.7), (-bottom, 0.8), (bottom, 0.8), (top, -0.7))
            pen.line(-top, -0.7, top, -0.7)
        size = pen.between(0.3, 0.5)
        pen.curve((0.95 * top, -0.4), (top + size, -0.4), (top + 0.9 * size, 0.2), (0.9 * bottom, 0.35))
        if pen.chance(0.35):
            pen.curve(
                (0.95 * top, -0.2), (top + 0.5 * size, -0.2), (top + 0.5 * size, 0.1), (0.9 * bottom, 0.15)
            )
        if pen.chance(0.3):
            for x in (-0.3, 0, 0.3)[: pen.count(2, 3)]:
                pen.curve((x, -0.95), (x + 0.1, -1.1), (x - 0.1, -1.3), (x + 0.05, -1.45))
        if pen.chance(0.15):
            pen.circle(0, 0.85, 1.0, 0.15)


def key(pen: Pen) -> None:
    """A ring, a shaft and teeth."""
    r = pen.between(0.28, 0.42)
    with pen.placed(
        scale=(1, pen.pick([-1, 1])), angle=pen.pick([0, 180, 90, -90, 45, -45]) + pen.between(-12, 12)
    ):
        pen.circle(-1 + r, 0, r, r * pen.between(0.8, 1.1))
        if pen.chance(0.35):
            pen.circle(-1 + r, 0, 0.5 * r)
        start = -1 + 2 * r
        thin = pen.chance(0.6)
        if thin:
            pen.line(start, 0, 1, 0)
        else:
            pen.path((start, -0.08), (1, -0.08), (1, 0.08), (start, 0.08))
        low = 0.0 if thin else 0.08
        teeth = pen.count(2, 4)
        for i in range(teeth):
            x, long = 0.95 - 0.2 * i, pen.between(0.18, 0.35)
            if pen.chance(0.6):
                pen.line(x, low, x, low + long)
            else:
                pen.path((x, low), (x, low + long), (x - 0.12, low + long), (x - 0.12, low))


def star(pen: Pen) -> None:
    """Five points, drawn through or as an outline."""
    turn = pen.between(-14, 14)
    with pen.placed(angle=turn):
        if pen.chance(0.6):
            tips = [(math.sin(0.8 * math.pi * i), -math.cos(0.8 * math.pi * i)) for i in range(6)]
            shift = pen.count(0, 4)
            pen.path(*[tips[(i + shift) % 5] for i in range(6)])
        else:
            points, inner = pen.pick([5, 5, 5, 6, 8]), pen.between(0.35, 0.5)
            corners = []
            for i in range(2 * points):
                t, r = math.pi * i / points, inner if i % 2 else 1.0
                corners.append((r * math.sin(t), -r * math.cos(t)))
            pen.polygon(*corners)


def sun(pen: Pen) -> None:
    """A circle with rays around it."""
    r = pen.between(0.4, 0.6)
    pen.circle(0, 0, r)
    rays, gap, long = pen.count(6, 13), pen.between(0.03, 0.15), pen.between(0.25, 0.5)
    pointed = pen.chance(0.15)
    for i in range(rays):
        t = 2 * math.pi * (i + pen.between(-0.15, 0.15)) / rays
        c, s = math.cos(t), math.sin(t)
        end = r + gap + long * pen.between(0.7, 1.2)
        if pointed:
            w = 0.12
            pen.path((r * c - w * s, r * s + w * c), (end * c, end * s), (r * c + w * s, r * s - w * c))
        else:
            pen.line((r + gap) * c, (r + gap) * s, end * c, end * s)
    if pen.chance(0.2):
        pen.dot(-0.15, -0.1)
        pen.dot(0.15, -0.1)
        pen.arc(0, 0.05, 0.25, 0.15, 170, -160)


PRETRAINING_THINGS: dict[str, Callable[[Pen], None]] = {
    "house": house,
    "fish": fish,
    "tree": tree,
    "umbrella": umbrella,
    "envelope": envelope,
    "ladder": ladder,
    "cup": cup,
    "key": key,
    "star": star,
    "sun": sun,
}
