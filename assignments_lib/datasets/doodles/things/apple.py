"""How people draw an apple."""

from __future__ import annotations

from ..pen import Pen, mirrored


def apple(pen: Pen) -> None:
    """A round body with a dimple, a stem, perhaps a leaf, a bite or a shine."""
    dimple, width = pen.between(-0.75, -0.5), pen.between(0.75, 1.05)
    body = pen.pick({"heart": 0.48, "circle": 0.27, "lobes": 0.13, "bitten": 0.12})
    half = [(-0.35, 0.95), (-0.8 * width, 0.5), (-width, -0.3), (-0.45, pen.between(-0.95, -0.8))]
    bottom = (0.0, pen.between(0.78, 0.95))
    if body == "heart":
        pen.curve((0, dimple), *mirrored(half), bottom, *half, (pen.between(-0.1, 0.1), dimple))
    elif body == "circle":
        pen.circle(0, 0.05, width, pen.between(0.8, 0.95))
        dimple = -0.85
        if pen.chance(0.3):
            pen.curve((-0.25, -0.8), (0, -0.65), (0.25, -0.8))
    elif body == "lobes":
        pen.arc(0, 0.05, width, 0.95, -65, 310)
        pen.curve((-0.42, -0.8), (0, dimple), (0.42, -0.8))
    else:
        upper, lower = (0.75 * width, -0.5), (0.75 * width, 0.55)
        pen.curve(upper, (0.4, -0.85), (0, dimple), *reversed(half), bottom, (0.4, 0.95), lower)
        pen.curve(upper, (0.5 * width, -0.2), (0.5 * width, 0.25), lower)

    lean, top = pen.between(-0.25, 0.3), dimple - pen.between(0.3, 0.6)
    stem = pen.pick({"line": 0.4, "curve": 0.25, "box": 0.28, "none": 0.07})
    if stem == "line":
        pen.line(0, dimple + 0.05, lean, top)
    elif stem == "curve":
        pen.curve((0, dimple + 0.1), (0.2 * lean, 0.5 * (top + dimple)), (lean, top))
    elif stem == "box":
        pen.path((-0.07, dimple), (lean - 0.1, top), (lean + 0.1, top), (0.07, dimple))
    if pen.chance(0.55):  # a leaf
        side = pen.pick([1, 1, -1])
        with pen.placed(0.3 * lean, dimple - 0.2, (side * pen.between(0.35, 0.7), 0.6), pen.between(-30, 20)):
            pen.curve((0, 0), (0.5, -0.4), (1.1, -0.3), (0.6, 0.15), (0.02, 0.02))
            if pen.chance(0.25):
                pen.line(0, 0, 0.8, -0.2)
    if pen.chance(0.12):  # a shine
        pen.arc(-0.1, 0.1, 0.65 * width, 0.6, 160, 70)
    if pen.chance(0.04):
        pen.scribble(-0.6, -0.4, 0.6, 0.7, pen.count(5, 9))
