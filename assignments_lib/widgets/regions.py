"""Regions of a mask: its connected parts, lines between them, and their names on a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from torch import Tensor

from assignments_lib.plots.style import INK


def regions(there: Tensor) -> list[Tensor]:
    """The connected parts of a mask (H, W) bool, each (H, W) bool, the largest first; diagonals connect too.

    Raises:
        ValueError: the mask isn't of booleans.
    """
    _refuse_numbers(there)
    numbers = torch.arange(1.0, there.numel() + 1).view(there.shape) * there
    while True:  # the largest number of a region spreads over it, a pixel a round
        spread = _largest_near(numbers) * there
        if torch.equal(spread, numbers):
            break
        numbers = spread
    found = [numbers == number for number in numbers[there].unique()]
    return sorted(found, key=lambda region: -int(region.sum()))


def middle(region: Tensor) -> tuple[int, int]:
    """Row and column of a deepest pixel of a region (H, W) bool; of these, the nearest to the region's mean.

    Raises:
        ValueError: the region is empty, or isn't of booleans.
    """
    _refuse_numbers(region)
    if not bool(region.any()):
        raise ValueError("an empty region has no middle")
    depth, inside = torch.zeros(region.shape), F.pad(region.float(), (1, 1, 1, 1))
    while bool(inside.any()):
        depth += inside[1:-1, 1:-1]
        inside = -_largest_near(-inside)
    places = (depth == depth.max()).nonzero()
    distance = (places - region.nonzero().double().mean(0)).square().sum(1)
    row, column = places[distance.argmin()].tolist()
    return row, column


def _refuse_numbers(mask: Tensor) -> None:
    if mask.dtype != torch.bool:
        raise ValueError(f"a region is a mask of booleans, such as masks == 3, not of {mask.dtype}")


def outlined(pixels: np.ndarray, areas: Tensor, times: int) -> np.ndarray:
    """Pixels (H, W, 3) uint8, each ``times`` as large, with a white line wherever two areas (H, W) meet."""
    large = pixels.repeat(times, 0).repeat(times, 1)
    numbers = areas.numpy().repeat(times, 0).repeat(times, 1)
    large[1:][numbers[1:] != numbers[:-1]] = 255
    large[:, 1:][numbers[:, 1:] != numbers[:, :-1]] = 255
    return large


def write(
    axes: Axes,
    name: str,
    place: tuple[int, int],
    shape: Sequence[int],
    *,
    size: float = 10,
    inches: float = 5.6,
) -> None:
    """A name on a white plate, its middle at ``place`` (row, column), moved until it is inside a picture of this shape.

    ``inches`` is the picture's width, ``size`` in points.
    """
    height, width = shape
    across = (0.6 * len(name) + 1) * size / 72 * width / inches / 2
    up = 1.1 * size / 72 * width / inches
    row = min(max(place[0], up), height - 1 - up)
    column = min(max(place[1], across), width - 1 - across)
    plate = {"facecolor": "white", "alpha": 0.88, "edgecolor": "none", "boxstyle": "round,pad=0.2"}
    axes.text(column, row, name, ha="center", va="center", fontsize=size, color=INK, bbox=plate)


def _largest_near(values: Tensor) -> Tensor:
    """Over each pixel of (H, W) and its eight neighbours."""
    return F.max_pool2d(values[None], 3, stride=1, padding=1)[0]
