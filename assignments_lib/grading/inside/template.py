"""The template: Python with torch loaded, once, of which every submission gets a copy of its own behind walls.

Run inside bubblewrap as ``python template.py SOCKET MEMORY FILES``. On the socket it is told ``{"start": true}`` with
two ends of pipes, and ``{"stop": true}``; it answers each with a line of JSON. One copy at a time.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import struct
import sys
from typing import Any

import walls


def main() -> None:
    """Load what answers need, then make copies until the socket is closed."""
    control = socket.socket(fileno=int(sys.argv[1]))
    memory, files = int(sys.argv[2]), int(sys.argv[3])
    serve = _loaded()
    _say(control, {"ready": os.getpid()})
    copy = -1
    while True:
        text, fds, _, _ = socket.recv_fds(control, 4096, 2)
        if not text:
            return
        if "start" in json.loads(text):
            copy = _start(control, fds, memory, files, serve)
        elif copy >= 0:
            _stop(copy)
            copy = -1
            _say(control, {"stopped": True})
        else:
            _say(control, {"stopped": False})
        for fd in fds:
            os.close(fd)


def _loaded() -> Any:
    """Everything that notebooks import, in memory before the first copy is made; and no thread yet."""
    import matplotlib

    matplotlib.use("agg")
    import IPython.display  # noqa: F401
    import torch
    import torchvision  # noqa: F401

    import assignments_lib.augmentation
    import assignments_lib.datasets
    import assignments_lib.layers
    import assignments_lib.plots
    import assignments_lib.training
    import assignments_lib.widgets  # noqa: F401
    from assignments_lib.checks.serve import serve

    torch.set_num_threads(1)  # sums come out as in the reference, and cores are shared by submissions
    gc.collect()
    gc.freeze()  # the collector of a copy leaves the template's memory shared
    return serve


def _start(control: socket.socket, fds: list[int], memory: int, files: int, serve: Any) -> int:
    """A copy, as process 1 of its own numbers: a handle on it, which no later process can be mistaken for."""
    said, tell = os.pipe()
    helper = os.fork()
    if helper == 0:
        try:
            os.close(said)
            walls.own_namespaces()
            copy = os.fork()
            if copy:
                os.write(tell, struct.pack("i", copy))
                os._exit(0)
            os.close(tell)
            control.close()
            _behind_walls(fds, memory, files, serve)
        finally:
            os._exit(1)
    os.close(tell)
    os.waitpid(helper, 0)
    number = os.read(said, 4)
    os.close(said)
    try:
        handle = os.pidfd_open(struct.unpack("i", number)[0])
    except (struct.error, OSError):  # the helper failed, or the copy ended at once
        handle = -1
    _say(control, {"started": handle >= 0})
    return handle


def _behind_walls(fds: list[int], memory: int, files: int, serve: Any) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    requests, replies = os.fdopen(fds[0], "rb"), os.fdopen(fds[1], "wb")
    walls.limits(memory, files)
    walls.empty_folders(files)
    os.chdir("/tmp")
    walls.no_rights()
    serve(requests, replies)


def _stop(copy: int) -> None:
    """End the copy and, as it is process 1 of its own, everything it started; wait until it is gone."""
    try:
        signal.pidfd_send_signal(copy, signal.SIGKILL)
    except ProcessLookupError:
        pass
    else:
        select.select([copy], [], [])
    os.close(copy)


def _say(control: socket.socket, what: dict[str, Any]) -> None:
    control.sendall(json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main()
