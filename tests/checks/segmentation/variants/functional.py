"""Functions wherever a module isn't asked for; modules hold parameters made by hand, and call F."""

from functools import reduce

import torch
import torch.nn.functional as F
from torch import nn


class Convolution(nn.Module):
    def __init__(self, weight, bias):
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.register_parameter("bias", bias if bias is None else nn.Parameter(bias))

    def forward(self, x):
        return F.conv2d(x, self.weight, self.bias)


def convolutionalize(fc, kernel_size=1):
    weight = fc.weight.detach().clone().unflatten(1, (-1, kernel_size, kernel_size))
    return Convolution(weight, None if fc.bias is None else fc.bias.detach().clone())


def bilinear(x, like):
    return F.interpolate(x, like.shape[2:], mode="bilinear")


def heat_map(trunk, head, images):
    modes = [(module, module.training) for root in (trunk, head) for module in root.modules()]
    for root in (trunk, head):
        root.eval()
    with torch.inference_mode():
        heat = bilinear(head(trunk(images)[-1]), images).softmax(dim=1)
    for module, training in modes:
        module.training = training
    return heat


def hottest(heat, share=0.05):
    k = max(1, round(share * heat.numel()))
    return heat >= heat.flatten().topk(k).values[-1]


def peak(heat):
    return divmod(int(heat.argmax()), heat.size(1))


def to_labels(grey, values):
    def paint(labels, pair):
        number, value = pair
        return labels.masked_fill(grey == value, number)

    return reduce(paint, enumerate(values), torch.full_like(grey, 255, dtype=torch.int64))


def resize_masks(masks, height, width):
    rows = torch.arange(height) * masks.shape[1] // height
    columns = torch.arange(width) * masks.shape[2] // width
    return masks.index_select(1, rows).index_select(2, columns)


def iou(counts):
    hits = counts.diagonal()
    union = counts.sum(0) + counts.sum(1) - hits
    return torch.where(union > 0, hits / union.double(), torch.nan)


def mean_iou(counts):
    return torch.nanmean(iou(reduce(torch.add, counts) if counts.dim() > 2 else counts))


def pixel_accuracy(counts):
    return counts.diagonal(dim1=-1, dim2=-2).sum().div(counts.sum())


