"""Payloads that a contract allows, or does not: the example with one change, then with two. Pure, always in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Final

from counterfoil.allowance.edits import Edit, apply
from counterfoil.allowance.exchanges import Exchange
from counterfoil.allowance.paths import Steps
from counterfoil.allowance.states import Derivation, Derived
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Json, canonical
from counterfoil.probe.payloads import VALUE

MAX_PAIRS: Final = 1_000
SHOWN_CHARS: Final = 400


@dataclass(frozen=True, slots=True)
class Allowed:
    """A document that the contract allows, and in what it differs from the example; without items it is the example."""

    document: Json
    items: tuple[Derived, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """As a reader is shown it."""
        return (canonical(self.document)[:SHOWN_CHARS],)


def lattice(derivation: Derivation) -> Iterator[Allowed]:
    """The example, then every allowed value of every place alone, then pairs of places in every two states.

    An example can break its own rules, for instance by a `min` that it does not reach; then it is no payload.
    """
    exchange = derivation.exchange
    alone = [item for item in derivation.having(allowed=True) if not item.is_the_example]
    if len(alone) < sum(1 for _ in derivation.having(allowed=True)):
        yield Allowed(exchange.example)
    for item in alone:
        yield Allowed(apply(exchange.example, item.edit), (item,))
    yield from islice(_pairs(exchange, _one_a_state(alone)), MAX_PAIRS)


def _one_a_state(items: list[Derived]) -> list[Derived]:
    """The first of each place in each state other than value: pairs are about presence."""
    first: dict[tuple[Steps, str], Derived] = {}
    for item in items:
        if item.state != VALUE:
            first.setdefault((item.edit.place, item.state), item)
    return list(first.values())


def _pairs(exchange: Exchange, items: list[Derived]) -> Iterator[Allowed]:
    for one, other in combinations(items, 2):
        if apart(one.edit, other.edit):
            document = apply(apply(exchange.example, one.edit), other.edit)
            try:
                if exchange.matching.allows(exchange.example, document):
                    yield Allowed(document, (one, other))
            except UndecidedError:
                continue


def apart(one: Edit, other: Edit) -> bool:
    """Whether neither of two edits lies within the other."""
    shorter = min(len(one.place), len(other.place))
    return one.place[:shorter] != other.place[:shorter]


def refused(derivation: Derivation) -> Iterator[tuple[Json, Derived]]:
    """Documents that the contract does not allow, with what is wrong about each."""
    for item in derivation.having(allowed=False):
        yield apply(derivation.exchange.example, item.edit), item
