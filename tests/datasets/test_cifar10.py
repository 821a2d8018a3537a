import hashlib
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import CIFAR10

from assignments_lib.datasets import cifar10
from assignments_lib.datasets.download import CorruptFileError, DownloadError

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def pack(made: Path, monkeypatch: pytest.MonkeyPatch, file_server) -> Path:
    """A small set in the official form, packed as the official archive and served on this machine."""
    folder = made / CIFAR10.base_folder
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    checksums = {}

    def write(name: str, content: object) -> None:
        (folder / name).write_bytes(pickle.dumps(content))
        checksums[name] = hashlib.md5((folder / name).read_bytes()).hexdigest()

    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        data = rng.integers(0, 256, (20, 3072), dtype=np.uint8)
        write(name, {"data": data, "labels": [i % 10 for i in range(20)]})
    write("batches.meta", {"label_names": NAMES})
    archive = made.with_name("made.tar.gz")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, CIFAR10.base_folder)
    file_server.files["cifar.tar.gz"] = archive.read_bytes()
    monkeypatch.setattr(CIFAR10, "url", file_server.url("cifar.tar.gz"))
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    monkeypatch.setattr(
        CIFAR10, "train_list", [[f"data_batch_{i}", checksums[f"data_batch_{i}"]] for i in range(1, 6)]
    )
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", checksums["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": checksums["batches.meta"]})
    return folder


@pytest.fixture
def official(tmp_path, monkeypatch, file_server) -> Path:
    return pack(tmp_path / "made", monkeypatch, file_server)


def test_downloaded_unpacked_and_read(official, tmp_path, file_server):
    root = tmp_path / "data"
    train = cifar10.load("train", root=root)
    assert train.images.shape == (100, 3, 32, 32)
    assert train.classes == tuple(NAMES)
    first = pickle.loads((official / "data_batch_1").read_bytes())
    assert train.images[0].flatten().tolist() == first["data"][0].tolist()  # red, green, blue planes
    assert train.labels[:20].tolist() == first["labels"]
    assert len(cifar10.load("test", root=root)) == 20
    assert len(file_server.asked) == 1
    assert [path.name for path in root.iterdir()] == [CIFAR10.base_folder]
    assert cifar10.present(root).startswith("official batches, 0.4 MB")
    cifar10.fetch(root)
    assert len(file_server.asked) == 1


def test_classes_and_per_class(official, tmp_path):
    pictures = cifar10.load("train", classes=["dog", "cat"], per_class=3, root=tmp_path / "data")
    everything = cifar10.load("train", root=tmp_path / "data")
    assert pictures.classes == ("dog", "cat")
    assert pictures.labels.tolist() == [1, 0] * 3  # a cat (3) comes before a dog (5) in the files
    assert pictures.images[1].equal(everything.images[everything.labels == 5][0])


def test_unknown_class(official, tmp_path):
    with pytest.raises(ValueError, match="no class 'lion'; there are airplane, automobile"):
        cifar10.load("train", classes=["lion"], root=tmp_path / "data")


def test_a_damaged_batch_is_fetched_anew_and_never_opened(official, tmp_path, file_server):
    root = tmp_path / "data"
    cifar10.fetch(root)
    trap = root / CIFAR10.base_folder / "data_batch_2"
    trap.write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR.")
    assert len(cifar10.load("train", root=root)) == 100
    assert not (tmp_path / "ran").exists()
    assert len(file_server.asked) == 2


def test_a_wrong_archive_is_refused(official, tmp_path, monkeypatch):
    monkeypatch.setattr(CIFAR10, "tgz_md5", "0" * 32)
    with pytest.raises(DownloadError, match=r"CIFAR-10 could not.*\n.*its md5 is"):
        cifar10.load("train", root=tmp_path / "data")


def test_archive_put_there_by_hand(official, tmp_path, file_server):
    root = tmp_path / "data"
    root.mkdir()
    (root / CIFAR10.filename).write_bytes(file_server.files["cifar.tar.gz"])
    assert len(cifar10.load("test", root=root)) == 20
    assert file_server.asked == []


def test_offline(tmp_path, monkeypatch, nowhere):
    monkeypatch.setattr(CIFAR10, "url", nowhere + "/cifar.tar.gz")
    with pytest.raises(DownloadError, match=f"save it as {tmp_path / CIFAR10.filename}"):
        cifar10.load("train", root=tmp_path)


def jpeg_tree(root: Path, size: tuple[int, int] = (32, 32)) -> Path:
    for shade, name in ((50, "bird"), (200, "frog")):
        folder = root / "cifar10_jpeg" / "train" / name
        folder.mkdir(parents=True)
        for i in range(3):
            Image.new("RGB", size, (shade, shade, shade)).save(folder / f"{i}.jpg")
    return folder


def test_jpeg_tree(tmp_path):
    jpeg_tree(tmp_path)
    pictures = cifar10.load("train", classes=["frog", "bird"], per_class=2, root=tmp_path)
    assert pictures.images.shape == (4, 3, 32, 32)
    assert [int(image.float().mean().round()) for image in pictures.images] == [50, 50, 200, 200]
    assert pictures.labels.tolist() == [1, 1, 0, 0]
    assert cifar10.present(tmp_path).startswith("6 pictures as JPEG")


def test_jpeg_of_another_size(tmp_path):
    jpeg_tree(tmp_path, (32, 30))
    with pytest.raises(CorruptFileError, match=r"0\.jpg is 32x30 instead of 32x32"):
        cifar10.load("train", root=tmp_path)


def test_broken_jpeg(tmp_path):
    (jpeg_tree(tmp_path) / "1.jpg").write_bytes(b"not a picture")
    with pytest.raises(CorruptFileError, match=r"1\.jpg can't be read"):
        cifar10.load("train", root=tmp_path)


def test_real_pictures(shared_data):
    train, test = (cifar10.load(split, root=shared_data) for split in ("train", "test"))
    assert train.classes == test.classes == tuple(NAMES)
    assert torch.bincount(train.labels).tolist() == [200] * 10
    assert torch.bincount(test.labels).tolist() == [100] * 10
    blue = (train.images[:, 2].float() - train.images[:, 0].float()).mean((1, 2))
    assert blue[train.labels == NAMES.index("ship")].mean() > blue[train.labels == NAMES.index("deer")].mean()
