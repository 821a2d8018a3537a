"""How people draw a train."""

from __future__ import annotations

from ..pen import Pen


def train(pen: Pen) -> None:
    """An engine, an engine with carriages, a row of boxes, one long carriage; rarely seen from the front."""
    kind = pen.pick(
        {_engine_alone: 0.28, _engine_and_carriages: 0.26, _long: 0.24, _boxes: 0.2, _front: 0.02}
    )
    climb = pen.between(-25, 25) if pen.chance(0.12) else 0.0
    with pen.placed(scale=(pen.pick([-1, 1]), 1), angle=climb):
        left, right, bottom = kind(pen)
        if kind is not _front and pen.chance(0.25):
            _rails(pen, left, right, bottom)


# Each of these draws a train that stands on y = 0, wheels below, and says where it begins, ends and touches the rails.


def _engine_alone(pen: Pen) -> tuple[float, float, float]:
    long, r = pen.between(1.3, 2.2), pen.between(0.1, 0.28)
    _engine(pen, long)
    if pen.chance(0.93):
        _wheels(pen, 0, long, r, pen.count(2, 5))
    return 0.0, long, 1.8 * r


def _engine_and_carriages(pen: Pen) -> tuple[float, float, float]:
    long, r, wheels = pen.between(1.0, 1.5), pen.between(0.1, 0.2), pen.chance(0.9)
    _engine(pen, long)
    if wheels:
        _wheels(pen, 0, long, r, pen.count(2, 3))
    left = 0.0
    for _ in range(pen.count(1, 3)):
        car = pen.between(0.7, 1.1)
        left = _coupled(pen, left, pen.between(0.05, 0.3), car, pen.between(0.5, 0.8))
        if wheels:
            _wheels(pen, left, left + car, r, 2)
    return left, long, 1.8 * r


def _boxes(pen: Pen) -> tuple[float, float, float]:
    high, r, wheels = pen.between(0.35, 0.9), pen.between(0.1, 0.2), pen.chance(0.55)
    left = 0.0
    for i in range(pen.count(2, 5)):
        gap = pen.between(*pen.pick({(0.0, 0.0): 0.25, (0.0, 0.2): 0.4, (0.2, 0.6): 0.35})) if i else 0.0
        car = pen.between(0.6, 1.2)
        left = _coupled(pen, left, gap, car, high * pen.between(0.75, 1.2))
        if wheels:
            _wheels(pen, left, left + car, r, 2)
    if pen.chance(0.3):
        _chimney(pen, -0.3, -high)
    return left, 0.0, 1.8 * r


def _long(pen: Pen) -> tuple[float, float, float]:
    right, high, r = pen.between(1.6, 4.0), pen.between(0.55, 1.0), pen.between(0.1, 0.2)
    front = pen.pick({"box": 0.45, "bullet": 0.3, "slope": 0.25})
    if front == "box":
        pen.box(0, -high, right, 0)
    elif front == "bullet":
        back = [(right, 0.0), (0.5 * right, 0.0), (0.0, 0.0), (0.0, -0.5 * high), (0.0, -high)]
        pen.curve(*back, (0.5 * right, -high), (0.75 * right, -0.95 * high), (right, -0.3 * high), (right, 0))
    else:
        pen.path((0, 0), (0, -high), (0.78 * right, -high), (right, -0.25 * high), (right, 0), (0, 0))
    windows = pen.pick({"none": 0.3, "many": 0.4, "few": 0.2, "stripe": 0.1})
    if windows == "stripe":
        pen.line(0.05, -0.5 * high, 0.9 * right, -0.5 * high)
    elif windows != "none":
        _windows(pen, 0, 0.8 * right, -high, pen.count(3, 6) if windows == "many" else pen.count(1, 3))
    if pen.chance(0.8):
        _wheels(pen, 0, right, r, pen.count(2, 7))
    if pen.chance(0.15):
        _chimney(pen, 0.8 * right, -high)
    return 0.0, right, 1.6 * r


def _front(pen: Pen) -> tuple[float, float, float]:
    pen.box(-0.5, -1.5, 0.5, 0)
    pen.box(-0.35, -1.3, 0.35, -0.8)
    for side in (-1, 1):
        pen.circle(0.3 * side, -0.3, 0.1)
        pen.line(0.3 * side, 0, 0.7 * side, 0.7)
    return -0.7, 0.7, 0.7


def _engine(pen: Pen, long: float) -> None:
    """A locomotive from x = 0 to ``long``, its cab at 0, its floor at y = 0."""
    style = pen.pick({"steam": 0.34, "step": 0.24, "nose": 0.22, "box": 0.2})
    cab, roof, hood = long * pen.between(0.3, 0.45), -pen.between(0.75, 1.1), -pen.between(0.4, 0.6)
    along_hood = cab + (long - cab) * pen.between(0.15, 0.9)
    if style == "steam":
        pen.box(0, roof, cab, 0)
        if pen.chance(0.12):
            pen.circle(0.5 * (cab + long), 0.5 * hood, 0.5 * (long - cab), -0.5 * hood)
        else:
            pen.box(cab, hood, long, 0)
        if pen.chance(0.3):
            pen.line(-0.08, roof, cab + 0.08, roof)
        if pen.chance(0.55):
            pen.box(0.25 * cab, 0.8 * roof, 0.75 * cab, 0.5 * roof)
        _chimney(pen, along_hood, hood)
        if pen.chance(0.3):  # the cowcatcher
            pen.path((long, -0.05), (long + 0.25, 0.2), (long - 0.1, 0.2))
    elif style == "step":
        pen.path((0, 0), (0, roof), (cab, roof), (cab, hood), (long, hood), (long, 0), (0, 0))
        if pen.chance(0.5):
            pen.box(0.25 * cab, 0.8 * roof, 0.75 * cab, 0.5 * roof)
        if pen.chance(0.75):
            _chimney(pen, along_hood, hood)
    elif style == "nose":
        tip = hood * pen.between(0.2, 1)
        pen.path((0, 0), (0, roof), (0.65 * long, roof), (long, tip), (long, 0), (0, 0))
        if pen.chance(0.5):
            pen.path((0.6 * long, roof), (0.6 * long, 0.5 * roof), (0.85 * long, 0.5 * roof))
        if pen.chance(0.35):
            _chimney(pen, 0.4 * long, roof)
    else:
        pen.box(0, roof, long, 0)
        if pen.chance(0.6):
            pen.box(0.6 * long, 0.8 * roof, 0.85 * long, 0.45 * roof)
        if pen.chance(0.75):
            _chimney(pen, long * pen.between(0.1, 0.9), roof)


