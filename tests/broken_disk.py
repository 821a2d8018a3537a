"""Disks that fail, without harm to the machine: rights that bite root too, and a tiny disk that gets full.

Tests often run as root, whom no permission stops. So `refused` forbids through Python's own audit events, which it
raises before any file is opened, and `tiny` mounts a real, small disk in memory where this account may do so.
"""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MAKING = (
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "shutil.move",
    "tempfile.mkstemp",
    "tempfile.mkdtemp",
)
_refused: dict[
    str, tuple[int, bool]
] = {}  # folder or file -> the error's number, and whether reading fails too
_hooked = False


@contextmanager
def refused(place: Path, number: int = errno.EACCES, *, reading: bool) -> Iterator[None]:
    """At and below ``place`` nothing can be written, nor read where ``reading``: the system says error ``number``."""
    global _hooked
    if not _hooked:
        sys.addaudithook(_hook)  # for good, as Python has it
        _hooked = True
    _refused[str(place)] = number, reading
    try:
        yield
    finally:
        del _refused[str(place)]


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _refused or not arguments or (event != "open" and event not in _MAKING):
        return
    writes = event != "open" or bool(arguments[2] & _WRITING)
    if not isinstance(arguments[0], str | bytes | os.PathLike):
        return
    path = Path(os.fsdecode(arguments[0]))
    for place, (number, reading) in _refused.items():
        if path.is_relative_to(place) and (reading or writes):
            raise OSError(number, os.strerror(number), str(path))


@contextmanager
def tiny(place: Path, size: str) -> Iterator[Path]:
    """A disk of that size, such as "256k", at ``place``; skips the test where this account may not mount one."""
    place.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    try:
        made = subprocess.run(mount, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no program to mount a disk with")
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here ({made.stderr.strip()})")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def mounted_read_only(place: Path) -> Iterator[None]:
    """A disk of `tiny`, read-only for a while."""
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(place)], check=True)


def fill(place: Path, leave: int = 0) -> Path:
    """Write a file until the disk is full but for so many bytes; deleting it makes room again."""
    filler = place / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while shutil.disk_usage(place).free > leave:
            file.write(bytes(4096))
    return filler
