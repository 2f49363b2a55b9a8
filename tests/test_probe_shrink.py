"""Planted bugs are found by their class and shrunk to a few fields; sound stubs are found to agree."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import pytest
from counterfoil.probe.differences import Groups
from counterfoil.probe.divergences import Divergence, DivergenceClass
from counterfoil.probe.edges import edges
from counterfoil.probe.labels import relabelled
from counterfoil.probe.lattice import lattice
from counterfoil.probe.orders import reordered
from counterfoil.probe.payloads import Encoding, Payload
from counterfoil.probe.shrink import BATCH, shrink
from counterfoil.probe.surroundings import surroundings
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulated import Simulated, findings, item, payload

SOUND = Simulated()
PLANTED: Groups = (("planted",), ("python", "rust"))


@cache
def payloads(*kinds: str) -> tuple[Payload, ...]:
    """The lattice and the edges of the fields of these kinds, alone and together."""
    made = (*lattice(item()), *edges(item()))
    return tuple(one for one in made if all(kind in kinds for _path, kind, _state in one.parts))


# --- negative controls -----------------------------------------------------------------------------------------------


def null_to_text(members: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {key: "" if value is None and key == "name" else value for key, value in members}


def first_alone(members: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Stops to read after a name."""
    read: dict[str, Any] = {}
    for key, value in members:
        read[key] = value
        if key == "name":
            break
    return read


def without_zeros(message: Message) -> Message:
    made = type(message)()
    made.CopyFrom(message)
    for field, value in message.ListFields():
        if field.name in {"name", "id", "ratio"} and not value:
            made.ClearField(field.name)
    return made


def rounded(message: Message) -> Message:
    if message.HasField("id"):
        as_double = int(float(message.id))  # type: ignore[attr-defined] # the test's own message
        message.id = min(as_double, 2**63 - 1)  # type: ignore[attr-defined] # as above
    return message


def without_unknown(message: Message) -> Message:
    message.DiscardUnknownFields()
    return message


INT64, TEXT, WHOLE = "optional int64", "optional string", "document"


@pytest.mark.parametrize(
    ("planted", "kinds", "kind", "shrunk"),
    [
        (Simulated(text=null_to_text), (TEXT,), DivergenceClass.PRESENCE, {b'{"name":null}'}),
        (Simulated(message=without_zeros), (TEXT, INT64), DivergenceClass.PRESENCE, {b'{"name":""}', b'{"id":"0"}'}),
        (Simulated(written=without_zeros), (TEXT, INT64), DivergenceClass.REENCODING, {b'{"name":""}', b"\x10\x00"}),
        (Simulated(message=rounded), (INT64,), DivergenceClass.VALUE, {b'{"id":9007199254740993}'}),
        (Simulated(message=without_unknown), (WHOLE,), DivergenceClass.REENCODING, {b"\x80\xe5\x08\x00"}),
        (Simulated(ignores_unknown=True), (WHOLE,), DivergenceClass.ACCEPT_REJECT, {b'{"no_such_field":0}'}),
        (Simulated(text=first_alone), (TEXT, INT64), DivergenceClass.ORDER, set()),
    ],
    ids=["null to text", "zero dropped", "zero not written", "rounded", "unknown lost", "too lenient", "order"],
)
def test_a_planted_bug_is_found_by_its_class_and_shrunk(
    planted: Simulated, kinds: tuple[str, ...], kind: DivergenceClass, shrunk: set[bytes]
) -> None:
    found = findings({"planted": planted, "python": SOUND, "rust": SOUND}, payloads(*kinds))
    of_class = [small for one, small in found if one.kind is kind and one.groups == PLANTED]
    assert of_class, [(one.signature, small.data) for one, small in found]
    assert shrunk <= {small.data for small in of_class}
    assert max(fields(small) for _one, small in found) <= 3
    assert len({one.signature for one, _small in found}) == len(found)


def fields(small: Payload) -> int:
    """How many members a JSON payload has, at all levels; a binary one is shorter than three fields could be."""
    if small.encoding is Encoding.BINARY:
        return 1 if len(small.data) < 16 else 4
    return small.data.count(b":")


def test_sound_stubs_agree_on_everything() -> None:
    made = (*lattice(item()), *edges(item()))
    assert len(made) > 2000
    assert findings({"a": SOUND, "b": SOUND, "c": SOUND}, made) == []


def test_one_bug_is_one_finding_for_each_kind_and_state() -> None:
    found = findings({"planted": Simulated(message=rounded), "python": SOUND, "rust": SOUND}, payloads(INT64))
    assert sorted(one.signature for one, _ in found) == [
        "value | binary | integer | edge:2^53+1 | planted / python, rust",
        "value | json | integer | edge:2^53+1 as text | planted / python, rust",
        "value | json | integer | edge:2^53+1 | planted / python, rust",
    ]


