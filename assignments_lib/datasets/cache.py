"""Arrays kept in a file, so that what a program draws is drawn once.

A file is NumPy's compressed npz form, in which every array carries a CRC-32, beside a fingerprint of the code that
drew what is in it: a damaged, half-written or outdated file is taken as no file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assignments_lib.datasets.download import in_words, sentence

Array = npt.NDArray[Any]


def fingerprint(*folders: Path) -> str:
    """A version of the code in these folders that nobody can forget to raise: a hash of its text."""
    text = b"".join(path.read_bytes() for folder in folders for path in sorted(folder.rglob("*.py")))
    return hashlib.sha256(text.replace(b"\r\n", b"\n")).hexdigest()[:16]


def read(path: Path, version: str) -> dict[str, Array] | None:
    """The arrays in the file by their names, or None where it does not hold them soundly or is of another version."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            if str(stored["version"]) != version:
                return None
            return {name: stored[name] for name in stored.files if name != "version"}
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        SyntaxError,
        NotImplementedError,
        zipfile.BadZipFile,
        zlib.error,
    ):
        return None


def write(path: Path, version: str, what: str, stacklevel: int = 3, **arrays: Array) -> None:
    """Store the arrays so that a reader sees the old file or the whole new one.

    Where that cannot be done, warn that ``what`` ("drawings") will be drawn again; ``stacklevel`` says whom to name.
    """
    content: dict[str, Any] = {"version": np.array(version), **arrays}
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            np.savez_compressed(file, **content)
        os.replace(partial, path)
    except OSError as error:
        _forget(partial)
        warnings.warn(
            f"The {what} could not be kept in {path.parent} ({error.strerror or error}); nothing is lost: they will "
            f"be drawn again next time. {sentence(in_words(error, path))}",
            stacklevel=stacklevel,
        )
    except BaseException:  # the stop button
        _forget(partial)
        raise


def _forget(partial: Path) -> None:
    with contextlib.suppress(OSError):
        partial.unlink()
