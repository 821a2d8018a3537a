"""Drawn pictures kept in a file, so that ten thousand drawings are made once.

One file holds the first n pictures of one class, as `datasets.cache` stores arrays.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from .. import cache

VERSION = cache.fingerprint(Path(__file__).parent)


def read(path: Path, number: int, size: int) -> npt.NDArray[np.uint8] | None:
    """The first ``number`` pictures (number, size, size), or None where the file does not hold them soundly."""
    stored = cache.read(path, VERSION)
    images = stored.get("images") if stored else None
    if images is None or images.dtype != np.uint8 or images.shape[1:] != (size, size) or len(images) < number:
        return None
    return images[:number]


def write(path: Path, images: npt.NDArray[np.uint8]) -> None:
    """Store ``images`` so that a reader sees the old file or the whole new one; warn where that cannot be done."""
    cache.write(path, VERSION, "drawings", stacklevel=5, images=images)
