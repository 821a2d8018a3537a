"""Exercise 2.4: right answers in other styles keep all points, wrong ones in other styles are named all the same."""

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.augmentation.pairs import EXERCISE
from assignments_lib.checks.demonstration import demonstrate
from assignments_lib.checks.exercise import Result, evaluate
from assignments_lib.checks.report import Report

Augment = Callable[..., tuple[Tensor, Tensor]]


def check(augment_pair: Callable[..., Any], seed: int = 0) -> Result:
    return evaluate(EXERCISE, InProcess({"augment_pair": augment_pair}), seed)


# -- right answers ------------------------------------------------------------------------------------------


def composed(
    images: Tensor, masks: Tensor, max_degrees: float = 30.0, padding: int = 4
) -> tuple[Tensor, Tensor]:
    """torchvision's transforms of pairs: rotate, crop, flip."""
    fill = {tv_tensors.Image: 0, tv_tensors.Mask: 255}
    transform = v2.Compose(
        [
            v2.RandomRotation(max_degrees, v2.InterpolationMode.BILINEAR, fill=fill),
            v2.RandomCrop(images.shape[-2:], padding=padding, fill=fill),
            v2.RandomHorizontalFlip(),
        ]
    )
    pairs = [
        transform(tv_tensors.Image(image), tv_tensors.Mask(mask))
        for image, mask in zip(images, masks, strict=True)
    ]
    new_images, new_masks = zip(*pairs, strict=True)
    return torch.stack(new_images), torch.stack(new_masks)


def one_warp(
    images: Tensor, masks: Tensor, max_degrees: float = 30.0, padding: int = 4
) -> tuple[Tensor, Tensor]:
    """A single affine map in pixels; nothing is lost on the way."""
    n, _, height, width = images.shape
    sign = 1 - 2 * torch.randint(0, 2, (n, 1, 1))
    radians = torch.deg2rad(torch.empty(n, 1, 1).uniform_(-max_degrees, max_degrees))
    left, top = torch.randint(-padding, padding + 1, (2, n, 1, 1))
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    y, x = y - (height - 1) / 2, x - (width - 1) / 2
    x, y = radians.cos() * x - radians.sin() * y + left, radians.sin() * x + radians.cos() * y + top
    grid = torch.stack([2 * sign * x / width, 2 * y / height], -1)
    new_images = F.grid_sample(images, grid, align_corners=False)
    labels = F.grid_sample(masks[:, None].float() - 255, grid, mode="nearest", align_corners=False)
    return new_images, labels[:, 0].round().long() + 255


def dressed(
    images: Tensor, masks: Tensor, max_degrees: float = 30.0, padding: int = 4
) -> tuple[Tensor, Tensor]:
    """Pad both, then crop, mirror and rotate; a channel of ones tells where the picture is."""
    height, width = masks.shape[1:]
    results = []
    for image, mask in zip(images, masks, strict=True):
        there = torch.ones(1, height, width)
        angle = np.random.uniform(-max_degrees, max_degrees)
        y, x = random.randrange(2 * padding + 1), random.randrange(2 * padding + 1)
        mirrored = random.random() < 0.5

        def move(picture: Tensor, mode: str) -> Tensor:
            picture = F.pad(picture, [padding] * 4)[:, y : y + height, x : x + width]  # noqa: B023
            picture = picture.flip(-1) if mirrored else picture  # noqa: B023
            return tv.rotate(picture, angle, v2.InterpolationMode(mode))  # noqa: B023

        labels = move(mask[None].double(), "nearest")[0].long()
        labels[move(there, "nearest")[0] == 0] = 255
        results.append((move(image, "bilinear"), labels))
    return torch.stack([image for image, _ in results]), torch.stack([mask for _, mask in results])


STYLES = [composed, one_warp, dressed]


@pytest.mark.parametrize("style", STYLES)
def test_a_right_answer_keeps_all_points(style: Augment) -> None:
    result = check(style)
    assert result.earned == 14, Report(result)


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_a_right_answer_keeps_all_points_whatever_the_seed(style: Augment) -> None:
    for seed in range(1, 21):
        result = check(style, seed)
        assert result.earned == 14, Report(result)


@pytest.mark.parametrize("start", range(8))
def test_whatever_is_drawn_a_right_answer_passes(start: int) -> None:
    """A check begins with seed 0; a right answer must not depend on the draws that follow from it."""

    class Elsewhere(InProcess):
        def forget(self) -> None:
            super().forget()
            self.seed(1000 + start)

    assert evaluate(EXERCISE, Elsewhere({"augment_pair": one_warp}), seed=start).earned == 14


@pytest.mark.parametrize("style", STYLES)
def test_a_right_answer_is_shown_as_the_target(style: Augment) -> None:
    """Up to the rim, which torchvision fades twice when it is told to fill with 0."""
    image, mask = demonstrate(EXERCISE.demonstrations, InProcess({"augment_pair": style}))
    assert mask.verdict == "the same"
    assert image.verdict == "the same" or style is composed


