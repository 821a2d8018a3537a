"""`Pipeline`: every picture for itself, nothing given is changed, any size and type, any device."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from assignments_lib.augmentation import (
    ColorJitter,
    CutMix,
    HorizontalFlip,
    MixUp,
    Normalize,
    PaddedCrop,
    Pipeline,
    RandomAffine,
    RandomResizedCrop,
)

EVERYTHING = Pipeline(
    PaddedCrop(3),
    RandomResizedCrop((20, 26)),
    HorizontalFlip(),
    RandomAffine(degrees=20, translate=0.1, scale=(0.8, 1.2), shear=5),
    ColorJitter(0.4, 0.4, 0.4, 0.1),
    Normalize(),
)
STEPS = [*EVERYTHING.steps[:5], MixUp(num_classes=3), CutMix(num_classes=3)]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(count: int, height: int = 30, width: int = 40) -> tuple[Tensor, Tensor]:
    images = torch.randint(256, (count, 3, height, width), dtype=torch.uint8, generator=generator(1))
    return images, torch.randint(3, (count, height, width), generator=generator(2))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)
def test_every_picture_has_a_draw_of_its_own(step: Any) -> None:
    picture = torch.rand(3, 30, 40, generator=generator(1))
    images = picture.repeat(64, 1, 1, 1)
    images[1::2] = 1 - picture  # partners that differ, for the mixing steps
    labels = torch.arange(64) % 2
    new, _ = Pipeline(step)(images, labels, generator=generator())
    different = len({each.numpy().tobytes() for each in new})
    assert different == (4 if isinstance(step, HorizontalFlip) else different)
    assert different >= (4 if isinstance(step, HorizontalFlip) else 25)


def test_a_picture_comes_out_as_it_would_alone() -> None:
    images, masks = batch(5)
    matrices, height, width = EVERYTHING.steps[3].draw(5, 30, 40, generator())  # type: ignore[union-attr]
    assert (height, width) == (30, 40)
    for one in range(5):

        class Replay(RandomAffine):
            """The draw for one picture of five."""

            def draw(self, *_: Any) -> tuple[Tensor, int, int]:
                return matrices[one, None], 30, 40  # noqa: B023 (used at once)

        alone = Pipeline(Replay())(images[one, None], masks[one, None])
        together = Pipeline(EVERYTHING.steps[3])(images, masks, generator=generator())
        assert torch.equal(alone[0][0], together[0][one])
        assert torch.equal(alone[1][0], together[1][one])  # type: ignore[index]


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32, torch.float64])
@pytest.mark.parametrize(
    "steps", [[], *([each] for each in STEPS[:5]), [Normalize()], list(EVERYTHING.steps)], ids=str
)
def test_what_is_given_stays_as_it_is(kind: torch.dtype, steps: list[Any]) -> None:
    images, masks = batch(4)
    images = images if kind == torch.uint8 else images.to(kind) / 255
    before = images.clone(), masks.clone()
    new, moved = Pipeline(*steps)(images, masks)
    new.fill_(0.25)  # nor does the new batch share memory with it
    assert torch.equal(images, before[0])
    assert torch.equal(masks, before[1])
    assert new.dtype == (torch.float32 if kind == torch.uint8 else kind)
    assert moved is not None
    assert moved.dtype == masks.dtype


@pytest.mark.parametrize(
    ("count", "height", "width"), [(1, 30, 40), (1, 1, 9), (2, 17, 1), (3, 1, 1), (2, 90, 31)]
)
def test_any_size_and_a_batch_of_one(count: int, height: int, width: int) -> None:
    images, masks = batch(count, height, width)
    for seed in range(20):
        new, moved = EVERYTHING(images, masks, generator=generator(seed))
        assert moved is not None
        assert new.shape == (count, 3, 20, 26)
        assert moved.shape == (count, 20, 26)
        assert new.isfinite().all()


def test_no_label_is_invented_and_empty_pixels_are_ignored() -> None:
    images, masks = batch(30)
    masks = 5 * masks  # 0, 5, 10: a mixture of two would be another number
    for ignore_index in (255, -1):
        pipeline = Pipeline(RandomAffine(degrees=40, translate=0.2), ignore_index=ignore_index)
        new, moved = pipeline((images / 255 + 1) / 2, masks, generator=generator())
        assert moved is not None
        assert set(moved.unique().tolist()) == {0, 5, 10, ignore_index}
        # All pixels are at least 0.5: those of nothing are 0, and those at the seam between
        empty = moved == ignore_index
        assert (new.amax(1)[~empty] > 0.2).all()
        assert (new.amax(1)[empty] < 0.6).all()


@pytest.mark.parametrize("kind", [torch.uint8, torch.int32, torch.int64])
def test_masks_keep_their_type(kind: torch.dtype) -> None:
    images, masks = batch(3)
    _, moved = EVERYTHING(images, masks.to(kind))
    assert moved is not None
    assert moved.dtype == kind


def test_labels_pass_untouched_where_nothing_mixes() -> None:
    images, _ = batch(3)
    labels = torch.tensor([2, 0, 1])
    assert EVERYTHING(images, labels)[1] is labels
    assert EVERYTHING(images)[1] is None


def test_draws_come_from_torchs_generator_or_the_one_given() -> None:
    images, masks = batch(4)
    torch.manual_seed(5)
    seeded = EVERYTHING(images, masks)[0]
    torch.manual_seed(5)
    assert torch.equal(EVERYTHING(images, masks)[0], seeded)
    assert not torch.equal(EVERYTHING(images, masks)[0], seeded)
    before = torch.get_rng_state()
    own = EVERYTHING(images, masks, generator=generator(5))[0]
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(own, seeded)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_gives_what_the_cpu_gives() -> None:
    images, masks = batch(6)
    images = images / 255
    labels = torch.arange(6) % 3
    for steps in (
        [RandomResizedCrop(24), HorizontalFlip(), ColorJitter(0.4, 0.4, 0.4, 0.1)],
        EVERYTHING.steps,
    ):
        here, mask = Pipeline(*steps)(images, masks, generator=generator())
        there, other = Pipeline(*steps)(images.cuda(), masks.cuda(), generator=generator())
        assert there.device.type == other.device.type == "cuda"  # type: ignore[union-attr]
        torch.testing.assert_close(there.cpu(), here, rtol=0, atol=2e-3)
        assert (other.cpu() == mask).float().mean() > 0.99  # type: ignore[union-attr]
    mixing = Pipeline(MixUp(num_classes=3), CutMix(num_classes=3))
    for here, there in zip(
        mixing(images, labels, generator=generator()),
        mixing(images.cuda(), labels.cuda(), generator=generator()),
        strict=True,
    ):
        torch.testing.assert_close(there.cpu(), here)  # type: ignore[union-attr]
    new, _ = EVERYTHING((images * 255).byte().cuda())
    assert new.dtype == torch.float32


def test_repr_says_all_there_is_to_know() -> None:
    assert repr(EVERYTHING) == repr(Pipeline(*EVERYTHING.steps))
    assert repr(EVERYTHING) != repr(Pipeline(*EVERYTHING.steps, ignore_index=0))
    assert "degrees=20" in repr(EVERYTHING)
    assert " at 0x" not in repr(EVERYTHING)


def test_wrong_batches_are_refused() -> None:
    images, masks = batch(3)
    for wrong, said in [
        ((images[0],), r"\(N, C, H, W\)"),
        ((images[:0],), "not empty"),
        ((images.int(),), "uint8 or float"),
        ((images, masks[:2]), "3 images and 2"),
        ((images, masks[:, 1:]), r"\(30, 40\)"),
        ((images, masks.float()), "integers"),
    ]:
        with pytest.raises(ValueError, match=said):
            EVERYTHING(*wrong)


def test_wrong_pipelines_are_refused() -> None:
    with pytest.raises(TypeError, match="HorizontalFlip\\(\\), not Tensor"):
        Pipeline(*batch(2))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="once"):
        Pipeline(Normalize(), Normalize())
