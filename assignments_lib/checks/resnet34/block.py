"""Exercise 1.2: `BasicBlock` (He et al. 2015, figure 2 and section 3.3), against torchvision's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MethodType

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock as TorchvisionBlock

from assignments_lib.checks.answer import Answer
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each
from assignments_lib.checks.modules import build, build_filled, count_parameters, output, training_pass

Spec = tuple[int, int, int]  # in_channels, out_channels, stride


def torchvision_block(spec: Spec) -> TorchvisionBlock:
    """torchvision's block, which is handed its projection from outside."""
    in_channels, out_channels, stride = spec
    projection = None
    if stride != 1 or in_channels != out_channels:
        projection = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
        )
    return TorchvisionBlock(in_channels, out_channels, stride, projection)


def _reference() -> Namespace:
    return {"BasicBlock": lambda *spec: torchvision_block((spec[0], spec[1], spec[2] if spec[2:] else 1))}


# -- what is looked at ------------------------------------------------------------------------------------


def _named(spec: tuple[int, ...]) -> str:
    return f"BasicBlock({', '.join(map(str, spec))})"


def _shapes(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def look(spec: tuple[int, ...]) -> Iterator[Observation]:
        block = build(answer, "BasicBlock", *spec)
        for size in (16, 17):
            images = draw.normal(2, spec[0], size, size - 3).float()
            given = answer.run(block, images).output
            shape = tuple(given.shape) if isinstance(given, Tensor) else given
            yield f"shape of what {_named(spec)} gives for images of {size}x{size - 3}", shape

    return each(((64, 64), (64, 128, 2), (32, 48, 1), (32, 32, 2)), look)


def _parameters(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def look(spec: tuple[int, ...]) -> Iterator[Observation]:
        block = build(answer, "BasicBlock", *spec)
        yield f"number of parameters of {_named(spec)}", count_parameters(answer, block)

    return each(((64, 64), (64, 128, 2), (128, 128, 1), (128, 256, 2)), look)


def _identity_values(answer: Answer, draw: Draw) -> Iterator[Observation]:
    channels = draw.integer(8, 24)
    block = build_filled(answer, draw, "BasicBlock", channels, channels)
    yield from output(answer, draw, block, (4, channels, 14, 11), _named((channels, channels)))


def _projection_values(answer: Answer, draw: Draw) -> Iterator[Observation]:
    channels = draw.integer(8, 16)

    def look(spec: tuple[int, ...]) -> Iterator[Observation]:
        block = build_filled(answer, draw, "BasicBlock", *spec)
        return output(answer, draw, block, (4, channels, 14, 11), _named(spec))

    more = channels + 9
    return each(((channels, more, 2), (channels, more, 1), (channels, channels, 2)), look)


def _learning(answer: Answer, draw: Draw) -> Iterator[Observation]:
    channels = draw.integer(8, 16)

    def look(spec: tuple[int, ...]) -> Iterator[Observation]:
        block = build_filled(answer, draw, "BasicBlock", *spec)
        return training_pass(answer, draw, block, (4, channels, 10, 10), _named(spec))

    return each(((channels, channels, 1), (channels, 2 * channels, 2)), look)


def _manners(answer: Answer, draw: Draw) -> Iterator[Observation]:
    channels = draw.integer(8, 16)

    def look(spec: tuple[int, ...]) -> Iterator[Observation]:
        block = build_filled(answer, draw, "BasicBlock", *spec)
        run = answer.run(block, draw.normal(1, channels, 9, 7))
        yield f"{_named(spec)} for a batch of one", run.output
        yield f"{_named(spec)} changes the images it is given", run.input_changed

    return each(((channels, channels, 1), (channels, 2 * channels, 2)), look)


# -- typical mistakes: torchvision's block with one thing changed ------------------------------------------


def _residual(block: TorchvisionBlock, x: Tensor) -> Tensor:
    return block.bn2(block.conv2(block.relu(block.bn1(block.conv1(x)))))


def _shortcut(block: TorchvisionBlock, x: Tensor) -> Tensor:
    return x if block.downsample is None else block.downsample(x)


def _forward(forward: Callable[[TorchvisionBlock, Tensor], Tensor]) -> Namespace:
    """Another forward pass over the same layers."""

    def mistaken(in_channels: int, out_channels: int, stride: int = 1) -> nn.Module:
        block = torchvision_block((in_channels, out_channels, stride))
        block.forward = MethodType(forward, block)
        return block

    return {"BasicBlock": mistaken}


def _layers(change: Callable[[TorchvisionBlock, Spec], None]) -> Namespace:
    """Other layers under the same forward pass."""

    def mistaken(in_channels: int, out_channels: int, stride: int = 1) -> nn.Module:
        block = torchvision_block((in_channels, out_channels, stride))
        change(block, (in_channels, out_channels, stride))
        return block

    return {"BasicBlock": mistaken}


def _no_projection(block: TorchvisionBlock, spec: Spec) -> None:
    block.downsample = None


def _wide_projection(block: TorchvisionBlock, spec: Spec) -> None:
    if block.downsample is not None:
        block.downsample[0] = nn.Conv2d(spec[0], spec[1], 3, spec[2], padding=1, bias=False)


def _bare_projection(block: TorchvisionBlock, spec: Spec) -> None:
    if block.downsample is not None:
        block.downsample = block.downsample[0]


def _rectified_projection(block: TorchvisionBlock, spec: Spec) -> None:
    if block.downsample is not None:
        block.downsample.append(nn.ReLU())


def _always_projection(block: TorchvisionBlock, spec: Spec) -> None:
    block.downsample = nn.Sequential(
        nn.Conv2d(spec[0], spec[1], 1, spec[2], bias=False), nn.BatchNorm2d(spec[1])
    )


def _projection_by_channels_only(block: TorchvisionBlock, spec: Spec) -> None:
    if spec[0] == spec[1]:
        block.downsample = None


def _projection_by_stride_only(block: TorchvisionBlock, spec: Spec) -> None:
    if spec[2] == 1:
        block.downsample = None


def _second_stride(block: TorchvisionBlock, spec: Spec) -> None:
    block.conv1.stride, block.conv2.stride = (1, 1), (spec[2], spec[2])


def _both_strides(block: TorchvisionBlock, spec: Spec) -> None:
    block.conv2.stride = (spec[2], spec[2])


def _no_stride(block: TorchvisionBlock, spec: Spec) -> None:
    block.conv1.stride = (1, 1)


def _shared_norm(block: TorchvisionBlock, spec: Spec) -> None:
    block.bn2 = block.bn1


def _biases(block: TorchvisionBlock, spec: Spec) -> None:
    block.conv1 = nn.Conv2d(spec[0], spec[1], 3, spec[2], padding=1)
    block.conv2 = nn.Conv2d(spec[1], spec[1], 3, 1, padding=1)


def _no_padding(block: TorchvisionBlock, spec: Spec) -> None:
    block.conv1.padding = block.conv2.padding = (0, 0)


def _norm_missing(block: TorchvisionBlock, spec: Spec) -> None:
    block.bn2 = nn.Identity()


_MISTAKES = (
    Mistake(
        "ReLU before the addition",
        "The last ReLU comes before the addition, so that the residual can only add, never subtract. Add first.",
        _forward(lambda b, x: F.relu(_residual(b, x)) + _shortcut(b, x)),
    ),
    Mistake(
        "no ReLU after the addition",
        "The sum leaves the block as it is. In the original ResNet a ReLU follows the addition.",
        _forward(lambda b, x: _residual(b, x) + _shortcut(b, x)),
    ),
    Mistake(
        "ReLU before and after the addition",
        "There is a ReLU on the residual before the addition, besides the one after it. Only the sum gets one.",
        _forward(lambda b, x: F.relu(F.relu(_residual(b, x)) + _shortcut(b, x))),
    ),
    Mistake(
        "no ReLU between the convolutions",
        "Nothing non-linear stands between the two convolutions, so that they could be one.",
        _forward(lambda b, x: F.relu(b.bn2(b.conv2(b.bn1(b.conv1(x)))) + _shortcut(b, x))),
    ),
    Mistake(
        "no shortcut",
        "The input is never added: this is a plain block, without its skip connection.",
        _forward(lambda b, x: F.relu(_residual(b, x))),
    ),
    Mistake(
        "zeroed residual",
        "The residual has no effect on the output: the block returns its shortcut only.",
        _forward(lambda b, x: F.relu(0 * _residual(b, x) + _shortcut(b, x))),
    ),
    Mistake(
        "zeroed output",
        "The block returns zeros, whatever comes in.",
        _forward(lambda b, x: 0 * F.relu(_residual(b, x) + _shortcut(b, x))),
    ),
    Mistake(
        "concatenated instead of added",
        "The shortcut is concatenated to the residual. A residual block adds the two, channel by channel.",
        _forward(lambda b, x: F.relu(torch.cat([_residual(b, x), _shortcut(b, x)], dim=1))),
    ),
    Mistake(
        "ReLU writes into the input",
        "The block changes the tensor it was given: an in-place ReLU (inplace=True, relu_) is applied to the input "
        "itself. Use it only on tensors that the block made.",
        _forward(lambda b, x: F.relu(_residual(b, x.relu_()) + _shortcut(b, x))),
    ),
    Mistake(
        "ReLU on the projection",
        "A ReLU follows the projection. The shortcut is linear: a 1x1 convolution and BatchNorm, no more.",
        _layers(_rectified_projection),
    ),
    Mistake(
        "no projection",
        "The shortcut keeps its shape where the residual's changes, so the two can't be added. Where channels or "
        "size change, the shortcut needs a projection.",
        _layers(_no_projection),
    ),
    Mistake(
        "3x3 projection",
        "The projection is a 3x3 convolution. It only has to match shapes: 1x1 is enough.",
        _layers(_wide_projection),
    ),
    Mistake(
        "projection without BatchNorm",
        "The projection has no BatchNorm. Every convolution here is followed by one, the projection's too.",
        _layers(_bare_projection),
    ),
    Mistake(
        "projection on every shortcut",
        "The shortcut is projected even where shapes agree. There the input itself is added: no parameters.",
        _layers(_always_projection),
    ),
    Mistake(
        "projection only where channels change",
        "With a stride of 2 and equal channels there is no projection, though the size changes.",
        _layers(_projection_by_channels_only),
    ),
    Mistake(
        "projection only where the stride is not 1",
        "With a stride of 1 and other channels there is no projection, though the number of channels changes.",
        _layers(_projection_by_stride_only),
    ),
    Mistake(
        "stride in the second convolution",
        "The stride is in the second 3x3 convolution. In ResNet34 the first one reduces the size.",
        _layers(_second_stride),
    ),
    Mistake(
        "stride in both convolutions",
        "Both 3x3 convolutions have the stride, so that height and width fall to a quarter. Only the first one has it.",
        _layers(_both_strides),
    ),
    Mistake(
        "stride in one of the two paths only",
        "One of the two paths has the block's stride, the other hasn't, so that their sizes differ. The residual's "
        "first convolution needs it, and the projection too.",
        _layers(_no_stride),
    ),
    Mistake(
        "one BatchNorm for both convolutions",
        "Both convolutions share one BatchNorm. Each needs its own: their outputs have other means and variances.",
        _layers(_shared_norm),
    ),
    Mistake(
        "no BatchNorm after the second convolution",
        "The second convolution isn't followed by BatchNorm.",
        _layers(_norm_missing),
    ),
    Mistake(
        "convolutions with bias",
        "The convolutions have a bias. The BatchNorm after them subtracts it again: leave it out.",
        _layers(_biases),
    ),
    Mistake(
        "3x3 convolutions without padding",
        "The 3x3 convolutions have no padding, so that the picture loses its border in each of them.",
        _layers(_no_padding),
    ),
)

EXERCISE = Exercise(
    id="1.2",
    title="BasicBlock",
    defines=("BasicBlock",),
    parts=(
        Part(
            "shape of the output",
            2,
            _shapes,
            "The shapes in the docstring, and your formula from 1.1: print x.shape after every layer.",
        ),
        Part(
            "number of parameters",
            2,
            _parameters,
            "The table above. Print [(name, p.shape) for name, p in BasicBlock(64, 128, 2).named_parameters()].",
        ),
        Part(
            "values with an identity shortcut",
            4,
            _identity_values,
            "The drawing of the block above, read along the arrows.",
        ),
        Part(
            "values with a projection",
            4,
            _projection_values,
            "The text above, on what the shortcut does where shapes change.",
        ),
        Part(
            "training mode, gradients and running statistics",
            3,
            _learning,
            "Is every layer of __init__ used in forward, once?",
        ),
        Part(
            "batch of one; the input is left as it was",
            1,
            _manners,
            "Operations that write into their input end in _ or say inplace=True.",
        ),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
    not_covered="how your code reads, and how fast it is.",
)
