"""The lattice of presence states: complete, the same every time, and right about what it writes."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from functools import cache

import pytest
from counterfoil.probe import wire_tree
from counterfoil.probe.backgrounds import places
from counterfoil.probe.fields import Field, fields_of
from counterfoil.probe.forms import samples
from counterfoil.probe.lattice import SMALL_MESSAGE, lattice
from counterfoil.probe.payloads import ABSENT, DEFAULT, NULL, VALUE, Encoding, Payload, Phase, type_of
from google.protobuf.message import Message

from tests.builders import ROOT
from tests.every_feature import MESSAGES, message, read

WIDE_FIELDS = 43
WITHIN_S = 1.0
ORDINARY = {"default", "empty", "zero", "value", "other packing", "empty entry"}
ZEROES = (0, "", "0", "0s", "1970-01-01T00:00:00Z", "COLOR_UNSPECIFIED", "NULL_VALUE")
States = dict[str, str]


@cache
def payloads(name: str) -> tuple[Payload, ...]:
    return tuple(lattice(message(name)))


def alone(name: str) -> Iterator[Payload]:
    """The payloads that probe one field."""
    return (payload for payload in payloads(name) if len(payload.parts) == 1 and payload.path)


# --- what a payload says, read independently of what wrote it --------------------------------------------------------


def json_states(data: bytes) -> States:
    def state(value: object) -> str:
        return NULL if value is None else DEFAULT if is_zero(value) else VALUE

    names = {spelling: field.name for field in fields_of(message("Wide")) for spelling in (field.json_name, field.name)}
    return {names[key]: state(value) for key, value in json.loads(data).items()}


def is_zero(value: object) -> bool:
    if isinstance(value, dict):
        return all(key in {"", "0", "name", "flag"} and is_zero(one) for key, one in value.items())
    return all(map(is_zero, value)) if isinstance(value, list) else value in ZEROES


def wire_states(data: bytes) -> States:
    names = {field.number: field.name for field in fields_of(message("Wide"))}
    found: dict[str, list[bool]] = {}
    for record in wire_tree.parse(data, message("Wide")).records:
        found.setdefault(names[record.number], []).append(is_zero_content(record.content))
    return {name: DEFAULT if all(zeroes) else VALUE for name, zeroes in found.items()}


def is_zero_content(content: wire_tree.Content) -> bool:
    match content:
        case wire_tree.Varint():
            return content.value == 0
        case wire_tree.Fixed() | wire_tree.Chunk():
            return not any(content.data)
        case wire_tree.Packed():
            return all(map(is_zero_content, content.items))
        case wire_tree.Nested() | wire_tree.Group():
            return all(is_zero_content(record.content) for record in content.message.records)


def is_closed_pair(one: Field, other: Field) -> bool:
    return one.oneof is not None and one.oneof == other.oneof


def covered(encoding: Encoding, states_of: Iterable[States]) -> set[tuple[str, str, str, str]]:
    """Every (field, state, other field, state) that stands in a payload."""
    names = [field.name for field in fields_of(message("Wide"))]
    found = set()
    seen = set()
    for states in states_of:
        row = tuple(states.get(name, ABSENT) for name in names)
        if row not in seen:
            seen.add(row)
            for (one, state), (other, other_state) in itertools.combinations(zip(names, row, strict=True), 2):
                found.add((one, state, other, other_state))
    assert found, encoding
    return found


# --- completeness ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", list(Encoding))
def test_every_pair_of_fields_stands_in_every_pair_of_states(encoding: Encoding) -> None:
    read_states = json_states if encoding is Encoding.JSON else wire_states
    found = covered(encoding, (read_states(one.data) for one in payloads("Wide") if one.encoding is encoding))
    states = (ABSENT, NULL, DEFAULT, VALUE) if encoding is Encoding.JSON else (ABSENT, DEFAULT, VALUE)
    missing = []
    for one, other in itertools.combinations(fields_of(message("Wide")), 2):
        for state, other_state in itertools.product(states, repeat=2):
            no_value = {one.name: state, other.name: other_state}.get("chosen_null") == VALUE
            no_oneof = (
                is_closed_pair(one, other) and VALUE not in {state, other_state} and ABSENT not in {state, other_state}
            )
            if not no_value and not no_oneof and (one.name, state, other.name, other_state) not in found:
                missing.append((one.name, state, other.name, other_state))
    assert not missing


def test_every_pair_with_a_value_stands_alone_in_a_payload() -> None:
    found = set()
    for payload in payloads("Wide"):
        if len(payload.parts) == 2:
            states = json_states(payload.data) if payload.encoding is Encoding.JSON else wire_states(payload.data)
            found.add((payload.encoding, frozenset(states.items())))
    names = [field.name for field in fields_of(message("Wide")) if field.name != "chosen_null"]
    for one, other in itertools.combinations(names, 2):
        for state in (NULL, DEFAULT, VALUE):
            for encoding in Encoding if state != NULL else (Encoding.JSON,):
                assert (encoding, frozenset({(one, state), (other, VALUE)})) in found
                assert (encoding, frozenset({(one, VALUE), (other, state)})) in found


def test_every_pair_comes_in_both_orders_and_both_spellings() -> None:
    orders: dict[frozenset[str], set[tuple[str, ...]]] = {}
    keys: dict[frozenset[str], set[str]] = {}
    for payload in payloads("Wide"):
        if len(payload.parts) == 2 and payload.encoding is Encoding.JSON:
            paths = tuple(path for path, _, _ in payload.parts)
            orders.setdefault(frozenset(paths), set()).add(paths)
            keys.setdefault(frozenset(paths), set()).update(json.loads(payload.data))
    pairs = list(itertools.combinations(fields_of(message("Wide")), 2))
    for one, other in pairs:
        pair = frozenset({one.name, other.name})
        assert len(orders[pair]) == 2
        assert keys[pair] == {one.name, one.json_name, other.name, other.json_name}
    assert len(pairs) == WIDE_FIELDS * (WIDE_FIELDS - 1) // 2


@pytest.mark.parametrize(("name", "oneof"), [("Wide", "choice"), ("Special", "special"), ("Legacy", "choice")])
def test_every_triple_of_a_oneof_stands_in_every_state(name: str, oneof: str) -> None:
    members = [field for field in fields_of(message(name)) if field.oneof == oneof]
    three = [payload for payload in payloads(name) if len(payload.parts) == 3]
    for triple in itertools.combinations(members, 3):
        own = [one for one in three if {path for path, _, _ in one.parts} == {field.name for field in triple}]
        values = [field for field in triple if any(sample.state == VALUE for sample in samples(field))]
        for encoding in Encoding:
            words = {frozenset(state_by_path(one).items()) for one in own if one.encoding is encoding}
            assert len(words) >= 2 ** len(values), (encoding, words)
    assert len({tuple(path for path, _, _ in one.parts) for one in three}) >= 6


def state_by_path(payload: Payload) -> States:
    return {path: state.removesuffix(" by proto name") for path, _, state in payload.parts}


@pytest.mark.parametrize("name", MESSAGES)
def test_every_field_stands_alone_in_every_state_that_it_has(name: str) -> None:
    found = {(one.encoding, one.path, one.state) for one in alone(name)}
    for place in places(message(name)):
        for encoding in Encoding:
            assert (encoding, place.path, ABSENT) in found
        for sample in samples(place.field):
            if sample.json is not None:
                assert (Encoding.JSON, place.path, sample.state) in found
                spelled_otherwise = (Encoding.JSON, place.path, f"{sample.state} by proto name") in found
                assert spelled_otherwise == (len(place.field.spellings) == 2)
            if sample.wire is not None:
                assert (Encoding.BINARY, place.path, sample.state) in found


@pytest.mark.parametrize("name", MESSAGES)
def test_what_is_probed_together_is_probed_alone_too(name: str) -> None:
    single = {(one.encoding, one.kind, one.state) for one in alone(name)}
    together = {(one.encoding, *part[1:]) for one in payloads(name) for part in one.parts if len(one.parts) > 1}
    assert together <= single


def test_states_of_every_shape_of_field() -> None:
    states = {
        (one.kind, one.encoding, one.state) for name in MESSAGES for one in alone(name) if "proto name" not in one.state
    }
    for expected in [
        ("repeated string", Encoding.JSON, "null element"),
        ("map<string,string>", Encoding.JSON, "null value"),
        ("map<string,string>", Encoding.BINARY, "empty entry"),
        ("message", Encoding.JSON, "null member"),
        ("repeated int32", Encoding.BINARY, "other packing"),
        ("optional int32", Encoding.BINARY, "zero"),
        ("message:google.protobuf.Value", Encoding.BINARY, "null"),
        ("message:google.protobuf.Value", Encoding.BINARY, "empty"),
        ("message:google.protobuf.Struct", Encoding.JSON, "null value"),
        ("message:google.protobuf.ListValue", Encoding.BINARY, "null element"),
        ("oneof enum:google.protobuf.NullValue", Encoding.JSON, "null"),
        ("extension repeated unverified string", Encoding.JSON, "value"),
        ("group", Encoding.JSON, "empty"),
        ("required int64", Encoding.JSON, "absent"),
        ("optional closed enum", Encoding.BINARY, "value"),
    ]:
        assert expected in states


def test_nested_fields_are_probed_where_they_stand() -> None:
    paths = {payload.path for payload in payloads("Wide")}
    assert {"inner.count", "inners[].name", "inner_by_id{}.color", "chosen_inner.count"} <= paths
    assert not {path for path in paths if path.startswith("parent.")}  # its own type is the root already
    small = [one for one in payloads("Inner") if len(one.parts) == 2]
    assert len(fields_of(message("Inner"))) <= SMALL_MESSAGE
    assert {len(json_states_of_inner(one)) for one in small if one.encoding is Encoding.JSON} == {2, 3}


def json_states_of_inner(payload: Payload) -> dict[str, object]:
    return dict(json.loads(payload.data))


# --- correctness, judged by protobuf's own runtime -------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in MESSAGES if name != "Endless"])
def test_ordinary_states_are_read_and_mean_the_same_in_both_encodings(name: str) -> None:
    meanings: dict[tuple[str, str], dict[Encoding, Message]] = {}
    for payload in alone(name):
        state = payload.state.removesuffix(" by proto name")
        if state in ORDINARY:
            found = read(name, payload.encoding, payload.data)
            assert found is not None, payload
            # The first of each has nothing else in it.
            meanings.setdefault((payload.path, state), {}).setdefault(payload.encoding, found)
    assert len(meanings) >= len(fields_of(message(name)))
    for (path, state), found_in in meanings.items():
        if len(found_in) == len(Encoding):
            assert found_in[Encoding.JSON] == found_in[Encoding.BINARY], (path, state)
    assert {path for path, _ in meanings} == {place.path for place in places(message(name))}


@pytest.mark.parametrize("name", [name for name in MESSAGES if name != "Endless"])
def test_the_full_message_has_every_field_and_is_one_in_both_encodings(name: str) -> None:
    whole = [one for one in payloads(name) if not one.path and one.state == VALUE]
    in_json, binary = (
        read(name, one.encoding, one.data) for one in sorted(whole, key=lambda one: one.encoding != "json")
    )
    assert in_json is not None
    assert in_json == binary
    left = {field.name for field in fields_of(message(name))} - {field.name for field, _ in in_json.ListFields()}
    assert all(one.startswith(("[", "any", "null", "chosen")) for one in left), left


def test_null_is_refused_inside_lists_and_read_elsewhere() -> None:
    states = {(one.path, one.state): one for one in alone("Wide") if one.encoding is Encoding.JSON}
    assert read("Wide", Encoding.JSON, states["tags", "null element"].data) is None
    assert read("Wide", Encoding.JSON, states["anythings", "null element"].data) is not None
    assert read("Wide", Encoding.JSON, states["int64_value", "null"].data) is not None
    chosen = read("Wide", Encoding.JSON, states["chosen_null", "null"].data)
    assert chosen is not None
    assert chosen.WhichOneof("choice") == "chosen_null"


def test_what_is_required_comes_along_unless_it_cannot_be_had() -> None:
    notes = [one for one in payloads("Strict") if one.path == "note" and one.state == VALUE]
    made = [read("Strict", one.encoding, one.data) for one in notes]
    assert made
    assert all(one is not None and one.IsInitialized() for one in made)
    assert {one.path for one in payloads("Endless")} >= {"next", "number"}


# --- words -----------------------------------------------------------------------------------------------------------


def test_kinds() -> None:
    kinds = {f"{name}.{field.name}": field.kind for name in MESSAGES for field in fields_of(message(name))}
    expected = {
        "Wide.int64_value": "int64",
        "Wide.text": "string",
        "Wide.optional_int32": "optional int32",
        "Wide.inner": "message",
        "Wide.spread_numbers": "repeated int64",
        "Wide.inner_by_id": "map<int64,message>",
        "Wide.properties": "map<string,message:google.protobuf.Value>",
        "Wide.chosen_null": "oneof enum:google.protobuf.NullValue",
        "Legacy.text": "optional unverified string",
        "Legacy.closed": "optional closed enum",
        "Legacy.pair": "group",
        "Legacy.[every_feature.extra_strict]": "extension message",
        "Strict.id": "required int64",
        "Featured.implicit_number": "int32",
        "Featured.explicit_number": "optional int32",
        "Featured.unverified_text": "optional unverified string",
        "Featured.explicit_text": "optional string",
        "Featured.shut": "optional closed enum",
        "Featured.delimited_part": "group",
        "Demanding.id": "required string",
    }
    assert {name: kinds.get(name) for name in expected} == expected
    assert type_of("extension repeated unverified string") == "unverified string"
    assert type_of("map<string,unverified string>") == "map<string,unverified string>"


def test_parts_of_a_payload() -> None:
    payload = Payload(
        encoding=Encoding.JSON, data=b"", path="a + b", kind="int32 + string", state="null + value", phase=Phase.LATTICE
    )
    assert payload.parts == (("a", "int32", "null"), ("b", "string", "value"))


# --- cost and determinism --------------------------------------------------------------------------------------------


def test_the_lattice_of_43_fields_is_made_in_no_time() -> None:
    assert len(fields_of(message("Wide"))) == WIDE_FIELDS
    started = time.process_time()
    count = sum(1 for _ in lattice(message("Wide")))
    assert time.process_time() - started < WITHIN_S
    assert 7_000 < count < 8_500


def test_the_number_of_payloads_follows_the_formula() -> None:
    """A message of n fields without oneofs that all have null, default and value."""
    n = len(fields_of(message("Inner")))
    states = [sample for field in fields_of(message("Inner")) for sample in samples(field)]
    spelled = sum(sample.json is not None for sample in states)  # no field of it has another name in the schema
    apart = spelled + sum(sample.wire is not None for sample in states)
    full = apart  # absent in place of value, in both encodings
    pairs = 2 * 8 * n * (n - 1) // 2  # a small message has them in the full message too
    assert len(payloads("Inner")) == 4 + apart + full + (3 + 4 * n) + pairs


DIGEST = """
import hashlib, sys
from counterfoil.probe.edges import edges
from counterfoil.probe.lattice import lattice
from tests.every_feature import MESSAGES, message
digest = hashlib.sha256()
for name in MESSAGES:
    for generate in (lattice, edges):
        for payload in generate(message(name)):
            digest.update(repr(payload).encode())
print(digest.hexdigest())
"""


def test_the_same_payloads_come_in_the_same_order_in_every_process() -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "harness")])
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
    assert len(digests.pop().strip()) == 2 * hashlib.sha256().digest_size
