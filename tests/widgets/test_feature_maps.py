"""Feature maps: the right channels of the right stage."""

from __future__ import annotations

import pytest
import torch
from torchvision.models import resnet18

from assignments_lib.trunk import Trunk
from assignments_lib.widgets.feature_maps import STAGES, FeatureMaps


@pytest.fixture(scope="module")
def demonstration() -> FeatureMaps:
    torch.manual_seed(0)
    chance = torch.Generator().manual_seed(0)
    images = torch.randint(256, (2, 3, 40, 70), generator=chance, dtype=torch.uint8)
    return FeatureMaps(Trunk.of(resnet18(num_classes=2)), images)


@pytest.mark.parametrize(
    ("stage", "channels", "stride"),
    [("stem", 64, 4), ("stage 1", 64, 4), ("stage 2", 128, 8), ("stage 3", 256, 16), ("stage 4", 512, 32)],
)
def test_sizes_and_strides(demonstration: FeatureMaps, stage: str, channels: int, stride: int) -> None:
    found = demonstration.strongest(stage, 3, 0)
    assert (found.of, found.stride) == (channels, stride)
    assert found.maps.shape == (3, -(-40 // stride), -(-70 // stride))
    assert found.maps.amin((1, 2)).tolist() == [0, 0, 0]
    assert found.maps.amax((1, 2)).tolist() == [1, 1, 1]


def test_the_strongest_differ_most_from_place_to_place(demonstration: FeatureMaps) -> None:
    with torch.no_grad():
        maps = demonstration.trunk(demonstration.images[1:])[1][0]
    spread = [float(((each - each.mean()) ** 2).mean()) for each in maps]
    wanted = sorted(range(len(maps)), key=lambda channel: -spread[channel])[:5]
    assert demonstration.strongest("stage 2", 5, 1).channels == wanted


def test_all_controls_change_the_picture(demonstration: FeatureMaps) -> None:
    first = {name: control.value for name, control in demonstration.controls().items()}
    (caption, before), _ = demonstration.pictures(**first).items()
    assert "stride 4" in before.alt
    for name, control in demonstration.controls().items():
        after = demonstration.pictures(**{**first, name: control.still})[caption]
        assert after.picture.png != before.picture.png, name


def test_a_network_with_a_trunk_will_do(demonstration: FeatureMaps) -> None:
    whole = torch.nn.Module()
    whole.trunk = demonstration.trunk
    assert FeatureMaps(whole, demonstration.images).maps(0)[len(STAGES) - 1].shape == (512, 2, 3)
    with pytest.raises(ValueError, match="at least one picture"):
        FeatureMaps(whole, demonstration.images[:0])
