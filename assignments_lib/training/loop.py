"""`Loop`: a training loop of the library's own, for when the loop is not what is being taught."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

IGNORE_INDEX = 255  # pixels in masks that count nowhere; labels (N,) all count

Loss = Callable[[Tensor, Tensor], Tensor]  # (logits, targets) -> the mean over what counts, a scalar


class Score(Protocol):
    """What validation is scored with, over all its batches; torchmetrics' metrics are of this form too."""

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """Take a batch into account."""

    def compute(self) -> float | Tensor:
        """The score so far, in [0, 1], higher being better."""


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """torch's own, of logits (N, C) with labels (N,) or soft labels (N, C), or (N, C, H, W) with masks (N, H, W).

    Pixels of 255 don't count; where all are, the loss is nan, as torch's is: `Loop` doesn't ask for it then.
    """
    if targets.is_floating_point():
        return F.cross_entropy(logits, targets)
    ignored = IGNORE_INDEX if targets.ndim > 1 else -100  # torch's own default, which is no class
    return F.cross_entropy(logits, targets, ignore_index=ignored)


class Accuracy:
    """The share of samples, or of a mask's pixels but those of 255, whose highest logit is the label's."""

    def __init__(self) -> None:
        self._right = self._all = 0

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """Take logits (N, C, ...) with labels (N, ...), or soft ones (N, C), into account."""
        self._all += _counted(targets)
        labels = targets.argmax(1) if targets.is_floating_point() else targets
        right = logits.argmax(1) == labels
        self._right += int((right & (labels != IGNORE_INDEX) if labels.ndim > 1 else right).sum())

    def compute(self) -> float:
        """The share so far; 0 before anything was counted."""
        return self._right / max(1, self._all)


@dataclass(frozen=True, kw_only=True)
class Loop:
    """One pass over batches ``(images, targets)``, with or without learning.

    Targets are labels (N,), soft labels (N, C), or masks (N, H, W) whose pixels of 255 don't count; the network
    gives logits (N, C) or (N, C, H, W). ``loss`` gives the mean over what counts, and isn't asked about a batch in
    which nothing does; each call to ``score`` gives a `Score` that starts from nothing.
    """

    model: nn.Module
    device: torch.device | str
    loss: Loss = cross_entropy
    score: Callable[[], Score] = Accuracy

    def train(self, batches: Iterable[tuple[Tensor, Tensor]], optimizer: torch.optim.Optimizer) -> float:
        """Train on every batch once; the mean loss of what counts.

        Raises:
            ValueError: there are no batches.
        """
        self.model.train()
        return self._pass(batches, optimizer, None)

    def evaluate(self, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[float, float]:
        """The mean loss and the score, in evaluation mode.

        Raises:
            ValueError: there are no batches.
        """
        self.model.eval()
        score = self.score()
        with torch.no_grad():
            loss = self._pass(batches, None, score)
        return loss, float(score.compute())

    def _pass(
        self,
        batches: Iterable[tuple[Tensor, Tensor]],
        optimizer: torch.optim.Optimizer | None,
        score: Score | None,
    ) -> float:
        total, seen, counted = 0.0, 0, 0
        for images, targets in batches:
            seen += 1
            weight = _counted(targets)
            if not weight:  # nothing to learn from, nothing to score
                continue
            images, targets = images.to(self.device), targets.to(self.device)
            logits = self.model(images)
            loss = self.loss(logits, targets)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            if score is not None:
                score.update(logits, targets)
            total, counted = total + weight * loss.item(), counted + weight
        if not seen:
            raise ValueError("there is no batch to go through")
        return total / max(1, counted)


def _counted(targets: Tensor) -> int:
    """How many labels, or pixels of masks, count."""
    if targets.ndim == 1 or targets.is_floating_point():
        return len(targets)
    return int((targets != IGNORE_INDEX).sum())
