"""A hostile process at the other end of the pipe: whatever it says is a plain value, an exception, or `Lost`."""

import json
import math
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
import torch
from torch import Tensor

from assignments_lib.checks import wire
from assignments_lib.checks.answer import Entry, Lost, Opaque, Raised, Ref, Run
from assignments_lib.checks.child import MAX_ELEMENTS, MAX_ENTRIES, MAX_TEXT, Piped

MODULE = Ref(1)
NO_TENSORS = wire.encode(None)[1]
HANGS = 60.0  # seconds; nothing here takes one


class Guest(Piped):
    """Over a pair of sockets, as the grader's."""

    def __init__(self, connection: socket.socket, *, timeout: float):
        self._connection = connection
        super().__init__(connection.makefile("wb"), connection.makefile("rb"), timeout=timeout)

    def _break(self) -> None:
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._break()
        for end in (self._requests, self._replies, self._connection):
            with suppress(OSError, ValueError):
                end.close()


Peer = Callable[[socket.socket], None]


@contextmanager
def opposite(peer: Peer, timeout: float = 30) -> Iterator[Guest]:
    """A guest whose other end is in the hands of ``peer``, a function in a thread."""
    ours, theirs = socket.socketpair()

    def run() -> None:
        with theirs, suppress(OSError):
            peer(theirs)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    guest = Guest(ours, timeout=timeout)
    try:
        yield guest
    finally:
        guest.close()
        thread.join(HANGS)
        assert not thread.is_alive()


