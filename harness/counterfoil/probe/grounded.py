"""Payloads for service stubs: a message that services really exchange, with one field at a time in another state. Pure.

Code that validates refuses the bare messages of the lattice before it comes to look at the field that they probe. What
it reads is in the pacts: a body that every service reads is the ground, and all else in it stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor

from counterfoil.probe.allowed_edges import allowed_edges
from counterfoil.probe.backgrounds import BRACKETS, contents
from counterfoil.probe.differences import folded
from counterfoil.probe.fields import Field, Shape, fields_of
from counterfoil.probe.forms import quoted, samples, value_of
from counterfoil.probe.payloads import ABSENT, DOCUMENT, EDGE, VALUE, Encoding, Payload, Phase

BODIES = ("request", "response")
GONE = "gone"
"""The place itself is no longer there."""
Write = Callable[[dict[str, Any]], dict[str, Any]]
"""Puts a changed object back into the whole document."""


def bodies(pact: object) -> Iterator[dict[str, Any]]:
    """Every JSON object that a pact file, of whatever version, has as the body of a request, response or message."""
    if not isinstance(pact, dict):
        return
    for section in ("interactions", "messages"):
        for interaction in pact.get(section) or ():
            parts = [interaction.get(name, {}).get("body") for name in BODIES]
            for part in (*parts, interaction.get("contents")):
                body = part.get("content") if isinstance(part, dict) and "contentType" in part else part
                if isinstance(body, dict):
                    yield body


def made_up(message: Descriptor) -> dict[str, Any]:
    """A body with a value in every field, of a oneof in the first: what is left where no pact has one."""
    first_of = {field.oneof or field.name: field for field in reversed(fields_of(message))}
    chosen = {field.json_name: value_of(field).json for field in first_of.values()}
    return {name: json.loads(value) for name, value in sorted(chosen.items()) if value is not None}


def ground(body: dict[str, Any]) -> Payload:
    """A body as the payload that all others are made from."""
    return _payload(body, "", DOCUMENT, VALUE)


def grounded(message: Descriptor, body: dict[str, Any]) -> Iterator[Payload]:
    """The body with each field of it, and of the messages in it, in every state that it has, then at its edges."""
    places = list(_places(message, body, "", lambda whole: whole))
    for vary in (_states, _edges):
        for place in places:
            yield from vary(place)


def ground_at(message: Descriptor, body: dict[str, Any], place: str) -> Payload:
    """The body as a payload that is about the field at a path in an observation, however that spells its name."""
    path, kind, inner = "", DOCUMENT, message
    for name in folded(place).replace("[]", "").split("."):
        field = next((one for one in fields_of(inner) if folded(one.name) == name), None)
        if field is None:
            break
        path, kind = f"{path}{field.name}", field.kind
        deeper = contents(field)
        if deeper is None or not folded(place).startswith(f"{folded(path)}{BRACKETS[field.shape]}."):
            break
        path, inner = f"{path}{BRACKETS[field.shape]}.", deeper
    return _payload(body, path, kind, VALUE)


def still_probes(candidate: Payload, original: Payload, message: Descriptor) -> bool:
    """Whether a smaller payload has the probed field in the state in which the original has it, in the same place."""
    return probed(candidate, message) == probed(original, message) != (GONE,)


def probed(payload: Payload, message: Descriptor) -> tuple[str, ...]:
    """What stands at the probed place, in the first of several: its absence, a scalar, or the sort of a collection."""
    try:
        node = json.loads(payload.data)
    except ValueError:
        return (GONE,)
    *parents, last = payload.path.replace("[]", "").replace("{}", "").split(".")
    for name in parents:
        field = next((one for one in fields_of(message) if one.name == name), None)
        inner = contents(field) if field else None
        if field is None or inner is None or not isinstance(node, dict):
            return (GONE,)
        message, node = inner, _first(node.get(_key(field, node)))
    field = next((one for one in fields_of(message) if one.name == last), None)
    if field is None or not isinstance(node, dict):
        return () if not payload.path else (GONE,)
    key = _key(field, node)
    if key not in node:
        return (ABSENT,)
    value = node[key]
    if isinstance(value, dict | list) and not payload.state.startswith(EDGE):
        return (type(value).__name__, str(bool(value)))
    return (json.dumps(value),)


def _key(field: Field, body: dict[str, Any]) -> str:
    """The name under which a body has a field, or would have it."""
    return field.name if field.name in body else field.json_name


def _first(value: object) -> object:
    return next(iter(value), None) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class _Place:
    """A field of an object in the body, and how to put the changed object back into the whole."""

    field: Field
    path: str
    around: dict[str, Any]
    put: Write

    @property
    def key(self) -> str:
        """The name under which the object has the field, or would have it."""
        return _key(self.field, self.around)

    def without(self) -> dict[str, Any]:
        """The whole without the field."""
        return self.put({name: value for name, value in self.around.items() if name != self.key})

    def having(self, value: object) -> dict[str, Any]:
        """The whole with another value in the field."""
        rest = {name: other for name, other in self.around.items() if name != self.key}
        return self.put(rest | {self.key: value})


def _states(place: _Place) -> Iterator[Payload]:
    field, is_there = place.field, place.key in place.around
    if is_there:
        yield _payload(place.without(), place.path, field.kind, ABSENT)
    for sample in samples(field):
        if sample.json is not None and not (sample.state == VALUE and is_there):
            yield _payload(place.having(json.loads(sample.json)), place.path, field.kind, sample.state)


def _edges(place: _Place) -> Iterator[Payload]:
    field = place.field
    of_value = field.entry[1] if field.shape is Shape.MAP else field
    path = f"{place.path}{BRACKETS[field.shape]}"
    for name, text in allowed_edges(of_value):
        value = json.loads(text)
        if field.shape is Shape.MAP:
            key, _ = field.entry
            value = {json.loads(quoted(value_of(key).json or b"")): value}
        elif field.shape is Shape.REPEATED:
            value = [value]
        yield _payload(place.having(value), path, field.kind, EDGE + name, Phase.EDGES)


def _places(message: Descriptor, body: dict[str, Any], prefix: str, put: Write) -> Iterator[_Place]:
    for field in fields_of(message):
        place = _Place(field, f"{prefix}{field.name}", body, put)
        yield place
        yield from _inside(field, body.get(place.key), place.path, place.having)


def _inside(field: Field, value: object, path: str, put: Callable[[object], dict[str, Any]]) -> Iterator[_Place]:
    """The same for the message that a field holds, or for the first of several."""
    inner = contents(field)
    prefix = f"{path}{BRACKETS[field.shape]}."
    if inner is None or not value:
        return
    if field.shape is Shape.SINGULAR and isinstance(value, dict):
        yield from _places(inner, value, prefix, put)
    elif field.shape is Shape.REPEATED and isinstance(value, list) and isinstance(value[0], dict):
        yield from _places(inner, value[0], prefix, lambda one: put([one, *value[1:]]))


def _payload(body: dict[str, Any], path: str, kind: str, state: str, phase: Phase = Phase.LATTICE) -> Payload:
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return Payload(encoding=Encoding.JSON, data=data, path=path, kind=kind, state=state, phase=phase)
