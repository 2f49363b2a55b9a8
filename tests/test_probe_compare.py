"""Comparing what stubs did: every class is found, agreement costs nothing, and no stub is a favourite."""

from __future__ import annotations

import contextlib
import time
from itertools import permutations

import pytest
from counterfoil.probe.compare import compare, compare_orders, compare_reencoded, reencoded
from counterfoil.probe.differences import Aspect, Difference, View, differences
from counterfoil.probe.divergences import Divergence, DivergenceClass, KnownDivergences
from counterfoil.probe.observation import MalformedObservationError, Missing, parse_observation, render
from counterfoil.probe.outcomes import (
    Crashed,
    Decoded,
    EncodeFailed,
    Garbled,
    Outcome,
    OutputFormat,
    Rejected,
    TimedOut,
    Unsupported,
)
from counterfoil.probe.payloads import Encoding
from counterfoil.probe.verdicts import TABLE, Expectation, judge, ruling
from counterfoil.stub import observation as seen
from counterfoil.stub.v1 import stub_pb2
from hypothesis import given
from hypothesis import strategies as st

from tests.simulated import payload

NULL_NAME = payload(b'{"name":null}', path="name", kind="optional string", state="null")
BINARY = payload(b"\x80\x01\x05", Encoding.BINARY, state="unknown field")


def message(unknown_bytes: int = 0, /, **fields: bytes) -> bytes:
    return seen.message_of([(seen.field_name(name), value) for name, value in fields.items()], unknown_bytes)


def default() -> bytes:
    return stub_pb2.Observation(default=True).SerializeToString()


def compared(view: View = View.SCHEMA, /, **observations: bytes) -> list[Difference]:
    return list(differences({stub: parse_observation(data) for stub, data in observations.items()}, view))


def classes(found: tuple[Divergence, ...]) -> list[DivergenceClass]:
    return [one.kind for one in found]


# --- observations ----------------------------------------------------------------------------------------------------


def test_an_observation_is_shown_readably() -> None:
    data = message(
        7,
        id=seen.integer(5),
        name=seen.ABSENT,
        tags=seen.list_of([seen.text("a"), seen.NULL]),
        scores=seen.map_of([(seen.text("k"), seen.float_bits(-0.0))]),
        state=seen.enum_value(3, "OPEN"),
        odd=seen.enum_value(-9, ""),
        raw=seen.binary(b"\x01\xff"),
        on=seen.boolean(value=True),
        price=message(units=seen.float_bits(float("nan"))),
    )
    assert render(parse_observation(data), 1000) == (
        '{id: 5, name: absent, tags: ["a", null], scores: {"k": -0.0}, state: OPEN(3), odd: enum value -9, '
        "raw: bytes(01 ff), on: true, price: {units: NaN}, 7 unknown bytes}"
    )
    assert render(parse_observation(data), 20) == "{id: 5, name: absen…"
    assert render(parse_observation(seen.text("\ud800"))) == '"\\ud800"'


@given(st.binary(max_size=60))
def test_what_is_no_observation_is_said_so(data: bytes) -> None:
    with contextlib.suppress(MalformedObservationError):
        assert render(parse_observation(data))


def test_depth_is_bounded() -> None:
    one, other = nested(200, 1), nested(200, 2)
    assert compared(a=one, b=one) == []
    assert [found.path for found in compared(a=one, b=other)] == ["[0]" * 200]
    with pytest.raises(MalformedObservationError, match="levels"):
        parse_observation(nested(300, 1))


def nested(depth: int, number: int) -> bytes:
    data = seen.integer(number)
    for _ in range(depth):
        data = seen.list_of([data])
    return data


def test_what_is_the_same_is_no_difference() -> None:
    nan = (0xFFF8_0000_0000_0001).to_bytes(8, "little")
    assert not compared(a=seen.float_bits(float("nan")), b=seen.float_bits(1.0)[:1] + nan)
    keys = [(seen.text(key), seen.integer(1)) for key in "ab"]
    assert not compared(a=seen.map_of(keys), b=seen.map_of(reversed(keys)))
    assert not compared(a=message(x=seen.NULL, y=seen.NULL), b=message(y=seen.NULL, x=seen.NULL))
    assert not compared(a=message(x=seen.ABSENT), b=message())
    assert not compared(a=seen.enum_value(1, "ALIAS"), b=seen.enum_value(1, "NAME"))


