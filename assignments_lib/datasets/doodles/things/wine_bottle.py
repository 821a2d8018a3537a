"""How people draw a wine bottle."""

from __future__ import annotations

from ..pen import Pen, mirrored


def wine_bottle(pen: Pen) -> None:
    """A tall body, shoulders, a long neck; a cork or lip, a label, at times a glass beside it."""
    wide = pen.between(0.26, 0.5)
    neck = wide * pen.between(0.28, 0.5)
    shoulder, throat = pen.between(-0.35, 0.0), pen.between(-0.55, -0.35)
    with pen.placed(angle=pen.between(-55, 55) if pen.chance(0.12) else pen.between(-6, 6)):
        _glass(pen, wide, neck, shoulder, throat)
        _top(pen, neck)
        if pen.chance(0.25):
            pen.line(-neck, throat - 0.15, neck, throat - 0.15)
        _label(pen, wide)
        if pen.chance(0.08):
            pen.line(-wide, shoulder + 0.15, wide, shoulder + 0.15)
    if pen.chance(0.06):  # a glass to drink from
        with pen.placed(wide + 0.5, 0.55, (0.3, 0.45)):
            pen.curve((-0.8, -1), (-0.7, -0.2), (0, 0.1), (0.7, -0.2), (0.8, -1))
            pen.line(0, 0.1, 0, 1)
            pen.line(-0.5, 1, 0.5, 1)


def _glass(pen: Pen, wide: float, neck: float, shoulder: float, throat: float) -> None:
    """The outline, open at the top."""
    style = pen.pick({"round": 0.45, "straight": 0.3, "two boxes": 0.15, "steps": 0.1})
    if style == "round":
        half = [(-neck, -1.0), (-neck, throat), (-0.8 * wide, 0.5 * (shoulder + throat)), (-wide, shoulder)]
        half += [(-wide, 0.4), (-0.97 * wide, 0.95)]
        if pen.chance(0.6):
            pen.curve(*half, (0, 1.0), *mirrored(half))
        else:
            pen.curve(*half)
            pen.curve(*mirrored(half)[::-1])
            pen.line(-wide, 0.97, wide, 0.97)
    elif style == "straight":
        half = [(-neck, -1.0), (-neck, throat), (-wide, shoulder), (-wide, 1.0)]
        if pen.chance(0.7):
            pen.path(*half, *mirrored(half))
        else:
            pen.path(*half)
            pen.path(*mirrored(half)[::-1])
            pen.line(-wide, 1, wide, 1)
    elif style == "two boxes":
        pen.box(-wide, throat, wide, 1.0)
        pen.path((-neck, throat), (-neck, -1), (neck, -1), (neck, throat))
    else:
        half = [(-neck, throat), (-wide, throat), (-wide, 1.0)]
        pen.path(*half, *mirrored(half))
        pen.path((neck, throat), (neck, -1), (-neck, -1), (-neck, throat))


def _top(pen: Pen, neck: float) -> None:
    style = pen.pick({"line": 0.35, "cork": 0.25, "lip": 0.22, "oval": 0.08, "open": 0.1})
    if style == "line":
        pen.line(-neck, -1, neck, -1)
    elif style == "cork":
        pen.box(-0.75 * neck, -1.0 - pen.between(0.1, 0.22), 0.75 * neck, -0.99)
        pen.line(-neck, -1, neck, -1)
    elif style == "lip":
        pen.box(-1.4 * neck, -1.1, 1.4 * neck, -1.0)
    elif style == "oval":
        pen.circle(0, -1, neck, 0.05)


def _label(pen: Pen, wide: float) -> None:
    style = pen.pick({"box": 0.35, "lines": 0.22, "writing": 0.1, "round": 0.05, "none": 0.28})
    upper, lower = pen.between(0.05, 0.3), pen.between(0.5, 0.8)
    if style == "box":
        inset = wide * pen.between(0.6, 0.95)
        pen.box(-inset, upper, inset, lower)
        if pen.chance(0.4):
            pen.scribble(-0.6 * inset, upper + 0.12, 0.6 * inset, lower - 0.12, pen.count(2, 5))
    elif style == "lines":
        pen.line(-wide, upper, wide, upper)
        pen.line(-wide, lower, wide, lower)
        if pen.chance(0.35):
            pen.scribble(-0.6 * wide, upper + 0.1, 0.6 * wide, lower - 0.1, pen.count(2, 5))
    elif style == "writing":
        pen.scribble(-0.7 * wide, upper, 0.7 * wide, upper + 0.25, pen.count(2, 5))
    elif style == "round":
        pen.circle(0, 0.4, 0.6 * wide, 0.2)
