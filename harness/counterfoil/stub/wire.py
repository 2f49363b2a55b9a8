"""Responses, written byte by byte instead of through the generated messages.

Those take longer for a small payload, and they refuse to encode what is nested in more than 100 messages, of which
every level of an observation takes three.
"""

from __future__ import annotations

import struct
from typing import Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from counterfoil.stub.v1.stub_pb2 import Response

_LENGTH_DELIMITED: Final = 2
_WIRE_TYPES: Final = {
    FieldDescriptor.TYPE_BOOL: 0,
    FieldDescriptor.TYPE_INT32: 0,
    FieldDescriptor.TYPE_UINT64: 0,
    FieldDescriptor.TYPE_FIXED64: 1,
}
_HEADER: Final = struct.Struct("<I")


def _encode_varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits fit into a byte
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


_FREQUENT: Final = 2048
_VARINTS: Final = [_encode_varint(number) for number in range(_FREQUENT)]


def varint(number: int) -> bytes:
    """Encode a number from 0 on."""
    return _VARINTS[number] if number < _FREQUENT else _encode_varint(number)


def int32(number: int) -> bytes:
    """Encode a number as the type int32 does: a negative one takes the form of its 64 bits."""
    return varint(number & 0xFFFF_FFFF_FFFF_FFFF)


def delimited(tag: bytes, content: bytes) -> bytes:
    """Encode a field of type bytes, string or message."""
    return tag + varint(len(content)) + content


def tags(message: type[Message]) -> dict[str, bytes]:
    """What stands in front of each field of a message, by the field's name."""
    return {
        field.name: varint(field.number << 3 | _WIRE_TYPES.get(field.type, _LENGTH_DELIMITED))
        for field in message.DESCRIPTOR.fields
    }


_TAGS: Final = tags(Response)
_OBSERVATION: Final = _TAGS["observation"]
_SEQUENCE: Final = _TAGS["sequence"]


def response(sequence: int, kind: str = "", content: bytes = b"", observation: bytes | None = None) -> bytes:
    """Frame a Response; `kind` is the name of its result, if it has one, and `content` that result, encoded."""
    parts = [b""]
    if kind:
        parts += (_TAGS[kind], varint(len(content)), content)
    if observation is not None:
        parts += (_OBSERVATION, varint(len(observation)), observation)
    if sequence:
        parts += (_SEQUENCE, varint(sequence))
    parts[0] = _HEADER.pack(sum(map(len, parts)))
    return b"".join(parts)
