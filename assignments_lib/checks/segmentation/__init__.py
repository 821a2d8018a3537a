"""The checks of assignment 3: ``from assignments_lib.checks import segmentation as check``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from assignments_lib.checks import desk
from assignments_lib.checks.registry import Assignment, Question
from assignments_lib.checks.segmentation import (
    balance,
    decoder,
    dilation,
    head,
    heat,
    measures,
    network,
    upsampling,
)

ASSIGNMENT = Assignment(
    notebook="3_classification_to_segmentation",
    title="Assignment 3: From classification to segmentation",
    exercises=(
        head.EXERCISE,
        heat.EXERCISE,
        measures.EXERCISE,
        upsampling.EXERCISE,
        network.EXERCISE,
        dilation.EXERCISE,
        decoder.EXERCISE,
        balance.EXERCISE,
    ),
    questions=(
        Question("Q1", "what a skip, a dilation and a decoder buy", 5),
        Question("Q2", "which number to trust", 5),
    ),
)


def convolutionalize(convolutionalize: Callable[..., Any]) -> Any:
    """Check exercise 3.1."""
    return desk.run_check(ASSIGNMENT, head.EXERCISE, convolutionalize=convolutionalize)


def heat_map(heat_map: Callable[..., Any], hottest: Callable[..., Any], peak: Callable[..., Any]) -> Any:
    """Check exercise 3.2."""
    return desk.run_check(ASSIGNMENT, heat.EXERCISE, heat_map=heat_map, hottest=hottest, peak=peak)


def scores(
    to_labels: Callable[..., Any],
    resize_masks: Callable[..., Any],
    iou: Callable[..., Any],
    mean_iou: Callable[..., Any],
    pixel_accuracy: Callable[..., Any],
) -> Any:
    """Check exercise 3.3."""
    return desk.run_check(
        ASSIGNMENT,
        measures.EXERCISE,
        to_labels=to_labels,
        resize_masks=resize_masks,
        iou=iou,
        mean_iou=mean_iou,
        pixel_accuracy=pixel_accuracy,
    )


def transposed_convolution(
    transposed_size: Callable[..., Any],
    overlaps: Callable[..., Any],
    bilinear_upsampling: Callable[..., Any],
) -> Any:
    """Check exercise 3.4."""
    return desk.run_check(
        ASSIGNMENT,
        upsampling.EXERCISE,
        transposed_size=transposed_size,
        overlaps=overlaps,
        bilinear_upsampling=bilinear_upsampling,
    )


def fcn(segmentation_loss: Callable[..., Any], FCN: Callable[..., Any], segment: Callable[..., Any]) -> Any:
    """Check exercise 3.5."""
    return desk.run_check(
        ASSIGNMENT, network.EXERCISE, segmentation_loss=segmentation_loss, FCN=FCN, segment=segment
    )


def dilate(dilate: Callable[..., Any], field_by_gradient: Callable[..., Any]) -> Any:
    """Check exercise 3.6."""
    return desk.run_check(ASSIGNMENT, dilation.EXERCISE, dilate=dilate, field_by_gradient=field_by_gradient)


def decoder_step(center_crop: Callable[..., Any], DecoderStep: Callable[..., Any]) -> Any:
    """Check exercise 3.7."""
    return desk.run_check(ASSIGNMENT, decoder.EXERCISE, center_crop=center_crop, DecoderStep=DecoderStep)


def class_weights(class_weights: Callable[..., Any]) -> Any:
    """Check exercise 3.8."""
    return desk.run_check(ASSIGNMENT, balance.EXERCISE, class_weights=class_weights)


def summary() -> Any:
    """The points so far."""
    return desk.summary(ASSIGNMENT)
