"""Rules about a message that both schemas have: fields that came and went, oneofs, reservations, extensions."""

from __future__ import annotations

from collections.abc import Iterator

from counterfoil.compat.changes import EVERYWHERE, JSON, Difference, Direction, towards
from counterfoil.compat.comparison import Comparison
from counterfoil.model import Level
from counterfoil.schema.elements import Element, Enum, EnumValue, Field, Message, Presence, Ranges, within

Found = Iterator[Difference]
LOST_GOING_ON = towards(Direction.BACKWARD, EVERYWHERE)
LOST_GOING_BACK = towards(Direction.FORWARD, EVERYWHERE)


def field_removed(comparison: Comparison, old: Message, new: Message) -> Found:
    """No field of this number or this name is left."""
    for field in _gone(old, new):
        needed = comparison.forward.requirement(None, field)
        effects = LOST_GOING_ON | towards(Direction.FORWARD, needed)
        yield Difference(
            element=field,
            counterpart=new,
            old=_described(field),
            effects=effects,
            messages=frozenset({field.message}),
        )


def field_removed_without_reservation(_comparison: Comparison, old: Message, new: Message) -> Found:
    """Nothing keeps the number, or the name, from being used again."""
    for field in _gone(old, new):
        if lost := not_reserved(field, new):
            yield Difference(element=field, counterpart=new, old=_described(field), new=lost)


def not_reserved(gone: Field | EnumValue, left: Message | Enum) -> str:
    """What nothing keeps from being used again, the number or the name; empty where both are reserved."""
    missing = [str(gone.number)] if not within(gone.number, left.reserved_ranges) else []
    missing += [f'"{gone.name}"'] if gone.name not in left.reserved_names else []
    return f"not reserved: {', '.join(missing)}" if missing else ""


def field_added(comparison: Comparison, old: Message, new: Message) -> Found:
    """A field of a new number and a new name; one that is required breaks whoever writes without it.

    One in place of an extension is nothing new: JSON carries under another name what both have.
    """
    for number, field in new.fields.items():
        if number not in old.fields and not _is_renumbered(old, new, field.name):
            needed = towards(Direction.BACKWARD, comparison.backward.requirement(None, field))
            was = comparison.old_extensions.get((new.symbol, number))
            yield Difference(
                element=field,
                is_addition=True,
                old=f"extension {was.symbol}" if was else None,
                new=_described(field),
                effects=LOST_GOING_BACK | needed,
                messages=frozenset({new.symbol}),
                level=Level.BEHAVIOUR if was or field.presence is Presence.REQUIRED else Level.ADDITIVE,
            )


def field_renumbered(_comparison: Comparison, old: Message, new: Message) -> Found:
    """The same name under another number, while the old number is free."""
    for name, number in old.numbers.items():
        if _is_renumbered(old, new, name):
            yield Difference(
                element=old.fields[number],
                counterpart=new.fields[new.numbers[name]],
                old=str(number),
                new=str(new.numbers[name]),
                effects=LOST_GOING_ON | LOST_GOING_BACK,
                messages=frozenset({old.symbol}),
            )


def field_json_name_reused(_comparison: Comparison, old: Message, new: Message) -> Found:
    """A new field writes itself in JSON under what an old reader takes for another field's name."""
    by_name = {name: field for field in old.fields.values() for name in (field.name, field.json_name)}
    for number, field in new.fields.items():
        taken = by_name.get(field.json_name)
        if number in old.fields or field.name in old.numbers or taken is None:
            continue  # a name that went to another number is FIELD_NAME_MOVED or FIELD_RENUMBERED
        yield Difference(
            element=field,
            is_addition=True,
            old=_described(taken),
            new=_described(field),
            effects=towards(Direction.FORWARD, JSON),
            messages=frozenset({new.symbol}),
        )


def field_reservation_reused(_comparison: Comparison, old: Message, new: Message) -> Found:
    """A new field takes a number or a name that was reserved, or a number that was for extensions."""
    for field in new.fields.values():
        number = within(field.number, old.reserved_ranges)
        extension = within(field.number, old.extension_ranges)
        if number or extension or (field.name in old.reserved_names):
            what = f"number {field.number}" if number or extension else f'name "{field.name}"'
            kept = "for extensions" if extension else "reserved"
            yield Difference(element=field, is_addition=True, old=f"{what} {kept}", new=_described(field))


