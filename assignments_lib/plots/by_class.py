"""A score for every class, of one or more models."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from torch import Tensor

from assignments_lib.plots.picture import show
from assignments_lib.plots.style import FAINT, line_styles, new_figure, style


def per_class(
    scores: Mapping[str, Sequence[float] | Tensor],
    classes: Sequence[str],
    *,
    measure: str = "IoU",
    title: str = "",
    alt: str = "",
) -> None:
    """A row for each class, a mark for each model; nan leaves no mark.

    Args:
        scores: for each model, a score in [0, 1] for each class.
        classes: their names.
        measure: what the scores are.
        title: above the picture.
        alt: what is to be seen; put together from best and worst class when empty.

    Raises:
        ValueError: there is no model, or one has another number of scores than there are classes.
    """
    rows = {name: [float(value) for value in values] for name, values in scores.items()}
    if not rows or any(len(values) != len(classes) for values in rows.values()):
        raise ValueError(f"every model needs {len(classes)} scores, one for each class")
    places = list(range(len(classes), 0, -1))
    step = min(0.2, 0.8 / len(rows))  # models lie a little apart, so that none hides another
    with style():
        figure = new_figure(7.2, 1.1 + 0.26 * len(classes))
        axes = figure.subplots()
        for index, ((name, values), look) in enumerate(
            zip(rows.items(), line_styles(len(rows)), strict=True)
        ):
            lower = step * (index - (len(rows) - 1) / 2)
            heights = [place - lower for place in places]
            axes.plot(values, heights, look["marker"], color=look["color"], label=name, markersize=7)
        axes.set_yticks(places, classes)
        axes.set(xlim=(-0.02, 1.02), xlabel=measure, ylim=(0.4, len(classes) + 0.6))
        axes.grid(axis="both", color=FAINT)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 5))
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        show(figure, alt or _described(title, measure, rows, classes))


def _described(title: str, measure: str, rows: Mapping[str, Sequence[float]], classes: Sequence[str]) -> str:
    parts = []
    for name, values in rows.items():
        there = {c: value for c, value in zip(classes, values, strict=True) if not math.isnan(value)}
        if there:
            best, worst = max(there, key=lambda c: there[c]), min(there, key=lambda c: there[c])
            parts.append(f"{name} from {there[worst]:.2f} ({worst}) to {there[best]:.2f} ({best})")
    head = title or f"{measure} by class"
    return f"{head}{'' if head.endswith(('?', '!', '.')) else ':'} {'; '.join(parts) or 'no class occurs'}."
