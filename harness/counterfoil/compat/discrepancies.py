"""Where a program with one schema reads something else than a program with another had written. Pure.

What the writer put in is what the same runtime sees with the writer's schema, so that the habits of a runtime cancel
out. A field is known by its number, in both encodings: that is how schemas name it across versions. A field whose name
is still there under another number is compared under its name too, since that is what code asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from counterfoil.probe.compare import observation_of
from counterfoil.probe.observation import (
    Binary,
    Boolean,
    EnumValue,
    Integer,
    ListOf,
    MalformedObservationError,
    MapOf,
    MessageOf,
    Missing,
    Text,
    Tree,
    cut,
    float_of,
    parse_observation,
    render,
)
from counterfoil.probe.outcomes import Crashed, Decoded, EncodeFailed, Garbled, Outcome, Rejected, TimedOut
from counterfoil.probe.wire_format import double

SHOWN = 120
REMEMBERED = 4096
Present: TypeAlias = dict[int, tuple[FieldDescriptor, Tree]]
Where: TypeAlias = tuple[Descriptor, Descriptor, int]
"""The message as the writer and as the reader have it, and the number of the field."""


class Kind(StrEnum):
    """In what way a reader differs from the writer."""

    REFUSED = "refuses it"
    UNWRITABLE = "cannot write it again"
    FAULT = "fails"
    UNSEEN = "does not see it"
    VALUE = "reads something else"
    DEFAULT = "has another default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """One way in which a reader differs. `message` is the innermost one, by the name that the writer's schema has."""

    kind: Kind
    message: str = ""
    number: int = 0
    """Of the field; 0 where the whole payload is meant."""
    symbols: tuple[str, ...] = ()
    """What it is about: the field under its names in both schemas, then its oneofs and types. Empty: the payload."""
    wrote: str = ""
    read: str = ""

    @property
    def place(self) -> tuple[Kind, str, int]:
        """By which the same difference is known on another payload."""
        return (self.kind, self.message, self.number)

    def __str__(self) -> str:
        if self.kind in {Kind.REFUSED, Kind.UNWRITABLE, Kind.FAULT}:
            return f"{self.kind.value}: {self.read}"
        return f"writer: {self.wrote}; reader: {self.read}"


def discrepancies(
    wrote: Outcome, read: Outcome, writer: Descriptor, reader: Descriptor
) -> tuple[Discrepancy, ...] | None:
    """How a runtime with the reader's schema differs from itself with the writer's; None where that says nothing.

    It says nothing where it cannot read with the writer's schema, or is not able to take part.
    """
    if not isinstance(wrote, Decoded):
        return None
    match read:
        case Rejected(message):
            return (Discrepancy(kind=Kind.REFUSED, read=_line(message)),)
        case Crashed() | TimedOut() | Garbled():
            return (Discrepancy(kind=Kind.FAULT, read=_line(str(read))),)
        case EncodeFailed(message):
            seen = observation_of(read)
            unwritable = Discrepancy(kind=Kind.UNWRITABLE, symbols=_missing(seen, writer, reader), read=_line(message))
            return (*_seen(observation_of(wrote), seen, writer, reader), unwritable)
        case Decoded():
            return _seen(observation_of(wrote), observation_of(read), writer, reader)
        case _:
            return None


@lru_cache(maxsize=REMEMBERED)
def _seen(wrote: bytes, read: bytes, writer: Descriptor, reader: Descriptor) -> tuple[Discrepancy, ...]:
    """What two observations do not have in common; runtimes mostly see the same, so it is asked again and again."""
    try:
        before, after = parse_observation(wrote), parse_observation(read)
    except MalformedObservationError as error:
        return (Discrepancy(kind=Kind.FAULT, read=f"its observation cannot be read: {error}"),)
    if isinstance(before, MessageOf) and isinstance(after, MessageOf):
        return tuple(_messages(before, after, writer, reader))
    return ()


@lru_cache(maxsize=REMEMBERED)
def _missing(read: bytes, writer: Descriptor, reader: Descriptor) -> tuple[str, ...]:
    """What a message is about that lacks fields which the reader requires; nothing where those are deeper in it."""
    try:
        tree = parse_observation(read)
    except MalformedObservationError:
        return ()
    there = _present(tree, reader) if isinstance(tree, MessageOf) else {}
    lacking = [field.number for field in reader.fields if field.is_required and field.number not in there]
    return tuple(symbol for number in lacking for symbol in symbols_of(writer, reader, number))


def _line(text: str) -> str:
    return cut(" ".join(text.split()), SHOWN)


