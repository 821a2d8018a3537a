"""Segmentation masks: alone, and over their pictures, with outlines and a legend in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from torch import Tensor

from assignments_lib.look import SMALL
from assignments_lib.plots.picture import show
from assignments_lib.plots.pixels import IGNORE, IGNORED, PALETTE, coloured
from assignments_lib.plots.style import new_figure, style

_WIDTH = 1.55  # inches of a picture
_LEGEND = 16  # entries at most
_WIDE = 480  # pixels: what is as wide as this isn't enlarged
_ENLARGED = 4  # a pixel becomes so many, so that an outline is thinner than a pixel


def masks(
    masks: Tensor,
    classes: Sequence[str],
    *,
    columns: int = 6,
    titles: Sequence[str] = (),
    title: str = "",
    alt: str = "",
) -> None:
    """Masks in rows, a colour for each class and grey stripes for what is ignored, with a legend.

    Args:
        masks: (N, H, W) of integers; 255 is ignored.
        classes: names, by label.
        columns: pictures in a row.
        titles: one above each mask.
        title: above them all.
        alt: what is to be seen; put together from the classes that occur when empty.
    """
    _grid([_outlined(coloured(mask), mask) for mask in masks], masks, classes, columns, titles, title, alt)


def overlays(
    images: Tensor,
    masks: Tensor,
    classes: Sequence[str],
    *,
    columns: int = 6,
    titles: Sequence[str] = (),
    title: str = "",
    alt: str = "",
    opacity: float = 0.45,
) -> None:
    """Pictures with their masks over them, white outlines along the masks' borders, and a legend.

    ``images`` is (N, 3, H, W), floats in [0, 1] or uint8; the rest as for `masks`.
    """
    pictures = []
    for image, mask in zip(images, masks, strict=True):
        # elsewhere 0 is a class like any other
        bare = (mask.cpu().numpy() == 0) & (classes[0] == "background")
        cover = np.where(bare[..., None], 0.0, opacity)
        pictures.append(_outlined((1 - cover) * _pixels(image) + cover * coloured(mask), mask))
    _grid(pictures, masks, classes, columns, titles, title, alt)


def predictions(
    images: Tensor, masks: Mapping[str, Tensor], classes: Sequence[str], *, title: str = "", alt: str = ""
) -> None:
    """A row for each picture: the picture, then its masks side by side, each with its name above the first row.

    ``images`` is (N, 3, H, W), floats in [0, 1] or uint8; each of ``masks`` (N, H, W), truth or prediction.

    Raises:
        ValueError: there are no masks, or not one of the picture's size for each picture.
    """
    if not masks:
        raise ValueError("there are no masks to set beside the pictures")
    for name, each in masks.items():
        if each.shape != (len(images), *images.shape[-2:]):
            raise ValueError(
                f"images {tuple(images.shape)} and {name} {tuple(each.shape)} don't belong together"
            )
    pictures = []
    for index, image in enumerate(images):
        pictures.append(_outlined(_pixels(image), torch.zeros(image.shape[-2:])))
        pictures += [_outlined(coloured(each[index]), each[index]) for each in masks.values()]
    labels = torch.cat([each.cpu().long() for each in masks.values()])
    titles = ["picture", *masks] + [""] * (len(pictures) - 1 - len(masks))
    described = alt or (
        f"{title or 'Predictions'}: {len(images)} pictures, each with masks side by side: {', '.join(masks)}. "
        f"Classes: {', '.join([_named(label, classes) for label in _present(labels)][:_LEGEND])}."
    )
    _grid(pictures, labels, classes, 1 + len(masks), titles, title, described)


def _pixels(image: Tensor) -> np.ndarray:
    """(H, W, 3), 0 to 255."""
    pixels = image.detach().cpu().permute(1, 2, 0).numpy()
    return pixels if pixels.dtype == np.uint8 else (255 * np.clip(pixels, 0, 1)).round()


def _present(masks: Tensor) -> list[int]:
    """The labels that occur, but for what is ignored."""
    return [label for label in masks.unique().tolist() if label != IGNORE]


def _outlined(pixels: np.ndarray, mask: Tensor) -> np.ndarray:
    """Enlarged, with a white line where labels meet."""
    times = min(_ENLARGED, max(1, _WIDE // mask.shape[1]))
    large = np.repeat(np.repeat(pixels, times, 0), times, 1).astype(np.uint8)
    labels = np.repeat(np.repeat(mask.cpu().numpy(), times, 0), times, 1)
    border = np.zeros(labels.shape, dtype=bool)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    border[:, 1:] |= across
    border[:, :-1] |= across
    border[1:] |= down
    border[:-1] |= down
    large[border] = 255
    return large


def _grid(
    pictures: list[np.ndarray],
    masks: Tensor,
    classes: Sequence[str],
    columns: int,
    titles: Sequence[str],
    title: str,
    alt: str,
) -> None:
    if titles and len(titles) != len(pictures):
        raise ValueError(f"there are {len(pictures)} masks but {len(titles)} titles")
    present = _present(masks)
    columns = max(1, min(columns, len(pictures)))
    rows = -(-len(pictures) // columns)
    titled = sum(any(titles[columns * row : columns * (row + 1)]) for row in range(rows))
    height = rows * _WIDTH * pictures[0].shape[0] / pictures[0].shape[1] + 0.2 * titled
    names = [_named(label, classes) for label in present]
    legend_columns = min(6, columns)  # an entry has the width of a picture
    legend_rows = -(-(min(len(present), _LEGEND) + 2) // legend_columns)
    with style():
        figure = new_figure(columns * _WIDTH, height + 0.3 * bool(title) + 0.24 * legend_rows + 0.1)
        for index, picture in enumerate(pictures):
            axes = figure.add_subplot(rows, columns, index + 1)
            axes.imshow(picture, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            if titles:
                axes.set_title(titles[index], fontsize=SMALL, fontweight="normal", loc="center", pad=3)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        _legend(figure, present, names, legend_columns, ignored=bool((masks == IGNORE).any()))
        listed = ", ".join(names[:_LEGEND])
        show(figure, alt or f"{title or 'Masks'}: {len(pictures)} masks with these classes: {listed}.")


def _named(label: int, classes: Sequence[str]) -> str:
    """What stands for a label; one that there is no class for is shown as well, as it is somebody's mistake."""
    return classes[label] if 0 <= label < len(classes) else f"label {label} (no such class)"


def _legend(figure: Figure, present: list[int], names: Sequence[str], columns: int, ignored: bool) -> None:
    patches = [
        Patch(facecolor=PALETTE[label % len(PALETTE)], edgecolor="black", label=f"{label} {name}")
        for label, name in zip(present[:_LEGEND], names, strict=False)
    ]
    if len(present) > _LEGEND:
        patches.append(Patch(facecolor="white", label=f"and {len(present) - _LEGEND} more"))
    if ignored:
        patches.append(Patch(facecolor=IGNORED, edgecolor="white", hatch="////", label=f"{IGNORE} ignored"))
    figure.legend(
        handles=patches, loc="outside lower left", ncols=columns, handlelength=1.2, columnspacing=1.2
    )
