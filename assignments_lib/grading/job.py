"""One submission to grade, as plain data that may travel to another process or machine, and doing it there."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass

from assignments_lib.grading import memory
from assignments_lib.grading.finding import Found
from assignments_lib.grading.sandbox import Sandbox
from assignments_lib.grading.suspicion import warnings_about
from assignments_lib.marking.mark import File, mark, nothing
from assignments_lib.marking.reading import MAX_FILE, Unreadable
from assignments_lib.marking.release import Release, read
from assignments_lib.marking.result import Graded
from assignments_lib.marking.room import Limits, NoSandbox, Room


@dataclass(frozen=True)
class Job:
    """Everything that grading one submission takes."""

    release_name: str
    release_data: bytes
    student: str
    files: tuple[File, ...]
    seed: int
    limits: Limits
    unsafe: bool = False
    key: str = ""

    @property
    def release(self) -> Release:
        """What the student was given."""
        return read(self.release_name, self.release_data)

    def failed(self, problem: str) -> Graded:
        """The result where it can't be done."""
        return nothing(self.release, self.student, self.files, self.seed, problem, self.key)


def load(found: Found) -> tuple[File, ...]:
    """The bytes of a submission's files; of one that is too large no more than shows it."""
    files = []
    for path in found.files:
        try:
            with path.open("rb") as file:
                files.append((path.name, file.read(MAX_FILE + 1)))
        except OSError as error:
            raise Unreadable(f"{path} can't be read: {error.strerror}.") from None
    return tuple(files)


def do(job: Job) -> Graded:
    """Grade it in this process's room, which is made for the first job and kept for those that follow."""
    with _lock:
        room = _room(job.limits, job.unsafe)
        return mark(job.release, job.student, job.files, job.seed, room, warnings_about, key=job.key)


_lock = threading.Lock()
_rooms: dict[tuple[int, Limits, bool], Sandbox | NoSandbox] = {}


def _room(limits: Limits, unsafe: bool) -> Room:
    key = (os.getpid(), limits, unsafe)
    if key not in _rooms:
        import torch

        torch.set_num_threads(1)  # cores are shared by submissions, not by the sums of one
        memory.keep()
        close_rooms()
        _rooms[key] = NoSandbox(limits) if unsafe else Sandbox(limits)
    return _rooms[key]


def close_rooms() -> None:
    """End the sandbox of this process."""
    for key in list(_rooms):
        room = _rooms.pop(key)
        if key[0] == os.getpid():
            room.close()
