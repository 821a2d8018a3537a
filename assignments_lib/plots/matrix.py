"""The confusion matrix as a table with shading."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from torch import Tensor

from assignments_lib.look import SMALL
from assignments_lib.plots.picture import show
from assignments_lib.plots.style import new_figure, style
from assignments_lib.training.history import percent


def confusion(
    counts: Tensor | np.ndarray, classes: Sequence[str], *, title: str = "Confusion matrix", alt: str = ""
) -> None:
    """What was taken for what, in numbers; a cell is the darker the larger its share of its row.

    ``counts[i, j]`` is how many samples of class ``i`` the network called ``j``: (C, C), whole numbers.

    Raises:
        ValueError: ``counts`` isn't a square table of whole numbers that fits ``classes``.
    """
    table = counts.detach().cpu().numpy() if isinstance(counts, Tensor) else np.asarray(counts)
    if table.shape != (len(classes), len(classes)):
        raise ValueError(
            f"counts must be ({len(classes)}, {len(classes)}) for these classes, not {table.shape}"
        )
    if (table < 0).any() or (table != np.round(table)).any():
        raise ValueError("counts must be whole numbers, not shares; each row is shaded by its own sum anyway")
    table = table.astype(np.int64)
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    # The square root brings out the mistakes beside the diagonal; 0.6 keeps dark text readable on every cell
    shades = matplotlib.colormaps["Blues"](0.6 * np.sqrt(shares))
    size = len(classes)
    cell = min(0.52, 7.0 / size)
    with style():
        figure = new_figure(1.6 + size * cell, 1.5 + size * cell)
        axes = figure.subplots()
        axes.imshow(shades)
        for row in range(size):
            for column in range(size):
                axes.text(
                    column,
                    row,
                    f"{table[row, column]:,}" if table[row, column] else "·",
                    ha="center",
                    va="center",
                    fontsize=SMALL,
                    fontweight="bold" if row == column else "normal",
                )
        axes.set_xticks(range(size), classes, rotation=40, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(size), classes)
        axes.set(title=title, xlabel="the network said", ylabel="it is")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_xticks(np.arange(size - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(size - 1) + 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=1.5)
        axes.tick_params(which="minor", length=0)
        show(figure, alt or _in_words(title, table, classes))


def _in_words(title: str, table: np.ndarray, classes: Sequence[str]) -> str:
    total, right = int(table.sum()), int(np.trace(table))
    wrong = [
        (int(table[i, j]), classes[i], classes[j])
        for i in range(len(classes))
        for j in range(len(classes))
        if i != j and table[i, j]
    ]
    wrong.sort(key=lambda each: -each[0])
    pairs = ", ".join(f"{true} taken for {said} ({count})" for count, true, said in wrong[:3])
    share = f" ({percent(right / total)})" if total else ""
    return (
        f"{title} of {len(classes)} classes: {right:,} of {total:,} right{share}. "
        f"{f'Most frequent mistakes: {pairs}.' if pairs else 'No mistakes.'}"
    )
