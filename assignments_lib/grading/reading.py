"""A submission's bytes as cells. They are taken for hostile: bounded, never unpacked to disk, never run."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

MAX_FILE = 100 * 2**20  # bytes of a submission as it was handed in
MAX_NOTEBOOK = 50 * 2**20  # bytes of a notebook; one with every picture of the course has 2 million
MAX_MEMBERS = 2_000  # of a zip
MAX_CELLS = 2_000
MAX_SOURCE = 200_000  # characters of a cell
MAX_CODE = 1_000_000  # characters of all code cells


class Unreadable(Exception):
    """The submission can't be read; the message says why, and what the student can do."""


@dataclass(frozen=True)
class SubmittedCell:
    """One cell: "code", "markdown" or "raw", the ids it bears, and its text. Its tags and outputs count for nothing."""

    kind: str
    source: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class SubmittedNotebook:
    """One notebook: its file name, its cells, and the assignment that it says it belongs to ("" if it doesn't)."""

    name: str
    cells: tuple[SubmittedCell, ...]
    assignment: str


def notebooks(name: str, data: bytes) -> list[SubmittedNotebook]:
    """The notebooks of one file, a notebook or a zip with some.

    Raises:
        Unreadable: there is none, or one that can't be read.
    """
    if len(data) > MAX_FILE:
        raise Unreadable(
            f"{name} has {_size(len(data))}; at most {_size(MAX_FILE)} can be graded. {_SMALLER}"
        )
    if not data.strip():
        raise Unreadable(f"{name} is empty. Save the notebook, and hand it in again.")
    if data[:2] == b"PK":
        return [_notebook(member, content) for member, content in _unzipped(name, data)]
    return [_notebook(name, data)]


_SMALLER = "Clear all outputs, save, and hand it in again."


def _unzipped(name: str, data: bytes) -> list[tuple[str, bytes]]:
    """The notebooks inside a zip, read into memory: paths, links and sizes in it are not trusted."""
    found: list[tuple[str, bytes]] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise Unreadable(f"{name} holds {len(members):,} files. Hand in the notebook alone.")
            for member in members:
                path = PurePosixPath(member.filename.replace("\\", "/"))
                # __MACOSX, .ipynb_checkpoints; "../.." is only odd, as nothing is unpacked
                hidden = any(part.strip(".") and part.startswith((".", "__")) for part in path.parts)
                link = stat.S_ISLNK(member.external_attr >> 16)
                if member.is_dir() or hidden or link or path.suffix.lower() != ".ipynb":
                    continue
                if member.flag_bits & 1:
                    raise Unreadable(f"{path.name} in {name} is locked with a password. Hand it in without.")
                if len(found) == 10:
                    raise Unreadable(f"{name} holds more than 10 notebooks. Hand in the notebook alone.")
                with archive.open(member) as stream:
                    content = stream.read(MAX_NOTEBOOK + 1)
                found.append((path.name, content))
    except Unreadable:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        why = type(error).__name__
        raise Unreadable(
            f"{name} is a damaged zip ({why}). Make it anew, or hand in the notebook itself."
        ) from None
    except Exception as error:  # zlib's and lzma's own
        raise Unreadable(
            f"{name} could not be unpacked ({type(error).__name__}). Hand in the notebook itself."
        ) from None
    if not found:
        raise Unreadable(
            f"{name} holds no notebook (.ipynb). Put the notebook into it, and hand it in again."
        )
    return found


def _notebook(name: str, data: bytes) -> SubmittedNotebook:
    if len(data) > MAX_NOTEBOOK:
        raise Unreadable(f"{name} has over {_size(MAX_NOTEBOOK)}. {_SMALLER}")
    try:
        found = json.loads(_decoded(name, data))
    except (ValueError, RecursionError):
        raise Unreadable(
            f"{name} is not a notebook: it isn't JSON. If it shows a merge conflict or was cut off while it was "
            "saved, open it in JupyterLab, save it again, and hand that in."
        ) from None
    cells = _cells(found)
    if cells is None:
        raise Unreadable(f"{name} is JSON, but not a notebook: it has no list of cells.")
    if len(cells) > MAX_CELLS:
        raise Unreadable(f"{name} has {len(cells):,} cells; at most {MAX_CELLS:,} can be graded.")
    read = tuple(_cell(cell) for cell in cells if isinstance(cell, dict))
    if sum(len(cell.source) for cell in read if cell.kind == "code") > MAX_CODE:
        raise Unreadable(f"{name} has over {MAX_CODE:,} characters of code. Take out what isn't an answer.")
    return SubmittedNotebook(name, read, _text(_at(found, "metadata", "assignments", "notebook")))


def _decoded(name: str, data: bytes) -> str:
    """UTF-8 as it must be; or what a Windows editor made of it."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding)
    for encoding in ("utf-8", "cp949"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable(f"{name} is not a notebook: it isn't text.")


def _cells(notebook: Any) -> list[Any] | None:
    """The list of cells of any format since 2011."""
    found = _at(notebook, "cells")
    if isinstance(found, list):
        return found
    sheets = _at(notebook, "worksheets")  # before nbformat 4
    if not isinstance(sheets, list):
        return None
    return [cell for sheet in sheets if isinstance(_at(sheet, "cells"), list) for cell in sheet["cells"]]


def _cell(cell: dict[str, Any]) -> SubmittedCell:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    kind = cell.get("cell_type")
    ids = (
        _text(_at(cell, "metadata", "nbgrader", "grade_id")),
        _text(cell.get("id")),
        _text(_at(cell, "metadata", "id")),  # where Colab puts it
    )
    return SubmittedCell(
        kind if kind in ("code", "markdown") else "raw",
        _text(source, MAX_SOURCE),
        tuple(dict.fromkeys(id for id in ids if id)),
    )


def _text(value: Any, limit: int = 200) -> str:
    """A string without what can't be encoded, cut at a limit; "" for anything else."""
    return value[:limit].encode(errors="replace").decode() if isinstance(value, str) else ""


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _size(number: int) -> str:
    return f"{number / 2**20:.0f} MB"


@dataclass(frozen=True)
class Found:
    """One student's submission on disk: their name, and the files it may be in."""

    student: str
    files: tuple[Path, ...]


def find(folder: Path) -> list[Found]:
    """The submissions of a class: a folder, a zip or a notebook each. Links are passed over.

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
        elif path.suffix.lower() in (".ipynb", ".zip"):
            found.setdefault(path.stem, []).append(path)
    if not found:
        raise Unreadable(
            f"{folder} holds no submissions. It must hold, for each student, a folder with the notebook in it, "
            "a zip, or the notebook itself, named after the student."
        )
    return [Found(student, tuple(files)) for student, files in found.items()]


def _files(folder: Path) -> list[Path]:
    """The notebooks and zips in a student's folder, however deep, in order."""
    found = []
    for path in sorted(folder.rglob("*"))[:MAX_MEMBERS]:
        inside = path.relative_to(folder)
        hidden = any(part.startswith((".", "__")) for part in inside.parts)
        linked = any(parent.is_symlink() for parent in (path, *path.parents) if parent.is_relative_to(folder))
        if not hidden and not linked and path.suffix.lower() in (".ipynb", ".zip") and path.is_file():
            found.append(path)
    return found
