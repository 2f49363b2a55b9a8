"""What runtimes did with payloads, sorted by the change that it shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from counterfoil.compat.attribution import Attribution, is_expected, subject_of
from counterfoil.compat.changes import Change, Effect
from counterfoil.compat.discrepancies import Discrepancy, discrepancies
from counterfoil.compat.replayable import payload_digest
from counterfoil.compat.witnessing import Trial
from counterfoil.model import Level
from counterfoil.probe.outcomes import Outcome
from counterfoil.probe.payloads import Payload

BEHAVIOUR_CHANGED = "BEHAVIOUR_CHANGED"
KEPT = 12
"""Payloads for one change, direction and encoding; the smallest."""

Key = tuple[str, str]
"""Rule and symbol."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sighting:
    """A payload that at least one runtime reads differently, with what each did and in what it differs."""

    effect: Effect
    tried: Trial
    payload: Payload
    wrote: Mapping[str, Outcome]
    read: Mapping[str, Outcome]
    found: Mapping[str, tuple[Discrepancy, ...] | None]
    breaking: frozenset[str]
    """The runtimes in which it shows the change that it is a sighting of."""

    @property
    def size(self) -> tuple[int, int, bytes]:
        """The payload that more runtimes break on is the better one, then the shorter."""
        return -len(self.breaking), len(self.payload.data), self.payload.data

    @property
    def digest(self) -> str:
        """By which a witness is known again, whoever finds it."""
        effect = self.effect
        return payload_digest(self.tried.writer.full_name, effect.direction, effect.encoding, self.payload.data)


@dataclass(slots=True)
class Sightings:
    """Everything that was seen, by the change that explains it; what no change explains stands under its symbol."""

    attribution: Attribution
    by_change: dict[Key, dict[Effect, list[Sighting]]] = field(default_factory=dict)
    runtimes: set[str] = field(default_factory=set)
    """Those that read something with both schemas."""
    tried: set[str] = field(default_factory=set)
    """The messages of which payloads were tried."""
    untried: set[str] = field(default_factory=set)
    """The fields that were too many to be tried."""

    def take(
        self, effect: Effect, tried: Trial, payload: Payload, rows: tuple[Mapping[str, Outcome], Mapping[str, Outcome]]
    ) -> None:
        """Judge what the runtimes made of one payload, with the writer's schema and with the reader's."""
        wrote, read = rows
        self.tried.add(tried.writer.full_name)
        self.untried |= tried.untried
        found = {stub: discrepancies(wrote[stub], read[stub], tried.writer, tried.reader) for stub in wrote}
        self.runtimes |= {stub for stub, one in found.items() if one is not None}
        shown: dict[Key, set[str]] = {}
        for stub, several in found.items():
            for discrepancy in several or ():
                for key in self.keys(discrepancy, tried, payload, effect):
                    shown.setdefault(key, set()).add(stub)
        for key, stubs in shown.items():
            sighting = Sighting(
                effect=effect,
                tried=tried,
                payload=payload,
                wrote=wrote,
                read=read,
                found=found,
                breaking=frozenset(stubs),
            )
            kept = self.by_change.setdefault(key, {}).setdefault(effect, [])
            kept.append(sighting)
            kept.sort(key=lambda one: one.size)
            del kept[KEPT:]

    def keys(self, discrepancy: Discrepancy, tried: Trial, payload: Payload, effect: Effect) -> tuple[Key, ...]:
        """The changes that a difference shows; the additions that it is what to expect of are left out."""
        changes = self.attribution.explain(discrepancy, tried, payload, effect)
        if not changes:
            return ((BEHAVIOUR_CHANGED, subject_of(discrepancy, tried, payload)),)
        return tuple((one.rule, one.symbol) for one in changes if not is_expected(one, discrepancy, effect))


def chosen(sightings: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """As few as show it in every runtime that any of them shows it in."""
    kept: list[Sighting] = []
    covered: frozenset[str] = frozenset()
    for one in sorted(sightings, key=lambda one: one.size):
        if not one.breaking <= covered:
            kept.append(one)
            covered |= one.breaking
    return tuple(kept)


def is_behaviour(change: Change) -> bool:
    """Whether a rule expects a witness."""
    return change.level is Level.BEHAVIOUR and bool(change.effects)
