"""Curated records of the wire format for one field: edge values, and what can be wrong about tags, lengths. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from counterfoil.probe.backgrounds import contents, frame
from counterfoil.probe.edge_members import NESTINGS
from counterfoil.probe.edge_scalars import unknown_number
from counterfoil.probe.edge_special import WIRE_EDGES
from counterfoil.probe.fields import Field, Shape, fields_of
from counterfoil.probe.forms import best, forms, in_role, map_entry, packed, record
from counterfoil.probe.payloads import DEFAULT, EDGE, VALUE, Encoding
from counterfoil.probe.wire_format import MAX_VARINT_BYTES, WireType, delimited, tag, varint, zigzag

Probe = tuple[str, str, bytes]
"""What to add to the path, the state, and the records."""
UNKNOWN = tag(18_888, WireType.VARINT) + b"\x01"

VARINTS = {
    "1": 1,
    "-1": -1,
    "-1 in five bytes": 2**32 - 1,
    "2^31-1": 2**31 - 1,
    "2^31": 2**31,
    "-2^31": -(2**31),
    "2^32": 2**32,
    "2^32+1": 2**32 + 1,
    "2^53+1": 2**53 + 1,
    "2^63-1": 2**63 - 1,
    "-2^63": -(2**63),
}
ZIGZAGS = {
    "-1": -1,
    "2^31-1": 2**31 - 1,
    "-2^31": -(2**31),
    "2^31": 2**31,
    "2^53+1": 2**53 + 1,
    "2^63-1": 2**63 - 1,
    "-2^63": -(2**63),
}
SCALAR_CONTENTS: dict[str, dict[str, bytes]] = {
    **{name: {key: varint(one) for key, one in VARINTS.items()} for name in ("int32", "int64", "uint32", "uint64")},
    **{name: {key: varint(zigzag(one)) for key, one in ZIGZAGS.items()} for name in ("sint32", "sint64")},
    **{
        name: {"2^31": b"\x00\x00\x00\x80", "2^32-1": b"\xff\xff\xff\xff", "2^31-1": b"\xff\xff\xff\x7f"}
        for name in ("fixed32", "sfixed32")
    },
    **{
        name: {"2^53+1": struct.pack("<Q", 2**53 + 1), "2^63": b"\x00" * 7 + b"\x80", "2^64-1": b"\xff" * 8}
        for name in ("fixed64", "sfixed64")
    },
    "bool": {"2": b"\x02", "-1": varint(-1), "2^32": varint(2**32), "2^63": varint(2**63)},
    "float": {
        "-0.0": b"\x00\x00\x00\x80",
        "NaN": b"\x00\x00\xc0\x7f",
        "signalling NaN": b"\x01\x00\x80\x7f",
        "negative NaN": b"\x00\x00\xc0\xff",
        "NaN with a payload": b"\x39\x30\xc0\x7f",
        "Infinity": b"\x00\x00\x80\x7f",
        "-Infinity": b"\x00\x00\x80\xff",
        "smallest float": b"\x01\x00\x00\x00",
        "largest float": b"\xff\xff\x7f\x7f",
        "0.1": struct.pack("<f", 0.1),
    },
    "double": {
        "-0.0": struct.pack("<d", -0.0),
        "NaN": b"\x00" * 6 + b"\xf8\x7f",
        "signalling NaN": b"\x01" + b"\x00" * 5 + b"\xf0\x7f",
        "negative NaN": b"\x00" * 6 + b"\xf8\xff",
        "NaN with a payload": b"\x39\x30" + b"\x00" * 4 + b"\xf8\x7f",
        "Infinity": b"\x00" * 6 + b"\xf0\x7f",
        "-Infinity": b"\x00" * 6 + b"\xf0\xff",
        "smallest double": b"\x01" + b"\x00" * 7,
        "largest double": struct.pack("<Q", 0x7FEFFFFFFFFFFFFF),
        "2^53+2": struct.pack("<d", 2.0**53 + 2),
    },
    "bytes": {"every byte": bytes(range(256)), "invalid UTF-8": b"\xff"},
}
TEXTS = {
    "NUL": b"a\x00b",
    "byte order mark": b"\xef\xbb\xbfa",
    "beyond the basic plane": b"\xf0\x9f\x98\x80",
    "noncharacter": b"\xef\xbf\xbf",
    "invalid UTF-8": b"\xff",
    "truncated UTF-8": b"\xe2\x82",
    "overlong UTF-8": b"\xc0\xaf",
    "overlong NUL in UTF-8": b"\xc0\x80",
    "surrogate in UTF-8": b"\xed\xa0\x80",
    "surrogate pair in UTF-8": b"\xed\xa0\xbd\xed\xb8\x80",
    "beyond Unicode in UTF-8": b"\xf4\x90\x80\x80",
    "65536 characters": b"x" * 65536,
}
SCALAR_CONTENTS["string"] = SCALAR_CONTENTS["unverified string"] = TEXTS


def record_edges(field: Field) -> Iterator[Probe]:
    """Every curated wire format of a field."""
    if field.shape is Shape.MAP:
        yield from _maps(field)
    else:
        where = "" if field.shape is Shape.SINGULAR else "[]"
        for name, content in content_edges(field):
            yield where, EDGE + name, record(field, content)
        yield from (("", state, data) for state, data in _lengths(field))
    for state, data in (*_occurrences(field), *_mismatches(field), *_nested(field)):
        yield "", state, data


def content_edges(field: Field) -> Iterator[tuple[str, bytes]]:
    """(name, content without tag and length) for one value of a field's type."""
    message = field.message
    if field.enum is not None:
        yield "unknown number", varint(unknown_number(field.enum))
        yield "unknown negative number", varint(-(2**31))
        yield "-1", varint(-1)
        yield "2^31", varint(2**31)
        yield "2^32", varint(2**32)
        yield "2^32+1", varint(2**32 + 1)
    elif message is None:
        yield from SCALAR_CONTENTS[field.type].items()
    elif field.type in {"message", "group"}:
        yield "unknown field", UNKNOWN
        yield "field number 0", b"\x00\x01"
        if field.type == "message":
            yield "truncated message", b"\x08"
            yield "message that ends a group", tag(field.number, WireType.END_GROUP)
    elif message.name in WIRE_EDGES:
        yield from WIRE_EDGES[message.name].items()
    else:
        (inner,) = fields_of(message)
        for name, content in content_edges(inner):
            yield name, record(inner, content)
        yield "unknown field", UNKNOWN


