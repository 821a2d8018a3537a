"""Feature maps, stage by stage: from many small units that see detail to a few large ones that see context."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from assignments_lib.plots.style import style
from assignments_lib.widgets.controls import Choice, Control, Slider, Switch
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.panel import Drawing, Pictures
from assignments_lib.widgets.sheet import floats, pixels, sheet, trunk_of, warmed

STAGES = ("stem", "stage 1", "stage 2", "stage 3", "stage 4")
_ACROSS = 4  # pictures in a row


@dataclass(frozen=True)
class Strongest:
    """The channels of one stage that differ most from place to place, the strongest first.

    Attributes:
        maps: (number, h, w), each from 0 (its least) to 1 (its most).
        channels: their numbers.
        of: how many channels the stage has.
        stride: pixels between neighbouring units.
    """

    maps: Tensor
    channels: list[int]
    of: int
    stride: int


class FeatureMaps(Demonstration):
    """The feature maps of a trunk's stem and its four stages.

    Args:
        network: a `Trunk`, or a network that has one as its ``trunk``.
        images: (N, 3, H, W), floats in [0, 1] or uint8.

    Raises:
        ValueError: there are no pictures.
    """

    title = "Feature maps: what each stage sees"

    def __init__(self, network: nn.Module, images: Tensor) -> None:
        if len(images) < 1:
            raise ValueError("FeatureMaps needs at least one picture")
        self.trunk = trunk_of(network)
        self.images = floats(images)
        self.maps = lru_cache(maxsize=16)(self._new_maps)

    def controls(self) -> Mapping[str, Control]:
        """The stage, the picture, how many channels, and whether they lie over the picture."""
        last = len(self.images) - 1
        return {
            "stage": Choice(STAGES, "stage 1", still="stage 4"),
            "channels": Slider(3, 11, 7, still=3, step=4),
            "picture": Slider(0, last, 0, still=min(1, last), step=1),
            "over_the_picture": Switch(False),
        }

    def _new_maps(self, picture: int) -> list[Tensor]:
        """The maps (C, h, w) of the stem and all stages."""
        with torch.no_grad():
            x = self.images[picture : picture + 1]
            stem = self.trunk.stem(x)
            return [stem[0], *(each[0] for each in self.trunk(x))]

    def strongest(self, stage: str, channels: int, picture: int) -> Strongest:
        """So many channels of the stage, those with the greatest standard deviation over the picture."""
        maps = self.maps(picture)[STAGES.index(stage)]
        chosen = maps.flatten(1).std(1, unbiased=False).topk(min(channels, len(maps))).indices
        kept = maps[chosen]
        low, high = kept.amin((1, 2), keepdim=True), kept.amax((1, 2), keepdim=True)
        stride = 2 ** round(math.log2(self.images.shape[-1] / maps.shape[-1]))
        scaled = (kept - low) / (high - low).clamp(min=1e-12)
        return Strongest(scaled, chosen.tolist(), len(maps), stride)

    def pictures(self, stage: str, channels: int, picture: int, over_the_picture: bool) -> Pictures:
        """The picture and the maps, each unit as a square."""
        found = self.strongest(stage, int(channels), int(picture))
        image = self.images[int(picture)]
        height, width = image.shape[-2:]
        shown = {"picture": pixels(image)}
        for channel, each in zip(found.channels, found.maps, strict=True):
            # The unit nearest to each pixel, so that units are seen as the squares they are
            rows = torch.arange(height) * each.shape[0] // height
            columns = torch.arange(width) * each.shape[1] // width
            large = each[rows][:, columns]  # (H, W)
            shown[f"channel {channel}"] = (
                warmed(image, large)
                if over_the_picture
                else 1 - large.double()[..., None].expand(-1, -1, 3).numpy()
            )
        units = found.maps.shape[-2] * found.maps.shape[-1]
        said = (
            f"{found.of} channels of {found.maps.shape[-2]} × {found.maps.shape[-1]} units, stride {found.stride}: "
            f"{units:,} places for {height * width:,} pixels. Shown are the {len(found.channels)} channels that "
            "differ most from place to place."
        )
        with style():
            figure, _ = sheet(shown, _ACROSS)
        look = "in red over the picture" if over_the_picture else "dark where it is strong"
        alt = f"Picture {int(picture)} and {len(found.channels)} maps of {stage}, each {look}. {said}"
        return {
            "the strongest channels: strong is dark, or red": Drawing(figure, alt, colours=128),
            "In numbers": said,
        }
