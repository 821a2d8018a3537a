"""The checks of assignment 2: ``from assignments_lib.checks import augmentation as check``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from assignments_lib.checks import desk
from assignments_lib.checks.augmentation import (
    erasing,
    geometry,
    mixing,
    normalisation,
    pairs,
    photometry,
    policy,
    spread,
    test_time,
)
from assignments_lib.checks.registry import Assignment, Question

ASSIGNMENT = Assignment(
    notebook="2_data_augmentation",
    title="Assignment 2: Data augmentation",
    exercises=(
        normalisation.EXERCISE,
        geometry.EXERCISE,
        photometry.EXERCISE,
        pairs.EXERCISE,
        erasing.EXERCISE,
        mixing.EXERCISE,
        policy.EXERCISE,
        test_time.EXERCISE,
        spread.EXERCISE,
    ),
    questions=(
        Question("Q1", "which augmentation helps where", 5),
        Question("Q2", "which augmentations destroy the label", 5),
    ),
)


def normalize(normalize: Callable[..., Any], denormalize: Callable[..., Any]) -> Any:
    """Check exercise 2.1."""
    return desk.run_check(ASSIGNMENT, normalisation.EXERCISE, normalize=normalize, denormalize=denormalize)


def flip_crop_rotate(
    random_flip: Callable[..., Any], random_crop: Callable[..., Any], rotate: Callable[..., Any]
) -> Any:
    """Check exercise 2.2."""
    return desk.run_check(
        ASSIGNMENT, geometry.EXERCISE, random_flip=random_flip, random_crop=random_crop, rotate=rotate
    )


def brightness_contrast_blur(
    adjust_brightness: Callable[..., Any],
    adjust_contrast: Callable[..., Any],
    gaussian_blur: Callable[..., Any],
) -> Any:
    """Check exercise 2.3."""
    return desk.run_check(
        ASSIGNMENT,
        photometry.EXERCISE,
        adjust_brightness=adjust_brightness,
        adjust_contrast=adjust_contrast,
        gaussian_blur=gaussian_blur,
    )


def augment_pair(augment_pair: Callable[..., Any]) -> Any:
    """Check exercise 2.4."""
    return desk.run_check(ASSIGNMENT, pairs.EXERCISE, augment_pair=augment_pair)


def random_erase(random_erase: Callable[..., Any]) -> Any:
    """Check exercise 2.5."""
    return desk.run_check(ASSIGNMENT, erasing.EXERCISE, random_erase=random_erase)


def mixup_cutmix(mixup: Callable[..., Any], cutmix: Callable[..., Any]) -> Any:
    """Check exercise 2.6."""
    return desk.run_check(ASSIGNMENT, mixing.EXERCISE, mixup=mixup, cutmix=cutmix)


def rand_augment(RandAugment: Callable[..., Any]) -> Any:
    """Check exercise 2.7."""
    return desk.run_check(ASSIGNMENT, policy.EXERCISE, RandAugment=RandAugment)


def predict_with_views(predict_with_views: Callable[..., Any]) -> Any:
    """Check exercise 2.8."""
    return desk.run_check(ASSIGNMENT, test_time.EXERCISE, predict_with_views=predict_with_views)


def mean_and_spread(mean_and_spread: Callable[..., Any]) -> Any:
    """Check exercise 2.9."""
    return desk.run_check(ASSIGNMENT, spread.EXERCISE, mean_and_spread=mean_and_spread)


def summary() -> Any:
    """The points so far."""
    return desk.summary(ASSIGNMENT)
