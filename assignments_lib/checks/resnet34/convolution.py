"""Exercise 1.1: the output size of a convolution, and the receptive field of a stack of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F

from assignments_lib.checks.answer import Answer
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Observation, Part, each

Layers = list[tuple[int, int]]  # (kernel size, stride), first layer first


def _convolutions(draw: Draw, dilated: bool) -> list[tuple[int, int, int, int, int]]:
    """(size, kernel size, stride, padding, dilation): ResNet's own, then drawn ones where rounding matters."""
    fixed = [] if dilated else [(224, 7, 2, 3, 1), (112, 3, 2, 1, 1), (56, 3, 1, 1, 1), (28, 1, 2, 0, 1)]
    drawn: list[tuple[int, int, int, int, int]] = []
    while len(drawn) < 6:
        kernel, stride, padding = draw.integer(2, 7), draw.integer(2, 4), draw.integer(1, 3)
        dilation = draw.integer(2, 4) if dilated else 1
        size = draw.integer(30, 90)
        if (size + 2 * padding - dilation * (kernel - 1) - 1) % stride:
            drawn.append((size, kernel, stride, padding, dilation))
    return fixed + drawn


def _arguments(case: tuple[int, ...], dilated: bool) -> dict[str, int]:
    names = ("kernel_size", "stride", "padding", "dilation")[: 4 if dilated else 3]
    return dict(zip(names, case[1:], strict=False))


def _named(case: tuple[int, ...], dilated: bool) -> str:
    named = ", ".join(f"{key}={value}" for key, value in _arguments(case, dilated).items())
    return f"conv_output_size({case[0]}, {named})"


def _sizes(dilated: bool) -> Callable[[Answer, Draw], Iterator[Observation]]:
    def observe(answer: Answer, draw: Draw) -> Iterator[Observation]:
        def look(case: tuple[int, ...]) -> Iterator[Observation]:
            yield _named(case, dilated), answer.call("conv_output_size", case[0], **_arguments(case, dilated))

        return each(_convolutions(draw, dilated), look)

    return observe


