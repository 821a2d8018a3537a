"""ImageNet's weights where they can be had; where not, a sentence, and on without them."""

import errno
import hashlib
import io
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from assignments_lib import pretrained
from assignments_lib.datasets import download

CONTENT = io.BytesIO()
torch.save({"fc.bias": torch.arange(3.0)}, CONTENT)
BODY = CONTENT.getvalue()
NAME = f"resnet34-{hashlib.sha256(BODY).hexdigest()[:8]}.pth"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_server: Any) -> Path:
    """Where they are kept; a server of this machine has a small file in their place."""
    file_server.files[NAME] = BODY
    weights = SimpleNamespace(IMAGENET1K_V1=SimpleNamespace(url=file_server.url(NAME)))
    monkeypatch.setattr(pretrained, "ResNet34_Weights", weights)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setenv("ASSIGNMENTS_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("ASSIGNMENTS_OFFLINE", raising=False)
    return tmp_path / "data" / "checkpoints" / "imagenet" / NAME


def loaded() -> bool:
    state = pretrained.imagenet_weights()
    return state is not None and state["fc.bias"].tolist() == [0, 1, 2]


def test_downloaded_once(place: Path, file_server: Any) -> None:
    assert loaded()
    assert loaded()
    assert len(file_server.asked) == 1


def test_a_download_that_is_cut_short_goes_on(place: Path, file_server: Any) -> None:
    file_server.cuts = [500]
    assert loaded()


def test_a_damaged_file_is_named_and_replaced(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert loaded()
    place.write_bytes(BODY[:-1] + b"?")
    assert loaded()
    assert f"{NAME} in imagenet/ is damaged" in capsys.readouterr().out
    assert place.read_bytes() == BODY
    place.write_bytes(BODY[:-1] + b"?")
    monkeypatch.setenv("ASSIGNMENTS_OFFLINE", "1")
    assert pretrained.imagenet_weights() is None
    assert place.is_file()


def test_a_wrong_file_from_the_server_is_not_loaded(
    place: Path, file_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file_server.files[NAME] = b"<html>Please log in</html>"
    assert pretrained.imagenet_weights() is None
    assert f"{NAME} in imagenet/ is damaged" in capsys.readouterr().out
    file_server.files[NAME] = BODY
    assert loaded()


def test_a_full_disk_is_said(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(download.os, "fsync", full)
        assert pretrained.imagenet_weights() is None
    said = capsys.readouterr().out
    assert "can't be had: we go on without them" in said
    assert "The disk that holds" in said
    assert loaded()


def test_no_permission_to_read(place: Path, forbidden: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert loaded()
    with forbidden(place):
        assert pretrained.imagenet_weights() is None
    assert f"{NAME} is in imagenet/ and can't be read (Permission denied)" in capsys.readouterr().out
    assert loaded()


def test_offline_nothing_is_asked_for(
    place: Path, monkeypatch: pytest.MonkeyPatch, file_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSIGNMENTS_OFFLINE", "1")
    assert pretrained.imagenet_weights() is None
    assert "ASSIGNMENTS_OFFLINE" in capsys.readouterr().out
    assert file_server.asked == []
