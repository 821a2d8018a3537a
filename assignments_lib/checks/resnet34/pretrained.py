"""Exercise 1.6: torchvision's pretrained weights under the student's own names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import torch
from torch import Tensor, nn

from assignments_lib.checks.answer import Answer, Raised, Ref, Summary
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part
from assignments_lib.checks.host import summary_of
from assignments_lib.checks.modules import build, tensor_mark
from assignments_lib.checks.resnet34.network import torchvision_network

_State = Mapping[str, Tensor]


@lru_cache(maxsize=2)
def _checkpoint(seed: int, classes: int) -> dict[str, Tensor]:
    """A state dict as torchvision publishes it: its names, its order, values of no network in particular."""
    generator = torch.Generator().manual_seed(seed)
    state = torchvision_network((classes, 3)).state_dict()
    for name, value in state.items():
        if value.ndim == 0:
            state[name] = torch.randint(100, 999, (), generator=generator)
        elif value.ndim == 1:
            state[name] = torch.rand(value.shape, generator=generator) + 0.5
        else:
            state[name] = torch.randn(value.shape, generator=generator) * (2 / value[0].numel()) ** 0.5
    return dict(state)


@lru_cache(maxsize=2)
def _offered(seed: int, classes: int) -> list[Summary]:
    return [summary_of(tensor) for tensor in _checkpoint(seed, classes).values()]


def _loaded(answer: Answer, draw: Draw) -> Ref:
    classes = 10 + draw.seed % 20
    network = build(answer, "ResNet34", classes)
    returned = answer.call("load_pretrained", network, _checkpoint(draw.seed, classes))
    return returned if isinstance(returned, Ref) else network


def _outputs(answer: Answer, draw: Draw) -> Iterator[Observation]:
    network = _loaded(answer, draw)
    loaded = {tensor_mark(tensor) for tensor in answer.summaries(network).values()}
    # BatchNorm's counters are left out: an own BatchNorm needs none.
    offered = [tensor for tensor in _offered(draw.seed, 10 + draw.seed % 20) if tensor.shape]
    yield (
        f"how many of the {len(offered)} weights and statistics have arrived in the network",
        sum(tensor_mark(tensor) in loaded for tensor in offered),
    )
    for size in (64, 97):
        what = f"logits of the loaded network for 2 images of {size}x{size}, evaluation mode"
        yield what, answer.run(network, draw.normal(2, 3, size, size).float()).output


def _statistics(answer: Answer, draw: Draw) -> Iterator[Observation]:
    network = _loaded(answer, draw)
    buffers = [entry.name for entry in answer.describe(network) if not entry.is_parameter and entry.is_float]
    total = sum(summary.total for summary in answer.summaries(network, buffers).values())
    yield "sum of BatchNorm's running means and variances after loading", total


def _refusal(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """A head of another size must not be passed over in silence."""
    network = build(answer, "ResNet34", 10)
    refused = False
    try:
        answer.call("load_pretrained", network, _checkpoint(draw.seed, 12))
    except Raised as error:
        if error.blank:
            raise
        refused = True
    yield "weights for 12 classes are refused by a network for 10 (an error is raised)", refused


def _reference() -> Namespace:
    def load(network: nn.Module, state: _State) -> None:
        network.load_state_dict(dict(state))

    return {"ResNet34": lambda classes: torchvision_network((classes, 3)), "load_pretrained": load}


def _loading(load: Callable[[nn.Module, dict[str, Tensor]], object]) -> Namespace:
    return {"ResNet34": lambda classes: torchvision_network((classes, 3)), "load_pretrained": load}


def _parameters_only(network: nn.Module, state: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(state[name])


def _by_names_that_differ(network: nn.Module, state: dict[str, Tensor]) -> None:
    network.load_state_dict({f"module.{name}": value for name, value in state.items()}, strict=False)


def _without_head(network: nn.Module, state: dict[str, Tensor]) -> None:
    network.load_state_dict({n: v for n, v in state.items() if not n.startswith("fc")}, strict=False)


def _by_shape(network: nn.Module, state: dict[str, Tensor]) -> None:
    """Every tensor gets the first one of its shape."""
    first: dict[tuple[int, ...], Tensor] = {}
    for value in state.values():
        first.setdefault(tuple(value.shape), value)
    mine = network.state_dict()
    network.load_state_dict({name: first[tuple(value.shape)] for name, value in mine.items()})


def _mixed_up(network: nn.Module, state: dict[str, Tensor]) -> None:
    """Last first, among tensors of one shape."""
    queues: dict[tuple[int, ...], list[Tensor]] = {}
    for value in state.values():
        queues.setdefault(tuple(value.shape), []).append(value)
    mine = network.state_dict()
    network.load_state_dict({name: queues[tuple(value.shape)].pop() for name, value in mine.items()})


def _weights_only(network: nn.Module, state: dict[str, Tensor]) -> None:
    """Shifts of BatchNorm and the bias of the last layer are left out."""
    network.load_state_dict({n: v for n, v in state.items() if not n.endswith(".bias")}, strict=False)


def _fitting_only(network: nn.Module, state: dict[str, Tensor]) -> None:
    mine = network.state_dict()
    fitting = {name: value for name, value in state.items() if mine[name].shape == value.shape}
    network.load_state_dict(fitting, strict=False)


_MISTAKES = (
    Mistake(
        "running statistics left out",
        "BatchNorm's running means and variances are still those of a new network. They are buffers, not parameters: "
        "state_dict() has both, parameters() doesn't.",
        _loading(_parameters_only),
    ),
    Mistake(
        "nothing loaded",
        "Nothing has arrived: the network is as it was. With strict=False, load_state_dict skips every name it "
        "doesn't know; and state_dict()[name] = value changes a dictionary, not the network. Translate the names, "
        "then load strictly.",
        _loading(_by_names_that_differ),
    ),
    Mistake(
        "the last layer left out",
        "Everything is loaded but the last layer, which is still random. Here its weights are to be loaded too.",
        _loading(_without_head),
    ),
    Mistake(
        "biases left out",
        "The shifts of BatchNorm and the bias of the last layer were not loaded: names ending in 'bias' count too.",
        _loading(_weights_only),
    ),
    Mistake(
        "the same tensor for every layer of one shape",
        "Layers of one shape all got the same weights. Matching by shape isn't enough: use the order as well.",
        _loading(_by_shape),
    ),
    Mistake(
        "layers in another order",
        "Layers of one shape got each other's weights. Go through both networks in the same order.",
        _loading(_mixed_up),
    ),
    Mistake(
        "tensors that don't fit passed over",
        "Tensors that don't fit are skipped without a word. They should be an error: a half-loaded network looks fine "
        "and answers nonsense.",
        _loading(_fitting_only),
    ),
)

EXERCISE = Exercise(
    id="1.6",
    title="pretrained weights",
    defines=("load_pretrained", "ResNet34"),
    parts=(
        Part(
            "the same logits as torchvision's network",
            4,
            _outputs,
            "Print the two lists of names and shapes side by side: where do they first differ?",
        ),
        Part(
            "BatchNorm's running statistics",
            2,
            _statistics,
            "What does state_dict() hold besides parameters?",
        ),
        Part("weights that don't fit are refused", 2, _refusal, "The last sentence of the docstring."),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
    builds_on=("1.2", "1.3", "1.4"),
)