@pytest.mark.parametrize(
    ("one", "other", "aspect"),
    [
        (seen.float_bits(0.0), seen.float_bits(-0.0), Aspect.VALUE),
        (seen.integer(2**53 + 1), seen.integer(2**53), Aspect.VALUE),
        (seen.integer(1), seen.float_bits(1.0), Aspect.VALUE),
        (seen.text("1"), seen.integer(1), Aspect.VALUE),
        (seen.text(""), seen.binary(b""), Aspect.VALUE),
        (seen.list_of([seen.NULL]), seen.list_of([]), Aspect.VALUE),
        (seen.text(""), seen.NULL, Aspect.PRESENCE),
        (seen.integer(0), seen.ABSENT, Aspect.PRESENCE),
        (seen.ABSENT, seen.NULL, Aspect.PRESENCE),
        (default(), seen.NULL, Aspect.PRESENCE),
        (default(), seen.integer(5), Aspect.PRESENCE),
        (message(3), message(), Aspect.UNKNOWN),
    ],
)
def test_a_difference_has_its_aspect_and_place(one: bytes, other: bytes, aspect: Aspect) -> None:
    found = compared(a=message(list=seen.list_of([one])), b=message(list=seen.list_of([other])))
    assert [(each.aspect, each.path, each.pattern) for each in found] == [(aspect, "list[0]", "list[]")]
    in_map = [message(m=seen.map_of([(seen.text("k"), value)])) for value in (one, other)]
    assert [each.path for each in compared(a=in_map[0], b=in_map[1])] == ["m{k}"]


def test_a_default_takes_no_side_between_absence_and_the_default() -> None:
    assert not compared(a=default(), b=seen.ABSENT)
    assert not compared(a=default(), b=seen.integer(0))
    (found,) = compared(a=seen.ABSENT, b=seen.integer(0), c=default())
    assert found.groups == (("a",), ("b",))
    (found,) = compared(a=seen.integer(5), b=seen.integer(0), c=default())
    assert (found.aspect, found.groups) == (Aspect.VALUE, (("a",), ("b", "c")))


def test_the_idioms_of_languages_are_no_difference_of_code() -> None:
    python = message(user_id=seen.integer(7), note=seen.NULL, kind=seen.text("BOOK"), more=seen.map_of([]))
    node = message(userId=seen.float_bits(7.0), kind=seen.enum_value(1, "BOOK"), more=message())
    assert not compared(View.CODE, python=python, node=node)
    assert len(compared(python=python, node=node)) == 5
    (found,) = compared(View.CODE, a=message(userId=seen.integer(0)), b=message(user_id=seen.float_bits(-0.0)))
    assert (found.aspect, found.path) == (Aspect.VALUE, "userId")
    assert compared(View.CODE, a=message(n=seen.text("")), b=message(n=seen.NULL))[0].aspect is Aspect.PRESENCE


# --- classes ---------------------------------------------------------------------------------------------------------


def test_who_agrees_is_grouped_whoever_is_first() -> None:
    outcomes = {"node": message(name=seen.text("")), "python": message(), "rust": message()}
    for order in permutations(outcomes):
        (found,) = compare(NULL_NAME, {stub: Decoded(outcomes[stub]) for stub in order})
        assert found.kind is DivergenceClass.PRESENCE
        assert found.groups == (("node",), ("python", "rust"))
        assert found.signature == "presence | json | optional string | null | node / python, rust"
        assert found.detail == 'name: node sees ""; python, rust see absent'


@pytest.mark.parametrize(
    ("outcome", "kind", "detail"),
    [
        (Rejected("no"), DivergenceClass.ACCEPT_REJECT, "b reads it as {}; a refuses it (a: no)"),
        (Decoded(message(name=seen.text("x"))), DivergenceClass.PRESENCE, 'name: a sees "x"; b sees absent'),
        (Crashed(-11, ("x", "fault")), DivergenceClass.CRASH, "a: ended with signal 11 (fault)"),
        (TimedOut(2.0), DivergenceClass.TIMEOUT, "a: gave no answer within 2 s"),
        (Garbled("sequence 3"), DivergenceClass.GARBLED, "a: sequence 3"),
        (Decoded(b"\xff"), DivergenceClass.GARBLED, "a: its observation cannot be read (ends too early)"),
    ],
)
def test_every_class_is_named(outcome: Outcome, kind: DivergenceClass, detail: str) -> None:
    (found,) = compare(NULL_NAME, {"a": outcome, "b": Decoded(message())})
    assert (found.kind, found.groups, found.detail) == (kind, (("a",), ("b",)), detail)


