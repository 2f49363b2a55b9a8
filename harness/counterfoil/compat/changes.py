"""What a comparison yields: changes, each with the payloads (direction and encoding) that would show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from counterfoil.model import Level, Location
from counterfoil.probe.payloads import Encoding

if TYPE_CHECKING:
    from counterfoil.schema.elements import Element

BEHAVIOUR_CHANGED = "BEHAVIOUR_CHANGED"
"""The rule of what runtimes read differently though no change explains it."""
PYTHON = "python"
"""The runtime that is always there."""
Key = tuple[str, str]
"""Of a change: its rule and symbol."""


class Direction(StrEnum):
    """Who reads whose data."""

    BACKWARD = "backward"
    """New code reads old data."""
    FORWARD = "forward"
    """Old code reads new data."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Effect:
    """Where a payload may be read otherwise than it was written, refused, or lost in part."""

    direction: Direction
    encoding: Encoding


Effects = frozenset[Effect]
Encodings = frozenset[Encoding]
"""How one writer's payloads may go wrong with one reader: a prediction in one direction."""

NOWHERE: Encodings = frozenset()
BINARY: Encodings = frozenset({Encoding.BINARY})
JSON: Encodings = frozenset({Encoding.JSON})
EVERYWHERE: Encodings = BINARY | JSON


def towards(direction: Direction, encodings: Iterable[Encoding]) -> Effects:
    """The effects in one direction."""
    return frozenset(Effect(direction=direction, encoding=encoding) for encoding in encodings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a rule's function says of a pair of elements. `old` and `new` are the two values as text."""

    element: Element
    """The old one, or the new one where there is no old one."""
    counterpart: Element | None = None
    """The new one."""
    is_addition: bool = False
    """Whether `element` is the new one."""
    old: str | None = None
    new: str | None = None
    effects: Effects = frozenset()
    messages: frozenset[str] = frozenset()
    level: Level | None = None
    """Where the function knows better than the rule's row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of one element, judged by one rule.

    `effects` is where the rule predicts that payloads show it; empty where none can. `messages` are the full names of
    the messages whose payloads would show it: the one that has the field; for an enum, all with a field of it.
    """

    rule: str
    symbol: str
    level: Level
    effects: Effects
    old: str | None
    new: str | None
    old_location: Location | None
    new_location: Location | None
    messages: frozenset[str]
    names: tuple[str, ...]
    """What payloads may call it, on both sides: a field's name and JSON name, an enum value's."""
    message: str
    fix: str

    @property
    def sort_key(self) -> tuple[int, str, str, str, str]:
        """Strongest level first, then by symbol and rule."""
        return (list(Level).index(self.level), self.symbol, self.rule, self.old or "", self.new or "")
