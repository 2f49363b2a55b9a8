"""What stubs made of payloads: whether both ends read them alike, and whether each reads whatever their pact allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from counterfoil.gate import commands
from counterfoil.gate.broker import Row
from counterfoil.gate.facts import PactFact, ProbeFact, ReadingFact, VersionRef
from counterfoil.gate.index import FactIndex
from counterfoil.gate.reasons import Reason


def of_probes(index: FactIndex, pairs: Iterable[frozenset[VersionRef]]) -> Iterator[Reason]:
    """A reason for each pair of versions that would talk to each other and whose stubs read a payload differently."""
    for pair in sorted(set(pairs), key=sorted):
        last = max(_together(index, pair), key=lambda fact: fact.order, default=None)
        if last is None:
            yield from _never_together(index, pair)
            continue
        divergences = [one for one in last.divergences if not one.waived]
        if divergences:
            consumer, provider = sorted(pair)
            witnesses = tuple(one.witness for one in divergences if one.witness)
            yield Reason(
                rule="STUBS_DIVERGE",
                subject=f"{consumer}↔{provider}",
                message=f"the stubs of {consumer} and {provider} read the same payload differently: "
                + "; ".join(one.message for one in divergences),
                next=commands.replay(witnesses[0]) if witnesses else commands.probe(),
                consumer=consumer,
                provider=provider,
                symbols=tuple(one.subject for one in divergences),
                witnesses=witnesses,
            )


def _together(index: FactIndex, pair: frozenset[VersionRef]) -> Iterator[ProbeFact]:
    """The probes of these two versions, or of stubs that are made from the same as theirs."""
    contents = [index.facts.probed.get(version) for version in pair]
    for fact in index.facts.probes:
        is_same = None not in contents and Counter(fact.stubs) == Counter(contents)
        if is_same or frozenset(fact.pair) == pair:
            yield fact


def _never_together(index: FactIndex, pair: frozenset[VersionRef]) -> Iterator[Reason]:
    """Two versions that have stubs, which met others, but never each other."""
    if len({one.participant for one in pair}) == len(pair) > 1 and pair <= index.facts.probed.keys():
        one, other = sorted(pair)
        yield Reason(
            rule="STUBS_NOT_PROBED",
            subject=f"{one}↔{other}",
            message=f"the stubs of {one} and {other} were each probed, but in other company: "
            "whether the two read the same payloads alike is not known; the next command tells, where both are built",
            next=commands.probe_together(one, other),
            consumer=one,
            provider=other,
        )


def of_readings(index: FactIndex, rows: Iterable[Row]) -> Iterator[Reason]:
    """Reasons for each pair of versions of which one does not read whatever their pact lets the other send.

    Nothing is said of a version of which no reading of this consumer's pacts is recorded.
    """
    last = {
        (fact.reader, fact.consumer, fact.content): fact
        for fact in sorted(index.facts.readings, key=lambda fact: fact.order)
    }
    known = {(fact.reader, fact.consumer) for fact in index.facts.readings}
    for row in rows:
        consumer, provider = row.pact.consumer, row.provider
        if row.ignored or provider is None:
            continue
        for reader, sender in ((consumer, provider), (provider, consumer)):
            fact = last.get((reader, consumer.participant, row.pact.content))
            if fact is not None:
                yield from _of_reading(row.pact, fact, sender)
            elif (reader, consumer.participant) in known:
                yield _never_read(row.pact, reader, sender)


def _of_reading(pact: PactFact, fact: ReadingFact, sender: VersionRef) -> Iterator[Reason]:
    name, provider = pact.consumer.participant, pact.provider
    again = commands.record_nulls(name, provider, fact.reader.number)
    for rule, verb, following, flaws in (
        (
            "PAYLOAD_NOT_READ",
            "does not read",
            commands.nulls(name, provider),
            [x for x in fact.flaws if not x.unproven],
        ),
        ("PAYLOADS_UNPROVEN", "is not proven to read", again, [x for x in fact.flaws if x.unproven]),
    ):
        if flaws:
            yield Reason(
                rule=rule,
                subject=f"{fact.reader}←{sender}",
                message=f"{fact.reader} {verb} what the pact of {pact.consumer} with {provider} lets {sender} send: "
                + "; ".join(dict.fromkeys(one.message for one in flaws)),
                next=following,
                consumer=pact.consumer,
                provider=sender if fact.reader == pact.consumer else fact.reader,
                symbols=tuple(dict.fromkeys(one.subject for one in flaws)),
                witnesses=tuple(dict.fromkeys(one.payload for one in flaws if one.payload)),
            )


def _never_read(pact: PactFact, reader: VersionRef, sender: VersionRef) -> Reason:
    name = pact.consumer.participant
    return Reason(
        rule="PAYLOADS_UNPROVEN",
        subject=f"{reader}←{sender}",
        message=f"{reader} was given what other pacts of {name} allow, but not what that of {pact.consumer} does",
        next=commands.record_nulls(name, pact.provider, reader.number),
        consumer=pact.consumer,
        provider=sender if reader == pact.consumer else reader,
    )
