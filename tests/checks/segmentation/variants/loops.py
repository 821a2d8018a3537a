"""Plain Python: loops, lists and floats; bilinear enlarging written out row by row."""

import math
import random

import torch
from torch import nn


def convolutionalize(fc, kernel_size=1):
    k, number = kernel_size, 0
    conv = nn.Conv2d(fc.in_features // (k * k), fc.out_features, k, bias=fc.bias is not None).to(fc.weight)
    with torch.no_grad():
        for channel in range(conv.in_channels):
            for row in range(k):
                for column in range(k):
                    conv.weight[:, channel, row, column] = fc.weight[:, number]
                    number += 1
        if fc.bias is not None:
            conv.bias[:] = fc.bias
    return conv


def stretch(x, size, dim):
    """Linear interpolation along one side."""
    before, lines = x.shape[dim], []
    for i in range(size):
        place = min(max((i + 0.5) * before / size - 0.5, 0.0), before - 1.0)
        low = math.floor(place)
        high = min(low + 1, before - 1)
        share = place - low
        lines.append((1 - share) * x.select(dim, low) + share * x.select(dim, high))
    return torch.stack(lines, dim)


def enlarge(x, height, width):
    return stretch(stretch(x, height, 2), width, 3)


def heat_map(trunk, head, images):
    for module in (trunk, head):
        module.eval()
    pictures = []
    with torch.no_grad():
        for image in images.split(1):
            scores = enlarge(head(trunk(image)[3]), image.shape[2], image.shape[3])
            powers = [score.exp() for score in (scores - scores.amax(1, keepdim=True)).unbind(1)]
            pictures.append(torch.stack([power / sum(powers) for power in powers], 1))
    return torch.cat(pictures)


def hottest(heat, share=0.05):
    height, width = heat.shape
    values = sorted((float(v) for row in heat for v in row), reverse=True)
    threshold = values[max(1, round(share * height * width)) - 1]
    return torch.tensor([[v >= threshold for v in row] for row in heat.tolist()])


def peak(heat):
    best, place = -math.inf, (0, 0)
    for y, row in enumerate(heat.tolist()):
        for x, value in enumerate(row):
            if value > best:
                best, place = value, (y, x)
    return place


def to_labels(grey, values):
    number = {value: k for k, value in enumerate(values)}
    labels = [[[number.get(g, 255) for g in row] for row in picture] for picture in grey.tolist()]
    return torch.tensor(labels)


def resize_masks(masks, height, width):
    old_height, old_width = masks.shape[1:]
    pictures = masks.tolist()
    return torch.tensor(
        [
            [
                [picture[y * old_height // height][x * old_width // width] for x in range(width)]
                for y in range(height)
            ]
            for picture in pictures
        ]
    )


def added_up(counts):
    matrices = counts.tolist() if counts.ndim == 3 else [counts.tolist()]
    classes = range(counts.shape[-1])
    return [[sum(matrix[t][p] for matrix in matrices) for p in classes] for t in classes]


def iou(counts):
    table, classes, result = counts.tolist(), range(len(counts)), []
    for c in classes:
        union = sum(table[t][p] for t in classes for p in classes if c in (t, p))
        result.append(table[c][c] / union if union else math.nan)
    return torch.tensor(result, dtype=torch.float64)


def mean_iou(counts):
    known = [v for v in iou(torch.tensor(added_up(counts))).tolist() if not math.isnan(v)]
    return sum(known) / len(known) if known else math.nan


def pixel_accuracy(counts):
    table = added_up(counts)
    pixels = sum(map(sum, table))
    return sum(table[c][c] for c in range(len(table))) / pixels if pixels else math.nan


def transposed_size(size, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    furthest = 0
    for unit in range(size):
        for tap in range(kernel_size):
            furthest = max(furthest, unit * stride + tap * dilation)
    return furthest + 1 - 2 * padding + output_padding


def overlaps(size, kernel_size, stride):
    length = transposed_size(size, kernel_size, stride)
    return [sum(0 <= out - unit * stride < kernel_size for unit in range(size)) for out in range(length)]


def bilinear_upsampling(channels, stride):
    size = 2 * stride if stride % 2 == 0 else 2 * stride - 1
    layer = nn.ConvTranspose2d(channels, channels, size, stride, padding=math.ceil((stride - 1) / 2))
    middle = (size - 1) / 2
    with torch.no_grad():
        layer.bias.fill_(0.0)
        for a in range(channels):
            for b in range(channels):
                for y in range(size):
                    for x in range(size):
                        value = (1 - abs(y - middle) / stride) * (1 - abs(x - middle) / stride)
                        layer.weight[a, b, y, x] = value if a == b else 0.0
    return layer


def segmentation_loss(logits, masks):
    total, pixels = 0.0 * logits.sum(), 0
    for scores, mask in zip(logits, masks, strict=True):
        normalizer = scores.logsumexp(0)
        for number, score in enumerate(scores):
            here = mask == number
            total = total + (normalizer - score)[here].sum()
            pixels += int(here.sum())
    return total / max(pixels, 1)


class FCN(nn.Module):
    def __init__(self, trunk, num_classes, skips=0):
        super().__init__()
        self.trunk, self.skips = trunk, skips
        self.coarse = nn.Conv2d(trunk.channels[3], num_classes, 1)
        if skips >= 1:
            self.middle = nn.Conv2d(trunk.channels[2], num_classes, 1)
        if skips >= 2:
            self.fine = nn.Conv2d(trunk.channels[1], num_classes, 1)

    def forward(self, images):
        _, fine, middle, coarse = self.trunk(images)
        scores = self.coarse(coarse)
        if self.skips >= 1:
            scores = self.middle(middle) + enlarge(scores, middle.shape[2], middle.shape[3])
        if self.skips >= 2:
            scores = self.fine(fine) + enlarge(scores, fine.shape[2], fine.shape[3])
        return enlarge(scores, images.shape[2], images.shape[3])


def segment(model, images):
    model.eval()
    result = []
    for image in images:
        with torch.no_grad():
            scores = model(image.unsqueeze(0)).squeeze(0)
        best, number = scores[0], torch.zeros(scores.shape[1:], dtype=torch.int64)
        for c in range(1, len(scores)):
            better = scores[c] > best
            number[better] = c
            best = torch.maximum(best, scores[c])
        result.append(number)
    return torch.stack(result)


def dilate(trunk, output_stride=8):
    strides, rate = list(trunk.strides), 1
    for number, stage in enumerate(trunk.stages):
        if trunk.strides[number] <= output_stride:
            continue
        strides[number] = output_stride
        for name, layer in stage.named_modules():
            if not isinstance(layer, nn.Conv2d):
                continue
            layer.stride = (1, 1)
            if "downsample" in name:
                continue
            now = rate if name == "0.conv1" else trunk.strides[number] // output_stride
            layer.padding = layer.dilation = (now, now)
        rate = trunk.strides[number] // output_stride
    trunk.strides = tuple(strides)
    return trunk


def field_by_gradient(network, height, width):
    network.eval()
    rows, columns = set(), set()
    for _ in range(12):
        image = torch.rand(1, 3, height, width) * random.uniform(1, 4) - 1
        image.requires_grad_(True)
        features = network(image)
        h, w = features.shape[2], features.shape[3]
        unit = 0.0
        for channel in range(features.shape[1]):
            unit = unit + random.uniform(0.5, 2.0) * features[0, channel, h // 2, w // 2]
        (gradient,) = torch.autograd.grad(unit, image)
        for y in range(height):
            if bool((gradient[0, :, y] != 0).any()):
                rows.add(y)
        for x in range(width):
            if bool((gradient[0, :, :, x] != 0).any()):
                columns.add(x)
    if not rows:
        return 0, 0
    return max(rows) - min(rows) + 1, max(columns) - min(columns) + 1


def center_crop(features, height, width):
    while features.shape[2] > height:
        features = features[:, :, :-1] if (features.shape[2] - height) % 2 else features[:, :, 1:]
    while features.shape[3] > width:
        features = features[..., :-1] if (features.shape[3] - width) % 2 else features[..., 1:]
    return features


class DecoderStep(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.layers = nn.ModuleList()
        for channels in (in_channels + skip_channels, out_channels):
            self.layers.append(nn.Conv2d(channels, out_channels, 3, 1, 1))
            self.layers.append(nn.BatchNorm2d(out_channels))
            self.layers.append(nn.ReLU())

    def forward(self, x, skip):
        height, width = skip.shape[2], skip.shape[3]
        x = torch.stack([x[:, :, row // 2] for row in range(height)], 2)  # each unit twice
        x = torch.stack([x[..., column // 2] for column in range(width)], 3)
        x = torch.cat([x, skip], 1)
        for layer in self.layers:
            x = layer(x)
        return x


def class_weights(pixels):
    counts = [int(n) for n in pixels]
    occurring = sorted(n / sum(counts) for n in counts if n > 0)
    median = occurring[(len(occurring) - 1) // 2] if occurring else 0.0
    return torch.tensor([median / (n / sum(counts)) if n > 0 else 0.0 for n in counts], dtype=torch.float32)
