"""A file is there whole, or as it was before: nothing half-written is ever left behind."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def write_atomically(path: str | Path, content: bytes | str) -> None:
    """Write the file, its folders included, so that at any moment it is either the old one or the new one.

    The bytes go into a temporary file beside it, onto the disk, and only then to the file's name. Text is written as
    UTF-8 with its line ends as they are, and half a surrogate pair (Python's stand-in for a byte of a damaged file
    name) as ``\\udce9``.

    Raises:
        OSError: it could not be written, for instance because the disk is full. The old file is untouched then, and
            the temporary one removed.
    """
    path = Path(path).resolve()  # a link goes on being one: what it points to is written
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    # Its name is short whatever the file's is: a long student's name must not make it too long for the disk.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode(path))
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _onto_the_disk(path.parent)


def _mode(path: Path) -> int:
    """The permissions of the file as it was, or of a new one (mkstemp's own are for the owner alone)."""
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask


def _onto_the_disk(folder: Path) -> None:
    """The new name itself survives a power cut, where folders can be synchronised (not on Windows)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