def _value(field: Field) -> bytes:
    return best(forms(field), VALUE).wire or b""


def _maps(field: Field) -> Iterator[Probe]:
    key, value = field.entry
    key_content, content = _value(key), _value(value)
    default = best(forms(value), DEFAULT).wire or b""
    for name, one in content_edges(value):
        yield "{}", EDGE + name, map_entry(field, key_content, one)
    for name, one in content_edges(key):
        yield "{}", f"{EDGE}map key {name}", map_entry(field, one, content)
    entry = record(key, key_content) + record(value, content)
    shapes = {
        "entry without a key": record(value, content),
        "entry without a value": record(key, key_content),
        "value before key": record(value, content) + record(key, key_content),
        "key twice in an entry": record(key, best(forms(key), DEFAULT).wire or b"") + entry,
        "value twice in an entry": record(key, key_content) + record(value, default) + record(value, content),
        "unknown field in an entry": entry + UNKNOWN,
        "trailing bytes in an entry": entry + b"\x08",
    }
    for name, data in shapes.items():
        yield "{}", EDGE + name, delimited(field.number, data)
    twice = map_entry(field, key_content, default) + map_entry(field, key_content, content)
    yield "", f"{EDGE}duplicate map key", twice


def _occurrences(field: Field) -> Iterator[tuple[str, bytes]]:
    """A singular field more than once, and a repeated one packed and spread."""
    default, value = in_role(field, Encoding.BINARY, DEFAULT), in_role(field, Encoding.BINARY, VALUE)
    first, second = ((one.wire if one is not None else None) or b"" for one in (default, value))
    if field.shape is Shape.SINGULAR:
        yield "repeated occurrence", first + second
        yield "repeated occurrence, default last", second + first
    elif field.is_packable:
        contents_ = [one.wire or b"" for one in (best(forms(field), DEFAULT), best(forms(field), VALUE))]
        spread = b"".join(record(field, content) for content in contents_)
        yield "packed and spread", packed(field, contents_) + spread
        yield "spread and packed", spread + packed(field, contents_)
        yield "packed twice", packed(field, contents_) * 2
        if field.wire_type is WireType.VARINT:
            yield "packed with a truncated element", packed(field, [*contents_, b"\x80"])
        else:
            yield "packed with a truncated element", packed(field, [*contents_, b"\x00"])


