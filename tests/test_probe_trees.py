"""JSON text and wire format as trees: any bytes come out as they went in, and the trees say what is in them."""

from __future__ import annotations

import pytest
from counterfoil.probe import json_tree, wire_tree
from counterfoil.probe.json_tree import Array, Document, Gap, Member, Object, Scalar, String
from counterfoil.probe.wire_format import WireType, delimited, tag, varint
from counterfoil.probe.wire_tree import Chunk, Fixed, Group, Nested, Packed, Record, Varint, WireMessage
from hypothesis import given
from hypothesis import strategies as st

from tests.every_feature import message

SCRAPS = [b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b" ", b"\n", b"1", b"a", b'"k":', b"\xff", b"\\u", b"null"]
DEPTH = 50_000


@given(st.lists(st.sampled_from(SCRAPS), max_size=40).map(b"".join))
def test_json_of_any_kind_is_written_as_it_was_read(data: bytes) -> None:
    assert json_tree.write(json_tree.parse(data)) == data


@given(st.binary(max_size=40))
def test_bytes_of_any_kind_are_written_as_they_were_read(data: bytes) -> None:
    assert json_tree.write(json_tree.parse(data)) == data
    assert wire_tree.write(wire_tree.parse(data)) == data


@given(st.lists(st.integers(0, 48), max_size=40).map(bytes), st.sampled_from(["Wide", "Legacy", "Featured"]))
def test_wire_format_of_any_kind_is_written_as_it_was_read(data: bytes, name: str) -> None:
    assert wire_tree.write(wire_tree.parse(data, message(name))) == data


@pytest.mark.parametrize("data", [b"[" * DEPTH, b'{"a":' * DEPTH + b"1" + b"}" * DEPTH, tag(1, 3) * DEPTH])
def test_depth_is_no_danger(data: bytes) -> None:
    assert json_tree.write(json_tree.parse(data)) == data
    assert wire_tree.write(wire_tree.parse(data)) == data


def test_a_json_tree_keeps_what_decoders_drop() -> None:
    data = b'\xef\xbb\xbf{"a":1.0,"a":[null,"\\ud800\xff"], "b" : {} }x'
    lone = String(b"\\ud800\xff")
    assert json_tree.parse(data) == Document(
        Object(
            (
                Member(String(b"a"), Scalar(b"1.0")),
                Member(String(b"a"), Array((Scalar(b"null"), lone))),
                Member(String(b"b", gap=Gap(b" ", b" ")), Object(gap=Gap(b" ", b" "))),
            )
        ),
        bom=True,
        rest=b"x",
    )
    assert json_tree.text_of(b"\\u00e9\\n") == "é\n"
    assert json_tree.text_of(lone.raw) is None


@pytest.mark.parametrize(
    ("data", "root"),
    [
        (b"[1,", Array((Scalar(b"1"), Scalar(b"")), closed=False)),
        (b'{"a":', Object((Member(String(b"a"), Scalar(b"")),), closed=False)),
        (b'{"a', Object((Member(String(b"a", closed=False), None),), closed=False)),
        (b"{,}", Object((Member(Scalar(b""), None), Member(Scalar(b""), None)))),
        (b"{'a':+1}", Object((Member(Scalar(b"'a'"), Scalar(b"+1")),))),
        (b"", Scalar(b"")),
    ],
)
def test_what_is_no_json_has_a_tree_too(data: bytes, root: json_tree.Node) -> None:
    assert json_tree.parse(data) == Document(root)


def test_a_wire_tree_keeps_what_decoders_drop() -> None:
    data = tag(2, 0, 3) + varint(1, 10) + delimited(20, delimited(1, b"n") + b"\x07") + b"\xff"
    inner = WireMessage((Record(1, Chunk(b"n")),), b"\x07")
    expected = WireMessage((Record(2, Varint(1, 10), 3), Record(20, Nested(inner))), b"\xff")
    assert wire_tree.parse(data, message("Wide")) == expected
    assert wire_tree.parse(data).records[1] == Record(20, Chunk(b"\x0a\x01n\x07"))


def test_packed_scalars_maps_groups_and_extensions_are_seen_through() -> None:
    records = wire_tree.parse(delimited(22, b"\x01\x80") + delimited(27, delimited(1, b"k")), message("Wide")).records
    assert records[0] == Record(22, Packed((Varint(1),), b"\x80"))
    assert records[1] == Record(27, Nested(WireMessage((Record(1, Chunk(b"k")),))))
    closed = tag(13, WireType.START_GROUP) + delimited(1, b"l") + tag(13, WireType.END_GROUP)
    (group,) = wire_tree.parse(closed, message("Legacy")).records
    assert group == wire_tree.group(13, WireMessage((Record(1, Chunk(b"l")),)))
    (unclosed,) = wire_tree.parse(tag(13, WireType.START_GROUP) + closed, message("Legacy")).records
    assert isinstance(unclosed.content, Group)
    assert unclosed.content.end is None
    (extension,) = wire_tree.parse(delimited(102, b"\x08\x05"), message("Legacy")).records
    assert extension == Record(102, Nested(WireMessage((Record(1, Varint(5)),))))


def test_lengths_follow_from_the_tree() -> None:
    tree = wire_tree.parse(delimited(20, delimited(1, b"name")), message("Wide"))
    nested = tree.records[0].content
    assert isinstance(nested, Nested)
    shorter = WireMessage((Record(20, Nested(WireMessage((Record(1, Chunk(b"n")),)))),))
    assert wire_tree.write(shorter) == delimited(20, delimited(1, b"n"))


@pytest.mark.parametrize(
    ("value", "size", "expected"),
    [
        (0, 0, b"\x00"),
        (1, 3, b"\x81\x80\x00"),
        (300, 0, b"\xac\x02"),
        (-1, 0, b"\xff" * 9 + b"\x01"),
        (128, 1, b"\x80\x01"),
    ],
)
def test_varints(value: int, size: int, expected: bytes) -> None:
    assert varint(value, size) == expected


def test_a_varint_has_at_most_ten_bytes() -> None:
    widest = b"\xff" * 9 + b"\x7f"
    assert wire_tree.read_varint(widest, 0, 10) == (Varint((1 << 70) - 1), 10)
    assert wire_tree.read_varint(b"\x80" + widest, 0, 11) is None
    assert wire_tree.read_varint(b"\x80", 0, 1) is None
    assert wire_tree.parse(b"\x09" + b"\x01" * 8).records == (Record(1, Fixed(b"\x01" * 8)),)
