"""Exercise 1.5: Kaiming initialisation (He et al. 2015b, section 2.2), and blocks that start as the identity."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod, sqrt

import torch
from torch import nn
from torchvision.models import ResNet
from torchvision.models.resnet import BasicBlock

from assignments_lib.checks.answer import Answer, Ref
from assignments_lib.checks.compare import Near
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part
from assignments_lib.checks.fill import role
from assignments_lib.checks.modules import build
from assignments_lib.checks.resnet34.network import torchvision_network

_CLASSES = 10


def _initialised(answer: Answer) -> Ref:
    network = build(answer, "ResNet34", _CLASSES)
    returned = answer.call("initialize", network)
    return returned if isinstance(returned, Ref) else network


def _kernels(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """Each kernel's spread against sqrt(2 / fan_out); the smallest has 8,192 numbers, so 5 % is six sigma.

    The head is left alone, convolution or not. A 1x1 convolution may be a matrix: here they all widen.
    """
    spreads: dict[tuple[int, ...], list[float]] = {}
    for kernel in answer.summaries(_initialised(answer)).values():
        shape = role(kernel.shape)
        if len(shape) > 1 and _CLASSES not in shape:
            ratio = kernel.deviation / sqrt(2 / (shape[0] * prod(shape[2:])))
            spreads.setdefault((*shape, 1, 1)[:4], []).append(ratio)
    for shape in sorted(spreads):
        what = f"standard deviation of the weights divided by sqrt(2 / fan_out), for convolutions of shape {shape}"
        lowest, highest = min(spreads[shape]), max(spreads[shape])
        yield f"{what}: the smallest", Near(lowest, 0.05)
        yield f"{what}: the largest", Near(highest, 0.05)


def _norm_scales(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """Told apart from shifts, which are zeros: nothing but scales is one at the start, or learns when it is zero."""
    network = _initialised(answer)
    vectors = [
        entry.name
        for entry in answer.describe(network)
        if entry.is_parameter and len(role(entry.shape)) == 1 and role(entry.shape) != (_CLASSES,)
    ]
    found = answer.summaries(network, vectors).values()
    yield "number of BatchNorm scales that are 1", sum(vector.ones for vector in found)
    yield "number of BatchNorm scales and shifts that are 0", sum(vector.zeros for vector in found)


def _identity_blocks(answer: Answer, draw: Draw) -> Iterator[Observation]:
    network = _initialised(answer)
    images = draw.normal(4, 3, 64, 64).float()
    towards = draw.normal(4, _CLASSES).float()
    run = answer.run(network, images, mode="train", grad_output=towards, summarize=True)
    reached = [(role(grad.shape), grad.norm != 0) for grad in run.summaries.values()]
    silent = sorted(shape for shape, learns in reached if len(shape) > 1 and not learns)
    yield "convolutions that no gradient reaches at the start, by shape", [str(shape) for shape in silent]
    learning = sum(learns for shape, learns in reached if len(shape) == 1)
    yield "BatchNorm scales and shifts that a gradient reaches at the start, counted by layer", learning


def _reference() -> Namespace:
    return {
        "ResNet34": lambda num_classes: torchvision_network((num_classes, 3), zero_init_residual=True),
        "initialize": lambda network: None,  # torchvision initialises while it builds
    }


def _instead(change: Callable[[ResNet], None], *, zero: bool = True) -> Namespace:
    """torchvision's initialisation with one thing done otherwise."""
    return {
        "ResNet34": lambda num_classes: torchvision_network((num_classes, 3), zero_init_residual=zero),
        "initialize": change,
    }


def _each_kernel(draw_values: Callable[[torch.Tensor], object]) -> Callable[[ResNet], None]:
    def change(network: ResNet) -> None:
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                draw_values(module.weight)

    return change


def _top_level_only(network: ResNet) -> None:
    """torch's default everywhere but in the first layer."""
    for module in list(network.modules())[2:]:
        if isinstance(module, nn.Conv2d):
            module.reset_parameters()


def _zero(network: ResNet, *, first: bool, last: bool) -> None:
    for module in network.modules():
        if isinstance(module, BasicBlock):
            nn.init.constant_(module.bn1.weight, 0.0 if first else 1.0)
            nn.init.constant_(module.bn2.weight, 0.0 if last else 1.0)


