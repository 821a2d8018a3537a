"""Heat maps over the pictures they belong to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from assignments_lib.look import SMALL
from assignments_lib.plots.picture import show
from assignments_lib.plots.style import BLUE, FAINT, new_figure, style

_WIDTH = 2.4  # inches of a picture
_LETTER = 0.1  # inches of a letter of the title
_WARMTH = np.array([0.1, 0.75, 0.75])  # what the greatest heat takes from red, green and blue


def heat_maps(
    images: Tensor,
    heat: Tensor,
    titles: Sequence[str],
    *,
    hot: Tensor | None = None,
    peaks: Sequence[tuple[int, int]] = (),
    columns: int = 4,
    title: str = "",
    alt: str = "",
) -> None:
    """Each picture in grey with its heat over it: the hotter, the darker red.

    Args:
        images: (N, 1 or 3, H, W), floats in [0, 1] or uint8.
        heat: (N, H, W), floats in [0, 1]: 0 leaves the picture as it is.
        titles: one above each picture.
        hot: (N, H, W) bool, drawn around with a line.
        peaks: (row, column) of each picture's hottest pixel, marked by a cross.
        columns: pictures in a row.
        title: above them all.
        alt: what is to be seen; put together from titles and peaks when empty.

    Raises:
        ValueError: pictures, heat and titles differ in number or size.
    """
    if heat.ndim != 3 or len(images) != len(heat) or images.shape[-2:] != heat.shape[-2:]:
        raise ValueError(f"images {tuple(images.shape)} and heat {tuple(heat.shape)} don't belong together")
    if len(titles) != len(images) or (peaks and len(peaks) != len(images)):
        raise ValueError(f"there are {len(images)} pictures, {len(titles)} titles and {len(peaks)} peaks")
    height, width = heat.shape[-2:]
    columns = max(1, min(columns, len(images)))
    rows = -(-len(images) // columns)
    with style():
        figure = new_figure(
            max(columns * _WIDTH, len(title) * _LETTER),
            rows * (_WIDTH * height / width + 0.25) + 0.3 * bool(title),
        )
        for index in range(len(images)):
            axes = figure.add_subplot(rows, columns, index + 1)
            axes.imshow(_warmed(images[index], heat[index]), interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set(visible=True, color=FAINT)  # paper is as white as the page
            axes.set_title(titles[index], fontsize=SMALL, fontweight="normal", loc="center", pad=3)
            if hot is not None and bool(hot[index].any()) and not bool(hot[index].all()):
                axes.contour(hot[index].cpu().numpy(), [0.5], colors=BLUE, linewidths=1.2)
            if peaks:
                row, column = peaks[index]
                axes.plot(column, row, "P", color="white", markeredgecolor=BLUE, markersize=9)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        show(figure, alt or _described(title, titles, peaks))


def _warmed(image: Tensor, heat: Tensor) -> np.ndarray:
    """(H, W, 3): paper turns red where it is hot, ink stays dark."""
    pixels = image.detach().cpu().float()
    grey = (pixels if image.is_floating_point() else pixels / 255).clamp(0, 1).mean(0).numpy()
    warm = heat.detach().cpu().float().nan_to_num(0).clamp(0, 1).numpy()[..., None] * _WARMTH
    faint: np.ndarray = (0.35 + 0.65 * grey)[..., None] * (1 - warm)
    return faint


def _described(title: str, titles: Sequence[str], peaks: Sequence[tuple[int, int]]) -> str:
    parts = [
        f"{text}, hottest at row {peaks[index][0]}, column {peaks[index][1]}" if peaks else text
        for index, text in enumerate(titles)
    ]
    head = title or "Heat over pictures"
    return f"{head}{'' if head.endswith(('?', '!', '.')) else ':'} {'; '.join(parts)}."