def _messages(wrote: MessageOf, read: MessageOf, writer: Descriptor, reader: Descriptor) -> Iterator[Discrepancy]:
    before, after = _present(wrote, writer), _present(read, reader)
    found = False
    for field, value in before.values():
        for one in _field(field, value, after, reader, writer):
            found = True
            yield one
    if not found:
        for number, (field, value) in after.items():
            if number not in before:
                there = f"{field.name}: {render(value, SHOWN)}"
                yield _discrepancy(Kind.VALUE, (writer, reader, number), "nothing", there)
    yield from _defaults(before, after, writer, reader)


def _present(tree: MessageOf, message: Descriptor) -> Present:
    """What a program finds set, by number."""
    found: Present = {}
    for name, value in tree.fields:
        field = _named(message, name)
        if field is not None and not isinstance(value, Missing):
            found[field.number] = (field, value)
    return found


def _named(message: Descriptor, name: str) -> FieldDescriptor | None:
    if name.startswith("["):
        try:
            extension: FieldDescriptor = message.file.pool.FindExtensionByName(name[1:-1])
        except KeyError:
            return None
        return extension
    return message.fields_by_name.get(name)


def _field(
    field: FieldDescriptor, value: Tree, after: Present, reader: Descriptor, writer: Descriptor
) -> Iterator[Discrepancy]:
    """What became of one field that the writer had set."""
    number, shown = field.number, f"{field.name}: {render(value, SHOWN)}"
    where = (writer, reader, number)
    if number not in after:
        kind = Kind.UNSEEN if _numbered(reader, number) is None else Kind.VALUE
        yield _discrepancy(kind, where, shown, _instead(kind, field, after, reader))
        return
    other, seen = after[number]
    inside = list(_values(value, seen, (field, other), where))
    yield from inside
    if inside or field.is_extension or other.name == field.name:
        return
    namesake, taken = reader.fields_by_name.get(field.name), writer.fields_by_name.get(other.name)
    there = after.get(namesake.number) if namesake is not None else None
    if namesake is not None and (there is None or any(_values(value, there[1], (field, namesake), where))):
        read = f"{field.name}: {render(there[1], SHOWN)}" if there else f"no {field.name}"
        yield _discrepancy(Kind.VALUE, where, shown, f"{read}, but {other.name}: {render(seen, SHOWN)}")
    elif taken is not None:
        yield _discrepancy(Kind.VALUE, where, shown, f"{other.name}: {render(seen, SHOWN)}")


def _instead(kind: Kind, field: FieldDescriptor, after: Present, reader: Descriptor) -> str:
    """What a reader finds that has nothing under the number of a field: perhaps its value, by name, under another."""
    namesake = None if field.is_extension else reader.fields_by_name.get(field.name)
    if namesake is not None and namesake.number in after:
        _, value = after[namesake.number]
        return f"{field.name}: {render(value, SHOWN)}, as field {namesake.number} and not {field.number}"
    return "a field that it does not know" if kind is Kind.UNSEEN else "nothing"


def _extension(message: Descriptor, number: int) -> FieldDescriptor | None:
    try:
        found: FieldDescriptor | None = message.file.pool.FindExtensionByNumber(message, number)
    except KeyError:
        return None
    return found


def _discrepancy(kind: Kind, where: Where, wrote: str, read: str) -> Discrepancy:
    writer, reader, number = where
    return Discrepancy(
        kind=kind,
        message=writer.full_name,
        number=number,
        symbols=symbols_of(writer, reader, number),
        wrote=wrote,
        read=read,
    )


def symbols_of(writer: Descriptor, reader: Descriptor, number: int) -> tuple[str, ...]:
    """What a change may be called that shows at a field: the field itself, its namesakes, its oneofs, its types."""
    fields = [one for one in (_numbered(writer, number), _numbered(reader, number)) if one is not None]
    names = {field.name for field in fields if not field.is_extension}
    namesakes = [
        message.fields_by_name[name] for message in (writer, reader) for name in names if name in message.fields_by_name
    ]
    oneofs = [field.containing_oneof.full_name for field in fields if field.containing_oneof is not None]
    found = [field.full_name for field in (*fields, *namesakes)] + oneofs
    return tuple(dict.fromkeys([*found, *(name for field in fields for name in _types(field))]))


def _numbered(message: Descriptor, number: int) -> FieldDescriptor | None:
    own: FieldDescriptor | None = message.fields_by_number.get(number)
    return own if own is not None else _extension(message, number)


def _types(field: FieldDescriptor) -> Iterator[str]:
    """The enum or message of a field; of a map, that of its values."""
    if field.enum_type is not None:
        yield field.enum_type.full_name
    if field.message_type is not None:
        if field.message_type.GetOptions().map_entry:
            yield from _types(field.message_type.fields_by_number[2])
        else:
            yield field.message_type.full_name


