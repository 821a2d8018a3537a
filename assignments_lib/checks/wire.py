"""Messages over a pipe: JSON for plain values, safetensors for tensors, nothing pickled.

A frame is two lengths (8 bytes each, big-endian), the JSON, then the tensors. In the JSON whatever JSON has no
word for stands as a one-key object: ``{"$tensor": "3"}``, ``{"$ref": [1, "module"]}``, ``{"$tuple": [...]}``,
``{"$float": "nan"}``, ``{"$opaque": "SimpleNamespace"}``; a real dict is ``{"$dict": {...}}``.
"""

from __future__ import annotations

import json
import math
import struct
from typing import BinaryIO

from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from assignments_lib.checks.answer import Lost, Opaque, Ref, Value

_LENGTHS = struct.Struct(">QQ")
MAX_JSON = 4 * 2**20  # bytes
MAX_TENSORS = 2**29  # bytes; a ResNet34 in float64 is 174 MB
_MAX_DEPTH = 20


def encode(value: Value) -> tuple[bytes, bytes]:
    """A value as JSON and safetensors bytes."""
    tensors = _Tensors()
    text = json.dumps(_pack(value, tensors), allow_nan=False)
    return text.encode(), save_tensors(tensors.by_key)


def decode(text: bytes, blob: bytes) -> Value:
    """The value that `encode` was given.

    Raises:
        Lost: the bytes are not what `encode` writes.
    """
    try:
        return _unpack(json.loads(text), load_tensors(blob), 0)
    except Lost:
        raise
    except Exception as error:
        raise Lost(f"the answer's process sent something unreadable ({type(error).__name__})") from None


def write(stream: BinaryIO, value: Value) -> None:
    """Send one message."""
    text, blob = encode(value)
    stream.write(_LENGTHS.pack(len(text), len(blob)))
    stream.write(text)
    stream.write(blob)
    stream.flush()


def read(stream: BinaryIO) -> Value:
    """Receive one message.

    Raises:
        EOFError: the other side closed the pipe before a message began.
        Lost: the message is cut short, too long, or not one.
    """
    head = stream.read(_LENGTHS.size)
    if not head:
        raise EOFError
    if len(head) < _LENGTHS.size:
        raise Lost("the answer's process ended in the middle of a message")
    text_length, blob_length = _LENGTHS.unpack(head)
    if text_length > MAX_JSON or blob_length > MAX_TENSORS:
        raise Lost(f"the answer's process sent too much ({text_length + blob_length:,} bytes)")
    text, blob = stream.read(text_length), stream.read(blob_length)
    if len(text) < text_length or len(blob) < blob_length:
        raise Lost("the answer's process ended in the middle of a message")
    return decode(text, blob)


class _Tensors:
    """The tensors of one message: each is sent once, and none shares memory with another, as safetensors asks."""

    def __init__(self) -> None:
        self.by_key: dict[str, Tensor] = {}
        self._keys: dict[int, str] = {}
        self._storages: set[int] = set()

    def key(self, tensor: Tensor) -> str:
        if id(tensor) not in self._keys:
            key = self._keys[id(tensor)] = str(len(self.by_key))
            kept = tensor.detach().contiguous()
            if kept.untyped_storage().data_ptr() in self._storages:
                kept = kept.clone()
            self._storages.add(kept.untyped_storage().data_ptr())
            self.by_key[key] = kept
        return self._keys[id(tensor)]


def _pack(value: Value, tensors: _Tensors) -> Value:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": repr(value)}
    if isinstance(value, Tensor):
        return {"$tensor": tensors.key(value), "grad": value.requires_grad}
    if isinstance(value, Ref):
        return {"$ref": [value.number, value.kind]}
    if isinstance(value, Opaque):
        return {"$opaque": value.type_name}
    if isinstance(value, tuple):
        return {"$tuple": [_pack(item, tensors) for item in value]}
    if isinstance(value, list):
        return [_pack(item, tensors) for item in value]
    if isinstance(value, dict):
        return {"$dict": {key: _pack(item, tensors) for key, item in value.items()}}
    raise TypeError(f"{type(value).__name__} can't be sent")


def _unpack(value: Value, tensors: dict[str, Tensor], depth: int) -> Value:
    if depth > _MAX_DEPTH:
        raise Lost("the answer's process sent a value nested too deeply")
    if isinstance(value, list):
        return [_unpack(item, tensors, depth + 1) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise Lost("the answer's process sent a number that is too large")  # no tensor can hold it
    if not isinstance(value, dict):
        return value
    if "$tensor" in value:
        tensor = tensors[value["$tensor"]]
        return tensor.requires_grad_() if value["grad"] is True and tensor.is_floating_point() else tensor
    if "$ref" in value:
        number, kind = value["$ref"]
        return Ref(int(number), str(kind))
    if "$opaque" in value:
        return Opaque(str(value["$opaque"])[:100])
    if "$float" in value:
        return float(value["$float"])
    if "$tuple" in value:
        return tuple(_unpack(item, tensors, depth + 1) for item in value["$tuple"])
    return {str(key): _unpack(item, tensors, depth + 1) for key, item in value["$dict"].items()}
