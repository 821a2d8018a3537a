"""`Allowance`: where a training must be done in time, as in a regression test, it passes batches over when it is late.

People have no such limit. A test run has one for every cell, and machines differ by a factor of five: with
``ASSIGNMENTS_SECONDS=60`` in the environment each training sees as many batches an epoch as fit into a minute
altogether, says how many that were, and keeps no checkpoint, which others would take for a complete one. Several
trainings in one cell of a notebook share the minute: each has what those before it left. A training that shows early
that it can't be done in time is cut after a few seconds more: half a training proves no more than a tenth of one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from assignments_lib.training.progress import length

VARIABLE = "ASSIGNMENTS_SECONDS"
TRIAL = 8.0  # seconds of training that show how fast a machine is, and that a training gets that is too slow for it
HOPE = 1.2  # more than this many times the time there is can't be done

_cell: dict[str, Any] = {}  # the request that runs, by its message's id, and when its first training began


class Allowance:
    """So many seconds for all epochs of a training; None for as long as it takes.

    The clock runs from ``began``, now if None. Each epoch gets the same part of what is left, less what an evaluation
    took.
    """

    def __init__(self, seconds: float | None, epochs: int, began: float | None = None) -> None:
        self.seconds, self._epochs = seconds, epochs
        self._ends = (time.perf_counter() if began is None else began) + (seconds or 0.0)
        self._evaluating = 0.0
        self._judged = False
        self.taken = self.offered = 0

    @classmethod
    def of_environment(cls, epochs: int) -> Allowance:
        """What ``ASSIGNMENTS_SECONDS`` says, if anything.

        Raises:
            ValueError: that isn't a number above 0.
        """
        said = os.environ.get(VARIABLE, "").strip()
        if not said:
            return cls(None, epochs)
        try:
            seconds = float(said)
        except ValueError:
            seconds = 0.0
        if not seconds > 0:
            raise ValueError(f"{VARIABLE} must be a number of seconds above 0, not {said!r}")
        return cls(seconds, epochs, _cell_began())

    def over(self, loader: Any) -> Any:
        """The loader for one epoch of training: it ends early when the epoch's time is up."""
        return loader if self.seconds is None else _InTime(loader, self)

    def evaluated(self, seconds: float) -> None:
        """An epoch is over; its evaluation took so long."""
        self._evaluating = seconds
        self._epochs -= 1

    def judge(self, seconds: float, batches: int, offered: int) -> bool:
        """Whether the training turns out to be too slow, at ``seconds`` for so many batches of one epoch's ``offered``.

        It is judged once, in the first epoch that lasts `TRIAL` seconds; a training that is too slow has as many more.
        """
        if self._judged or seconds < TRIAL or batches < 3:
            return False
        self._judged = True
        now = time.perf_counter()
        left = seconds / batches * (offered * self._epochs - batches)
        if left <= HOPE * (self._ends - now):
            return False
        self._ends = min(self._ends, now + TRIAL)
        return True

    @property
    def cut(self) -> bool:
        """Whether batches were passed over."""
        return self.taken < self.offered

    def __str__(self) -> str:
        share = self.taken / max(1, self.offered)
        return f"to be done in {self.seconds:g} s ({VARIABLE}), it saw {share:.0%} of its batches"

    def epoch_ends(self) -> float:
        """When the training part of the epoch that starts now must end, on `time.perf_counter`'s clock."""
        now = time.perf_counter()
        return now + (self._ends - now) / max(1, self._epochs) - self._evaluating


def _cell_began() -> float:
    """When the first training of the notebook's cell that runs now began; now, if this is no notebook."""
    try:
        from IPython import get_ipython
    except ImportError:
        return time.perf_counter()
    shell = get_ipython()
    if shell is None:
        return time.perf_counter()
    parent = getattr(shell, "parent_header", None) or {}
    request = parent.get("header", parent).get("msg_id")  # nbval doesn't move the execution count on
    if request is None or _cell.get("request") != request:
        _cell.update(request=request, began=time.perf_counter())
    return float(_cell["began"])


class _InTime:
    """A loader that ends when its time is up, after one batch at the earliest; in all else the loader it is made of."""

    def __init__(self, loader: Any, allowance: Allowance) -> None:
        self._loader = loader
        self._allowance = allowance

    def __iter__(self) -> Iterator[Any]:
        allowance, ends, given = self._allowance, self._allowance.epoch_ends(), 0
        offered, begun = length(self._loader) or 0, time.perf_counter()
        for batch in self._loader:
            if given and time.perf_counter() >= ends:
                break
            yield batch
            given += 1
            if allowance.judge(time.perf_counter() - begun, given, offered):
                ends = allowance.epoch_ends()
        allowance.taken += given
        allowance.offered += max(given, offered)

    def __len__(self) -> int:
        return len(self._loader)

    def __getattr__(self, name: str) -> Any:
        if name in ("_loader", "_allowance"):  # not there yet while being copied: don't look for it in itself
            raise AttributeError(name)
        return getattr(self._loader, name)
