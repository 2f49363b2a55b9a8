"""Rules about an enum that both schemas have."""

from __future__ import annotations

from collections.abc import Iterator

from counterfoil.compat.changes import EVERYWHERE, JSON, NOWHERE, Difference, Direction, Effects, Encodings, towards
from counterfoil.compat.comparison import Comparison
from counterfoil.compat.message_rules import (
    json_format_changed,
    not_reserved,
    reservations_removed,
    visibility_changed,
)
from counterfoil.model import Level
from counterfoil.schema.elements import Cardinality, Element, Enum, EnumValue, Field, Presence, within

Found = Iterator[Difference]


def enum_value_added(comparison: Comparison, old: Enum, new: Enum) -> Found:
    """A new number in an enum that the old reader takes as open."""
    if not old.is_closed:
        yield from _added(comparison, old, new, JSON, Level.ADDITIVE)


def enum_value_added_to_closed(comparison: Comparison, old: Enum, new: Enum) -> Found:
    """A new number in a closed enum: old readers do not take it."""
    if old.is_closed:
        yield from _added(comparison, old, new, EVERYWHERE, None)


def enum_value_removed(comparison: Comparison, old: Enum, new: Enum) -> Found:
    """A number that no value has any more."""
    for value in _gone(old, new):
        lost = EVERYWHERE if new.is_closed else JSON
        yield _shown(comparison, old, (value, new), (f"{value.name} = {value.number}", None), _each_way(lost, NOWHERE))


def enum_value_removed_without_reservation(_comparison: Comparison, old: Enum, new: Enum) -> Found:
    """Nothing keeps the number, or the name, from being used again."""
    for value in _gone(old, new):
        if lost := not_reserved(value, new):
            yield Difference(element=value, counterpart=new, old=f"{value.name} = {value.number}", new=lost)


def enum_value_renamed(comparison: Comparison, old: Enum, new: Enum) -> Found:
    """Other names for the same number, and names that the enum did not have."""
    for number, names in old.names.items():
        now = new.names.get(number, ())
        fresh = now and not set(names) & set(now)
        if fresh and not _is_known(new, names) and not _is_known(old, now):
            pair = _value(old, names[0]), _value(new, now[0])
            yield _shown(comparison, old, pair, (names[0], now[0]), _each_way(JSON, JSON))


def enum_value_renumbered(comparison: Comparison, old: Enum, new: Enum) -> Found:
    """The same name stands for another number: JSON carries the name, binary the number."""
    for name, number in old.numbers.items():
        if name in new.numbers and new.numbers[name] != number:
            texts = str(number), str(new.numbers[name])
            effects = _each_way(_renumbered(old, new, name), _renumbered(new, old, name))
            yield _shown(comparison, old, (_value(old, name), _value(new, name)), texts, effects)


def enum_alias_added(_comparison: Comparison, old: Enum, new: Enum) -> Found:
    """A further name for a number."""
    for number, names in new.names.items():
        before = old.names.get(number, ())
        for name in names:
            if name not in before and set(names) & set(before) and name not in old.numbers:
                yield Difference(element=_value(new, name), is_addition=True, new=f"{name} = {number}")


def enum_alias_removed(_comparison: Comparison, old: Enum, new: Enum) -> Found:
    """One name fewer for a number that has others; who wrote this name in JSON is refused."""
    for number, names in old.names.items():
        now = new.names.get(number, ())
        for name in names:
            if name not in new.numbers and set(names) & set(now):
                yield Difference(element=_value(old, name), old=f"{name} = {number}", new=f"{now[0]} = {number}")


def enum_first_name_changed(comparison: Comparison, old: Enum, new: Enum) -> Found:
    """Writers use the first of a number's names in JSON, and the other side does not know it."""
    for number, names in old.names.items():
        now = new.names.get(number, ())
        if set(names) & set(now) and names[0] != (now or names)[0]:
            effects = _each_way(_first_name(old, new, number), _first_name(new, old, number))
            pair = _value(old, names[0]), _value(new, now[0])
            yield _shown(comparison, old, pair, (names[0], now[0]), effects)


def enum_openness_changed(comparison: Comparison, old: Enum, new: Enum) -> Found:
    """Open to closed, or back: what the closed one does not declare is not taken."""
    if old.is_closed is not new.is_closed:
        effects = comparison.effects(
            lambda _reading, writer, reader: EVERYWHERE if reader.is_closed and not writer.is_closed else NOWHERE,
            old,
            new,
        )
        yield _shown(comparison, old, (old, new), (_openness(old), _openness(new)), effects)


