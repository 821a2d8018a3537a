"""`Answer`: the narrow interface through which a check reaches what a student wrote.

A check never touches the student's objects. It calls them by name, keeps `Ref`s to what they return, and gets
tensors and plain values back. Two implementations behave alike:

- `InProcess`, at the desk: the answer lives in the notebook's own kernel.
- `assignments_lib.checks.child.ChildProcess`, in the grader: the answer lives in another process, behind a pipe.

Both put every request through the same `assignments_lib.checks.host.Host`, so that marks and messages agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

# What crosses the interface: None, bool, int, float, str, Tensor, Ref, Opaque, and lists, tuples and
# string-keyed dicts of these.
Value = Any


@dataclass(frozen=True)
class Ref:
    """An object that stays on the answer's side; ``kind`` says what it is ("module", "optimizer", ...)."""

    number: int
    kind: str = "module"


@dataclass(frozen=True)
class Opaque:
    """Something that can't cross the interface, by the name of its type."""

    type_name: str


@dataclass(frozen=True)
class Entry:
    """One parameter or buffer of a module: its name, shape, and whether it learns."""

    name: str
    shape: tuple[int, ...]
    is_parameter: bool
    requires_grad: bool
    is_float: bool


@dataclass(frozen=True)
class Summary:
    """A tensor in a few numbers, worked out in float64 where it is: a network's tensors need not travel."""

    shape: tuple[int, ...]
    total: float
    norm: float
    deviation: float  # standard deviation; NaN for a single number
    zeros: int
    ones: int


@dataclass(frozen=True)
class Run:
    """One pass through a module.

    ``grad_input`` and ``grads`` (by parameter name; absent where a parameter got none) are filled in when the
    pass went backward too; where only summaries were asked for, ``summaries`` takes the place of ``grads``.
    ``input_changed``: the module wrote into the tensor it was given.
    """

    output: Value
    input_changed: bool
    grad_input: Tensor | None = None
    grads: Mapping[str, Tensor] = field(default_factory=dict)
    summaries: Mapping[str, Summary] = field(default_factory=dict)


@dataclass(frozen=True)
class Frame:
    """One line of the student's own code that an exception passed through."""

    where: str
    line_number: int
    code: str


class AnswerError(Exception):
    """Base of all that can go wrong on the answer's side."""


class Raised(AnswerError):
    """The student's code raised; ``frames`` are those of their code only, outermost first."""

    def __init__(self, type_name: str, message: str, frames: Sequence[Frame] = (), *, blank: bool = False):
        super().__init__(f"{type_name}: {message}" if message else type_name)
        self.type_name = type_name
        self.message = message
        self.frames = tuple(frames)
        self.blank = blank  # it was NotFilledIn


class Lost(AnswerError):
    """The answer's process ended, hung, or broke the protocol; the message says which."""


class Answer(Protocol):
    """See the module's docstring. Every method may raise `AnswerError`."""

    def call(self, target: str, *args: Value, **kwargs: Value) -> Value:
        """Call the function or class of that name; modules it returns come back as `Ref`."""

    def writes(self, target: str, *args: Value) -> bool:
        """Whether calling that function changes a tensor that it is given."""

    def make(self, kind: str, *args: Value) -> Ref:
        """Make an object that an exercise takes as input (`Host.make` lists the kinds)."""

    def describe(self, module: Ref) -> list[Entry]:
        """The module's parameters and buffers, each once."""

    def state(self, module: Ref, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Copies of the values of the module's parameters and buffers: of all, or of those named."""

    def summaries(self, module: Ref, names: Sequence[str] | None = None) -> dict[str, Summary]:
        """What `state` gives, each tensor in a few numbers."""

    def attribute(self, module: Ref, name: str) -> Value:
        """An attribute of the module, or of what it holds: ``"strides"``, ``"0.weight.grad"``."""

    def load(self, module: Ref, state: Mapping[str, Tensor]) -> None:
        """Give parameters and buffers these values and, where it differs, their floating-point type."""

    def run(
        self,
        module: Ref,
        x: Tensor,
        *,
        mode: str | None = "eval",
        grad_output: Tensor | None = None,
        summarize: bool = False,
    ) -> Run:
        """One pass of ``x``; mode "train", "eval" or None (as it is).

        With ``grad_output`` (the output's shape) it goes backward from there too; ``summarize``: of the parameters'
        gradients only summaries are wanted.
        """

    def seed(self, number: int) -> None:
        """Seed torch, Python's ``random`` and ``numpy.random``, as a `DataLoader` does in each of its workers."""

    def forget(self) -> None:
        """Drop every object that a `Ref` names, and start all random numbers anew."""


class InProcess:
    """The answer at the desk: functions and classes of this very process, by name."""

    def __init__(self, namespace: Mapping[str, Callable[..., Any]]):
        from assignments_lib.checks.host import Host

        self._host = Host(dict(namespace))

    def call(self, target: str, *args: Value, **kwargs: Value) -> Value:
        return self._host.call(target, args, kwargs)

    def writes(self, target: str, *args: Value) -> bool:
        return self._host.writes(target, args)

    def make(self, kind: str, *args: Value) -> Ref:
        return self._host.make(kind, *args)

    def describe(self, module: Ref) -> list[Entry]:
        return self._host.describe(module)

    def state(self, module: Ref, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        return self._host.state(module, names)

    def summaries(self, module: Ref, names: Sequence[str] | None = None) -> dict[str, Summary]:
        return self._host.summaries(module, names)

    def attribute(self, module: Ref, name: str) -> Value:
        return self._host.attribute(module, name)

    def load(self, module: Ref, state: Mapping[str, Tensor]) -> None:
        self._host.load(module, state)

    def run(
        self,
        module: Ref,
        x: Tensor,
        *,
        mode: str | None = "eval",
        grad_output: Tensor | None = None,
        summarize: bool = False,
    ) -> Run:
        return self._host.run(module, x, mode, grad_output, summarize)

    def seed(self, number: int) -> None:
        self._host.seed(number)

    def forget(self) -> None:
        self._host.forget()
