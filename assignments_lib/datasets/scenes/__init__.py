"""Scenes: the ten doodle things, coloured in, over textured backgrounds, with a mask that says what every pixel shows.

`things` says how each is painted, with the colours of `paint`; `brush` is the hand that does it, `sprite` turns a
painting into pixels, `light` makes it bulge and throw a shadow, `background` and `clutter` are what is none of the
ten, and `composition` puts it all together.

    draw(seed=3)                    one picture, 80 x 112, and its mask
    instances(seed=3)               the same with a number for every single thing
    load("train", number=1000)      a set of them, `MaskedPictures`
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tqdm.auto import tqdm

from .. import cache, doodles
from ..masked import MaskedPictures
from ..root import data_root
from ..selection import check_split
from .composition import numbered, scene

__all__ = ["CLASSES", "SIZE", "draw", "instances", "load"]

CLASSES = ("background", *doodles.CLASSES)
SIZE = (80, 112)  # height and width: no multiples of 32, and what an experiment on two cores can afford
SMALLEST = 16  # nothing could be recognised below

VERSION = cache.fingerprint(Path(__file__).parent, Path(doodles.__file__).parent)

_SPLITS = {"train": 0, "test": 1, "single": 2}


def draw(seed: int, size: tuple[int, int] = SIZE) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """One scene, ``size`` = (height, width): its picture (H, W, 3) and its mask (H, W), both uint8.

    The mask is 0 for background, the index into CLASSES for a thing, and 255 along borders, where a pixel shows
    more than one. Raises ValueError for a size below 16.
    """
    height, width = _checked(size)
    return scene(_rng(seed, "single", 0), height, width)


def instances(seed: int, size: tuple[int, int] = SIZE) -> tuple[npt.NDArray[np.uint8], tuple[int, ...]]:
    """The single things of the scene that `draw` gives: a map (H, W) uint8, and the label of each thing.

    The map is 0 where there is none of the ten things, k where the k-th thing shows, whose label is ``labels[k - 1]``,
    back to front, and 255 along borders, also between two things of one class. Raises ValueError for a size below 16.
    """
    height, width = _checked(size)
    return numbered(_rng(seed, "single", 0), height, width)


def load(
    split: str = "train",
    *,
    number: int = 1000,
    size: tuple[int, int] | None = None,
    seed: int = 0,
    root: str | Path | None = None,
) -> MaskedPictures:
    """A set of ``number`` scenes; images (N, 3, H, W) and masks (N, H, W), both uint8.

    ``size`` is (height, width), (80, 112) when None; larger scenes are drawn larger, not enlarged. A smaller set is
    the beginning of a larger one, and the splits "train" and "test" share no scene. Drawn once and then read from
    ``root`` (default `data_root()`) / "scenes".
    Raises ValueError for an unknown split, a number below 1 or a size below 16.
    """
    check_split(split)
    height, width = _checked(SIZE if size is None else size)
    if number < 1:
        raise ValueError(f"number must be at least 1, not {number}")
    folder = Path(root) if root is not None else data_root()
    path = folder / "scenes" / f"{split}-{height}x{width}-seed{seed}.npz"
    images, masks = _kept(path, height, width)
    there = len(images)
    if there < number:
        drawn = [
            scene(_rng(seed, split, index), height, width)
            for index in tqdm(range(there, number), desc=f"drawing {split} scenes", unit="scene", leave=False)
        ]
        images = np.concatenate([images, np.stack([image for image, _ in drawn]).transpose(0, 3, 1, 2)])
        masks = np.concatenate([masks, np.stack([mask for _, mask in drawn])])
        cache.write(path, VERSION, "scenes", images=images, masks=masks)
    return MaskedPictures(
        torch.from_numpy(images[:number]), torch.from_numpy(masks[:number]), CLASSES, "scenes"
    )


def _kept(path: Path, height: int, width: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The scenes that the file holds soundly, perhaps none."""
    stored = cache.read(path, VERSION)
    if stored is not None and {"images", "masks"} <= stored.keys():
        images, masks = stored["images"], stored["masks"]
        sound = images.dtype == masks.dtype == np.uint8 and len(images) == len(masks)
        if sound and images.shape[1:] == (3, height, width) and masks.shape[1:] == (height, width):
            return images, masks
    return np.empty((0, 3, height, width), np.uint8), np.empty((0, height, width), np.uint8)


def _checked(size: tuple[int, int]) -> tuple[int, int]:
    height, width = size
    if min(height, width) < SMALLEST:
        raise ValueError(f"a scene is at least {SMALLEST} x {SMALLEST} pixels, not {height} x {width}")
    return height, width


def _rng(seed: int, split: str, index: int) -> np.random.Generator:
    """A generator of its own for every scene."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, _SPLITS[split], index))))
