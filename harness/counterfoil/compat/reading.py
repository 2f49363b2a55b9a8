"""Predicts in one direction, aspect by aspect, in which encodings a writer's payloads may go wrong with a reader.

Each prediction takes the writer's element first. They are the same in both directions, so comparing (a, b) backward
equals comparing (b, a) forward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from counterfoil.compat.changes import BINARY, EVERYWHERE, JSON, NOWHERE, Encodings
from counterfoil.compat.values import (
    enum_into_integers,
    enum_values,
    integers_into_enum,
    kind_of,
    scalar_values,
)
from counterfoil.probe.payloads import SPECIAL_MESSAGES
from counterfoil.schema.descriptors import Schema
from counterfoil.schema.elements import ENUM, MESSAGE, Cardinality, Field, Message, Presence

MAX_MESSAGE_PAIRS = 1000
"""How many pairs of message types are followed before a difference is assumed."""
OF_THEIR_OWN_FORM = SPECIAL_MESSAGES - {"google.protobuf.Empty"}
"""The messages whose JSON is not an object of their fields."""
NUMERIC = {"integer", "float"}


class Reading:
    """A writer's schema and a reader's."""

    def __init__(self, writer: Schema, reader: Schema) -> None:
        self._writer = writer
        self._reader = reader
        self._of_messages: dict[tuple[str, str], Encodings] = {}
        self._aspects: tuple[Callable[[Field, Field], Encodings], ...] = (
            self.value,
            self.cardinality,
            self.presence,
            self.requirement,
            self.default,
            self.name,
            self.encoding,
            self.utf8,
        )

    def value(self, writer: Field, reader: Field) -> Encodings:
        """By the types of what the fields hold; a map's key and value both count."""
        return self.key(writer, reader) | self._one(*self._values(writer, reader))

    def key(self, writer: Field, reader: Field) -> Encodings:
        """By the key types of two maps."""
        old, new = self._writer.key_field(writer), self._reader.key_field(reader)
        return scalar_values(old.type, new.type) if old and new else NOWHERE

    def map_value(self, writer: Field, reader: Field) -> Encodings:
        """By the value types of two maps."""
        return self._one(*self._values(writer, reader))

    def _values(self, writer: Field, reader: Field) -> tuple[Field, Field]:
        return self._writer.value_field(writer), self._reader.value_field(reader)

    def _one(self, writer: Field, reader: Field) -> Encodings:
        if kind_of(writer.type) != kind_of(reader.type):
            return EVERYWHERE
        if writer.type_name == reader.type_name and writer.type_name is not None:
            return NOWHERE  # what happened to the type itself is reported there
        if writer.type == MESSAGE:
            return self.message(self._writer.messages[writer.type_name or ""], self._message(reader))
        if ENUM in {writer.type, reader.type}:
            return self._enum(writer, reader)
        return scalar_values(writer.type, reader.type)

    def _message(self, reader: Field) -> Message:
        return self._reader.messages[reader.type_name or ""]

    def _enum(self, writer: Field, reader: Field) -> Encodings:
        old = self._writer.enums.get(writer.type_name or "")
        new = self._reader.enums.get(reader.type_name or "")
        if old and new:
            return enum_values(old, new)
        if new:
            return scalar_values(writer.type, ENUM) | integers_into_enum(new)
        return enum_into_integers(old, reader.type) if old else NOWHERE

    def cardinality(self, writer: Field, reader: Field) -> Encodings:
        """One value, several or a map: a program sees another thing, and JSON another form."""
        return NOWHERE if writer.cardinality is reader.cardinality else EVERYWHERE

    def presence(self, writer: Field, reader: Field) -> Encodings:
        """A default that was set on purpose is no longer told from one that was not."""
        singular = writer.cardinality is reader.cardinality is Cardinality.SINGULAR
        loses = writer.has_presence and reader.presence is Presence.IMPLICIT
        return EVERYWHERE if singular and loses and MESSAGE not in {writer.type, reader.type} else NOWHERE

    def requirement(self, writer: Field | None, reader: Field | None) -> Encodings:
        """A message without a field that the reader requires is refused, by JSON's readers when it is written again."""
        needed = reader is not None and reader.presence is Presence.REQUIRED
        given = writer is not None and writer.presence is Presence.REQUIRED
        return EVERYWHERE if needed and not given else NOWHERE

    def default(self, writer: Field, reader: Field) -> Encodings:
        """What is not on the wire is read as another value."""
        if not self._has_default(writer) or not self._has_default(reader):
            return NOWHERE
        same_kind = kind_of(writer.type) == kind_of(reader.type)
        may_be_absent = writer.presence is not Presence.REQUIRED and reader.presence is not Presence.REQUIRED
        differs = default_of(self._writer, writer) != default_of(self._reader, reader)
        return EVERYWHERE if same_kind and may_be_absent and differs else NOWHERE

    def _has_default(self, field: Field) -> bool:
        return field.cardinality is Cardinality.SINGULAR and field.type != MESSAGE

    def name(self, writer: Field, reader: Field) -> Encodings:
        """A JSON reader takes the JSON name and the name in the schema; some take another field's JSON name first."""
        message = self._reader.messages.get(reader.message)
        others = message.by_json_name.get(writer.json_name, frozenset()) if message else frozenset()
        is_taken = bool(others - {reader.number})
        return JSON if is_taken or writer.json_name not in {reader.json_name, reader.name} else NOWHERE

    def encoding(self, writer: Field, reader: Field) -> Encodings:
        """A message as a group, or with its length in front."""
        both = writer.type == reader.type == MESSAGE and Cardinality.MAP not in {writer.cardinality, reader.cardinality}
        return BINARY if both and writer.is_delimited is not reader.is_delimited else NOWHERE

    def utf8(self, writer: Field, reader: Field) -> Encodings:
        """Bytes that are no UTF-8 are passed by one side and refused by the other. JSON has no such bytes."""
        pairs = (
            (self._writer.key_field(writer), self._reader.key_field(reader)),
            (self._writer.value_field(writer), self._reader.value_field(reader)),
        )
        refused = (
            old is not None
            and new is not None
            and old.type == new.type == "string"
            and new.verifies_utf8
            and not old.verifies_utf8
            for old, new in pairs
        )
        return BINARY if any(refused) else NOWHERE

    def oneof(self, writer: Message, reader: Message, number: int) -> Encodings:
        """Two fields that can both be set, and of which the reader keeps only the last."""
        old, new = writer.fields[number], reader.fields[number]
        if new.oneof is None:
            return NOWHERE
        companions = (one for one in reader.oneofs[new.oneof].numbers if one != number and one in writer.fields)
        apart = (old.oneof is None or writer.fields[one].oneof != old.oneof for one in companions)
        return EVERYWHERE if any(apart) else NOWHERE

    def message(self, writer: Message, reader: Message) -> Encodings:
        """By everything in which two message types differ; types of the same name inside them are taken as equal."""
        pair = (writer.symbol, reader.symbol)
        if pair not in self._of_messages:
            self._of_messages[pair] = self._followed(writer, reader)
        return self._of_messages[pair]

    def _followed(self, writer: Message, reader: Message) -> Encodings:
        found, seen, waiting = NOWHERE, {(writer.symbol, reader.symbol)}, [(writer, reader)]
        while waiting and found != EVERYWHERE:
            old, new = waiting.pop()
            if {old.symbol, new.symbol} & OF_THEIR_OWN_FORM and old.symbol != new.symbol:
                found |= JSON
            found |= self._members(old, new)
            for pair in self._inside(old, new):
                if (pair[0].symbol, pair[1].symbol) not in seen:
                    seen.add((pair[0].symbol, pair[1].symbol))
                    waiting.append(pair)
            if len(seen) > MAX_MESSAGE_PAIRS:
                return EVERYWHERE
        return found

    def _members(self, writer: Message, reader: Message) -> Encodings:
        found = NOWHERE
        for number in writer.fields.keys() | reader.fields.keys():
            old, new = writer.fields.get(number), reader.fields.get(number)
            if old is None or new is None:
                found |= EVERYWHERE if old else self.requirement(old, new)
                continue
            found |= self.oneof(writer, reader, number)
            for aspect in self._aspects:
                is_followed = aspect == self.value and self._values(old, new)[0].type == MESSAGE
                found |= self._kinds(old, new) if is_followed else aspect(old, new)
        return found

    def _kinds(self, writer: Field, reader: Field) -> Encodings:
        old, new = self._values(writer, reader)
        return self.key(writer, reader) | (NOWHERE if old.type == new.type else EVERYWHERE)

    def _inside(self, writer: Message, reader: Message) -> Iterator[tuple[Message, Message]]:
        for number in writer.fields.keys() & reader.fields.keys():
            old, new = self._values(writer.fields[number], reader.fields[number])
            if old.type == new.type == MESSAGE and old.type_name != new.type_name:
                yield self._writer.messages[old.type_name or ""], self._message(new)


def default_of(schema: Schema, field: Field) -> str | float:
    """What a program reads where the field is absent; an enum's default is a number."""
    if field.type == ENUM:
        enum = schema.enums[field.type_name or ""]
        named = enum.numbers.get(field.default) if field.default is not None else None
        return named if named is not None else enum.values[0].number if enum.values else 0
    if kind_of(field.type) in NUMERIC:
        return _number(field.default or "0")
    return field.default or ("false" if field.type == "bool" else "")


def _number(text: str) -> str | float:
    if text in {"-0", "-0.0"}:
        return "-0"  # equal to zero, and other bits
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    return number if number == number else "nan"  # noqa: PLR0124 - the one number that is not itself
