"""Our verdict: every pair that would meet has to be proven to fit. Stricter than a Pact Broker, and it says where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from counterfoil.gate import commands, exchange, payloads
from counterfoil.gate.broker import BrokerAnswer, Ignorer, Row, ask, is_alone
from counterfoil.gate.exchange import Flow
from counterfoil.gate.facts import Facts, PactFact, PresenceKind, VersionRef
from counterfoil.gate.index import FactIndex
from counterfoil.gate.question import Question
from counterfoil.gate.reasons import Reason, of_missing, of_rows
from counterfoil.gate.rollout import Rollout, of_rollout, plan_rollout
from counterfoil.model import Verdict, worst

STRONGEST_FIRST = tuple(reversed(Verdict))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer, and everything that it rests on."""

    question: Question
    broker: BrokerAnswer
    pairs: tuple[Row, ...]
    """Every pair of versions that would meet over a pact: what our verdict judges."""
    flows: tuple[Flow, ...]
    """The messages that would pass between versions, by their schemas."""
    reasons: tuple[Reason, ...]
    """What stands against it, the strongest first."""
    rollout: Rollout | None
    """In which order to deploy; None unless several versions go to one environment."""
    slots: Mapping[str, tuple[str | None, ...]]
    """Which instances of each participant that was asked about a deployment would fill."""
    uncompared: tuple[tuple[str, str], ...] = ()
    """The pairs of schemas (writer's, reader's digest) whose comparison is missing."""

    @property
    def verdict(self) -> Verdict:
        """Compatible where nothing stands against it."""
        return worst([Verdict.COMPATIBLE, *(reason.verdict for reason in self.reasons)])

    @property
    def next(self) -> tuple[str, ...]:
        """The commands to run, each once, the most important first; after a yes, those that record the deployments."""
        environment = self.question.environment
        if self.reasons or environment is None:
            return tuple(dict.fromkeys(reason.next for reason in self.reasons))
        picked = [version for one in self.broker.resolved if one.specified for version in one.versions]
        order = self.rollout.order if self.rollout and self.rollout.order else picked
        return tuple(
            commands.record_deployment(version, environment, instance)
            for version in order
            for instance in self.slots[version.participant]
        )


def decide(facts: Facts, question: Question) -> Decision:
    """Judge; the facts are those that `Facts` asks for. Unknown names are to be refused before."""
    return _Judgement(FactIndex(facts), question).decision()


