"""Exercise 1.4: ResNet34 (He et al. 2015, table 1), against torchvision's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import lru_cache
from types import MethodType

import torch
from torch import Tensor, nn
from torchvision.models import ResNet, resnet34

from assignments_lib.checks.answer import Answer
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each
from assignments_lib.checks.modules import build, build_filled, count_parameters, output, training_pass
from assignments_lib.checks.resnet34.block import torchvision_block


@lru_cache(maxsize=4)
def _template(num_classes: int, zero_init_residual: bool) -> ResNet:
    return resnet34(num_classes=num_classes, zero_init_residual=zero_init_residual)


def torchvision_network(heads: tuple[int, int], *, zero_init_residual: bool = False) -> ResNet:
    """torchvision's ResNet34 for (classes, input channels).

    It is copied from a template: drawing 21 million initial weights anew for each mistake would take longer than
    the check itself.
    """
    num_classes, in_channels = heads
    network = deepcopy(_template(num_classes, zero_init_residual))
    if in_channels != 3:
        network.conv1 = nn.Conv2d(in_channels, 64, 7, 2, padding=3, bias=False)
    return network


def _reference() -> Namespace:
    def network(num_classes: int = 1000, in_channels: int = 3) -> ResNet:
        return torchvision_network((num_classes, in_channels))

    return {"ResNet34": network}


def _named(case: tuple[int, ...]) -> str:
    return f"ResNet34({', '.join(map(str, case))})"


def _shapes(answer: Answer, draw: Draw) -> Iterator[Observation]:
    classes = draw.integer(5, 30)

    def look(case: tuple[int, int]) -> Iterator[Observation]:
        network = build(answer, "ResNet34", *case)
        given = answer.run(network, draw.normal(2, case[1], 64, 64).float()).output
        shape = tuple(given.shape) if isinstance(given, Tensor) else given
        yield f"shape of what {_named(case)} gives for 2 images of 64x64", shape

    return each(((classes, 1),), look)


def _parameters(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def look(case: tuple[int, ...]) -> Iterator[Observation]:
        network = build(answer, "ResNet34", *case)
        yield f"number of parameters of {_named(case)}", count_parameters(answer, network)

    return each(((), (draw.integer(5, 30), 1)), look)


def _values(answer: Answer, draw: Draw) -> Iterator[Observation]:
    classes = draw.integer(5, 30)
    network = build_filled(answer, draw, "ResNet34", classes, 3)

    def look(size: tuple[int, int]) -> Iterator[Observation]:
        what = f"{_named((classes, 3))} for images of {size[0]}x{size[1]}"
        return output(answer, draw, network, (2, 3, *size), what)

    return each(((32, 32), (64, 64), (97, 65)), look)


def _full_size(answer: Answer, draw: Draw) -> Iterator[Observation]:
    network = build_filled(answer, draw, "ResNet34", 1000, 3, dtype=torch.float32)
    given = answer.run(network, draw.normal(1, 3, 224, 224).float()).output
    yield "ResNet34() for one image of 224x224, evaluation mode", given


def _learning(answer: Answer, draw: Draw) -> Iterator[Observation]:
    network = build_filled(answer, draw, "ResNet34", 7, 2)
    yield from training_pass(answer, draw, network, (2, 2, 64, 64), _named((7, 2)))


# -- typical mistakes: torchvision's network with one thing changed -----------------------------------------


def _changed(change: Callable[[ResNet], None]) -> Namespace:
    def mistaken(num_classes: int = 1000, in_channels: int = 3) -> nn.Module:
        network = torchvision_network((num_classes, in_channels))
        change(network)
        return network

    return {"ResNet34": mistaken}


def _counted(*counts: int) -> Namespace:
    """So many blocks in each stage: of torchvision's the first ones, or the last one several times."""

    def change(network: ResNet) -> None:
        for number, count in enumerate(counts, start=1):
            blocks = list(getattr(network, f"layer{number}"))[:count]
            blocks += [deepcopy(blocks[-1]) for _ in range(count - len(blocks))]
            setattr(network, f"layer{number}", nn.Sequential(*blocks))

    return _changed(change)


