"""U-Net: the paper's own numbers, any size of picture, and a trace that tells the truth."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from assignments_lib.segmentation import UNet, trace


def weights(network: nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


def test_the_papers_network_has_the_papers_numbers() -> None:
    with torch.device("meta"):
        network = UNet(1, 2, padded=False, norm=False)
        assert network(torch.empty(1, 1, 572, 572)).shape == (1, 2, 388, 388)  # figure 1
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    assert len(convolutions) == 23  # section 2
    # The network of figure 1, box by box: (channels in, channels out, kernel) of each layer.
    down = [(1, 64, 3), (64, 64, 3)]
    for c in (64, 128, 256, 512):
        down += [(c, 2 * c, 3), (2 * c, 2 * c, 3)]
    up = []
    for c in (1024, 512, 256, 128):
        up += [(c, c // 2, 2), (c, c // 2, 3), (c // 2, c // 2, 3)]
    wanted = sum(k * k * a * b + b for a, b, k in [*down, *up, (64, 2, 1)])
    assert weights(network) == wanted
    assert wanted / 1e6 == pytest.approx(31.03, abs=0.005)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 3), (8, 8), (33, 47), (80, 112)])
@pytest.mark.parametrize("skips", [True, False])
def test_any_size_comes_back(size: tuple[int, int], skips: bool) -> None:
    network = UNet(3, 5, width=4, depth=3, skips=skips).eval()
    with torch.no_grad():
        assert network(torch.rand(2, 3, *size)).shape == (2, 5, *size)


def test_a_picture_is_extended_by_its_border_and_cut_back() -> None:
    network = UNet(3, 4, width=4, depth=2).eval()
    images = torch.rand(1, 3, 10, 13)
    rows, columns = torch.arange(12).clamp(max=9), torch.arange(16).clamp(max=12)
    with torch.no_grad():
        whole = network(images[:, :, rows][..., columns])
        assert torch.equal(network(images), whole[..., :10, :13])


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("skips", [True, False])
def test_it_learns(norm: bool, skips: bool) -> None:
    network = UNet(2, 3, width=4, depth=2, norm=norm, skips=skips).train()
    network(torch.rand(1, 2, 9, 10)).square().mean().backward()
    assert [name for name, each in network.named_parameters() if each.grad is None] == []


def test_without_padding_what_comes_across_is_its_middle() -> None:
    """A network of depth 1 written out by hand, with the same weights."""
    torch.manual_seed(0)
    network = UNet(1, 2, width=3, depth=1, padded=False, norm=False)
    images = torch.rand(1, 1, 22, 26)
    with torch.no_grad():
        fine = network.down[0](images)  # 18x22
        x = network.enlarge[0](network.down[1](F.max_pool2d(fine, 2)))  # 9x11 -> 5x7 -> 10x14
        joined = torch.cat([fine[:, :, 4:14, 4:18], x], 1)
        wanted = network.score(network.up[0](joined))
        assert wanted.shape == (1, 2, 6, 10)
        assert torch.equal(network(images), wanted)


def test_a_pixel_in_the_middle_sees_no_border_without_padding() -> None:
    """Shifting the picture by 2**depth pixels shifts the logits by as much: nothing in them was invented."""
    network = UNet(1, 2, width=2, depth=2, padded=False, norm=False)
    picture = torch.rand(1, 1, 64, 52)
    with torch.no_grad():
        first, second = network(picture[:, :, :60]), network(picture[:, :, 4:])
    assert first.shape[2] > 8
    assert torch.allclose(first[:, :, 4:], second[:, :, :-4], atol=1e-6)


def test_sizes_that_cannot_be_halved_are_named() -> None:
    network = UNet(1, 2, width=2, depth=4, padded=False)
    message = r"picture of 570x572 can't be halved 4 times without a rest; .* is 572x572"
    with pytest.raises(ValueError, match=message):
        network(torch.rand(1, 1, 570, 572))
    with pytest.raises(ValueError, match=r"picture of 100x188 can't .* is 188x188"):
        network(torch.rand(1, 1, 100, 188))
    with torch.no_grad():
        assert network.eval()(torch.rand(1, 1, 188, 204)).shape == (1, 2, 4, 20)
    with pytest.raises(ValueError, match="must be at least 1"):
        UNet(1, 2, depth=0)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_exactly_the_sizes_that_fit_are_taken(depth: int) -> None:
    network = UNet(1, 1, width=1, depth=depth, padded=False, norm=False).to("meta")

    def fits(side: int) -> bool:
        """Whether torch's own layers run, without any rounding."""
        x, sizes = torch.empty(1, 1, side, side, device="meta"), []
        try:
            for level in range(depth):
                x = network.down[level](x)
                sizes.append(x.shape[2])
                x = F.max_pool2d(x, 2)
            x = network.down[-1](x)
            for enlarge, convolutions in zip(network.enlarge, network.up, strict=True):
                x = enlarge(x)
                x = convolutions(torch.cat([x, x], 1))
        except RuntimeError:
            return False
        return x.shape[2] > 0 and all(size % 2 == 0 for size in sizes)

    def taken(side: int) -> bool:
        try:
            network(torch.empty(1, 1, side, side, device="meta"))
        except ValueError:
            return False
        return True

    sides = range(1, 110)
    assert [side for side in sides if taken(side)] == [side for side in sides if fits(side)] != []


