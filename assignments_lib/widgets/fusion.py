"""One picture with the scores of one map, of two and of three: FCN-32s, 16s and 8s."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from assignments_lib.metrics import ConfusionMatrix, boundary_bands
from assignments_lib.plots.pixels import IGNORE
from assignments_lib.plots.style import style
from assignments_lib.segmentation.stage_scores import StageScores
from assignments_lib.widgets.controls import Control, Slider, Switch
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.panel import Drawing, Pictures
from assignments_lib.widgets.sheet import (
    Pixels,
    classes_of,
    floats,
    labels_in,
    legend,
    legend_height,
    mistaken,
    pixels,
    sheet,
)  # fmt: skip

NAMES = ("32s", "16s", "8s")
BORDER = 2  # pixels from a border that still count as being there
_BATCH = 25


@dataclass(frozen=True)
class Right:
    """Shares of the labelled pixels that are right: of all, and of those near a border."""

    everywhere: float
    border: float

    @classmethod
    def of(cls, predicted: Tensor, mask: Tensor, num_classes: int) -> Right:
        """Of masks of classes of the same shape, (N, H, W) or (H, W); nan where there is nothing to count."""
        right = predicted == mask
        # Pixels without a label lie along borders: next to them is near enough
        near = boundary_bands(mask, num_classes, BORDER) < num_classes
        return cls(*(float(right[where].float().mean()) for where in (mask != IGNORE, near)))


class Fusion(Demonstration):
    """The same picture, segmented with the scores of the coarsest map, of the two coarsest, and of all three.

    Args:
        network: trained.
        images: (N, 3, H, W), floats in [0, 1] or uint8.
        masks: (N, H, W), the truth; 255 where there is no label.
        classes: their names.

    Raises:
        ValueError: images and masks don't belong together.
    """

    title = "From 32s to 8s: finer maps are added"

    def __init__(self, network: StageScores, images: Tensor, masks: Tensor, classes: Sequence[str]) -> None:
        if not len(images) or images.shape[-2:] != masks.shape[-2:] or len(images) != len(masks):
            raise ValueError(
                f"images {tuple(images.shape)} and masks {tuple(masks.shape)} don't belong together"
            )
        self.network, self.images, self.masks, self.classes = (
            network.eval(),
            floats(images),
            masks.long(),
            classes,
        )
        self.scores = lru_cache(maxsize=16)(self._new_scores)

    def controls(self) -> Mapping[str, Control]:
        """How many maps are added, the picture, and whether mistakes are shown."""
        last = len(self.images) - 1
        return {
            "maps": Slider(1, 3, 1, still=3, step=1),
            "picture": Slider(0, last, 0, still=min(1, last), step=1),
            "mistakes": Switch(False),
        }

    def _new_scores(self, picture: int) -> list[Tensor]:
        with torch.no_grad():
            return self.network.scores(self.images[picture : picture + 1])

    def predicted(self, maps: int, picture: int) -> tuple[Tensor, Tensor]:
        """Masks (H, W): by the sum of so many maps, and by the finest of them alone."""
        used = self.scores(picture)[:maps]
        return torch.stack(used).sum(0)[0].argmax(0), used[-1][0].argmax(0)

    @cached_property
    def mean_ious(self) -> list[float]:
        """mIoU over all pictures with one map, two, and three."""
        counted = [ConfusionMatrix(len(self.classes)) for _ in NAMES]
        for images, masks in zip(self.images.split(_BATCH), self.masks.split(_BATCH), strict=True):
            with torch.no_grad():
                for matrix, logits in zip(counted, self.network.partial_sums(images), strict=True):
                    matrix.update(logits, masks)
        means = []
        for matrix in counted:
            both = matrix.counts.diagonal().double()
            either = matrix.counts.sum(0) + matrix.counts.sum(1) - both
            means.append(float((both / either).nanmean()))
        return means

    def pictures(self, maps: int, picture: int, mistakes: bool) -> Pictures:
        """Picture, truth, the newest map alone, and the sum; and how much of it is right."""
        maps, picture = int(maps), int(picture)
        image, truth = self.images[picture], self.masks[picture]
        summed, alone = self.predicted(maps, picture)
        stride = self.network.trunk.strides[-maps]
        right = Right.of(summed, truth, len(self.classes))
        name = NAMES[maps - 1]

        def shown(mask: Tensor) -> Pixels:
            return mistaken(image, mask, truth) if mistakes else classes_of(mask)

        what = "mistakes in red" if mistakes else "mask"
        sheets = {
            "picture": pixels(image),
            "truth": classes_of(truth),
            f"the map of stride {stride} alone: {what}": shown(alone),
            f"{name}, the sum of {maps} map{'s' * (maps > 1)}: {what}": shown(summed),
        }
        labels = labels_in(truth) if mistakes else labels_in(truth, summed, alone)
        with style():
            figure, _ = sheet(sheets, 2, below=legend_height(labels))
            legend(figure, labels, self.classes)
        said = (
            f"{name}: {right.everywhere:.0%} of this picture's pixels are right, and {right.border:.0%} of those "
            f"at most {BORDER} pixels from a border. Over all {len(self.images)} pictures, mIoU is "
            + ", ".join(f"{each} {value:.2f}" for each, value in zip(NAMES, self.mean_ious, strict=True))
            + "."
        )
        alt = f"A scene, its true mask, and the {what} of {name} and of its finest map alone. {said}"
        return {"one picture": Drawing(figure, alt, colours=160), "In numbers": said}
