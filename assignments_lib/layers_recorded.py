"""Which layers with weights a network has, in the order of its forward pass, whatever style it is written in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from assignments_lib.training.precision import evaluating

_PRODUCTS = {"addmm", "mm", "bmm", "linear"}
_RESHAPING = {"view", "_unsafe_view", "permute", "transpose", "t", "squeeze", "unsqueeze", "alias", "clone"}


@dataclass
class Layer:
    """One layer with weights, in words; two are equal if the words are."""

    kind: str
    kernel: str
    channels: str
    size: str = ""  # of the output, height x width
    parameters: int = 0
    note: str = ""
    # for the order: how many layers are before it at most, and the area of its kernel
    place: tuple[int, int] = field(default=(0, 0), compare=False)

    def cells(self) -> tuple[str, str, str, str]:
        """Kind with kernel, channels, size and number of parameters, as the table has them."""
        count = f"{self.parameters:,}" + (f" ({self.note})" if self.note else "")
        return f"{self.kind} {self.kernel}".rstrip(), self.channels, self.size, count


@dataclass
class _Call:
    """A module that is running, and what it was given."""

    module: nn.Module
    given: Tensor | None
    origin: _Origin


@dataclass(frozen=True)
class _Origin:
    """How many layers lie on the longest way from the image to a tensor, and the layer it comes from directly."""

    depth: int = 0
    layer: Layer | None = None


class Recorder(TorchDispatchMode):
    """Records the layers of a network while it runs.

    A layer is a convolution, normalisation or matrix product by a parameter. Where a module computes with its
    parameters in another way, the module is the layer, and the parameters' shapes tell what kind it is.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self._model = model
        self._names = {id(module): name for name, module in model.named_modules()}
        self._registered = {id(parameter) for parameter in model.parameters()}
        self._layers: list[Layer] = []
        self._calls: list[_Call] = []  # those running, the innermost last
        self._used: set[int] = set()  # parameters that something was computed with
        self._counted: set[int] = set()  # parameters that stand in a layer
        self._in_operations: set[int] = set()  # those of them where an operation is the layer, not a module
        self._origins = WeakTensorKeyDictionary()  # of tensors that come from the image
        self._parameters = WeakTensorKeyDictionary()  # those that other tensors come from

    def run(self, image_size: int, in_channels: int) -> None:
        """Run the network once, recording it."""
        images = torch.zeros(2, in_channels, image_size, image_size)
        parameter = next(self._model.parameters(), None)
        images = images if parameter is None else images.to(parameter)
        self._origins[images] = _Origin()
        with evaluating(self._model), torch.no_grad(), self._watching_modules(), self:
            self._model(images)

    def in_order(self) -> list[Layer]:
        """The layers from the image on; of two on parallel ways, the one with the larger kernel first."""
        return sorted(self._layers, key=lambda layer: layer.place)

    def where(self) -> str:
        """Where the network is, or stopped."""
        if not self._calls:
            return "before its first layer"
        call = self._calls[-1]
        name = self._names.get(id(call.module), "a module that isn't registered")
        given = "" if call.given is None else f", which was given {_by(call.given.shape[1:])}"
        return f"in {name or 'its own forward'} ({type(call.module).__name__}){given}"

    def unused(self) -> str:
        """What to say about parameters that the forward pass doesn't need; nothing if it needs them all."""
        counts: dict[str, int] = {}
        for name, parameter in self._model.named_parameters():
            if id(parameter) not in self._used:
                owner = name.rpartition(".")[0] or name
                counts[owner] = counts.get(owner, 0) + parameter.numel()
        if not counts:
            return ""
        listed = ", ".join(list(counts)[:3]) + (f" and {len(counts) - 3} more" if len(counts) > 3 else "")
        return f"Your forward pass never uses {listed} ({sum(counts.values()):,} parameters)."

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = [*_tensors(args), *_tensors((kwargs or {}).values())]
        data = [each for each in given if each in self._origins]
        weights = {id(weight): weight for each in given for weight in self._parameters_of(each)}
        before = self._origins[data[0]] if data else _Origin()
        depth = max((self._origins[each].depth for each in data), default=0)
        outputs = func(*args, **(kwargs or {}))
        made = list(_tensors((outputs,)))
        name = func.overloadpacket.__name__
        for each in made:
            if data:
                self._origins[each] = _Origin(depth, before.layer if name in _RESHAPING else None)
            elif weights:
                self._parameters[each] = list(weights.values())
        if data and weights:
            self._used |= weights.keys()
            self._see(name, args, data[0], made[0], weights, _Origin(depth, before.layer))
        return outputs

    def _see(
        self,
        name: str,
        args: tuple[Any, ...],
        given: Tensor,
        made: Tensor,
        weights: dict[int, Tensor],
        before: _Origin,
    ) -> None:
        """An operation on data and parameters: is it a layer?"""
        shapes = [weight.shape for weight in weights.values()]
        layer, area = None, 0
        if name == "convolution" and all(weight.ndim in (1, args[1].ndim) for weight in weights.values()):
            kernel, area = _kernel(args)
            layer = Layer("conv", kernel, _through(given.shape[1], made.shape[1]), _size(made))
        elif "norm" in name:
            layer = Layer("norm", "", str(made.shape[1]), _size(made))
        elif (
            name in _PRODUCTS and sum(len(shape) == 2 for shape in shapes) == 1 and not self._in_leaf(weights)
        ):
            (matrix,) = (shape for shape in shapes if len(shape) == 2)
            outside = made.shape[-1] if made.shape[-1] in matrix else made.shape[-2]
            inside = matrix[1] if matrix[0] == outside else matrix[0]
            layer = Layer("linear", "", _through(inside, outside))
        elif name in ("add", "add_") and before.layer is not None and {len(shape) for shape in shapes} == {1}:
            # a bias, added by hand to what a convolution or a product gave
            before.layer.parameters += sum(weight.numel() for weight in weights.values())
            self._in_operations |= weights.keys()
            self._counted |= weights.keys()
            self._origins[made] = before
        if layer is not None:
            self._in_operations |= weights.keys()
            self._add(layer, weights, area, before, made)

    def _in_leaf(self, weights: dict[int, Tensor]) -> bool:
        """Whether these are the parameters of the running module, and it has no others inside: it is the layer."""
        module = self._calls[-1].module if self._calls else self._model
        own = {id(each) for each in module.parameters(recurse=False)}
        return weights.keys() <= own and next(module.children(), None) is None and module is not self._model

    def _parameters_of(self, tensor: Tensor) -> list[Tensor]:
        return [tensor] if isinstance(tensor, nn.Parameter) else self._parameters.get(tensor, [])

    def _add(
        self, layer: Layer, weights: dict[int, Tensor], area: int, before: _Origin, made: Tensor
    ) -> None:
        layer.parameters = sum(weight.numel() for weight in weights.values())
        if not weights.keys() <= self._registered:
            layer.note = "not registered"
        elif weights.keys() <= self._counted:
            layer.note = "used before"
        self._used |= weights.keys()
        self._counted |= weights.keys()
        conv = before.layer
        if conv is not None and (layer.kind, conv.kind) == ("norm", "conv"):
            conv.kind = "conv+norm"
            conv.parameters += layer.parameters
            conv.note = conv.note or layer.note
            self._origins[made] = _Origin(before.depth)
            return
        layer.place = (before.depth + 1, -area)
        self._layers.append(layer)
        self._origins[made] = _Origin(before.depth + 1, layer)

    @contextmanager
    def _watching_modules(self) -> Iterator[None]:
        # hooks for every module there is, because those in a plain list aren't among the network's modules
        handles = [
            hooks.register_module_forward_pre_hook(self._enter),
            hooks.register_module_forward_hook(self._leave),
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _enter(self, module: nn.Module, inputs: Any) -> None:
        given = next(_tensors(inputs), None)
        origin = _Origin() if given is None else self._origins.get(given, _Origin())
        self._calls.append(_Call(module, given, origin))

    def _leave(self, module: nn.Module, inputs: Any, outputs: Any) -> None:
        call = self._calls.pop()
        made = next(_tensors((outputs,)), None)
        by_hand: dict[int, Tensor] = {
            id(each): each
            for each in module.parameters(recurse=False)
            if id(each) in self._used - self._in_operations
        }
        if by_hand and made is not None:
            layer, area = _by_hand(module, list(by_hand.values()), call.given, made)
            depth = self._origins.get(made, call.origin).depth
            self._add(layer, by_hand, area, _Origin(depth, call.origin.layer), made)


def _by_hand(
    module: nn.Module, weights: list[Tensor], given: Tensor | None, made: Tensor
) -> tuple[Layer, int]:
    """The layer that a module computes from these parameters, and the area of its kernel."""
    largest = max((tuple(weight.shape) for weight in weights), key=len)
    if given is not None and given.ndim == made.ndim and given.ndim in (2, 4):
        inside, outside = given.shape[1], made.shape[1]
        if given.shape == made.shape and all(weight.numel() == outside for weight in weights):
            return Layer("norm", "", str(outside), _size(made)), 0
        is_product = len(largest) == 2 and sorted(largest) == sorted((inside, outside))
        if is_product and given.ndim == 2:
            return Layer("linear", "", _through(inside, outside)), 0
        if given.ndim == 4 and (is_product or largest[:2] == (outside, inside)):
            kernel = largest[2:] or (1, 1)
            strides = [max(1, round(a / b)) for a, b in zip(given.shape[2:], made.shape[2:], strict=True)]
            words = _kernel_in_words(kernel, strides, (1, 1))
            return Layer("conv", words, _through(inside, outside), _size(made)), prod(kernel)
    shapes = ", ".join(_by(weight.shape) for weight in weights)
    return Layer(f"{type(module).__name__} {shapes}", "", "", _size(made)), 0


def _kernel(args: tuple[Any, ...]) -> tuple[str, int]:
    """Kernel and stride of a convolution in words, and the kernel's area."""
    _, weight, _, stride, _, dilation, transposed = args[:7]
    words = _kernel_in_words(weight.shape[2:], stride, dilation)
    return ("transposed " if transposed else "") + words, weight[0, 0].numel()


def _kernel_in_words(kernel: Iterable[int], stride: Iterable[int], dilation: Iterable[int]) -> str:
    words = _by(kernel)
    for mark, sizes in ((" /", stride), (" dilation ", dilation)):
        if set(sizes) != {1}:
            words += mark + (str(next(iter(sizes))) if len(set(sizes)) == 1 else _by(sizes))
    return words


def _through(inside: int, outside: int) -> str:
    return f"{inside}->{outside}"


def _size(made: Tensor) -> str:
    return _by(made.shape[2:]) if made.ndim > 2 else ""


def _by(sizes: Iterable[int]) -> str:
    return "x".join(map(str, sizes)) or "a number"


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
