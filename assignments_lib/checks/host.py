"""The answer's side of the interface: it holds the student's objects and does what a check asks.

It knows nothing of references, marks or seeds, so that it may run in the student's own process.
"""

from __future__ import annotations

import linecache
import math
import random
import re
import sysconfig
import traceback
from collections.abc import Callable, Mapping, Sequence
from math import prod
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.models.resnet import BasicBlock

from assignments_lib.checks.answer import Entry, Frame, Opaque, Raised, Ref, Run, Summary, Value
from assignments_lib.not_filled_in import NotFilledIn
from assignments_lib.trunk import Trunk

_MAX_DEPTH = 10  # of lists in lists

# The layers a probe model may be made of.
_LAYERS = {
    name: getattr(nn, name)
    for name in ("Flatten", "Linear", "BatchNorm1d", "BatchNorm2d", "Conv2d", "Dropout", "MaxPool2d", "ReLU")
}


class _GraphAlive(torch.autograd.Function):
    """The identity; its context lives exactly as long as the graph that recorded it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, alive: list[int]) -> Tensor:
        ctx.token = _Token(alive)
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        return grad_outputs[0], None


class _Token:
    def __init__(self, alive: list[int]):
        self._alive = alive
        alive[0] += 1

    def __del__(self) -> None:
        self._alive[0] -= 1


class GraphCounter(nn.Module):
    """The identity, counting how many autograd graphs it is part of at once; ``peak`` is the most seen.

    ``passes`` counts how often it was run at all.
    """

    peak: Tensor
    passes: Tensor

    def __init__(self) -> None:
        super().__init__()
        self._alive = [0]
        self.register_buffer("peak", torch.zeros((), dtype=torch.int64))
        self.register_buffer("passes", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        self.passes += 1
        if not (torch.is_grad_enabled() and x.requires_grad):
            return x
        y: Tensor = _GraphAlive.apply(x, self._alive)
        self.peak.fill_(max(int(self.peak), self._alive[0]))
        return y


def _recorder(number: int, base: int) -> Callable[[Tensor, Tensor], Tensor]:
    """An operation that leaves channel 0 alone and writes into the others that it came, and with which strength."""

    def operation(images: Tensor, strengths: Tensor) -> Tensor:
        if images.ndim != 4:
            raise TypeError(
                f"an operation takes a batch (n, C, H, W), not a tensor of {images.ndim} dimensions"
            )
        if not isinstance(strengths, Tensor) or strengths.shape != images.shape[:1]:
            raise TypeError(
                "an operation takes strengths (n,): a tensor with one number for each of its pictures"
            )
        came = base * images[:, 1:2] + number
        strong = strengths.to(images).view(-1, 1, 1, 1).expand_as(came)
        return torch.cat([images[:, :1], came, strong, images[:, 2:-1]], dim=1)

    return operation


def _view(factor: float, offset: float) -> Callable[[Tensor], Tensor]:
    return lambda images: factor * images + offset


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, dtype=weight.dtype)
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    return layer


def _pointwise(weight: Tensor, bias: Tensor) -> nn.Conv2d:
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], 1, dtype=weight.dtype)
    layer.load_state_dict({"weight": weight[:, :, None, None], "bias": bias})
    return layer


def _pyramid(matrices: Sequence[Tensor], strides: Sequence[int]) -> Trunk:
    """Each stage averages squares and mixes channels, which the next one averages and mixes again."""
    stages, before = [], 1
    for matrix, stride in zip(matrices, strides, strict=True):
        mix = nn.Conv2d(matrix.shape[1], matrix.shape[0], 1, bias=False, dtype=matrix.dtype)
        with torch.no_grad():
            mix.weight.copy_(matrix[:, :, None, None])
        stages.append(nn.Sequential(nn.AvgPool2d(stride // before, ceil_mode=True), mix))
        before = stride
    return Trunk(nn.Identity(), stages, [len(matrix) for matrix in matrices], strides)


def _blocks(widths: Sequence[int], depths: Sequence[int]) -> Trunk:
    """As ResNet34's, narrower and shallower."""
    stem = nn.Sequential(
        nn.Conv2d(3, widths[0], 7, stride=2, padding=3, bias=False),
        nn.BatchNorm2d(widths[0]),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2, padding=1),
    )
    stages, before = [], widths[0]
    for number, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        stride = 1 if number == 0 else 2
        shortcut = nn.Sequential(
            nn.Conv2d(before, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width)
        )
        first = BasicBlock(before, width, stride, shortcut if stride > 1 or before != width else None)
        stages.append(nn.Sequential(first, *(BasicBlock(width, width) for _ in range(depth - 1))))
        before = width
    return Trunk(stem, stages, widths, [4, 8, 16, 32])


