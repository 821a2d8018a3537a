"""The sandbox: bubblewrap around a template of Python, and copies of that template for one submission each.

The outer wall is bubblewrap's: no network, nothing of this machine's files but Python and the package's student part,
all of it read-only, no environment, process numbers and users of its own. `inside.walls` adds one round every
submission. Where bubblewrap can't be had, nothing is run at all, and `SandboxUnavailable` says why and what helps.
"""

from __future__ import annotations

import json
import os
import shutil
import site
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import assignments_lib
from assignments_lib.checks import registry
from assignments_lib.checks.child import Piped
from assignments_lib.grading import memory
from assignments_lib.marking.room import Limits

_PACKAGE = Path(assignments_lib.__file__).resolve().parent
_INSIDE = Path(__file__).resolve().parent / "inside"
_NOT_FOR_SUBMISSIONS = {"authoring", "checks", "cli.py", "grading", "handin", "marking", "__pycache__"}
_OF_THE_CHECKS = ("__init__.py", "answer.py", "host.py", "serve.py", "wire.py")
_SYSTEM = (
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
)
_USER = "65533"  # nobody in particular
START = 120.0  # seconds that loading torch may take


class SandboxUnavailable(Exception):
    """No sandbox can be made on this machine; the message says why, and what to do."""


class Guest(Piped):
    """An `Answer` in a copy of the template, behind walls. Made by `Sandbox.guest`."""

    def __init__(self, connection: socket.socket, *, timeout: float):
        self._connection = connection
        super().__init__(connection.makefile("wb"), connection.makefile("rb"), timeout=timeout)

    def _break(self) -> None:
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the pipe."""
        self._break()
        for end in (self._requests, self._replies, self._connection):
            with suppress(OSError, ValueError):
                end.close()


class Sandbox:
    """A template in bubblewrap. Use it as a context manager; one `guest` at a time.

    Raises:
        SandboxUnavailable: there is no bubblewrap, or it can't work here.
    """

    def __init__(self, limits: Limits | None = None):
        self.limits = limits or Limits()
        self._process: subprocess.Popen[bytes] | None = None
        self._guest: Guest | None = None
        self._begin()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the template and whatever runs in it."""
        if self._guest is not None:
            self._guest.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._replies.close()
            self._control.close()
            assert self._process.stderr is not None
            self._process.stderr.close()
            self._process = None

    def guest(self) -> Piped:
        """A fresh answer, with nothing in its memory or its folders; the one before it is ended."""
        for attempt in range(2):
            try:
                return self._fresh()
            except (OSError, ValueError):
                if attempt:
                    raise SandboxUnavailable("The sandbox ended and could not be started again.") from None
                self.close()  # the template itself came to harm: another one
                self._begin()
        raise AssertionError("unreachable")

    def _fresh(self) -> Guest:
        if self._guest is not None:
            self._guest.close()
            self._guest = None
            self._ask({"stop": True})
        ours, theirs = socket.socketpair()
        with theirs:
            fds = [theirs.fileno(), theirs.fileno()]
            started = self._ask({"start": True}, fds)
        if not started.get("started"):
            ours.close()
            raise OSError("no copy was made")
        self._guest = Guest(ours, timeout=self.limits.request)
        self._guest._ask("hello")
        return self._guest

    def _begin(self) -> None:
        program = shutil.which("bwrap")
        if not sys.platform.startswith("linux") or program is None:
            raise SandboxUnavailable(_no_program())
        if Path(sys.base_prefix).resolve().is_relative_to("/tmp"):
            raise SandboxUnavailable(
                f"Python lies in {sys.base_prefix}, and submissions get a /tmp of their own: move it."
            )
        self._control, theirs = socket.socketpair()
        command = [program, *_walls(), "--", *_python(theirs.fileno(), self.limits)]
        with theirs:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
            )
        self._control.settimeout(START)
        self._replies = self._control.makefile("rb")
        try:
            self._heard()
        except (OSError, ValueError):
            self._process.kill()
            _, said = self._process.communicate()
            self.close()
            raise SandboxUnavailable(_refused(said.decode(errors="replace"))) from None

    def _ask(self, what: dict[str, Any], fds: list[int] | None = None) -> dict[str, Any]:
        socket.send_fds(self._control, [json.dumps(what).encode()], fds or [])
        return self._heard()

    def _heard(self) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(self._replies.readline())
        return heard