def message_reservation_removed(_comparison: Comparison, old: Message, new: Message) -> Found:
    """A reserved number or name is no longer reserved, and no field has taken it yet."""
    yield from reservations_removed(old, new, set(new.fields), set(new.numbers))


def reservations_removed(old: Message | Enum, new: Message | Enum, numbers: set[int], names: set[str]) -> Found:
    """What was reserved in an element, is free now, and is not in use."""
    lost = [
        _range_text(*one) for one in _uncovered(old.reserved_ranges, new.reserved_ranges) if not _in_use(one, numbers)
    ]
    lost += sorted(f'"{name}"' for name in old.reserved_names - new.reserved_names - names)
    if lost:
        yield Difference(element=old, counterpart=new, old=f"reserved {', '.join(lost)}", new="not reserved")


def extension_range_removed(_comparison: Comparison, old: Message, new: Message) -> Found:
    """Numbers that others were invited to use for extensions."""
    lost = [_range_text(*one) for one in _uncovered(old.extension_ranges, new.extension_ranges)]
    if lost:
        yield Difference(element=old, counterpart=new, old=f"extensions {', '.join(lost)}", new="no extensions")


def oneof_removed(comparison: Comparison, old: Message, new: Message) -> Found:
    """A oneof is gone; what becomes of its fields is said at each of them."""
    for name, oneof in old.oneofs.items():
        if name not in new.oneofs and name not in comparison.renamed_oneofs(old, new):
            yield Difference(element=oneof, counterpart=new, old=name)


def oneof_renamed(comparison: Comparison, old: Message, new: Message) -> Found:
    """The same members under another name."""
    for name, now in comparison.renamed_oneofs(old, new).items():
        if now != name:
            yield Difference(element=old.oneofs[name], counterpart=new.oneofs[now], old=name, new=now)


def message_set_changed(_comparison: Comparison, old: Message, new: Message) -> Found:
    """The message is encoded as a MessageSet, or no longer."""
    if old.is_message_set is not new.is_message_set:
        texts = ["message set" if one.is_message_set else "ordinary message" for one in (old, new)]
        yield Difference(element=old, counterpart=new, old=texts[0], new=texts[1])


def message_json_format_changed(_comparison: Comparison, old: Message, new: Message) -> Found:
    """Whether the compiler vouches for the message's JSON."""
    yield from json_format_changed(old, new)


def json_format_changed(old: Element, new: Element) -> Found:
    """Vouched for no more is a promise withdrawn; the other way round is one given."""
    before, after = old.features["json_format"], new.features["json_format"]
    if before != after:
        level = Level.POLICY if before == "ALLOW" else Level.ADDITIVE
        yield Difference(element=old, counterpart=new, old=before, new=after, level=level)


def message_visibility_changed(_comparison: Comparison, old: Message, new: Message) -> Found:
    """Whether other files may name it (edition 2024's `export` and `local`)."""
    yield from visibility_changed(old, new)


def visibility_changed(old: Message | Enum, new: Message | Enum) -> Found:
    """Local is seen in its own file alone."""
    if old.visibility != new.visibility:
        level = Level.SOURCE if new.visibility == "local" else Level.ADDITIVE
        yield Difference(element=old, counterpart=new, old=old.visibility, new=new.visibility, level=level)


def _gone(old: Message, new: Message) -> Iterator[Field]:
    for number, field in old.fields.items():
        if number not in new.fields and not _is_renumbered(old, new, field.name):
            yield field


def _is_renumbered(old: Message, new: Message, name: str) -> bool:
    """Whether a name left a number that is free now for one that was free."""
    before, after = old.numbers.get(name), new.numbers.get(name)
    if before is None or after is None or before == after:
        return False
    return before not in new.fields and after not in old.fields


def _described(field: Field) -> str:
    return f"{field.type_name or field.type} {field.name} = {field.number}"


def _uncovered(old: Ranges, new: Ranges) -> Iterator[tuple[int, int]]:
    """The parts of the old ranges that no new range covers."""
    same, covering = set(new), sorted(new)
    for first, last in old:
        if (first, last) in same:
            continue
        start = first
        for low, high in covering:
            if high < start or low > last:
                continue
            if low > start:
                yield start, low - 1
            start = high + 1
        if start <= last:
            yield start, last


def _in_use(numbers: tuple[int, int], used: set[int]) -> bool:
    """Whether every number of a short range is in use: reuse is a finding of its own."""
    first, last = numbers
    return last - first < len(used) and all(number in used for number in range(first, last + 1))


def _range_text(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"
