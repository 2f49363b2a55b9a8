"""What the ledger knows of the messages between versions: schemas, and what was found when stubs read payloads."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Row, Select, func, or_, select

from counterfoil.gate.facts import (
    Divergence,
    ProbeFact,
    ReadingFact,
    ReadingFlaw,
    SchemaBreak,
    SchemaFact,
    SchemaPairFact,
    VersionRef,
)
from counterfoil.gate.question import Question
from counterfoil.ledger import tables
from counterfoil.ledger.play import Play
from counterfoil.ledger.presences import fact_of, live_rows
from counterfoil.ledger.sets import among

EVERY = "*"
"""Stands for every message, where nobody said which."""


class Exchanges:
    """One question's facts of that kind. The versions that they name are collected on the way."""

    def __init__(self, connection: Connection, question: Question, play: Play) -> None:
        self._connection = connection
        self._question = question
        self._play = play
        self.mentioned: set[int] = set()

    def schemas(self) -> Iterator[SchemaFact]:
        """The last schema of each version in play, and of whoever is live at the destination and exchanges messages."""
        table = tables.schema.c
        speaking = self._among(table.version_id, set(self._play.versions) | self._live_exchanging())
        last = select(func.max(table.id)).where(speaking).group_by(table.version_id)
        columns = select(
            table.version_id,
            table.writes,
            table.reads,
            tables.content.c.digest,
            tables.version.c.number,
            tables.participant.c.name,
        )
        query = (
            columns.join(tables.content, tables.content.c.id == table.content_id)
            .join(tables.version, tables.version.c.id == table.version_id)
            .join(tables.participant, tables.participant.c.id == tables.version.c.participant_id)
            .where(table.id.in_(last))
            .order_by(table.id)
        )
        for version, writes, reads, digest, number, name in self._connection.execute(query):
            self.mentioned.add(version)
            yield SchemaFact(
                version=VersionRef(name, number),
                digest=digest,
                writes=msgspec.json.decode(writes, type=frozenset[str]),
                reads=msgspec.json.decode(reads, type=frozenset[str]),
            )

    def _live_exchanging(self) -> set[int]:
        """The versions live at the destination of participants that ever named a message that a specified one names.

        Whoever named none exchanges every message, but only with whom it has a pact, and these are in play.
        """
        destination, play = self._question.destination, self._play
        place = play.environments.get(destination.environment or "") if destination else None
        if place is None:
            return set()
        mine, theirs = tables.exchange.alias("mine"), tables.exchange.alias("theirs")
        same = (theirs.c.message == mine.c.message) & (theirs.c.direction != mine.c.direction)
        query = select(theirs.c.participant_id).distinct().select_from(mine).join(theirs, same)
        named = (mine.c.message != EVERY, self._among(mine.c.participant_id, play.specified))
        partners = set(self._connection.scalars(query.where(*named))) - set(play.names)
        live = live_rows(self._connection, [place[0]], partners) if partners else []
        play.presences += map(fact_of, live)
        return {row.version_id for row in live}

    def schema_pairs(self, digests: Collection[str]) -> Iterator[SchemaPairFact]:
        table = tables.schema_pair.c
        writer, reader = tables.content.alias("writer"), tables.content.alias("reader")
        if not digests:
            return
        ids = select(tables.content.c.id).where(tables.content.c.digest.in_(sorted(digests)))
        last = select(func.max(table.id)).where(table.writer_id.in_(ids), table.reader_id.in_(ids))
        query = (
            select(table.breaks, writer.c.digest.label("writer"), reader.c.digest.label("reader"))
            .join(writer, writer.c.id == table.writer_id)
            .join(reader, reader.c.id == table.reader_id)
            .where(table.id.in_(last.group_by(table.writer_id, table.reader_id)))
        )
        for row in self._connection.execute(query.order_by(table.id)):
            breaks = msgspec.json.decode(row.breaks, type=tuple[SchemaBreak, ...])
            yield SchemaPairFact(writer=row.writer, reader=row.reader, breaks=breaks)

    def probed(self) -> dict[VersionRef, str | None]:
        """The versions in play whose stubs were probed with any other's; what these were made from, the last time."""
        probe, version = tables.probe.c, tables.version.c
        ends = ((probe.first_version_id, probe.first_stub), (probe.second_version_id, probe.second_stub))
        found: dict[VersionRef, tuple[int, str | None]] = {}
        for end, stub in ends:
            last = select(func.max(probe.id)).where(self._among(end, self._play.versions)).group_by(end)
            columns = select(probe.id, stub, tables.participant.c.name, version.number)
            query = columns.join(tables.version, version.id == end).join(tables.participant)
            for order, digest, name, number in self._connection.execute(query.where(probe.id.in_(last))):
                one = VersionRef(name, number)
                found[one] = max(found.get(one, (0, None)), (order, digest), key=lambda entry: entry[0])
        return {one: digest for one, (_, digest) in found.items()}

    def probes(self, contents: Collection[str]) -> Iterator[ProbeFact]:
        """The last probe of each pair of versions in play, and of each pair of stubs with these contents."""
        table = tables.probe.c
        versions = (table.first_version_id, table.second_version_id)
        stubs = (table.first_stub, table.second_stub)
        wanted = [self._among(one, self._play.versions) for one in versions]
        same = [one.in_(sorted(contents)) for one in stubs]
        last = or_(
            table.id.in_(select(func.max(table.id)).where(*wanted).group_by(*versions)),
            table.id.in_(select(func.max(table.id)).where(*same).group_by(*stubs)),
        )
        yield from map(_probe_fact, self._connection.execute(_probe_columns().where(last)))

    def readings(self) -> Iterator[ReadingFact]:
        """The last reading of each content by each version in play."""
        table = tables.reading.c
        mine = self._among(table.reader_version_id, self._play.versions)
        keys = (table.reader_version_id, table.consumer_id, table.content_id)
        consumer, reader = tables.participant.alias("consumer"), tables.participant.alias("reader")
        query = (
            select(
                table.id, table.flaws, consumer.c.name, tables.content.c.digest, reader.c.name, tables.version.c.number
            )
            .join(consumer, consumer.c.id == table.consumer_id)
            .join(tables.content, tables.content.c.id == table.content_id)
            .join(tables.version, tables.version.c.id == table.reader_version_id)
            .join(reader, reader.c.id == tables.version.c.participant_id)
            .where(table.id.in_(select(func.max(table.id)).where(mine).group_by(*keys)))
            .order_by(table.id)
        )
        for order, flaws, name, digest, participant, number in self._connection.execute(query):
            yield ReadingFact(
                consumer=name,
                content=digest,
                reader=VersionRef(participant, number),
                order=order,
                flaws=msgspec.json.decode(flaws, type=tuple[ReadingFlaw, ...]),
            )

    def _among(self, column: Column[int], values: Collection[int]) -> ColumnElement[bool]:
        return among(self._connection, column, values)


def _probe_columns() -> Select[int, str, str, str, str, str, str | None, str | None]:
    table = tables.probe
    first, second = tables.version.alias("first"), tables.version.alias("second")
    first_name, second_name = tables.participant.alias("first_name"), tables.participant.alias("second_name")
    return (
        select(
            table.c.id,
            table.c.divergences,
            first.c.number.label("first"),
            first_name.c.name.label("first_name"),
            second.c.number.label("second"),
            second_name.c.name.label("second_name"),
            table.c.first_stub,
            table.c.second_stub,
        )
        .join(first, first.c.id == table.c.first_version_id)
        .join(second, second.c.id == table.c.second_version_id)
        .join(first_name, first_name.c.id == first.c.participant_id)
        .join(second_name, second_name.c.id == second.c.participant_id)
        .order_by(table.c.id)
    )


def _probe_fact(row: Row[int, str, str, str, str, str, str | None, str | None]) -> ProbeFact:
    return ProbeFact(
        pair=(VersionRef(row.first_name, row.first), VersionRef(row.second_name, row.second)),
        order=row.id,
        stubs=(row.first_stub, row.second_stub),
        divergences=msgspec.json.decode(row.divergences, type=tuple[Divergence, ...]),
    )