def _walls() -> list[str]:
    """bubblewrap's options: what is shared, and that nothing else is."""
    options = ["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"]
    # The template needs one right, to put a wall round each copy; a copy gives it up before it runs anything
    options += ["--uid", _USER, "--gid", _USER, "--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"]
    options += ["--hostname", "sandbox", "--clearenv"]
    for name, value in _ENVIRONMENT.items():
        options += ["--setenv", name, value]
    for path in map(Path, _SYSTEM):
        if path.is_symlink():
            options += ["--symlink", os.readlink(path), str(path)]
        elif path.exists():
            options += ["--ro-bind", str(path), str(path)]
    bound: list[Path] = []
    for path in _python_folders():
        if not any(path.is_relative_to(other) for other in (*bound, *map(Path, _SYSTEM))):
            bound.append(path)
            options += ["--ro-bind", str(path), str(path)]
    for folder, inside in _packages():
        options += ["--ro-bind", str(folder), inside]
        if (folder / "assignments_lib").is_dir():  # the whole package, references and all: hide it
            options += ["--tmpfs", f"{inside}/assignments_lib"]
            if any(folder.is_relative_to(other) for other in (*bound, *map(Path, _SYSTEM))):
                options += ["--tmpfs", str(folder / "assignments_lib")]
    options += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for source, target in _course():
        options += ["--ro-bind", str(source), target]
    return [*options, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]


_ENVIRONMENT = {
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "MPLCONFIGDIR": "/tmp",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "ASSIGNMENTS_DATA": "/tmp/data",
    "ASSIGNMENTS_OFFLINE": "1",
    **memory.ENVIRONMENT,
}


def _course() -> Iterator[tuple[Path, str]]:
    """The package's student part, as (here, in the sandbox): no references, catalogues, grading or sources."""
    for path in sorted(_PACKAGE.iterdir()):
        if path.name not in _NOT_FOR_SUBMISSIONS:
            yield path, f"/course/assignments_lib/{path.name}"
    for name in _OF_THE_CHECKS:
        yield _PACKAGE / "checks" / name, f"/course/assignments_lib/checks/{name}"
    for module in registry.modules():
        yield _INSIDE / "no_checks.py", f"/course/assignments_lib/checks/{module}.py"
    for name in ("template.py", "walls.py"):
        yield _INSIDE / name, f"/course/{name}"


def _python_folders() -> list[Path]:
    """Python's own folder, or what of it is Python's where it shares one with the system."""
    base = Path(sys.base_prefix).resolve()
    library = Path(sysconfig.get_paths()["stdlib"]).resolve()
    program = Path(sys.executable).resolve()
    folders = [program, library]
    if base not in (Path("/"), Path("/usr"), Path("/usr/local")):
        folders = [base, *folders]
    return folders


def _packages() -> list[tuple[Path, str]]:
    """Folders of installed packages, as (here, in the sandbox): they may lie anywhere here, in /tmp too."""
    found = [*site.getsitepackages(), *(path for path in sys.path if Path(path).name == "site-packages")]
    folders = dict.fromkeys(Path(path).resolve() for path in found if Path(path).is_dir())
    return [(folder, f"/packages/{number}") for number, folder in enumerate(folders)]


def _python(control: int, limits: Limits) -> list[str]:
    """The template's command. Isolated: no variables, start-up files or folders of anybody's change what it imports."""
    paths = ["/course", *(inside for _, inside in _packages())]
    start = f"import sys, runpy; sys.path[:0] = {paths!r}; runpy.run_path('/course/template.py', run_name='__main__')"
    program = str(Path(sys.executable).resolve())
    return [program, "-I", "-S", "-B", "-c", start, str(control), str(limits.memory), str(limits.files)]


def _no_program() -> str:
    if sys.platform.startswith("linux"):
        return (
            "There is no sandbox here: bubblewrap isn't installed. Install it (`apt install bubblewrap`, `dnf install "
            "bubblewrap`) and run this again. Only if you trust every submission as your own code: --unsafe."
        )
    return (
        "There is no sandbox here: bubblewrap is for Linux only. Grade on a Linux machine, in a virtual machine, or in "
        "Windows' WSL 2. Only if you trust every submission as your own code: --unsafe."
    )


def _refused(said: str) -> str:
    last = "\n".join(said.strip().splitlines()[-3:]) or "it said nothing"
    return (
        f"There is no sandbox here: bubblewrap could not start Python. It said: {last}\n"
        "Where user namespaces are forbidden, as on Ubuntu 24.04 as it is installed, an administrator allows them to "
        "bubblewrap with an AppArmor profile (`apt install apparmor-profiles`, then link /usr/share/apparmor/"
        "extra-profiles/bwrap-userns-restrict into /etc/apparmor.d and load it), or to everybody with `sysctl -w "
        "kernel.apparmor_restrict_unprivileged_userns=0`. A container needs the right to make namespaces. "
        "Only if you trust every submission as your own code: --unsafe."
    )
