"""Grids of pictures: a gallery, a contact sheet by class, the worst mistakes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from assignments_lib.datasets.pictures import Pictures
from assignments_lib.look import SMALL, TEXT
from assignments_lib.plots.picture import show
from assignments_lib.plots.style import FAINT, new_figure, style

_CELL = 1.15  # inches a picture, or more where its title is longer
_LETTER = 0.073  # inches a letter of a title


def gallery(
    images: Tensor | np.ndarray | Sequence[Tensor],
    titles: Sequence[str] = (),
    columns: int = 6,
    *,
    title: str = "",
    alt: str = "",
) -> None:
    """Pictures in rows, pixels as they are, each under its title.

    ``images`` is (N, 1 or 3, H, W), uint8 or float. Floats outside [0, 1] (normalised images, say) are
    stretched so that the least of the whole batch is black and the greatest white. ``alt`` replaces the
    description that is put together from the titles.

    Raises:
        ValueError: the shape is another one, titles and images differ in number, or there is neither a title
            nor ``alt`` to describe the pictures by.
    """
    pixels = _pixels(images)
    if titles and len(titles) != len(pixels):
        raise ValueError(f"there are {len(pixels)} images but {len(titles)} titles")
    if not (titles or title or alt):
        raise ValueError("give titles, a title or alt: the pictures need a description in words")
    columns = max(1, min(columns, len(pixels)))
    rows = -(-len(pixels) // columns)
    aspect = pixels.shape[1] / pixels.shape[2]
    lines = [line for text in titles for line in text.split("\n")]
    cell = max([_CELL, *(len(line) * _LETTER for line in lines)])
    depth = max((text.count("\n") + 1 for text in titles), default=0)
    with style():
        figure = new_figure(columns * cell, rows * (cell * aspect + 0.17 * depth) + 0.3 * bool(title))
        for index in range(len(pixels)):
            axes = figure.add_subplot(rows, columns, index + 1)
            axes.imshow(pixels[index], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(True)
            axes.spines[:].set_color(FAINT)  # one at a time: before matplotlib 3.8 there is no spines[:].set
            if titles:
                axes.set_title(titles[index], fontsize=SMALL, fontweight="normal", loc="center", pad=3)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        show(figure, alt or _described(title, len(pixels), titles), colours=_colours(pixels))


def contact_sheet(pictures: Pictures, per_class: int = 12, *, title: str = "", alt: str = "") -> None:
    """The first pictures of every class, a class a row.

    Raises:
        ValueError: there are no pictures.
    """
    if not len(pictures):
        raise ValueError("there are no pictures to show")
    chosen = pictures.take(per_class)
    channels, height, width = chosen.images.shape[1:]
    gap = max(1, height // 14)
    rows = len(chosen.classes)
    counts = [int((chosen.labels == label).sum()) for label in range(rows)]
    columns = max(counts)
    sheet = np.ones((rows * (height + gap) - gap, columns * (width + gap) - gap, channels))
    for label in range(rows):
        for column, image in enumerate(
            _pixels(chosen.images[chosen.labels == label]) if counts[label] else ()
        ):
            top, left = label * (height + gap), column * (width + gap)
            sheet[top : top + height, left : left + width] = image.reshape(height, width, channels)
    cell = min(0.62, 9.0 / columns)
    with style():
        figure = new_figure(1.3 + columns * cell, rows * cell * height / width + 0.35)
        axes = figure.subplots()
        axes.imshow(sheet.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set(xticks=[], yticks=[label * (height + gap) + height / 2 for label in range(rows)])
        axes.set_yticklabels(chosen.classes, fontsize=TEXT)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        heading = title or (f"{pictures.name}: {len(pictures):,} pictures" if pictures.name else "")
        if heading:
            axes.set_title(heading)
        words = (
            f"{heading or 'Contact sheet'}. {rows} rows of up to {columns} pictures, {width} by {height} pixels, "
            f"a class a row: {', '.join(chosen.classes)}."
        )
        show(
            figure, alt or words, colours=_colours(sheet[None].squeeze(-1) if channels == 1 else sheet[None])
        )


def worst_mistakes(
    images: Tensor,
    labels: Tensor,
    probabilities: Tensor,
    classes: Sequence[str],
    n: int = 12,
    *,
    columns: int = 6,
    title: str = "The most confident mistakes",
) -> None:
    """The pictures the network was wrong about while being surest, surest first.

    ``images`` is (N, 1 or 3, H, W), ``labels`` (N,) int64 and ``probabilities`` (N, C), each row adding up
    to 1. Where there is no mistake, a sentence says so.

    Raises:
        ValueError: the numbers of images, labels, probabilities and classes don't go together, or the
            probabilities aren't probabilities.
    """
    if not len(images) == len(labels) == len(probabilities) or probabilities.shape[1:] != (len(classes),):
        raise ValueError(
            f"{len(images)} images, {len(labels)} labels, {len(classes)} classes and probabilities of shape "
            f"{tuple(probabilities.shape)} don't go together"
        )
    probabilities = probabilities.detach().float().cpu()
    sums = probabilities.sum(1)
    if len(sums) and (bool((probabilities < 0).any()) or not torch.allclose(sums, torch.ones(()), atol=0.02)):
        raise ValueError("each row of probabilities must add up to 1; are these logits before the softmax?")
    labels = labels.cpu()
    sure, said = probabilities.max(1)
    wrong = torch.nonzero(said != labels).flatten()
    if not len(wrong):
        print(f"No mistakes among {len(images)} pictures.")
        return
    worst = wrong[sure[wrong].argsort(descending=True)][:n]
    names = {index: (classes[int(labels[index])], classes[int(said[index])]) for index in wrong.tolist()}
    titles = [f"said {names[i][1]}\n{_sure(sure[i])}, is {names[i][0]}" for i in worst.tolist()]
    (true, guess), times = Counter(names.values()).most_common(1)[0]
    spoken = "; ".join(text.replace("\n", " ") for text in titles)
    gallery(
        images[worst.to(images.device)],
        titles,
        columns,
        title=title,
        alt=f"{title}: {len(worst)} of {len(wrong)} wrong among {len(images)} pictures. {spoken}. "
        f"Most often {true} was taken for {guess} ({times} times).",
    )


def _colours(pixels: np.ndarray) -> int:
    """Drawings of ink on paper have few levels of grey, and what they are shown with has no colour."""
    return 48 if pixels.ndim == 3 else 256


def _pixels(images: Tensor | np.ndarray | Sequence[Tensor]) -> np.ndarray:
    """(N, H, W) or (N, H, W, 3) floats in [0, 1], as imshow takes them."""
    if isinstance(images, np.ndarray):
        images = torch.from_numpy(images)
    elif not isinstance(images, Tensor):
        images = torch.stack([torch.as_tensor(image) for image in images])
    images = images.detach().cpu()
    if images.ndim != 4 or images.shape[1] not in (1, 3) or not len(images):
        raise ValueError(f"images must be (N, 1 or 3, H, W) with N > 0, not {tuple(images.shape)}")
    if images.dtype == torch.uint8:
        images = images.float() / 255
    images = images.float()
    least, greatest = float(images.min()), float(images.max())
    if least < 0 or greatest > 1:
        images = (images - least) / max(greatest - least, 1e-12)
    pixels: np.ndarray = images.permute(0, 2, 3, 1).numpy()
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def _sure(share: Tensor) -> str:
    return f"{100 * float(share):.0f} %" if share < 0.995 else "> 99 %"  # 100 % would claim certainty


def _described(title: str, count: int, titles: Sequence[str]) -> str:
    heading = title or "Gallery"
    if not titles:
        return f"{heading}: a grid of {count} pictures."
    texts = [" ".join(text.split()) for text in titles]
    return f"{heading}: {count} pictures, row by row: {'; '.join(texts)}."
