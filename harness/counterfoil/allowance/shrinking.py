"""Smaller payloads that a contract allows too: fewer places that differ from the example, then simpler values. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, TypeVar

from counterfoil.allowance.edits import Removed
from counterfoil.allowance.exchanges import Exchange
from counterfoil.allowance.payloads import Allowed
from counterfoil.allowance.random_payloads import allowed_payload
from counterfoil.allowance.requests import AllowedRequest
from counterfoil.core.pacts import Json

T = TypeVar("T")
SHIFTS: Final = (48, 32, 16, 8, 4, 2, 1)


def smaller(exchange: Exchange, allowed: Allowed | AllowedRequest) -> Iterator[Allowed]:
    """What to try in the place of a payload, the smallest first; it ends where nothing simpler is left."""
    edits = [item.edit for item in allowed.items]
    if len(edits) > 1:
        for count in range(1, len(edits)):
            for start in range(len(edits) - count + 1):
                made = allowed_payload(exchange, edits[start : start + count])
                if made is not None:
                    yield made
        return
    for edit in edits:
        for value in simpler(edit.value) if not isinstance(edit.value, Removed) else ():
            made = allowed_payload(exchange, [replace(edit, value=value)])
            if made is not None:
                yield made


def simpler(value: Json) -> Iterator[Json]:
    """Simpler values of the same kind; every chain of them ends."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int):
        yield from _nearer_zero(value)
    elif isinstance(value, float):
        for rounded in (float(int(value)), round(value, 1), value / 2 if abs(value) > 1 else value):
            if len(repr(rounded)) < len(repr(value)):
                yield rounded
    elif isinstance(value, str):
        yield from map("".join, _shorter(list(value)))
    elif isinstance(value, list):
        yield from _shorter(value)


def _nearer_zero(value: int) -> Iterator[int]:
    size = abs(value)
    yield from dict.fromkeys(one for one in (*(size >> shift for shift in SHIFTS), size - 1) if 0 <= one < size)
    if value < 0:
        yield size


def _shorter(items: list[T]) -> Iterator[list[T]]:
    """Each half, then all but one."""
    half = len(items) // 2
    yield from (items[:half], items[half:]) if half else ()
    yield from (items[:index] + items[index + 1 :] for index in range(len(items)))
