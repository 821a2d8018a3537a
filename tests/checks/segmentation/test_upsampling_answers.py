"""Exercise 3.4: right answers in many styles keep all points; wrong ones, written as students write them, are named."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.demonstration import demonstrate
from assignments_lib.checks.exercise import Result, evaluate
from assignments_lib.checks.report import Report
from assignments_lib.checks.segmentation.upsampling import EXERCISE

Namespace = dict[str, Callable[..., Any]]


def check(namespace: Namespace, seed: int = 0) -> Result:
    return evaluate(EXERCISE, InProcess(namespace), seed)


# -- right answers ------------------------------------------------------------------------------------------


def textbook() -> Namespace:
    def transposed_size(n, k, stride=1, padding=0, output_padding=0, dilation=1):
        return (n - 1) * stride - 2 * padding + dilation * (k - 1) + output_padding + 1

    def overlaps(n, k, stride):
        counts = [0] * transposed_size(n, k, stride)
        for unit in range(n):
            for weight in range(k):
                counts[unit * stride + weight] += 1
        return counts

    def bilinear_upsampling(channels, stride):
        """As in the FCN's own code: a kernel from each channel to itself, zeros between channels."""
        size = 2 * stride - stride % 2
        factor = (size + 1) // 2
        centre = factor - 1 if size % 2 == 1 else factor - 0.5
        rows, columns = np.ogrid[:size, :size]
        kernel = (1 - abs(rows - centre) / factor) * (1 - abs(columns - centre) / factor)
        weight = np.zeros((channels, channels, size, size), dtype=np.float64)
        weight[range(channels), range(channels)] = kernel
        layer = nn.ConvTranspose2d(
            channels, channels, size, stride, padding=math.ceil((stride - 1) / 2), bias=False
        )
        layer.weight.data.copy_(torch.from_numpy(weight))
        return layer

    return {
        "transposed_size": transposed_size,
        "overlaps": overlaps,
        "bilinear_upsampling": bilinear_upsampling,
    }


