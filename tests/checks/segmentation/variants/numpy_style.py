"""numpy wherever no gradient is needed; the transposed convolutions see a border of copied units."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def convolutionalize(fc, kernel_size=1):
    weight = fc.weight.detach().cpu().numpy().copy()
    weight = weight.reshape(len(weight), -1, kernel_size, kernel_size)
    conv = nn.Conv2d(weight.shape[1], weight.shape[0], kernel_size, bias=fc.bias is not None)
    conv.weight.data = torch.from_numpy(weight)
    if fc.bias is not None:
        conv.bias.data = torch.from_numpy(fc.bias.detach().cpu().numpy().copy())
    return conv


def heat_map(trunk, head, images):
    trunk.eval(), head.eval()
    with torch.no_grad():
        scores = F.interpolate(head(trunk(images)[-1]), images.shape[-2:], mode="bilinear").numpy()
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return torch.from_numpy(powers / powers.sum(axis=1, keepdims=True))


def hottest(heat, share=0.05):
    values = heat.detach().numpy()
    k = max(1, round(share * values.size))
    mask = np.zeros(values.size, dtype=bool)
    mask[np.argpartition(values, values.size - k, axis=None)[-k:]] = True
    return torch.from_numpy(mask.reshape(values.shape))


def peak(heat):
    values = heat.detach().numpy()
    row, column = np.unravel_index(np.argmax(values), values.shape)
    return int(row), int(column)


def to_labels(grey, values):
    table = np.full(256, 255, dtype=np.int64)
    table[values] = np.arange(len(values))
    return torch.from_numpy(table[grey.numpy()])


def resize_masks(masks, height, width):
    labels = masks.numpy()
    rows = ((np.arange(height) + 0.5) * labels.shape[1] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * labels.shape[2] / width).astype(int)
    return torch.from_numpy(labels[:, rows][:, :, columns])


def iou(counts):
    matrix = counts.numpy().astype(np.float64)
    hits = np.diag(matrix)
    union = matrix.sum(axis=0) + matrix.sum(axis=1) - hits
    return torch.from_numpy(np.divide(hits, union, out=np.full(len(hits), np.nan), where=union > 0))


def mean_iou(counts):
    if counts.ndim == 2:
        counts = counts[None]
    ious = iou(counts.sum(dim=0)).numpy()
    present = ~np.isnan(ious)
    return float(ious[present].mean()) if present.any() else float("nan")


def pixel_accuracy(counts):
    matrices = counts.numpy()
    if matrices.sum() == 0:
        return float(np.nan)
    return float(np.trace(matrices, axis1=-2, axis2=-1).sum() / matrices.sum())


def transposed_size(size, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    starts = np.arange(size) * stride
    return int(starts[-1] + dilation * (kernel_size - 1) + 1 - 2 * padding + output_padding)


def overlaps(size, kernel_size, stride):
    spread = np.zeros((size - 1) * stride + 1, dtype=int)
    spread[::stride] = 1
    return np.convolve(spread, np.ones(kernel_size, dtype=int)).tolist()


class Bilinear(nn.Module):
    """Exactly F.interpolate's values, borders included: the outermost units are copied once more outside."""

    def __init__(self, channels, stride):
        super().__init__()
        size = 2 * stride - stride % 2
        profile = 1 - np.abs(np.arange(size) - (size - 1) / 2) / stride
        kernel = np.broadcast_to(np.outer(profile, profile), (channels, 1, size, size))
        self.up = nn.ConvTranspose2d(
            channels, channels, size, stride, padding=stride + stride // 2, groups=channels, bias=False
        )
        self.up.weight.data = torch.tensor(kernel.copy(), dtype=torch.float32)

    def forward(self, x):
        return self.up(F.pad(x, (1, 1, 1, 1), mode="replicate"))


def bilinear_upsampling(channels, stride):
    return Bilinear(channels, stride)


def segmentation_loss(logits, masks):
    counted = masks != 255
    rows = logits.moveaxis(1, -1)[counted]  # (pixels, C)
    targets = masks[counted]
    picked = rows.log_softmax(dim=1)[np.arange(len(targets)), targets]
    return -picked.sum() / max(1, len(targets))


