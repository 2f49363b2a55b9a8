"""In what an element travels: the messages that have a type in them, and the RPCs that send or answer it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from counterfoil.schema.descriptors import Schema


class Carriers:
    """What carries what, in any of several schemas. Types are followed to the outermost."""

    def __init__(self, schemas: Iterable[Schema]) -> None:
        self._direct: dict[str, set[str]] = {}
        """By the full name of a message or enum: the messages with a field of it, its RPCs and their services."""
        for schema in schemas:
            for carried, carrier in _carried(schema):
                self._direct.setdefault(carried, set()).add(carrier)
        self._found: dict[str, frozenset[str]] = {}

    def of(self, symbol: str) -> frozenset[str]:
        """Everything in which a type is sent, directly or inside something else."""
        if symbol not in self._found:
            found: set[str] = set()
            waiting = [symbol]
            while waiting:
                fresh = self._direct.get(waiting.pop(), set()) - found
                found |= fresh
                waiting += fresh
            self._found[symbol] = frozenset(found)
        return self._found[symbol]


def _carried(schema: Schema) -> Iterator[tuple[str, str]]:
    """A type's name and that of what has it; a map's entry has its value, and its message the entry."""
    for message in schema.messages.values():
        for field in message.fields.values():
            if field.type_name:
                yield field.type_name, message.symbol
    for extension in schema.extensions.values():
        if extension.type_name:
            yield extension.type_name, extension.message
    for service in schema.services.values():
        for method in service.methods.values():
            for name in (method.request, method.response):
                yield name, method.symbol
                yield name, service.symbol
