"""Every real loader under every fault: a clear message, nothing lost, and the same call works once it is mended.

What covers what (`all` is this file, for each of the seven; a name is that loader's own test file, with more cases):

====================================  ======================================================================
offline; no such file                 all; mirrors and pauses in test_download; stand-ins in test_load(_masks)
download cut short, again and again   all: the rest is fetched the next time; more in test_download
wrong bytes from the server           all; checksums in test_download, cifar10, voc; archives in camvid, nuclei
disk full while downloading           all, on a real small disk; errors of every kind in test_download
disk full while unpacking             all, on a real small disk: the archive stays
data/ is read-only                    all, on a real read-only disk, empty (stand-ins) or with the set on it
no permission to write, or to read    all
the stop button while unpacking       all
a file damaged, missing, half copied  camvid, cifar10, nuclei, pets, pets_masks, quickdraw, voc
embedded sets: cache damaged or older doodles, scenes
embedded sets: cache not writable     below, for each error
====================================  ======================================================================
"""

import errno
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import broken_disk
import pytest
from served_sets import LOADERS, Loaded, serve, unplug

from assignments_lib.datasets import CorruptFileError, DownloadError, doodles, load, load_masks, scenes
from assignments_lib.datasets import download as module

KNOWN_CHECKSUM = ("cifar10", "pets", "pets, masks", "voc")
FULL, FORBIDDEN = (
    r"the disk that holds .* is full: free some space",
    r"ASSIGNMENTS_DATA to a folder of your own",
)


class Set:
    """One real set on the server of this machine, and how to load it."""

    def __init__(self, name: str, server: Any) -> None:
        self.name, self.server = name, server

    def load(self, root: Path) -> Loaded:
        return LOADERS[self.name](root)

    def whole(self, root: Path) -> bool:
        """It loads, and nothing but the set is left in the data folder."""
        left = [path for path in root.rglob("*") if path.is_file() or path.name.startswith(".")]
        rest = [path.name for path in left if path.suffix not in (".png", ".jpg", ".txt", ".npy", ".mat")]
        batches = ("data_batch_", "test_batch", "batches.meta")
        return len(self.load(root)) > 1 - (self.name == "camvid") and not [
            name for name in rest if not name.startswith(batches)
        ]


