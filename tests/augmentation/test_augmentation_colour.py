"""Steps that change colours: torchvision's values where nothing clips, and what must hold of a turned hue."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as TF

from assignments_lib.augmentation import ColorJitter, Normalize, Pipeline


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 6, channels: int = 3) -> Tensor:
    """Pixels around grey, which no jitter below takes out of [0, 1]: so it doesn't matter when they are clipped."""
    return 0.4 + 0.1 * torch.rand(count, channels, 12, 17, dtype=torch.float64, generator=generator(1))


def factors(jitter: ColorJitter, count: int = 6, channels: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    """Brightness, contrast and saturation, from the matrices: rows of grey sum to 1, so they see no saturation."""
    deviating, averaging = jitter.draw(count, channels, generator())
    brightness = averaging.sum(2)[:, 0]
    contrast = deviating.sum(2)[:, 0] / brightness
    saturation = (deviating.det() / (brightness * contrast) ** channels).abs() ** (1 / max(1, channels - 1))
    return brightness, contrast, saturation


@pytest.mark.parametrize(
    "jitter",
    [
        ColorJitter(brightness=0.4),
        ColorJitter(contrast=0.4),
        ColorJitter(saturation=0.4),
        ColorJitter(0.4, 0.4, 0.4),
    ],
    ids=["brightness", "contrast", "saturation", "all"],
)
def test_jitter_is_torchvisions(jitter: ColorJitter) -> None:
    images = pictures()
    new, _ = Pipeline(jitter)(images, generator=generator())
    for image, ours, brightness, contrast, saturation in zip(images, new, *factors(jitter), strict=True):
        theirs = TF.adjust_brightness(image, float(brightness))
        theirs = TF.adjust_saturation(theirs, float(saturation))
        theirs = TF.adjust_contrast(theirs, float(contrast))
        # torchvision's grey has weights of 0.2989 for 0.299, 0.587 and 0.114
        torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-4)
    assert (new - images).abs().max() > 0.01


def test_jitter_of_bytes_is_that_of_floats() -> None:
    images = torch.randint(256, (4, 3, 9, 7), dtype=torch.uint8, generator=generator(3))
    jitter = Pipeline(ColorJitter(0.4, 0.4, 0.4, 0.1), Normalize())
    ours, _ = jitter(images, generator=generator())
    theirs, _ = jitter(images.double() / 255, generator=generator())
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours.double(), theirs, rtol=0, atol=1e-5)


def test_jitter_of_one_channel_changes_brightness_and_contrast_only() -> None:
    images = pictures(channels=1)
    assert torch.allclose(Pipeline(ColorJitter(0, 0, 0.9, 0.5))(images)[0], images)
    jitter = ColorJitter(0.3, 0.3)
    new, _ = Pipeline(jitter)(images, generator=generator())
    brightness, contrast, _ = factors(jitter, channels=1)
    for image, ours, b, c in zip(images, new, brightness, contrast, strict=True):
        mean = image.mean()
        assert torch.allclose(ours, (c * (image - mean) + mean) * b)


def test_what_leaves_the_range_is_clipped() -> None:
    new, _ = Pipeline(ColorJitter(0.9, 0.9, 0.9, 0.5))(torch.rand(50, 3, 8, 8, generator=generator()))
    assert new.min() == 0
    assert new.max() == 1


def test_factors_are_uniform_and_drawn_apart() -> None:
    count = 4000
    values = factors(ColorJitter(0.4, 0.2, 1.5), count)
    for value, low, high in zip(values, (0.6, 0.8, 0.0), (1.4, 1.2, 2.5), strict=True):
        uniform = ((value - low) / (high - low)).sort().values
        # Kolmogorov-Smirnov, less than once in a million
        assert (uniform - torch.arange(count) / count).abs().max() < 2.7 / math.sqrt(count)
    correlated = torch.corrcoef(torch.stack(values)) - torch.eye(3)
    assert correlated.abs().max() < 5 / math.sqrt(count)


