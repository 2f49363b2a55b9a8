"""A payload without what it probes: what differs there too is not about the probed field. Pure.

The lattice probes every field in the full message as well. If one field of that message is read differently, all these
payloads are, and each would look like a finding about another field. Few surroundings occur, so asking costs little.
"""

from __future__ import annotations

from dataclasses import replace

from google.protobuf.descriptor import Descriptor

from counterfoil.probe import json_tree, wire_tree
from counterfoil.probe.fields import Field, fields_of
from counterfoil.probe.payloads import DOCUMENT, VALUE, Encoding, Payload


def surroundings(payload: Payload, message: Descriptor) -> Payload | None:
    """The payload without its probed fields, and without what the message does not know; None where nothing is left."""
    data = _json_known(payload.data, message) if payload.encoding is Encoding.JSON else _known(payload.data, message)
    for path, _kind, _state in payload.parts:
        names = path.replace("[]", "").replace("{}", "").split(".")
        data = _json(data, message, names) if payload.encoding is Encoding.JSON else _binary(data, message, names)
    if data in {payload.data, b"", b"{}"}:
        return None
    return replace(payload, data=data, path="", kind=DOCUMENT, state=VALUE)


def _json_known(data: bytes, message: Descriptor) -> bytes:
    root = json_tree.parse(data).root
    known = {name for field in fields_of(message) for name in (field.name, field.json_name)}
    if isinstance(root, json_tree.Object):
        root = replace(root, members=tuple(one for one in root.members if _key(one) in known), gap=json_tree.NO_GAP)
    return json_tree.write(json_tree.Document(root))


def _key(member: json_tree.Member) -> str | None:
    return json_tree.text_of(member.key.raw) if isinstance(member.key, json_tree.String) else None


def _known(data: bytes, message: Descriptor) -> bytes:
    numbers = {field.number for field in fields_of(message)}
    records = wire_tree.parse(data, message).records
    return wire_tree.write(wire_tree.WireMessage(tuple(one for one in records if one.number in numbers)))


def _fields(message: Descriptor) -> dict[str, Field]:
    return {field.name: field for field in fields_of(message)}


def _json(data: bytes, message: Descriptor, path: list[str]) -> bytes:
    document = json_tree.parse(data)
    return json_tree.write(replace(document, root=_json_without(document.root, message, path)))


def _json_without(node: json_tree.Node, message: Descriptor, path: list[str]) -> json_tree.Node:
    """The object without the member at a path; a message on the way that holds nothing else goes too."""
    field = _fields(message).get(path[0])
    if field is None or not isinstance(node, json_tree.Object):
        return node
    members = []
    for member in node.members:
        if _key(member) not in {field.name, field.json_name}:
            members.append(member)
        elif len(path) > 1 and field.message is not None and member.value is not None:
            inside = _json_without(member.value, field.message, path[1:])
            if not isinstance(inside, json_tree.Object) or inside.members:
                members.append(replace(member, value=inside))
    return replace(node, members=tuple(members))


def _binary(data: bytes, message: Descriptor, path: list[str]) -> bytes:
    return wire_tree.write(_wire_without(wire_tree.parse(data, message), message, path))


def _wire_without(node: wire_tree.WireMessage, message: Descriptor, path: list[str]) -> wire_tree.WireMessage:
    field = _fields(message).get(path[0])
    if field is None:
        return node
    records = []
    for record in node.records:
        content = record.content
        if record.number != field.number:
            records.append(record)
        elif len(path) > 1 and field.message is not None and isinstance(content, wire_tree.Nested | wire_tree.Group):
            inside = _wire_without(content.message, field.message, path[1:])
            if inside.records or inside.rest:
                records.append(replace(record, content=replace(content, message=inside)))
    return replace(node, records=tuple(records))