def test_all_crash_is_still_a_crash() -> None:
    (found,) = compare(NULL_NAME, {"a": Crashed(1), "b": Crashed(1)})
    assert (found.kind, found.groups) == (DivergenceClass.CRASH, (("a", "b"),))


def test_who_cannot_say_takes_no_part() -> None:
    outcomes: dict[str, Outcome] = {"a": Unsupported("no JSON"), "b": Rejected("x"), "c": Rejected("y")}
    assert compare(NULL_NAME, outcomes) == ()
    assert classes(compare(NULL_NAME, outcomes | {"d": Decoded(message())})) == [DivergenceClass.ACCEPT_REJECT]
    unobserved = {"a": Decoded(), "b": Decoded(message()), "c": Decoded(message())}
    assert compare(NULL_NAME, unobserved) == ()


def test_unknown_fields_that_are_not_kept_are_a_loss_in_the_wire_format_alone() -> None:
    outcomes = {"a": Decoded(message()), "b": Decoded(message(3))}
    (found,) = compare(BINARY, outcomes)
    assert found.kind is DivergenceClass.REENCODING
    assert found.detail == "a keeps 0 bytes of unknown fields; b keeps 3 bytes of unknown fields"
    assert compare(NULL_NAME, outcomes) == ()


def test_what_only_some_can_write_again_is_a_loss() -> None:
    wrote = Decoded(message(), b"{}", OutputFormat.JSON)
    (found,) = compare(BINARY, {"a": EncodeFailed("year 10000", message()), "b": wrote, "c": Decoded(message())})
    assert (found.kind, found.groups) == (DivergenceClass.REENCODING, (("a",), ("b",)))


def test_a_pair_is_named_by_the_field_that_differs() -> None:
    pair = payload(b"{}", path="id + name", kind="int64 + optional string", state="value + null")
    outcomes = {"a": Decoded(message(name=seen.text(""))), "b": Decoded(message())}
    assert compare(pair, outcomes)[0].signature == compare(NULL_NAME, outcomes)[0].signature
    (refused,) = compare(pair, {"a": Rejected(""), "b": Decoded(message())})
    assert refused.signature == "accept-reject | json | int64 + optional string | value + null | a / b"


def test_a_pair_tells_nothing_new_where_its_fields_already_told_it() -> None:
    def refused_by(*stubs: str, path: str = "", kind: str, state: str) -> Divergence:
        read = Decoded(message())
        outcomes = {stub: Rejected("") if stub in stubs else read for stub in ("node", "python", "rust")}
        return compare(payload(b"{}", path=path, kind=kind, state=state), outcomes)[0]

    node = refused_by("node", kind="int64", state="null")
    rust = refused_by("rust", kind="bytes", state="value")
    both = refused_by("node", "rust", path="a + b", kind="int64 + bytes", state="null + value")
    assert not KnownDivergences([node]).explain(both)
    assert KnownDivergences([node, rust]).explain(both)
    assert not KnownDivergences([node, rust]).explain(refused_by("python", kind="int64", state="null"))


def test_random_payloads_are_told_apart_by_what_was_seen() -> None:
    at_random = payload(b"{}", kind="document", state="random", phase="random")
    (one,) = compare(at_random, {"a": Decoded(message(x=seen.integer(1))), "b": Decoded(message(x=seen.integer(2)))})
    (other,) = compare(at_random, {"a": Decoded(message(y=seen.text(""))), "b": Decoded(message())})
    assert one.signature == "value | json | integer | random | a / b"
    assert other.signature == "presence | json | absent|text | random | a / b"


def test_agreement_costs_nothing() -> None:
    lattice = [payload(b"%d" % number) for number in range(7400)]
    deep = message(a=seen.list_of([seen.text("x" * 50)] * 40))
    outcomes: dict[str, Outcome] = {stub: Decoded(bytes([*deep])) for stub in ("node", "python", "rust")}
    started = time.perf_counter()
    assert not any(compare(one, outcomes) for one in lattice)
    assert time.perf_counter() - started < 0.5


