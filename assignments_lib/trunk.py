"""`Trunk`: a classifier without its head, which hands out the feature maps of all its stages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torchvision.models import ResNet, resnet


class Trunk(nn.Module):
    """A stem and four stages: images (N, 3, H, W) -> a list of four feature maps, finest first.

    Map k has ``channels[k]`` channels, and a unit for every ``strides[k]`` pixels of the image: its height is H
    divided by ``strides[k]``, rounded up, and so is its width.

    Attributes:
        stem: what comes before the first stage.
        stages: an ``nn.ModuleList`` of four; each takes what the one before gives.
    """

    def __init__(
        self, stem: nn.Module, stages: Sequence[nn.Module], channels: Sequence[int], strides: Sequence[int]
    ) -> None:
        super().__init__()
        self.stem = stem
        self.stages = nn.ModuleList(stages)
        self.channels = tuple(channels)
        self.strides = tuple(strides)

    @classmethod
    def of(cls, network: ResNet) -> Trunk:
        """The trunk of one of torchvision's ResNets, sharing its weights: strides 4, 8, 16 and 32."""
        stem = nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool)
        stages = (network.layer1, network.layer2, network.layer3, network.layer4)
        width = network.fc.in_features
        return cls(stem, stages, [width // 8, width // 4, width // 2, width], [4, 8, 16, 32])

    @classmethod
    def narrow(cls, width: int = 32) -> Trunk:
        """A small one with fresh weights, for what must learn within a minute: one basic block a stage, as in ResNet10.

        ``width`` is the channels of the first map, and doubles from stage to stage; strides 4, 8, 16 and 32. With 32
        it has 1.2 million parameters, where `of` a ResNet34 has 21.3 million.

        Raises:
            ValueError: ``width`` is below 1.
        """
        if width < 1:
            raise ValueError(f"width must be at least 1 channel, not {width}")
        stem = nn.Sequential(
            nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )
        channels = [width, 2 * width, 4 * width, 8 * width]
        stages = [resnet.BasicBlock(width, width)]
        for fewer, more in pairwise(channels):
            shortcut = nn.Sequential(nn.Conv2d(fewer, more, 1, stride=2, bias=False), nn.BatchNorm2d(more))
            stages.append(resnet.BasicBlock(fewer, more, 2, shortcut))
        return cls(stem, stages, channels, [4, 8, 16, 32])

    def forward(self, images: Tensor) -> list[Tensor]:
        """The maps of all four stages."""
        x, features = self.stem(images), []
        for stage in self.stages:
            x = stage(x)
            features.append(x)  # (N, channels[k], H / strides[k], W / strides[k])
        return features
