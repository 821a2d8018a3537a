"""A train."""

from __future__ import annotations

from ..brush import Brush
from ..paint import Colour, darker


def train(brush: Brush) -> None:
    """A steam engine, alone or with carriages, or a long modern one; wheels below."""
    brush.round, brush.gloss = brush.between(0.2, 0.5), brush.between(0.0, 0.3)
    body = brush.paint(red=3, blue=3, green=3, navy=2, black=2, yellow=1, orange=1, teal=1, purple=1, any=3)
    trim = brush.paint(yellow=3, red=2, black=2, cream=1, brick=1, blue=1, any=2)
    kind = brush.pick({_engine_alone: 0.45, _with_carriages: 0.25, _modern: 0.3})
    with brush.placed(scale=(brush.pick([-1, 1]), 1), angle=brush.between(-12, 12)):
        kind(brush, body, trim)


# Each stands on y = 0 with the wheels below, and looks to the right.


def _engine_alone(brush: Brush, body: Colour, trim: Colour) -> None:
    _engine(brush, brush.between(1.5, 1.9), body, trim)


def _with_carriages(brush: Brush, body: Colour, trim: Colour) -> None:
    left = 0.0
    for _ in range(brush.count(1, 2)):
        long, gap, high = brush.between(0.8, 1.1), brush.between(0.12, 0.2), brush.between(0.55, 0.75)
        brush.line(left + 0.05, -0.12, left - gap - 0.05, -0.12)
        brush.tube((0.2, 0.2, 0.22), 0.08, rim=0.5)
        left -= gap + long
        brush.box(left, -high, left + long, 0)
        brush.fill(brush.paint("any") if brush.chance(0.6) else body)
        if brush.chance(0.7):
            _windows(brush, left, left + long, -high, brush.count(2, 3))
        _wheels(brush, left, left + long, brush.between(0.15, 0.19), 2)
    _engine(brush, brush.between(1.3, 1.6), body, trim)


def _modern(brush: Brush, body: Colour, trim: Colour) -> None:
    right, high = brush.between(2.2, 3.0), brush.between(0.75, 0.95)
    if brush.chance(0.6):  # a bullet
        back = [(0.0, 0.0), (0.0, -0.5 * high), (0.0, -high), (0.45 * right, -high)]
        brush.path(
            *back,
            (0.75 * right, -0.97 * high),
            (0.92 * right, -0.6 * high),
            (right, -0.15 * high),
            (right, 0),
        )
    else:
        brush.path((0, 0), (0, -high), (0.93 * right, -high), (right, -0.5 * high), (right, 0))
    brush.fill(body)
    brush.path(
        (0.04, -0.3 * high), (0.04, -0.14 * high), (0.93 * right, -0.14 * high), (0.93 * right, -0.3 * high)
    )
    brush.fill(trim, rim=0)
    _windows(brush, 0.05, 0.72 * right, -high, brush.count(3, 5))
    brush.path(
        (0.76 * right, -0.8 * high),
        (0.76 * right, -0.45 * high),
        (0.9 * right, -0.45 * high),
        (0.84 * right, -0.8 * high),
    )
    brush.fill(brush.paint("sky", "navy", "steel"), rim=0.5)
    _wheels(brush, 0, right, brush.between(0.13, 0.17), brush.count(4, 6))


def _engine(brush: Brush, long: float, body: Colour, trim: Colour) -> None:
    """From x = 0 to ``long``: the cab at 0, the boiler before it, a chimney on the boiler."""
    cab, roof, hood = long * brush.between(0.34, 0.44), -brush.between(0.95, 1.15), -brush.between(0.55, 0.68)
    funnel, w, top = (
        cab + (long - cab) * brush.between(0.55, 0.8),
        brush.between(0.09, 0.13),
        hood - brush.between(0.28, 0.45),
    )
    if brush.chance(0.45):
        grey = brush.paint("white", "grey", "steel")
        x, y, r = funnel - 0.05, top - 0.15, 0.13
        for _ in range(brush.count(1, 3)):
            brush.circle(x, y, r, 0.85 * r)
            x, y, r = x - 1.3 * r, y - 0.6 * r, r * 1.25
        brush.fill(grey, rim=0.6)
    brush.path(
        (funnel - w, hood + 0.1),
        (funnel - w, top + 0.12),
        (funnel - 1.7 * w, top),
        (funnel + 1.7 * w, top),
        (funnel + w, top + 0.12),
        (funnel + w, hood + 0.1),
    )
    brush.fill(trim)
    if brush.chance(0.5):
        brush.arc(cab + 0.3 * (long - cab), hood + 0.02, 0.14, 0.16, 180, 180)
        brush.fill(trim)
    if brush.chance(0.4):  # the cowcatcher
        brush.path((long - 0.05, -0.1), (long + 0.25, 0.22), (long - 0.1, 0.22))
        brush.fill(trim)
    brush.path((cab - 0.05, 0), (cab - 0.05, hood), (long - 0.08, hood), (long, 0.6 * hood), (long, 0))
    brush.fill(body)
    if brush.chance(0.5):
        x = cab + 0.75 * (long - cab)
        brush.line(x, hood + 0.03, x, -0.05)
        brush.trace(trim, 0.08)
    brush.box(0, roof, cab, 0)
    brush.fill(body)
    brush.box(-0.08, roof - 0.1, cab + 0.08, roof + 0.03)
    brush.fill(trim)
    brush.box(0.22 * cab, 0.82 * roof, 0.78 * cab, 0.5 * roof)
    brush.fill(brush.paint("sky", "cream", "yellow", "navy"), rim=0.6)
    r = brush.between(0.17, 0.23)
    _wheels(brush, 0, long, r, brush.count(2, 3))


def _windows(brush: Brush, left: float, right: float, roof: float, number: int) -> None:
    for i in range(number):
        x, half = left + (right - left) * (i + 0.5) / number, 0.32 * (right - left) / number
        brush.box(x - half, 0.82 * roof, x + half, 0.45 * roof)
    brush.fill(brush.paint(sky=3, cream=2, navy=1, yellow=1), rim=0.5)


def _wheels(brush: Brush, left: float, right: float, r: float, number: int) -> None:
    tyre = brush.paint(black=4, grey=1, red=1, brown=1)
    hub = brush.paint("steel", "yellow", "red", "grey")
    for i in range(number):
        x = left + (right - left) * (i + 0.5) / number
        brush.circle(x, 0.35 * r, r)
    brush.fill(tyre)
    for i in range(number):
        x = left + (right - left) * (i + 0.5) / number
        brush.circle(x, 0.35 * r, 0.4 * r)
    brush.fill(hub if brush.chance(0.7) else darker(tyre, 0.4), rim=0)
