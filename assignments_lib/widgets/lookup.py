"""Hypercolumns: which pixels look alike to low layers, to high ones and to all, and what is inside a box.

B. Hariharan, P. Arbeláez, R. Girshick and J. Malik, Hypercolumns for Object Segmentation and Fine-grained Localization,
CVPR 2015 (arXiv 1411.5752).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor, nn

from assignments_lib.look import SMALL
from assignments_lib.plots.pixels import IGNORE
from assignments_lib.plots.style import BLUE, VERMILION, style
from assignments_lib.segmentation.hypercolumns import Box, Hypercolumns, hypercolumns, similar
from assignments_lib.widgets.controls import Choice, Control, Slider
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.panel import Drawing, Pictures
from assignments_lib.widgets.sheet import Pixels, floats, pixels, sheet, trunk_of, warmed

LAYERS = {
    "low (stage 1)": (0,),
    "middle (stage 2)": (1,),
    "high (stage 4)": (3,),
    "all: a hypercolumn": (0, 1, 2, 3),
}
_ALL = list(LAYERS)[-1]
_MARKS, _APART = 5, 10  # most alike pixels that are marked, and pixels that lie between two of them at least
_LEAST = 150  # pixels of an object that is worth a box
_EVERY = 13  # of so many pixels one is learned from: neighbours are much alike
_RIDGE = 1e-3


class HypercolumnLookup(Demonstration):
    """A pixel of one picture, and how alike all other pixels are, in that picture and in another.

    Args:
        network: a `Trunk`, or a network that has one as its ``trunk``.
        images: (N, 3, H, W), floats in [0, 1] or uint8; the first is the one whose pixels are asked about.
        pixel: the row and column asked about at first; the middle when None.

    Raises:
        ValueError: there are fewer than two pictures.
    """

    title = "Which pixels are alike?"

    def __init__(self, network: nn.Module, images: Tensor, pixel: tuple[int, int] | None = None) -> None:
        if len(images) < 2:
            raise ValueError(
                "HypercolumnLookup needs at least two pictures, one to ask about and one to look in"
            )
        self.trunk = trunk_of(network)
        self.images = floats(images)
        height, width = images.shape[-2:]
        self.pixel = pixel or (height // 2, width // 2)
        self.columns = lru_cache(maxsize=8)(self._new_columns)

    def controls(self) -> Mapping[str, Control]:
        """The pixel, the layers, and the other picture."""
        height, width = self.images.shape[-2:]
        last = len(self.images) - 1
        return {
            "row": Slider(0, height - 1, self.pixel[0], still=height // 5, step=1),
            "column": Slider(0, width - 1, self.pixel[1], still=width // 6, step=1),
            "layers": Choice(tuple(LAYERS), _ALL, still=next(iter(LAYERS))),
            "other_picture": Slider(1, last, 1, still=min(2, last), step=1),
        }

    def _new_columns(self, picture: int, layers: str) -> Tensor:
        height, width = self.images.shape[-2:]
        with torch.no_grad():
            features = self.trunk(self.images[picture : picture + 1])
            return hypercolumns([features[layer] for layer in LAYERS[layers]], (height, width))[0]

    def alike(self, row: int, column: int, layers: str, other_picture: int) -> tuple[Tensor, Tensor]:
        """Cosine similarity with that pixel, of all pixels of the first picture and of the other: (H, W) each."""
        columns = self.columns(0, layers)
        asked = columns[:, row, column, None, None]
        return similar(columns, row, column), F.cosine_similarity(
            self.columns(other_picture, layers), asked, dim=0
        )

    @staticmethod
    def _most(values: Tensor) -> list[tuple[int, int]]:
        """The places with the largest values, from the largest on, none close to one before."""
        left, places = values.clone(), []
        for _ in range(_MARKS):
            row, column = divmod(int(left.argmax()), left.shape[1])
            places.append((row, column))
            left[
                max(0, row - _APART) : row + _APART + 1, max(0, column - _APART) : column + _APART + 1
            ] = -torch.inf
        return places

    def pictures(self, row: int, column: int, layers: str, other_picture: int) -> Pictures:
        """Both pictures, below them the similarities, and the pixels of the other picture that are most alike."""
        row, column, other_picture = int(row), int(column), int(other_picture)
        own, other = self.alike(row, column, layers, other_picture)
        image, second = self.images[0], self.images[other_picture]
        places = [place for place in self._most(other) if other[place] > -torch.inf]
        with style():
            figure, (asked, looked, above, below) = sheet(
                {
                    "the pixel": pixels(image),
                    f"picture {other_picture}: the most alike": pixels(second),
                    "alike: the redder, the more": warmed(image, _stretched(own)),
                    f"picture {other_picture}: alike": warmed(second, _stretched(other)),
                },
                2,
            )
            for axes in (asked, above):
                axes.plot(column, row, "P", color="white", markeredgecolor=BLUE, markersize=10)
            for number, (y, x) in enumerate(places, 1):
                for axes in (looked, below):
                    _number(axes, x, y, number)
        near = float((own > 0.8).float().mean())
        length = len(self.columns(0, layers))
        said = (
            f"{length} numbers for each pixel, compared with those at row {row}, column {column}. In the same picture "
            f"{near:.0%} of the pixels have a cosine similarity above 0.8, and the least is {own.min():.2f}; in "
            f"picture {other_picture} the most is {other.max():.2f}."
        )
        alt = f"Two scenes, and in red how alike their pixels are to one of them; layers: {layers}. {said}"
        return {"two pictures": Drawing(figure, alt, colours=160), "In numbers": said}


@dataclass(frozen=True)
class Boxed:
    """What is predicted inside a box (top, left, height, width): ``inside`` (height, width) bool."""

    box: Box
    inside: Tensor
    found: float  # share of the object's labelled pixels, in the whole picture, that are in the prediction
    right: float  # share of the labelled pixels in the box that are right


class HypercolumnBox(Demonstration):
    """Which pixels inside a given box belong to the object? A linear classifier of each pixel's hypercolumn decides.

    The box comes with its class, as from a detector. A pixel belongs to the object if that class has a higher score
    than the background. All layers' classifiers are learned at the start, in one pass over the pictures to learn
    from, by ridge regression; the network itself doesn't learn.

    Args:
        network: a `Trunk`, or a network that has one as its ``trunk``.
        images: those that are shown: (N, 3, H, W), floats in [0, 1] or uint8.
        masks: (N, H, W), 0 for the background, 255 where there is no label.
        classes: their names.
        learn_from: images and masks to learn from; a hundred take a few seconds.

    Raises:
        ValueError: none of the pictures has an object of 150 pixels or more.
    """

    title = "Hypercolumns inside a given box"

    def __init__(
        self, network: nn.Module, images: Tensor, masks: Tensor, classes: Sequence[str],
        learn_from: tuple[Tensor, Tensor],
    ) -> None:  # fmt: skip
        self.trunk = trunk_of(network)
        self.classes = classes
        found = [_largest(mask.long()) for mask in masks]
        usable = [number for number, each in enumerate(found) if each is not None]
        if not usable:
            raise ValueError(f"none of the {len(images)} pictures has an object of {_LEAST} pixels or more")
        self.images, self.masks = floats(images[usable]), masks[usable].long()
        self.objects = [each for each in found if each is not None]  # (label, the box around it)
        self._square, self._towards = self._summed(floats(learn_from[0]), learn_from[1].long())
        self.segmenter = lru_cache(maxsize=None)(self._new_segmenter)
        self.boxed = lru_cache(maxsize=64)(self._new_boxed)

    def controls(self) -> Mapping[str, Control]:
        """The picture, the layers, and how far the detector's box is off."""
        last = len(self.images) - 1
        names = tuple(LAYERS)
        return {
            "picture": Slider(0, last, 0, still=min(1, last), step=1),
            "layers": Choice(names, _ALL, still="high (stage 4)"),
            "box_moved_by": Slider(-20, 20, 0, still=14, step=2),
        }

    def _summed(self, images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """All that ridge regression has to know of the pictures: sums of x x^T and of x y^T over their pixels.

        x is a pixel's hypercolumn, with a 1 at its end for the bias; y has a 1 for its class. All classes weigh alike.
        """
        counts = torch.bincount(masks.flatten(), minlength=IGNORE + 1)[: len(self.classes)]
        weights = 1 / counts.clamp(min=1)
        size = sum(self.trunk.channels) + 1
        square, towards = torch.zeros(size, size), torch.zeros(size, len(self.classes))
        for image, mask in zip(images, masks, strict=True):
            with torch.no_grad():
                columns = hypercolumns(self.trunk(image[None]), (len(mask), mask.shape[1]))[0]
            labels = mask.flatten()[::_EVERY]
            x = F.pad(columns.flatten(1).T[::_EVERY], (0, 1), value=1.0)[labels != IGNORE]
            labels = labels[labels != IGNORE]
            weighted = x * weights[labels, None]
            square += x.T @ weighted
            towards += weighted.T @ F.one_hot(labels, len(self.classes)).float()
        return square.double(), towards.double()

    def _new_segmenter(self, layers: str) -> Hypercolumns:
        """The classifiers of these layers."""
        used = LAYERS[layers]
        channels = self.trunk.channels
        starts = [sum(channels[:layer]) for layer in range(len(channels) + 1)]
        kept = [number for layer in used for number in range(starts[layer], starts[layer + 1])] + [starts[-1]]
        square, towards = self._square[kept][:, kept], self._towards[kept]
        ridge = _RIDGE * square.trace() / len(kept) * torch.eye(len(kept), dtype=torch.float64)
        solved = torch.linalg.solve(square + ridge, towards).float()
        segmenter = Hypercolumns(self.trunk, len(self.classes), used).eval()
        state = segmenter.state_dict()
        parts = solved[:-1].split([channels[layer] for layer in used])
        for number, part in enumerate(parts):
            state[f"classifiers.{number}.weight"] = part.T[..., None, None]
        state["classifiers.0.bias"] = solved[-1]
        segmenter.load_state_dict(state)
        return segmenter

    def _new_boxed(self, picture: int, layers: str, moved: int) -> Boxed:
        label, (top, left, height, width) = self.objects[picture]
        over = self.images.shape[-1] - width
        box = (top, min(max(left + moved, 0), over), height, width)
        with torch.no_grad():
            scores = self.segmenter(layers)(self.images[picture : picture + 1], box)[0]
        inside = scores[label] > scores[0]
        truth = _cut(self.masks[picture], box)
        known = truth != IGNORE
        hits = int((inside & (truth == label)).sum())
        return Boxed(
            box, inside, hits / int((self.masks[picture] == label).sum()),
            float((inside == (truth == label))[known].float().mean()),
        )  # fmt: skip

    def pictures(self, picture: int, layers: str, box_moved_by: int) -> Pictures:
        """The picture with its box, and what is found inside."""
        picture = int(picture)
        result = self.boxed(picture, layers, int(box_moved_by))
        label, _ = self.objects[picture]
        image, name = self.images[picture], self.classes[label]
        whole = torch.zeros(image.shape[-2:])
        _cut(whole, result.box).copy_(result.inside)
        true = (self.masks[picture] == label).float()
        with style():
            shown: dict[str, Pixels] = {
                "picture, and the box": pixels(image),
                f"truth: {name}": warmed(image, true),
                "found inside the box": warmed(image, whole),
            }
            figure, placed = sheet(shown, 3, width=7.6)
            for axes in placed:
                top, left, height, width = result.box
                axes.add_patch(
                    Rectangle(
                        (left - 0.5, top - 0.5), width, height, fill=False, edgecolor="white", linewidth=3.4
                    )
                )
                axes.add_patch(
                    Rectangle(
                        (left - 0.5, top - 0.5), width, height, fill=False, edgecolor=VERMILION, linewidth=1.8
                    )
                )
        said = (
            f"{result.right:.0%} of the pixels in the box are right; {result.found:.0%} of the {name} is found. "
            "What lies outside the box can't be."
        )
        alt = (
            f"A scene with a box for the {name}, its true pixels in red, and those found in the box, "
            f"by layers {layers}. {said}"
        )
        return {"a box from a detector": Drawing(figure, alt, colours=160), "In numbers": said}


def _stretched(values: Tensor) -> Tensor:
    """From 0, the least, to 1, the most; squared, so that what is most alike stands out."""
    low, high = values.min(), values.max()
    return ((values - low) / (high - low).clamp(min=1e-12)) ** 2


def _number(axes: Axes, x: int, y: int, number: int) -> None:
    around = {"boxstyle": "circle,pad=0.18", "facecolor": "white", "edgecolor": BLUE}
    axes.text(x, y, str(number), ha="center", va="center", fontsize=SMALL, bbox=around, clip_on=True)


def _cut(maps: Tensor, box: Box) -> Tensor:
    top, left, height, width = box
    return maps[..., top : top + height, left : left + width]


def _largest(mask: Tensor) -> tuple[int, Box] | None:
    """The label with the most pixels but for background, with the box around it; None if it has too few."""
    counts = torch.bincount(mask.flatten(), minlength=IGNORE + 1)
    counts[0] = counts[IGNORE] = 0
    label = int(counts.argmax())
    if counts[label] < _LEAST:
        return None
    rows, columns = (mask == label).nonzero().T
    top, left = int(rows.min()), int(columns.min())
    return label, (top, left, int(rows.max()) - top + 1, int(columns.max()) - left + 1)
