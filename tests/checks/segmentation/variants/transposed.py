"""All enlarging inside networks by transposed convolutions with full kernels, cropped at the bottom and right."""

from math import ceil

import torch
from torch import nn
from torch.nn.functional import cross_entropy, interpolate


def convolutionalize(fc, kernel_size=1):
    shape = (fc.out_features, fc.in_features // kernel_size**2, kernel_size, kernel_size)
    conv = nn.Conv2d(shape[1], shape[0], kernel_size)
    conv.weight = nn.Parameter(fc.weight.detach().clone().reshape(shape))
    conv.bias = None if fc.bias is None else nn.Parameter(fc.bias.detach().clone())
    return conv


def heat_map(trunk, head, images):
    trunk, head = trunk.eval(), head.eval()
    enlarge = nn.Upsample(size=tuple(images.shape[2:]), mode="bilinear")
    with torch.no_grad():
        *_, coarsest = trunk(images)
        return nn.Softmax2d()(enlarge(head(coarsest)))


def hottest(heat, share=0.05):
    height, width = heat.shape
    k = max(round(share * height * width), 1)
    order = heat.reshape(-1).argsort(descending=True)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order))
    return (rank < k).reshape(height, width)


def peak(heat):
    row = heat.max(dim=1).values.argmax()
    return int(row), int(heat[row].argmax())


def to_labels(grey, values):
    table = torch.full((256,), 255)
    table[torch.tensor(values)] = torch.arange(len(values))
    return table[grey.long()]


def resize_masks(masks, height, width):
    resized = interpolate(masks.double().unsqueeze(1), (height, width), mode="nearest-exact")
    return resized.squeeze(1).to(masks.dtype)


def iou(counts):
    hits = torch.diag(counts)
    targets, predictions = counts.sum(dim=1), counts.sum(dim=0)
    return hits.to(torch.float64) / (targets + predictions - hits).to(torch.float64)


def mean_iou(counts):
    c = counts.shape[-1]
    ious = iou(counts.view(-1, c, c).sum(0))
    occurring = ious[~ious.isnan()]
    return float(occurring.mean())  # the mean of nothing is nan


def pixel_accuracy(counts):
    right = torch.diagonal(counts, dim1=-2, dim2=-1).sum()
    return float(right.double() / counts.sum())


def transposed_size(size, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    spread = (size - 1) * stride + 1  # the units with zeros between them
    kernel = (kernel_size - 1) * dilation + 1
    return spread + kernel - 1 - 2 * padding + output_padding


def overlaps(size, kernel_size, stride):
    layer = nn.ConvTranspose1d(1, 1, kernel_size, stride, bias=False)
    nn.init.ones_(layer.weight)
    with torch.no_grad():
        return layer(torch.ones(1, 1, size)).flatten().round().int().tolist()


def bilinear_upsampling(channels, stride):
    k = 2 * stride - stride % 2
    factor = (k + 1) // 2
    centre = factor - 1 if k % 2 == 1 else factor - 0.5
    ramp = 1 - (torch.arange(k, dtype=torch.float64) - centre).abs() / factor
    layer = nn.ConvTranspose2d(channels, channels, k, stride, ceil((stride - 1) / 2), bias=False)
    kernel = torch.einsum("ab,i,j->abij", torch.eye(channels, dtype=torch.float64), ramp, ramp)
    layer.weight.data.copy_(kernel)
    return layer


def segmentation_loss(logits, masks):
    total = cross_entropy(logits, masks, ignore_index=255, reduction="sum")
    return total / (masks != 255).sum().clamp(min=1)


class FCN(nn.Module):
    def __init__(self, trunk, num_classes, skips=0):
        super().__init__()
        self.trunk = trunk
        self.skips = skips
        strides = [*trunk.strides[::-1][: skips + 1], 1]
        for k in range(skips + 1):
            self.add_module(f"score{k}", nn.Conv2d(trunk.channels[3 - k], num_classes, 1))
            factor = strides[k] // strides[k + 1]
            up = bilinear_upsampling(num_classes, factor) if factor > 1 else nn.Identity()
            self.add_module(f"up{k}", up)

    def forward(self, images):
        maps = self.trunk(images)[::-1]
        x = self.score0(maps[0])
        for k in range(self.skips + 1):
            last = k == self.skips
            target = images if last else maps[k + 1]
            x = getattr(self, f"up{k}")(x)[:, :, : target.shape[2], : target.shape[3]]
            if not last:
                x = x + getattr(self, f"score{k + 1}")(target)
        return x


def segment(model, images):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        classes = model(images).max(dim=1).indices
    model.train(was_training)
    return classes


def set_dilation(conv, rate):
    conv.stride = (1, 1)
    if conv.kernel_size == (3, 3):
        conv.dilation = (rate, rate)
        conv.padding = (rate, rate)


def dilate(trunk, output_stride=8):
    strides, rate = [], 1
    for stage, stride in zip(trunk.stages, trunk.strides, strict=True):
        new_rate = max(1, stride // output_stride)
        if new_rate > 1:
            for number, block in enumerate(stage):
                set_dilation(block.conv1, rate if number == 0 else new_rate)
                set_dilation(block.conv2, new_rate)
                if block.downsample is not None:
                    set_dilation(block.downsample[0], new_rate)
        rate = new_rate
        strides.append(stride // new_rate)
    trunk.strides = strides
    return trunk


def field_by_gradient(network, height, width):
    training = network.training
    network.eval()
    heat = torch.zeros(height, width)
    for seed in range(12):
        generator = torch.Generator().manual_seed(seed)
        image = torch.randn(1, 3, height, width, generator=generator).requires_grad_()
        y = network(image)
        unit = y[:, :, y.shape[2] // 2, y.shape[3] // 2]
        weights = torch.rand(unit.shape, generator=generator) + 0.5
        gradient = torch.autograd.grad((weights * unit).sum(), image)[0]
        heat += gradient.abs().sum(dim=(0, 1))
    network.train(training)
    sides = []
    for profile in (heat.sum(1), heat.sum(0)):
        places = torch.where(profile > 0)[0].tolist()
        sides.append(places[-1] - places[0] + 1 if places else 0)
    return sides[0], sides[1]


def center_crop(features, height, width):
    down, right = features.shape[2] - height, features.shape[3] - width
    top, left = down // 2, right // 2
    return features[..., top : features.shape[2] - (down - top), left : features.shape[3] - (right - left)]


class DecoderStep(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        between = max(1, in_channels // 2)
        self.up = nn.ConvTranspose2d(in_channels, between, kernel_size=2, stride=2)
        self.conv1 = nn.Conv2d(between + skip_channels, out_channels, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(out_channels)

    def forward(self, x, skip):
        x = self.up(x)[:, :, : skip.shape[2], : skip.shape[3]]
        x = torch.cat((skip, x), 1)
        x = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(x)))


def class_weights(pixels):
    median = pixels[pixels > 0].median()
    return torch.where(pixels > 0, median / pixels, 0.0).float()
