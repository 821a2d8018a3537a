"""The theoretical field, the field by gradients, and the map's fineness."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F

from assignments_lib.widgets.receptive import SIDE, ReceptiveField, Stack

STACKS = [
    Stack(layers, strided, dilation)
    for layers, strided, dilation in itertools.product((1, 3, 6), (0, 1, 2), (1, 3))
]


def paths(stack: Stack, side: int) -> torch.Tensor:
    """In how many ways each pixel reaches the last map's centre unit, counted with kernels of ones: (side, side)."""
    picture = torch.zeros(1, 1, side, side, requires_grad=True)
    x = picture
    for stride, dilation in stack.steps:
        x = F.conv2d(x, torch.ones(1, 1, 3, 3), stride=stride, dilation=dilation)
    (counts,) = torch.autograd.grad(x[0, 0, x.shape[2] // 2, x.shape[3] // 2], picture)
    return counts[0, 0]


@pytest.mark.parametrize("stack", STACKS)
def test_the_formula_is_the_extent_of_all_paths(stack: Stack) -> None:
    rows, columns = paths(stack, stack.field + 40).nonzero().T
    assert int(rows.max() - rows.min()) + 1 == stack.field
    assert int(columns.max() - columns.min()) + 1 == stack.field


def test_known_fields() -> None:
    assert Stack(1, 0, 1).field == 3
    assert Stack(5, 0, 1).field == 11
    assert Stack(1, 2, 1).stride == 2  # there is but one layer
    assert Stack(4, 2, 1).stride == 4


@pytest.mark.parametrize("stack", [Stack(4, 0, 1), Stack(8, 0, 1), Stack(5, 2, 1), Stack(6, 0, 2)])
def test_the_measured_field_follows_the_number_of_paths(stack: Stack) -> None:
    seen, counts = stack.seen(draws=60), paths(stack, stack.field)
    assert seen.shape == (stack.field, stack.field)
    assert float(seen.max()) == 1
    assert bool((seen[counts == 0] == 0).all())
    both = torch.stack([seen.flatten(), counts.flatten()])
    assert float(torch.corrcoef(both)[0, 1]) > 0.8
    # The spread of a sum of independent steps: each of the three taps of a layer is as likely as the others.
    apart, variance = 1, 0.0
    for stride, dilation in stack.steps:
        variance += (dilation * apart) ** 2 * 2 / 3
        apart *= stride
    places = torch.arange(stack.field) - (stack.field - 1) / 2
    across = seen.sum(0) / seen.sum()
    assert float((across * places**2).sum()) == pytest.approx(variance, rel=0.25)


def test_the_effective_field_is_a_smaller_share_of_a_deeper_stack() -> None:
    demo = ReceptiveField()
    shares = [demo.effective(demo.seen(Stack(layers, 0, 1))) / Stack(layers, 0, 1).field for layers in (2, 8)]
    assert shares[1] < shares[0]
    assert shares[1] < 0.75


def test_the_effective_field_holds_nearly_all() -> None:
    demo, seen = ReceptiveField(), torch.zeros(9, 9)
    seen[4, 4], seen[4, 6] = 0.9, 0.1
    assert demo.effective(seen) == 5
    seen[4, 6] = 0.01
    assert demo.effective(seen) == 1


def test_the_widest_field_of_the_controls_is_on_the_picture() -> None:
    widest = Stack(*(int(control.high) for control in ReceptiveField().controls().values()))
    assert widest.field <= SIDE


def test_each_control_moves_picture_and_words() -> None:
    demo = ReceptiveField()
    start = {name: control.value for name, control in demo.controls().items()}
    first = demo.pictures(**start)
    for name, control in demo.controls().items():
        moved = demo.pictures(**{**start, name: control.still})
        assert moved["field and map"].picture.png != first["field and map"].picture.png
        assert moved["In numbers"] != first["In numbers"]
    assert "13 x 13 pixels" in first["In numbers"]


def test_measuring_touches_no_seed_and_gives_the_same_again() -> None:
    before = torch.random.get_rng_state()
    first = Stack(3, 0, 1).seen(draws=2)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(Stack(3, 0, 1).seen(draws=2), first)