# --- what is encoded again -------------------------------------------------------------------------------------------

ZERO = message(id=seen.integer(0))
FAITHFUL = Decoded(ZERO, b'{"id": "0"}', OutputFormat.JSON)
LOSSY = Decoded(ZERO, b"{}", OutputFormat.JSON)
GIVEN = payload(b'{"id":0}', path="id", kind="optional int64", state="default")


def test_outputs_are_payloads_for_the_others() -> None:
    same = Decoded(ZERO, GIVEN.data, OutputFormat.JSON)
    binary = Decoded(ZERO, b"\x10\x00", OutputFormat.BINARY)
    outcomes: dict[str, Outcome] = {"a": FAITHFUL, "b": same, "c": Rejected(""), "d": binary}
    made = reencoded(GIVEN, outcomes)
    assert [(stub, one.encoding, one.data) for stub, one in made] == [
        ("a", "json", b'{"id": "0"}'),
        ("d", "binary", b"\x10\x00"),
    ]


def lost(read_back: dict[str, dict[str, bytes]], **outcomes: Decoded) -> tuple[Divergence, ...]:
    read = {
        producer: {consumer: Decoded(data) for consumer, data in back.items()} for producer, back in read_back.items()
    }
    return compare_reencoded(GIVEN, outcomes, read)


def test_a_loss_is_the_producer_s_where_every_reader_misses_it() -> None:
    read_back = {"a": {"b": ZERO, "c": ZERO}, "b": {"a": message(), "c": message()}, "c": {"a": ZERO, "b": ZERO}}
    (found,) = lost(read_back, a=FAITHFUL, b=LOSSY, c=FAITHFUL)
    assert found.kind is DivergenceClass.REENCODING
    assert found.groups == (("a", "c"), ("b",))
    assert found.detail == "id: b saw 0; in what it wrote a sees absent"


def test_a_loss_is_the_reader_s_where_the_others_see_it() -> None:
    read_back = {"a": {"b": ZERO, "c": message()}, "b": {"a": ZERO, "c": message()}, "c": {"a": ZERO, "b": ZERO}}
    (found,) = lost(read_back, a=FAITHFUL, b=FAITHFUL, c=FAITHFUL)
    assert found.groups == (("a", "b"), ("c",))


def test_a_reader_that_saw_the_same_in_the_original_loses_nothing() -> None:
    blind = Decoded(message(), b"{}", OutputFormat.JSON)
    read_back = {"a": {"b": message()}, "b": {"a": message()}}
    assert lost(read_back, a=FAITHFUL, b=blind) == ()


def test_of_what_a_reader_never_saw_only_the_rest_is_lost() -> None:
    both = Decoded(message(id=seen.integer(0), name=seen.text("x")), b"{}", OutputFormat.JSON)
    blind = Decoded(message(name=seen.text("x")), GIVEN.data, OutputFormat.JSON)
    (found,) = lost({"a": {"b": message()}}, a=both, b=blind)
    assert found.path == "name"


def test_what_all_lose_alike_is_no_disagreement() -> None:
    assert lost({"a": {"b": message()}, "b": {"a": message()}}, a=LOSSY, b=LOSSY) == ()


def test_output_that_is_refused_is_a_loss() -> None:
    outcomes = {"a": LOSSY, "b": FAITHFUL}
    (found,) = compare_reencoded(GIVEN, outcomes, {"a": {"b": Rejected("x")}, "b": {"a": Decoded(ZERO)}})
    assert (found.path, found.detail) == ("", "b refuses what a wrote (x)")
    assert classes(compare_reencoded(GIVEN, outcomes, {"a": {"b": Crashed(1)}})) == [DivergenceClass.CRASH]


# --- orders ----------------------------------------------------------------------------------------------------------


