"""How many pictures a second are augmented, here and by other libraries, on one thread.

    uv run python benchmarks/augmentation.py [--rounds 25] [--batch 32]
    uv run --with albumentations==2.0.8 --with opencv-python-headless --with kornia python benchmarks/augmentation.py

Batches of random uint8 pictures 3 x 256 x 256 (and uint8 masks) become float32, normalised, 3 x 224 x 224.
The libraries take turns, and the process's own CPU time counts, so that ratios hold on a busy machine too. Of all
rounds the median is taken: the best would favour a library that draws once a batch, and once drew a small crop.

- "per image" and albumentations change one picture at a time; stacking them to a batch isn't counted.
- "batched" torchvision draws once for the whole batch: every picture is cropped, flipped and coloured alike.
  This package and kornia draw for each picture.
- Crops are resized bilinearly: with antialiasing here and in torchvision, without in albumentations and kornia.
- The jitter is ColorJitter(0.4, 0.4, 0.4, 0.1) in every library. The hue turns in YIQ here, in HSV in the others,
  which costs more; so a row without it, ColorJitter(0.4, 0.4, 0.4), stands beside.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask a server for its latest version

import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from assignments_lib.augmentation import ColorJitter, HorizontalFlip, Normalize, Pipeline, RandomResizedCrop

Run = Callable[[], Any]  # augments one batch
SIZE = 224
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

PIPELINES: dict[str, tuple[tuple[float, ...], bool]] = {  # the jitter, and whether there are masks
    "crop, flip, normalise": ((), False),
    "with colour jitter": ((0.4, 0.4, 0.4, 0.1), False),
    "with jitter but no hue": ((0.4, 0.4, 0.4), False),
    "with jitter and masks": ((0.4, 0.4, 0.4, 0.1), True),
}


def ours(images: Tensor, masks: Tensor | None, jitter: tuple[float, ...]) -> Run:
    """This package."""
    colours = [ColorJitter(*jitter)] if jitter else []
    pipeline = Pipeline(RandomResizedCrop(SIZE), HorizontalFlip(), *colours, Normalize(MEAN, STD))
    return lambda: pipeline(images, masks)


def _torchvision(jitter: tuple[float, ...]) -> v2.Compose:
    colours = [v2.ColorJitter(*jitter)] if jitter else []
    to_float = v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True)
    return v2.Compose(
        [v2.RandomResizedCrop(SIZE), v2.RandomHorizontalFlip(), *colours, to_float, v2.Normalize(MEAN, STD)]
    )


def torchvision_per_image(images: Tensor, masks: Tensor | None, jitter: tuple[float, ...]) -> Run:
    """torchvision v2, picture by picture."""
    transform = _torchvision(jitter)
    singles = [tv_tensors.Image(image) for image in images]
    if masks is None:
        return lambda: [transform(image) for image in singles]
    pairs = list(zip(singles, [tv_tensors.Mask(mask) for mask in masks], strict=True))
    return lambda: [transform(image, mask) for image, mask in pairs]


def torchvision_batched(images: Tensor, masks: Tensor | None, jitter: tuple[float, ...]) -> Run:
    """torchvision v2 on a batch, with one draw for all of it."""
    transform = _torchvision(jitter)
    batch = (tv_tensors.Image(images), *([tv_tensors.Mask(masks)] if masks is not None else []))
    return lambda: transform(*batch)


def albumentations(images: Tensor, masks: Tensor | None, jitter: tuple[float, ...]) -> Run:
    """albumentations, picture by picture, as numpy arrays and then tensors."""
    import albumentations as A
    import cv2
    from albumentations.pytorch import ToTensorV2

    cv2.setNumThreads(1)
    names = ("brightness", "contrast", "saturation", "hue")
    bounds = dict(zip(names, (*jitter, 0.0, 0.0, 0.0, 0.0), strict=False))
    colours = [A.ColorJitter(**bounds, p=1)] if jitter else []
    transform = A.Compose(
        [
            A.RandomResizedCrop(size=(SIZE, SIZE)),
            A.HorizontalFlip(),
            *colours,
            A.Normalize(MEAN, STD),
            ToTensorV2(),
        ]
    )
    pictures = [np.ascontiguousarray(image.permute(1, 2, 0).numpy()) for image in images]
    if masks is None:
        return lambda: [transform(image=picture)["image"] for picture in pictures]
    pairs = list(zip(pictures, [mask.numpy() for mask in masks], strict=True))
    return lambda: [transform(image=picture, mask=mask) for picture, mask in pairs]


def kornia(images: Tensor, masks: Tensor | None, jitter: tuple[float, ...]) -> Run:
    """kornia on a batch, each picture with its own draw."""
    import kornia.augmentation as K

    colours = [K.ColorJitter(*jitter, p=1.0)] if jitter else []
    transform = K.AugmentationSequential(
        K.RandomResizedCrop((SIZE, SIZE)),
        K.RandomHorizontalFlip(),
        *colours,
        K.Normalize(torch.tensor(MEAN), torch.tensor(STD)),
        data_keys=["input"] if masks is None else ["input", "mask"],
    )
    if masks is None:
        return lambda: transform(images.float().div_(255))
    return lambda: transform(images.float().div_(255), masks[:, None].float())


LIBRARIES: dict[str, Callable[[Tensor, Tensor | None, tuple[float, ...]], Run]] = {
    "this package": ours,
    "v2 per image": torchvision_per_image,
    "v2 batched": torchvision_batched,
    "albumentations": albumentations,
    "kornia": kornia,
}


def images_per_second(runs: dict[str, Run], count: int, rounds: int) -> dict[str, float]:
    """The median of some rounds in which all take turns, in the process's own CPU time."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            run()  # not timed: fills the caches again, and the memory that the others gave back
            started = time.process_time()
            run()
            seconds[name].append(time.process_time() - started)
    return {name: count / median(each) for name, each in seconds.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=25, help="batches timed of each library and pipeline")
    parser.add_argument("--batch", type=int, default=32, help="pictures in a batch")
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(0)
    images = torch.randint(256, (options.batch, 3, 256, 256), dtype=torch.uint8)
    masks = torch.randint(21, (options.batch, 256, 256), dtype=torch.uint8)

    versions = []
    for name in ("torch", "torchvision", "albumentations", "kornia"):
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            LIBRARIES.pop(name, None)
            versions.append(f"{name} is not installed")
    print(f"{', '.join(versions)}; batches of {options.batch}, 256 -> {SIZE}, one thread")
    print("images/s, and how many times as fast this package is")
    print(f"{'':24}" + "".join(f"{name:>16}" for name in LIBRARIES))
    for title, (jitter, with_masks) in PIPELINES.items():
        runs = {name: make(images, masks if with_masks else None, jitter) for name, make in LIBRARIES.items()}
        speeds = images_per_second(runs, options.batch, options.rounds)
        first = speeds["this package"]
        cells = [f"{first:>16,.0f}"]
        cells += [f"{speed:>9,.0f} {first / speed:5.1f}x" for speed in list(speeds.values())[1:]]
        print(f"{title:24}" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
