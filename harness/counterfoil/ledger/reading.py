"""What the ledger knows that bears on a question, as the gate's facts. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, FromClause, Row, Select, bindparam, column, func, select

from counterfoil.gate.facts import (
    Divergence,
    EnvironmentFact,
    Facts,
    Failure,
    Membership,
    PactFact,
    ParticipantFact,
    ProbeFact,
    SchemaBreak,
    SchemaFact,
    SchemaPairFact,
    VerificationFact,
    VersionFact,
    VersionRef,
)
from counterfoil.gate.question import Question
from counterfoil.ledger import tables
from counterfoil.ledger.play import Play, batched, find_play
from counterfoil.ledger.presences import fact_of, live_rows
from counterfoil.ledger.tables import MembershipKind

EVERY = "*"
"""Stands for every message, where nobody said which."""
Triple = tuple[int, int, int]
"""Consumer, content, provider's version."""


def read_facts(connection: Connection, question: Question) -> Facts:
    """Everything that `gate.facts.Facts` asks for."""
    return _Reading(connection, question, find_play(connection, question)).facts()


class _Reading:
    """One question's facts. Versions that a fact names are collected on the way, and told at the end."""

    def __init__(self, connection: Connection, question: Question, play: Play) -> None:
        self._connection = connection
        self._question = question
        self._play = play
        self._mentioned: set[int] = play.versions | play.ignored

    def facts(self) -> Facts:
        play = self._play
        alone = self._alone()
        pacts = list(dict.fromkeys(self._pacts(alone)))
        verifications = tuple(self._verifications(pacts, alone))
        schemas = tuple(self._schemas())
        return Facts(
            participants=tuple(
                ParticipantFact(name=name, main_branch=play.main_branches.get(key))
                for key, name in sorted(play.names.items())
            ),
            environments=tuple(
                EnvironmentFact(name=name, production=production)
                for name, (_, production) in sorted(play.environments.items())
            ),
            integrations=frozenset((play.names[one], play.names[other]) for one, other in play.integrations),
            pacts=tuple(fact for _, fact in pacts),
            verifications=verifications,
            presences=tuple(play.presences),
            schemas=schemas,
            schema_pairs=tuple(self._schema_pairs({fact.digest for fact in schemas})),
            probes=tuple(self._probes()),
            versions=tuple(self._versions()),
        )

    def _alone(self) -> frozenset[int]:
        """The versions of the single selector that may have nothing to be held against but themselves.

        That is so without a destination, and with one for a participant that only has pacts with itself.
        """
        question, play = self._question, self._play
        is_single = len(question.selectors) == 1 and (len(play.selected) == 1 or question.selectors[0].all_versions)
        may_be_alone = question.destination is None or any(one == other for one, other in play.integrations)
        return frozenset(play.selected) if is_single and may_be_alone else frozenset()

    def _pacts(self, alone: frozenset[int]) -> Iterator[tuple[Triple, PactFact]]:
        """The pacts of the versions in play; the key has the provider in the last place."""
        table = tables.pact
        for some in batched(self._play.versions):
            yield from self._pact_facts(_pact_columns().where(table.c.version_id.in_(some)))
        for few in batched(alone):
            tried = tables.verification.c
            contents = select(tried.content_id, tried.consumer_id).where(tried.provider_version_id.in_(few)).distinct()
            wanted = contents.subquery()
            query = _pact_columns().join(
                wanted, (wanted.c.content_id == table.c.content_id) & (wanted.c.consumer_id == table.c.consumer_id)
            )
            versions = self._play.versions
            yield from self._pact_facts(query.where(table.c.version_id.not_in(versions)) if versions else query)

    def _pact_facts(
        self, query: Select[int, int, int, int, int, str, str, str, str]
    ) -> Iterator[tuple[Triple, PactFact]]:
        for row in self._connection.execute(query.order_by(tables.pact.c.id)):
            self._mentioned.add(row.version_id)
            fact = PactFact(
                consumer=VersionRef(row.consumer, row.number), provider=row.provider, content=row.digest, order=row.id
            )
            yield (row.consumer_id, row.content_id, row.provider_id), fact

    def _verifications(
        self, pacts: Iterable[tuple[Triple, PactFact]], alone: frozenset[int]
    ) -> Iterator[VerificationFact]:
        """The last verification of each content by each provider's version in play, and by the last that tried it."""
        in_play = self._versions_of_participants()
        keys = {key for key, _ in pacts}
        triples = {
            (consumer, content, version)
            for consumer, content, provider in keys
            for version in in_play.get(provider, ())
        }
        found = set(self._last_of_triples(triples))
        found |= set(self._last_of_contents({(consumer, content, 0) for consumer, content, _ in keys}, alone))
        failed: dict[int, list[Failure]] = {}
        rows = [row for some in batched(found) for row in self._connection.execute(_verification_columns(some))]
        for some in batched([row.id for row in rows if not row.success]):
            table = tables.interaction_result.c
            columns = select(table.verification_id, table.description, table.detail)
            results = columns.where(table.verification_id.in_(some), ~table.success).order_by(table.id)
            for one in self._connection.execute(results):
                failed.setdefault(one.verification_id, []).append(
                    Failure(interaction=one.description, detail=one.detail)
                )
        for tried in rows:
            self._mentioned.add(tried.provider_version_id)
            yield VerificationFact(
                consumer=tried.consumer,
                content=tried.digest,
                provider=VersionRef(tried.provider, tried.number),
                success=tried.success,
                order=tried.id,
                when=tried.at,
                run=tried.build_url or tried.key,
                failures=tuple(failed.get(tried.id, ())),
            )

    def _versions_of_participants(self) -> dict[int, list[int]]:
        table, found = tables.version.c, dict[int, list[int]]()
        for some in batched(self._play.versions):
            for row in self._connection.execute(select(table.id, table.participant_id).where(table.id.in_(some))):
                found.setdefault(row.participant_id, []).append(row.id)
        return found

    def _last_of_triples(self, triples: Collection[Triple]) -> Iterator[int]:
        table = tables.verification.c
        wanted = _wanted(self._connection, triples)
        last = (
            select(func.max(table.id))
            .where(
                table.consumer_id == wanted.c.consumer_id,
                table.content_id == wanted.c.content_id,
                table.provider_version_id == wanted.c.version_id,
            )
            .correlate(wanted)
            .scalar_subquery()
        )
        yield from (one for one in self._connection.scalars(select(last).select_from(wanted)) if one is not None)

    def _last_of_contents(self, contents: Collection[Triple], alone: frozenset[int]) -> Iterator[int]:
        """The last verification of each content; for a version that is asked about alone, that by each provider."""
        table = tables.verification.c
        wanted = _wanted(self._connection, contents)
        same = (table.consumer_id == wanted.c.consumer_id) & (table.content_id == wanted.c.content_id)
        groups = [wanted.c.consumer_id, wanted.c.content_id] + ([table.provider_version_id] if alone else [])
        query = select(func.max(table.id)).select_from(wanted).join(tables.verification, same)
        yield from self._connection.scalars(query.group_by(*groups))

    def _schemas(self) -> Iterator[SchemaFact]:
        """The last schema of each version in play, and of whoever is live at the destination and exchanges messages."""
        table = tables.schema.c
        for some in batched(self._play.versions | self._live_exchanging()):
            last = select(func.max(table.id)).where(table.version_id.in_(some)).group_by(table.version_id)
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
            for row in self._connection.execute(query):
                self._mentioned.add(row.version_id)
                yield SchemaFact(
                    version=VersionRef(row.name, row.number),
                    digest=row.digest,
                    writes=msgspec.json.decode(row.writes, type=frozenset[str]),
                    reads=msgspec.json.decode(row.reads, type=frozenset[str]),
                )

    def _live_exchanging(self) -> set[int]:
        """The versions live at the destination of participants that ever exchanged a message with a specified one."""
        destination = self._question.destination
        place = self._play.environments.get(destination.environment or "") if destination else None
        if place is None:
            return set()
        mine, theirs = tables.exchange.alias("mine"), tables.exchange.alias("theirs")
        partners: set[int] = set()
        for some in batched(self._play.specified):
            same = (theirs.c.message == mine.c.message) | (theirs.c.message == EVERY) | (mine.c.message == EVERY)
            query = select(theirs.c.participant_id).distinct().select_from(mine)
            query = query.join(theirs, (theirs.c.direction != mine.c.direction) & same)
            partners |= set(self._connection.scalars(query.where(mine.c.participant_id.in_(some))))
        found = (live_rows(self._connection, [place[0]], some) for some in batched(partners - set(self._play.names)))
        live = [row for rows in found for row in rows]
        self._play.presences += map(fact_of, live)
        return {row.version_id for row in live}

    def _schema_pairs(self, digests: Collection[str]) -> Iterator[SchemaPairFact]:
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

    def _probes(self) -> Iterator[ProbeFact]:
        """The last probe of each pair of versions in play."""
        table = tables.probe.c
        for some in batched(self._play.versions):
            query = select(table.first_version_id, table.second_version_id, func.max(table.id).label("id"))
            pairs = query.where(table.first_version_id.in_(some)).group_by(
                table.first_version_id, table.second_version_id
            )
            last = [row.id for row in self._connection.execute(pairs) if row.second_version_id in self._play.versions]
            for few in batched(last):
                yield from map(_probe_fact, self._connection.execute(_probe_columns(few)))

    def _versions(self) -> Iterator[VersionFact]:
        """The versions in play, and those that another fact names."""
        table, members = tables.version.c, tables.membership.c
        for some in batched(self._mentioned):
            on: dict[tuple[int, str], list[Membership]] = {}
            columns = select(members.version_id, members.kind, members.name, members.id)
            for joined in self._connection.execute(columns.where(members.version_id.in_(some)).order_by(members.id)):
                entry = Membership(name=joined.name, order=joined.id)
                on.setdefault((joined.version_id, joined.kind), []).append(entry)
            query = select(table.id, table.number, tables.participant.c.name).join(tables.participant)
            for row in self._connection.execute(query.where(table.id.in_(some)).order_by(table.id)):
                yield VersionFact(
                    version=VersionRef(row.name, row.number),
                    order=row.id,
                    branches=tuple(on.get((row.id, MembershipKind.BRANCH), ())),
                    tags=tuple(on.get((row.id, MembershipKind.TAG), ())),
                )


