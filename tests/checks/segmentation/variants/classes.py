"""Many small classes: subclasses of convolutions, blocks in place of blocks, crops from the middle."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class HeadConvolution(nn.Conv2d):
    def __init__(self, fc, kernel_size):
        channels = fc.in_features // kernel_size**2
        super().__init__(channels, fc.out_features, kernel_size, bias=fc.bias is not None)
        self.to(fc.weight.dtype)
        for mine, theirs in zip(self.parameters(), fc.parameters(), strict=True):
            mine.data = theirs.data.clone().view_as(mine)


def convolutionalize(fc, kernel_size=1):
    return HeadConvolution(fc, kernel_size)


class Evaluation:
    """`with Evaluation(model, ...):` evaluation mode and no gradients; afterwards everything as before."""

    def __init__(self, *models, gradients=False):
        self.modes = {module: module.training for model in models for module in model.modules()}
        self.models, self.grad_mode = models, torch.set_grad_enabled
        self.gradients, self.before = gradients, torch.is_grad_enabled()

    def __enter__(self):
        for model in self.models:
            model.eval()
        torch.set_grad_enabled(self.gradients)

    def __exit__(self, *error):
        torch.set_grad_enabled(self.before)
        for module, training in self.modes.items():
            module.training = training


class HeatMap(nn.Module):
    def __init__(self, trunk, head):
        super().__init__()
        self.trunk, self.head, self.softmax = trunk, head, nn.Softmax(dim=1)

    def forward(self, images):
        enlarge = nn.Upsample(size=tuple(images.shape[2:]), mode="bilinear", align_corners=False)
        return self.softmax(enlarge(self.head(self.trunk(images)[-1])))


def heat_map(trunk, head, images):
    with Evaluation(trunk, head):
        return HeatMap(trunk, head)(images)


class Heat:
    def __init__(self, heat):
        self.heat, self.width = heat, heat.shape[-1]

    def order(self):
        return torch.sort(self.heat.ravel(), descending=True).indices

    def top(self, count):
        return torch.isin(torch.arange(self.heat.numel()), self.order()[:count]).view(self.heat.shape)

    def first(self):
        index = int(self.order()[0])
        return index // self.width, index % self.width


def hottest(heat, share=0.05):
    return Heat(heat).top(max(1, round(share * heat.numel())))


def peak(heat):
    return Heat(heat).first()


class Palette(dict):
    """Grey value -> class number; 255 for those it doesn't know."""

    def __missing__(self, value):
        return 255


def to_labels(grey, values):
    palette = Palette({value: number for number, value in enumerate(values)})
    found, where = grey.unique(return_inverse=True)
    return torch.tensor([palette[value] for value in found.tolist()])[where]


def resize_masks(masks, height, width):
    grid = torch.cartesian_prod(
        ((torch.arange(height) + 0.5) / height * masks.shape[1]).long(),
        ((torch.arange(width) + 0.5) / width * masks.shape[2]).long(),
    )
    return masks[:, grid[:, 0], grid[:, 1]].view(-1, height, width)


@dataclass
class Confusion:
    counts: Tensor

    @classmethod
    def of(cls, counts):
        return cls(counts if counts.ndim == 2 else counts.sum(dim=0))

    @property
    def hits(self):
        return self.counts.diagonal().double()

    @property
    def union(self):
        return self.counts.sum(0).double() + self.counts.sum(1).double() - self.hits

    @property
    def occurs(self):
        return self.union > 0

    @property
    def iou(self):
        return self.hits / self.union

    @property
    def mean_iou(self):
        return self.iou[self.occurs].mean().item()

    @property
    def accuracy(self):
        return (self.hits.sum() / self.counts.sum()).item()


def iou(counts):
    return Confusion(counts).iou


def mean_iou(counts):
    return Confusion.of(counts).mean_iou


def pixel_accuracy(counts):
    return Confusion.of(counts).accuracy


@dataclass
class TransposedConvolution:
    kernel_size: int
    stride: int = 1
    padding: int = 0
    output_padding: int = 0
    dilation: int = 1

    def stamp(self, unit):
        start = unit * self.stride - self.padding
        return range(start, start + self.dilation * (self.kernel_size - 1) + 1, self.dilation)

    def size(self, size):
        return self.stamp(size - 1)[-1] + 1 - self.padding + self.output_padding