def _with_head(head: Callable[[ResNet, Tensor], Tensor]) -> Callable[[ResNet], None]:
    """Another way from the last feature map to the logits."""

    def change(network: ResNet) -> None:
        def forward(self: ResNet, x: Tensor) -> Tensor:
            x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
            return head(self, self.layer4(self.layer3(self.layer2(self.layer1(x)))))

        network.forward = MethodType(forward, network)

    return change


def _no_pooling_before_fc(network: ResNet) -> None:
    network.avgpool = nn.Identity()
    network.fc = nn.Linear(512 * 7 * 7, network.fc.out_features)


def _fixed_pooling(network: ResNet) -> None:
    network.avgpool = nn.AvgPool2d(7)


def _largest(network: ResNet) -> None:
    network.avgpool = nn.AdaptiveMaxPool2d(1)


def _no_max_pool(network: ResNet) -> None:
    network.maxpool = nn.Identity()


def _unpadded_max_pool(network: ResNet) -> None:
    network.maxpool = nn.MaxPool2d(3, 2)


def _slow_stem(network: ResNet) -> None:
    network.conv1.stride = (1, 1)


def _small_stem(network: ResNet) -> None:
    network.conv1 = nn.Conv2d(network.conv1.in_channels, 64, 3, 2, padding=1, bias=False)


def _biased_stem(network: ResNet) -> None:
    network.conv1 = nn.Conv2d(network.conv1.in_channels, 64, 7, 2, padding=3)


def _no_stem_norm(network: ResNet) -> None:
    network.bn1 = nn.Identity()


def _no_stem_relu(network: ResNet) -> None:
    network.relu = nn.Identity()


def _three_channels(network: ResNet) -> None:
    network.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)


def _ten_classes(network: ResNet) -> None:
    network.fc = nn.Linear(512, 10)


def _no_bias(network: ResNet) -> None:
    network.fc = nn.Linear(512, network.fc.out_features, bias=False)


def _projected_first_stage(network: ResNet) -> None:
    block = network.layer1[0]
    block.downsample = nn.Sequential(nn.Conv2d(64, 64, 1, bias=False), nn.BatchNorm2d(64))


def _strided_first_stage(network: ResNet) -> None:
    network.layer1[0] = torchvision_block((64, 64, 2))


def _flat_last_stage(network: ResNet) -> None:
    network.layer4[0] = torchvision_block((256, 512, 1))


class _Unregistered(nn.Module):
    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__()
        network = torchvision_network((num_classes, in_channels))
        self.stem = nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool)
        self.stages = [network.layer1, network.layer2, network.layer3, network.layer4]
        self.fc = network.fc

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for stage in self.stages:
            x = stage.to(x.dtype)(x)
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits


