"""Nuclei of cells under the microscope: the training pictures of the 2018 Data Science Bowl (BBBC038v1).

Below the data folder they lie as in their source, and may be put there by hand, whole or in part::

    dsb2018_nuclei/stage1_train/<id>/images/<id>.png   RGBA, of many sizes
    dsb2018_nuclei/stage1_train/<id>/masks/*.png       one for each nucleus: 255 where it is, else 0

Here the masks of a picture are united: 1 nucleus, 0 background. Nothing is 255: where two nuclei touch there is nucleus
on both sides, so nothing is in doubt about the *class* of such a pixel. The union can't tell them apart, though, so
it is no use for counting.

To be stacked, the pictures are brought to one size: the largest part in the middle that has its proportions is
cut out, then resized. Nothing is squeezed; a wide picture loses its left and right.

The set has no split with masks for testing, so a number made of the id decides: one in five is for testing. A
picture keeps its side when more arrive. No checksum is published; the archive's own (CRC-32 of every file) and those
inside each PNG say that it came whole.

Source: https://bbbc.broadinstitute.org/BBBC038, CC0 (J. Caicedo et al., Nucleus segmentation across imaging
experiments: the 2018 Data Science Bowl, Nature Methods 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from assignments_lib.datasets import png
from assignments_lib.datasets.download import CorruptFileError, discard, download, megabytes, unpack
from assignments_lib.datasets.masked import MaskedPictures, gathered, in_proportion, resized
from assignments_lib.datasets.mixed_order import number_of
from assignments_lib.datasets.root import data_root
from assignments_lib.datasets.selection import check_split

ADDRESSES = ("https://data.broadinstitute.org/bbbc/BBBC038/stage1_train.zip",)
CLASSES = ("background", "nucleus")
SIZE = (256, 256)  # height, width; the most frequent of the pictures' own
PICTURES = 670  # how many there are
TEST_EVERY = 5


def load(
    split: str,
    *,
    size: tuple[int, int] | None = None,
    number: int | None = None,
    root: Path | None = None,
    strict: bool = False,
) -> MaskedPictures:
    """Microscope pictures with their nuclei; what is not there yet is downloaded.

    Args:
        split: "train" (about four fifths of the 670) or "test"; no picture is in both.
        size: height and width in pixels; (256, 256) when None.
        number: at most so many; all there are when None.
        root: where data lives; ``data_root()`` when None.
        strict: makes no difference here; every set takes it.

    Returns:
        Pictures and masks, 0 background and 1 nucleus, in a mixed order that is always the same.

    Raises:
        DownloadError: nothing is there, and it can't be downloaded.
        CorruptFileError: a picture has no masks, or a file can't be read or has another size, mode or value than
            it should.
        ValueError: there is no such split.
    """
    check_split(split)
    root = root or data_root()
    names = _names(root)
    if not names:
        fetch(root)
        names = _names(root)
    chosen = sorted((name for name in names if split_of(name) == split), key=number_of)[:number]
    if not chosen:
        raise CorruptFileError(
            f"{folder_of(root)} has {len(names)} pictures, none of them for {split!r}: "
            "put more there, or delete it and load again"
        )

    def pair(name: str) -> tuple[torch.Tensor, torch.Tensor]:
        return resized(*in_proportion(*read(root, name), size or SIZE), size or SIZE)

    return MaskedPictures(*gathered(chosen, pair, "Nuclei"), CLASSES, "nuclei")


def split_of(name: str) -> str:
    """The side on which a picture is, by its id alone."""
    return "test" if number_of(name) % TEST_EVERY == 0 else "train"


def read(root: Path, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """One picture (3, H, W) uint8 and its mask (H, W) uint8, in the size that it has.

    The fourth channel (opacity, 255 everywhere) is dropped.

    Raises:
        CorruptFileError: one of its files isn't as it should be.
    """
    picture, nuclei = _paths(root, name)
    mend = _mend(root, name)
    image = png.read(picture, ["RGB", "RGBA"], mend)
    mask = np.zeros(image.shape[:2], np.uint8)
    for path in nuclei:
        nucleus = png.read(path, ["L"], mend)
        if nucleus.shape != mask.shape:
            theirs, ours = (f"{each.shape[1]}x{each.shape[0]}" for each in (nucleus, mask))
            raise CorruptFileError(f"{path} is {theirs} pixels, but its picture {ours}: {mend}")
        if len(strange := nucleus[(nucleus != 0) & (nucleus != 255)]):
            raise CorruptFileError(f"{path} has the value {strange[0]}; there are only 0 and 255: {mend}")
        mask |= nucleus & 1
    return torch.from_numpy(np.ascontiguousarray(image[..., :3].transpose(2, 0, 1))), torch.from_numpy(mask)


def present(root: Path) -> str:
    """What there is of it below the data folder, in words; empty when nothing.

    Raises:
        CorruptFileError: a picture or its masks are missing.
    """
    names = _names(root)
    for name in names:
        _paths(root, name)
    size = megabytes(folder_of(root).glob("*/*/*.png"))
    return f"{len(names)} of {PICTURES} pictures with masks, {size}" if names else ""


def fetch(root: Path) -> Path:
    """Download the archive (about 80 MB) and unpack it, unless all pictures are there.

    Raises:
        DownloadError: it can't be had.
        CorruptFileError: the archive is damaged.
    """
    folder = folder_of(root)
    if len(_names(root)) >= PICTURES:
        return folder
    archive = folder.with_name(f"{folder.name}.zip")
    if not archive.is_file():  # it has its name only when it is whole
        download(ADDRESSES, archive, what="Nuclei of the Data Science Bowl")
    unpack(archive, folder.parent, folder.name, inside=".")
    discard(archive)
    return folder


def folder_of(root: Path) -> Path:
    """Where the set lives."""
    return root / "dsb2018_nuclei" / "stage1_train"


def _names(root: Path) -> list[str]:
    """The ids of all pictures."""
    return [path.name for path in folder_of(root).glob("[!.]*") if path.is_dir()]


def _paths(root: Path, name: str) -> tuple[Path, Sequence[Path]]:
    """A picture and the masks of its nuclei."""
    folder = folder_of(root) / name
    picture, nuclei = folder / "images" / f"{name}.png", sorted((folder / "masks").glob("[!.]*.png"))
    if not picture.is_file():
        raise CorruptFileError(f"{picture} is missing: {_mend(root, name)}")
    if not nuclei:
        raise CorruptFileError(f"{folder / 'masks'} has no mask in it: {_mend(root, name)}")
    return picture, nuclei


def _mend(root: Path, name: str) -> str:
    folder = folder_of(root)
    return f"delete {folder / name} to go on without it, or {folder} to get all anew, and load again"
