"""What goes through the pipe comes out the same; what isn't a message is refused."""

import io
import json
import math
import struct
from typing import Any

import pytest
import torch

from assignments_lib.checks import wire
from assignments_lib.checks.answer import Lost, Opaque, Ref


def round_trip(value: Any) -> Any:
    stream = io.BytesIO()
    wire.write(stream, value)
    stream.seek(0)
    came = wire.read(stream)
    assert stream.read() == b""
    return came


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -(2**63),
        1.5,
        -0.0,
        math.inf,
        -math.inf,
        "",
        "naïve \n \x00 \U0001f600",
        Ref(3, "optimizer"),
        Opaque("SimpleNamespace"),
        [],
        (),
        {},
        [1, (2, [3.0, "x"]), {"a": (None,)}],
        {"$tensor": "0", "$ref": [1, "module"], "$tuple": []},
    ],
    ids=repr,
)
def test_plain_values(value: Any) -> None:
    came = round_trip(value)
    assert came == value
    assert type(came) is type(value)


def test_nan_and_minus_zero() -> None:
    assert math.isnan(round_trip(math.nan))
    assert math.copysign(1, round_trip(-0.0)) == -1


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor(2.5, dtype=torch.float64),
        torch.tensor(7),
        torch.tensor([True, False]),
        torch.empty(0, 3),
        torch.arange(12.0).reshape(3, 4).T,
        torch.arange(12.0)[::3],
        torch.zeros(2, 3).expand(4, 2, 3),
        torch.tensor([math.nan, math.inf, -math.inf]),
        torch.ones(2, dtype=torch.bfloat16),
        torch.ones(2, 3, 4, 4).to(memory_format=torch.channels_last),
    ],
    ids=lambda t: f"{t.dtype}-{tuple(t.shape)}",
)
def test_tensors(tensor: torch.Tensor) -> None:
    came = round_trip({"x": [tensor]})["x"][0]
    assert came.shape == tensor.shape
    assert came.dtype == tensor.dtype
    assert came.dtype == tensor.dtype
    torch.testing.assert_close(came, tensor, rtol=0, atol=0, equal_nan=True)


def test_whether_a_tensor_wants_gradients_is_kept() -> None:
    assert round_trip(torch.ones(2, requires_grad=True)).requires_grad
    assert not round_trip(torch.ones(2)).requires_grad


def test_tensors_that_share_memory() -> None:
    row = torch.arange(6.0)
    one, same, first, last = round_trip([row, row, row[:3], row[3:]])
    for came, sent in ((one, row), (same, row), (first, row[:3]), (last, row[3:])):
        assert torch.equal(came, sent)


def test_a_tensor_that_stands_in_many_places_is_sent_once() -> None:
    big = torch.zeros(1000)
    _, blob = wire.encode([big] * 50)
    assert len(blob) < 2 * big.numel() * 4


def test_what_has_no_word_is_refused() -> None:
    with pytest.raises(TypeError, match="object can't be sent"):
        wire.encode(object())


def message(text: bytes, blob: bytes = wire.encode(None)[1]) -> bytes:
    return struct.pack(">QQ", len(text), len(blob)) + text + blob


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"\x00" * 7, "in the middle"),
        (message(b"[1, 2]")[:-1], "in the middle"),
        (message(b"[1, 2]")[:18], "in the middle"),
        (struct.pack(">QQ", wire.MAX_JSON + 1, 8), "too much"),
        (struct.pack(">QQ", 2, wire.MAX_TENSORS + 1), "too much"),
        (struct.pack(">QQ", 2**64 - 1, 2**64 - 1), "too much"),
        (message(b"not json"), "unreadable"),
        (message(b"\xff\xfe"), "unreadable"),
        (message(b'{"unknown": 1}'), "unreadable"),
        (message(b'{"$tensor": "0", "grad": false}'), "unreadable"),
        (message(b'{"$tensor": ["0"], "grad": false}'), "unreadable"),
        (message(b'{"$ref": [1]}'), "unreadable"),
        (message(b'{"$ref": ["x", "module"]}'), "unreadable"),
        (message(b'{"$float": "many"}'), "unreadable"),
        (message(b'{"$dict": [1]}'), "unreadable"),
        (message(b"null", b"garbage"), "unreadable"),
        (message(b"[" * 30 + b"]" * 30), "nested too deeply"),
        (message(b"[" * 100_000 + b"]" * 100_000), "unreadable"),
        (message(b'{"$dict": {"a": ' * 30 + b"1" + b"}}" * 30), "nested too deeply"),
    ],
)
def test_what_is_no_message_is_refused(raw: bytes, word: str) -> None:
    with pytest.raises(Lost, match=word):
        wire.read(io.BytesIO(raw))


def test_a_closed_pipe_is_told_apart_from_a_broken_message() -> None:
    with pytest.raises(EOFError):
        wire.read(io.BytesIO())


def test_nothing_is_ever_unpickled() -> None:
    """A pickle that would run code is bytes like any other."""
    bomb = b"cos\nsystem\n(S'exit 1'\ntR."
    with pytest.raises(Lost):
        wire.read(io.BytesIO(message(bomb)))
    with pytest.raises(Lost):
        wire.read(io.BytesIO(message(b"null", bomb)))
    assert json.loads(wire.encode({"a": (1,)})[0]) == {"$dict": {"a": {"$tuple": [1]}}}
