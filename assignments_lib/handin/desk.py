"""The same two steps in a notebook: `preview` and `submit`, for the notebook that is open."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path

from assignments_lib.handin import here
from assignments_lib.handin.blanks import released
from assignments_lib.handin.pack import BadId, Packed, pack
from assignments_lib.handin.self_check import Preview, preview_of
from assignments_lib.marking.reading import Unreadable, notebooks

TROUBLES = (Unreadable, BadId, OSError)


@dataclass(frozen=True)
class Said:
    """Words for the student, each a paragraph; ``path`` is what was written, if anything was."""

    paragraphs: tuple[str, ...]
    path: Path | None = None

    def __repr__(self) -> str:
        return "\n".join(self.paragraphs)

    def _repr_html_(self) -> str:
        first, *rest = map(escape, self.paragraphs)
        return f"<div><b>{first}</b></div>" + "".join(f"<div>{words}</div>" for words in rest)


def preview(assignment: str) -> Preview | Said:
    """What the grader would give for this notebook as it is saved. It never raises.

    ``assignment`` is such as "1_resnet34".
    """
    try:
        notebook = here.open_notebook(assignment)
        notes = [f"{notebook.name}, as it was saved {_ago(notebook.age)}."]
        unsaved = _unsaved(assignment, notebook)
        if unsaved:
            notes.append(
                f"What you ran last in {_listed(unsaved)} isn't in it: save the notebook (Ctrl+S), and look again."
            )
        return preview_of(notebook.name, notebook.data, assignment, tuple(notes))
    except TROUBLES as problem:
        return Said((words(problem),))


def submit(assignment: str, student: str) -> Said:
    """Pack this notebook, as it is saved, into one zip beside it. It never raises.

    Args:
        assignment: such as "1_resnet34".
        student: the id that the instructor knows the student by.
    """
    try:
        notebook = here.open_notebook(assignment)
        packed = pack(notebook.name, notebook.data, student, assignment)
        unsaved = _unsaved(assignment, notebook)
        if unsaved:
            return Said(
                (
                    f"Not packed: what you ran last in {_listed(unsaved)} isn't in the file.",
                    "Run the cells that you want to hand in, save the notebook (Ctrl+S), and do this again.",
                )
            )
        path = packed.write(notebook.folder)
    except TROUBLES as problem:
        return Said((words(problem),))
    downloads = _download(path)
    where = "It is among your downloads, too." if downloads else f"It is in {path.parent}."
    saved = f"It holds {notebook.name} as it was saved {_ago(notebook.age)}."
    return Said((f"Packed: {path.name}. Hand in this file.", where, saved, *about(packed)), path)


def about(packed: Packed) -> list[str]:
    """What a student should know of what was packed."""
    sentences = list(packed.remarks)
    if packed.blank:
        sentences.append(f"Still blank: {', '.join(packed.blank)}. You can fill them in, and pack again.")
    sentences.append(
        f"Its SHA-256 is {packed.sha256}; your feedback names the file that was graded by the same."
    )
    return sentences


def words(problem: Exception) -> str:
    """A trouble as a sentence."""
    if isinstance(problem, OSError):
        place = f" {problem.filename}" if problem.filename else ""
        return f"Could not write{place}: {problem.strerror or problem}. Nothing was changed."
    return str(problem)


def _unsaved(assignment: str, notebook: here.Notebook) -> tuple[str, ...]:
    if here.ON_COLAB in sys.modules:  # it gives what is on the screen
        return ()
    (read,) = notebooks(notebook.name, notebook.data)
    return here.run_since_it_was_saved(released(assignment), read, here.history())


def _download(path: Path) -> bool:
    """On Colab: give it to the browser, as the machine and its files will be gone."""
    if here.ON_COLAB not in sys.modules:
        return False
    try:
        from google.colab import files

        files.download(str(path))
        return True
    except Exception:  # a browser that forbids it: the Files panel has it
        return False


def _ago(seconds: float) -> str:
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        minutes = round(seconds / 60)
        return f"{minutes} minute{'' if minutes == 1 else 's'} ago"
    hours = round(seconds / 3600)
    if hours < 48:
        return f"{hours} hour{'' if hours == 1 else 's'} ago"
    return f"{round(hours / 24)} days ago"


def _listed(tasks: tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(tasks[:-1]), tasks[-1])))
