"""Oxford-IIIT Pet for segmentation: which pixels are animal. (`pets` fetches the set, and names the breeds.)

Its "trimaps" have three numbers: 1 animal, 2 background, and 3 for a seam between them that nobody decided on. Here
that seam is 255: it has no label. The labels are 0 background and 1 pet, as background is 0 in all sets here.

To be stacked, the photographs are brought to one size: the largest part in the middle that has its proportions is
cut out, then resized. Nothing is squeezed. Only the pictures that are asked for are decoded.
"""

from __future__ import annotations

from pathlib import Path

import torch

from assignments_lib.datasets import pets
from assignments_lib.datasets.download import CorruptFileError
from assignments_lib.datasets.masked import MaskedPictures, gathered, in_proportion, resized
from assignments_lib.datasets.mixed_order import number_of
from assignments_lib.datasets.photographs import read_pair
from assignments_lib.datasets.root import data_root
from assignments_lib.datasets.selection import check_split

CLASSES = ("background", "pet")
SIZE = (112, 128)  # height, width: a little wider than tall, as most of the photographs are
LABEL_OF = {1: 1, 2: 0, 3: MaskedPictures.ignore_index}  # what the numbers in a trimap become


def load(
    split: str,
    *,
    size: tuple[int, int] | None = None,
    number: int | None = None,
    root: Path | None = None,
    strict: bool = False,
) -> MaskedPictures:
    """Photographs of cats and dogs with the animal marked; what is not there yet is downloaded.

    Args:
        split: "train" (the set's "trainval", 3,680) or "test" (3,669).
        size: height and width in pixels; (112, 128) when None.
        number: at most so many, of all breeds; all there are when None.
        root: where data lives; ``data_root()`` when None.
        strict: makes no difference here; every set takes it.

    Returns:
        Pictures and masks: 0 background, 1 pet, 255 undecided; in a mixed order that is always the same.

    Raises:
        DownloadError: it isn't there and can't be downloaded.
        CorruptFileError: a picture, a mask or a list can't be read, or a mask has another size or label than it should.
        ValueError: there is no such split.
    """
    check_split(split)
    root = root or data_root()
    if not pets.is_there(root):
        pets.fetch(root)
    names = sorted((name for name, _, _ in pets.entries(root, split)), key=number_of)[:number]
    if not names:
        raise CorruptFileError(f"{pets.folder_of(root)} lists no pictures for {split!r}: {pets.mend(root)}")

    def pair(name: str) -> tuple[torch.Tensor, torch.Tensor]:
        return resized(*in_proportion(*read(root, name), size or SIZE), size or SIZE)

    return MaskedPictures(*gathered(names, pair, "Pets"), CLASSES, "pets")


def read(root: Path, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """One photograph (3, H, W) uint8 and its mask (H, W) uint8, in the size that it has.

    Raises:
        CorruptFileError: one of the two files isn't as it should be.
    """
    folder = pets.folder_of(root)
    picture, trimap = folder / "images" / f"{name}.jpg", folder / "annotations" / "trimaps" / f"{name}.png"
    image, numbers = read_pair(picture, trimap, list(LABEL_OF), pets.mend(root))
    mask = torch.zeros_like(numbers)
    for number, label in LABEL_OF.items():
        mask[numbers == number] = label
    return image, mask
