"""What students get: complete, without secrets, the same at each build, and taken by the grader."""

import errno
import io
import json
import zipfile
from pathlib import Path

import nbformat
import pytest
from rich.console import Console
from typer.testing import CliRunner

from assignments_lib.authoring import notebooks
from assignments_lib.authoring import release as module
from assignments_lib.authoring.checkout import Checkout
from assignments_lib.authoring.errors import BuildError
from assignments_lib.authoring.release import MANIFEST, Repository, leaks_in, release
from assignments_lib.authoring.source import read
from assignments_lib.checks import registry
from assignments_lib.checks.registry import assignment
from assignments_lib.cli import app
from assignments_lib.marking.release import read as read_release

PROJECT = Checkout(Path(__file__).resolve().parents[2])
URL = "https://github.com/school/course"
WHEEL = "assignments_lib-0.1.0-py3-none-any.whl"


def written(output: Path, *names: str) -> Path:
    release(PROJECT, list(names), URL, "main", output, Console(file=io.StringIO()))
    return output


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    """All four notebooks, released."""
    return written(tmp_path_factory.mktemp("of") / "course")


@pytest.fixture(scope="module")
def files(released) -> dict[str, bytes]:
    return {
        path.relative_to(released).as_posix(): path.read_bytes()
        for path in released.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }


def set_up(notebook: Path) -> str:
    cells = nbformat.read(notebook, as_version=4).cells
    (found,) = [cell for cell in cells if notebooks.SET_UP in cell.metadata.get("tags", [])]
    return found.source


def test_it_has_what_a_student_needs_and_nothing_else(files):
    assert {name for name in files if not name.startswith("data/")} == {
        *(f"{name}.ipynb" for name in PROJECT.names()),
        *("README.md", "LICENSE", "LICENSE-NOTEBOOKS", "environment.yml", WHEEL),
    }
    assert {name for name in files if name.startswith("data/")} == {
        f"data/{path.name}" for path in (PROJECT.root / "data").glob("*.md")
    }
    packed = zipfile.ZipFile(io.BytesIO(files[WHEEL])).namelist()
    assert "assignments_lib/checks/resnet34/block.py" in packed
    assert not any(
        name.startswith(("assignments_lib/authoring", "assignments_lib/grading")) for name in packed
    )
    blank = {name.rpartition("/")[2] for name in packed if name.startswith("assignments_lib/handin/blank/")}
    assert blank == {f"{name}.ipynb" for name in PROJECT.names()} & set(
        map("{}.ipynb".format, registry.notebooks())
    )
    with zipfile.ZipFile(io.BytesIO(files[WHEEL])) as wheel:  # the very ones that students got
        assert all(wheel.read(f"assignments_lib/handin/blank/{name}") == files[name] for name in blank)
    assert b"nbgrader" not in files["environment.yml"]


def test_badges_and_set_up_cells_know_the_repository(released):
    for name in PROJECT.names():
        text = nbformat.read(released / f"{name}.ipynb", as_version=4).cells[0].source
        assert f"https://colab.research.google.com/github/school/course/blob/main/{name}.ipynb" in text
        assert f'PACKAGE = "{URL}/raw/main/{WHEEL}"' in set_up(released / f"{name}.ipynb")


def test_the_set_up_cell_is_short_and_the_same_in_every_notebook():
    cells = {set_up(PROJECT.notebooks / f"{name}.ipynb") for name in PROJECT.names()}
    assert len(cells) == 1
    lines = [line for line in cells.pop().splitlines() if line]
    assert len(lines) <= 20
    assert max(map(len, lines)) <= 120  # what JupyterLab shows of a line on a small laptop


def test_the_same_input_gives_the_same_bytes(released, tmp_path):
    again = written(tmp_path / "course")
    assert (again / WHEEL).read_bytes() == (released / WHEEL).read_bytes()
    assert again.with_name("course.zip").read_bytes() == released.with_name("course.zip").read_bytes()


def test_a_former_release_is_renewed_and_what_is_not_of_it_stays(tmp_path):
    output = tmp_path / "course"
    (output / ".git").mkdir(parents=True)
    written(output, "1_resnet34", "2_data_augmentation")
    (output / "mine.txt").write_text("mine")
    written(output, "1_resnet34")
    assert (output / "1_resnet34.ipynb").is_file()
    assert not (output / "2_data_augmentation.ipynb").exists()
    assert (output / "mine.txt").read_text() == "mine"
    assert (output / ".git").is_dir()