def _wanted(connection: Connection, triples: Collection[Triple]) -> FromClause:
    """The triples as a table to join with: one parameter, or one for each column, however many there are."""
    names = ("consumer_id", "content_id", "version_id")
    ordered = sorted(triples)
    if connection.dialect.name == "sqlite":
        each = func.json_each(msgspec.json.encode(ordered).decode()).table_valued("value")
        places = [func.json_extract(each.c.value, f"$[{place}]", type_=BigInteger) for place in range(len(names))]
        return select(*(one.label(name) for one, name in zip(places, names, strict=True))).subquery("wanted")
    columns = [[triple[place] for triple in ordered] for place in range(len(names))]
    arrays = [bindparam(None, values, type_=ARRAY(BigInteger)) for values in columns]
    unnested = func.unnest(*arrays).table_valued(*(column(name, BigInteger) for name in names))
    return unnested.render_derived(name="wanted")


def _pact_columns() -> Select[int, int, int, int, int, str, str, str, str]:
    table = tables.pact
    consumer, provider = tables.participant.alias("consumer"), tables.participant.alias("provider")
    return (
        select(
            table.c.id,
            table.c.version_id,
            table.c.consumer_id,
            table.c.provider_id,
            table.c.content_id,
            consumer.c.name.label("consumer"),
            provider.c.name.label("provider"),
            tables.version.c.number,
            tables.content.c.digest,
        )
        .join(consumer, consumer.c.id == table.c.consumer_id)
        .join(provider, provider.c.id == table.c.provider_id)
        .join(tables.version, tables.version.c.id == table.c.version_id)
        .join(tables.content, tables.content.c.id == table.c.content_id)
    )


