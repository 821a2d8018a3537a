"""The paint box: every thing, and whatever lies around it, takes its colours from the same few pots.

So a colour narrows down what a thing may be, but never says what it is.
"""

from __future__ import annotations

import colorsys

from ..doodles.pen import Pen

Colour = tuple[float, float, float]  # red, green and blue, 0 to 1

# Hue, saturation, value of each pot; a brush never takes twice exactly the same.
POTS: dict[str, Colour] = {
    "red": (0.99, 0.80, 0.82),
    "brick": (0.03, 0.58, 0.66),
    "orange": (0.07, 0.80, 0.95),
    "yellow": (0.14, 0.72, 0.95),
    "lime": (0.22, 0.62, 0.82),
    "green": (0.36, 0.60, 0.52),
    "teal": (0.48, 0.52, 0.62),
    "sky": (0.56, 0.42, 0.90),
    "blue": (0.60, 0.70, 0.70),
    "navy": (0.63, 0.58, 0.40),
    "purple": (0.77, 0.45, 0.62),
    "pink": (0.93, 0.38, 0.95),
    "brown": (0.07, 0.60, 0.45),
    "wood": (0.09, 0.50, 0.72),
    "cream": (0.12, 0.20, 0.96),
    "white": (0.12, 0.03, 0.97),
    "grey": (0.60, 0.07, 0.58),
    "steel": (0.58, 0.10, 0.78),
    "black": (0.70, 0.15, 0.22),
}


def mixed(pen: Pen, pot: str) -> Colour:
    """A colour close to that of the pot; from any pot for "any"."""
    hue, saturation, value = POTS[pen.pick(tuple(POTS)) if pot == "any" else pot]
    hue += pen.between(-0.025, 0.025)
    saturation = min(max(saturation * pen.between(0.75, 1.25), 0.0), 1.0)
    value = min(max(value * pen.between(0.82, 1.12), 0.0), 1.0)
    return colorsys.hsv_to_rgb(hue % 1.0, saturation, value)


def between(first: Colour, second: Colour, part: float) -> Colour:
    """The mixture of two colours: ``first`` where ``part`` is 0, ``second`` where it is 1."""
    r, g, b = (x + part * (y - x) for x, y in zip(first, second, strict=True))
    return r, g, b


def darker(colour: Colour, part: float) -> Colour:
    """The colour with black: all of it where ``part`` is 1."""
    return between(colour, (0.0, 0.0, 0.0), part)


def lighter(colour: Colour, part: float) -> Colour:
    """The colour with white: all of it where ``part`` is 1."""
    return between(colour, (1.0, 1.0, 1.0), part)
