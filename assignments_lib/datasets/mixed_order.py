"""A mixed order of files that is the same on every computer, and stays when more files arrive.

In their own order the frames of a video resemble their neighbours, so the first twenty would all show one street.
Ordered by a number that has nothing to do with the picture, the first twenty are a fair sample, and a smaller set
is the beginning of a larger one. The same number gives a picture its split, whatever else is there.
"""

from __future__ import annotations

from hashlib import sha256


def number_of(name: str) -> int:
    """A number that looks random and depends only on the name: uniform in 0 .. 2**64 - 1."""
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big")
