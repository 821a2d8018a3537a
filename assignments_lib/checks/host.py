"""The answer's side of the interface: it holds the student's objects and does what a check asks.

It knows nothing of references, marks or seeds, so that it may run in the student's own process.
"""

from __future__ import annotations

import linecache
import random
import re
import sysconfig
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from assignments_lib.checks.answer import Entry, Frame, Opaque, Raised, Ref, Run, Value
from assignments_lib.not_filled_in import NotFilledIn

_MAX_DEPTH = 10  # of lists in lists

# The layers a probe model may be made of.
_LAYERS = {
    name: getattr(nn, name)
    for name in ("Flatten", "Linear", "BatchNorm1d", "BatchNorm2d", "Conv2d", "Dropout", "ReLU")
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
    """The identity, counting how many autograd graphs it is part of at once; ``peak`` is the most seen."""

    peak: Tensor

    def __init__(self) -> None:
        super().__init__()
        self._alive = [0]
        self.register_buffer("peak", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
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
        if target not in self.namespace:
            raise Raised("NameError", f"{target} is not defined: run the cell that defines it", blank=False)

        def work() -> Value:
            with torch.enable_grad():  # and back, whatever the answer leaves switched off
                return self._outward(self.namespace[target](*given, **named))

        return _guarded(work)

    def make(self, kind: str, *args: Value) -> Ref:
        """Make an input for an exercise.

        - ``"model", layers``: an ``nn.Sequential`` of ``[layer name, *arguments]`` lists
        - ``"sgd", module, lr, momentum``: an optimizer over the module's parameters
        - ``"loader", images, labels, batch_size``: a `DataLoader` in the order given
        - ``"mode", "train" | "eval"``: a function that puts a module in that mode
        - ``"operations", maxima``: a policy's ``(operation, maximum)`` pairs. Operation k = 1, 2, ... turns channel 1
          into (number of operations + 1) times itself plus k, and puts its strength in front of channels 2, 3, ...
        - ``"views", numbers``: for each pair (factor, offset) a function images -> factor * images + offset
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

    def run(self, module: Ref, x: Tensor, mode: str | None, grad_output: Tensor | None) -> Run:
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
        named = {name: g.contiguous() for name, g in zip(parameters, grads[1:], strict=True) if g is not None}
        grad_input = None if grads[0] is None else grads[0].contiguous()
        return Run(self._outward(output.detach()), changed, grad_input, named)


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
