"""Curated edge values, each a payload: of every field's type, of its key or tag, and of the whole message. Pure.

They stand in a message that has nothing else (but what is required). In a message of few fields they stand in the
full message too, since hand-written readers refuse what lacks a field before they come to look at the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor

from counterfoil.probe.backgrounds import Fill, Place, background, everything, nothing, places
from counterfoil.probe.edge_documents import binary_documents, json_documents
from counterfoil.probe.edge_members import member_edges
from counterfoil.probe.edge_records import record_edges
from counterfoil.probe.fields import fields_of
from counterfoil.probe.lattice import SMALL_MESSAGE
from counterfoil.probe.payloads import DOCUMENT, Encoding, Payload, Phase


def edges(message: Descriptor) -> Iterator[Payload]:
    """Every curated payload of a message, in the same order every time."""
    fills: tuple[Fill, ...] = (nothing, everything) if len(fields_of(message)) <= SMALL_MESSAGE else (nothing,)
    for fill in fills:
        yield from _documents(message, fill)
        for place in places(message):
            yield from _of_field(message, place, fill)


def _documents(message: Descriptor, fill: Fill) -> Iterator[Payload]:
    around = background(message, (), (), fill)
    for state, data in json_documents(message, around.json()):
        yield _payload(Encoding.JSON, data, ("", DOCUMENT, state))
    for state, data in binary_documents(message, around.binary()):
        yield _payload(Encoding.BINARY, data, ("", DOCUMENT, state))


def _of_field(message: Descriptor, place: Place, fill: Fill) -> Iterator[Payload]:
    field, path = place.field, place.path
    around = background(message, place.trail, (field,), fill)
    for where, state, members in member_edges(field):
        yield _payload(Encoding.JSON, around.json(*members), (path + where, field.kind, state))
    for where, state, records in record_edges(field):
        yield _payload(Encoding.BINARY, around.binary(records), (path + where, field.kind, state))


def _payload(encoding: Encoding, data: bytes, words: tuple[str, str, str]) -> Payload:
    path, kind, state = words
    return Payload(encoding=encoding, data=data, path=path, kind=kind, state=state, phase=Phase.EDGES)
