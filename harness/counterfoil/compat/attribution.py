"""Which change it was that showed in a difference between two readers. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from google.protobuf.descriptor import Descriptor

from counterfoil.compat.changes import Change, Direction, Effect
from counterfoil.compat.discrepancies import Discrepancy, Kind, symbols_of
from counterfoil.compat.witnessing import Trial
from counterfoil.model import Level
from counterfoil.probe.fields import fields_of
from counterfoil.probe.payloads import PLUS, Payload

WORD = re.compile(r"\w+")
EXPECTED_OF_ADDITIONS = frozenset({Kind.REFUSED, Kind.UNSEEN, Kind.UNWRITABLE})


class Attribution:
    """The changes between two schemas, found by what a difference is about."""

    def __init__(self, changes: Iterable[Change], enums: Iterable[str]) -> None:
        self._enums = frozenset(enums)
        self._by_symbol: dict[str, list[Change]] = {}
        self._by_parent: dict[str, list[Change]] = {}
        for change in changes:
            self._by_symbol.setdefault(change.symbol, []).append(change)
            self._by_parent.setdefault(change.symbol.rpartition(".")[0], []).append(change)

    def explain(self, discrepancy: Discrepancy, tried: Trial, payload: Payload, effect: Effect) -> tuple[Change, ...]:
        """The changes that account for a discrepancy, those that predict it first of all; none where none does."""
        text = discrepancy.wrote + payload.data.decode("utf-8", "replace")
        candidates = list(self._candidates(discrepancy.symbols, text))
        if not candidates:
            candidates = list(self._candidates(_symbols(tried, payload), text))
        ranks = [_rank(change, discrepancy, effect) for change in candidates]
        best = min(ranks, default=0)
        chosen = (change for change, rank in zip(candidates, ranks, strict=True) if rank == best)
        return tuple(dict.fromkeys(chosen))

    def _candidates(self, symbols: Iterable[str], text: str) -> Iterator[Change]:
        for symbol in symbols:
            yield from self._by_symbol.get(symbol, ())
            if symbol in self._enums:
                values = self._by_parent.get(symbol, [])
                words = frozenset(WORD.findall(text)) if values else frozenset()
                named = [change for change in values if not words.isdisjoint(change.names)]
                yield from named or values


def _rank(change: Change, discrepancy: Discrepancy, effect: Effect) -> int:
    """The lower, the more likely the change is what shows."""
    if effect in change.effects and change.level is not Level.ADDITIVE:
        return 0
    if is_expected(change, discrepancy, effect):
        return 1
    return {Level.BEHAVIOUR: 2, Level.POLICY: 3, Level.SOURCE: 4}.get(change.level, 5)


def is_expected(change: Change, discrepancy: Discrepancy, effect: Effect) -> bool:
    """Whether an addition is not known to those who came before it, which is what additions are."""
    is_addition = change.level is Level.ADDITIVE and effect.direction is Direction.FORWARD
    return is_addition and discrepancy.kind in EXPECTED_OF_ADDITIONS


def subject_of(discrepancy: Discrepancy, tried: Trial, payload: Payload) -> str:
    """What a difference is about that no change explains."""
    return next(iter(discrepancy.symbols or tuple(_symbols(tried, payload))), tried.writer.full_name)


def _symbols(tried: Trial, payload: Payload) -> Iterator[str]:
    """What a payload that is refused as a whole is about: the fields on its path, or what either side requires."""
    if not payload.path:
        required = {
            field.number for side in (tried.reader, tried.writer) for field in fields_of(side) if field.is_required
        }
        for number in (*sorted(required), *tried.numbers):
            yield from symbols_of(tried.writer, tried.reader, number)
        yield tried.writer.full_name
    for path in payload.path.split(PLUS) if payload.path else ():
        yield from _along(path, tried.writer, tried.reader)


def _along(path: str, writer: Descriptor, reader: Descriptor | None) -> Iterator[str]:
    """The innermost first."""
    extension, bracket, after = path.partition("]") if path.startswith("[") else ("", "", path)
    name, _, rest = after.partition(".")
    plain = f"{extension}{bracket}{name}".removesuffix("[]").removesuffix("{}")
    field = next((one for one in fields_of(writer) if one.name == plain), None)
    if field is None:
        return
    inner = field.message
    if rest and inner is not None:
        other = next((one.message for one in fields_of(reader) if one.number == field.number), None) if reader else None
        yield from _along(rest, inner, other)
    yield from symbols_of(writer, reader or writer, field.number)