def _coupled(pen: Pen, left: float, gap: float, long: float, high: float) -> float:
    """A carriage behind what ends at ``left``, with a coupling over the gap; the new left end."""
    if gap > 0.08 and pen.chance(0.9):
        pen.line(left, -0.35 * high, left - gap, -0.35 * high)
    left -= gap + long
    with pen.placed(left, 0, 1, pen.between(-6, 6)):
        style = pen.pick({"box": 0.75, "oval": 0.11, "tub": 0.07, "slope": 0.07})
        if style == "box":
            pen.box(0, -high, long, 0)
        elif style == "oval":
            pen.circle(long / 2, -high / 2, long / 2, high / 2)
        elif style == "tub":
            pen.polygon((0, -high), (long, -high), (long - 0.15, 0), (0.15, 0))
        else:
            pen.polygon((0, -high), (0.6 * long, -high), (long, 0), (0, 0))
        if pen.chance(0.28):
            _windows(pen, 0, long, -high, pen.count(1, 3))
    return left


def _windows(pen: Pen, left: float, right: float, roof: float, number: int) -> None:
    for i in range(number):
        x, half = left + (right - left) * (i + 0.5) / number, 0.28 * (right - left) / number
        pen.box(x - half, 0.8 * roof, x + half, 0.4 * roof)


def _wheels(pen: Pen, left: float, right: float, r: float, number: int) -> None:
    style = pen.pick({"circles": 0.72, "ovals": 0.12, "half": 0.08, "dots": 0.08})
    hubs, y = pen.chance(0.12), 0.7 * r
    for i in range(number):
        x = left + (right - left) * (i + 0.5) / number
        if style == "circles":
            pen.circle(x, y, r)
            if hubs:
                pen.dot(x, y)
        elif style == "ovals":
            pen.circle(x, y, 1.2 * r, 0.7 * r)
        elif style == "half":
            pen.arc(x, y - 0.5 * r, r, 1.2 * r, 180, -180)
        else:
            pen.circle(x, y, 0.45 * r)


def _chimney(pen: Pen, x: float, roof: float) -> None:
    """A chimney on the roof at x, mostly with smoke that blows back."""
    high, w = pen.between(*pen.pick({(0.15, 0.5): 0.8, (0.5, 0.9): 0.2})), pen.between(0.05, 0.16)
    style = pen.pick({"box": 0.47, "flared": 0.23, "funnel": 0.15, "line": 0.15})
    if style == "line":
        pen.line(x, roof, x, roof - high)
    elif style == "funnel":
        pen.polygon((x, roof), (x - 2 * w, roof - high), (x + 2 * w, roof - high))
    else:
        top = w if style == "box" else 2 * w
        pen.path((x - w, roof), (x - top, roof - high), (x + top, roof - high), (x + w, roof))
    if pen.chance(0.6):
        size = pen.between(0.7, 2.2)
        with pen.placed(x, roof - high, (pen.pick([-size, -size, -size, size]), size)):
            _smoke(pen)


def _smoke(pen: Pen) -> None:
    """From a chimney's top at (0, 0), up and to the right."""
    style = pen.pick({"curl": 0.35, "puffs": 0.27, "cloud": 0.18, "lines": 0.1, "scrawl": 0.1})
    if style == "curl":
        pen.curve((0, 0), (0.1, -0.14), (-0.06, -0.27), (0.2, -0.45), (pen.between(0.2, 0.6), -0.45))
    elif style == "puffs":
        for i in range(pen.count(1, 4)):
            pen.circle(0.25 * i, -0.12 - 0.14 * i, 0.08 + 0.04 * i)
    elif style == "cloud":
        pen.cloud(0.3, -0.2, 0.35, 0.16)
    elif style == "scrawl":
        pen.scribble(0, -0.3, 0.5, -0.1, pen.count(3, 8))
    else:
        for x in (0.0, 0.1):
            pen.line(x, -0.05, x + pen.between(0.1, 0.5), -pen.between(0.15, 0.4))


def _rails(pen: Pen, left: float, right: float, y: float) -> None:
    left -= pen.between(*pen.pick({(0, 0.3): 0.75, (0.3, 1.5): 0.25}))
    right += pen.between(*pen.pick({(0, 0.3): 0.75, (0.3, 1.5): 0.25}))
    pen.line(left, y, right, y)
    if pen.chance(0.4):
        pen.line(left, y + 0.13, right, y + 0.13)
        if pen.chance(0.5):
            for i in range(9):
                x = left + (right - left) * i / 8
                pen.line(x, y, x, y + 0.13)
