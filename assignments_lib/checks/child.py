"""`Piped`: an answer in another process, reached over a pipe. `ChildProcess`: such a process, without walls.

The parent keeps references, seeds and marks; the other side (`assignments_lib.checks.serve`) gets sources and inputs
and returns outputs. What comes back is data that somebody may have forged: it is bounded and its types are looked
at before a check sees it. `ChildProcess` isolates objects, not people: the walls of a sandbox are the grader's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import prod
from time import monotonic
from types import TracebackType
from typing import Any, BinaryIO, TypeVar

from torch import Tensor

from assignments_lib.checks import wire
from assignments_lib.checks.answer import Entry, Frame, Lost, Raised, Ref, Run, Summary, Value

COMMAND = (sys.executable, "-m", "assignments_lib.checks.serve")


MAX_ELEMENTS = 2**28  # of a module's parameters and buffers together; a ResNet34 has 21 million
MAX_ENTRIES = 10_000
MAX_TEXT = 10_000  # characters of a message or a name

_Checked = TypeVar("_Checked")


class Piped:
    """An `Answer` whose code runs behind a pipe.

    `define` gives it sources; the calls of `Answer` then reach what they defined. A request that takes longer than
    ``timeout`` seconds, or goes beyond ``deadline`` (of `time.monotonic`), breaks the connection and raises `Lost`.
    """

    def __init__(self, requests: BinaryIO, replies: BinaryIO, *, timeout: float):
        self.timeout = timeout
        self.deadline: float | None = None
        self._requests = requests
        self._replies = replies
        self._why_lost = ""

    @property
    def lost(self) -> bool:
        """Whether the connection is broken."""
        return bool(self._why_lost)

    def _break(self) -> None:
        """End the other side, or at least the connection: called from another thread, when time is up."""
        raise NotImplementedError

    def define(self, sources: Sequence[str]) -> list[Raised]:
        """Run cells in order in a fresh namespace; what a cell raises doesn't stop the next.

        Returns:
            What was raised, in order.
        """
        self._ask("define")
        raised = [self.cell(source) for source in sources]
        return [error for error in raised if error is not None]

    def cell(self, source: str) -> Raised | None:
        """Run one more cell in the same namespace, and return what it raised."""
        return self._checked(lambda raised: None if raised is None else _raised(raised), "cell", source)

    def call(self, target: str, *args: Value, **kwargs: Value) -> Value:
        return self._ask("call", target, args, kwargs)

    def writes(self, target: str, *args: Value) -> bool:
        return self._checked(_instance(bool), "writes", target, args)

    def make(self, kind: str, *args: Value) -> Ref:
        return self._checked(_instance(Ref), "make", kind, *args)

    def describe(self, module: Ref) -> list[Entry]:
        return self._checked(_entries, "describe", module)

    def state(self, module: Ref, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        return self._checked(_state, "state", module, None if names is None else list(names))

    def summaries(self, module: Ref, names: Sequence[str] | None = None) -> dict[str, Summary]:
        return self._checked(_summaries, "summaries", module, None if names is None else list(names))

    def attribute(self, module: Ref, name: str) -> Value:
        return self._ask("attribute", module, name)

    def load(self, module: Ref, state: Mapping[str, Tensor]) -> None:
        self._ask("load", module, dict(state))

    def run(
        self,
        module: Ref,
        x: Tensor,
        *,
        mode: str | None = "eval",
        grad_output: Tensor | None = None,
        summarize: bool = False,
    ) -> Run:
        return self._checked(_run, "run", module, x, mode, grad_output, summarize)

    def seed(self, number: int) -> None:
        self._ask("seed", number)

    def forget(self) -> None:
        self._ask("forget")

    def _checked(self, parse: Callable[[Any], _Checked], request: str, *args: Any) -> _Checked:
        """Ask, and make of the reply what it must be."""
        reply = self._ask(request, *args)
        try:
            return parse(reply)
        except Exception:
            raise self._lost(_UNREADABLE) from None

    def _ask(self, request: str, *args: Any) -> Value:
        if self._why_lost:
            raise Lost(self._why_lost)
        seconds = self.timeout
        if self.deadline is not None:
            seconds = min(seconds, self.deadline - monotonic())
        if seconds <= 0:
            raise self._lost("no time is left for this exercise")
        timed_out = threading.Event()

        def stop() -> None:
            timed_out.set()
            self._break()

        timer = threading.Timer(seconds, stop)
        timer.start()
        try:
            wire.write(self._requests, [request, *args])
            reply = wire.read(self._replies)
        except (EOFError, OSError, ValueError, MemoryError, Lost) as error:
            if timed_out.is_set():
                raise self._lost(f"no answer within {seconds:.3g} seconds") from None
            if isinstance(error, Lost):
                raise self._lost(str(error)) from None
            raise self._lost("the answer's process has ended") from None
        finally:
            timer.cancel()
        if not isinstance(reply, dict) or not reply.keys() & {"returned", "raised"}:
            raise self._lost(_UNREADABLE)
        if "raised" in reply:
            try:
                raised = _raised(reply["raised"])
            except Exception:
                raise self._lost(_UNREADABLE) from None
            raise raised
        return reply["returned"]

    def _lost(self, why: str) -> Lost:
        self._break()
        self._why_lost = "the answer's process has ended"
        return Lost(why)


class ChildProcess(Piped):
    """An `Answer` in a child process of this one. Use it as a context manager."""

    def __init__(self, *, timeout: float = 60.0, command: Sequence[str] = COMMAND):
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        super().__init__(self._process.stdin, self._process.stdout, timeout=timeout)  # type: ignore[arg-type]
        self._ask("hello")  # wait for its imports

    def __enter__(self) -> ChildProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child."""
        self._break()
        self._process.wait()
        for pipe in (self._requests, self._replies):
            with suppress(OSError):
                pipe.close()

    def _break(self) -> None:
        self._process.kill()


