"""`MaskedPictures`: pictures with a label for every pixel, in memory; the form every segmentation set has here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

import torch
from torch.nn import functional as F
from torch.utils.data import Dataset
from tqdm.auto import tqdm

Name = TypeVar("Name")


@dataclass(frozen=True)
class MaskedPictures(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Pictures and their masks, kept as bytes and handed out as floats and labels.

    ``images`` is (N, 3, H, W) uint8 and ``masks`` (N, H, W) uint8 or int64; ``classes[label]`` is the name of a
    class. A pixel of ``ignore_index`` (255) has no label: neither the loss nor a score counts it.
    ``pictures[i]`` gives ``(image, mask)`` with ``image`` (3, H, W) float32 in [0, 1] and ``mask`` (H, W) int64.

    Raises:
        ValueError: a shape or dtype is another, or a mask has a label that stands for no class.
    """

    images: torch.Tensor
    masks: torch.Tensor
    classes: tuple[str, ...]
    name: str = ""

    ignore_index: ClassVar[int] = 255

    def __post_init__(self) -> None:
        shape, masks = self.images.shape, self.masks
        if self.images.dtype != torch.uint8 or len(shape) != 4 or shape[1] != 3:
            raise ValueError(f"images must be (N, 3, H, W) uint8, not {tuple(shape)} {self.images.dtype}")
        if masks.dtype not in (torch.uint8, torch.int64) or masks.shape != (shape[0], *shape[2:]):
            wanted = (shape[0], *shape[2:])
            raise ValueError(f"masks must be {wanted} uint8 or int64, not {tuple(masks.shape)} {masks.dtype}")
        unknown = masks[(masks >= len(self.classes)) & (masks != self.ignore_index) | (masks < 0)]
        if len(unknown):
            raise ValueError(
                f"a mask has the label {int(unknown[0])}; there are 0 to {len(self.classes) - 1}, "
                f"and {self.ignore_index} for no label"
            )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.images[index].float() / 255, self.masks[index].long()

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        return (self[index] for index in range(len(self)))

    def take(self, number: int) -> MaskedPictures:
        """The first ``number`` pictures with their masks; all where there are fewer."""
        return replace(self, images=self.images[:number], masks=self.masks[:number])


def resized(
    image: torch.Tensor, mask: torch.Tensor, size: tuple[int, int] | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """An image and its mask, brought to another size together; unchanged when None.

    The image is averaged (bilinear, with antialiasing). A mask has nothing between two labels, so each of its
    pixels takes the label nearest to its centre: thin things may break up, but no label appears that wasn't there.

    Args:
        image: (3, H, W) uint8.
        mask: (H, W) uint8 or int64, labels below 256.
        size: height and width wanted, in pixels. Other proportions squeeze both alike.
    """
    if size is None or mask.shape == size:
        return image, mask
    image = F.interpolate(image[None], size, mode="bilinear", antialias=True)[0]
    mask = F.interpolate(mask.to(torch.uint8)[None, None], size, mode="nearest-exact")[0, 0].to(mask.dtype)
    return image, mask


def in_proportion(
    image: torch.Tensor, mask: torch.Tensor, size: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest part in the middle with the proportions of ``size`` = (height, width), of image and mask."""
    (rows, columns), (height, width) = mask.shape, size
    tall, wide = min(rows, round(columns * height / width)), min(columns, round(rows * width / height))
    top, left = (rows - tall) // 2, (columns - wide) // 2
    part = slice(top, top + tall), slice(left, left + wide)
    return image[(slice(None), *part)], mask[part]


def gathered(
    names: Sequence[Name], read: Callable[[Name], tuple[torch.Tensor, torch.Tensor]], what: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """What ``read`` gives for each name, stacked: images (N, 3, H, W) and masks (N, H, W).

    Four are read at a time, under a progress bar called ``what``. All must have one size, and there must be one.
    """
    with ThreadPoolExecutor(4) as pool:
        pairs = list(tqdm(pool.map(read, names), what, total=len(names), leave=False))
    images, masks = (torch.stack(part) for part in zip(*pairs, strict=True))
    return images, masks
