"""A rainbow."""

from __future__ import annotations

import math

from ...doodles.pen import Knot
from ..brush import Brush
from ..paint import Colour, between, lighter

ORDER = ("red", "orange", "yellow", "lime", "sky", "blue", "purple")


def rainbow(brush: Brush) -> None:
    """Bands of colour, arch within arch; at times a cloud at one foot or at both."""
    brush.round = brush.between(0.1, 0.6)
    number = brush.count(3, 7)
    high, inner = brush.between(0.65, 1.15), brush.between(0.3, 0.55)
    power = brush.between(1.7, 2.6)  # 2 is a half circle, more is a gate
    with brush.placed(scale=(brush.pick([-1, 1]), 1), angle=brush.between(-22, 22)):
        for i, colour in enumerate(_bands(brush, number)):
            out = 1 - (1 - inner) * i / number
            # Every band goes on to the inner edge, under those that follow: no gap can show.
            brush.curve(*_arch(out, high, power), *reversed(_arch(inner, high, power)))
            brush.fill(colour, rim=1.0 if i == 0 else 0.35)
        clouds = brush.pick({(): 0.55, (-1,): 0.1, (1,): 0.1, (-1, 1): 0.25})
        if clouds:
            white = lighter(brush.paint(white=4, sky=1, pink=1, grey=1, cream=1), 0.2)
            for side in clouds:
                size = brush.between(0.2, 0.32)
                brush.bumps(side * (1 + inner) / 2, 0.05, 1.35 * size, size, brush.count(5, 6))
                brush.fill(white)


def _bands(brush: Brush, number: int) -> list[Colour]:
    """The colours from outside to inside: the sky's, some of them, pale, upside down, or quite others."""
    style = brush.pick({"sky": 0.55, "pale": 0.15, "two": 0.12, "any": 0.18})
    if style == "two":
        first, last = brush.paint("any"), brush.paint("any")
        return [between(first, last, i / (number - 1)) for i in range(number)]
    if style == "any":
        return [brush.paint("any") for _ in range(number)]
    skipped = sorted(range(7), key=lambda _: brush.rng.random())[: 7 - number]
    bands = [brush.paint(pot) for i, pot in enumerate(ORDER) if i not in skipped]
    if style == "pale":
        bands = [lighter(colour, 0.45) for colour in bands]
    return bands[::-1] if brush.chance(0.2) else bands


def _arch(radius: float, high: float, power: float) -> list[Knot]:
    knots = []
    for i in range(11):
        c, s = math.cos(math.pi * (1 - i / 10)), math.sin(math.pi * (1 - i / 10))
        x, y = math.copysign(abs(c) ** (2 / power), c), abs(s) ** (2 / power)
        knots.append((radius * x, -(high - (1 - radius)) * y if high > 1 else -high * radius * y))
    return knots
