"""What is packed has every answer, nothing personal but the id, and gets the same marks as what was packed."""

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from submissions import added, cell_of, notebook_of, released

from assignments_lib.handin import blanks
from assignments_lib.handin.pack import BadId, pack
from assignments_lib.marking.matching import match
from assignments_lib.marking.reading import MAX_NOTEBOOK, Unreadable, notebooks
from assignments_lib.marking.receipt import from_json

NAME = "1_resnet34"
PERSONAL = ("kim@home", "Kim's laptop", "/home/kim", "kim_env", "wanderlust", "12345-collapsed", "aW1hZ2U=")


def bytes_of(notebook: dict[str, Any]) -> bytes:
    return json.dumps(notebook).encode()


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(notebook: dict[str, Any], student: str = "kim") -> dict[str, bytes]:
    return members(pack("mine.ipynb", bytes_of(notebook), student).data)


def with_traces() -> dict[str, Any]:
    """A solved notebook as an editor saves it after a day's work."""
    notebook = notebook_of(NAME, solved=True)
    home, laptop, folder, env, tag, collapsed, picture = PERSONAL
    notebook["metadata"] |= {
        "kernelspec": {"name": env, "display_name": laptop, "language": "python"},
        "language_info": {"version": "3.11", "name": "python"},
        "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {"x": {"model": home}}}},
        "authors": [{"name": home}],
        "colab": {"provenance": [{"file_id": folder}]},
    }
    for cell in notebook["cells"]:
        cell["metadata"] |= {
            "tags": [tag],
            "executionInfo": {"user": {"displayName": home}},
            "collapsed": collapsed,
        }
        if cell["cell_type"] == "code":
            cell["execution_count"] = 7
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": [folder]}]
        else:
            cell["attachments"] = {"a.png": {"image/png": picture}}
    return notebook


def test_answers_stay_and_everything_personal_goes() -> None:
    notebook = with_traces()
    files = packed(notebook, "2026-001")
    assert sorted(files) == [f"{NAME}.ipynb", "receipt.json"]
    text = b"".join(files.values()).decode()
    assert [trace for trace in PERSONAL if trace in text] == []
    after = json.loads(files[f"{NAME}.ipynb"])
    assert [cell["source"] for cell in after["cells"]] == [cell["source"] for cell in notebook["cells"]]
    assert [cell["id"] for cell in after["cells"]] == [cell["id"] for cell in notebook["cells"]]
    assert all(
        cell.get("outputs", []) == [] and cell.get("execution_count") is None for cell in after["cells"]
    )
    kept = {key for cell in after["cells"] for key in cell["metadata"]}
    assert kept == {"assignments", "nbgrader"}


def test_it_is_a_valid_notebook() -> None:
    nbformat.validate(nbformat.reads(packed(with_traces())[f"{NAME}.ipynb"].decode(), as_version=4))


def test_the_same_notebook_gives_the_same_bytes_on_any_day(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes_of(with_traces())
    first = pack("a.ipynb", data, "kim").data
    monkeypatch.setenv("TZ", "Asia/Seoul")
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert pack("b.ipynb", data, "kim").data == first


def test_the_receipt_is_the_notebooks() -> None:
    files = packed(notebook_of(NAME, solved=True))
    slip = from_json(files["receipt.json"])
    assert (slip.student, slip.assignment, slip.notebook) == ("kim", NAME, f"{NAME}.ipynb")
    assert slip.sha256 == hashlib.sha256(files[f"{NAME}.ipynb"]).hexdigest()


def stripped_of_ids(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {"id": cell.pop("id")}


def stripped_of_everything(notebook: dict[str, Any]) -> None:
    notebook["metadata"] = {}
    for cell in notebook["cells"]:
        del cell["id"]
        cell["metadata"] = {}


def doubled(notebook: dict[str, Any]) -> None:
    cell = cell_of(notebook, "exercise-1-2")
    notebook["cells"].append(json.loads(json.dumps(cell)) | {"source": cell["source"] + "\n# again"})


def turned_into_text(notebook: dict[str, Any]) -> None:
    cell_of(notebook, "exercise-1-3")["cell_type"] = "markdown"


def deleted(notebook: dict[str, Any]) -> None:
    notebook["cells"].remove(cell_of(notebook, "exercise-1-4"))


def with_own_cells(notebook: dict[str, Any]) -> None:
    notebook["cells"].insert(3, added("def helper():\n    return 1"))


def in_lines(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)


@pytest.mark.parametrize("name", [NAME, "2_data_augmentation", "3_classification_to_segmentation"])
@pytest.mark.parametrize(
    "change",
    [
        lambda notebook: None, stripped_of_ids, stripped_of_everything, with_own_cells, in_lines,
    ],
)  # fmt: skip
def test_the_grader_finds_in_the_zip_what_it_finds_in_the_notebook(name: str, change: Any) -> None:
    notebook = notebook_of(name, solved=True)
    change(notebook)
    same_answers(notebook, name)


@pytest.mark.parametrize("change", [doubled, turned_into_text, deleted])
def test_so_it_does_where_cells_were_moved_about(change: Any) -> None:
    notebook = notebook_of(NAME, solved=True)
    change(notebook)
    same_answers(notebook, NAME)


def same_answers(notebook: dict[str, Any], name: str) -> None:
    data = bytes_of(notebook)
    zipped = pack("a.ipynb", data, "kim").data
    (before,), (after,) = notebooks("a.ipynb", data), notebooks("a.zip", zipped)
    one, other = match(released(name), before), match(released(name), after)
    assert one.cells == other.cells
    assert one.questions == other.questions
    assert one.remarks == other.remarks
    assert one.found > 0


def test_an_old_format_is_taken() -> None:
    notebook = notebook_of(NAME, solved=True)
    old = {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": [
        {key: value for key, value in cell.items() if key != "source"} | {"input": cell["source"]}
        for cell in notebook["cells"]
    ]}]}  # fmt: skip
    after = json.loads(packed(old)[f"{NAME}.ipynb"])
    assert [cell["source"] for cell in after["cells"]] == [cell["source"] for cell in notebook["cells"]]