def _size_by_convolving(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Let torch say it: the "meta" device computes shapes without numbers."""
    row, weight = torch.empty(1, 1, size, device="meta"), torch.empty(1, 1, kernel, device="meta")
    return F.conv1d(row, weight, stride=stride, padding=padding, dilation=dilation).shape[-1]


def _true_sizes(dilated: bool) -> Callable[[Draw], Iterator[Observation]]:
    def expected(draw: Draw) -> Iterator[Observation]:
        for case in _convolutions(draw, dilated):
            yield _named(case, dilated), _size_by_convolving(*case)

    return expected


def _stacks(draw: Draw, strided: bool) -> list[Layers]:
    """Stacks of layers; the strided ones include the start of ResNet34: stem, pooling, two 3x3 convolutions."""
    if not strided:
        return [[(3, 1)], [(3, 1), (3, 1)], [(draw.integer(2, 7), 1) for _ in range(draw.integer(3, 6))]]
    drawn = [[(draw.integer(2, 5), draw.integer(1, 3)) for _ in range(draw.integer(3, 5))] for _ in range(3)]
    return [[(7, 2), (3, 2), (3, 1), (3, 1)], [(3, 2), (3, 1)], *drawn]


def _fields(strided: bool) -> Callable[[Answer, Draw], Iterator[Observation]]:
    def observe(answer: Answer, draw: Draw) -> Iterator[Observation]:
        def look(layers: Layers) -> Iterator[Observation]:
            yield f"receptive_field({layers})", answer.call("receptive_field", layers)

        return each(_stacks(draw, strided), look)

    return observe


def _true_fields(strided: bool) -> Callable[[Draw], Iterator[Observation]]:
    """Walk back from one output pixel: a transposed convolution marks every input that it saw."""

    def expected(draw: Draw) -> Iterator[Observation]:
        for layers in _stacks(draw, strided):
            seen = torch.ones(1, 1, 1)
            for kernel, stride in reversed(layers):
                seen = F.conv_transpose1d(seen, torch.ones(1, 1, kernel), stride=stride)
            yield f"receptive_field({layers})", seen.shape[-1]

    return expected


def _wrong_size(formula: Callable[[int, int, int, int, int], float]) -> dict[str, Callable[..., float]]:
    def conv_output_size(
        size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
    ) -> float:
        return formula(size, kernel_size, stride, padding, dilation)

    return {"conv_output_size": conv_output_size}


def _wrong_field(step: Callable[[int, int, int, int], tuple[int, int]]) -> dict[str, Callable[..., int]]:
    """``step(field, jump, kernel, stride)`` gives the next field and jump."""

    def receptive_field(layers: Layers) -> int:
        field, jump = 1, 1
        for kernel, stride in layers:
            field, jump = step(field, jump, kernel, stride)
        return field

    return {"receptive_field": receptive_field}


_MISTAKES = (
    Mistake(
        "the size is not a whole number",
        "The division gives a fraction. Where the kernel can't take another full step, it stops: round down (//).",
        _wrong_size(lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) / s + 1),
    ),
    Mistake(
        "the size is rounded up",
        "The size is rounded up. A last step that would leave the padded input isn't taken: round down.",
        _wrong_size(lambda n, k, s, p, d: math.ceil((n + 2 * p - d * (k - 1) - 1) / s) + 1),
    ),
    Mistake(
        "one short",
        "You count the steps of the kernel, not its positions: before the first step it already stands somewhere.",
        _wrong_size(lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s),
    ),
    Mistake(
        "padding on one side only",
        "The padding is added once, but it stands on both sides of the input.",
        _wrong_size(lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1),
    ),
    Mistake(
        "dilation ignored",
        "The dilation has no effect. A dilated kernel reaches further: think of how far apart its first and last "
        "weight lie.",
        _wrong_size(lambda n, k, s, p, d: (n + 2 * p - k) // s + 1),
    ),
    Mistake(
        "dilation stretches the whole kernel",
        "The kernel is taken to be dilation x kernel_size long. Only the gaps between its weights are stretched, "
        "and there is one gap fewer than there are weights.",
        _wrong_size(lambda n, k, s, p, d: (n + 2 * p - d * k) // s + 1),
    ),
    Mistake(
        "the receptive field adds whole kernels",
        "Every layer adds its whole kernel. One of its pixels was counted already: the one the last layer saw.",
        _wrong_field(lambda field, jump, k, s: (field + k * jump, jump * s)),
    ),
    Mistake(
        "the receptive field ignores strides",
        "Strides have no effect on your receptive field. After a stride of 2, neighbouring pixels of the feature map "
        "stand two input pixels apart, so that later kernels reach twice as far.",
        _wrong_field(lambda field, jump, k, s: (field + k - 1, jump)),
    ),
    Mistake(
        "the receptive field counts a layer's own stride too early",
        "A layer's own stride is used for that very layer. It spreads out only what comes after it.",
        _wrong_field(lambda field, jump, k, s: (field + (k - 1) * jump * s, jump * s)),
    ),
    Mistake(
        "the receptive field forgets earlier strides",
        "Only the stride of the layer just before is used. Strides multiply along the way: after two layers of "
        "stride 2 a step is four input pixels.",
        _wrong_field(lambda field, jump, k, s: (field + (k - 1) * jump, s)),
    ),
)

EXERCISE = Exercise(
    id="1.1",
    title="output size and receptive field",
    defines=("conv_output_size", "receptive_field"),
    parts=(
        Part(
            "output size for kernel, stride and padding",
            2,
            _sizes(dilated=False),
            "The text above: how many positions can the kernel take? Draw a row of 7 pixels and try stride 2.",
            _true_sizes(dilated=False),
        ),
        Part(
            "output size with dilation",
            1,
            _sizes(dilated=True),
            "The documentation of torch.nn.Conv2d, under 'Shape'.",
            _true_sizes(dilated=True),
        ),
        Part(
            "receptive field of layers with stride 1",
            1,
            _fields(strided=False),
            "The picture above: two 3x3 convolutions see 5 pixels.",
            _true_fields(strided=False),
        ),
        Part(
            "receptive field with strides",
            2,
            _fields(strided=True),
            "The text above, on the distance in input pixels between neighbours of a feature map.",
            _true_fields(strided=True),
        ),
    ),
    reference=dict,
    mistakes=_MISTAKES,
)
