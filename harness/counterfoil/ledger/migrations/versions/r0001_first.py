"""The first schema. Frozen: what changes later is another revision beside this one."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy import UniqueConstraint as Unique

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
Entry = Column[int] | Column[str] | Column[bool] | Column[bytes] | Unique | Index
Identifier = BigInteger().with_variant(Integer, "sqlite")
metadata = MetaData(naming_convention=NAMING)
SENTENCE = "rows of the ledger are never changed"


def _key() -> Column[int]:
    return Column("id", Identifier, primary_key=True)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _to(table: str, column: str) -> Column[int]:
    return Column(column, Identifier, ForeignKey(f"{table}.id"), nullable=False)


def _table(name: str, *entries: Entry) -> None:
    Table(name, metadata, _key(), _to("run", "run_id"), *entries)


def _describe() -> None:
    _describe_versions()
    _describe_contents()
    _describe_judgements()


def _describe_versions() -> None:
    texts = [_text(name) for name in ("key", "at", "command", "counterfoil")]
    Table("run", metadata, _key(), *texts, _text("build_url", nullable=True), _flag("dirty"), Unique("key"))
    _table("participant", _text("name"), Unique("name"))
    _table(
        "version",
        _to("participant", "participant_id"),
        _text("number"),
        Unique("participant_id", "number"),
        Index(None, "participant_id", "id"),
    )
    _table(
        "membership",
        _to("version", "version_id"),
        _to("participant", "participant_id"),
        _text("kind"),
        _text("name"),
        Unique("version_id", "kind", "name"),
        Index(None, "participant_id", "kind", "name", "id"),
    )
    _table("environment", _text("name"), _text("display_name"), _flag("production"), Unique("name"))
    _table(
        "presence",
        _to("environment", "environment_id"),
        _to("participant", "participant_id"),
        _to("version", "version_id"),
        _text("kind"),
        _text("instance"),
        _flag("live"),
        Index(None, "environment_id", "participant_id", "kind", "instance", "version_id", "id"),
    )


def _describe_contents() -> None:
    body: Column[bytes] = Column("body", LargeBinary, nullable=False)
    _table("content", _text("kind"), _text("digest"), body, Unique("digest"))
    _table(
        "integration",
        _to("participant", "consumer_id"),
        _to("participant", "provider_id"),
        Unique("consumer_id", "provider_id"),
        Index(None, "provider_id"),
    )
    _table(
        "pact",
        _to("version", "version_id"),
        _to("participant", "consumer_id"),
        _to("participant", "provider_id"),
        _to("content", "content_id"),
        Unique("version_id", "provider_id"),
        Index(None, "content_id", "consumer_id"),
    )
    _table(
        "schema",
        _to("version", "version_id"),
        _to("content", "content_id"),
        _text("writes"),
        _text("reads"),
        Index(None, "version_id", "id"),
    )
    _table(
        "exchange",
        _to("participant", "participant_id"),
        _text("direction"),
        _text("message"),
        Unique("direction", "message", "participant_id"),
    )


def _describe_judgements() -> None:
    _table(
        "verification",
        _to("participant", "consumer_id"),
        _to("content", "content_id"),
        _to("version", "provider_version_id"),
        _flag("success"),
        Index(None, "consumer_id", "content_id", "provider_version_id", "id"),
        Index(None, "provider_version_id", "consumer_id", "content_id", "id"),
    )
    _table(
        "interaction_result",
        _to("verification", "verification_id"),
        _text("digest"),
        _text("description"),
        _flag("success"),
        _text("detail"),
        Index(None, "verification_id"),
    )
    _table(
        "schema_pair",
        _to("content", "writer_id"),
        _to("content", "reader_id"),
        _text("breaks"),
        Index(None, "writer_id", "reader_id", "id"),
    )
    _table(
        "probe",
        _to("version", "first_version_id"),
        _to("version", "second_version_id"),
        _text("divergences"),
        Index(None, "first_version_id", "second_version_id", "id"),
    )
    texts = [_text(name) for name in ("rule", "subject", "owner", "reason")]
    optional = [_text(name, nullable=True) for name in ("link", "expires", "witness")]
    _table("waiver", _to("version", "version_id"), *texts, *optional, Index(None, "version_id"))


def upgrade() -> None:
    _describe()
    metadata.create_all(op.get_bind())
    if op.get_bind().dialect.name == "sqlite":
        for table in metadata.tables:
            for change in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_refuses_{change.lower()} BEFORE {change} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION counterfoil_ledger_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN RAISE EXCEPTION '{SENTENCE}'; END$$"
    )
    for table in metadata.tables:
        op.execute(
            f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_ledger_refuses()"
        )
