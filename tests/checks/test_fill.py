"""Values by shape and role: the same in two networks that compute the same."""

import pytest
import torch

from assignments_lib.checks.answer import Entry
from assignments_lib.checks.fill import fill, norms, role, values
from assignments_lib.checks.host import summary_of


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((), ()),
        ((64,), (64,)),
        ((1, 64, 1, 1), (64,)),
        ((64, 1, 1), (64,)),
        ((10, 512), (512, 10)),
        ((512, 10), (512, 10)),
        ((10, 512, 1, 1), (512, 10)),
        ((64, 64, 1, 1), (64, 64)),
        ((64, 3, 7, 7), (64, 3, 7, 7)),
        ((64, 1, 7, 7), (64, 1, 7, 7)),
    ],
)
def test_role(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert role(shape) == expected


def test_a_matrix_is_the_same_whichever_way_it_is_stored() -> None:
    stored = values((10, 512), 3)
    assert torch.equal(stored.T, values((512, 10), 3))
    assert torch.equal(stored, values((10, 512, 1, 1), 3).flatten(1))
    square = values((16, 16), 3)
    assert torch.equal(square, square.T)


@pytest.mark.parametrize(
    "shape", [(), (7,), (1, 7, 1, 1), (4, 5), (5, 4), (6, 6), (4, 5, 1, 1), (4, 5, 3, 3)]
)
def test_values_have_the_shape_and_change_with_the_seed(shape: tuple[int, ...]) -> None:
    drawn = values(shape, 1)
    assert drawn.shape == shape
    assert drawn.dtype == torch.float64
    assert torch.equal(drawn, values(shape, 1))
    assert not torch.equal(drawn, values(shape, 2))
    if drawn.numel() == max(shape, default=1):  # BatchNorm's: it may be a variance
        assert drawn.min() >= 0.5
        assert drawn.max() <= 1.5


def test_integers_are_left_alone() -> None:
    entries = [
        Entry("w", (2, 3), True, True, True),
        Entry("again", (2, 3), True, True, True),
        Entry("count", (), False, False, False),
    ]
    state = fill(entries, 5)
    assert state.keys() == {"w", "again"}
    assert torch.equal(state["w"], state["again"])


def test_norms_do_not_depend_on_names_or_order() -> None:
    ones = summary_of(torch.ones(3))
    one = {"a": ones, "b": summary_of(torch.full((2, 4), 2.0))}
    other = {"x": summary_of(torch.full((4, 2), 2.0)), "y": summary_of(torch.ones(1, 3, 1, 1))}
    assert norms(one) == norms(other)
    assert norms(one) != norms({"a": ones, "b": summary_of(torch.ones(2, 4))})
