"""Where a probed field stands: its path from the root, and what else is in the message around it. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from google.protobuf.descriptor import Descriptor

from counterfoil.probe.fields import CACHED_MESSAGES, Field, Shape, fields_of
from counterfoil.probe.forms import Sample, best, forms, in_role, member, quoted, record, samples, value_of
from counterfoil.probe.payloads import DEFAULT, NULL, VALUE, Encoding
from counterfoil.probe.wire_format import WireType, tag, varint

MAX_NESTING = 5
MAX_PLACES = 2000
"""Of a huge message the outermost are probed; the types of the others can be roots of their own."""

Fill = Callable[[Field], Sample | None]
"""What a background has in a field that is not probed; None to leave it out."""


@dataclass(frozen=True, slots=True)
class Place:
    """A field, and the fields that lead to the message in which it stands."""

    trail: tuple[Field, ...]
    field: Field

    @property
    def path(self) -> str:
        """For example "items[].product.price", "attributes{}"."""
        steps = [one.name + BRACKETS[one.shape] for one in self.trail]
        return ".".join([*steps, self.field.name])


BRACKETS = {Shape.SINGULAR: "", Shape.REPEATED: "[]", Shape.MAP: "{}"}


def places(message: Descriptor) -> Iterator[Place]:
    """Every field of the message and of the messages in it, the outermost first; types do not recur on a trail."""
    return islice(_places(message), MAX_PLACES)


def _places(message: Descriptor) -> Iterator[Place]:
    waiting: deque[tuple[tuple[Field, ...], Descriptor]] = deque([((), message)])
    while waiting:
        trail, owner = waiting.popleft()
        for field in fields_of(owner):
            yield Place(trail, field)
            inner = contents(field)
            above = {message, *(contents(one) for one in trail)}
            if inner is not None and inner not in above and len(trail) < MAX_NESTING:
                waiting.append(((*trail, field), inner))


def contents(field: Field) -> Descriptor | None:
    """The message that a field holds, or a map's value is, unless JSON treats it specially."""
    one = field.entry[1] if field.shape is Shape.MAP else field
    return one.message if one.is_plain_message else None


@dataclass(frozen=True, slots=True)
class Background:
    """A message with a hole. `outer` are the fields that lead to it, the innermost first, each with its neighbours."""

    before: bytes
    comma: bool
    after: bytes
    neighbours: bytes
    outer: tuple[tuple[Field, bytes], ...]

    def json(self, *members: bytes) -> bytes:
        """The message with these members, each a key and a value, in the hole."""
        separator = b"," if self.comma and members else b""
        return b"%b%b%b%b" % (self.before, separator, b",".join(members), self.after)

    def binary(self, *records: bytes) -> bytes:
        """The message with these records in the hole."""
        data = self.neighbours + b"".join(records)
        for field, neighbours in self.outer:
            data = neighbours + hold(field, data)
        return data


def hold(field: Field, content: bytes) -> bytes:
    """The record of a field, singular, repeated or a map, that holds one message."""
    before, after = frame(field, len(content))
    return before + content + after


def frame(field: Field, length: int) -> tuple[bytes, bytes]:
    """What stands in the wire format before and after the one message, of so many bytes, that a field holds."""
    if field.shape is not Shape.MAP:
        own = tag(field.number, field.wire_type)
        if field.wire_type is WireType.START_GROUP:
            return own, tag(field.number, WireType.END_GROUP)
        return own + varint(length), b""
    key, value = field.entry
    before = record(key, best(forms(key), VALUE).wire or b"") + frame(value, length)[0]
    return tag(field.number, WireType.LEN) + varint(len(before) + length) + before, b""


def brackets(field: Field) -> tuple[bytes, bytes]:
    """What stands in JSON before and after the one message that a field holds."""
    if field.shape is Shape.MAP:
        key = best(forms(field.entry[0]), VALUE).json or b""
        return b"{%b:" % quoted(key), b"}"
    return (b"[", b"]") if field.shape is Shape.REPEATED else (b"", b"")


def background(root: Descriptor, trail: tuple[Field, ...], hole: Iterable[Field], fill: Fill) -> Background:
    """The message around the fields `hole`, which stand at the end of the trail; `fill` says what else there is."""
    before, after, outer = b"", b"", list[tuple[Field, bytes]]()
    owner = root
    for field in trail:
        members, records = _neighbours(owner, (field,), fill)
        opening, closing = brackets(field)
        before += b"{%b%b%b" % (members, b"," if members else b"", member(field, opening))
        after = closing + b"}" + after
        outer.append((field, records))
        owner = contents(field) or owner
    members, records = _neighbours(owner, tuple(hole), fill)
    return Background(before + b"{" + members, bool(members), b"}" + after, records, tuple(reversed(outer)))


def _neighbours(owner: Descriptor, hole: tuple[Field, ...], fill: Fill) -> tuple[bytes, bytes]:
    """The other fields of a message; of each oneof only the first, and none if the hole has one of it."""
    taken = {field.oneof for field in hole}
    members, records = [], []
    for field in fields_of(owner):
        if field in hole or (field.oneof is not None and field.oneof in taken):
            continue
        sample = fill(field)
        if sample is not None:
            taken.add(field.oneof)
            members += [member(field, sample.json)] if sample.json is not None else []
            records += [sample.wire] if sample.wire is not None else []
    return b",".join(members), b"".join(records)


def nothing(field: Field) -> Sample | None:
    """A background of what is required and no more."""
    return value_of(field) if field.is_required else None


def nulls(field: Field) -> Sample | None:
    """A background of nulls; what is required has a value.

    Without lists and maps of what can be null itself, where readers do not agree what null means: one of them would
    have the whole background refused.
    """
    if field.label == "extension" or (field.shape is not Shape.SINGULAR and field.holds_null):
        return None
    return value_of(field) if field.is_required else next(one for one in samples(field) if one.state == NULL)


def defaults(field: Field) -> Sample | None:
    """A background of defaults, written out."""
    if field.label == "extension":
        return None
    in_json, binary = in_role(field, Encoding.JSON, DEFAULT), in_role(field, Encoding.BINARY, DEFAULT)
    return Sample(DEFAULT, None if in_json is None else in_json.json, None if binary is None else binary.wire)


def everything(field: Field) -> Sample | None:
    """A background of values, to the innermost; without extensions and Any, which not every reader resolves."""
    if field.label == "extension" or field.type.endswith(".Any"):
        return None
    inner = contents(field)
    return value_of(field) if inner is None else _full_sample(field)


def _full_sample(field: Field) -> Sample:
    owner = field.descriptor.containing_type
    return _full(field, frozenset() if owner is None else frozenset({owner}))


@lru_cache(maxsize=CACHED_MESSAGES)
def _full(field: Field, above: frozenset[Descriptor]) -> Sample:
    """A field with a message of all its fields in it, apart from types that recur and from what is too deep."""
    inner = contents(field)
    above = above if inner is None else above | {inner}
    taken: set[str] = set()
    members, records = [], []
    for one in fields_of(inner) if inner is not None else ():
        deeper = contents(one)
        is_last = deeper is not None and (deeper in above or len(above) > MAX_NESTING)
        if one.oneof in taken or (is_last and not one.is_required):
            continue
        sample = everything(one) if deeper is None else value_of(one) if is_last else _full(one, above)
        if sample is not None:
            taken |= {one.oneof} if one.oneof else set()
            members.append(member(one, sample.json))
            records.append(sample.wire or b"")
    opening, closing = brackets(field)
    text, content = b"{%b}" % b",".join(members), b"".join(records)
    return Sample(VALUE, opening + text + closing, hold(field, content))
