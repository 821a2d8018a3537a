"""`StageScores`: what three stages of a trunk say about each pixel, one by one and added up."""

from __future__ import annotations

from itertools import accumulate

import torch.nn.functional as F
from torch import Tensor, nn

from assignments_lib.trunk import Trunk


class StageScores(nn.Module):
    """Images (N, 3, H, W) -> logits (N, num_classes, H, W): the sum of what three feature maps say, each by itself.

    A 1x1 convolution scores each of the trunk's last three maps, of strides 32, 16 and 8. Their partial sums are an
    FCN-32s, a 16s and an 8s in one network, so that the same picture can be looked at with each. It learns from all
    three sums at once. In the paper (J. Long, E. Shelhamer and T. Darrell, Fully Convolutional Networks for Semantic
    Segmentation, CVPR 2015, section 4.2) the three are networks of their own, each going on from the one before.

    Args:
        trunk: gives the feature maps.
        num_classes: of the result.
    """

    def __init__(self, trunk: Trunk, num_classes: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.classifiers = nn.ModuleList(
            nn.Conv2d(channels, num_classes, 1) for channels in trunk.channels[:0:-1]
        )

    def scores(self, images: Tensor) -> list[Tensor]:
        """The scores of each map alone, coarsest first, enlarged bilinearly: three times (N, num_classes, H, W)."""
        maps = self.trunk(images)[:0:-1]
        return [
            F.interpolate(classifier(each), images.shape[-2:], mode="bilinear")  # (N, num_classes, H, W)
            for classifier, each in zip(self.classifiers, maps, strict=True)
        ]

    def partial_sums(self, images: Tensor) -> list[Tensor]:
        """Scores of the coarsest map; of the two coarsest, added up; of all three."""
        return list(accumulate(self.scores(images)))

    def forward(self, images: Tensor) -> Tensor:
        """The logits: the sum of all three."""
        return self.partial_sums(images)[-1]