_UNREADABLE = "the answer's process sent something unreadable"


def _instance(kind: type[_Checked]) -> Callable[[Any], _Checked]:
    def parse(reply: Any) -> _Checked:
        if not isinstance(reply, kind):
            raise TypeError
        return reply

    return parse


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value[:MAX_TEXT]


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError
    return value


def _raised(packed: Any) -> Raised:
    type_name, message, frames, blank = packed
    kept = [Frame(_text(where), _whole(line), _text(code)) for where, line, code in frames[-5:]]
    return Raised(_text(type_name)[:200], _text(message), kept, blank=blank is True)


def _entries(packed: Any) -> list[Entry]:
    if len(packed) > MAX_ENTRIES:
        raise ValueError
    entries = []
    for name, shape, *flags in packed:
        if not all(isinstance(flag, bool) for flag in flags) or len(shape) > 8:
            raise TypeError
        entries.append(Entry(_text(name), tuple(map(_whole, shape)), *flags))
    # A check makes values of these shapes: it must not be talked into making more than there is memory for
    # (a size of 0 must not hide another one that no tensor can have)
    if sum(prod(max(1, size) for size in entry.shape) for entry in entries) > MAX_ELEMENTS:
        raise ValueError
    return entries


def _state(packed: Any) -> dict[str, Tensor]:
    if not isinstance(packed, dict) or not all(isinstance(value, Tensor) for value in packed.values()):
        raise TypeError
    return packed


def _summaries(packed: Any) -> dict[str, Summary]:
    if not isinstance(packed, dict) or len(packed) > MAX_ENTRIES:
        raise TypeError
    return {_text(name): _summary(*numbers) for name, numbers in packed.items()}


def _summary(shape: Any, total: Any, norm: Any, deviation: Any, zeros: Any, ones: Any) -> Summary:
    if len(shape) > 8 or not all(isinstance(number, float) for number in (total, norm, deviation)):
        raise TypeError
    return Summary(tuple(map(_whole, shape)), total, norm, deviation, _whole(zeros), _whole(ones))


def _run(packed: Any) -> Run:
    output, changed, grad_input, grads, summaries = packed
    if not isinstance(changed, bool) or not (grad_input is None or isinstance(grad_input, Tensor)):
        raise TypeError
    return Run(output, changed, grad_input, _state(grads), _summaries(summaries))
