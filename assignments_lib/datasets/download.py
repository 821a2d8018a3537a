"""Fetching a file so that what stands under its name is always whole.

- Bytes go to ``<name>.part``. Beside it ``<name>.part.json`` notes which address and version they are of.
- A ``.part`` left by an earlier try is continued (``Range``), but only where the server agrees that the file
  is still the same (``If-Range`` with its ETag or date); else it starts afresh.
- A connection that breaks is taken up again after a pause; a server that can't be reached or has no such file
  gives way to the next mirror at once.
- Length and checksum are compared, and only then does ``os.replace`` give the file its name.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import gzip
import hashlib
import json
import os
import re
import shutil
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import requests
import urllib3
from tqdm.auto import tqdm

PAUSES = (1.0, 2.0, 4.0)  # seconds before each further try on one server
TIMEOUTS = (10, 60)  # seconds to connect, and between two pieces
CHUNK = 1 << 14  # bytes; what is kept of a broken transfer are whole chunks
DAMAGED = (  # what unpacking raises when an archive isn't whole
    EOFError,
    FileNotFoundError,
    gzip.BadGzipFile,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


class DownloadError(RuntimeError):
    """A file couldn't be had: what it is, why, what was tried, and where to put it by hand.

    ``offline`` is true when no server could be reached, so that trying for more files makes no sense. ``reason`` is
    set when it is this machine that can't keep it, such as a full disk.
    """

    def __init__(
        self,
        what: str,
        tried: Sequence[tuple[str, str]] = (),
        place: Path | None = None,
        reason: str = "",
        offline: bool = False,
        advice: str = "",
    ) -> None:
        self.what, self.tried, self.place, self.offline = what, tuple(tried), place, offline
        self.reason = reason
        lines = [f"{what} could not be downloaded" + (f": {reason}" if reason else ".")]
        lines += [f"  tried {url}: {why}" for url, why in tried]
        if place is not None:
            lines += [f"  By hand: save it as {place}, then run this again."]
        if advice:
            lines += [f"  {advice}"]
        super().__init__("\n".join(lines))


class CorruptFileError(ValueError):
    """A file of a data set is there but isn't what it should be; the message says which, and what to do."""


class _Refused(Exception):
    """This server won't give the file; the next mirror may."""


class _Unreachable(_Refused):
    """This server can't be reached at all."""


class _Interrupted(Exception):
    """The transfer broke off; the same server may well give the rest."""


def download(
    urls: Sequence[str],
    target: Path,
    *,
    what: str | None = None,
    md5: str | None = None,
    sha256: str | None = None,
    size: int | None = None,
    first_bytes: int | None = None,
    by_hand: Path | None = None,
    advice: str = "",
) -> Path:
    """Fetch a file, with a progress bar, from the first of several mirrors that has it.

    Args:
        urls: the mirrors, in the order in which they are tried.
        target: where the file goes. A file that is already there and has the checksum or size is kept.
        what: how messages and the progress bar name it.
        md5, sha256: checksum in hexadecimal. Without one, the MD5 that Google's storage sends along is used.
        size: length in bytes.
        first_bytes: fetch only so many bytes from the start (a shorter file comes whole).
        by_hand: where a person should put the file, if not at ``target``.
        advice: what else a person can do when it can't be had; ends the message.

    Returns:
        ``target``.

    Raises:
        DownloadError: no mirror gave the file, or it can't be written here.
    """
    what, by_hand = what or target.name, by_hand or target
    part = target.with_name(target.name + ".part")
    tried: list[tuple[str, str]] = []
    unreachable = 0
    try:
        if (md5 or sha256 or size) and target.is_file() and not _fault(target, md5, sha256, size):
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        for url in urls:
            try:
                promised = _fetch(url, part, first_bytes, what)
            except _Refused as reason:
                tried.append((url, str(reason)))
                unreachable += isinstance(reason, _Unreachable)
                continue
            fault = _fault(part, md5 or promised, sha256, size)
            if not fault:
                os.replace(part, target)
            _forget(part)
            if not fault:
                return target
            tried.append((url, fault))
    except OSError as error:  # of this machine: another mirror wouldn't help
        raise DownloadError(what, tried, reason=in_words(error, target)) from error
    raise DownloadError(what, tried, by_hand, offline=unreachable == len(tried), advice=advice)


