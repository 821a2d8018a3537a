"""The submissions of a class on disk: which files are whose."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from assignments_lib.marking.reading import MAX_MEMBERS, Unreadable

MAX_DEPTH = 50  # of folders in a student's folder


@dataclass(frozen=True)
class Found:
    """One student's submission on disk: their name, and the files it may be in."""

    student: str
    files: tuple[Path, ...]


def find(folder: Path, assignment: str = "") -> list[Found]:
    """The submissions of a class: a folder, a zip or a notebook each. Links are passed over.

    A file is its name's student's: ``kim.zip`` is kim's, and so is ``kim-1_resnet34.zip``, as `assignments submit`
    calls it, where that is the ``assignment``.

    Raises:
        Unreadable: the folder isn't there, or holds none.
    """
    if not folder.is_dir():
        raise Unreadable(
            f"{folder} is not a folder. Name the one with the submissions, a folder or zip a student."
        )
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "__")) or path.is_symlink():
            continue
        if path.is_dir():
            found.setdefault(path.name, []).extend(_files(path))
        elif path.suffix.lower() in (".ipynb", ".zip") and path.is_file():  # a named pipe would wait for ever
            student = path.stem.removesuffix(f"-{assignment}") if assignment else path.stem
            found.setdefault(student or path.stem, []).append(path)
    if not found:
        raise Unreadable(
            f"{folder} holds no submissions. It must hold, for each student, a folder with the notebook in it, "
            "a zip, or the notebook itself, named after the student."
        )
    return [Found(student, tuple(files)) for student, files in found.items()]


def _files(folder: Path) -> list[Path]:
    """The notebooks and zips in a student's folder, however deep, in order."""
    found: list[Path] = []
    for inside, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        if len(Path(inside).relative_to(folder).parts) >= MAX_DEPTH:
            folders.clear()
        for path in (Path(inside, name) for name in names):
            if (
                not path.name.startswith((".", "__"))
                and path.suffix.lower() in (".ipynb", ".zip")
                and path.is_file()
                and not path.is_symlink()
            ):
                found.append(path)
    return sorted(found)[:MAX_MEMBERS]


def others(folder: Path) -> list[str]:
    """What lies beside the submissions and is none, such as an archive of another kind: somebody's work, perhaps."""
    return [
        path.name
        for path in sorted(folder.iterdir())
        if not path.name.startswith((".", "__"))
        and (path.is_symlink() or not (path.is_dir() or path.suffix.lower() in (".ipynb", ".zip")))
    ]
