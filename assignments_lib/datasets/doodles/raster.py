"""Strokes to pixels, as Quick, Draw!'s official 28x28 bitmaps were made.

There, a drawing of 256 units is centred in a frame with 16 units of padding and half a line around it, and
drawn with round lines 16 units wide; at 28 pixels a line is about 1.5 pixels wide and the drawing spans 26.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .pen import GRID, Points

LINE = 16  # width of a line, in units of the 256 wide canvas
FRAME = 256 + 2 * 16 + LINE  # canvas, padding on both sides, and half a line on both sides
BAND = 14  # rows drawn at a time


def render(
    strokes: Sequence[Points], size: int = 28, line: float = LINE, centre: tuple[float, float] = (0.5, 0.5)
) -> npt.NDArray[np.uint8]:
    """A picture (size, size) uint8 of ``strokes``, anti-aliased: 0 is background, 255 is ink.

    ``strokes`` are (n, 2) arrays of x and y in a unit square; the middle of their bounding box is put at
    ``centre`` (x, y), given in sides of the picture. ``line`` is the width of a line in 1/304 of the picture (16
    is Quick, Draw!'s own). Lines are drawn at the size asked for, so a larger picture is crisper, not blurred.
    """
    if not strokes:
        return np.zeros((size, size), dtype=np.uint8)
    fine = 2 if size < 100 else 1  # where a line is hardly wider than a pixel, cover is measured more closely
    scale = size * fine / FRAME
    everything = np.concatenate(strokes)
    margin = FRAME * np.asarray(centre) - GRID * (everything.min(axis=0) + everything.max(axis=0)) / 2
    begin = np.concatenate([s[:-1] if len(s) > 1 else s for s in strokes])
    end = np.concatenate([s[1:] if len(s) > 1 else s for s in strokes])
    begin = ((begin * GRID + margin) * scale).astype(np.float32)
    end = ((end * GRID + margin) * scale).astype(np.float32)
    cover = _cover(begin, end, line * scale / 2, size * fine)
    if fine > 1:
        cover = cover[0::2] + cover[1::2]
        cover = 0.25 * (cover[:, 0::2] + cover[:, 1::2])
    return np.rint(cover * np.float32(255)).astype(np.uint8)


def _cover(
    begin: npt.NDArray[np.float32], end: npt.NDArray[np.float32], radius: float, size: int
) -> npt.NDArray[np.float32]:
    """How much of each pixel (size, size) the round lines from ``begin`` to ``end`` (n, 2) cover, 0 to 1.

    It is read off the distance from the pixel's centre to the nearest segment, one band of rows at a time with
    the segments that meet it.
    """
    reach = np.float32(radius + 0.5)
    top, bottom = np.minimum(begin[:, 1], end[:, 1]) - reach, np.maximum(begin[:, 1], end[:, 1]) + reach
    along = end - begin
    length2 = np.maximum(along[:, 0] * along[:, 0] + along[:, 1] * along[:, 1], np.float32(1e-6))
    toward = along / length2[:, None]
    centres = np.arange(size, dtype=np.float32) + np.float32(0.5)
    cover = np.zeros((size, size), dtype=np.float32)
    for row in range(0, size, BAND):
        near = np.flatnonzero((bottom > row) & (top < row + BAND))
        if not len(near):
            continue
        dx = centres[None, None, :] - begin[near, 0, None, None]  # (segments, 1, columns)
        dy = centres[None, row : row + BAND, None] - begin[near, 1, None, None]  # (segments, rows, 1)
        part = dx * toward[near, 0, None, None] + dy * toward[near, 1, None, None]  # 0 at begin, 1 at end
        np.maximum(part, 0, out=part)
        np.minimum(part, 1, out=part)
        away_x = dx - part * along[near, 0, None, None]
        part *= along[near, 1, None, None]
        away_y = np.subtract(dy, part, out=part)
        away_x *= away_x
        away_y *= away_y
        away_x += away_y
        cover[row : row + BAND] = np.clip(reach - np.sqrt(away_x.min(axis=0)), 0, 1)
    return cover
