"""Observations, encoded: what a program sees of a value. See Observation in stub.proto."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

from counterfoil.stub.v1 import stub_pb2
from counterfoil.stub.wire import delimited, int32, tags, varint

MAX_DEPTH: Final = 200

_SEEN: Final = tags(stub_pb2.Observation)
_TRUE: Final = b"\x01"
_FALSE: Final = b"\x00"

ABSENT: Final = _SEEN["absent"] + _TRUE
NULL: Final = _SEEN["null"] + _TRUE
BOOLEANS: Final = (_SEEN["boolean"] + _FALSE, _SEEN["boolean"] + _TRUE)

_INTEGER: Final = _SEEN["integer"]
_FLOAT_BITS: Final = _SEEN["float_bits"]
_TEXT: Final = _SEEN["text"]
_BINARY: Final = _SEEN["binary"]
_LIST: Final = _SEEN["list"]
_MAP: Final = _SEEN["map"]
_MESSAGE: Final = _SEEN["message"]
_ENUM: Final = _SEEN["enum_value"]

_ITEM: Final = tags(stub_pb2.ObservedList)["items"]
_ENTRY: Final = tags(stub_pb2.ObservedMap)["entries"]
_ENTRY_KEY, _ENTRY_VALUE = tags(stub_pb2.ObservedEntry).values()
_FIELD, _UNKNOWN_BYTES = tags(stub_pb2.ObservedMessage).values()
_FIELD_NAME, _FIELD_VALUE = tags(stub_pb2.ObservedField).values()
_ENUM_NUMBER, _ENUM_NAME = tags(stub_pb2.ObservedEnum).values()

_BINARY64: Final = struct.Struct("<d")
_QUIET_NAN: Final = 0x7FF8_0000_0000_0000.to_bytes(8, "little")


class TooDeepError(Exception):
    """A value is nested more deeply than an observation goes."""

    def __init__(self) -> None:
        super().__init__(f"the value is nested in more than {MAX_DEPTH} levels")


def boolean(value: bool) -> bytes:  # noqa: FBT001 - the value itself, not an option
    return BOOLEANS[value]


def integer(value: int) -> bytes:
    return delimited(_INTEGER, int.__repr__(value).encode())


def float_bits(value: float) -> bytes:
    """Every NaN becomes the same: which one it was, no program can be asked in every language."""
    return _FLOAT_BITS + (_BINARY64.pack(value) if value == value else _QUIET_NAN)  # noqa: PLR0124 - NaN differs from itself


def text(value: str) -> bytes:
    return delimited(_TEXT, str.encode(value, "utf-8", "surrogatepass"))


def binary(value: bytes) -> bytes:
    return delimited(_BINARY, value)


def enum_value(number: int, name: str) -> bytes:
    """A known enum value, or with no name an unknown one."""
    encoded_number = _ENUM_NUMBER + int32(number) if number else b""
    return delimited(_ENUM, encoded_number + (delimited(_ENUM_NAME, name.encode()) if name else b""))


# From here on the parts of everything inside are joined once, at the end: this is where the time goes.


def list_of(items: Iterable[bytes]) -> bytes:
    parts: list[bytes] = []
    for item in items:
        parts += (_ITEM, varint(len(item)), item)
    return delimited(_LIST, b"".join(parts))


def map_of(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    parts: list[bytes] = []
    for key, value in entries:
        entry = delimited(_ENTRY_KEY, key) + delimited(_ENTRY_VALUE, value)
        parts += (_ENTRY, varint(len(entry)), entry)
    return delimited(_MAP, b"".join(parts))


def field_name(name: str) -> bytes:
    """Encode what stands before a field's value, which is the same in every message."""
    return delimited(_FIELD_NAME, name.encode()) + _FIELD_VALUE


def message_of(fields: Iterable[tuple[bytes, bytes]], unknown_bytes: int = 0) -> bytes:
    """Encode a message from each field's `field_name` and observed value."""
    parts: list[bytes] = []
    for name, value in fields:
        size = varint(len(value))
        parts += (_FIELD, varint(len(name) + len(size) + len(value)), name, size, value)
    if unknown_bytes:
        parts += (_UNKNOWN_BYTES, varint(unknown_bytes))
    return delimited(_MESSAGE, b"".join(parts))
