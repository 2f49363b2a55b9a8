"""Payloads for service stubs: a message that services really exchange, with one field at a time in another state. Pure.

Code that validates refuses the bare messages of the lattice before it comes to look at the field that they probe. What
it reads is in the pacts: a body that every service reads is the ground, and all else in it stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from google.protobuf.descriptor import Descriptor

from counterfoil.probe.backgrounds import BRACKETS, contents
from counterfoil.probe.fields import Field, Shape, fields_of
from counterfoil.probe.forms import samples, value_of
from counterfoil.probe.payloads import ABSENT, DOCUMENT, VALUE, Encoding, Payload, Phase

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
    """The body with each field of it, and of the messages in it, absent and in every state that it has."""
    yield from _states(message, body, "", lambda whole: whole)


def still_probes(candidate: Payload, original: Payload, message: Descriptor) -> bool:
    """Whether a smaller payload has the probed field in the state in which the original has it, in the same place."""
    return probed(candidate, message) == probed(original, message) != (GONE,)


def probed(payload: Payload, message: Descriptor) -> tuple[str, ...]:
    """What stands at the probed place, in the first of several: its absence, a scalar, or the sort of a collection."""
    try:
        node = json.loads(payload.data)
    except ValueError:
        return (GONE,)
    *parents, last = payload.path.replace("[]", "").split(".")
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
    if isinstance(value, dict | list):
        return (type(value).__name__, str(bool(value)))
    return (json.dumps(value),)


def _key(field: Field, body: dict[str, Any]) -> str:
    """The name under which a body has a field, or would have it."""
    return field.name if field.name in body else field.json_name


def _first(value: object) -> object:
    return next(iter(value), None) if isinstance(value, list) else value


def _states(message: Descriptor, body: dict[str, Any], prefix: str, put: Write) -> Iterator[Payload]:
    for field in fields_of(message):
        path = f"{prefix}{field.name}"
        key = _key(field, body)
        rest = {name: value for name, value in body.items() if name != key}
        if key in body:
            yield _payload(put(rest), path, field.kind, ABSENT)
        for sample in samples(field):
            if sample.json is not None and not (sample.state == VALUE and key in body):
                yield _payload(put(rest | {key: json.loads(sample.json)}), path, field.kind, sample.state)
        yield from _inside(field, body.get(key), path, partial(_put_back, put, body, key))


def _put_back(put: Write, body: dict[str, Any], key: str, inner: object) -> dict[str, Any]:
    return put({**body, key: inner})


def _inside(field: Field, value: object, path: str, put: Callable[[object], dict[str, Any]]) -> Iterator[Payload]:
    """The same for the message that a field holds, or for the first of several."""
    inner = contents(field)
    prefix = f"{path}{BRACKETS[field.shape]}."
    if inner is None or not value:
        return
    if field.shape is Shape.SINGULAR and isinstance(value, dict):
        yield from _states(inner, value, prefix, put)
    elif field.shape is Shape.REPEATED and isinstance(value, list) and isinstance(value[0], dict):
        yield from _states(inner, value[0], prefix, lambda one: put([one, *value[1:]]))


def _payload(body: dict[str, Any], path: str, kind: str, state: str) -> Payload:
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return Payload(encoding=Encoding.JSON, data=data, path=path, kind=kind, state=state, phase=Phase.LATTICE)
