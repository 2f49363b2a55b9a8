"""Messages between versions: what one writes, the other has to read, by their schemas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from counterfoil.gate import commands
from counterfoil.gate.facts import SchemaBreak, SchemaFact, VersionRef
from counterfoil.gate.index import FactIndex
from counterfoil.gate.reasons import Reason

ALL = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Messages that one version writes and another reads; `*` among them stands for every message."""

    writer: SchemaFact
    reader: SchemaFact
    messages: frozenset[str]

    def concerns(self, one: SchemaBreak) -> bool:
        """Whether the break shows in a message of this flow."""
        return not one.messages or ALL in self.messages or bool(one.messages & self.messages)


def flows(
    index: FactIndex, specified: Iterable[VersionRef], others: Iterable[VersionRef], talking: Iterable[frozenset[str]]
) -> tuple[Flow, ...]:
    """The flows between each specified version and all others, both ways.

    Whoever names its messages exchanges them with whoever names the same. A `*` says nothing of with whom: it counts
    only between participants that have a pact (`talking`, as pairs of names).
    """
    schemas = {fact.version: fact for fact in index.facts.schemas}
    pairs = set(talking)
    found: dict[tuple[VersionRef, VersionRef], Flow] = {}
    for one in specified:
        for other in others:
            for writer, reader in ((one, other), (other, one)):
                if writer != reader and writer in schemas and reader in schemas:
                    talks = frozenset((writer.participant, reader.participant)) in pairs
                    messages = _common(schemas[writer].writes, schemas[reader].reads, wildcards=talks)
                    if messages:
                        found[writer, reader] = Flow(writer=schemas[writer], reader=schemas[reader], messages=messages)
    return tuple(found[key] for key in sorted(found))


def _common(writes: frozenset[str], reads: frozenset[str], *, wildcards: bool) -> frozenset[str]:
    if not wildcards:
        return (writes & reads) - {ALL}
    if ALL in writes:
        return reads
    return writes if ALL in reads else writes & reads


def missing_pairs(index: FactIndex, among: Iterable[Flow]) -> tuple[tuple[str, str], ...]:
    """The pairs of digests (writer's, reader's) that were not compared yet."""
    known = {(fact.writer, fact.reader) for fact in index.facts.schema_pairs}
    pairs = {(flow.writer.digest, flow.reader.digest) for flow in among}
    return tuple(sorted(pair for pair in pairs - known if pair[0] != pair[1]))


def of_flows(index: FactIndex, among: Iterable[Flow], again: str) -> Iterator[Reason]:
    """A reason for each flow whose reader does not read what is written, or that was not judged.

    `again` is the command to run once something is recorded.
    """
    compared = {(fact.writer, fact.reader): fact.breaks for fact in index.facts.schema_pairs}
    for flow in among:
        key = (flow.writer.digest, flow.reader.digest)
        if key[0] == key[1]:
            continue
        if key not in compared:
            yield _not_compared(flow, again)
            continue
        breaks = [one for one in compared[key] if flow.concerns(one)]
        yield from _of_breaks(flow, breaks, again)


def _not_compared(flow: Flow, again: str) -> Reason:
    return Reason(
        rule="SCHEMAS_NOT_COMPARED",
        subject=_subject(flow),
        message=f"{flow.reader.version} reads what {flow.writer.version} writes ({_named(flow)}) under another schema, "
        "and nobody compared the two",
        next=again,
        provider=flow.writer.version,
        consumer=flow.reader.version,
    )


def _of_breaks(flow: Flow, breaks: Iterable[SchemaBreak], again: str) -> Iterator[Reason]:
    for rule, chosen in (
        ("SCHEMA_NOT_READ", [one for one in breaks if not one.unproven]),
        ("SCHEMA_UNPROVEN", [one for one in breaks if one.unproven]),
    ):
        if chosen:
            witnesses = tuple(one.witness for one in chosen if one.witness)
            replayable = next((one for one in witnesses if one.endswith(".json")), None)
            verb = "does not read" if rule == "SCHEMA_NOT_READ" else "is not proven to read"
            yield Reason(
                rule=rule,
                subject=_subject(flow),
                message=f"{flow.reader.version} {verb} what {flow.writer.version} writes: "
                + "; ".join(dict.fromkeys(one.message for one in chosen)),
                next=commands.replay(replayable) if replayable else again,
                provider=flow.writer.version,
                consumer=flow.reader.version,
                symbols=tuple(dict.fromkeys(one.symbol for one in chosen)),
                witnesses=witnesses,
            )


def _subject(flow: Flow) -> str:
    return f"{flow.reader.version}←{flow.writer.version}"


def _named(flow: Flow) -> str:
    return ", ".join(sorted(flow.messages)) if ALL not in flow.messages else "every message"
