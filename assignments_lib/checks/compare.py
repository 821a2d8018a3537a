"""Comparing what was seen of an answer with what is expected, and saying in words how they differ."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from assignments_lib.checks.answer import Opaque, Ref, Value

# Relative tolerances. Two ways to compute the same network differ in rounding only: float64 keeps about 15
# digits, float32 about 7, and a deep network loses a few of them.
_TOLERANCE = {torch.float64: 1e-7, torch.float32: 1e-4}


@dataclass(frozen=True)
class Near:
    """A number known only up to ``within`` (of its size, above 1), such as a statistic of random weights."""

    value: float
    within: float


def agree(mine: Value, expected: Value) -> bool:
    """Whether two values are the same, up to rounding."""
    if isinstance(expected, Tensor):
        return isinstance(mine, Tensor) and _tensors_agree(mine, expected)
    if isinstance(expected, Near):
        if not isinstance(mine, Near) or not math.isfinite(mine.value):
            return False
        return abs(mine.value - expected.value) <= expected.within * max(1.0, abs(expected.value))
    if isinstance(expected, (list, tuple)):
        return (
            type(mine) is type(expected)
            and len(mine) == len(expected)
            and all(agree(a, b) for a, b in zip(mine, expected, strict=True))
        )
    if isinstance(expected, dict):
        return (
            isinstance(mine, dict)
            and mine.keys() == expected.keys()
            and all(agree(mine[key], expected[key]) for key in expected)
        )
    if isinstance(expected, float):
        return (
            isinstance(mine, float) and math.isclose(mine, expected, rel_tol=1e-6, abs_tol=1e-9)
        ) or mine is expected
    return type(mine) is type(expected) and bool(mine == expected)


def _tensors_agree(mine: Tensor, expected: Tensor) -> bool:
    if mine.shape != expected.shape or mine.dtype != expected.dtype:
        return False
    if not expected.is_floating_point():
        return torch.equal(mine, expected)
    tolerance = _TOLERANCE.get(expected.dtype, 1e-2)
    finite = expected.detach().nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
    scale = float(finite.abs().max()) if expected.numel() else 0.0
    return torch.allclose(mine, expected, rtol=tolerance, atol=tolerance * scale, equal_nan=True)


def differ(mine: Value, expected: Value) -> tuple[str, str]:
    """What was given and what was expected, each in a few words."""
    if isinstance(mine, Tensor) and isinstance(expected, Tensor):
        return _tensors_differ(mine, expected)
    if isinstance(mine, list) and isinstance(expected, list):
        if len(mine) != len(expected):
            return f"{len(mine)} of them", f"{len(expected)} of them"
        for a, b in zip(mine, expected, strict=True):
            if not agree(a, b):
                return in_words(a), in_words(b)
    return in_words(mine), in_words(expected)


def _tensors_differ(mine: Tensor, expected: Tensor) -> tuple[str, str]:
    if mine.shape != expected.shape:
        return f"shape {tuple(mine.shape)}", f"shape {tuple(expected.shape)}"
    if mine.dtype != expected.dtype:
        return f"numbers of type {_dtype(mine)}", f"numbers of type {_dtype(expected)}"
    if not bool(torch.isfinite(mine).all()):
        return "values that are NaN or infinite", "finite values"
    gap = float((mine.double() - expected.double()).abs().max())
    return (
        f"the right shape {tuple(mine.shape)}, but values that are off by up to {gap:.3g}",
        f"the reference's values, which are {float(expected.double().abs().mean()):.3g} in size on average",
    )


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def in_words(value: Value) -> str:
    """A value as a message shows it."""
    if isinstance(value, Tensor):
        if value.ndim == 0:
            still = ", still attached to its graph" if value.requires_grad else ""
            return f"a tensor ({value.item():.4g}{still})"
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, Near):
        return f"about {value.value:.3g}"
    if isinstance(value, Ref):
        return f"a {value.kind}"
    if isinstance(value, Opaque):
        return f"a {value.type_name} object"
    if value is None:
        return "None"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        text = f"{value:.6g}"
        return f"{text}.0" if text.lstrip("-").isdigit() else text  # 112.0 is not 112
    if isinstance(value, str):
        return value if len(value) <= 200 else f"{value[:200]} ..."
    if isinstance(value, (list, tuple)):
        if len(value) > 8:
            return f"{len(value)} values"
        return ", ".join(in_words(item) for item in value) or "nothing"
    return str(value)
