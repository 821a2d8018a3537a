"""Skips: with, without, and switched off."""

from __future__ import annotations

import pytest
import torch

from assignments_lib.segmentation.unet import UNet
from assignments_lib.widgets.fusion import Right
from assignments_lib.widgets.skips import ALL, NONE, Skips, _zeroed


@pytest.fixture(scope="module")
def demonstration() -> Skips:
    torch.manual_seed(0)
    chance = torch.Generator().manual_seed(0)
    images = torch.rand(3, 3, 32, 48, generator=chance)
    masks = torch.randint(5, (3, 32, 48), generator=chance)
    masks[0, 0, 0] = 255
    networks = [UNet(3, 2, width=4, depth=2, skips=skips) for skips in (True, False)]
    for network in networks:
        network.train()(images)  # BatchNorm gets to know the numbers
        with torch.no_grad():  # both classes occur
            logits = network.eval()(images)
            network.score.bias[0] += (logits[:, 1] - logits[:, 0]).median()
    return Skips(*networks, images, masks)


@pytest.mark.parametrize("off", [[], [0], [1], [0, 1]])
def test_switched_off_is_a_network_whose_weights_for_the_skip_are_zero(
    demonstration: Skips, off: list[int]
) -> None:
    network = demonstration.with_skips
    cut = UNet(3, 2, width=4, depth=2)
    cut.load_state_dict(network.state_dict())
    with torch.no_grad():
        for level in off:
            first = cut.up[1 - level][0]
            first.weight[:, : first.in_channels // 2] = 0
        wanted = cut.eval()(demonstration.images)
        before = network(demonstration.images)
        with _zeroed(network, off):
            assert torch.allclose(network(demonstration.images), wanted, atol=1e-5)
        assert torch.equal(network(demonstration.images), before)  # and on again
    assert torch.allclose(wanted, before, atol=1e-5) == (off == [])


def test_the_choice_says_which(demonstration: Skips) -> None:
    network, image = demonstration.with_skips, demonstration.images[:1]
    with torch.no_grad():
        assert torch.equal(demonstration.predicted(0, NONE), network(image)[0].argmax(0))
        with _zeroed(network, [1]):
            assert torch.equal(demonstration.predicted(0, "level 1"), network(image)[0].argmax(0))
        with _zeroed(network, [0, 1]):
            assert torch.equal(demonstration.predicted(0, ALL), network(image)[0].argmax(0))


def test_networks_of_two_classes_tell_things_from_background(demonstration: Skips) -> None:
    assert demonstration.masks.unique().tolist() == [0, 1, 255]


def test_all_controls_change_the_picture(demonstration: Skips) -> None:
    first = {name: control.value for name, control in demonstration.controls().items()}
    before = demonstration.pictures(**first)["one picture, two networks"]
    assert "trained without skips" in before.alt
    for name, control in demonstration.controls().items():
        after = demonstration.pictures(**{**first, name: control.still})["one picture, two networks"]
        assert after.picture.png != before.picture.png, name


def test_the_wrong_way_round_is_refused(demonstration: Skips) -> None:
    with pytest.raises(ValueError, match="with skips first"):
        Skips(demonstration.without, demonstration.with_skips, demonstration.images, demonstration.masks)
    with pytest.raises(ValueError, match="don't belong together"):
        Skips(demonstration.with_skips, demonstration.without, demonstration.images, demonstration.masks[:1])


def test_what_holds_over_all_pictures_is_said_too(demonstration: Skips) -> None:
    masks = torch.stack(
        [demonstration.predicted(number, "none") for number in range(len(demonstration.images))]
    )
    share = Right.of(masks, demonstration.masks, demonstration.num_classes).border
    said = demonstration.pictures(0, "none", False)["In numbers"]
    assert f"over all {len(masks)} pictures: with skips {share:.1%}" in str(said)
