"""What the things stand before: a wall, a table, cloth, planks, grass, and drawings on the wall."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from .. import doodles
from ..doodles.pen import Pen
from .paint import between, darker, lighter, mixed
from .sprite import FINE, Floats


def background(pen: Pen, height: int, width: int) -> Floats:
    """A textured surface, or a wall above a table, (height, width, 3) of 0 to 1."""
    picture = _surface(pen, height, width)
    if pen.chance(0.5):
        table = _surface(pen, height, width)
        level, slope = pen.between(0.4, 0.85), pen.between(-0.25, 0.25)
        y, x = _grid(height, width)
        below = y - (level + slope * (x - 0.5 * width / height))  # in heights of the picture
        edge = np.clip(below * height + np.float32(0.5), 0, 1)[..., None]
        picture = picture + edge * (table - picture)
        # The wall darkens toward the table, the table shows a line of light at its edge or none.
        dim = 1 - np.float32(pen.between(0, 0.3)) * np.exp(-np.abs(below) * np.float32(pen.between(6, 25)))
        picture = picture * dim[..., None]
    if pen.chance(0.45):
        picture = _drawn_on(pen, picture)
    return picture


def noise(pen: Pen, height: int, width: int, cells: float, octaves: int = 1, stretch: float = 1.0) -> Floats:
    """Smooth noise (height, width) of 0 to 1: ``cells`` bumps down the picture, then twice as many, half as high.

    ``stretch`` draws the bumps out in width.
    """
    total = np.zeros((height, width), dtype=np.float32)
    weight = 0.0
    for octave in range(octaves):
        rows = max(2, round(cells * 2**octave) + 1)
        columns = max(2, round(cells * 2**octave * width / height / stretch) + 1)
        coarse = Image.fromarray(pen.rng.random((rows, columns)).astype(np.float32))
        total += np.float32(0.5**octave) * np.asarray(
            coarse.resize((width, height), Image.Resampling.BICUBIC)
        )
        weight += 0.5**octave
    return np.clip(total / np.float32(weight), 0, 1)


def _surface(pen: Pen, height: int, width: int) -> Floats:
    """Two colours of the paint box, mixed by a pattern, with a gradient and a grain."""
    first = mixed(pen, "any")
    relation = pen.pick({"same": 0.45, "any": 0.25, "pale": 0.3})
    if relation == "same":
        second = (darker if pen.chance(0.6) else lighter)(first, pen.between(0.15, 0.5))
    elif relation == "pale":
        first, second = lighter(first, 0.5), lighter(mixed(pen, "any"), 0.5)
    else:
        second = between(first, mixed(pen, "any"), pen.between(0.4, 1))
    pattern = pen.pick(PATTERNS)(pen, height, width)
    one, other = np.array(first, dtype=np.float32), np.array(second, dtype=np.float32)
    picture = one + pattern[..., None] * (other - one)
    rough = noise(pen, height, width, pen.between(12, 40), 2) - np.float32(0.5)
    patches = noise(pen, height, width, pen.between(2, 5)) - np.float32(0.5)
    shade = 1 + np.float32(pen.between(0.05, 0.5)) * rough + np.float32(pen.between(0.1, 0.6)) * patches
    return picture * shade[..., None]


# Patterns: how much of the second colour there is, (height, width), 0 to 1 ---------------------------------


def _plain(pen: Pen, height: int, width: int) -> Floats:
    y, x = _grid(height, width)
    angle = pen.between(0, 2 * math.pi)
    return np.clip(
        0.5 + (x - 0.7) * np.float32(math.cos(angle)) + (y - 0.5) * np.float32(math.sin(angle)), 0, 1
    )


def _clouds(pen: Pen, height: int, width: int) -> Floats:
    return _sharpened(noise(pen, height, width, pen.between(2, 6), 3), pen.between(1, 5))


def _stripes(pen: Pen, height: int, width: int) -> Floats:
    wave = np.sin(
        _turned(pen, height, width, pen.between(0, 1.5)) * np.float32(2 * math.pi * pen.between(3, 14))
    )
    return _sharpened(0.5 + 0.5 * wave, pen.between(0.6, 6))


def _checks(pen: Pen, height: int, width: int) -> Floats:
    y, x = _grid(height, width)
    c, s = math.cos(angle := pen.between(0, math.pi)), math.sin(angle)
    often = np.float32(2 * math.pi * pen.between(2, 8))
    u = np.sin((c * x + s * y).astype(np.float32) * often)
    v = np.sin((c * y - s * x).astype(np.float32) * often)
    if pen.chance(0.5):  # gingham
        return 0.5 * _sharpened(0.5 + 0.5 * u, 4) + 0.5 * _sharpened(0.5 + 0.5 * v, 4)
    return _sharpened(0.5 + 0.5 * u * v, pen.between(2, 8))


def _dots(pen: Pen, height: int, width: int) -> Floats:
    y, x = _grid(height, width)
    often = np.float32(2 * math.pi * pen.between(3, 9))
    bumps = 0.25 * (2 + np.cos(x * often) + np.cos(y * often))
    if pen.chance(0.5):  # every other row between those above
        bumps = 0.5 + 0.5 * np.cos(x * often) * np.cos(y * often)
    return np.clip((bumps - np.float32(pen.between(0.6, 0.8))) * 12, 0, 1)


def _planks(pen: Pen, height: int, width: int) -> Floats:
    y, _ = _grid(height, width)
    number = pen.count(3, 8)
    place = (y + np.float32(0.02) * noise(pen, height, width, 2)) * number
    grain = noise(pen, height, width, pen.between(15, 30), 1, stretch=8)
    tone = pen.rng.random(number + 2).astype(np.float32)[np.clip(place.astype(np.int64), 0, number + 1)]
    gap = np.clip(1 - 14 * np.abs(place - np.rint(place)), 0, 1)
    planks = np.clip(0.45 * grain + 0.4 * tone + 0.6 * gap, 0, 1)
    return planks


def _bricks(pen: Pen, height: int, width: int) -> Floats:
    y, x = _grid(height, width)
    rows = pen.count(4, 10)
    row = y * rows
    column = x * np.float32(rows / 2.2) + np.float32(0.5) * (row.astype(np.int64) % 2)
    joint = np.minimum(np.abs(row - np.rint(row)), 2.2 * np.abs(column - np.rint(column)))
    tone = np.sin(np.floor(row) * np.float32(12.9) + np.floor(column) * np.float32(78.2))
    return np.where(joint < 0.1, np.float32(1), 0.15 + 0.15 * tone).astype(np.float32)


def _blades(pen: Pen, height: int, width: int) -> Floats:
    """Grass, fur, brushed metal: noise drawn out one way."""
    if pen.chance(0.5):
        return _sharpened(noise(pen, height, width, pen.between(20, 40), 1, stretch=pen.between(5, 12)), 2.5)
    turned = noise(pen, width, height, pen.between(20, 40), 1, stretch=pen.between(4, 8))
    return np.ascontiguousarray(_sharpened(turned, 2.5).T)


def _speckle(pen: Pen, height: int, width: int) -> Floats:
    return _sharpened(noise(pen, height, width, pen.between(15, 35), 1), pen.between(2, 8))


PATTERNS: dict[Callable[[Pen, int, int], Floats], float] = {
    _plain: 0.14,
    _clouds: 0.2,
    _stripes: 0.14,
    _checks: 0.1,
    _dots: 0.08,
    _planks: 0.1,
    _bricks: 0.06,
    _blades: 0.1,
    _speckle: 0.08,
}


def _drawn_on(pen: Pen, picture: Floats) -> Floats:
    """Line drawings of other things on the wall or the cloth: strokes alone are background."""
    height, width = picture.shape[:2]
    canvas = Image.new("L", (width * FINE, height * FINE))
    draw = ImageDraw.Draw(canvas)
    for _ in range(pen.count(1, 4)):
        size = FINE * height * pen.between(0.2, 0.7)
        corner = np.array([pen.between(-0.1, 0.8) * width * FINE, pen.between(-0.1, 0.8) * height * FINE])
        thick = max(2, round(FINE * height * pen.between(0.006, 0.02)))
        for stroke in doodles.strokes(pen.pick(doodles.PRETRAINING_CLASSES), pen.rng):
            draw.line(
                [(x, y) for x, y in (stroke * size + corner).tolist()], fill=255, width=thick, joint="curve"
            )
    cover = np.asarray(canvas.reduce(FINE)).astype(np.float32)[..., None] * np.float32(
        pen.between(0.4, 1) / 255
    )
    ink = np.array(mixed(pen, "any"), dtype=np.float32)
    return picture + cover * (ink - picture)


def _grid(height: int, width: int) -> tuple[Floats, Floats]:
    """Row and column of every pixel's centre, in heights of the picture."""
    y = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(height)
    x = (np.arange(width, dtype=np.float32) + np.float32(0.5)) / np.float32(height)
    return y[:, None] + 0 * x[None], x[None] + 0 * y[:, None]


def _turned(pen: Pen, height: int, width: int, bend: float) -> Floats:
    """A coordinate that runs in some direction, along bent lines, in heights of the picture."""
    y, x = _grid(height, width)
    angle = pen.between(0, math.pi)
    bent = np.float32(0.12 * bend) * noise(pen, height, width, 2.5)
    return np.float32(math.cos(angle)) * x + np.float32(math.sin(angle)) * y + bent


def _sharpened(values: Floats, factor: float) -> Floats:
    return np.clip(0.5 + (values - 0.5) * np.float32(factor), 0, 1)
