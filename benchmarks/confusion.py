"""How long does counting a confusion matrix take: torchmetrics, the pixels that count picked out, and ours?

    uv run python benchmarks/confusion.py [--pictures 100] [--size 512] [--classes 21] [--rounds 5] [--threads 2]

All take the same masks (int64, one pixel in twenty 255) and turns, and must agree. Ratios are printed beside the times,
and beside the processor's time: on a shared machine these hold better.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

from assignments_lib.metrics import ConfusionMatrix
from assignments_lib.training import choose_device


def main() -> None:
    """Count, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=100, help="masks")
    parser.add_argument("--size", type=int, default=512, help="height and width of a mask")
    parser.add_argument("--classes", type=int, default=21, help="classes")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads for torch")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    device = choose_device()
    predictions, masks = (each.to(device) for each in drawn(options.pictures, options.size, options.classes))
    ways = ways_for(options.classes)
    timings: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(options.rounds + 1):
        counts = []
        for name, count in ways.items():
            started, used = time.perf_counter(), time.process_time()
            counts.append(count(predictions, masks).cpu())  # waits for the device
            timings[name].append((time.perf_counter() - started, time.process_time() - used))
        assert all(each.equal(counts[0]) for each in counts), "they disagree"

    print(f"device   {device}, {options.threads} threads, torch {torch.__version__}")
    print(f"masks    {options.pictures} of {options.size} x {options.size}, {options.classes} classes\n")
    print(f"{'':42s}{'seconds':>10s}{'ratio':>8s}{'CPU seconds':>14s}{'ratio':>8s}")
    rows = {
        name: [median(column) for column in zip(*each[1:], strict=True)] for name, each in timings.items()
    }
    for name, (wall, used) in rows.items():
        ratios = (wall / rows["ours"][0], used / rows["ours"][1])
        print(f"{name:42s}{wall:10.3f}{ratios[0]:8.1f}{used:14.3f}{ratios[1]:8.1f}")


def drawn(pictures: int, size: int, classes: int) -> tuple[Tensor, Tensor]:
    """Masks of patches, 5 % of their pixels 255; predictions of which some four fifths agree with them."""
    generator = torch.Generator().manual_seed(0)
    places = torch.arange(size) // 16

    def patches() -> Tensor:
        coarse = torch.randint(classes, (pictures, size // 16 + 1, size // 16 + 1), generator=generator)
        return coarse[:, places][:, :, places]

    masks, others = patches(), patches()
    right = torch.rand(masks.shape, generator=generator) < 0.8
    unlabelled = torch.rand(masks.shape, generator=generator) < 0.05
    return torch.where(right, masks, others), masks.masked_fill(unlabelled, 255)


def ways_for(classes: int) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """The counts [target, prediction], each way."""
    from torchmetrics.functional.classification import multiclass_confusion_matrix

    def picked(predictions: Tensor, masks: Tensor) -> Tensor:
        counts = masks != 255
        places = masks[counts] * classes + predictions[counts]
        return torch.bincount(places, minlength=classes**2).view(classes, classes)

    def ours(predictions: Tensor, masks: Tensor) -> Tensor:
        matrix = ConfusionMatrix(classes)
        matrix.update(predictions, masks)
        return matrix.counts

    def theirs(validate: bool) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda predictions, masks: multiclass_confusion_matrix(
            predictions, masks, classes, ignore_index=255, validate_args=validate
        )

    return {
        "torchmetrics": theirs(True),
        "torchmetrics, what it is given unchecked": theirs(False),
        "pixels that count picked out, bincount": picked,
        "ours": ours,
    }


if __name__ == "__main__":
    main()
