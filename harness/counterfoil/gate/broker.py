"""What a Pact Broker answers on the same facts to the same question.

The rules are those of Pact Broker 2.120, as observed on it; docs/gate.md lists them. Two of them are why the answer is
not our verdict: a live version of a provider that verified nothing is not noticed beside one that did, and an unknown
result hides a failed one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from counterfoil.gate.facts import Facts, PactFact, VerificationFact, VersionRef
from counterfoil.gate.index import FactIndex
from counterfoil.gate.question import Destination, Ignored, LatestBy, Question, Selector


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the matrix: a pact and a verification of it, or the lack of one."""

    pact: PactFact
    provider: VersionRef | None
    """None: no version of the provider that was asked about has a result, or there is none."""
    verification: VerificationFact | None
    ignored: bool = False

    @property
    def success(self) -> bool | None:
        """None: unknown."""
        return None if self.verification is None else self.verification.success


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A selector with what it picks: no version where nothing was found."""

    selector: Selector
    specified: bool
    versions: tuple[VersionRef, ...]

    @property
    def size(self) -> int:
        """As how many selectors a Broker counts it: each version is one, and so are a whole participant and a miss."""
        return 1 if self.selector.all_versions else max(1, len(self.versions))

    @property
    def missing(self) -> bool:
        """Whether the asker named something that does not exist."""
        return self.specified and not self.versions and not self.selector.all_versions


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAnswer:
    """The answer with what it rests on."""

    deployable: bool | None
    rows: tuple[Row, ...]
    found: tuple[Row, ...]
    """The rows before they are collapsed, which `LatestBy.CVP` asks for."""
    resolved: tuple[Resolved, ...]
    missing: tuple[Selector, ...]
    """Selectors of the asker that found nothing and are not ignored."""

    def count(self, *, success: bool | None) -> int:
        """How many of the rows that are not ignored say so."""
        return sum(row.success is success and not row.ignored for row in self.rows)


def pact_broker_answer(facts: Facts, question: Question) -> bool | None:
    """True, False, or None for unknown."""
    return ask(FactIndex(facts), question).deployable


def ask(index: FactIndex, question: Question) -> BrokerAnswer:
    """The answer and its rows, in a Broker's order. Unknown participants and environments are to be refused before."""
    resolved = resolve(index, question)
    ignorer = Ignorer(index, question.ignored)
    found = tuple(sorted(_rows(index, resolved, ignorer), key=lambda row: _place(index, row)))
    rows = tuple(_latest(index, found)) if question.latest_by is LatestBy.CVP else found
    missing = tuple(one.selector for one in resolved if one.missing and not ignorer.by_name(one.selector.participant))
    considered = [row.success for row in rows if not row.ignored]
    deployable: bool | None
    if missing:
        deployable = False
    elif None in considered:
        deployable = None
    else:
        deployable = False not in considered
    return BrokerAnswer(deployable=deployable, rows=rows, found=found, resolved=resolved, missing=missing)


def resolve(index: FactIndex, question: Question) -> tuple[Resolved, ...]:
    """The asker's selectors, then one for each counterpart where there is a destination."""
    specified = [Resolved(selector=one, specified=True, versions=index.select(one)) for one in question.selectors]
    if question.destination is None:
        return tuple(specified)
    names = sorted(_counterparts(index, specified) - question.specified)
    inferred = [_inferred(name, question.destination) for name in names]
    return (*specified, *(Resolved(selector=one, specified=False, versions=index.select(one)) for one in inferred))


def _inferred(participant: str, destination: Destination) -> Selector:
    return Selector(
        participant=participant,
        environment=destination.environment,
        tag=destination.tag,
        main_branch=destination.main_branch,
        latest=destination.environment is None,
    )


def _counterparts(index: FactIndex, specified: Iterable[Resolved]) -> set[str]:
    """The providers of the specified versions' own pacts, and whoever ever published a pact with a specified one."""
    names = {one.selector.participant for one in specified}
    providers = {pact.provider for one in specified for version in one.versions for pact in index.pacts_of[version]}
    return providers | {consumer for consumer, provider in index.facts.integrations if provider in names}


