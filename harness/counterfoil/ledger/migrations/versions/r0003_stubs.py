"""What the stubs of a probe are made from. Frozen: what changes later is another revision."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STUBS = ["first_stub", "second_stub"]


def upgrade() -> None:
    for name in STUBS:
        op.add_column("probe", Column(name, Text, nullable=True))
    op.create_index(f"ix_probe_{'_'.join(STUBS)}_id", "probe", [*STUBS, "id"])
