"""Facts made quick to ask: versions in order of creation, branch heads, last results, what is live where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from counterfoil.gate.facts import (
    Facts,
    Membership,
    PactFact,
    ParticipantFact,
    PresenceFact,
    PresenceKind,
    VerificationFact,
    VersionFact,
    VersionRef,
)
from counterfoil.gate.question import Selector


class FactIndex:
    """Look-ups over facts that do not change. All answers about one participant come in order of creation."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @cached_property
    def participants(self) -> dict[str, ParticipantFact]:
        """By name."""
        return {fact.name: fact for fact in self.facts.participants}

    @cached_property
    def versions(self) -> dict[VersionRef, VersionFact]:
        """By version."""
        return {fact.version: fact for fact in self.facts.versions}

    @cached_property
    def _versions_of(self) -> dict[str, list[VersionFact]]:
        found: dict[str, list[VersionFact]] = defaultdict(list)
        for fact in sorted(self.facts.versions, key=lambda fact: fact.order):
            found[fact.version.participant].append(fact)
        return found

    @cached_property
    def pacts_of(self) -> dict[VersionRef, list[PactFact]]:
        """The pacts of a consumer's version."""
        found: dict[VersionRef, list[PactFact]] = defaultdict(list)
        for fact in self.facts.pacts:
            found[fact.consumer].append(fact)
        return found

    @cached_property
    def _results(self) -> dict[tuple[str, str, VersionRef], VerificationFact]:
        ordered = sorted(self.facts.verifications, key=lambda fact: fact.order)
        return {(fact.consumer, fact.content, fact.provider): fact for fact in ordered}

    @cached_property
    def _results_of(self) -> dict[tuple[str, str, str], list[VerificationFact]]:
        found: dict[tuple[str, str, str], list[VerificationFact]] = defaultdict(list)
        for (consumer, content, provider), fact in self._results.items():
            found[consumer, content, provider.participant].append(fact)
        return found

    @cached_property
    def _results_by(self) -> dict[VersionRef, list[VerificationFact]]:
        found: dict[VersionRef, list[VerificationFact]] = defaultdict(list)
        for fact in self._results.values():
            found[fact.provider].append(fact)
        return found

    def order(self, version: VersionRef) -> int:
        """Its place in the order of creation."""
        return self.versions[version].order

    def result(self, pact: PactFact, provider: VersionRef) -> VerificationFact | None:
        """The verification that counts: the last one of this content by this version."""
        return self._results.get((pact.consumer.participant, pact.content, provider))

    def results(self, pact: PactFact) -> list[VerificationFact]:
        """The verifications that count of this content, one for each version of the provider, newest version first."""
        found = self._results_of.get((pact.consumer.participant, pact.content, pact.provider), [])
        return sorted(found, key=lambda fact: -self.order(fact.provider))

    def results_by(self, provider: VersionRef) -> list[VerificationFact]:
        """The verifications that count by one version, of whichever pact."""
        return self._results_by.get(provider, [])

    @cached_property
    def _presences(self) -> dict[tuple[str, str], list[PresenceFact]]:
        found: dict[tuple[str, str], list[PresenceFact]] = defaultdict(list)
        for fact in self.facts.presences:
            found[fact.version.participant, fact.environment].append(fact)
        return found

    def presences(self, participant: str, environment: str) -> list[PresenceFact]:
        """How the participant is live in the environment."""
        return self._presences.get((participant, environment), [])

    def live(self, participant: str, environment: str) -> tuple[VersionRef, ...]:
        """The versions that are deployed or released in the environment, each once."""
        return self._in_order({fact.version for fact in self.presences(participant, environment)})

    def instances(self, participant: str, environment: str) -> tuple[str | None, ...]:
        """The slots of the environment that a version of it fills, the one without a name first."""
        deployed = [one for one in self.presences(participant, environment) if one.kind is PresenceKind.DEPLOYED]
        return tuple(sorted({one.instance for one in deployed}, key=lambda instance: instance or ""))

    def all_of(self, participant: str) -> tuple[VersionRef, ...]:
        """Every version that the facts have of it."""
        return tuple(fact.version for fact in self._versions_of.get(participant, ()))

    def newest(self, participant: str) -> VersionRef | None:
        """The version created last."""
        facts = self._versions_of.get(participant)
        return facts[-1].version if facts else None

    def branch_head(self, participant: str, branch: str) -> VersionRef | None:
        """The version that was added last, for the first time, to the branch."""
        orders = {
            fact.version: membership.order
            for fact in self._versions_of.get(participant, ())
            for membership in fact.branches
            if membership.name == branch
        }
        return max(orders, key=lambda version: orders[version], default=None)

    def select(self, selector: Selector) -> tuple[VersionRef, ...]:
        """The versions that a selector picks: those that are left after every restriction.

        With a branch, the latest is the head of it, which the other restrictions may then leave out.
        """
        name, main_branch = selector.participant, self._main_branch(selector.participant)
        if selector.main_branch and main_branch is None:
            return ()
        branches = {one for one in (selector.branch, main_branch if selector.main_branch else None) if one is not None}
        facts = [fact for fact in self._versions_of.get(name, ()) if _picks(selector, fact, branches)]
        if selector.environment is not None:
            live = set(self.live(name, selector.environment))
            facts = [fact for fact in facts if fact.version in live]
        if selector.latest and branches:
            heads = {self.branch_head(name, branch) for branch in branches}
            facts = [fact for fact in facts if heads == {fact.version}]
        elif selector.latest:
            facts = facts[-1:]
        return tuple(fact.version for fact in facts)

    def _main_branch(self, participant: str) -> str | None:
        fact = self.participants.get(participant)
        return fact.main_branch if fact else None

    def _in_order(self, versions: Iterable[VersionRef]) -> tuple[VersionRef, ...]:
        return tuple(sorted(versions, key=self.order))


def _picks(selector: Selector, fact: VersionFact, branches: Iterable[str]) -> bool:
    return (
        selector.number in {None, fact.version.number}
        and all(_has(fact.branches, branch) for branch in branches)
        and (selector.tag is None or _has(fact.tags, selector.tag))
    )


def _has(memberships: tuple[Membership, ...], name: str) -> bool:
    return any(membership.name == name for membership in memberships)
