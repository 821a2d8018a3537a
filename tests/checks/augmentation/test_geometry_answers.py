"""Exercise 2.2: right answers in other styles keep all points, wrong ones in other styles are named all the same."""

import math
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.augmentation.geometry import EXERCISE
from assignments_lib.checks.demonstration import demonstrate
from assignments_lib.checks.exercise import Result, evaluate
from assignments_lib.checks.report import Report

Namespace = dict[str, Callable[..., Any]]


def check(namespace: Namespace, seed: int = 0) -> Result:
    return evaluate(EXERCISE, InProcess(namespace), seed)


# -- right answers ------------------------------------------------------------------------------------------


def batched() -> Namespace:
    """No loops: indices and one grid."""

    def random_flip(images: Tensor, p: float = 0.5) -> Tensor:
        columns = torch.arange(images.shape[-1]).expand(len(images), -1)
        columns = torch.where(torch.rand(len(images), 1) < p, columns.flip(1), columns)
        return images.gather(-1, columns[:, None, None].expand_as(images))

    def random_crop(images: Tensor, padding: int) -> Tensor:
        n, _, height, width = images.shape
        top, left = torch.randint(2 * padding + 1, (2, n, 1))
        rows, columns = top + torch.arange(height), left + torch.arange(width)
        padded = F.pad(images, [padding] * 4).movedim(1, -1)
        return padded[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]].movedim(-1, 1)

    def rotate(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
        height, width = images.shape[-2:]
        turn = torch.exp(1j * torch.deg2rad(degrees.to(images.dtype)))
        theta = torch.zeros(len(images), 2, 3, dtype=images.dtype)
        theta[:, 0, 0] = theta[:, 1, 1] = turn.real
        theta[:, 0, 1], theta[:, 1, 0] = -turn.imag * height / width, turn.imag * width / height
        grid = F.affine_grid(theta, images.size(), align_corners=False)  # type: ignore[arg-type]
        return F.grid_sample(images, grid, mode=mode, align_corners=False)

    return {"random_flip": random_flip, "random_crop": random_crop, "rotate": rotate}


def transforms() -> Namespace:
    """torchvision's own transforms, picture by picture; ``fill=0`` said aloud."""

    def random_flip(images: Tensor, p: float = 0.5) -> Tensor:
        mirror = v2.RandomHorizontalFlip(p)
        return torch.stack([mirror(image) for image in images])

    def random_crop(images: Tensor, padding: int) -> Tensor:
        crop = v2.RandomCrop(images.shape[-2:], padding=padding)
        return torch.stack([crop(image) for image in images])

    def rotate(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
        turned = []
        for image, angle in zip(images, degrees, strict=True):
            turned.append(tv.rotate(image, angle.item(), v2.InterpolationMode(mode), fill=[0.0]))
        return torch.stack(turned)

    return {"random_flip": random_flip, "random_crop": random_crop, "rotate": rotate}


def arrays() -> Namespace:
    """numpy and Python's random; a rotation by hand, in a grid of float32 whatever the pictures' type."""

    def random_flip(images: Tensor, p: float = 0.5) -> Tensor:
        pixels = images.numpy().copy()
        for picture in pixels:
            if random.random() < p:
                picture[:] = picture[..., ::-1].copy()
        return torch.from_numpy(pixels)

    def random_crop(images: Tensor, padding: int) -> Tensor:
        pixels = np.zeros_like(images.numpy())
        height, width = pixels.shape[-2:]
        for picture, image in zip(pixels, images.numpy(), strict=True):
            y, x = np.random.randint(-padding, padding + 1, size=2)
            to = np.s_[:, max(y, 0) : height + min(y, 0), max(x, 0) : width + min(x, 0)]
            source = np.s_[:, max(-y, 0) : height + min(-y, 0), max(-x, 0) : width + min(-x, 0)]
            picture[to] = image[source]
        return torch.from_numpy(pixels)

    def rotate(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
        height, width = images.shape[-2:]
        grids = []
        for angle in np.radians(degrees.numpy()):
            y, x = np.mgrid[:height, :width]
            y, x = y - (height - 1) / 2, x - (width - 1) / 2
            there_x, there_y = np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y
            grids.append(np.stack([2 * there_x / width, 2 * there_y / height], -1))
        grid = torch.from_numpy(np.stack(grids)).float()
        return F.grid_sample(images, grid.to(images.dtype), mode, align_corners=False)

    return {"random_flip": random_flip, "random_crop": random_crop, "rotate": rotate}


STYLES = [batched, transforms, arrays]


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_a_right_answer_keeps_all_points(style: Callable[[], Namespace]) -> None:
    for seed in range(20):
        result = check(style(), seed)
        assert result.earned == 18, Report(result)


@pytest.mark.parametrize("style", STYLES)
def test_a_right_answer_is_shown_as_the_target(style: Callable[[], Namespace]) -> None:
    shown = demonstrate(EXERCISE.demonstrations, InProcess(style()))
    assert [picture.verdict for picture in shown] == ["the same"] * 3


@pytest.mark.parametrize("start", range(5))
def test_whatever_is_drawn_a_right_answer_passes(start: int) -> None:
    """A check begins with seed 0; a right answer must not depend on the draws that follow from it."""

    class Elsewhere(InProcess):
        def forget(self) -> None:
            super().forget()
            self.seed(1000 + start)

    assert evaluate(EXERCISE, Elsewhere(batched()), seed=start).earned == 18


# -- wrong answers ------------------------------------------------------------------------------------------


def upside_down(images: Tensor, p: float = 0.5) -> Tensor:
    return torch.stack(
        [image[:, range(image.shape[1])[::-1]] if random.random() < p else image for image in images]
    )


def one_coin(images: Tensor, p: float = 0.5) -> Tensor:
    return images.flip(3) if np.random.uniform() < p else images.clone()


def more_than_p(images: Tensor, p: float = 0.5) -> Tensor:
    return torch.stack([image.flip(2) if random.random() > p else image for image in images])


def half_of_the_batch(images: Tensor, p: float = 0.5) -> Tensor:
    result = images.clone()
    for i in random.sample(range(len(images)), int(p * len(images))):
        result[i] = images[i].flip(2)
    return result


def masked_sum(images: Tensor, p: float = 0.5) -> Tensor:
    flips = torch.bernoulli(torch.full((len(images), 1, 1, 1), p))
    return flips * images.flip(3) + (1 - flips) * images


def flipped_in_place(images: Tensor, p: float = 0.5) -> Tensor:
    chosen = torch.rand(len(images)) < p
    images[chosen] = images[chosen].flip(3)
    return images


def seeded_flip(images: Tensor, p: float = 0.5) -> Tensor:
    rng = np.random.default_rng(0)
    return torch.stack([image.flip(2) if rng.random() < p else image for image in images])


def unseeded_flip(images: Tensor, p: float = 0.5) -> Tensor:
    rng = np.random.default_rng()
    return torch.stack([image.flip(2) if rng.random() < p else image for image in images])


def slices(images: Tensor, padding: int, offsets: Callable[[], tuple[int, int]], **pad: Any) -> Tensor:
    height, width = images.shape[-2:]
    padded = F.pad(images, [padding] * 4, **pad)
    windows = []
    for picture in padded:
        y, x = offsets()
        windows.append(picture[:, y : y + height, x : x + width])
    return torch.stack(windows)


def exclusive(images: Tensor, padding: int) -> Tensor:
    return slices(images, padding, lambda: tuple(np.random.randint(0, 2 * padding or 1, 2)))


def diagonal(images: Tensor, padding: int) -> Tensor:
    return slices(images, padding, lambda: (random.randint(0, 2 * padding),) * 2)


def one_place(images: Tensor, padding: int) -> Tensor:
    place = random.randint(0, 2 * padding), random.randint(0, 2 * padding)
    return slices(images, padding, lambda: place)


def rounded(images: Tensor, padding: int) -> Tensor:
    def place() -> tuple[int, int]:
        return round(random.uniform(0, 2 * padding)), round(random.uniform(0, 2 * padding))

    return slices(images, padding, place)


def rolled(images: Tensor, padding: int) -> Tensor:
    def shift() -> tuple[int, int]:
        return random.randint(-padding, padding), random.randint(-padding, padding)

    return torch.stack([image.roll(shift(), (1, 2)) for image in images])


def on_one_side(images: Tensor, padding: int) -> Tensor:
    height, width = images.shape[-2:]
    canvas = images.new_zeros(*images.shape[:2], height + 2 * padding, width + 2 * padding)
    canvas[:, :, :height, :width] = images
    windows = [
        c.narrow(1, random.randint(0, 2 * padding), height).narrow(2, random.randint(0, 2 * padding), width)
        for c in canvas
    ]
    return torch.stack(windows)


def on_a_float_canvas(images: Tensor, padding: int) -> Tensor:
    return torch.stack([v2.RandomCrop(i.shape[-2:], padding=padding)(i) for i in images.float()])


def turned(
    images: Tensor, degrees: Tensor, mode: str, rows: Callable[[float, float, float], list[list[float]]]
) -> Tensor:
    """``rows`` of theta, from the angle in degrees, height and width."""
    height, width = images.shape[-2:]
    theta = torch.tensor([rows(angle, height, width) for angle in degrees.tolist()], dtype=images.dtype)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode, align_corners=False)


def theta(
    angle: float, height: float, width: float, sign: int = 1, ratio: float | None = None
) -> list[list[float]]:
    c, s = math.cos(math.radians(angle)), sign * math.sin(math.radians(angle))
    ratio = height / width if ratio is None else ratio
    return [[c, -s * ratio, 0.0], [s / ratio, c, 0.0]]


def clockwise(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
    return turned(images, degrees, mode, partial(theta, sign=-1))


def radians(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
    return turned(images, degrees, mode, lambda angle, h, w: theta(math.degrees(angle), h, w))


def square_only(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
    return turned(images, degrees, mode, partial(theta, ratio=1.0))


def first_angle(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
    return tv.rotate(images, degrees[0].item(), v2.InterpolationMode(mode))


def without_mode(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
    return turned(images, degrees, "bilinear", theta)


def corners_aligned(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
    height, width = images.shape[-2:]
    matrices = torch.tensor([theta(angle, height, width) for angle in degrees.tolist()], dtype=images.dtype)
    grid = F.affine_grid(matrices, list(images.shape), align_corners=True)
    return F.grid_sample(images, grid, mode, align_corners=True)


def border(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
    padded = F.pad(images, [30] * 4, "replicate")
    height, width = images.shape[-2:]
    return tv.center_crop(turned(padded, degrees, mode, theta), [height, width])


def float_theta(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
    height, width = images.shape[-2:]
    matrices = torch.tensor([theta(angle, height, width) for angle in degrees.tolist()])
    return F.grid_sample(images, F.affine_grid(matrices, list(images.shape)), mode)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Since version 1.3.0", "ignore:Default grid_sample")
@pytest.mark.parametrize(
    ("name", "function", "mistake"),
    [
        ("random_flip", upside_down, "flipped upside down"),
        ("random_flip", one_coin, "one coin for the batch when flipping"),
        ("random_flip", more_than_p, "p turned round"),
        ("random_flip", half_of_the_batch, "a fixed number of pictures mirrored"),
        ("random_flip", masked_sum, "random_flip changes the type"),
        ("random_flip", flipped_in_place, "random_flip writes into its input"),
        ("random_flip", seeded_flip, "the same draws in every call"),
        ("random_flip", unseeded_flip, "a generator of its own"),
        ("random_crop", exclusive, "the last row and column can't be reached"),
        ("random_crop", diagonal, "windows on the diagonal only"),
        ("random_crop", one_place, "one position for the batch"),
        ("random_crop", rounded, "positions at the ends too rare"),
        ("random_crop", rolled, "rolled instead of cropped"),
        ("random_crop", on_one_side, "padded on one side only"),
        ("random_crop", on_a_float_canvas, "random_crop changes the type"),
        ("random_crop", lambda images, padding: images, "always the middle window"),
        ("rotate", clockwise, "turned the wrong way"),
        ("rotate", radians, "degrees taken for radians"),
        ("rotate", square_only, "aspect ratio lost"),
        ("rotate", first_angle, "only the first angle used"),
        ("rotate", without_mode, "mode ignored, always bilinear"),
        ("rotate", corners_aligned, "align_corners=True"),
        ("rotate", border, "the border repeated outside"),
        ("rotate", float_theta, "theta is always float32"),
    ],
)
def test_a_wrong_answer_is_named(name: str, function: Callable[..., Tensor], mistake: str) -> None:
    for seed in (3, 4):
        result = check({**batched(), name: function}, seed)
        assert result.earned < 18
        assert [found.name for found in result.mistakes] == [mistake], Report(result)


def test_one_wrong_function_costs_only_its_own_points() -> None:
    """Flip 4, crop 6, rotate 8."""
    for name, points in (("random_flip", 4), ("random_crop", 6), ("rotate", 8)):
        assert check({**batched(), name: lambda *arguments: None}).earned == 18 - points


def test_a_remembered_result_doesnt_pass() -> None:
    """Inputs are drawn anew: what was right for one seed isn't for another."""
    kept: dict[tuple[Any, ...], Tensor] = {}

    def remembered(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
        key = tuple(images.shape), mode
        if key not in kept:
            kept[key] = batched()["rotate"](images, degrees, mode)
        return kept[key].clone()

    answer = {**batched(), "rotate": remembered}
    check(answer, seed=1)
    assert check(answer, seed=2).earned <= 18 - 6
