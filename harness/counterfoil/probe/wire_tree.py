"""Protobuf's wire format as a tree that keeps what decoders normalise away. Pure.

`write(parse(data)) == data` for any bytes: overlong varints keep their size, groups their end tag, and whatever is no
record is kept as the `rest` of the message in which it stands. Whoever changes a tree need not care for lengths: they
are computed.
"""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from counterfoil.probe.wire_format import (
    MAX_FIELD_NUMBER,
    MAX_VARINT_BYTES,
    MORE,
    SCALAR_WIRE_TYPES,
    WireType,
    tag,
    varint,
)

MAX_DEPTH = 100
"""Deeper messages stay bytes, and deeper groups become the rest of their message."""


@dataclass(frozen=True, slots=True)
class Varint:
    """`size` is the number of bytes when it is not the smallest; a varint has at most ten, so up to 70 bits."""

    value: int
    size: int = 0


@dataclass(frozen=True, slots=True)
class Fixed:
    """Four or eight bytes, as they stand in the payload."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """A length-delimited value taken as bytes."""

    data: bytes
    length_size: int = 0


@dataclass(frozen=True, slots=True)
class Packed:
    """A length-delimited value taken as scalars of a repeated field; `rest` is what does not make another scalar."""

    items: tuple[Varint | Fixed, ...]
    rest: bytes = b""
    length_size: int = 0


@dataclass(frozen=True, slots=True)
class Nested:
    """A length-delimited value taken as a message."""

    message: WireMessage
    length_size: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """A group; its end tag usually has the number of its start tag, and may be missing at the end of the payload."""

    message: WireMessage
    end: Varint | None


Content = Varint | Fixed | Chunk | Packed | Nested | Group


@dataclass(frozen=True, slots=True)
class Record:
    """One occurrence of a field; `tag_size` is the number of bytes of the tag when it is not the smallest."""

    number: int
    content: Content
    tag_size: int = 0


@dataclass(frozen=True, slots=True)
class WireMessage:
    """Records in their order, then bytes that are no record."""

    records: tuple[Record, ...] = ()
    rest: bytes = b""


def read_varint(data: bytes, at: int, end: int) -> tuple[Varint, int] | None:
    """The varint at a position and the position after it; None where it is cut off or longer than ten bytes."""
    value = shift = 0
    for position in range(at, min(end, at + MAX_VARINT_BYTES)):
        byte = data[position]
        value |= byte % MORE << shift
        shift += 7
        if byte < MORE:
            size = position + 1 - at
            return Varint(value, 0 if size == 1 or byte else size), position + 1
    return None


def write(message: WireMessage) -> bytes:
    """The bytes of a tree."""
    return b"".join(_write_record(record) for record in message.records) + message.rest


def _write_record(record: Record) -> bytes:
    content, number = record.content, record.number
    match content:
        case Varint():
            return tag(number, WireType.VARINT, record.tag_size) + _write_scalar(content)
        case Fixed():
            width = WireType.I32 if len(content.data) == 4 else WireType.I64  # noqa: PLR2004 - bytes of an I32
            return tag(number, width, record.tag_size) + content.data
        case Group():
            end = b"" if content.end is None else _write_scalar(content.end)
            return tag(number, WireType.START_GROUP, record.tag_size) + write(content.message) + end
        case Chunk():
            data = content.data
        case Packed():
            data = b"".join(map(_write_scalar, content.items)) + content.rest
        case Nested():
            data = write(content.message)
    return tag(number, WireType.LEN, record.tag_size) + varint(len(data), content.length_size) + data


def _write_scalar(scalar: Varint | Fixed) -> bytes:
    return scalar.data if isinstance(scalar, Fixed) else varint(scalar.value, scalar.size)


def group(number: int, message: WireMessage) -> Record:
    """A group that ends as it should."""
    return Record(number, Group(message, Varint(number << 3 | WireType.END_GROUP)))


def parse(data: bytes, descriptor: Descriptor | None = None) -> WireMessage:
    """The tree of any bytes; the descriptor tells which length-delimited values are messages or packed scalars."""
    return _Reader(data).message(0, len(data), descriptor, 0)


class _Reader:
    """`position` is where the message that was read last ended."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.end_tag: Varint | None = None

    def message(
        self, at: int, end: int, descriptor: Descriptor | None, depth: int, *, group: bool = False
    ) -> WireMessage:
        records: list[Record] = []
        while at < end:
            read = read_varint(self.data, at, end)
            if read is None:
                break
            found, after = read
            if group and found.value & 7 == WireType.END_GROUP:
                self.position, self.end_tag = after, found
                return WireMessage(tuple(records))
            content = self.content(found, after, end, descriptor, depth)
            if content is None:
                break
            records.append(Record(found.value >> 3, content, found.size))
            at = self.position
        self.position, self.end_tag = end, None
        return WireMessage(tuple(records), self.data[at:end])

    def content(self, found: Varint, at: int, end: int, owner: Descriptor | None, depth: int) -> Content | None:
        """What follows a tag; None where no value can be read."""
        match found.value & 7:
            case WireType.VARINT:
                read = read_varint(self.data, at, end)
                if read is None:
                    return None
                scalar, self.position = read
                return scalar
            case WireType.I32 | WireType.I64 as wire_type:
                self.position = at + (4 if wire_type == WireType.I32 else 8)
                return Fixed(self.data[at : self.position]) if self.position <= end else None
            case WireType.LEN:
                return self.delimited(_field(owner, found.value >> 3), at, end, depth)
            case WireType.START_GROUP if depth < MAX_DEPTH:
                field = _field(owner, found.value >> 3)
                inside = None if field is None else field.message_type
                message = self.message(at, end, inside, depth + 1, group=True)
                return Group(message, self.end_tag)
        return None

    def delimited(self, field: FieldDescriptor | None, at: int, end: int, depth: int) -> Content | None:
        read = read_varint(self.data, at, end)
        if read is None or read[1] + read[0].value > end:
            return None
        length, start = read
        stop = start + length.value
        self.position = stop
        if field is not None and field.type == FieldDescriptor.TYPE_MESSAGE and depth < MAX_DEPTH:
            nested = self.message(start, stop, field.message_type, depth + 1)
            self.position = stop
            return Nested(nested, length.size)
        if field is not None and field.is_repeated and field.type in SCALAR_WIRE_TYPES:
            return self.packed(SCALAR_WIRE_TYPES[field.type], start, stop, length.size)
        return Chunk(self.data[start:stop], length.size)

    def packed(self, wire_type: WireType, at: int, end: int, length_size: int) -> Packed:
        items: list[Varint | Fixed] = []
        while at < end:
            if wire_type is WireType.VARINT:
                read = read_varint(self.data, at, end)
                if read is None:
                    break
                item, at = read
                items.append(item)
            else:
                after = at + (4 if wire_type is WireType.I32 else 8)
                if after > end:
                    break
                items.append(Fixed(self.data[at:after]))
                at = after
        return Packed(tuple(items), self.data[at:end], length_size)


def _field(owner: Descriptor | None, number: int) -> FieldDescriptor | None:
    if owner is None:
        return None
    field = owner.fields_by_number.get(number)
    if field is not None or not owner.is_extendable or number > MAX_FIELD_NUMBER:
        return field
    try:
        return owner.file.pool.FindExtensionByNumber(owner, number)
    except KeyError:
        return None