# -- wrong answers: `dressed` with a few lines of its own ---------------------------------------------------


class Wrong:
    """Crop, mirror, rotate by hand; a subclass changes one step."""

    fill = 255
    mask_mode = "nearest"
    image_mode = "bilinear"

    def draw(self, max_degrees: float, padding: int) -> tuple[bool, int, int, float]:
        angle = random.uniform(-max_degrees, max_degrees)
        return random.random() < 0.5, random.randint(0, 2 * padding), random.randint(0, 2 * padding), angle

    def draws(self, n: int, max_degrees: float, padding: int) -> list[tuple[bool, int, int, float]]:
        return [self.draw(max_degrees, padding) for _ in range(n)]

    def cut(self, picture: Tensor, y: int, x: int, padding: int, fill: float) -> Tensor:
        height, width = picture.shape[-2:]
        return F.pad(picture, [padding] * 4, value=fill)[..., y : y + height, x : x + width]

    def turn(self, picture: Tensor, angle: float, mode: str, fill: float) -> Tensor:
        height, width = picture.shape[-2:]
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        theta = torch.tensor([[[c, -s * height / width, 0.0], [s * width / height, c, 0.0]]])
        grid = F.affine_grid(theta, [1, 1, height, width], align_corners=False)
        return F.grid_sample(picture[None] - fill, grid, mode, align_corners=False)[0] + fill

    def move_image(self, image: Tensor, mirrored: bool, y: int, x: int, angle: float, padding: int) -> Tensor:
        image = self.cut(image.flip(-1) if mirrored else image, y, x, padding, 0)
        return self.turn(image, angle, self.image_mode, 0)

    def move_mask(self, mask: Tensor, mirrored: bool, y: int, x: int, angle: float, padding: int) -> Tensor:
        labels = mask[None].float()
        labels = self.cut(labels.flip(-1) if mirrored else labels, y, x, padding, self.fill)
        return self.turn(labels, angle, self.mask_mode, self.fill)[0].round().long()

    def __call__(
        self, images: Tensor, masks: Tensor, max_degrees: float = 30.0, padding: int = 4
    ) -> tuple[Tensor, Tensor]:
        new_images, new_masks = [], []
        for image, mask, drawn in zip(
            images, masks, self.draws(len(images), max_degrees, padding), strict=True
        ):
            new_images.append(self.move_image(image, *drawn, padding))
            new_masks.append(self.move_mask(mask, *drawn, padding))
        return torch.stack(new_images), torch.stack(new_masks)


class MaskNotMirrored(Wrong):
    def move_mask(self, mask: Tensor, mirrored: bool, *rest: Any) -> Tensor:
        return super().move_mask(mask, False, *rest)


class MaskNotRotated(Wrong):
    def move_mask(self, mask: Tensor, mirrored: bool, y: int, x: int, angle: float, padding: int) -> Tensor:
        return super().move_mask(mask, mirrored, y, x, 0.0, padding)


class MaskNotCropped(Wrong):
    def move_mask(self, mask: Tensor, mirrored: bool, y: int, x: int, angle: float, padding: int) -> Tensor:
        return super().move_mask(mask, mirrored, padding, padding, angle, padding)


class MaskTheOtherWay(Wrong):
    def move_mask(self, mask: Tensor, mirrored: bool, y: int, x: int, angle: float, padding: int) -> Tensor:
        return super().move_mask(mask, mirrored, y, x, -angle, padding)


class MaskDrawnSeparately(Wrong):
    def move_mask(self, mask: Tensor, *rest: Any) -> Tensor:
        return super().move_mask(mask, *self.draw(30.0, rest[-1]), rest[-1])


class CropDrawnTwice(Wrong):
    def cut(self, picture: Tensor, y: int, x: int, padding: int, fill: float) -> Tensor:
        y, x = np.random.randint(0, 2 * padding + 1, 2)
        return super().cut(picture, y, x, padding, fill)


class BilinearMask(Wrong):
    mask_mode = "bilinear"


class CornersClass0(Wrong):
    fill = 0


class PaddingClass0(Wrong):
    def cut(self, picture: Tensor, y: int, x: int, padding: int, fill: float) -> Tensor:
        return super().cut(picture, y, x, padding, 0)


class ZeroIsNothing(Wrong):
    fill = 0

    def move_mask(self, mask: Tensor, *rest: Any) -> Tensor:
        labels = super().move_mask(mask, *rest)
        return torch.where(labels == 0, 255, labels)


class FloatMask(Wrong):
    def move_mask(self, mask: Tensor, *rest: Any) -> Tensor:
        return super().move_mask(mask, *rest).double()


class ByteMask(Wrong):
    def move_mask(self, mask: Tensor, *rest: Any) -> Tensor:
        return super().move_mask(mask, *rest).int()


class MaskWithChannel(Wrong):
    def move_mask(self, mask: Tensor, *rest: Any) -> Tensor:
        return super().move_mask(mask, *rest).unsqueeze(0)


