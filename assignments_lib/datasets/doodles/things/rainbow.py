"""How people draw a rainbow."""

from __future__ import annotations

import math

from ..pen import Knot, Pen


def rainbow(pen: Pen) -> None:
    """Arches inside each other, or just one; with clouds, closed, lopsided, or in one zigzag."""
    high = pen.between(*pen.pick({(0.35, 0.6): 0.27, (0.6, 1.1): 0.54, (1.1, 2.0): 0.19}))
    power = pen.between(*pen.pick({(1.3, 1.9): 0.3, (1.9, 2.4): 0.45, (2.5, 5.0): 0.25}))
    number = pen.pick({1: 0.2, 2: 0.24, 3: 0.24, 4: 0.13, 5: 0.08, 6: 0.06, 7: 0.05})
    style = pen.pick(
        {"arches": 0.63, "one end": 0.12, "band": 0.11, "zigzag": 0.06, "side": 0.06, "disc": 0.02}
    )
    tilt = pen.between(-14, 14) if pen.chance(0.85) else pen.between(-45, 45)
    with pen.placed(scale=(pen.pick([-1, 1]), 1), angle=tilt):
        if style == "side":
            _one_side(pen, high, max(2, number))
            return
        arches = _arches(pen, number, high, power, one_end=style == "one end")
        if style == "band":
            _band(pen, arches[0], _arch(pen, -0.6, 0.6, -high * pen.between(0.4, 0.7), power), number - 2)
        elif style == "disc":
            pen.curve(*arches[0])
            pen.line(*arches[0][0], *arches[0][-1])
        elif style == "zigzag":
            pen.curve(*[knot for i, arch in enumerate(arches) for knot in (arch if i % 2 else arch[::-1])])
        else:
            for arch in arches if pen.chance(0.8) else arches[::-1]:
                first, last = 0, len(arch)
                if pen.chance(0.08):
                    first = pen.count(1, 4)
                elif pen.chance(0.08):
                    last = pen.count(5, 8)
                pen.curve(*(arch[first:last] if pen.chance(0.75) else arch[first:last][::-1]))
        _ends(
            pen,
            high,
            0.5 * (arches[0][0][0] + arches[-1][0][0]),
            0.5 * (arches[0][-1][0] + arches[-1][-1][0]),
        )


def _arch(pen: Pen, left: float, right: float, top: float, power: float) -> list[Knot]:
    """Nine knots of one arch; ``power`` 1 is a peak, 2 an ellipse, more a gate."""
    foot, other_foot = pen.between(-0.12, 0.12), pen.between(-0.12, 0.12)
    lean = pen.between(-0.15, 0.15)
    knots = []
    for i in range(9):
        c, s = math.cos(math.pi * (1 - i / 8)), math.sin(math.pi * (1 - i / 8))
        x, y = math.copysign(abs(c) ** (2 / power), c), abs(s) ** (2 / power)
        base = foot + (other_foot - foot) * (x + 1) / 2
        x += lean * y * (1 - abs(x))
        knots.append(((left + right) / 2 + (right - left) / 2 * x, base + (top - base) * y))
    return knots


def _arches(pen: Pen, number: int, high: float, power: float, one_end: bool) -> list[list[Knot]]:
    """One inside the other, unevenly; with ``one_end`` they start from about the same place."""
    step = pen.between(0.5, 0.85) / max(number, 2) if number < 5 else pen.between(0.6, 0.8) / number
    arches, left, right, top = [], -1.0, 1.0, -high
    for _ in range(number):
        arches.append(_arch(pen, left, right, top, power))
        if not one_end or pen.chance(0.2):
            left += step * pen.between(0.5, 1.4)
        right -= step * pen.between(0.4, 1.5)
        top += step * pen.between(0.6, 1.4) * min(high, 1.2)
    return arches


def _band(pen: Pen, outer: list[Knot], inner: list[Knot], stripes: int) -> None:
    """A closed band, out along one arch and back along another."""
    if pen.chance(0.5):
        pen.curve(*outer, *reversed(inner), outer[0])
    else:
        pen.curve(*outer)
        pen.curve(*inner)
        pen.line(*outer[0], *inner[0])
        pen.line(*outer[-1], *inner[-1])
    for i in range(stripes):
        k = (i + 1) / (stripes + 1)
        pairs = zip(outer, inner, strict=True)
        pen.curve(*[(x + k * (u - x), y + k * (v - y)) for (x, y), (u, v) in pairs])


def _one_side(pen: Pen, high: float, number: int) -> None:
    """Only the rise of it, the lines beside each other."""
    dx, dy = pen.between(0.12, 0.25), pen.between(0.02, 0.2)
    for i in range(number):
        x, y = i * dx, i * dy
        pen.curve((x - 1, 0.5 * y), (x - 0.7, y - 0.55 * high), (0.3, y - high))


def _ends(pen: Pen, high: float, left: float, right: float) -> None:
    """What stands at the feet, or in the sky."""
    extra = pen.pick(
        {"none": 0.72, "clouds": 0.15, "one cloud": 0.04, "ground": 0.04, "dot": 0.03, "sun": 0.02}
    )
    size = pen.between(0.18, 0.34)
    if extra in ("clouds", "one cloud"):
        pen.cloud(left, 0.1, 1.2 * size, size)
    if extra == "clouds":
        pen.cloud(right, 0.1, 1.2 * size, size)
    elif extra == "ground":
        pen.line(-1.1, 0.05, 1.1, 0.05)
    elif extra == "dot":
        pen.dot(pen.between(-0.3, 0.3), pen.between(-0.3, 0.1))
    elif extra == "sun":
        pen.circle(0.9, -high, 0.2)
