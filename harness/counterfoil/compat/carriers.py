"""In what an element travels: the messages that have a type in them, and the RPCs that send or answer it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from counterfoil.schema.descriptors import Schema


class Carriers:
    """What carries what, in any of several schemas. Types are followed to the outermost."""

    def __init__(self, schemas: Collection[Schema]) -> None:
        self._direct: dict[str, set[str]] = {}
        """By the full name of a message or enum: the messages with a field of it, its RPCs and their services."""
        for schema in schemas:
            for carried, carrier in _carried(schema):
                self._direct.setdefault(carried, set()).add(carrier)
        self._found: dict[str, frozenset[str]] = {}
        self._sent: dict[str, set[str]] = {}
        """By the full name of an RPC or a service: its messages."""
        services = (service for schema in schemas for service in schema.services.values())
        for method in (method for service in services for method in service.methods.values()):
            for name in (method.symbol, method.service):
                self._sent.setdefault(name, set()).update((method.request, method.response))

    def sent_by(self, symbol: str) -> frozenset[str]:
        """The messages that an RPC, or any RPC of a service, is sent or answers; none for anything else."""
        return frozenset(self._sent.get(symbol, ()))

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
