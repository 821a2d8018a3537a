"""Where workers come from: a process that has loaded torch and the checks once, of which each worker is a copy.

Where there is no such thing (Windows), each worker loads them for itself.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import BaseContext

_LOADED = ["assignments_lib.grading.job", "assignments_lib.checks.resnet34"]


def context() -> BaseContext:
    """What makes workers."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(_LOADED)
    return found


def warm_up() -> None:
    """Begin to load, while this process loads what it needs itself: it saves seconds."""
    if "forkserver" in multiprocessing.get_all_start_methods():
        context()
        from multiprocessing import forkserver

        forkserver.ensure_running()
