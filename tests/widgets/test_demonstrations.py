"""What all demonstrations promise: every control changes a picture, captions stay, and everything is told in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from assignments_lib import widgets
from assignments_lib.datasets import scenes
from assignments_lib.plots.pixels import png
from assignments_lib.segmentation import UNet
from assignments_lib.segmentation.stage_scores import StageScores
from assignments_lib.trunk import Trunk


def pictures(number: int) -> tuple[Tensor, Tensor]:
    drawn = [scenes.draw(20 + seed) for seed in range(number)]  # 0: its box is at the border, and stays
    images = torch.stack([torch.from_numpy(image).permute(2, 0, 1) for image, _ in drawn]).float() / 255
    return images, torch.stack([torch.from_numpy(mask) for _, mask in drawn]).long()


def network() -> StageScores:
    torch.manual_seed(0)
    return StageScores(Trunk.narrow(8), len(scenes.CLASSES)).eval()


def unet(skips: bool) -> UNet:
    torch.manual_seed(0)
    return UNet(3, 2, width=4, depth=3, skips=skips).eval()


NEEDY: dict[str, Callable[[], widgets.Demonstration]] = {
    "FeatureMaps": lambda: widgets.FeatureMaps(network(), pictures(4)[0]),
    "Fusion": lambda: widgets.Fusion(network(), *pictures(4), scenes.CLASSES),
    "HypercolumnLookup": lambda: widgets.HypercolumnLookup(network(), pictures(4)[0]),
    "HypercolumnBox": lambda: widgets.HypercolumnBox(
        network(), *pictures(4), scenes.CLASSES, learn_from=pictures(12)
    ),
    "Skips": lambda: widgets.Skips(unet(True), unet(False), *(each[..., ::2, ::2] for each in pictures(4))),
}
ALL = [
    name
    for name in widgets.__all__
    if isinstance(thing := getattr(widgets, name), type)
    and issubclass(thing, widgets.Demonstration)
    and thing is not widgets.Demonstration
]


def files(shown: widgets.Pictures) -> dict[str, bytes]:
    """What is seen, as files."""
    return {
        caption: each.picture.png if isinstance(each, widgets.Drawing) else png(each)
        for caption, each in shown.items()
        if not isinstance(each, str)
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_control_changes_a_picture_and_all_is_told_in_words(name: str) -> None:
    shown = NEEDY[name]() if name in NEEDY else getattr(widgets, name)()
    assert shown.title
    controls = shown.controls()
    assert controls
    start = {each: control.value for each, control in controls.items()}
    first = shown.pictures(**start)
    before = files(first)
    assert before
    for each, control in controls.items():
        moved = shown.pictures(**{**start, each: control.still})
        assert moved.keys() == first.keys(), f"{each} changes the captions"
        assert files(moved) != before, f"{each} changes no picture"
        told = [one.alt for one in moved.values() if isinstance(one, widgets.Drawing)]
        assert all(len(alt.split()) >= 8 for alt in told)


def test_there_are_demonstrations_of_every_kind() -> None:
    assert len(ALL) >= 20
    assert NEEDY.keys() <= set(ALL)
