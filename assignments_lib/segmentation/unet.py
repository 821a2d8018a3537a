"""U-Net: down to a few coarse maps, up again to the size of the picture, and on each level a skip across.

O. Ronneberger, P. Fischer and T. Brox, U-Net: Convolutional Networks for Biomedical Image Segmentation, MICCAI 2015
(arXiv 1505.04597).

    network = UNet(3, num_classes, width=16)
    logits = network(images)            # (N, num_classes, H, W)
    for step in trace(network, (80, 112)):
        print(step)                     # what to draw the U from
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import count
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Side = Literal["down", "up"]


class UNet(nn.Module):
    """Images (N, in_channels, H, W) -> logits (N, num_classes, H, W).

    Args:
        in_channels: of the pictures.
        num_classes: of the logits.
        width: channels on the finest level; twice as many on each level below.
        depth: how often the maps are halved.
        padded: True: maps keep their size in convolutions, and pictures may have any size. They are extended at the
            bottom and on the right, by repeating their border, to a multiple of 2**depth, and the logits are cut back.
            False: as in the paper, convolutions take in only what is there, so that no border is invented: a picture
            of 572x572 gives logits for the 388x388 pixels in its middle (paper, figure 1).
        skips: False leaves out the concatenations, to see what they are for; the convolutions after them take half as
            many channels.
        norm: BatchNorm after each 3x3 convolution. The paper has none, but this learns faster. In training it needs
            more than one number of each channel: a batch of several, or a picture larger than 2**depth.

    The paper's network is ``UNet(1, 2, padded=False, norm=False)``, but for its dropout (section 3.1).

    Raises:
        ValueError: a number is below 1.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        width: int = 64,
        depth: int = 4,
        *,
        padded: bool = True,
        skips: bool = True,
        norm: bool = True,
    ) -> None:
        super().__init__()
        if min(in_channels, num_classes, width, depth) < 1:
            raise ValueError("in_channels, num_classes, width and depth must be at least 1")
        self.in_channels, self.depth, self.padded, self.skips = in_channels, depth, padded, skips
        widths = [width * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(
            _convolutions(before, after, padded, norm)
            for before, after in zip([in_channels, *widths], widths, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        levels = list(reversed(range(depth)))  # the way back up
        self.enlarge = nn.ModuleList(
            nn.ConvTranspose2d(widths[level + 1], widths[level], 2, stride=2) for level in levels
        )
        self.up = nn.ModuleList(
            _convolutions((1 + skips) * widths[level], widths[level], padded, norm) for level in levels
        )
        self.score = nn.Conv2d(width, num_classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """The logits.

        Raises:
            ValueError: without padding, the picture's size isn't one that can be halved so often.
        """
        height, width = images.shape[-2:]
        x = self._extended(images) if self.padded else self._fitting(images)
        passed = []
        for convolutions in self.down[:-1]:
            x = convolutions(x)
            passed.append(x)
            x = self.pool(x)
        x = self.down[-1](x)
        for enlarge, convolutions in zip(self.enlarge, self.up, strict=True):
            x = enlarge(x)
            across = passed.pop()
            if self.skips:
                # Without padding, the map from across is larger; what fits is its middle.
                top, left = ((a - b) // 2 for a, b in zip(across.shape[-2:], x.shape[-2:], strict=True))
                across = across[..., top : top + x.shape[-2], left : left + x.shape[-1]]
                x = torch.cat([across, x], 1)
            x = convolutions(x)
        logits = self.score(x)
        return logits[..., :height, :width] if self.padded else logits

    def _extended(self, images: Tensor) -> Tensor:
        below, right = (-side % 2**self.depth for side in images.shape[-2:])
        return F.pad(images, (0, right, 0, below), mode="replicate") if below or right else images

    def _fitting(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        if not (self._fits(height) and self._fits(width)):
            fitting = [next(side for side in count(each) if self._fits(side)) for each in (height, width)]
            raise ValueError(
                f"without padding, a picture of {height}x{width} can't be halved {self.depth} times without a rest; "
                f"the next larger size that can is {fitting[0]}x{fitting[1]}"
            )
        return images

    def _fits(self, side: int) -> bool:
        for _ in range(self.depth):
            if side % 2:
                return False
            side = (side - 4) // 2  # two convolutions, one pooling
        side -= 4
        for _ in range(self.depth):
            if side < 1:
                return False
            side = 2 * side - 4
        return side > 0


def _convolutions(before: int, after: int, padded: bool, norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (before, after):
        layers.append(nn.Conv2d(channels, after, 3, padding=int(padded), bias=not norm))
        layers += [nn.BatchNorm2d(after), nn.ReLU()] if norm else [nn.ReLU()]
    return nn.Sequential(*layers)


@dataclass(frozen=True)
class Step:
    """A map on its way through a U-Net, and what made it.

    Attributes:
        name: "picture", "extended" (to a size that can be halved), "convolution", "pooling", "up-convolution", "skip"
            (after concatenation), "scores" or "cut" (back to the picture's size).
        channels, height, width: of the map.
        level: 0 at the top of the U, ``depth`` at its bottom.
        side: "down" is the left of the U, with its bottom; "up" is the right.
        partner: for a skip, the place in the list of the step whose map comes across; None for all others.
    """

    name: str
    channels: int
    height: int
    width: int
    level: int
    side: Side
    partner: int | None = None


def trace(network: UNet, size: tuple[int, int]) -> list[Step]:
    """All maps that a picture of this height and width becomes in the network, in their order.

    Nothing is worked out by a formula: a copy of the network without numbers (on torch's device "meta") takes such a
    picture, and each layer is asked what it gave.

    Raises:
        ValueError: the network can't take a picture of that size.
    """
    ghost = copy.deepcopy(network).to("meta").eval()
    steps: list[Step] = []

    def record(maps: Tensor, name: str, level: int, side: Side) -> None:
        _, channels, height, width = maps.shape
        if name in ("extended", "cut") and (height, width) == (steps[-1].height, steps[-1].width):
            return
        facing = [place for place, step in enumerate(steps) if (step.level, step.side) == (level, "down")]
        partner = facing[-1] if name == "skip" else None
        steps.append(Step(name, channels, height, width, level, side, partner))

    def taken_by(module: nn.Module, name: str, level: int, side: Side) -> None:
        module.register_forward_pre_hook(lambda _module, given: record(given[0], name, level, side))

    def made_by(module: nn.Module, name: str, level: int, side: Side) -> None:
        module.register_forward_hook(lambda _module, _given, maps: record(maps, name, level, side))

    for level, convolutions in enumerate(ghost.down):
        taken_by(convolutions, "pooling" if level else "extended", level, "down")
        for layer in convolutions.children():
            if isinstance(layer, nn.Conv2d):
                made_by(layer, "convolution", level, "down")
    for level, enlarge, convolutions in zip(
        reversed(range(ghost.depth)), ghost.enlarge, ghost.up, strict=True
    ):
        made_by(enlarge, "up-convolution", level, "up")
        if ghost.skips:
            taken_by(convolutions, "skip", level, "up")
        for layer in convolutions.children():
            if isinstance(layer, nn.Conv2d):
                made_by(layer, "convolution", level, "up")
    made_by(ghost.score, "scores", 0, "up")

    picture = torch.empty(1, ghost.in_channels, *size, device="meta")
    record(picture, "picture", 0, "down")
    with torch.no_grad():
        record(ghost(picture), "cut", 0, "up")
    return steps
