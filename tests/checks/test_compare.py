"""When two things are the same, and in which words they differ."""

import math
from typing import Any

import pytest
import torch

from assignments_lib.checks.answer import Opaque, Ref
from assignments_lib.checks.compare import Near, agree, differ, in_words

T = torch.tensor


@pytest.mark.parametrize(
    ("mine", "expected"),
    [
        (3, 3),
        (0.1 + 0.2, 0.3),
        ("a", "a"),
        (None, None),
        ([1, (2.0,)], [1, (2.0,)]),
        ({"a": 1}, {"a": 1}),
        (T([1.0, 2.0]), T([1.0, 2.0 + 1e-6])),
        (T([math.nan, 1.0]), T([math.nan, 1.0])),
        (T([math.inf, 1.0]), T([math.inf, 1.0])),
        (torch.empty(0, 3), torch.empty(0, 3)),
        (T([1, 2]), T([1, 2])),
        (Near(1.02, 0.05), Near(1.0, 0.05)),
        (Near(4.6, 0.05), Near(4.5, 0.05)),
    ],
    ids=str,
)
def test_the_same(mine: Any, expected: Any) -> None:
    assert agree(mine, expected)


@pytest.mark.parametrize(
    ("mine", "expected"),
    [
        (112.0, 112),
        (112, 112.0),
        (True, 1),
        (None, 0.0),
        (math.nan, 1.0),
        (1.0, math.nan),
        ([1], (1,)),
        ([1], [1, 1]),
        ({"a": 1}, {"b": 1}),
        (T([1.0]), T([[1.0]])),
        (T([1.0]), T([1.0], dtype=torch.float64)),
        (T([1.0, 2.0]), T([1.0, 2.1])),
        (T([5.0, 1.0]), T([math.inf, 1.0])),
        (T([5.0, 1.0]), T([math.nan, 1.0])),
        (T([math.nan]), T([1.0])),
        (T([1, 2]), T([1, 3])),
        (1.0, T(1.0)),
        (Near(1.1, 0.05), Near(1.0, 0.05)),
        (Near(math.nan, 0.05), Near(1.0, 0.05)),
        (1.0, Near(1.0, 0.05)),
    ],
    ids=str,
)
def test_not_the_same(mine: Any, expected: Any) -> None:
    assert not agree(mine, expected)


@pytest.mark.parametrize(
    ("mine", "expected", "given", "wanted"),
    [
        (112.0, 112, "112.0", "112"),
        (True, False, "yes", "no"),
        (T([1.0]), T([[1.0]]), "shape (1,)", "shape (1, 1)"),
        (T([1.0]), T([1.0]).double(), "type float32", "type float64"),
        (T([math.nan]), T([1.0]), "NaN", "finite"),
        (T([1.0, 3.0]), T([1.0, 2.0]), "off by up to 1", "1.5 in size"),
        ([1, 2], [1, 3], "2", "3"),
        ([1], [1, 3], "1 of them", "2 of them"),
        (None, 0.5, "None", "0.5"),
        (T(0.5, requires_grad=True), 0.5, "still attached to its graph", "0.5"),
        (Opaque("SimpleNamespace"), 1, "a SimpleNamespace object", "1"),
        (Ref(1, "module"), 21_797_672, "a module", "21,797,672"),
    ],
)
def test_how_they_differ(mine: Any, expected: Any, given: str, wanted: str) -> None:
    words = differ(mine, expected)
    assert given in words[0]
    assert wanted in words[1]


def test_a_long_text_is_cut_short() -> None:
    assert len(in_words("x" * 10_000)) < 500
    assert in_words([0] * 100) == "100 values"