class _Joined(nn.Module):
    """A module of several tensors as a module of one: a vector that holds them all, one after another."""

    def __init__(self, module: nn.Module, shapes: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.module = module
        self.shapes = shapes

    def forward(self, joined: Tensor) -> Any:
        tensors, start = [], 0
        for shape in self.shapes:
            tensors.append(joined[start : start + prod(shape)].view(*shape))  # still a part of joined
            start += prod(shape)
        return self.module(*tensors)


class _Applied(nn.Module):
    """A function as a module of its first argument."""

    def __init__(self, function: Callable[..., Any], rest: Sequence[Any]) -> None:
        super().__init__()
        self.function, self.rest = function, rest

    def forward(self, x: Tensor) -> Any:
        return self.function(x, *self.rest)


class Host:
    """Holds the answer's functions and classes by name, and the objects they made by number."""

    def __init__(self, namespace: dict[str, Any]):
        self.namespace = namespace
        self._objects: dict[int, Any] = {}
        self._next = 0

    # -- objects and values -------------------------------------------------------------------------------

    def _keep(self, thing: Any, kind: str) -> Ref:
        for number, kept in self._objects.items():
            if kept is thing:
                return Ref(number, kind)
        self._next += 1
        self._objects[self._next] = thing
        return Ref(self._next, kind)

    def _find(self, ref: Ref) -> Any:
        return self._objects[ref.number]

    def forget(self) -> None:
        """Drop every object kept so far, and start all random numbers anew: the same in every process."""
        self._objects.clear()
        self.seed(0)

    def seed(self, number: int) -> None:
        """Seed torch, ``random`` and ``numpy.random``, as a `DataLoader` does in each of its workers."""
        torch.default_generator.manual_seed(number)
        random.seed(number)
        np.random.seed(number % 2**32)

    def _outward(self, value: Any, depth: int = 0) -> Value:
        """What the check may see of something the answer returned."""
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, (int, np.integer)) and abs(int(value)) < 2**63:
            return int(value)
        if isinstance(value, (float, np.floating)):
            return float(value)
        if isinstance(value, Tensor) and (
            value.layout != torch.strided or value.is_meta or value.is_complex()
        ):
            return Opaque(
                f"{str(value.dtype).removeprefix('torch.')} tensor ({value.layout}, {value.device})"
            )
        if isinstance(value, Tensor):
            # A tv_tensors.Image is a picture like any other
            copy = value.detach().as_subclass(Tensor).clone().cpu().contiguous()
            return copy.requires_grad_(value.requires_grad) if copy.is_floating_point() else copy
        if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
            return torch.from_numpy(np.ascontiguousarray(value))
        if isinstance(value, nn.Module):
            return self._keep(value, "module")
        if depth >= _MAX_DEPTH:
            return Opaque(type(value).__name__)
        if isinstance(value, tuple):
            return tuple(self._outward(item, depth + 1) for item in value)
        if isinstance(value, list):
            return [self._outward(item, depth + 1) for item in value]
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            return {key: self._outward(item, depth + 1) for key, item in value.items()}
        return Opaque(type(value).__name__)

    def _inward(self, value: Value) -> Any:
        """What the answer is given for something the check sent: `Ref`s become the objects they name."""
        if isinstance(value, Ref):
            return self._find(value)
        if isinstance(value, Tensor):
            return value.clone()
        if isinstance(value, tuple):
            return tuple(self._inward(item) for item in value)
        if isinstance(value, list):
            return [self._inward(item) for item in value]
        if isinstance(value, dict):
            return {key: self._inward(item) for key, item in value.items()}
        return value

    # -- requests -----------------------------------------------------------------------------------------

    def call(self, target: str, args: tuple[Value, ...], kwargs: Mapping[str, Value]) -> Value:
        """Call a function or class of the namespace by its name."""
        given = [self._inward(arg) for arg in args]
        return self._called(target, given, {key: self._inward(arg) for key, arg in kwargs.items()})

    def writes(self, target: str, args: tuple[Value, ...]) -> bool:
        """Whether calling it changes a tensor that it is given."""
        given = [self._inward(arg) for arg in args]
        self._called(target, given, {})
        return any(
            isinstance(sent, Tensor) and not torch.equal(sent, now)
            for sent, now in zip(args, given, strict=True)
        )

    def _called(self, target: str, given: list[Any], named: dict[str, Any]) -> Value:
        function = self._named(target)

        def work() -> Value:
            with torch.enable_grad():  # and back, whatever the answer leaves switched off
                return self._outward(function(*given, **named))

        return _guarded(work)

    def _named(self, target: str) -> Callable[..., Any]:
        if target not in self.namespace:
            raise Raised("NameError", f"{target} is not defined: run the cell that defines it", blank=False)
        found: Callable[..., Any] = self.namespace[target]
        return found

    def make(self, kind: str, *args: Value) -> Ref:
        """Make an input for an exercise.

        - ``"model", layers``: an ``nn.Sequential`` of ``[layer name, *arguments]`` lists
        - ``"sgd", module, lr, momentum``: an optimizer over the module's parameters
        - ``"loader", images, labels, batch_size``: a `DataLoader` in the order given
        - ``"mode", "train" | "eval"``: a function that puts a module in that mode
        - ``"operations", maxima``: a policy's ``(operation, maximum)`` pairs. Operation k = 1, 2, ... turns channel 1
          into (number of operations + 1) times itself plus k, and puts its strength in front of channels 2, 3, ...
        - ``"views", numbers``: for each pair (factor, offset) a function images -> factor * images + offset
        - ``"linear", weight, bias``: an ``nn.Linear`` with these values (bias None: without one)
        - ``"pointwise", weight, bias``: a 1x1 ``nn.Conv2d`` with these values, weight (channels out, channels in)
        - ``"pyramid", matrices, strides``: a `Trunk` of averages. Map k is the images averaged over squares of
          strides[k] pixels, and its channels mixed by matrices[0], ..., matrices[k], each (channels out, channels in)
        - ``"trunk", widths, depths``: a `Trunk` of torchvision's BasicBlocks with these channels and numbers of blocks
        - ``"counted", trunk``: the `Trunk` given, its stem followed by a `GraphCounter`: tensor ``stem.1.peak``
        - ``"applied", name, arguments``: the answer's function of that name as a module, which gives it its own input
          first, then these arguments; so `run` gets the function's gradients
        - ``"joined", module, shapes``: the module, which takes tensors of these shapes, as one that takes a vector with
          all of them, one after another; so `run` sends it several tensors and gets the gradients of all
        """
        if kind == "model":
            layers = [
                GraphCounter() if name == "GraphCounter" else _LAYERS[name](*rest) for name, *rest in args[0]
            ]
            return self._keep(nn.Sequential(*layers), "module")
        if kind == "sgd":
            module, lr, momentum = args
            parameters = self._find(module).parameters()
            return self._keep(torch.optim.SGD(parameters, lr=lr, momentum=momentum), "optimizer")
        if kind == "loader":
            images, labels, batch_size = args
            return self._keep(DataLoader(TensorDataset(images, labels), batch_size=batch_size), "loader")
        if kind == "mode":
            mode: Callable[[nn.Module], nn.Module] = {"train": nn.Module.train, "eval": nn.Module.eval}[
                args[0]
            ]
            return self._keep(mode, "mode")
        if kind == "operations":
            pairs = [
                (_recorder(number, len(args[0]) + 1), maximum) for number, maximum in enumerate(args[0], 1)
            ]
            return self._keep(pairs, "operations")
        if kind == "views":
            return self._keep([_view(factor, offset) for factor, offset in args[0]], "views")
        if kind == "linear":
            return self._keep(_linear(*args), "module")
        if kind == "pointwise":
            return self._keep(_pointwise(*args), "module")
        if kind == "pyramid":
            return self._keep(_pyramid(*args), "module")
        if kind == "trunk":
            return self._keep(_blocks(*args), "module")
        if kind == "counted":
            trunk = self._find(args[0])
            trunk.stem = nn.Sequential(trunk.stem, GraphCounter())
            return args[0]
        if kind == "joined":
            return self._keep(_Joined(self._find(args[0]), args[1]), "module")
        if kind == "applied":
            name, arguments = args
            return self._keep(_Applied(self._named(name), self._inward(arguments)), "module")
        raise ValueError(f"the host can't make a {kind!r}")

    def describe(self, module: Ref) -> list[Entry]:
        """The module's parameters and buffers, each once, in the module's own order."""
        found: nn.Module = self._find(module)
        return _guarded(
            lambda: [
                Entry(
                    name, tuple(t.shape), isinstance(t, nn.Parameter), t.requires_grad, t.is_floating_point()
                )
                for name, t in _tensors(found).items()
            ]
        )

    def state(self, module: Ref, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Copies of the values of the module's parameters and buffers: of all, or of those named."""
        found: nn.Module = self._find(module)

        def work() -> dict[str, Tensor]:
            tensors = _tensors(found)
            wanted = tensors if names is None else names
            return {name: tensors[name].detach().clone().cpu().contiguous() for name in wanted}

        copies: dict[str, Tensor] = _guarded(work)
        return copies

    def summaries(self, module: Ref, names: Sequence[str] | None = None) -> dict[str, Summary]:
        """What `state` gives, each tensor in a few numbers."""
        found: nn.Module = self._find(module)

        def work() -> dict[str, Summary]:
            tensors = _tensors(found)
            return {name: summary_of(tensors[name]) for name in (tensors if names is None else names)}

        summaries: dict[str, Summary] = _guarded(work)
        return summaries

    def attribute(self, module: Ref, name: str) -> Value:
        """An attribute of the module, or of what it holds: names joined by dots lead from one to the next."""
        found: nn.Module = self._find(module)
        return _guarded(lambda: self._outward(attrgetter(name)(found)))

    def load(self, module: Ref, state: Mapping[str, Tensor]) -> None:
        """Give parameters and buffers these values; the module takes on the values' floating-point type."""
        found: nn.Module = self._find(module)
        dtypes = {value.dtype for value in state.values() if value.is_floating_point()}

        def work() -> None:
            if dtypes:
                found.to(dtypes.pop())
            tensors = _tensors(found)
            with torch.no_grad():
                for name, value in state.items():
                    tensors[name].copy_(value)

        _guarded(work)

    def run(
        self, module: Ref, x: Tensor, mode: str | None, grad_output: Tensor | None, summarize: bool = False
    ) -> Run:
        """One pass of ``x``, and backward from ``grad_output`` where it is given."""
        found: nn.Module = self._find(module)
        given = x.clone()
        if grad_output is not None:
            given.requires_grad_()

        def passes() -> Any:
            if mode is not None:
                found.train(mode == "train")
            with torch.set_grad_enabled(grad_output is not None):
                # A leaf can't be written into while it records gradients; a copy of it can.
                entry = given.clone() if grad_output is not None else given
                return entry, found(entry)

        entry, output = _guarded(passes)
        changed = not torch.equal(entry.detach(), x)
        if grad_output is None or not isinstance(output, Tensor) or output.shape != grad_output.shape:
            return Run(self._outward(output), changed)
        parameters = {name: p for name, p in found.named_parameters() if p.requires_grad}
        wanted = [given, *parameters.values()]
        grads = _guarded(lambda: torch.autograd.grad(output, wanted, grad_output, allow_unused=True))
        named = {name: grad for name, grad in zip(parameters, grads[1:], strict=True) if grad is not None}
        grad_input = None if grads[0] is None else grads[0].contiguous()
        seen = (self._outward(output.detach()), changed, grad_input)
        if summarize:
            return Run(*seen, summaries={name: summary_of(grad) for name, grad in named.items()})
        return Run(*seen, {name: grad.contiguous() for name, grad in named.items()})


def summary_of(tensor: Tensor) -> Summary:
    """A tensor in a few numbers."""
    plain = tensor.detach().cpu()
    count = plain.numel()
    total = float(plain.sum(dtype=torch.float64))
    # A norm wants floats, and casts them on its way: no copy of a network's 21 million numbers
    floats = plain if plain.is_floating_point() else plain.double()
    norm = float(torch.linalg.vector_norm(floats, dtype=torch.float64))
    spread = (norm**2 - total**2 / count) / (count - 1) if count > 1 else math.nan
    return Summary(
        tuple(plain.shape),
        total,
        norm,
        math.sqrt(max(0.0, spread)) if math.isfinite(spread) else math.nan,
        count - int(plain.count_nonzero()),
        int((plain == 1).count_nonzero()),
    )


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """Parameters, then buffers; shared ones once."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def _guarded(work: Callable[[], Any]) -> Any:
    """Run the student's code; what it raises becomes `Raised`, with their own frames only."""
    try:
        return work()
    except NotFilledIn as error:
        raise Raised("NotFilledIn", str(error), blank=True) from None
    except (Exception, SystemExit) as error:
        raise Raised(type(error).__name__, _first_lines(str(error)), own_frames(error)) from None


def _first_lines(message: str, limit: int = 400) -> str:
    text = _ADDRESS.sub("", "\n".join(message.strip().splitlines()[:4]))
    return text if len(text) <= limit else text[:limit] + " ..."


_FOREIGN = (
    str(Path(__file__).resolve().parents[1]),  # this package
    sysconfig.get_paths()["stdlib"],
    sysconfig.get_paths()["purelib"],
    sysconfig.get_paths()["platlib"],
    str(Path(torch.__file__).resolve().parents[1]),
    "<frozen",
)


def own_frames(error: BaseException) -> list[Frame]:
    """The frames of the student's own code, outermost first, at most the last five."""
    frames = []
    for frame, line_number in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if code.co_filename.startswith(_FOREIGN):
            continue
        where = getattr(code, "co_qualname", code.co_name).replace("<locals>.", "")
        text = linecache.getline(code.co_filename, line_number, frame.f_globals).strip()
        frames.append(Frame(where, line_number, text))
    return frames[-5:]


def run_source(source: str, name: str, namespace: dict[str, Any]) -> None:
    """Execute one cell's source in a namespace; its lines can be quoted in messages.

    Raises:
        Raised: the source raised, or doesn't parse.
    """
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)

    def work() -> None:
        exec(compile(source, name, "exec"), namespace)

    _guarded(work)
