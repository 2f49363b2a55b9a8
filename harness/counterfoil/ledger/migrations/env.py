"""Run by Alembic, on the connection and inside the transaction that `migration.migrate` hands over."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    transactional_ddl=False,  # the caller's transaction holds all of it
)
context.run_migrations()