def enum_default_changed(comparison: Comparison, old: Enum, new: Enum) -> Found:
    """Another first value is another default of every field that declares none."""
    if not old.values or not new.values or old.values[0].number == new.values[0].number:
        return
    users = frozenset(
        before.message
        for before, after in comparison.carrying.get(old.symbol, ())
        if _takes_default(before) and _takes_default(after)
    )
    yield Difference(
        element=old.values[0],
        counterpart=new.values[0],
        old=f"{old.values[0].name} = {old.values[0].number}",
        new=f"{new.values[0].name} = {new.values[0].number}",
        effects=_each_way(EVERYWHERE, EVERYWHERE) if users else frozenset(),
        messages=users,
    )


def _takes_default(field: Field) -> bool:
    is_singular = field.cardinality is Cardinality.SINGULAR
    return is_singular and field.presence is not Presence.REQUIRED and field.default is None


def enum_json_format_changed(_comparison: Comparison, old: Enum, new: Enum) -> Found:
    """Whether the compiler vouches for the enum's JSON."""
    yield from json_format_changed(old, new)


def enum_visibility_changed(_comparison: Comparison, old: Enum, new: Enum) -> Found:
    """Whether other files may name it (edition 2024's `export` and `local`)."""
    yield from visibility_changed(old, new)


def enum_reservation_removed(_comparison: Comparison, old: Enum, new: Enum) -> Found:
    """A reserved number or name is no longer reserved, and no value has taken it yet."""
    yield from reservations_removed(old, new, set(new.names), set(new.numbers))


def enum_reservation_reused(_comparison: Comparison, old: Enum, new: Enum) -> Found:
    """A value takes a number or a name that was reserved."""
    for value in new.values:
        number = within(value.number, old.reserved_ranges)
        if number or value.name in old.reserved_names:
            what = f"number {value.number}" if number else f'name "{value.name}"'
            yield Difference(
                element=value, is_addition=True, old=f"{what} reserved", new=f"{value.name} = {value.number}"
            )


def _openness(enum: Enum) -> str:
    return "closed" if enum.is_closed else "open"


def _added(comparison: Comparison, old: Enum, new: Enum, lost: Encodings, level: Level | None) -> Found:
    for number, names in new.names.items():
        if number not in old.names and not _is_known(old, names):
            effects = towards(Direction.FORWARD, lost)
            carriers = comparison.carriers(old.symbol)
            yield Difference(
                element=_value(new, names[0]),
                is_addition=True,
                new=f"{names[0]} = {number}",
                effects=effects if carriers else frozenset(),
                messages=carriers,
                level=level,
            )


def _gone(old: Enum, new: Enum) -> Iterator[EnumValue]:
    for number, names in old.names.items():
        if number not in new.names and not _is_known(new, names):
            yield _value(old, names[0])


def _is_known(enum: Enum, names: tuple[str, ...]) -> bool:
    return any(name in enum.numbers for name in names)


def _renumbered(writer: Enum, reader: Enum, name: str) -> Encodings:
    """JSON gives another number; the number arrives, and means another name, or in a closed enum nothing."""
    is_closed_to_it = reader.is_closed and writer.numbers[name] not in reader.names
    return EVERYWHERE if is_closed_to_it or writer.numbers[name] in reader.names else JSON


def _first_name(writer: Enum, reader: Enum, number: int) -> Encodings:
    return NOWHERE if reader.numbers.get(writer.names[number][0]) == number else JSON


def _each_way(backward: Encodings, forward: Encodings) -> Effects:
    return towards(Direction.BACKWARD, backward) | towards(Direction.FORWARD, forward)


def _value(enum: Enum, name: str) -> EnumValue:
    return enum.by_name[name]


def _shown(
    comparison: Comparison, enum: Enum, pair: tuple[Element, Element], texts: tuple[str, str | None], effects: Effects
) -> Difference:
    """Without a message that carries the enum on both sides no payload can show anything."""
    carriers = comparison.carriers(enum.symbol)
    return Difference(
        element=pair[0],
        counterpart=pair[1],
        old=texts[0],
        new=texts[1],
        effects=effects if carriers else frozenset(),
        messages=carriers,
    )
