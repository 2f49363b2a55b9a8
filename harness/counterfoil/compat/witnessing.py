"""What to try so that a change shows, and which change it was that showed. Pure.

For two schemas that share a message: every field whose nature differs gets payloads that a program with one schema can
write (its presence states, every enum value, curated edge values, and pairs of what one schema has in a oneof);
programs with the other schema read them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TypeAlias

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor

from counterfoil.compat.discrepancies import default_of
from counterfoil.probe.backgrounds import MAX_NESTING, Background, Fill, Place, background, contents
from counterfoil.probe.edge_members import member_edges
from counterfoil.probe.edge_records import record_edges
from counterfoil.probe.edge_scalars import unknown_number
from counterfoil.probe.fields import Field, Shape, enum_values, fields_of
from counterfoil.probe.forms import Sample, map_entry, member, packed, quoted, record, samples, value_of
from counterfoil.probe.json_tree import string
from counterfoil.probe.payloads import DEFAULT, DOCUMENT, EMPTY, PLUS, VALUE, Encoding, Payload, Phase
from counterfoil.probe.wire_format import varint

MAX_FIELDS = 200
"""Of one message, that are tried; a message in which more changed is another message."""
MIN_FIELDS = 2
MAX_FIELD_PAIRS = 40_000
"""Changed fields that are tried, times all fields of their message: readers of JSON take time for every field."""
HUGE = 1_000
"""Fields of a message; of one with more, payloads are made in binary only, and written in JSON too."""
MAX_ENUM_VALUES = 100
SPELLED_OUT = "default spelled out"
"""The state of an enum's zero in JSON, which programs write that are told to leave no default out."""
MAX_DEEPER = 48
"""Ordinary values inside a field that has another message, and as many pairs of two fields."""
MAX_DEEPER_EDGES = 240
"""Edge values there; the fields that differ take turns, so that each has its first ones."""
MAX_PLACES = 200
"""Inside a field that has another message."""
EDGES = 24
"""Of a field there, in either encoding; a number has about so many."""
MAX_PAYLOADS = 400
"""For one field, before they are written."""

Trail: TypeAlias = tuple[Field, ...]
"""The fields that lead to a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A message as the writer and as the reader have it, and the fields of the writer's that are worth trying."""

    writer: Descriptor
    reader: Descriptor
    numbers: tuple[int, ...]
    untried: frozenset[str] = frozenset()
    """The full names of fields that changed too and were too many, or of which too much changed to try all of it."""


# --- what is worth trying --------------------------------------------------------------------------------------------


