"""Light and shadow: one lamp a scene; things bulge, shine and throw a soft shadow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from ..doodles.pen import Pen
from .brush import Painting
from .sprite import Floats, Place, Sprite


@dataclass(frozen=True)
class Light:
    """A lamp: where it stands, seen from the middle of the picture (a unit vector, y down), and what it is like.

    ``low`` is the length of a shadow and ``hard`` the strength of light and dark, both 0 to 1; ``tint`` multiplies
    red, green and blue.
    """

    x: float
    y: float
    low: float
    hard: float
    tint: tuple[float, float, float]

    @classmethod
    def chosen(cls, pen: Pen) -> Light:
        """Mostly from above, somewhere between left and right; white, warm or cool."""
        angle = math.radians(pen.between(-160, -20) if pen.chance(0.85) else pen.between(0, 360))
        warm = pen.between(-0.12, 0.12)
        tint = (1 + warm, 1 + 0.2 * warm, 1 - warm)
        return cls(math.cos(angle), math.sin(angle), pen.between(0.2, 1), pen.between(0.35, 1), tint)


def blurred(values: Floats, radius: float) -> Floats:
    """The mean of the surroundings, (h, w); what lies outside is as the border."""
    return np.asarray(_soft(_image(values), radius)).astype(np.float32) / np.float32(255)


def _image(values: Floats) -> Image.Image:
    """As bytes, the only thing that Pillow blurs; 1/255 is finer than anybody sees."""
    return Image.fromarray(np.rint(values * np.float32(255)).astype(np.uint8))


def _soft(image: Image.Image, radius: float) -> Image.Image:
    box = ImageFilter.BoxBlur(radius)
    return image.filter(box).filter(box)


def lit(sprite: Sprite, painting: Painting, place: Place, light: Light) -> Floats:
    """The sprite's colour (h, w, 3) in this light: brighter toward the lamp, darker on the far side.

    The surface is taken to rise from the thing's edge to its middle, as the blurred silhouette does.
    """
    deep = max(1.0, 0.3 * place.half)
    rise = blurred(sprite.cover, deep)
    if min(rise.shape) < 2:  # a sliver at the picture's edge has no slope
        return sprite.colour
    down, right = np.gradient(rise)
    facing = np.float32(-2.2 * deep) * (np.float32(light.x) * right + np.float32(light.y) * down)
    bright = 1 + np.float32(0.38 * light.hard * painting.round) * np.clip(facing, -1.4, 1.2)
    glossy = np.float32(0.8 * painting.gloss * light.hard)
    shine = glossy * np.clip(facing - np.float32(0.62), 0, 1) * sprite.cover
    result: Floats = sprite.colour * np.expand_dims(bright, 2) + np.expand_dims(shine, 2)
    return result


def shadow(sprite: Sprite, place: Place, light: Light, height: int, width: int) -> Floats:
    """How much light the thing leaves to what lies behind it, (height, width), 1 is all."""
    long = place.half * (0.08 + 0.22 * light.low)
    dx, dy = round(-light.x * long), round(-light.y * long)
    soft = max(1, round(0.5 * long))
    dark = Image.new("L", (width, height))
    rows, columns = sprite.where
    dark.paste(_image(sprite.cover), (columns.start + dx, rows.start + dy))
    dark = _soft(dark, soft)
    strength = np.float32((0.25 + 0.35 * light.hard) / 255)
    return 1 - strength * np.asarray(dark).astype(np.float32)
