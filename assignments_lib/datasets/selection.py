"""Choosing a split, some classes, and some pictures of each, before anything is decoded."""

from __future__ import annotations

from collections.abc import Sequence

import torch

SPLITS = ("train", "test")


def check_split(split: str) -> None:
    """Every set here has the same two splits.

    Raises:
        ValueError: it is another; the message lists them.
    """
    if split not in SPLITS:
        raise ValueError(f"there is no split {split!r}; there are {' and '.join(SPLITS)}")


def select(
    labels: Sequence[int], names: Sequence[str], classes: Sequence[str] | None, per_class: int | None
) -> tuple[list[int], torch.Tensor, tuple[str, ...]]:
    """Which pictures to take.

    Args:
        labels: label of every picture there is, an index into ``names``.
        names: names of all classes.
        classes: those wanted, in the order of their new labels; all when None.
        per_class: at most so many pictures of each, the first ones; all when None.

    Returns:
        The indices into ``labels``, ascending; their new labels, (N,) int64; the names those stand for.

    Raises:
        ValueError: a class isn't there; the message lists those there are.
    """
    wanted = tuple(names if classes is None else classes)
    if unknown := [name for name in wanted if name not in names]:
        raise ValueError(f"there is no class {unknown[0]!r}; there are {', '.join(names)}")
    new_label = {list(names).index(name): label for label, name in enumerate(wanted)}
    taken = [0] * len(wanted)
    indices = []
    for index, label in enumerate(labels):
        new = new_label.get(label)
        if new is not None and (per_class is None or taken[new] < per_class):
            taken[new] += 1
            indices.append(index)
    return indices, torch.tensor([new_label[labels[index]] for index in indices], dtype=torch.int64), wanted
