"""Exercise 1.3: a stage of blocks (He et al. 2015, table 1), against torchvision's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, ResNet

from assignments_lib.checks.answer import Answer
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each
from assignments_lib.checks.modules import build, build_filled, count_parameters, output, training_pass
from assignments_lib.checks.resnet34.block import Spec, torchvision_block


def _reference() -> Namespace:
    def stage(in_channels: int, out_channels: int, num_blocks: int, stride: int) -> nn.Module:
        # torchvision makes a stage as a method of ResNet; this is all that the method reads of its network.
        network = SimpleNamespace(
            inplanes=in_channels, _norm_layer=nn.BatchNorm2d, dilation=1, groups=1, base_width=64
        )
        made: nn.Module = ResNet._make_layer(network, BasicBlock, out_channels, num_blocks, stride)
        return made

    return {"make_stage": stage}


def _cases(draw: Draw) -> list[tuple[int, int, int, int]]:
    channels = draw.integer(6, 12)
    return [(channels, channels, 3, 1), (channels, channels + 7, draw.integer(2, 5), 2)]


def _named(case: tuple[int, ...]) -> str:
    return f"make_stage({', '.join(map(str, case))})"


def _parameters(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def look(case: tuple[int, ...]) -> Iterator[Observation]:
        stage = build(answer, "make_stage", *case)
        yield f"number of parameters of {_named(case)}", count_parameters(answer, stage)

    return each(((64, 64, 3, 1), (64, 128, 4, 2), *_cases(draw)), look)


def _values(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def look(case: tuple[int, ...]) -> Iterator[Observation]:
        stage = build_filled(answer, draw, "make_stage", *case)
        return output(answer, draw, stage, (2, case[0], 12, 15), _named(case))

    return each(_cases(draw), look)


def _learning(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def look(case: tuple[int, ...]) -> Iterator[Observation]:
        stage = build_filled(answer, draw, "make_stage", *case)
        return training_pass(answer, draw, stage, (4, case[0], 9, 9), _named(case))

    return each(_cases(draw), look)


# -- typical mistakes: torchvision's blocks, put together wrongly -------------------------------------------


def _chain(specs: Callable[[int, int, int, int], Sequence[Spec]]) -> Namespace:
    """Blocks of torchvision's in a row, with other channels, strides or numbers."""

    def mistaken(in_channels: int, out_channels: int, num_blocks: int, stride: int) -> nn.Module:
        return nn.Sequential(*map(torchvision_block, specs(in_channels, out_channels, num_blocks, stride)))

    return {"make_stage": mistaken}


class _Unregistered(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, num_blocks: int, stride: int):
        super().__init__()
        rest = [(out_channels, out_channels, 1)] * (num_blocks - 1)
        self.blocks = [torchvision_block(spec) for spec in [(in_channels, out_channels, stride), *rest]]

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block.to(x.dtype)(x)
        return x


class _NotAccumulated(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, num_blocks: int, stride: int):
        super().__init__()
        self.first = torchvision_block((in_channels, out_channels, stride))
        self.rest = nn.ModuleList(
            torchvision_block((out_channels, out_channels, 1)) for _ in range(num_blocks - 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        kept = x if self.first.downsample is None else self.first.downsample(x)
        for block in (self.first, *self.rest):
            x = F.relu(block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x))))) + kept)
        return x


def _reused(in_channels: int, out_channels: int, num_blocks: int, stride: int) -> nn.Module:
    again = torchvision_block((out_channels, out_channels, 1))
    return nn.Sequential(torchvision_block((in_channels, out_channels, stride)), *[again] * (num_blocks - 1))


_MISTAKES = (
    Mistake(
        "skip connections not accumulated",
        "Every block adds the stage's input. Each block's shortcut starts from the output of the block before it.",
        {"make_stage": _NotAccumulated},
    ),
    Mistake(
        "blocks in a plain list",
        "The blocks are kept in a plain Python list, where PyTorch doesn't find their parameters: they are neither "
        "trained nor saved nor moved to the GPU. Use nn.Sequential or nn.ModuleList.",
        {"make_stage": _Unregistered},
    ),
    Mistake(
        "one block object used again and again",
        "One and the same block object stands in several places ([block] * n, or made once before the loop), so that "
        "they share weights. Make a new block each time.",
        {"make_stage": _reused},
    ),
    Mistake(
        "stride in every block",
        "Every block has the stride. Only the first one of a stage reduces the size.",
        _chain(lambda i, o, n, s: [(i, o, s), *[(o, o, s)] * (n - 1)]),
    ),
    Mistake(
        "no stride at all",
        "The stride is never used: the first block should get it.",
        _chain(lambda i, o, n, s: [(i, o, 1), *[(o, o, 1)] * (n - 1)]),
    ),
    Mistake(
        "stride in the last block",
        "The last block has the stride. The first one of a stage reduces the size.",
        _chain(lambda i, o, n, s: [(i, o, 1), *[(o, o, 1)] * (n - 2), (o, o, s)]),
    ),
    Mistake(
        "one block too many",
        "There is one block too many: the first block counts among num_blocks.",
        _chain(lambda i, o, n, s: [(i, o, s), *[(o, o, 1)] * n]),
    ),
    Mistake(
        "one block too few",
        "There is one block too few. Does range() start at 1, and is the first block made outside the loop?",
        _chain(lambda i, o, n, s: [(i, o, s), *[(o, o, 1)] * (n - 2)]),
    ),
    Mistake(
        "every block takes in_channels",
        "Every block is built for in_channels. After the first block there are out_channels of them.",
        _chain(lambda i, o, n, s: [(i, o, s), *[(i, o, 1)] * (n - 1)]),
    ),
)

EXERCISE = Exercise(
    id="1.3",
    title="a stage of blocks",
    defines=("make_stage",),
    parts=(
        Part(
            "number of parameters",
            2,
            _parameters,
            "Print your stage: are there num_blocks blocks, each its own?",
        ),
        Part(
            "values",
            4,
            _values,
            "Table 1 of the paper: which block of a stage has the stride, which the projection?",
        ),
        Part(
            "training mode, gradients and running statistics",
            2,
            _learning,
            "Are all blocks in the stage, and used in order?",
        ),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
    builds_on=("1.2",),
)
