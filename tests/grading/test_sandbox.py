"""Without a sandbox nothing is run, and the message says why and what helps."""

import multiprocessing
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from submissions import NOTEBOOKS, need_sandbox

from assignments_lib.grading import processes, sandbox
from assignments_lib.grading.inside import walls
from assignments_lib.grading.run import FAILED, Plan, run
from assignments_lib.grading.sandbox import Sandbox, SandboxUnavailable
from assignments_lib.marking.room import NoSandbox


def test_without_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    monkeypatch.setattr(sandbox.sys, "platform", "linux")
    with pytest.raises(SandboxUnavailable, match=r"apt install bubblewrap.*--unsafe"):
        Sandbox()


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_on_other_systems(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox.sys, "platform", platform)
    with pytest.raises(SandboxUnavailable, match=r"Linux only.*WSL 2.*--unsafe"):
        Sandbox()


def test_where_the_kernel_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As Ubuntu 24.04 does: bubblewrap is there, and fails with this sentence."""
    refusing = tmp_path / "bwrap"
    refusing.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: str(refusing))
    with pytest.raises(
        SandboxUnavailable, match=r"(?s)uid map: Permission denied.*AppArmor.*sysctl.*--unsafe"
    ):
        Sandbox()


def test_a_run_stops_at_once_and_writes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "in" / "alice").mkdir(parents=True)
    (tmp_path / "in" / "alice" / "a.ipynb").write_bytes((NOTEBOOKS / "1_resnet34.ipynb").read_bytes())
    monkeypatch.setenv(
        "PATH", str(tmp_path)
    )  # the workers', too, which must not come from a process made before
    monkeypatch.setattr(processes, "context", lambda: multiprocessing.get_context("spawn"))
    console = Console(record=True, width=300)
    code = run(Plan(tmp_path / "in", NOTEBOOKS / "1_resnet34.ipynb", tmp_path / "out", workers=1), console)
    assert code == FAILED
    assert "bubblewrap isn't installed" in console.export_text()
    assert not list((tmp_path / "out").glob("**/*.json"))


def test_a_template_that_ends_is_made_anew() -> None:
    need_sandbox()
    with Sandbox() as room:
        assert room.guest().define(["x = 1"]) == []
        assert room._process is not None
        room._process.kill()
        room._process.wait()
        guest = room.guest()
        assert guest.define(["def f(): return 7"]) == []
        assert guest.call("f") == 7


def test_without_walls_each_guest_has_a_process_of_its_own() -> None:
    with NoSandbox() as room:
        assert room.guest().define(["import builtins\nbuiltins.left = 1"]) == []
        guest = room.guest()
        assert guest.define(["import builtins\ndef f(): return hasattr(builtins, 'left')"]) == []
        assert guest.call("f") is False


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_jumps_to_instructions_that_are_there(machine: str) -> None:
    """Every path through the program ends in one of its verdicts; jumps go forward only, as the kernel asks."""
    program = list(struct.iter_unpack("HBBI", walls.seccomp_program(machine)))
    for place, (code, if_true, if_false, _) in enumerate(program):
        if code & 0x07 == 0x05:  # a jump
            assert max(place + 1 + if_true, place + 1 + if_false) < len(program)
    assert program[-1][0] == 0x06


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filters_verdicts(machine: str) -> None:
    architecture, calls = walls._CALLS[machine]
    allow, eperm, enosys, kill = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000

    def verdict(number: int, argument: int = 0, architecture: int = architecture) -> int:
        data = {0: number, 4: architecture, 16: argument}
        program, place, value = list(struct.iter_unpack("HBBI", walls.seccomp_program(machine))), 0, 0
        while True:
            code, if_true, if_false, operand = program[place]
            place += 1
            if code == 0x20:
                value = data[operand]
            elif code == 0x06:
                return operand
            else:
                holds = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[code]
                place += if_true if holds else if_false

    assert verdict(calls["clone"], 0x11) == eperm  # fork
    assert verdict(calls["clone"], walls.CLONE_THREAD | 0x100) == allow
    assert verdict(calls["clone3"]) == enosys
    for name in calls.keys() - {"clone", "clone3"}:
        assert verdict(calls[name]) == eperm, name
    assert verdict(0) == allow
    assert verdict(0, architecture=0x40000003) == kill  # 32-bit x86
    assert verdict(0x40000000 + calls["socket"]) == kill


def test_an_unknown_processor_is_refused() -> None:
    with pytest.raises(OSError, match="riscv64"):
        walls.seccomp_program("riscv64")


@pytest.mark.slow
def test_it_works_as_nobody_too() -> None:
    """As an account without rights, where this one may become it and can show it Python and the package."""
    need_sandbox()
    if os.getuid() != 0:
        pytest.skip("only root can become nobody, and every other test ran as an ordinary user then")
    become = "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)"
    reach = subprocess.run(
        [sys.executable, "-c", f"{become}; os.stat({sys.executable!r})"], capture_output=True
    )
    if reach.returncode != 0:
        pytest.skip("Python lies where only root can read it")
    work = """
from assignments_lib.grading.sandbox import Sandbox
with Sandbox() as room:
    guest = room.guest()
    print(guest.define(["def f(): return 7"]), guest.call("f"))
"""
    ran = subprocess.run(
        [sys.executable, "-c", f"{become}\n{work}"], capture_output=True, text=True, cwd=NOTEBOOKS.parent
    )
    assert ran.stdout.strip() == "[] 7", ran.stderr[-1000:]


def test_a_package_that_is_installed_beside_python_is_hidden_in_both_places(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As `pip install` puts it: the folder of packages is a part of Python's own."""
    installed = tmp_path / "lib" / "site-packages"
    (installed / "assignments_lib").mkdir(parents=True)
    monkeypatch.setattr(sandbox, "_python_folders", lambda: [tmp_path])
    monkeypatch.setattr(sandbox, "_packages", lambda: [(installed, "/packages/0")])
    options = " ".join(sandbox._walls())
    shown = options.index(f"--ro-bind {tmp_path} {tmp_path}")
    assert options.index(f"--tmpfs {installed}/assignments_lib") > shown
    assert options.index("--tmpfs /packages/0/assignments_lib") > options.index(
        f"--ro-bind {installed} /packages/0"
    )
