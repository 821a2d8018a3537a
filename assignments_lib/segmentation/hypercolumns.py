"""Hypercolumns: what all layers say about a pixel, from edges to objects, as one vector.

B. Hariharan, P. Arbeláez, R. Girshick and J. Malik, Hypercolumns for Object Segmentation and Fine-grained Localization,
CVPR 2015 (arXiv 1411.5752).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assignments_lib.trunk import Trunk

Box = tuple[int, int, int, int]


def hypercolumns(features: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
    """The hypercolumn of each pixel: feature maps (N, C_k, h_k, w_k) -> (N, sum of all C_k, H, W).

    Each map is divided by the length of its vector at each pixel, enlarged bilinearly, and stacked on the others.
    Without the division, a layer with large numbers would decide alone how alike two hypercolumns are.

    Args:
        features: maps of one batch, as a `Trunk` gives them.
        size: height and width of the result.

    Raises:
        ValueError: there are no maps.
    """
    if not features:
        raise ValueError("hypercolumns need at least one feature map")
    return torch.cat([_enlarged(F.normalize(each, dim=1), size) for each in features], 1)


def similar(columns: Tensor, row: int, column: int) -> Tensor:
    """How alike each hypercolumn is to that at one pixel: columns (C, H, W) -> cosine similarity (H, W), -1 to 1.

    Raises:
        ValueError: ``columns`` has another shape, or the pixel isn't in it.
    """
    if columns.ndim != 3:
        raise ValueError(f"columns must be (C, H, W), those of one picture, not {tuple(columns.shape)}")
    height, width = columns.shape[1:]
    if not (0 <= row < height and 0 <= column < width):
        raise ValueError(f"there is no pixel at row {row}, column {column} of a picture of {height}x{width}")
    return F.cosine_similarity(columns, columns[:, row, column, None, None], dim=0)


class Hypercolumns(nn.Module):
    """Classifies each pixel of a bounding box by its hypercolumn: (N, 3, H, W) and a box -> (N, classes, h, w).

    A hypercolumn has about a thousand numbers at each pixel, and none of them is ever stored here. A linear classifier
    of stacked maps is a sum of one classifier for each map; and classifying commutes with bilinear enlargement, since
    both are linear. So each map is classified where it is small, and only the scores are enlarged and added (paper,
    section 3).

    The paper has a grid of such classifiers over the box and interpolates between them, because the same look means
    one thing in the upper part of a box and another in the lower. Here one classifier serves the whole box.

    Args:
        trunk: gives the feature maps.
        num_classes: of the result.
        layers: which of the maps are used, 0 being the finest.
    """

    def __init__(self, trunk: Trunk, num_classes: int, layers: Sequence[int] = (0, 1, 2, 3)) -> None:
        super().__init__()
        self.trunk = trunk
        self.layers = tuple(layers)
        # One bias is enough, for the sum has only one.
        self.classifiers = nn.ModuleList(
            nn.Conv2d(trunk.channels[layer], num_classes, 1, bias=number == 0)
            for number, layer in enumerate(self.layers)
        )

    def forward(self, images: Tensor, box: Box) -> Tensor:
        """The logits inside a box (top, left, height, width) in pixels, the same box for the whole batch.

        Raises:
            ValueError: the box isn't inside the picture, or it is empty.
        """
        top, left, height, width = box
        size = tuple(images.shape[-2:])
        if min(top, left) < 0 or min(height, width) < 1 or top + height > size[0] or left + width > size[1]:
            raise ValueError(
                f"a box of {height}x{width} pixels at row {top}, column {left} isn't inside a picture "
                f"of {size[0]}x{size[1]}"
            )
        features = self.trunk(images)
        logits = images.new_zeros(())
        for layer, classifier in zip(self.layers, self.classifiers, strict=True):
            scores = _enlarged(classifier(F.normalize(features[layer], dim=1)), size)
            logits = logits + scores[..., top : top + height, left : left + width]
        return logits


def _enlarged(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    return F.interpolate(maps, size=size, mode="bilinear", align_corners=False)
