"""Makes a payload smaller while it still shows what it shows. Structural, over the trees of both encodings. Pure.

Candidates are judged in batches, so that whoever judges them can have many under way at once. The same judge and
payload always lead to the same result. Every step makes the payload smaller (in bytes, then in their order): it ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Final, TypeVar

from google.protobuf.descriptor import Descriptor

from counterfoil.probe import json_tree, wire_tree
from counterfoil.probe.payloads import Encoding, Payload

T = TypeVar("T")
Judge = Callable[[Sequence[Payload]], Sequence[bool]]
"""Which of the payloads still show it."""

BATCH: Final = 32
MAX_CANDIDATES: Final = 4000
MAX_PIECES: Final = 64
MAX_LAYERS: Final = 1000
MAX_SIMPLER_UNITS: Final = 16
NO_UTF8: Final = b"\x80"
"""The least bytes that are no UTF-8."""
BEYOND_DOUBLES: Final = b"%d" % (2**53 + 1)
"""The least integer that is no double."""
_ESCAPES: Final = re.compile(rb"\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL)


def shrink(
    payload: Payload,
    is_still: Judge,
    message: Descriptor | None = None,
    *,
    max_candidates: int = MAX_CANDIDATES,
    batch: int = BATCH,
) -> Payload:
    """The smallest payload found that is still what the judge looks for.

    With the descriptor of its message, a binary payload is also taken apart inside its nested messages. At most about
    `max_candidates` payloads are judged, of which `batch` at most at a time.
    """
    left = max_candidates
    current = payload
    tried = {payload.data}
    while left > 0:
        candidates = _candidates(current, message, tried)
        size = 1  # the boldest candidate is often enough, so it is tried alone
        while tried_now := list(islice(candidates, min(size, left))):
            left -= len(tried_now)
            size = min(2 * size, batch)
            better = [one for one, still in zip(tried_now, is_still(tried_now), strict=True) if still]
            if better:
                current = min(better, key=_size)
                break
            if left <= 0:
                return current
        else:
            break
    return current


def _size(payload: Payload) -> tuple[int, bytes]:
    return len(payload.data), payload.data


def _candidates(payload: Payload, message: Descriptor | None, tried: set[bytes]) -> Iterator[Payload]:
    """Smaller payloads that were not tried yet, from the boldest to the most careful."""
    variants = _json_documents(payload.data) if payload.encoding is Encoding.JSON else _wire(payload.data, message)
    for data in variants:
        if data not in tried and (len(data), data) < _size(payload):
            tried.add(data)
            yield replace(payload, data=data)


def _peeled(outer: T, inside: Callable[[T], T | None]) -> Iterator[T]:
    """What is nested in something, at half of its depth, a quarter and so on: deep nesting is left in few steps."""
    layers = [outer]
    while len(layers) <= MAX_LAYERS and (inner := inside(layers[-1])) is not None:
        layers.append(inner)
    step = len(layers) // 2
    while step > 1:
        yield layers[step]
        step //= 2


def _without(items: Sequence[T]) -> Iterator[tuple[T, ...]]:
    """The items without all of them, without each half, each quarter, and so on down to the finest pieces."""
    kept = tuple(items)
    for start, end in _pieces(len(kept)):
        yield kept[:start] + kept[end:]


def _shorter(data: bytes) -> Iterator[bytes]:
    for start, end in _pieces(len(data)):
        yield data[:start] + data[end:]


def _pieces(size: int) -> Iterator[tuple[int, int]]:
    """Ranges to leave out, from all to single items; of what is long to a 64th, which gets shorter with it."""
    piece = size
    while piece and size // piece <= MAX_PIECES:
        for start in range(0, size, piece):
            yield start, start + piece
        piece //= 2


def _each(items: Sequence[T], variants: Callable[[T], Iterable[T]]) -> Iterator[tuple[T, ...]]:
    """The items with one of them replaced by one of its variants."""
    for index, item in enumerate(items):
        for variant in variants(item):
            yield (*items[:index], variant, *items[index + 1 :])


# --- JSON ------------------------------------------------------------------------------------------------------------


def _json_documents(data: bytes) -> Iterator[bytes]:
    document = json_tree.parse(data)
    simpler = [replace(document, root=_tight(document.root))]
    if document.bom:
        simpler.append(replace(document, bom=False))
    simpler += [replace(document, rest=rest) for rest in _shorter(document.rest)]
    yield from map(json_tree.write, simpler)
    for root in chain(_peeled(document.root, _json_inside), _json(document.root)):
        yield json_tree.write(replace(document, root=root))


def _json_inside(node: json_tree.Node) -> json_tree.Node | None:
    """The object in the only member of an object."""
    if isinstance(node, json_tree.Object) and len(node.members) == 1:
        return next(_objects_in(node.members[0].value), None)
    return None


def _tight(node: json_tree.Node) -> json_tree.Node:
    """The same without white space."""
    match node:
        case json_tree.Object():
            members = tuple(
                json_tree.Member(
                    replace(member.key, gap=json_tree.NO_GAP), None if member.value is None else _tight(member.value)
                )
                for member in node.members
            )
            return replace(node, members=members, gap=json_tree.NO_GAP, inside=b"")
        case json_tree.Array():
            return replace(node, items=tuple(map(_tight, node.items)), gap=json_tree.NO_GAP, inside=b"")
        case json_tree.Scalar() | json_tree.String():
            return replace(node, gap=json_tree.NO_GAP)


def _json(node: json_tree.Node) -> Iterator[json_tree.Node]:
    match node:
        case json_tree.Object():
            yield from _json_object(node)
        case json_tree.Array():
            for items in (*_without(node.items), *_each(node.items, _json)):
                yield replace(node, items=items)
            yield from (item for item in node.items if isinstance(item, json_tree.Array))
        case json_tree.String():
            for units in (*_without(_ESCAPES.findall(node.raw)), *_simpler(_ESCAPES.findall(node.raw))):
                yield replace(node, raw=b"".join(units))
            for raw in (b"a", NO_UTF8, BEYOND_DOUBLES):
                yield replace(node, raw=raw)
        case json_tree.Scalar():
            for text in (b"0", b"1", b"-1", BEYOND_DOUBLES, *_shorter(node.text)):
                yield replace(node, text=text)


def _simpler(units: Sequence[bytes]) -> Iterator[tuple[bytes, ...]]:
    """Of a short text, one digit or letter replaced by the first of its sort."""
    if len(units) <= MAX_SIMPLER_UNITS:
        yield from _each(units, lambda unit: (b"0", b"1") if unit.isdigit() else (b"a",) if unit.isalpha() else ())


def _json_object(node: json_tree.Object) -> Iterator[json_tree.Node]:
    for members in _without(node.members):
        yield replace(node, members=members)
    for member in node.members:
        yield from _objects_in(member.value)
    for members in _each(node.members, _json_member):
        yield replace(node, members=members)


def _objects_in(node: json_tree.Node | None) -> Iterator[json_tree.Node]:
    """What can stand for the object around it where a message contains itself, directly or in a list."""
    if isinstance(node, json_tree.Object):
        yield node
    elif isinstance(node, json_tree.Array):
        yield from (item for item in node.items if isinstance(item, json_tree.Object))


def _json_member(member: json_tree.Member) -> Iterator[json_tree.Member]:
    if member.value is not None:
        for value in _json(member.value):
            yield replace(member, value=value)


# --- the wire format -------------------------------------------------------------------------------------------------


def _wire(data: bytes, message: Descriptor | None) -> Iterator[bytes]:
    return map(wire_tree.write, _wire_message(wire_tree.parse(data, message)))


def _wire_message(message: wire_tree.WireMessage) -> Iterator[wire_tree.WireMessage]:
    for records in _without(message.records):
        yield replace(message, records=records)
    for rest in _shorter(message.rest):
        yield replace(message, rest=rest)
    yield from _peeled(message, _wire_inside)
    for record in message.records:
        if isinstance(record.content, wire_tree.Nested | wire_tree.Group):
            yield record.content.message
    for records in _each(message.records, _wire_record):
        yield replace(message, records=records)


def _wire_inside(message: wire_tree.WireMessage) -> wire_tree.WireMessage | None:
    """The message in the only record of a message."""
    content = message.records[0].content if len(message.records) == 1 else None
    return content.message if isinstance(content, wire_tree.Nested | wire_tree.Group) else None


def _wire_record(record: wire_tree.Record) -> Iterator[wire_tree.Record]:
    for size in _sizes(record.tag_size):
        yield replace(record, tag_size=size)
    for content in _wire_content(record.content):
        yield replace(record, content=content)


def _wire_content(content: wire_tree.Content) -> Iterator[wire_tree.Content]:
    match content:
        case wire_tree.Varint() | wire_tree.Fixed():
            yield from _wire_scalar(content)
        case wire_tree.Group():
            for message in _wire_message(content.message):
                yield replace(content, message=message)
        case _:
            yield from _wire_delimited(content)
            for size in _sizes(content.length_size):
                yield replace(content, length_size=size)


def _wire_delimited(content: wire_tree.Chunk | wire_tree.Packed | wire_tree.Nested) -> Iterator[wire_tree.Content]:
    match content:
        case wire_tree.Chunk():
            for data in (*_shorter(content.data), b"a", NO_UTF8):
                yield replace(content, data=data)
        case wire_tree.Packed():
            for items in (*_without(content.items), *_each(content.items, _wire_scalar)):
                yield replace(content, items=items)
            for rest in _shorter(content.rest):
                yield replace(content, rest=rest)
        case wire_tree.Nested():
            for message in _wire_message(content.message):
                yield replace(content, message=message)


def _wire_scalar(scalar: wire_tree.Varint | wire_tree.Fixed) -> Iterator[wire_tree.Varint | wire_tree.Fixed]:
    if isinstance(scalar, wire_tree.Fixed):
        yield wire_tree.Fixed(bytes(len(scalar.data)))
        return
    for size in _sizes(scalar.size):
        yield wire_tree.Varint(scalar.value, size)
    for value in (0, 1, int(BEYOND_DOUBLES), scalar.value >> 1, scalar.value & 0xFFFF_FFFF):
        yield wire_tree.Varint(value, scalar.size)


def _sizes(size: int) -> tuple[int, ...]:
    """Smaller sizes of an overlong varint; 0 is the least that it takes."""
    return (0, size - 1) if size else ()