class NearestImage(Wrong):
    image_mode = "nearest"


class OneDraw(Wrong):
    def draws(self, n: int, max_degrees: float, padding: int) -> list[tuple[bool, int, int, float]]:
        return n * super().draws(1, max_degrees, padding)


class PositiveAngles(Wrong):
    def draw(self, max_degrees: float, padding: int) -> tuple[bool, int, int, float]:
        return *super().draw(max_degrees, padding)[:3], random.uniform(0, max_degrees)


class HalfTheAngles(Wrong):
    def draw(self, max_degrees: float, padding: int) -> tuple[bool, int, int, float]:
        return *super().draw(max_degrees, padding)[:3], (random.random() - 0.5) * max_degrees


class LimitsIgnored(Wrong):
    def draw(self, max_degrees: float, padding: int) -> tuple[bool, int, int, float]:
        return super().draw(30.0, padding)


class Seeded(Wrong):
    def draws(self, n: int, max_degrees: float, padding: int) -> list[tuple[bool, int, int, float]]:
        random.seed(1)
        return super().draws(n, max_degrees, padding)


class RotatedFirst(Wrong):
    """The steps in another order, and one of them wrong all the same."""

    def move_image(self, image: Tensor, mirrored: bool, y: int, x: int, angle: float, padding: int) -> Tensor:
        image = self.cut(self.turn(image, angle, "bilinear", 0), y, x, padding, 0)
        return image.flip(-1) if mirrored else image

    def move_mask(self, mask: Tensor, mirrored: bool, y: int, x: int, angle: float, padding: int) -> Tensor:
        labels = self.cut(self.turn(mask[None].float(), angle, "nearest", 255), y, x, padding, 255)
        return (labels.flip(-1) if mirrored else labels)[0].long()


class RotatedFirstNotMirrored(MaskNotMirrored, RotatedFirst):
    pass


class RotatedFirstOtherWay(RotatedFirst):
    def move_mask(self, mask: Tensor, mirrored: bool, y: int, x: int, angle: float, padding: int) -> Tensor:
        return super().move_mask(mask, mirrored, y, x, -angle, padding)


class RotatedFirstNotCropped(RotatedFirst):
    def move_mask(self, mask: Tensor, mirrored: bool, y: int, x: int, angle: float, padding: int) -> Tensor:
        return super().move_mask(mask, mirrored, padding, padding, angle, padding)


def written_back(
    images: Tensor, masks: Tensor, max_degrees: float = 30.0, padding: int = 4
) -> tuple[Tensor, Tensor]:
    moved, labels = Wrong()(images, masks, max_degrees, padding)
    for i in range(len(images)):
        masks[i] = labels[i]
    return moved, masks


def test_what_the_wrong_answers_start_from_is_right() -> None:
    assert check(Wrong()).earned == check(RotatedFirst()).earned == 14


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (MaskNotMirrored(), "mask not mirrored"),
        (RotatedFirstNotMirrored(), "mask not mirrored"),
        (MaskNotRotated(), "mask not rotated"),
        (MaskNotCropped(), "mask not cropped"),
        (RotatedFirstNotCropped(), "mask not cropped"),
        (MaskTheOtherWay(), "mask rotated the other way"),
        (RotatedFirstOtherWay(), "mask rotated the other way"),
        (MaskDrawnSeparately(), "mask drawn separately"),
        (CropDrawnTwice(), "mask cropped at a position of its own"),
        (BilinearMask(), "255 blended into labels"),
        (CornersClass0(), "corners filled with class 0"),
        (PaddingClass0(), "padding of the mask is class 0"),
        (ZeroIsNothing(), "class 0 becomes 255"),
        (FloatMask(), "mask as float"),
        (ByteMask(), "mask in a smaller type"),
        (MaskWithChannel(), "mask with a channel"),
        (NearestImage(), "nearest for the image too"),
        (OneDraw(), "one draw for the batch"),
        (PositiveAngles(), "never a negative angle"),
        (HalfTheAngles(), "half of the angles"),
        (LimitsIgnored(), "max_degrees ignored"),
        (Seeded(), "the same draws in every call"),
        (written_back, "written into the input"),
    ],
)
def test_a_wrong_answer_is_named(answer: Augment, mistake: str) -> None:
    result = check(answer, seed=3)
    assert result.earned < 14
    assert mistake in [found.name for found in result.mistakes], Report(result)


def test_pairs_that_come_back_as_they_were_earn_little() -> None:
    """Image and mask agree and keep their labels, but nothing happens to them."""
    result = check(lambda images, masks, *limits: (images.clone(), masks.clone()))
    assert result.earned <= 2
    assert [found.name for found in result.mistakes] == ["nothing is moved"]


@pytest.mark.slow
def test_what_is_no_pair_earns_nothing() -> None:
    for nonsense in (None, [torch.ones(2, 2)] * 2):
        assert check(lambda images, masks, *limits, given=nonsense: given).earned == 0
