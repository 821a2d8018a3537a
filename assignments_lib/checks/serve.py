"""The answer's end of the pipe: ``python -m assignments_lib.checks.serve`` answers requests until it is closed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import astuple
from itertools import count
from typing import Any, BinaryIO

from assignments_lib.checks import wire
from assignments_lib.checks.answer import Raised, Summary, Value
from assignments_lib.checks.host import Host, run_source


def _packed(error: Raised) -> Value:
    frames = [list(astuple(frame)) for frame in error.frames]
    return [error.type_name, error.message, frames, error.blank]


def _in_lists(summaries: Mapping[str, Summary]) -> Value:
    return {name: list(astuple(summary)) for name, summary in summaries.items()}


def _define(host: Host) -> None:
    host.forget()
    host.namespace.clear()
    host.namespace["__name__"] = "__main__"


def _cell(host: Host, source: str, number: int) -> Value:
    try:
        run_source(source, f"<cell {number}>", host.namespace)
    except Raised as error:
        return _packed(error)
    return None


def _answer(host: Host, cells: Iterator[int], request: str, args: list[Any]) -> Value:
    if request == "hello":
        return "hello"
    if request == "define":
        return _define(host)
    if request == "cell":
        return _cell(host, args[0], next(cells))
    if request == "call":
        return host.call(*args)
    if request == "writes":
        return host.writes(*args)
    if request == "make":
        return host.make(*args)
    if request == "describe":
        return [list(astuple(entry)) for entry in host.describe(args[0])]
    if request == "state":
        return host.state(*args)
    if request == "summaries":
        return _in_lists(host.summaries(*args))
    if request == "attribute":
        return host.attribute(*args)
    if request == "load":
        return host.load(*args)
    if request == "run":
        run = host.run(*args)
        return [run.output, run.input_changed, run.grad_input, dict(run.grads), _in_lists(run.summaries)]
    if request == "seed":
        return host.seed(*args)
    if request == "forget":
        return host.forget()
    raise ValueError(f"unknown request {request!r}")


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until the pipe is closed."""
    host, cells = Host({}), count(1)
    while True:
        try:
            request, *args = wire.read(requests)
        except EOFError:
            return
        try:
            reply = {"returned": _answer(host, cells, request, args)}
        except Raised as error:
            reply = {"raised": _packed(error)}
        except (SystemExit, KeyboardInterrupt) as error:
            reply = {"raised": [type(error).__name__, str(error), [], False]}
        wire.write(replies, reply)


def main() -> None:
    """Serve on standard input and output; what the answer prints goes to standard error."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout = sys.stderr
    serve(requests, replies)


if __name__ == "__main__":
    main()
