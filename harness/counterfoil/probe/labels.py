"""Names what a payload probes by looking at it, for payloads that have changed since they were made. Pure.

A shrunk payload often shows less than it was made for, and a random one was made for nothing: named by what is left in
it, it is recognised as the finding that it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from google.protobuf.descriptor import Descriptor

from counterfoil.probe import json_tree, looks, wire_tree
from counterfoil.probe.backgrounds import BRACKETS, contents
from counterfoil.probe.edge_members import member_edges
from counterfoil.probe.edge_records import record_edges
from counterfoil.probe.fields import Field, Shape, fields_of
from counterfoil.probe.forms import samples
from counterfoil.probe.payloads import (
    BY_PROTO_NAME,
    DEFAULT,
    DOCUMENT,
    EDGE,
    EMPTY,
    NULL,
    PLUS,
    Encoding,
    Payload,
    Phase,
    type_of,
)
from counterfoil.probe.wire_format import WireType

MAX_PARTS: Final = 3
"""A payload with more fields than this keeps the words it was made with."""
DEEP: Final = 8
"""Levels of messages, from which on only their number matters."""
UNKNOWN_FIELD: Final = "unknown field"


@dataclass(frozen=True, slots=True)
class _Part:
    """A field of a payload with its words, and the bytes that it has there."""

    path: str
    kind: str
    state: str
    data: bytes
    again: Callable[[Sequence[bytes]], str] | None = None
    """What it is called where it occurs more often than it may."""


class _MalformedError(Exception):
    """The payload is no sequence of fields."""


def relabelled(payload: Payload, original: Payload | None, message: Descriptor) -> Payload:
    """The payload as a witness, named by the fields that are in it, hence by its looks alone without an original.

    What still stands in it just as in the original keeps the words of its purpose; so does the one value that was
    probed, where what is left of it is none that has a name. So does a payload as a whole that
    is malformed or holds many fields. Deep nesting is named by its depth.
    """
    witness = replace(payload, phase=Phase.WITNESS)
    try:
        found = list(_parts(payload, message))
    except _MalformedError:
        return witness
    now = _bytes_by_path(found)
    before = _original_bytes(original, message) if original else {}
    purposes = {path: (path, kind, state) for path, kind, state in original.parts} if original else {}
    unchanged = {path for path, data in now.items() if before.get(path) == data}
    outermost = {field.name: field.kind for field in fields_of(message)}
    named = dict.fromkeys(
        _shallow(_purpose(part, purposes) if part.path in unchanged else _words(part, now[part.path]), outermost)
        for part in found
    )
    if len(named) == 1 and original and original.state.startswith(EDGE):
        named = dict.fromkeys(_purpose_or_name(words, purposes) for words in named)
    if not named:
        return replace(witness, path="", kind=DOCUMENT, state=EMPTY)
    if len(named) > MAX_PARTS:
        return witness
    paths, kinds, states = (PLUS.join(words) for words in zip(*named, strict=True))
    return replace(witness, path=paths, kind=kinds, state=states)


def _shallow(words: tuple[str, str, str], outermost: Mapping[str, str]) -> tuple[str, str, str]:
    """Of what stands very deep only the outermost field, and the number of levels under it."""
    path, kind, _state = words
    first, *deeper = path.split(".")
    if len(deeper) < DEEP:
        return words
    return first, outermost.get(first.rstrip("[]{}"), kind), f"nesting of {len(deeper)}"


def _purpose(part: _Part, purposes: dict[str, tuple[str, str, str]]) -> tuple[str, str, str]:
    """(path, kind, state) that an unchanged part was made for, or for something inside it, if it was."""
    inside = (one for one in purposes if one.startswith((f"{part.path}[", f"{part.path}{{")))
    probed = part.path if part.path in purposes else next(inside, None)
    return (part.path, part.kind, part.state) if probed is None else purposes[probed]


def _purpose_or_name(words: tuple[str, str, str], purposes: Mapping[str, tuple[str, str, str]]) -> tuple[str, str, str]:
    path, _kind, state = words
    probed = next((one for one in purposes if one.rstrip("[]{}") == path.rstrip("[]{}")), None)
    return purposes[probed] if probed is not None and looks.is_no_name(state) else words


def _words(part: _Part, occurrences: Sequence[bytes]) -> tuple[str, str, str]:
    """(path, kind, state) of a part by its looks; `occurrences`: the bytes of all parts at its path."""
    if part.again and len(occurrences) > 1:
        return part.path, part.kind, part.again(occurrences)
    return part.path, part.kind, part.state


def _again_in_json(members: Sequence[bytes]) -> str:
    return "duplicate key" if len({one.partition(b":")[0] for one in members}) == 1 else "both spellings"


def _again_in_binary(_records: Sequence[bytes]) -> str:
    return "repeated occurrence"


def _bytes_by_path(parts: Iterable[_Part]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for part in parts:
        found.setdefault(part.path, []).append(part.data)
    return found


def _original_bytes(original: Payload, message: Descriptor) -> dict[str, list[bytes]]:
    try:
        return _bytes_by_path(_parts(original, message))
    except _MalformedError:
        return {}


def _parts(payload: Payload, message: Descriptor) -> Iterator[_Part]:
    if payload.encoding is Encoding.BINARY:
        return _wire_parts(wire_tree.parse(payload.data, message), message, "")
    document = json_tree.parse(payload.data)
    if document.rest or document.bom:
        raise _MalformedError
    return _json_parts(document.root, message, "")


def _unknown(prefix: str, data: bytes, state: str = UNKNOWN_FIELD) -> _Part:
    return _Part(prefix.rstrip("."), "message" if prefix else DOCUMENT, state, data)


# --- JSON ------------------------------------------------------------------------------------------------------------


def _json_parts(node: json_tree.Node, message: Descriptor, prefix: str) -> Iterator[_Part]:
    if not isinstance(node, json_tree.Object) or not node.closed:
        raise _MalformedError
    fields: dict[str | None, Field] = {}
    for field in fields_of(message):
        fields |= {field.name: field, field.json_name: field}
    for member in node.members:
        if not isinstance(member.key, json_tree.String) or member.value is None:
            raise _MalformedError
        data = b"%b:%b" % (_text(member.key), _text(member.value))
        known = fields.get(json_tree.text_of(member.key.raw))
        if known is None:
            yield _unknown(prefix, data)
        else:
            yield from _json_field(member.value, known, prefix, data)


def _text(node: json_tree.Node) -> bytes:
    return json_tree.write(json_tree.Document(node)).strip(b" \t\r\n")


def _json_field(value: json_tree.Node, field: Field, prefix: str, data: bytes) -> Iterator[_Part]:
    path, inside = prefix + field.name, contents(field)
    held = value if field.shape is Shape.SINGULAR else _only_item(value)
    if inside is not None and isinstance(held, json_tree.Object) and held.members:
        yield from _json_parts(held, inside, f"{path}{BRACKETS[field.shape]}.")
        return
    where, state = _json_states(field).get(data, ("", ""))
    if not state and looks.is_number(type_of(field.kind)) and _text(value).strip(b'"') in {b"0", b"0.0"}:
        state = next((one.state for one in samples(field) if one.state == DEFAULT), "")
    if not state:
        state = NULL if _text(value) == b"null" else looks.of_json(_text(value), type_of(field.kind))
    yield _Part(path + where, field.kind, state, data, _again_in_json)


def _only_item(node: json_tree.Node) -> json_tree.Node | None:
    """Of a list or map that has but one."""
    if isinstance(node, json_tree.Array):
        return node.items[0] if len(node.items) == 1 else None
    return node.members[0].value if isinstance(node, json_tree.Object) and len(node.members) == 1 else None


@lru_cache(maxsize=256)
def _json_states(field: Field) -> dict[bytes, tuple[str, str]]:
    """What a member has to look like to have a state, with what that adds to the path."""
    states: dict[bytes, tuple[str, str]] = {}
    for sample in samples(field):
        for name, suffix in ((field.json_name, ""), (field.name, BY_PROTO_NAME)):
            if sample.json is not None:
                states.setdefault(b"%b:%b" % (json_tree.string(name), sample.json), ("", sample.state + suffix))
    for where, state, members in member_edges(field):
        if len(members) == 1:
            states.setdefault(members[0], (where, state))
    return states


# --- the wire format -------------------------------------------------------------------------------------------------


def _wire_parts(message: wire_tree.WireMessage, descriptor: Descriptor, prefix: str) -> Iterator[_Part]:
    if message.rest:
        raise _MalformedError
    fields = {field.number: field for field in fields_of(descriptor)}
    for record in message.records:
        data = wire_tree.write(wire_tree.WireMessage((record,)))
        known = fields.get(record.number)
        if known is None:
            yield _unknown(prefix, data, looks.unknown(record))
        else:
            yield from _wire_field(record, known, prefix, data)


def _wire_field(record: wire_tree.Record, field: Field, prefix: str, data: bytes) -> Iterator[_Part]:
    path, inside, content = prefix + field.name, contents(field), record.content
    if field.shape is Shape.REPEATED and inside is not None and _is_filled(content):
        path += BRACKETS[field.shape]
    elif field.shape is not Shape.SINGULAR:
        inside = None
    if inside is not None and isinstance(content, wire_tree.Nested | wire_tree.Group):
        if content.message.records or content.message.rest:
            yield from _wire_parts(content.message, inside, f"{path}.")
        else:
            yield _Part(path, field.kind, looks.overlong(record) or EMPTY, data, _again_in_binary)
        return
    where, state = _wire_states(field).get(data, ("", ""))
    wire_type = _wire_type(content)
    if wire_type not in {field.wire_type, WireType.LEN if field.is_packable else field.wire_type}:
        state = f"wire type mismatch: {_WIRE_TYPES[wire_type]}"
    again = _again_in_binary if field.shape is Shape.SINGULAR else None
    if not state and field.shape is not Shape.MAP and _has_unknown(content, field.message):
        state = UNKNOWN_FIELD
    yield _Part(path + where, field.kind, state or looks.of_record(record, type_of(field.kind)), data, again)


def _has_unknown(content: wire_tree.Content, inside: Descriptor | None) -> bool:
    """Whether a message that JSON treats specially holds what it does not know."""
    if inside is None or not isinstance(content, wire_tree.Nested):
        return False
    return any(record.number not in inside.fields_by_number for record in content.message.records)


def _is_filled(content: wire_tree.Content) -> bool:
    return isinstance(content, wire_tree.Nested | wire_tree.Group) and bool(content.message.records)


_WIRE_TYPES: Final = {
    WireType.VARINT: "varint",
    WireType.I64: "fixed64",
    WireType.LEN: "length-delimited",
    WireType.START_GROUP: "group",
    WireType.I32: "fixed32",
}


def _wire_type(content: wire_tree.Content) -> WireType:
    match content:
        case wire_tree.Varint():
            return WireType.VARINT
        case wire_tree.Fixed(data):
            return WireType.I32 if len(data) == 4 else WireType.I64  # noqa: PLR2004 - bytes of an I32
        case wire_tree.Group():
            return WireType.START_GROUP
        case _:
            return WireType.LEN


@lru_cache(maxsize=256)
def _wire_states(field: Field) -> dict[bytes, tuple[str, str]]:
    known: Iterable[tuple[str, str, bytes]] = (
        *(("", sample.state, sample.wire) for sample in samples(field) if sample.wire is not None),
        *record_edges(field),
    )
    states: dict[bytes, tuple[str, str]] = {}
    for where, state, data in known:
        states.setdefault(data, (where, state))
    return states
