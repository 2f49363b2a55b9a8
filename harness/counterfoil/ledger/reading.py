"""What the ledger knows that bears on a question, as the gate's facts. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, func, select

from counterfoil.gate.facts import (
    EnvironmentFact,
    Facts,
    Failure,
    Membership,
    PactFact,
    ParticipantFact,
    VerificationFact,
    VersionFact,
    VersionRef,
)
from counterfoil.gate.question import Question
from counterfoil.ledger import tables
from counterfoil.ledger.exchanges import Exchanges
from counterfoil.ledger.play import Play, asks_for_memberships, find_play
from counterfoil.ledger.sets import Triple, among, table_of
from counterfoil.ledger.tables import MembershipKind

TRIPLE = ("consumer_id", "content_id", "version_id")
"""Consumer, content, provider's version."""
Tried = Row[int, int, int, int, bool, str, str, str, str, str, str, str | None]
"""What `_verification_columns` has."""


def read_facts(connection: Connection, question: Question) -> Facts:
    """Everything that `gate.facts.Facts` asks for."""
    return _Reading(connection, question, find_play(connection, question)).facts()


class _Reading:
    """One question's facts. Versions that a fact names are collected on the way, and told at the end."""

    def __init__(self, connection: Connection, question: Question, play: Play) -> None:
        self._connection = connection
        self._question = question
        self._play = play
        self._lonely = self._alone()
        self._mentioned: set[int] = set(play.versions) | play.ignored | play.newest

    def facts(self) -> Facts:
        play = self._play
        pacts = list(dict.fromkeys(self._pacts()))
        verifications = tuple(self._verifications({key for key, _ in pacts}))
        exchanges = Exchanges(self._connection, self._question, play)
        schemas = tuple(exchanges.schemas())
        self._mentioned |= exchanges.mentioned
        probed = exchanges.probed()
        stubs = {content for content in probed.values() if content is not None}
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
            schema_pairs=tuple(exchanges.schema_pairs({fact.digest for fact in schemas})),
            probes=tuple(exchanges.probes(stubs)) if probed else (),
            probed=probed,
            readings=tuple(exchanges.readings()),
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

    def _pacts(self) -> Iterator[tuple[Triple, PactFact]]:
        """The pacts between versions in play of which the question names one; the key has the provider last."""
        table, play = tables.pact.c, self._play
        own = self._among(table.version_id, play.own)
        yield from self._pact_facts(_pact_columns().where(own))
        others = self._among(table.version_id, set(play.versions) - set(play.own))
        with_named = self._among(table.provider_id, play.specified)
        yield from self._pact_facts(_pact_columns().where(others, with_named))
        if self._lonely:
            tried = tables.verification.c
            by_own = self._among(tried.provider_version_id, self._lonely)
            wanted = select(tried.content_id, tried.consumer_id).where(by_own).distinct().subquery()
            same = (wanted.c.content_id == table.content_id) & (wanted.c.consumer_id == table.consumer_id)
            yield from self._pact_facts(_pact_columns().join(wanted, same))

    def _pact_facts(
        self, query: Select[int, int, int, int, int, str, str, str, str]
    ) -> Iterator[tuple[Triple, PactFact]]:
        for key, version, consumer, provider, content, name, other, number, digest in self._connection.execute(query):
            self._mentioned.add(version)
            fact = PactFact(consumer=VersionRef(name, number), provider=other, content=digest, order=key)
            yield (consumer, content, provider), fact

    def _verifications(self, keys: set[Triple]) -> Iterator[VerificationFact]:
        """The last verification of each content by each provider's version in play.

        Where not all of these succeed, also the last of the content, which may tell who does honour it.
        """
        in_play = self._play.versions_of({provider for _, _, provider in keys})
        triples = {
            (consumer, content, version) for consumer, content, provider in keys for version in in_play[provider]
        }
        rows = {row.id: row for row in self._tried(self._last_of_triples(triples))}
        honoured = {(row.consumer_id, row.content_id, row.provider_version_id) for row in rows.values() if row.success}
        open_contents = {(consumer, content, 0) for consumer, content, _ in triples - honoured}
        open_contents |= {(consumer, content, 0) for consumer, content, other in keys if not in_play[other]}
        if self._lonely:
            open_contents = {(consumer, content, 0) for consumer, content, _ in keys}
        rows |= {row.id: row for row in self._tried(set(self._last_of_contents(open_contents)) - set(rows))}
        failed = self._failures([row.id for row in rows.values() if not row.success])
        for key in sorted(rows):
            row = rows[key]
            self._mentioned.add(row.provider_version_id)
            yield VerificationFact(
                consumer=row.consumer,
                content=row.digest,
                provider=VersionRef(row.provider, row.number),
                success=row.success,
                order=key,
                when=row.at,
                run=row.build_url or row.key,
                failures=tuple(failed.get(key, ())),
            )

    def _tried(self, identifiers: Collection[int]) -> Iterator[Tried]:
        if identifiers:
            chosen = self._among(tables.verification.c.id, identifiers)
            yield from self._connection.execute(_verification_columns().where(chosen))

    def _failures(self, verifications: Collection[int]) -> dict[int, list[Failure]]:
        failed: dict[int, list[Failure]] = {}
        table = tables.interaction_result.c
        if verifications:
            columns = select(table.verification_id, table.description, table.detail)
            chosen = self._among(table.verification_id, verifications)
            for key, described, detail in self._connection.execute(
                columns.where(chosen, ~table.success).order_by(table.id)
            ):
                failed.setdefault(key, []).append(Failure(interaction=described, detail=detail))
        return failed

    def _last_of_triples(self, triples: Collection[Triple]) -> set[int]:
        table = tables.verification.c
        wanted = table_of(self._connection, triples, TRIPLE)
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
        return {one for one in self._connection.scalars(select(last).select_from(wanted)) if one is not None}

    def _last_of_contents(self, contents: Collection[Triple]) -> Iterator[int]:
        """The last verification of each content; for a version that is asked about alone, that by each provider."""
        table = tables.verification.c
        if contents:
            wanted = table_of(self._connection, contents, TRIPLE)
            same = (table.consumer_id == wanted.c.consumer_id) & (table.content_id == wanted.c.content_id)
            groups = [wanted.c.consumer_id, wanted.c.content_id]
            groups += [table.provider_version_id] if self._lonely else []
            query = select(func.max(table.id)).select_from(wanted).join(tables.verification, same)
            yield from self._connection.scalars(query.group_by(*groups))

    def _among(self, column: Column[int], values: Collection[int]) -> ColumnElement[bool]:
        return among(self._connection, column, values)

    def _versions(self) -> Iterator[VersionFact]:
        """The versions in play, and those that another fact names."""
        table, on = tables.version.c, self._memberships()
        query = select(table.id, table.number, tables.participant.c.name).join(tables.participant)
        chosen = self._among(table.id, self._mentioned)
        for key, number, name in self._connection.execute(query.where(chosen).order_by(table.id)):
            yield VersionFact(
                version=VersionRef(name, number),
                order=key,
                branches=tuple(on.get((key, MembershipKind.BRANCH), ())),
                tags=tuple(on.get((key, MembershipKind.TAG), ())),
            )

    def _memberships(self) -> dict[tuple[int, str], list[Membership]]:
        """The branches and tags of these versions, where the question asks for any."""
        on: dict[tuple[int, str], list[Membership]] = {}
        members = tables.membership.c
        if asks_for_memberships(self._question):
            columns = select(members.version_id, members.kind, members.name, members.id)
            chosen = self._among(members.version_id, self._mentioned)
            for version, kind, name, order in self._connection.execute(columns.where(chosen).order_by(members.id)):
                on.setdefault((version, kind), []).append(Membership(name=name, order=order))
        return on


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


def _verification_columns() -> Select[int, int, int, int, bool, str, str, str, str, str, str, str | None]:
    table = tables.verification
    consumer, provider = tables.participant.alias("consumer"), tables.participant.alias("provider")
    return (
        select(
            table.c.id,
            table.c.consumer_id,
            table.c.content_id,
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
    )
