"""Observations as plain trees: reading what a stub says it saw (Observation in stub.proto), and showing it."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from google.protobuf.message import Message

from counterfoil.stub.v1 import stub_pb2

MAX_DEPTH: Final = 250
"""Stubs stop at 200 levels; what goes deeper than this is not read."""


class MalformedObservationError(Exception):
    """The bytes are not an Observation."""


class Missing(Enum):
    """The ways in which a program sees no value."""

    ABSENT = "absent"
    NULL = "null"
    UNDEFINED = "undefined"
    DEFAULT = "default"
    """The type's default, which this program cannot tell from absence."""


@dataclass(frozen=True, slots=True)
class Boolean:
    value: bool


@dataclass(frozen=True, slots=True)
class Integer:
    """Decimal digits; they may be more than Python converts to a number."""

    digits: str


@dataclass(frozen=True, slots=True)
class Float:
    """The bits of a binary64. Every NaN has the same, so that NaN equals NaN; -0.0 has others than 0.0."""

    bits: int

    @property
    def value(self) -> float:
        """The number as Python has it."""
        number: float = _BINARY64.unpack(self.bits.to_bytes(8, "little"))[0]
        return number


@dataclass(frozen=True, slots=True)
class Text:
    """UTF-8, with lone surrogates encoded as if they were code points."""

    encoded: bytes


@dataclass(frozen=True, slots=True)
class Binary:
    data: bytes


@dataclass(frozen=True, slots=True)
class EnumValue:
    """`name` is empty where the program knows none for the number."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    entries: tuple[tuple[Tree, Tree], ...]


@dataclass(frozen=True, slots=True)
class MessageOf:
    """`unknown_bytes`: the encoded size of the fields that the program kept without knowing them."""

    fields: tuple[tuple[str, Tree], ...]
    unknown_bytes: int = 0


Tree: TypeAlias = Missing | Boolean | Integer | Float | Text | Binary | EnumValue | ListOf | MapOf | MessageOf
_Raw: TypeAlias = int | bytes

_BINARY64: Final = struct.Struct("<d")
_QUIET_NAN: Final = 0x7FF8_0000_0000_0000
_MAX_VARINT_BYTES: Final = 10


def _numbers(message: type[Message]) -> dict[str, int]:
    return {field.name: field.number for field in message.DESCRIPTOR.fields}


_SEEN: Final = {number: name for name, number in _numbers(stub_pb2.Observation).items()}
_ITEM: Final = _numbers(stub_pb2.ObservedList)["items"]
_ENTRY: Final = _numbers(stub_pb2.ObservedMap)["entries"]
_KEY, _ENTRY_VALUE = _numbers(stub_pb2.ObservedEntry).values()
_FIELD, _UNKNOWN_BYTES = _numbers(stub_pb2.ObservedMessage).values()
_NAME, _FIELD_VALUE = _numbers(stub_pb2.ObservedField).values()
_ENUM_NUMBER, _ENUM_NAME = _numbers(stub_pb2.ObservedEnum).values()


# --- reading ---------------------------------------------------------------------------------------------------------


def parse_observation(data: bytes) -> Tree:
    """Read a serialized Observation. Raises MalformedObservationError.

    Written by hand, because protobuf refuses messages nested in more than 100 others, of which every level of an
    observation takes three.
    """
    try:
        return _parse(data, 0)
    except IndexError:
        raise MalformedObservationError("ends too early") from None
    except UnicodeDecodeError as error:
        raise MalformedObservationError(f"a name or number that is no text: {error}") from None


def _parse(data: bytes, depth: int) -> Tree:
    if depth > MAX_DEPTH:
        raise MalformedObservationError(f"nested in more than {MAX_DEPTH} levels")
    seen: Tree | None = None
    for number, raw in _records(data):
        kind = _SEEN.get(number)
        if kind == "message":
            seen = _parse_message(_bytes(raw), depth)
        elif kind == "list":
            seen = _parse_list(_bytes(raw), depth)
        elif kind == "map":
            seen = _parse_map(_bytes(raw), depth)
        elif kind is not None:
            seen = _parse_scalar(kind, raw)
    if seen is None:
        raise MalformedObservationError("says nothing of what was seen")
    return seen


def _parse_message(data: bytes, depth: int) -> Tree:
    fields: list[tuple[str, Tree]] = []
    unknown_bytes = 0
    for number, raw in _records(data):
        if number == _UNKNOWN_BYTES:
            unknown_bytes = _int(raw)
        elif number == _FIELD:
            field = dict(_records(_bytes(raw)))
            name = _bytes(field.get(_NAME, b"")).decode()
            fields.append((name, _parse(_bytes(field.get(_FIELD_VALUE, b"")), depth + 1)))
    return MessageOf(tuple(fields), unknown_bytes)


def _parse_list(data: bytes, depth: int) -> Tree:
    items: list[Tree] = []
    for number, raw in _records(data):
        if number == _ITEM:
            items.append(_parse(_bytes(raw), depth + 1))
    return ListOf(tuple(items))


def _parse_map(data: bytes, depth: int) -> Tree:
    entries: list[tuple[Tree, Tree]] = []
    for number, raw in _records(data):
        if number == _ENTRY:
            entry = dict(_records(_bytes(raw)))
            key = _parse(_bytes(entry.get(_KEY, b"")), depth + 1)
            entries.append((key, _parse(_bytes(entry.get(_ENTRY_VALUE, b"")), depth + 1)))
    return MapOf(tuple(entries))


def _parse_scalar(kind: str, raw: _Raw) -> Tree:
    parse = _SCALARS.get(kind)
    return parse(raw) if parse else Missing(kind)


def _parse_enum_value(raw: _Raw) -> Tree:
    fields = dict(_records(_bytes(raw)))
    return EnumValue(_int32(_int(fields.get(_ENUM_NUMBER, 0))), _bytes(fields.get(_ENUM_NAME, b"")).decode())


def float_of(bits: int) -> Float:
    """The float with these bits, or the one NaN in place of any."""
    found = Float(bits)
    return Float(_QUIET_NAN) if math.isnan(found.value) else found


def _digits(raw: bytes) -> str:
    text = raw.decode("ascii")
    if not text.removeprefix("-").isdigit():
        raise MalformedObservationError(f"an integer of {text[:40]!r}")
    return text


def _int32(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _records(data: bytes) -> Iterator[tuple[int, _Raw]]:
    """Each field's number and raw value, in the order of the bytes."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, position = _varint(data, position)
            yield number, value
            continue
        if wire_type == 2:  # noqa: PLR2004 - the wire type of what has a length
            size, position = _varint(data, position)
        elif wire_type in {1, 5}:
            size = 8 if wire_type == 1 else 4
        else:
            raise MalformedObservationError(f"wire type {wire_type}")
        if position + size > len(data):
            raise MalformedObservationError("ends too early")
        chunk = data[position : position + size]
        yield number, chunk if wire_type == 2 else int.from_bytes(chunk, "little")  # noqa: PLR2004 - as above
        position += size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    number = 0
    for index in range(_MAX_VARINT_BYTES):
        byte = data[position + index]
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more bytes follow
            return number, position + index + 1
    raise MalformedObservationError("a varint of more than ten bytes")