def test_a_stub_that_depends_on_the_order_is_told_from_the_rest() -> None:
    given, turned = Decoded(message(id=seen.integer(1))), Decoded(message(id=seen.integer(2)))
    (found,) = compare_orders(GIVEN, {"a": given, "b": given}, {"a": given, "b": turned})
    assert (found.kind, found.path, found.groups) == (DivergenceClass.ORDER, "id", (("a",), ("b",)))
    assert found.detail == "b sees 1 at id in the order given and 2 in another"
    assert compare_orders(GIVEN, {"a": given, "b": given}, {"a": turned, "b": turned}) == ()
    (found,) = compare_orders(GIVEN, {"a": given}, {"a": Rejected("")})
    assert found.detail == "a reads it in the order given and refuses it in another"
    assert compare_orders(GIVEN, {"a": given, "b": Rejected("x")}, {"a": given, "b": Rejected("y")}) == ()
    assert compare_orders(GIVEN, {"a": given, "b": Rejected("x")}, {"a": given, "b": Unsupported("given up")}) == ()
    (crashed,) = compare_orders(GIVEN, {"a": given, "b": Rejected("x")}, {"a": given, "b": Crashed(3)})
    assert crashed.kind is DivergenceClass.CRASH  # and no order dependence


# --- the specification -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "kind", "state", "expectation"),
    [
        (Encoding.JSON, "optional string", "null", Expectation.UNSET),
        (Encoding.JSON, "message:google.protobuf.Value", "null", None),
        (Encoding.JSON, "oneof enum:google.protobuf.NullValue", "null", None),
        (Encoding.JSON, "required int32", "null", None),
        (Encoding.JSON, "repeated string", "null element", Expectation.REFUSED),
        (Encoding.JSON, "message:google.protobuf.ListValue", "null element", None),
        (Encoding.JSON, "int32", "edge:2^31", Expectation.REFUSED),
        (Encoding.JSON, "uint32", "edge:2^31", Expectation.READ),
        (Encoding.JSON, "uint32", "edge:-1 as text", Expectation.REFUSED),
        (Encoding.JSON, "message:google.protobuf.Int64Value", "edge:2^63", Expectation.REFUSED),
        (Encoding.JSON, "optional int64", "edge:2^53+1", Expectation.READ),
        (Encoding.JSON, "map<string,int32>", "edge:2^31", None),
        (Encoding.JSON, "string", "duplicate key", Expectation.OPEN),
        (Encoding.JSON, "document", "unknown field", Expectation.REFUSED),
        (Encoding.JSON, "document", "null", None),
        (Encoding.BINARY, "document", "unknown field", Expectation.KEPT),
        (Encoding.BINARY, "string", "edge:invalid UTF-8", Expectation.REFUSED),
        (Encoding.BINARY, "unverified string", "edge:invalid UTF-8", None),
        (Encoding.BINARY, "optional int32", "default", Expectation.PRESENT),
        (Encoding.BINARY, "int32", "default", None),
    ],
)
def test_the_specification_is_asked(encoding: Encoding, kind: str, state: str, expectation: Expectation | None) -> None:
    said = ruling(encoding, kind, state)
    assert (said.expectation if said else None) == expectation


def test_the_finding_says_who_is_wrong_and_cites() -> None:
    outcomes = {"node": Decoded(message(name=seen.text(""))), "rust": Decoded(message())}
    (found,) = compare(NULL_NAME, outcomes)
    judged = judge(NULL_NAME, found, outcomes)
    assert judged is not None
    assert (judged.right, judged.wrong) == (("rust",), ("node",))
    assert str(judged) == (
        "node is wrong: null is read for any field and leaves it unset "
        "(ProtoJSON Format, Null values: https://protobuf.dev/programming-guides/json/#null-values)"
    )
    refused: dict[str, Outcome] = {"node": Rejected("x"), "rust": Decoded(message())}
    judged = judge(NULL_NAME, compare(NULL_NAME, refused)[0], refused)
    assert judged is not None
    assert judged.wrong == ("node",)


def test_of_what_is_left_open_nobody_is_wrong() -> None:
    twice = payload(b'{"a":1,"a":2}', path="a", kind="int32", state="duplicate key")
    outcomes: dict[str, Outcome] = {"a": Rejected(""), "b": Decoded(message())}
    judged = judge(twice, compare(twice, outcomes)[0], outcomes)
    assert judged is not None
    assert judged.wrong == ()


def test_every_row_cites_the_documentation() -> None:
    assert all(row.ruling.citation.url.startswith("https://protobuf.dev/") and row.ruling.says for row in TABLE)
    assert {one.value for one in Missing} == {"absent", "null", "undefined", "default"}
