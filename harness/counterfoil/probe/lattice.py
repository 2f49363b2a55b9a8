"""The exhaustive lattice of presence states of a message. Pure, and in the same order every time.

For a message of n root fields it has, in this order:

- the empty message, and the full one, in both encodings: 4;
- alone: every field, and every field of the messages in it, in every state that it has (see `forms.samples`), in both
  encodings, under both JSON keys: the sum of its states;
- in the full message: each of these in each state apart from "value", and absent, in both encodings, under the JSON
  name;
- alike: all root fields null (JSON), all at their defaults (both encodings), the same without each of them in turn,
  and the defaults with each of them null in turn (JSON): 3 + 4n, and 4 for each that these lack, such as the second of
  a oneof;
- pairs of root fields: in JSON (null, value), (value, null), (default, value), (value, default), (value, value), in
  binary the last three: 8 for each of the n(n-1)/2 pairs, fewer where a type has no value apart from its default.
  Orders and spellings of the keys alternate so that each pair has both of both. Pairs inside a oneof, where the order
  has meaning, come in both orders: 16. A message of at most SMALL_MESSAGE fields has them a second time inside the
  full message, since hand-written readers refuse what lacks a field before they come to look at the rest;
- triples inside a oneof of k: 16 for each of the k(k-1)(k-2)/6, {null, value}^3 in JSON and {default, value}^3 in
  binary, with the six orders alternating.

So every pair of fields stands in every pair of {absent, null, default, value} in at least one payload, and wherever
one of the two has a value, in a payload without anything else. A message of 43 fields has 7,224 pairs of a payload
each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations, cycle, permutations, product

from google.protobuf.descriptor import Descriptor

from counterfoil.probe.backgrounds import (
    Background,
    Place,
    background,
    defaults,
    everything,
    nothing,
    nulls,
    places,
)
from counterfoil.probe.fields import Field, fields_of
from counterfoil.probe.forms import Sample, in_role, member, samples
from counterfoil.probe.payloads import (
    ABSENT,
    BY_PROTO_NAME,
    DEFAULT,
    DOCUMENT,
    EMPTY,
    NULL,
    PLUS,
    VALUE,
    Encoding,
    Payload,
    Phase,
)

SMALL_MESSAGE = 12
PAIRED = {
    Encoding.JSON: ((NULL, VALUE), (VALUE, NULL), (DEFAULT, VALUE), (VALUE, DEFAULT), (VALUE, VALUE)),
    Encoding.BINARY: ((DEFAULT, VALUE), (VALUE, DEFAULT), (VALUE, VALUE)),
}
EVERY = {
    Encoding.JSON: tuple(product((NULL, DEFAULT, VALUE), repeat=2)),
    Encoding.BINARY: tuple(product((DEFAULT, VALUE), repeat=2)),
}
"""Of two fields that no background has together."""
TRIPLED = {
    Encoding.JSON: tuple(product((NULL, VALUE), repeat=3)),
    Encoding.BINARY: tuple(product((DEFAULT, VALUE), repeat=3)),
}
ARRANGEMENTS = ((0, 0), (1, 1), (0, 1), (1, 0))
"""Of a pair: whether it is reversed, and the spelling of its keys. The first two have both of both, as the last two."""
Part = tuple[Field, Sample]


def lattice(message: Descriptor) -> Iterator[Payload]:
    """Every payload of the lattice."""
    yield from _whole(background(message, (), (), nothing), "", DOCUMENT, EMPTY)
    yield from _whole(background(message, (), (), everything), "", DOCUMENT, VALUE)
    for place in places(message):
        yield from _alone(message, place)
    for place in places(message):
        yield from _in_full(message, place)
    yield from _alike(message)
    yield from _pairs(message, lambda *hole: background(message, (), hole, nothing))
    if len(fields_of(message)) <= SMALL_MESSAGE:
        yield from _pairs(message, lambda *hole: background(message, (), hole, everything))
    yield from _triples(message)


def _whole(around: Background, path: str, kind: str, state: str) -> Iterator[Payload]:
    """A background as it is, in both encodings."""
    for encoding in Encoding:
        data = around.json() if encoding is Encoding.JSON else around.binary()
        yield _payload(encoding, data, (path, kind, state))


def _payload(encoding: Encoding, data: bytes, words: tuple[str, str, str]) -> Payload:
    path, kind, state = words
    return Payload(encoding=encoding, data=data, path=path, kind=kind, state=state, phase=Phase.LATTICE)


def _alone(message: Descriptor, place: Place) -> Iterator[Payload]:
    field, path = place.field, place.path
    around = background(message, place.trail, (field,), nothing)
    for sample in samples(field):
        if sample.json is not None:
            for spelling, suffix in zip(range(len(field.spellings)), ("", BY_PROTO_NAME), strict=False):
                data = around.json(member(field, sample.json, spelling))
                yield _payload(Encoding.JSON, data, (path, field.kind, sample.state + suffix))
        if sample.wire is not None:
            yield _payload(Encoding.BINARY, around.binary(sample.wire), (path, field.kind, sample.state))


def _in_full(message: Descriptor, place: Place) -> Iterator[Payload]:
    """Fields that the full message lacks, such as the second of a oneof, have their values here."""
    field, path = place.field, place.path
    around = background(message, place.trail, (field,), everything)
    yield from _whole(around, path, field.kind, ABSENT)
    first_of_oneof = next((one for one in fields_of(_owner(message, place)) if one.oneof == field.oneof), field)
    is_there = (field.oneof is None or first_of_oneof is field) and everything(field) is not None
    for sample in samples(field):
        if sample.state == VALUE and is_there:
            continue
        if sample.json is not None:
            data = around.json(member(field, sample.json))
            yield _payload(Encoding.JSON, data, (path, field.kind, sample.state))
        if sample.wire is not None:
            yield _payload(Encoding.BINARY, around.binary(sample.wire), (path, field.kind, sample.state))


def _owner(message: Descriptor, place: Place) -> Descriptor:
    owner = place.field.descriptor.containing_type
    return message if owner is None else owner


def _alike(message: Descriptor) -> Iterator[Payload]:
    """A background has only the first of a oneof, and may lack others: what it lacks is added to it in turn."""
    yield _payload(Encoding.JSON, background(message, (), (), nulls).json(), ("", DOCUMENT, NULL))
    yield from _whole(background(message, (), (), defaults), "", DOCUMENT, DEFAULT)
    outside = _outside(message)
    for field in fields_of(message):
        among_nulls = background(message, (), (field,), nulls)
        among_defaults = background(message, (), (field,), defaults)
        words = (field.name, field.kind, ABSENT)
        yield _payload(Encoding.JSON, among_nulls.json(), words)
        yield from _whole(among_defaults, *words)
        yield from _with(among_defaults, field, Encoding.JSON, NULL)
        if field in outside:
            yield from _with(among_nulls, field, Encoding.JSON, NULL)
            yield from _with(among_nulls, field, Encoding.JSON, DEFAULT)
            for encoding in Encoding:
                yield from _with(among_defaults, field, encoding, DEFAULT)


def _outside(message: Descriptor) -> list[Field]:
    """The fields that a background lacks: all but the first of each oneof, and those of which `nulls` has none."""
    firsts: dict[str, Field] = {}
    fields = fields_of(message)
    return [one for one in fields if nulls(one) is None or (one.oneof and firsts.setdefault(one.oneof, one) is not one)]


def _with(around: Background, field: Field, encoding: Encoding, role: str) -> Iterator[Payload]:
    sample = in_role(field, encoding, role)
    if sample is not None:
        yield _together(encoding, around, ((field, sample),), 0)


def _pairs(message: Descriptor, around: Callable[..., Background]) -> Iterator[Payload]:
    fields = fields_of(message)
    roles = {
        (encoding, field.number, role): sample
        for encoding in Encoding
        for field in fields
        for role in (NULL, DEFAULT, VALUE)
        if (sample := in_role(field, encoding, role)) is not None
    }
    outside = _outside(message)
    for turn, (one, other) in enumerate(combinations(fields, 2)):
        in_oneof = one.oneof is not None and one.oneof == other.oneof
        hole = around(one, other)
        for encoding, paired in (EVERY if one in outside and other in outside else PAIRED).items():
            arrangements = cycle(ARRANGEMENTS[2:] + ARRANGEMENTS[:2] if turn & 1 else ARRANGEMENTS)
            for role, other_role in paired:
                sample = roles.get((encoding, one.number, role))
                other_sample = roles.get((encoding, other.number, other_role))
                if sample is None or other_sample is None:
                    continue
                parts = ((one, sample), (other, other_sample))
                reverse, spelling = next(arrangements)
                yield _together(encoding, hole, parts[::-1] if reverse else parts, spelling)
                if in_oneof:
                    yield _together(encoding, hole, parts if reverse else parts[::-1], spelling)


def _together(encoding: Encoding, around: Background, parts: Iterable[Part], spelling: int) -> Payload:
    """Several fields in one message; with a spelling of 1, those that have another name in the schema go by that."""
    paths, kinds, states, pieces = [], [], [], []
    for field, sample in parts:
        state = sample.state
        if encoding is Encoding.JSON:
            by_proto_name = len(field.spellings) > 1 and spelling == 1
            pieces.append(member(field, sample.json, int(by_proto_name)))
            state = state + BY_PROTO_NAME if by_proto_name else state
        else:
            pieces.append(sample.wire or b"")
        paths.append(field.name)
        kinds.append(field.kind)
        states.append(state)
    data = around.json(*pieces) if encoding is Encoding.JSON else around.binary(*pieces)
    return _payload(encoding, data, (PLUS.join(paths), PLUS.join(kinds), PLUS.join(states)))


def _triples(message: Descriptor) -> Iterator[Payload]:
    fields = [one for one in fields_of(message) if one.oneof is not None]
    orders = list(permutations(range(3)))
    for turn, three in enumerate(combinations(fields, 3)):
        if len({one.oneof for one in three}) > 1:
            continue
        around = background(message, (), three, nothing)
        for encoding, tripled in TRIPLED.items():
            for index, roles in enumerate(tripled, turn):
                found = [in_role(one, encoding, role) for one, role in zip(three, roles, strict=True)]
                parts = [(one, sample) for one, sample in zip(three, found, strict=True) if sample is not None]
                if len(parts) == len(three):
                    order = orders[index % len(orders)]
                    yield _together(encoding, around, [parts[position] for position in order], index & 1)
