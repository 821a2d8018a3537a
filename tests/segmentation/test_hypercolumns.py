"""Hypercolumns against what they are at single pixels, and the sum of classifiers against one on all of it."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor

from assignments_lib.segmentation import Hypercolumns, hypercolumns, similar
from assignments_lib.trunk import Trunk


def maps() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, c, h, w, generator=generator) for c, h, w in ((3, 12, 16), (5, 6, 8), (7, 3, 4))]


@pytest.fixture(scope="module")
def trunk() -> Trunk:
    torch.manual_seed(0)
    return Trunk.of(torchvision.models.resnet18(num_classes=3)).eval()


def test_a_column_is_what_each_map_says_there() -> None:
    features = maps()
    columns = hypercolumns(features, (12, 16))
    assert columns.shape == (2, 3 + 5 + 7, 12, 16)
    vector = features[0][1, :, 4, 9]
    assert torch.allclose(columns[1, :3, 4, 9], vector / vector.norm())  # this map keeps its size
    # A pixel of the finer grid, row 2 i + 1, lies a quarter of the way from unit i to unit i + 1.
    units = features[1][0] / features[1][0].norm(dim=0)
    row, column = 0.75 * units[:, 2] + 0.25 * units[:, 3], (3, 4)
    wanted = 0.75 * row[:, column[0]] + 0.25 * row[:, column[1]]
    assert torch.allclose(columns[0, 3:8, 5, 7], wanted, atol=1e-6)


def test_no_layer_rules_by_large_numbers() -> None:
    features = maps()
    loud = [features[0], 1000 * features[1], features[2]]
    assert torch.allclose(hypercolumns(loud, (24, 32)), hypercolumns(features, (24, 32)), atol=1e-6)


def test_similarity_is_the_cosine_with_one_pixel() -> None:
    columns = hypercolumns(maps(), (12, 16))[0]
    found = similar(columns, 3, 5)
    assert found.shape == (12, 16)
    a, b = columns[:, 3, 5], columns[:, 11, 0]
    assert float(found[11, 0]) == pytest.approx(float(a @ b / (a.norm() * b.norm())), abs=1e-6)
    assert float(found[3, 5]) == pytest.approx(1, abs=1e-6)
    assert float(found.max()) <= 1 + 1e-6


@pytest.mark.parametrize("layers", [(0, 1, 2, 3), (1, 3), (2,)], ids=str)
def test_a_sum_of_small_classifiers_is_one_on_the_whole_column(trunk: Trunk, layers: tuple[int, ...]) -> None:
    network = Hypercolumns(trunk, 4, layers).eval()
    images, (top, left, height, width) = torch.rand(2, 3, 75, 101), (11, 30, 40, 52)
    with torch.no_grad():
        features = trunk(images)
        columns = hypercolumns([features[layer] for layer in layers], (75, 101))
        weight = torch.cat([each.weight for each in network.classifiers], 1)
        wanted = F.conv2d(columns, weight, network.classifiers[0].bias)
        found = network(images, (top, left, height, width))
    assert found.shape == (2, 4, height, width)
    assert torch.allclose(found, wanted[:, :, top : top + height, left : left + width], atol=1e-5)


def test_it_learns_with_its_trunk(trunk: Trunk) -> None:
    network = Hypercolumns(trunk, 2)
    network(torch.rand(1, 3, 64, 64), (0, 0, 64, 64)).square().mean().backward()
    assert [name for name, each in network.named_parameters() if each.grad is None] == []
    network.zero_grad(set_to_none=True)


@pytest.mark.parametrize("box", [(-1, 0, 5, 5), (0, 60, 5, 5), (0, 0, 65, 5), (3, 3, 0, 5)])
def test_a_box_beyond_the_picture_is_named(trunk: Trunk, box: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="isn't inside a picture of 64x64"):
        Hypercolumns(trunk, 2)(torch.rand(1, 3, 64, 64), box)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="at least one feature map"):
        hypercolumns([], (4, 4))
    with pytest.raises(ValueError, match=r"columns must be \(C, H, W\).*not \(1, 2, 3, 4\)"):
        similar(torch.rand(1, 2, 3, 4), 0, 0)
    for pixel in ((3, 0), (0, 4), (-1, 0)):
        with pytest.raises(ValueError, match=r"there is no pixel at row .* of a picture of 3x4"):
            similar(torch.rand(2, 3, 4), *pixel)
