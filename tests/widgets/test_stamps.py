"""Stamps: what they add up to is a transposed convolution, and as many meet as the pictures say."""

from __future__ import annotations

import itertools
import re

import pytest
import torch
import torch.nn.functional as F

from assignments_lib.widgets.panel import Drawing, Pictures
from assignments_lib.widgets.stamps import Stamps1D, Stamps2D


def drawn(pictures: Pictures) -> bytes:
    (drawing,) = (picture for picture in pictures.values() if isinstance(picture, Drawing))
    return drawing.picture.png


@pytest.mark.parametrize(("kernel_size", "stride"), list(itertools.product(range(1, 6), range(1, 5))))
def test_the_stamps_add_up_to_a_transposed_convolution(kernel_size: int, stride: int) -> None:
    row = Stamps1D(values=(2, 1, 3, 2, 4), weights=(1, 3, 2, 0.5, 2))
    values, kernel = torch.tensor(row.values).float(), torch.tensor(row.weights[:kernel_size]).float()
    expected = F.conv_transpose1d(values[None, None], kernel[None, None], stride=stride)[0, 0]
    assert torch.allclose(row.placed(kernel_size, stride, 5).sum(0), expected)
    some = torch.tensor([2.0, 1.0, 0.0, 0.0, 0.0])[None, None]
    expected = F.conv_transpose1d(some, kernel[None, None], stride=stride)[0, 0]
    assert torch.allclose(row.placed(kernel_size, stride, 2).sum(0), expected)


def test_a_row_says_its_sums() -> None:
    said = Stamps1D().pictures(kernel_size=3, stride=2, stamps=4)["In numbers"]
    assert isinstance(said, str)
    # by hand: 2·(1 3 2), 1·(1 3 2), 3·(1 3 2), 2·(1 3 2), each two further
    assert "The 9 output units are 2, 6, 5, 3, 5, 9, 8, 6, 4." in said
    assert "At most 2 stamps meet" in said
    assert "0 stamps meet" in str(Stamps1D().pictures(kernel_size=3, stride=2, stamps=0)["In numbers"])


@pytest.mark.parametrize(("kernel_size", "stride"), [(1, 3), (2, 2), (3, 2), (4, 2), (5, 3), (5, 1)])
@pytest.mark.parametrize("stamps", [0, 5, 16])
def test_the_grid_counts_stamps(kernel_size: int, stride: int, stamps: int) -> None:
    grid = Stamps2D()
    expected = torch.zeros((3 * stride + kernel_size,) * 2, dtype=torch.int64)
    for stamp in range(stamps):
        row, column = stamp // 4 * stride, stamp % 4 * stride
        expected[row : row + kernel_size, column : column + kernel_size] += 1
    assert torch.equal(grid.counts(kernel_size, stride, stamps), expected)


@pytest.mark.parametrize("stride", range(1, 5))
@pytest.mark.parametrize("kernel_size", range(1, 6))
def test_inside_it_is_even_where_the_stride_divides_the_kernel(kernel_size: int, stride: int) -> None:
    fewest, most = Stamps2D().inside(kernel_size, stride)
    # in a row, kernel / stride stamps meet in a unit, rounded down or up
    assert (fewest, most) == ((kernel_size // stride) ** 2, (-(-kernel_size // stride)) ** 2)


@pytest.mark.parametrize("demonstration", [Stamps1D(), Stamps2D()])
def test_every_control_changes_the_picture(demonstration: Stamps1D | Stamps2D) -> None:
    controls = demonstration.controls()
    start = {name: control.value for name, control in controls.items()}
    first = demonstration.pictures(**start)
    for name, control in controls.items():
        moved = demonstration.pictures(**{**start, name: control.still})
        assert moved.keys() == first.keys()
        assert drawn(moved) != drawn(first), name


@pytest.mark.parametrize(("kernel_size", "even"), [(4, True), (3, False)])
def test_the_grid_says_whether_it_is_even(kernel_size: int, even: bool) -> None:
    said = str(Stamps2D().pictures(kernel_size=kernel_size, stride=2, stamps=3)["In numbers"])
    assert ("4 stamps reach every pixel" in said) == even
    assert ("not divisible" in said) == (not even)


def test_what_a_picture_shows_is_said() -> None:
    drawing = Stamps2D().pictures(kernel_size=3, stride=2, stamps=16)["where stamps meet"]
    assert isinstance(drawing, Drawing)
    assert re.search(r"16 of 16 stamps of a 3 by 3 kernel .* 9 by 9 pixels", drawing.alt)
    assert "In a pixel meet 1 to 4 of them" in drawing.alt


def test_what_can_not_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        Stamps1D(values=(1, -1))
    with pytest.raises(ValueError, match="1 to 5 values and at least 2 weights, not 6 and 5"):
        Stamps1D(values=(1,) * 6)
    with pytest.raises(ValueError, match="2 to 5 input units a side, not for 6"):
        Stamps2D(units=6)
