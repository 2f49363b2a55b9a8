"""A Pact Broker's matrix told as its own queries are: joins over whole tables, selector by selector.

Written from what a Broker does, and without anything of `counterfoil.gate` but the words of a question, so that the two
can be held against each other for every kind of selector. It scans everything for every question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from counterfoil.gate.facts import VersionRef
from counterfoil.gate.question import Ignored, LatestBy, Question, Selector

from tests.gate_history import History

Pact = tuple[VersionRef, str, str]
"""Consumer's version, provider, content."""
Line = tuple[VersionRef, str, VersionRef | None, bool | None]
"""Consumer's version, provider, provider's version, success."""


@dataclass(frozen=True, slots=True)
class Tables:
    """A history as a Broker would have it."""

    history: History

    def answer(self, question: Question) -> bool | None:
        """Whether the Broker would deploy."""
        named = [(selector, self._versions(selector)) for selector in question.selectors]
        ignored = {one.participant for one in question.ignored if one.number is None}
        if any(not found and not _is_whole(one) and one.participant not in ignored for one, found in named):
            return False
        considered = [line[3] for line in self.lines(question) if not self._is_ignored(line, question.ignored)]
        return None if None in considered else all(considered)

    def lines(self, question: Question) -> list[Line]:
        """The rows of the matrix, whether they are ignored or not."""
        named = list(question.selectors)
        selectors = [*named, *self._inferred(question)]
        expanded = [self._versions(one) for one in selectors]
        count = sum(1 if _is_whole(one) else max(1, len(found)) for one, found in zip(selectors, expanded, strict=True))
        versions = {version for found in expanded for version in found}
        if count == 1:
            lines = list(self._of_one(versions))
        else:
            participants, asked = {one.participant for one in selectors}, {one.participant for one in named}
            lines = list(self._among(versions, participants, asked))
        return _collapsed(lines, self._age) if question.latest_by is LatestBy.CVP else lines

    def _of_one(self, versions: set[VersionRef]) -> Iterator[Line]:
        for pact in self._pacts():
            consumer, provider, _ = pact
            results = self._results(pact)
            if consumer in versions:
                yield from ((consumer, provider, *result) for result in results or [(None, None)])
            else:
                yield from ((consumer, provider, *result) for result in results if result[0] in versions)

    def _among(self, versions: set[VersionRef], participants: set[str], asked: set[str]) -> Iterator[Line]:
        for pact in self._pacts():
            consumer, provider, _ = pact
            if consumer in versions and provider in participants and {consumer.participant, provider} & asked:
                results = [result for result in self._results(pact) if result[0] in versions]
                yield from ((consumer, provider, *result) for result in results or [(None, None)])

    def _inferred(self, question: Question) -> Iterator[Selector]:
        destination = question.destination
        if destination is None:
            return
        asked = {one.participant for one in question.selectors}
        picked = {version for one in question.selectors for version in self._versions(one)}
        others = {provider for consumer, provider, _ in self._pacts() if consumer in picked}
        others |= {consumer.participant for consumer, provider, _ in self._pacts() if provider in asked}
        for name in sorted(others - asked):
            yield Selector(
                participant=name,
                environment=destination.environment,
                tag=destination.tag,
                main_branch=destination.main_branch,
                latest=destination.environment is None,
            )

    def _pacts(self) -> list[Pact]:
        return [(consumer, provider, content) for (consumer, provider), content in self.history.pacts.items()]

    def _results(self, pact: Pact) -> list[tuple[VersionRef | None, bool | None]]:
        """The last result of each version of the provider that has one of this content."""
        consumer, provider, content = pact
        last: dict[VersionRef | None, bool | None] = {}
        for one in self.history.verifications:
            if (one.consumer, one.content, one.provider.participant) == (consumer.participant, content, provider):
                last[one.provider] = one.success
        return list(last.items())

    def _versions(self, selector: Selector) -> list[VersionRef]:
        """What is left of a participant's versions after each restriction in turn."""
        history = self.history
        left = [one for one in history.versions if one.participant == selector.participant]
        if selector.environment is not None:
            live = {one for (_, place, _), one in history.deployed.items() if place == selector.environment}
            live |= {one for one, place in history.released if place == selector.environment}
            left = [one for one in left if one in live]
        if selector.tag is not None:
            left = [one for one in left if (one, selector.tag) in history.tags]
        if selector.number is not None:
            left = [one for one in left if one.number == selector.number]
        branches = [selector.branch] if selector.branch is not None else []
        if selector.main_branch:
            branches.append(history.main_branches.get(selector.participant) or "no main branch")
        for branch in branches:
            members = [one for one, name in history.branches if name == branch]
            members = [one for one in members if one.participant == selector.participant]
            if selector.latest:
                members = sorted(members, key=lambda one: history.branches[one, branch])[-1:]
            left = [one for one in left if one in members]
        return sorted(left, key=self._age)[-1:] if selector.latest and not branches else left

    def _age(self, version: VersionRef | None) -> int:
        return self.history.versions[version] if version else -1

    def _is_ignored(self, line: Line, ignored: Iterable[Ignored]) -> bool:
        consumer, provider, tried, _ = line
        names = {one.participant for one in ignored if one.number is None}
        versions = {(one.participant, one.number) for one in ignored}
        ends = [one for one in (consumer, tried) if one is not None]
        return bool({consumer.participant, provider} & names) or any(
            (one.participant, one.number) in versions for one in ends
        )


def _is_whole(selector: Selector) -> bool:
    return selector == Selector(participant=selector.participant)


def _collapsed(lines: Sequence[Line], age: Callable[[VersionRef | None], int]) -> list[Line]:
    best: dict[tuple[VersionRef, str], Line] = {}
    for line in sorted(lines, key=lambda line: age(line[2])):
        best[line[0], line[1]] = line
    return list(best.values())
