"""Scores of three stages, alone and added up."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from assignments_lib.segmentation.stage_scores import StageScores
from assignments_lib.trunk import Trunk


def network() -> StageScores:
    torch.manual_seed(0)
    return StageScores(Trunk.narrow(4), 3).eval()


def test_each_map_is_scored_where_it_is_small_and_then_enlarged() -> None:
    images = torch.rand(2, 3, 45, 70)
    with torch.no_grad():
        net = network()
        scores = net.scores(images)
        maps = net.trunk(images)
    assert [tuple(each.shape) for each in scores] == [(2, 3, 45, 70)] * 3
    for number, (own, each) in enumerate(zip(scores, reversed(maps), strict=False)):
        # The other way round gives the same: enlarge the features, and score each pixel
        large = F.interpolate(each, (45, 70), mode="bilinear")
        layer = net.classifiers[number]
        wanted = torch.einsum("oc,nchw->nohw", layer.weight[:, :, 0, 0], large) + layer.bias.view(-1, 1, 1)
        assert torch.allclose(own, wanted, atol=1e-5)


def test_partial_sums_add_one_map_after_the_other() -> None:
    images = torch.rand(1, 3, 33, 32)
    with torch.no_grad():
        net = network()
        first, second, third = net.scores(images)
        sums = net.partial_sums(images)
        assert torch.equal(sums[0], first)
        assert torch.allclose(sums[1], first + second)
        assert torch.allclose(sums[2], first + second + third)
        assert torch.equal(net(images), sums[2])


def test_all_three_learn_from_the_sums() -> None:
    net = network().train()
    torch.cat(net.partial_sums(torch.rand(2, 3, 40, 40))).square().mean().backward()
    assert all(layer.weight.grad.abs().sum() > 0 for layer in net.classifiers)
