"""What a real Pact Broker says of a question, put beside what the ledger knows.

Of pacts and of what is live a Broker knows more where other teams record there too, so its rows become facts: a pact of
the consumer's version, the result of the provider's, and the presence at the destination of whoever was not named. The
gate then judges them as it judges its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from counterfoil.gate.decision import Decision
from counterfoil.gate.facts import (
    EnvironmentFact,
    Facts,
    PactFact,
    ParticipantFact,
    PresenceFact,
    PresenceKind,
    VerificationFact,
    VersionFact,
    VersionRef,
)
from counterfoil.gate.question import Question
from counterfoil.gate.reasons import Reason
from counterfoil.model import Verdict

UNNAMED = "of the Pact Broker: {0} with {1}"
"""The content of a pact that only the Broker knows; no digest looks like that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerRow:
    """One row of a Broker's matrix; without a version of the provider, nobody there has a result."""

    consumer: VersionRef
    provider: str
    provider_number: str | None
    success: bool | None
    when: str = ""

    @property
    def tried(self) -> VersionRef | None:
        """The provider's version."""
        return None if self.provider_number is None else VersionRef(self.provider, self.provider_number)

    @property
    def versions(self) -> tuple[VersionRef, ...]:
        """The versions that the row names."""
        return (self.consumer,) if self.tried is None else (self.consumer, self.tried)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerMatrix:
    """What a Broker answers to a question."""

    deployable: bool | None
    reason: str
    rows: tuple[BrokerRow, ...] = ()
    is_refusal: bool = False
    """It knows a participant or the environment not at all."""


def with_matrix(facts: Facts, question: Question, matrix: BrokerMatrix) -> Facts:
    """The ledger's facts and those that the Broker's rows tell. For pacts the Broker has the last word."""
    contents = {(fact.consumer, fact.provider): fact.content for fact in facts.pacts}
    added = {
        (row.consumer, row.provider): PactFact(
            consumer=row.consumer,
            provider=row.provider,
            content=contents.get((row.consumer, row.provider)) or UNNAMED.format(row.consumer, row.provider),
        )
        for row in matrix.rows
    }
    known = {fact.version for fact in facts.versions}
    named = [version for row in matrix.rows for version in row.versions]
    if not matrix.is_refusal and matrix.deployable is not False:
        named += [VersionRef(one.participant, one.number) for one in question.selectors if one.number is not None]
    last = max((fact.order for fact in facts.versions), default=0)
    fresh = [version for version in dict.fromkeys(named) if version not in known]
    return replace(
        facts,
        participants=(*facts.participants, *_participants(facts, question, matrix)),
        environments=(*facts.environments, *_environments(facts, question, matrix)),
        versions=(
            *facts.versions,
            *(VersionFact(version=one, order=order) for order, one in enumerate(fresh, start=last + 1)),
        ),
        integrations=facts.integrations | {(consumer.participant, provider) for consumer, provider in added},
        pacts=(*facts.pacts, *(fact for pair, fact in added.items() if pair not in contents)),
        verifications=(*facts.verifications, *_verifications(facts, matrix, added)),
        presences=(*facts.presences, *_presences(facts, question, matrix)),
    )


def with_answer(decision: Decision, matrix: BrokerMatrix) -> Decision:
    """The decision with the Broker's own answer; unproven where the Broker objects to what the rows do not tell."""
    answered = replace(decision, broker=replace(decision.broker, deployable=matrix.deployable))
    if decision.verdict is not Verdict.COMPATIBLE or matrix.deployable:
        return answered
    picked = ", ".join(str(one.participant) for one in decision.question.selectors)
    reason = Reason(
        rule="BROKER_OBJECTS",
        subject=picked,
        message=f"the Pact Broker does not say yes: {matrix.reason or 'it gives no reason'}",
        next="counterfoil publish",
    )
    return replace(answered, reasons=(reason,))


def _participants(facts: Facts, question: Question, matrix: BrokerMatrix) -> Iterator[ParticipantFact]:
    known = {fact.name for fact in facts.participants}
    named = {name for row in matrix.rows for name in (row.consumer.participant, row.provider)}
    if not matrix.is_refusal:
        named |= question.specified
    yield from (ParticipantFact(name=name) for name in sorted(named - known))


def _environments(facts: Facts, question: Question, matrix: BrokerMatrix) -> Iterator[EnvironmentFact]:
    known = {fact.name for fact in facts.environments}
    named = {question.environment, *(one.environment for one in question.selectors)} - {None}
    if not matrix.is_refusal:
        yield from (EnvironmentFact(name=name) for name in sorted(filter(None, named)) if name not in known)


def _verifications(
    facts: Facts, matrix: BrokerMatrix, pacts: dict[tuple[VersionRef, str], PactFact]
) -> Iterator[VerificationFact]:
    """Results that the ledger has too keep what it tells of their failures."""
    last = max((fact.order for fact in facts.verifications), default=0)
    latest = {
        (one.consumer, one.content, one.provider): one for one in sorted(facts.verifications, key=lambda one: one.order)
    }
    for order, row in enumerate(matrix.rows, start=last + 1):
        content = pacts[row.consumer, row.provider].content
        if row.tried is None or row.success is None:
            continue
        own = latest.get((row.consumer.participant, content, row.tried))
        yield VerificationFact(
            consumer=row.consumer.participant,
            content=content,
            provider=row.tried,
            success=row.success,
            order=order,
            when=row.when,
            run="the Pact Broker",
            failures=own.failures if own and not row.success else (),
        )


def _presences(facts: Facts, question: Question, matrix: BrokerMatrix) -> Iterator[PresenceFact]:
    """Whoever the Broker held the named versions against is live at the destination, whatever the ledger says."""
    if question.environment is None:
        return
    known = {fact.version for fact in facts.presences if fact.environment == question.environment}
    for version in _unnamed(question, matrix.rows):
        if version not in known:
            yield PresenceFact(version=version, environment=question.environment, kind=PresenceKind.RELEASED)


def _unnamed(question: Question, rows: Iterable[BrokerRow]) -> Iterator[VersionRef]:
    versions = dict.fromkeys(version for row in rows for version in row.versions)
    return (version for version in versions if version.participant not in question.specified)
