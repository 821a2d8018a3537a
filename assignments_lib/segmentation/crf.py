"""The dense CRF: every pixel asks all others, and listens to those that are near and look alike.

P. Krähenbühl and V. Koltun, Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials, NIPS 2011
(arXiv 1210.5644). They approximate the sums over all pairs of pixels. Here the sums are exact, in plain torch:
nothing has to be compiled on Colab, and ten rounds over a picture of the lecture's size, 80x112 with 11 classes, take
0.7 s of processor time, kernels included. Their permutohedral lattice is far faster and comes close
(benchmarks/crf.py); for large pictures it is the tool, as in the package pydensecrf2.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

MOST_PIXELS = 1 << 16  # the time grows with the square of this: from here on, minutes
# Up to here the kernel of all pairs stays in memory, at most half a gigabyte; above, each round computes it anew.
_KEPT_PIXELS = 1 << 14
_ROWS = 256  # pixels whose pairs are computed at a time
_LEAST = 1e-5  # a probability of 0 would be a veto that no neighbour could overrule


def dense_crf(
    probabilities: Tensor,
    image: Tensor,
    *,
    appearance: float = 10.0,
    position: float = 10.0,
    colour: float = 10.0,
    smoothness: float = 3.0,
    near: float = 3.0,
    iterations: int = 10,
) -> Tensor:
    """Probabilities made to follow the picture: `DenseCRF` in one call, which tells what the arguments are."""
    crf = DenseCRF(image, position=position, colour=colour, near=near)
    return crf(probabilities, appearance=appearance, smoothness=smoothness, iterations=iterations)


class DenseCRF:
    """A fully connected CRF over the pixels of one picture, with two Gaussian kernels (paper, equation 3).

    Pixels i and j with places p (in pixels) and colours c (in grey levels, 0 to 255) are linked by

        appearance * exp(-|p_i - p_j|² / 2 position² - |c_i - c_j|² / 2 colour²)
        + smoothness * exp(-|p_i - p_j|² / 2 near²)

    and being of different classes costs as much as their link is strong (the Potts model). The kernels stay, so that
    another number of iterations or other weights need not compute them again.

    Args:
        image: (3, H, W) floats in [0, 1], not normalised. The computation takes place on its device, in float32.
        position: standard deviation θ_α of the appearance kernel, in pixels.
        colour: standard deviation θ_β, in grey levels. The smaller, the less two colours may differ.
        near: standard deviation θ_γ of the smoothness kernel, in pixels.
        normalised: divide each link by the square roots of the sums of all links of both pixels, as pydensecrf2 does
            unless told otherwise. Then a weight means the same in large and small pictures. The paper's formula has
            no such division.

    Raises:
        ValueError: the picture has another shape, type or range, it has more than MOST_PIXELS pixels, or a standard
            deviation isn't positive.
    """

    def __init__(
        self,
        image: Tensor,
        *,
        position: float = 10.0,
        colour: float = 10.0,
        near: float = 3.0,
        normalised: bool = True,
    ) -> None:
        if image.ndim != 3 or image.shape[0] != 3 or not image.numel() or not image.is_floating_point():
            raise ValueError(f"image must be (3, H, W) floats, not {tuple(image.shape)} {image.dtype}")
        self.height, self.width = image.shape[1:]
        if (pixels := self.height * self.width) > MOST_PIXELS:
            raise ValueError(
                f"a picture of {self.height}x{self.width} has {pixels:,} pixels, and the {pixels**2:,} pairs of them "
                f"would take minutes; at most {MOST_PIXELS:,} pixels are taken. "
                "Make the picture smaller, or use the package pydensecrf2"
            )
        image = image.detach().float()
        lowest, highest = float(image.min()), float(image.max())
        if not 0 <= lowest <= highest <= 1:
            raise ValueError(
                f"image must be in [0, 1], not normalised; it goes from {lowest:.3g} to {highest:.3g}"
            )
        for name, deviation in (("position", position), ("colour", colour), ("near", near)):
            if not deviation > 0:
                raise ValueError(f"{name} must be above 0, not {deviation}")

        rows, columns = (
            torch.arange(n, dtype=torch.float32, device=image.device) for n in (self.height, self.width)
        )
        places = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))  # (2, H, W)
        features = torch.cat([places / position, image * 255 / colour]).flatten(1).T  # (H W, 5)
        features = features - features.mean(0)  # differences stay the same, and rounding is less
        squares, ones = (features**2).sum(1, keepdim=True) / 2, torch.ones_like(features[:, :1])
        # The product of a row of the one and a row of the other is -|f_i - f_j|² / 2.
        self._left = torch.cat([features, -squares, ones], 1)
        self._right = torch.cat([features, ones, -squares], 1)
        self._kept = list(self._computed()) if pixels <= _KEPT_PIXELS else None

        # The smoothness kernel is a product of one over rows and one over columns.
        self._over_rows, self._over_columns = (
            torch.exp(-((each[:, None] - each) ** 2) / (2 * near**2)) for each in (rows, columns)
        )
        self._looks, self._nearness = ones.T, ones.T
        if normalised:  # the pixel itself counts with 1 in these sums, so that none is 0
            self._looks, self._nearness = (
                (each(ones.T) + 1).rsqrt() for each in (self._linked_by_looks, self._linked_by_place)
            )

    def __call__(
        self,
        probabilities: Tensor,
        *,
        appearance: float = 10.0,
        smoothness: float = 3.0,
        iterations: int = 10,
    ) -> Tensor:
        """Mean field (paper, algorithm 1): each round, all pixels hear what the others think, and think again.

        Args:
            probabilities: (C, H, W), of each class at each pixel, as a softmax gives them.
            appearance: weight w1 of the kernel that asks for the same place and colour.
            smoothness: weight w2 of the kernel that asks for the same place only.
            iterations: rounds; with 0, the probabilities come back as they are.

        Returns:
            (C, H, W) float32: the marginals, which add up to 1 at each pixel.

        Raises:
            ValueError: the shape doesn't go with the picture's, these aren't probabilities, or a number is negative.
        """
        if probabilities.ndim != 3 or probabilities.shape[1:] != (self.height, self.width):
            raise ValueError(
                f"probabilities must be (C, {self.height}, {self.width}), as the picture is, "
                f"not {tuple(probabilities.shape)}"
            )
        for name, number in (
            ("appearance", appearance),
            ("smoothness", smoothness),
            ("iterations", iterations),
        ):
            if number < 0:
                raise ValueError(f"{name} must be 0 or more, not {number}")
        given = probabilities.detach().to(self._left).flatten(1)  # (C, H W)
        if not (bool((given >= 0).all()) and torch.allclose(given.sum(0), given.new_ones(()), atol=1e-2)):
            raise ValueError(
                "probabilities must be 0 or more and add up to 1 at each pixel; logits.softmax(0) makes them of logits"
            )
        unary = given.clamp(min=_LEAST).log()
        marginals = given.clone()
        for _ in range(iterations):
            heard = appearance * self._looks * self._linked_by_looks(self._looks * marginals)
            heard += smoothness * self._nearness * self._linked_by_place(self._nearness * marginals)
            marginals = (unary + heard).softmax(0)
        return marginals.view(-1, self.height, self.width)

    def _linked_by_looks(self, values: Tensor) -> Tensor:
        """For each pixel, the sum over all others of (place and colour kernel) * value: (C, H W) -> (C, H W)."""
        classes = len(values)
        values = F.pad(values, (0, 0, 0, -classes % 4))  # a CPU multiplies fours of rows up to twice as fast
        sums = torch.zeros_like(values)
        start = 0
        for block in self._computed() if self._kept is None else self._kept:
            stop = start + len(block)
            sums[:, start:stop] += values[:, start:] @ block.T
            sums[:, stop:] += (
                values[:, start:stop] @ block[:, len(block) :]
            )  # the same links, from the other side
            start = stop
        return sums[:classes]

    def _linked_by_place(self, values: Tensor) -> Tensor:
        maps = values.unflatten(1, (self.height, self.width))
        return (self._over_rows @ maps @ self._over_columns - maps).flatten(1)

    def _computed(self) -> Iterator[Tensor]:
        """The kernel of some pixels with themselves and all that come after: blocks of one half of the matrix."""
        for start in range(0, len(self._left), _ROWS):
            exponents = self._left[start : start + _ROWS] @ self._right[start:].T
            block = exponents.clamp_(min=-80).exp_()  # smaller results would be denormal, and slow
            yield block.fill_diagonal_(0)  # nobody asks himself
