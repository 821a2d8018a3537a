"""`Frames`: pictures and masks resampled, each once, by the matrices of `geometry`."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from assignments_lib.augmentation.packed import pack, packable, resized, unpack


class Box(NamedTuple):
    """A part of a picture, in whole pixels, which may reach over its edges; and the axes to mirror it along."""

    top: int
    left: int
    bottom: int
    right: int
    mirrored: tuple[int, ...]


class Frames:
    """Where the pixels of new pictures come from: for each, a matrix that takes new coordinates to old ones.

    Upright parts in whole pixels are cut out and resized, antialiased where that shrinks them: the same values
    as torchvision's ``resized_crop``. Everything else is sampled at its pixels' centres, as torchvision's
    ``affine`` and ``rotate`` do; pictures shrunk to less than half are shrunk with antialiasing first. Masks
    take the nearest pixel's label. Where nothing of the old picture is, pictures are 0 and masks ``ignore_index``.
    """

    def __init__(
        self,
        matrices: Tensor,
        old_size: tuple[int, int],
        new_size: tuple[int, int],
        device: torch.device,
        ignore_index: int = 255,
    ) -> None:
        self._old, self._new, self._ignore_index = old_size, new_size, ignore_index
        self._boxes = _boxes(matrices, *new_size)
        if None in self._boxes:  # else all are cut out, and none is sampled
            self._shrinks = matrices[:, :2, :2].norm(dim=1).amax(1).tolist()
            # affine_grid counts from -1 to 1 over each side, whatever the size
            from_new = _from_minus_one_to_one(*new_size)
            thetas = torch.linalg.inv(_from_minus_one_to_one(*old_size)) @ matrices @ from_new
            self._thetas = thetas[:, :2].float().to(device)

    def picture(self, index: int, image: Tensor, new: Tensor) -> None:
        """Write picture ``index``, made from (C, H, W), to ``new`` (C, h, w), which is float; bytes stay 0 to 255."""
        box = self._boxes[index]
        if box is None:
            image = image.to(new.dtype)
            shrink = self._shrinks[index]
            if shrink > 2:  # then the two by two pixels that a sample looks at leave some out
                height, width = (max(1, round(side / shrink)) for side in self._old)
                image = _resized(image, (height, width))
            new.copy_(self._sampled(index, image, "bilinear"))
            return
        part = _cut(image, box)
        if packable(image) and part.shape[1:] != self._new:
            part = resized(pack(part), self._new)
            unpack(part.flip(box.mirrored) if box.mirrored else part, new)
        else:
            part = _resized(part, self._new)
            new.copy_(part.flip(box.mirrored) if box.mirrored else part)

    def mask(self, index: int, mask: Tensor) -> Tensor:
        """The new mask (h, w) number ``index``, from (H, W) of any integer type."""
        box = self._boxes[index]
        if box is None:
            # Outside, grid_sample gives 0; so 0 has to stand for `ignore_index`. Exact for labels below 2^24.
            shifted = mask[None].float() - self._ignore_index
            return (self._sampled(index, shifted, "nearest")[0] + self._ignore_index).to(mask.dtype)
        (height, width), (new_height, new_width) = self._old, self._new
        rows = _nearest(box.top, box.bottom, new_height, -2 in box.mirrored).to(mask.device)
        columns = _nearest(box.left, box.right, new_width, -1 in box.mirrored).to(mask.device)
        inside = columns.clamp(0, width - 1).expand(new_height, -1)
        new = mask.index_select(0, rows.clamp(0, height - 1)).gather(1, inside)
        if box.top < 0 or box.left < 0 or box.bottom > height or box.right > width:
            outside = (rows < 0) | (rows >= height)
            new.masked_fill_(outside[:, None] | (columns < 0) | (columns >= width), self._ignore_index)
        return new

    def _sampled(self, index: int, picture: Tensor, mode: str) -> Tensor:
        theta = self._thetas[index, None].to(picture.dtype)
        grid = F.affine_grid(theta, [1, 1, *self._new], align_corners=False)
        return F.grid_sample(picture[None], grid, mode=mode, padding_mode="zeros", align_corners=False)[0]


def _boxes(matrices: Tensor, height: int, width: int) -> list[Box | None]:
    """The part each matrix cuts out; None where it is none of whole pixels, or turned."""
    start = matrices[:, :2, 2]
    end = start + matrices[:, :2, :2].diagonal(dim1=1, dim2=2) * torch.tensor([width, height])
    corners = torch.stack([start, end], dim=2)  # (N, 2 axes, 2)
    whole = (corners - corners.round()).abs().amax((1, 2)) < 1e-6
    upright = (matrices[:, 0, 1] == 0) & (matrices[:, 1, 0] == 0)
    boxes: list[Box | None] = []
    rows = corners.round().long().tolist()
    for fits, ((left, right), (top, bottom)) in zip((whole & upright).tolist(), rows, strict=True):
        if not fits or left == right or top == bottom:
            boxes.append(None)
            continue
        mirrored = (*((-2,) if bottom < top else ()), *((-1,) if right < left else ()))
        boxes.append(Box(min(top, bottom), min(left, right), max(top, bottom), max(left, right), mirrored))
    return boxes


def _from_minus_one_to_one(height: int, width: int) -> Tensor:
    """The matrix from affine_grid's coordinates to pixels."""
    return torch.tensor(
        [[width / 2, 0, width / 2], [0, height / 2, height / 2], [0, 0, 1]], dtype=torch.float64
    )


def _cut(image: Tensor, box: Box) -> Tensor:
    """The part (C, height, width) of an image (C, H, W), with 0 beyond its edges."""
    height, width = image.shape[1:]
    part = image[:, max(0, box.top) : max(0, box.bottom), max(0, box.left) : max(0, box.right)]
    if box.top >= 0 and box.left >= 0 and box.bottom <= height and box.right <= width:
        return part
    new = image.new_zeros((len(image), box.bottom - box.top, box.right - box.left))
    below, beside = max(0, -box.top), max(0, -box.left)
    new[:, below : below + part.shape[1], beside : beside + part.shape[2]] = part
    return new


def _resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    """An image (C, H, W) in another size, bilinear and antialiased."""
    if image.shape[1:] == size:
        return image
    if image.device.type != "cpu" and image.dtype == torch.uint8:
        image = image.float()  # only the CPU resizes bytes
    return F.interpolate(image[None], size, mode="bilinear", antialias=True, align_corners=False)[0]


def _nearest(start: int, end: int, new: int, mirrored: bool) -> Tensor:
    """Along one axis, the old pixel at the centre of each of ``new`` ones; it may be beyond the edge."""
    # In integers, so that a centre between two pixels always goes to the second
    index = start + (2 * torch.arange(new) + 1) * (end - start) // (2 * new)
    return index.flip(0) if mirrored else index
