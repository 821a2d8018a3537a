"""MixUp and CutMix: labels by what is really in the picture, lambda by its distribution."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from assignments_lib.augmentation import CutMix, MixUp, Pipeline


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(count: int, height: int = 6, width: int = 9) -> tuple[Tensor, Tensor]:
    """Pictures of one colour each, which says who a pixel comes from: number i is all i."""
    numbers = torch.arange(count)
    images = numbers.double().view(-1, 1, 1, 1).expand(count, 2, height, width)
    return images, numbers


def test_mixup_mixes_images_and_labels_alike() -> None:
    images, labels = batch(40)
    mixed, soft = MixUp(num_classes=40).mix(images, labels, generator())
    assert torch.allclose(soft.sum(1), torch.ones(40).double())
    assert ((soft > 0).sum(1) <= 2).all()
    # What the labels say is in a picture is in it, in every pixel
    assert torch.allclose(mixed, (soft @ labels.double()).view(-1, 1, 1, 1).expand_as(mixed))
    assert (soft.diagonal() < 0.999).sum() > 30


def test_cutmix_labels_count_the_pixels() -> None:
    images, labels = batch(200)
    mixed, soft = CutMix(num_classes=200).mix(images, labels, generator())
    for number in range(200):
        values, counts = mixed[number, 0].unique(return_counts=True)
        share = torch.zeros(200).double()
        share[values.long()] = counts.double() / 54
        assert torch.allclose(soft[number], share)
        others = (mixed[number, 0] != number).nonzero()
        if len(others):  # and they are all the pixels of one box
            top, left = others.min(0).values
            bottom, right = others.max(0).values + 1
            assert len(others) == (bottom - top) * (right - left)
        assert torch.equal(mixed[number, 0], mixed[number, 1])


def test_cutmix_boxes_have_sides_by_lambda_and_centres_anywhere() -> None:
    count, side = 4000, 100
    weights = CutMix(num_classes=1)._weights(torch.full((count,), 0.25), side, side, generator())
    rows, columns = weights.amax(2), weights.amax(1)
    for one in (rows, columns):
        length = one.sum(1)
        start, end = one.argmax(1), side - one.flip(1).argmax(1)
        free = (start > 0) & (end < side)
        assert (length[free] - 50).abs().max() <= 1  # half the side each: a quarter of the picture
        assert length.min() < 30  # cut off at the edge where the centre is near it
        # The centre lies in the middle half as often as anywhere: 0.5 within five standard deviations
        middle = ((start >= 1) & (end <= side - 1)).double().mean()
        assert abs(middle - 0.5) < 5 * 0.5 / math.sqrt(count) + 0.02  # and a pixel at each end


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_lambda_is_beta_distributed(alpha: float) -> None:
    count = 5000
    images = torch.zeros(count, 1, 1, 1)
    labels = torch.zeros(count, dtype=torch.int64)
    labels[: count // 2] = 1
    _, soft = MixUp(num_classes=2, alpha=alpha).mix(images.double(), labels, generator())
    # Where the partner is of the other class, the label shows lambda
    own = soft.gather(1, labels[:, None])[:, 0]
    mixed = own[own < 1]
    assert abs(len(mixed) / count - 0.5) < 0.05
    mean, variance = 0.5, 1 / (4 * (2 * alpha + 1))
    assert abs(mixed.mean() - mean) < 5 * math.sqrt(variance / len(mixed))
    assert abs(mixed.var() / variance - 1) < 0.15


@pytest.mark.parametrize("step", [MixUp, CutMix])
def test_a_share_of_the_pictures_is_mixed(step: Any) -> None:
    images, labels = batch(2000, 20, 20)
    mixed, soft = step(num_classes=2000, p=0.3).mix(images, labels, generator())
    changed = (mixed != images).flatten(1).any(1)
    assert abs(changed.double().mean() - 0.3) < 0.06
    assert (soft.diagonal()[~changed] == 1).all()


def test_soft_labels_are_mixed_again() -> None:
    images, labels = batch(60)
    mixed, soft = Pipeline(MixUp(num_classes=60), CutMix(num_classes=60))(
        images, labels, generator=generator()
    )
    assert soft is not None
    assert ((soft > 0).sum(1) > 2).any()
    # The mean over the pixels is what the labels say
    assert torch.allclose(mixed.mean((1, 2, 3)), soft @ labels.double())


def test_input_stays_and_types_are_right() -> None:
    images, labels = torch.rand(8, 3, 5, 5, generator=generator()), torch.arange(8)
    before = images.clone(), labels.clone()
    for step in (MixUp(num_classes=9), CutMix(num_classes=9)):
        mixed, soft = step.mix(images, labels, generator())
        assert mixed.dtype == soft.dtype == torch.float32
        assert soft.shape == (8, 9)
    assert torch.equal(images, before[0])
    assert torch.equal(labels, before[1])


def test_what_cannot_be_mixed_is_refused() -> None:
    images = torch.rand(4, 3, 5, 5)
    pipeline = Pipeline(MixUp(num_classes=3))
    with pytest.raises(ValueError, match="needs labels"):
        pipeline(images)
    with pytest.raises(ValueError, match="3 classes"):
        pipeline(images, torch.tensor([0, 1, 2, 3]))
    with pytest.raises(ValueError, match=r"labels \(N,\) or soft labels"):
        pipeline(images, torch.zeros(4, 5, 5, dtype=torch.int64))
    for wrong in ({"num_classes": 0}, {"num_classes": 2, "alpha": 0.0}, {"num_classes": 2, "p": 2.0}):
        with pytest.raises(ValueError, match="alpha"):
            MixUp(**wrong)  # type: ignore[arg-type]
