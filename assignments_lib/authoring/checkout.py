"""Where the sources and the notebooks made of them lie; there is nothing to build outside a checkout."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from assignments_lib.authoring.errors import BuildError


@dataclass(frozen=True)
class Checkout:
    """The project's folder, and the places in it that the authoring side reads and writes."""

    root: Path

    @property
    def notebooks(self) -> Path:
        """What students open; also where a notebook runs."""
        return self.root / "notebooks"

    @property
    def solutions(self) -> Path:
        """The same, solved and executed."""
        return self.notebooks / "solutions"

    @property
    def runs(self) -> Path:
        """What `assignments run` writes, ignored by git."""
        return self.root / "runs"

    def source(self, name: str) -> Path:
        """Where a notebook is edited."""
        return self.notebooks / "source" / f"{name}.py"

    def names(self) -> list[str]:
        """The notebooks there are sources of."""
        return sorted(path.stem for path in (self.notebooks / "source").glob("*.py"))

    def named(self, wanted: list[str]) -> list[str]:
        """The notebooks asked for, by name or by a file of theirs; all of them where none is.

        Raises:
            BuildError: there is no such notebook; the message lists those there are.
        """
        known = self.names()
        names = [Path(name).stem for name in wanted] or known
        if not names:
            raise BuildError(f"{shown(self.notebooks / 'source')} has no notebook sources (*.py) yet.")
        for name in names:
            if name not in known:
                close = get_close_matches(name, known, n=1, cutoff=0.4)
                hint = f" Did you mean {close[0]}?" if close else ""
                raise BuildError(
                    f"There is no notebook {name!r}; there are {', '.join(known) or 'none'}.{hint}"
                )
        return names


def find() -> Checkout:
    """The checkout that the working directory is in, or else the one this package runs from.

    Raises:
        BuildError: neither is one, as after a plain `pip install`.
    """
    here = Path.cwd().resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (folder / "pyproject.toml").is_file() and (folder / "notebooks" / "source").is_dir():
            return Checkout(folder)
    raise BuildError(
        "This works in a checkout of the project, where notebooks/source is, and this folder is in none. "
        "Clone the project, go into its folder and run the command there."
    )


def shown(path: Path) -> str:
    """A path as a person at this terminal would type it."""
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return str(path)
