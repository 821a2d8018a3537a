"""What skips are for: two U-Nets, with and without, and one whose skips are switched off after training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache

import torch
from torch import Tensor, nn

from assignments_lib.plots.pixels import IGNORE
from assignments_lib.plots.style import style
from assignments_lib.segmentation.unet import UNet
from assignments_lib.widgets.controls import Choice, Control, Slider, Switch
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.fusion import BORDER, Right
from assignments_lib.widgets.panel import Drawing, Pictures
from assignments_lib.widgets.sheet import Pixels, classes_of, floats, mistaken, pixels, sheet

NONE, ALL = "none", "all"


class Skips(Demonstration):
    """One picture through two trained U-Nets: one with skips, of which any can be switched off, and one without.

    Args:
        with_skips: a trained U-Net; padded, so that its masks are as large as its pictures.
        without: another, of the same classes, made with ``skips=False``.
        images: (N, 3, H, W), floats in [0, 1] or uint8.
        masks: (N, H, W), the truth; 255 where there is no label. Networks of two classes tell things from the
            background, 0: then all other classes are made one.

    Raises:
        ValueError: the networks aren't one with and one without skips, or images and masks don't belong together.
    """

    title = "A U-Net with skips, and one without"

    def __init__(self, with_skips: UNet, without: UNet, images: Tensor, masks: Tensor) -> None:
        if not with_skips.skips or without.skips:
            raise ValueError("give the U-Net with skips first, and then the one without")
        if not len(images) or images.shape[-2:] != masks.shape[-2:] or len(images) != len(masks):
            raise ValueError(
                f"images {tuple(images.shape)} and masks {tuple(masks.shape)} don't belong together"
            )
        self.with_skips, self.without = with_skips.eval(), without.eval()
        self.images, self.masks = floats(images), masks.long()
        self.num_classes = with_skips.score.out_channels
        if self.num_classes == 2:
            self.masks = torch.where(self.masks == IGNORE, IGNORE, self.masks.clamp(max=1))
        self.levels = [f"level {level}" for level in range(with_skips.depth)]
        self.predicted = lru_cache(maxsize=64)(self._new_prediction)
        self.near_borders = lru_cache(maxsize=16)(self._new_share)

    def controls(self) -> Mapping[str, Control]:
        """The picture, which skip is switched off, and whether mistakes are shown."""
        last = len(self.images) - 1
        return {
            "picture": Slider(0, last, 0, still=min(1, last), step=1),
            "switched_off": Choice((NONE, *self.levels, ALL), NONE, still=self.levels[0]),
            "mistakes": Switch(False),
        }

    def _new_prediction(self, picture: int | None, switched_off: str) -> Tensor:
        """The mask (H, W) of the network with skips, or those of all pictures, (N, H, W)."""
        off = self.levels if switched_off == ALL else [switched_off]
        images = self.images if picture is None else self.images[picture : picture + 1]
        with (
            torch.no_grad(),
            _zeroed(self.with_skips, [self.levels.index(each) for each in off if each != NONE]),
        ):
            masks = self.with_skips(images).argmax(1)
        return masks if picture is None else masks[0]

    def _new_share(self, switched_off: str | None) -> float:
        """Of the pixels near borders, over all pictures, the share that is right; None is the network without skips."""
        if switched_off is not None:
            masks = self._new_prediction(None, switched_off)
        else:
            with torch.no_grad():
                masks = self.without(self.images).argmax(1)
        return Right.of(masks, self.masks, self.num_classes).border

    def pictures(self, picture: int, switched_off: str, mistakes: bool) -> Pictures:
        """Picture, truth, and both networks' masks; and how much of them is right."""
        picture = int(picture)
        image, truth = self.images[picture], self.masks[picture]
        mine = self.predicted(picture, switched_off)
        with torch.no_grad():
            other = self.without(self.images[picture : picture + 1])[0].argmax(0)

        def shown(mask: Tensor) -> Pixels:
            return mistaken(image, mask, truth) if mistakes else classes_of(mask)

        state = {NONE: "with skips", ALL: "with skips, all off"}.get(
            switched_off, f"with skips, {switched_off} off"
        )
        masks = {state: mine, "trained without skips": other}
        what = ": mistakes in red" if mistakes else ""
        true = "truth: things in orange" if self.num_classes == 2 else "truth"
        with style():
            figure, _ = sheet(
                {"picture": pixels(image), true: classes_of(truth)}
                | {name + what: shown(mask) for name, mask in masks.items()},
                2,
            )
        parts = []
        for name, mask in masks.items():
            right = Right.of(mask, truth, self.num_classes)
            parts.append(
                f"{name}: {right.everywhere:.0%} of the pixels are right, {right.border:.0%} near borders"
            )
        said = f"{'; '.join(parts)} (at most {BORDER} pixels away)."
        said = said[0].upper() + said[1:]
        said += (
            f" Near borders over all {len(self.images)} pictures: {state} {self.near_borders(switched_off):.1%}, "
            f"trained without {self.near_borders(None):.1%}."
        )
        alt = f"A scene, its true mask and the {'mistakes' if mistakes else 'masks'} of two U-Nets. {said}"
        return {"one picture, two networks": Drawing(figure, alt, colours=160), "In numbers": said}


@contextmanager
def _zeroed(network: UNet, levels: list[int]) -> Iterator[None]:
    """Within it, what the skips of these levels hand on is 0."""

    def without_skip(_module: nn.Module, given: tuple[Tensor]) -> tuple[Tensor]:
        (x,) = given
        across = x.shape[1] // 2  # what comes across is concatenated first, and is as wide as what comes up
        return (torch.cat([torch.zeros_like(x[:, :across]), x[:, across:]], 1),)

    hooks = [
        network.up[network.depth - 1 - level].register_forward_pre_hook(without_skip) for level in levels
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