VARIANTS: list[tuple[dict[str, Any], tuple[int, int]]] = [
    ({"padded": False, "depth": 2}, (60, 68)),
    ({"depth": 2}, (16, 24)),
    ({"depth": 3}, (75, 101)),
    ({"depth": 1, "skips": False, "norm": False}, (9, 9)),
]


@pytest.mark.parametrize(("options", "size"), VARIANTS, ids=str)
def test_the_trace_tells_what_really_passes(options: dict[str, Any], size: tuple[int, int]) -> None:
    network = UNet(3, 5, width=4, **options).train()
    steps = trace(network, size)
    made: list[tuple[int, ...]] = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.register_forward_hook(lambda _m, _x, maps: made.append(tuple(maps.shape[1:])))
    logits = network(torch.rand(2, 3, *size))
    shown = [
        (step.channels, step.height, step.width)
        for step in steps
        if step.name in ("convolution", "up-convolution", "scores")
    ]
    assert shown == made
    assert (steps[0].name, steps[0].channels, steps[0].height, steps[0].width) == ("picture", 3, *size)
    assert (steps[-1].channels, steps[-1].height, steps[-1].width) == tuple(logits.shape[1:])
    assert network.training
    assert {each.device.type for each in network.parameters()} == {"cpu"}


@pytest.mark.parametrize(("options", "size"), VARIANTS, ids=str)
def test_the_trace_is_a_u(options: dict[str, Any], size: tuple[int, int]) -> None:
    network = UNet(3, 5, width=4, **options)
    steps = trace(network, size)
    for before, step in pairwise(steps):
        assert step.level - before.level == {"pooling": 1, "up-convolution": -1}.get(step.name, 0)
        if step.name == "pooling":
            assert (step.height, step.width) == (before.height // 2, before.width // 2)
    turn = max(place for place, step in enumerate(steps) if step.level == network.depth)
    assert [step.side for step in steps] == ["down"] * (turn + 1) + ["up"] * (len(steps) - turn - 1)
    skips = [(place, step) for place, step in enumerate(steps) if step.name == "skip"]
    assert len(skips) == network.depth * network.skips
    assert [step for step in steps if step.partner is not None] == [step for _, step in skips]
    for place, step in skips:
        partner = steps[step.partner or 0]
        assert (partner.side, partner.level, partner.name) == ("down", step.level, "convolution")
        assert steps[(step.partner or 0) + 1].name == "pooling"  # the last of its level
        assert step.channels == partner.channels + steps[place - 1].channels


def test_a_trace_says_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="can't be halved"):
        trace(UNet(1, 2, width=2, padded=False), (100, 100))


def test_skips_carry_what_only_the_finest_level_holds() -> None:
    """Noise of single pixels doesn't pass through the coarse levels."""
    images = (torch.rand(8, 1, 16, 16, generator=torch.Generator().manual_seed(0)) > 0.5).float()

    def left_over(skips: bool) -> float:
        torch.manual_seed(1)
        network = UNet(1, 2, width=8, depth=3, skips=skips)
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
        loss = torch.zeros(())
        for _ in range(30):
            loss = F.cross_entropy(network(images), images[:, 0].long())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.item()

    assert left_over(True) < 0.5 * left_over(False)
