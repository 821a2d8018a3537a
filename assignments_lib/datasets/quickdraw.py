"""The real Quick, Draw! drawings, of which only as many are fetched as are needed.

Google serves one file a class, ``numpy_bitmap/<class>.npy``: (N, 784) uint8, row after row, 28x28 each, 0 the
background and 255 ink. N is above 100,000, so a file has about 100 MB. But the rows lie one behind the
other, so the first megabyte and a half of it *is* the first 1,875 drawings, and a Range request fetches just
those. They are kept under the same name with a header that says so; a whole file put there by hand works
as well.

What is proved of a file: magic, header, shape, dtype, that its length is what the header says, and that
its rows have ink. Google publishes no list of checksums; when a file comes whole, it is compared with the MD5
that the server sends along. The first part of a file has no checksum of its own.

Every fifth row is a test drawing, the others are for training. So a drawing keeps its side when more
rows are fetched later, which "the last 20 %" would not.

Source: https://github.com/googlecreativelab/quickdraw-dataset, CC BY 4.0.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import numpy as np
import torch

from assignments_lib.datasets.convert import resized
from assignments_lib.datasets.download import (
    CorruptFileError,
    DownloadError,
    discard,
    download,
    in_words,
    unreadable,
)
from assignments_lib.datasets.pictures import Pictures
from assignments_lib.datasets.root import data_root
from assignments_lib.datasets.selection import check_split

ADDRESSES = ("https://storage.googleapis.com/quickdraw_dataset/full/numpy_bitmap/{}.npy",)
SIDE = 28
ROW = SIDE * SIDE  # bytes
LONGEST_HEADER = 128  # numpy pads it to 128 bytes today, and to 80 when Google wrote the files
TEST_EVERY = 5
ROWS = 1875  # a class, where nobody says how many: 1,500 to train with and 375 to test


def load(
    split: str,
    *,
    classes: Sequence[str] | None = None,
    per_class: int | None = None,
    size: int | None = None,
    root: Path | None = None,
    strict: bool = False,
) -> Pictures:
    """Real drawings, the classes taking turns; what is not there yet is downloaded.

    Args:
        split: "train" or "test"; no drawing is in both.
        classes: which of the 345, in the order of their labels; the ten of the doodles when None.
        per_class: the first so many drawings of each; all there are in the file when None.
        size: side in pixels; 28, the drawings' own, when None.
        root: where data lives; ``data_root()`` when None.
        strict: raise where some classes or drawings can't be had, instead of going on with the others.

    Returns:
        Pictures with one channel. Where some of several classes can't be downloaded, a warning says which,
        and the others are returned with labels from 0.

    Raises:
        DownloadError: fewer than two classes can be had (or, with ``strict``, not all that was asked for).
        CorruptFileError: a file is there but isn't a Quick, Draw! file, or is cut short.
    """
    check_split(split)
    root = root or data_root()
    wanted = tuple(classes) if classes is not None else _doodle_classes()
    trouble = _complete(wanted, root, None if per_class is None else _rows_needed(split, per_class))
    present = tuple(name for name in wanted if path_of(name, root).is_file())
    if trouble is not None:
        if strict or len(present) < min(2, len(wanted)):
            raise trouble
        _warn(trouble, wanted, present)
    rows = [read(path_of(name, root), split, per_class) for name in present]
    labels = np.repeat(np.arange(len(rows)), [len(part) for part in rows])
    turn = np.concatenate([np.arange(len(part)) for part in rows])
    order = np.argsort(turn, kind="stable")  # label 0, 1, 2, ..., 0, 1, 2, ...
    images = torch.from_numpy(np.concatenate(rows)[order]).reshape(-1, 1, SIDE, SIDE)
    return resized(Pictures(images, torch.from_numpy(labels[order]), present, "quickdraw"), size)


def folder_of(root: Path) -> Path:
    """Where the set lives."""
    return root / "quickdraw" / "numpy_bitmap"


def path_of(name: str, root: Path) -> Path:
    """Where the file of a class lives."""
    return folder_of(root) / f"{name}.npy"


def present(root: Path) -> str:
    """What there is of it below the data folder, in words; empty when nothing.

    Raises:
        CorruptFileError: one of the files is damaged.
    """
    files = sorted(folder_of(root).glob("*.npy"))
    names = ", ".join(path.stem for path in files)
    drawings = sum(count(path) for path in files)
    return f"{len(files)} of 345 classes ({names}), {drawings:,} drawings" if files else ""


def fetch(root: Path) -> Path:
    """Download the first drawings of the ten classes of the doodles, those that aren't there yet.

    Raises:
        DownloadError: one of them can't be had.
        CorruptFileError: one that is there is damaged.
    """
    trouble = _complete(_doodle_classes(), root, None)
    if trouble is not None:
        raise trouble
    return folder_of(root)


def fetch_class(name: str, root: Path, rows: int | None = ROWS) -> Path:
    """Download the first drawings of a class (or, with ``rows=None``, the whole file) and check them.

    Raises:
        DownloadError: it can't be had, or what came isn't a Quick, Draw! file.
    """
    path = path_of(name, root)
    raw = download(
        [address.format(quote(name)) for address in ADDRESSES],
        path.with_name(path.name + ".raw"),
        what=f"Quick, Draw! {name!r}",
        first_bytes=None if rows is None else LONGEST_HEADER + ROW * rows,
        by_hand=path,
    )
    trimmed = path.with_name(path.name + ".trimmed")
    try:
        with open(raw, "rb") as file:
            count, start = _header(file)
            kept = count if rows is None else min(rows, count)
            file.seek(start)
            found = np.frombuffer(file.read(kept * ROW), np.uint8).reshape(kept, ROW)
        content = (
            BytesIO()
        )  # written at once: numpy's own writing says "39200 requested and 12160 written" of full disks
        np.save(content, found, allow_pickle=False)
        trimmed.write_bytes(content.getbuffer())
        os.replace(trimmed, path)
    except ValueError as error:
        url = ADDRESSES[0].format(quote(name))
        why = f"what came is no Quick, Draw! file ({error}); does a login page stand between?"
        raise DownloadError(f"Quick, Draw! {name!r}", [(url, why)], path) from error
    except OSError as error:
        raise DownloadError(f"Quick, Draw! {name!r}", reason=in_words(error, path)) from error
    finally:
        discard(raw)
        discard(trimmed)
    return path


def count(path: Path) -> int:
    """How many drawings a file has.

    Raises:
        CorruptFileError: it isn't a whole Quick, Draw! file.
    """
    try:
        with open(path, "rb") as file:
            drawings, start = _header(file)
        expected, found = start + drawings * ROW, path.stat().st_size
        if found != expected:
            raise ValueError(f"it has {found:,} bytes where its header promises {expected:,}")
    except ValueError as error:
        raise CorruptFileError(f"{path} is damaged: {error}. Delete it and load again.") from error
    except OSError as error:
        raise unreadable(error, path, "delete it and load again") from error
    return drawings


def read(path: Path, split: str, per_class: int | None = None) -> np.ndarray:
    """The first drawings of a split, (N, 784) uint8.

    Raises:
        CorruptFileError: the file is damaged.
    """
    rows = np.arange(count(path))
    is_test = rows % TEST_EVERY == TEST_EVERY - 1
    rows = rows[is_test if split == "test" else ~is_test][:per_class]
    found = np.array(np.load(path, mmap_mode="r", allow_pickle=False)[rows])
    # A copy that broke off can leave a hole of zeros behind; a stray empty drawing is no harm.
    if len(found) and (blank := float((~found.any(axis=1)).mean())) > 0.01:
        raise CorruptFileError(
            f"{path} is damaged: {blank:.0%} of its drawings are empty. Delete it and load again."
        )
    return found


def _header(file: BinaryIO) -> tuple[int, int]:
    """Number of rows, and where they start. Raises ValueError with what is wrong."""
    version = np.lib.format.read_magic(file)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran_order, dtype = reader(file)
    if len(shape) != 2 or shape[1] != ROW or dtype != np.uint8 or fortran_order:
        order = "column by column" if fortran_order else "row by row"
        raise ValueError(f"it holds {dtype} {shape} {order} instead of uint8 (N, {ROW}) row by row")
    return shape[0], file.tell()


def _rows_needed(split: str, per_class: int) -> int:
    """How many rows of a file hold so many drawings of a split."""
    if split == "test":
        return per_class * TEST_EVERY
    return per_class + (per_class - 1) // (TEST_EVERY - 1)


def _complete(wanted: Sequence[str], root: Path, rows: int | None) -> DownloadError | None:
    """Fetch the classes that are absent or too short; returns the first trouble there was."""
    trouble: DownloadError | None = None
    for name in wanted:
        path = path_of(name, root)
        if path.is_file() and count(path) >= (rows or 0):
            continue
        if trouble is not None and trouble.offline:
            continue  # no use in waiting for the network once a class
        try:
            fetch_class(name, root, max(rows or 0, ROWS))
        except DownloadError as error:
            trouble = trouble or error
    return trouble


def _warn(trouble: DownloadError, wanted: Sequence[str], present: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in present]
    if missing:
        told = f"going on with {', '.join(present)}; missing: {', '.join(missing)}"
    else:
        told = "going on with fewer drawings a class than asked for"
    warnings.warn(f"Quick, Draw!: {told}.\n{trouble}", stacklevel=4)


def _doodle_classes() -> tuple[str, ...]:
    from assignments_lib.datasets import doodles

    return tuple(doodles.CLASSES)
