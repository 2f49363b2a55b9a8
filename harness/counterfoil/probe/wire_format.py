"""Protobuf's wire format, written piece by piece. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum

from google.protobuf.descriptor import FieldDescriptor

MAX_VARINT_BYTES = 10
MAX_FIELD_NUMBER = (1 << 29) - 1
MORE = 0x80
"""The bit of a varint's byte that says that another follows."""
MASK_64 = (1 << 64) - 1


class WireType(IntEnum):
    """The low three bits of a tag; 6 and 7 mean nothing."""

    VARINT = 0
    I64 = 1
    LEN = 2
    START_GROUP = 3
    END_GROUP = 4
    I32 = 5


def _wire_types(wire_type: WireType, names: Iterable[str]) -> dict[int, WireType]:
    return {getattr(FieldDescriptor, f"TYPE_{name}"): wire_type for name in names}


SCALAR_WIRE_TYPES: dict[int, WireType] = {
    **_wire_types(WireType.VARINT, ("INT32", "INT64", "UINT32", "UINT64", "SINT32", "SINT64", "BOOL", "ENUM")),
    **_wire_types(WireType.I64, ("DOUBLE", "FIXED64", "SFIXED64")),
    **_wire_types(WireType.I32, ("FLOAT", "FIXED32", "SFIXED32")),
}
"""The wire type of each type that can be packed."""


def varint(value: int, size: int = 0) -> bytes:
    """`value` (negative ones as 64 bits of two's complement) in the least number of bytes, or padded to `size`."""
    value = value & MASK_64 if value < 0 else value
    out = bytearray()
    while value >= MORE or len(out) + 1 < size:
        out.append(value % MORE | MORE)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(number: int, wire_type: int, size: int = 0) -> bytes:
    """The tag of a record."""
    return varint(number << 3 | wire_type, size)


def delimited(number: int, data: bytes) -> bytes:
    """A length-delimited record."""
    return b"%b%b%b" % (tag(number, WireType.LEN), varint(len(data)), data)


def zigzag(value: int) -> int:
    """The unsigned form of a sint32 or sint64."""
    return value * 2 if value >= 0 else value * -2 - 1


def double(value: float) -> bytes:
    """The eight bytes of a double."""
    return struct.pack("<d", value)
