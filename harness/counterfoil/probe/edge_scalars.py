"""Curated JSON values of the scalar types, by the names under which they appear as states. Pure data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from google.protobuf.descriptor import EnumDescriptor

from counterfoil.probe.fields import enum_values
from counterfoil.probe.json_tree import string

POWERS = {
    "-2^31-1": -(2**31) - 1,
    "-2^31": -(2**31),
    "2^31-1": 2**31 - 1,
    "2^31": 2**31,
    "-1": -1,
    "2^32-1": 2**32 - 1,
    "2^32": 2**32,
    "-2^53-1": -(2**53) - 1,
    "2^53-1": 2**53 - 1,
    "2^53": 2**53,
    "2^53+1": 2**53 + 1,
    "-2^63-1": -(2**63) - 1,
    "-2^63": -(2**63),
    "2^63-1": 2**63 - 1,
    "2^63": 2**63,
    "2^63+1": 2**63 + 1,
    "2^64-1": 2**64 - 1,
    "2^64": 2**64,
    "10^40": 10**40,
}
POWERS_OF_32_BITS = ("-2^31-1", "-2^31", "2^31-1", "2^31", "-1", "2^32-1", "2^32", "2^53+1", "2^64")

OTHER_TYPES = {"boolean": b"true", "array": b"[]", "array of one": b"[1]", "object": b"{}"}

INTEGER_SPELLINGS = {
    "-0": b"-0",
    "0.0": b"0.0",
    "-0.0": b"-0.0",
    "1.0": b"1.0",
    "1e2": b"1e2",
    "1E+2": b"1E+2",
    "100e-2": b"100e-2",
    "1.5": b"1.5",
    "1e-1": b"1e-1",
    "1e400": b"1e400",
    "0 with a large exponent": b"0e400",
    "leading zero": b"01",
    "plus sign": b"+1",
    "trailing point": b"1.",
    "leading point": b".5",
    "hexadecimal": b"0x1",
    "missing exponent": b"1e",
    "lone minus": b"-",
    "NaN": b"NaN",
    **OTHER_TYPES,
    "empty text": b'""',
    "-0 as text": b'"-0"',
    "1.0 as text": b'"1.0"',
    "1e2 as text": b'"1e2"',
    "1.5 as text": b'"1.5"',
    "leading space as text": b'" 1"',
    "trailing space as text": b'"1 "',
    "line feed as text": b'"1\\n"',
    "NUL as text": b'"1\\u0000"',
    "plus sign as text": b'"+1"',
    "leading zero as text": b'"01"',
    "hexadecimal as text": b'"0x1"',
    "underscore as text": b'"1_0"',
    "wide digit as text": b'"\xef\xbc\x91"',
    "escaped digit as text": b'"\\u0031"',
    "word as text": b'"one"',
    "NaN as text": b'"NaN"',
    "null as text": b'"null"',
}

FLOATS = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "-Infinity": b"-Infinity",
    "NaN as text": b'"NaN"',
    "Infinity as text": b'"Infinity"',
    "-Infinity as text": b'"-Infinity"',
    "+Infinity as text": b'"+Infinity"',
    "-NaN as text": b'"-NaN"',
    "nan as text": b'"nan"',
    "inf as text": b'"inf"',
    "infinity as text": b'"infinity"',
    "INF as text": b'"INF"',
    "-0": b"-0",
    "-0.0": b"-0.0",
    "-0 as text": b'"-0"',
    "0.1": b"0.1",
    "2^24+1": b"16777217",
    "2^53+1": b"9007199254740993",
    "2^64": b"18446744073709551616",
    "largest float": b"3.4028234663852886e38",
    "rounds to the largest float": b"3.4028235e38",
    "above the largest float": b"3.5e38",
    "above the largest negative float": b"-3.5e38",
    "1e39 as text": b'"1e39"',
    "smallest float": b"1.401298464324817e-45",
    "below the smallest float": b"1e-46",
    "float in between": b"1.00000005960464477539",
    "largest double": b"1.7976931348623157e308",
    "above the largest double": b"1.8e308",
    "1e400": b"1e400",
    "-1e400": b"-1e400",
    "1e400 as text": b'"1e400"',
    "smallest double": b"5e-324",
    "below the smallest double": b"1e-400",
    "1E+2": b"1E+2",
    "1.0": b"1.0",
    "many digits": b"0.1000000000000000055511151231257827021181583404541015625",
    "leading zero": b"01",
    "plus sign": b"+1",
    "trailing point": b"1.",
    "leading point": b".5",
    "hexadecimal": b"0x1p3",
    "missing exponent": b"1e",
    **OTHER_TYPES,
    "1.5 as text": b'"1.5"',
    "1e2 as text": b'"1e2"',
    "empty text": b'""',
    "leading space as text": b'" 1.5"',
    "trailing space as text": b'"1.5 "',
    "trailing point as text": b'"1."',
    "leading point as text": b'".5"',
    "plus sign as text": b'"+1.5"',
    "comma as text": b'"1,5"',
    "hexadecimal as text": b'"0x1p3"',
    "suffix as text": b'"1.5f"',
    "null as text": b'"null"',
}

BOOLEANS = {
    "0": b"0",
    "1": b"1",
    "1.0": b"1.0",
    "true as text": b'"true"',
    "false as text": b'"false"',
    "empty text": b'""',
    "1 as text": b'"1"',
    "True": b"True",
    "TRUE": b"TRUE",
    "yes": b"yes",
    "array": b"[]",
    "array of one": b"[true]",
    "object": b"{}",
}

STRINGS = {
    "number": b"1",
    **OTHER_TYPES,
    "lone high surrogate": b'"\\ud800"',
    "lone low surrogate": b'"\\udc00"',
    "lone high surrogate and text": b'"a\\ud800b"',
    "high surrogate twice": b'"\\ud800\\ud800"',
    "surrogates in the wrong order": b'"\\udc00\\ud800"',
    "surrogate pair": b'"\\ud83d\\ude00"',
    "beyond the basic plane": b'"\xf0\x9f\x98\x80"',
    "NUL": b'"a\\u0000b"',
    "raw NUL": b'"a\x00b"',
    "raw control character": b'"a\x01b"',
    "raw line feed": b'"a\nb"',
    "raw tab": b'"a\tb"',
    "DEL": b'"\x7f"',
    "C1 control character": b'"\xc2\x85"',
    "line separator": b'"\xe2\x80\xa8"',
    "byte order mark": b'"\xef\xbb\xbfa"',
    "escaped byte order mark": b'"\\ufeff"',
    "noncharacter": b'"\xef\xbf\xbf"',
    "last code point": b'"\xf4\x8f\xbf\xbf"',
    "combining characters": b'"e\xcc\x81"',
    "every short escape": b'"\\"\\\\\\/\\b\\f\\n\\r\\t"',
    "upper-case hexadecimal escape": b'"\\u00E9"',
    "unknown escape": b'"\\x41"',
    "escaped apostrophe": b'"\\\'"',
    "short escape": b'"\\u00e"',
    "code point escape": b'"\\u{e9}"',
    "invalid UTF-8": b'"\xff"',
    "truncated UTF-8": b'"\xe2\x82"',
    "overlong UTF-8": b'"\xc0\xaf"',
    "overlong NUL in UTF-8": b'"\xc0\x80"',
    "surrogate in UTF-8": b'"\xed\xa0\x80"',
    "surrogate pair in UTF-8": b'"\xed\xa0\xbd\xed\xb8\x80"',
    "beyond Unicode in UTF-8": b'"\xf4\x90\x80\x80"',
    "in apostrophes": b"'a'",
    "unquoted": b"a",
    "65536 characters": b'"%b"' % (b"x" * 65536),
}

BYTES = {
    "base64 with padding": b'"+/8="',
    "base64 without padding": b'"+/8"',
    "base64url with padding": b'"-_8="',
    "base64url without padding": b'"-_8"',
    "both base64 alphabets": b'"+_8="',
    "space in base64": b'"AQ I="',
    "line feed in base64": b'"AQ\\nI="',
    "line feed after base64": b'"AQI=\\n"',
    "no base64": b'"AQ!="',
    "dot in base64": b'"AQ.I"',
    "one character of base64": b'"A"',
    "padding after one character": b'"A==="',
    "five characters of base64": b'"AQIDB"',
    "bits after the last byte": b'"AB=="',
    "bits after the last byte, no padding": b'"AB"',
    "too little padding": b'"AQ="',
    "too much padding": b'"AQI=="',
    "padding alone": b'"="',
    "four times padding": b'"===="',
    "padding where none belongs": b'"AQID="',
    "padding in the middle": b'"AQ==AQ=="',
    "escaped slash": b'"\\/\\/8="',
    "letter outside of ASCII": b'"AQI\xc3\xa9"',
    "NUL in base64": b'"AQ\\u0000="',
    "number": b"1",
    "array of numbers": b"[1,2]",
    **OTHER_TYPES,
}


def scalar_edges(type_: str) -> Iterator[tuple[str, bytes]]:
    """(name, JSON value) for a scalar type that is no enum."""
    tables: dict[str, Mapping[str, bytes]] = {
        **dict.fromkeys(("double", "float"), FLOATS),
        **dict.fromkeys(("string", "unverified string"), STRINGS),
        "bool": BOOLEANS,
        "bytes": BYTES,
    }
    if type_ in tables:
        yield from tables[type_].items()
        return
    for name in POWERS if type_.endswith("64") else POWERS_OF_32_BITS:
        yield name, b"%d" % POWERS[name]
        yield f"{name} as text", b'"%d"' % POWERS[name]
    yield from INTEGER_SPELLINGS.items()


def enum_edges(enum: EnumDescriptor) -> Iterator[tuple[str, bytes]]:
    """(name, JSON value) for an enum, NullValue included."""
    values = enum_values(enum)
    name, number = values[-1]
    yield "known number", b"%d" % number
    yield "known number as text", b'"%d"' % number
    yield "known number as fraction", b"%d.0" % number
    yield "unknown number", b"%d" % unknown_number(enum)
    yield "unknown negative number", b"-2147483648"
    yield "2^31", b"2147483648"
    yield "-2^31-1", b"-2147483649"
    yield "2^32", b"4294967296"
    yield "1.5", b"1.5"
    yield "unknown name", b'"NO_SUCH_NAME"'
    yield "name in small letters", string(name.lower())
    yield "name with its type", string(f"{enum.name}.{name}")
    yield "name with a space", string(f"{name} ")
    yield "escaped name", b'"\\u%04x%b"' % (ord(name[0]), name[1:].encode())
    yield "empty text", b'""'
    yield "null as text", b'"null"'
    yield from OTHER_TYPES.items()
    aliases = [one for position, (one, same) in enumerate(values) if same in {known for _, known in values[:position]}]
    for alias in aliases[:1]:
        yield "alias", string(alias)


def unknown_number(enum: EnumDescriptor) -> int:
    """The smallest number above 1,000 that is no value of an enum."""
    known = {number for _, number in enum_values(enum)}
    return next(number for number in range(1001, 1002 + len(known)) if number not in known)
