"""Figures over epochs or layers: live training curves, comparisons of runs, gradient norms."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from assignments_lib.look import SMALL
from assignments_lib.plots.picture import publish, render, show
from assignments_lib.plots.style import line_styles, new_figure, style
from assignments_lib.training.history import History, percent


class LiveCurves:
    """Loss and accuracy over the epochs, drawn anew in the same place after each: `fit`'s ``watch``.

    >>> fit(model, ..., watch=LiveCurves("ResNet34 from scratch"))
    """

    def __init__(self, title: str = "") -> None:
        self.title = title
        self._handle: Any = None
        self._watched: History | None = None

    def __call__(self, history: History) -> None:
        """Draw what ``history`` has so far; nothing while it is empty."""
        if not history:
            return
        if history is not self._watched:  # another run gets a picture of its own
            self._handle, self._watched = None, history
        title = self.title or history.name
        with style():
            figure = new_figure(8.4, 2.9)
            loss, accuracy = figure.subplots(1, 2)
            for key, label, look in zip(
                ("val_loss", "train_loss"), ("validation", "training"), line_styles(2), strict=True
            ):
                _over_epochs(loss, history.column(key), label, look, history.planned)
            _over_epochs(
                accuracy, history.column("val_accuracy"), "validation", line_styles(1)[0], history.planned
            )
            loss.set(title="Loss", ylim=(0, _top(loss)))
            accuracy.set(title=_heading(history.measure), ylim=(0, 1.02))
            _label_ends(loss, "{:.2f}".format)
            _label_ends(accuracy, percent)
            accuracy.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
            if title:
                figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
            picture = render(figure, _in_words(title, history))
        self._handle = publish(picture, self._handle)


def curves(histories: Mapping[str, History], title: str = "", alt: str = "") -> None:
    """Training loss, validation loss and accuracy (or what was measured) of several runs, each named by its key.

    ``alt`` replaces the description that is written from the figures.

    Raises:
        ValueError: no history has an epoch.
    """
    runs = {name: history for name, history in histories.items() if history}
    if not runs:
        raise ValueError("there is no epoch to draw: every history is empty")
    with style():
        figure = new_figure(9.6, 3.1)
        panels = figure.subplots(1, 3)
        measure = next(iter(runs.values())).measure
        planned = max(history.planned for history in runs.values())
        for panel, key, heading in zip(
            panels,
            ("train_loss", "val_loss", "val_accuracy"),
            ("Training loss", "Validation loss", f"Validation {measure}"),
            strict=True,
        ):
            for (name, history), look in zip(runs.items(), line_styles(len(runs)), strict=True):
                _over_epochs(panel, history.column(key), name, look, planned)
            panel.set(title=heading, ylim=(0, 1.02 if key == "val_accuracy" else _top(panel)))
        panels[2].yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        _shared_legend(figure, panels[0], title)
        show(figure, alt or " ".join(_in_words(name, history) for name, history in runs.items()))


def gradient_norms(norms: Mapping[str, Sequence[float]], title: str = "", alt: str = "") -> None:
    """The norm of the loss's gradient for each layer's weights, first layer to last, on a log scale.

    ``norms`` maps the name of a network to one norm a layer, in the order of the forward pass.

    Raises:
        ValueError: there is no norm at all.
    """
    rows = {name: [float(value) for value in values] for name, values in norms.items() if len(values)}
    if not rows:
        raise ValueError("there are no gradient norms to draw")
    with style():
        figure = new_figure(8.4, 3.4)
        axes = figure.subplots()
        for (name, values), look in zip(rows.items(), line_styles(len(rows)), strict=True):
            layers = range(1, len(values) + 1)
            # a norm of exactly 0 has no place on a log scale: leave a gap
            axes.plot(
                layers,
                [value if value > 0 else float("nan") for value in values],
                label=name,
                markersize=4,
                **look,
            )
        axes.set(
            yscale="log",
            xlim=(0, max(len(values) for values in rows.values()) + 1),
            xlabel="layer with weights, from the input to the output",
            ylabel="norm of the gradient",
        )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(True, axis="y")
        _shared_legend(figure, axes, title or "How much gradient arrives at each layer")
        sentences = [
            f"{name}: {values[0]:.2g} at the first of {len(values)} layers, {values[-1]:.2g} at the last, between "
            f"{min(values):.2g} and {max(values):.2g}."
            for name, values in rows.items()
        ]
        show(figure, alt or f"Gradient norm a layer, log scale. {' '.join(sentences)}")


def _over_epochs(axes: Axes, values: list[float], label: str, look: dict[str, Any], planned: int) -> None:
    axes.plot(range(1, len(values) + 1), values, label=label, **look)
    axes.set_xlabel("epoch")
    axes.set_xlim(0.5, max(planned, len(values), 2) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.grid(True, axis="y")


def _top(axes: Axes) -> float:
    """An upper limit with room for the markers."""
    return 1.08 * max(float(np.max(np.asarray(line.get_ydata(), dtype=float))) for line in axes.lines) or 1.0


def _label_ends(axes: Axes, spell: Callable[[float], str]) -> None:
    """Write each line's name and latest value beside its end, apart from each other where lines end close by."""
    ends = {line: np.asarray(line.get_xydata(), dtype=float)[-1] for line in axes.lines}
    step = 0.13 * axes.get_ylim()[1]
    height = -math.inf
    for line, (epoch, value) in sorted(ends.items(), key=lambda end: float(end[1][1])):
        height = max(float(value), height + step)
        axes.annotate(
            f"{line.get_label()} {spell(float(value))}",
            xy=(epoch, height),
            xytext=(9, 0),
            textcoords="offset points",
            color=line.get_color(),
            fontsize=SMALL,
            va="center",
            annotation_clip=False,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )


def _shared_legend(figure: Figure, axes: Axes, title: str) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 4), handlelength=3.5)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")


def _heading(measure: str) -> str:
    """With a capital, unless it has one already, as mIoU does."""
    return measure.capitalize() if measure.islower() else measure


def _in_words(title: str, history: History) -> str:
    first, last, best = history[0], history.last, history.best
    planned = f" of {history.planned}" if history.planned > len(history) else ""
    epochs = "epoch" if max(len(history), history.planned) == 1 else "epochs"
    started = f" ({first.train_loss:.2f} in the first epoch)" if len(history) > 1 else ""
    return (
        f"{title or 'Training'}, after {len(history)}{planned} {epochs}: "
        f"training loss {last.train_loss:.2f}{started}, validation loss {last.val_loss:.2f}, "
        f"validation {history.measure} {percent(last.val_accuracy)} "
        f"(best {percent(best.val_accuracy)} in epoch {best.epoch})."
    )