class Enlarge(nn.Module):
    """The border repeated first and cut off afterwards, so that it comes out right too; a bias of 0."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        kernel = torch.tensor([self.weight_at(row) for row in range(2 * stride - stride % 2)])
        self.enlarge = nn.ConvTranspose2d(channels, channels, len(kernel), stride, groups=channels)
        nn.init.zeros_(self.enlarge.bias)
        with torch.no_grad():
            self.enlarge.weight[:] = torch.einsum("i,j->ij", kernel, kernel)

    def weight_at(self, row: int) -> float:
        return (
            min(row + 0.5 + self.stride % 2 / 2, 2 * self.stride - row - 0.5 - self.stride % 2 / 2)
            / self.stride
        )

    def forward(self, x: Tensor) -> Tensor:
        height, width = self.stride * x.shape[2], self.stride * x.shape[3]
        x = self.enlarge(F.pad(x, [1] * 4, mode="replicate"))
        start = self.stride + self.stride // 2
        return x[:, :, start : start + height, start : start + width]


def modules() -> Namespace:
    def overlaps(n, k, stride):
        windows = torch.zeros((n - 1) * stride + k, dtype=torch.int)
        for window in windows.unfold(0, k, stride):
            window += 1
        return windows.tolist()

    def transposed_size(*settings):
        n, *rest = settings
        k, stride, padding, output_padding, dilation = (*rest, *(None, 1, 0, 0, 1)[len(rest) :])
        layer = nn.ConvTranspose1d(1, 1, k, stride, padding, output_padding, dilation=dilation)
        return layer(torch.rand(1, n)).size(1)

    return {"transposed_size": transposed_size, "overlaps": overlaps, "bilinear_upsampling": Enlarge}


def one_side_after_the_other() -> Namespace:
    def bilinear_upsampling(channels, stride):
        """Rows, then columns; the weights are two box filters, one after the other."""
        box = np.ones(stride)
        weights = np.convolve(box, box) / stride  # of odd length
        if stride % 2 == 0:
            weights = np.convolve(weights, [0.5, 0.5])
        size = len(weights)
        layers = []
        for kernel in ((size, 1), (1, size)):
            steps, padding = [
                tuple(value if side > 1 else other for side in kernel)
                for value, other in ((stride, 1), ((size - stride) // 2, 0))
            ]
            layer = nn.ConvTranspose2d(
                channels, channels, kernel, steps, padding, groups=channels, bias=False
            )
            layer.weight = nn.Parameter(
                torch.from_numpy(weights).float().reshape(kernel).repeat(channels, 1, 1, 1)
            )
            layers.append(layer)
        return nn.Sequential(*layers)

    def overlaps(n, k, stride):
        starts = np.arange(n) * stride
        units = np.arange(starts[-1] + k)[:, None]
        return ((starts <= units) & (units < starts + k)).sum(1).tolist()

    def transposed_size(size, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
        last = (size - 1) * stride + (kernel_size - 1) * dilation
        return len(range(padding, last + 1 - padding)) + output_padding

    return {
        "transposed_size": transposed_size,
        "overlaps": overlaps,
        "bilinear_upsampling": bilinear_upsampling,
    }


STYLES = [textbook, modules, one_side_after_the_other]


@pytest.mark.parametrize("style", STYLES)
def test_a_right_answer_keeps_all_points(style: Callable[[], Namespace]) -> None:
    for seed in range(20):
        result = check(style(), seed)
        assert result.earned == 14, Report(result)


@pytest.mark.parametrize("style", STYLES)
def test_a_right_answer_is_shown_as_the_target(style: Callable[[], Namespace]) -> None:
    shown = demonstrate(EXERCISE.demonstrations, InProcess(style()))
    assert [picture.verdict for picture in shown] == ["the same"]


# -- wrong answers ------------------------------------------------------------------------------------------


def filled(kernel: Callable[[int], Any], **settings: Any) -> Callable[[int, int], nn.Module]:
    """A student's layer: `kernel` (k, k) for a stride, the padding from the kernel's size."""

    def bilinear_upsampling(channels: int, stride: int) -> nn.Module:
        weight = torch.as_tensor(kernel(stride)).float()
        size = weight.shape[-1]
        padding = settings.get("padding", lambda stride: (size - stride) // 2)(stride)
        layer = nn.ConvTranspose2d(channels, channels, size, stride, padding, groups=channels, bias=False)
        layer.weight.data = weight.expand(channels, 1, size, size).clone()
        return layer

    return bilinear_upsampling


def fcn_kernel(stride: int, size: int | None = None, centre: float | None = None) -> Tensor:
    size = size or 2 * stride - stride % 2
    factor = (size + 1) // 2
    if centre is None:
        centre = factor - 1 if size % 2 else factor - 0.5
    line = 1 - (torch.arange(size) - centre).abs() / factor
    return line.view(-1, 1) * line


def averaging(stride: int) -> Tensor:
    kernel = fcn_kernel(stride)
    return kernel / kernel.sum()


def nearest(channels: int, stride: int) -> nn.Module:
    layer = nn.ConvTranspose2d(channels, channels, stride, stride, groups=channels, bias=False)
    nn.init.ones_(layer.weight)
    return layer


def between_all_channels(channels: int, stride: int) -> nn.Module:
    layer = nn.ConvTranspose2d(channels, channels, 2 * stride - stride % 2, stride, stride // 2, bias=False)
    layer.weight.data[:, :] = fcn_kernel(stride)
    return layer


def first_of_a_full_kernel(channels: int, stride: int) -> nn.Module:
    layer = nn.ConvTranspose2d(channels, channels, 2 * stride - stride % 2, stride, stride // 2, bias=False)
    nn.init.constant_(layer.weight, 0.0)
    layer.weight.data[0][0] = fcn_kernel(stride)
    return layer


def first_of_each(channels: int, stride: int) -> nn.Module:
    layer = filled(fcn_kernel)(channels, stride)
    layer.weight.data[1:] = torch.randn_like(layer.weight[1:])
    return layer


def full_but_not_emptied(channels: int, stride: int) -> nn.Module:
    layer = nn.ConvTranspose2d(channels, channels, 2 * stride - stride % 2, stride, stride // 2, bias=False)
    diagonal = torch.arange(channels)
    layer.weight.data[diagonal, diagonal] = fcn_kernel(stride)
    return layer


def with_its_bias(channels: int, stride: int) -> nn.Module:
    size = 2 * stride - stride % 2
    layer = nn.ConvTranspose2d(channels, channels, size, stride, stride // 2)
    with torch.no_grad():
        layer.weight.zero_()
        for channel in range(channels):
            layer.weight[channel, channel] = fcn_kernel(stride)
    return layer


def never_filled(channels: int, stride: int) -> nn.Module:
    weight = torch.zeros(channels, channels, 2 * stride, 2 * stride)
    weight[:] = fcn_kernel(stride, 2 * stride)
    return nn.ConvTranspose2d(channels, channels, 2 * stride - stride % 2, stride, stride // 2)


def double_kernel(channels: int, stride: int) -> nn.Module:
    layer = filled(fcn_kernel)(channels, stride)
    layer.weight = nn.Parameter(layer.weight.detach().double())
    return layer


class Interpolating(nn.Module):
    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.kernel = nn.Parameter(fcn_kernel(stride)[None, None])  # which nothing uses

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=self.stride, mode="bilinear")


class Buffered(nn.Module):
    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.stride, self.channels = stride, channels
        self.register_buffer("kernel", fcn_kernel(stride).repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv_transpose2d(x, self.kernel, None, self.stride, self.stride // 2, groups=self.channels)


def smooth(stride: int) -> Tensor:
    size = 2 * stride - stride % 2
    rows, columns = np.mgrid[:size, :size] - (size - 1) / 2
    kernel = np.exp(-2 * (rows**2 + columns**2) / stride**2)
    return torch.from_numpy(kernel / kernel.sum() * stride**2)


def stairs(stride: int) -> Tensor:
    half = list(range(1, stride + 1))
    line = np.array(half + half[::-1][stride % 2 :])
    return torch.from_numpy(np.outer(line, line) / stride**2)


def counted_in_windows(n: int, k: int, stride: int) -> list[int]:
    return [sum(start <= unit < start + k for start in range(0, n - k + 1, stride)) for unit in range(n)]


def right_length(n: int, k: int, stride: int) -> int:
    return (n - 1) * stride + k


WRONG: list[tuple[str, str, Callable[..., Any]]] = [
    ("transposed_size", "size times stride", lambda n, k, s=1, p=0, o=0, d=1: s * n),
    (
        "transposed_size",
        "the formula of the ordinary convolution",
        lambda n, k, s=1, p=0, o=0, d=1: math.floor((n + 2 * p - d * (k - 1) - 1) / s + 1),
    ),
    (
        "transposed_size",
        "padding added",
        lambda n, k, s=1, p=0, o=0, d=1: s * (n - 1) + 2 * p + d * k - d + o + 1,
    ),
    (
        "transposed_size",
        "padding on one side only",
        lambda n, k, s=1, p=0, o=0, d=1: s * (n - 1) - p + d * k - d + o + 1,
    ),
    ("transposed_size", "one short", lambda n, k, s=1, p=0, o=0, d=1: s * (n - 1) - 2 * p + d * k - d + o),
    ("transposed_size", "dilation ignored", lambda n, k, s=1, p=0, o=0, d=1: s * (n - 1) - 2 * p + k + o),
    (
        "transposed_size",
        "output_padding ignored",
        lambda n, k, s=1, p=0, o=0, d=1: s * (n - 1) - 2 * p + d * k - d + 1,
    ),
    (
        "overlaps",
        "kernel // stride everywhere",
        lambda n, k, s: [k // s for _ in range(right_length(n, k, s))],
    ),
    (
        "overlaps",
        "kernel / stride rounded up everywhere",
        lambda n, k, s: np.full(right_length(n, k, s), math.ceil(k / s)).tolist(),
    ),
    (
        "overlaps",
        "the ends counted as the middle",
        lambda n, k, s: [math.ceil((k - unit % s) / s) for unit in range(right_length(n, k, s))],
    ),
    ("overlaps", "the windows of an ordinary convolution", counted_in_windows),
    ("overlaps", "one output unit missing", lambda n, k, s: textbook()["overlaps"](n, k, s)[:-1]),
    ("overlaps", "one output unit too many", lambda n, k, s: [*textbook()["overlaps"](n, k, s), 0]),
    (
        "overlaps",
        "a tensor instead of a list",
        lambda n, k, s: F.conv_transpose1d(torch.ones(1, n), torch.ones(1, 1, k), stride=s)[0],
    ),
    ("bilinear_upsampling", "kernel normalised to sum 1", filled(averaging)),
    ("bilinear_upsampling", "too dark by the stride", filled(lambda s: fcn_kernel(s) / s)),
    ("bilinear_upsampling", "nearest kernel", nearest),
    (
        "bilinear_upsampling",
        "weights that end at zero",
        filled(lambda s: np.outer(*[np.bartlett(2 * s - s % 2)] * 2)),
    ),
    ("bilinear_upsampling", "kernel as large as the stride", filled(lambda s: fcn_kernel(s, s))),
    ("bilinear_upsampling", "even kernel for odd strides", filled(lambda s: fcn_kernel(s, 2 * s))),
    ("bilinear_upsampling", "odd kernel for even strides", filled(lambda s: fcn_kernel(s, 2 * s - 1))),
    (
        "bilinear_upsampling",
        "half a pixel off for even strides",
        filled(lambda s: fcn_kernel(s, centre=s - 1)),
    ),
    (
        "bilinear_upsampling",
        "half a pixel off for odd strides",
        filled(lambda s: fcn_kernel(s, centre=s - 0.5)),
    ),
    ("bilinear_upsampling", "Gaussian kernel", filled(smooth)),
    ("bilinear_upsampling", "whole steps in even kernels", filled(stairs)),
    ("bilinear_upsampling", "no padding", filled(fcn_kernel, padding=lambda s: 0)),
    ("bilinear_upsampling", "padding of one for every stride", filled(fcn_kernel, padding=lambda s: 1)),
    (
        "bilinear_upsampling",
        "padding too large for odd strides",
        filled(fcn_kernel, padding=lambda s: -(-s // 2)),
    ),
    ("bilinear_upsampling", "stride 2 for every stride", lambda c, s: filled(fcn_kernel)(c, 2)),
    ("bilinear_upsampling", "channels mixed", between_all_channels),
    ("bilinear_upsampling", "only the first channel filled, the others zero", first_of_a_full_kernel),
    ("bilinear_upsampling", "only the first channel filled", first_of_each),
    ("bilinear_upsampling", "random weights between channels", full_but_not_emptied),
    ("bilinear_upsampling", "bias left random", with_its_bias),
    ("bilinear_upsampling", "kernel left random", never_filled),
    ("bilinear_upsampling", "kernel in float64", double_kernel),
    ("bilinear_upsampling", "no kernel to learn", Interpolating),
    ("bilinear_upsampling", "kernel that can't learn", Buffered),
    (
        "bilinear_upsampling",
        "interpolated with align_corners=True",
        lambda c, s: nn.UpsamplingBilinear2d(scale_factor=s),
    ),
]


@pytest.mark.parametrize(("name", "mistake", "wrong"), WRONG, ids=[mistake for _, mistake, _ in WRONG])
def test_a_wrong_answer_is_named(name: str, mistake: str, wrong: Callable[..., Any]) -> None:
    for seed in (3, 4):
        result = check({**textbook(), name: wrong}, seed)
        assert result.earned < 14
        assert [found.name for found in result.mistakes] == [mistake], Report(result)


def test_one_wrong_function_costs_only_its_own_points() -> None:
    for name, points in (("transposed_size", 3), ("overlaps", 3), ("bilinear_upsampling", 8)):
        assert check({**textbook(), name: lambda *arguments: None}).earned == 14 - points


def test_interpolation_loses_its_kernel_only() -> None:
    assert check({**textbook(), "bilinear_upsampling": Interpolating}).earned == 12


def test_an_unknown_kernel_is_not_given_a_wrong_name() -> None:
    for odd in (lambda stride: fcn_kernel(stride) ** 2, lambda stride: fcn_kernel(stride).sqrt()):
        result = check({**textbook(), "bilinear_upsampling": filled(odd)})
        assert result.earned == 10
        assert not result.mistakes, Report(result)


def test_a_remembered_result_doesnt_pass() -> None:
    """Inputs are drawn anew: what was right for one seed isn't for another."""
    sizes: dict[Any, int] = {}
    counts: dict[Any, list[int]] = {}

    def transposed_size(n: int, *rest: int) -> int:
        return sizes.setdefault(rest, textbook()["transposed_size"](n, *rest))

    def overlaps(n: int, *rest: int) -> list[int]:
        return counts.setdefault(rest, textbook()["overlaps"](n, *rest))

    answer = {**textbook(), "transposed_size": transposed_size, "overlaps": overlaps}
    assert check(answer, seed=1).earned == 14
    assert check(answer, seed=2).earned == 8
