"""Whether all that changed was added, so that no payload can be read differently that both sides know. Pure.

A cheap look at the elements that spares the start of every runtime; it answers no where it is not sure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

from counterfoil.compat.changes import Change
from counterfoil.model import Level
from counterfoil.schema.descriptors import Schema
from counterfoil.schema.elements import Enum, Field, Message


def only_additions(old: Schema, new: Schema, changes: Iterable[Change]) -> bool:
    """Whether what both schemas have is the same to every program, and the changes list what only the new one has."""
    added = {one.symbol for one in changes if one.level is Level.ADDITIVE and one.old_location is None}
    both = old.messages.keys() & new.messages.keys()
    before, after = _extensions(old), _extensions(new)
    return (
        all(_message(old.messages[name]) == _message(new.messages[name]) for name in both)
        and all(_grew(old.messages[name].fields, new.messages[name].fields, added) for name in both)
        and all(_grew(before.get(name, {}), after.get(name, {}), added) for name in before.keys() | after.keys())
        and all(_enum_grew(old.enums[name], new.enums[name], added) for name in old.enums.keys() & new.enums.keys())
    )


def _extensions(schema: Schema) -> Mapping[str, Mapping[int, Field]]:
    """The extensions of each message by number."""
    found: dict[str, dict[int, Field]] = {}
    for one in schema.extensions.values():
        found.setdefault(one.message, {})[one.number] = one
    return found


def _message(message: Message) -> tuple[object, ...]:
    return message.is_map_entry, message.is_message_set, message.features


def _grew(old: Mapping[int, Field], new: Mapping[int, Field], added: set[str]) -> bool:
    return all(number in new and _form(field) == _form(new[number]) for number, field in old.items()) and all(
        field.symbol in added for number, field in new.items() if number not in old
    )


def _form(field: Field) -> tuple[object, ...]:
    """Everything about a field that may make a program read it differently, apart from what is in its messages."""
    return (
        *(field.symbol, field.number, field.json_name, field.type, field.type_name, field.cardinality, field.presence),
        *(field.default, field.oneof, field.is_packed, field.is_delimited, field.verifies_utf8, field.features),
    )


def _enum_grew(old: Enum, new: Enum, added: set[str]) -> bool:
    fresh = chain.from_iterable(names for number, names in new.names.items() if number not in old.names)
    return (
        old.is_closed == new.is_closed
        and _first(old) == _first(new)
        and all(names == new.names.get(number) for number, names in old.names.items())
        and all(f"{new.symbol}.{name}" in added for name in fresh)
    )


def _first(enum: Enum) -> tuple[str, int] | None:
    """The value that stands for none."""
    return next(((value.name, value.number) for value in enum.values), None)