def _verification_columns(
    identifiers: Sequence[int],
) -> Select[int, int, bool, str, str, str, str, str, str, str | None]:
    table = tables.verification
    consumer, provider = tables.participant.alias("consumer"), tables.participant.alias("provider")
    return (
        select(
            table.c.id,
            table.c.provider_version_id,
            table.c.success,
            consumer.c.name.label("consumer"),
            provider.c.name.label("provider"),
            tables.version.c.number,
            tables.content.c.digest,
            tables.run.c.at,
            tables.run.c.key,
            tables.run.c.build_url,
        )
        .join(consumer, consumer.c.id == table.c.consumer_id)
        .join(tables.version, tables.version.c.id == table.c.provider_version_id)
        .join(provider, provider.c.id == tables.version.c.participant_id)
        .join(tables.content, tables.content.c.id == table.c.content_id)
        .join(tables.run, tables.run.c.id == table.c.run_id)
        .where(table.c.id.in_(identifiers))
        .order_by(table.c.id)
    )


def _probe_columns(identifiers: Sequence[int]) -> Select[int, str, str, str, str, str]:
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
        .where(table.c.id.in_(identifiers))
        .order_by(table.c.id)
    )


def _probe_fact(row: Row[int, str, str, str, str, str]) -> ProbeFact:
    return ProbeFact(
        pair=(VersionRef(row.first_name, row.first), VersionRef(row.second_name, row.second)),
        order=row.id,
        divergences=msgspec.json.decode(row.divergences, type=tuple[Divergence, ...]),
    )
