"""Curated values of the messages that JSON treats specially, in both encodings. Pure data.

In the wire format a value is the content of the message, without tag and length.
"""

from __future__ import annotations

from counterfoil.probe.forms import ANY_OF_DURATION
from counterfoil.probe.wire_format import delimited, double, tag, varint

LARGEST_SECONDS = 253402300799
SMALLEST_SECONDS = -62135596800
DURATION_SECONDS = 315576000000
DEEP = 200
NANOS = 1_000_000_000

TIMES = {
    "smallest time": "0001-01-01T00:00:00Z",
    "largest time": "9999-12-31T23:59:59.999999999Z",
    "year 0": "0000-12-31T23:59:59Z",
    "year 10000": "10000-01-01T00:00:00Z",
    "before the epoch": "1969-12-31T23:59:59.5Z",
    "offset": "1970-01-01T01:00:00+01:00",
    "negative offset": "1969-12-31T22:30:00-01:30",
    "offset beyond the largest time": "9999-12-31T23:59:59-01:00",
    "offset before the smallest time": "0001-01-01T00:00:00+01:00",
    "offset of -00:00": "1970-01-01T00:00:00-00:00",
    "offset of 24 hours": "1970-01-01T00:00:00+24:00",
    "offset without colon": "1970-01-01T00:00:00+0100",
    "offset of hours": "1970-01-01T00:00:00+01",
    "no offset": "1970-01-01T00:00:00",
    "small z": "1970-01-01T00:00:00z",
    "small t": "1970-01-01t00:00:00Z",
    "space for T": "1970-01-01 00:00:00Z",
    "date alone": "1970-01-01",
    "no seconds": "1970-01-01T00:00Z",
    "leap second": "2016-12-31T23:59:60Z",
    "hour 24": "1970-01-01T24:00:00Z",
    "minute 60": "1970-01-01T00:60:00Z",
    "month 13": "1970-13-01T00:00:00Z",
    "29 February": "2000-02-29T00:00:00Z",
    "29 February of no leap year": "1900-02-29T00:00:00Z",
    "31 April": "1970-04-31T00:00:00Z",
    "one digit of fraction": "1970-01-01T00:00:00.1Z",
    "nine digits of fraction": "1970-01-01T00:00:00.123456789Z",
    "ten digits of fraction": "1970-01-01T00:00:00.1234567891Z",
    "ten digits of zero fraction": "1970-01-01T00:00:00.0000000000Z",
    "point without fraction": "1970-01-01T00:00:00.Z",
    "comma fraction": "1970-01-01T00:00:00,5Z",
    "one-digit month": "1970-1-01T00:00:00Z",
    "sign before the year": "+1970-01-01T00:00:00Z",
    "space around": " 1970-01-01T00:00:00Z ",
    "basic format": "19700101T000000Z",
    "milliseconds as text": "0",
    "empty text": "",
}

DURATIONS = {
    "largest duration": "315576000000.999999999s",
    "smallest duration": "-315576000000.999999999s",
    "beyond the largest duration": "315576000001s",
    "beyond the smallest duration": "-315576000001s",
    "one nanosecond": "0.000000001s",
    "negative fraction": "-0.5s",
    "-0s": "-0s",
    "ten digits of fraction": "1.0000000001s",
    "one digit of fraction": "1.5s",
    "point without fraction": "1.s",
    "fraction alone": ".5s",
    "plus sign": "+1s",
    "two signs": "--1s",
    "sign in the fraction": "1.-5s",
    "exponent": "1e3s",
    "leading zero": "01s",
    "no unit": "1",
    "capital S": "1S",
    "minutes": "1m",
    "two units": "1m1s",
    "space before the unit": "1 s",
    "space around": " 1s ",
    "unit alone": "s",
    "ISO 8601": "PT1S",
    "empty text": "",
}

