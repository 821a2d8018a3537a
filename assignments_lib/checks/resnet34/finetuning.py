"""Exercise 1.8: a new head on a frozen backbone, and BatchNorm statistics that stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torchvision.models import ResNet

from assignments_lib.checks.answer import Answer, Ref
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part
from assignments_lib.checks.fill import role
from assignments_lib.checks.modules import build, build_filled, count_parameters, count_trainable, tensor_mark
from assignments_lib.checks.resnet34.network import torchvision_network


def _prepared(answer: Answer, classes: int) -> Ref:
    """A network with 20 classes, handed over for ``classes``."""
    network = build(answer, "ResNet34", 20)
    returned = answer.call("replace_head", network, classes)
    return returned if isinstance(returned, Ref) else network


def _head(answer: Answer, draw: Draw) -> Iterator[Observation]:
    for classes in (draw.integer(3, 9), draw.integer(25, 40)):
        network = _prepared(answer, classes)
        given = answer.run(network, draw.normal(2, 3, 32, 32).float()).output
        shape = tuple(given.shape) if isinstance(given, Tensor) else given
        yield f"shape of the logits for 2 images after replace_head(network, {classes})", shape
        yield "number of parameters of the network", count_parameters(answer, network)


def _frozen(answer: Answer, draw: Draw) -> Iterator[Observation]:
    classes = draw.integer(3, 9)
    network = _prepared(answer, classes)
    yield "number of parameters that learn", count_trainable(answer, network)
    images, towards = draw.normal(4, 3, 32, 32).float(), draw.normal(4, classes).float()
    run = answer.run(network, images, grad_output=towards, summarize=True)
    yield (
        "tensors that a gradient reaches, by shape",
        sorted(str(role(grad.shape)) for grad in run.summaries.values()),
    )


def _backbone(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """The old weights are all still there: only the head's two tensors are new."""
    network = build_filled(answer, draw, "ResNet34", 20, dtype=torch.float32)
    before = answer.summaries(network)
    returned = answer.call("replace_head", network, 7)
    after = answer.summaries(returned if isinstance(returned, Ref) else network)
    kept = {tensor_mark(tensor) for tensor in after.values()}
    yield (
        "tensors of the network whose values replace_head lost",
        sum(tensor_mark(tensor) not in kept for tensor in before.values()),
    )


def _statistics(answer: Answer, draw: Draw) -> Iterator[Observation]:
    network = _prepared(answer, 5)
    buffers = [entry.name for entry in answer.describe(network) if not entry.is_parameter]
    answer.run(network, draw.normal(2, 3, 32, 32).float(), mode="eval")
    before = answer.state(network, buffers)
    answer.call("train_head_only", network)
    images = draw.normal(4, 3, 32, 32).float()
    logits = answer.run(network, images, mode=None).output
    after = answer.state(network, buffers)
    changed = sum(not torch.equal(before[name], after[name]) for name in buffers)
    yield "BatchNorm statistics that change in a pass after train_head_only(network)", changed
    still = answer.run(network, images, mode="eval").output
    same = isinstance(logits, Tensor) and torch.allclose(logits, still)
    yield "BatchNorm uses its remembered statistics, not the batch's", same


def _reference() -> Namespace:
    def replace_head(network: ResNet, classes: int) -> ResNet:
        network.requires_grad_(False)
        network.fc = nn.Linear(512, classes)
        return network

    return {
        "ResNet34": lambda classes: torchvision_network((classes, 3)),
        "replace_head": replace_head,
        "train_head_only": lambda network: network.eval(),
    }


def _changed(**wrong: Callable[..., object]) -> Namespace:
    return {**_reference(), **wrong}


def _only_the_weight(network: ResNet, classes: int) -> ResNet:
    network.fc = nn.Linear(512, classes)
    for name, parameter in network.named_parameters():
        parameter.requires_grad = name == "fc.weight"
    return network


def _frozen_last(network: ResNet, classes: int) -> ResNet:
    network.fc = nn.Linear(512, classes)
    return network.requires_grad_(False)


def _frozen_by_attribute(network: ResNet, classes: int) -> ResNet:
    network.requires_grad = False  # sets an attribute that nothing reads
    network.fc = nn.Linear(512, classes)
    return network


def _not_frozen(network: ResNet, classes: int) -> ResNet:
    network.fc = nn.Linear(512, classes)
    return network