def transposed_size(size, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    x, kernel = torch.empty(1, 1, size, device="meta"), torch.empty(1, 1, kernel_size, device="meta")
    # torch itself takes no output_padding from the stride on; it only adds to the size.
    y = F.conv_transpose1d(x, kernel, stride=stride, dilation=dilation)
    return y.shape[-1] - 2 * padding + output_padding


def overlaps(size, kernel_size, stride):
    reached = F.conv_transpose1d(torch.ones(1, size), torch.ones(1, 1, kernel_size), stride=stride)
    return [int(count) for count in reached[0]]


def bilinear_upsampling(channels, stride):
    """Its kernel is what F.interpolate makes of a single 1."""
    impulse = F.pad(torch.ones(1, 1, 1, 1), [1, 1, 1, 1])
    kernel = F.interpolate(impulse, scale_factor=stride, mode="bilinear")
    layer = nn.ConvTranspose2d(
        channels, channels, 3 * stride, stride, padding=stride, groups=channels, bias=False
    )
    layer.weight = nn.Parameter(kernel.repeat(channels, 1, 1, 1))
    return layer


def segmentation_loss(logits, masks):
    counted = masks.ne(255)
    losses = F.nll_loss(F.log_softmax(logits, 1), masks, ignore_index=255, reduction="none")
    return losses.sum() / counted.sum().clamp_min(1)


class FCN(nn.Module):
    def __init__(self, trunk, num_classes, skips=0):
        super().__init__()
        self.trunk = trunk
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for number, channels in enumerate(trunk.channels[::-1][: skips + 1]):
            weight = torch.zeros(num_classes, channels, 1, 1)
            self.weights.append(weight.normal_(std=0.05) if number == 0 else weight)  # skips start at 0
            self.biases.append(torch.zeros(num_classes))

    def forward(self, images):
        features = self.trunk(images)[::-1]
        scores = [F.conv2d(*these) for these in zip(features, self.weights, self.biases, strict=False)]
        return bilinear(reduce(lambda coarse, fine: bilinear(coarse, fine) + fine, scores), images)


def segment(model, images):
    modes = {module: module.training for module in model.modules()}
    with torch.inference_mode():
        classes = F.softmax(model.eval()(images), dim=1).argmax(1)
    for module, training in modes.items():
        module.training = training
    return classes


def dilate(trunk, output_stride=8):
    def with_rates(block, first, second):
        for conv, rate in ((block.conv1, first), (block.conv2, second)):
            vars(conv).update(stride=(1, 1), padding=(rate, rate), dilation=(rate, rate))
        if block.downsample is not None:
            block.downsample[0].stride = (1, 1)

    rates = [max(1, stride // output_stride) for stride in trunk.strides]
    for stage, before, after in zip(trunk.stages[1:], rates, rates[1:], strict=False):
        if after > 1:
            firsts = [before] + [after] * (len(stage) - 1)
            for block, first in zip(stage, firsts, strict=True):
                with_rates(block, first, after)
    trunk.strides = tuple(map(int.__floordiv__, trunk.strides, rates))
    return trunk


def field_by_gradient(network, height, width):
    frozen = {name: tensor.detach() for name, tensor in network.state_dict().items()}
    modes = {module: module.training for module in network.modules()}
    network.eval()

    def unit(image):
        y = torch.func.functional_call(network, frozen, (image,))
        return y[0, :, y.size(2) // 2, y.size(3) // 2]

    def reached(image):
        value, pull = torch.func.vjp(unit, image)
        return pull(torch.rand_like(value) + 0.1)[0].abs().amax((0, 1))

    heat = sum(reached(torch.randn(1, 3, height, width)) for _ in range(12))
    for module, training in modes.items():
        module.training = training

    def extent(profile):
        places = profile.nonzero()[:, 0]
        return int(places[-1] - places[0]) + 1 if len(places) else 0

    return extent(heat.amax(1)), extent(heat.amax(0))


def center_crop(features, height, width):
    def middle(x, dim, size):
        return x.narrow(dim, (x.size(dim) - size) // 2, size)

    return middle(middle(features, 2, height), 3, width)


class DecoderStep(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = nn.Parameter(torch.randn(in_channels, in_channels, 3, 3) / (9 * in_channels) ** 0.5)
        inputs = [in_channels + skip_channels, out_channels]
        self.kernels = nn.ParameterList(
            torch.randn(out_channels, channels, 3, 3) / (4.5 * channels) ** 0.5 for channels in inputs
        )
        self.scales = nn.ParameterList(torch.ones(out_channels) for _ in inputs)
        self.shifts = nn.ParameterList(torch.zeros(out_channels) for _ in inputs)
        self.register_buffer("means", torch.zeros(2, out_channels))
        self.register_buffer("variances", torch.ones(2, out_channels))

    def forward(self, x, skip):
        extra = [skip.size(dim) - (2 * x.size(dim) - 1) for dim in (2, 3)]  # 0 or 1
        x = F.conv_transpose2d(x, self.up, stride=2, padding=1, output_padding=extra)
        x = torch.cat([x, skip], 1)
        for k in range(2):
            x = F.conv2d(x, self.kernels[k], padding=1)
            x = F.batch_norm(
                x, self.means[k], self.variances[k], self.scales[k], self.shifts[k], self.training
            )
            x = F.relu(x)
        return x


def class_weights(pixels):
    occurring = pixels[pixels > 0]
    return (
        occurring.median().div(pixels).nan_to_num(posinf=0.0) if len(occurring) else torch.zeros(len(pixels))
    )