MASKS = {
    "one path": "foo",
    "capitals in a path": "fooBar",
    "underscore in a path": "foo_bar",
    "capital first": "Foo",
    "capitals in a row": "fooBAR",
    "digit in a path": "foo1Bar2",
    "nested path": "foo.barBaz",
    "path with spaces": " foo , bar ",
    "empty path": "foo,,bar",
    "comma alone": ",",
    "trailing comma": "foo,",
    "path twice": "foo,foo",
    "quoted path": "`foo`",
    "wildcard": "*",
    "dash in a path": "foo-bar",
    "letter outside of ASCII": "f\u00f6\u00f6",
}

WRONG_TYPES = {"number": b"1", "boolean": b"true", "array": b"[]", "object": b"{}"}


def _texts(table: dict[str, str]) -> dict[str, bytes]:
    return {name: b'"%b"' % text.encode() for name, text in table.items()} | WRONG_TYPES


DEEP_LIST = b"[" * DEEP + b"]" * DEEP
ANY = b'"@type":"type.googleapis.com/%b"'
OF_DURATION = ANY % b"google.protobuf.Duration"

STRUCTS = {
    "duplicate key": b'{"k":1,"k":2}',
    "empty key": b'{"":1}',
    "every type": b'{"n":null,"b":false,"i":1,"f":-0.5,"s":"","l":[null,[]],"o":{"k":{}}}',
    "fields key": b'{"fields":{"k":1}}',
    "__proto__ key": b'{"__proto__":{"k":1}}',
    "key with a lone surrogate": b'{"\\ud800":1}',
    "deep nesting": b'{"k":' * DEEP + b"1" + b"}" * DEEP,
}
VALUES = {
    "true": b"true",
    "false": b"false",
    "empty text": b'""',
    "empty array": b"[]",
    "empty object": b"{}",
    "array with null": b"[null,1]",
    "object with null": b'{"k":null}',
    "-0": b"-0",
    "-0.0": b"-0.0",
    "2^53+1": b"9007199254740993",
    "2^63": b"9223372036854775808",
    "1e400": b"1e400",
    "5e-324": b"5e-324",
    "0.1": b"0.1",
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "NaN as text": b'"NaN"',
    "null as text": b'"null"',
    "lone high surrogate": b'"\\ud800"',
    "NUL": b'"\\u0000"',
    "duplicate key": b'{"k":1,"k":2}',
    "deep nesting": DEEP_LIST,
}

JSON_EDGES: dict[str, dict[str, bytes]] = {
    "Timestamp": _texts(TIMES),
    "Duration": _texts(DURATIONS),
    "FieldMask": _texts(MASKS) | {"paths object": b'{"paths":["foo"]}'},
    "Struct": STRUCTS | {"text": b'"v"', "array": b"[]", "number": b"1"},
    "Value": VALUES,
    "ListValue": {
        "every type": b'[null,true,0,"",[],{}]',
        "trailing comma": b"[1,]",
        "values object": b'{"values":[1]}',
        "text": b'"v"',
        "deep nesting": DEEP_LIST,
    },
    "Any": {
        "type last": b'{"value":"42.500s",%b}' % OF_DURATION,
        "type twice": b'{%b,%b,"value":"1s"}' % (OF_DURATION, OF_DURATION),
        "null type": b'{"@type":null}',
        "empty type": b'{"@type":""}',
        "unknown type": b"{%b}" % (ANY % b"no.such.Type"),
        "type without a slash": b'{"@type":"google.protobuf.Duration","value":"1s"}',
        "type with another host": b'{"@type":"example.com/a/google.protobuf.Duration","value":"1s"}',
        "type that starts with a slash": b'{"@type":"/google.protobuf.Duration","value":"1s"}',
        "value without type": b'{"value":"1s"}',
        "no value": b"{%b}" % OF_DURATION,
        "null value": b'{%b,"value":null}' % OF_DURATION,
        "value of the wrong type": b'{%b,"value":1}' % OF_DURATION,
        "more than a value": b'{%b,"value":"1s","more":1}' % OF_DURATION,
        "Any in Any": b'{%b,"value":{%b,"value":"1s"}}' % (ANY % b"google.protobuf.Any", OF_DURATION),
        "text": b'"v"',
        "array": b"[]",
    },
    "Empty": {"unknown field": b'{"a":1}', "text": b'""', "array": b"[]", "boolean": b"true"},
}
"""(name, JSON value) by the name of the message in google.protobuf; wrappers have the edges of what they wrap."""


