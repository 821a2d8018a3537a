"""Steps that change colours: each is a pair of matrices a picture, so that a chain of them is one product.

A pixel is the picture's mean colour plus a deviation from it. Changing brightness, saturation or hue treats
both alike; changing the contrast scales the deviation and greys the mean. So two matrices say it all, and the
pixels are touched once: new pixel = deviating @ (pixel - mean) + averaging @ mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# From RGB to YIQ, the coordinates of NTSC television: Y is how bright, the angle of (I, Q) the hue
_YIQ = torch.tensor(
    [[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]], dtype=torch.float64
)
_FROM_YIQ = torch.linalg.inv(_YIQ)


@dataclass(frozen=True)
class ColorJitter:
    """Brightness, contrast, saturation and hue, changed at random.

    The first three are multiplied by a factor uniform in [1 - x, 1 + x] (not below 0), as torchvision's
    ColorJitter does; pixels that leave [0, 1] are clipped once, after the last change, where torchvision clips
    after each (so that the order, which it draws, matters there). The hue turns by a share of the circle uniform
    in [-hue, hue]: in YIQ, where a turn is linear and keeps the brightness, while torchvision turns HSV's hue.
    Pictures of one channel have neither saturation nor hue, and only change in brightness and contrast.

    Raises:
        ValueError: a negative bound, or a ``hue`` above 0.5.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0

    def __post_init__(self) -> None:
        if min(self.brightness, self.contrast, self.saturation, self.hue) < 0 or self.hue > 0.5:
            raise ValueError(f"brightness, contrast, saturation and hue (at most 0.5) must be >= 0: {self}")

    def draw(
        self, count: int, channels: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Draw for ``count`` pictures: what the deviation and the mean are multiplied with, each (count, C, C).

        Raises:
            ValueError: ``channels`` is neither 1 nor 3.
        """
        if channels not in (1, 3):
            raise ValueError(f"ColorJitter takes pictures of 1 or 3 channels, not {channels}")
        uniform = torch.rand(4, count, 1, 1, generator=generator, dtype=torch.float64)
        factors = []
        for bound, each in zip((self.brightness, self.contrast, self.saturation), uniform[:3], strict=True):
            low = max(0.0, 1 - bound)
            factors.append(low + (1 + bound - low) * each)
        brightness, contrast, saturation = factors
        grey = _YIQ[0].expand(3, -1) if channels == 3 else torch.ones(1, 1, dtype=torch.float64)
        same = torch.eye(channels, dtype=torch.float64)
        # These matrices commute, so that no order has to be drawn: grey stays grey when the hue turns, and as bright
        both = brightness * torch.lerp(grey, same, saturation)
        if channels == 3 and self.hue:
            both = both @ _turned(self.hue * (2 * uniform[3, :, 0, 0] - 1))
        return contrast * both, torch.lerp(grey, same, contrast) @ both


@dataclass(frozen=True)
class Normalize:
    """Channels minus ``mean``, divided by ``std``, both for pixels in [0, 1]; ImageNet's by default.

    Raises:
        ValueError: a ``std`` that is not positive, or another number of means than of deviations.
    """

    mean: Sequence[float] = (0.485, 0.456, 0.406)
    std: Sequence[float] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.std) or min(self.std) <= 0:
            raise ValueError(f"mean and std must be as many numbers, and std positive: {self}")


class Colours:
    """The colour steps of a pipeline, drawn for a batch (N, C, H, W), to be applied to it part by part.

    Raises:
        ValueError: the pictures have another number of channels than a step is for.
    """

    def __init__(
        self,
        jitters: Sequence[ColorJitter],
        normalize: Normalize | None,
        images: Tensor,
        generator: torch.Generator | None = None,
    ) -> None:
        count, channels = images.shape[:2]
        dtype = images.dtype if images.is_floating_point() else torch.float32
        scale = 1.0 if images.is_floating_point() else 1 / 255  # to [0, 1]
        mean, std = ((0.0,), (1.0,)) if normalize is None else (normalize.mean, normalize.std)
        if normalize is not None and len(mean) != channels:
            raise ValueError(f"Normalize has {len(mean)} channels, the pictures have {channels}")
        self._jitter: tuple[Tensor, Tensor] | None = None
        if jitters:
            deviating = averaging = scale * torch.eye(channels, dtype=torch.float64)
            for jitter in jitters:
                one, other = jitter.draw(count, channels, generator)
                deviating, averaging = one @ deviating, other @ averaging
            offset = averaging - deviating
            self._jitter = deviating.to(images.device, dtype), offset.to(images.device, dtype)
            scale = 1.0  # the matrices have done it
        per_channel = torch.tensor([mean, std], dtype=torch.float64)[..., None, None]
        self._factor = (scale / per_channel[1]).to(images.device, dtype)
        self._minus = (per_channel[0] / per_channel[1]).to(images.device, dtype)

    def apply(self, part: slice, pictures: Tensor, new: Tensor) -> None:
        """Write to ``new`` what becomes of pictures (n, C, h, w): ``part`` of the batch, float on its scale."""
        if self._jitter is not None:
            deviating, offset = (matrices[part] for matrices in self._jitter)
            pixels = pictures.flatten(2)
            mean = offset @ pixels.mean(2, keepdim=True)
            pictures = torch.baddbmm(mean, deviating, pixels, out=new.flatten(2)).clamp_(0, 1).view_as(new)
        torch.mul(pictures, self._factor, out=new).sub_(self._minus)


def _turned(share: Tensor) -> Tensor:
    """Matrices (N, 3, 3) that turn the hue by a share of the circle each, towards yellow from red if positive."""
    angle = -2 * math.pi * share
    turn = torch.eye(3, dtype=torch.float64).repeat(len(share), 1, 1)
    turn[:, 1, 1] = turn[:, 2, 2] = angle.cos()
    turn[:, 1, 2], turn[:, 2, 1] = -angle.sin(), angle.sin()
    return _FROM_YIQ @ turn @ _YIQ
