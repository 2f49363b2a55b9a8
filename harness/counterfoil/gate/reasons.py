"""Why a deployment is not proven: each reason with its pair of versions, what was seen, and the next command to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from counterfoil.core.rules import LEVELS
from counterfoil.gate import commands
from counterfoil.gate.broker import Row
from counterfoil.gate.facts import Failure, PresenceKind, VersionRef
from counterfoil.gate.index import FactIndex
from counterfoil.gate.question import Question, Selector
from counterfoil.model import Level, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that stands against the deployment. Its identity is (rule, subject)."""

    rule: str
    subject: str
    message: str
    next: str
    """A command, ready to run."""
    consumer: VersionRef | None = None
    provider: VersionRef | None = None
    symbols: tuple[str, ...] = ()
    """The interactions, or the symbols of a schema, that do not hold."""
    witnesses: tuple[str, ...] = ()
    """What shows it: a mismatch, a payload, the path of a witness file."""

    @property
    def level(self) -> Level:
        """How much it matters, from the table of rules."""
        return LEVELS[self.rule]

    @property
    def verdict(self) -> Verdict:
        """What this alone makes of the answer."""
        return self.level.verdict


def of_missing(selector: Selector, known: Iterable[VersionRef]) -> Reason:
    """The asker named a version of which nothing is recorded."""
    name = selector.participant
    newest = [version.number for version in known][-3:]
    told = f"; the newest that are: {', '.join(reversed(newest))}" if newest else ""
    asked = VersionRef(name, selector.number) if selector.number is not None else None
    what = f"version {selector.number}" if asked else "version that the selector asks for"
    return Reason(
        rule="VERSION_UNKNOWN",
        subject=str(asked or name),
        message=f"no {what} of {name} is recorded{told}",
        next=commands.publish(asked) if asked else commands.matrix([name]),
    )


def of_rows(index: FactIndex, question: Question, rows: Iterable[Row]) -> tuple[Reason, ...]:
    """A reason for each row that does not hold; rows of one content and one provider's version share theirs."""
    reasons: dict[tuple[str, str, str, VersionRef | str], Reason] = {}
    for row in rows:
        if row.success or row.ignored:
            continue
        reason = _REASONS[_kind(row)](index, question, row)
        key = (reason.rule, row.pact.consumer.participant, row.pact.content, row.provider or row.pact.provider)
        first = reasons.setdefault(key, reason)
        if first.consumer != row.pact.consumer:
            reasons[key] = replace(first, message=f"{first.message}; the same holds for {row.pact.consumer}")
    return tuple(reasons.values())


def _kind(row: Row) -> str:
    if row.verification is not None:
        return "VERIFICATION_FAILED"
    return "VERIFICATION_MISSING" if row.provider else "PROVIDER_NOT_DEPLOYED"


def _failed(index: FactIndex, question: Question, row: Row) -> Reason:
    failures: tuple[Failure, ...] = row.verification.failures if row.verification else ()
    provider = row.provider or VersionRef(row.pact.provider, "")
    message = f"{provider} does not honour the pact of {row.pact.consumer}"
    way_out = _better_provider(index, question, row)
    if way_out is None:
        first = next((one.interaction for one in failures if one.interaction), None)
        following = commands.reproduce(row.pact.consumer.participant, row.pact.provider, first)
    elif places := _places(index, question, row):
        message += f", but {way_out} does: deploy it first{_at(places)}"
        following = commands.ask(question, [way_out], places[0])
    else:
        message += f", but {way_out} does: deploy both, in the order that the next command gives"
        following = commands.ask(question, [row.pact.consumer, way_out], question.instance)
    return Reason(
        rule="VERIFICATION_FAILED",
        subject=f"{row.pact.consumer}→{provider}",
        message=message,
        next=following,
        consumer=row.pact.consumer,
        provider=provider,
        symbols=tuple(failure.interaction for failure in failures if failure.interaction),
        witnesses=tuple(failure.detail for failure in failures if failure.detail),
    )


def _better_provider(index: FactIndex, question: Question, row: Row) -> VersionRef | None:
    """The newest version of the provider that honours the pact, where the asker is free to deploy one in its place."""
    live = index.presences(row.pact.provider, question.environment) if question.environment else []
    is_released = any(fact.version == row.provider and fact.kind is PresenceKind.RELEASED for fact in live)
    if row.pact.provider in question.specified or is_released:
        return None
    return next(_honouring(index, row), None)


def _places(index: FactIndex, question: Question, row: Row) -> tuple[str | None, ...]:
    """The instances at which the provider's version is; none where the question replaces it."""
    live = index.presences(row.pact.provider, question.environment) if question.environment else []
    found = {fact.instance for fact in live if fact.version == row.provider and fact.kind is PresenceKind.DEPLOYED}
    return tuple(sorted(found, key=lambda instance: instance or "")) if found - {question.instance} else ()


def _at(places: Iterable[str | None]) -> str:
    """Told behind `deploy it first`; the instance without a name is what a deployment means by itself."""
    told = ["without instance" if place is None else f"at instance {place}" for place in places]
    return f", {' and '.join(told)}" if told else ""


def _honouring(index: FactIndex, row: Row) -> Iterator[VersionRef]:
    return (result.provider for result in index.results(row.pact) if result.success and result.provider != row.provider)


def _missing(index: FactIndex, question: Question, row: Row) -> Reason:
    provider = row.provider or VersionRef(row.pact.provider, "")
    message = f"{provider} was never verified against the pact of {row.pact.consumer}"
    if question.environment and row.pact.provider not in question.specified:
        message = f"{question.environment} runs {provider}, which was never verified against the pact of " + str(
            row.pact.consumer
        )
    other = next(_honouring(index, row), None)
    if other is not None:
        message += (
            f". {other} was, and honours it, but what counts is the version that it will meet: "
            f"verify {provider.number}, or deploy {other} first{_at(_places(index, question, row))}"
        )
    return Reason(
        rule="VERIFICATION_MISSING",
        subject=f"{row.pact.consumer}→{provider}",
        message=message,
        next=commands.verify(row.pact.consumer.participant, provider.participant, provider.number),
        consumer=row.pact.consumer,
        provider=provider,
    )


def _not_deployed(index: FactIndex, question: Question, row: Row) -> Reason:
    name, consumer = row.pact.provider, row.pact.consumer
    message = f"{consumer} needs {name}, and no version of {name} is {_where(question)}"
    other = next(_honouring(index, row), None)
    if other is None:
        newest = index.newest(name)
        message += ", nor has any honoured the pact: verify one, then deploy it before or together with the consumer"
        following = commands.verify(consumer.participant, name, newest.number if newest else None)
    else:
        following = commands.ask(question, [consumer, other], question.instance)
        message += f". {other} honours the pact: deploy both, the provider first"
        if question.environment:
            message += f"; if it already runs there, say so: {commands.record_deployment(other, question.environment)}"
    return Reason(
        rule="PROVIDER_NOT_DEPLOYED", subject=f"{consumer}→{name}", message=message, next=following, consumer=consumer
    )


def _where(question: Question) -> str:
    destination = question.destination
    if destination is None:
        return "among those asked about"
    if destination.environment is not None:
        return f"recorded in {destination.environment}"
    if destination.tag is not None:
        return f"tagged {destination.tag}"
    return "on its main branch" if destination.main_branch else "recorded"


_REASONS: dict[str, Callable[[FactIndex, Question, Row], Reason]] = {
    "VERIFICATION_FAILED": _failed,
    "VERIFICATION_MISSING": _missing,
    "PROVIDER_NOT_DEPLOYED": _not_deployed,
}
