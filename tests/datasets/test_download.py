import errno
import hashlib
import os
import tarfile
import zipfile
from base64 import b64encode
from pathlib import Path

import pytest

from assignments_lib.datasets import download as module
from assignments_lib.datasets.download import CorruptFileError, DownloadError, download, unpack

BODY = bytes(range(256)) * 2000  # half a megabyte
MD5 = hashlib.md5(BODY).hexdigest()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "thing.bin"


@pytest.fixture
def server(file_server, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 100)  # what is kept of a broken transfer are whole chunks
    file_server.files["thing.bin"] = BODY
    return file_server


def only_target_is_left(target: Path) -> bool:
    return os.listdir(target.parent) == [target.name]


def test_whole_file(server, target):
    found = download([server.url("thing.bin")], target, md5=MD5, size=len(BODY))
    assert found == target
    assert target.read_bytes() == BODY
    assert only_target_is_left(target)


def test_sha256(server, target):
    download([server.url("thing.bin")], target, sha256=hashlib.sha256(BODY).hexdigest().upper())
    assert target.read_bytes() == BODY


def test_a_file_already_there_is_kept_when_its_checksum_is_right(server, target):
    target.parent.mkdir()
    target.write_bytes(BODY)
    download([server.url("thing.bin")], target, md5=MD5)
    assert server.asked == []


def test_a_damaged_file_already_there_is_replaced(server, target):
    target.parent.mkdir()
    target.write_bytes(BODY[:-1] + b"?")
    download([server.url("thing.bin")], target, md5=MD5)
    assert target.read_bytes() == BODY


def test_a_broken_connection_is_taken_up_where_it_broke(server, target):
    server.cuts = [300_000]
    download([server.url("thing.bin")], target, md5=MD5)
    assert target.read_bytes() == BODY
    assert [range_ for _, range_ in server.asked] == [None, "bytes=300000-"]


def test_a_server_without_range_is_asked_for_everything_again(server, target):
    server.ranges, server.cuts = False, [300_000]
    download([server.url("thing.bin")], target, md5=MD5)
    assert target.read_bytes() == BODY


def test_without_any_version_nothing_is_resumed(server, target):
    server.etag, server.cuts = "", [300_000]
    download([server.url("thing.bin")], target)
    assert target.read_bytes() == BODY
    assert [range_ for _, range_ in server.asked] == [None, None]


def test_a_broken_connection_is_noticed_though_no_length_was_promised(server, target, monkeypatch):
    monkeypatch.setattr(module, "_total", lambda _: None)  # an archive packed while it is sent has no length
    server.cuts = [300_000]
    download([server.url("thing.bin")], target)
    assert target.read_bytes() == BODY


def test_a_weak_etag_is_no_version(server, target):
    server.etag, server.cuts = 'W/"v1"', [300_000]
    download([server.url("thing.bin")], target, md5=MD5)
    assert [range_ for _, range_ in server.asked] == [None, None]


def test_a_server_that_always_breaks_off_is_given_up_and_resumed_the_next_time(server, target):
    server.cuts = [100_000] + [200] * 3
    with pytest.raises(DownloadError, match=r"100,600 of 512,000 bytes; tried 4 times") as caught:
        download([server.url("thing.bin")], target, md5=MD5)
    assert not target.exists()
    assert not caught.value.offline
    download([server.url("thing.bin")], target, md5=MD5)  # a new process, say
    assert target.read_bytes() == BODY
    assert server.asked[-1] == ("thing.bin", "bytes=100600-")


def test_a_file_that_changed_meanwhile_starts_afresh(server, target):
    server.cuts = [100_000] * 4
    with pytest.raises(DownloadError):
        download([server.url("thing.bin")], target)
    server.cuts.clear()
    server.etag, server.files["thing.bin"] = '"v2"', BODY[::-1]
    download([server.url("thing.bin")], target)
    assert target.read_bytes() == BODY[::-1]


def test_a_part_of_another_address_is_not_continued(server, target):
    server.files["other.bin"] = BODY[::-1]
    server.cuts = [100_000] * 4
    with pytest.raises(DownloadError):
        download([server.url("other.bin")], target)
    server.cuts.clear()
    download([server.url("thing.bin")], target)
    assert target.read_bytes() == BODY


