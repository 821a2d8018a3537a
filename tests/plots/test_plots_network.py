"""The picture of a network follows what the network computes, not what its parts are called."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import resnet34, resnet50

from assignments_lib import NotFilledIn, plots
from assignments_lib.plots.tracing import trace


class Functional(nn.Module):
    """An identity block and a projection block: own names, functional calls, additions in place."""

    def __init__(self) -> None:
        super().__init__()
        self.kernels = nn.ParameterList(
            [
                torch.randn(shape)
                for shape in [
                    (8, 1, 3, 3),
                    (8, 8, 3, 3),
                    (8, 8, 3, 3),
                    (16, 8, 3, 3),
                    (16, 16, 3, 3),
                    (16, 8, 1, 1),
                ]
            ]
        )
        self.out = nn.Linear(16, 3)

    def forward(self, images: Tensor) -> Tensor:
        one, two, three, four, five, side = self.kernels
        features = F.conv2d(images, one, padding=1).relu_()
        inner = F.conv2d(F.conv2d(features, two, padding=1).relu_(), three, padding=1)
        inner += features
        features = inner.relu_()
        inner = F.conv2d(F.conv2d(features, four, stride=2, padding=1).relu_(), five, padding=1)
        features = torch.relu(F.conv2d(features, side, stride=2) + inner)
        return self.out(features.mean((2, 3)))


def blocks(model: nn.Module, images: Tensor) -> list[tuple[int, bool]]:
    """For each block, how many layers it has and whether its shortcut is a projection."""
    return [(len(block.convs), block.projection) for block in trace(model, images).blocks]


def test_resnet34_has_its_sixteen_blocks() -> None:
    found = blocks(resnet34(), torch.zeros(1, 3, 64, 64))
    assert [count for count, _ in found] == [2] * 16
    assert [index for index, (_, projection) in enumerate(found) if projection] == [3, 7, 13]


def test_resnet50_has_bottlenecks_and_projects_in_stage_1_too() -> None:
    found = blocks(resnet50(), torch.zeros(1, 3, 64, 64))
    assert [count for count, _ in found] == [3] * 16
    assert [index for index, (_, projection) in enumerate(found) if projection] == [0, 3, 7, 13]


def test_names_and_modules_do_not_matter() -> None:
    assert blocks(Functional(), torch.zeros(1, 1, 28, 28)) == [(2, False), (2, True)]


def test_plain_network_has_no_shortcuts() -> None:
    plain = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3), nn.AdaptiveAvgPool2d(1)
    )
    assert blocks(plain, torch.zeros(1, 1, 28, 28)) == []


def test_every_block_adding_the_stage_input_is_seen() -> None:
    """A mistake that students make: then every shortcut starts at the same place."""

    class Stage(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convs = nn.ModuleList([nn.Conv2d(4, 4, 3, padding=1) for _ in range(3)])

        def forward(self, images: Tensor) -> Tensor:
            features = images
            for conv in self.convs:
                features = conv(features) + images
            return features

    found = trace(Stage(), torch.zeros(1, 4, 8, 8)).blocks
    assert len({block.start for block in found}) == 1
    assert [len(block.convs) for block in found] == [1, 2, 3]


def test_resnet34_picture_tells_its_stages(shown: Any) -> None:
    plots.network(resnet34(), title="ResNet34")
    for words in (
        "34 layers with weights on the main path, 21.8 million parameters",
        "image (3 channels, 224 × 224); stem (7×7, 64, stride 2, 112 × 112); max pool (3×3, stride 2, 56 × 56)",
        "stage 1 (3 blocks of 2 × (3×3, 64), 56 × 56)",
        "stage 3 (6 blocks of 2 × (3×3, 256), 14 × 14)",
        "linear (512 → 1000)",
        "16 blocks with a shortcut: 13 identities and 3 projections",
    ):
        assert words in shown.only.alt
    assert len(shown.only.png) < 60 * 1024


@pytest.mark.parametrize(
    "model", [Functional(), nn.Sequential(nn.Conv2d(1, 4, 3)), nn.Sequential(nn.Identity())]
)
def test_other_networks_are_drawn_too(model: nn.Module, shown: Any) -> None:
    plots.network(model, image_size=(28, 32), in_channels=1)
    assert "28 × 32" in shown.only.alt


def test_drawing_changes_nothing(shown: Any) -> None:
    model = resnet34()
    model.layer1.eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch.manual_seed(1)
    plots.network(model, image_size=32)
    drawn = torch.rand(2)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(2), drawn)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert model.training
    assert not model.layer1.training


def test_blank_network_says_so(shown: Any) -> None:
    class Blank(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            raise NotFilledIn("Exercise 1.4 (ResNet34) is not filled in yet")

    with pytest.raises(NotFilledIn, match=r"1\.4"):
        plots.network(Blank())
    assert not shown
