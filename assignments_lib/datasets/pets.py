"""Oxford-IIIT Pet through torchvision's own class: cats and dogs of 37 breeds (`pets_masks` has their masks).

The photographs have all sizes, so they come as squares: the shorter side is brought to ``size`` with
antialiasing and the middle is kept. Only the pictures that are asked for are decoded.

torchvision takes the set to be there as soon as its two folders are; an unpacking that broke off would go
unnoticed. Here the archives are unpacked beside their place and moved there when whole.

Source: https://www.robots.ox.ac.uk/~vgg/data/pets/ (Parkhi et al., Cats and Dogs, CVPR 2012), CC BY-SA 4.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from PIL import UnidentifiedImageError
from torchvision.datasets import OxfordIIITPet
from torchvision.transforms import v2
from tqdm.auto import tqdm

from assignments_lib.datasets.download import (
    discard,
    download,
    megabytes,
    unpack,
    unreadable,
)
from assignments_lib.datasets.pictures import Pictures
from assignments_lib.datasets.root import data_root
from assignments_lib.datasets.selection import check_split, select

SIDE = 64
FILE_OF = {"train": "trainval", "test": "test"}  # the set's own names of the splits


def load(
    split: str,
    *,
    classes: Sequence[str] | None = None,
    per_class: int | None = None,
    size: int | None = None,
    root: Path | None = None,
    strict: bool = False,
) -> Pictures:
    """Photographs of cats and dogs, named by breed; what is not there yet is downloaded.

    Args:
        split: "train" (the set's "trainval", 3,680) or "test" (3,669).
        classes: which breeds ("Great Pyrenees"), in the order of their labels; all 37 when None.
        per_class: the first so many of each (there are about 100); all when None.
        size: side in pixels; 64 when None.
        root: where data lives; ``data_root()`` when None.
        strict: makes no difference here; every set takes it.

    Returns:
        Pictures with three channels.

    Raises:
        DownloadError: it isn't there and can't be downloaded.
        CorruptFileError: a picture or a list can't be read.
        ValueError: there is no such breed.
    """
    check_split(split)
    root = root or data_root()
    if not is_there(root):
        fetch(root)
    breeds = {number: breed for part in FILE_OF for _, breed, number in entries(root, part)}
    names = [breeds[number] for number in sorted(breeds)]
    breed_of_each = [names.index(breed) for _, breed, _ in entries(root, split)]
    indices, labels, chosen = select(breed_of_each, names, classes, per_class)
    side = size or SIDE
    square = v2.Compose([v2.Resize(side, antialias=True), v2.CenterCrop(side), v2.PILToTensor()])
    photographs = OxfordIIITPet(root, split=FILE_OF[split], transform=square)

    def photograph(index: int) -> torch.Tensor:
        try:
            image: torch.Tensor = photographs[index][0]
        except (UnidentifiedImageError, OSError) as error:
            raise unreadable(error, Path(photographs._images[index]), mend(root)) from error
        return image

    with ThreadPoolExecutor(4) as pool:
        images = list(tqdm(pool.map(photograph, indices), "Pets", total=len(indices), leave=False))
    stacked = torch.stack(images) if images else torch.empty((0, 3, side, side), dtype=torch.uint8)
    return Pictures(stacked, labels, chosen, "pets")


def present(root: Path) -> str:
    """What there is of it below the data folder, in words; empty when nothing."""
    pictures = list((folder_of(root) / "images").glob("*.jpg"))
    return f"{len(pictures):,} pictures, {megabytes(pictures)}" if is_there(root) and pictures else ""


def fetch(root: Path) -> Path:
    """Download the two official archives (792 MB and 19 MB, MD5 known) and unpack them, unless that has been done.

    Raises:
        DownloadError: one of them can't be had.
    """
    folder = folder_of(root)
    for url, md5 in OxfordIIITPet._RESOURCES:  # torchvision's: kept up with the set's own page
        name = Path(url).name
        if (folder / name.split(".")[0]).is_dir():
            continue
        archive = download([url], folder / name, what=f"Oxford-IIIT Pet, {name}", md5=md5)
        unpack(archive, folder, name.split(".")[0])
        discard(archive)
    return folder


def folder_of(root: Path) -> Path:
    """Where the set lives."""
    return root / "oxford-iiit-pet"


def is_there(root: Path) -> bool:
    """Whether it has been unpacked."""
    return all((folder_of(root) / part).is_dir() for part in ("images", "annotations"))


def mend(root: Path) -> str:
    """What to do about a damaged file."""
    return f"delete {folder_of(root)} and load again"


def entries(root: Path, split: str) -> list[tuple[str, str, int]]:
    """File name without ending, breed and its number, of every photograph of a split, as the set's own list has them.

    Raises:
        CorruptFileError: the list can't be read.
    """
    path = folder_of(root) / "annotations" / f"{FILE_OF[split]}.txt"
    try:
        rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
        return [(row[0], row[0].rsplit("_", 1)[0].replace("_", " ").title(), int(row[1])) for row in rows]
    except (OSError, ValueError, IndexError) as error:
        raise unreadable(error, path, mend(root)) from error