def trial(writer: Descriptor, reader: Descriptor, added: frozenset[str] = frozenset()) -> Trial | None:
    """What is worth trying of a message; None where its fields are the same to every program.

    Fields and enum values whose full names are among `added` are left out: that others do not know them is known.
    """
    mine, theirs = (
        {field.number: nature(field, added) for field in fields_of(one) if field.descriptor.full_name not in added}
        for one in (writer, reader)
    )
    if mine == theirs:
        return None
    changed = [number for number in mine if mine[number] != theirs.get(number)]
    most = min(MAX_FIELDS, max(MIN_FIELDS, MAX_FIELD_PAIRS // len(mine))) if mine else 0
    untried = frozenset(
        side.fields_by_number[number].full_name
        for number in changed[most:]
        for side in (writer, reader)
        if number in side.fields_by_number
    )
    untried |= {name for number in changed[:most] for name in _too_deep(writer, reader, number)}
    untried |= {name for number in changed[:most] for name in _too_many_values(writer, reader, number)}
    return Trial(writer=writer, reader=reader, numbers=tuple(changed[:most]), untried=untried)


def _too_deep(writer: Descriptor, reader: Descriptor, number: int) -> frozenset[str]:
    """The names of a field in which so much of another message differs that not all of it is tried."""
    mine, theirs = ({one.number: one for one in fields_of(side)}.get(number) for side in (writer, reader))
    if mine is None or theirs is None:
        return frozenset()
    places = [differs for _, differs in islice(_places(mine, theirs), MAX_PLACES + 1)]
    is_too_much = len(places) > MAX_PLACES or 2 * EDGES * sum(places) > MAX_DEEPER_EDGES
    return frozenset({mine.descriptor.full_name, theirs.descriptor.full_name} if is_too_much else ())


def _too_many_values(writer: Descriptor, reader: Descriptor, number: int) -> frozenset[str]:
    """The names of the values that the writer's enum alone has, and that are not tried."""
    field, other = ({one.number: one for one in fields_of(side)}.get(number) for side in (writer, reader))
    if field is None or (enum := _value(field).enum) is None:
        return frozenset()
    theirs = _values_of(other)
    untried = list(_in_order(field, other))[MAX_ENUM_VALUES:]
    return frozenset(f"{enum.full_name}.{name}" for number, name in untried if (name, number) not in theirs)


def nature(field: Field, added: frozenset[str] = frozenset()) -> tuple[object, ...]:
    """Everything about a field that may make a program read it differently, apart from what is in its messages.

    An added alias counts where it is the name that JSON carries.
    """
    default = None if field.shape is Shape.MAP else default_of(field.descriptor)
    kind = (field.kind, field.descriptor.is_packed) if field.is_packable else field.kind
    of_entry = tuple(nature(one, added) for one in field.entry) if field.shape is Shape.MAP else ()
    values = () if field.enum is None else enum_values(field.enum)
    known = [one for one in values if field.enum and f"{field.enum.full_name}.{one[0]}" not in added]
    written = {number: name for name, number in reversed(values)}
    enum = frozenset([*known, *((written[number], number) for _, number in known)])
    inner = contents(field)
    name = inner.full_name if inner is not None else ""
    return (field.name, field.json_name, kind, field.oneof, default, of_entry, enum, name)


# --- payloads --------------------------------------------------------------------------------------------------------


def payloads(tried: Trial) -> Iterator[Payload]:
    """What a program with the writer's schema may be given so that it writes something worth reading."""
    fill = _fill(tried.reader)
    around = background(tried.writer, (), (), fill)
    for encoding in Encoding:
        data = around.json() if encoding is Encoding.JSON else around.binary()
        yield _payload(encoding, data, ("", DOCUMENT, EMPTY))
    fields = [field for field in fields_of(tried.writer) if field.number in tried.numbers]
    encodings = {Encoding.BINARY} if len(tried.writer.fields) > HUGE else set(Encoding)
    # Two fields first: with what is required beside it, one of them alone may be the same payload.
    yield from _pairs(tried.writer, (), fields, (tried.writer, tried.reader), fill)
    for field in fields:
        yield from islice((one for one in _of_field(tried, field, fill) if one.encoding in encodings), MAX_PAYLOADS)


def _fill(reader: Descriptor) -> Fill:
    """What is required, by either side, has a value, so that its absence hides nothing else."""
    required = {field.number for field in fields_of(reader) if field.is_required}

    def fill(field: Field) -> Sample | None:
        return value_of(field) if field.is_required or field.number in required else None

    return fill


def _of_field(tried: Trial, field: Field, fill: Fill) -> Iterator[Payload]:
    around = background(tried.writer, (), (field,), fill)
    if field.number in {one.number for one in fields_of(tried.reader) if one.is_required}:
        yield _payload(Encoding.BINARY, around.binary(), (field.name, field.kind, EMPTY))
        yield _payload(Encoding.JSON, around.json(), (field.name, field.kind, EMPTY))
    other = next((one for one in fields_of(tried.reader) if one.number == field.number), None)
    for sample in (*samples(field), *_enum_samples(field, other)):
        yield from _sampled(around, field, sample, field.name)
    yield from _deeper(tried, field, fill)
    yield from _edges(around, field, field.name)


def _edges(around: Background, field: Field, path: str, most: int | None = None) -> Iterator[Payload]:
    """Curated edge values, in either encoding as many as `most`: of a field's own values first."""
    for where, state, records in islice(record_edges(field), most):
        yield _payload(Encoding.BINARY, around.binary(records), (path + where, field.kind, state))
    for where, state, members in islice(member_edges(field), most):
        yield _payload(Encoding.JSON, around.json(*members), (path + where, field.kind, state))


def _sampled(around: Background, field: Field, sample: Sample, path: str) -> Iterator[Payload]:
    words = (path, field.kind, sample.state)
    if sample.wire is not None:
        yield _payload(Encoding.BINARY, around.binary(sample.wire), words)
    if sample.json is not None:
        yield _payload(Encoding.JSON, around.json(member(field, sample.json)), words)


def _value(field: Field) -> Field:
    """The field, or the one of a map's values."""
    return field.entry[1] if field.shape is Shape.MAP else field


def _values_of(field: Field | None) -> tuple[tuple[str, int], ...]:
    """The names and numbers of its enum."""
    enum = None if field is None else _value(field).enum
    return () if enum is None else tuple(enum_values(enum))


def _in_order(field: Field, other: Field | None) -> list[tuple[int, str]]:
    """The numbers of the field's enum under the names that programs write; those first that the other has not so."""
    first = {number: name for name, number in reversed(_values_of(field))}
    theirs = frozenset(_values_of(other))
    return sorted(first.items(), key=lambda one: (one[1], one[0]) in theirs)


def _enum_samples(field: Field, other: Field | None) -> Iterator[Sample]:
    """Every value of the field's enum, each alone, under the name that programs write."""
    key = field.entry[0] if field.shape is Shape.MAP else None
    for number, name in _in_order(field, other)[:MAX_ENUM_VALUES]:
        wire, text = varint(number), string(name)
        if key is not None:
            default = value_of(key)
            yield Sample(name, b"{%b:%b}" % (quoted(default.json or b""), text), map_entry(field, None, wire))
        elif field.shape is Shape.REPEATED:
            spread = packed(field, [wire]) if field.descriptor.is_packed else record(field, wire)
            yield Sample(name, b"[%b]" % text, spread)
        else:
            yield Sample(SPELLED_OUT if number == 0 else name, text, record(field, wire))


def _deeper(tried: Trial, field: Field, fill: Fill) -> Iterator[Payload]:
    """Where another message took the place of one, what is in it is tried too, what differs before the rest."""
    other = next((one for one in fields_of(tried.reader) if one.number == field.number), None)
    found = list(islice(_places(field, other), MAX_PLACES))
    found.sort(key=lambda one: (not one[1], contents(one[0].field) is not None))
    around = {place: background(tried.writer, place.trail, (place.field,), fill) for place, _ in found}
    plain = (_sampled(around[one], one.field, sample, one.path) for one, _ in found for sample in samples(one.field))
    pairs = [
        _pairs(tried.writer, trail, fields_of(mine), (mine, theirs), fill)
        for trail, mine, theirs in islice(_replaced(field, other), MAX_PLACES)
        if theirs is not None
    ]
    edges = [_edges(around[one], one.field, one.path, EDGES) for one, differs in found if differs]
    yield from islice(chain.from_iterable(plain), MAX_DEEPER)
    yield from islice(_in_turns(pairs), MAX_DEEPER)
    yield from islice(_in_turns(edges), MAX_DEEPER_EDGES)


def _in_turns(several: Iterable[Iterator[Payload]]) -> Iterator[Payload]:
    """One of each, then another of each, until none is left."""
    waiting = deque(several)
    while waiting:
        one = waiting.popleft()
        for payload in islice(one, 1):
            yield payload
            waiting.append(one)


def _places(field: Field, other: Field | None) -> Iterator[tuple[Place, bool]]:
    """What is in the messages that were replaced in a field, and whether each of it differs."""
    for trail, mine, theirs in _replaced(field, other):
        counterparts = _by_number(theirs)
        for one in fields_of(mine):
            counterpart = counterparts.get(one.number)
            yield Place(trail, one), counterpart is None or nature(one) != nature(counterpart)


def _replaced(field: Field, other: Field | None) -> Iterator[tuple[Trail, Descriptor, Descriptor | None]]:
    """The messages in a field that have another name for the reader, or none: where each stands, it, and the other."""
    waiting: deque[tuple[Trail, Field | None]] = deque([((field,), other)])
    while waiting:
        trail, other = waiting.popleft()
        mine, theirs = contents(trail[-1]), None if other is None else contents(other)
        is_within = mine is not None and mine in {contents(one) for one in trail[:-1]}
        if mine is None or is_within or (theirs is not None and mine.full_name == theirs.full_name):
            continue
        yield trail, mine, theirs
        if len(trail) <= MAX_NESTING:
            counterparts = _by_number(theirs)
            waiting.extend(((*trail, one), counterparts.get(one.number)) for one in fields_of(mine))


def _by_number(message: Descriptor | None) -> dict[int, Field]:
    return {} if message is None else {field.number: field for field in fields_of(message)}


def _pairs(
    root: Descriptor, trail: Trail, fields: Iterable[Field], sides: tuple[Descriptor, Descriptor], fill: Fill
) -> Iterator[Payload]:
    """Two fields with a value that stand in one oneof for the reader, and do not for the writer.

    The first is one of `fields`; both are in a message at the end of the trail, which the sides have as `sides`.
    """
    writer, reader = sides
    oneofs = {field.number: field.oneof for field in fields_of(reader) if field.oneof is not None}
    for field in (one for one in fields if one.number in oneofs):
        together = (
            other
            for other in fields_of(writer)
            if other is not field
            and oneofs.get(other.number) == oneofs[field.number]
            and (field.oneof is None or other.oneof != field.oneof)
        )
        for other in islice(together, MAX_DEEPER):
            yield from _pair(background(root, trail, (field, other), fill), Place(trail, field), Place(trail, other))


def _pair(around: Background, one: Place, other: Place) -> Iterator[Payload]:
    places = (one, other)
    words = ([place.path for place in places], [place.field.kind for place in places], [VALUE, VALUE])
    records = [_written_value(place.field) for place in places]
    if None not in records:
        path, kind, state = map(PLUS.join, words)
        yield _payload(Encoding.BINARY, around.binary(*filter(None, records)), (path, kind, state))


def _written_value(field: Field) -> bytes | None:
    """The record of a value that is there for every program, with or without presence.

    An open enum that has nothing but its zero has a number that it does not declare.
    """
    sample = value_of(field)
    if sample.state == DEFAULT and field.enum is not None and not field.enum.is_closed:
        return record(field, varint(unknown_number(field.enum)))
    return sample.wire


def _payload(encoding: Encoding, data: bytes, words: tuple[str, str, str]) -> Payload:
    path, kind, state = words
    return Payload(encoding=encoding, data=data, path=path, kind=kind, state=state, phase=Phase.LATTICE)


# --- what a program writes -------------------------------------------------------------------------------------------


def written(tried: Trial, given: Iterable[Payload]) -> tuple[Payload, ...]:
    """What a program with the writer's schema writes, in both encodings, after reading each payload; each text once."""
    found: dict[tuple[Encoding, bytes], Payload] = {}
    for payload in given:
        for one in _written(tried.writer, payload):
            found.setdefault((one.encoding, one.data), one)
    return tuple(found.values())


def _written(writer: Descriptor, payload: Payload) -> Iterator[Payload]:
    """Nothing where the payload is none of the schema's, or has anything that the schema does not know."""
    pool = writer.file.pool
    message = message_factory.GetMessageClass(writer)()
    try:
        if payload.encoding is Encoding.BINARY:
            message.ParseFromString(payload.data)
        else:
            json_format.Parse(payload.data, message, descriptor_pool=pool)
        data = message.SerializeToString(deterministic=True)
        if payload.encoding is Encoding.JSON and payload.state == SPELLED_OUT:
            yield payload
        message.DiscardUnknownFields()
        if message.ByteSize() != len(data):
            return
        yield replace(payload, encoding=Encoding.BINARY, data=data)
        text = json_format.MessageToJson(message, indent=None, descriptor_pool=pool)
    except Exception:  # noqa: BLE001  (protobuf raises a dozen kinds; what cannot be written is not tried)
        return
    yield replace(payload, encoding=Encoding.JSON, data=text.encode("utf-8", "surrogatepass"))
