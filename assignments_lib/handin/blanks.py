"""The notebooks as students got them: what a filled-in one is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from assignments_lib.checks import registry
from assignments_lib.marking.matching import match
from assignments_lib.marking.reading import SubmittedNotebook, Unreadable
from assignments_lib.marking.release import Release, read

HERE = Path(__file__).parent
FOLDER = "blank"  # in a release's wheel, beside this file


def released(name: str) -> Release:
    """An assignment as it was given: from the installed release, or else from the checkout's ``notebooks``.

    Raises:
        Unreadable: there is no such assignment, or this installation doesn't have its notebook.
    """
    if name not in registry.notebooks():
        raise Unreadable(f"There is no assignment {name!r}; there are {', '.join(registry.notebooks())}.")
    for folder in (HERE / FOLDER, HERE.parents[1] / "notebooks"):
        path = folder / f"{name}.ipynb"
        if path.is_file():
            return read(path.name, path.read_bytes())
    raise Unreadable(
        f"This installation of assignments_lib doesn't have {name}.ipynb as it was given out, which answers are told "
        "apart from. Install the package that came with the notebooks (assignments_lib-….whl)."
    )


def of(notebook: SubmittedNotebook) -> Release:
    """The assignment that a filled-in notebook is of: what it says, or what most of its cells belong to.

    Raises:
        Unreadable: it is of none.
    """
    if notebook.assignment in registry.notebooks():
        return released(notebook.assignment)
    found, release = max(_likely(notebook), key=lambda pair: pair[0], default=(0, None))
    if release is None or not found:
        raise Unreadable(f"{notebook.name} has no answer cell of any assignment: it is another notebook.")
    return release


def _likely(notebook: SubmittedNotebook) -> Iterator[tuple[int, Release]]:
    for name in registry.notebooks():
        try:
            release = released(name)
        except Unreadable:  # a release may be of some assignments only
            continue
        yield match(release, notebook).found, release
