"""Results on disk: a file a submission, written once and whole, so that a killed run goes on where it was."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import quote

from assignments_lib.atomic import write_atomically
from assignments_lib.marking.release import Release
from assignments_lib.marking.result import FORMAT, Graded, from_json, to_json
from assignments_lib.marking.room import Limits


class Store:
    """The folder ``results`` of a run's output."""

    def __init__(self, output: Path):
        self.folder = output / "results"

    def path(self, student: str) -> Path:
        """Where a student's result is; the name can be read, and leads nowhere else."""
        name = quote(student, safe=" ()-+@,", errors="surrogatepass") or "%"
        if name.startswith("."):
            name = "%2E" + name[1:]
        if len(name) > 150:  # "=" is in no other name
            digest = hashlib.sha256(student.encode(errors="surrogatepass")).hexdigest()
            name = f"{name[:100]}={digest[:16]}"
        return self.folder / f"{name}.json"

    def write(self, graded: Graded) -> None:
        """Write a result: all of it or nothing, whatever happens meanwhile."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path(graded.student), to_json(graded))

    def read(self, student: str) -> Graded | None:
        """A student's result; None where there is none that can be read."""
        try:
            return from_json(self.path(student).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None

    def all(self) -> Iterator[Graded]:
        """Every result that can be read."""
        for path in sorted(self.folder.glob("*.json")):
            try:
                yield from_json(path.read_text(encoding="utf-8"))
            except (OSError, ValueError, RecursionError):
                continue


def key(release: Release, digest: str, limits: Limits) -> str:
    """What a result depends on: the submission, the release, the checks, the limits. Another key, another grading."""
    parts = (str(FORMAT), digest, release.digest, _code(), repr(limits))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def _code() -> str:
    """The package's code, as what a check finds may depend on all of it."""
    import assignments_lib

    digest = hashlib.sha256()
    folder = Path(assignments_lib.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
