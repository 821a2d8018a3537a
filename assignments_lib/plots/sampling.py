"""How `affine_grid` and `grid_sample` look at a picture: two drawings."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from assignments_lib.look import MIST
from assignments_lib.plots.picture import show
from assignments_lib.plots.style import BLUE, INK, VERMILION, new_figure, style


def align_corners(pixels: int = 4) -> None:
    """Where -1 and 1 lie in a row of pixels: at its outer edges, or in the middle of the outermost pixels."""
    with style():
        figure = new_figure(7.2, 1.9)
        for number, aligned in enumerate((False, True)):
            axes = figure.add_subplot(1, 2, number + 1)
            _row_of_pixels(axes, pixels, aligned)
        show(
            figure,
            f"Two rows of {pixels} pixels. With align_corners=False, -1 and 1 are the outer edges of the row and the "
            f"pixels' centres lie at {_said(_centres(pixels, False))}. With align_corners=True, -1 and 1 are the "
            f"centres of the first and last pixel and the centres lie at {_said(_centres(pixels, True))}.",
        )


def _centres(pixels: int, aligned: bool) -> np.ndarray:
    if aligned:
        return np.linspace(-1, 1, pixels)
    return (2 * np.arange(pixels) + 1) / pixels - 1


def _said(numbers: np.ndarray) -> str:
    return ", ".join(f"{number:.3g}" for number in numbers)


def _row_of_pixels(axes: Axes, pixels: int, aligned: bool) -> None:
    for left in range(pixels):
        axes.add_patch(Rectangle((left, 0), 1, 1, facecolor=MIST, edgecolor=INK))
    axes.plot(np.arange(pixels) + 0.5, np.full(pixels, 0.5), "o", color=BLUE)
    for position, value in zip(np.arange(pixels) + 0.5, _centres(pixels, aligned), strict=True):
        paper = {
            "facecolor": MIST,
            "edgecolor": "none",
            "pad": 1.0,
        }  # so that a dashed line doesn't cross it
        axes.text(position, 0.75, f"{value:.3g}", ha="center", va="center", color=BLUE, bbox=paper, zorder=5)
    ends = (0.5, pixels - 0.5) if aligned else (0.0, float(pixels))
    for end, name in zip(ends, ("-1", "1"), strict=True):
        axes.plot([end, end], [-0.25, 1.25], color=VERMILION, linestyle="--")
        axes.annotate(name, (end, -0.28), ha="center", va="top", color=VERMILION, fontweight="bold")
    axes.set(xlim=(-0.4, pixels + 0.4), ylim=(-0.75, 1.35), title=f"align_corners={aligned}")
    axes.axis("off")
    axes.set_aspect("equal")


def sampling_grid(image: Tensor, grid: Tensor, *, every: int = 3, title: str = "", alt: str = "") -> None:
    """A picture, and on it the places from which a new picture takes its pixels.

    Args:
        image: (1 or 3, H, W) in [0, 1].
        grid: (H', W', 2): for each pixel of the new picture, x and y in the old one, from -1 (the left or upper edge)
            to 1, as `grid_sample` takes them with ``align_corners=False``.
        every: show every so many of the new picture's pixels.
        title: above the picture.
        alt: what is to be seen; put together from the title when empty.
    """
    channels, height, width = image.shape
    pixels = image.detach().permute(1, 2, 0).numpy()
    places = grid.detach()[::every, ::every].reshape(-1, 2).numpy()
    x = (places[:, 0] + 1) * width / 2
    y = (places[:, 1] + 1) * height / 2
    with style():
        figure = new_figure(3.6, 3.4)
        axes = figure.add_subplot(1, 1, 1)
        axes.imshow(
            pixels[..., 0] if channels == 1 else pixels,
            cmap="gray",
            vmin=0,
            vmax=1,
            extent=(0, width, height, 0),
        )
        axes.scatter(x, y, s=9, color=VERMILION, edgecolors="white", linewidths=0.3)
        axes.plot(x[0], y[0], "s", color=BLUE, markeredgecolor="white")
        axes.annotate(
            "first pixel", (x[0], y[0]), (6, 6), textcoords="offset points", color=BLUE, fontweight="bold"
        )
        margin = 0.25
        axes.set(xlim=(-margin * width, (1 + margin) * width), ylim=((1 + margin) * height, -margin * height))
        axes.set(xticks=[], yticks=[], title=title)
        axes.spines[:].set_visible(False)
        outside = float(((x < 0) | (x > width) | (y < 0) | (y > height)).mean())
        show(
            figure,
            alt
            or f"{title or 'Sampling grid'}: a picture of {width} by {height} pixels, and on it the places from which "
            f"the new picture takes its pixels; {100 * outside:.0f} % of them lie outside. The upper left pixel of "
            f"the new picture is taken from x = {x[0]:.1f}, y = {y[0]:.1f}.",
        )
