"""Steps that mix every picture with another of its batch: `MixUp` and `CutMix`.

Both are one idea: a map of weights (N, H, W) says how much of a pixel comes from the partner. MixUp's is the
same all over the picture, CutMix's is 1 inside a box; and the labels are mixed by its mean.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Mixing:
    """A step that mixes pictures, each with probability ``p``, with partners on draws of their own.

    Labels (N,) or soft labels (N, num_classes) become soft labels, float. lambda ~ Beta(alpha, alpha).

    Raises:
        ValueError: fewer than one class, an ``alpha`` that is not positive, or ``p`` that is no probability.
    """

    num_classes: int
    alpha: float = 1.0
    p: float = 1.0

    def __post_init__(self) -> None:
        if self.num_classes < 1 or self.alpha <= 0 or not 0 <= self.p <= 1:
            raise ValueError(f"num_classes must be at least 1, alpha positive and p in [0, 1]: {self}")

    def mix(
        self, images: Tensor, labels: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mixed images (N, C, H, W) float, and soft labels (N, num_classes).

        Raises:
            ValueError: the labels are masks, or no labels of ``num_classes`` classes.
        """
        soft = self._soft(labels, images)
        count = len(images)
        partner = torch.randperm(count, generator=generator).to(images.device)
        gammas = torch._standard_gamma(torch.full((count, 2), self.alpha).double(), generator=generator)
        share = gammas[:, 0] / gammas.sum(1)  # Beta(alpha, alpha), which torch has without a generator only
        share = torch.where(torch.rand(count, generator=generator) < self.p, share, 0.0)
        height, width = images.shape[2:]
        weights = self._weights(share, height, width, generator).to(images)  # of the partner
        mixed = torch.lerp(images, images[partner], weights[:, None])
        return mixed, torch.lerp(soft, soft[partner], weights.mean((1, 2))[:, None])

    @abstractmethod
    def _weights(self, share: Tensor, height: int, width: int, generator: torch.Generator | None) -> Tensor:
        """The partner's weights, (N, H, W) or what broadcasts to it, for its shares (N,)."""

    def _soft(self, labels: Tensor, images: Tensor) -> Tensor:
        if labels.ndim == 1 and not labels.is_floating_point():
            if not 0 <= int(labels.min()) <= int(labels.max()) < self.num_classes:
                raise ValueError(
                    f"labels reach from {int(labels.min())} to {int(labels.max())}, which are not "
                    f"{self.num_classes} classes"
                )
            return F.one_hot(labels.long(), self.num_classes).to(images.dtype)
        if labels.ndim == 2 and labels.shape[1] == self.num_classes and labels.is_floating_point():
            return labels.to(images.dtype)
        raise ValueError(
            f"{type(self).__name__} mixes labels (N,) or soft labels (N, {self.num_classes}), "
            f"not {labels.dtype} {tuple(labels.shape)}"
        )


class MixUp(Mixing):
    """The whole picture mixed with its partner. (Zhang et al. 2017, "mixup: beyond empirical risk minimization".)"""

    def _weights(self, share: Tensor, height: int, width: int, generator: torch.Generator | None) -> Tensor:
        return share[:, None, None]


class CutMix(Mixing):
    """A box of the partner in the picture's place; labels by the pixels really taken. (Yun et al. 2019, "CutMix".)"""

    def _weights(self, share: Tensor, height: int, width: int, generator: torch.Generator | None) -> Tensor:
        centre = torch.rand(2, len(share), 1, generator=generator)
        inside = []
        for side, middle in zip((height, width), centre, strict=True):
            half = side * share[:, None].sqrt() / 2
            start, end = (middle * side - half).round(), (middle * side + half).round()
            pixel = torch.arange(side)
            inside.append((pixel >= start) & (pixel < end))
        return (inside[0][:, :, None] & inside[1][:, None, :]).float()