def instant(seconds: int | None, nanos: int | None) -> bytes:
    """The content of a Timestamp or Duration."""
    parts = ((1, seconds), (2, nanos))
    return b"".join(tag(number, 0) + varint(value) for number, value in parts if value is not None)


INSTANTS = {
    "negative nanos": instant(0, -1),
    "nanos of a whole second": instant(0, NANOS),
    "largest nanos": instant(0, NANOS - 1),
    "nanos of -10^9": instant(0, -NANOS),
    "nanos alone": instant(None, 1),
    "2^63-1 seconds": instant(2**63 - 1, 0),
    "-2^63 seconds": instant(-(2**63), 0),
}
WIRE_EDGES: dict[str, dict[str, bytes]] = {
    "Timestamp": {
        **INSTANTS,
        "largest time": instant(LARGEST_SECONDS, NANOS - 1),
        "beyond the largest time": instant(LARGEST_SECONDS + 1, 0),
        "smallest time": instant(SMALLEST_SECONDS, 0),
        "before the smallest time": instant(SMALLEST_SECONDS - 1, 0),
        "before the epoch": instant(-1, 500_000_000),
    },
    "Duration": {
        **INSTANTS,
        "largest duration": instant(DURATION_SECONDS, NANOS - 1),
        "beyond the largest duration": instant(DURATION_SECONDS + 1, 0),
        "smallest duration": instant(-DURATION_SECONDS, 1 - NANOS),
        "beyond the smallest duration": instant(-DURATION_SECONDS - 1, 0),
        "signs that differ": instant(1, -1),
        "signs that differ the other way": instant(-1, 1),
    },
    "FieldMask": {
        "path that JSON cannot name": delimited(1, b"fooBar"),
        "double underscore": delimited(1, b"foo__bar"),
        "underscore before a digit": delimited(1, b"foo_3"),
        "trailing underscore": delimited(1, b"foo_"),
        "comma in a path": delimited(1, b"foo,bar"),
        "empty path": delimited(1, b""),
    },
    "Struct": {
        "entry without a key": delimited(1, delimited(2, delimited(3, b"v"))),
        "entry without a value": delimited(1, delimited(1, b"k")),
        "value without a kind": delimited(1, delimited(1, b"k") + delimited(2, b"")),
    },
    "Value": {
        "NaN": b"\x11" + double(float("nan")),
        "Infinity": b"\x11" + double(float("inf")),
        "-0.0": b"\x11" + double(-0.0),
        "unknown NullValue": tag(1, 0) + varint(5),
        "two kinds": delimited(3, b"v") + tag(4, 0) + varint(1),
        "empty list": delimited(6, b""),
        "list of a value without a kind": delimited(6, delimited(1, b"")),
    },
    "ListValue": {"value without a kind": delimited(1, b"")},
    "Any": {
        "unknown type": delimited(1, b"type.googleapis.com/no.such.Type") + delimited(2, b"\x08\x01"),
        "type without a slash": delimited(1, b"google.protobuf.Duration"),
        "empty type": delimited(2, b"\x08\x01"),
        "value that is no message": delimited(1, b"type.googleapis.com/google.protobuf.Duration")
        + delimited(2, b"\xff"),
        "Any in Any": delimited(1, b"type.googleapis.com/google.protobuf.Any")
        + delimited(2, ANY_OF_DURATION.wire or b""),
    },
    "Empty": {"unknown field": b"\x08\x01"},
}
"""(name, content) by the name of the message in google.protobuf."""
