import hashlib
import tarfile
from pathlib import Path

import pytest
import torch
from PIL import Image
from torchvision.datasets import OxfordIIITPet

from assignments_lib.datasets import pets
from assignments_lib.datasets.download import CorruptFileError, DownloadError

BREEDS = {"Abyssinian": 1, "great_pyrenees": 2, "pug": 3}


def make(root: Path, size: tuple[int, int] = (90, 60)) -> Path:
    """A small set in Pet's layout: left third red, the rest green; pugs are only in the test split."""
    base = root / "oxford-iiit-pet"
    (base / "images").mkdir(parents=True)
    (base / "annotations").mkdir()
    picture = Image.new("RGB", size, (0, 200, 0))
    picture.paste((200, 0, 0), (0, 0, size[0] // 3, size[1]))
    lists: dict[str, list[str]] = {"trainval": [], "test": []}
    for breed, number in BREEDS.items():
        for i in range(4):
            picture.save(base / "images" / f"{breed}_{i}.jpg", quality=95)
            split = "test" if breed == "pug" or i == 3 else "trainval"
            lists[split].append(f"{breed}_{i} {number} 1 1")
    for split, lines in lists.items():
        (base / "annotations" / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return base


def test_names_labels_and_splits(tmp_path):
    make(tmp_path)
    train, test = (pets.load(split, root=tmp_path) for split in ("train", "test"))
    assert (
        train.classes == test.classes == ("Abyssinian", "Great Pyrenees", "Pug")
    )  # in both, though no pug trains
    assert train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert test.labels.tolist() == [0, 1, 2, 2, 2, 2]
    assert train.name == "pets"
    assert train.images.shape == (6, 3, 64, 64)


def test_the_middle_is_kept_and_not_squeezed(tmp_path):
    make(tmp_path, (90, 60))
    image = pets.load("train", size=30, root=tmp_path).images[0].float()
    red = (image[0] > image[1]).float().mean(0)  # by column: 30 of 90 are red, the middle 60 columns stay
    assert 7 <= red.sum() <= 8  # half of the 15 that are left; squeezed it would be 10


def test_classes_and_per_class(tmp_path):
    make(tmp_path)
    pictures = pets.load("test", classes=["Pug", "Abyssinian"], per_class=2, root=tmp_path)
    assert pictures.labels.tolist() == [1, 0, 0]


def test_unknown_breed(tmp_path):
    make(tmp_path)
    with pytest.raises(ValueError, match="no class 'pug'; there are Abyssinian, Great Pyrenees, Pug"):
        pets.load("test", classes=["pug"], root=tmp_path)


def test_a_png_named_jpg_is_read_too(tmp_path):
    base = make(tmp_path)
    Image.new("RGBA", (70, 80), (1, 2, 3, 4)).save(base / "images" / "Abyssinian_0.jpg", format="PNG")
    assert pets.load("train", root=tmp_path).images[0, :, 0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("damage", ["not a picture", None])
def test_a_broken_or_missing_photograph(tmp_path, damage):
    path = make(tmp_path) / "images" / "Abyssinian_1.jpg"
    path.unlink()
    if damage:
        path.write_text(damage)
    with pytest.raises(CorruptFileError, match=r"Abyssinian_1\.jpg.*delete .*oxford-iiit-pet and load again"):
        pets.load("train", root=tmp_path)


def test_a_missing_list(tmp_path):
    (make(tmp_path) / "annotations" / "test.txt").unlink()
    with pytest.raises(CorruptFileError, match=r"test\.txt can't be read"):
        pets.load("train", root=tmp_path)


@pytest.fixture
def served(tmp_path, monkeypatch, file_server):
    """The small set as the two official archives, on a server of this machine."""
    base = make(tmp_path / "made")
    resources = []
    for name in ("images", "annotations"):
        archive = tmp_path / f"{name}.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(base / name, name)
        file_server.files[archive.name] = archive.read_bytes()
        resources.append((file_server.url(archive.name), hashlib.md5(archive.read_bytes()).hexdigest()))
    monkeypatch.setattr(OxfordIIITPet, "_RESOURCES", tuple(resources))
    return file_server


def test_downloaded_and_unpacked(served, tmp_path):
    root = tmp_path / "data"
    assert pets.present(root) == ""
    assert len(pets.load("train", root=root)) == 6
    assert len(pets.load("test", root=root)) == 6
    assert [path for path, _ in served.asked] == ["images.tar.gz", "annotations.tar.gz"]
    assert sorted(path.name for path in pets.folder_of(root).iterdir()) == ["annotations", "images"]
    assert pets.present(root).startswith("12 pictures")


def test_a_second_archive_that_failed_is_all_that_is_fetched_again(served, tmp_path):
    lists = served.files.pop("annotations.tar.gz")
    with pytest.raises(DownloadError, match=r"annotations\.tar\.gz"):
        pets.load("train", root=tmp_path / "data")
    served.files["annotations.tar.gz"] = lists
    served.asked.clear()
    assert len(pets.load("train", root=tmp_path / "data")) == 6
    assert [path for path, _ in served.asked] == ["annotations.tar.gz"]


def test_offline(tmp_path, monkeypatch, nowhere):
    monkeypatch.setattr(OxfordIIITPet, "_RESOURCES", ((nowhere + "/images.tar.gz", "0" * 32),))
    with pytest.raises(DownloadError, match="Oxford-IIIT Pet, images") as caught:
        pets.load("train", root=tmp_path)
    assert caught.value.offline


def test_a_real_tree_in_this_layout(shared_data):
    train, test = (pets.load(split, root=shared_data / "pets_layout_standin") for split in ("train", "test"))
    assert train.classes == test.classes == ("Lemur", "Voc Scene", "Crf Object")
    assert train.labels.tolist() == [0, 1, 2, 2]
    assert test.labels.tolist() == [1, 1, 2]
    assert train.images.dtype == torch.uint8
    assert 20 < train.images.float().mean() < 235
