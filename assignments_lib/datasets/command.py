"""`assignments data [NAMES]`: what data there is, and fetching more of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from assignments_lib.datasets import SOURCES, CorruptFileError, DownloadError, data_root


def main(names: Sequence[str] = (), root: Path | None = None, origin: str | None = None) -> int:
    """Without names, a table of all data sets; with names, download those.

    ``origin`` is a mirror's address, or a file or folder with a copy, to take the one set that is named from; for sets
    whose own server can't be counted on.

    Returns:
        The exit code: 0, or 1 where a name is unknown or a download failed (the reason has been printed).
    """
    root = root or data_root()
    console = Console(highlight=False)
    if origin and (len(names) != 1 or (names[0] in SOURCES and not SOURCES[names[0]].origin)):
        able = " or ".join(name for name, source in SOURCES.items() if source.origin)
        console.print(
            f"FAIL: --from goes with one name, {able}; for other sets, data/README.md says how to put them in place "
            "by hand",
            soft_wrap=True,
        )
        return 1
    if not names:
        console.print(table(root))
        place = f"Data lives in {root} (the environment variable ASSIGNMENTS_DATA names another folder)."
        console.print(place, markup=False, soft_wrap=True)
        return 0
    if unknown := [name for name in names if name not in SOURCES]:
        console.print(
            f"FAIL: there is no data set {unknown[0]!r}; there are {', '.join(SOURCES)}", markup=False
        )
        return 1
    return max([_fetch(name, root, console, origin) for name in names])


def table(root: Path) -> Table:
    """Every data set: what it is, its licence, whether it is there, and how to get it."""
    grid = Table(title="Data sets", show_lines=True)
    for heading in ("Name", "What it is", "Licence", "Here", "How to get it"):
        grid.add_column(heading, overflow="fold")
    for source in SOURCES.values():
        try:
            here = source.present(root) or "not present"
        except CorruptFileError as error:
            here = str(error)  # it names the file, and what to do
        how = f"assignments data {source.name} ({source.download})" if source.download else "nothing to do"
        grid.add_row(source.name, source.what, source.licence, Text(here), how)
    return grid


def _fetch(name: str, root: Path, console: Console, origin: str | None) -> int:
    source = SOURCES[name]
    if not source.download:
        console.print(f"OK: {name} needs no download, it is drawn on first use")
        return 0
    try:
        folder = source.module.fetch(root, origin) if origin else source.module.fetch(root)
    except (DownloadError, CorruptFileError) as error:
        console.print(f"FAIL: {error}", markup=False, soft_wrap=True)
        return 1
    console.print(f"OK: {name} is in {folder}: {source.present(root)}", markup=False, soft_wrap=True)
    return 0
