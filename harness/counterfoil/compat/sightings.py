"""What runtimes did with payloads, sorted by the change that it shows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from counterfoil.compat.attribution import Attribution, is_expected, subject_of
from counterfoil.compat.changes import BEHAVIOUR_CHANGED, PYTHON, Change, Effect, Key
from counterfoil.compat.discrepancies import Discrepancy, Kind, discrepancies
from counterfoil.compat.replayable import payload_digest
from counterfoil.compat.witnessing import Trial
from counterfoil.model import Level
from counterfoil.probe.outcomes import Outcome
from counterfoil.probe.payloads import Payload

KEPT = 12
"""Payloads for one change, direction and encoding; the smallest."""


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
    is_faint: bool
    """Whether nothing written is lost or altered by this change: all that differs is what stands for nothing."""

    @property
    def size(self) -> tuple[bool, int, bytes]:
        """By which one is better than another; the same whichever runtimes there are beside Python."""
        return self.is_faint, len(self.payload.data), self.payload.data

    @property
    def digest(self) -> str:
        """By which a witness is known again, whoever finds it."""
        effect = self.effect
        return payload_digest(self.tried.writer.full_name, effect.direction, effect.encoding, self.payload.data)


@dataclass(slots=True)
class Kept:
    """The best payloads that show one change in one direction and encoding."""

    always: Sighting | None = None
    """The smallest of those that Python breaks on: the same whichever other runtimes there are."""
    best: list[Sighting] = field(default_factory=list)
    """Those that most runtimes break on, the smallest first."""

    def add(self, one: Sighting) -> None:
        """Keep it if it is better than another."""
        if PYTHON in one.breaking and (self.always is None or one.size < self.always.size):
            self.always = one
        self.best.append(one)
        self.best.sort(key=lambda one: (-len(one.breaking), one.size))
        del self.best[KEPT:]

    def __iter__(self) -> Iterator[Sighting]:
        """What Python breaks on comes first."""
        if self.always is not None:
            yield self.always
        yield from self.best


@dataclass(slots=True)
class Sightings:
    """Everything that was seen, by the change that explains it; what no change explains stands under its symbol."""

    attribution: Attribution
    by_change: dict[Key, dict[Effect, Kept]] = field(default_factory=dict)
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
        shown: dict[Key, dict[str, set[Kind]]] = {}
        for stub, several in found.items():
            for discrepancy in several or ():
                for key in self.keys(discrepancy, tried, payload, effect):
                    shown.setdefault(key, {}).setdefault(stub, set()).add(discrepancy.kind)
        for key, stubs in shown.items():
            sighting = Sighting(
                effect=effect,
                tried=tried,
                payload=payload,
                wrote=wrote,
                read=read,
                found=found,
                breaking=frozenset(stubs),
                is_faint=stubs[PYTHON if PYTHON in stubs else min(stubs)] == {Kind.DEFAULT},
            )
            self.by_change.setdefault(key, {}).setdefault(effect, Kept()).add(sighting)

    def keys(self, discrepancy: Discrepancy, tried: Trial, payload: Payload, effect: Effect) -> tuple[Key, ...]:
        """The changes that a difference shows; the additions that it is what to expect of are left out."""
        changes = self.attribution.explain(discrepancy, tried, payload, effect)
        if not changes:
            return ((BEHAVIOUR_CHANGED, subject_of(discrepancy, tried, payload)),)
        return tuple((one.rule, one.symbol) for one in changes if not is_expected(one, discrepancy, effect))


def is_behaviour(change: Change) -> bool:
    """Whether a rule expects a witness."""
    return change.level is Level.BEHAVIOUR and bool(change.effects)
