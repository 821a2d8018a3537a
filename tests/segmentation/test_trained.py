"""The lecture's trainings: what they learn from, that they learn, and that they are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from assignments_lib.datasets import MaskedPictures
from assignments_lib.segmentation import trained


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MaskedPictures:
    """Dark pictures with a bright square each: class 1 on the left, class 2 on the right."""
    monkeypatch.setenv("ASSIGNMENTS_DATA", str(tmp_path))
    monkeypatch.setattr(trained, "BATCH_SIZE", 4)
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 60, (24, 3, 32, 48), generator=generator, dtype=torch.uint8)
    masks = torch.zeros(24, 32, 48, dtype=torch.uint8)
    for number in range(24):
        left = 4 + 24 * (number % 2)
        images[number, :, 8:24, left : left + 16] += 150
        masks[number, 8:24, left : left + 16] = 1 + number % 2
    masks[:, 0] = 255
    return MaskedPictures(images, masks, ("background", "left", "right"), "squares")


def test_halved_pictures_are_means_and_halved_masks_have_old_labels(pictures: MaskedPictures) -> None:
    half = trained.halved(pictures)
    wanted = F.interpolate(pictures.images.double(), scale_factor=0.5, mode="area")
    assert (half.images.double() - wanted).abs().max() <= 0.5
    assert torch.equal(half.masks, pictures.masks[:, ::2, ::2])
    odd = MaskedPictures(pictures.images[..., :31, :47], pictures.masks[:, :31, :47], pictures.classes)
    assert trained.halved(odd).masks.shape == (24, 15, 23)


def test_things_are_one_class_and_what_is_ignored_stays() -> None:
    assert trained.things(torch.tensor([0, 1, 7, 255])).tolist() == [0, 1, 1, 255]


@pytest.mark.slow
@pytest.mark.parametrize("skips", [True, False])
def test_a_u_net_learns_and_is_kept(
    pictures: MaskedPictures, skips: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    network = trained.unet(pictures, pictures, skips=skips, epochs=4)
    assert network.skips is skips
    assert not network.training
    with torch.no_grad():
        guessed = network(pictures.images.float() / 255).argmax(1)
    labelled = pictures.masks != 255
    right = (guessed == trained.things(pictures.masks.long()))[labelled].float().mean()
    assert right > 0.9
    capsys.readouterr()
    again = trained.unet(pictures, pictures, skips=skips, epochs=4)
    assert "Loaded" in capsys.readouterr().out
    assert all(
        torch.equal(a, b)
        for a, b in zip(network.state_dict().values(), again.state_dict().values(), strict=True)
    )


@pytest.mark.slow
def test_all_three_sums_learn(pictures: MaskedPictures) -> None:
    network = trained.stage_scores(pictures, pictures, epochs=6)
    with torch.no_grad():
        sums = network.partial_sums(pictures.images.float() / 255)
    things = (pictures.masks > 0) & (pictures.masks != 255)
    for each in sums:
        right = (each.argmax(1) == pictures.masks)[things].float().mean()
        assert right > 0.7  # who never says a thing has 0, who guesses which of the two a half
