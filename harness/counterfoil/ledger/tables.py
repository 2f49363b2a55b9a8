"""The tables of the ledger, as they are at the newest revision. Rows are only ever added; triggers refuse the rest.

Every row says by its run when it was written, and by what. An `id` grows with time within its table, since one writer
writes at a time; "the latest" is the row with the highest one. What each column may hold stands in its `info`, which
`transfer.py` holds imported rows to.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from counterfoil.gate.facts import PresenceKind

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)
Identifier = BigInteger().with_variant(Integer, "sqlite")


class Holds(StrEnum):
    """What the text of a column is."""

    NAME = "name"
    """What `names.flaw_of` finds no flaw in."""
    OPTIONAL_NAME = "optional name"
    """That, or nothing."""
    TEXT = "text"
    """What `names.storable` makes."""
    DIGEST = "digest"
    DOCUMENT = "document"
    """JSON, as msgspec writes the type that belongs to the column."""


class ContentKind(StrEnum):
    """What a content is."""

    PACT = "pact"
    SCHEMA = "schema"


class MembershipKind(StrEnum):
    """What a version was put on."""

    BRANCH = "branch"
    TAG = "tag"


NO_INSTANCE = ""
"""The slot of a deployment without an instance; no instance can be called that."""


def _text(name: str, holds: Holds, *values: str, nullable: bool = False, since: str = "") -> Column[str]:
    """A column of text; `values` are the only ones that it may have. Before the revision `since`, there was none."""
    return Column(name, Text, nullable=nullable, info={"holds": holds, "values": frozenset(values), "since": since})


def _to(table: str, column: str | None = None) -> Column[int]:
    return Column(column or f"{table}_id", Identifier, ForeignKey(f"{table}.id"), nullable=False)


def _table(
    name: str, *entries: Column[int] | Column[str] | Column[bool] | Column[bytes] | UniqueConstraint | Index
) -> Table:
    return Table(name, metadata, Column("id", Identifier, primary_key=True), _to("run"), *entries)


run = Table(
    "run",
    metadata,
    Column("id", Identifier, primary_key=True),
    _text("key", Holds.NAME),
    _text("at", Holds.NAME),
    _text("command", Holds.NAME),
    _text("counterfoil", Holds.NAME),
    _text("build_url", Holds.TEXT, nullable=True),
    Column("dirty", Boolean, nullable=False),
    UniqueConstraint("key"),
)
participant = _table("participant", _text("name", Holds.NAME), UniqueConstraint("name"))
version = _table(
    "version",
    _to("participant"),
    _text("number", Holds.NAME),
    UniqueConstraint("participant_id", "number"),
    Index(None, "participant_id", "id"),
)
membership = _table(
    "membership",
    _to("version"),
    _to("participant"),
    _text("kind", Holds.NAME, *MembershipKind),
    _text("name", Holds.NAME),
    UniqueConstraint("version_id", "kind", "name"),
    Index(None, "participant_id", "kind", "name", "id"),
)
content = _table(
    "content",
    _text("kind", Holds.NAME, *ContentKind),
    _text("digest", Holds.DIGEST),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("digest"),
)
integration = _table(
    "integration",
    _to("participant", "consumer_id"),
    _to("participant", "provider_id"),
    UniqueConstraint("consumer_id", "provider_id"),
    Index(None, "provider_id"),
)
pact = _table(
    "pact",
    _to("version"),
    _to("participant", "consumer_id"),
    _to("participant", "provider_id"),
    _to("content"),
    UniqueConstraint("version_id", "provider_id"),
    Index(None, "content_id", "consumer_id"),
)
verification = _table(
    "verification",
    _to("participant", "consumer_id"),
    _to("content"),
    _to("version", "provider_version_id"),
    Column("success", Boolean, nullable=False),
    Index(None, "consumer_id", "content_id", "provider_version_id", "id"),
    Index(None, "provider_version_id", "consumer_id", "content_id", "id"),
)
interaction_result = _table(
    "interaction_result",
    _to("verification"),
    _text("digest", Holds.DIGEST),
    _text("description", Holds.TEXT),
    Column("success", Boolean, nullable=False),
    _text("detail", Holds.TEXT),
    Index(None, "verification_id"),
)
environment = _table(
    "environment",
    _text("name", Holds.NAME),
    _text("display_name", Holds.NAME),
    Column("production", Boolean, nullable=False),
    UniqueConstraint("name"),
)
presence = _table(
    "presence",
    _to("environment"),
    _to("participant"),
    _to("version"),
    _text("kind", Holds.NAME, *PresenceKind),
    _text("instance", Holds.OPTIONAL_NAME),
    Column("live", Boolean, nullable=False),
    Index(None, "environment_id", "participant_id", "kind", "instance", "version_id", "id"),
)
schema = _table(
    "schema",
    _to("version"),
    _to("content"),
    _text("writes", Holds.DOCUMENT),
    _text("reads", Holds.DOCUMENT),
    Index(None, "version_id", "id"),
)
exchange = _table(
    "exchange",
    _to("participant"),
    _text("direction", Holds.NAME, "writes", "reads"),
    _text("message", Holds.NAME),
    UniqueConstraint("direction", "message", "participant_id"),
)
schema_pair = _table(
    "schema_pair",
    _to("content", "writer_id"),
    _to("content", "reader_id"),
    _text("breaks", Holds.DOCUMENT),
    Index(None, "writer_id", "reader_id", "id"),
)
probe = _table(
    "probe",
    _to("version", "first_version_id"),
    _to("version", "second_version_id"),
    _text("divergences", Holds.DOCUMENT),
    _text("first_stub", Holds.DIGEST, nullable=True, since="0003"),
    _text("second_stub", Holds.DIGEST, nullable=True, since="0003"),
    Index(None, "first_version_id", "second_version_id", "id"),
    Index(None, "first_stub", "second_stub", "id"),
    Index(None, "second_version_id"),
)
reading = _table(
    "reading",
    _to("participant", "consumer_id"),
    _to("content"),
    _to("version", "reader_version_id"),
    _text("flaws", Holds.DOCUMENT),
    Index(None, "reader_version_id", "consumer_id", "content_id", "id"),
)
waiver = _table(
    "waiver",
    _to("version"),
    _text("rule", Holds.TEXT),
    _text("subject", Holds.TEXT),
    _text("owner", Holds.TEXT),
    _text("reason", Holds.TEXT),
    _text("link", Holds.TEXT, nullable=True),
    _text("expires", Holds.TEXT, nullable=True),
    _text("witness", Holds.TEXT, nullable=True),
    Index(None, "version_id"),
)
