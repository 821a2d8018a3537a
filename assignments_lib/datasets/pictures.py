"""`Pictures`: a labelled set of small pictures in memory, the form every classification set has here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch.utils.data import Dataset


@dataclass(frozen=True)
class Pictures(Dataset[tuple[torch.Tensor, int]]):
    """Labelled pictures, kept as bytes and handed out as floats.

    ``images`` is (N, C, H, W) uint8 and ``labels`` (N,) int64; ``classes[label]`` is the name of a class.
    ``pictures[i]`` gives ``(image, label)`` with ``image`` (C, H, W) float32 in [0, 1].
    """

    images: torch.Tensor
    labels: torch.Tensor
    classes: tuple[str, ...]
    name: str = ""

    def __post_init__(self) -> None:
        if self.images.dtype != torch.uint8 or self.images.ndim != 4:
            raise ValueError(
                f"images must be (N, C, H, W) uint8, not {tuple(self.images.shape)} {self.images.dtype}"
            )
        if self.labels.shape != (len(self.images),) or self.labels.dtype != torch.int64:
            raise ValueError(
                f"labels must be ({len(self.images)},) int64, not {tuple(self.labels.shape)} {self.labels.dtype}"
            )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.images[index].float() / 255, int(self.labels[index])

    def __iter__(self) -> Iterator[tuple[torch.Tensor, int]]:
        return (self[index] for index in range(len(self)))

    def take(self, per_class: int) -> Pictures:
        """The first ``per_class`` pictures of every class, in the order they have here."""
        chosen = [torch.nonzero(self.labels == label)[:per_class, 0] for label in range(len(self.classes))]
        index = torch.cat(chosen).sort().values
        return Pictures(self.images[index], self.labels[index], self.classes, self.name)
