"""The file of the notebook that is open is found, and what isn't saved yet is noticed."""

import json
import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from submissions import cell_of, notebook_of, released

from assignments_lib.handin import here
from assignments_lib.marking.reading import Unreadable, notebooks

NAME = "1_resnet34"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(path: Path, notebook: dict[str, Any], age: float = 0.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    when = path.stat().st_mtime - age
    os.utime(path, (when, when))
    return path


def test_the_server_says_which_file_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = save(folder / "deep" / "my own name.ipynb", notebook_of(NAME))
    save(folder / f"{NAME}.ipynb", notebook_of(NAME))
    monkeypatch.setenv("JPY_SESSION_NAME", str(mine))
    found = here.open_notebook(NAME)
    assert (found.name, found.folder) == (mine.name, mine.parent)


@pytest.mark.parametrize("said", ["gone.ipynb", "b7e2-4c11", "", "broken.ipynb", "other.ipynb"])
def test_where_that_is_of_no_use_the_working_folder_has_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    (folder / "broken.ipynb").write_text("{")
    save(folder / "other.ipynb", notebook_of("2_data_augmentation"))
    save(folder / f"{NAME}.ipynb", notebook_of(NAME))
    monkeypatch.setenv("JPY_SESSION_NAME", said)
    assert here.open_notebook(NAME).name == f"{NAME}.ipynb"


def test_vs_code_says_it_in_its_own_way(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = save(folder / "deep" / "mine.ipynb", notebook_of(NAME))
    monkeypatch.setattr(sys.modules["__main__"], "__vsc_ipynb_file__", str(mine), raising=False)
    assert here.open_notebook(NAME).folder == mine.parent


def test_of_renamed_copies_the_last_saved_counts(folder: Path) -> None:
    save(folder / "old.ipynb", notebook_of(NAME), age=500)
    save(folder / "new.ipynb", notebook_of(NAME), age=90)
    found = here.open_notebook(NAME)
    assert found.name == "new.ipynb"
    assert 80 < found.age < 120


def test_where_there_is_none_it_says_what_to_type(folder: Path) -> None:
    save(folder / "other.ipynb", notebook_of("2_data_augmentation"))
    with pytest.raises(Unreadable, match="assignments submit FILE"):
        here.open_notebook(NAME)


def test_colab_gives_what_is_on_the_screen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def blocking_request(kind: str, request: str, timeout_sec: int) -> dict[str, Any]:
        asked.append((kind, timeout_sec))
        return {"ipynb": notebook_of(NAME, solved=True)}

    colab(monkeypatch, blocking_request)
    found = here.open_notebook(NAME)
    (read,) = notebooks(found.name, found.data)
    assert read.assignment == NAME
    assert found.folder == folder
    assert asked[0][0] == "get_ipynb"
    assert 0 < asked[0][1] <= 60


@pytest.mark.parametrize("answer", [None, {}, TimeoutError])
def test_where_colab_gives_nothing_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    def blocking_request(kind: str, request: str, timeout_sec: int) -> Any:
        if isinstance(answer, type):
            raise answer
        return answer

    colab(monkeypatch, blocking_request)
    with pytest.raises(Unreadable, match=r"Download \.ipynb"):
        here.open_notebook(NAME)


def colab(monkeypatch: pytest.MonkeyPatch, blocking_request: Any) -> None:
    message = types.SimpleNamespace(blocking_request=blocking_request)
    module = types.ModuleType("google.colab")
    module._message = message  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "google.colab", module)


def unsaved(notebook: dict[str, Any], history: list[str]) -> tuple[str, ...]:
    (read,) = notebooks("a.ipynb", json.dumps(notebook).encode())
    return here.run_since_it_was_saved(released(NAME), read, history)


def test_what_was_run_and_not_saved_is_noticed() -> None:
    solved, blank = notebook_of(NAME, solved=True), notebook_of(NAME)
    answer = cell_of(solved, "exercise-1-2")["source"]
    assert unsaved(blank, []) == ()
    assert unsaved(blank, [answer]) == ("1.2",)
    assert unsaved(solved, [answer]) == ()
    assert unsaved(solved, [answer + "\n\n", "x = 1"]) == ()
    assert unsaved(solved, [answer + "\n# better"]) == ("1.2",)
    assert unsaved(solved, [answer + "\n# better", answer]) == ()
    assert unsaved(
        blank, [cell["source"] for cell in solved["cells"] if cell["cell_type"] == "code"]
    ) == tuple(task.id for task in released(NAME).assignment.exercises)
    assert unsaved(solved, ["def broken(:", "%time x", "!ls"]) == ()
