"""A file is there whole, or as it was: what the disk can do to a write."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from assignments_lib.atomic import write_atomically


def full_disk(*_args):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("content", ["é, 한국어\r\nzwei\n", b"\x00\xff\r\n"])
def test_the_bytes_are_those_given(tmp_path, content):
    write_atomically(tmp_path / "marks.csv", content)
    there = (tmp_path / "marks.csv").read_bytes()
    assert there == (content if isinstance(content, bytes) else content.encode())
    assert [path.name for path in tmp_path.iterdir()] == ["marks.csv"]


def test_folders_are_made_and_the_path_may_be_text(tmp_path):
    write_atomically(str(tmp_path / "a" / "b" / "marks.csv"), "new")
    assert (tmp_path / "a" / "b" / "marks.csv").read_text() == "new"


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step):
    path = tmp_path / "marks.csv"
    path.write_text("old")
    monkeypatch.setattr(os, step, full_disk)
    with pytest.raises(OSError, match="No space left") as caught:
        write_atomically(path, "new and much longer")
    assert caught.value.errno == errno.ENOSPC
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["marks.csv"]


def test_a_full_disk_leaves_no_new_file(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(tmp_path / "marks.csv", "new")
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_is_passed_on_and_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "marks.csv"
    path.write_text("old")

    def interrupted(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["marks.csv"]


def test_permissions_stay_and_a_new_file_has_the_usual_ones(tmp_path):
    private, new = tmp_path / "private.csv", tmp_path / "new.csv"
    private.write_text("old")
    private.chmod(0o600)
    before = os.umask(0o022)
    try:
        write_atomically(private, "new")
        write_atomically(new, "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(new.stat().st_mode) == 0o644


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    write_atomically(tmp_path / "link.csv", "new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "new"


def test_the_longest_name_that_a_disk_takes(tmp_path):
    name = "김" * 83 + ".csv"  # 253 bytes
    write_atomically(tmp_path / name, "new")
    assert (tmp_path / name).read_text() == "new"


def test_a_damaged_name_in_the_text_is_written_readably(tmp_path):
    """Python hands over undecodable file names as lone surrogates, which UTF-8 has no bytes for."""
    write_atomically(tmp_path / "marks.csv", "caf\udce9")
    assert (tmp_path / "marks.csv").read_text() == "caf\\udce9"
