"""The checks of assignment 1: ``from assignments_lib.checks import resnet34 as check``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from assignments_lib.checks import desk
from assignments_lib.checks.registry import Assignment, Question
from assignments_lib.checks.resnet34 import (
    block,
    convolution,
    finetuning,
    initialisation,
    loops,
    network,
    pretrained,
    stage,
)

ASSIGNMENT = Assignment(
    notebook="1_resnet34",
    title="Assignment 1: ResNet34",
    exercises=(
        convolution.EXERCISE,
        block.EXERCISE,
        stage.EXERCISE,
        network.EXERCISE,
        initialisation.EXERCISE,
        pretrained.EXERCISE,
        loops.EXERCISE,
        finetuning.EXERCISE,
    ),
    questions=(
        Question("Q1", "why residual networks train", 5),
        Question("Q2", "when fine-tuning pays", 5),
    ),
)


def output_size(conv_output_size: Callable[..., Any], receptive_field: Callable[..., Any]) -> Any:
    """Check exercise 1.1."""
    return desk.run_check(
        ASSIGNMENT, convolution.EXERCISE, conv_output_size=conv_output_size, receptive_field=receptive_field
    )


def basic_block(BasicBlock: Callable[..., Any]) -> Any:
    """Check exercise 1.2."""
    return desk.run_check(ASSIGNMENT, block.EXERCISE, BasicBlock=BasicBlock)


def make_stage(make_stage: Callable[..., Any]) -> Any:
    """Check exercise 1.3."""
    return desk.run_check(ASSIGNMENT, stage.EXERCISE, make_stage=make_stage)


def resnet34(ResNet34: Callable[..., Any]) -> Any:
    """Check exercise 1.4."""
    return desk.run_check(ASSIGNMENT, network.EXERCISE, ResNet34=ResNet34)


def initialize(initialize: Callable[..., Any], ResNet34: Callable[..., Any]) -> Any:
    """Check exercise 1.5."""
    return desk.run_check(ASSIGNMENT, initialisation.EXERCISE, initialize=initialize, ResNet34=ResNet34)


def load_pretrained(load_pretrained: Callable[..., Any], ResNet34: Callable[..., Any]) -> Any:
    """Check exercise 1.6."""
    return desk.run_check(ASSIGNMENT, pretrained.EXERCISE, load_pretrained=load_pretrained, ResNet34=ResNet34)


def training(train_one_epoch: Callable[..., Any], evaluate: Callable[..., Any]) -> Any:
    """Check exercise 1.7."""
    return desk.run_check(ASSIGNMENT, loops.EXERCISE, train_one_epoch=train_one_epoch, evaluate=evaluate)


def fine_tuning(
    replace_head: Callable[..., Any], train_head_only: Callable[..., Any], ResNet34: Callable[..., Any]
) -> Any:
    """Check exercise 1.8."""
    return desk.run_check(
        ASSIGNMENT,
        finetuning.EXERCISE,
        replace_head=replace_head,
        train_head_only=train_head_only,
        ResNet34=ResNet34,
    )


def summary() -> Any:
    """The points so far."""
    return desk.summary(ASSIGNMENT)
