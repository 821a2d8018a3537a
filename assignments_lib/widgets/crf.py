"""The dense CRF on a rough mask: what two kernels mend, and what they spoil."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from torch import Tensor

from assignments_lib.datasets import scenes
from assignments_lib.plots.pixels import IGNORE, PALETTE, coloured
from assignments_lib.plots.style import new_figure, style
from assignments_lib.segmentation import DenseCRF
from assignments_lib.widgets.controls import Control, Slider
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.panel import Drawing, Pictures

_SEED = 46  # a scene with a large thing, one that tapers off, and a thin one
_STRIDE = 12  # pixels a unit of the rough mask stands for
_SURE = 6.0  # logit of a unit that lies within one thing
_NOISE = 0.5  # standard deviation, in logits
_LIKELY = 0.1  # a class that is nowhere as likely as this is left out: the time grows with the classes
_WIDTH = 7.2  # inches
_COLOURS = 64  # of the file
_ENLARGED = 3  # a pixel becomes so many, so that an outline is thinner than a pixel


@dataclass(frozen=True)
class Change:
    """What the CRF did to the pixels whose class is known."""

    pixels: int
    right_before: int
    right_after: int
    mended: int  # wrong before, right after
    spoiled: int  # right before, wrong after
    moved: int  # from one wrong class to another

    @property
    def changed(self) -> int:
        """Pixels with another class than before."""
        return self.mended + self.spoiled + self.moved

    @classmethod
    def between(cls, before: Tensor, after: Tensor, truth: Tensor) -> Change:
        """Of masks (H, W) of classes; where ``truth`` is 255 nothing counts."""
        known = truth != IGNORE
        before, after, truth = before[known], after[known], truth[known]
        was, now = before == truth, after == truth
        return cls(
            pixels=len(truth),
            right_before=int(was.sum()),
            right_after=int(now.sum()),
            mended=int((~was & now).sum()),
            spoiled=int((was & ~now).sum()),
            moved=int((~was & ~now & (before != after)).sum()),
        )


class CRF(Demonstration):
    """A rough mask before and after a dense CRF (Krähenbühl and Koltun 2011), with sliders for its kernels.

    Args:
        probabilities: (C, H, W), a network's softmax; when None, the true mask made rough: averaged over squares of
            12 pixels, with a little noise, enlarged bilinearly, as a network of stride 12 might see it at best.
        image: (3, H, W) floats in [0, 1].
        mask: (H, W), the truth: classes, or 255 where it isn't known.
        classes: their names.

    Raises:
        ValueError: only one of image and mask is given, there are probabilities without them, or sizes differ.
    """

    title = "A dense CRF on a rough mask"

    def __init__(
        self,
        probabilities: Tensor | None = None,
        image: Tensor | None = None,
        mask: Tensor | None = None,
        classes: Sequence[str] = scenes.CLASSES,
    ) -> None:
        if (image is None) != (mask is None) or (probabilities is not None and image is None):
            raise ValueError("image and mask belong together, and probabilities need both of them")
        if image is None or mask is None:
            drawn, labels = scenes.draw(_SEED)
            image, mask = torch.from_numpy(drawn).permute(2, 0, 1) / 255, torch.from_numpy(labels)
        if image.shape[1:] != mask.shape:
            raise ValueError(f"image {tuple(image.shape)} and mask {tuple(mask.shape)} differ in size")
        self.image, self.truth, self.classes = image.detach().cpu(), mask.detach().cpu().long(), classes
        if probabilities is None:
            probabilities = _roughened(self.truth, len(classes))
        if probabilities.shape[1:] != mask.shape:
            raise ValueError(
                f"probabilities {tuple(probabilities.shape)} and mask {tuple(mask.shape)} differ in size"
            )
        probabilities = probabilities.detach().cpu().float()
        self.likely = (probabilities.flatten(1).amax(1) >= _LIKELY).nonzero().flatten()
        kept = probabilities[self.likely]
        self.probabilities = kept / kept.sum(0)  # (likely classes, H, W)
        self.rough = self.likely[kept.argmax(0)]  # (H, W)
        self._kernels = lru_cache(maxsize=1)(self._new_kernels)

    def controls(self) -> Mapping[str, Control]:
        """The widths of the kernels, and how often all pixels are asked."""
        return {
            "position": Slider(2, 30, 10, still=20, step=1, on_release=True),
            "colour": Slider(2, 40, 10, still=30, step=1, on_release=True),
            "near": Slider(1, 6, 3, still=6, step=1, on_release=True),
            "iterations": Slider(0, 8, 5, still=1, step=1, on_release=True),
        }

    def refined(self, position: float, colour: float, near: float, iterations: int) -> Tensor:
        """The mask (H, W) after the CRF."""
        marginals = self._kernels(position, colour, near)(self.probabilities, iterations=iterations)
        return self.likely[marginals.argmax(0)]

    def pictures(self, position: float, colour: float, near: float, iterations: int) -> Pictures:
        """Picture, truth, rough mask and refined mask, and how many pixels are right."""
        after = self.refined(position, colour, near, iterations)
        change = Change.between(self.rough, after, self.truth)
        said = (
            f"{change.right_before / change.pixels:.1%} before, {change.right_after / change.pixels:.1%} after. "
            f"The CRF changed {change.changed:,} of {change.pixels:,} pixels: {change.mended:,} became right, "
            f"{change.spoiled:,} became wrong, {change.moved:,} went from one mistake to another."
        )
        by_class = self._by_class(after)
        return {
            "masks": Drawing(
                self._drawn(after),
                f"A scene and three masks of it. Right pixels: {said} {by_class}",
                _COLOURS,
            ),
            "Right pixels": said,
            "Class by class": by_class,
        }

    def _new_kernels(self, position: float, colour: float, near: float) -> DenseCRF:
        return DenseCRF(self.image, position=position, colour=colour, near=near)

    def _by_class(self, after: Tensor) -> str:
        """Of the pixels that are of a class, how many were called so, before and after."""
        parts = []
        for label in self._present():
            own = self.truth == label
            was, now = ((mask[own] == label).float().mean() for mask in (self.rough, after))
            parts.append(f"{self.classes[label]} {was:.0%} → {now:.0%}")
        return "; ".join(parts) + "."

    def _present(self) -> list[int]:
        return [label for label in self.truth.unique().tolist() if label != IGNORE]

    def _drawn(self, after: Tensor) -> Figure:
        height, width = self.truth.shape
        panels = {
            "picture": (self.image.permute(1, 2, 0).clamp(0, 1) * 255).round().byte().numpy(),
            "truth (striped: not labelled)": coloured(self.truth),
            "rough": self._outlined(self.rough),
            "after the CRF": self._outlined(after),
        }
        labels = sorted({*self._present(), *self.rough.unique().tolist(), *after.unique().tolist()})
        with style():
            figure = new_figure(_WIDTH, _WIDTH * height / width + 0.9)
            for index, (name, pixels) in enumerate(panels.items()):
                axes = figure.add_subplot(2, 2, index + 1)
                axes.imshow(pixels, interpolation="nearest")
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(False)
                axes.set_title(name)
            patches = [
                Patch(facecolor=PALETTE[label % len(PALETTE)], edgecolor="black", label=self.classes[label])
                for label in labels
            ]
            figure.legend(handles=patches, loc="outside lower left", ncols=6, handlelength=1.2)
        return figure

    def _outlined(self, mask: Tensor) -> np.ndarray:
        """The mask in its colours, with the truth's outlines in white: what is coloured beyond them is wrong."""
        known = torch.where(self.truth == IGNORE, mask, self.truth)  # no outline around what isn't labelled
        large, labels = (
            np.repeat(np.repeat(each, _ENLARGED, 0), _ENLARGED, 1) for each in (coloured(mask), known.numpy())
        )
        large[:, 1:][labels[:, 1:] != labels[:, :-1]] = 255
        large[1:][labels[1:] != labels[:-1]] = 255
        return large


def _roughened(mask: Tensor, classes: int) -> Tensor:
    """What a network that has a unit for every 12 x 12 pixels might say at best: (classes, H, W) probabilities."""
    known = torch.where(mask == IGNORE, 0, mask)
    shares = F.avg_pool2d(
        F.one_hot(known, classes).permute(2, 0, 1)[None].float(), _STRIDE, ceil_mode=True
    )  # (1, classes, H / 12, W / 12)
    noise = torch.randn(shares.shape, generator=torch.Generator().manual_seed(0))
    logits = _SURE * shares + _NOISE * noise
    return F.interpolate(logits, size=mask.shape, mode="bilinear")[0].softmax(0)
