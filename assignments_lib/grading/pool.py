"""Several processes of this machine that grade: torch is loaded once in each, and none can stop the others."""

from __future__ import annotations

import os
import queue
import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from assignments_lib.grading import processes
from assignments_lib.grading.job import Job, close_rooms, do
from assignments_lib.grading.sandbox import SandboxUnavailable
from assignments_lib.marking import score
from assignments_lib.marking.result import Graded

TRIES = 2  # of a submission whose grading ended its worker


def workers(wanted: int | None) -> int:
    """How many processes: what was asked for, or one a core, but at most one for 4 GB of memory."""
    if wanted:
        return wanted
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        memory = 2**33
    return max(1, min(cores, memory // 2**32))


def grade_all(jobs: Sequence[Job], count: int) -> Iterator[Graded]:
    """Grade them, ``count`` at a time; results come as they are ready.

    Closing the iterator, or an exception where it is consumed, ends the workers at once.

    Raises:
        SandboxUnavailable: no sandbox can be made here.
    """
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    done: queue.SimpleQueue[Graded | BaseException] = queue.SimpleQueue()
    shelf = tempfile.TemporaryDirectory(prefix="assignments-", ignore_cleanup_errors=True)
    pool = [_Worker(Path(shelf.name)) for _ in range(min(count, len(jobs)))]
    threads = [threading.Thread(target=_feed, args=(worker, waiting, done), daemon=True) for worker in pool]
    try:
        for thread in threads:
            thread.start()
        for _ in jobs:
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        with suppress(queue.Empty):
            while True:
                waiting.get_nowait()
        for worker in pool:
            worker.close()
        shelf.cleanup()


def _feed(
    worker: _Worker, waiting: queue.SimpleQueue[Job], done: queue.SimpleQueue[Graded | BaseException]
) -> None:
    with suppress(queue.Empty):
        while True:
            job = waiting.get_nowait()
            try:
                done.put(worker.do(job))
            except BaseException as error:
                done.put(error)
                return


class _Worker:
    """One process that grades; a new one takes its place when it ends or takes too long."""

    def __init__(self, shelf: Path) -> None:
        self._shelf = shelf  # what mistakes show, for all workers
        self._process: Any = None
        self._pipe: Connection | None = None
        self._closed = False

    def do(self, job: Job) -> Graded:
        why = ""
        for _ in range(TRIES):
            try:
                answer = self._asked(job)
            except (EOFError, OSError):
                why = "the process that graded it ended, perhaps for want of memory"
            except TimeoutError:
                why = "it took far longer than its time"
            else:
                if isinstance(answer, BaseException):
                    if isinstance(answer, SandboxUnavailable):
                        raise answer
                    why = f"the grader failed ({answer})"
                    continue
                return answer
            self._end()
            if self._closed:
                raise InterruptedError
        return job.failed(f"It could not be graded: {why}. This is for your instructor to look at.")

    def _asked(self, job: Job) -> Graded | BaseException:
        if self._pipe is None:
            context = processes.context()
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_work, args=(theirs, self._shelf), daemon=False)  # type: ignore[attr-defined]
            self._process.start()
            theirs.close()
        self._pipe.send(job)
        # Every exercise's own time, and as much again for what the checks themselves do
        most = 300 + 2 * job.limits.exercise * (1 + len(job.release.exercises))
        if not self._pipe.poll(most):
            raise TimeoutError
        answer: Graded | BaseException = self._pipe.recv()
        return answer

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def close(self) -> None:
        self._closed = True
        self._end()


def _work(pipe: Connection, shelf: Path) -> None:
    """A worker's life: jobs in, results out, until the pipe is closed."""
    score.share(shelf)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asked: it ends the workers itself
    with suppress(EOFError, OSError):
        while True:
            job = pipe.recv()
            try:
                answer: Graded | BaseException = do(job)
            except SandboxUnavailable as error:
                answer = error
            except Exception as error:  # not every exception can be sent
                answer = RuntimeError(f"{type(error).__name__}: {error}")
            pipe.send(answer)
    close_rooms()
