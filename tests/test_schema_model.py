"""Images are read into resolved elements, as protobuf's own runtime resolves them; hostile ones are refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from counterfoil.compat.compare import compare
from counterfoil.schema.building import ImageError
from counterfoil.schema.descriptors import Schema, parse_image
from counterfoil.schema.elements import ENUM, MESSAGE, Cardinality, Presence
from counterfoil.schema.features import edition_defaults
from counterfoil.stub.schemas import read_schema
from counterfoil.system.buf import Buf
from counterfoil.system.processes import Processes
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    OneofDescriptorProto,
)
from hypothesis import given

from tests.builders import Workspace
from tests.generated_schemas import Plan, image, plans
from tests.schema_corpus import image as corpus_image
from tests.schema_corpus import names

QUICK_S = 5.0
REFUSED_BY_PYTHON = {"json_names_swapped", "message_set_changed"}
OPTIONAL, INT32, OF_MESSAGE, OF_ENUM = (
    FieldDescriptorProto.LABEL_OPTIONAL,
    FieldDescriptorProto.TYPE_INT32,
    FieldDescriptorProto.TYPE_MESSAGE,
    FieldDescriptorProto.TYPE_ENUM,
)


@given(plan=plans())
def test_features_are_resolved_as_protobuf_resolves_them(plan: Plan) -> None:
    assert_resolved_alike(image(plan))


@pytest.mark.parametrize("name", [name for name in names() if name not in REFUSED_BY_PYTHON])
def test_that_holds_of_the_corpus(name: str) -> None:
    for side in ("old", "new"):
        assert_resolved_alike(corpus_image(name, side))


def assert_resolved_alike(data: bytes) -> None:
    ours, theirs = parse_image(data), read_schema(data)
    for message in ours.messages.values():
        descriptor: Any = theirs.pool.FindMessageTypeByName(message.symbol)
        seen = {field.number: _seen(field) for field in descriptor.fields}
        assert {number: _resolved(ours, message.symbol, number) for number in message.fields} == seen, message.symbol
    for enum in ours.enums.values():
        found: Any = theirs.pool.FindEnumTypeByName(enum.symbol)
        assert enum.is_closed == found.is_closed
        assert [value.number for value in enum.values] == [value.number for value in found.values]


def _seen(field: Any) -> tuple[object, ...]:  # noqa: ANN401 - the backends have no type in common
    kind = field.message_type or field.enum_type
    is_map = bool(field.message_type and field.message_type.GetOptions().map_entry)
    oneof = field.containing_oneof
    real = oneof.name if oneof is not None and not oneof.name.startswith("_") else None
    return (
        *(field.name, field.json_name, field.has_presence, field.is_required, field.is_repeated, field.is_packed),
        *(is_map, kind.full_name if kind else None, real, field.type == FieldDescriptorProto.TYPE_GROUP),
    )


def _resolved(schema: Schema, message: str, number: int) -> tuple[object, ...]:
    field = schema.messages[message].fields[number]
    is_map = field.cardinality is Cardinality.MAP
    return (
        *(field.name, field.json_name, field.has_presence, field.presence is Presence.REQUIRED),
        *(field.presence is Presence.NONE, field.is_packed, is_map, field.type_name, field.oneof, field.is_delimited),
    )


def test_the_defaults_of_an_edition_are_those_of_descriptor_proto() -> None:
    proto2, proto3 = edition_defaults(Edition.EDITION_PROTO2), edition_defaults(Edition.EDITION_PROTO3)
    later = edition_defaults(Edition.EDITION_2023)
    names_of = ("field_presence", "enum_type", "repeated_field_encoding", "utf8_validation", "json_format")
    assert [proto2[name] for name in names_of] == ["EXPLICIT", "CLOSED", "EXPANDED", "NONE", "LEGACY_BEST_EFFORT"]
    assert [proto3[name] for name in names_of] == ["IMPLICIT", "OPEN", "PACKED", "VERIFY", "ALLOW"]
    assert [later[name] for name in names_of] == ["EXPLICIT", "OPEN", "PACKED", "VERIFY", "ALLOW"]
    assert edition_defaults(Edition.EDITION_2024)["default_symbol_visibility"] == "EXPORT_TOP_LEVEL"


def file_of(*messages: DescriptorProto, **more: Any) -> FileDescriptorProto:  # noqa: ANN401 - fields of a file
    return FileDescriptorProto(name="x.proto", package="t", syntax="proto3", message_type=messages, **more)


def set_of(*files: FileDescriptorProto) -> bytes:
    return FileDescriptorSet(file=files).SerializeToString()


def refused(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        parse_image(data)
    return caught.value.message


def message_with(**field: Any) -> DescriptorProto:  # noqa: ANN401 - of a field's descriptor
    return DescriptorProto(name="M", field=[FieldDescriptorProto(name="f", number=1, label=OPTIONAL, **field)])


def test_what_is_no_image_is_refused() -> None:
    good = set_of(file_of(message_with(type=INT32)))
    assert len(parse_image(good).messages) == 1
    assert refused(good[:-3]).startswith("this is no image, or it is cut off")
    assert refused(b'syntax = "proto3";').startswith("this is no image")
    assert refused(b"\x18\x01").startswith("this is no image: 2 bytes")
    assert parse_image(b"").files == {}


def test_an_image_that_contradicts_itself_is_refused_by_name() -> None:
    dangling = message_with(type=OF_MESSAGE, type_name=".t.Gone")
    assert refused(set_of(file_of(dangling))) == "x.proto: 't.M.f' is a message 't.Gone' that the image does not have"
    assert "'t.M.f' has no type" in refused(set_of(file_of(message_with())))
    assert "imports 'y.proto', which the image does not have" in refused(set_of(file_of(dependency=["y.proto"])))
    circle = [FileDescriptorProto(name=one, dependency=[two]) for one, two in (("a", "b"), ("b", "a"))]
    assert refused(set_of(*circle)).startswith("files import each other in a circle: ")
    twice = refused(
        set_of(
            file_of(DescriptorProto(name="M")),
            FileDescriptorProto(name="y", package="t", message_type=[DescriptorProto(name="M")]),
        )
    )
    assert twice == "'t.M' is declared twice, in x.proto and in y"
    assert "the edition 99997 is not known" in refused(
        set_of(FileDescriptorProto(name="x", syntax="editions", edition=Edition.EDITION_99997_TEST_ONLY))
    )
    assert "syntax 'proto9'" in refused(set_of(FileDescriptorProto(name="x", syntax="proto9")))
    same = DescriptorProto(name="M", field=[FieldDescriptorProto(name=one, number=1, type=INT32) for one in ("a", "b")])
    assert "two fields of 't.M' have the same number" in refused(set_of(file_of(same)))
    astray = message_with(type=INT32, oneof_index=3)
    assert "refers to something" in refused(set_of(file_of(astray)))


def test_an_image_nested_thousands_deep_is_refused() -> None:
    data = b""
    for _ in range(3000):
        data = b"\x1a" + _varint(len(data)) + data
    data = b"\x22" + _varint(len(data)) + data
    assert "nested too deeply" in refused(b"\x0a" + _varint(len(data)) + data)


def _varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def test_ten_thousand_fields_are_compared_quickly() -> None:
    began = time.process_time()
    old, new = (parse_image(set_of(file_of(*wide(10_000, one)))) for one in (0, 1))
    assert len(compare(old, new)) == 10_000
    assert time.process_time() - began < QUICK_S


def wide(count: int, new: int) -> Iterator[DescriptorProto]:
    """A message with many fields, each of a type of its own, which has another name in the new one."""
    fields = [
        FieldDescriptorProto(
            name=f"f{one}", number=one + 1, label=OPTIONAL, type=OF_MESSAGE, type_name=f".t.{'ST'[new]}"
        )
        for one in range(count)
    ]
    yield DescriptorProto(name="M", field=fields)
    for name in "ST":
        yield DescriptorProto(name=name, field=[FieldDescriptorProto(name="a", number=1, label=OPTIONAL, type=INT32)])


MANY = 10_000


def many_fields(name: str, prefix: str, oneof: str = "") -> DescriptorProto:
    made = DescriptorProto(name=name, oneof_decl=[OneofDescriptorProto(name=oneof)] if oneof else [])
    for one in range(MANY):
        field = made.field.add(name=f"{prefix}{one}", number=one + 1, label=OPTIONAL, type=INT32)
        if oneof:
            field.oneof_index = 0
    return made


def replaced(new: int) -> FileDescriptorProto:
    """A field whose message is another."""
    holder = message_with(type=OF_MESSAGE, type_name=f".t.{'ST'[new]}")
    return file_of(holder, many_fields("S", "s"), many_fields("T", "t"))


def reserved(new: int) -> FileDescriptorProto:
    ranges = [DescriptorProto.ReservedRange(start=2 * one + 1, end=2 * one + 2) for one in range(new, MANY)]
    return file_of(DescriptorProto(name="M", reserved_range=ranges))


def methods(new: int) -> FileDescriptorProto:
    made = file_of(DescriptorProto(name="M"))
    service = made.service.add(name="S")
    for one in range(MANY):
        service.method.add(name=f"{'fg'[new]}{one}", input_type=".t.M", output_type=".t.M")
    return made


def first_values(new: int) -> FileDescriptorProto:
    """Enums, each in one message, that have another first value."""
    made = file_of()
    for one in range(MANY // 4):
        enum = made.enum_type.add(name=f"E{one}")
        for number in (new, 1 - new):
            enum.value.add(name=f"E{one}_{number}", number=number)
        field = made.message_type.add(name=f"M{one}").field.add(name="e", number=1, label=OPTIONAL, type=OF_ENUM)
        field.type_name = f".t.E{one}"
    return made


@pytest.mark.parametrize(
    ("side", "rule", "count"),
    [
        (lambda new: file_of(many_fields("M", "fg"[new])), "FIELD_RENAMED", MANY),
        (lambda new: file_of(many_fields("M", "f", ("", "o")[new])), "FIELD_ONEOF_CHANGED", MANY),
        (lambda new: file_of(many_fields("M", "f", "op"[new])), "ONEOF_RENAMED", 1),
        (replaced, "FIELD_TYPE_CHANGED", 1),
        (reserved, "MESSAGE_RESERVATION_REMOVED", 1),
        (methods, "RPC_REMOVED", MANY),
        (first_values, "ENUM_DEFAULT_CHANGED", MANY // 4),
    ],
    ids=["names", "into a oneof", "a oneof's name", "another message", "reservations", "methods", "enums"],
)
def test_ten_thousand_parts_of_anything_are_compared_quickly(
    side: Callable[[int], FileDescriptorProto], rule: str, count: int
) -> None:
    old, new = (parse_image(set_of(side(one))) for one in (0, 1))
    began = time.process_time()
    assert sum(one.rule == rule for one in compare(old, new)) == count
    assert time.process_time() - began < QUICK_S


def test_a_chain_of_types_with_other_names_is_followed_to_a_bound() -> None:
    """Each type refers to the next; all of them have other names on the other side."""
    began = time.process_time()
    old, new = (parse_image(set_of(file_of(*chain(3000, side)))) for side in "AB")
    assert [one.rule for one in compare(old, new) if one.symbol == "t.Root.f"] == ["FIELD_TYPE_CHANGED"]
    assert time.process_time() - began < QUICK_S


def chain(length: int, side: str) -> Iterator[DescriptorProto]:
    yield DescriptorProto(name="Root", field=[_reference(f".t.{side}0")])
    for one in range(length):
        yield DescriptorProto(name=f"{side}{one}", field=[_reference(f".t.{side}{min(one + 1, length - 1)}")])


def _reference(target: str) -> FieldDescriptorProto:
    return FieldDescriptorProto(name="f", number=1, label=OPTIONAL, type=OF_MESSAGE, type_name=target)


def test_an_image_of_buf_has_positions_and_says_what_is_imported(shop: Workspace) -> None:
    head = 'syntax = "proto3";\nimport "google/protobuf/timestamp.proto";\n'
    shop.write("protos/x.proto", head + "message M {\n  google.protobuf.Timestamp t = 1;\n}\n")
    processes = Processes()
    try:
        Buf(processes, shop.root, shop.root / ".scratch").build(shop.root / "protos", shop.root / "x.binpb")
    finally:
        processes.stop()
    schema = parse_image((shop.root / "x.binpb").read_bytes())
    field = schema.messages["M"].fields[1]
    assert (field.path, field.line, field.type, field.type_name) == ("x.proto", 4, MESSAGE, "google.protobuf.Timestamp")
    assert {name: file.is_foreign for name, file in schema.files.items()} == {
        "x.proto": False,
        "google/protobuf/timestamp.proto": True,
    }
    assert ENUM not in {one.type for one in schema.messages["M"].fields.values()}
