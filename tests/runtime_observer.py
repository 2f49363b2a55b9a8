"""What protobuf's own Python runtime reads of a payload that was written under another schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from counterfoil.stub.schemas import Schema, read_schema
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from tests.generated_schemas import F

INTEGERS = {
    **dict.fromkeys((F.TYPE_INT32, F.TYPE_SINT32, F.TYPE_SFIXED32), (0, 1, -1, 2**31 - 1, -(2**31))),
    **dict.fromkeys((F.TYPE_INT64, F.TYPE_SINT64, F.TYPE_SFIXED64), (0, 1, -1, 2**40, 2**63 - 1, -(2**63))),
    **dict.fromkeys((F.TYPE_UINT32, F.TYPE_FIXED32), (0, 1, 2**31, 2**32 - 1)),
    **dict.fromkeys((F.TYPE_UINT64, F.TYPE_FIXED64), (0, 1, 2**40, 2**64 - 1)),
}
Field = Any
"""A FieldDescriptor: the two backends' classes have no type in common."""
VALUES: dict[Any, tuple[Any, ...]] = {
    **INTEGERS,
    F.TYPE_FLOAT: (0.0, 1.5, 0.10000000149011612),
    F.TYPE_DOUBLE: (0.0, 1.5, 0.1, 1e300),
    F.TYPE_BOOL: (False, True),
    F.TYPE_STRING: ("", "a"),
    F.TYPE_BYTES: (b"", b"a", b"\xff"),
}
UNDECLARED = 99
DEPTH = 2
JSON_ERRORS = (json_format.ParseError, json_format.SerializeToJsonError)


def observed(writer_image: bytes, reader_image: bytes, message: str) -> set[str]:
    """The encodings ("binary", "json") in which a payload was read otherwise than it was written."""
    writers, readers = read_schema(writer_image), read_schema(reader_image)
    writer, reader = _class(writers, message), _class(readers, message)
    found = set()
    for one in payloads(writer):
        if one.IsInitialized():
            if _reads_otherwise(one, _binary(one, reader)):
                found.add("binary")
            if _reads_otherwise(one, _json(one, reader, writers, readers)):
                found.add("json")
    return found


def _class(schema: Schema, name: str) -> type[Message]:
    found = schema.message_class(name)
    assert found
    return found


def _binary(one: Message, reader: type[Message]) -> Message | None:
    try:
        return reader.FromString(one.SerializeToString())
    except DecodeError:
        return None


def _json(one: Message, reader: type[Message], writers: Schema, readers: Schema) -> Message | None:
    try:
        text = json_format.MessageToJson(one, descriptor_pool=writers.pool)
    except JSON_ERRORS:
        return reader()
    try:
        return json_format.Parse(text, reader(), descriptor_pool=readers.pool)
    except JSON_ERRORS:
        return None


def _reads_otherwise(one: Message, got: Message | None) -> bool:
    if got is None or not got.IsInitialized() or seen(one) != seen(got):
        return True
    defaults = ((_default(number, one), _default(number, got)) for number in range(1, 6))
    return any(None not in pair and pair[0] != pair[1] for pair in defaults)


def seen(message: Message) -> dict[int, Any]:
    """What is there, by number; types count, so that 1 is not 1.0."""
    return {field.number: _seen(field, value) for field, value in message.ListFields()}


def _seen(field: Field, value: Any) -> Any:  # noqa: ANN401 - of any field
    if field.is_repeated and _is_map(field):
        return sorted((repr(key), repr(_plain(one))) for key, one in value.items())
    return [_plain(one) for one in value] if field.is_repeated else _plain(value)


def _plain(value: object) -> object:
    return seen(value) if isinstance(value, Message) else repr(value)


def _is_map(field: Field) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _default(number: int, message: Message) -> str | None:
    """The default of a scalar that is not set, where the other side has one too."""
    field = message.DESCRIPTOR.fields_by_number.get(number)
    if field is None or field.is_repeated or field.message_type is not None:
        return None
    is_set = any(one.number == number for one, _ in message.ListFields())
    return None if is_set else repr(getattr(message, field.name))


def payloads(message: type[Message], depth: int = DEPTH) -> Iterator[Message]:
    """A message without anything, then each value of each field alone, then two fields at once."""
    yield _complete(message(), depth)
    singles = []
    for field in message.DESCRIPTOR.fields:
        for value in _values(field, depth):
            one = message()
            _set(one, field, value)
            singles.append((field, value))
            yield _complete(one, depth)
    last = {field.number: (field, value) for field, value in singles}
    for first, one in last.values():
        for second, other in last.values():
            if first.number < second.number:
                both = message()
                _set(both, first, one)
                _set(both, second, other)
                yield _complete(both, depth)


def _complete(message: Message, depth: int) -> Message:
    """With a value for each required field."""
    for field in message.DESCRIPTOR.fields:
        if field.is_required and not message.HasField(field.name):
            for value in list(_values(field, depth))[:2]:
                _set(message, field, value)
    return message


def _values(field: Field, depth: int) -> Iterator[Any]:
    if _is_map(field):
        assert field.message_type
        inner = field.message_type.fields_by_name["value"]
        yield from ({"k": value} for value in _values(inner, depth))
    elif field.is_repeated:
        values = list(_singular(field, depth))
        yield from ([value] for value in values)
        yield values
    else:
        yield from _singular(field, depth)


def _singular(field: Field, depth: int) -> Iterator[Any]:
    if field.message_type is not None:
        if depth:
            yield from list(payloads(GetMessageClass(field.message_type), depth - 1))[:6]
    elif field.enum_type is not None:
        yield from (value.number for value in field.enum_type.values)
        if not field.enum_type.is_closed:
            yield UNDECLARED
    else:
        yield from VALUES[field.type]


def _set(message: Message, field: Field, value: Any) -> None:  # noqa: ANN401 - of any field
    target = getattr(message, field.name)
    if _is_map(field):
        for key, one in value.items():
            if isinstance(one, Message):
                target[key].CopyFrom(one)
            else:
                target[key] = one
    elif field.is_repeated:
        target.extend(value)
    elif isinstance(value, Message):
        target.CopyFrom(value)
        target.SetInParent()
    else:
        setattr(message, field.name, value)