def transposed_size(size, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    return TransposedConvolution(kernel_size, stride, padding, output_padding, dilation).size(size)


def overlaps(size, kernel_size, stride):
    layer = TransposedConvolution(kernel_size, stride)
    return [sum(out in layer.stamp(unit) for unit in range(size)) for out in range(layer.size(size))]


class Bilinear(nn.ConvTranspose2d):
    """Depthwise; without padding, so that a crop from its middle is the enlarged map."""

    def __init__(self, channels, factor):
        size = 2 * factor - factor % 2
        super().__init__(channels, channels, size, stride=factor, groups=channels, bias=False)

    def reset_parameters(self):
        size, factor = self.kernel_size[0], self.stride[0]
        tent = 1 - (torch.arange(size) - (size - 1) / 2).abs() / factor
        self.weight.data.copy_(torch.outer(tent, tent))

    def forward(self, x, height=None, width=None):
        factor = self.stride[0]
        return center_crop(super().forward(x), height or factor * x.shape[2], width or factor * x.shape[3])


def bilinear_upsampling(channels, stride):
    return Bilinear(channels, stride)


class SegmentationLoss(nn.CrossEntropyLoss):
    def __init__(self):
        super().__init__(ignore_index=255, reduction="mean")

    def forward(self, logits, masks):
        if masks.ne(self.ignore_index).any():
            return super().forward(logits, masks)
        return logits.mul(0).sum()


segmentation_loss = SegmentationLoss()


class Score(nn.Conv2d):
    def __init__(self, channels, num_classes, zero):
        super().__init__(channels, num_classes, kernel_size=1)
        if zero:
            nn.init.zeros_(self.weight)
            nn.init.zeros_(self.bias)


class Skip(nn.Module):
    def __init__(self, channels, num_classes, factor):
        super().__init__()
        self.score = Score(channels, num_classes, zero=True)
        self.up = Bilinear(num_classes, factor)

    def forward(self, coarse, feature):
        return self.up(coarse, *feature.shape[2:]) + self.score(feature)


class FCN(nn.Module):
    def __init__(self, trunk, num_classes, skips=0):
        super().__init__()
        self.trunk = trunk
        self.head = Score(trunk.channels[-1], num_classes, zero=False)
        self.skips = nn.ModuleList()
        for k in range(2, 2 - skips, -1):
            factor = trunk.strides[k + 1] // trunk.strides[k]
            self.skips.append(Skip(trunk.channels[k], num_classes, factor))
        self.last = Bilinear(num_classes, trunk.strides[3 - skips])

    def forward(self, images):
        features = self.trunk(images)
        scores = self.head(features.pop())
        for skip in self.skips:
            scores = skip(scores, features.pop())
        return self.last(scores, *images.shape[2:])


def segment(model, images):
    with Evaluation(model):
        return model(images).argmax(1)


class DilatedBlock(nn.Module):
    """In a BasicBlock's place, with its layers, and with convolutions of other rates on the same weights."""

    def __init__(self, block, first, second):
        super().__init__()
        self.conv1 = self.dilated(block.conv1, first)
        self.bn1 = block.bn1
        self.relu = block.relu
        self.conv2 = self.dilated(block.conv2, second)
        self.bn2 = block.bn2
        self.downsample = block.downsample
        if self.downsample is not None:
            self.downsample[0].stride = (1, 1)
        self.training = block.training

    @staticmethod
    def dilated(conv, rate):
        new = nn.Conv2d(conv.in_channels, conv.out_channels, 3, padding=rate, dilation=rate, bias=False)
        new.weight = conv.weight
        return new.train(conv.training)

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.relu(y + shortcut)


def dilate(trunk, output_stride=8):
    for k in (1, 2, 3):
        old, new = (max(1, stride // output_stride) for stride in trunk.strides[k - 1 : k + 1])
        if new > 1:
            first, *others = trunk.stages[k]
            blocks = [DilatedBlock(first, old, new), *(DilatedBlock(block, new, new) for block in others)]
            trunk.stages[k] = nn.Sequential(*blocks).train(trunk.stages[k].training)
    trunk.strides = tuple(min(stride, output_stride) for stride in trunk.strides)
    return trunk


class Box:
    """The smallest rectangle around what is added."""

    def __init__(self, height, width):
        self.reached = torch.zeros(height, width)

    def add(self, heat):
        self.reached += heat

    def sides(self):
        places = self.reached.nonzero()
        if len(places) == 0:
            return 0, 0
        low, high = places.aminmax(dim=0)
        height, width = (high - low + 1).tolist()
        return height, width


class Frozen:
    """`with Frozen(network):` no parameter takes part in the graph; afterwards those that did do again."""

    def __init__(self, network):
        self.parameters = [p for p in network.parameters() if p.requires_grad]

    def __enter__(self):
        for parameter in self.parameters:
            parameter.requires_grad_(False)

    def __exit__(self, *error):
        for parameter in self.parameters:
            parameter.requires_grad_(True)


def field_by_gradient(network, height, width):
    box = Box(height, width)
    with Evaluation(network, gradients=True), Frozen(network):
        for _ in range(12):
            image = torch.randn(1, 3, height, width, requires_grad=True)
            features = network(image)
            row, column = (side // 2 for side in features.shape[2:])
            features[0, :, row, column].pow(2).sum().backward()
            box.add(image.grad[0].abs().sum(0))
    return box.sides()


class Middle:
    def __init__(self, size):
        self.size = size

    def of(self, available):
        start = (available - self.size) // 2
        return slice(start, start + self.size)


def center_crop(features, height, width):
    rows, columns = Middle(height).of(features.shape[2]), Middle(width).of(features.shape[3])
    return features[:, :, rows, columns]


class ConvNormReLU(nn.Sequential):
    def __init__(self, in_channels, out_channels):
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=1),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class FitTo(nn.Module):
    """Zeros around what is too small, as many on both sides as can be."""

    def forward(self, x, like):
        down, right = like.shape[2] - x.shape[2], like.shape[3] - x.shape[3]
        return F.pad(x, [right // 2, right - right // 2, down // 2, down - down // 2])


class DecoderStep(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, in_channels, 3, stride=2, padding=1)  # 2h - 1
        self.fit = FitTo()
        self.first = ConvNormReLU(in_channels + skip_channels, out_channels)
        self.second = ConvNormReLU(out_channels, out_channels)

    def forward(self, x, skip):
        return self.second(self.first(torch.cat([skip, self.fit(self.up(x), skip)], dim=1)))


class MedianFrequency:
    def __init__(self, pixels):
        self.frequencies = pixels.double() / pixels.sum()
        self.occurs = pixels > 0

    def weights(self):
        median = self.frequencies[self.occurs].median()
        return torch.where(self.occurs, median / self.frequencies, 0.0).to(torch.float32)


def class_weights(pixels):
    return MedianFrequency(pixels).weights()
