"""What the ledger knows of the messages between versions: schemas, and what was found when stubs read payloads."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Row, Select, exists, func, select

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

    def probes(self) -> Iterator[ProbeFact]:
        """The last probe of each pair of versions in play."""
        table, versions = tables.probe.c, self._play.versions
        both = [self._among(one, versions) for one in (table.first_version_id, table.second_version_id)]
        last = select(func.max(table.id)).where(*both).group_by(table.first_version_id, table.second_version_id)
        yield from map(_probe_fact, self._connection.execute(_probe_columns().where(table.id.in_(last))))

    def probed(self) -> Iterator[VersionRef]:
        """The versions in play whose stubs were probed with any other's."""
        probe, version = tables.probe.c, tables.version.c
        columns = select(tables.participant.c.name, version.number).join(tables.version)
        either = (probe.first_version_id == version.id) | (probe.second_version_id == version.id)
        query = columns.where(self._among(version.id, self._play.versions), exists().where(either))
        yield from (VersionRef(name, number) for name, number in self._connection.execute(query))

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


def _probe_columns() -> Select[int, str, str, str, str, str]:
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
        )
        .join(first, first.c.id == table.c.first_version_id)
        .join(second, second.c.id == table.c.second_version_id)
        .join(first_name, first_name.c.id == first.c.participant_id)
        .join(second_name, second_name.c.id == second.c.participant_id)
        .order_by(table.c.id)
    )


def _probe_fact(row: Row[int, str, str, str, str, str]) -> ProbeFact:
    return ProbeFact(
        pair=(VersionRef(row.first_name, row.first), VersionRef(row.second_name, row.second)),
        order=row.id,
        divergences=msgspec.json.decode(row.divergences, type=tuple[Divergence, ...]),
    )