# --- shrinking -------------------------------------------------------------------------------------------------------


def judge(
    holds: Callable[[bytes], bool], batches: list[int] | None = None
) -> Callable[[Sequence[Payload]], list[bool]]:
    def judge_batch(batch: Sequence[Payload]) -> list[bool]:
        if batches is not None:
            batches.append(len(batch))
        return [holds(one.data) for one in batch]

    return judge_batch


@pytest.mark.parametrize(
    ("data", "needed", "smallest"),
    [
        (b'{"a": 1, "b": [2, 3, {"c": null}], "d": "x"}', b"null", b'{"c":null}'),
        (b'{"child": {"child": {"child": {"name": null}}}}', b'"name":null', b'{"name":null}'),
        (b'{"a": "some \\u00e9 text", "b": 12345}', b"\\u00e9", b'{"a":"\\u00e9"}'),
        (b'{"a": 12345}', b'"a":', b'{"a":}'),
        (b'\xef\xbb\xbf {"a": 1} x', b"x", b"{}x"),
        (b'{"a":1,"a":2,"b":1}', b'"a":1,"a"', b'{"a":1,"a":}'),
        (b'{"a":[[[1]]]}', b"[[", b'{"a":[[]]}'),
    ],
)
def test_json_shrinks_to_what_matters(data: bytes, needed: bytes, smallest: bytes) -> None:
    small = shrink(payload(data), judge(lambda one: needed in one.replace(b" ", b"") or one == data))
    assert small.data == smallest


@pytest.mark.parametrize(
    ("data", "needed", "smallest"),
    [
        (b"\x0a\x03abc\x10\x05\x22\x01x", b"\x10", b"\x10\x00"),
        (b"\x32\x08\x32\x06\x0a\x04abcd", b"\x0a", b"\x0a\x00"),
        (b"\x10\x81\x80\x80\x00", b"\x10\x81", b"\x10\x81\x00"),
        (b"\x0a\x00\xff\xff", b"\xff", b"\xff"),
        (b"\x49\x01\x02\x03\x04\x05\x06\x07\x08", b"\x49", b"\x49" + bytes(8)),
    ],
)
def test_the_wire_format_shrinks_to_what_matters(data: bytes, needed: bytes, smallest: bytes) -> None:
    small = shrink(payload(data, Encoding.BINARY), judge(lambda one: needed in one), item())
    assert small.data == smallest


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40), st.sampled_from(list(Encoding)), st.integers(0, 255))
def test_shrinking_ends_smaller_and_still_shows_it(data: bytes, encoding: Encoding, byte: int) -> None:
    given_payload = payload(data, encoding)

    def holds(one: bytes) -> bool:
        return byte in one if byte in data else len(one) >= len(data) // 2

    small = shrink(given_payload, judge(holds), item())
    assert holds(small.data)
    assert (len(small.data), small.data) <= (len(data), data)
    assert small == shrink(given_payload, judge(holds), item())


def test_candidates_come_in_bounded_batches() -> None:
    batches: list[int] = []
    many = payload(json.dumps({f"k{number}": number for number in range(200)}).encode())
    assert shrink(many, judge(lambda _one: False, batches), max_candidates=100) == many
    assert sum(batches) == 100
    assert max(batches) == BATCH


# --- orders, names, surroundings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "turned"),
    [
        (b'{"id":1,"name":"x"}', b'{"name":"x","id":1}'),
        (b'{"id":1,"name":"x","id":2}', b'{"name":"x","id":1,"id":2}'),
        (b'{"item_count":1,"id":1,"itemCount":2}', b'{"id":1,"item_count":1,"itemCount":2}'),
        (b'{"email":"x","phone":1}', None),
        (b'{"email":"x","id":1,"phone":1}', b'{"id":1,"email":"x","phone":1}'),
        (b'{"tags":["a","b"]}', None),
        (b'{"scores":{"a":1,"b":2}}', b'{"scores":{"b":2,"a":1}}'),
        (b'{"extra":{"a":[{"x":1,"y":2}],"b":1}}', b'{"extra":{"b":1,"a":[{"y":2,"x":1}]}}'),
        (b'{"child":{"id":1,"name":"x"}}', b'{"child":{"name":"x","id":1}}'),
        (b'{"id":1,"name":"x"', None),
        (b'{"id":1,"name":"x"} x', None),
        (b"[1,2]", None),
    ],
)
def test_order_is_turned_round_where_it_means_nothing(data: bytes, turned: bytes | None) -> None:
    made = reordered(payload(data), item())
    assert (made.data if made else None) == turned


