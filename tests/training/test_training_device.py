"""Choosing a device and seeding."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from assignments_lib.training import choose_device, seed_everything
from assignments_lib.training.randomness import undisturbed


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_seed_settles_all_three_generators() -> None:
    seed_everything(3)
    first = draw()
    seed_everything(3)
    assert draw() == first
    seed_everything(4)
    assert all(a != b for a, b in zip(draw(), first, strict=True))


def test_undisturbed_puts_everything_back() -> None:
    own = torch.Generator().manual_seed(1)
    seed_everything(3)
    with undisturbed(own):
        inside = (*draw(), float(torch.rand((), generator=own)))
    assert (*draw(), float(torch.rand((), generator=own))) == inside


def test_the_environment_names_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSIGNMENTS_DEVICE", "cpu")
    assert choose_device() == torch.device("cpu")
    for nonsense in ("toaster", "cuda:99"):
        monkeypatch.setenv("ASSIGNMENTS_DEVICE", nonsense)
        with pytest.raises(ValueError, match="ASSIGNMENTS_DEVICE"):
            choose_device()
    monkeypatch.delenv("ASSIGNMENTS_DEVICE")
    assert choose_device().type in ("cpu", "cuda", "mps")
