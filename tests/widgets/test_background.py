"""Another background, through a mask."""

from __future__ import annotations

import sys

import pytest
import torch
from torchvision.transforms.v2.functional import gaussian_blur

from assignments_lib import widgets
from assignments_lib.widgets.background import SIDE, STRIDE, NewBackground, Photograph, _blurred


@pytest.fixture(scope="module")
def portrait() -> NewBackground:
    return NewBackground()


def square() -> Photograph:
    """White, 64 x 64, in front of black; its left half is 32 wide."""
    front = torch.zeros(64, 64)
    front[:, :32] = 1
    return Photograph(front.expand(3, -1, -1), front, "A white half", "Drawn here.")


def test_the_photograph_and_its_mask_belong_together() -> None:
    pytest.importorskip("skimage")
    photograph = Photograph.taken()
    assert photograph.image.shape == (3, SIDE, SIDE)
    assert photograph.front.shape == (SIDE, SIDE)
    red, _, blue = photograph.image
    orange = (red > 0.7) & (blue < 0.35)  # the suit, and hardly anything behind it
    assert float(photograph.front[orange].mean()) > 0.99
    assert photograph.front[45, 110] == 1  # her face
    assert photograph.front[:, 0].max() == photograph.front[0].max() == 0  # flag and wall
    assert "NASA" in photograph.words


def test_a_scene_stands_in_where_there_is_no_scikit_image(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("skimage", "skimage.data"):
        monkeypatch.setitem(sys.modules, name, None)
    photograph = Photograph.taken()
    assert photograph.image.shape == (3, SIDE, SIDE)
    assert 0 < float(photograph.front.mean()) < 1
    assert "scikit-image isn't installed" in photograph.words


@pytest.mark.parametrize("sigma", [1, 3, 8])
def test_the_blur_is_gaussian(sigma: int) -> None:
    image = torch.rand(3, 70, 80, generator=torch.Generator().manual_seed(0))
    reach = 3 * sigma
    reference = gaussian_blur(image, [2 * reach + 1, 2 * reach + 1], [float(sigma), float(sigma)])
    inside = (..., slice(reach, -reach), slice(reach, -reach))  # the borders are continued in another way
    assert torch.allclose(_blurred(image, sigma)[inside], reference[inside], atol=1e-5)


def test_nothing_blurred_is_the_photograph() -> None:
    demo = NewBackground(square())
    assert torch.allclose(demo.composed("its own", 0, 0, False), demo.photograph.image, atol=1e-6)


@pytest.mark.parametrize("blur", [2, 9])
def test_what_is_in_front_does_not_bleed_into_what_is_behind(blur: int) -> None:
    behind = NewBackground(square()).composed("its own", blur, 0, False)[:, :, 32:]
    assert float(behind.max()) < 0.01


def test_a_soft_edge_mixes_both_sides() -> None:
    demo = NewBackground(square())
    composed, front, behind = demo.composed("another", 0, 4, False), demo.photograph.image, demo.another
    told = ((front - behind).abs() > 0.2).all(0)
    share = ((composed - behind) / (front - behind)).mean(0)  # of what is in front
    for column, low, high in ((10, 0.99, 1.01), (29, 0.6, 0.9), (34, 0.1, 0.4), (54, -0.01, 0.01)):
        there = share[:, column][told[:, column]]
        assert len(there) > 5
        assert low < float(there.min()) <= float(there.max()) < high


def test_grey_has_no_colour_behind_and_all_colours_in_front(portrait: NewBackground) -> None:
    composed, mask = portrait.composed("grey", 0, 0, False), portrait.mask(False)
    behind = composed[:, ~mask]
    assert torch.equal(behind[0], behind[1])
    assert torch.allclose(composed[:, mask], portrait.photograph.image[:, mask])


def test_the_rough_mask_knows_no_more_than_a_coarse_map() -> None:
    photograph = square()
    fine = photograph.front.clone()
    fine[10:20, 40:45] = 1  # smaller than a unit
    rough = NewBackground(Photograph(photograph.image, fine, "A", "B")).mask(True)
    assert not rough[10:20, 40:45].any()
    assert STRIDE == 32
    assert rough[:, :16].all()


def test_each_control_moves_the_picture(portrait: NewBackground) -> None:
    start = {name: control.value for name, control in portrait.controls().items()}
    first = portrait.composed(**start)
    for name, control in portrait.controls().items():
        changed = portrait.composed(**{**start, name: control.still})
        assert float((changed - first).abs().max()) > 0.1, name


def test_the_pictures_say_how_many_pixels_are_wrong(portrait: NewBackground) -> None:
    pictures = portrait.pictures("its own", 5, 1, True)
    wrong = float((portrait.mask(True) != portrait.mask(False)).float().mean())
    assert 0.01 < wrong < 0.2
    assert f"{wrong:.1%}" in pictures["In numbers"]
    assert isinstance(pictures["put together"], widgets.Drawing)
    assert f"{wrong:.1%}" in pictures["put together"].alt
    assert pictures["put together"].picture.png
