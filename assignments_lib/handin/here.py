"""The file of the notebook that is open: what is handed in is what is saved, not what is on the screen."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assignments_lib.marking.reading import MAX_FILE, SubmittedNotebook, Unreadable, notebooks
from assignments_lib.marking.release import Release, defined, normal

ON_COLAB = "google.colab"
_COLAB_SECONDS = 20


@dataclass(frozen=True)
class Notebook:
    """A notebook's file name and bytes, the folder it is in, and how many seconds ago it was saved."""

    name: str
    data: bytes
    folder: Path
    age: float = 0.0


def open_notebook(assignment: str) -> Notebook:
    """The notebook of an assignment that this kernel belongs to.

    Raises:
        Unreadable: it can't be found.
    """
    if ON_COLAB in sys.modules:
        return Notebook(f"{assignment}.ipynb", _from_colab(), Path.cwd())
    for path in _candidates(assignment):
        try:
            found = load(path)
            (notebook,) = notebooks(found.name, found.data)
        except (Unreadable, ValueError):
            continue
        if notebook.assignment == assignment or path.name == f"{assignment}.ipynb":
            return found
    raise Unreadable(
        f"The file of this notebook can't be found: no notebook of {assignment} is in {Path.cwd()}. Save it there, or "
        "name its file in a terminal: assignments check FILE, assignments submit FILE."
    )


def load(path: Path) -> Notebook:
    """A notebook on disk.

    Raises:
        Unreadable: it can't be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
        age = time.time() - path.stat().st_mtime
    except OSError as error:
        raise Unreadable(f"{path} can't be read: {error.strerror or error}.") from None
    return Notebook(path.name, data, path.parent, max(0.0, age))


def run_since_it_was_saved(
    release: Release, notebook: SubmittedNotebook, history: Sequence[str]
) -> tuple[str, ...]:
    """The exercises whose answers were last run with a text that the file doesn't have.

    ``history`` are the cells that were run, in order.
    """
    saved = {normal(cell.source) for cell in notebook.cells}
    runs = [(normal(source), defined(source)) for source in history]
    unsaved = []
    for blank in release.answers:
        last = next(
            (text for text, names in reversed(runs) if blank.defines and blank.defines <= names), None
        )
        if last is not None and last not in saved:
            unsaved.append(blank.task)
    return tuple(dict.fromkeys(unsaved))


def history() -> list[str]:
    """The cells that this kernel has run, as they were typed; none outside IPython."""
    try:
        from IPython import get_ipython

        return [str(source) for source in get_ipython().history_manager.input_hist_raw]
    except (ImportError, AttributeError):
        return []


def _candidates(assignment: str) -> Iterator[Path]:
    """Where the notebook may be: as the server says, as VS Code says, or in the working folder, last saved first."""
    for said in (os.environ.get("JPY_SESSION_NAME"), _from_vs_code()):
        if said and said.endswith(".ipynb"):
            yield Path(said)
    yield Path.cwd() / f"{assignment}.ipynb"
    yield from sorted(Path.cwd().glob("*.ipynb"), key=_saved, reverse=True)


def _saved(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _from_vs_code() -> str | None:
    """Where VS Code keeps the path of the notebook."""
    main = sys.modules.get("__main__")
    said = getattr(main, "__vsc_ipynb_file__", None)
    return said if isinstance(said, str) else None


def _from_colab() -> bytes:
    """Colab's notebooks are in the browser, which gives them when asked."""
    try:
        from google.colab import _message

        answer = _message.blocking_request("get_ipynb", request="", timeout_sec=_COLAB_SECONDS)
        return json.dumps(answer["ipynb"]).encode()
    except Exception as error:  # a private function, which may change
        raise Unreadable(
            f"Colab did not give this notebook ({type(error).__name__}). Download it instead (File, Download, Download "
            ".ipynb) and hand in that file: it can be graded as it is."
        ) from None
