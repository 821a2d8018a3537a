"""Walls around one submission, built from within: by a process that still may, and then no longer can.

bubblewrap has made the outer wall when this runs: no network, none of the host's files but Python, no environment.
Here a submission gets its own process numbers, its own empty folders and no others' memory, and limits. All of it
stands before the first line of a submission runs, and nothing in it can be undone from inside.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct

_LIBC = ctypes.CDLL(None, use_errno=True)

# Of <sched.h>, <sys/mount.h>, <sys/prctl.h>, <linux/seccomp.h>
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_THREAD = 0x20000, 0x08000000, 0x20000000, 0x10000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_PR_SET_SECCOMP, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 22, 24, 38, 47
_CAPABILITY_VERSION_3 = 0x20080522
_EPERM, _ENOSYS = 1, 38

# What a submission never needs: other programs, new namespaces, other processes' memory, sockets, the kernel's insides.
# machine -> (number of its architecture, name -> number of its system calls)
_CALLS = {
    "x86_64": (
        0xC000003E,
        {
            "clone": 56,
            "clone3": 435,
            "fork": 57,
            "vfork": 58,
            "execve": 59,
            "execveat": 322,
            "ptrace": 101,
            "socket": 41,
            "unshare": 272,
            "setns": 308,
            "mount": 165,
            "umount2": 166,
            "pivot_root": 155,
            "chroot": 161,
            "process_vm_readv": 310,
            "process_vm_writev": 311,
            "pidfd_getfd": 438,
            "keyctl": 250,
            "add_key": 248,
            "request_key": 249,
            "bpf": 321,
            "perf_event_open": 298,
            "userfaultfd": 323,
            "io_uring_setup": 425,
            "open_by_handle_at": 304,
            "mount_setattr": 442,
            "move_mount": 429,
            "fsopen": 430,
            "open_tree": 428,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "clone": 220,
            "clone3": 435,
            "execve": 221,
            "execveat": 281,
            "ptrace": 117,
            "socket": 198,
            "unshare": 97,
            "setns": 268,
            "mount": 40,
            "umount2": 39,
            "pivot_root": 41,
            "chroot": 51,
            "process_vm_readv": 270,
            "process_vm_writev": 271,
            "pidfd_getfd": 438,
            "keyctl": 219,
            "add_key": 217,
            "request_key": 218,
            "bpf": 280,
            "perf_event_open": 241,
            "userfaultfd": 282,
            "io_uring_setup": 425,
            "open_by_handle_at": 265,
            "mount_setattr": 442,
            "move_mount": 429,
            "fsopen": 430,
            "open_tree": 428,
        },
    ),
}


def own_namespaces() -> None:
    """From the next fork on: process numbers, mounts and shared memory of one's own."""
    _check(_LIBC.unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC), "unshare")


def empty_folders(size: int) -> None:
    """Fresh empty /tmp and /dev/shm of ``size`` bytes each, and no /proc: it names other processes and their limits."""
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    for folder in ("/tmp", "/dev/shm"):
        _check(_LIBC.mount(b"tmpfs", folder.encode(), b"tmpfs", flags, f"size={size}".encode()), folder)
    _check(_LIBC.mount(b"tmpfs", b"/proc", b"tmpfs", flags | _MS_RDONLY, b"size=4k"), "/proc")


def limits(memory: int, file_size: int) -> None:
    """At most ``memory`` bytes beyond what is mapped now, files of ``file_size`` bytes, few of everything else."""
    with open("/proc/self/statm") as file:
        mapped = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    for what, most in (
        (resource.RLIMIT_AS, mapped + memory),
        (resource.RLIMIT_FSIZE, file_size),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_NPROC, 256),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(what, (most, most))


def no_rights() -> None:
    """Give up every capability for good, and the system calls that no answer needs."""
    _LIBC.prctl(_PR_CAP_AMBIENT, 4, 0, 0, 0)  # clear all
    for capability in range(64):
        _LIBC.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # beyond the last one it fails, and that is all
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _check(_LIBC.capset(header, bytes(24)), "capset")
    _check(_LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    program = seccomp_program(platform.machine())
    kept = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the number of instructions, and where they are
    pointer = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(kept))
    _check(_LIBC.prctl(_PR_SET_SECCOMP, 2, pointer, 0, 0), "seccomp")


def seccomp_program(machine: str) -> bytes:
    """A filter in the kernel's BPF: the calls of the table fail with EPERM; a new thread may be made, no process.

    Raises:
        OSError: the calls of this machine's processor aren't listed here.
    """
    if machine not in _CALLS:
        raise OSError(f"no filter of system calls is written for {machine}")
    architecture, calls = _CALLS[machine]
    load, equal, at_least, set_bits, give = 0x20, 0x15, 0x35, 0x45, 0x06
    number_at, architecture_at, first_argument_at = 0, 4, 16
    kill, refuse, missing, allow = 0x80000000, 0x00050000 | _EPERM, 0x00050000 | _ENOSYS, 0x7FFF0000
    steps = [
        (load, 0, 0, architecture_at),
        (equal, 1, 0, architecture),
        (give, 0, 0, kill),
        (load, 0, 0, number_at),
        (at_least, 0, 1, 0x40000000),  # x86's x32 numbers would go round the filter
        (give, 0, 0, kill),
        (equal, 0, 1, calls["clone3"]),  # its flags can't be seen; without it the C library uses clone
        (give, 0, 0, missing),
        (equal, 0, 4, calls["clone"]),
        (load, 0, 0, first_argument_at),
        (set_bits, 0, 1, CLONE_THREAD),
        (give, 0, 0, allow),
        (give, 0, 0, refuse),
    ]
    for name, number in calls.items():
        if name not in ("clone", "clone3"):
            steps += [(equal, 0, 1, number), (give, 0, 0, refuse)]
    steps.append((give, 0, 0, allow))
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _check(outcome: int, what: str) -> None:
    if outcome != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
