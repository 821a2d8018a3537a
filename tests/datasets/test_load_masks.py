import warnings

import pytest
import torch
from torchvision.datasets import OxfordIIITPet

from assignments_lib.datasets import (
    SOURCES,
    DownloadError,
    MaskedPictures,
    camvid,
    load,
    load_masks,
    nuclei,
    pets_masks,
    voc,
)

scenes = pytest.importorskip("assignments_lib.datasets.scenes", reason="the embedded scenes aren't there yet")
REAL = ["camvid", "nuclei", "pets", "voc"]


@pytest.fixture
def offline(monkeypatch, nowhere):
    monkeypatch.setattr(camvid, "ADDRESSES", (nowhere + "/camvid.zip",))
    monkeypatch.setattr(nuclei, "ADDRESSES", (nowhere + "/stage1_train.zip",))
    monkeypatch.setattr(OxfordIIITPet, "_RESOURCES", ((nowhere + "/images.tar.gz", "0" * 32),))
    monkeypatch.setattr(voc, "ADDRESSES", (nowhere + "/voc.tar",))
    monkeypatch.delenv(voc.ORIGIN, raising=False)


def test_embedded_needs_nothing_and_says_nothing(offline, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pictures = load_masks("scenes", "train", number=3, root=tmp_path)
    assert isinstance(pictures, MaskedPictures)
    assert (pictures.name, len(pictures)) == ("scenes", 3)


def test_every_set_that_gives_masks_is_known_and_says_so():
    found = {source.name: source for source in SOURCES.values() if "masks" in source.gives}
    assert sorted(found) == sorted(["scenes", *REAL])
    assert {name: source.stand_ins for name, source in found.items()} == {
        **dict.fromkeys(found, "scenes"),
        "pets": "doodles or scenes",
    }


def test_a_set_that_gives_both_has_a_module_for_each():
    pets = SOURCES["pets"]
    assert pets.module_for("labels") is pets.module
    assert pets.module_for("masks") is pets_masks
    for name in ("scenes", "camvid", "nuclei", "voc"):
        assert SOURCES[name].module_for("masks") is SOURCES[name].module


def test_unknown_names_are_answered_with_those_there_are():
    with pytest.raises(ValueError, match="no data set 'ade20k'; there are pets, scenes, camvid, nuclei, voc"):
        load_masks("ade20k", "train")
    with pytest.raises(ValueError, match="no split 'trainval'; there are train and test"):
        load_masks("camvid", "trainval")
    with pytest.raises(ValueError, match=r"size must be height and width, \(96, 128\) for example, not 64"):
        load_masks("camvid", "train", size=64)


def test_the_wrong_kind_is_answered_with_the_right_call():
    with pytest.raises(
        ValueError, match=r"camvid gives masks, not labels: load_masks\('camvid', \.\.\.\) loads it"
    ):
        load("camvid", "train")
    with pytest.raises(
        ValueError, match=r"cifar10 gives labels, not masks: load\('cifar10', \.\.\.\) loads it.* scenes"
    ):
        load_masks("cifar10", "train")


@pytest.mark.parametrize("name", REAL)
def test_offline_gives_a_warning_and_scenes_of_the_form_asked_for(offline, tmp_path, name):
    with pytest.warns(UserWarning, match=f"{name} can't be had, so these are the embedded scenes") as caught:
        pictures = load_masks(name, "test", size=(48, 64), number=2, root=tmp_path)
    assert (pictures.name, pictures.images.shape) == ("scenes", (2, 3, 48, 64))
    message = str(caught[0].message)
    assert "http://127.0.0.1" in message
    assert str(tmp_path) in message
    assert caught[0].filename == __file__  # it points at the line that asked


@pytest.mark.parametrize("name", REAL)
def test_offline_strict_raises(offline, tmp_path, name):
    with pytest.raises(DownloadError, match="can't be reached"):
        load_masks(name, "train", root=tmp_path, strict=True)


def test_pets_are_two_sets_in_one(offline, shared_data):
    root = shared_data / "pets_layout_standin"
    named, masked = load("pets", "test", root=root), load_masks("pets", "test", root=root)
    assert (named.name, named.images.shape, named.labels.tolist()) == ("pets", (3, 3, 64, 64), [1, 1, 2])
    assert (masked.name, masked.images.shape) == ("pets", (3, 3, *pets_masks.SIZE))
    assert masked.classes == ("background", "pet")


@pytest.mark.parametrize("name", ["camvid", "nuclei"])
def test_real_sets_through_the_same_call(offline, shared_data, name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pictures = load_masks(name, "test", size=[40, 50], number=3, root=shared_data)
    assert (pictures.name, pictures.images.shape, pictures.masks.dtype) == (name, (3, 3, 40, 50), torch.uint8)