OTHER_WIRE_TYPES = {
    "varint": (WireType.VARINT, b"\x01"),
    "fixed64": (WireType.I64, b"\x01" + b"\x00" * 7),
    "length-delimited": (WireType.LEN, b"\x01\x01"),
    "group": (WireType.START_GROUP, b"\x08\x01"),
    "fixed32": (WireType.I32, b"\x01" + b"\x00" * 3),
}


def _mismatches(field: Field) -> Iterator[tuple[str, bytes]]:
    """Every wire type that is not the field's; readers keep such a record as an unknown field."""
    own = {field.wire_type, WireType.LEN} if field.is_packable else {field.wire_type}
    for name, (wire_type, content) in OTHER_WIRE_TYPES.items():
        if wire_type not in own:
            end = tag(field.number, WireType.END_GROUP) if wire_type is WireType.START_GROUP else b""
            yield f"wire type mismatch: {name}", tag(field.number, wire_type) + content + end


def _lengths(field: Field) -> Iterator[tuple[str, bytes]]:
    """Varints that are longer than they need be, or than they may be, and what is cut off."""
    content, wire_type = _value(field), field.wire_type
    own_tag = tag(field.number, wire_type)
    plain = record(field, content)
    yield "overlong tag", tag(field.number, wire_type, 5) + plain[len(own_tag) :]
    yield "tag of ten bytes", tag(field.number, wire_type, MAX_VARINT_BYTES) + plain[len(own_tag) :]
    if wire_type is WireType.VARINT:
        number = int.from_bytes(content[:1], "little") & 0x7F
        yield "overlong varint", own_tag + varint(number, 2)
        yield "varint of ten bytes", own_tag + varint(number, MAX_VARINT_BYTES)
        yield "varint of eleven bytes", own_tag + varint(number, MAX_VARINT_BYTES + 1)
        yield "bits beyond 64", own_tag + b"\xff" * 9 + b"\x7f"
        yield "truncated varint", own_tag + b"\x80"
    elif wire_type is WireType.LEN:
        yield "overlong length", own_tag + varint(len(content), 5) + content
        yield "length of ten bytes", own_tag + varint(len(content), MAX_VARINT_BYTES) + content
        yield "length beyond the end", own_tag + varint(len(content) + 1) + content
        for name, length in (("2^31-1", 2**31 - 1), ("2^31", 2**31), ("2^32", 2**32), ("2^64-1", 2**64 - 1)):
            yield f"length of {name}", own_tag + varint(length) + content
        yield "missing length", own_tag
    elif wire_type is WireType.START_GROUP:
        yield "unclosed group", own_tag + content
        yield "end of another group", own_tag + content + tag(field.number + 1, WireType.END_GROUP)
    else:
        yield "truncated fixed", plain[:-1]


def _nested(field: Field) -> Iterator[tuple[str, bytes]]:
    if contents(field) is None or contents(field) is not field.descriptor.containing_type:
        return
    for depth in NESTINGS:
        before, after, length = list[bytes](), b"", 0
        for _ in range(depth):
            opening, closing = frame(field, length)
            before.append(opening)
            after += closing
            length += len(opening) + len(closing)
        yield f"nesting of {depth}", b"".join(reversed(before)) + after
