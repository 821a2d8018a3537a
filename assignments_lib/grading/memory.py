"""Freed memory is kept for the next network: a process that gives 100 MB back and asks for them anew, several times a
second, spends a fifth of its time on that (measured: 5.4 s a submission of assignment 1 without, 4.4 s with it).
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

# glibc's settings: (name of the variable that it reads at its start, number for mallopt, bytes)
_SETTINGS = (
    ("MALLOC_MMAP_THRESHOLD_", -3, 2**30),  # smaller blocks come from the heap
    ("MALLOC_TRIM_THRESHOLD_", -1, 2**29),  # which is given back when so much at its end is free
    ("MALLOC_TOP_PAD_", -2, 2**26),  # and grows by so much
)

ENVIRONMENT = {name: str(value) for name, _, value in _SETTINGS}


def keep() -> None:
    """Do so in this process, where its C library is glibc; and collect garbage without looking through torch itself."""
    gc.collect()
    gc.freeze()
    with suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        for _, number, value in _SETTINGS:
            mallopt(number, value)
