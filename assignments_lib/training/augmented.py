"""Augmentation under the loop's plain ``for images, labels in loader``, and what a checkpoint remembers of it."""

from __future__ import annotations

import contextlib
import copy
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from assignments_lib.training.randomness import undisturbed

Augment = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


class AugmentedLoader:
    """A loader whose batches are moved to the device and augmented; in all else the loader it was made from.

    Raises:
        TypeError: ``augment`` gave back something else than images and labels, as many of one as of the other.
    """

    def __init__(self, loader: Any, augment: Augment, device: torch.device) -> None:
        self._loader = loader
        self._augment = augment
        self._device = device

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for images, labels in self._loader:
            yield self._augmented(images.to(self._device), labels.to(self._device))

    @torch.no_grad()
    def _augmented(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        given = self._augment(images, labels)
        wanted = "augment should return a batch of images and its labels, (images, labels)"
        if not isinstance(given, tuple | list) or len(given) != 2:
            raise TypeError(f"{wanted}, not {type(given).__name__}")
        if not all(isinstance(each, Tensor) for each in given):
            raise TypeError(f"{wanted}, not a {type(given[0]).__name__} and a {type(given[1]).__name__}")
        if len(given[0]) != len(given[1]):
            raise TypeError(f"{wanted}, not {len(given[0])} images and {len(given[1])} labels")
        return given[0], given[1]

    def __len__(self) -> int:
        return len(self._loader)

    def __getattr__(self, name: str) -> Any:
        if name == "_loader":  # not there yet while being copied or unpickled: don't look for it in itself
            raise AttributeError(name)
        return getattr(self._loader, name)


def in_words(thing: Any) -> str:
    """What stands for an augmentation, or another function: its `repr` without addresses."""
    return " ".join(re.sub(r" at 0x[0-9a-fA-F]+", "", repr(thing)).split())


def effect(augment: Augment, loader: Any) -> list[float] | None:
    """What the augmentation does, as numbers: those of its answer to fixed noise after a fixed seed.

    Its name would not do: a function keeps its name when its body changes, or what it calls. The noise has the
    shape of the loader's batches. None where that can't be found out: it fails on a CPU, or has random numbers
    of its own, so that two answers differ. The random generators are left as they were.
    """
    try:
        with undisturbed(getattr(loader, "generator", None)):
            images, labels = (each[:8].cpu() for each in next(iter(loader)))
            noise = torch.Generator().manual_seed(34)
            share = torch.rand(images.shape, generator=noise)
            images = share.to(images.dtype) if images.is_floating_point() else (255 * share).to(images.dtype)
            if not labels.is_floating_point():
                labels = (torch.arange(labels.numel()) // 3 % 2).view(labels.shape).to(labels.dtype)
            with contextlib.suppress(Exception):  # some things can't be copied
                augment = copy.deepcopy(augment)  # it may count its calls
            first, again = (_summary(augment, images, labels) for _ in range(2))
    except Exception:  # the training loop will meet it, and show it with its own frames
        return None
    return first if same_effect(first, again) else None


def same_effect(one: list[float] | None, other: list[float] | None) -> bool:
    """Whether they are equal but for the rounding of another machine, which is about 1e-5."""
    if one is None or other is None:
        return one is other
    return len(one) == len(other) and all(
        abs(a - b) <= 2e-3 * max(1, abs(a)) for a, b in zip(one, other, strict=True)
    )


def _summary(augment: Augment, images: Tensor, labels: Tensor) -> list[float]:
    numbers: list[float] = []
    for seed in range(4):
        random.seed(seed)
        np.random.seed(seed)
        torch.default_generator.manual_seed(seed)  # not those of GPUs, which `undisturbed` does not put back
        with torch.no_grad():
            given = augment(images.clone(), labels.clone())
        for each in given:
            values = each.double().flatten()
            # A random projection tells pixels that only changed places, which mean and spread don't
            weights = torch.randn(len(values), generator=torch.Generator().manual_seed(seed)).double()
            projection = weights @ values / len(values) ** 0.5
            numbers += [float(side) for side in each.shape]
            numbers += [float(values.mean()), float(values.std(correction=0)), float(projection)]
    return [round(number, 6) for number in numbers]
