"""What the notebook says about random numbers in workers is so: it is why checks ask for repeatable draws."""

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

GENERATOR = np.random.default_rng(0)

DRAWS: dict[str, Callable[[], float]] = {
    "torch": lambda: float(torch.rand(())),
    "random": random.random,
    "numpy.random": lambda: float(np.random.rand()),
    "a generator of its own": lambda: float(GENERATOR.random()),
}


class Draws(Dataset[float]):
    """Item i of a batch is drawn by worker i."""

    def __init__(self, name: str):
        self.name = name

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> float:
        return DRAWS[self.name]()


def drawn(name: str, seed: int) -> list[float]:
    torch.manual_seed(seed)
    loader = DataLoader(Draws(name), batch_size=1, num_workers=4, multiprocessing_context="fork")
    return [float(batch) for batch in loader]


@pytest.mark.parametrize("name", ["torch", "random", "numpy.random"])
def test_global_functions_draw_anew_in_every_worker_and_repeat_after_the_same_seed(name: str) -> None:
    first = drawn(name, seed=1)
    assert len(set(first)) == 4
    assert drawn(name, seed=1) == first
    assert drawn(name, seed=2) != first


def test_a_generator_of_its_own_is_copied_into_every_worker() -> None:
    assert len(set(drawn("a generator of its own", seed=1))) == 1
