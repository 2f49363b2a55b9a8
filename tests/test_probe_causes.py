"""Causes: which divergences are one finding to a reader, and which of several classes a finding names."""

from __future__ import annotations

import pytest
from counterfoil.probe.divergences import Divergence, DivergenceClass, KnownDivergences, primary, settled
from counterfoil.probe.families import cause
from counterfoil.probe.looks import of_json, of_record
from counterfoil.probe.payloads import Encoding
from counterfoil.probe.wire_tree import Chunk, Record, Varint

NODE_APART = (("node",), ("python", "rust"))


def found(
    *parts: tuple[str, str],
    kind: DivergenceClass = DivergenceClass.ACCEPT_REJECT,
    groups: tuple[tuple[str, ...], ...] = NODE_APART,
    detail: str = "",
) -> Divergence:
    return Divergence(kind=kind, path="", groups=groups, detail=detail, encoding=Encoding.JSON, parts=parts)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("int32", "duplicate key"), ("optional string", "duplicate key")),
        (("int32", "edge:hexadecimal as text"), ("repeated uint64", "edge:hexadecimal as text")),
        (("optional double", "edge:-0"), ("map<string,double>", "edge:-0")),
        (("int64", "edge:2^53+1"), ("message:google.protobuf.Int64Value", "edge:2^53+1")),
        (("bool", "wire type mismatch: group"), ("message", "wire type mismatch: fixed32")),
        (("map<string,int32>", "edge:duplicate map key"), ("map<bool,string>", "edge:duplicate map key, default last")),
    ],
)
def test_what_does_not_depend_on_the_type_is_one_cause(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert found(one).signature == found(other).signature


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("string", "null"), ("optional string", "null")),
        (("int32", "edge:1.5"), ("bool", "edge:1.5")),
        (("map<string,int32>", "edge:map key NUL"), ("string", "edge:map key NUL")),
        (("int32", "default"), ("int32", "value")),
    ],
)
def test_what_depends_on_the_kind_is_another_cause(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert found(one).signature != found(other).signature


def test_members_of_a_oneof_are_told_apart_by_null_alone() -> None:
    null_last = (("oneof int32", "value"), ("oneof message", "null by proto name"))
    null_first = (("oneof message", "null"), ("oneof string", "default"))
    assert cause(null_last) == cause(null_first) == ("oneof + oneof", "null + value")
    assert cause((("oneof int32", "null"), ("oneof string", "null"))) == ("oneof + oneof", "null + null")


def test_fewer_stubs_that_take_part_tell_nothing_new() -> None:
    known = KnownDivergences([found(("int32", "edge:1.5"))])
    assert known.explain(found(("int64", "edge:1.5"), groups=(("node",), ("rust",))))
    assert not known.explain(found(("int64", "edge:1.5"), groups=(("node", "python"), ("rust",))))
    assert not known.explain(found(("int64", "edge:1.5"), groups=(("python",), ("rust",))))


def test_the_other_spelling_of_a_key_is_no_other_cause() -> None:
    assert KnownDivergences([found(("string", "null"))]).explain(found(("string", "null by proto name")))
    assert not KnownDivergences([found(("string", "null by proto name"))]).explain(found(("string", "null")))


def test_a_loss_is_known_however_the_value_was_written() -> None:
    loss, detail = DivergenceClass.REENCODING, "node saw -0.0; in what it wrote node sees 0.0"
    known = KnownDivergences([found(("double", "edge:-0.0"), kind=loss, detail=detail)])
    assert known.explain(found(("double", "edge:-0"), kind=loss, detail=detail))
    assert not known.explain(found(("double", "edge:-0"), kind=loss, detail="node saw 1; in what it wrote node sees 2"))


def test_of_several_classes_the_first_is_named_unless_it_is_of_other_stubs() -> None:
    value, loss = found(("double", "edge:-0"), kind=DivergenceClass.VALUE), DivergenceClass.REENCODING
    accompanying = found(("double", "edge:-0"), kind=loss)
    others = found(("double", "edge:-0"), kind=loss, groups=(("node", "rust"), ("python",)))
    assert primary(accompanying, [accompanying, value]) is value
    assert primary(others, [others, value]) is others


def test_an_order_is_the_cause_where_one_order_is_read_alike_and_the_consequence_where_none_is() -> None:
    words = ("int32", "value")
    by_order = found(words, kind=DivergenceClass.ORDER)
    value = found(words, kind=DivergenceClass.VALUE)
    assert settled([value], [by_order], []) == [by_order]
    assert settled([value], [by_order], [value]) == [value]


@pytest.mark.parametrize(
    ("text", "type_", "state"),
    [
        (b"42", "int32", "value"),
        (b'"word"', "string", "value"),
        (b'"\x80"', "string", "edge:invalid UTF-8"),
        (b'".0"', "int32", 'edge:".0"'),
        (b'{"v":" 0"}', "map<string,double>", 'edge:" 0"'),
        (b'{"v":0,"v":0}', "map<string,double>", "edge:duplicate map key"),
    ],
)
def test_a_value_without_a_name_is_called_by_its_looks(text: bytes, type_: str, state: str) -> None:
    assert of_json(text, type_) == state


def test_a_record_without_a_name_is_called_by_its_looks() -> None:
    assert of_record(Record(1, Varint(7), tag_size=6), "int32") == "tag of 6 bytes"
    assert of_record(Record(1, Chunk(b"\x80")), "string") == "edge:invalid UTF-8"
    assert of_record(Record(1, Varint(2**65)), "int64") == "bits beyond 64"