@pytest.mark.parametrize(
    ("data", "turned"),
    [
        (b"\x10\x01\x0a\x01x", b"\x0a\x01x\x10\x01"),
        (b"\x10\x01\x0a\x01x\x10\x02", b"\x0a\x01x\x10\x01\x10\x02"),
        (b"\x3a\x01x\x40\x01", None),
        (b"\x22\x01a\x22\x01b", None),
        (b"\x32\x04\x10\x01\x0a\x00", b"\x32\x04\x0a\x00\x10\x01"),
        (b"\x10\x01\x0a\x01x\xff", None),
    ],
)
def test_records_are_turned_round_where_order_means_nothing(data: bytes, turned: bytes | None) -> None:
    made = reordered(payload(data, Encoding.BINARY), item())
    assert (made.data if made else None) == turned


@pytest.mark.parametrize(
    ("data", "encoding", "words"),
    [
        (b'{"id":"0"}', Encoding.JSON, ("id", "optional int64", "default")),
        (b'{"id":0}', Encoding.JSON, ("id", "optional int64", "default")),
        (b'{"id":9007199254740993}', Encoding.JSON, ("id", "optional int64", "edge:2^53+1")),
        (b'{"child":{"name":null}}', Encoding.JSON, ("child.name", "optional string", "null")),
        (
            b'{"name":"v","tags":[]}',
            Encoding.JSON,
            ("name + tags", "optional string + repeated string", "value + empty"),
        ),
        (b'{"item_count":null}', Encoding.JSON, ("item_count", "int32", "null by proto name")),
        (b'{"nope":1}', Encoding.JSON, ("", "document", "unknown field")),
        (b'{"child":{"nope":1}}', Encoding.JSON, ("child", "message", "unknown field")),
        (b'{"name":"x","name":"y"}', Encoding.JSON, ("name", "optional string", "duplicate key")),
        (b"\x10\x00", Encoding.BINARY, ("id", "optional int64", "default")),
        (b"\x11" + bytes(8), Encoding.BINARY, ("id", "optional int64", "wire type mismatch: fixed64")),
        (b"\x10\x01\x10\x02", Encoding.BINARY, ("id", "optional int64", "repeated occurrence")),
        (b"{", Encoding.JSON, ("", "document", "random")),
        (b"{}", Encoding.JSON, ("", "document", "empty")),
    ],
)
def test_a_payload_is_named_by_what_is_in_it(data: bytes, encoding: Encoding, words: tuple[str, str, str]) -> None:
    at_random = payload(b'{"name":1,"id":1}', encoding, state="random", phase="random")
    named = relabelled(payload(data, encoding, state="random"), at_random, item())
    assert (named.path, named.kind, named.state, named.phase) == (*words, "witness")


def test_what_did_not_change_keeps_its_purpose() -> None:
    made = payload(b'{"name":"\\ud800","id":1}', path="name", kind="optional string", state="edge:surrogate")
    kept = relabelled(payload(b'{"name":"\\ud800"}'), made, item())
    assert (kept.path, kept.state) == ("name", "edge:surrogate")
    changed = relabelled(payload(b'{"name":""}'), made, item())
    assert (changed.path, changed.state) == ("name", "default")


@pytest.mark.parametrize(
    ("data", "path", "rest"),
    [
        (b'{"id":1,"name":"x"}', "id", b'{"name":"x"}'),
        (b'{"id":1,"itemCount":2,"item_count":2}', "item_count", b'{"id":1}'),
        (b'{"child":{"id":1},"id":2}', "child.id", b'{"id":2}'),
        (b'{"id":1,"nope":2}', "", b'{"id":1}'),
        (b'{"id":1}', "id", None),
        (b'{"tags":[null],"id":1}', "tags[]", b'{"id":1}'),
    ],
)
def test_the_surroundings_are_what_is_not_probed(data: bytes, path: str, rest: bytes | None) -> None:
    around = surroundings(payload(data, path=path), item())
    assert (around.data if around else None) == rest


def test_a_bug_in_the_full_message_is_not_blamed_on_its_neighbours() -> None:
    def refuse_values(members: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        read = dict(members)
        if "extra" in read:
            raise ValueError
        return read

    stubs = {"planted": Simulated(text=refuse_values), "python": SOUND, "rust": SOUND}
    found: list[tuple[Divergence, Payload]] = findings(stubs, lattice(item()))
    assert found
    assert all(b'"extra"' in small.data for _one, small in found)
    kinds = {kind for one, _small in found for kind, _state in one.parts}
    assert kinds <= {"message:google.protobuf.Value", "document"}
