"""Where a submission's answers run, and how much they may use there."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from assignments_lib.checks.child import ChildProcess, Piped


@dataclass(frozen=True)
class Limits:
    """What one submission may use: seconds for a request, a cell and an exercise; bytes of memory and of files."""

    request: float = 30.0
    cell: float = 10.0
    exercise: float = 60.0
    memory: int = 3 * 2**30
    files: int = 64 * 2**20


class Room(Protocol):
    """Where guests come from: a `Sandbox`, or a `NoSandbox`."""

    limits: Limits

    def guest(self) -> Piped:
        """A fresh answer; the one before it is ended."""


class NoSandbox:
    """Answers run in ordinary processes, with all that one's account may do: a student's own, or with `--unsafe`."""

    def __init__(self, limits: Limits | None = None):
        self.limits = limits or Limits()
        self._guest: ChildProcess | None = None

    def __enter__(self) -> NoSandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process of the last guest."""
        if self._guest is not None:
            self._guest.close()
            self._guest = None

    def guest(self) -> Piped:
        """A fresh answer in a process of its own."""
        self.close()
        self._guest = ChildProcess(timeout=self.limits.request)
        return self._guest
