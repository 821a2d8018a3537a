"""Seeds, and looking at data without using up random numbers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed Python's, numpy's and torch's global generators (torch's on every device).

    Run twice on one machine, the same code then draws the same weights and the same batches, and on a CPU it
    ends with the same numbers or very nearly. What a seed does not settle: some GPU kernels add up in an
    order that changes from run to run; another machine, thread count, precision or version of torch rounds
    differently, and training magnifies such differences. So compare results in ranges, not to the last digit.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


@contextmanager
def undisturbed(generator: torch.Generator | None = None) -> Iterator[None]:
    """Put the random generators of the CPU back afterwards, and ``generator`` (a loader's own) with them."""
    own = [torch.default_generator, *([generator] if generator is not None else [])]
    states = [(one, one.get_state()) for one in own]
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        for one, state in states:
            one.set_state(state)
