import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import CIFAR10, OxfordIIITPet

from assignments_lib.datasets import SOURCES, DownloadError, Pictures, doodles, load, quickdraw
from assignments_lib.datasets.convert import resized, with_channels

REAL = [source.name for source in SOURCES.values() if "labels" in source.gives and source.download]


@pytest.fixture
def offline(monkeypatch, nowhere):
    monkeypatch.setattr(quickdraw, "ADDRESSES", (nowhere + "/{}.npy",))
    monkeypatch.setattr(CIFAR10, "url", nowhere + "/cifar.tar.gz")
    monkeypatch.setattr(OxfordIIITPet, "_RESOURCES", ((nowhere + "/images.tar.gz", "0" * 32),))


def test_embedded_needs_nothing_and_says_nothing(offline, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pictures = load("doodles", "train", per_class=2, root=tmp_path)
    assert (pictures.name, pictures.classes) == ("doodles", doodles.CLASSES)
    assert pictures.images.shape == (20, 1, 28, 28)


def test_doodles_are_passed_what_was_asked_for(tmp_path):
    classes = doodles.PRETRAINING_CLASSES[:2]
    pictures = load("doodles", "test", classes=classes, per_class=3, size=48, root=tmp_path, channels=3)
    assert pictures.classes == classes
    assert pictures.images.shape == (6, 3, 48, 48)
    # As quickdraw's are: 28 pixels, then enlarged, which lines drawn at 48 would not look like
    direct = resized(doodles.load("test", classes=classes, per_class=3, root=tmp_path), 48)
    assert pictures.images[:, 1:2].equal(direct.images)


def test_unknown_names_are_answered_with_those_there_are():
    with pytest.raises(ValueError, match="no data set 'mnist'; there are doodles, quickdraw, cifar10, pets"):
        load("mnist", "train")
    with pytest.raises(ValueError, match="no split 'val'; there are train and test"):
        load("quickdraw", "val")
    with pytest.raises(ValueError, match="channels must be 1 or 3, not 4"):
        load("doodles", "train", channels=4)


@pytest.mark.parametrize("name", REAL)
def test_offline_gives_a_warning_and_doodles_of_the_form_expected(offline, tmp_path, name):
    with pytest.warns(UserWarning, match=f"{name} can't be had, so these are the embedded doodles") as caught:
        pictures = load(name, "train", per_class=2, root=tmp_path)
    source = SOURCES[name]
    assert pictures.name == "doodles"
    assert pictures.images.shape == (20, source.channels, source.size, source.size)
    message = str(caught[0].message)
    assert "http://127.0.0.1" in message
    assert str(tmp_path) in message
    assert caught[0].filename == __file__  # it points at the line that asked


@pytest.mark.parametrize("name", REAL)
def test_offline_strict_raises(offline, tmp_path, name):
    with pytest.raises(DownloadError, match="can't be reached"):
        load(name, "train", per_class=2, root=tmp_path, strict=True)


def test_offline_keeps_size_channels_and_classes_where_it_can(offline, tmp_path):
    with pytest.warns(UserWarning, match="embedded doodles"):
        pictures = load(
            "quickdraw", "test", classes=["train", "cat"], per_class=2, size=32, channels=3, root=tmp_path
        )
    assert pictures.classes == ("train", "cat")
    assert pictures.images.shape == (4, 3, 32, 32)
    with pytest.warns(UserWarning, match="embedded doodles"):
        pictures = load("cifar10", "test", classes=["dog", "cat"], per_class=1, root=tmp_path)
    assert pictures.classes == doodles.CLASSES  # no doodle of a dog


def test_a_partly_present_set_is_warned_of_at_the_line_that_asked(offline, shared_data):
    with pytest.warns(UserWarning, match="going on with rainbow, cat, train") as caught:
        pictures = load("quickdraw", "train", per_class=2, root=shared_data)
    assert pictures.name == "quickdraw"
    assert caught[0].filename == __file__


@pytest.mark.parametrize("name", ["quickdraw", "cifar10"])
def test_real_sets_through_the_same_call(offline, shared_data, name):
    classes = ["cat", "train"] if name == "quickdraw" else ["cat", "frog"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pictures = load(name, "test", classes=classes, per_class=5, size=40, channels=1, root=shared_data)
    assert (pictures.name, pictures.classes) == (name, tuple(classes))
    assert pictures.images.shape == (10, 1, 40, 40)
    assert pictures.images.dtype == torch.uint8


def test_every_source_has_a_module_that_can_be_asked(tmp_path):
    for source in SOURCES.values():
        assert callable(source.module.load)
        assert (source.present(tmp_path) != "") == (source.name in ("doodles", "scenes"))


def pictures_of(images: torch.Tensor) -> Pictures:
    return Pictures(images, torch.zeros(len(images), dtype=torch.int64), ("thing",), "made")


def test_grey_becomes_three_channels_without_a_copy():
    grey = pictures_of(torch.randint(0, 256, (4, 1, 8, 8), dtype=torch.uint8))
    colour = with_channels(grey, 3)
    assert colour.images.data_ptr() == grey.images.data_ptr()
    assert all(colour.images[:, i].equal(grey.images[:, 0]) for i in range(3))
    assert with_channels(grey, None) is grey


def test_colour_becomes_grey_as_pillow_does_it():
    colour = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    ours = with_channels(pictures_of(colour), 1).images
    for image, grey in zip(colour, ours, strict=True):
        theirs = np.array(Image.fromarray(image.permute(1, 2, 0).numpy()).convert("L"))
        assert (grey[0].int() - torch.from_numpy(theirs).int()).abs().max() <= 1


@pytest.mark.parametrize("size", [7, 64])
def test_resized_with_antialiasing_as_pillow_does_it(size):
    image = torch.randint(0, 256, (1, 1, 28, 28), dtype=torch.uint8)
    ours = resized(pictures_of(image), size).images[0, 0].int()
    pillow = Image.fromarray(image[0, 0].numpy()).resize((size, size), Image.Resampling.BILINEAR)
    assert (ours - torch.from_numpy(np.array(pillow)).int()).abs().max() <= 1
