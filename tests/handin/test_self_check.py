"""What a student sees is what the grader gives: the same marks, by the same code."""

import json
from pathlib import Path
from typing import Any

import pytest
from submissions import cell_of, need_sandbox, notebook_of, released
from typer.testing import CliRunner

from assignments_lib import handin
from assignments_lib.checks.exercise import PASS
from assignments_lib.cli import app
from assignments_lib.grading.sandbox import Sandbox
from assignments_lib.handin import desk, here
from assignments_lib.handin.pack import pack
from assignments_lib.handin.self_check import preview_of
from assignments_lib.marking.mark import mark
from assignments_lib.marking.reading import Unreadable

NAME = "1_resnet34"
RIGHT_FIELD = """
def receptive_field(layers):
    seen, step = 1, 1
    for kernel_size, stride in layers:
        seen, step = seen + (kernel_size - 1) * step, step * stride
    return seen
"""
WITHOUT_PLUS_ONE = f"""
def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride
{RIGHT_FIELD}"""


def partly() -> dict[str, Any]:
    """1.1 half right with a known mistake, Q1 answered, 1.7 stops, everything else blank."""
    notebook = notebook_of(NAME)
    cell_of(notebook, "exercise-1-1")["source"] = WITHOUT_PLUS_ONE
    cell_of(notebook, "exercise-1-7")["source"] = "raise ValueError('<b>odd</b>')"
    cell_of(notebook, "question-Q1")["source"] += "\n\nBecause."
    return notebook


@pytest.fixture
def data() -> bytes:
    return json.dumps(partly()).encode()


@pytest.fixture
def saved(tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The notebook in the working folder, as after saving it."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"{NAME}.ipynb"
    path.write_bytes(data)
    return path


@pytest.mark.slow
def test_the_marks_are_the_graders_for_the_notebook_and_for_the_zip(data: bytes) -> None:
    need_sandbox()
    zipped = pack("a.ipynb", data, "kim")
    mine = preview_of("a.ipynb", data).graded
    packed = preview_of(zipped.name, zipped.data).graded
    with Sandbox() as room:
        graders = mark(released(NAME), "kim", [(zipped.name, zipped.data)], 7, room)

    def marks(graded: Any) -> list[Any]:
        return [
            (each.id, each.status, [(part.earned, part.status, part.mistake) for part in each.parts])
            for each in graded.exercises
        ]

    assert marks(mine) == marks(packed) == marks(graders)
    assert mine.questions == graders.questions
    assert 0 < mine.earned < mine.points


@pytest.mark.slow
def test_it_says_what_is_wrong_what_is_blank_and_what_no_check_covers(saved: Path) -> None:
    result = CliRunner().invoke(app, ["check", str(saved)])
    assert result.exit_code == 3, result.output
    text = " ".join(result.output.split())
    for words in (
        "as the grader would mark this file",
        "Likely mistake:",
        "1.7",
        "ValueError: <b>odd</b>",
        "Still blank: 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, Q2.",
        "NOT READ YET",
        "which a person reads",
        "Not covered by the check of",
    ):
        assert words in text, words
    page = preview_of(saved.name, saved.read_bytes())._repr_html_()
    assert "Likely mistake" in page
    assert "<b>odd" not in page
    assert "&lt;b&gt;odd" in page


@pytest.mark.slow
def test_in_a_notebook_it_is_the_saved_file_that_is_marked(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here, "history", lambda: ["def conv_output_size(): pass\nreceptive_field = 1"])
    found = handin.preview(NAME)
    assert f"{NAME}.ipynb, as it was saved just now." in repr(found)
    assert "What you ran last in 1.1 isn't in it: save the notebook" in repr(found)
    assert found.graded.exercises[0].earned > 0  # type: ignore[union-attr]


@pytest.mark.slow
@pytest.mark.parametrize("name", [NAME])
def test_the_solution_is_all_right(tmp_path: Path, name: str) -> None:
    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps(notebook_of(name, solved=True)))
    result = CliRunner().invoke(app, ["check", str(path)])
    assert result.exit_code == 0, result.output
    assert result.output.count(PASS) == len(released(name).exercises)
    assert "Still blank" not in result.output


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "can't be read"), (b"{", "isn't JSON"), (b'{"cells": []}', "another notebook")],
)
def test_what_cant_be_checked_or_packed_is_said_in_a_sentence(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "mine.ipynb"
    if content is not None:
        path.write_bytes(content)
    for words in (["check", str(path)], ["submit", str(path), "--id", "kim"]):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 1
        assert says in " ".join(result.output.split())
        assert "Traceback" not in result.output
    assert list(tmp_path.glob("*.zip")) == []


def test_several_notebooks_in_a_zip_are_refused(tmp_path: Path) -> None:
    import io
    import zipfile

    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        for name in ("a.ipynb", "b.ipynb"):
            archive.writestr(name, json.dumps(notebook_of(NAME)))
    with pytest.raises(Unreadable, match="several"):
        preview_of("a.zip", into.getvalue())


def test_submit_writes_the_zip_beside_the_notebook(saved: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["submit", str(saved), "--id", "kim"])
    assert result.exit_code == 0, result.output
    expected = pack(saved.name, saved.read_bytes(), "kim")
    written = tmp_path / f"kim-{NAME}.zip"
    assert written.read_bytes() == expected.data
    text = " ".join(result.output.split())
    assert written.name in text.replace(" ", "")
    assert "Still blank: 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, Q2." in text
    assert expected.sha256 in text


def test_submit_asks_for_the_id_and_refuses_one_that_cant_be(saved: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["submit", str(saved), "--output", str(tmp_path / "out")], input="kim\n")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / f"kim-{NAME}.zip").is_file()
    result = CliRunner().invoke(app, ["submit", str(saved), "--id", "../kim"])
    assert result.exit_code == 1
    assert "can't be an id" in " ".join(result.output.split())


def test_the_button_packs_what_is_saved(saved: Path, tmp_path: Path) -> None:
    said = handin.submit(NAME, "kim")
    assert said.path == tmp_path / f"kim-{NAME}.zip"
    assert said.path.read_bytes() == pack(saved.name, saved.read_bytes(), "kim").data
    assert f"kim-{NAME}.zip" in repr(said)
    assert "just now" in repr(said)


def test_the_button_packs_nothing_while_something_isnt_saved(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here, "history", lambda: ["def conv_output_size(): pass\nreceptive_field = 1"])
    said = handin.submit(NAME, "kim")
    assert said.path is None
    assert "Not packed" in repr(said)
    assert "save the notebook" in repr(said)
    assert list(tmp_path.glob("*.zip")) == []


@pytest.mark.parametrize("student", ["", "a/b"])
def test_the_button_never_raises(saved: Path, student: str, tmp_path: Path) -> None:
    assert "id" in repr(handin.submit(NAME, student))
    saved.unlink()
    assert "can't be found" in repr(handin.submit(NAME, "kim"))
    assert "can't be found" in repr(handin.preview(NAME))
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_is_said_in_a_sentence() -> None:
    error = OSError(28, "No space left on device", "kim.zip")
    assert desk.words(error) == "Could not write kim.zip: No space left on device. Nothing was changed."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "just now"), (59, "just now"), (61, "1 minute ago"), (1800, "30 minutes ago"), (3600, "1 hour ago"),
     (86_400, "24 hours ago"), (300_000, "3 days ago")],
)  # fmt: skip
def test_how_long_ago(seconds: float, words: str) -> None:
    assert desk._ago(seconds) == words
