"""What demonstrations with pictures share: a sheet of pixels, each below its title, a legend, a network's trunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from torch import Tensor, nn

from assignments_lib.look import TEXT
from assignments_lib.plots.pixels import IGNORE, IGNORED, PALETTE, coloured
from assignments_lib.plots.style import QUIET
from assignments_lib.trunk import Trunk

Pixels = npt.NDArray[np.float64]

_TITLE, _GAP, _EDGE = 0.27, 0.12, 0.06  # inches above each picture, between two, and around them all
_ENTRY, _LINE = 1.2, 0.22  # inches of a legend's entry
_WARMTH = np.array([0.1, 0.75, 0.75])  # what the greatest heat takes from red, green and blue


def trunk_of(network: nn.Module) -> Trunk:
    """The network itself, or the trunk that it has; in evaluation mode.

    Raises:
        TypeError: it is no `Trunk` and has none.
    """
    trunk = getattr(network, "trunk", network)
    if not isinstance(trunk, Trunk):
        raise TypeError(f"give a Trunk, or a network with one as its `trunk`, not {type(network).__name__}")
    return trunk.eval()


def floats(images: Tensor) -> Tensor:
    """Pictures as floats in [0, 1], which they may be already."""
    return images.float() if images.is_floating_point() else images.float() / 255


def pixels(image: Tensor) -> Pixels:
    """(3, H, W) floats -> (H, W, 3)."""
    shown: Pixels = image.detach().cpu().clamp(0, 1).permute(1, 2, 0).double().numpy()
    return shown


def classes_of(mask: Tensor) -> Pixels:
    """A mask (H, W) in its colours, (H, W, 3)."""
    return coloured(mask) / 255


def warmed(image: Tensor, heat: Tensor) -> Pixels:
    """A picture (3, H, W) in grey, the redder the hotter: heat (H, W) in [0, 1]."""
    grey = 0.35 + 0.65 * image.detach().cpu().clamp(0, 1).mean(0).double().numpy()
    warm = heat.detach().cpu().double().clamp(0, 1).numpy()[..., None] * _WARMTH
    shown: Pixels = grey[..., None] * (1 - warm)
    return shown


def mistaken(image: Tensor, mask: Tensor, truth: Tensor) -> Pixels:
    """The picture in grey, in red what the mask (H, W) has wrong; where there is no label, nothing is."""
    return warmed(image, ((mask != truth) & (truth != IGNORE)).float())


def sheet(
    pictures: Mapping[str, Pixels], columns: int, *, width: float = 7.2, below: float = 0.0
) -> tuple[Figure, list[Axes]]:
    """A figure with each picture below its title, ``below`` inches left free at its bottom.

    All pictures have the proportions of the first. The places are fixed: a layout would take several times as long.
    """
    tall, wide = next(iter(pictures.values())).shape[:2]
    across = (width - 2 * _EDGE - (columns - 1) * _GAP) / columns
    down = across * tall / wide + _TITLE
    rows = -(-len(pictures) // columns)
    height = rows * (down + _GAP) - _GAP + _EDGE + below
    figure = Figure(figsize=(width, height))
    placed = []
    for number, (title, shown) in enumerate(pictures.items()):
        row, column = divmod(number, columns)
        left, bottom = _EDGE + column * (across + _GAP), height - row * (down + _GAP) - down
        axes = figure.add_axes((left / width, bottom / height, across / width, (down - _TITLE) / height))
        axes.imshow(
            shown, interpolation="nearest", aspect="auto", extent=(-0.5, wide - 0.5, tall - 0.5, -0.5)
        )
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color=QUIET)
        axes.set_title(title, fontsize=TEXT, fontweight="normal", pad=4)
        placed.append(axes)
    return figure, placed


def legend_height(labels: Sequence[int], width: float = 7.2) -> float:
    """Inches that `legend` needs for these labels."""
    return _LINE * -(-len(labels) // int(width / _ENTRY)) + 0.12


def legend(figure: Figure, labels: Sequence[int], classes: Sequence[str]) -> None:
    """The colours of these labels, in words, at the figure's bottom; 255 is what has no label."""
    patches = [
        Patch(facecolor=IGNORED, edgecolor="white", hatch="////", label="no label")
        if label == IGNORE
        else Patch(facecolor=PALETTE[label % len(PALETTE)], edgecolor="black", label=classes[label])
        for label in labels
    ]
    figure.legend(
        handles=patches, loc="lower left", ncols=int(figure.get_figwidth() / _ENTRY), handlelength=1.1,
        columnspacing=1.0, borderaxespad=0.1, handletextpad=0.5,
    )  # fmt: skip


def labels_in(*masks: Tensor) -> list[int]:
    """The labels that occur in any of the masks, 255 last."""
    return sorted({int(label) for mask in masks for label in torch.unique(mask)})
