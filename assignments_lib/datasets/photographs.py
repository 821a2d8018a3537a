"""Reading photographs with their masks: the form in which Pet and VOC keep them, JPEG beside PNG, of all sizes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from assignments_lib.datasets import png
from assignments_lib.datasets.download import CorruptFileError, unreadable


def read(path: Path, mend: str) -> torch.Tensor:
    """A photograph, (3, H, W) uint8. Pillow goes by the content: a PNG or GIF that is called .jpg will do.

    Raises:
        CorruptFileError: it can't be read; ``mend``, what a person should do about that, ends the message.
    """
    try:
        with Image.open(path) as picture:
            pixels = np.array(picture.convert("RGB"))
    except UnidentifiedImageError as error:
        raise CorruptFileError(f"{path} is no picture: {mend}") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise unreadable(error, path, mend) from error
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))


def read_pair(
    picture: Path, annotation: Path, labels: Sequence[int], mend: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """A photograph (3, H, W) and its mask (H, W), both uint8; the mask as the PNG file has it, a number a pixel.

    A palette in the PNG is only for looking at: the numbers are what counts.

    Raises:
        CorruptFileError: one of the two can't be read, they have different sizes, or the mask has another number
            than ``labels``.
    """
    image = read(picture, mend)
    mask = torch.from_numpy(png.read(annotation, ["L", "P"], mend))
    if mask.shape != image.shape[1:]:
        theirs, ours = (f"{each.shape[-1]}x{each.shape[-2]}" for each in (mask, image))
        raise CorruptFileError(f"{annotation} is {theirs} pixels, but its picture {ours}: {mend}")
    if strange := sorted(set(mask.unique().tolist()) - set(labels)):
        raise CorruptFileError(f"{annotation} has the label {strange[0]}, which stands for nothing: {mend}")
    return image, mask
