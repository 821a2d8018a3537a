"""Whatever is handed in becomes cells, or a sentence that says what to do."""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from assignments_lib.grading import reading
from assignments_lib.grading.reading import Unreadable, find, notebooks


def notebook(*sources: Any, **metadata: Any) -> dict[str, Any]:
    cells = [
        {"cell_type": "code", "source": source, "metadata": {}, "id": f"c{n}"}
        for n, source in enumerate(sources)
    ]
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def sources(data: bytes) -> list[str]:
    (found,) = notebooks("a.ipynb", data)
    return [cell.source for cell in found.cells]


@pytest.mark.parametrize(
    "old",
    [
        notebook("x = 1"),
        notebook(["x", " = ", "1"]),
        {"worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1"}]}], "nbformat": 3},
        {"worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"]}]}], "nbformat": 2},
        {"cells": [{"cell_type": "code", "source": "x = 1"}]},
    ],
    ids=["4", "4, lists", "3", "2", "no version"],
)
def test_any_format_of_notebook(old: dict[str, Any]) -> None:
    assert sources(json.dumps(old).encode()) == ["x = 1"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
def test_any_encoding_that_editors_make(encoding: str) -> None:
    text = json.dumps(notebook("# 합성곱"), ensure_ascii=False)
    assert sources(text.encode(encoding)) == ["# 합성곱"]


def test_ids_are_nbgraders_then_the_cells_then_colabs() -> None:
    cell = {
        "cell_type": "code",
        "source": "",
        "id": "b",
        "metadata": {"nbgrader": {"grade_id": "a"}, "id": "c"},
    }
    (found,) = notebooks("a.ipynb", json.dumps({"cells": [cell]}).encode())
    assert found.cells[0].ids == ("a", "b", "c")


@pytest.mark.parametrize("odd", [None, 3, [1, 2], {"a": 1}, True, ["a", 3, None]])
def test_wrong_types_are_nothing(odd: Any) -> None:
    cell = {"cell_type": odd, "source": odd, "id": odd, "metadata": odd}
    (found,) = notebooks("a.ipynb", json.dumps({"cells": [odd, cell], "metadata": odd}).encode())
    assert found.cells[-1].source in ("", "a")
    assert (found.cells[-1].kind, found.cells[-1].ids, found.assignment) == ("raw", (), "")


def test_half_a_character_is_replaced() -> None:
    assert sources(b'{"cells": [{"cell_type": "code", "source": "\\ud800"}]}') == ["?"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"hello", "isn't JSON"),
        (b'{"cells": [', "isn't JSON"),
        (b"[" * 100_000, "isn't JSON"),
        (b"[1, 2]", "has no list of cells"),
        (b'{"cells": 3}', "has no list of cells"),
        (b"\x81\xff\x00\xfe" * 9, "isn't text"),
        (b"PK\x03\x04junk", "damaged zip"),
    ],
)
def test_what_is_no_notebook(data: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=rf"a\.ipynb.*{says}"):
        notebooks("a.ipynb", data)


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ("MAX_FILE", "can be graded"),
        ("MAX_NOTEBOOK", "has over"),
        ("MAX_CELLS", "2 cells"),
        ("MAX_CODE", "characters of code"),
    ],
)
def test_what_is_too_large(limit: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = json.dumps(notebook("x = 1", "y = 2")).encode()
    assert sources(data) == ["x = 1", "y = 2"]
    monkeypatch.setattr(reading, limit, 1)
    with pytest.raises(Unreadable, match=says):
        notebooks("a.ipynb", data)


def zipped(**files: bytes | str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


ONE = json.dumps(notebook("x = 1"))


def test_a_zip_gives_its_notebooks_and_nothing_of_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = zipped(
        **{
            "../../out/a.ipynb": ONE,
            "/abs/b.ipynb": ONE,
            "deep\\er\\c.IPYNB": ONE,
            "__MACOSX/._a.ipynb": b"\0",
            ".ipynb_checkpoints/a-checkpoint.ipynb": ONE,
            "notes.txt": "hello",
            "torch.py": "raise SystemExit",
        }
    )
    assert sorted(found.name for found in notebooks("all.zip", data)) == ["a.ipynb", "b.ipynb", "c.IPYNB"]
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_a_zip_is_passed_over() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        link = zipfile.ZipInfo("a.ipynb")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(Unreadable, match="holds no notebook"):
        notebooks("a.zip", data.getvalue())


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_NOTEBOOK", 10**6)
    bomb = zipped(**{"a.ipynb": b" " * 10**8})
    assert len(bomb) < 10**6
    with pytest.raises(Unreadable, match=r"a\.ipynb has over"):
        notebooks("a.zip", bomb)


def test_a_zip_with_far_too_much() -> None:
    with pytest.raises(Unreadable, match="more than 10 notebooks"):
        notebooks("a.zip", zipped(**{f"{n}.ipynb": ONE for n in range(11)}))
    with pytest.raises(Unreadable, match="2,001 files"):
        notebooks("a.zip", zipped(**{f"{n}.txt": "" for n in range(2001)}))


@pytest.mark.parametrize("cut", range(5, 400, 37))
def test_a_zip_that_was_cut_off(cut: int) -> None:
    with pytest.raises(Unreadable, match=r"a\.zip"):
        notebooks("a.zip", zipped(**{"a.ipynb": os.urandom(300)})[:-cut])


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
