"""Curated edge values: all of them are there, and they are what their names say."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from functools import cache

import pytest
from counterfoil.probe import json_tree, wire_tree
from counterfoil.probe.edge_members import NESTINGS
from counterfoil.probe.edge_scalars import POWERS, POWERS_OF_32_BITS
from counterfoil.probe.edges import edges
from counterfoil.probe.payloads import EDGE, Encoding, Payload

from tests.every_feature import MESSAGES, message, read

JSON, BINARY = Encoding.JSON, Encoding.BINARY


@cache
def payloads(name: str) -> tuple[Payload, ...]:
    return tuple(edges(message(name)))


@cache
def by_words(name: str) -> dict[tuple[Encoding, str, str], Payload]:
    """The first payload of each (encoding, path, state)."""
    found: dict[tuple[Encoding, str, str], Payload] = {}
    for payload in payloads(name):
        found.setdefault((payload.encoding, payload.path, payload.state), payload)
    return found


def value(path: str, state: str) -> bytes:
    """The JSON value of the only member of a payload for Wide."""
    root = json_tree.parse(by_words("Wide")[JSON, path, EDGE + state].data).root
    assert isinstance(root, json_tree.Object)
    (member,) = root.members
    assert member.value is not None
    return json_tree.write(json_tree.Document(member.value))


# --- all are there ---------------------------------------------------------------------------------------------------

LISTED = {
    (JSON, "int64"): [
        "2^53-1",
        "2^53",
        "2^53+1",
        "2^53+1 as text",
        "2^63",
        "2^63-1 as text",
        "-2^63",
        "1e2",
        "1.0",
        "1.5",
    ],
    (JSON, "int32"): ["2^31", "-2^31-1", "2^31-1 as text", "plus sign as text", "empty text", "boolean"],
    (JSON, "uint64"): ["2^64-1", "2^64", "-1", "-0"],
    (JSON, "double"): [
        "NaN",
        "NaN as text",
        "Infinity",
        "-Infinity as text",
        "-0.0",
        "1e400",
        "2^53+1",
        "smallest double",
    ],
    (JSON, "float"): [
        "0.1",
        "2^24+1",
        "above the largest float",
        "rounds to the largest float",
        "below the smallest float",
    ],
    (JSON, "string"): [
        "lone high surrogate",
        "lone low surrogate",
        "NUL",
        "invalid UTF-8",
        "byte order mark",
        "raw NUL",
    ],
    (JSON, "bytes"): ["base64url with padding", "base64 without padding", "both base64 alphabets", "space in base64"],
    (JSON, "bool"): ["0", "1", "true as text", "True"],
    (JSON, "enum"): ["unknown number", "unknown name", "known number", "alias", "name in small letters", "2^31"],
    (JSON, "optional closed enum"): ["unknown number", "unknown name"],
    (JSON, "oneof enum:google.protobuf.NullValue"): ["known number", "unknown name"],
    (JSON, "repeated string"): ["value without a list", "null after a value", "trailing comma", "list in a list"],
    (JSON, "repeated message:google.protobuf.Value"): ["null after a value", "empty array", "deep nesting"],
    (JSON, "map<string,string>"): ["duplicate map key", "empty map key", "map key __proto__", "list for a map"],
    (JSON, "map<int64,message>"): ["map key 2^53+1", "map key with a leading zero", "map key 1.0", "array"],
    (JSON, "map<bool,message:google.protobuf.Duration>"): ["map key True", "map key 1", "no unit"],
    (JSON, "message"): ["array", "text", "unknown field"],
    (JSON, "message:google.protobuf.Timestamp"): [
        "smallest time",
        "year 0",
        "largest time",
        "year 10000",
        "leap second",
    ],
    (JSON, "message:google.protobuf.Duration"): [
        "largest duration",
        "beyond the largest duration",
        "negative fraction",
    ],
    (JSON, "message:google.protobuf.Any"): ["type last", "unknown type", "value without type", "Any in Any"],
    (JSON, "message:google.protobuf.FieldMask"): ["underscore in a path", "capitals in a path", "empty path"],
    (JSON, "message:google.protobuf.Struct"): ["duplicate key", "deep nesting", "__proto__ key"],
    (JSON, "message:google.protobuf.Value"): ["1e400", "NaN as text", "2^53+1", "object with null"],
    (JSON, "message:google.protobuf.ListValue"): ["every type", "trailing comma"],
    (JSON, "message:google.protobuf.Int64Value"): ["2^53+1", "wrapper as an object"],
    (JSON, "message:google.protobuf.FloatValue"): ["NaN as text", "0.1"],
    (JSON, "message:google.protobuf.BytesValue"): ["base64url with padding"],
    (JSON, "message:google.protobuf.Empty"): ["unknown field"],
    (BINARY, "int32"): ["2^32", "-1 in five bytes", "2^63-1"],
    (BINARY, "sint64"): ["-2^63"],
    (BINARY, "uint32"): ["2^32+1"],
    (BINARY, "bool"): ["2", "2^32"],
    (BINARY, "float"): ["-0.0", "signalling NaN", "NaN with a payload"],
    (BINARY, "double"): ["-0.0", "NaN", "-Infinity"],
    (BINARY, "string"): ["invalid UTF-8", "surrogate in UTF-8", "overlong NUL in UTF-8", "NUL"],
    (BINARY, "bytes"): ["every byte"],
    (BINARY, "optional unverified string"): ["invalid UTF-8"],
    (BINARY, "optional closed enum"): ["unknown number", "2^32+1"],
    (BINARY, "map<string,string>"): [
        "duplicate map key",
        "entry without a key",
        "value before key",
        "map key invalid UTF-8",
    ],
    (BINARY, "message:google.protobuf.Timestamp"): ["negative nanos", "beyond the largest time"],
    (BINARY, "message:google.protobuf.Duration"): ["signs that differ", "beyond the largest duration"],
    (BINARY, "message:google.protobuf.Value"): ["NaN", "two kinds"],
    (BINARY, "message:google.protobuf.FieldMask"): ["path that JSON cannot name"],
    (BINARY, "message:google.protobuf.Any"): ["unknown type", "value that is no message"],
}
STRUCTURAL = {
    (JSON, "int64"): ["duplicate key", "duplicate key, null last", "both spellings", "escaped key", "key in capitals"],
    (JSON, "message"): [f"nesting of {depth}" for depth in NESTINGS],
    (BINARY, "message"): ["repeated occurrence", "overlong length", "length of 2^64-1", "nesting of 101"],
    (BINARY, "int32"): ["overlong varint", "varint of eleven bytes", "bits beyond 64", "repeated occurrence"],
    (BINARY, "double"): ["wire type mismatch: varint", "wire type mismatch: fixed32", "truncated fixed"],
    (BINARY, "string"): ["wire type mismatch: group", "overlong tag", "length beyond the end"],
    (BINARY, "repeated int32"): ["packed and spread", "packed twice", "packed with a truncated element"],
    (BINARY, "group"): ["unclosed group", "end of another group", "wire type mismatch: length-delimited"],
    (JSON, "document"): [
        "no bytes",
        "root null",
        "byte order mark",
        "trailing bytes",
        "trailing comma",
        "unknown field",
    ],
    (BINARY, "document"): [
        "unknown field",
        "trailing bytes",
        "field number 0",
        "wire type 6",
        "overlong",
        "truncated tag",
    ],
}


def test_every_edge_that_is_listed_is_there() -> None:
    found: dict[tuple[Encoding, str], set[str]] = {}
    for name in MESSAGES:
        for payload in payloads(name):
            found.setdefault((payload.encoding, payload.kind), set()).add(payload.state)
    missing = [(*key, name) for key, names in LISTED.items() for name in names if EDGE + name not in found[key]]
    for key, states in STRUCTURAL.items():
        missing += [(*key, state) for state in states if not any(state in one for one in found[key])]
    assert not missing


@pytest.mark.parametrize("name", MESSAGES)
def test_every_payload_has_words_of_its_own(name: str) -> None:
    counts = Counter((one.encoding, one.path, one.state) for one in payloads(name))
    assert max(counts.values()) <= 2  # twice where a small message is full too
    assert all(one.path or one.kind == "document" for one in payloads(name))


@pytest.mark.parametrize("name", MESSAGES)
def test_every_payload_is_written_as_it_was_read(name: str) -> None:
    for payload in payloads(name):
        if payload.encoding is JSON:
            assert json_tree.write(json_tree.parse(payload.data)) == payload.data
        else:
            assert wire_tree.write(wire_tree.parse(payload.data, message(name))) == payload.data


def test_edges_of_a_small_message_stand_in_the_full_one_too() -> None:
    both = [
        one.data for one in payloads("Inner") if (one.encoding, one.path, one.state) == (JSON, "count", "edge:2^53+1")
    ]
    assert [sorted(json.loads(data)) for data in both] == [["count"], ["color", "count", "name"]]


# --- they are what their names say -----------------------------------------------------------------------------------


POWER = re.compile(r"(-?)(\d+)(?:\^(\d+))?([+-]1)?")


@pytest.mark.parametrize("power", POWERS)
def test_powers(power: str) -> None:
    found = POWER.fullmatch(power)
    assert found
    sign, base, exponent, offset = found.groups()
    number = int(base) ** int(exponent or 1) * (-1 if sign else 1) + int(offset or 0)
    assert POWERS[power] == number
    path = "int32_value" if power in POWERS_OF_32_BITS else "int64_value"
    assert json.loads(value(path, power)) == number
    assert json.loads(value(path, f"{power} as text")) == str(number)


@pytest.mark.parametrize(
    ("state", "members"),
    [
        ("duplicate key", [("int64Value", "0"), ("int64Value", "42")]),
        ("duplicate key, default last", [("int64Value", "42"), ("int64Value", "0")]),
        ("duplicate key, null first", [("int64Value", None), ("int64Value", "42")]),
        ("duplicate key, null last", [("int64Value", "42"), ("int64Value", None)]),
        ("both spellings", [("int64Value", "0"), ("int64_value", "42")]),
        ("both spellings, proto name first", [("int64_value", "0"), ("int64Value", "42")]),
        ("escaped key", [("int64Value", "42")]),
        ("number as key", [("3", "42")]),
    ],
)
def test_keys(state: str, members: list[tuple[str, object]]) -> None:
    data = by_words("Wide")[JSON, "int64_value", state].data
    assert json.loads(data, object_pairs_hook=list) == members
    assert (b'"int64Value"' in data) == (state not in {"escaped key", "number as key"})


@pytest.mark.parametrize("depth", [depth for depth in NESTINGS if depth <= 101])
def test_nesting(depth: int) -> None:
    nested: object = json.loads(by_words("Wide")[JSON, "parent", f"nesting of {depth}"].data)
    levels = 0
    while nested:
        assert isinstance(nested, dict)
        (nested,) = nested.values()
        levels += 1
    assert levels == depth
    assert (read("Wide", BINARY, by_words("Wide")[BINARY, "parent", f"nesting of {depth}"].data) is None) == (
        depth > 100
    )


def test_wire_types_that_do_not_match_are_kept_as_unknown() -> None:
    states = [one for one in payloads("Wide") if one.state.startswith("wire type mismatch") and "." not in one.path]
    assert len(states) > 3 * 43
    for payload in states:
        found = read("Wide", BINARY, payload.data)
        assert found is not None, payload
        assert not found.ListFields(), payload


ACCEPTED = [
    *((JSON, "int64_value", f"edge:{name}") for name in ("2^53+1", "2^63-1", "-2^63 as text", "1.0", "1e2", "-0")),
    *(
        (JSON, "double_value", f"edge:{name}")
        for name in ("NaN as text", "-Infinity as text", "-0.0", "largest double")
    ),
    *((JSON, "float_value", f"edge:{name}") for name in ("0.1", "largest float", "2^24+1", "below the smallest float")),
    *((JSON, "text", f"edge:{name}") for name in ("NUL", "surrogate pair", "every short escape", "noncharacter")),
    *((JSON, "data", f"edge:base64{name}") for name in (" with padding", " without padding", "url without padding")),
    *((JSON, "color", f"edge:{name}") for name in ("known number", "unknown number", "alias", "escaped name")),
    *((JSON, "created_at", f"edge:{name}") for name in ("smallest time", "largest time", "offset", "29 February")),
    *((JSON, "took", f"edge:{name}") for name in ("largest duration", "negative fraction", "one nanosecond", "-0s")),
    *((JSON, "any", f"edge:{name}") for name in ("type last", "Any in Any")),
    *((JSON, "anything", f"edge:{name}") for name in ("object with null", "NaN as text", "empty array", "0.1")),
    *((JSON, "inner_by_id{}", f"edge:map key {name}") for name in ("2^53+1", "-1")),
    (JSON, "int64_value", "escaped key"),
    (JSON, "", "white space"),
    *((BINARY, "int32_value", state) for state in ("overlong varint", "edge:2^32", "edge:-1", "repeated occurrence")),
    *((BINARY, "text", f"edge:{name}") for name in ("NUL", "noncharacter", "beyond the basic plane")),
    *((BINARY, "attributes{}", f"edge:{name}") for name in ("entry without a key", "value before key")),
    *((BINARY, "packed_numbers", state) for state in ("packed and spread", "packed twice")),
    *(
        (BINARY, "", state)
        for state in ("unknown field", "unknown group", "largest field number", "unknown overlong tag")
    ),
]
REFUSED = [
    *(
        (JSON, "int64_value", f"edge:{name}")
        for name in ("2^63", "-2^63-1 as text", "1.5", "1e400", "leading zero", "array")
    ),
    *((JSON, "int32_value", f"edge:{name}") for name in ("2^31", "empty text", "boolean", "trailing space as text")),
    *((JSON, "double_value", f"edge:{name}") for name in ("1e400", "above the largest double", "hexadecimal", "array")),
    *((JSON, "float_value", f"edge:{name}") for name in ("above the largest float", "NaN", "object")),
    *((JSON, "flag", f"edge:{name}") for name in ("0", "1", "true as text", "True")),
    *((JSON, "text", f"edge:{name}") for name in ("lone high surrogate", "invalid UTF-8", "raw NUL", "unknown escape")),
    *((JSON, "data", f"edge:{name}") for name in ("one character of base64", "number")),
    *((JSON, "color", f"edge:{name}") for name in ("unknown name", "2^31", "name in small letters")),
    *(
        (JSON, "created_at", f"edge:{name}")
        for name in ("year 0", "year 10000", "no offset", "29 February of no leap year")
    ),
    *((JSON, "took", f"edge:{name}") for name in ("beyond the largest duration", "no unit", "minutes")),
    *((JSON, "mask", f"edge:{name}") for name in ("underscore in a path", "number")),
    *((JSON, "any", f"edge:{name}") for name in ("unknown type", "value without type")),
    *((JSON, "tags", f"edge:{name}") for name in ("null after a value", "value without a list", "trailing comma")),
    *((JSON, "inner_by_id{}", f"edge:map key {name}") for name in ("2^63", "that is a word")),
    *(
        (JSON, "", state)
        for state in ("no bytes", "trailing bytes", "trailing comma", "unknown field", "comment", "NUL after")
    ),
    (JSON, "int64_value", "duplicate key"),
    *((BINARY, "int32_value", state) for state in ("varint of eleven bytes", "truncated varint")),
    *((BINARY, "text", f"edge:{name}") for name in ("invalid UTF-8", "overlong UTF-8", "surrogate in UTF-8")),
    *((BINARY, "text", state) for state in ("length beyond the end", "length of 2^64-1", "missing length")),
    *((BINARY, "", state) for state in ("trailing bytes", "field number 0", "wire type 6", "lone end of a group")),
    *((BINARY, "", state) for state in ("unknown unclosed group", "tag of eleven bytes", "unknown truncated fixed64")),
]


@pytest.mark.parametrize(("encoding", "path", "state"), ACCEPTED)
def test_what_the_runtime_reads(encoding: Encoding, path: str, state: str) -> None:
    assert read("Wide", encoding, by_words("Wide")[encoding, path, state].data) is not None


@pytest.mark.parametrize(("encoding", "path", "state"), REFUSED)
def test_what_the_runtime_refuses(encoding: Encoding, path: str, state: str) -> None:
    assert read("Wide", encoding, by_words("Wide")[encoding, path, state].data) is None


def test_utf8_of_proto2_is_nobodys_concern() -> None:
    assert read("Legacy", BINARY, by_words("Legacy")[BINARY, "text", "edge:invalid UTF-8"].data) is not None
    assert (
        read("Featured", BINARY, by_words("Featured")[BINARY, "unverified_text", "edge:invalid UTF-8"].data) is not None
    )
    assert read("Featured", BINARY, by_words("Featured")[BINARY, "implicit_text", "edge:invalid UTF-8"].data) is None


def test_floats_are_what_their_names_say() -> None:
    assert float(value("float_value", "largest float")) == (2 - 2**-23) * 2.0**127
    assert float(value("double_value", "smallest double")) == math.ulp(0.0)
    assert float(value("float_value", "smallest float")) == 2.0**-149
    assert math.isinf(float(value("double_value", "above the largest double")))
    assert math.copysign(1, float(value("double_value", "-0.0"))) == -1
