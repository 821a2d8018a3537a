"""What a network computes, as a graph of its convolutions, pools and additions.

The graph is recorded from one forward pass, beneath `nn.Module`: it does not depend on what layers or attributes
are called, or on whether a layer is a module or a call into `torch.nn.functional`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from assignments_lib.training.precision import evaluating

_KINDS = {
    "convolution": "conv",
    "addmm": "linear",
    "mm": "linear",
    "max_pool2d_with_indices": "max pool",
    "max_pool2d": "max pool",
    "avg_pool2d": "average pool",
    "_adaptive_avg_pool2d": "average pool",
    "adaptive_avg_pool2d": "average pool",
    "mean": "average pool",
    "add": "add",
    "add_": "add",
}


@dataclass(eq=False)
class Step:
    """One operation on data that comes from the image."""

    index: int
    kind: str  # one of _KINDS' values, or "other" (normalisation, activation, reshaping ...)
    shape: tuple[int, ...]  # of the output, without the batch
    inputs: list[Step]
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)


@dataclass(eq=False)
class Block:
    """A stretch of the main path with a shortcut around it, from `start`'s output to the addition `end`."""

    start: Step
    end: Step
    convs: list[Step]
    shortcut: list[Step]  # its convolutions: none for an identity

    @property
    def projection(self) -> bool:
        """Whether the shortcut computes something."""
        return bool(self.shortcut)


@dataclass
class Trace:
    """All steps of a forward pass in order, and the residual blocks among them."""

    steps: list[Step]
    blocks: list[Block] = field(default_factory=list)


def trace(model: nn.Module, images: Tensor) -> Trace:
    """Record ``model(images)`` in evaluation mode, (N, C, H, W). The network is left as it was.

    Raises:
        Whatever the network raises.
    """
    recorder = _Recorder(images)
    with evaluating(model), torch.no_grad(), recorder:
        model(images)
    return Trace(recorder.steps, [block for step in recorder.steps if (block := _block(step))])


class _Recorder(TorchDispatchMode):
    def __init__(self, images: Tensor) -> None:
        super().__init__()
        image = Step(0, "image", tuple(images.shape[1:]), [])
        self.steps = [image]
        self._made = {id(images): image}
        self._alive: list[Tensor] = [images]  # an id names a tensor only as long as the tensor lives

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        inputs = [self._made[id(each)] for each in _tensors(args) if id(each) in self._made]
        outputs = func(*args, **(kwargs or {}))
        if inputs:
            made = list(_tensors((outputs,)))
            if made:
                step = self._step(func.overloadpacket.__name__, args, inputs, made[0])
                self.steps.append(step)
                for (
                    each
                ) in made:  # an operation in place gives its input back: from here on it is this step's
                    self._made[id(each)] = step
                    self._alive.append(each)
        return outputs

    def _step(self, name: str, args: tuple[Any, ...], inputs: list[Step], output: Tensor) -> Step:
        kind = _KINDS.get(name, "other")
        step = Step(len(self.steps), kind, tuple(output.shape[1:]), inputs)
        if kind == "conv":
            step.kernel, step.stride = _pair(args[1].shape[2:]), _pair(args[3])
        elif name in ("max_pool2d_with_indices", "max_pool2d", "avg_pool2d"):
            step.kernel = _pair(args[1])
            step.stride = _pair(args[2]) if len(args) > 2 and args[2] else step.kernel
        elif (kind == "average pool" and len(inputs[0].shape) != 3) or (kind == "add" and len(inputs) < 2):
            step.kind = "other"
        return step


def _block(step: Step) -> Block | None:
    """The residual block that ends in this addition, if it is one of two feature maps with a common origin."""
    if step.kind != "add" or len(step.shape) != 3:
        return None
    behind = [_behind(source) for source in step.inputs[:2]]
    common = behind[0] & behind[1]
    if not common:
        return None
    start = max(common, key=lambda each: each.index)
    paths = [
        sorted((each for each in way - common if each.kind == "conv"), key=lambda each: each.index)
        for way in behind
    ]
    shortcut, main = sorted(paths, key=len)
    return Block(start, step, main, shortcut) if main else None


def _behind(step: Step) -> set[Step]:
    found, waiting = {step}, [step]
    while waiting:
        for source in waiting.pop().inputs:
            if source not in found:
                found.add(source)
                waiting.append(source)
    return found


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


def _pair(size: Any) -> tuple[int, int]:
    values = [int(value) for value in size] if isinstance(size, list | tuple | torch.Size) else [int(size)]
    return (values[0], values[-1])
