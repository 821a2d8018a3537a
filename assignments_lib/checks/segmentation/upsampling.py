"""Exercise 3.4: transposed convolution and bilinear upsampling, against torch's own operations.

The bilinear kernel is that of Long et al. 2015, "Fully Convolutional Networks for Semantic Segmentation", section 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assignments_lib.checks.answer import Answer, Raised, Value
from assignments_lib.checks.demonstration import Demonstration
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each
from assignments_lib.checks.modules import build
from assignments_lib.datasets import doodles

# -- transposed_size ----------------------------------------------------------------------------------------


def _sizes(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """Kernel, stride and padding, the later ones left to their defaults too."""
    for settings in ((3,), (4, 2), (2, 2, 0), (4, 2, 1), (7, 3, 2), (5, 4, 1), (1, 2, 0), (16, 8, 4)):
        given = (draw.integer(3, 40), *settings)
        yield f"transposed_size{given}", answer.call("transposed_size", *given)


def _sizes_in_full(answer: Answer, draw: Draw) -> Iterator[Observation]:
    for settings in ((3, 2, 1, 1), (5, 4, 2, 3), (3, 1, 2, 0, 2), (3, 2, 1, 0, 3), (4, 3, 2, 2, 2)):
        given = (draw.integer(3, 40), *settings)
        yield f"transposed_size{given}", answer.call("transposed_size", *given)


def _transposed_size(
    size: int,
    kernel_size: int,
    stride: int = 1,
    padding: int = 0,
    output_padding: int = 0,
    dilation: int = 1,
) -> int:
    side, kernel = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel_size)
    output = F.conv_transpose1d(side, kernel, None, stride, padding, output_padding, 1, dilation)
    return output.shape[-1]


# -- overlaps -----------------------------------------------------------------------------------------------

_LAYERS = ((2, 2), (3, 2), (4, 2), (3, 1), (5, 3), (6, 3), (2, 3), (1, 1), (7, 2))  # kernel size, stride


def _lengths(answer: Answer, draw: Draw) -> Iterator[Observation]:
    for kernel_size, stride in _LAYERS:
        given = (draw.integer(4, 9), kernel_size, stride)
        counts = answer.call("overlaps", *given)
        length = len(counts) if isinstance(counts, (list, tuple, Tensor)) else counts
        yield f"number of output units in overlaps{given}", length


def _counts(answer: Answer, draw: Draw) -> Iterator[Observation]:
    for kernel_size, stride in (*_LAYERS, (9, 4)):
        given = (1 if kernel_size == 9 else draw.integer(4, 9), kernel_size, stride)
        counts = answer.call("overlaps", *given)
        yield f"overlaps{given}", list(counts) if isinstance(counts, tuple) else counts


def _stamped(size: int, kernel_size: int, stride: int) -> Tensor:
    return F.conv_transpose1d(torch.ones(1, 1, size), torch.ones(1, 1, kernel_size), stride=stride)[0, 0]


def _overlaps(size: int, kernel_size: int, stride: int) -> list[int]:
    return _stamped(size, kernel_size, stride).int().tolist()


# -- bilinear_upsampling ------------------------------------------------------------------------------------


def _outputs(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(case: tuple[int, ...]) -> Iterator[Observation]:
        stride, number, channels, height, width = case
        module = build(answer, "bilinear_upsampling", channels, stride)
        given = answer.run(module, draw.uniform(*case[1:], dtype=torch.float32)).output
        yield (
            f"shape of {number} x {channels} x {height} x {width} after bilinear_upsampling({channels}, {stride})",
            tuple(given.shape) if isinstance(given, Tensor) else given,
        )

    cases = (
        (2, 2, 3, 5, 7),
        (4, 1, 1, 6, 3),
        (3, 1, 2, 4, 6),
        (5, 2, 1, 3, 4),
        (8, 1, 2, 3, 5),
        (2, 1, 4, 1, 3),
    )
    return each(cases, observe)


def _inside(answer: Answer, draw: Draw, strides: tuple[int, ...]) -> Iterator[Observation]:
    """All but the outermost ``stride`` pixels."""

    def observe(stride: int) -> Iterator[Observation]:
        images = draw.uniform(2, 3, draw.integer(5, 6), draw.integer(7, 9), dtype=torch.float32)
        for channels in (1, 3):
            name = f"bilinear_upsampling({channels}, {stride})"
            first, second = (
                answer.run(
                    build(answer, "bilinear_upsampling", channels, stride), images[:, :channels]
                ).output
                for _ in range(2)
            )
            yield f"channels that change when {name} is made once more", _left_to_chance(first, second)
        yield f"{name} of random pictures, without the outermost {stride} pixels", _cut(first, stride)

    return each(strides, observe)


def _cut(output: Value, stride: int) -> Value:
    if not isinstance(output, Tensor) or output.ndim != 4:
        return output
    return output[..., stride:-stride, stride:-stride].detach().contiguous()


def _left_to_chance(first: Value, second: Value) -> str:
    """Which channels depend on random numbers: what is wrong there is never the same twice."""
    if not isinstance(first, Tensor) or not isinstance(second, Tensor) or first.shape != second.shape:
        return "none"
    if first.ndim != 4:
        return "none"
    gaps = (first - second).detach().movedim(1, 0).flatten(1)  # (C, ...)
    changed = [number for number, gap in enumerate(gaps) if gap.abs().max() > 1e-5]
    if not changed:
        return "none"
    by_constant = all(gap.max() - gap.min() < 1e-5 for gap in gaps)
    which = "all" if len(changed) == len(gaps) else f"channel {', '.join(map(str, changed))}"
    return f"{which}, each by a constant" if by_constant else which


def _learns(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """A kernel that may learn any stamp, not the bilinear one alone."""

    def observe(stride: int) -> Iterator[Observation]:
        name = f"bilinear_upsampling(1, {stride})"
        module = build(answer, "bilinear_upsampling", 1, stride)
        unit = torch.zeros(1, 1, 5, 5)
        unit[0, 0, 2, 2] = 1
        output = answer.run(module, unit).output
        grads = (
            answer.run(module, unit, grad_output=torch.ones(output.shape)).grads
            if isinstance(output, Tensor)
            else {}
        )
        yield f"a gradient reaches the kernel of {name}", any(bool(g.abs().sum() > 0) for g in grads.values())
        kernels = {entry.name: entry.shape for entry in answer.describe(module) if len(entry.shape) == 4}
        answer.load(module, {key: draw.uniform(*shape).float() + 0.5 for key, shape in kernels.items()})
        stamp = answer.run(module, unit).output
        different = len(stamp.unique()) if isinstance(stamp, Tensor) else 0
        # Interpolation, whatever follows it, gives few: products of the same distances.
        yield f"{name} with random numbers in its kernel stamps them all", different > stride**2

    return each((2, 3), observe)


def _triangle(size: int, half: float, centre: float) -> Tensor:
    """(size,): 1 at ``centre``, falling to 0 over ``half`` units."""
    return (1 - (torch.arange(size) - centre).abs() / half).clamp(min=0)


class _Upsampling(nn.ConvTranspose2d):
    """The kernel, stride and padding of Long et al., each of which a mistake may change."""

    def __init__(
        self,
        channels: int,
        stride: int,
        row: Callable[[int], Tensor] | None = None,
        padding: Callable[[int], int] = lambda stride: stride // 2,
        bias: bool = False,
    ) -> None:
        row = row or _bilinear_row
        kernel = torch.outer(row(stride), row(stride))
        super().__init__(channels, channels, len(kernel), stride, padding(stride), groups=channels, bias=bias)
        with torch.no_grad():
            self.weight.copy_(kernel)


def _bilinear_row(stride: int) -> Tensor:
    size = 2 * stride - stride % 2
    return _triangle(size, stride, (size - 1) / 2)


def _reference() -> Namespace:
    return {
        "transposed_size": _transposed_size,
        "overlaps": _overlaps,
        "bilinear_upsampling": _Upsampling,
    }


# -- typical mistakes ---------------------------------------------------------------------------------------


def _size(function: Callable[..., Any]) -> Namespace:
    """Another size; the defaults are as they should be."""

    def mistaken(
        size: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        output_padding: int = 0,
        dilation: int = 1,
    ) -> Any:
        return function(size, kernel_size, stride, padding, output_padding, dilation)

    return {**_reference(), "transposed_size": mistaken}


def _counting(function: Callable[[int, int, int], Any]) -> Namespace:
    return {**_reference(), "overlaps": function}


def _upsampling(function: Callable[[int, int], Any]) -> Namespace:
    return {**_reference(), "bilinear_upsampling": function}


def _kernel(row: Callable[[int], Tensor]) -> Namespace:
    """Another row of weights, its kernel as the outer product."""

    def by_size(stride: int) -> int:
        return (len(row(stride)) - stride) // 2

    return _upsampling(lambda channels, stride: _Upsampling(channels, stride, row, by_size))


def _padded(padding: Callable[[int], int]) -> Namespace:
    return _upsampling(lambda channels, stride: _Upsampling(channels, stride, padding=padding))


def _changed(change: Callable[[_Upsampling], None], bias: bool = False) -> Namespace:
    """The right layer, changed afterwards."""

    def mistaken(channels: int, stride: int) -> nn.Module:
        layer = _Upsampling(channels, stride, bias=bias)
        with torch.no_grad():
            change(layer)
        return layer

    return _upsampling(mistaken)


def _interpolation(align_corners: bool) -> Namespace:
    return _upsampling(
        lambda channels, stride: nn.Upsample(
            scale_factor=stride, mode="bilinear", align_corners=align_corners
        )
    )


def _all_to_all(fill: Callable[[Tensor, Tensor], None]) -> Namespace:
    """A kernel from every channel to every channel, (channels, channels, k, k), filled from (k, k)."""

    def mistaken(channels: int, stride: int) -> nn.Module:
        kernel = _Upsampling(1, stride).weight[0, 0]
        layer = nn.ConvTranspose2d(channels, channels, len(kernel), stride, stride // 2, bias=False)
        with torch.no_grad():
            fill(layer.weight, kernel)
        return layer

    return _upsampling(mistaken)


def _fill_everywhere(weight: Tensor, kernel: Tensor) -> None:
    weight.copy_(kernel.expand_as(weight))


def _fill_the_first(weight: Tensor, kernel: Tensor) -> None:
    weight.zero_()[0, 0] = kernel


def _fill_the_diagonal(weight: Tensor, kernel: Tensor) -> None:
    for channel in range(len(weight)):
        weight[channel, channel] = kernel


def _only_the_first(layer: _Upsampling) -> None:
    fresh = torch.empty_like(layer.weight[1:]).uniform_(-0.1, 0.1)
    layer.weight[1:] = fresh


def _leave_untouched(layer: _Upsampling) -> None:
    layer.reset_parameters()


def _freeze(layer: _Upsampling) -> None:
    layer.weight.requires_grad_(False)


def _into_double(layer: _Upsampling) -> None:
    layer.double()


def _scale(factor: Callable[[_Upsampling], float]) -> Namespace:
    def change(layer: _Upsampling) -> None:
        layer.weight.mul_(factor(layer))

    return _changed(change)


def _cone(layer: _Upsampling) -> None:
    """The sum of two triangles where their product is meant."""
    row = layer.weight[0, 0].sum(0) / layer.weight[0, 0].sum() * layer.stride[0]
    layer.weight.copy_((row[:, None] + row) / 2)


def _one_direction(layer: _Upsampling) -> None:
    row = layer.weight[0, 0].sum(0) / layer.weight[0, 0].sum() * layer.stride[0]
    layer.weight.copy_(row.expand_as(layer.weight))


def _gaussian(stride: int) -> Tensor:
    size = 2 * stride - stride % 2
    row = torch.exp(-((torch.arange(size) - (size - 1) / 2) ** 2) / (2 * (stride / 2) ** 2))
    return row / row.sum() * stride


def _whole_steps(stride: int) -> Tensor:
    """1, 2, ..., 2, 1: right for odd strides."""
    size = 2 * stride - stride % 2
    steps = torch.minimum(torch.arange(1, size + 1), torch.arange(size, 0, -1))
    return steps / steps.max()


def _ends_at_zero(stride: int) -> Tensor:
    size = 2 * stride - stride % 2
    return 1 - torch.linspace(-1, 1, size).abs()


_SIZE_MISTAKES = (
    Mistake(
        "size times stride",
        "size * stride counts a full step for every unit. The last unit's stamp is as long as the kernel: draw two "
        "units with a kernel longer than the stride.",
        _size(lambda n, k, s, p, o, d: n * s),
    ),
    Mistake(
        "the formula of the ordinary convolution",
        "This is the size that a convolution gives, which makes maps smaller. The transposed one goes the other way: "
        "solve that formula for its input size.",
        _size(lambda n, k, s, p, o, d: (n + 2 * p - d * (k - 1) - 1) // s + 1),
    ),
    Mistake(
        "padding added",
        "Padding is added. It is the padding of the convolution that is undone here, so it cuts the output.",
        _size(lambda n, k, s, p, o, d: _transposed_size(n, k, s, 0, o, d) + 2 * p),
    ),
    Mistake(
        "padding on one side only",
        "Padding is cut once. It is cut at both ends.",
        _size(lambda n, k, s, p, o, d: _transposed_size(n, k, s, 0, o, d) - p),
    ),
    Mistake(
        "padding ignored",
        "Padding plays no part. It is the padding of the convolution that is undone here, so it cuts the output.",
        _size(lambda n, k, s, p, o, d: _transposed_size(n, k, s, 0, o, d)),
    ),
    Mistake(
        "one short",
        "One unit is missing: the last unit's stamp is a whole kernel long, and not kernel - 1.",
        _size(lambda n, k, s, p, o, d: (n - 1) * s + d * (k - 1) - 2 * p + o),
    ),
    Mistake(
        "the kernel added to size times stride",
        "A stride too many: between n units there are n - 1 steps, and then comes the last one's stamp.",
        _size(lambda n, k, s, p, o, d: n * s + d * (k - 1) + 1 - 2 * p + o),
    ),
    Mistake(
        "a stride too many and a unit too few",
        "Between n units there are n - 1 steps, and the last stamp is a whole kernel long: here the 1 is subtracted in "
        "the wrong place.",
        _size(lambda n, k, s, p, o, d: n * s + d * (k - 1) - 2 * p + o),
    ),
    Mistake(
        "stride ignored in the size",
        "The stride plays no part. Neighbouring units' stamps lie that far apart.",
        _size(lambda n, k, s, p, o, d: n - 1 + d * (k - 1) + 1 - 2 * p + o),
    ),
    Mistake(
        "dilation ignored",
        "The dilation plays no part. It stretches the kernel: from its first weight to its last it is longer.",
        _size(lambda n, k, s, p, o, d: (n - 1) * s + k - 2 * p + o),
    ),
    Mistake(
        "dilation stretches the whole kernel",
        "The stretched kernel is counted too long: between k weights there are k - 1 gaps.",
        _size(lambda n, k, s, p, o, d: (n - 1) * s + d * k - 2 * p + o),
    ),
    Mistake(
        "output_padding ignored",
        "output_padding plays no part. Several input sizes of a convolution with stride lead to the same output size; "
        "it says which of them is meant.",
        _size(lambda n, k, s, p, o, d: (n - 1) * s + d * (k - 1) + 1 - 2 * p),
    ),
    Mistake(
        "output_padding on both sides",
        "output_padding is added twice. It makes the output longer at one end only.",
        _size(lambda n, k, s, p, o, d: (n - 1) * s + d * (k - 1) + 1 - 2 * p + 2 * o),
    ),
)


def _windows(size: int, kernel_size: int, stride: int) -> list[int]:
    """How many windows of an ordinary convolution each of its *input* units lies in."""
    count = torch.zeros(size, dtype=torch.int64)
    for start in range(0, size - kernel_size + 1, stride):
        count[start : start + kernel_size] += 1
    return count.tolist()


def _middle_everywhere(size: int, kernel_size: int, stride: int) -> list[int]:
    period = [len(range(phase, kernel_size, stride)) for phase in range(stride)]
    return [period[unit % stride] for unit in range(len(_overlaps(size, kernel_size, stride)))]


_OVERLAP_MISTAKES = (
    Mistake(
        "kernel // stride everywhere",
        "kernel // stride is the same for every output unit. Where the stride doesn't divide the kernel, some units "
        "get one stamp more, and near the ends there are fewer.",
        _counting(lambda n, k, s: [k // s] * len(_overlaps(n, k, s))),
    ),
    Mistake(
        "kernel / stride rounded up everywhere",
        "Every output unit has the same count. Where the stride doesn't divide the kernel counts alternate, and near "
        "the ends there are fewer stamps.",
        _counting(lambda n, k, s: [-(-k // s)] * len(_overlaps(n, k, s))),
    ),
    Mistake(
        "the ends counted as the middle",
        "The pattern of the middle goes on to the ends. The first units are reached by the first stamp only, and the "
        "last by the last: draw three stamps.",
        _counting(_middle_everywhere),
    ),
    Mistake(
        "the windows of an ordinary convolution",
        "These are the input units of an ordinary convolution, and how many windows hold each. Here each of the `size` "
        "units stamps a kernel onto a longer output.",
        _counting(_windows),
    ),
    Mistake(
        "weights of one unit counted",
        "Every output unit counts a whole kernel. How many *different* input units reach it?",
        _counting(lambda n, k, s: [k] * len(_overlaps(n, k, s))),
    ),
    Mistake(
        "the output ends at size times stride",
        "The list ends at size * stride, but the last stamp goes on for a whole kernel (or ends before). What does "
        "transposed_size give?",
        _counting(lambda n, k, s: (_overlaps(n, k, s) + [0] * s)[: n * s]),
    ),
    Mistake(
        "one output unit missing",
        "The last output unit isn't there. What does transposed_size give?",
        _counting(lambda n, k, s: _overlaps(n, k, s)[:-1]),
    ),
    Mistake(
        "one output unit too many",
        "The list is one unit too long: nothing reaches the last. What does transposed_size give?",
        _counting(lambda n, k, s: [*_overlaps(n, k, s), 0]),
    ),
    Mistake(
        "stride ignored in the overlaps",
        "All stamps lie one unit apart, as with stride 1. Unit i's stamp begins at i * stride.",
        _counting(lambda n, k, s: _overlaps(n, k, 1)),
    ),
    Mistake(
        "stamps one short",
        "Each stamp lacks its last unit. Where does range(start, stop) end?",
        _counting(
            lambda n, k, s: (_overlaps(n, k - 1, s) if k > 1 else [0] * (len(_overlaps(n, k, s)) - 1)) + [0]
        ),
    ),
    Mistake(
        "fractions instead of whole numbers",
        "The counts come as floats. Convert them with int.",
        _counting(lambda n, k, s: _stamped(n, k, s).tolist()),
    ),
    Mistake(
        "a tensor instead of a list",
        "A tensor comes back where a list of Python's integers is asked for: .tolist() makes one, of integers.",
        _counting(_stamped),
    ),
)

_UPSAMPLING_MISTAKES = (
    Mistake(
        "kernel normalised to sum 1",
        "The kernel sums to 1, so that the picture gets darker by stride squared. Each *output* pixel's weights must "
        "sum to 1, and the kernel serves stride * stride of them.",
        _scale(lambda layer: float(1 / layer.weight[0].sum())),
    ),
    Mistake(
        "too dark by the stride",
        "The picture comes out darker by the stride. For a white picture, which weights meet in one output pixel, and "
        "what do they sum to?",
        _scale(lambda layer: 1 / layer.stride[0]),
    ),
    Mistake(
        "nearest kernel",
        "Each pixel becomes a uniform square: a kernel of ones repeats the nearest pixel. Bilinear weights fall off "
        "from the kernel's centre.",
        _kernel(lambda stride: torch.ones(stride)),
    ),
    Mistake(
        "kernel of ones",
        "All weights of the large kernel are 1: output pixels sum several inputs up, and nothing falls off from the "
        "kernel's centre.",
        _kernel(lambda stride: torch.ones(2 * stride - stride % 2)),
    ),
    Mistake(
        "weights that end at zero",
        "The outermost weights are 0, as if the kernel's first and last pixel were its ends (align_corners=True). They "
        "fall to 0 beyond the kernel: at distance stride from its centre.",
        _kernel(_ends_at_zero),
    ),
    Mistake(
        "kernel as large as the stride",
        "The kernel is no larger than the stride: stamps don't overlap, and blocks show. Interpolation needs two "
        "neighbours for each pixel.",
        _kernel(lambda stride: _triangle(stride, (stride + 1) // 2, (stride - 1) / 2)),
    ),
    Mistake(
        "even kernel for odd strides",
        "For odd strides the kernel is one too large: its centre must lie on a pixel there. 2 * stride is for even "
        "strides.",
        _kernel(lambda stride: _triangle(2 * stride, stride, stride - 0.5)),
    ),
    Mistake(
        "odd kernel for even strides",
        "For even strides the kernel is one too small: its centre must lie between two pixels there.",
        _kernel(lambda stride: _triangle(2 * stride - 1, stride, stride - 1)),
    ),
    Mistake(
        "half a pixel off for even strides",
        "For even strides the picture is shifted by half a pixel: the kernel's centre lies between two pixels there, "
        "not on one.",
        _kernel(lambda s: _triangle(2 * s - s % 2, s, s - 1)),
    ),
    Mistake(
        "half a pixel off for odd strides",
        "For odd strides the picture is shifted by half a pixel: the kernel's centre lies on a pixel there, not "
        "between two.",
        _kernel(lambda s: _triangle(2 * s - s % 2, s, s - 0.5)),
    ),
    Mistake(
        "whole steps in even kernels",
        "The weights 1, 2, ..., 2, 1 fit odd kernels only. In an even one the centre lies between two pixels: the "
        "distances to it are halves.",
        _kernel(_whole_steps),
    ),
    Mistake(
        "weights fall over half the kernel",
        "The weights fall off over the wrong distance: to 0 over kernel_size / 2, which isn't the stride for odd "
        "strides.",
        _kernel(lambda s: _triangle(2 * s - s % 2, (2 * s - s % 2) / 2, (2 * s - s % 2 - 1) / 2)),
    ),
    Mistake(
        "Gaussian kernel",
        "The kernel is smooth, but not linear: bilinear weights are 1 minus the distance, measured in strides.",
        _kernel(_gaussian),
    ),
    Mistake(
        "rows and columns added",
        "The two directions are added (or averaged). Bilinear weights are products: one for the row, one for the "
        "column.",
        _changed(_cone),
    ),
    Mistake(
        "one direction only",
        "The weights fall off along one direction only. A pixel's weight is that of its row times that of its column.",
        _changed(_one_direction),
    ),
    Mistake(
        "no padding",
        "The output is too large: the overhanging stamps at the ends have to be cut. What does transposed_size say?",
        _padded(lambda stride: 0),
    ),
    Mistake(
        "padding too small for even strides",
        "For even strides the output is too large: look at your padding with transposed_size.",
        _padded(lambda stride: (stride - 1) // 2),
    ),
    Mistake(
        "padding too large for odd strides",
        "For odd strides the output is too small: look at your padding with transposed_size.",
        _padded(lambda stride: (stride + 1) // 2),
    ),
    Mistake(
        "padding of one for every stride",
        "The padding is 1 whatever the stride. That fits strides 2 and 3; what does transposed_size say of others?",
        _padded(lambda stride: 1),
    ),
    Mistake(
        "stride 2 for every stride",
        "Pictures are enlarged by 2 whatever the stride that was asked for.",
        _upsampling(lambda channels, stride: _Upsampling(channels, 2)),
    ),
    Mistake(
        "channels mixed",
        "Every output channel sums up all channels: the kernel is filled for each pair of channels. Each channel is "
        "to be enlarged by itself.",
        _all_to_all(_fill_everywhere),
    ),
    Mistake(
        "only the first channel filled",
        "Only the first channel has the bilinear kernel, the others are as they were made. Fill them all.",
        _changed(_only_the_first),
    ),
    Mistake(
        "only the first channel filled, the others zero",
        "Only the first channel has the bilinear kernel, the others are 0 and come out black. Fill them all.",
        _all_to_all(_fill_the_first),
    ),
    Mistake(
        "random weights between channels",
        "The random weights that the layer was made with are still there between channels. They have to be 0.",
        _all_to_all(_fill_the_diagonal),
    ),
    Mistake(
        "kernel left random",
        "The layer has the random weights that it was made with: is your kernel ever copied into it?",
        _changed(_leave_untouched),
    ),
    Mistake(
        "bias left random",
        "A random bias is added to each channel. The layer needs none: bias=False.",
        _changed(lambda layer: None, bias=True),
    ),
    Mistake(
        "kernel in float64",
        "The kernel is in float64 (as NumPy makes it), and the pictures are in float32: convert it with .float().",
        _changed(_into_double),
    ),
    Mistake(
        "no kernel to learn",
        "This interpolates, with nothing that could learn. A transposed convolution is asked for, whose kernel starts "
        "bilinear and may change in training.",
        _interpolation(align_corners=False),
    ),
    Mistake(
        "kernel that can't learn",
        "The kernel gets no gradient: it is a buffer, or its requires_grad is off. Leave it a parameter like any "
        "other.",
        _changed(_freeze),
    ),
    Mistake(
        "interpolated with align_corners=True",
        "The corners are aligned, which stretches the picture, and there is no kernel to learn. Build the kernel of "
        "align_corners=False into a transposed convolution.",
        _interpolation(align_corners=True),
    ),
)


# -- to look at ---------------------------------------------------------------------------------------------


def _small_cat() -> Tensor:
    """(1, 1, 16, 16), float32; black all round, where border pixels may differ."""
    cat = torch.from_numpy(doodles.draw("cat", seed=3))[None, None].float() / 255
    return F.pad(F.avg_pool2d(cat, 2), [1] * 4)


def _enlarged_cat(answer: Answer) -> Tensor:
    output = answer.run(build(answer, "bilinear_upsampling", 1, 4), _small_cat()).output
    if not isinstance(output, Tensor):
        raise Raised("TypeError", "bilinear_upsampling's module gave no tensor")
    return output[0] if output.ndim == 4 else output


EXERCISE = Exercise(
    id="3.4",
    title="upsampling",
    defines=("transposed_size", "overlaps", "bilinear_upsampling"),
    parts=(
        Part(
            "transposed_size: kernel, stride, padding",
            2,
            _sizes,
            "A drawing of two units, each with its stamp: where does the first begin, where does the last end?",
        ),
        Part(
            "transposed_size: output_padding, dilation",
            1,
            _sizes_in_full,
            "The sentences above on output_padding and dilation. How long is a dilated kernel?",
        ),
        Part("overlaps: number of output units", 1, _lengths, "Does your transposed_size give this length?"),
        Part(
            "overlaps: the counts",
            2,
            _counts,
            "Three stamps on squared paper: begin each one stride further, and count column by column.",
        ),
        Part(
            "bilinear_upsampling: size",
            2,
            _outputs,
            "Which padding makes transposed_size(size, kernel_size, stride, padding) equal size * stride?",
        ),
        Part(
            "bilinear_upsampling: values, even strides",
            2,
            lambda answer, draw: _inside(answer, draw, (2, 4)),
            "The kernel's rows, printed. Does a white picture stay white? Does each channel keep to itself?",
        ),
        Part(
            "bilinear_upsampling: values, odd strides",
            2,
            lambda answer, draw: _inside(answer, draw, (3, 5)),
            "The kernel for stride 3, printed. Where is its centre?",
        ),
        Part(
            "bilinear_upsampling: its kernel can learn",
            2,
            _learns,
            "list(bilinear_upsampling(1, 2).named_parameters()). Is there a kernel?",
        ),
    ),
    reference=_reference,
    mistakes=_SIZE_MISTAKES + _OVERLAP_MISTAKES + _UPSAMPLING_MISTAKES,
    not_covered="the outermost pixels, where a kernel reaches over the border.",
    demonstrations=(
        Demonstration(
            "a small cat enlarged four times by bilinear_upsampling",
            _enlarged_cat,
            lambda yours: F.interpolate(_small_cat(), scale_factor=4, mode="bilinear")[0],
        ),
    ),
)
