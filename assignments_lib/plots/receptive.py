"""How much of the image a unit sees, drawn on the image's own pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.patches import Rectangle

from assignments_lib.look import PAPER, TEXT
from assignments_lib.plots.picture import show
from assignments_lib.plots.style import FAINT, INK, line_styles, new_figure, style


def receptive_field(
    sizes: Sequence[int],
    names: Sequence[str] = (),
    *,
    image_size: int | None = None,
    title: str = "",
    alt: str = "",
) -> None:
    """Squares of the given sides (in pixels) on an image's pixel grid: what one unit sees, layer by layer.

    ``sizes[i]`` is the side after layer ``i``, and ``names[i]`` what that layer is called. ``image_size`` is
    the side of the image; by default a little more than the largest square.

    Raises:
        ValueError: there are no sizes, one isn't positive, or names and sizes differ in number.
    """
    if not sizes or min(sizes) < 1:
        raise ValueError(f"sizes must be sides of at least 1 pixel, one a layer, not {list(sizes)}")
    if names and len(names) != len(sizes):
        raise ValueError(f"there are {len(sizes)} sizes but {len(names)} names")
    names = list(names) or [f"layer {index}" for index in range(1, len(sizes) + 1)]
    side = image_size or max(sizes) + 2 * max(1, max(sizes) // 12)
    centre = side / 2 - (
        0.5 if (side - max(sizes)) % 2 else 0
    )  # on pixel borders, so that squares hold whole pixels
    with style():
        figure = new_figure(6.4, 3.6)
        axes = figure.subplots()
        axes.add_patch(Rectangle((0, 0), side, side, facecolor=PAPER, edgecolor=INK))
        if side <= 80:
            for line in np.arange(1, side):
                axes.plot([line, line], [0, side], color=FAINT, linewidth=0.5)
                axes.plot([0, side], [line, line], color=FAINT, linewidth=0.5)
        heights = np.linspace(side * 0.08, side * 0.92, len(sizes)) if len(sizes) > 1 else [side / 2]
        order = sorted(range(len(sizes)), key=lambda index: -sizes[index])
        for index, height in zip(order, heights, strict=True):
            look, size = line_styles(len(sizes))[index], sizes[index]
            left, top = centre - size / 2, centre - size / 2
            axes.add_patch(
                Rectangle(
                    (left, top),
                    size,
                    size,
                    fill=True,
                    facecolor=(*_rgb(look["color"]), 0.07),
                    edgecolor=look["color"],
                    linestyle=look["linestyle"],
                    linewidth=2,
                )
            )
            corner = (left + size, np.clip(height, top, top + size))
            axes.plot([corner[0], side * 1.05], [corner[1], height], color=look["color"], linewidth=0.9)
            axes.text(
                side * 1.07,
                height,
                f"{names[index]}: {size} × {size}",
                va="center",
                color=look["color"],
                fontsize=TEXT,
            )
        axes.set(xlim=(-0.5, side * 1.9), ylim=(side + 0.5, -0.5), aspect="equal")
        axes.set_axis_off()
        if title:
            axes.set_title(title)
        words = ", ".join(
            f"{size} by {size} pixels after {name}" for name, size in zip(names, sizes, strict=True)
        )
        show(figure, alt or f"{title or 'Receptive field'} on an image of {side} by {side} pixels: {words}.")


def _rgb(colour: str) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(colour)
