"""The trunk hands out what torchvision's network computes on its way."""

import math

import pytest
import torch
import torchvision

from assignments_lib.trunk import Trunk


@pytest.mark.parametrize("size", [(64, 64), (33, 47), (80, 112)])
def test_four_maps_of_the_sizes_promised(size: tuple[int, int]) -> None:
    trunk = Trunk.of(torchvision.models.resnet18(num_classes=5)).eval()
    with torch.no_grad():
        maps = trunk(torch.rand(2, 3, *size))
    wanted = [
        (2, channels, -(-size[0] // stride), -(-size[1] // stride))
        for channels, stride in zip(trunk.channels, trunk.strides, strict=True)
    ]
    assert [tuple(each.shape) for each in maps] == wanted


def test_the_last_map_is_what_the_head_would_get() -> None:
    network = torchvision.models.resnet34(num_classes=5).eval()
    images = torch.rand(2, 3, 64, 96)
    with torch.no_grad():
        features = Trunk.of(network)(images)[-1]
        assert torch.allclose(network.fc(features.mean((2, 3))), network(images), atol=1e-5)


def test_it_shares_the_networks_weights() -> None:
    network = torchvision.models.resnet18(num_classes=5)
    trunk = Trunk.of(network)
    own = {id(parameter) for parameter in network.parameters()}
    assert {id(parameter) for parameter in trunk.parameters()} < own
    assert trunk.channels == (64, 128, 256, 512)


def test_a_narrow_trunk_keeps_what_a_trunk_promises() -> None:
    trunk = Trunk.narrow(8).eval()
    assert trunk.channels == (8, 16, 32, 64)
    with torch.no_grad():
        maps = trunk(torch.rand(1, 3, 81, 113))
    for map_, channels, stride in zip(maps, trunk.channels, trunk.strides, strict=True):
        assert map_.shape == (1, channels, math.ceil(81 / stride), math.ceil(113 / stride))
    assert sum(parameter.numel() for parameter in Trunk.narrow().parameters()) == pytest.approx(
        1.2e6, rel=0.05
    )
    with pytest.raises(ValueError, match="at least 1 channel, not 0"):
        Trunk.narrow(0)
