"""The same mistake in the eyes of pixel accuracy, mean IoU and boundary IoU."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from assignments_lib.datasets import scenes
from assignments_lib.metrics import ConfusionMatrix, boundary_bands
from assignments_lib.plots.pixels import IGNORE, coloured
from assignments_lib.plots.style import BLUE, GREEN, INK, QUIET, VERMILION, new_figure, style
from assignments_lib.widgets.controls import Choice, Control, Slider
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.panel import Drawing, Pictures
from assignments_lib.widgets.regions import middle, outlined, regions, write

MISTAKES = ("shifted", "too fat", "too thin", "ball missed", "ball called apple")
BALL, APPLE = scenes.CLASSES.index("baseball"), scenes.CLASSES.index("apple")
RADIUS = 6  # pixels: the ball's, where it isn't what the mistake is about
_ENLARGED = 4
_SMALL = 230  # pixels


@dataclass(frozen=True)
class Scores:
    """Shares from 0 to 1, and the number of wrong pixels."""

    pixel_accuracy: float
    mean_iou: float
    boundary_iou: float
    wrong: int


class Measures(Demonstration):
    """A scene's true mask with a ball laid on its background, a prediction with one mistake, and three scores of it.

    Args:
        scene: whose mask it is; one without balls and apples.

    Raises:
        ValueError: the scene has a ball or an apple.
    """

    title = "One mistake, three scores"

    def __init__(self, scene: int = 54) -> None:
        mask = torch.from_numpy(scenes.draw(scene)[1]).long()
        if bool(((mask == BALL) | (mask == APPLE)).any()):
            raise ValueError(f"scene {scene} has a ball or an apple of its own: take another")
        self._mask = mask

    def controls(self) -> dict[str, Control]:
        """The mistake, and how large it is in pixels."""
        return {
            "mistake": Choice(MISTAKES, "shifted", still="ball missed"),
            "pixels": Slider(1, 8, 2, still=6, step=1),
        }

    def pictures(self, mistake: str, pixels: int) -> Pictures:
        """Truth, prediction, and the three scores as bars."""
        truth, prediction = self.truth(mistake, pixels), self.prediction(mistake, pixels)
        scores = self.scores(prediction, truth)
        numbers = (
            f"Pixel accuracy is {scores.pixel_accuracy:.3f}, mean IoU {scores.mean_iou:.3f}, mean boundary IoU "
            f"{scores.boundary_iou:.3f}."
        )
        what = {
            "shifted": f"all things lie {pixels} pixels too far to the right",
            "too fat": f"all things are {pixels} pixels too fat on each side",
            "too thin": f"all things are {pixels} pixels too thin on each side",
            "ball missed": f"the ball, {2 * pixels + 1} pixels across, is called background",
            "ball called apple": f"the ball, {2 * pixels + 1} pixels across, is called apple",
        }[mistake]
        said = f"{what[0].upper()}{what[1:]}: {scores.wrong} of {truth.numel():,} pixels are wrong. {numbers}"
        alt = f"The true mask, and a predicted one in which {what}. {numbers}"
        return {"masks and scores": Drawing(self._drawn(truth, prediction, scores), alt), "In numbers": said}

    def truth(self, mistake: str, pixels: int) -> Tensor:
        """The mask with the ball (H, W); its radius is ``pixels`` where the mistake is about the ball. 255 on rims."""
        radius = pixels if mistake.startswith("ball") else RADIUS
        rows, columns = torch.meshgrid(*(torch.arange(side) for side in self._mask.shape), indexing="ij")
        row, column = self._free
        distance = (rows - row) ** 2 + (columns - column) ** 2
        return self._mask.masked_fill(distance <= radius**2, BALL)

    def prediction(self, mistake: str, pixels: int) -> Tensor:
        """The same with the mistake, and a class in place of 255: (H, W).

        Raises:
            ValueError: there is no such mistake.
        """
        if mistake not in MISTAKES:
            raise ValueError(f"{mistake!r} is none of the mistakes {', '.join(MISTAKES)}")
        truth = self.truth(mistake, pixels)
        if mistake == "too thin":  # rims count nowhere, so that these pixels come off what counts
            outside = ((truth == 0) | (truth == IGNORE)).float()[None]
            near = F.max_pool2d(outside, 2 * pixels + 1, stride=1, padding=pixels)[0] > 0
            return truth.masked_fill(near, 0)
        mask = _grown(truth, IGNORE, 4)
        if mistake == "shifted":
            return F.pad(mask, (pixels, 0))[:, : mask.shape[1]]
        if mistake == "too fat":
            return _grown(mask, 0, pixels)
        return mask.masked_fill(mask == BALL, 0 if mistake == "ball missed" else APPLE)

    def scores(self, prediction: Tensor, truth: Tensor) -> Scores:
        """Of one mask (H, W) given another, 255 aside; the means are over the classes that occur in either."""
        classes = len(scenes.CLASSES)
        distance = round(
            0.02 * float(torch.tensor(truth.shape).float().norm())
        )  # Cheng et al.'s 2 % of the diagonal
        whole, bands = ConfusionMatrix(classes), ConfusionMatrix(classes + 1)
        whole.update(prediction, truth)
        bands.update(
            boundary_bands(prediction, classes, distance),
            boundary_bands(truth, classes, distance, assume=prediction),
        )
        shares = []
        for matrix in (whole, bands):
            both, either = matrix.counts.diagonal(), matrix.counts.sum(0) + matrix.counts.sum(1)
            shares.append((both / (either - both))[:classes].nanmean().item())
        wrong = int(whole.counts.sum() - whole.counts.trace())
        return Scores(1 - wrong / int(whole.counts.sum()), shares[0], shares[1], wrong)

    @cached_property
    def _free(self) -> tuple[int, int]:
        """The middle of the largest free place of the background."""
        return middle(self._mask == 0)

    def _drawn(self, truth: Tensor, prediction: Tensor, scores: Scores) -> Figure:
        with style():
            figure = new_figure(6.6, 4.3)
            grid = figure.add_gridspec(2, 1, height_ratios=(2.2, 1))
            above, below = (figure.add_subfigure(grid[row]) for row in range(2))
            left, right = above.subplots(1, 2)
            bars = below.subplots()
            for axes, mask, title in ((left, truth, "truth"), (right, prediction, "prediction")):
                _mask(axes, mask)
                axes.set_title(title)
            names = ("pixel accuracy", "mean IoU", "boundary IoU")
            values = (scores.pixel_accuracy, scores.mean_iou, scores.boundary_iou)
            bars.barh(names, values, color=(BLUE, VERMILION, GREEN), edgecolor=INK)
            for place, value in enumerate(values):
                bars.text(value + 0.01, place, f"{value:.3f}", va="center", fontweight="bold")
            bars.set(xlim=(0, 1.12), xticks=(0, 0.25, 0.5, 0.75, 1), ylim=(2.6, -0.6))
        return figure


def _mask(axes: Axes, mask: Tensor) -> None:
    """A mask with its classes' names."""
    height, width = mask.shape
    pixels = outlined(coloured(mask), mask, _ENLARGED)
    axes.imshow(pixels, extent=(-0.5, width - 0.5, height - 0.5, -0.5), interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=QUIET)
    for label in mask.unique().tolist():
        if label != IGNORE:
            largest = regions(mask == label)[0]
            row, column = middle(largest)
            if int(largest.sum()) < _SMALL:  # the name stands below, so as not to cover it
                row = int(largest.nonzero()[:, 0].max()) + 7
            write(axes, scenes.CLASSES[label], (row, column), mask.shape, size=9, inches=3.1)


def _grown(mask: Tensor, into: int, pixels: int) -> Tensor:
    """All other classes, grown by so many pixels into what has the label ``into``: (H, W)."""
    for _ in range(pixels):
        known = mask.masked_fill(mask == into, -1).float()
        near = F.max_pool2d(known[None], 3, stride=1, padding=1)[0].long()
        mask = torch.where((mask == into) & (near >= 0), near, mask)
    return mask