# --- values ----------------------------------------------------------------------------------------------------------

_Fields: TypeAlias = tuple[FieldDescriptor, FieldDescriptor]


def _values(wrote: Tree, read: Tree, fields: _Fields, where: Where) -> Iterator[Discrepancy]:
    if isinstance(wrote, MessageOf) and isinstance(read, MessageOf):
        writer, reader = (field.message_type for field in fields)
        if writer is not None and reader is not None:
            # Where another message took its place, what differs inside is the field's own doing.
            outer = symbols_of(*where) if writer.full_name != reader.full_name else ()
            for found in _messages(wrote, read, writer, reader):
                yield replace(found, symbols=found.symbols + outer)
            return
    elif isinstance(wrote, ListOf) and isinstance(read, ListOf) and len(wrote.items) == len(read.items):
        for one, other in zip(wrote.items, read.items, strict=True):
            yield from _values(one, other, fields, where)
        return
    elif isinstance(wrote, MapOf) and isinstance(read, MapOf):
        yield from _maps(wrote, read, fields, where)
        return
    if not _same(wrote, read, fields):
        shown = (f"{field.name}: {render(tree, SHOWN)}" for field, tree in zip(fields, (wrote, read), strict=True))
        yield _discrepancy(Kind.VALUE, where, *shown)


def _maps(wrote: MapOf, read: MapOf, fields: _Fields, where: Where) -> Iterator[Discrepancy]:
    before, after = dict(wrote.entries), dict(read.entries)
    entries = [field.message_type for field in fields]
    if before.keys() != after.keys() or None in entries:
        yield _discrepancy(Kind.VALUE, where, render(wrote, SHOWN), render(read, SHOWN))
        return
    one, other = (entry.fields_by_number[2] for entry in entries if entry is not None)
    for key, value in before.items():
        yield from _values(value, after[key], (one, other), where)


def _same(wrote: Tree, read: Tree, fields: _Fields) -> bool:
    """Scalars. An enum value is its number; where the number means another name that is still there, it is another."""
    if isinstance(wrote, EnumValue) and isinstance(read, EnumValue):
        return wrote.number == read.number and not _renamed(wrote, read, fields[1].enum_type)
    if isinstance(wrote, EnumValue) and isinstance(read, Integer):
        return str(wrote.number) == read.digits
    if isinstance(wrote, Integer) and isinstance(read, EnumValue):
        return wrote.digits == str(read.number)
    return wrote == read


def _renamed(wrote: EnumValue, read: EnumValue, reader: EnumDescriptor | None) -> bool:
    if wrote.name in {"", read.name} or reader is None:
        return False
    namesake = reader.values_by_name.get(wrote.name)
    return namesake is not None and namesake.number != read.number


# --- defaults --------------------------------------------------------------------------------------------------------


def _defaults(before: Present, after: Present, writer: Descriptor, reader: Descriptor) -> Iterator[Discrepancy]:
    """What code reads from fields that are not there."""
    for number, wrote, read in _other_defaults(writer, reader):
        if number not in before and number not in after:
            yield _discrepancy(Kind.DEFAULT, (writer, reader, number), wrote, read)


@lru_cache(maxsize=REMEMBERED)
def _other_defaults(writer: Descriptor, reader: Descriptor) -> tuple[tuple[int, str, str], ...]:
    """The fields whose defaults are not the same on both sides, each with what code reads there."""
    found = []
    extensions = writer.file.pool.FindAllExtensions(writer) if writer.is_extendable else []
    for field in (*writer.fields, *extensions):
        other = _numbered(reader, field.number)
        mine, theirs = default_of(field), None if other is None else default_of(other)
        if other is not None and mine is not None and theirs is not None and mine != theirs:
            pairs = ((field.name, mine), (other.name, theirs))
            one, two = (f"{name} not there, read as {render(value)}" for name, value in pairs)
            found.append((field.number, one, two))
    return tuple(found)


@lru_cache(maxsize=REMEMBERED)
def default_of(field: FieldDescriptor) -> Tree | None:
    """What code reads from a field that is not there; None for a list, a map and a message."""
    if field.is_repeated or field.message_type is not None:
        return None
    value: Any = field.default_value
    if isinstance(value, bool):
        return Boolean(value)
    if isinstance(value, int):
        return Integer(str(value))
    if isinstance(value, float):
        return float_of(int.from_bytes(double(value), "little"))
    return Binary(value) if isinstance(value, bytes) else Text(str(value).encode("utf-8", "surrogatepass"))
