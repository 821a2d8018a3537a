"""The look at a figure's texts sees what people can't read, and nothing else."""

from __future__ import annotations

import pytest
from contrast import contrast, every_figure_is_legible, hard_to_read
from matplotlib import patheffects

from assignments_lib import plots
from assignments_lib.plots.style import INK, new_figure, style


def test_contrast_is_wcags() -> None:
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert contrast((1, 1, 1), (1, 1, 1)) == pytest.approx(1)
    grey = 0x76 / 255
    assert contrast((grey,) * 3, (1, 1, 1)) == pytest.approx(4.54, abs=0.01)  # the lightest grey that passes


@pytest.mark.parametrize(
    ("colour", "background", "options", "found"),
    [
        (INK, "white", {}, False),
        ("#999999", "white", {}, True),
        ("#999999", "white", {"fontsize": 19}, True),
        ("#888888", "white", {"fontsize": 19}, False),
        ("#888888", "white", {"fontsize": 15, "fontweight": "bold"}, False),
        (INK, "#404040", {}, True),
        (INK, "#404040", {"bbox": {"facecolor": "white"}}, False),
        (
            "white",
            "#dddddd",
            {"path_effects": [patheffects.withStroke(linewidth=3, foreground="black")]},
            False,
        ),
        (INK, "white", {"alpha": 0.3}, True),
    ],
)
def test_texts_are_compared_with_what_is_behind_them(
    colour: str, background: str, options: dict[str, object], found: bool
) -> None:
    with style():
        figure = new_figure(3, 2)
        axes = figure.subplots()
        axes.set_facecolor(background)
        axes.text(0.3, 0.5, "words", color=colour, **options)
        assert bool(hard_to_read(figure)) is found


def test_a_line_through_a_text_is_no_background() -> None:
    with style():
        figure = new_figure(3, 2)
        axes = figure.subplots()
        axes.axhline(0.5, color="black", linewidth=1)
        axes.text(0.3, 0.5, "words", va="center", color=INK, fontsize=14)
        assert hard_to_read(figure) == []


def test_a_figure_that_is_shown_is_looked_at() -> None:
    figure = new_figure(3, 2)
    figure.subplots().set_title("pale", color="#cccccc")
    with pytest.raises(AssertionError, match="pale"), every_figure_is_legible():
        plots.picture.render(figure, "A title over nothing at all.")
