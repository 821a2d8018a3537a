"""Fusion: sums of maps, and what is right about them."""

from __future__ import annotations

import pytest
import torch
from torchvision.models import resnet18

from assignments_lib.segmentation.stage_scores import StageScores
from assignments_lib.trunk import Trunk
from assignments_lib.widgets.fusion import Fusion, Right

CLASSES = ("background", "cat", "apple")


@pytest.fixture(scope="module")
def demonstration() -> Fusion:
    torch.manual_seed(0)
    network = StageScores(Trunk.of(resnet18(num_classes=2)), 3).eval()
    chance = torch.Generator().manual_seed(0)
    images = torch.rand(27, 3, 32, 40, generator=chance)
    masks = torch.randint(3, (27, 32, 40), generator=chance)
    masks[:, 5:7] = 255
    return Fusion(network, images, masks, CLASSES)


def test_each_step_adds_one_map(demonstration: Fusion) -> None:
    with torch.no_grad():
        sums = demonstration.network.partial_sums(demonstration.images[1:2])
        alone = demonstration.network.scores(demonstration.images[1:2])
    for maps in (1, 2, 3):
        summed, newest = demonstration.predicted(maps, 1)
        assert torch.equal(summed, sums[maps - 1][0].argmax(0))
        assert torch.equal(newest, alone[maps - 1][0].argmax(0))


def test_mean_iou_is_that_of_all_pictures(demonstration: Fusion) -> None:
    with torch.no_grad():
        sums = demonstration.network.partial_sums(demonstration.images)
    known = demonstration.masks != 255
    for value, logits in zip(demonstration.mean_ious, sums, strict=True):
        called = logits.argmax(1)
        each = []
        for label in range(3):
            is_, was = (demonstration.masks == label) & known, (called == label) & known
            each.append(float((is_ & was).sum() / (is_ | was).sum()))
        assert value == pytest.approx(sum(each) / 3, abs=1e-6)


def test_right_near_a_border_and_everywhere() -> None:
    mask = torch.zeros(9, 12, dtype=torch.long)
    mask[:, 6:] = 1
    mask[0] = 255
    predicted = mask.clone()
    predicted[:, 6] = 0  # one column too few, right at the border
    predicted[0] = 2  # counts nowhere
    right = Right.of(predicted, mask, 3)
    assert right.everywhere == pytest.approx(1 - 8 / 96)
    # near: two columns on each side, and the two rows below the row without labels
    near = torch.zeros(9, 12, dtype=torch.bool)
    near[1:, 4:8] = near[1:3] = True
    assert right.border == pytest.approx(1 - 8 / int(near.sum()))


def test_all_controls_change_the_picture(demonstration: Fusion) -> None:
    first = {name: control.value for name, control in demonstration.controls().items()}
    before = demonstration.pictures(**first)["one picture"]
    assert before.alt.count("32s") >= 2
    for name, control in demonstration.controls().items():
        after = demonstration.pictures(**{**first, name: control.still})["one picture"]
        assert after.picture.png != before.picture.png, name


def test_pictures_need_their_masks(demonstration: Fusion) -> None:
    with pytest.raises(ValueError, match="don't belong together"):
        Fusion(demonstration.network, demonstration.images, demonstration.masks[:3], CLASSES)