def unpack(archive: Path, into: Path, folder: str, *, inside: str | None = None) -> Path:
    """Unpack one folder of an archive to ``into / folder``: whole, or not at all.

    A folder of that name that is already there is replaced.

    Args:
        archive: a .tar.gz or .zip file.
        into: where the folder goes; it must be there.
        folder: the name it gets.
        inside: where in the archive it is: at the top under the same name when None; "." is the whole archive.

    Raises:
        DownloadError: the disk is full, or ``into`` can't be written to.
        CorruptFileError: the archive can't be unpacked.
    """
    from torchvision.datasets.utils import extract_archive

    try:
        with tempfile.TemporaryDirectory(dir=into, prefix=".unpacking-") as scratch:
            unpacked = Path(scratch) / "unpacked" / (folder if inside is None else inside)
            extract_archive(str(archive), str(Path(scratch) / "unpacked"))
            if not unpacked.is_dir():
                raise FileNotFoundError(unpacked)
            if (into / folder).exists():
                os.replace(into / folder, Path(scratch) / "replaced")
            os.replace(unpacked, into / folder)
    except DAMAGED as error:
        raise CorruptFileError(
            f"{archive} has no whole {folder!r} in it: delete it and load again"
        ) from error
    except OSError as error:
        raise DownloadError(str(into / folder), reason=in_words(error, into / folder)) from error
    return into / folder


def in_words(error: OSError, path: Path) -> str:
    """Why this machine can't keep a file, and what to do about it."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk that holds {path.parent} is full: free some space and run this again"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"{path.parent} may not be written to: set the environment variable ASSIGNMENTS_DATA to a folder "
            "of your own"
        )
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return f"there is a file where a folder should be on the way to {path}: move it away ({error})"
    return f"{path} could not be written ({error})"


def sentence(words: str) -> str:
    """Words as a sentence of their own."""
    return f"{words[:1].upper()}{words[1:]}."


def unreadable(error: Exception, path: Path, mend: str) -> CorruptFileError:
    """The error to raise for a file that is there and can't be read; ``mend`` is what to do if it is damaged."""
    if isinstance(error, PermissionError):
        return CorruptFileError(
            f"{path} may not be read by this account: nothing is wrong with what is in it, as far as we know. Give "
            "yourself the right to read it (chmod u+r), or set the environment variable ASSIGNMENTS_DATA to a folder "
            "of your own"
        )
    return CorruptFileError(f"{path} can't be read ({error}): {mend}")


def discard(path: Path) -> None:
    """Delete a file that is no longer needed, if it is there; one that can't be deleted does no harm."""
    with contextlib.suppress(OSError):
        path.unlink()


def megabytes(files: Iterable[Path]) -> str:
    """The size of some files, in words."""
    return f"{sum(path.stat().st_size for path in files) / 1e6:,.1f} MB"


def _fetch(url: str, part: Path, stop: int | None, what: str) -> str | None:
    """Fill ``part`` from one server, taking a broken transfer up again; returns the MD5 it promised."""
    for pause in (*PAUSES, None):
        try:
            return _continue(url, part, stop, what)
        except _Interrupted as reason:
            if pause is None:
                raise _Refused(f"{reason}; tried {len(PAUSES) + 1} times") from reason
            time.sleep(pause)
    raise AssertionError("unreachable")


def _continue(url: str, part: Path, stop: int | None, what: str) -> str | None:
    """One request for what is still missing of ``part``."""
    have, version = _left_over(part, url, stop)
    if have and have == stop:
        return None
    headers = {"Accept-Encoding": "identity"}  # a Range counts bytes as sent
    if have or stop:
        headers["Range"] = f"bytes={have}-{stop - 1 if stop else ''}"
    if have:
        headers["If-Range"] = version
    with _get(url, headers) as response:
        total = _total(response)
        if response.status_code == 416:
            if total == have:  # it had all arrived; only its name was missing. Or there is nothing in it
                part.touch()
                return _promised_md5(response)
            _forget(part)
            raise _Interrupted("the server has a shorter file than before")
        if response.status_code == 206 and _start(response) != have:
            _forget(part)
            raise _Interrupted("the server sent another range than it was asked for")
        if response.status_code == 200:
            have = 0
        expected = total if stop is None or total is None else min(stop, total)
        _make_room(part, (expected or 0) - have)
        _note(part, url, stop, response)
        have = _save(response, part, have, stop, expected, what)
        if expected is not None and have < expected:
            raise _Interrupted(f"the connection broke after {have:,} of {expected:,} bytes")
        return _promised_md5(response) if stop is None or have == total else None