class _Judgement:
    """What is worked out once for one question."""

    def __init__(self, index: FactIndex, question: Question) -> None:
        self._index = index
        self._question = question
        self._broker = ask(index, question)
        self._ignorer = Ignorer(index, question.ignored)
        self._new = {version for one in self._broker.resolved if one.specified for version in one.versions}
        self._world = self._after()
        self._seen: list[Flow] = []

    def decision(self) -> Decision:
        """The whole of it."""
        pairs = self._broker.found if is_alone(self._broker.resolved) else tuple(self._pairs())
        flows = tuple(flow for one in sorted(self._new) for flow in self._flows([one], self._meeting(one)))
        rollout = self._rollout()
        reasons = tuple(self._reasons(pairs, flows, rollout))
        return Decision(
            question=self._question,
            broker=self._broker,
            pairs=pairs,
            flows=flows,
            reasons=tuple(sorted(reasons, key=lambda reason: STRONGEST_FIRST.index(reason.verdict))),
            rollout=rollout,
            slots={name: self._slots(name) for name in self._question.specified},
            uncompared=exchange.missing_pairs(self._index, self._seen),
        )

    def _reasons(self, pairs: tuple[Row, ...], flows: tuple[Flow, ...], rollout: Rollout | None) -> Iterator[Reason]:
        if self._broker.missing:
            yield from (of_missing(one, self._index.all_of(one.participant)) for one in self._broker.missing)
            return
        yield from of_rows(self._index, self._question, pairs)
        yield from exchange.of_flows(self._index, flows, self._again())
        yield from payloads.of_probes(self._index, _talking(pairs, flows))
        yield from payloads.of_readings(self._index, pairs)
        if rollout is not None and rollout.order is None:
            yield of_rollout(rollout)

    def _again(self) -> str:
        return commands.ask(self._question, sorted(self._new), self._question.instance)

    def _after(self) -> dict[str, set[VersionRef]]:
        """Who is there once everything asked about is deployed: what the Broker selects, and what stays beside it."""
        world: dict[str, set[VersionRef]] = {}
        for one in self._broker.resolved:
            world.setdefault(one.selector.participant, set()).update(one.versions)
        for name in self._question.specified:
            world[name] |= self._staying(name)
        return world

    def _staying(self, participant: str) -> set[VersionRef]:
        """The versions that stay live when another is deployed: those of other instances, and releases."""
        environment = self._question.environment
        return {
            fact.version
            for fact in (self._index.presences(participant, environment) if environment else ())
            if fact.kind is PresenceKind.RELEASED or fact.instance != self._question.instance
        }

    def _slots(self, participant: str) -> tuple[str | None, ...]:
        """The instance that was asked about; otherwise the one without name, unless all that are filled have names."""
        asked, environment = self._question.instance, self._question.environment
        filled = self._index.instances(participant, environment) if environment else ()
        return filled if asked is None and filled and None not in filled else (asked,)

    def _old(self, participant: str) -> tuple[VersionRef, ...]:
        """The versions that are live now, which run beside the new one until it has replaced them."""
        environment = self._question.environment
        live = self._index.live(participant, environment) if environment else ()
        return tuple(version for version in live if version not in self._new)

    # --- pacts -------------------------------------------------------------------------------------------------------

    def _pairs(self) -> Iterator[Row]:
        for consumer in sorted(version for versions in self._world.values() for version in versions):
            for pact in self._index.pacts_of[consumer]:
                providers = self._world.get(pact.provider)
                if providers is not None:
                    tried = any(self._index.result(pact, provider) for provider in providers)
                    for provider in sorted(providers) or (None,):
                        if {consumer, provider} & self._new:
                            yield self._row(pact, provider, tried=tried)

    def _row(self, pact: PactFact, provider: VersionRef | None, *, tried: bool = True) -> Row:
        """A pair; while no version of the provider has `tried` the pact, leaving out one of them proves nothing."""
        return Row(
            pact=pact,
            provider=provider,
            verification=self._index.result(pact, provider) if provider else None,
            ignored=self._ignorer.holds(pact, provider if tried else None),
        )

    # --- schemas -----------------------------------------------------------------------------------------------------

    def _meeting(self, new: VersionRef) -> set[VersionRef]:
        """Whom a message of a new version could reach: all that is there afterwards, and what it runs beside."""
        after = {version for versions in self._world.values() for version in versions}
        live = {fact.version for fact in self._index.facts.presences if fact.environment == self._question.environment}
        others = {version for version in live if version.participant not in self._question.specified}
        return after | others | set(self._old(new.participant))

    def _flows(self, ones: Iterable[VersionRef], others: Iterable[VersionRef]) -> tuple[Flow, ...]:
        ignored = self._ignorer
        talking = [frozenset(pair) for pair in self._index.facts.integrations]
        found = tuple(
            flow
            for flow in exchange.flows(self._index, ones, others, talking)
            if not ignored.holds_version(flow.writer.version) and not ignored.holds_version(flow.reader.version)
        )
        self._seen += found
        return found

    # --- several deployments -----------------------------------------------------------------------------------------

    def _rollout(self) -> Rollout | None:
        new = {version.participant: version for version in self._new}
        alone = len(new) <= 1
        if self._question.environment is None or alone or len(new) != len(self._new):
            return None
        return plan_rollout(new, self._objections)

    def _objections(self, new: VersionRef, other: str) -> tuple[Reason, ...]:
        """What stands against the new version while only old versions of the other participant are there."""
        old = self._old(other)
        if len(old) < len(self._index.live(other, self._question.environment or "")):
            return ()  # its new version is live already
        rows = [
            self._row(pact, provider)
            for pact in self._index.pacts_of[new]
            if pact.provider == other
            for provider in old or (None,)
        ]
        rows += [
            self._row(pact, new)
            for consumer in old
            for pact in self._index.pacts_of[consumer]
            if pact.provider == new.participant
        ]
        reasons = of_rows(self._index, self._question, rows)
        return (*reasons, *exchange.of_flows(self._index, self._flows([new], old), self._again()))


def _talking(pairs: Iterable[Row], flows: Iterable[Flow]) -> Iterator[frozenset[VersionRef]]:
    """The pairs of versions that would exchange something."""
    yield from (frozenset((row.pact.consumer, row.provider)) for row in pairs if row.provider and not row.ignored)
    yield from (frozenset((flow.writer.version, flow.reader.version)) for flow in flows)
