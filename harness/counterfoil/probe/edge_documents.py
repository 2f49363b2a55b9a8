"""Curated whole payloads: what can be wrong around the fields, whatever the message. Pure.

Each takes the message as an ordinary payload has it, so that what is around it is all that is special.
"""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor

from counterfoil.probe.fields import fields_of
from counterfoil.probe.json_tree import BOM
from counterfoil.probe.wire_format import MAX_FIELD_NUMBER, MAX_VARINT_BYTES, WireType, tag, varint

RESERVED_FIELD_NUMBER = 19_000
FIRST_UNLIKELY_NUMBER = 18_000
DEEP = 200
VERY_DEEP = 10_000

ROOTS = {
    "no bytes": b"",
    "white space alone": b" \n",
    "byte order mark alone": BOM,
    "root null": b"null",
    "root true": b"true",
    "root number": b"1",
    "root text": b'"v"',
    "root array": b"[]",
    "root array of a message": b"[{}]",
    "root in base64": b'"e30="',
}

UNKNOWN_MEMBERS = {
    "unknown field": b'"no_such_field":1',
    "unknown field of null": b'"no_such_field":null',
    "unknown field of text": b'"no_such_field":"v"',
    "unknown field of an object": b'"no_such_field":{"a":[1,{"b":null}]}',
    "unknown field twice": b'"no_such_field":1,"no_such_field":2',
    "unknown field with a lone surrogate": b'"no_such_field":"\\ud800"',
    "unknown field with invalid UTF-8": b'"no_such_field":"\xff"',
    "unknown field with NaN": b'"no_such_field":NaN',
    "unknown field with a leading zero": b'"no_such_field":01',
    "unknown field of 1e400": b'"no_such_field":1e400',
    "unknown field with a duplicate key": b'"no_such_field":{"a":1,"a":2}',
    "unknown field with a trailing comma": b'"no_such_field":[1,]',
    "unknown field, deeply nested": b'"no_such_field":%b%b' % (b"[" * DEEP, b"]" * DEEP),
    "unknown field, very deeply nested": b'"no_such_field":%b%b' % (b"[" * VERY_DEEP, b"]" * VERY_DEEP),
    "empty key": b'"":1',
    "key __proto__": b'"__proto__":{"a":1}',
    "key constructor": b'"constructor":{"prototype":{}}',
    "key toString": b'"toString":1',
    "key hasOwnProperty": b'"hasOwnProperty":1',
    "key with NUL": b'"a\\u0000":1',
    "key with a lone surrogate": b'"\\ud800":1',
    "key with invalid UTF-8": b'"\xff":1',
    "key with a raw control character": b'"\x01":1',
    "key @type": b'"@type":"type.googleapis.com/no.such.Type"',
    "unknown extension": b'"[no.such.extension]":1',
    "null key": b"null:1",
    "number key": b"1:1",
    "unquoted key": b"a:1",
    "key in apostrophes": b"'a':1",
    "missing colon": b'"a" 1',
    "missing value": b'"a":',
    "lone key": b'"a"',
    "colon twice": b'"a"::1',
    "equals sign": b'"a"=1',
}
"""Members that the message does not have."""


def json_documents(message: Descriptor, plain: bytes) -> Iterator[tuple[str, bytes]]:
    """(state, payload); `plain` is the JSON object of an ordinary message."""
    yield from ROOTS.items()
    inside = plain[1:-1]
    comma = b"," if inside else b""
    known = {key for field in fields_of(message) for key in field.spellings}
    for state, member in UNKNOWN_MEMBERS.items():
        if member.partition(b":")[0] not in known:
            yield state, b"{%b%b%b}" % (inside, comma, member)
    yield "unknown field first", b'{"no_such_field":1%b%b}' % (comma, inside)
    yield from _around(plain, inside, comma)


def _around(plain: bytes, inside: bytes, comma: bytes) -> Iterator[tuple[str, bytes]]:
    """White space, marks and bytes where JSON has them, and where it does not."""
    yield "byte order mark", BOM + plain
    yield "byte order mark after white space", b" " + BOM + plain
    yield "white space", b" \t\r\n{ \t\r\n%b \t\r\n} \t\r\n" % inside
    for name, space in (
        ("no-break space", b"\xc2\xa0"),
        ("form feed", b"\x0c"),
        ("vertical tab", b"\x0b"),
        ("NUL", b"\x00"),
    ):
        yield f"{name} before", space + plain
        yield f"{name} after", plain + space
    yield "trailing bytes", plain + b"x"
    yield "trailing comma after the end", plain + b","
    yield "trailing brace", plain + b"}"
    yield "two documents", plain + plain
    yield "two lines", plain + b"\n" + plain
    yield "invalid UTF-8 after", plain + b"\xff"
    yield "trailing comma", b"{%b,}" % inside
    yield "leading comma", b"{,%b}" % inside
    yield "comma twice", b'{%b%b"a":1,,"b":1}' % (inside, comma)
    yield "missing comma", b'{%b%b"a":1 "b":1}' % (inside, comma)
    yield "comment", b"{/**/%b}" % inside
    yield "line comment", b"{//\n%b}" % inside
    yield "number sign comment", b"{#\n%b}" % inside
    yield "missing brace", plain[:-1]
    yield "square bracket at the end", plain[:-1] + b"]"
    yield "truncated in a key", plain[:-1] + comma + b'"a'
    yield "truncated in an escape", plain[:-1] + comma + b'"a\\u00'
    yield "UTF-16", plain.decode().encode("utf-16")
    yield "UTF-16 without a mark", plain.decode().encode("utf-16-le")
    yield "UTF-32", plain.decode().encode("utf-32")


