"""`ChildProcess`: the answer in another process, reached over a pipe.

The parent keeps references, seeds and marks; the child (`assignments_lib.checks.serve`) gets sources and inputs
and returns outputs. This module isolates objects, not people: the walls of a sandbox are the grader's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, BinaryIO

from torch import Tensor

from assignments_lib.checks import wire
from assignments_lib.checks.answer import Entry, Frame, Lost, Raised, Ref, Run, Value

COMMAND = (sys.executable, "-m", "assignments_lib.checks.serve")


class ChildProcess:
    """An `Answer` whose code runs in a child process.

    Use it as a context manager. `define` gives it sources; the calls of `Answer` then reach what they defined.
    A request that takes longer than ``timeout`` seconds ends the child, and raises `Lost`.
    """

    def __init__(self, *, timeout: float = 60.0, command: Sequence[str] = COMMAND):
        self.timeout = timeout
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests: BinaryIO = self._process.stdin  # type: ignore[assignment]
        self._replies: BinaryIO = self._process.stdout  # type: ignore[assignment]
        self._ask("hello")  # wait for its imports

    def __enter__(self) -> ChildProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._replies):
            with suppress(OSError):
                pipe.close()

    def define(self, sources: Sequence[str]) -> list[Raised]:
        """Run cells in order in a fresh namespace; what a cell raises doesn't stop the next.

        Returns:
            What was raised, in order.
        """
        return [_raised(error) for error in self._ask("define", list(sources))]

    def call(self, target: str, *args: Value, **kwargs: Value) -> Value:
        return self._ask("call", target, args, kwargs)

    def writes(self, target: str, *args: Value) -> bool:
        changed: bool = self._ask("writes", target, args)
        return changed

    def make(self, kind: str, *args: Value) -> Ref:
        made: Ref = self._ask("make", kind, *args)
        return made

    def describe(self, module: Ref) -> list[Entry]:
        return [Entry(name, tuple(shape), *flags) for name, shape, *flags in self._ask("describe", module)]

    def state(self, module: Ref, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        found: dict[str, Tensor] = self._ask("state", module, None if names is None else list(names))
        return found

    def attribute(self, module: Ref, name: str) -> Value:
        return self._ask("attribute", module, name)

    def load(self, module: Ref, state: Mapping[str, Tensor]) -> None:
        self._ask("load", module, dict(state))

    def run(
        self, module: Ref, x: Tensor, *, mode: str | None = "eval", grad_output: Tensor | None = None
    ) -> Run:
        output, changed, grad_input, grads = self._ask("run", module, x, mode, grad_output)
        return Run(output, changed, grad_input, grads)

    def seed(self, number: int) -> None:
        self._ask("seed", number)

    def forget(self) -> None:
        self._ask("forget")

    def _ask(self, request: str, *args: Any) -> Value:
        if self._process.poll() is not None:
            raise Lost("the answer's process has ended")
        timed_out = threading.Event()

        def stop() -> None:
            timed_out.set()
            self._process.kill()

        timer = threading.Timer(self.timeout, stop)
        timer.start()
        try:
            wire.write(self._requests, [request, *args])
            reply = wire.read(self._replies)
        except (EOFError, OSError, Lost) as error:
            self._process.kill()
            if timed_out.is_set():
                raise Lost(f"no answer within {self.timeout:g} seconds") from None
            if isinstance(error, Lost):
                raise
            raise Lost("the answer's process has ended") from None
        finally:
            timer.cancel()
        if not isinstance(reply, dict) or not reply.keys() & {"returned", "raised"}:
            raise Lost("the answer's process sent something unreadable")
        if "raised" in reply:
            raise _raised(reply["raised"])
        return reply["returned"]


def _raised(packed: Value) -> Raised:
    type_name, message, frames, blank = packed
    return Raised(type_name, message, [Frame(*frame) for frame in frames], blank=blank)
