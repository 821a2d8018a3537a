"""Counting how often which class was called which, and cutting pictures down to the bands along their borders.

    matrix = ConfusionMatrix(num_classes)
    for images, masks in loader:
        matrix.update(model(images), masks)
    matrix.counts                       # (C, C), [target, prediction]

Only counts: to turn them into scores is an exercise. Boundary IoU is the same score of other counts:

    bands = ConfusionMatrix(num_classes + 1)
    bands.update(
        boundary_bands(predictions, num_classes, distance),
        boundary_bands(masks, num_classes, distance, assume=predictions),
    )
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

IGNORE_INDEX = 255  # pixels in masks that count nowhere
# Pixels that a CPU counts at a time. What lies between two passes over them stays in its cache, and torch splits no
# more than these among threads, which on a busy machine would wait for each other longer than they count.
PIECE = 1 << 15


class ConfusionMatrix:
    """How many pixels of each class were called which, over as many batches as it is given.

    ``counts`` is (C, C) int64 on the CPU: ``counts[t, p]`` pixels whose target is class t were predicted to be p.
    Pixels whose target is ``ignore_index`` count nowhere. Two matrices of the same classes can be added.

    A target of 255 isn't filtered out: it gets a row of its own in one `torch.bincount`, and that row is left
    behind. Copying the pixels that count, as ``masks[masks != 255]`` does, would take most of the time
    (benchmarks/confusion.py).

    Raises:
        ValueError: ``num_classes`` is below 1, or ``ignore_index`` isn't in 0 .. 255.
    """

    def __init__(self, num_classes: int, ignore_index: int = IGNORE_INDEX) -> None:
        if num_classes < 1:
            raise ValueError(f"num_classes must be at least 1, not {num_classes}")
        if not 0 <= ignore_index <= 255:
            raise ValueError(f"ignore_index must be 0 to 255, not {ignore_index}")
        self.num_classes, self.ignore_index = num_classes, ignore_index
        self.reset()

    def reset(self) -> None:
        """Forget everything counted."""
        self.counts = torch.zeros(self.num_classes, self.num_classes, dtype=torch.int64)

    def update(self, predictions: Tensor, masks: Tensor) -> None:
        """Count a batch. It stays on its device; only the counts come to the CPU.

        Args:
            predictions: classes (N, H, W), whole numbers; or logits (N, C, H, W), of which the highest decides.
            masks: (N, H, W) whole numbers: the class of every pixel, or ``ignore_index``. Both may have any other
                shape as long as it is the same: labels (N,) with logits (N, C), for example.

        Raises:
            ValueError: shapes, devices or types don't go together, or a class is out of range. Nothing of the
                batch has been counted then.
        """
        if masks.is_floating_point() or masks.is_complex():
            raise ValueError(f"masks must hold whole numbers, such as int64, not {masks.dtype}")
        if predictions.is_floating_point() and predictions.ndim == masks.ndim + 1:
            if predictions.shape[1] != self.num_classes:
                raise ValueError(
                    f"logits {tuple(predictions.shape)} have {predictions.shape[1]} channels, "
                    f"but there are {self.num_classes} classes: (N, {self.num_classes}, H, W) is needed"
                )
            predictions = predictions.argmax(1)
        elif predictions.is_floating_point() or predictions.is_complex():
            raise ValueError(
                f"predictions {tuple(predictions.shape)} {predictions.dtype} are neither logits (N, C, H, W) "
                f"for masks {tuple(masks.shape)} nor classes, which are whole numbers"
            )
        if predictions.shape != masks.shape:
            raise ValueError(
                "predictions and masks must have the same shape, "
                f"not {tuple(predictions.shape)} and {tuple(masks.shape)}"
            )
        if predictions.device != masks.device:
            raise ValueError(
                f"predictions and masks must be on one device, not {predictions.device} and {masks.device}"
            )
        if masks.numel():
            self.counts = self.counts + self._counted(predictions.flatten(), masks.flatten())

    def __add__(self, other: ConfusionMatrix) -> ConfusionMatrix:
        """A new matrix with the counts of both.

        Raises:
            ValueError: they have other classes.
        """
        if not isinstance(other, ConfusionMatrix):
            return NotImplemented
        mine, theirs = ((each.num_classes, each.ignore_index) for each in (self, other))
        if mine != theirs:
            raise ValueError(
                "only matrices of the same classes can be added, not those of "
                f"{mine[0]} classes ignoring {mine[1]} and {theirs[0]} classes ignoring {theirs[1]}"
            )
        total = ConfusionMatrix(*mine)
        total.counts = self.counts + other.counts
        return total

    def __repr__(self) -> str:
        total = int(self.counts.sum())
        return f"ConfusionMatrix({self.num_classes}, ignore_index={self.ignore_index}): {total:,} counted"

    def _counted(self, predictions: Tensor, masks: Tensor) -> Tensor:
        """(C, C) counts of pixels in one row, on the CPU."""
        classes = self.num_classes
        rows = max(classes, self.ignore_index + 1)  # a row for every label up to 255: none has to be replaced
        length = PIECE if masks.device.type == "cpu" else masks.numel()
        by_row = torch.zeros(rows * classes, dtype=torch.int64, device=masks.device)
        for called, labels in zip(predictions.split(length), masks.split(length), strict=True):
            extremes = [*labels.aminmax(), *called.aminmax()]
            lowest, highest, first, last = torch.stack([each.long() for each in extremes]).tolist()
            if lowest < 0 or highest >= rows:
                raise self._unknown("masks", lowest if lowest < 0 else highest)
            if first < 0 or last >= classes:
                raise self._unknown("predictions", first if first < 0 else last)
            wide = torch.promote_types(called.dtype, torch.int32)  # the sum of two bytes may be none
            places = torch.add(called.to(wide), labels, alpha=classes)
            by_row += torch.bincount(places, minlength=rows * classes)
        counts = by_row.view(rows, classes).cpu()
        counts[self.ignore_index] = 0
        if len(strange := counts[classes:].sum(1).nonzero()):
            raise self._unknown("masks", classes + int(strange[0]))
        return counts[:classes]

    def _unknown(self, whose: str, label: int) -> ValueError:
        return ValueError(
            f"{whose} have the class {label}; there are 0 to {self.num_classes - 1}"
            + (f", and {self.ignore_index} to ignore" if whose == "masks" else "")
        )


def boundary_bands(
    masks: Tensor,
    num_classes: int,
    distance: int,
    *,
    assume: Tensor | None = None,
    picture_border: bool = False,
) -> Tensor:
    """Masks in which only the band along every border keeps its class; all that lies deeper becomes one more class.

    A pixel is in the band if one of another class is at most ``distance`` rows and columns away: this is what eroding
    each class ``distance`` times by 3x3 takes off. Counts of the bands of prediction and target, in a
    `ConfusionMatrix` of ``num_classes + 1`` classes, give boundary IoU where those of the masks give IoU; the last
    class, "inside", is left out of the mean. (B. Cheng, R. Girshick, P. Dollár, A. Berg and A. Kirillov, Boundary IoU:
    Improving Object-Centric Image Segmentation Evaluation, CVPR 2021, arXiv 2103.16562, who take 2 % of the picture's
    diagonal for ``distance``.)

    Pixels of 255 need a thought. A prediction has none, and scenes have a rim of them along every border: measured
    from that rim, the target's bands lie a pixel beside those of a prediction that is right at every label, which
    would score 0.75 there (``distance`` 2). ``assume`` gives such pixels a class while the bands of the target are
    measured; take the prediction. Then a border that runs through unlabelled pixels is where the prediction has it,
    and a prediction that is right has the same bands; one that has no border there is given none. Without ``assume``,
    255 is a region of its own, with borders.

    Args:
        masks: (N, H, W), (H, W) or more dimensions, whole numbers: 0 .. num_classes - 1, or 255.
        num_classes: how many classes there are; in the result, the number of the class "inside".
        distance: width of the bands in pixels, at least 1.
        assume: of the shape of ``masks``: what to take pixels of 255 for while measuring.
        picture_border: whether the edge of the picture is a border too. It is in the authors' own code, which judges
            single objects. Here every pixel has a class: the edge is no outline, and nobody has to find it.

    Returns:
        Classes in the shape and type of ``masks``, 0 .. num_classes; 255 is still 255.

    Raises:
        ValueError: a shape, type, number or distance is another.
    """
    if masks.is_floating_point() or masks.is_complex() or masks.ndim < 2:
        raise ValueError(f"masks must be (N, H, W) whole numbers, not {tuple(masks.shape)} {masks.dtype}")
    if not 1 <= num_classes < IGNORE_INDEX:
        raise ValueError(f"num_classes must be 1 to {IGNORE_INDEX - 1}, not {num_classes}")
    if distance != int(distance) or distance < 1:
        raise ValueError(f"distance must be 1, 2, 3, ... pixels, not {distance}")
    if assume is not None and assume.shape != masks.shape:
        raise ValueError(
            f"assume must have the shape of masks, {tuple(masks.shape)}, not {tuple(assume.shape)}"
        )
    unlabelled = masks == IGNORE_INDEX
    strange = masks[((masks < 0) | (masks >= num_classes)) & ~unlabelled]
    if len(strange):
        raise ValueError(
            f"masks have the label {int(strange[0])}; there are 0 to {num_classes - 1}, and {IGNORE_INDEX}"
        )
    measured = masks if assume is None else torch.where(unlabelled, assume.to(masks.dtype), masks)
    inside = ~_near_another(measured, int(distance), picture_border)
    return masks.masked_fill(inside & ~unlabelled, num_classes)


def _near_another(masks: Tensor, distance: int, picture_border: bool) -> Tensor:
    """Where the window of ``2 * distance + 1`` pixels around a pixel holds more than one label: (..., H, W) bool."""
    if masks.numel() == 0:
        return torch.zeros_like(masks, dtype=torch.bool)
    labels = masks.reshape(-1, 1, *masks.shape[-2:]).float()  # whole numbers below 2^24 stay exact
    if picture_border:
        labels = F.pad(labels, (1, 1, 1, 1), value=-1.0)  # outside is another class
    both = torch.cat([labels, -labels], 1)  # the largest of -labels is the smallest label
    for kernel, padding in (
        ((2 * distance + 1, 1), (distance, 0)),
        ((1, 2 * distance + 1), (0, distance)),
    ):
        both = F.max_pool2d(
            both, kernel, stride=1, padding=padding
        )  # pads with -infinity: outside counts nowhere
    different = both[:, 0] != -both[:, 1]
    if picture_border:
        different = different[:, 1:-1, 1:-1]
    return different.reshape(masks.shape)
