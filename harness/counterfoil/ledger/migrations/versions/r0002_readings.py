"""What readers made of the payloads that a contract allows. Frozen: what changes later is another revision."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Identifier = BigInteger().with_variant(Integer, "sqlite")
NAME = "reading"
SENTENCE = "rows of the ledger are never changed"
ENDS = {"run_id": "run", "consumer_id": "participant", "content_id": "content", "reader_version_id": "version"}
INDEXED = ["reader_version_id", "consumer_id", "content_id", "id"]


def upgrade() -> None:
    ends = [
        Column(column, Identifier, ForeignKey(f"{table}.id", name=f"fk_{NAME}_{column}"), nullable=False)
        for column, table in ENDS.items()
    ]
    op.create_table(NAME, Column("id", Identifier, primary_key=True), *ends, Column("flaws", Text, nullable=False))
    op.create_index(f"ix_{NAME}_{'_'.join(INDEXED)}", NAME, INDEXED)
    op.create_index("ix_probe_second_version_id", "probe", ["second_version_id"])
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {NAME}_refuses_{change.lower()} BEFORE {change} ON {NAME} "
                f"BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {NAME}_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {NAME} "
        "FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_ledger_refuses()"
    )