def _int(raw: _Raw) -> int:
    if isinstance(raw, int):
        return raw
    raise MalformedObservationError("bytes in place of a number")


def _bytes(raw: _Raw) -> bytes:
    if isinstance(raw, bytes):
        return raw
    raise MalformedObservationError("a number in place of bytes")


_SCALARS: Final[dict[str, Callable[[_Raw], Tree]]] = {
    "boolean": lambda raw: Boolean(bool(_int(raw))),
    "integer": lambda raw: Integer(_digits(_bytes(raw))),
    "float_bits": lambda raw: float_of(_int(raw)),
    "text": lambda raw: Text(_bytes(raw)),
    "binary": lambda raw: Binary(_bytes(raw)),
    "enum_value": _parse_enum_value,
}


# --- showing ---------------------------------------------------------------------------------------------------------

DEFAULT_WIDTH: Final = 160
_MAX_SHOWN_BYTES: Final = 40


def render(tree: Tree, width: int = DEFAULT_WIDTH) -> str:
    """For example `{id: 5, name: absent, price: {units: 3}}`; cut where it is wider than `width` characters."""
    return cut("".join(_pieces(tree)), width)


def cut(text: str, width: int) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= width else text[: width - 1] + "…"


def _pieces(tree: Tree) -> Iterator[str]:
    """The parts of a rendering in order. A stack in place of recursion: generators within generators are slow."""
    stack: list[Tree | str] = [tree]
    while stack:
        top = stack.pop()
        if isinstance(top, str):
            yield top
            continue
        inside = _inside(top)
        if inside is None:
            yield _show_scalar(top)
        else:
            stack.extend(reversed(inside))


def _inside(tree: Tree) -> list[Tree | str] | None:
    """What a container is shown as; None for what contains nothing."""
    parts: list[Tree | str] = []
    if isinstance(tree, ListOf):
        for item in tree.items:
            parts += (", ", item)
        return ["[", *parts[1:], "]"]
    if isinstance(tree, MapOf):
        for key, value in tree.entries:
            parts += (", ", key, ": ", value)
        return ["{", *parts[1:], "}"]
    if isinstance(tree, MessageOf):
        for name, value in tree.fields:
            parts += (", ", f"{name}: ", value)
        if tree.unknown_bytes:
            parts += (", ", f"{tree.unknown_bytes} unknown bytes")
        return ["{", *parts[1:], "}"]
    return None


def _show_scalar(tree: Tree) -> str:
    shown = ""
    if isinstance(tree, Integer):
        shown = tree.digits
    elif isinstance(tree, Float):
        shown = _show_float(tree.value)
    elif isinstance(tree, Text):
        shown = json.dumps(decoded(tree.encoded))
    elif isinstance(tree, Binary):
        ending = "…" if len(tree.data) > _MAX_SHOWN_BYTES else ""
        shown = f"bytes({tree.data[:_MAX_SHOWN_BYTES].hex(' ')}{ending})"
    elif isinstance(tree, EnumValue):
        shown = f"{tree.name}({tree.number})" if tree.name else f"enum value {tree.number}"
    elif isinstance(tree, Boolean):
        shown = "true" if tree.value else "false"
    elif isinstance(tree, Missing):
        shown = tree.value
    return shown


def _show_float(value: float) -> str:
    return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(repr(value), repr(value))


def decoded(encoded: bytes) -> str:
    """What a Text holds, as Python text; what is not even lenient UTF-8 as escapes."""
    try:
        return encoded.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return encoded.decode("utf-8", "backslashreplace")
