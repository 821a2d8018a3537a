"""The console command: help, missing parts, and exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assignments_lib.cli import app


def invoke(*words: str):
    return CliRunner().invoke(app, list(words))


def said(result) -> str:
    """What was printed, with line breaks taken out."""
    return " ".join((result.stdout + result.stderr).split())


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch):
    """A working directory outside any checkout, and a package that was installed without one."""
    from assignments_lib.authoring import checkout

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checkout, "__file__", str(tmp_path / "a" / "b" / "c" / "checkout.py"))


def test_help_names_each_command():
    result = invoke("--help")
    assert result.exit_code == 0
    for command in ("build", "run", "data", "doctor", "check", "submit", "grade", "release"):
        assert command in result.stdout


@pytest.mark.parametrize("words", [("build",), ("build", "--check"), ("run", "1_resnet34")])
def test_outside_a_checkout_it_says_so(nowhere, words):
    result = invoke(*words)
    assert result.exit_code == 1
    assert "This works in a checkout of the project" in said(result)


def test_a_project_without_sources(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "notebooks" / "source").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    result = invoke("run", "1_resnet34")
    assert result.exit_code == 1
    assert "There is no notebook '1_resnet34'" in said(result)


def test_build_check_fails_with_a_sentence_and_the_command(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "notebooks" / "source").mkdir(parents=True)
    source = tmp_path / "notebooks" / "source" / "lecture.py"
    source.write_text("# %%\nprint('hello')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = invoke("build", "--check")
    assert result.exit_code == 1
    assert "notebooks/lecture.ipynb is missing: run `assignments build lecture`" in said(result)

    assert invoke("build", "--no-execute").exit_code == 0
    assert "was not executed at notebooks/source/lecture.py:1" in said(invoke("build", "--check"))
    assert invoke("build").exit_code == 0
    assert invoke("build", "--check").exit_code == 0


WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
sys.argv = ["assignments", *{words!r}]
from assignments_lib.cli import main
main()
"""


def without(names: set[str], *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command in a Python that lacks some packages."""
    code = WITHOUT.format(names=names, words=words)
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, timeout=120)


INSTRUCTOR = {"jupytext", "nbclient", "nbconvert", "nbformat", "nbgrader"}


@pytest.mark.parametrize("words", [("build",), ("run", "1_resnet34")])
def test_without_the_instructors_part_it_says_what_to_install(tmp_path, words):
    result = without(INSTRUCTOR, *words, cwd=tmp_path)
    assert result.returncode == 1
    assert 'pip install "assignments-lib[instructor]"' in result.stderr
    assert "Traceback" not in result.stderr


def test_help_needs_neither_torch_nor_the_instructors_part(tmp_path):
    assert without({*INSTRUCTOR, "torch", "torchvision"}, "--help", cwd=tmp_path).returncode == 0


def test_data_and_doctor_are_passed_on(monkeypatch):
    import types

    calls = []
    monkeypatch.setitem(
        sys.modules,
        "assignments_lib.datasets.command",
        types.SimpleNamespace(main=lambda *given: calls.append(given) or 3),
    )
    monkeypatch.setitem(sys.modules, "assignments_lib.doctor", types.SimpleNamespace(main=lambda: 4))
    assert invoke("data", "quickdraw", "pets", "--root", "here").exit_code == 3
    assert invoke("data").exit_code == 3
    assert calls == [(["quickdraw", "pets"], Path("here"), None), ([], None, None)]
    assert invoke("doctor").exit_code == 4