_MISTAKES = (
    Mistake(
        "one block too few in the third stage",
        "The third stage has 5 blocks. Table 1 of the paper gives ResNet34 3, 4, 6 and 3.",
        _counted(3, 4, 5, 3),
    ),
    Mistake(
        "the block counts of ResNet18",
        "Every stage has 2 blocks: that is ResNet18. Look at the column of the 34-layer network.",
        _counted(2, 2, 2, 2),
    ),
    Mistake(
        "block counts in the wrong order",
        "The stages have 3, 6, 4 and 3 blocks: the middle two are swapped.",
        _counted(3, 6, 4, 3),
    ),
    Mistake(
        "the block counts of ResNet101",
        "The third stage has 23 blocks: that is ResNet101. Look at the column of the 34-layer network.",
        _counted(3, 4, 23, 3),
    ),
    Mistake(
        "stages in a plain list",
        "The stages are kept in a plain Python list, where PyTorch doesn't find their parameters: they are neither "
        "trained nor saved nor moved to the GPU. Use nn.Sequential or nn.ModuleList.",
        {"ResNet34": _Unregistered},
    ),
    Mistake(
        "fc hard-coded to 10 classes",
        "The last layer always gives 10 values. It should give num_classes.",
        _changed(_ten_classes),
    ),
    Mistake(
        "fc without bias",
        "The last layer has no bias. No BatchNorm follows it, so that it needs one.",
        _changed(_no_bias),
    ),
    Mistake(
        "in_channels ignored",
        "The first convolution always takes 3 channels. It should take in_channels.",
        _changed(_three_channels),
    ),
    Mistake(
        "fc tied to one input size",
        "The feature map is flattened without being averaged first, so that the last layer fits one input size only. "
        "Average over height and width first.",
        _changed(_no_pooling_before_fc),
    ),
    Mistake(
        "average pooling fixed at 7x7",
        "The average is taken over 7x7 windows, which fits 224x224 images only. Average over the whole map, whatever "
        "its size: nn.AdaptiveAvgPool2d(1) or a mean over dimensions 2 and 3.",
        _changed(_fixed_pooling),
    ),
    Mistake(
        "maximum instead of average before fc",
        "The last feature map is reduced by its maximum. ResNet takes the average.",
        _changed(_largest),
    ),
    Mistake(
        "squeeze drops a batch of one",
        "For one image the batch dimension is gone: squeeze() removes every dimension of size 1. "
        "Use torch.flatten(x, 1).",
        _changed(_with_head(lambda n, x: n.fc(n.avgpool(x).squeeze()))),
    ),
    Mistake(
        "flatten drops the batch",
        "All images of the batch are flattened into one vector. Keep dimension 0: torch.flatten(x, 1).",
        _changed(_with_head(lambda n, x: n.fc(torch.flatten(n.avgpool(x))))),
    ),
    Mistake(
        "softmax at the end",
        "The outputs are probabilities. The network should give logits: cross-entropy applies the softmax itself.",
        _changed(_with_head(lambda n, x: n.fc(n.avgpool(x).flatten(1)).softmax(1))),
    ),
    Mistake(
        "ReLU after fc",
        "A ReLU follows the last layer, so that no logit can be negative. The last layer stands alone.",
        _changed(_with_head(lambda n, x: n.fc(n.avgpool(x).flatten(1)).relu())),
    ),
    Mistake(
        "no max pooling", "The max pooling after the first convolution is missing.", _changed(_no_max_pool)
    ),
    Mistake(
        "max pooling without padding",
        "The max pooling has no padding: it is 3x3 with stride 2 and padding 1, so that the size is exactly halved.",
        _changed(_unpadded_max_pool),
    ),
    Mistake(
        "first convolution with stride 1",
        "The first convolution has stride 1. In ResNet34 it halves the size.",
        _changed(_slow_stem),
    ),
    Mistake(
        "first convolution 3x3",
        "The first convolution is 3x3. In ResNet34 it is 7x7, with padding 3.",
        _changed(_small_stem),
    ),
    Mistake(
        "first convolution with bias",
        "The first convolution has a bias. The BatchNorm after it subtracts it again: leave it out.",
        _changed(_biased_stem),
    ),
    Mistake(
        "no BatchNorm after the first convolution",
        "The first convolution isn't followed by BatchNorm.",
        _changed(_no_stem_norm),
    ),
    Mistake(
        "no ReLU after the first convolution",
        "No ReLU stands between the first BatchNorm and the max pooling.",
        _changed(_no_stem_relu),
    ),
    Mistake(
        "projection in the first stage",
        "The first stage has a projection. Max pooling has halved the size already and the channels stay 64: there is "
        "nothing to match.",
        _changed(_projected_first_stage),
    ),
    Mistake(
        "stride in the first stage",
        "The first stage has a stride of 2. Max pooling has halved the size already: its stride is 1.",
        _changed(_strided_first_stage),
    ),
    Mistake(
        "no stride in the last stage",
        "The last stage keeps the size. Stages 2, 3 and 4 each halve it.",
        _changed(_flat_last_stage),
    ),
)

EXERCISE = Exercise(
    id="1.4",
    title="ResNet34",
    defines=("ResNet34",),
    parts=(
        Part(
            "shape of the logits",
            2,
            _shapes,
            "The drawing of the network above: what does the last box give?",
        ),
        Part(
            "number of parameters",
            3,
            _parameters,
            "The table that stands your network beside torchvision's: in which line do they first differ?",
        ),
        Part(
            "values for images of 64x64, 32x32 and 97x65",
            6,
            _values,
            "Table 1 of the paper, the column '34-layer'.",
        ),
        Part(
            "values for one image of 224x224",
            2,
            _full_size,
            "What does your code do to a batch of one, or to a larger image?",
        ),
        Part(
            "training mode, gradients and running statistics",
            3,
            _learning,
            "Is every layer of __init__ used in forward, once?",
        ),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
    builds_on=("1.2", "1.3"),
)
