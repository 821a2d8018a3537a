"""As a textbook would write it: modules of torch.nn, F.interpolate, slices."""

import torch
import torch.nn.functional as F
from torch import nn


def convolutionalize(fc, kernel_size=1):
    channels = fc.in_features // kernel_size**2
    conv = nn.Conv2d(channels, fc.out_features, kernel_size, bias=fc.bias is not None, dtype=fc.weight.dtype)
    with torch.no_grad():
        conv.weight.copy_(fc.weight.view(fc.out_features, channels, kernel_size, kernel_size))
        if fc.bias is not None:
            conv.bias.copy_(fc.bias)
    return conv


def enlarge(x, size):
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


@torch.no_grad()
def heat_map(trunk, head, images):
    trunk.eval()
    head.eval()
    scores = head(trunk(images)[-1])
    return F.softmax(enlarge(scores, images.shape[-2:]), dim=1)


def hottest(heat, share=0.05):
    count = max(1, round(share * heat.numel()))
    chosen = heat.flatten().topk(count).indices
    mask = torch.zeros(heat.numel(), dtype=torch.bool)
    mask[chosen] = True
    return mask.view(heat.shape)


def peak(heat):
    index = heat.argmax().item()
    return index // heat.shape[1], index % heat.shape[1]


def to_labels(grey, values):
    labels = torch.full(grey.shape, 255, dtype=torch.int64)
    for number, value in enumerate(values):
        labels[grey == value] = number
    return labels


def resize_masks(masks, height, width):
    return F.interpolate(masks[:, None].float(), size=(height, width), mode="nearest")[:, 0].long()


def iou(counts):
    counts = counts.double()
    intersection = counts.diagonal()
    union = counts.sum(0) + counts.sum(1) - intersection
    return intersection / union  # 0 / 0 is nan


def total(counts):
    return counts.sum(0) if counts.ndim == 3 else counts


def mean_iou(counts):
    return iou(total(counts)).nanmean().item()


def pixel_accuracy(counts):
    counts = total(counts).double()
    return (counts.trace() / counts.sum()).item()


def transposed_size(size, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    return (size - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1


def overlaps(size, kernel_size, stride):
    counts = [0] * ((size - 1) * stride + kernel_size)
    for unit in range(size):
        for position in range(unit * stride, unit * stride + kernel_size):
            counts[position] += 1
    return counts


def bilinear_upsampling(channels, stride):
    kernel_size = 2 * stride - stride % 2
    padding = stride // 2
    layer = nn.ConvTranspose2d(channels, channels, kernel_size, stride, padding, bias=False)
    centre = (kernel_size - 1) / 2
    triangle = 1 - (torch.arange(kernel_size) - centre).abs() / stride
    with torch.no_grad():
        layer.weight.zero_()
        for channel in range(channels):
            layer.weight[channel, channel] = triangle[:, None] * triangle[None, :]
    return layer


def segmentation_loss(logits, masks):
    if (masks == 255).all():
        return 0 * logits.sum()
    return F.cross_entropy(logits, masks, ignore_index=255)


class FCN(nn.Module):
    def __init__(self, trunk, num_classes, skips=0):
        super().__init__()
        self.trunk = trunk
        self.scores = nn.ModuleList(
            nn.Conv2d(channels, num_classes, kernel_size=1) for channels in trunk.channels[3 - skips :]
        )

    def forward(self, images):
        features = self.trunk(images)[-len(self.scores) :]
        result = self.scores[-1](features[-1])
        for score, feature in zip(self.scores[-2::-1], features[-2::-1], strict=True):
            result = enlarge(result, feature.shape[-2:]) + score(feature)
        return enlarge(result, images.shape[-2:])


@torch.no_grad()
def segment(model, images):
    model.eval()
    return model(images).argmax(dim=1)


def dilate(trunk, output_stride=8):
    for number in range(1, 4):
        before = max(1, trunk.strides[number - 1] // output_stride)
        after = max(1, trunk.strides[number] // output_stride)
        if after == 1:
            continue
        for position, block in enumerate(trunk.stages[number]):
            first = before if position == 0 else after
            block.conv1.stride = (1, 1)
            block.conv1.dilation = block.conv1.padding = (first, first)
            block.conv2.dilation = block.conv2.padding = (after, after)
            if block.downsample is not None:
                block.downsample[0].stride = (1, 1)
    trunk.strides = tuple(min(stride, output_stride) for stride in trunk.strides)
    return trunk


def field_by_gradient(network, height, width):
    network.eval()
    reached = torch.zeros(height, width, dtype=torch.bool)
    for _ in range(12):
        image = torch.randn(1, 3, height, width, requires_grad=True)
        features = network(image)
        h, w = features.shape[-2:]
        unit = features[0, :, h // 2, w // 2]
        (gradient,) = torch.autograd.grad(unit.abs().sum(), image)
        reached |= (gradient[0] != 0).any(0)
    if not reached.any():
        return 0, 0
    rows = reached.any(dim=1).nonzero()
    columns = reached.any(dim=0).nonzero()
    return (rows.max() - rows.min() + 1).item(), (columns.max() - columns.min() + 1).item()


def center_crop(features, height, width):
    top = (features.shape[2] - height) // 2
    left = (features.shape[3] - width) // 2
    return features[:, :, top : top + height, left : left + width]


class DecoderStep(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(in_channels + skip_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )

    def forward(self, x, skip):
        return self.convolutions(torch.cat([enlarge(x, skip.shape[-2:]), skip], dim=1))


def class_weights(pixels):
    frequencies = pixels / pixels.sum()
    occurs = pixels > 0
    weights = torch.zeros(len(pixels))
    weights[occurs] = frequencies[occurs].median() / frequencies[occurs]
    return weights
