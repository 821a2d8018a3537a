"""Hypercolumns: what is alike, and what is inside a box."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.models import resnet18

from assignments_lib.trunk import Trunk
from assignments_lib.widgets.lookup import LAYERS, HypercolumnBox, HypercolumnLookup

ALL = "all: a hypercolumn"
CLASSES = ("background", "square", "stripe")


@pytest.fixture(scope="module")
def trunk() -> Trunk:
    torch.manual_seed(0)
    return Trunk.of(resnet18(num_classes=2)).eval()


def drawn(number: int, seed: int) -> tuple[Tensor, Tensor]:
    """Red squares and green stripes somewhere on grey: images uint8, masks."""
    chance = torch.Generator().manual_seed(seed)
    images = torch.randint(90, 120, (number, 3, 48, 64), generator=chance, dtype=torch.uint8)
    masks = torch.zeros(number, 48, 64, dtype=torch.long)
    for image, mask in zip(images, masks, strict=True):
        top, left, tall = (int(torch.randint(3, 20, (), generator=chance)) for _ in range(3))
        image[0, top : top + 20, left : left + 20] = 250
        mask[top : top + 20, left : left + 20] = 1
        image[1, 4 : 10 + tall, 50:58] = 250
        mask[4 : 10 + tall, 50:58] = 2
        mask[:, 49] = 255
    return images, masks


@pytest.fixture(scope="module")
def boxes(trunk: Trunk) -> HypercolumnBox:
    return HypercolumnBox(trunk, *drawn(3, 1), CLASSES, learn_from=drawn(6, 2))


def columns(trunk: Trunk, image: Tensor, layers: tuple[int, ...]) -> Tensor:
    """Pixel by pixel, (H, W, C): an independent way."""
    with torch.no_grad():
        maps = trunk(image[None])
    parts = []
    for layer in layers:
        unit = maps[layer] / maps[layer].square().sum(1, keepdim=True).sqrt()
        parts.append(F.interpolate(unit, image.shape[-2:], mode="bilinear")[0])
    return torch.cat(parts).permute(1, 2, 0)


@pytest.mark.parametrize("layers", LAYERS)
def test_similarity_is_the_cosine_of_two_columns(trunk: Trunk, layers: str) -> None:
    images = drawn(2, 0)[0].float() / 255
    own, other = HypercolumnLookup(trunk, images).alike(20, 31, layers, 1)
    first, second = (columns(trunk, image, LAYERS[layers]) for image in images)
    for values, place in ((own, first[5, 7]), (other, second[5, 7])):
        cosine = torch.dot(first[20, 31], place) / first[20, 31].norm() / place.norm()
        assert float(values[5, 7]) == pytest.approx(float(cosine), abs=1e-4)
    assert float(own[20, 31]) == pytest.approx(1, abs=1e-5)


def test_the_marks_are_the_most_alike_and_lie_apart() -> None:
    values = torch.rand(40, 60, generator=torch.Generator().manual_seed(0))
    values[7, 9], values[7, 10], values[30, 50] = 3.0, 2.9, 2.0
    places = HypercolumnLookup._most(values)
    assert places[:2] == [(7, 9), (30, 50)]
    assert all(max(abs(a - c), abs(b - d)) > 10 for n, (a, b) in enumerate(places) for c, d in places[:n])


def test_moved_controls_change_the_lookup(trunk: Trunk) -> None:
    demonstration = HypercolumnLookup(trunk, drawn(3, 0)[0], pixel=(24, 32))
    first = {name: control.value for name, control in demonstration.controls().items()}
    assert (first["row"], first["column"]) == (24, 32)
    before = demonstration.pictures(**first)["two pictures"]
    for name, control in demonstration.controls().items():
        after = demonstration.pictures(**{**first, name: control.still})["two pictures"]
        assert after.picture.png != before.picture.png, name


@pytest.mark.parametrize("layers", LAYERS)
def test_the_classifier_is_a_weighted_ridge_regression(boxes: HypercolumnBox, layers: str) -> None:
    images, masks = drawn(6, 2)
    counts = torch.bincount(masks.flatten(), minlength=256).double()
    rows, wanted = [], []
    for image, mask in zip(images.float() / 255, masks, strict=True):
        x = columns(boxes.trunk, image, LAYERS[layers]).flatten(0, 1)[::13].double()
        y = mask.flatten()[::13]
        x, y = x[y != 255], y[y != 255]
        scale = counts[y].rsqrt()[:, None]
        rows.append(torch.cat([x, torch.ones(len(x), 1)], 1) * scale)
        wanted.append(F.one_hot(y, 3) * scale)
    a, b = torch.cat(rows), torch.cat(wanted)
    extra = (1e-3 * a.square().sum() / a.shape[1]).sqrt() * torch.eye(a.shape[1])
    solved = torch.linalg.lstsq(torch.cat([a, extra]), torch.cat([b, torch.zeros(len(extra), 3)])).solution
    x = columns(boxes.trunk, boxes.images[0], LAYERS[layers]).double()
    scores = F.pad(x, (0, 1), value=1.0) @ solved
    with torch.no_grad():
        mine = boxes.segmenter(layers)(boxes.images[:1], (4, 6, 30, 40))[0]
    assert torch.allclose(mine.permute(1, 2, 0).double(), scores[4:34, 6:46], atol=2e-3)


def test_what_is_found_inside_the_box(boxes: HypercolumnBox) -> None:
    label, box = boxes.objects[0]
    assert label == 1
    assert box[2:] == (20, 20)
    result = boxes.boxed(0, ALL, 0)
    truth = boxes.masks[0][box[0] : box[0] + 20, box[1] : box[1] + 20] == 1
    assert result.box == box
    assert result.right == pytest.approx(float((result.inside == truth).float().mean()))
    assert result.right > 0.8
    assert result.found == pytest.approx(int(result.inside.sum()) / 400)


def test_what_lies_outside_the_box_is_never_found(boxes: HypercolumnBox) -> None:
    _, (top, left, height, width) = boxes.objects[0]
    for moved in (-20, 14, 20):
        result = boxes.boxed(0, ALL, moved)
        assert result.box == (top, min(max(left + moved, 0), 64 - width), height, width)
        assert result.found <= 1 - abs(result.box[1] - left) / width + 1e-6


def test_moved_controls_change_what_is_found(boxes: HypercolumnBox) -> None:
    first = {name: control.value for name, control in boxes.controls().items()}
    before = boxes.pictures(**first)["a box from a detector"]
    assert "square" in before.alt
    for name, control in boxes.controls().items():
        after = boxes.pictures(**{**first, name: control.still})["a box from a detector"]
        assert after.picture.png != before.picture.png, name


def test_too_little_to_show_is_refused(trunk: Trunk) -> None:
    images, masks = drawn(2, 0)
    with pytest.raises(ValueError, match="at least two pictures"):
        HypercolumnLookup(trunk, images[:1])
    with pytest.raises(ValueError, match="none of the 2 pictures has an object of 150 pixels or more"):
        HypercolumnBox(trunk, images, torch.zeros_like(masks), CLASSES, (images, masks))
