"""Observes protobuf messages through their descriptors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from counterfoil.stub.observation import (
    MAX_DEPTH,
    TooDeepError,
    binary,
    boolean,
    enum_value,
    field_name,
    float_bits,
    integer,
    list_of,
    map_of,
    message_of,
    text,
)

Observe: TypeAlias = Callable[..., bytes]
"""Takes a value; where it observes what may be nested, also the depth at which it stands."""


class MessageObserver:
    """Observes the messages of one descriptor pool, and remembers how each of their fields is observed."""

    def __init__(self) -> None:
        self._fields: dict[FieldDescriptor, tuple[bytes, Observe, bool]] = {}

    def observe(self, message: Message, depth: int = 0) -> bytes:
        """List the fields that are set, differ from their default, or have elements, in the order of their numbers."""
        if depth > MAX_DEPTH:
            raise TooDeepError
        fields = []
        for field, value in message.ListFields():
            known = self._fields.get(field)
            if known is None:
                known = self._fields[field] = self._learn(field)
            name, observe, is_nested = known
            fields.append((name, observe(value, depth + 1) if is_nested else observe(value)))
        return message_of(fields, _unknown_bytes(message) if len(UnknownFieldSet(message)) else 0)

    def _learn(self, field: FieldDescriptor) -> tuple[bytes, Observe, bool]:
        name = field_name(f"[{field.full_name}]" if field.is_extension else field.name)
        kind = field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            return name, self._map_observer(kind), True
        observe, is_nested = self._single(field)
        if not field.is_repeated:
            return name, observe, is_nested
        if not is_nested:
            return name, lambda items: list_of([observe(item) for item in items]), False
        return name, lambda items, depth: list_of([observe(item, depth) for item in items]), True

    def _map_observer(self, entry: Descriptor) -> Observe:
        observe_key, _ = self._single(entry.fields_by_name["key"])
        observe_value, is_nested = self._single(entry.fields_by_name["value"])

        def observe_map(values: Any, depth: int) -> bytes:  # noqa: ANN401 - protobuf's containers share no type
            if is_nested:
                return map_of([(observe_key(key), observe_value(values[key], depth)) for key in sorted(values)])
            return map_of([(observe_key(key), observe_value(values[key])) for key in sorted(values)])

        return observe_map

    def _single(self, field: FieldDescriptor) -> tuple[Observe, bool]:
        """How one value of a field is observed, and whether that takes a depth."""
        if field.message_type is not None:
            return self.observe, True
        if field.enum_type is not None:
            return _enum_observer(field.enum_type), False
        return _SCALARS.get(field.type, integer), False


def _text_or_binary(value: str | bytes) -> bytes:
    """A string that is not valid UTF-8 is kept as bytes where the schema's edition allows it."""
    return text(value) if isinstance(value, str) else binary(value)


_SCALARS: dict[int, Observe] = {
    FieldDescriptor.TYPE_BOOL: boolean,
    FieldDescriptor.TYPE_BYTES: binary,
    FieldDescriptor.TYPE_DOUBLE: float_bits,
    FieldDescriptor.TYPE_FLOAT: float_bits,
    FieldDescriptor.TYPE_STRING: _text_or_binary,
}


def _enum_observer(kind: EnumDescriptor) -> Observe:
    known = {number: enum_value(number, value.name) for number, value in kind.values_by_number.items()}

    def observe_enum(number: int) -> bytes:
        return known.get(number) or enum_value(number, "")

    return observe_enum


def _unknown_bytes(message: Message) -> int:
    """How long a message is without the fields that it knows."""
    unknown = type(message)()
    unknown.CopyFrom(message)
    for field, _ in message.ListFields():
        if field.is_extension:
            unknown.ClearExtension(field)  # type: ignore[arg-type] # typed for generated code only
        else:
            unknown.ClearField(field.name)
    return len(unknown.SerializePartialToString())  # unlike ByteSize, it does not mind that required fields lack