def test_what_is_blank_is_said() -> None:
    notebook = notebook_of(NAME)
    everything = pack("a.ipynb", bytes_of(notebook), "kim").blank
    assignment = released(NAME).assignment
    assert everything == tuple(task.id for task in (*assignment.exercises, *assignment.questions))
    solved = notebook_of(NAME, solved=True)
    assert pack("a.ipynb", bytes_of(solved), "kim").blank == ()
    cell_of(solved, "exercise-1-5")["source"] = cell_of(notebook, "exercise-1-5")["source"]
    cell_of(solved, "exercise-1-6")["source"] = ""
    cell_of(solved, "question-Q2")["source"] = cell_of(notebook, "question-Q2")["source"]
    assert pack("a.ipynb", bytes_of(solved), "kim").blank == ("1.5", "1.6", "Q2")


def test_pictures_pasted_into_text_are_said_to_stay_behind() -> None:
    assert any("Pictures" in remark for remark in pack("a.ipynb", bytes_of(with_traces()), "kim").remarks)
    assert pack("a.ipynb", bytes_of(notebook_of(NAME, solved=True)), "kim").remarks == ()


@pytest.mark.parametrize("student", ["kim", "2026001", "김민지", " kim ", "kim.min-ji@school.kr", "k" * 64])
def test_ids_that_can_be_in_a_files_name(student: str) -> None:
    assert pack("a.ipynb", bytes_of(notebook_of(NAME)), student).name == f"{student.strip()}-{NAME}.zip"


@pytest.mark.parametrize(
    "student",
    ["", "  ", "../kim", "kim min", "a/b", "a\\b", ".kim", "-kim", "k" * 65, "a\0", "a:b", "a\nb", "<b>"],
)
def test_ids_that_cant(student: str) -> None:
    with pytest.raises(BadId, match="id"):
        pack("a.ipynb", bytes_of(notebook_of(NAME)), student)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"PK\x03\x04", "is a zip"),
        (b"{", "isn't JSON"),
        (b"[]", "no list of cells"),
        (os.urandom(100), "not a notebook"),
        (b'{"cells": []}', "no answer cell of any assignment"),
        (b'{"cells": [{"cell_type": "code", "source": "x = 1"}]}', "no answer cell of any assignment"),
        (
            b'{"metadata": {"assignments": {"notebook": "1_resnet34"}}, "cells": []}',
            "no answer cell of 1_resnet34",
        ),
        (b'{"cells": [], "x": "' + b" " * MAX_NOTEBOOK + b'"}', "50 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cant_be_packed_is_refused_with_a_reason(data: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says) as caught:
        pack("mine.ipynb", data, "kim")
    assert "mine.ipynb" in str(caught.value)


def test_another_assignment_is_refused() -> None:
    with pytest.raises(Unreadable, match="is of 1_resnet34, not of 2_data_augmentation"):
        pack("a.ipynb", bytes_of(notebook_of(NAME)), "kim", "2_data_augmentation")


def test_a_full_disk_leaves_the_zip_of_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = pack("a.ipynb", bytes_of(notebook_of(NAME)), "kim")
    path = first.write(tmp_path)
    second = pack("a.ipynb", bytes_of(notebook_of(NAME, solved=True)), "kim")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        second.write(tmp_path)
    assert path.read_bytes() == first.data
    assert [each.name for each in tmp_path.iterdir()] == [first.name]


def test_an_installation_without_the_notebooks_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blanks, "HERE", tmp_path / "package" / "handin")
    with pytest.raises(Unreadable, match=r"assignments_lib-….whl"):
        blanks.released(NAME)
