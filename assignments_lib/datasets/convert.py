"""Changing the size and the number of channels of a whole set at once."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch.nn import functional as F

from assignments_lib.datasets.pictures import Pictures

BRIGHTNESS = (0.299, 0.587, 0.114)  # what red, green and blue add to it: ITU-R BT.601


def resized(pictures: Pictures, size: int | None) -> Pictures:
    """The same pictures, ``size`` x ``size`` pixels, with antialiasing; unchanged when None."""
    if size is None or pictures.images.shape[-2:] == (size, size):
        return pictures
    images = F.interpolate(pictures.images, (size, size), mode="bilinear", antialias=True)
    return replace(pictures, images=images)


def with_channels(pictures: Pictures, channels: int | None) -> Pictures:
    """The same pictures with 1 or 3 channels; unchanged when None.

    From 1 to 3 nothing is copied: the three channels are views of the one. From 3 to 1 is the brightness.
    """
    found = pictures.images.shape[1]
    if channels is None or channels == found:
        return pictures
    if found == 1:
        return replace(pictures, images=pictures.images.expand(-1, channels, -1, -1))
    grey = sum(pictures.images[:, i : i + 1] * weight for i, weight in enumerate(BRIGHTNESS))
    assert isinstance(grey, torch.Tensor)
    return replace(pictures, images=grey.round().to(torch.uint8))
