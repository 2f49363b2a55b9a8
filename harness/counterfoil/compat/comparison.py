"""Two schemas with their elements matched, and the predictions in both directions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

from counterfoil.compat.changes import Direction, Effects, Encodings, towards
from counterfoil.compat.reading import Reading
from counterfoil.compat.renaming import Shape, alike, grown, paired
from counterfoil.schema.descriptors import Schema
from counterfoil.schema.elements import Element, Enum, Field, Message, Method, Service
from counterfoil.schema.options import OptionReader, Options

T = TypeVar("T")
ElementT = TypeVar("ElementT", bound=Element)


class Comparison:
    """The old schema and the new one. Messages, enums and services are matched by full name, fields by number."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self.old = old
        self.new = new
        self.backward = Reading(old, new)
        self.forward = Reading(new, old)
        self._old_options = OptionReader(old)
        self._new_options = OptionReader(new)
        self._renamed_oneofs: dict[str, Mapping[str, str]] = {}

    def effects(self, predict: Callable[[Reading, T, T], Encodings], old: T, new: T) -> Effects:
        """A prediction asked in both directions."""
        backward = towards(Direction.BACKWARD, predict(self.backward, old, new))
        return backward | towards(Direction.FORWARD, predict(self.forward, new, old))

    def carriers(self, symbol: str) -> frozenset[str]:
        """The messages with a field, under the same number on both sides, that carries an enum."""
        return self._carriers.get(symbol, frozenset())

    @cached_property
    def _carriers(self) -> Mapping[str, frozenset[str]]:
        return {name: frozenset(old.message for old, _ in pairs) for name, pairs in self.carrying.items()}

    @cached_property
    def carrying(self) -> Mapping[str, Sequence[tuple[Field, Field]]]:
        """By the name of a message or enum: the matched fields that carry it on both sides; options are left out."""
        found: dict[str, list[tuple[Field, Field]]] = {}
        for old, new in self.fields():
            before, after = self.old.value_field(old).type_name, self.new.value_field(new).type_name
            if before == after and before is not None and not is_option(old):
                found.setdefault(before, []).append((old, new))
        return found

    def renamed_oneofs(self, old: Message, new: Message) -> Mapping[str, str]:
        """By old name, its own too: the oneof with all surviving members of the old one, and no other old field."""
        if old.symbol not in self._renamed_oneofs:
            self._renamed_oneofs[old.symbol] = dict(_renamed_oneofs(old, new))
        return self._renamed_oneofs[old.symbol]

    def messages(self) -> Iterator[tuple[Message, Message]]:
        """Those of the same name that are no map entries, and those that changed more than their name."""
        for old, new in matched(self.old.messages, self.new.messages):
            if not old.is_map_entry and not new.is_map_entry:
                yield old, new
        for name, renamed in self.renamed_messages.items():
            before = self.old.messages[name]
            if message_form(before) != message_form(renamed) and not self._differs_in_names_only(before, renamed):
                yield before, renamed

    def _differs_in_names_only(self, old: Message, new: Message) -> bool:
        """Whether every type in a message has a new name, and nothing else is new."""
        return _shape(old, self._new_names) == _shape(new, {})

    def fields(self) -> Iterator[tuple[Field, Field]]:
        """Fields and extensions of the same number in the same message, one in place of the other too."""
        for old, new in self.messages():
            for number in old.fields.keys() & new.fields.keys():
                yield old.fields[number], new.fields[number]
            for number in old.fields.keys() - new.fields.keys():
                if (new.symbol, number) in self.new_extensions:
                    yield old.fields[number], self.new_extensions[new.symbol, number]
            for number in new.fields.keys() - old.fields.keys():
                if (old.symbol, number) in self.old_extensions:
                    yield self.old_extensions[old.symbol, number], new.fields[number]
        for key, extension in self.old_extensions.items():
            if key in self.new_extensions:
                yield extension, self.new_extensions[key]

    def new_fields(self) -> Iterator[Field]:
        """The fields with options, of messages that both schemas have, under numbers that only the new one has."""
        for old, new in self.messages():
            for number, field in new.fields.items():
                if number not in old.fields and _options(field):
                    yield field

    def options_of_new(self, field: Field) -> Options:
        """The options of a field that only the new schema has."""
        return self._new_options.read(field)

    @cached_property
    def old_extensions(self) -> Mapping[tuple[str, int], Field]:
        """By the extended message, under the name that it has now, and the number."""
        return {(self.new_name(one.message), one.number): one for one in self.old.extensions.values()}

    @cached_property
    def new_extensions(self) -> Mapping[tuple[str, int], Field]:
        """By the extended message and the number."""
        return {(one.message, one.number): one for one in self.new.extensions.values()}

    def methods(self) -> Iterator[tuple[Method, Method]]:
        """RPCs of the same name in the same service."""
        for old, new in matched(self.old.services, self.new.services):
            yield from matched(old.methods, new.methods)

    def elements(self) -> Iterator[tuple[Element, Element]]:
        """Every matched pair of elements of any kind whose options are not the same bytes."""
        return ((one, other) for one, other in self._all() if _options(one) != _options(other))

    def _all(self) -> Iterator[tuple[Element, Element]]:
        yield from matched(self.old.files, self.new.files)
        for message in self.messages():
            yield message
            yield from matched(message[0].oneofs, message[1].oneofs)
        yield from self.fields()
        for enum in matched(self.old.enums, self.new.enums):
            yield enum
            yield from matched(enum[0].by_name, enum[1].by_name)
        yield from matched(self.old.services, self.new.services)
        yield from self.methods()

    def options(self, old: Element, new: Element) -> tuple[Options, Options]:
        """The options of both sides, custom ones through what each image says of them."""
        if _options(old) == _options(new):
            return {}, {}
        return self._old_options.read(old), self._new_options.read(new)

    def removed(self, old: Mapping[str, ElementT], new: Mapping[str, ElementT]) -> Iterator[ElementT]:
        """What only the old schema has, besides what came and went with an import from elsewhere."""
        return (one for name, one in old.items() if name not in new and not self._is_foreign(one, self.old, self.new))

    def added(self, old: Mapping[str, ElementT], new: Mapping[str, ElementT]) -> Iterator[ElementT]:
        """What only the new schema has, in the same sense."""
        return (one for name, one in new.items() if name not in old and not self._is_foreign(one, self.new, self.old))

    def _is_foreign(self, element: Element, here: Schema, there: Schema) -> bool:
        return here.files[element.path].is_foreign and element.path not in there.files

    @cached_property
    def renamed_messages(self) -> Mapping[str, Message]:
        """By old name: the new message that has just the same fields as one that is gone, or some more or less."""
        same = dict(self._renamed(_declared(self.old.messages), _declared(self.new.messages), message_form))
        same |= self._renamed_together(same)
        taken = {one.symbol for one in same.values()}
        gone = {one.symbol: one for one in self.removed(self.old.messages, self.new.messages) if one.symbol not in same}
        fresh = {one.symbol: one for one in self.added(self.old.messages, self.new.messages) if one.symbol not in taken}
        old, new = (
            {name: frozenset(message_form(one)) for name, one in several.items() if not one.is_map_entry}
            for several in (gone, fresh)
        )
        return {**same, **{name: fresh[other] for name, other in grown(old, new).items()}}

    def _renamed_together(self, same: Mapping[str, Message]) -> Mapping[str, Message]:
        """Messages of the same form whose types were renamed with them."""
        taken = {one.symbol for one in same.values()}
        names = {**{name: one.symbol for name, one in same.items()}, **self._new_enum_names}
        gone = {one.symbol: one for one in self.removed(self.old.messages, self.new.messages) if one.symbol not in same}
        fresh = {one.symbol: one for one in self.added(self.old.messages, self.new.messages) if one.symbol not in taken}
        old = {name: _shape(one, names) for name, one in gone.items()}
        found = alike(old, {name: _shape(one, {}) for name, one in fresh.items()})
        return {name: fresh[other] for name, other in found.items() if not gone[name].is_map_entry}

    @cached_property
    def _new_names(self) -> Mapping[str, str]:
        """Of renamed messages and enums, by their old ones; and of the entries of their maps."""
        names = {**{name: one.symbol for name, one in self.renamed_messages.items()}, **self._new_enum_names}
        entries = (one for one in self.old.messages.values() if one.is_map_entry)
        scoped = ((one.symbol, *one.symbol.rpartition(".")[::2]) for one in entries)
        return {**names, **{symbol: f"{names[scope]}.{name}" for symbol, scope, name in scoped if scope in names}}

    def new_name(self, symbol: str) -> str:
        """What an old message or enum is called now, as far as that is known."""
        return self._new_names.get(symbol, symbol)

    def old_message(self, symbol: str) -> Message | None:
        """The old message of what is called so now."""
        return self.old.messages.get(self._old_names.get(symbol, symbol))

    @cached_property
    def _old_names(self) -> Mapping[str, str]:
        return {new: old for old, new in self._new_names.items()}

    @property
    def _new_enum_names(self) -> Mapping[str, str]:
        return {name: one.symbol for name, one in self.renamed_enums.items()}

    @cached_property
    def renamed_enums(self) -> Mapping[str, Enum]:
        """By old name: the new enum that has just the same values as one that is gone."""
        return self._renamed(self.old.enums, self.new.enums, lambda enum: (enum.is_closed, tuple(enum.names.items())))

    @cached_property
    def renamed_services(self) -> Mapping[str, Service]:
        """By old name: the new service that has just the same methods as one that is gone."""
        return self._renamed(self.old.services, self.new.services, lambda service: tuple(sorted(service.methods)))

    def _renamed(
        self, old: Mapping[str, ElementT], new: Mapping[str, ElementT], form: Callable[[ElementT], object]
    ) -> Mapping[str, ElementT]:
        """Those of the same form, first those that also have the same last name; of none, only these."""
        gone = {one.symbol: (form(one), one.name) for one in self.removed(old, new)}
        fresh = {one.symbol: (form(one), one.name) for one in self.added(old, new)}
        found = dict(paired(gone, fresh))
        taken = set(found.values())
        found |= paired(
            {name: what for name, (what, _) in gone.items() if what and name not in found},
            {name: what for name, (what, _) in fresh.items() if what and name not in taken},
        )
        return {name: new[other] for name, other in found.items()}


