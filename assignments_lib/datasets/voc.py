"""PASCAL VOC 2012 as torchvision's `VOCSegmentation` finds it: photographs, with a mask of 20 kinds of things.

Below the data folder it lies as in its source, and may be put there by hand, whole or in part::

    VOCdevkit/VOC2012/ImageSets/Segmentation/{train,val}.txt   names, one a line
    VOCdevkit/VOC2012/JPEGImages/2007_000032.jpg               of all sizes, 500 pixels long
    VOCdevkit/VOC2012/SegmentationClass/2007_000032.png        0 background, 1 to 20 a class, 255 void

Its server is hard to reach since late 2025, so the set may also come from elsewhere: `fetch` takes a copy or a mirror.
The archive has 17,125 photographs; those 2,913 that have masks are kept.

To be stacked, they are brought to one size: the largest part in the middle that has its proportions is cut out, then
resized. Nothing is squeezed. Only the pictures that are asked for are decoded.

Source: M. Everingham, L. Van Gool, C. Williams, J. Winn and A. Zisserman, The PASCAL Visual Object Classes (VOC)
Challenge, IJCV 2010; http://host.robots.ox.ac.uk/pascal/VOC/voc2012/.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from torchvision.datasets import VOCSegmentation
from tqdm.auto import tqdm

from assignments_lib.datasets.download import (
    CorruptFileError,
    DownloadError,
    discard,
    download,
    in_words,
    megabytes,
    unpack,
    unreadable,
)
from assignments_lib.datasets.masked import MaskedPictures, gathered, in_proportion, resized
from assignments_lib.datasets.mixed_order import number_of
from assignments_lib.datasets.photographs import read_pair
from assignments_lib.datasets.root import data_root
from assignments_lib.datasets.selection import check_split

WHAT = "PASCAL VOC 2012"
ARCHIVE = "VOCtrainval_11-May-2012.tar"
MD5 = "6cd6e144f989b92b3379bac3b3de84fd"  # torchvision's; a mirror must give the very same file
ADDRESSES = (
    f"https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/{ARCHIVE}",  # where its authors' university has moved it
    f"http://d2l-data.s3-accelerate.amazonaws.com/{ARCHIVE}",  # the mirror of the book "Dive into Deep Learning"
)
ORIGIN = "ASSIGNMENTS_VOC"  # the environment variable that names a copy or a mirror
ADVICE = (
    "Its official server has been hard to reach since late 2025. If you have a copy (packed or unpacked) or know a "
    f"mirror of {ARCHIVE}: assignments data voc --from PATH_OR_URL, or name it in the environment variable {ORIGIN}."
)
CLASSES = (
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)
LABELS = (*range(len(CLASSES)), MaskedPictures.ignore_index)
SIZE = (96, 128)  # height, width: the proportions of most
LIST_OF = {"train": "train", "test": "val"}  # masks for the set's own "test" were never published
PICTURES = {"train": 1464, "val": 1449}  # how many there are on each list
LISTS, PHOTOGRAPHS, MASKS = "ImageSets/Segmentation", "JPEGImages", "SegmentationClass"  # its parts


def load(
    split: str,
    *,
    size: tuple[int, int] | None = None,
    number: int | None = None,
    root: Path | None = None,
    strict: bool = False,
) -> MaskedPictures:
    """Photographs with masks of 20 kinds of things; what is not there yet is downloaded.

    Args:
        split: "train" (1,464) or "test" (the set's "val", 1,449).
        size: height and width in pixels; (96, 128) when None.
        number: at most so many, of all years; all there are when None.
        root: where data lives; ``data_root()`` when None.
        strict: makes no difference here; every set takes it.

    Returns:
        Pictures and masks, 0 to 20 for ``CLASSES`` and 255 for void, in a mixed order that is always the same.

    Raises:
        DownloadError: it isn't there and can't be had.
        CorruptFileError: a picture lacks its mask or a mask its picture, or one of them can't be read, or has another
            size or label than it should.
        ValueError: there is no such split.
    """
    check_split(split)
    root = root or data_root()
    if not is_there(folder_of(root)):
        fetch(root)
    pairs = sorted(_pairs(root, LIST_OF[split]), key=lambda pair: number_of(pair[0].stem))[:number]
    if not pairs:
        raise CorruptFileError(f"{folder_of(root)} has no pictures for {split!r}: delete it and load again")

    def pair(paths: tuple[Path, Path]) -> tuple[torch.Tensor, torch.Tensor]:
        read = read_pair(*paths, LABELS, _mend(root))
        return resized(*in_proportion(*read, size or SIZE), size or SIZE)

    return MaskedPictures(*gathered(pairs, pair, "VOC 2012"), CLASSES, "voc")


def present(root: Path) -> str:
    """What there is of it below the data folder, in words; empty when nothing.

    Raises:
        CorruptFileError: a list can't be read, or a picture lacks its mask or a mask its picture.
    """
    if not is_there(folder_of(root)):
        return ""
    pairs = {name: _pairs(root, name) for name in PICTURES}
    counts = ", ".join(f"{len(pairs[name]):,} of {whole:,} {name}" for name, whole in PICTURES.items())
    size = megabytes(path for each in pairs.values() for pair in each for path in pair)
    return f"{counts} pictures with masks, {size}"


def fetch(root: Path, origin: str | None = None) -> Path:
    """Get the set from where it can be had, and keep the photographs that have masks, unless it is there.

    Args:
        root: where data lives.
        origin: a mirror's address of the official archive, a file with that archive or another that has the set in
            it, or a folder where it lies unpacked; a file or folder stays as it is. What ``ASSIGNMENTS_VOC`` names, or
            else the official archive (2.0 GB, MD5 known), when None.

    Raises:
        DownloadError: it can't be had there.
        CorruptFileError: an archive is damaged.
    """
    folder = folder_of(root)
    if is_there(folder):
        return folder
    origin = origin or os.environ.get(ORIGIN, "")
    try:
        if not origin or "://" in origin:
            addresses = [origin] if origin else ADDRESSES
            archive = download(addresses, root / ARCHIVE, what=WHAT, md5=MD5, advice=ADVICE)
            _keep_of_archive(archive, folder)
            discard(archive)
        elif (given := Path(origin).expanduser()).is_dir():
            _keep(_found_in(given, given), folder)
        elif given.is_file():
            _keep_of_archive(given, folder)
        else:
            raise DownloadError(WHAT, reason=f"there is no {given}", advice=ADVICE)
    except OSError as error:
        raise DownloadError(WHAT, reason=in_words(error, folder)) from error
    return folder


def folder_of(root: Path) -> Path:
    """Where the set lives."""
    return root / "VOCdevkit" / "VOC2012"


def is_there(folder: Path) -> bool:
    """Whether the folder has the parts of the set."""
    lists = all((folder / LISTS / f"{name}.txt").is_file() for name in PICTURES)
    return lists and (folder / PHOTOGRAPHS).is_dir() and (folder / MASKS).is_dir()


def _keep_of_archive(archive: Path, folder: Path) -> None:
    """`_keep`, of what an archive has in it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpacking-") as scratch:
        try:
            whole = unpack(archive, Path(scratch), "whole", inside=".")
        except DownloadError:
            raise
        except (CorruptFileError, RuntimeError) as error:  # torchvision's, where it is no archive by its name
            reason = str(error.__cause__ or error).partition("\n")[0]
            why = f"{archive} can't be unpacked ({reason}): get it anew, or name another"
            raise CorruptFileError(why) from error
        _keep(_found_in(whole, archive), folder)


def _found_in(place: Path, named: Path) -> Path:
    """The folder in which the set is: this one, or one a little below it."""
    patterns = ("*/" * depth + MASKS for depth in range(4))
    folders = [path.parent for pattern in patterns for path in place.glob(pattern) if is_there(path.parent)]
    if not folders:
        raise DownloadError(
            WHAT, reason=f"{named} has no folder with {LISTS}, {PHOTOGRAPHS} and {MASKS} in it", advice=ADVICE
        )
    return min(folders, key=lambda folder: folder.name != "VOC2012")  # other years may lie beside it


def _keep(whole: Path, folder: Path) -> None:
    """Copy the lists, and the pictures and masks that are on them, to ``folder``: all, or nothing."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".copying-") as scratch:
        copy = Path(scratch) / folder.name
        for part in (LISTS, PHOTOGRAPHS, MASKS):
            (copy / part).mkdir(parents=True)
        files = [f"{LISTS}/{name}.txt" for name in PICTURES]
        for listed in list(files):
            for name in (whole / listed).read_text().split():
                files += [f"{PHOTOGRAPHS}/{name}.jpg", f"{MASKS}/{name}.png"]
        for file in tqdm(files, f"{WHAT}: keeping", unit="file", leave=False):
            if (whole / file).is_file():  # a copy may be a part of the set
                shutil.copyfile(whole / file, copy / file)
        if folder.exists():
            os.replace(folder, Path(scratch) / "replaced")
        os.replace(copy, folder)


def _pairs(root: Path, name: str) -> list[tuple[Path, Path]]:
    """All pictures and masks that are on a list of the set, and there."""
    try:
        listed = VOCSegmentation(root, year="2012", image_set=name)
    except (OSError, UnicodeDecodeError) as error:
        path = folder_of(root) / LISTS / f"{name}.txt"
        raise unreadable(error, path, f"delete {folder_of(root)} and load again") from error
    return list(_there(listed, _mend(root)))


def _there(listed: VOCSegmentation, mend: str) -> Iterator[tuple[Path, Path]]:
    for picture, mask in zip(map(Path, listed.images), map(Path, listed.masks), strict=True):
        if picture.is_file() and mask.is_file():
            yield picture, mask
        elif picture.is_file() or mask.is_file():
            there, absent = (picture, mask) if picture.is_file() else (mask, picture)
            raise CorruptFileError(f"{there} has no partner: {absent} is missing. Put it there, or {mend}")


def _mend(root: Path) -> str:
    return (
        f"delete picture and mask to go on without them, or {folder_of(root)} to get all anew, and load again"
    )
