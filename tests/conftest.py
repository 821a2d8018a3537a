"""What several tests need: the real data beside the checkout, and a web server that can misbehave."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import broken_disk
import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with real data sets that stands beside the checkout, not in it."""
    beside = Path(__file__).resolve().parents[1] / "../shared/data"
    folder = Path(os.environ.get("ASSIGNMENTS_SHARED", beside)).resolve()
    if not folder.is_dir():
        pytest.skip("the folder with real data is not here (ASSIGNMENTS_SHARED names it)")
    return folder


class FileServer:
    """Serves ``files`` from memory on this machine only, as well or as badly as a test asks.

    ``ranges`` False ignores Range. ``cuts`` and ``statuses`` are used up, one a request: break off after so
    many bytes of the body; answer with that status instead. ``asked`` lists path and Range of every request;
    ``sent`` counts the bytes that went out.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.headers: dict[str, str] = {}
        self.etag = '"v1"'
        self.ranges = True
        self.cuts: list[int] = []
        self.statuses: list[int] = []
        self.asked: list[tuple[str, str | None]] = []
        self.sent = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{path}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(outer) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                wanted = self.headers["Range"]
                outer.asked.append((self.path.lstrip("/"), wanted))
                body = outer.files.get(self.path.lstrip("/"))
                if outer.statuses or body is None:
                    self.send_response(outer.statuses.pop(0) if outer.statuses else 404)
                    self.end_headers()
                    return
                total, start, status = len(body), 0, 200
                same = self.headers["If-Range"] in (None, outer.etag)
                if wanted and outer.ranges and same:
                    first, _, last = wanted.removeprefix("bytes=").partition("-")
                    start = int(first)
                    body = body[start : int(last) + 1 if last else None]
                    status = 206 if body else 416
                self.send_response(status)
                if outer.etag:
                    self.send_header("ETag", outer.etag)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                if status == 206:
                    self.send_header("Content-Range", f"bytes {start}-{start + len(body) - 1}/{total}")
                if status == 416:
                    self.send_header("Content-Range", f"bytes */{total}")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                body = body[: outer.cuts.pop(0)] if outer.cuts else body
                with contextlib.suppress(ConnectionError):  # whoever asked may have enough
                    for at in range(0, len(body), 1 << 16):
                        outer.sent += self.wfile.write(body[at : at + (1 << 16)])

        return Handler


@pytest.fixture
def file_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A web server on this machine; downloads try again without a pause."""
    from assignments_lib.datasets import download

    monkeypatch.setattr(download, "PAUSES", (0.0, 0.0, 0.0))
    server = FileServer()
    yield server
    server.close()


@pytest.fixture
def nowhere() -> str:
    """An address on this machine where nobody listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    port = server.server_port
    server.server_close()
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 256 kB; the test is skipped where none can be mounted."""
    with broken_disk.tiny(tmp_path / "disk", "256k") as place:
        yield place


@pytest.fixture
def read_only() -> Callable[[Path], AbstractContextManager[None]]:
    """Makes a small disk read-only for a while."""
    return broken_disk.mounted_read_only


@pytest.fixture
def forbidden() -> Callable[[Path], AbstractContextManager[None]]:
    """Takes away the right to read and write what is at a place, or below it, for a while, from root too."""
    return partial(broken_disk.refused, reading=True)
