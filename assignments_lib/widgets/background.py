"""Computational photography: what is behind a person blurred, swapped or made grey, through a mask."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image, ImageDraw
from torch import Tensor

from assignments_lib.datasets import scenes
from assignments_lib.plots.style import INK, QUIET, new_figure, style
from assignments_lib.widgets.controls import Choice, Control, Slider, Switch
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.panel import Drawing, Pictures

SIDE = 256  # pixels of the photograph
_COLOURS = 100
STRIDE = 32  # pixels between two units of a coarse map
_DETAIL = (8, 66, 96)  # top, left, side of what is shown enlarged: hair, face and the ring of the suit
_BEHIND = 38  # the scene that goes behind the person
_GREY = (0.299, 0.587, 0.114)  # the weights of red, green and blue of ITU-R BT.601

# The outline of the person in scikit-image's "astronaut", with what she wears and holds, traced by hand: column and
# row in halves of that picture's pixels, clockwise from below her right ear.
# fmt: off
_OUTLINE = (
    (340, 242), (326, 228), (316, 204), (309, 172), (308, 140), (316, 115), (343, 90), (373, 77), (387, 62),
    (412, 45), (440, 35), (468, 31), (500, 37), (532, 48), (560, 62), (580, 88), (592, 118), (600, 148), (603, 178),
    (593, 212), (575, 240), (554, 260), (544, 272), (534, 275), (527, 300), (516, 325), (511, 345), (540, 365),
    (570, 395), (592, 428), (606, 462), (630, 478), (660, 498), (685, 530), (697, 560), (708, 600), (718, 645),
    (725, 668), (722, 697), (760, 690), (800, 686), (840, 692), (880, 705), (920, 730), (950, 765), (972, 805),
    (985, 850), (990, 895), (1005, 915), (1016, 950), (1024, 975), (1024, 1024), (62, 1024), (56, 985), (48, 940),
    (52, 900), (42, 840), (40, 800), (48, 750), (51, 700), (53, 668), (64, 640), (72, 600), (85, 570), (100, 530),
    (125, 500), (160, 465), (195, 440), (225, 415), (228, 400), (224, 385), (230, 372), (247, 374), (252, 345),
    (275, 320), (310, 302), (345, 296), (372, 297), (366, 264), (350, 258),
)
# fmt: on


@dataclass(frozen=True)
class Photograph:
    """An image (3, H, W) in [0, 1], the share of each pixel that is in front (H, W), who that is, and a source."""

    image: Tensor
    front: Tensor
    who: str
    words: str

    @classmethod
    def taken(cls) -> Photograph:
        """The photograph that comes with scikit-image; a scene, where that isn't installed."""
        try:
            from skimage.data import astronaut
        except ImportError:
            return cls.painted(
                "scikit-image isn't installed, so a scene stands in for the photograph of a person."
            )
        picture = Image.fromarray(astronaut()).reduce(512 // SIDE)
        mask = Image.new("L", (1024, 1024))
        ImageDraw.Draw(mask).polygon(_OUTLINE, fill=255)
        front = np.asarray(mask.reduce(1024 // SIDE), np.float32) / 255
        return cls(
            _image(np.asarray(picture)),
            torch.from_numpy(front),
            "An astronaut",
            "Photograph: NASA, public domain.",
        )

    @classmethod
    def painted(cls, words: str) -> Photograph:
        """A scene with its own mask."""
        picture, mask = scenes.draw(76, (SIDE, SIDE))
        return cls(_image(picture), torch.from_numpy((mask != 0).astype(np.float32)), "Painted things", words)


class NewBackground(Demonstration):
    """A mask decides which pixels of a photograph stay as they are; the others are blurred, swapped or made grey.

    Args:
        photograph: scikit-image's portrait of an astronaut, with a mask traced by hand, when None.
    """

    title = "Another background, through a mask"

    def __init__(self, photograph: Photograph | None = None) -> None:
        self._given = photograph

    @cached_property
    def photograph(self) -> Photograph:
        """What all settings start from."""
        return self._given or Photograph.taken()

    @cached_property
    def another(self) -> Tensor:
        """The painted background."""
        height, width = self.photograph.front.shape
        return _image(scenes.draw(_BEHIND, (height, width))[0])

    def controls(self) -> dict[str, Control]:
        """What is behind, how blurred it is, how soft the mask's edge is, and whether the mask is a coarse one."""
        return {
            "background": Choice(("its own", "another", "grey"), "its own", still="another"),
            "blur": Slider(0, 12, 5, still=12, step=1),
            "soft_edge": Slider(0, 8, 1, still=6, step=1),
            "rough_mask": Switch(),
        }

    def pictures(self, background: str, blur: int, soft_edge: int, rough_mask: bool) -> Pictures:
        """The photograph with its new background, a part of it enlarged, and the mask."""
        mask = self.mask(rough_mask)
        image = self.composed(background, blur, soft_edge, rough_mask)
        wrong = float((mask != (self.photograph.front > 0.5)).float().mean())
        drawing = _drawn(image, _blurred(mask.float()[None], soft_edge)[0])
        kind = f"a mask known every {STRIDE} pixels only" if rough_mask else "the exact mask"
        alt = (
            f"{self.photograph.who} in front of {_WORDS[background]}, blurred by {blur} px, put together "
            f"through {kind} with an edge {soft_edge} px soft; beside it a part enlarged, and the "
            f"mask. {wrong:.1%} of the pixels are on the wrong side."
        )
        said = (
            f"{float(mask.float().mean()):.0%} of the pixels count as foreground. {wrong:.1%} lie on the wrong side of "
            f"the exact outline. {self.photograph.words}"
        )
        return {"put together": Drawing(drawing, alt, 128), "In numbers": said}

    def mask(self, rough: bool) -> Tensor:
        """(H, W) bool: where the person is; ``rough``: known every 32 pixels only, and enlarged bilinearly."""
        front = self.photograph.front
        if rough:
            coarse = F.avg_pool2d(front[None, None], STRIDE)
            front = F.interpolate(coarse, size=front.shape, mode="bilinear", align_corners=False)[0, 0]
        return front > 0.5

    def composed(self, background: str, blur: int, soft_edge: int, rough_mask: bool) -> Tensor:
        """The photograph with its new background: (3, H, W)."""
        image, mask = self.photograph.image, self.mask(rough_mask).float()[None]
        if background == "another":
            behind = _blurred(self.another, blur)
        else:
            # Only what is behind is averaged, or a halo in the person's colours would surround her.
            weight = 1 - mask + 1e-4
            behind = _blurred(image * weight, blur) / _blurred(weight, blur)
            if background == "grey":
                behind = (behind * torch.tensor(_GREY).view(3, 1, 1)).sum(0, keepdim=True).expand_as(image)
        alpha = _blurred(mask, soft_edge)
        return alpha * image + (1 - alpha) * behind


_WORDS = {"its own": "the same background", "another": "a painted scene", "grey": "the background in grey"}


def _blurred(pictures: Tensor, sigma: float) -> Tensor:
    """(C, H, W), averaged with the weights of a Gaussian of so many pixels; what lies outside continues the border."""
    if sigma == 0:
        return pictures
    reach = math.ceil(3 * sigma)
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    weights = weights / weights.sum()
    padded = F.pad(pictures[:, None], (reach, reach, reach, reach), mode="replicate")
    return F.conv2d(F.conv2d(padded, weights.view(1, 1, 1, -1)), weights.view(1, 1, -1, 1))[:, 0]


def _image(pixels: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 as (3, H, W) in [0, 1]."""
    return torch.tensor(pixels).permute(2, 0, 1).float() / 255


def _few_colours(image: Tensor) -> np.ndarray:
    """(H, W, 3) uint8 in few colours, dithered: a blurred background shows no steps, and its file is made quickly."""
    picture = Image.fromarray((255 * image.clamp(0, 1)).round().byte().permute(1, 2, 0).numpy())
    palette = picture.quantize(_COLOURS, Image.Quantize.MEDIANCUT)
    few = picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    return np.asarray(few.convert("RGB"))


def _drawn(image: Tensor, alpha: Tensor) -> Figure:
    """The picture, and beside it a part enlarged and the mask (H, W)."""
    top, left, side = _DETAIL
    pixels = _few_colours(image)
    with style():
        figure = new_figure(6.2, 4.1)
        whole, detail, mask = figure.subplot_mosaic(
            [["whole", "detail"], ["whole", "mask"]], width_ratios=(2, 1)
        ).values()
        whole.imshow(pixels, interpolation="nearest")
        whole.set_title("put together")
        for line, wide in (("white", 3.0), (INK, 1.2)):
            whole.add_patch(Rectangle((left, top), side, side, fill=False, edgecolor=line, linewidth=wide))
        detail.imshow(pixels[top : top + side, left : left + side], interpolation="nearest")
        detail.set_title("enlarged")
        mask.imshow(alpha.numpy(), cmap="gray", vmin=0, vmax=1)
        mask.set_title("mask: white stays")
        for axes in (whole, detail, mask):
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set(visible=True, color=QUIET)
    return figure
