"""How people draw an hourglass."""

from __future__ import annotations

from ..pen import Pen, mirrored


def hourglass(pen: Pen) -> None:
    """Two bulbs or triangles, tip to tip, between plates; perhaps posts and sand."""
    wide, waist = pen.between(0.45, 0.8), pen.between(0.0, 0.14)
    style = pen.pick({"curves": 0.27, "cross": 0.25, "triangles": 0.2, "outline": 0.16, "bulbs": 0.12})
    if style == "triangles":
        pen.polygon((-wide, -1), (wide, -1), (0, waist))
        pen.polygon((-wide, 1), (wide, 1), (0, -waist))
    elif style == "cross":
        if pen.chance(0.6):  # in one stroke, like a bow tie
            pen.path((-wide, -1), (wide, -1), (-wide, 1), (wide, 1), (-wide, -1))
        else:
            pen.line(-wide, -1, wide, -1)
            pen.line(-wide, -1, wide, 1)
            pen.line(wide, -1, -wide, 1)
            pen.line(-wide, 1, wide, 1)
    elif style == "curves":
        half = [(-wide, -1.0), (-0.95 * wide, -0.55), (-waist - 0.04, 0), (-0.95 * wide, 0.55), (-wide, 1.0)]
        pen.curve(*half)
        pen.curve(*mirrored(half)[::-1])
        pen.line(-wide, -1, wide, -1)
        pen.line(-wide, 1, wide, 1)
    elif style == "outline":
        half = [(-wide, -1.0), (-wide, -0.7), (-waist - 0.05, 0), (-wide, 0.7), (-wide, 1.0)]
        pen.path(*half, *mirrored(half), half[0])
    else:
        pen.circle(0, -0.5, wide, 0.48)
        pen.circle(0, 0.5, wide, 0.48)
    _plates(pen, wide + pen.between(0.05, 0.3), needed=style == "bulbs")
    _sand(pen, wide)


def _plates(pen: Pen, over: float, needed: bool) -> None:
    style = pen.pick({"none": 0.0 if needed else 0.5, "lines": 0.25, "boxes": 0.25})
    if style == "lines":
        pen.line(-over, -1.03, over, -1.03)
        pen.line(-over, 1.03, over, 1.03)
    elif style == "boxes":
        thick = pen.between(0.12, 0.25)
        pen.box(-over, -1 - thick, over, -1)
        pen.box(-over, 1, over, 1 + thick)
    if pen.chance(0.15):  # posts
        pen.line(-over, -1, -over, 1)
        pen.line(over, -1, over, 1)


def _sand(pen: Pen, wide: float) -> None:
    style = pen.pick(
        {"none": 0.4, "grains": 0.17, "levels": 0.15, "heap": 0.12, "scrawl": 0.08, "stream": 0.08}
    )
    if style == "levels":
        pen.line(-0.5 * wide, -0.5, 0.5 * wide, -0.5)
        if pen.chance(0.6):
            pen.line(-0.6 * wide, 0.65, 0.6 * wide, 0.65)
    elif style == "grains":
        for _ in range(pen.count(3, 8)):
            pen.dot(pen.between(-0.45, 0.45) * wide, pen.between(0.55, 0.92))
        for _ in range(pen.count(0, 3)):
            pen.dot(pen.between(-0.3, 0.3) * wide, pen.between(-0.6, -0.3))
    elif style == "heap":
        pen.curve((-0.7 * wide, 0.95), (0, pen.between(0.35, 0.6)), (0.7 * wide, 0.95))
    elif style == "scrawl":
        pen.scribble(-0.7 * wide, 0.65, 0.7 * wide, 0.97, pen.count(3, 7))
    if style == "stream" or (style in ("heap", "scrawl") and pen.chance(0.4)):
        pen.line(0, -0.1, 0, 0.6)
