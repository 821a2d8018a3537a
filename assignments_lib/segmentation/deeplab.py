"""DeepLabv3+: dilated convolutions of several rates look near and far at once, and a small decoder finds the borders.

L.-C. Chen, G. Papandreou, F. Schroff and H. Adam, Rethinking Atrous Convolution for Semantic Image Segmentation, 2017
(arXiv 1706.05587), "v3" below; L.-C. Chen, Y. Zhu, G. Papandreou, F. Schroff and H. Adam, Encoder-Decoder with Atrous
Separable Convolution for Semantic Image Segmentation, ECCV 2018 (arXiv 1802.02611), "v3+".
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assignments_lib.trunk import Trunk

_RATES = (6, 12, 18)  # at an output stride of 16 (v3, section 3.3)


class SeparableConv2d(nn.Sequential):
    """A convolution in two steps: each channel by itself over space, then all channels at each place.

    (N, in_channels, H, W) -> (N, out_channels, H, W), of the same size. A full 3x3 convolution has 9 * in * out
    weights, this one 9 * in + in * out. (F. Chollet, Xception, CVPR 2017, arXiv 1610.02357; with dilation it is the
    "atrous separable convolution" of v3+, section 3.1.)
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 3, dilation: int = 1, bias: bool = False
    ) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(
            in_channels,
            in_channels,
            kernel_size,
            padding="same",
            dilation=dilation,
            groups=in_channels,
            bias=False,
        )
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=bias)


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling (v3, section 3.3): (N, in_channels, H, W) -> (N, out_channels, H, W).

    Five branches look at the same map: a 1x1 convolution, three 3x3 convolutions of different dilation, and the mean of
    the whole map. A 1x1 convolution mixes them. The map may be small: where a rate is larger than the map, the outer
    weights see only padding, and the 3x3 convolution is no more than its centre (v3, section 3.3). That is why the
    mean is there.

    The papers have BatchNorm in the branch of the mean too. There one number of each channel is left of a picture, and
    in training BatchNorm refuses a batch of one. Here this branch has a bias instead, and needs no batch.

    Args:
        in_channels: of the map.
        out_channels: of each branch, and of the result.
        rates: dilation of the 3x3 convolutions: (6, 12, 18) where a map has a unit for every 16 pixels, and twice as
            much where it has one for every 8.
        separable: make the 3x3 convolutions separable, as in v3+ (section 3.1).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int = 256,
        rates: Sequence[int] = _RATES,
        *,
        separable: bool = False,
    ) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [_normed(nn.Conv2d(in_channels, out_channels, 1, bias=False), out_channels)]
        )
        for rate in rates:
            convolution = (
                SeparableConv2d(in_channels, out_channels, dilation=rate)
                if separable
                else nn.Conv2d(in_channels, out_channels, 3, padding=rate, dilation=rate, bias=False)
            )
            self.branches.append(_normed(convolution, out_channels))
        self.whole = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(in_channels, out_channels, 1), nn.ReLU()
        )
        self.mix = _normed(
            nn.Conv2d((2 + len(rates)) * out_channels, out_channels, 1, bias=False), out_channels
        )

    def forward(self, x: Tensor) -> Tensor:
        """The mixed map."""
        seen = [branch(x) for branch in self.branches]
        seen.append(self.whole(x).expand_as(seen[0]))  # the same at every place
        return self.mix(torch.cat(seen, 1))  # (N, 5 * out_channels, H, W) -> (N, out_channels, H, W)


class DeepLabV3Plus(nn.Module):
    """Images (N, 3, H, W) of any size -> logits (N, num_classes, H, W).

    The trunk's last map goes through `ASPP` and is enlarged to the size of its first. That one says where exactly the
    borders are; it is reduced to 48 channels, so that it doesn't drown the other (v3+, section 4.1). Two separable 3x3
    convolutions of 256 channels join them.

    Args:
        trunk: dilated or not. The papers dilate it to an output stride of 16 or 8.
        num_classes: of the logits.
        rates: of `ASPP`; when None, those that reach as far in pixels as (6, 12, 18) at stride 16, by the trunk's own
            last stride: doubled at 8, as in v3, and halved at 32.
    """

    def __init__(self, trunk: Trunk, num_classes: int, rates: Sequence[int] | None = None) -> None:
        super().__init__()
        self.trunk = trunk
        if rates is None:
            rates = [max(1, rate * 16 // trunk.strides[-1]) for rate in _RATES]
        self.aspp = ASPP(trunk.channels[-1], 256, rates, separable=True)
        self.reduce = _normed(nn.Conv2d(trunk.channels[0], 48, 1, bias=False), 48)
        self.decoder = nn.Sequential(
            _normed(SeparableConv2d(256 + 48, 256), 256), _normed(SeparableConv2d(256, 256), 256)
        )
        self.score = nn.Conv2d(256, num_classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """The logits."""
        fine, *_, coarse = self.trunk(images)
        context = _enlarged(self.aspp(coarse), fine.shape[-2:])
        x = self.decoder(torch.cat([context, self.reduce(fine)], 1))
        return _enlarged(self.score(x), images.shape[-2:])


def _normed(convolution: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU())


def _enlarged(maps: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=False)
