"""A submission's bytes as cells. They are taken for hostile: bounded, never unpacked to disk, never run."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

MAX_FILE = 100 * 2**20  # bytes of a submission as it was handed in
MAX_NOTEBOOK = 50 * 2**20  # bytes of a notebook; one with every picture of the course has 2 million
MAX_BRACKETS = 2_000_000  # lists and objects of a notebook's JSON: each takes memory, even an empty one
MAX_MEMBERS = 2_000  # of a zip, and notebooks and zips of a folder
MAX_DIRECTORY = 2**20  # bytes of a zip's list of its members
MAX_RECEIPT = 10_000  # bytes of a receipt
MAX_CELLS = 2_000
MAX_SOURCE = 200_000  # characters of a cell
MAX_CODE = 1_000_000  # characters of all code cells

RECEIPT = "receipt.json"


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
    """One notebook: its file's name, its cells, the assignment that it says it belongs to ("" if it doesn't), and the
    SHA-256 of its bytes.
    """

    name: str
    cells: tuple[SubmittedCell, ...]
    assignment: str
    digest: str = ""


def notebooks(name: str, data: bytes) -> list[SubmittedNotebook]:
    """The notebooks of one file, a notebook or a zip with some.

    Raises:
        Unreadable: there is none, or one that can't be read.
    """
    name = _shown(name)
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
_FEWER = "Delete those that you added, save, and hand it in again."
_HAND_IN = "Hand in the .ipynb file that JupyterLab or Colab saves."


def receipt(data: bytes) -> bytes | None:
    """The bytes of the receipt in a zip that `assignments submit` made; None where there is none, or no such zip."""
    try:
        if data[:2] != b"PK" or len(data) > MAX_FILE or _directory_size(data) > MAX_DIRECTORY:
            return None
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(RECEIPT) as stream:
            return stream.read(MAX_RECEIPT)
    except Exception:  # zlib's and lzma's own among them; what can't be read is no receipt
        return None


def _unzipped(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """The notebooks inside a zip, read into memory: paths, links and sizes in it are not trusted."""
    found = 0
    try:
        if _directory_size(data) > MAX_DIRECTORY:
            raise Unreadable(f"{name} holds far too many files. Hand in the notebook alone.")
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
                    raise Unreadable(
                        f"{_shown(path.name)} in {name} is locked with a password. Hand it in without."
                    )
                if found == 10:
                    raise Unreadable(f"{name} holds more than 10 notebooks. Hand in the notebook alone.")
                with archive.open(member) as stream:
                    content = stream.read(MAX_NOTEBOOK + 1)
                found += 1
                yield _shown(path.name), content
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


def _directory_size(data: bytes) -> int:
    """What a zip says, where it ends, about the size of its list of members; zipfile reads all of that at once."""
    end = zipfile._EndRecData(io.BytesIO(data))  # type: ignore[attr-defined]
    return int(end[5]) if end else 0


def _notebook(name: str, data: bytes) -> SubmittedNotebook:
    found = document(name, data)
    read = tuple(cell(each) for each in found["cells"])
    if sum(len(each.source) for each in read if each.kind == "code") > MAX_CODE:
        raise Unreadable(f"{name} has over {MAX_CODE:,} characters of code. Take out what isn't an answer.")
    says = _text(_at(found, "metadata", "assignments", "notebook"))
    return SubmittedNotebook(name, read, says, hashlib.sha256(data).hexdigest())


def document(name: str, data: bytes) -> dict[str, Any]:
    """A notebook's JSON, of any format, with its cells as a list of objects under "cells".

    Raises:
        Unreadable: it isn't a notebook, or too large.
    """
    if len(data) > MAX_NOTEBOOK:
        raise Unreadable(f"{name} has over {_size(MAX_NOTEBOOK)}. {_SMALLER}")
    if data.count(b"[") + data.count(b"{") > MAX_BRACKETS:
        raise Unreadable(f"{name} holds over {MAX_BRACKETS:,} lists and objects. {_SMALLER}")
    try:
        found = json.loads(_decoded(name, data))
    except (ValueError, RecursionError):
        raise Unreadable(
            f"{name} is not a notebook: it isn't JSON. If it shows a merge conflict or was cut off while it was "
            "saved, open it in JupyterLab, save it again, and hand that in."
        ) from None
    cells = _cells(found)
    if cells is None:
        raise Unreadable(f"{name} is JSON, but not a notebook: it has no list of cells. {_HAND_IN}")
    if len(cells) > MAX_CELLS:
        raise Unreadable(f"{name} has {len(cells):,} cells; at most {MAX_CELLS:,} can be graded. {_FEWER}")
    return {**found, "cells": [cell for cell in cells if isinstance(cell, dict)]}


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
    raise Unreadable(f"{name} is not a notebook: it isn't text. {_HAND_IN}")


def _cells(notebook: Any) -> list[Any] | None:
    """The list of cells of any format since 2011."""
    found = _at(notebook, "cells")
    if isinstance(found, list):
        return found
    sheets = _at(notebook, "worksheets")  # before nbformat 4
    if not isinstance(sheets, list):
        return None
    return [cell for sheet in sheets if isinstance(_at(sheet, "cells"), list) for cell in sheet["cells"]]


def cell(found: dict[str, Any]) -> SubmittedCell:
    """A cell of any format."""
    source = next(
        (found[key] for key in ("source", "input", "code", "text") if key in found), ""
    )  # by format
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    kind = found.get("cell_type")
    ids = (
        _text(_at(found, "metadata", "nbgrader", "grade_id")),
        _text(found.get("id")),
        _text(_at(found, "metadata", "id")),  # where Colab puts it
    )
    return SubmittedCell(
        kind if kind in ("code", "markdown") else "raw",
        _text(source, MAX_SOURCE),
        tuple(dict.fromkeys(id for id in ids if id)),
    )


def _text(value: Any, limit: int = 200) -> str:
    """A string without what can't be encoded, cut at a limit; "" for anything else."""
    return value[:limit].encode(errors="replace").decode() if isinstance(value, str) else ""


def _shown(name: str) -> str:
    """A file's name as it can be printed anywhere, on a terminal too."""
    return "".join(each if each.isprintable() else "?" for each in name[:200])


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _size(number: int) -> str:
    return f"{number / 2**20:.0f} MB"
