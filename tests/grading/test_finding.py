"""Which files are whose, whatever lies in a class's folder."""

import io
import json
import os
import zipfile
from pathlib import Path

import pytest

from assignments_lib.grading import finding
from assignments_lib.grading.finding import find
from assignments_lib.marking.reading import Unreadable

CELL = {"cell_type": "code", "source": "x = 1", "metadata": {}, "id": "c0"}
ONE = json.dumps({"cells": [CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def zipped(**files: bytes | str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


WHOLE = zipped(**{"a.ipynb": ONE})


def test_a_class_of_folders_zips_and_loose_notebooks(tmp_path: Path) -> None:
    (tmp_path / "alice" / "deep").mkdir(parents=True)
    (tmp_path / "alice" / "deep" / "a.ipynb").write_text(ONE)
    (tmp_path / "alice" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "alice" / ".ipynb_checkpoints" / "a.ipynb").write_text(ONE)
    (tmp_path / "bob.zip").write_bytes(zipped(**{"b.ipynb": ONE}))
    (tmp_path / "carol.ipynb").write_text(ONE)
    (tmp_path / "dave").mkdir()
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / "stolen.ipynb").symlink_to(tmp_path / "carol.ipynb")
    (tmp_path / "eve" / "home").symlink_to(tmp_path / "alice", target_is_directory=True)
    (tmp_path / "mallory").symlink_to(tmp_path / "alice", target_is_directory=True)
    (tmp_path / ".DS_Store").write_text("")
    (tmp_path / "list.csv").write_text("")
    found = {each.student: [path.name for path in each.files] for each in find(tmp_path)}
    assert found == {
        "alice": ["a.ipynb"],
        "bob": ["bob.zip"],
        "carol": ["carol.ipynb"],
        "dave": [],
        "eve": [],
    }


def students(folder: Path) -> dict[str, list[str]]:
    return {
        each.student: [path.relative_to(folder).as_posix() for path in each.files] for each in find(folder)
    }


def test_a_folder_that_is_not_there_or_holds_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "list.csv").write_text("")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "a.ipynb").write_text(ONE)
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "file")
    for folder in (tmp_path / "none", tmp_path / "file", tmp_path):
        with pytest.raises(Unreadable, match="folder") as caught:
            find(folder)
        assert str(folder) in str(caught.value)


def test_links_lead_nowhere(tmp_path: Path) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "class"
    (secret / "deep").mkdir(parents=True)
    (secret / "a.ipynb").write_text(ONE)
    (secret / "deep" / "b.ipynb").write_text(ONE)
    (folder / "eve").mkdir(parents=True)
    (folder / "eve" / "mine.ipynb").write_text(ONE)
    (folder / "eve" / "file.ipynb").symlink_to(secret / "a.ipynb")
    (folder / "eve" / "folder").symlink_to(secret, target_is_directory=True)
    (folder / "eve" / "folder.ipynb").symlink_to(secret, target_is_directory=True)
    (folder / "eve" / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "eve" / "self.ipynb").symlink_to(folder / "eve" / "self.ipynb")
    (folder / "eve" / "gone.ipynb").symlink_to(folder / "nothing")
    (folder / "mallory").symlink_to(secret, target_is_directory=True)
    (folder / "mallory.zip").symlink_to(secret / "a.ipynb")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    assert students(folder) == {"eve": ["eve/mine.ipynb"]}


def test_one_student_in_several_places(tmp_path: Path) -> None:
    (tmp_path / "kim").mkdir()
    (tmp_path / "kim" / "a.ipynb").write_text(ONE)
    (tmp_path / "kim.zip").write_bytes(WHOLE)
    (tmp_path / "kim.IPYNB").write_text(ONE)
    (tmp_path / "lee.v2.ipynb").write_text(ONE)
    assert students(tmp_path) == {"kim": ["kim/a.ipynb", "kim.IPYNB", "kim.zip"], "lee.v2": ["lee.v2.ipynb"]}


def test_nothing_hidden_and_nothing_but_files(tmp_path: Path) -> None:
    kim = tmp_path / "kim"
    for inner in (".git", ".ipynb_checkpoints", "__pycache__", "__MACOSX/kim", "a.ipynb", "deep/er/est"):
        (kim / inner).mkdir(parents=True)
        (kim / inner / "x.ipynb").write_text(ONE)
    (kim / ".x.ipynb").write_text(ONE)
    (kim / "__x.ipynb").write_text(ONE)
    (kim / "notes.txt").write_text(ONE)
    assert students(tmp_path) == {"kim": ["kim/a.ipynb/x.ipynb", "kim/deep/er/est/x.ipynb"]}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "kim").mkdir()
    os.mkfifo(tmp_path / "kim" / "a.ipynb")
    os.mkfifo(tmp_path / "lee.ipynb")
    os.mkfifo(tmp_path / "park.zip")
    assert students(tmp_path) == {"kim": []}


def test_a_notebook_among_thousands_of_files(tmp_path: Path) -> None:
    """Files that are no notebooks use up no limit."""
    data = tmp_path / "kim" / "data"
    data.mkdir(parents=True)
    for number in range(2100):
        (data / f"{number}.png").touch()
    (tmp_path / "kim" / "homework.ipynb").write_text(ONE)
    assert students(tmp_path) == {"kim": ["kim/homework.ipynb"]}


def test_there_is_an_end_to_notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MAX_MEMBERS", 3)
    (tmp_path / "kim").mkdir()
    for number in range(9):
        (tmp_path / "kim" / f"{number}.ipynb").touch()
    assert students(tmp_path) == {"kim": ["kim/0.ipynb", "kim/1.ipynb", "kim/2.ipynb"]}


def test_there_is_an_end_to_depth(tmp_path: Path) -> None:
    """Folders in folders, deeper than a path can be long."""
    (tmp_path / "kim").mkdir()
    (tmp_path / "kim" / "a.ipynb").write_text(ONE)
    before = Path.cwd()
    try:
        os.chdir(tmp_path / "kim")
        for _ in range(600):
            os.mkdir("deeper")
            os.chdir("deeper")
        Path("b.ipynb").write_text(ONE)
    finally:
        os.chdir(before)
    assert students(tmp_path) == {"kim": ["kim/a.ipynb"]}


def test_names_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode("김민지".encode("cp949"))).mkdir()
    (tmp_path / os.fsdecode(b"\xff.ipynb")).write_text(ONE)
    (tmp_path / os.fsdecode(b"\xfe.ipynb")).write_text(ONE)
    (tmp_path / "김민지").mkdir()
    assert len(find(tmp_path)) == 4
    assert len({each.student for each in find(tmp_path)}) == 4


def test_what_submit_wrote_is_the_students_whose_id_it_bears(tmp_path: Path) -> None:
    for name in (
        "kim-1_resnet34.zip",
        "lee-2_data_augmentation.zip",
        "-1_resnet34.zip",
        "park-1_resnet34.ipynb",
    ):
        (tmp_path / name).write_bytes(WHOLE)
    (tmp_path / "kim").mkdir()
    (tmp_path / "kim" / "a.ipynb").write_text(ONE)
    found = {each.student: [path.name for path in each.files] for each in find(tmp_path, "1_resnet34")}
    assert found == {
        "-1_resnet34": ["-1_resnet34.zip"],
        "kim": ["a.ipynb", "kim-1_resnet34.zip"],
        "lee-2_data_augmentation": ["lee-2_data_augmentation.zip"],
        "park": ["park-1_resnet34.ipynb"],
    }