def _old_head(network: ResNet, classes: int) -> ResNet:
    network.requires_grad_(False)
    network.fc.requires_grad_(True)
    return network


def _second_head(network: ResNet, classes: int) -> ResNet:
    network.requires_grad_(False)
    network.fc = nn.Sequential(network.fc, nn.Linear(20, classes))
    return network


def _ten_classes(network: ResNet, classes: int) -> ResNet:
    network.requires_grad_(False)
    network.fc = nn.Linear(512, 10)
    return network


def _last_stage_too(network: ResNet, classes: int) -> ResNet:
    network.requires_grad_(False)
    network.layer4.requires_grad_(True)
    network.fc = nn.Linear(512, classes)
    return network


def _started_anew(network: ResNet, classes: int) -> ResNet:
    fresh = torchvision_network((classes, 3)).to(next(network.parameters()).dtype)
    fresh.requires_grad_(False)
    return _not_frozen(fresh, classes)


def _momentum_zero(network: nn.Module) -> nn.Module:
    for module in network.train().modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.0
    return network


def _first_norm_only(network: ResNet) -> ResNet:
    network.train()
    network.bn1.eval()
    return network


_MISTAKES = (
    Mistake(
        "only the head's weight learns",
        "The head's weight learns but its bias doesn't. Both belong to it.",
        _changed(replace_head=_only_the_weight),
    ),
    Mistake(
        "frozen after the head was replaced",
        "Nothing learns: the network was frozen after it got its new head. Freeze first, then put the head on.",
        _changed(replace_head=_frozen_last),
    ),
    Mistake(
        "requires_grad set on a module or not at all",
        "Everything still learns. requires_grad belongs to parameters: setting it on a module changes nothing. Use "
        "module.requires_grad_(False), or loop over parameters().",
        _changed(replace_head=_frozen_by_attribute),
    ),
    Mistake(
        "the old head kept",
        "The head still has its old number of classes. (Setting its out_features changes what print shows, not its "
        "weights: make a new nn.Linear.)",
        _changed(replace_head=_old_head),
    ),
    Mistake(
        "a second head behind the first",
        "The new layer stands behind the old head, not in its place, so that it sees old class scores, not features.",
        _changed(replace_head=_second_head),
    ),
    Mistake(
        "head hard-coded to 10 classes",
        "The new head always has 10 classes. It should have num_classes.",
        _changed(replace_head=_ten_classes),
    ),
    Mistake(
        "the last stage learns too",
        "The last stage of the backbone learns as well. Here only the head does.",
        _changed(replace_head=_last_stage_too),
    ),
    Mistake(
        "the backbone started anew",
        "The backbone's weights are new ones: what was learned before is lost. Change the network you were given.",
        _changed(replace_head=_started_anew),
    ),
    Mistake(
        "BatchNorm left in training mode",
        "BatchNorm's statistics still change: its layers are in training mode, and requires_grad_(False) doesn't stop "
        "that, as the statistics are not parameters. Put these layers into evaluation mode.",
        _changed(train_head_only=lambda network: network.train()),
    ),
    Mistake(
        "BatchNorm's momentum set to zero",
        "The statistics stay, but each batch is still normalised by its own mean and variance, which the frozen layers "
        "never saw in evaluation. Put these layers into evaluation mode.",
        _changed(train_head_only=_momentum_zero),
    ),
    Mistake(
        "only the first BatchNorm",
        "Only the first BatchNorm is in evaluation mode, the ones inside the blocks aren't: loop over modules().",
        _changed(train_head_only=_first_norm_only),
    ),
)

EXERCISE = Exercise(
    id="1.8",
    title="fine-tuning",
    defines=("replace_head", "train_head_only", "ResNet34"),
    parts=(
        Part("a head for the new classes", 2, _head, "The shapes in the docstring of replace_head."),
        Part(
            "only the head learns",
            3,
            _frozen,
            "Print [name for name, p in network.named_parameters() if p.requires_grad].",
        ),
        Part(
            "the backbone keeps its weights",
            2,
            _backbone,
            "Does replace_head change the network it is given, or make another?",
        ),
        Part(
            "BatchNorm's statistics stay",
            3,
            _statistics,
            "The text above, on what BatchNorm does in training mode.",
            manners=True,
        ),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
    builds_on=("1.2", "1.3", "1.4"),
)
