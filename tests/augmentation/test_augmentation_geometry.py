"""Steps that move pixels: what they draw, and that what they do is what torchvision does with the same draw."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional as TF

from assignments_lib.augmentation import HorizontalFlip, PaddedCrop, Pipeline, RandomAffine, RandomResizedCrop
from assignments_lib.augmentation.geometry import Geometry


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 6, height: int = 40, width: int = 56, channels: int = 3) -> Tensor:
    return torch.randint(256, (count, channels, height, width), dtype=torch.uint8, generator=generator(1))


def masks(count: int = 6, height: int = 40, width: int = 56) -> Tensor:
    return torch.randint(21, (count, height, width), generator=generator(2))


def drawn(step: Geometry, images: Tensor, seed: int = 0) -> Tensor:
    """The matrices that a pipeline of this one step draws from that seed."""
    return step.draw(len(images), images.shape[2], images.shape[3], generator(seed))[0]


def crops(step: RandomResizedCrop, count: int, height: int, width: int) -> Tensor:
    """(count, 4): top, left, height and width of the part cut out."""
    matrices, new_height, new_width = step.draw(count, height, width, generator())
    return torch.stack(
        [matrices[:, 1, 2], matrices[:, 0, 2], matrices[:, 1, 1] * new_height, matrices[:, 0, 0] * new_width],
        1,
    )


@pytest.mark.parametrize("size", [(24, 24), (20, 33), (80, 100)])
@pytest.mark.parametrize("kind", ["uint8", "float", "channels_last", "one channel"])
def test_crops_are_torchvisions_resized_crop(size: tuple[int, int], kind: str) -> None:
    images = pictures(channels=1 if kind == "one channel" else 3)
    if kind == "float":
        images = images / 255
    if kind == "channels_last":
        images = images.contiguous(memory_format=torch.channels_last)
    step = RandomResizedCrop(size)
    new, _ = Pipeline(step)(images, generator=generator())
    for image, box, ours in zip(
        images, crops(step, len(images), 40, 56).round().int().tolist(), new, strict=True
    ):
        theirs = TF.resized_crop(image, *box, list(size), antialias=True)
        # For bytes both round in the middle, to the same byte; for floats the sums' order may differ
        torch.testing.assert_close(ours, TF.to_dtype(theirs, torch.float32, scale=True), rtol=0, atol=1e-6)


def test_crops_of_masks_lie_under_the_pixels_centres() -> None:
    labels, step = masks(), RandomResizedCrop((30, 44))
    _, new = Pipeline(step)(pictures(), labels, generator=generator())
    assert new is not None
    for mask, box, ours in zip(labels, crops(step, 6, 40, 56).round().int().tolist(), new, strict=True):
        part = TF.crop_image(mask[None].float(), *box)
        theirs = TF.resize_image(part, [30, 44], interpolation=InterpolationMode.NEAREST_EXACT)[0]
        assert (
            ours == theirs
        ).float().mean() > 0.99  # a centre on an edge between two pixels may go either way


def test_crops_of_masks_agree_with_v2_on_smooth_masks() -> None:
    # v2 resizes masks by the older "nearest", up to half a pixel off: they differ at outlines only
    mask = (torch.arange(256)[:, None] + torch.arange(256) > 256).long()
    step = RandomResizedCrop(224)
    _, new = Pipeline(step)(pictures(8, 256, 256), mask.expand(8, -1, -1), generator=generator())
    assert new is not None
    for box, ours in zip(crops(step, 8, 256, 256).round().int().tolist(), new, strict=True):
        theirs = TF.resized_crop(tv_tensors.Mask(mask), *box, [224, 224])
        assert (ours == theirs).float().mean() > 0.98


def sides(values: Tensor) -> tuple[Tensor, Tensor]:
    """Share of the area, and log of width / height."""
    return values[:, 2] * values[:, 3] / (100 * 160), (values[:, 3] / values[:, 2]).log()


def test_crops_are_distributed_as_torchvisions() -> None:
    count = 4000
    torch.manual_seed(0)
    theirs_of = v2.RandomResizedCrop(32)
    image = torch.zeros(3, 100, 160)
    params = [theirs_of.make_params([image]) for _ in range(count)]
    theirs = torch.tensor([[p["top"], p["left"], p["height"], p["width"]] for p in params]).double()
    ours = crops(RandomResizedCrop(32), count, 100, 160)
    # Two-sample Kolmogorov-Smirnov: beyond 2.7 sqrt(2 / n) by chance less than once in a million
    bound = 2.7 * math.sqrt(2 / count)
    for one, other in zip((*sides(ours), *ours.unbind(1)), (*sides(theirs), *theirs.unbind(1)), strict=True):
        both = torch.cat([one, other]).unique()
        share = [torch.searchsorted(each.sort().values, both, right=True) / count for each in (one, other)]
        assert (share[0] - share[1]).abs().max() < bound


def test_crops_reach_every_corner_and_stay_inside() -> None:
    boxes = crops(RandomResizedCrop(8, scale=(0.5, 1.0)), 20_000, 9, 7)
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 0] + boxes[:, 2]).max() == 9
    assert (boxes[:, 1] + boxes[:, 3]).max() == 7
    assert boxes[:, :2].min() == 0


def test_crops_that_never_fit_fall_back_to_the_middle() -> None:
    # 10 x 200 with ratios of at most 4/3: no share of 0.9 fits, and torchvision takes 10 x 13 from the middle
    step = RandomResizedCrop(8, scale=(0.9, 0.9))
    params = v2.RandomResizedCrop(8, scale=(0.9, 0.9)).make_params([torch.zeros(3, 10, 200)])
    theirs = [float(params[name]) for name in ("top", "left", "height", "width")]
    assert torch.allclose(crops(step, 3, 10, 200), torch.tensor(theirs).double())


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_flips_mirror_images_and_masks_with_their_probability(p: float) -> None:
    images, labels = pictures(2000, 2, 3), masks(2000, 2, 3)
    new, moved = Pipeline(HorizontalFlip(p))(images, labels, generator=generator())
    assert moved is not None
    new = (255 * new).round()
    flipped = (new == images.flip(-1)).flatten(1).all(1)
    kept = (new == images).flatten(1).all(1)
    assert (flipped | kept).all()
    assert abs(flipped.float().mean() - p) <= 5 * math.sqrt(p * (1 - p) / 2000) + 0.001  # few are symmetric
    expected = torch.where(flipped[:, None, None], labels.flip(-1), labels)
    assert torch.equal(moved[flipped ^ kept], expected[flipped ^ kept])


def test_padded_crops_are_windows_of_the_padded_picture_all_alike() -> None:
    count, padding = 9000, 1
    images = (1 + torch.arange(20).view(1, 1, 4, 5)).expand(count, 1, 4, 5) / 100
    labels = (1 + torch.arange(20).view(1, 4, 5)).expand(count, 4, 5)
    new, moved = Pipeline(PaddedCrop(padding))(images, labels, generator=generator())
    assert moved is not None
    padded = torch.nn.functional.pad(images[0], [1] * 4)
    found = torch.zeros(3, 3)
    for top in range(3):
        for left in range(3):
            window = padded[:, top : top + 4, left : left + 5]
            same = (new == window).flatten(1).all(1)
            found[top, left] = same.sum()
            label = torch.where(window[0] == 0, 255, (window[0] * 100).round().long())
            assert (moved[same] == label).all()
    assert found.sum() == count
    assert (found - count / 9).abs().max() < 5 * math.sqrt(count / 9)  # five standard deviations


def test_padding_larger_than_the_picture_leaves_nothing_of_some() -> None:
    new, moved = Pipeline(PaddedCrop(30))(pictures(50, 4, 6), masks(50, 4, 6), generator=generator())
    assert moved is not None
    empty = (moved == 255).flatten(1).all(1)
    assert 0 < empty.sum() < 50
    assert (new[empty] == 0).all()


@pytest.mark.parametrize(
    ("step", "named"),
    [
        (RandomAffine(degrees=50), "angle"),
        (RandomAffine(translate=0.3), "translate"),
        (RandomAffine(scale=(0.6, 1.7)), "scale"),
        (RandomAffine(shear=30), "shear"),
    ],
    ids=["degrees", "translate", "scale", "shear"],
)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float64])
def test_affine_is_torchvisions(step: RandomAffine, named: str, dtype: torch.dtype) -> None:
    images, labels = pictures(), masks()
    if dtype == torch.float64:
        images = images.double() / 255
    new, moved = Pipeline(step)(images, labels, generator=generator())
    assert moved is not None
    # From old to new, about the centre
    centre = torch.eye(3).double()
    centre[:2, 2] = torch.tensor([28, 20])
    forward = torch.linalg.inv(centre) @ torch.linalg.inv(drawn(step, images)) @ centre
    for index, matrix in enumerate(forward):
        options: dict[str, Any] = {"angle": 0.0, "translate": [0.0, 0.0], "scale": 1.0, "shear": [0.0, 0.0]}
        if named == "angle":
            options["angle"] = math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))
        elif named == "translate":
            options["translate"] = matrix[:2, 2].tolist()
        elif named == "scale":
            options["scale"] = float(matrix[0, 0])
        else:
            options["shear"] = [math.degrees(math.atan(-matrix[0, 1])), 0.0]
        theirs = TF.affine(images[index].double(), **options, interpolation=InterpolationMode.BILINEAR)
        if dtype == torch.uint8:
            theirs = theirs / 255
        # Coordinates up to 56 in float32 are off by some 1e-5 of a pixel, over which a pixel changes by up to 1
        torch.testing.assert_close(new[index].double(), theirs, rtol=0, atol=1e-3)
        mask = TF.affine(tv_tensors.Mask(labels[index]), **options, fill=255)
        assert (moved[index] == mask).float().mean() > 0.995  # centres between two pixels may go either way


def test_affine_draws_within_its_bounds_and_all_over_them() -> None:
    step = RandomAffine(degrees=20, translate=0.1, scale=(0.5, 2.0))
    matrices = torch.linalg.inv(step.draw(4000, 50, 100, generator())[0])
    angle = torch.rad2deg(torch.atan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    factor = matrices[:, :2, :2].det().sqrt()
    centre = (matrices @ torch.tensor([50.0, 25.0, 1.0]).double())[:, :2] - torch.tensor([50, 25])
    for values, low, high in [
        (angle, -20, 20),
        (factor, 0.5, 2),
        (centre[:, 0], -10, 10),
        (centre[:, 1], -5, 5),
    ]:
        uniform = ((values - low) / (high - low)).sort().values
        assert uniform[0] >= -1e-9
        assert uniform[-1] <= 1 + 1e-9
        # Kolmogorov-Smirnov, less than once in a million
        assert (uniform - torch.arange(4000) / 4000).abs().max() < 2.7 / math.sqrt(4000)


def test_pictures_that_shrink_a_lot_are_antialiased() -> None:
    # One pixel in two is white: sampled at points, it would be black, white or stripes, but not grey
    stripes = (torch.arange(120) % 2).float().expand(1, 1, 120, 120)
    small, _ = Pipeline(RandomAffine(degrees=3, scale=(0.2, 0.2)))(stripes, generator=generator())
    inside = small[0, 0, 52:68, 52:68]
    assert (inside - 0.5).abs().max() < 0.1


def test_chains_are_what_their_steps_do_one_after_another() -> None:
    images, labels = pictures() / 255, masks()
    steps = (PaddedCrop(5), RandomResizedCrop((20, 24)), HorizontalFlip(), PaddedCrop(2))
    together, moved = Pipeline(*steps[2:])(images, labels, generator=generator())
    one_by_one, one_moved, same = images, labels, generator()
    for step in steps[2:]:
        one_by_one, one_moved = Pipeline(step)(one_by_one, one_moved, generator=same)
    assert torch.equal(together, one_by_one)
    assert moved is not None
    assert one_moved is not None
    assert torch.equal(moved, one_moved)
    # With a crop that is resized, a mask shows that the matrices are multiplied in the right order
    _, moved = Pipeline(*steps[:2])(images, labels, generator=generator())
    one_moved, same = labels, generator()
    for step in steps[:2]:
        _, one_moved = Pipeline(step)(images, one_moved, generator=same)
    assert moved is not None
    assert torch.equal(moved, one_moved)


@pytest.mark.parametrize(
    "make",
    [
        lambda: RandomResizedCrop(0),
        lambda: RandomResizedCrop(8, scale=(1.0, 0.5)),
        lambda: RandomResizedCrop(8, ratio=(0.0, 1.0)),
        lambda: HorizontalFlip(1.5),
        lambda: PaddedCrop(-1),
        lambda: RandomAffine(degrees=-1),
        lambda: RandomAffine(shear=90),
        lambda: RandomAffine(scale=(0.0, 1.0)),
    ],
)
def test_senseless_steps_are_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="must"):
        make()