def _get(url: str, headers: dict[str, str]) -> requests.Response:
    """The answer with status 200, 206 or 416; all others become an exception with a sentence."""
    try:
        response = requests.get(url, headers=headers, stream=True, timeout=TIMEOUTS)
    except requests.exceptions.SSLError as error:
        raise _Unreachable(f"no secure connection could be made ({error})") from error
    except requests.exceptions.ReadTimeout as error:
        raise _Interrupted("the server did not answer in time") from error
    except requests.exceptions.ConnectionError as error:
        if error.args and isinstance(error.args[0], urllib3.exceptions.ProtocolError):
            raise _Interrupted("the server closed the connection") from error
        raise _Unreachable("the server can't be reached (is this computer online?)") from error
    except requests.exceptions.RequestException as error:
        raise _Refused(str(error)) from error
    status = response.status_code
    if status in (200, 206, 416):
        return response
    response.close()
    if status in (404, 410):
        raise _Refused(f"the server has no such file ({status})")
    if status == 429 or status >= 500:
        raise _Interrupted(f"the server is busy or broken ({status})")
    raise _Refused(f"the server refuses to give it ({status})")


def _save(
    response: requests.Response, part: Path, have: int, stop: int | None, expected: int | None, what: str
) -> int:
    """Append what comes to ``part``; returns its length then."""
    bar = tqdm(total=expected, initial=have, desc=what, unit="B", unit_scale=True, leave=False)
    with bar, open(part, "ab" if have else "wb") as file:
        try:
            for piece in response.iter_content(CHUNK):
                piece = piece if stop is None else piece[: stop - have]
                file.write(piece)
                have += len(piece)
                bar.update(len(piece))
                if have == stop:  # a server without Range would go on to the end
                    break
        except requests.exceptions.RequestException as error:  # cut off: the length tells
            if expected is None:  # an archive packed while it is sent has none
                raise _Interrupted(f"the connection broke after {have:,} bytes") from error
        file.flush()
        os.fsync(file.fileno())
    return have


def _make_room(part: Path, missing: int) -> None:
    """Complain before, not after, minutes of downloading to a disk that is too small."""
    if missing > shutil.disk_usage(part.parent).free:
        raise OSError(errno.ENOSPC, f"{missing:,} more bytes are needed")


def _note_of(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _note(part: Path, url: str, stop: int | None, response: requests.Response) -> None:
    etag = response.headers.get("ETag", "")
    version = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")
    _note_of(part).write_text(json.dumps({"url": url, "stop": stop, "version": version}))


def _left_over(part: Path, url: str, stop: int | None) -> tuple[int, str]:
    """Length and version of what an earlier try left of this very file; (0, "") where it can't be used."""
    try:
        note = json.loads(_note_of(part).read_text())
        if note["url"] == url and note["stop"] == stop and note["version"]:
            return part.stat().st_size, note["version"]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return 0, ""


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _note_of(part).unlink(missing_ok=True)


def _total(response: requests.Response) -> int | None:
    """Length of the whole file, where the server says it."""
    if response.status_code in (206, 416):
        found = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
        return int(found[1]) if found else None
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _start(response: requests.Response) -> int:
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def _promised_md5(response: requests.Response) -> str | None:
    """The MD5 of the whole object in Google's ``x-goog-hash`` header, in hexadecimal."""
    found = re.search(r"md5=([A-Za-z0-9+/]{22}==)", response.headers.get("x-goog-hash", ""))
    return base64.b64decode(found[1]).hex() if found else None


def _fault(path: Path, md5: str | None, sha256: str | None, size: int | None) -> str:
    """What is wrong with a file, in words; empty when nothing is."""
    if size is not None and path.stat().st_size != size:
        return f"it has {path.stat().st_size:,} bytes instead of {size:,}"
    for name, expected in (("md5", md5), ("sha256", sha256)):
        if expected and (found := _digest(path, name)) != expected.lower():
            return f"its {name} is {found} instead of {expected.lower()} (damaged, or another file)"
    return ""


def _digest(path: Path, name: str) -> str:
    digest = hashlib.new(name, usedforsecurity=False)
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
