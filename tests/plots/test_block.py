"""The picture of a residual block follows what the block computes."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import resnet34
from torchvision.models.resnet import BasicBlock

from assignments_lib import NotFilledIn, plots


def projection() -> nn.Module:
    return nn.Sequential(nn.Conv2d(64, 128, 1, 2, bias=False), nn.BatchNorm2d(128))


def order(alt: str) -> list[str]:
    """The operations of a description, in the order in which they are named."""
    return re.findall(r"\d×\d convolution|\w*Norm|ReLU|identity|added", alt.split(": ", 1)[1])


class OwnNorm(nn.Module):
    """BatchNorm written out by hand."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale, self.offset = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        mean, variance, scale, offset = (
            each[:, None, None] for each in (self.mean, self.variance, self.scale, self.offset)
        )
        return (x - mean) / torch.sqrt(variance + 1e-5) * scale + offset


class Own(nn.Module):
    """A block in functional calls; ``early`` puts its last ReLU before the addition."""

    def __init__(self, early: bool) -> None:
        super().__init__()
        self.early = early
        self.one, self.two = (nn.Parameter(torch.randn(64, 64, 3, 3)) for _ in range(2))
        self.norms = nn.ModuleList([OwnNorm(64), OwnNorm(64)])

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.norms
        y = torch.relu(first(F.conv2d(x, self.one, padding=1)))
        y = second(F.conv2d(y, self.two, padding=1))
        return x + F.relu(y) if self.early else F.relu(x + y)


CONVS_AND_NORMS = ["3×3 convolution", "BatchNorm", "ReLU", "3×3 convolution", "BatchNorm"]


def test_the_order_of_torchvisions_block(shown: Any) -> None:
    plots.residual_block(BasicBlock(64, 64), 64)
    assert order(shown.only.alt) == [*CONVS_AND_NORMS, "identity", "added", "ReLU"]
    assert "64 × 56 × 56" in shown.only.alt


def test_a_projection_has_its_own_convolution_and_norm(shown: Any) -> None:
    plots.residual_block(BasicBlock(64, 128, 2, projection()), 64, size=30)
    assert order(shown.only.alt) == [*CONVS_AND_NORMS, "1×1 convolution", "BatchNorm", "added", "ReLU"]
    assert "128 output channels and stride 2" in shown.only.alt
    assert "output has size 128 × 15 × 15" in shown.only.alt


@pytest.mark.parametrize("early", [True, False])
def test_a_relu_before_the_addition_is_drawn_there(early: bool, shown: Any) -> None:
    plots.residual_block(Own(early), 64, size=8)
    found = order(shown.only.alt)
    assert found.index("added") - found[3:].index("ReLU") - 3 == (2 if early else -1)
    assert found[:2] == ["3×3 convolution", "OwnNorm"], (
        "a norm written by hand is one operation, with its name"
    )
    assert found.count("OwnNorm") == 2


def test_operations_before_the_split_stay_before_it(shown: Any) -> None:
    class PreActivation(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.conv = nn.BatchNorm2d(8), nn.Conv2d(8, 8, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            x = torch.relu(self.norm(x))
            return self.conv(x) + x

    plots.residual_block(PreActivation(), 8, size=8)
    assert "goes through BatchNorm, then ReLU, and the result goes through 3×3" in shown.only.alt
    assert "nothing follows" in shown.only.alt


def test_a_block_without_a_shortcut_says_so(shown: Any) -> None:
    plots.residual_block(nn.Sequential(nn.Conv2d(8, 4, 3), nn.ReLU()), 8, size=8)
    assert "There is no shortcut" in shown.only.alt


def test_two_side_by_side_make_one_small_picture(shown: Any) -> None:
    first, second = BasicBlock(64, 64), BasicBlock(64, 128, 2, projection())
    plots.residual_blocks({"with identity": first, "with projection": second}, 64, title="Two blocks")
    assert all(words in shown.only.alt for words in ("Two blocks", "with identity:", "with projection:"))
    assert len(shown.only.png) < 60_000
    plots.residual_block(first, 64, title="with identity")
    assert shown[0].image.width > 1.8 * shown[1].image.width


def test_what_is_drawn_stays_inside_the_picture(shown: Any) -> None:
    block = BasicBlock(256, 512, 2, nn.Sequential(nn.Conv2d(256, 512, 1, 2), nn.BatchNorm2d(512)))
    plots.residual_block(block, 256, size=224)
    image = shown.only.image
    wide, high = image.size
    border = [image.getpixel((x, y)) for x in (0, wide - 1) for y in range(high)]
    border += [image.getpixel((x, y)) for y in (0, high - 1) for x in range(wide)]
    assert set(border) == {(255, 255, 255)}


def test_drawing_changes_nothing(shown: Any) -> None:
    block = BasicBlock(8, 8)
    before = {name: tensor.clone() for name, tensor in block.state_dict().items()}
    plots.residual_block(block, 8, size=8)
    assert all(torch.equal(before[name], tensor) for name, tensor in block.state_dict().items())
    assert block.training
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in block.modules())


def test_a_stage_is_refused(shown: Any) -> None:
    with pytest.raises(ValueError, match="added 3 times"):
        plots.residual_block(resnet34().layer1, 64)
    with pytest.raises(ValueError, match="no block"):
        plots.residual_blocks({}, 64)
    assert not shown


def test_a_blank_block_says_so(shown: Any) -> None:
    class Blank(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise NotFilledIn("Exercise 1.2 (BasicBlock) is not filled in yet")

    with pytest.raises(NotFilledIn, match=r"1\.2"):
        plots.residual_block(Blank(), 64)
    assert not shown


def test_an_operation_unknown_to_the_drawing_goes_by_torchs_name(shown: Any) -> None:
    class Tanh(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.tanh(x) + x

    plots.residual_block(Tanh(), 8, size=8)
    assert "goes through tanh; the identity shortcut" in shown.only.alt
