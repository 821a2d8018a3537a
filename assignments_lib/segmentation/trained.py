"""The networks that the lecture shows, trained in about a minute each, and kept among the checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, RandomSampler

from assignments_lib.datasets.masked import MaskedPictures
from assignments_lib.metrics import IGNORE_INDEX
from assignments_lib.segmentation.stage_scores import StageScores
from assignments_lib.segmentation.unet import UNet
from assignments_lib.training import fit, seed_everything
from assignments_lib.training.history import History
from assignments_lib.trunk import Trunk

BATCH_SIZE = 16
Watch = Callable[[History], object] | None


def stage_scores(
    train: MaskedPictures, test: MaskedPictures, *, seed: int = 0, epochs: int = 6, watch: Watch = None
) -> StageScores:
    """Scores from three maps of a narrow trunk, learned from ``train`` by 45 batches an epoch, on the CPU in the end.

    All three partial sums learn at once. While they do, a class has a head start of half the logarithm of how common
    it is, so that rare ones aren't drowned (logit adjustment: Menon et al. 2021, arXiv 2007.07314).
    """
    seed_everything(seed)
    network = StageScores(Trunk.narrow(), len(train.classes))
    pixels = torch.bincount(train.masks.flatten().long(), minlength=256)[: len(train.classes)].clamp(min=1)
    head_start = 0.5 * (pixels / pixels.sum()).log().view(-1, 1, 1)  # (C, 1, 1)

    def loss(logits: Tensor, masks: Tensor) -> Tensor:
        return F.cross_entropy(
            logits + head_start.to(logits.device), masks.repeat(3, 1, 1), ignore_index=IGNORE_INDEX
        )

    _learn(_AllThree(network), train, test, "lecture/stage scores", loss, epochs, 45, watch)
    return network.cpu().eval()


def unet(
    train: MaskedPictures,
    test: MaskedPictures,
    *,
    skips: bool,
    seed: int = 0,
    epochs: int = 10,
    watch: Watch = None,
) -> UNet:
    """A small U-Net that tells things (1) from background (0), with skip connections or without; on the CPU in the end.

    Its convolutions at full size cost the most, so it learns from pictures of half the size: give it those of `halved`.
    """
    seed_everything(seed)
    network = UNet(3, 2, width=8, depth=3, skips=skips)

    def loss(logits: Tensor, masks: Tensor) -> Tensor:
        return F.cross_entropy(logits, things(masks), ignore_index=IGNORE_INDEX)

    name = f"lecture/U-Net {'with' if skips else 'without'} skips"
    _learn(network, train, test, name, loss, epochs, 45, watch)
    return network.cpu().eval()


def halved(pictures: MaskedPictures) -> MaskedPictures:
    """Pictures of half the height and width: four pixels averaged, and of their four labels the first."""
    images = F.avg_pool2d(pictures.images.float(), 2).round().to(torch.uint8)
    height, width = images.shape[-2:]
    masks = pictures.masks[:, ::2, ::2][:, :height, :width].contiguous()
    return replace(pictures, images=images, masks=masks)


def things(masks: Tensor) -> Tensor:
    """Masks with all classes but the background, 0, made one: 1. Pixels of 255 stay."""
    return torch.where(masks == IGNORE_INDEX, masks, masks.clamp(max=1))


class _AllThree(nn.Module):
    """A `StageScores` whose logits are those of all three partial sums, one after the other: (3N, C, H, W)."""

    def __init__(self, network: StageScores) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat(self.network.partial_sums(images))


class _Right:
    """The share of pixels that the last partial sum, or the only one, has right."""

    name = "pixel accuracy"

    def __init__(self) -> None:
        self._right = self._all = 0

    def update(self, logits: Tensor, masks: Tensor) -> None:
        labels = things(masks) if logits.shape[1] == 2 else masks
        right = logits[-len(masks) :].argmax(1) == labels
        self._right += int(right.sum())
        self._all += int((labels != IGNORE_INDEX).sum())

    def compute(self) -> float:
        return self._right / max(1, self._all)


def _learn(
    model: nn.Module, train: MaskedPictures, test: MaskedPictures, name: str,
    loss: Callable[[Tensor, Tensor], Tensor], epochs: int, batches: int, watch: Watch,
) -> None:  # fmt: skip
    rate = 3e-3
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=1e-2)
    sampler = RandomSampler(train, replacement=True, num_samples=batches * BATCH_SIZE)
    options: dict[str, Any] = {"watch": watch} if watch else {}
    fit(
        model, DataLoader(train, BATCH_SIZE, sampler=sampler), DataLoader(test.take(40), 20), optimizer, epochs=epochs,
        scheduler=torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=epochs + 1, pct_start=0.3),
        augment=_flipped, loss=loss, score=_Right, name=name.split("/")[1], checkpoint=name, **options,
    )  # fmt: skip


def _flipped(images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Half of the pictures the other way round, with their masks."""
    turn = torch.rand(len(images), device=images.device) < 0.5
    images = torch.where(turn.view(-1, 1, 1, 1), images.flip(-1), images)
    return images, torch.where(turn.view(-1, 1, 1), masks.flip(-1), masks)