def test_complete_part_whose_name_was_never_changed(server, target, monkeypatch):
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            download([server.url("thing.bin")], target, md5=MD5)
    assert not target.exists()
    download([server.url("thing.bin")], target, md5=MD5)  # the server answers 416: nothing is missing
    assert target.read_bytes() == BODY
    assert server.asked[-1] == ("thing.bin", "bytes=512000-")
    assert only_target_is_left(target)


def test_a_part_longer_than_the_file_starts_afresh(server, target):
    server.cuts = [400_000] + [100] * 3
    with pytest.raises(DownloadError):
        download([server.url("thing.bin")], target)
    server.cuts.clear()
    server.files["thing.bin"] = BODY[:1000]  # shorter, though the server says it is the same version
    download([server.url("thing.bin")], target)
    assert target.read_bytes() == BODY[:1000]


def test_wrong_checksum_leaves_nothing(server, target):
    with pytest.raises(DownloadError, match=r"its md5 is .* instead of 0000"):
        download([server.url("thing.bin")], target, md5="0" * 32)
    assert os.listdir(target.parent) == []


def test_wrong_size(server, target):
    with pytest.raises(DownloadError, match="it has 512,000 bytes instead of 7"):
        download([server.url("thing.bin")], target, size=7)


def test_md5_that_googles_storage_sends_along(server, target):
    right = b64encode(hashlib.md5(BODY).digest()).decode()
    server.headers = {"x-goog-hash": f"crc32c=4gcgLQ==,md5={right}"}
    download([server.url("thing.bin")], target)
    wrong = b64encode(hashlib.md5(b"another").digest()).decode()
    server.headers = {"x-goog-hash": f"crc32c=4gcgLQ==,md5={wrong}"}
    with pytest.raises(DownloadError, match="its md5 is"):
        download([server.url("thing.bin")], target.with_name("again.bin"))


def test_first_bytes_only(server, target):
    wrong_for_a_part = b64encode(hashlib.md5(BODY).digest()).decode()
    server.headers = {"x-goog-hash": f"md5={wrong_for_a_part}"}
    download([server.url("thing.bin")], target, first_bytes=1000)
    assert target.read_bytes() == BODY[:1000]
    assert server.asked == [("thing.bin", "bytes=0-999")]


def test_first_bytes_resumed(server, target):
    server.cuts = [400]
    download([server.url("thing.bin")], target, first_bytes=1000)
    assert target.read_bytes() == BODY[:1000]
    assert server.asked[-1] == ("thing.bin", "bytes=400-999")


def test_first_bytes_of_a_server_without_range(server, target):
    server.ranges = False
    server.files["thing.bin"] = large = BODY * 60  # more than the sockets in between can hold
    download([server.url("thing.bin")], target, first_bytes=1000)
    assert target.read_bytes() == BODY[:1000]
    assert server.sent < len(large)  # it hung up as soon as it had enough


def test_first_bytes_of_a_shorter_file(server, target):
    download([server.url("thing.bin")], target, first_bytes=10**9)
    assert target.read_bytes() == BODY


def test_a_busy_server_is_asked_again(server, target):
    server.statuses = [503, 429]
    download([server.url("thing.bin")], target, md5=MD5)
    assert len(server.asked) == 3


def test_mirrors_in_order(server, target, nowhere):
    server.files["damaged.bin"] = BODY[::-1]
    urls = [nowhere + "/thing.bin", *map(server.url, ("absent.bin", "damaged.bin", "thing.bin"))]
    download(urls, target, md5=MD5)
    assert target.read_bytes() == BODY
    assert [path for path, _ in server.asked] == ["absent.bin", "damaged.bin", "thing.bin"]


def test_no_such_file_is_said_with_every_address_and_the_place(server, target):
    urls = [server.url("absent.bin"), server.url("gone.bin")]
    with pytest.raises(DownloadError) as caught:
        download(urls, target, what="The thing")
    message = str(caught.value)
    assert message.startswith("The thing could not be downloaded.")
    assert all(url in message for url in urls)
    assert "no such file (404)" in message
    assert f"save it as {target}" in message
    assert len(server.asked) == 2  # a 404 is not asked again
    assert not caught.value.offline


