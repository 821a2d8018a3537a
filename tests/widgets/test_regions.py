"""Connected regions, their middles, the lines between them and their names."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

from assignments_lib.plots.style import new_figure
from assignments_lib.widgets.regions import middle, outlined, regions, write


def flooded(there: torch.Tensor) -> set[frozenset[tuple[int, int]]]:
    """The regions by walking from pixel to pixel."""
    left, found = {(r, c) for r, c in there.nonzero().tolist()}, set()
    while left:
        todo, region = [left.pop()], set()
        while todo:
            row, column = todo.pop()
            region.add((row, column))
            near = {(row + y, column + x) for y in (-1, 0, 1) for x in (-1, 0, 1)} & left
            left -= near
            todo += near
        found.add(frozenset(region))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_regions_are_those_of_a_walk(seed: int) -> None:
    there = torch.rand(17, 23, generator=torch.Generator().manual_seed(seed)) < 0.3
    found = regions(there)
    assert {frozenset(map(tuple, region.nonzero().tolist())) for region in found} == flooded(there)
    sizes = [int(region.sum()) for region in found]
    assert sizes == sorted(sizes, reverse=True)


def test_nothing_has_no_regions() -> None:
    assert regions(torch.zeros(4, 5, dtype=torch.bool)) == []


def test_the_middle_lies_deepest() -> None:
    region = torch.zeros(20, 30, dtype=torch.bool)
    region[2:4, 0:30] = True  # a thin bar, in which the mean lies
    region[2:11, 20:29] = True  # a square of 9 at its end
    assert middle(region) == (6, 24)


def test_the_border_of_the_picture_is_an_edge() -> None:
    assert middle(torch.ones(7, 9, dtype=torch.bool))[0] == 3


def test_an_empty_region_is_refused() -> None:
    with pytest.raises(ValueError, match="an empty region has no middle"):
        middle(torch.zeros(3, 3, dtype=torch.bool))


def test_lines_stand_where_areas_meet() -> None:
    areas = torch.tensor([[0, 0, 1], [0, 0, 1]])
    drawn = outlined(np.zeros((2, 3, 3), np.uint8), areas, 4)
    assert drawn.shape == (8, 12, 3)
    assert np.flatnonzero(drawn[..., 0].all(0)).tolist() == [8]
    assert drawn[..., 0].sum() == 8 * 255


@pytest.mark.parametrize("place", [(0, 0), (0, 111), (79, 0), (79, 111), (40, 50)])
def test_names_stay_inside(place: tuple[int, int]) -> None:
    figure = new_figure(5.6, 4.0)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.5, 111.5), ylim=(79.5, -0.5))
    write(axes, "wine bottle", place, (80, 112))
    text = axes.texts[0].get_window_extent(FigureCanvasAgg(figure).get_renderer())
    assert text.x0 >= 0
    assert text.y0 >= 0
    assert text.x1 <= figure.bbox.width
    assert text.y1 <= figure.bbox.height
