"""Reading a PNG file, and saying what is wrong with it where it can't be read.

Every part of a PNG carries a checksum (CRC-32). Pillow decodes without looking at those of the pixels, so they are
compared first: a file that was cut short or has a flipped byte is noticed though no list of checksums exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from assignments_lib.datasets.download import CorruptFileError, unreadable


def read(path: Path, modes: Sequence[str], mend: str) -> np.ndarray:
    """The pixels of a PNG file.

    Args:
        path: the file.
        modes: Pillow's names of the pixel formats that it may have: "L" (one number a pixel), "RGB", "RGBA".
        mend: what a person should do about a damaged file; ends the message.

    Returns:
        (H, W) uint8 for "L", else (H, W, 3) or (H, W, 4).

    Raises:
        CorruptFileError: it can't be read, is damaged, or has another mode.
    """
    try:
        content = path.read_bytes()
        with Image.open(BytesIO(content), formats=["PNG"]) as picture:
            picture.verify()
        with Image.open(BytesIO(content), formats=["PNG"]) as picture:
            mode, pixels = picture.mode, np.array(picture)
    except UnidentifiedImageError as error:
        raise CorruptFileError(f"{path} is no PNG file: {mend}") from error
    except (
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
    ) as error:  # Pillow raises all of these
        raise unreadable(error, path, mend) from error
    if mode not in modes:
        raise CorruptFileError(f"{path} has mode {mode} instead of {' or '.join(modes)}: {mend}")
    return pixels
