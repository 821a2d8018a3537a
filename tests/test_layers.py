"""The table of two networks' layers tells where they part, whatever style they are written in."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules import module as module_hooks
from torchvision.models import resnet34
from torchvision.models.resnet import BasicBlock, ResNet

from assignments_lib import NotFilledIn
from assignments_lib.layers import side_by_side

PARTED = "<- here they part"


@pytest.fixture
def table(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    def lines(*args: object, **options: object) -> list[str]:
        side_by_side(*args, **options)  # type: ignore[arg-type]
        return capsys.readouterr().out.splitlines()

    return lines


def reference() -> nn.Module:
    """A small network with one residual block that projects."""
    projection = nn.Sequential(nn.Conv2d(4, 8, 1, 2, bias=False), nn.BatchNorm2d(8))
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, 1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        BasicBlock(4, 8, 2, projection),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )


class OwnConv(nn.Module):
    """A convolution by unfolding, with a weight of its own name."""

    def __init__(self, inside: int, outside: int, size: int, stride: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(outside, inside, size, size))
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        outside, _, size, _ = self.kernel.shape
        height, width = (-(-side // self.stride) for side in x.shape[2:])
        columns = F.unfold(x, size, padding=size // 2, stride=self.stride)
        return (self.kernel.view(outside, -1) @ columns).view(-1, outside, height, width)


class OwnNorm(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.offset = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        x = (x - x.mean((0, 2, 3), keepdim=True)) / torch.sqrt(x.var((0, 2, 3), keepdim=True) + 1e-5)
        return x * self.scale + self.offset.view(1, -1, 1, 1)


class OwnLinear(nn.Module):
    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(inside, outside))
        self.offset = nn.Parameter(torch.zeros(outside))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("ni,io->no", x, self.matrix) + self.offset


class Own(nn.Module):
    """The reference in own layers and another order of registration; the shortcut is computed first."""

    def __init__(self) -> None:
        super().__init__()
        self.head = OwnLinear(8, 5)
        self.shortcut = nn.ModuleList([OwnConv(4, 8, 1, 2), OwnNorm(8)])
        self.second = nn.ModuleList([OwnConv(8, 8, 3, 1), OwnNorm(8)])
        self.first = nn.ModuleList([OwnConv(4, 8, 3, 2), nn.BatchNorm2d(8)])
        self.stem = nn.ModuleList([OwnConv(3, 4, 3, 2), OwnNorm(4)])

    def forward(self, x: Tensor) -> Tensor:
        conv, norm = self.stem
        x = torch.relu_(norm(conv(x)))
        conv, norm = self.shortcut
        aside = norm(conv(x))
        conv, norm = self.first
        x = torch.relu(norm(conv(x)))
        conv, norm = self.second
        x = norm(conv(x))
        return self.head(torch.relu(x + aside).mean((2, 3)))


class Functional(nn.Module):
    """The reference in functional calls, all parameters owned by the network itself."""

    def __init__(self) -> None:
        super().__init__()
        shapes = [(8, 4, 1, 1), (4, 3, 3, 3), (8, 4, 3, 3), (8, 8, 3, 3)]
        for name, shape in zip("abcd", shapes, strict=True):
            self.register_parameter(name, nn.Parameter(torch.randn(shape)))
            self.register_parameter(f"{name}_scale", nn.Parameter(torch.ones(shape[0])))
            self.register_parameter(f"{name}_offset", nn.Parameter(torch.zeros(shape[0])))
        self.weight, self.bias = nn.Parameter(torch.randn(5, 8)), nn.Parameter(torch.zeros(5))

    def layer(self, x: Tensor, name: str, stride: int) -> Tensor:
        weight = self.get_parameter(name)
        x = F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)
        scale, offset = self.get_parameter(f"{name}_scale"), self.get_parameter(f"{name}_offset")
        return F.batch_norm(x, None, None, scale, offset, training=True)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.layer(x, "b", 2))
        aside = self.layer(x, "a", 2)
        x = self.layer(torch.relu(self.layer(x, "c", 2)), "d", 1)
        return F.linear(torch.relu(x + aside).mean((2, 3)), self.weight, self.bias)


def test_resnet34_beside_itself_is_the_same_on_one_page(table: Callable[..., list[str]]) -> None:
    lines = table(resnet34(), resnet34())
    assert len(lines) <= 25
    assert lines[-1].endswith("the same")
    total = f"{sum(each.numel() for each in resnet34().parameters()):,}"
    assert lines[-1].count(total) == 2
    assert not any(PARTED in line for line in lines)
    assert max(map(len, lines)) <= 112, "it wraps in a notebook"


def test_every_layer_with_weights_is_counted(table: Callable[..., list[str]]) -> None:
    network = resnet34()
    rows = [line for line in table(network, resnet34()) if re.search(r"conv|linear", line)]
    counts = [int(found[1]) if (found := re.match(r" *(\d+) x", row)) else 1 for row in rows]
    parameters = [int(row.split("|")[0].split()[-1].replace(",", "")) for row in rows]
    assert sum(counts) == sum(isinstance(each, nn.Conv2d | nn.Linear) for each in network.modules())
    total = sum(each.numel() for each in network.parameters())
    assert sum(count * each for count, each in zip(counts, parameters, strict=True)) == total


@pytest.mark.parametrize("style", [Own, Functional])
def test_another_style_is_the_same(style: type[nn.Module], table: Callable[..., list[str]]) -> None:
    lines = table(style(), reference())
    assert lines[-1].endswith("the same"), "\n".join(lines)


def test_products_written_as_sums_over_indices(table: Callable[..., list[str]]) -> None:
    class Pointwise(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.matrix = nn.Parameter(torch.randn(4, 3))

        def forward(self, x: Tensor) -> Tensor:
            return torch.einsum("oc,nchw->nohw", self.matrix, x[:, :, ::2, ::2])

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.matrix, self.offset = nn.Parameter(torch.randn(5, 4)), nn.Parameter(torch.zeros(5))
            self.conv = Pointwise()

        def forward(self, x: Tensor) -> Tensor:
            return torch.einsum("oc,nc->no", self.matrix, self.conv(x).mean((2, 3))) + self.offset

    plain = nn.Sequential(
        nn.Conv2d(3, 4, 1, 2, bias=False), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)
    )
    lines = table(Network(), plain)
    assert lines[-1].endswith("the same"), "\n".join(lines)


def test_a_missing_block_leaves_a_gap_and_the_rest_still_matches(table: Callable[..., list[str]]) -> None:
    lines = table(ResNet(BasicBlock, [3, 4, 5, 3]), resnet34())
    (parted,) = (line for line in lines if PARTED in line)
    assert re.match(r" +2 x +\| conv\+norm 3x3 +256->256", parted)
    after = lines[lines.index(parted) + 1 : -1]
    assert after
    for line in after:
        mine, theirs = line.removesuffix(PARTED)[5:].split("|")
        assert mine.strip() == theirs.strip()
    assert lines[-1].endswith("different")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda net: setattr(net[3].conv1, "bias", nn.Parameter(torch.zeros(8))),
            r"3x3 /2 .* 312 \| .* 304 ",
        ),
        (
            lambda net: setattr(net[3].conv1, "stride", (1, 1)),
            r"3x3  .* 32x32 .*\| conv\+norm 3x3 /2 .* 16x16",
        ),
        (lambda net: net[3].downsample.__delitem__(1), r"conv 1x1 /2 .*\| conv\+norm 1x1 /2"),
        (lambda net: net.__setitem__(6, nn.Linear(8, 10)), r"8->10 .*\| linear .*8->5"),
    ],
    ids=["bias", "stride missing, so that the addition fails", "projection without norm", "classes"],
)
def test_the_first_line_that_differs_is_marked(
    change: Callable[[nn.Module], object], words: str, table: Callable[..., list[str]]
) -> None:
    network = reference()
    change(network)
    lines = table(network, reference())
    (parted,) = (line for line in lines if PARTED in line)
    assert re.search(words, parted), "\n".join(lines)
    assert lines[-1].endswith("different")


def test_dilation_is_told_apart(table: Callable[..., list[str]]) -> None:
    dilated = nn.Conv2d(3, 4, 3, padding=2, dilation=2)
    lines = table(dilated, nn.Conv2d(3, 4, 3, padding=1))
    assert any("3x3 dilation 2" in line and PARTED in line for line in lines)


def test_a_layer_of_no_known_kind_shows_its_parameters(table: Callable[..., list[str]]) -> None:
    class Weird(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(2, 3, 1))

        def forward(self, x: Tensor) -> Tensor:
            return x * self.scale.prod(0)[:, None]

    lines = table(nn.Sequential(Weird(), nn.Conv2d(3, 4, 3)), nn.Conv2d(3, 4, 3), image_size=8)
    (row,) = (line for line in lines if "Weird" in line)
    assert "2x3x1" in row
    assert PARTED in row
    assert row.split("|")[0].split()[-1] == "6"


def test_layers_in_a_plain_list_are_said_not_to_be_registered(table: Callable[..., list[str]]) -> None:
    class Lost(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = [nn.Conv2d(3, 4, 3)]

        def forward(self, x: Tensor) -> Tensor:
            return self.layers[0](x)

    lines = table(Lost(), nn.Sequential(nn.Conv2d(3, 4, 3)))
    assert any("not registered" in line and PARTED in line for line in lines)
    assert lines[-1].split()[:3] == ["total", "0", "|"]


def test_one_layer_used_twice_is_said_to_be(table: Callable[..., list[str]]) -> None:
    layer = nn.Conv2d(3, 3, 3)
    lines = table(nn.Sequential(layer, layer), nn.Sequential(nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3)), 8)
    assert any("used before" in line for line in lines)
    assert lines[-1].endswith("different")


def test_parameters_that_are_never_used_are_named(table: Callable[..., list[str]]) -> None:
    network = resnet34()
    network.spare = nn.Linear(3, 7)
    lines = table(network, resnet34())
    assert "Your forward pass never uses spare (28 parameters)." in lines
    assert lines[-1].endswith("different")


def test_where_a_network_stopped_and_what_ran_before(table: Callable[..., list[str]]) -> None:
    network = resnet34()
    network.layer2[0].conv2 = nn.Conv2d(64, 128, 3, padding=1)
    lines = table(network, resnet34())
    (stopped,) = (line for line in lines if "stopped" in line)
    assert "in layer2.0.conv2 (Conv2d), which was given 128x8x8: RuntimeError" in stopped
    assert "expected input" in stopped
    (first,) = (line for line in lines if "7x7" in line)
    assert first.count("9,536") == 2, "what ran before is shown"
    assert any(PARTED in line for line in lines)
    assert lines[-1].endswith("different")


def test_a_blank_exercise_passes_through(capsys: pytest.CaptureFixture[str]) -> None:
    class Blank(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            raise NotFilledIn("Exercise 1.4 (ResNet34) is not filled in yet")

    with pytest.raises(NotFilledIn, match=r"1\.4"):
        side_by_side(nn.Sequential(nn.Conv2d(3, 3, 1), Blank()), resnet34())
    assert not capsys.readouterr().out
    assert not module_hooks._global_forward_hooks
    assert not module_hooks._global_forward_pre_hooks


def test_both_networks_are_left_as_they_were(table: Callable[..., list[str]]) -> None:
    network, other = resnet34(), reference()
    network.layer1.eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    torch.manual_seed(1)
    table(network, other)
    drawn = torch.rand(2)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(2), drawn)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert network.training
    assert not network.layer1.training
    assert not module_hooks._global_forward_hooks


def test_other_channels_and_sizes(table: Callable[..., list[str]]) -> None:
    grey = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1))
    lines = table(grey, grey, image_size=28, in_channels=1)
    assert "1x28x28" in lines[0]
    assert any("1->4" in line and "28x28" in line for line in lines)
