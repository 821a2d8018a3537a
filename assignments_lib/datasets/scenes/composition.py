"""One scene: things and clutter laid out over a background, lit, and the mask that says what is where."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..doodles.pen import Pen
from .background import background, noise
from .brush import Brush, Painting
from .clutter import CLUTTER
from .light import Light, lit, shadow
from .sprite import FINE, Floats, Place, Sprite, sprite
from .things import THINGS

IGNORE = 255

# How often each thing is chosen, and how large its longer side is beside the others': between the two, thin things
# come to cover as many pixels as bulky ones.
OFTEN = dict.fromkeys(THINGS, 1.0) | {"spoon": 1.6, "scissors": 1.4, "rainbow": 1.2, "wine bottle": 1.1}
LARGE = {
    "apple": 0.9,
    "wine bottle": 1.2,
    "spoon": 1.4,
    "rainbow": 1.25,
    "scissors": 1.3,
    "hourglass": 1.08,
    "baseball": 0.85,
    "hospital": 0.95,
    "cat": 1.1,
    "train": 1.2,
}

NUMBER = {1: 0.08, 2: 0.15, 3: 0.25, 4: 0.27, 5: 0.25}  # things in a scene
CLUTTERED = {0: 0.2, 1: 0.3, 2: 0.3, 3: 0.2}  # other shapes
# Longer sides of the smallest and the largest, as shares of the side of a square with as many pixels as the picture.
SMALL, BIG = 0.28, 0.88
LEAST = 0.35  # a thing of which less than this can be seen is taken away


@dataclass(frozen=True)
class Item:
    """A painting in its place; ``label`` is 0 for clutter."""

    label: int
    painting: Painting
    place: Place
    sprite: Sprite


def scene(
    rng: np.random.Generator, height: int, width: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """A picture (height, width, 3) uint8 and its mask (height, width) uint8: 0, 1 to 10, or 255."""
    pen = Pen(rng)
    light = Light.chosen(pen)
    items = seen(laid_out(pen, height, width), height, width)
    picture = background(pen, height, width)
    for item in items:
        picture = picture * shadow(item.sprite, item.place, light, height, width)[..., None]
        under = picture[item.sprite.where]
        under *= 1 - item.sprite.cover[..., None]
        under += lit(item.sprite, item.painting, item.place, light)
    return developed(pen, picture, light), mask(items, height, width)


def numbered(
    rng: np.random.Generator, height: int, width: int
) -> tuple[npt.NDArray[np.uint8], tuple[int, ...]]:
    """Which thing every pixel of `scene` shows, (height, width): 0 none, k the k-th, 255 a rim; and their labels."""
    pen = Pen(rng)
    Light.chosen(pen)  # as in `scene`, so that the same things follow
    items = seen(laid_out(pen, height, width), height, width)
    labels = tuple(item.label for item in items if item.label)
    numbers = iter(range(1, len(labels) + 1))
    named = [replace(item, label=next(numbers)) if item.label else item for item in items]
    return mask(named, height, width), labels


def laid_out(pen: Pen, height: int, width: int) -> list[Item]:
    """What there is, back to front: large things tend to lie behind small ones, clutter behind things."""
    unit = math.sqrt(height * width)
    items = []
    for label, name in _wanted(pen):
        brush = Brush(pen.rng)
        (THINGS[name] if label else pen.pick(CLUTTER))(brush)
        painting = brush.painting()
        half = 0.5 * unit * SMALL * (BIG / SMALL) ** pen.between(0, 1)
        half *= LARGE[name] if label else pen.between(0.6, 1.0)
        across, up = painting.reach
        place = Place(
            _middle(pen, width, half * across),
            _middle(pen, height, half * up),
            half,
            unit / 95 * pen.between(0.5, 1.1) + 0.02 * half,
        )
        depth = half / unit + pen.between(0, 0.35) + (0.0 if label else 0.25)
        items.append((depth, Item(label, painting, place, sprite(painting, place, height, width))))
    ordered = [item for _, item in sorted(items, key=lambda pair: -pair[0])]
    # A thing comes first, so that every scene shows one that nothing hides.
    front = max(i for i, item in enumerate(ordered) if item.label)
    return [*ordered[:front], *ordered[front + 1 :], ordered[front]]


def _wanted(pen: Pen) -> list[tuple[int, str]]:
    """Labels and names of the things in a scene, and 0 for each piece of clutter."""
    labels = {name: label for label, name in enumerate(THINGS, start=1)}
    names = [pen.pick(OFTEN) for _ in range(pen.pick(NUMBER))]
    return [(0, "")] * pen.pick(CLUTTERED) + [(labels[name], name) for name in names]


def _middle(pen: Pen, length: int, reach: float) -> float:
    """Where along a side so long the middle of a thing goes that reaches so far to either end.

    Some are cut off by the edge of the picture, but mostly by no more than a quarter.
    """
    inset = min(0.5 * reach, 0.4 * length)
    return pen.between(inset, length - inset)


def seen(items: list[Item], height: int, width: int) -> list[Item]:
    """The same without the things that others hide; clutter stays."""
    taken = np.zeros((height * FINE, width * FINE), dtype=bool)
    kept = []
    for item in reversed(items):
        there = item.sprite.solid
        part = taken[item.sprite.fine]
        hidden = np.count_nonzero(there & part)
        if item.label and hidden > (1 - LEAST) * np.count_nonzero(there):
            continue
        part |= there
        kept.append(item)
    return kept[::-1]


def mask(items: list[Item], height: int, width: int) -> npt.NDArray[np.uint8]:
    """The label of what is in front, (height, width); 255 where a pixel shows two, or where two meet at its edge."""
    label = np.zeros((height * FINE + 1, width * FINE + 1), dtype=np.uint8)
    for item in items:
        rows, columns = item.sprite.fine
        label[rows, columns][item.sprite.solid] = item.label
    label[-1], label[:, -1] = label[-2], label[:, -2]
    # Each pixel is compared with the first samples of its neighbours too: where an edge runs just between two
    # pixels, one of them becomes rim, and no two labels ever touch.
    low, high = label, label
    for axis, number in ((0, height), (1, width)):
        low = _over_pixels(np.minimum, low, axis, number)
        high = _over_pixels(np.maximum, high, axis, number)
    return np.where(low == high, low, np.uint8(IGNORE))


def _over_pixels(
    function: np.ufunc, values: npt.NDArray[np.uint8], axis: int, number: int
) -> npt.NDArray[np.uint8]:
    """``function`` over the FINE samples of each of ``number`` pixels along the axis, and the one after them."""
    values = np.moveaxis(values, axis, 0)
    result = values[: number * FINE : FINE]
    for k in range(1, FINE + 1):
        result = function(result, values[k : k + (number - 1) * FINE + 1 : FINE])
    return np.moveaxis(result, 0, axis)


def developed(pen: Pen, picture: Floats, light: Light) -> npt.NDArray[np.uint8]:
    """The picture as a camera sees it: light falls off, has a colour, and the sensor adds its grain; to bytes."""
    height, width = picture.shape[:2]
    y = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
    x = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None]
    slope = np.float32(0.5 * light.hard)
    bright = 1 + slope * (np.float32(light.x) * x + np.float32(light.y) * y)
    if pen.chance(0.35):  # shade of leaves or a window frame
        shade = noise(pen, height, width, pen.between(1.5, 4), 2)
        bright = bright * (1 - np.float32(pen.between(0.15, 0.4)) * np.clip((shade - 0.5) * 6 + 0.5, 0, 1))
    exposure = np.array(light.tint, dtype=np.float32) * np.float32(pen.between(0.85, 1.12))
    grain = pen.rng.random((height, width, 3), dtype=np.float32) - np.float32(0.5)
    picture = picture * bright[..., None] * exposure + np.float32(pen.between(0.02, 0.1)) * grain
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