def _zero_everywhere(network: ResNet) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.zeros_(module.weight)


def _zero_projections(network: ResNet) -> None:
    for module in network.modules():
        if isinstance(module, BasicBlock) and module.downsample is not None:
            nn.init.zeros_(module.downsample[1].weight)


_MISTAKES = (
    Mistake(
        "fan-in instead of fan-out",
        "The spread is that of fan-in. Where a layer has more outputs than inputs, the gradient then grows on its way "
        "back: this exercise asks for mode='fan_out'.",
        _instead(_each_kernel(lambda w: nn.init.kaiming_normal_(w, mode="fan_in", nonlinearity="relu"))),
    ),
    Mistake(
        "Xavier instead of Kaiming",
        "The spread is Xavier's, made for layers without ReLU. A ReLU sets half of its inputs to zero, so that the "
        "variance must be twice 1 / fan_out.",
        _instead(_each_kernel(nn.init.xavier_normal_)),
    ),
    Mistake(
        "gain for a linear layer",
        "The variance is 1 / fan_out, half of what it should be: tell kaiming_normal_ that a ReLU follows.",
        _instead(_each_kernel(lambda w: nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="linear"))),
    ),
    Mistake(
        "one spread for all layers",
        "Every layer has the same spread, 0.01. It must depend on the layer's fan-out.",
        _instead(_each_kernel(lambda w: nn.init.normal_(w, std=0.01))),
    ),
    Mistake(
        "torch's default left in the convolutions",
        "The convolutions still have torch's default spread, about 1 / sqrt(3 fan_in). Do you loop over modules()?",
        _instead(_each_kernel(lambda w: nn.init.kaiming_uniform_(w, a=sqrt(5)))),
    ),
    Mistake(
        "only the outermost layers",
        "Only the first convolution is initialised, the ones inside the blocks aren't. children() gives the outermost "
        "layers, modules() all of them.",
        _instead(_top_level_only),
    ),
    Mistake(
        "convolutions set to zero",
        "The convolutions are zero. Nothing tells their channels apart then, and no gradient ever will.",
        _instead(_each_kernel(nn.init.zeros_)),
    ),
    Mistake(
        "zero initialisation forgotten",
        "The last BatchNorm of each block still starts with scale 1. Set its weight to zero, so that the block starts "
        "as the identity.",
        _instead(lambda n: None, zero=False),
    ),
    Mistake(
        "the first BatchNorm of a block zeroed",
        "The first BatchNorm of each block is zero, and the last isn't. Then the second convolution gets zeros only, "
        "and neither it nor the first ever gets a gradient.",
        _instead(lambda n: _zero(n, first=True, last=False)),
    ),
    Mistake(
        "both BatchNorms of a block zeroed",
        "Both BatchNorms of each block are zero. Zero the last one only: with two zeros in a row no gradient passes.",
        _instead(lambda n: _zero(n, first=True, last=True)),
    ),
    Mistake(
        "every BatchNorm zeroed",
        "Every BatchNorm is zero, the first layer's too: the network gives the same logits for every picture. Only the "
        "last BatchNorm of each block starts at zero.",
        _instead(_zero_everywhere),
    ),
    Mistake(
        "projections zeroed too",
        "The projections' BatchNorm is zero as well, so that nothing gets through the first block of a stage. "
        "Only the residual's last BatchNorm starts at zero.",
        _instead(_zero_projections),
    ),
)

EXERCISE = Exercise(
    id="1.5",
    title="initialisation",
    defines=("initialize", "ResNet34"),
    parts=(
        Part(
            "convolutions: spread for the fan-out",
            3,
            _kernels,
            "torch.nn.init.kaiming_normal_, its arguments mode and nonlinearity.",
        ),
        Part(
            "BatchNorm: scales of 1, and of 0 where a block ends",
            3,
            _norm_scales,
            "The text above: which BatchNorm of a block?",
        ),
        Part(
            "blocks start as the identity, and can learn",
            2,
            _identity_blocks,
            "What does a block give while its last scale is 0?",
        ),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
    builds_on=("1.2", "1.3", "1.4"),
)