def in_time(ask: Callable[[], Any]) -> Any:
    """What ``ask`` gives or raises, in a thread: a hang fails the test and doesn't stop it."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(ask())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(HANGS)
    assert not thread.is_alive(), "it hangs"
    return outcome[0]


def saying(data: bytes, *, then_close: bool = False) -> Peer:
    """Says that at once, whatever it is asked, and nothing more; or says that nothing more will come."""

    def peer(theirs: socket.socket) -> None:
        theirs.sendall(data)
        if then_close:
            theirs.shutdown(socket.SHUT_WR)
        while theirs.recv(1 << 16):
            pass

    return peer


def raw(text: bytes | str, blob: bytes = NO_TENSORS) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack(">QQ", len(data), len(blob)) + data + blob


def reply(value: Any, how: str = "returned") -> bytes:
    """A well-formed message with any value in it."""
    return raw(*wire.encode({how: value}))


ASKS: dict[str, Callable[[Piped], Any]] = {
    "define": lambda guest: guest.define(["x = 1"]),
    "cell": lambda guest: guest.cell("x = 1"),
    "call": lambda guest: guest.call("f", torch.ones(2)),
    "writes": lambda guest: guest.writes("f", torch.ones(2)),
    "make": lambda guest: guest.make("model", []),
    "describe": lambda guest: guest.describe(MODULE),
    "state": lambda guest: guest.state(MODULE),
    "summaries": lambda guest: guest.summaries(MODULE),
    "attribute": lambda guest: guest.attribute(MODULE, "a"),
    "load": lambda guest: guest.load(MODULE, {"w": torch.ones(1)}),
    "run": lambda guest: guest.run(MODULE, torch.ones(1), grad_output=torch.ones(1)),
    "seed": lambda guest: guest.seed(1),
    "forget": lambda guest: guest.forget(),
}


def assert_lost(guest: Guest, ask: Callable[[Piped], Any], says: str = "") -> None:
    """It is lost at once, and stays so: what is said later is not listened to."""
    error = in_time(lambda: ask(guest))
    assert type(error) is Lost, repr(error)
    assert says in str(error)
    assert len(str(error)) < 200
    assert guest.lost
    for later in ASKS.values():
        assert type(in_time(lambda later=later: later(guest))) is Lost


# -- what is no message at all ---------------------------------------------------------------------------

GOOD = reply(None)
NOT_MESSAGES = {
    "one byte": (b"\0", "in the middle"),
    "half a head": (GOOD[:15], "in the middle"),
    "only a head": (GOOD[:16], "in the middle"),
    "cut short by one": (GOOD[:-1], "in the middle"),
    "longer than said": (struct.pack(">QQ", 1, 8) + b"{" + b"\0" * 8, "unreadable"),
    "too much JSON": (struct.pack(">QQ", wire.MAX_JSON + 1, 0), "too much"),
    "too many tensors": (struct.pack(">QQ", 2, wire.MAX_TENSORS + 1), "too much"),
    "2^64 bytes": (b"\xff" * 16, "too much"),
    "2^63 bytes": (struct.pack(">QQ", 2**63, 2**63), "too much"),
    "nothing": (struct.pack(">QQ", 0, 0), "unreadable"),
    "no tensors": (struct.pack(">QQ", 4, 0) + b"null", "unreadable"),
    "not JSON": (raw("hello"), "unreadable"),
    "not UTF-8": (raw(b'"\xff\xfe"'), "unreadable"),
    "a pickle": (raw(b"cos\nsystem\n(S'exit 1'\ntR."), "unreadable"),
    "a pickle of tensors": (raw("null", b"cos\nsystem\n(S'exit 1'\ntR."), "unreadable"),
    "deep lists": (raw('{"$dict": {"returned": ' + "[" * 25 + "]" * 25 + "}}"), "nested too deeply"),
    "very deep lists": (raw("[" * 10**6), "unreadable"),
    "deep objects": (raw('{"$dict": {"a": ' * 25 + "1" + "}}" * 25), "nested too deeply"),
    "deep tuples": (raw('{"$tuple": [' * 25 + "]}" * 25), "nested too deeply"),
    "very deep objects": (raw('{"$dict": {"a": ' * 10**5), "unreadable"),
    "a number without end": (raw("1" * 10_000), "unreadable"),
    "2^63": (raw(json.dumps({"$dict": {"returned": 2**63}})), "too large"),
    "-2^63 - 1": (raw(json.dumps({"$dict": {"returned": [-(2**63) - 1]}})), "too large"),
    "a plain list": (raw("[1, 2]"), "unreadable"),
    "a plain word": (raw('"returned"'), "unreadable"),
    "a bare object": (raw('{"returned": null}'), "unreadable"),
    "an empty reply": (raw('{"$dict": {}}'), "unreadable"),
    "another word": (raw('{"$dict": {"marks": 100}}'), "unreadable"),
    "an unknown tensor": (raw('{"$dict": {"returned": {"$tensor": "7", "grad": false}}}'), "unreadable"),
    "a tensor without grad": (raw('{"$dict": {"returned": {"$tensor": "0"}}}'), "unreadable"),
    "a ref of nothing": (raw('{"$dict": {"returned": {"$ref": []}}}'), "unreadable"),
    "an infinite ref": (raw('{"$dict": {"returned": {"$ref": [Infinity, "module"]}}}'), "unreadable"),
    "a ref to NaN": (raw('{"$dict": {"returned": {"$ref": [NaN, "module"]}}}'), "unreadable"),
    "a float of words": (raw('{"$dict": {"returned": {"$float": "__import__"}}}'), "unreadable"),
    "a float of a list": (raw('{"$dict": {"returned": {"$float": [1]}}}'), "unreadable"),
    "a tuple of a number": (raw('{"$dict": {"returned": {"$tuple": 1}}}'), "unreadable"),
    "a dict of a list": (raw('{"$dict": ["returned"]}'), "unreadable"),
    "two dicts, the last wrong": (raw('{"$dict": {"returned": 1}, "$dict": 1}'), "unreadable"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_MESSAGES)
def test_what_is_no_message(name: str) -> None:
    data, says = NOT_MESSAGES[name]
    with opposite(saying(data, then_close=True)) as guest:
        assert_lost(guest, ASKS["call"], says)


def test_a_peer_that_says_nothing_and_ends() -> None:
    with opposite(saying(b"", then_close=True)) as guest:
        assert_lost(guest, ASKS["call"], "has ended")


# -- safetensors whose header lies -----------------------------------------------------------------------


def tensors(header: Any, data: bytes = b"\0" * 8, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def one(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8), **more: Any) -> dict[str, Any]:
    return {"0": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}, **more}


LIES = {
    "offsets beyond the end": tensors(one(shape=(4,), offsets=(0, 16))),
    "offsets far beyond": tensors(one(offsets=(2**62, 2**62 + 8))),
    "offsets that overflow": tensors(one(offsets=(2**64 - 8, 2**64))),
    "negative offsets": tensors(one(offsets=(-8, 0))),
    "offsets the wrong way round": tensors(one(offsets=(8, 0))),
    "offsets that are words": tensors(one(offsets=("0", "8"))),
    "overlapping": tensors(one(**{"1": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})),
    "a hole": tensors(one(shape=(1,), offsets=(4, 8))),
    "fewer bytes than the shape": tensors(one(shape=(3,))),
    "more bytes than the shape": tensors(one(shape=(1,))),
    "an unknown dtype": tensors(one("F1024")),
    "a dtype that is no word": tensors(one(7)),
    "an object": tensors(one("O")),
    "2^63 elements": tensors(one(shape=(2**63,))),
    "2^64 elements": tensors(one(shape=(2**64,))),
    "elements that overflow": tensors(one(shape=(2**32, 2**32))),
    "elements that overflow to 2": tensors(one(shape=(2**63 + 1, 2))),
    "a negative shape": tensors(one(shape=(-2,))),
    "a shape of floats": tensors(one(shape=(2.0,))),
    "a shape of bools": tensors(one(shape=(True, 2))),
    "too long a header": tensors(one(), length=2**40),
    "a header of 2^64": tensors(one(), length=2**64 - 1),
    "a header cut short": tensors(one(), length=10),
    "no header": tensors(b""),
    "a header that isn't JSON": tensors(b"hello"),
    "a deep header": tensors(b"[" * 10**5),
    "a header that is a list": tensors([]),
    "bytes that no tensor has": tensors({}),
    "missing fields": tensors({"0": {"dtype": "F32"}}),
    "metadata of numbers": tensors(one(__metadata__={"a": 1})),
    "three bytes": b"\0\0\0",
    "nothing": b"",
}


@pytest.mark.parametrize("name", LIES)
def test_tensors_whose_header_lies(name: str) -> None:
    said = raw('{"$dict": {"returned": {"$tensor": "0", "grad": false}}}', LIES[name])
    with opposite(saying(said)) as guest:
        assert_lost(guest, ASKS["call"], "unreadable")


def test_a_header_that_tells_the_truth() -> None:
    """Or else the test above would pass with any bytes."""
    blob = tensors(one(), struct.pack("<ff", 1, 2))
    with opposite(saying(raw('{"$dict": {"returned": {"$tensor": "0", "grad": false}}}', blob))) as guest:
        assert in_time(lambda: guest.call("f")).tolist() == [1, 2]
        assert not guest.lost


@pytest.mark.parametrize(
    "shape", [(0, 2**62), (2**62, 0), (0, 2**40, 2**40), (0, 2**63), (0,) * 70, (1,) * 70]
)
def test_tensors_of_no_elements_and_any_number_of_sizes(shape: tuple[int, ...]) -> None:
    blob = tensors(one(shape=shape, offsets=(0, 4 * math.prod(shape))), b"\0" * 4 * math.prod(shape))
    with opposite(saying(raw('{"$dict": {"returned": {"$tensor": "0", "grad": true}}}', blob))) as guest:
        found = in_time(lambda: guest.call("f"))
        assert isinstance(found, (Tensor, Lost))
        assert guest.lost == isinstance(found, Lost)


# -- messages that are well-formed, and no answer to what was asked ---------------------------------------

T, E = torch.ones(2), [True, True, True]
WRONG: dict[str, list[Any]] = {
    "writes": [None, 0, 1, "true", [], [True], {}, T, Ref(1), math.nan],
    "make": [None, 1, "model", [1, "module"], {"$ref": [1, "module"]}, T, True, Opaque("Ref")],
    "describe": [
        None, 3, True, "ab", T.sum(), {"weight": [2]}, Ref(1), [[]], [["w"]], [["w", [1]]], [["w", [1], True]],
        [["w", [1], True, True]], [["w", [1], *E, True]], [[1, [1], *E]], [[None, [1], *E]], [[T, [1], *E]],
        [["w", 1, *E]], [["w", None, *E]], [["w", ["1"], *E]], [["w", "11", *E]], [["w", [-1], *E]],
        [["w", [1.0], *E]], [["w", [math.nan], *E]], [["w", [math.inf], *E]], [["w", [True], *E]],
        [["w", [None], *E]], [["w", [[1]], *E]], [["w", [T], *E]], [["w", [1] * 9, *E]],
        [["w", [1], 1, 1, 1]], [["w", [1], "a", "b", "c"]], [["w", [1], None, None, None]], [["w", [1], T, T, T]],
        [["w", [MAX_ELEMENTS + 1], *E]], [["w", [2**62], *E]], [["w", [2**62] * 8, *E]],
        [["w", [2**14, 2**14 + 1], *E]], [["a", [MAX_ELEMENTS], *E], ["b", [1], *E]],
        [["w", [0, 2**62], *E]], [["w", [0, 2**28, 2**28, 2**28], *E]], [["w", [2**62, 0], *E]],
        [["w", [1], *E]] * (MAX_ENTRIES + 1),
        [["w", [1], *E], 3],
    ],
    "state": [
        None, 1, "w", [], [T], T, ["w", T], Ref(1), {"w": 1}, {"w": [1.0]}, {"w": None}, {"w": {"x": T}},
        {"w": Ref(1)}, {"w": Opaque("Tensor")}, {"a": T, "b": "T"},
    ],
    "summaries": [
        None, 1, "w", [], T, Ref(1), {"w": None}, {"w": T}, {"w": []}, {"w": [[1], 1.0, 1.0, 1.0, 0]},
        {"w": [[1], 1.0, 1.0, 1.0, 0, 0, 0]}, {"w": [[1], 1, 1.0, 1.0, 0, 0]}, {"w": [[1], 1.0, "1", 1.0, 0, 0]},
        {"w": [[1], 1.0, 1.0, None, 0, 0]}, {"w": [[1], T, 1.0, 1.0, 0, 0]}, {"w": [[1], 1.0, 1.0, 1.0, -1, 0]},
        {"w": [[1], 1.0, 1.0, 1.0, 0, 0.5]}, {"w": [[1], 1.0, 1.0, 1.0, True, 0]}, {"w": [1, 1.0, 1.0, 1.0, 0, 0]},
        {"w": [[-1], 1.0, 1.0, 1.0, 0, 0]}, {"w": [[1.0], 1.0, 1.0, 1.0, 0, 0]}, {"w": [["a"], 1.0, 1.0, 1.0, 0, 0]},
        {"w": [[1] * 9, 1.0, 1.0, 1.0, 0, 0]}, {str(n): [[], 1.0, 1.0, 1.0, 0, 0] for n in range(MAX_ENTRIES + 1)},
    ],
    "run": [
        None, True, 1, "run", T.sum(), [], [T], [T, True, None, {}], [T, True, None, {}, {}, None], Ref(1),
        [T, 1, None, {}, {}], [T, None, None, {}, {}], [T, "no", None, {}, {}], [T, T, None, {}, {}],
        [T, False, 1, {}, {}], [T, False, [T], {}, {}], [T, False, "x", {}, {}], [T, False, Ref(1), {}, {}],
        [T, False, None, None, {}], [T, False, None, [T], {}], [T, False, None, {"w": 1}, {}],
        [T, False, None, {"w": None}, {}], [T, False, None, T, {}], [T, False, None, {}, None],
        [T, False, None, {}, {"w": T}], [T, False, None, {}, {"w": [[1], 1.0, 1.0, 1.0, 0]}], "abcde",
        {"output": T, "input_changed": False, "grad_input": None, "grads": {}, "summaries": {}},
    ],
    "cell": [1, "error", True, [], ["a"], ["a", "b", []], ["a", "b", [], True, 1], T, Ref(1), {}, "abcd"],
}  # fmt: skip
FRAMES: list[Any] = [
    None, 1, "abc", T.sum(), {"a": 1}, [1], ["abcd"], [[]], [["f", 1]], [["f", 1, "c", 1]], [["f", "1", "c"]],
    [["f", 1.0, "c"]], [["f", True, "c"]], [["f", -1, "c"]], [["f", None, "c"]], [[1, 1, "c"]], [["f", 1, 1]],
    [["f", 1, None]], [["f", 1, ["c"]]], [["f", T, "c"]],
]  # fmt: skip
RAISED: list[Any] = [
    None, 1, "abcd", [], ["E"], ["E", "m"], ["E", "m", []], ["E", "m", [], False, 1], [1, "m", [], False],
    ["E", 1, [], False], ["E", None, [], False], [["E"], "m", [], False], [T, "m", [], False], ["E", T, [], False],
    T, Ref(1), {}, {"type_name": "E"}, *(["E", "m", frames, False] for frames in FRAMES),
]  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "value"),
    [(request, value) for request, values in WRONG.items() for value in values]
    + [("cell", ["E", "m", frames, False]) for frames in FRAMES],
    ids=lambda value: repr(value).replace("\n", "")[:60],
)
def test_a_reply_of_the_wrong_type(request_: str, value: Any) -> None:
    with opposite(saying(reply(value) + GOOD * 50)) as guest:
        assert_lost(guest, ASKS[request_], "unreadable")


@pytest.mark.parametrize("value", RAISED, ids=lambda value: repr(value).replace("\n", "")[:60])
@pytest.mark.parametrize("request_", ["call", "describe", "forget"])
def test_an_exception_with_wrong_fields(value: Any, request_: str) -> None:
    with opposite(saying(reply(value, "raised") + GOOD * 50)) as guest:
        assert_lost(guest, ASKS[request_], "unreadable")


def test_an_exception_that_says_far_too_much() -> None:
    said = reply(["T" * 10**6, "m" * 10**6, [["w" * 10**5, 2**62, "c" * 10**5]] * 9, "yes"], "raised")
    with opposite(saying(said)) as guest:
        error = in_time(lambda: guest.call("f"))
        assert type(error) is Raised
        assert not guest.lost  # it kept to the protocol
        assert (len(error.type_name), len(error.message), len(error.frames)) == (200, MAX_TEXT, 5)
        assert len(error.frames[0].code) == MAX_TEXT
        assert error.blank is False


@pytest.mark.parametrize("request_", ASKS)
def test_what_is_an_answer_is_taken(request_: str) -> None:
    """Or else the tests above would pass with any value."""
    good: dict[str, Any] = {
        "writes": True,
        "make": Ref(5, "model"),
        "describe": [["w" * 20_000, [2, 0, 3], True, False, True], ["", [], *E]],
        "state": {"w": T, "": torch.zeros(0)},
        "summaries": {"w": [[2, 0], 1.0, math.inf, math.nan, 3, 0]},
        "run": [[T, {"a": (1,)}], False, T, {"w": T}, {"w": [[], 2.0, 2.0, math.nan, 0, 0]}],
        "cell": ["ValueError", "no", [["f", 3, "x = 1"]], True],
    }
    said = reply(good.get(request_))
    with opposite(saying(said + said)) as guest:
        found = in_time(lambda: ASKS[request_](guest))
        assert not isinstance(found, Lost), found
        assert not guest.lost
    if request_ == "describe":
        assert found == [Entry("w" * MAX_TEXT, (2, 0, 3), True, False, True), Entry("", (), *E)]
    elif request_ == "run":
        assert isinstance(found, Run)
        assert torch.equal(found.output[0], T)
        assert found.grads.keys() == found.summaries.keys() == {"w"}
        assert (found.summaries["w"].shape, found.summaries["w"].total) == ((), 2.0)
    elif request_ == "summaries":
        assert found["w"].shape == (2, 0)
        assert found["w"].norm == math.inf
        assert math.isnan(found["w"].deviation)
        assert (found["w"].zeros, found["w"].ones) == (3, 0)
    elif request_ == "cell":
        assert (found.type_name, found.message, found.blank) == ("ValueError", "no", True)
        assert found.frames[0].line_number == 3
    elif request_ == "state":
        assert torch.equal(found["w"], T)
    else:
        assert found == {"define": [], "writes": True, "make": Ref(5, "model")}.get(request_)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"$dict": {"returned": 1, "returned": 2}}', 2),
        ('{"$dict": {"a": 1}, "$dict": {"returned": 3}}', 3),
        ('{"$dict": {"returned": Infinity}}', math.inf),
        ('{"$dict": {"returned": {"$float": "-inf"}}}', -math.inf),
        ('{"$dict": {"returned": 1e999}}', math.inf),
        ('{"$dict": {"returned": 9223372036854775807}}', 2**63 - 1),
        ('{"$dict": {"returned": {"$opaque": "' + "x" * 10**5 + '"}}}', Opaque("x" * 100)),
        ('{"$dict": {"returned": {"$ref": [-1, "../../x"]}}}', Ref(-1, "../../x")),
        ('{"$dict": {"returned": "\\u0000"}}', "\0"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_odd_values_that_are_values_all_the_same(text: str, value: Any) -> None:
    with opposite(saying(raw(text))) as guest:
        assert in_time(lambda: guest.call("f")) == value
        assert not guest.lost


@pytest.mark.parametrize("text", ["NaN", '{"$float": "nan"}', "-NaN"])
def test_nan_is_a_value_or_refused(text: str) -> None:
    with opposite(saying(raw(f'{{"$dict": {{"returned": {text}}}}}'))) as guest:
        found = in_time(lambda: guest.call("f"))
        assert isinstance(found, Lost) if text == "-NaN" else math.isnan(found)


@pytest.mark.parametrize("ref", [Ref(2**62), Ref(-1), Ref(0, "module"), Ref(10**6, "x" * 10**5)], ids=repr)
def test_a_ref_out_of_range_goes_back_where_it_came_from(ref: Ref) -> None:
    """It is a number to us, which nothing here is looked up by."""
    with opposite(saying(reply(ref) + reply(None))) as guest:
        found = in_time(lambda: guest.make("model"))
        assert found == ref
        assert in_time(lambda: guest.attribute(found, "a")) is None


# -- when things are said ----------------------------------------------------------------------------------


def test_messages_in_advance_answer_later_requests_and_no_more() -> None:
    """Who says the same to everything is heard; its marks are what such answers are worth."""
    with opposite(saying(reply(True) * 20, then_close=True)) as guest:
        assert in_time(lambda: [guest.writes("f") for _ in range(20)]) == [True] * 20
        assert_lost(guest, ASKS["writes"], "has ended")


def test_very_many_messages_in_advance_are_not_stored() -> None:
    """They wait in the pipe, which is small; the peer is stopped when the pipe is closed."""
    sent = []

    def peer(theirs: socket.socket) -> None:
        while True:
            theirs.sendall(GOOD * 1000)
            sent.append(1)

    with opposite(peer) as guest:
        for _ in range(10):
            assert in_time(lambda: guest.call("f")) is None
        before = -1
        while before < len(sent) < 1000:  # until it stands still
            before = len(sent)
            time.sleep(0.5)
        assert len(sent) < 1000


def test_a_message_that_comes_too_late_is_not_heard() -> None:
    asked = threading.Event()

    def peer(theirs: socket.socket) -> None:
        asked.wait(HANGS)
        theirs.sendall(GOOD)

    with opposite(peer, timeout=0.3) as guest:
        error = in_time(lambda: guest.call("f"))
        assert "no answer within 0.3 seconds" in str(error)
        asked.set()
        assert_lost(guest, ASKS["call"], "has ended")


@pytest.mark.parametrize(
    "data", [struct.pack(">QQ", wire.MAX_JSON, 8), struct.pack(">QQ", 2, wire.MAX_TENSORS) + b"{}"],
    ids=["JSON", "tensors"],
)  # fmt: skip
def test_a_slow_drip_does_not_stretch_the_time(data: bytes) -> None:
    """One byte after another: each comes in time, the whole never."""

    def peer(theirs: socket.socket) -> None:
        for byte in data:
            theirs.sendall(bytes([byte]))
        while True:
            theirs.sendall(b" ")
            time.sleep(0.01)

    with opposite(peer, timeout=0.5) as guest:
        assert_lost(guest, ASKS["call"], "no answer within 0.5 seconds")


def test_a_message_in_single_bytes_is_a_message() -> None:
    def peer(theirs: socket.socket) -> None:
        for byte in reply([1, T]):
            theirs.sendall(bytes([byte]))
        theirs.recv(1 << 16)

    with opposite(peer) as guest:
        assert in_time(lambda: guest.call("f"))[0] == 1


def test_a_peer_that_does_not_listen() -> None:
    """The request is larger than the pipe: writing it must end in time, too."""
    with opposite(lambda theirs: time.sleep(1.5), timeout=0.5) as guest:
        assert_lost(guest, lambda guest: guest.call("f", torch.zeros(10**7)), "no answer within 0.5 seconds")


def test_a_peer_that_hangs_up_while_it_is_written_to() -> None:
    def peer(theirs: socket.socket) -> None:
        theirs.recv(10)

    with opposite(peer) as guest:
        assert_lost(guest, lambda guest: guest.call("f", torch.zeros(10**7)), "has ended")


def test_the_deadline_holds_for_all_requests_together() -> None:
    def peer(theirs: socket.socket) -> None:
        while theirs.recv(1 << 16):
            time.sleep(0.1)
            theirs.sendall(GOOD)

    with opposite(peer) as guest:
        guest.deadline = time.monotonic() + 1
        error = in_time(lambda: [guest.forget() for _ in range(1000)])
        assert type(error) is Lost
        assert guest.lost
        assert_lost(guest, ASKS["call"], "has ended")


def test_a_deadline_that_is_over() -> None:
    with opposite(saying(GOOD)) as guest:
        guest.deadline = time.monotonic() - 1
        assert_lost(guest, ASKS["call"], "no time is left")


def test_one_hostile_peer_does_not_touch_another() -> None:
    with ExitStack() as stack:
        good, bad = (
            stack.enter_context(opposite(saying(said))) for said in (reply(True) * 3, reply(3) + reply(True))
        )
        assert in_time(lambda: good.writes("f")) is True
        assert_lost(bad, ASKS["writes"])
        assert in_time(lambda: good.writes("f")) is True
        assert not good.lost
