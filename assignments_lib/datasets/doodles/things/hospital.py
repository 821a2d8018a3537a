"""How people draw a hospital."""

from __future__ import annotations

from ..pen import Knot, Pen, mirrored


def hospital(pen: Pen) -> None:
    """A building with a cross on it, windows, a door."""
    style = pen.pick(
        {"box": 0.5, "sign on top": 0.14, "roof": 0.12, "tower": 0.1, "wings": 0.1, "cross": 0.04}
    )
    wide, top = pen.between(0.6, 1.1), -0.9
    x, y, r = pen.between(-0.1, 0.1), pen.between(-0.55, -0.3), pen.between(0.2, 0.35)  # of the sign
    if style == "box":
        pen.box(-wide, top, wide, 1)
    elif style == "roof":
        pen.box(-wide, -0.4, wide, 1)
        pen.path((-wide - 0.1, -0.4), (0, -1.1), (wide + 0.1, -0.4))
        y, r = pen.pick([-0.7, -0.05]), 0.2
    elif style == "sign on top":
        pen.box(-wide, -0.4, wide, 1)
        pen.box(-0.35, -1.05, 0.35, -0.4)
        top, x, y, r = -0.4, 0, -0.73, 0.22
    elif style == "tower":
        half = [(-1.1, 1.0), (-1.1, 0.0), (-0.45, 0.0), (-0.45, -1.0)]
        pen.path(*half, *mirrored(half), half[0])
        wide, top, x, y, r = 1.0, 0.0, 0, -0.55, 0.25
    elif style == "wings":
        pen.box(-0.5, -0.9, 0.5, 1)
        pen.path((-0.5, -0.2), (-1.2, -0.2), (-1.2, 1), (-0.5, 1))
        pen.path((0.5, -0.2), (1.2, -0.2), (1.2, 1), (0.5, 1))
        wide = 1.1
    else:  # nothing but a large cross
        _outlined_cross(pen, 0, 0, 1, 0.3)
        return
    if pen.chance(0.94):
        _sign(pen, x, y, r)
    if pen.chance(0.6):
        _door(pen, pen.between(-0.15, 0.15), pen.between(0.1, 0.25), pen.between(0.3, 0.6))
    _windows(pen, wide, top)
    if pen.chance(0.06):
        pen.line(-1.4, 1, 1.4, 1)


def _outlined_cross(pen: Pen, x: float, y: float, r: float, thick: float) -> None:
    half: list[Knot] = [
        (-thick, -r),
        (-thick, -thick),
        (-r, -thick),
        (-r, thick),
        (-thick, thick),
        (-thick, r),
    ]
    pen.path(*[(x + u, y + v) for u, v in (*half, *mirrored(half), half[0])])


def _sign(pen: Pen, x: float, y: float, r: float) -> None:
    """A plus, an outlined plus, or an H."""
    style = pen.pick({"plus": 0.5, "outline": 0.32, "H": 0.13, "framed": 0.05})
    if style == "outline":
        _outlined_cross(pen, x, y, r, r * pen.between(0.3, 0.42))
    elif style == "H":
        pen.line(x - 0.7 * r, y - r, x - 0.7 * r, y + r)
        pen.line(x + 0.7 * r, y - r, x + 0.7 * r, y + r)
        pen.line(x - 0.7 * r, y, x + 0.7 * r, y)
    else:
        pen.line(x, y - r, x, y + r)
        pen.line(x - r, y, x + r, y)
        if style == "framed":
            pen.box(x - 1.4 * r, y - 1.4 * r, x + 1.4 * r, y + 1.4 * r)


def _door(pen: Pen, x: float, half: float, high: float) -> None:
    pen.path((x - half, 1), (x - half, 1 - high), (x + half, 1 - high), (x + half, 1))
    if pen.chance(0.3):
        pen.line(x, 1 - high, x, 1)
    elif pen.chance(0.25):
        pen.dot(x + 0.5 * half, 1 - 0.5 * high)


def _windows(pen: Pen, wide: float, top: float) -> None:
    style = pen.pick({"none": 0.36, "pair": 0.26, "grid": 0.24, "row": 0.14})
    size, height = pen.between(0.1, 0.17), pen.between(-0.3, 0.4)
    rows: dict[str, tuple[float, ...]] = {
        "none": (),
        "pair": (height,),
        "grid": (-0.4, 0.05, 0.5),
        "row": (0.3,),
    }
    for y in rows[style]:
        for x in (-0.7, -0.25, 0.25, 0.7) if style == "row" else (-0.62, 0.62):
            if y - size > top:
                pen.box(wide * x - size, y - size, wide * x + size, y + size)
                if pen.chance(0.12):
                    pen.line(wide * x, y - size, wide * x, y + size)