def _renamed_oneofs(old: Message, new: Message) -> Iterator[tuple[str, str]]:
    for name, oneof in old.oneofs.items():
        kept = oneof.numbers & new.fields.keys()
        names = {new.fields[number].oneof for number in kept}
        now = names.pop() if len(names) == 1 else None
        if now is not None and new.oneofs[now].numbers & old.fields.keys() == kept:
            yield name, now


def message_form(message: Message) -> tuple[object, ...]:
    """What two messages that differ in name only have in common; types by their last name, the message by none."""
    return tuple(
        (*_part(one), "" if one.type_name == message.symbol else (one.type_name or ".").rpartition(".")[2])
        for one in _fields(message)
    )


def _shape(message: Message, names: Mapping[str, str]) -> Shape:
    """The same with types by their full names, or by those among `names` that they have now."""
    return tuple((_part(one), names.get(one.type_name or "", one.type_name)) for one in _fields(message))


def _part(field: Field) -> tuple[object, ...]:
    """A field without its type's name."""
    same = (field.number, field.name, field.json_name, field.type)
    return (*same, field.cardinality, field.presence, field.oneof, field.default, field.is_delimited)


def _fields(message: Message) -> Iterable[Field]:
    return sorted(message.fields.values(), key=lambda one: one.number)


def _declared(messages: Mapping[str, Message]) -> Mapping[str, Message]:
    """Without map entries, which are in no Any under their own name and go where their field goes."""
    return {name: message for name, message in messages.items() if not message.is_map_entry}


def _options(element: Element) -> bytes:
    return element.options.SerializeToString(deterministic=True)


def is_option(field: Field) -> bool:
    """Whether it is, or extends, one of descriptor.proto's options, which are in no payload of the user's."""
    return field.message.startswith("google.protobuf.") and field.message.endswith("Options")


def matched(old: Mapping[str, ElementT], new: Mapping[str, ElementT]) -> Iterator[tuple[ElementT, ElementT]]:
    """The elements of the same name on both sides."""
    return ((one, new[name]) for name, one in old.items() if name in new)