class FCN(nn.Module):
    def __init__(self, trunk, num_classes, skips=0):
        super().__init__()
        self.trunk = trunk
        self.used = np.arange(3, 2 - skips, -1).tolist()  # 3, 2, 1: coarsest first
        strides = np.array([trunk.strides[k] for k in self.used] + [1])
        factors = (strides[:-1] // strides[1:]).tolist()
        self.score = nn.ModuleList([nn.Conv2d(trunk.channels[k], num_classes, 1) for k in self.used])
        self.up = nn.ModuleList(
            [Bilinear(num_classes, factor) if factor > 1 else nn.Identity() for factor in factors]
        )

    def forward(self, images):
        features = self.trunk(images)
        total = 0
        for k, score, up in zip(self.used, self.score, self.up, strict=True):
            total = up(score(features[k]) + total)
            height, width = (features[k - 1] if k > self.used[-1] else images).shape[-2:]
            total = total[..., :height, :width]
        return total


def segment(model, images):
    model.eval()
    with torch.no_grad():
        logits = model(images).numpy()
    return torch.from_numpy(np.argmax(logits, axis=1))


def dilate(trunk, output_stride=8):
    strides = np.array(trunk.strides)
    rates = np.maximum(1, strides // output_stride)
    trunk.strides = tuple(np.minimum(strides, output_stride).tolist())
    for k in np.flatnonzero(rates > 1).tolist():
        blocks = list(trunk.stages[k])
        convs = [conv for block in blocks for conv in (block.conv1, block.conv2)]
        per_conv = np.full(len(convs), rates[k])
        per_conv[0] = rates[k - 1]
        for conv, rate in zip(convs, per_conv.tolist(), strict=True):
            conv.stride, conv.dilation, conv.padding = (1, 1), (rate, rate), (rate, rate)
        if blocks[0].downsample is not None:
            blocks[0].downsample[0].stride = (1, 1)
    return trunk


def field_by_gradient(network, height, width):
    network.eval()
    rng = np.random.default_rng()
    heat = np.zeros((height, width))
    for _ in range(12):
        image = torch.tensor(rng.normal(size=(1, 3, height, width)), dtype=torch.float32, requires_grad=True)
        output = network(image)
        _, channels, h, w = output.shape
        direction = np.zeros(output.shape, dtype=np.float32)
        direction[0, :, h // 2, w // 2] = rng.uniform(0.5, 1.5, channels)
        (gradient,) = torch.autograd.grad(output, image, torch.from_numpy(direction))
        heat += np.abs(gradient.numpy()).sum(axis=(0, 1))
    rows, columns = np.nonzero(heat)
    if rows.size == 0:
        return 0, 0
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def center_crop(features, height, width):
    rows = np.arange(height) + (features.shape[2] - height) // 2
    columns = np.arange(width) + (features.shape[3] - width) // 2
    return features[:, :, rows[:, None], columns]


class DecoderStep(nn.Module):
    """2h - 1 rows from the transposed convolution, and a copy of the last one where the skip has 2h."""

    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1)
        channels = np.cumsum([out_channels, skip_channels]).tolist()[-1]
        self.first = nn.Sequential(
            nn.Conv2d(channels, out_channels, 3, padding="same", bias=False), nn.BatchNorm2d(out_channels)
        )
        self.second = nn.Sequential(
            nn.Conv2d(out_channels, out_channels, 3, padding="same", bias=False), nn.BatchNorm2d(out_channels)
        )

    def forward(self, x, skip):
        x = self.up(x)
        below, right = np.subtract(skip.shape[2:], x.shape[2:]).tolist()
        x = F.pad(x, (0, right, 0, below), mode="replicate")
        x = self.first(torch.cat([x, skip], dim=1)).clamp(min=0)
        return self.second(x).clamp(min=0)


def class_weights(pixels):
    counts = pixels.numpy().astype(np.float64)
    frequencies = counts / max(counts.sum(), 1)
    occurs = frequencies > 0
    weights = np.zeros(len(counts), dtype=np.float32)
    if occurs.any():
        weights[occurs] = np.median(frequencies[occurs]) / frequencies[occurs]
    return torch.from_numpy(weights)