def test_offline_is_said_at_once(target, nowhere, monkeypatch):
    monkeypatch.setattr(module.time, "sleep", lambda _: pytest.fail("waited for a server that isn't there"))
    with pytest.raises(DownloadError, match="can't be reached") as caught:
        download([nowhere + "/thing.bin"], target, by_hand=target.with_name("here.bin"))
    assert caught.value.offline
    assert "here.bin" in str(caught.value)


def test_refused(server, target):
    server.statuses = [403]
    with pytest.raises(DownloadError, match=r"refuses to give it \(403\)"):
        download([server.url("thing.bin")], target)


def test_full_disk_is_noticed_before_the_download(server, target, monkeypatch):
    full = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: full)
    with pytest.raises(DownloadError, match=r"the disk that holds .* is full"):
        download([server.url("thing.bin")], target)
    assert not target.exists()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "is full: free some space"),
        (errno.EROFS, "ASSIGNMENTS_DATA"),
        (errno.EACCES, "may not be written to"),
        (errno.EIO, "could not be written"),
    ],
)
def test_trouble_of_this_machine_in_words(server, target, monkeypatch, number, words):
    def fail(_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module.os, "fsync", fail)
    with pytest.raises(DownloadError, match=words) as caught:
        download([server.url("thing.bin"), server.url("mirror.bin")], target)
    assert "By hand" not in str(caught.value)  # it couldn't be put there by hand either
    assert len(server.asked) == 1


def test_the_folder_is_a_file(server, tmp_path):
    (tmp_path / "deep").write_text("in the way")
    with pytest.raises(DownloadError, match="there is a file where a folder should be"):
        download([server.url("thing.bin")], tmp_path / "deep" / "thing.bin")


def pack(archive: Path, **files: str) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        for name, text in files.items():
            source = archive.with_name("scratch.txt")
            source.write_text(text)
            tar.add(source, f"things/{name}")
            source.unlink()
    return archive


def test_unpack(tmp_path):
    archive = pack(tmp_path / "things.tar.gz", a="1", b="2")
    folder = unpack(archive, tmp_path, "things")
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a": "1", "b": "2"}
    assert sorted(os.listdir(tmp_path)) == ["things", "things.tar.gz"]


def test_unpack_replaces_what_an_earlier_try_left(tmp_path):
    (tmp_path / "things").mkdir()
    (tmp_path / "things" / "left").write_text("over")
    unpack(pack(tmp_path / "things.tar.gz", a="1"), tmp_path, "things")
    assert os.listdir(tmp_path / "things") == ["a"]


@pytest.mark.parametrize(("inside", "name"), [("repository/things", "a"), (".", "repository")])
def test_unpack_of_a_folder_deep_in_a_zip_or_of_all_of_it(tmp_path, inside, name):
    with zipfile.ZipFile(tmp_path / "things.zip", "w") as archive:
        archive.writestr("repository/things/a", "1")
        archive.writestr("repository/other/b", "2")
    folder = unpack(tmp_path / "things.zip", tmp_path, "mine", inside=inside)
    assert os.listdir(folder) == [name]
    assert sorted(os.listdir(tmp_path)) == ["mine", "things.zip"]


@pytest.mark.parametrize("keep", [0, 20, 100])
def test_unpack_of_a_damaged_zip_leaves_nothing(tmp_path, keep):
    archive = tmp_path / "things.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("things/a", "1" * 200)
    archive.write_bytes(archive.read_bytes()[:keep])
    with pytest.raises(CorruptFileError, match=r"things\.zip"):
        unpack(archive, tmp_path, "things")
    assert os.listdir(tmp_path) == ["things.zip"]


@pytest.mark.parametrize("keep", [0, 20, 100])
def test_unpack_of_a_damaged_archive_leaves_nothing(tmp_path, keep):
    archive = pack(tmp_path / "things.tar.gz", a="1" * 100, b=os.urandom(2000).hex())
    archive.write_bytes(archive.read_bytes()[:keep])
    with pytest.raises(CorruptFileError, match=r"things\.tar\.gz"):
        unpack(archive, tmp_path, "things")
    assert os.listdir(tmp_path) == ["things.tar.gz"]


def test_unpack_of_an_archive_of_something_else(tmp_path):
    with pytest.raises(CorruptFileError, match="'stuff'"):
        unpack(pack(tmp_path / "things.tar.gz", a="1"), tmp_path, "stuff")
