"""A payload in another order of its keys or records, wherever the specification gives order no meaning. Pure.

Values of one field keep their order among themselves (elements of a list, duplicates, of which the last one counts);
so do the members of one oneof, of which the last one counts as well. Everything else is turned round, at every level.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from google.protobuf.descriptor import Descriptor

from counterfoil.probe import json_tree, wire_tree
from counterfoil.probe.fields import CACHED_MESSAGES, Field, Shape, fields_of
from counterfoil.probe.payloads import Encoding, Payload

T = TypeVar("T")

_FREE_FORM = {"message:google.protobuf.Struct", "message:google.protobuf.Value", "message:google.protobuf.ListValue"}


class _NoOrderError(Exception):
    """It is no whole document, so nothing can be said of its order."""


def reordered(payload: Payload, message: Descriptor) -> Payload | None:
    """The payload turned round; None where there is nothing to turn, or where it is not well-formed."""
    try:
        turned = _json(payload.data, message) if payload.encoding is Encoding.JSON else _binary(payload.data, message)
    except _NoOrderError:
        return None
    return None if turned == payload.data else replace(payload, data=turned)


def _turned(grouped: Iterable[tuple[Hashable, T]]) -> tuple[T, ...]:
    """The groups in reverse, each in its own order. A group stands where its first member stood."""
    groups: dict[Hashable, list[T]] = {}
    for key, one in grouped:
        groups.setdefault(key, []).append(one)
    return tuple(one for group in reversed(groups.values()) for one in group)


# --- JSON ------------------------------------------------------------------------------------------------------------


def _json(data: bytes, message: Descriptor) -> bytes:
    document = json_tree.parse(data)
    if document.rest:
        raise _NoOrderError
    return json_tree.write(replace(document, root=_json_message(document.root, message)))


@lru_cache(maxsize=CACHED_MESSAGES)
def _by_name(message: Descriptor) -> dict[str, Field]:
    return {name: field for field in fields_of(message) for name in (field.name, field.json_name)}


@lru_cache(maxsize=CACHED_MESSAGES)
def _by_number(message: Descriptor | None) -> dict[int, tuple[Hashable, Descriptor | None]]:
    """For each field the group in which it keeps its order, and the message that it holds."""
    fields = fields_of(message) if message else ()
    return {one.number: (("oneof", one.oneof) if one.oneof else ("field", one.number), one.message) for one in fields}


def _json_message(node: json_tree.Node, message: Descriptor) -> json_tree.Node:
    if not isinstance(node, json_tree.Object):
        return node
    fields = _by_name(message)
    members: list[tuple[Hashable, json_tree.Member]] = []
    for member in node.members:
        key, value = _read(node, member)
        known = fields.get(key)
        if known is None:
            members.append((key, member))
        else:
            group = ("oneof", known.oneof) if known.oneof else ("field", known.number)
            turned = _json_field(value, known)
            members.append((group, member if turned is value else json_tree.Member(member.key, turned)))
    return replace(node, members=_turned(members))


def _read(node: json_tree.Object, member: json_tree.Member) -> tuple[str, json_tree.Node]:
    key = json_tree.text_of(member.key.raw) if isinstance(member.key, json_tree.String) else None
    if key is None or member.value is None or not node.closed:
        raise _NoOrderError
    return key, member.value


def _json_field(node: json_tree.Node, field: Field) -> json_tree.Node:
    if field.shape is Shape.MAP:
        return _json_object(node, field.entry[1])
    if field.shape is Shape.REPEATED and isinstance(node, json_tree.Array):
        return replace(node, items=tuple(_json_value(item, field) for item in node.items))
    return _json_value(node, field)


def _json_value(node: json_tree.Node, field: Field) -> json_tree.Node:
    """One value of a field. What is inside an Any is left as it is: its type is not known here."""
    if field.is_plain_message and field.message is not None:
        return _json_message(node, field.message)
    return _json_object(node, None) if field.type in _FREE_FORM else node


def _json_object(node: json_tree.Node, value: Field | None) -> json_tree.Node:
    """Free-form JSON, or a map with values of a kind."""
    if isinstance(node, json_tree.Array) and value is None:
        return replace(node, items=tuple(_json_object(item, None) for item in node.items))
    if not isinstance(node, json_tree.Object):
        return node
    members: list[tuple[Hashable, json_tree.Member]] = []
    for member in node.members:
        key, inside = _read(node, member)
        turned = _json_value(inside, value) if value else _json_object(inside, None)
        members.append((key, replace(member, value=turned)))
    return replace(node, members=_turned(members))


# --- the wire format -------------------------------------------------------------------------------------------------


def _binary(data: bytes, message: Descriptor) -> bytes:
    return wire_tree.write(_wire_message(wire_tree.parse(data, message), message))


def _wire_message(message: wire_tree.WireMessage, descriptor: Descriptor | None) -> wire_tree.WireMessage:
    if message.rest:
        raise _NoOrderError
    fields = _by_number(descriptor)
    records: list[tuple[Hashable, wire_tree.Record]] = []
    for record in message.records:
        group, inside = fields.get(record.number) or (("field", record.number), None)
        content = _wire_content(record.content, inside)
        records.append((group, record if content is record.content else replace(record, content=content)))
    return replace(message, records=_turned(records))


def _wire_content(content: wire_tree.Content, inside: Descriptor | None) -> wire_tree.Content:
    if isinstance(content, wire_tree.Nested) or (isinstance(content, wire_tree.Group) and inside is not None):
        return replace(content, message=_wire_message(content.message, inside))
    return content