def test_turned_hue_keeps_grey_and_brightness() -> None:
    images = pictures()
    jitter = Pipeline(ColorJitter(hue=0.5))
    new, _ = jitter(images, generator=generator())
    weights = torch.tensor([0.299, 0.587, 0.114]).double().view(3, 1, 1)
    assert (new - images).abs().max() > 0.02
    assert torch.allclose((new * weights).sum(1), (images * weights).sum(1), atol=1e-9)
    grey = images[:, :1].expand(-1, 3, -1, -1)
    assert torch.allclose(jitter(grey)[0], grey, atol=1e-9)


def test_hue_turns_the_way_torchvisions_does_and_about_as_far() -> None:
    # HSV and YIQ are different circles: nearby for small turns, and the same way round for all
    red, green, blue = torch.eye(3).double() * 0.2 + 0.4
    images = torch.stack([red, green, blue])[:, :, None, None].expand(-1, -1, 4, 4)
    for seed in range(10):
        jitter = ColorJitter(hue=0.1)
        deviating, _ = jitter.draw(3, 3, generator(seed))
        new, _ = Pipeline(jitter)(images, generator=generator(seed))
        for image, ours, matrix in zip(images, new, deviating, strict=True):
            turned = matrix @ torch.tensor([1.0, 0.0, 0.0]).double()
            angle = math.acos(
                max(-1, min(1, (float(matrix.trace()) - 1) / 2))
            )  # of a rotation, from its trace
            share = math.copysign(
                angle / (2 * math.pi), float(turned[1] - turned[2])
            )  # red towards yellow: positive
            assert abs(share) <= 0.1
            moves = [each - each.mean() for each in (ours - image, TF.adjust_hue(image, share) - image)]
            cosine = (moves[0] * moves[1]).sum() / (moves[0].norm() * moves[1].norm())
            assert cosine > 0.5  # the other way round it would be negative


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32, torch.float64])
def test_normalisation_is_torchvisions(kind: torch.dtype) -> None:
    images = torch.randint(256, (3, 3, 5, 8), dtype=torch.uint8, generator=generator())
    images = images if kind == torch.uint8 else images.to(kind) / 255
    mean, std = [0.2, 0.5, 0.7], [0.1, 0.3, 0.5]
    new, _ = Pipeline(Normalize(mean, std))(images)
    theirs = TF.normalize(images.double() / (255 if kind == torch.uint8 else 1), mean, std)
    assert new.dtype == (torch.float32 if kind == torch.uint8 else kind)
    torch.testing.assert_close(new.double(), theirs, rtol=0, atol=1e-5)


def test_normalisation_comes_last_wherever_it_stands() -> None:
    images = pictures()
    first, last = (
        Pipeline(*steps)(images, generator=generator())[0]
        for steps in ([Normalize(), ColorJitter(0.4)], [ColorJitter(0.4), Normalize()])
    )
    assert torch.equal(first, last)


def test_two_jitters_are_one_after_the_other() -> None:
    images, same = pictures(), generator()
    jitters = ColorJitter(0.1, 0.2), ColorJitter(0.1, 0.1, 0.3, 0.1)
    together, _ = Pipeline(*jitters)(images, generator=generator())
    one_by_one = images
    for jitter in jitters:
        one_by_one, _ = Pipeline(jitter)(one_by_one, generator=same)
    torch.testing.assert_close(together, one_by_one)


def test_senseless_colours_are_refused() -> None:
    with pytest.raises(ValueError, match="hue"):
        ColorJitter(hue=0.6)
    with pytest.raises(ValueError, match="brightness"):
        ColorJitter(brightness=-0.1)
    with pytest.raises(ValueError, match="std"):
        Normalize([0.5], [0.0])
    with pytest.raises(ValueError, match="3 channels, the pictures have 1"):
        Pipeline(Normalize())(pictures(channels=1))
    with pytest.raises(ValueError, match="1 or 3 channels, not 4"):
        Pipeline(ColorJitter(0.1))(pictures(channels=4))
