"""Migrations: from every released schema to the newest, losing nothing; and what the tables are is what they say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from counterfoil.ledger.address import find_address
from counterfoil.ledger.database import Database
from counterfoil.ledger.migration import NEWEST, VERSION_TABLE, State, known_revisions, migrate, state_of
from counterfoil.ledger.tables import metadata
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from tests.ledgers import Recorded

OLDEST_ROWS = (
    (
        "INSERT INTO run (id, key, at, command, counterfoil, dirty) "
        "VALUES (1, 'k', '2027-01-31T12:00:00.000000Z', 'publish', '0.1.0', '0')"
    ),
    "INSERT INTO participant (id, run_id, name) VALUES (1, 1, 'web')",
    "INSERT INTO version (id, run_id, participant_id, number) VALUES (1, 1, 1, '1.0')",
)
"""What a ledger of the first release could hold."""


@contextmanager
def transaction() -> Iterator[Connection]:
    engine = create_engine(find_address(None, os.environ).url, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def test_the_newest_revision_is_the_last_script() -> None:
    assert known_revisions()[-1] == NEWEST
    assert len(set(known_revisions())) == len(known_revisions())


@pytest.mark.parametrize("revision", known_revisions())
def test_every_released_schema_comes_to_the_newest(revision: str, recorded: Recorded) -> None:
    with transaction() as connection:
        migrate(connection, known_revisions()[0])
        for statement in OLDEST_ROWS:
            connection.exec_driver_sql(statement)
        migrate(connection, revision)
        assert state_of(connection) is (State.CURRENT if revision == NEWEST else State.OLDER)
    assert [row["number"] for row in recorded.rows("version")] == ["1.0"]
    with transaction() as connection:
        assert state_of(connection) is State.CURRENT


def test_the_migrations_make_the_tables_that_the_program_uses(recorded: Recorded) -> None:
    recorded.do("publish", "-a", "web", "-e", "1")
    with transaction() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []


def test_every_table_refuses_changes(recorded: Recorded) -> None:
    recorded.do("publish", "-a", "web", "-e", "1")
    by_table = {
        "sqlite": "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT event_object_table FROM information_schema.triggers",
    }
    with transaction() as connection:
        guarded = set(connection.exec_driver_sql(by_table[connection.dialect.name]).scalars())
    assert guarded == set(metadata.tables)


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(connection: Connection) -> None:
        migrate(connection)
        raise ZeroDivisionError

    monkeypatch.setattr("counterfoil.ledger.database.migrate", failing)
    database = Database(find_address(None, os.environ))
    with pytest.raises(ZeroDivisionError), database.writing():
        pass
    with transaction() as connection:
        assert state_of(connection) is State.EMPTY
    monkeypatch.undo()
    monkeypatch.setenv("COUNTERFOIL_LEDGER", recorded.url)
    recorded.do("publish", "-a", "web", "-e", "1")
