"""Real pictures only where they are; nothing is downloaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assignments_lib.datasets import camvid, nuclei
from assignments_lib.datasets.at_hand import at_hand


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it tried to download")

    monkeypatch.setattr(nuclei, "fetch", refuse)
    monkeypatch.setattr(camvid, "fetch", refuse)


def street(root: Path, split: str) -> None:
    for folder, mode in ((split, "RGB"), (f"{split}annot", "L")):
        path = root / "camvid" / folder / "one.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(np.full((360, 480, 3)[: 3 if mode == "RGB" else 2], 3, np.uint8)).save(path)


@pytest.mark.parametrize("name", ["camvid", "nuclei"])
def test_scenes_stand_in_where_nothing_is(tmp_path: Path, name: str) -> None:
    pictures = at_hand(name, size=(24, 32), number=2, root=tmp_path)
    assert pictures.name == "scenes"
    assert pictures.images.shape == (2, 3, 24, 32)


def test_what_is_there_is_used(tmp_path: Path) -> None:
    street(tmp_path, "test")
    pictures = at_hand("camvid", size=(24, 32), number=2, root=tmp_path)
    assert pictures.name == "camvid"
    assert pictures.masks.unique().tolist() == [3]


def test_another_split_is_no_reason_to_download(tmp_path: Path) -> None:
    street(tmp_path, "train")
    assert at_hand("camvid", size=(24, 32), number=1, root=tmp_path).name == "scenes"


def test_a_damaged_set_counts_as_absent(tmp_path: Path) -> None:
    street(tmp_path, "test")
    (tmp_path / "camvid" / "testannot" / "one.png").unlink()
    assert at_hand("camvid", size=(24, 32), number=1, root=tmp_path).name == "scenes"
