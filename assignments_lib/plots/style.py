"""How every picture looks: fonts and lines. Colours and sizes of type are those of everything else (`look`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from assignments_lib.look import BLUE, FAINT, GREEN, INK, PURPLE, QUIET, SMALL, TEXT, TITLE, VERMILION

# Lines differ in colour, dash and marker, so that colour is never needed to tell them apart
LINES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "-", "marker": "o"},
    {"color": VERMILION, "linestyle": "--", "marker": "s"},
    {"color": GREEN, "linestyle": "-.", "marker": "^"},
    {"color": PURPLE, "linestyle": ":", "marker": "D"},
    {"color": INK, "linestyle": (0, (5, 1, 1, 1, 1, 1)), "marker": "v"},
)

_RC: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that pictures agree between machines
    "font.size": TEXT,
    "axes.titlesize": TITLE,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": TEXT,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
}


@contextmanager
def style() -> Iterator[None]:
    """The look of the pictures, whatever the notebook's own settings are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure (inches) that pyplot does not know of, so that no front end shows it a second time."""
    return Figure(figsize=(width, height), layout="constrained")


def new_canvas(width: float, height: float, bottom: float) -> tuple[Figure, Axes]:
    """A figure to draw freely on, in inches from its left edge; the lower edge is at ``bottom``."""
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(bottom, bottom + height), aspect="equal")
    axes.set_axis_off()
    return figure, axes


def line_styles(count: int) -> list[dict[str, Any]]:
    """As many line styles as asked for."""
    return list(islice(cycle(LINES), count))
