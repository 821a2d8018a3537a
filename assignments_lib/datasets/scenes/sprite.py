"""Sprites: one painting, put in its place and turned into pixels.

It is painted `FINE` times finer than the picture and then averaged, so that edges are smooth, and so that the mask
can tell exactly which pixels a thing covers whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from .brush import Painting, Part
from .paint import Colour, darker

Floats = npt.NDArray[np.float32]

FINE = 4  # samples across a pixel


@dataclass(frozen=True)
class Place:
    """Where a thing goes: its middle and half its longer side in pixels, its outlines' width in pixels."""

    x: float
    y: float
    half: float
    line: float


@dataclass(frozen=True)
class Sprite:
    """A thing's pixels within the rows and columns ``where`` of the picture.

    ``colour`` (h, w, 3) is what it adds to the picture, 0 to 1, already weighted by ``cover`` (h, w), the share of
    each pixel that it covers; ``solid`` (h * FINE, w * FINE) says of every sample whether the thing is there.
    """

    where: tuple[slice, slice]
    colour: Floats
    cover: Floats
    solid: npt.NDArray[np.bool_]

    @property
    def fine(self) -> tuple[slice, slice]:
        """The same rows and columns, counted in samples."""
        rows, columns = self.where
        return (
            slice(rows.start * FINE, rows.stop * FINE),
            slice(columns.start * FINE, columns.stop * FINE),
        )


def sprite(painting: Painting, place: Place, height: int, width: int) -> Sprite:
    """The thing in its place in a picture of this size; its middle lies inside."""
    across, up = (place.half * reach + place.line + 1 for reach in painting.reach)
    left, top = max(0, int(place.x - across)), max(0, int(place.y - up))
    right, bottom = min(width, int(place.x + across) + 1), min(height, int(place.y + up) + 1)
    canvas = Image.new("RGBA", ((right - left) * FINE, (bottom - top) * FINE))
    draw = ImageDraw.Draw(canvas)
    shift = np.array([place.x - left, place.y - top])
    rim = (0, 0, 0, 255)
    for part in painting.parts:
        if part.colour is not None:
            rim = _bytes(darker(part.colour, painting.ink))
        _paint(draw, part, (part.points * place.half + shift) * FINE, place, rim)
    solid = np.asarray(canvas.getchannel("A")) > 0
    # "RGBa" is colour weighted by cover: its average is right where a pixel is covered in part.
    pixels = np.asarray(canvas.convert("RGBa").reduce(FINE)).astype(np.float32) / np.float32(255)
    return Sprite((slice(top, bottom), slice(left, right)), pixels[..., :3], pixels[..., 3], solid)


def _paint(
    draw: ImageDraw.ImageDraw, part: Part, points: npt.NDArray[np.float64], place: Place, rim: tuple[int, ...]
) -> None:
    corners = [(x, y) for x, y in points.tolist()]
    line = place.line * FINE * part.rim
    if part.width:
        wide = max(part.width * place.half, 0.7 * place.line) * FINE
        if line:
            _band(draw, corners, wide + line, rim)
        assert part.colour is not None
        _band(draw, corners, wide - 0.5 * line, _bytes(part.colour))
        return
    draw.polygon(corners, fill=_bytes(part.colour) if part.colour is not None else (0, 0, 0, 0))
    if line:
        _band(draw, [*corners, corners[0]], line, rim)


def _band(
    draw: ImageDraw.ImageDraw, corners: list[tuple[float, float]], wide: float, ink: tuple[int, ...]
) -> None:
    """A line with round corners and ends."""
    thick = max(1, round(wide))
    draw.line(corners, fill=ink, width=thick)
    if thick > 2:
        r = thick / 2 - 0.5
        for x, y in corners:
            draw.ellipse((x - r, y - r, x + r, y + r), fill=ink)


def _bytes(colour: Colour) -> tuple[int, int, int, int]:
    r, g, b = (round(255 * min(max(x, 0.0), 1.0)) for x in colour)
    return r, g, b, 255