@pytest.fixture(params=LOADERS)
def real(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_server: Any
) -> Set:
    monkeypatch.setattr(module, "CHUNK", 100)  # what is kept of a broken transfer are whole chunks
    serve(request.param, tmp_path / "made", monkeypatch, file_server)
    return Set(request.param, file_server)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 4 MB."""
    with broken_disk.tiny(tmp_path / "disk", "4m") as place:
        yield place


def test_offline(real: Set, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nowhere: str) -> None:
    root = tmp_path / "data"
    with monkeypatch.context() as patch:
        unplug(real.name, patch, nowhere)
        with pytest.raises(DownloadError, match="is this computer online") as caught:
            real.load(root)
    assert caught.value.offline
    assert f"By hand: save it as {root}" in str(caught.value)
    assert real.load(root)
    assert real.whole(root)


def test_no_such_file(real: Set, tmp_path: Path) -> None:
    files = dict(real.server.files)
    real.server.files.clear()
    with pytest.raises(DownloadError, match="no such file") as caught:
        real.load(tmp_path / "data")
    assert "By hand" in str(caught.value)
    real.server.files.update(files)
    assert real.load(tmp_path / "data")
    assert real.whole(tmp_path / "data")


def test_a_download_that_is_cut_short_again_and_again_goes_on_the_next_time(
    real: Set, tmp_path: Path
) -> None:
    real.server.cuts = [1000, 0, 0, 0]
    with pytest.raises(
        DownloadError, match=r"the connection broke after 1,000 of [\d,]+ bytes; tried 4 times"
    ):
        real.load(tmp_path / "data")
    real.server.asked.clear()
    assert real.load(tmp_path / "data")
    assert "bytes=1000-" in str(real.server.asked)
    assert real.whole(tmp_path / "data")


@pytest.mark.parametrize("wrong", ["another file", "a login page", "nothing"])
def test_wrong_bytes_from_the_server(real: Set, tmp_path: Path, wrong: str) -> None:
    right = dict(real.server.files)
    content = {
        "another file": os.urandom(5000),
        "a login page": b"<html>Please log in</html>",
        "nothing": b"",
    }
    for name in right:
        real.server.files[name] = content[wrong]
    root = tmp_path / "data"
    with pytest.raises((DownloadError, CorruptFileError)) as caught:
        real.load(root)
    said = str(caught.value)
    if real.name in KNOWN_CHECKSUM:
        assert "(damaged, or another file)" in said
    elif real.name == "quickdraw":
        assert "is no Quick, Draw! file" in said
    else:
        assert "delete it and load again" in said
        next(root.rglob("*.zip")).unlink()  # as it says
    assert not [path for path in root.rglob("*") if path.is_file()]
    real.server.files.update(right)
    real.server.etag = '"v2"'
    assert real.load(root)
    assert real.whole(root)


def test_a_full_disk_while_downloading(real: Set, disk: Path) -> None:
    filler = broken_disk.fill(disk)
    with pytest.raises(DownloadError, match=FULL):
        real.load(disk / "data")
    filler.unlink()
    assert real.load(disk / "data")
    assert real.whole(disk / "data")


def test_a_full_disk_while_unpacking(real: Set, disk: Path) -> None:
    first = next(iter(real.server.files.values()))
    filler = broken_disk.fill(disk, leave=len(first) + 16_000)
    with pytest.raises(DownloadError, match=FULL):
        real.load(disk / "data")
    whole = {len(content) for content in real.server.files.values()}
    kept = [path for path in (disk / "data").rglob("*") if path.is_file() and path.stat().st_size in whole]
    asked = len(real.server.asked)
    filler.unlink()
    assert real.load(disk / "data")
    assert real.whole(disk / "data")
    if kept:  # Quick, Draw! is fetched again: it comes in small pieces
        assert len(real.server.asked) - asked < len(real.server.files)
    assert kept or real.name == "quickdraw"


def test_a_disk_that_gets_full_only_when_written_to(
    real: Set, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "fsync", full)
        with pytest.raises(DownloadError, match=FULL):
            real.load(tmp_path / "data")
    assert real.load(tmp_path / "data")
    assert real.whole(tmp_path / "data")


def test_a_read_only_disk_without_the_set(real: Set, disk: Path) -> None:
    with broken_disk.mounted_read_only(disk):
        with pytest.raises(DownloadError, match=FORBIDDEN):
            real.load(disk / "data")
        name, _, masks = real.name.partition(", ")
        kind = load_masks if masks or name in ("camvid", "nuclei", "voc") else load
        few: Any = {"number": 2} if kind is load_masks else {"per_class": 2}
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            pictures = kind(name, "train", root=disk / "data", **few)
    assert pictures.name == ("scenes" if kind is load_masks else "doodles")
    said = [str(each.message) for each in warned]
    assert any(f"{name} can't be had, so these are the embedded" in words for words in said)
    assert any("nothing is lost: they will be drawn again" in words for words in said)


def test_a_read_only_disk_with_the_set_is_as_good_as_any(real: Set, disk: Path) -> None:
    before = real.load(disk / "data")
    asked = len(real.server.asked)
    with broken_disk.mounted_read_only(disk), warnings.catch_warnings():
        warnings.simplefilter("error")
        after = real.load(disk / "data")
    assert after.images.equal(before.images)
    assert len(real.server.asked) == asked


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_no_permission_to_write(real: Set, tmp_path: Path, number: int) -> None:
    root = tmp_path / "data"
    with (
        broken_disk.refused(root, number, reading=False),
        pytest.raises(DownloadError, match=FORBIDDEN),
    ):
        real.load(root)
    assert not root.exists()
    assert real.load(root)
    assert real.whole(root)


def test_no_permission_to_read(real: Set, tmp_path: Path) -> None:
    root = tmp_path / "data"
    before = real.load(root)
    with (
        broken_disk.refused(root, reading=True),
        pytest.raises(CorruptFileError, match=r"data/.* may not be read by this account") as caught,
    ):
        real.load(root)
    assert "delete" not in str(caught.value)
    assert real.load(root).images.equal(before.images)


def test_the_stop_button_while_unpacking(real: Set, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("torchvision.datasets.utils.extract_archive", stopped)
        patch.setattr("numpy.save", stopped)  # what Quick, Draw! does instead
        with pytest.raises(KeyboardInterrupt):
            real.load(tmp_path / "data")
    assert real.load(tmp_path / "data")
    assert real.name == "quickdraw" or len(real.server.asked) == len(real.server.files)
    assert real.whole(tmp_path / "data")


EMBEDDED: dict[str, Callable[[Path], Loaded]] = {
    "doodles": lambda root: doodles.load("train", classes=["cat"], per_class=2, root=root),
    "scenes": lambda root: scenes.load("train", number=2, size=(16, 16), root=root),
}


@pytest.mark.parametrize("name", EMBEDDED)
@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, FULL.replace("the", "The")), (errno.EROFS, FORBIDDEN), (errno.EACCES, FORBIDDEN)],
)
def test_an_embedded_set_is_drawn_all_the_same(tmp_path: Path, name: str, number: int, words: str) -> None:
    drawn = EMBEDDED[name](tmp_path / "elsewhere")
    with (
        broken_disk.refused(tmp_path / "data", number, reading=True),
        pytest.warns(UserWarning, match=f"nothing is lost: they will be drawn again next time. .*{words}"),
    ):
        again = EMBEDDED[name](tmp_path / "data")
    assert again.images.equal(drawn.images)


@pytest.mark.parametrize("name", EMBEDDED)
def test_an_embedded_set_on_a_full_disk(disk: Path, name: str) -> None:
    (disk / name).mkdir()
    filler = broken_disk.fill(disk)
    with pytest.warns(UserWarning, match="The disk that holds .* is full"):
        drawn = EMBEDDED[name](disk)
    assert not list((disk / name).iterdir())
    filler.unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert EMBEDDED[name](disk).images.equal(drawn.images)


@pytest.mark.parametrize("name", EMBEDDED)
def test_the_stop_button_while_a_cache_is_written(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("numpy.savez_compressed", stopped)
    with pytest.raises(KeyboardInterrupt):
        EMBEDDED[name](tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_folder_of_jpegs_without_any(tmp_path: Path) -> None:
    (tmp_path / "cifar10_jpeg" / "train" / "cat").mkdir(parents=True)
    with pytest.raises(CorruptFileError, match=r"cifar10_jpeg/train is no folder of pictures by class"):
        LOADERS["cifar10"](tmp_path)
