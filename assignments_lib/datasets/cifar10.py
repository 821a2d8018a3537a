"""CIFAR-10 through torchvision's own class, or a tree of JPEG files in its place.

Two forms are understood below the data folder, the first of them preferred:

- ``cifar-10-batches-py/``, the official batches (an archive of 170 MB). They are pickles, so torchvision
  compares every one with its known MD5 before it is opened; nothing else is ever unpickled.
- ``cifar10_jpeg/{train,test}/<class>/*.jpg``, the same pictures as an image folder, whole or in part.

Source: https://www.cs.toronto.edu/~kriz/cifar.html (A. Krizhevsky, Learning Multiple Layers of Features from
Tiny Images, 2009). No licence is stated.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torchvision.datasets import CIFAR10, ImageFolder

from assignments_lib.datasets.convert import resized
from assignments_lib.datasets.download import (
    CorruptFileError,
    discard,
    download,
    megabytes,
    unpack,
    unreadable,
)
from assignments_lib.datasets.pictures import Pictures
from assignments_lib.datasets.root import data_root
from assignments_lib.datasets.selection import check_split, select

SIDE = 32


def load(
    split: str,
    *,
    classes: Sequence[str] | None = None,
    per_class: int | None = None,
    size: int | None = None,
    root: Path | None = None,
    strict: bool = False,
) -> Pictures:
    """Photographs of ten things, 32x32; what is not there yet is downloaded.

    Args:
        split: "train" (50,000) or "test" (10,000).
        classes: which, in the order of their labels; all ten when None.
        per_class: the first so many of each; all when None.
        size: side in pixels; 32, their own, when None.
        root: where data lives; ``data_root()`` when None.
        strict: makes no difference here; every set takes it.

    Returns:
        Pictures with three channels.

    Raises:
        DownloadError: it isn't there and can't be downloaded.
        CorruptFileError: a JPEG file can't be read or has another size than 32x32.
        ValueError: there is no such class.
    """
    check_split(split)
    root = root or data_root()
    batches = _batches(split, root)
    if batches is None and jpeg_folder(root, split).is_dir():
        return resized(_from_jpeg(_tree(jpeg_folder(root, split)), classes, per_class), size)
    if batches is None:
        fetch(root)
        batches = _batches(split, root)
        if batches is None:
            raise CorruptFileError(f"{root / CIFAR10.base_folder} is damaged: delete it and load again")
    indices, labels, names = select(batches.targets, batches.classes, classes, per_class)
    images = torch.from_numpy(batches.data[indices]).permute(0, 3, 1, 2).contiguous()
    return resized(Pictures(images, labels, names, "cifar10"), size)


def present(root: Path) -> str:
    """What there is of it below the data folder, in words; empty when nothing."""
    batches = root / CIFAR10.base_folder
    if batches.is_dir():
        return f"official batches, {megabytes(batches.glob('*'))}"
    pictures = list((root / "cifar10_jpeg").glob("*/*/*.jpg"))
    return f"{len(pictures):,} pictures as JPEG, {megabytes(pictures)}" if pictures else ""


def fetch(root: Path) -> Path:
    """Download the official archive (170 MB, MD5 known) and unpack it, unless that has been done.

    Raises:
        DownloadError: it can't be had.
    """
    if _batches("train", root) is not None:
        return root / CIFAR10.base_folder
    archive = download([CIFAR10.url], root / CIFAR10.filename, what="CIFAR-10", md5=CIFAR10.tgz_md5)
    folder = unpack(archive, root, CIFAR10.base_folder)
    discard(archive)
    return folder


def jpeg_folder(root: Path, split: str) -> Path:
    """Where the JPEG form of a split lives."""
    return root / "cifar10_jpeg" / split


def _batches(split: str, root: Path) -> CIFAR10 | None:
    """The official form, or None where it is absent or damaged."""
    try:
        return CIFAR10(root, train=split == "train")
    except RuntimeError:
        return None
    except PermissionError as error:
        raise unreadable(error, Path(error.filename or root / CIFAR10.base_folder), "") from error


def _tree(folder: Path) -> ImageFolder:
    """The JPEG form of a split."""
    try:
        return ImageFolder(folder)
    except FileNotFoundError as error:  # no classes, or none of a class
        reason = str(error).partition("\n")[0]
        raise CorruptFileError(
            f"{folder} is no folder of pictures by class ({reason}): complete it, or delete it and load again"
        ) from error


def _from_jpeg(tree: ImageFolder, classes: Sequence[str] | None, per_class: int | None) -> Pictures:
    indices, labels, names = select(tree.targets, tree.classes, classes, per_class)
    images = np.empty((len(indices), SIDE, SIDE, 3), np.uint8)
    for row, index in enumerate(indices):
        path = tree.samples[index][0]
        try:
            with Image.open(path) as picture:
                pixels = np.asarray(picture.convert("RGB"))
        except (UnidentifiedImageError, OSError) as error:
            raise unreadable(error, Path(path), "replace or delete it") from error
        if pixels.shape != (SIDE, SIDE, 3):
            raise CorruptFileError(f"{path} is {pixels.shape[1]}x{pixels.shape[0]} instead of 32x32 pixels")
        images[row] = pixels
    return Pictures(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), labels, names, "cifar10")
