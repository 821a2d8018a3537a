"""Steps that move pixels: each says, as one matrix a picture, where the pixels of the new picture come from.

The matrices take pixel coordinates of the new picture to those of the old one; (0, 0) is the upper left corner
of the upper left pixel, whose centre is (0.5, 0.5). So a chain of steps is one product of matrices, and the
pictures are resampled once, by `Frames`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

_TRIES = 10  # crops drawn before the fallback, as torchvision does


class Geometry(ABC):
    """A step that moves pixels."""

    @abstractmethod
    def draw(
        self, count: int, height: int, width: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, int, int]:
        """Draw for ``count`` pictures: matrices (count, 3, 3) float64, and the new height and width."""


@dataclass(frozen=True)
class RandomResizedCrop(Geometry):
    """A part of the picture, of random area and aspect ratio, resized to ``size`` (a side, or height and width).

    ``scale`` bounds the part's share of the area and ``ratio`` its width/height; drawn as torchvision's
    RandomResizedCrop draws them. (Szegedy et al. 2015, "Going deeper with convolutions".)

    Raises:
        ValueError: a size below 1, or bounds that are not positive and in order.
    """

    size: int | tuple[int, int]
    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)

    def __post_init__(self) -> None:
        if min(self._height_and_width()) < 1:
            raise ValueError(f"size must be at least 1, not {self.size}")
        for name, (low, high) in {"scale": self.scale, "ratio": self.ratio}.items():
            if not 0 < low <= high:
                raise ValueError(f"{name} must be two positive numbers, the lower first, not {(low, high)}")

    def _height_and_width(self) -> tuple[int, int]:
        return (self.size, self.size) if isinstance(self.size, int) else self.size

    def draw(
        self, count: int, height: int, width: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, int, int]:
        """Draw for ``count`` pictures: matrices (count, 3, 3) float64, and the new height and width."""
        uniform = torch.rand(count, 2 * _TRIES + 2, generator=generator, dtype=torch.float64)
        area = height * width * _between(*self.scale, uniform[:, :_TRIES])
        ratio = _between(math.log(self.ratio[0]), math.log(self.ratio[1]), uniform[:, _TRIES:-2]).exp()
        sides = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()], dim=2).round()  # width, height
        fits = ((sides >= 1) & (sides <= torch.tensor([width, height]))).all(2)
        first = fits.int().argmax(1)  # of equal ones, argmax names the first
        side = sides[torch.arange(count), first]
        room = torch.tensor([width, height]) - side
        corner = (uniform[:, -2:] * (room + 1)).floor()
        hopeless = ~fits.any(1)
        side[hopeless] = self._largest(height, width)
        room = torch.tensor([width, height]) - side
        corner = torch.where(hopeless[:, None], (room / 2).floor(), corner)
        new_height, new_width = self._height_and_width()
        zoom = side / torch.tensor([new_width, new_height])
        return _matrices(xx=zoom[:, 0], x=corner[:, 0], yy=zoom[:, 1], y=corner[:, 1]), new_height, new_width

    def _largest(self, height: int, width: int) -> Tensor:
        """Width and height of the largest part whose ratio is allowed: for when no draw fits."""
        ratio = min(max(width / height, self.ratio[0]), self.ratio[1])
        fitted = (min(width, round(height * ratio)), min(height, round(width / ratio)))
        return torch.tensor(fitted, dtype=torch.float64).clamp(min=1)


@dataclass(frozen=True)
class HorizontalFlip(Geometry):
    """Left and right swapped, with probability ``p``.

    Raises:
        ValueError: ``p`` is no probability.
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(f"p must be in [0, 1], not {self.p}")

    def draw(
        self, count: int, height: int, width: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, int, int]:
        """Draw for ``count`` pictures: matrices (count, 3, 3) float64, and the new height and width."""
        swapped = (torch.rand(count, generator=generator) < self.p).double()
        return _matrices(xx=1 - 2 * swapped, x=width * swapped), height, width


@dataclass(frozen=True)
class PaddedCrop(Geometry):
    """The picture moved by whole pixels, up to ``padding`` to each side and all moves equally likely.

    The same as a window of the old size, cut from the padded picture.

    Raises:
        ValueError: ``padding`` is negative.
    """

    padding: int

    def __post_init__(self) -> None:
        if self.padding < 0:
            raise ValueError(f"padding must not be negative, but is {self.padding}")

    def draw(
        self, count: int, height: int, width: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, int, int]:
        """Draw for ``count`` pictures: matrices (count, 3, 3) float64, and the new height and width."""
        moves = torch.randint(-self.padding, self.padding + 1, (count, 2), generator=generator).double()
        return _matrices(x=moves[:, 0], y=moves[:, 1]), height, width


@dataclass(frozen=True)
class RandomAffine(Geometry):
    """Turned, moved, resized and slanted about the centre; the picture's size stays.

    Every quantity is uniform in its bounds: an angle up to ``degrees`` either way, a move up to the share
    ``translate`` of width and height, a factor in ``scale``, a slant up to ``shear`` degrees. Composed as
    torchvision's RandomAffine composes them.

    Raises:
        ValueError: a negative bound, a slant of 90 degrees or more, or factors that are not positive and in order.
    """

    degrees: float = 0.0
    translate: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    shear: float = 0.0

    def __post_init__(self) -> None:
        if self.degrees < 0 or self.translate < 0 or not 0 <= self.shear < 90:
            raise ValueError(
                f"degrees, translate and shear must not be negative, and shear must stay below 90: {self}"
            )
        if not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError(f"scale must be two positive numbers, the lower first, not {self.scale}")

    def draw(
        self, count: int, height: int, width: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, int, int]:
        """Draw for ``count`` pictures: matrices (count, 3, 3) float64, and the new height and width."""
        angle, right, down, factor, slant = torch.rand(
            5, count, generator=generator, dtype=torch.float64
        ).unbind()
        angle = torch.deg2rad(_between(-self.degrees, self.degrees, angle))
        tangent = torch.deg2rad(_between(-self.shear, self.shear, slant)).tan()
        factor = _between(*self.scale, factor)
        cos, sin = factor * angle.cos(), factor * angle.sin()
        forward = _matrices(
            xx=cos,
            xy=-cos * tangent - sin,
            x=width * _between(-self.translate, self.translate, right),
            yx=sin,
            yy=-sin * tangent + cos,
            y=height * _between(-self.translate, self.translate, down),
        )
        to_centre = _matrices(x=torch.tensor([width / 2.0]), y=torch.tensor([height / 2.0]))
        return to_centre @ torch.linalg.inv(to_centre @ forward), height, width


def _between(low: float, high: float, uniform: Tensor) -> Tensor:
    return low + (high - low) * uniform


def _matrices(**entries: Tensor) -> Tensor:
    """Matrices (count, 3, 3) float64, the unit matrix but for the entries named by row (x, y) and column."""
    places = {"xx": (0, 0), "xy": (0, 1), "x": (0, 2), "yx": (1, 0), "yy": (1, 1), "y": (1, 2)}
    count = len(next(iter(entries.values())))
    matrices = torch.eye(3, dtype=torch.float64).repeat(count, 1, 1)
    for name, values in entries.items():
        row, column = places[name]
        matrices[:, row, column] = values
    return matrices