def binary_documents(message: Descriptor, plain: bytes) -> Iterator[tuple[str, bytes]]:
    """(state, payload); `plain` is the wire format of an ordinary message."""
    known = {field.number for field in fields_of(message)}
    number = next(one for one in range(FIRST_UNLIKELY_NUMBER, RESERVED_FIELD_NUMBER) if one not in known)
    for state, data in (*_unknown(number), *_numbers(), *_malformed(number)):
        yield state, plain + data
    yield "unknown field first", tag(number, WireType.VARINT) + b"\x01" + plain


def _unknown(number: int) -> Iterator[tuple[str, bytes]]:
    own = {wire_type: tag(number, wire_type) for wire_type in WireType}
    start, end = own[WireType.START_GROUP], own[WireType.END_GROUP]
    yield "unknown field", own[WireType.VARINT] + b"\x01"
    yield "unknown fixed64", own[WireType.I64] + b"\x01" * 8
    yield "unknown fixed32", own[WireType.I32] + b"\x01" * 4
    yield "unknown length-delimited field", own[WireType.LEN] + b"\x02\xff\xff"
    yield "unknown group", start + b"\x08\x01" + end
    yield "unknown group in a group", start * 2 + end * 2
    yield "unknown field twice", (own[WireType.VARINT] + b"\x01") * 2
    yield "unknown overlong varint", own[WireType.VARINT] + varint(1, MAX_VARINT_BYTES)
    yield "unknown overlong tag", tag(number, WireType.VARINT, 5) + b"\x01"
    for depth in (99, 100, 101, DEEP, VERY_DEEP):
        yield f"unknown groups to a depth of {depth}", start * depth + end * depth


def _numbers() -> Iterator[tuple[str, bytes]]:
    yield "field number 0", tag(0, WireType.VARINT) + b"\x01"
    yield "length-delimited field number 0", tag(0, WireType.LEN) + b"\x00"
    yield "largest field number", tag(MAX_FIELD_NUMBER, WireType.VARINT) + b"\x01"
    yield "reserved field number", tag(RESERVED_FIELD_NUMBER, WireType.VARINT) + b"\x01"
    yield "beyond the largest field number", tag(MAX_FIELD_NUMBER + 1, WireType.VARINT) + b"\x01"
    yield "tag beyond 32 bits", varint((1 << 35) | 8) + b"\x01"
    yield "tag of eleven bytes", tag(1, WireType.VARINT, MAX_VARINT_BYTES + 1) + b"\x01"


def _malformed(number: int) -> Iterator[tuple[str, bytes]]:
    own = {wire_type: tag(number, wire_type) for wire_type in WireType}
    start, end = own[WireType.START_GROUP], own[WireType.END_GROUP]
    yield "trailing bytes", b"\xff\xff"
    yield "trailing zero", b"\x00"
    yield "wire type 6", tag(number, 6) + b"\x01"
    yield "wire type 7", tag(number, 7) + b"\x01"
    yield "truncated tag", own[WireType.VARINT][:1]
    yield "lone tag", own[WireType.VARINT]
    yield "unknown truncated varint", own[WireType.VARINT] + b"\x80"
    yield "unknown varint of eleven bytes", own[WireType.VARINT] + varint(1, MAX_VARINT_BYTES + 1)
    yield "unknown truncated fixed64", own[WireType.I64] + b"\x01" * 7
    yield "unknown truncated fixed32", own[WireType.I32] + b"\x01" * 3
    yield "unknown missing length", own[WireType.LEN]
    yield "unknown length beyond the end", own[WireType.LEN] + b"\x02\x01"
    for name, length in (
        ("2^31-1", 2**31 - 1),
        ("2^31", 2**31),
        ("2^32", 2**32),
        ("2^63", 2**63),
        ("2^64-1", 2**64 - 1),
    ):
        yield f"unknown length of {name}", own[WireType.LEN] + varint(length)
    yield "unknown unclosed group", start + b"\x08\x01"
    yield "lone end of a group", end
    yield "end of another group", start + tag(number + 1, WireType.END_GROUP)
    yield "unknown groups without an end", start * VERY_DEEP
