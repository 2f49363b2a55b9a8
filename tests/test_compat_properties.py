"""What holds of any two schemas: no change against oneself, the same both ways, what a runtime sees is predicted."""

from __future__ import annotations

import pytest
from counterfoil.compat.changes import Change, Direction
from counterfoil.compat.compare import compare
from counterfoil.model import Level
from counterfoil.schema.descriptors import Schema, parse_image, schema_of
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorSet
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.generated_schemas import Plan, edits, image, plans
from tests.runtime_observer import observed
from tests.schema_corpus import names, schema


@given(plan=plans())
def test_a_schema_does_not_differ_from_itself(plan: Plan) -> None:
    assert compare(parse_image(image(plan)), parse_image(image(plan))) == ()


@given(pair=edits())
def test_backward_one_way_is_forward_the_other(pair: tuple[Plan, Plan]) -> None:
    old, new = (parse_image(image(plan)) for plan in pair)
    assert_mirrored(old, new)


@given(old=plans(), new=plans())
def test_that_holds_of_schemas_with_nothing_in_common_too(old: Plan, new: Plan) -> None:
    assert_mirrored(parse_image(image(old)), parse_image(image(new)))


@pytest.mark.parametrize("name", names())
def test_that_holds_of_the_corpus(name: str) -> None:
    assert_mirrored(schema(name, "old"), schema(name, "new"))


def assert_mirrored(old: Schema, new: Schema) -> None:
    there, back = compare(old, new), compare(new, old)
    for one, other in ((Direction.BACKWARD, Direction.FORWARD), (Direction.FORWARD, Direction.BACKWARD)):
        assert predicted(there, one) == predicted(back, other)


def predicted(changes: tuple[Change, ...], direction: Direction) -> set[tuple[str, str]]:
    """(message, encoding) of what is predicted in a direction."""
    return {
        (message, effect.encoding)
        for one in changes
        for effect in one.effects
        for message in one.messages
        if effect.direction is direction
    }


@given(pair=edits())
@settings(max_examples=60)
def test_what_the_python_runtime_reads_otherwise_is_predicted(pair: tuple[Plan, Plan]) -> None:
    images = [image(plan) for plan in pair]
    changes = compare(*map(parse_image, images))
    for message in pair[0].fields:
        around = reachable(pair, message)
        for direction, (writer, reader) in zip(Direction, (images, images[::-1]), strict=True):
            expected = {encoding for name, encoding in predicted(changes, direction) if name in around}
            assert observed(writer, reader, f"t.{message}") <= expected, (message, direction)


def reachable(pair: tuple[Plan, Plan], message: str) -> set[str]:
    """The messages that are in a payload of a message."""
    found, waiting = {f"t.{message}"}, [message]
    while waiting:
        name = waiting.pop()
        for plan in pair:
            for field in plan.fields[name].values():
                target = f"M{field.target}"
                if f"t.{target}" not in found:
                    found.add(f"t.{target}")
                    waiting.append(target)
    return found


INT32, OPTIONAL = FieldDescriptorProto.TYPE_INT32, FieldDescriptorProto.LABEL_OPTIONAL
MESSAGES = st.dictionaries(st.sampled_from(["A", "B", "C", "D", "p.A", "p.E"]), st.integers(0, 2), min_size=1)


@given(old=MESSAGES, new=MESSAGES)
def test_what_was_renamed_one_way_was_renamed_back_the_other(old: dict[str, int], new: dict[str, int]) -> None:
    there, back = (compare(alike(one), alike(other)) for one, other in ((old, new), (new, old)))
    assert renamed(there) == {(was, now) for now, was in renamed(back)}


def alike(messages: dict[str, int]) -> Schema:
    """Messages with so many fields each; those of one number differ in name only."""
    files = FileDescriptorSet()
    for symbol, count in messages.items():
        package, _, name = symbol.rpartition(".")
        message = files.file.add(name=f"{symbol}.proto", package=package, syntax="proto3").message_type.add(name=name)
        for number in range(1, count + 1):
            message.field.add(name=f"f{number}", number=number, type=INT32, label=OPTIONAL)
    return schema_of(files)


def renamed(changes: tuple[Change, ...]) -> set[tuple[str | None, str | None]]:
    return {(one.old, one.new) for one in changes if one.rule == "MESSAGE_RENAMED"}


EXTENSIONS = st.dictionaries(st.sampled_from(["x", "y"]), st.tuples(st.sampled_from("AB"), st.integers(100, 101)))


@given(old=EXTENSIONS, new=EXTENSIONS, renamed_to=st.sampled_from(["A", "C"]))
def test_an_extension_stays_with_a_message_that_is_renamed(
    old: dict[str, tuple[str, int]], new: dict[str, tuple[str, int]], renamed_to: str
) -> None:
    assume(all(len(set(side.values())) == len(side) for side in (old, new)))
    before, after = extended(old, "A"), extended(new, renamed_to)
    assert_mirrored(before, after)
    found = {(one.rule, one.symbol) for one in compare(before, after)}
    as_if_not_renamed = {(one.rule, one.symbol) for one in compare(before, extended(new, "A"))}
    assert found - {("MESSAGE_RENAMED", "A")} == as_if_not_renamed


def extended(extensions: dict[str, tuple[str, int]], name: str) -> Schema:
    """The messages A, under another name, and B, with extensions by what they extend and their numbers."""
    files = FileDescriptorSet()
    file = files.file.add(name="x.proto", syntax="proto2")
    for one, count in ((name, 1), ("B", 2)):
        message = file.message_type.add(name=one)
        message.extension_range.add(start=100, end=200)
        for number in range(1, count + 1):
            message.field.add(name=f"f{number}", number=number, type=INT32, label=OPTIONAL)
    for one, (message_name, number) in extensions.items():
        extendee = {"A": name}.get(message_name, message_name)
        file.extension.add(name=one, number=number, type=INT32, label=OPTIONAL, extendee=f".{extendee}")
    return schema_of(files)


def test_levels_follow_effects() -> None:
    """Negative control of the properties above: the corpus has predictions in each direction."""
    changes = [one for name in names() for one in compare(schema(name, "old"), schema(name, "new"))]
    assert {effect.direction for one in changes for effect in one.effects} == set(Direction)
    assert {one.level for one in changes} == set(Level) - {Level.UNPROVEN}
