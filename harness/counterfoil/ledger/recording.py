"""Writing to the ledger, inside one transaction. Rows are added, never changed; saying the same again adds nothing."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, Table, insert, select

from counterfoil import __version__
from counterfoil.core.pact_content import PactContent, digest_of
from counterfoil.errors import UsageError
from counterfoil.gate.facts import ProbeFact, ReadingFlaw, SchemaPairFact, VersionRef
from counterfoil.ledger import tables
from counterfoil.ledger.entries import Environment, Run, Verification, WaiverInForce
from counterfoil.ledger.names import storable
from counterfoil.ledger.tables import ContentKind, MembershipKind

Value = int | str | bool | bytes | None


class Recorder:
    """Records for one run. Names must have been checked (`names.checked`)."""

    def __init__(self, connection: Connection, run: Run) -> None:
        self._connection = connection
        self._run = run
        self._run_id: int | None = None

    @property
    def connection(self) -> Connection:
        """The transaction that is written in."""
        return self._connection

    def add(self, table: Table, **values: Value) -> int:
        """Add a row, and before the first one that of the run; its id."""
        if self._run_id is None:
            run = self._run
            self._run_id = self._inserted(
                tables.run,
                key=run.key,
                at=run.at,
                command=run.command,
                counterfoil=__version__,
                build_url=run.build_url,
                dirty=run.dirty,
            )
        return self._inserted(table, run_id=self._run_id, **values)

    def find(self, table: Table, **values: Value) -> int | None:
        """The id of the row with these values."""
        conditions = [table.c[name] == value for name, value in values.items()]
        return self._connection.execute(select(table.c.id).where(*conditions)).scalar()

    def participant(self, name: str) -> int:
        """A participant, which exists from its first mention on."""
        return self._the(tables.participant, name=name)

    def version(self, version: VersionRef, *, branch: str | None = None, tags: Iterable[str] = ()) -> int:
        """A version, which exists from its first mention on; it is put on the branch and gets the tags."""
        participant = self.participant(version.participant)
        identifier = self._the(tables.version, participant_id=participant, number=version.number)
        wanted = [(MembershipKind.BRANCH, branch)] if branch is not None else []
        for kind, name in [*wanted, *((MembershipKind.TAG, tag) for tag in tags)]:
            known = self.find(tables.membership, version_id=identifier, kind=kind, name=name)
            if known is None:
                self.add(tables.membership, version_id=identifier, participant_id=participant, kind=kind, name=name)
        return identifier

    def pact(self, number: str, pact: PactContent) -> bool:
        """Publish the pact of a consumer's version; whether it is new. Raises UsageError when it has another."""
        version = self.version(VersionRef(pact.consumer, number))
        consumer, provider = self.participant(pact.consumer), self.participant(pact.provider)
        content = self._content(ContentKind.PACT, pact.body)
        table = tables.pact
        query = select(table.c.content_id).where(table.c.version_id == version, table.c.provider_id == provider)
        published = self._connection.execute(query).scalar()
        if published == content:
            return False
        if published is not None:
            raise UsageError(
                f"{pact.consumer} {number} has already published another pact with {pact.provider}",
                why="others may have judged that one, so what a version promised stays; nothing was recorded",
                fix="publish it as a new version: --version NUMBER",
            )
        self._the(tables.integration, consumer_id=consumer, provider_id=provider)
        self.add(table, version_id=version, consumer_id=consumer, provider_id=provider, content_id=content)
        return True

    def schema(self, version: VersionRef, image: bytes, writes: Iterable[str], reads: Iterable[str]) -> bool:
        """Record the schema that a version speaks; whether that is new."""
        identifier, participant = self.version(version), self.participant(version.participant)
        said = {"writes": sorted(set(writes)), "reads": sorted(set(reads))}
        documents = {direction: msgspec.json.encode(messages).decode() for direction, messages in said.items()}
        content = self._content(ContentKind.SCHEMA, image)
        table = tables.schema
        columns = select(table.c.content_id, table.c.writes, table.c.reads)
        last = self._connection.execute(
            columns.where(table.c.version_id == identifier).order_by(table.c.id.desc()).limit(1)
        ).one_or_none()
        if last == (content, documents["writes"], documents["reads"]):
            return False
        self.add(table, version_id=identifier, content_id=content, **documents)
        for direction, messages in said.items():
            for message in messages:
                self._the(tables.exchange, participant_id=participant, direction=direction, message=message)
        return True

    def pact_body(self, consumer: VersionRef, provider: str) -> bytes | None:
        """The content of what a consumer's version has published for a provider."""
        pact, version, content = tables.pact.c, tables.version, tables.content
        consumers, providers = tables.participant.alias("consumer"), tables.participant.alias("provider")
        query = (
            select(content.c.body)
            .join(tables.pact, pact.content_id == content.c.id)
            .join(version, version.c.id == pact.version_id)
            .join(consumers, consumers.c.id == version.c.participant_id)
            .join(providers, providers.c.id == pact.provider_id)
            .where(
                consumers.c.name == consumer.participant,
                version.c.number == consumer.number,
                providers.c.name == provider,
            )
        )
        return self._connection.execute(query).scalar()

    def verification(self, provider: VersionRef, verification: Verification) -> str:
        """Record that a provider's version was tried against a content, whose digest this is. The last one counts."""
        identifier = self.add(
            tables.verification,
            consumer_id=self.participant(verification.consumer),
            content_id=self._content(ContentKind.PACT, verification.content),
            provider_version_id=self.version(provider),
            success=verification.success,
        )
        for result in verification.results:
            self.add(
                tables.interaction_result,
                verification_id=identifier,
                digest=result.digest,
                description=storable(result.description),
                success=result.success,
                detail=storable(result.detail),
            )
        return digest_of(verification.content)

    def environment(self, environment: Environment) -> bool:
        """Create an environment; whether it is new. Raises UsageError for another one of that name."""
        table, name = tables.environment, environment.name
        columns = select(table.c.display_name, table.c.production)
        known = self._connection.execute(columns.where(table.c.name == name)).one_or_none()
        if known is None:
            self.add(table, name=name, display_name=environment.display_name, production=environment.production)
        elif known != (environment.display_name, environment.production):
            kind = "a production" if known.production else "no production"
            raise UsageError(
                f"there is an environment '{name}' already",
                why=f"it is called '{known.display_name}' and is {kind} environment",
                fix="create one of another name",
            )
        return known is None

    def schema_pair(self, pair: SchemaPairFact) -> None:
        """Keep the result of comparing two schemas, both of which must be known."""
        writer, reader = (self.find(tables.content, digest=digest) for digest in (pair.writer, pair.reader))
        if writer is None or reader is None:
            raise ValueError(pair)
        breaks = msgspec.json.encode(pair.breaks, order="sorted").decode()
        self.add(tables.schema_pair, writer_id=writer, reader_id=reader, breaks=breaks)

    def probe(self, probe: ProbeFact) -> None:
        """Record what a probe of two versions' stubs found. The last one counts."""
        ends = sorted(zip(probe.pair, probe.stubs, strict=True), key=lambda end: end[0])
        self.add(
            tables.probe,
            first_version_id=self.version(ends[0][0]),
            second_version_id=self.version(ends[1][0]),
            divergences=msgspec.json.encode(probe.divergences).decode(),
            first_stub=ends[0][1],
            second_stub=ends[1][1],
        )

    def reading(self, consumer: str, content: bytes, reader: VersionRef, flaws: Iterable[ReadingFlaw]) -> None:
        """Record what a version made of the payloads that a content allows. The last one counts."""
        self.add(
            tables.reading,
            consumer_id=self.participant(consumer),
            content_id=self._content(ContentKind.PACT, content),
            reader_version_id=self.version(reader),
            flaws=msgspec.json.encode(tuple(flaws)).decode(),
        )

    def waiver(self, version: VersionRef, waiver: WaiverInForce) -> None:
        """Record that a waiver held when a version was judged."""
        texts = {name: getattr(waiver, name) for name in WaiverInForce.__slots__}
        stored = {name: None if text is None else storable(text) for name, text in texts.items()}
        self.add(tables.waiver, version_id=self.version(version), **stored)

    def _content(self, kind: ContentKind, body: bytes) -> int:
        return self.find(tables.content, digest=digest_of(body)) or self.add(
            tables.content, kind=kind, digest=digest_of(body), body=body
        )

    def _the(self, table: Table, **values: Value) -> int:
        """The row with these values, added unless it is there."""
        return self.find(table, **values) or self.add(table, **values)

    def _inserted(self, table: Table, **values: Value) -> int:
        key = self._connection.execute(insert(table).values(**values)).inserted_primary_key
        if key is None:
            raise ValueError(table.name)
        return int(key[0])
