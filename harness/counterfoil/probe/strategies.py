"""Hypothesis strategies for the payloads of a message: proto2, proto3 and editions, to a bounded depth. Pure.

A member or record is mostly a random value, now and then a presence state or a curated edge, so that most payloads
are read and some of their fields are special. Fields come in any order, more than once too.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TypeVar

from google.protobuf.descriptor import Descriptor, EnumDescriptor
from hypothesis import strategies as st

from counterfoil.probe.backgrounds import contents
from counterfoil.probe.edge_members import member_edges
from counterfoil.probe.edge_records import record_edges
from counterfoil.probe.fields import CACHED_MESSAGES, Field, Shape, enum_values, fields_of, required_fields
from counterfoil.probe.forms import (
    Sample,
    forms,
    map_entry,
    member,
    packed,
    quoted,
    record,
    samples,
    scalar_json,
    scalar_wire,
)
from counterfoil.probe.json_tree import string
from counterfoil.probe.payloads import DOCUMENT, PLUS, RANDOM, Encoding, Payload, Phase
from counterfoil.probe.wire_format import varint

MAX_DEPTH = 3
MAX_FIELDS = 6
MAX_ITEMS = 3
MAX_CHARACTERS = 8
MAX_EDGE_BYTES = 1024
"""Longer edges are for the phase of edges, where each comes once."""
RECURSIVE_SHARE = 4
STATES_WEIGHT, RANDOM_WEIGHT, EDGES_WEIGHT = 3, 12, 1
RANGES = {
    **dict.fromkeys(("int32", "sint32", "sfixed32"), (-(2**31), 2**31 - 1)),
    **dict.fromkeys(("int64", "sint64", "sfixed64"), (-(2**63), 2**63 - 1)),
    **dict.fromkeys(("uint32", "fixed32"), (0, 2**32 - 1)),
    **dict.fromkeys(("uint64", "fixed64"), (0, 2**64 - 1)),
}
Strategy = st.SearchStrategy[bytes]


def messages(message: Descriptor) -> st.SearchStrategy[Payload]:
    """Payloads of the message in both encodings."""
    in_json = _message(message, Encoding.JSON, MAX_DEPTH).map(lambda data: _payload(Encoding.JSON, data))
    binary = _message(message, Encoding.BINARY, MAX_DEPTH).map(lambda data: _payload(Encoding.BINARY, data))
    return st.one_of(in_json, binary)


def _payload(encoding: Encoding, data: bytes) -> Payload:
    return Payload(encoding=encoding, data=data, path="", kind=DOCUMENT, state=RANDOM, phase=Phase.RANDOM)


@lru_cache(maxsize=CACHED_MESSAGES)
def _message(message: Descriptor, encoding: Encoding, depth: int) -> Strategy:
    """The JSON object, or the content in the wire format, of a message."""
    fields = fields_of(message)
    join = _object if encoding is Encoding.JSON else b"".join
    if not fields:
        return st.just(join([]))
    return _Pieces(fields, required_fields(message), recursive_fields(message), encoding, depth).draw_some().map(join)


@lru_cache(maxsize=CACHED_MESSAGES)
def recursive_fields(message: Descriptor) -> tuple[Field, ...]:
    """The fields through which a message comes to hold another one of its kind."""
    return tuple(field for field in fields_of(message) if message in _reachable(contents(field)))


def _reachable(message: Descriptor | None) -> set[Descriptor]:
    found: set[Descriptor] = set()
    left = [message]
    while left:
        one = left.pop()
        if one is not None and one not in found:
            found.add(one)
            left += map(contents, fields_of(one))
    return found


_Piece = tuple[Field, int, bytes]


@dataclass(frozen=True, slots=True, eq=False)
class _Pieces:
    """The members or records of a message. One draw picks a field and what becomes of it: draws take the time.

    About one in RECURSIVE_SHARE picks is a field that leads back to the message, however many others there are: or else
    messages in messages in messages would hardly come.
    """

    fields: tuple[Field, ...]
    required: tuple[Field, ...]
    recursive: tuple[Field, ...]
    encoding: Encoding
    depth: int

    def draw_some(self) -> st.SearchStrategy[list[bytes]]:
        """Pieces of fields in any order; a field, or another of its oneof, comes again now and then."""
        more = len(self.fields) // (RECURSIVE_SHARE * len(self.recursive)) if self.recursive and self.depth else 0
        fields = (*self.fields, *self.recursive * more)
        choices = st.integers(0, len(fields) * (RANDOM_WEIGHT + STATES_WEIGHT + EDGES_WEIGHT) - 1)

        # A choice and what comes of it are drawn together, so that shrinking can leave out both.
        @st.composite
        def any_piece(draw: st.DrawFn) -> _Piece:
            turn, index = divmod(draw(choices), len(fields))
            field = fields[index]
            return field, turn, draw(self.piece(field, turn))

        first = st.tuples(*[self.random(field) for field in self.required])
        return st.tuples(first, st.lists(any_piece(), max_size=MAX_FIELDS)).map(
            lambda drawn: [*drawn[0], *_without_most_repetitions(drawn[1], {field.name for field in self.required})]
        )

    def piece(self, field: Field, turn: int) -> Strategy:
        if turn < RANDOM_WEIGHT:
            return self.random(field)
        return _known(field, self.encoding, Phase.LATTICE if turn < RANDOM_WEIGHT + STATES_WEIGHT else Phase.EDGES)

    def random(self, field: Field) -> Strategy:
        return _random(field, self.encoding, self.depth)


def _without_most_repetitions(pieces: Sequence[_Piece], taken: set[str]) -> Iterator[bytes]:
    for field, turn, data in pieces:
        key = field.oneof or field.name
        if key not in taken or turn == 0:
            taken.add(key)
            yield data


def _object(members: Sequence[bytes]) -> bytes:
    return b"{%b}" % b",".join(members)


@lru_cache(maxsize=CACHED_MESSAGES)
def _known(field: Field, encoding: Encoding, phase: Phase) -> Strategy:
    """The presence states of a field, or its edges, as members or records."""
    if encoding is Encoding.JSON:
        in_json = [one.json for one in samples(field) if one.json is not None]
        known = [member(field, value, spelling) for value in in_json for spelling in range(len(field.spellings))]
        edges = [b",".join(members) for _, _, members in member_edges(field)]
    else:
        known = [one.wire for one in samples(field) if one.wire is not None]
        edges = [data for _, _, data in record_edges(field)]
    chosen = known if phase is Phase.LATTICE else [one for one in edges if len(one) <= MAX_EDGE_BYTES]
    return st.integers(0, len(chosen) - 1).map(chosen.__getitem__)


@lru_cache(maxsize=CACHED_MESSAGES)
def _random(field: Field, encoding: Encoding, depth: int) -> Strategy:
    if encoding is Encoding.BINARY:
        return _records(field, depth)
    value = _json(field, depth)
    return st.one_of([value.map(partial(_spelled, field, spelling)) for spelling in range(len(field.spellings))])


def _spelled(field: Field, spelling: int, value: bytes) -> bytes:
    return member(field, value, spelling)


def _json(field: Field, depth: int) -> Strategy:
    if field.shape is Shape.REPEATED:
        return st.lists(_value(field, Encoding.JSON, depth), max_size=MAX_ITEMS).map(
            lambda items: b"[%b]" % b",".join(items)
        )
    if field.shape is Shape.MAP:
        key, value = field.entry
        entry = st.tuples(_value(key, Encoding.JSON, depth).map(quoted), _value(value, Encoding.JSON, depth))
        return st.lists(entry.map(b":".join), max_size=MAX_ITEMS).map(_object)
    return _value(field, Encoding.JSON, depth)


def _records(field: Field, depth: int) -> Strategy:
    if field.shape is Shape.MAP:
        key, value = field.entry
        entry = st.tuples(_value(key, Encoding.BINARY, depth), _value(value, Encoding.BINARY, depth))
        return st.lists(entry.map(lambda pair: map_entry(field, *pair)), max_size=MAX_ITEMS).map(b"".join)
    content = _value(field, Encoding.BINARY, depth)
    if field.shape is Shape.SINGULAR:
        return content.map(partial(record, field))
    spread = st.lists(content.map(partial(record, field)), max_size=MAX_ITEMS).map(b"".join)
    if not field.is_packable:
        return spread
    return st.one_of(spread, st.lists(content, max_size=MAX_ITEMS).map(partial(packed, field)))


def _value(field: Field, encoding: Encoding, depth: int) -> Strategy:
    """One value: a JSON text, or the content in the wire format."""
    message = field.message
    if message is None:
        return _scalar(field.type, encoding) if field.enum is None else _enum(field.enum, encoding)
    if field.type in {"message", "group"} and depth > 0:
        return _message(message, encoding, depth - 1)
    plain = [form.json if encoding is Encoding.JSON else form.wire for form in forms(field)]
    return st.sampled_from([one for one in plain if one is not None])


def _enum(enum: EnumDescriptor, encoding: Encoding) -> Strategy:
    values = enum_values(enum)
    known = st.sampled_from([number for _, number in values])
    numbers = st.one_of(known, known, known, st.integers(*RANGES["int32"]))
    if encoding is Encoding.BINARY:
        return numbers.map(varint)
    names = st.sampled_from([string(name) for name, _ in values])
    return st.one_of(names, names, numbers.map(lambda number: b"%d" % number))


@lru_cache(maxsize=64)
def _scalar(type_: str, encoding: Encoding) -> Strategy:
    if type_ in RANGES:
        integers = st.integers(*RANGES[type_])
        return _both(integers, type_, encoding, lambda value: b"%d" % value)
    if type_ in {"float", "double"}:
        return _both(st.floats(width=32 if type_ == "float" else 64), type_, encoding)
    if type_ == "bool":
        return _both(st.booleans(), type_, encoding)
    if type_ == "bytes":
        binary = st.binary(max_size=MAX_CHARACTERS)
        return _both(binary, type_, encoding, lambda value: b'"%b"' % base64.urlsafe_b64encode(value))
    return _both(st.text(st.characters(exclude_categories=["Cs"]), max_size=MAX_CHARACTERS), type_, encoding)


T = TypeVar("T", bound=bool | int | float | str | bytes)


def _both(
    values: st.SearchStrategy[T], type_: str, encoding: Encoding, also: Callable[[T], bytes] | None = None
) -> Strategy:
    """The values in an encoding; `also` writes the other JSON that readers have to accept."""
    if encoding is Encoding.BINARY:
        return values.map(lambda value: scalar_wire(type_, value))
    usual = values.map(lambda value: scalar_json(type_, value))
    return usual if also is None else st.one_of(usual, values.map(also))


def presence_states(message: Descriptor, encodings: Iterable[Encoding] = tuple(Encoding)) -> st.SearchStrategy[Payload]:
    """Payloads in which every field is in any of its presence states, or absent; of a oneof at most one is there.

    For tests of a program's own reader: the parts of a payload say which field is in which state.
    """
    return st.one_of([_states(message, encoding) for encoding in encodings])


def _states(message: Descriptor, encoding: Encoding) -> st.SearchStrategy[Payload]:
    alone = [field for field in fields_of(message) if field.oneof is None]
    oneofs: dict[str, list[Field]] = {}
    for field in fields_of(message):
        if field.oneof is not None:
            oneofs.setdefault(field.oneof, []).append(field)
    choices = [st.sampled_from(_choices([field], encoding)) for field in alone]
    choices += [st.sampled_from(_choices(members, encoding)) for members in oneofs.values()]
    return st.tuples(*choices).map(lambda chosen: _combined(encoding, [one for one in chosen if one is not None]))


def _choices(fields: Sequence[Field], encoding: Encoding) -> list[tuple[Field, Sample] | None]:
    is_json = encoding is Encoding.JSON
    known = [
        (field, one) for field in fields for one in samples(field) if (one.json if is_json else one.wire) is not None
    ]
    return [*([] if fields[0].is_required else [None]), *known]


def _combined(encoding: Encoding, parts: Sequence[tuple[Field, Sample]]) -> Payload:
    if encoding is Encoding.JSON:
        data = _object([member(field, sample.json) for field, sample in parts])
    else:
        data = b"".join(sample.wire or b"" for _, sample in parts)
    return Payload(
        encoding=encoding,
        data=data,
        path=PLUS.join(field.name for field, _ in parts),
        kind=PLUS.join(field.kind for field, _ in parts) or DOCUMENT,
        state=PLUS.join(sample.state for _, sample in parts) or RANDOM,
        phase=Phase.RANDOM,
    )
