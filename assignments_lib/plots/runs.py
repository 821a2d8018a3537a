"""Results of repeated experiments: every run a dot, the mean, and the standard deviation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from assignments_lib.plots.picture import show
from assignments_lib.plots.style import FAINT, LINES, QUIET, new_figure, style


def spread(
    results: Mapping[str, Mapping[str, Sequence[float] | Tensor]], *, title: str = "", alt: str = ""
) -> None:
    """Accuracies by test set and method: a panel for each test set, a row for each method.

    Each run is a small dot, their mean a large one, and the line reaches one sample standard deviation to each side.
    All panels have the same scale, so that a small difference looks small.

    Args:
        results: for each test set, for each method, the accuracies of its runs, in [0, 1].
        title: above the panels.
        alt: what is to be seen; put together from the means when empty.

    Raises:
        ValueError: there are no results, or a method has none on a test set.
    """
    panels = {
        test: {name: [float(x) for x in runs] for name, runs in rows.items()}
        for test, rows in results.items()
    }
    if not panels or any(not runs for rows in panels.values() for runs in rows.values()):
        raise ValueError("every method needs at least one run on every test set")
    methods = list(next(iter(panels.values())))
    with style():
        figure = new_figure(1.6 + 2.1 * len(panels), 0.8 + 0.36 * len(methods))
        axes_row = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
        for axes, (test, rows) in zip(axes_row, panels.items(), strict=True):
            for number, name in enumerate(methods):
                mean, deviation = _summary(rows[name])
                look = LINES[number % len(LINES)]
                place = len(methods) - number
                axes.plot(
                    [100 * x for x in rows[name]], [place] * len(rows[name]), ".", color=QUIET, markersize=5
                )
                axes.plot(
                    [100 * (mean - deviation), 100 * (mean + deviation)],
                    [place - 0.22] * 2,
                    color=look["color"],
                )
                axes.plot(100 * mean, place - 0.22, look["marker"], color=look["color"], markersize=7)
            axes.set(title=test, xlabel="accuracy in %", ylim=(0.3, len(methods) + 0.6))
            axes.grid(axis="x", color=FAINT)
        axes_row[0].set_yticks([len(methods) - number for number in range(len(methods))], methods)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        show(figure, alt or _described(title, panels))


def _summary(runs: Sequence[float]) -> tuple[float, float]:
    mean = sum(runs) / len(runs)
    if len(runs) < 2:
        return mean, 0.0
    return mean, (sum((x - mean) ** 2 for x in runs) / (len(runs) - 1)) ** 0.5


def _described(title: str, panels: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    parts = []
    for test, rows in panels.items():
        figures = ", ".join(f"{name} {100 * _summary(runs)[0]:.0f} %" for name, runs in rows.items())
        parts.append(f"{test}: {figures}")
    return f"{title or 'Accuracies'}; mean accuracy by test set. {'; '.join(parts)}."