class Ignorer:
    """Which rows do not count. A version to ignore that does not exist leaves out nothing."""

    def __init__(self, index: FactIndex, ignored: Iterable[Ignored]) -> None:
        self._names = {one.participant for one in ignored if one.number is None}
        numbered = {VersionRef(one.participant, one.number) for one in ignored if one.number is not None}
        self._versions = {version for version in numbered if version in index.versions}

    def by_name(self, participant: str) -> bool:
        """Whether the whole participant is ignored."""
        return participant in self._names

    def holds(self, pact: PactFact, provider: VersionRef | None) -> bool:
        """Whether a row of that pact and version of its provider is ignored."""
        ends = (pact.consumer, provider)
        return pact.provider in self._names or any(end is not None and self.holds_version(end) for end in ends)

    def holds_version(self, version: VersionRef) -> bool:
        """Whether a version is ignored, itself or with its whole participant."""
        return version.participant in self._names or version in self._versions


def is_alone(resolved: tuple[Resolved, ...]) -> bool:
    """Whether there is nothing to hold the one selected version against, so that all that is known of it is listed."""
    return sum(one.size for one in resolved) == 1


def _rows(index: FactIndex, resolved: tuple[Resolved, ...], ignorer: Ignorer) -> Iterator[Row]:
    pairs = _all_results(index, resolved[0]) if is_alone(resolved) else _selected_results(index, resolved)
    for pact, verification in pairs:
        provider = verification.provider if verification else None
        yield Row(pact=pact, provider=provider, verification=verification, ignored=ignorer.holds(pact, provider))


_Pair = tuple[PactFact, VerificationFact | None]


def _all_results(index: FactIndex, one: Resolved) -> Iterator[_Pair]:
    """Of one selector alone: every result of its pacts, and every pact that a result of its own belongs to."""
    own = [pact for version in one.versions for pact in index.pacts_of[version]]
    for pact in own:
        yield from ((pact, result) for result in (*index.results(pact),) or (None,))
    for version in one.versions:
        results_by = {(fact.consumer, fact.content): fact for fact in index.results_by(version)}
        for pact in index.facts.pacts:
            result = results_by.get((pact.consumer.participant, pact.content))
            if result is not None and pact.provider == version.participant and pact not in own:
                yield pact, result


def selected_pacts(index: FactIndex, resolved: Iterable[Resolved]) -> Iterator[tuple[PactFact, tuple[VersionRef, ...]]]:
    """Pacts between selected participants of which the asker named one, each with the provider's selected versions."""
    versions: dict[str, set[VersionRef]] = {}
    specified = set()
    for one in resolved:
        versions.setdefault(one.selector.participant, set()).update(one.versions)
        if one.specified:
            specified.add(one.selector.participant)
    for consumer in sorted({version for found in versions.values() for version in found}):
        for pact in index.pacts_of[consumer]:
            if pact.provider in versions and {consumer.participant, pact.provider} & specified:
                yield pact, tuple(sorted(versions[pact.provider], key=index.order))


def _selected_results(index: FactIndex, resolved: Iterable[Resolved]) -> Iterator[_Pair]:
    for pact, providers in selected_pacts(index, resolved):
        results = tuple(result for provider in providers if (result := index.result(pact, provider)))
        yield from ((pact, result) for result in results or (None,))


def _place(index: FactIndex, row: Row) -> tuple[str, int, str, int]:
    """Names upwards, versions from the newest down."""
    newest_first = -index.order(row.provider) if row.provider else 0
    return row.pact.consumer.participant, -index.order(row.pact.consumer), row.pact.provider, newest_first


def _latest(index: FactIndex, rows: Iterable[Row]) -> Iterator[Row]:
    """Of each consumer version and provider, the row of the provider's version that was created last."""
    for _, group in groupby(rows, key=lambda row: (row.pact.consumer, row.pact.provider)):
        yield max(group, key=lambda row: index.order(row.provider) if row.provider else -1)
