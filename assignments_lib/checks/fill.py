"""Values for a module's tensors, drawn from a generator seeded by each tensor's *shape*.

Two networks that compute the same function get the same values, whatever their tensors are called and in
whatever order they are registered: so the outputs of an answer and of torchvision's module can be compared.
A 1x1 convolution and a linear layer are the same matrix, and a matrix counts the same stored either way round.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import torch
from torch import Tensor

from assignments_lib.checks.answer import Entry, Summary


def role(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that decides a tensor's values: without sides of length 1, a matrix's longer side first.

    So BatchNorm's scale is a vector when it is stored as (1, C, 1, 1) too.
    """
    if len(shape) == 4 and shape[2:] != (1, 1):
        return shape  # a kernel stays one, over a single channel too
    wide = tuple(side for side in shape if side != 1)
    return tuple(sorted(wide, reverse=True)) if len(wide) == 2 else wide


@lru_cache(maxsize=64)
def values(shape: tuple[int, ...], seed: int) -> Tensor:
    """Values in float64 for a tensor of this shape; not to be written into, as they are kept for the next caller.

    Vectors (BatchNorm's scale, shift, mean and variance; biases) lie in [0.5, 1.5], so that they serve in every
    one of these places. Matrices and kernels are normal, scaled to keep a deep network's outputs moderate.
    """
    canonical = role(shape)
    digest = hashlib.sha256(repr((seed, canonical)).encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
    if len(canonical) < 2:
        return torch.rand(canonical, generator=generator, dtype=torch.float64).reshape(shape) + 0.5
    fan = canonical[0] if len(canonical) == 2 else math.prod(canonical[1:])
    drawn = torch.randn(canonical, generator=generator, dtype=torch.float64) / fan**0.5
    if len(canonical) == 2 and canonical[0] == canonical[1]:
        drawn = (
            drawn + drawn.T
        ) / 2**0.5  # its shape doesn't tell which way round it is stored: make both the same
    elif len(canonical) == 2 and tuple(side for side in shape if side != 1) != canonical:
        drawn = drawn.T
    return drawn.reshape(shape).contiguous()


def fill(entries: Sequence[Entry], seed: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """A state for a module with these entries; its integers (BatchNorm's counters) are left as they are."""
    drawn = {entry.shape: values(entry.shape, seed).to(dtype) for entry in entries if entry.is_float}
    return {entry.name: drawn[entry.shape] for entry in entries if entry.is_float}


def norms(tensors: Mapping[str, Summary]) -> list[list[float | str]]:
    """The norms of tensors, sorted by role and size: comparable between networks with different names."""
    found: list[list[float | str]] = [["x".join(map(str, role(t.shape))), t.norm] for t in tensors.values()]
    return sorted(found, key=lambda pair: (str(pair[0]), float(pair[1])))
