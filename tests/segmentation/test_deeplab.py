"""DeepLab's parts against full convolutions and torchvision's ASPP, and the whole on trunks of all kinds."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn
from torchvision.models.segmentation import deeplabv3

from assignments_lib.segmentation import ASPP, DeepLabV3Plus, SeparableConv2d
from assignments_lib.trunk import Trunk


def weights(network: nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


def stirred(network: nn.Module) -> nn.Module:
    """With statistics and scales that no two BatchNorms share."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values, low in ((module.running_var, 0.5), (module.weight, 0.5), (module.running_mean, -0.5)):
                assert values is not None
                values.data.copy_(torch.rand(values.shape, generator=generator) + low)
            module.bias.data.copy_(torch.rand(module.bias.shape, generator=generator) - 0.5)
    return network.eval()


@pytest.mark.parametrize(("kernel", "dilation"), [(3, 1), (3, 4), (5, 2)])
def test_a_separable_convolution_is_a_full_one_of_products(kernel: int, dilation: int) -> None:
    layer = SeparableConv2d(6, 8, kernel, dilation, bias=True)
    x = torch.rand(2, 6, 11, 14)
    # (8, 6, 1, 1) times (1, 6, k, k): the kernel from one channel to another is the first's own, scaled.
    full = layer.pointwise.weight * layer.depthwise.weight.transpose(0, 1)
    wanted = F.conv2d(x, full, layer.pointwise.bias, padding=dilation * (kernel // 2), dilation=dilation)
    assert torch.allclose(layer(x), wanted, atol=1e-5)
    assert weights(layer) == 6 * kernel**2 + 6 * 8 + 8


def as_torchvisions(aspp: ASPP, in_channels: int, out_channels: int, rates: list[int]) -> nn.Module:
    """torchvision's ASPP with the same weights. Its BatchNorm after the mean is made to do nothing but add the bias."""
    theirs = deeplabv3.ASPP(in_channels, rates, out_channels).eval()
    for mine, other in zip(aspp.branches, theirs.convs[:-1], strict=True):
        other.load_state_dict(mine.state_dict())
    _, convolution, norm, _ = theirs.convs[-1]
    convolution.weight.data.copy_(aspp.whole[1].weight)
    norm.running_var.fill_(1 - norm.eps)
    norm.bias.data.copy_(aspp.whole[1].bias)
    theirs.project[:2].load_state_dict(aspp.mix[:2].state_dict())
    return theirs


@pytest.mark.parametrize("size", [(33, 41), (5, 7), (1, 1)])
def test_aspp_is_torchvisions(size: tuple[int, int]) -> None:
    ours = ASPP(12, 16, (6, 12, 18))
    stirred(ours)
    x = torch.rand(2, 12, *size)
    with torch.no_grad():
        assert torch.allclose(ours(x), as_torchvisions(ours, 12, 16, [6, 12, 18])(x), atol=1e-5)


def test_aspp_has_as_many_parameters_as_torchvisions_but_for_one_norm() -> None:
    with torch.device("meta"):
        ours, theirs = weights(ASPP(512)), weights(deeplabv3.ASPP(512, [6, 12, 18]))
        separable = weights(ASPP(512, separable=True))
    assert theirs - ours == 256  # scale and shift there, a bias here
    assert ours - separable == 3 * (9 * 512 * 256 - (9 * 512 + 512 * 256))


@pytest.mark.parametrize("separable", [False, True])
def test_aspp_trains_on_a_single_picture(separable: bool) -> None:
    aspp = ASPP(4, 8, separable=separable).train()
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):  # why ours is another
        deeplabv3.ASPP(4, [6, 12, 18], 8).train()(torch.rand(1, 4, 3, 5))
    found = aspp(torch.rand(1, 4, 3, 5))
    assert found.shape == (1, 8, 3, 5)
    found.square().mean().backward()
    assert [name for name, each in aspp.named_parameters() if each.grad is None] == []


def test_on_a_small_map_a_large_rate_leaves_only_the_centre() -> None:
    aspp = stirred(ASPP(4, 8, (6,)))
    x = torch.rand(1, 4, 5, 6)
    with torch.no_grad():
        before = aspp(x)
        outer = aspp.branches[1][0].weight
        centre = outer[:, :, 1:2, 1:2].clone()
        outer.zero_()
        outer[:, :, 1:2, 1:2] = centre
        assert torch.allclose(aspp(x), before, atol=1e-6)


def dilated(depth: int) -> Trunk:
    """A trunk of bottlenecks, which torchvision dilates itself."""
    network = torchvision.models.resnet50(
        num_classes=2, replace_stride_with_dilation=[False, depth > 1, depth > 0]
    )
    trunk = Trunk.of(network)
    trunk.strides = (4, 8, 8 if depth > 1 else 16, 8 if depth > 1 else 16)
    return trunk


def plain() -> Trunk:
    return Trunk.of(torchvision.models.resnet18(num_classes=2))


@pytest.mark.parametrize("size", [(1, 1), (33, 47), (80, 112)])
def test_any_size_comes_back(size: tuple[int, int]) -> None:
    network = DeepLabV3Plus(plain(), 5).eval()
    with torch.no_grad():
        assert network(torch.rand(2, 3, *size)).shape == (2, 5, *size)


def rates_of(network: DeepLabV3Plus) -> list[int]:
    found = [module.dilation[0] for module in network.aspp.modules() if isinstance(module, nn.Conv2d)]
    return [rate for rate in found if rate > 1]


@pytest.mark.slow
@pytest.mark.parametrize(("depth", "rates"), [(1, [6, 12, 18]), (2, [12, 24, 36])])
def test_a_dilated_trunk_sets_the_rates(depth: int, rates: list[int]) -> None:
    network = DeepLabV3Plus(dilated(depth), 5).eval()
    seen: list[Tensor] = []
    network.aspp.register_forward_pre_hook(lambda _m, given: seen.append(given[0]))
    with torch.no_grad():
        assert network(torch.rand(1, 3, 65, 97)).shape == (1, 5, 65, 97)
    assert seen[0].shape[2:] == ((5, 7) if depth == 1 else (9, 13))
    assert rates_of(network) == rates


def test_rates_reach_as_far_in_pixels_and_can_be_chosen() -> None:
    assert rates_of(DeepLabV3Plus(plain(), 5)) == [3, 6, 9]  # stride 32
    assert rates_of(DeepLabV3Plus(plain(), 5, (2, 4))) == [2, 4]


def test_it_trains_on_a_single_picture_and_uses_all_it_has() -> None:
    network = DeepLabV3Plus(plain(), 3).train()
    network(torch.rand(1, 3, 64, 96)).square().mean().backward()
    assert [name for name, each in network.named_parameters() if each.grad is None] == []


def test_the_decoder_sees_48_channels_of_the_finest_map() -> None:
    network = DeepLabV3Plus(plain(), 3).eval()
    seen: list[Tensor] = []
    network.decoder.register_forward_pre_hook(lambda _m, given: seen.append(given[0]))
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        network(images)
        fine, *_, coarse = network.trunk(images)
        context = F.interpolate(network.aspp(coarse), size=(16, 24), mode="bilinear", align_corners=False)
        assert torch.allclose(seen[0], torch.cat([context, network.reduce(fine)], 1), atol=1e-6)
    assert seen[0].shape == (1, 256 + 48, 16, 24)
