"""Brings a database to the newest revision of the ledger's schema, and keeps away from what it does not know."""

from __future__ import annotations

from enum import Enum, auto
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from counterfoil.ledger.tables import metadata

VERSION_TABLE = "counterfoil_ledger_revision"
"""Where Alembic keeps the revision; not its usual name, which another program in the same database may use."""
NEWEST = "0003"
SCRIPTS = Path(__file__).parent / "migrations"


class State(Enum):
    """How a database stands to the ledger of this program."""

    EMPTY = auto()
    CURRENT = auto()
    OLDER = auto()
    NEWER = auto()
    FOREIGN = auto()
    """It holds tables of another program, under names that the ledger needs."""


def revision_of(connection: Connection) -> str | None:
    """The revision that the database is at; None: none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant


def state_of(connection: Connection) -> State:
    """Look, and change nothing."""
    revision = revision_of(connection)
    if revision == NEWEST:
        return State.CURRENT
    if revision is not None:
        return State.OLDER if revision in known_revisions() else State.NEWER
    taken = set(inspect(connection).get_table_names()) & set(metadata.tables)
    return State.FOREIGN if taken else State.EMPTY


def known_revisions() -> tuple[str, ...]:
    """Every revision that this program can migrate from, oldest first."""
    return tuple(sorted(path.stem[1:5] for path in (SCRIPTS / "versions").glob("r[0-9]*.py")))


def migrate(connection: Connection, revision: str = NEWEST) -> None:
    """Run the migrations inside the connection's transaction: all of them or none."""
    from alembic import command  # noqa: PLC0415 - takes as long to import as a whole command that finds nothing to do
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection, "version_table": VERSION_TABLE})
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, revision)