@pytest.mark.parametrize("after", [1, 4])
def test_a_release_that_was_cut_off_is_mended_by_the_next_run(released, tmp_path, monkeypatch, after):
    output, write, calls = tmp_path / "course", module.write_atomically, []

    def full(path, data):
        if path.is_relative_to(output):  # not where the wheel is made
            calls.append(path)
            if len(calls) > after:
                raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, data)

    monkeypatch.setattr(module, "write_atomically", full)
    result = CliRunner().invoke(app, ["release", "--repository", URL, "--output", str(output)])
    assert result.exit_code == 1
    assert "Stopped: No space left on device" in " ".join(result.stderr.split())
    assert not (tmp_path / "course.zip").exists()
    monkeypatch.undo()
    written(output)
    assert output.with_name("course.zip").read_bytes() == released.with_name("course.zip").read_bytes()
    assert {path.name for path in output.iterdir()} == {path.name for path in released.iterdir()}


@pytest.mark.parametrize("manifest", [None, "{}", '{"files": {"../mine.txt": ""}}'])
def test_another_folder_is_refused_and_left_as_it_is(tmp_path, manifest):
    output = tmp_path / "theirs"
    output.mkdir()
    (output / "mine.txt").write_text("mine")
    if manifest:
        (output / MANIFEST).write_text(manifest)
    before = sorted(output.iterdir())
    with pytest.raises(BuildError, match="no former release"):
        written(output)
    assert sorted(output.iterdir()) == before


@pytest.mark.parametrize("url", ["https://example.org/a/b", "github.com/a", "https://github.com/a/b/c", ""])
def test_what_is_no_repository_is_refused_and_nothing_written(tmp_path, url):
    words = ["release", "--repository", url, "--output", str(tmp_path / "course")]
    assert CliRunner().invoke(app, words).exit_code == 1
    assert not any(tmp_path.iterdir())


def test_a_repository_may_end_as_git_writes_it():
    assert Repository.of(f"{URL}.git") == Repository("school", "course")


def test_the_gate_lets_through_what_is_released(files):
    assert list(leaks_in(files, [read(PROJECT.source(name), assignment) for name in PROJECT.names()])) == []


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("data/card.md", "### BEGIN SOLUTION", "solution mark"),
        ("README.md", "-----BEGIN OPENSSH PRIVATE KEY-----", "a private key"),
        ("README.md", f"use ghp_{'a1B2' * 9} for it", "an access token"),
        ("assignments_lib/a.py", 'PASSWORD = "open sesame"'.replace(" s", "S"), "a password"),
        ("README.md", "it lies in /home/kim/course", "somebody's computer"),
        ("README.md", "it lies in C:\\Users\\kim\\course", "somebody's computer"),
        ("assignments_lib/grading/a.py", "", "don't get this"),
        ("solutions/1_resnet34.ipynb", "{}", "don't get this"),
    ],
)
def test_the_gate_finds_what_must_not_be_there(files, name, text, told):
    if name.endswith(".py"):
        into = io.BytesIO()
        with zipfile.ZipFile(into, "w") as wheel:
            wheel.writestr(name, text)
        planted = {WHEEL: into.getvalue()}
    else:
        planted = {name: text.encode()}
    if name.endswith(".ipynb"):
        planted = {name: files["1_resnet34.ipynb"]}
    assert any(told in problem for problem in leaks_in(planted, []))


def test_the_gate_finds_each_solved_notebook_and_each_source(files):
    sources = [read(PROJECT.source(name), assignment) for name in PROJECT.names()]
    for source in sources[1:]:
        solved = (PROJECT.solutions / f"{source.name}.ipynb").read_bytes()
        found = list(leaks_in({"a.ipynb": solved}, sources))
        assert any("is no stub" in problem for problem in found)
        assert any(f"of {source.name}" in problem for problem in found)
        assert any("solution mark" in told for told in leaks_in({"a.py": source.path.read_bytes()}, sources))


def test_the_grader_takes_a_released_notebook(released, tmp_path):
    file = released / "1_resnet34.ipynb"
    assert len(read_release(file.name, file.read_bytes()).answers) > 5
    submission = tmp_path / "in" / "kim"
    submission.mkdir(parents=True)
    (submission / file.name).write_bytes(file.read_bytes())
    words = [
        "grade",
        str(submission.parent),
        "--assignment",
        "1_resnet34",
        "--release",
        str(file),
        "--dry-run",
    ]
    result = CliRunner().invoke(app, [*words, "--output", str(tmp_path / "grades")])
    assert result.exit_code == 0, result.output
    assert "kim" in result.output


def test_the_manifest_lists_every_file(released, files):
    assert json.loads((released / MANIFEST).read_text())["files"].keys() == files.keys()
