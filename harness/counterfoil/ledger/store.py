"""The ledger as the rest of the program uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import select

from counterfoil.gate.facts import Facts, VersionRef
from counterfoil.gate.question import Question
from counterfoil.ledger import tables, transfer
from counterfoil.ledger.address import find_address
from counterfoil.ledger.database import Database
from counterfoil.ledger.entries import Environment, Run
from counterfoil.ledger.reading import read_facts
from counterfoil.ledger.recording import Recorder
from counterfoil.ledger.schemas import schema_of


class Ledger:
    """One ledger. Every method raises UsageError for what a user or the database can cause."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def shown(self) -> str:
        """Where it is, without secrets."""
        return self._database.shown

    def prepare(self) -> None:
        """Make the ledger where there is none, and bring it to the newest schema."""
        with self._database.writing():
            pass

    @contextmanager
    def recording(self, run: Run) -> Iterator[Recorder]:
        """Record something: all of it or, when the context is left by an exception, nothing."""
        with self._database.writing() as connection:
            yield Recorder(connection, run)

    def facts(self, question: Question) -> Facts:
        """What bears on a question."""
        with self._database.reading() as connection:
            return read_facts(connection, question)

    def schema_image(self, digest: str) -> bytes | None:
        """The image of a recorded schema."""
        table = tables.content
        with self._database.reading() as connection:
            query = select(table.c.body).where(table.c.digest == digest, table.c.kind == tables.ContentKind.SCHEMA)
            return connection.execute(query).scalar()

    def schema_of(self, version: VersionRef) -> bytes:
        """The image that was recorded last for a version. Raises UsageError where there is none."""
        with self._database.reading() as connection:
            return schema_of(connection, version, self.shown)

    def environments(self) -> tuple[Environment, ...]:
        """All environments, by name."""
        table = tables.environment
        columns = select(table.c.name, table.c.display_name, table.c.production)
        with self._database.reading() as connection:
            rows = connection.execute(columns).all()
        return tuple(
            Environment(name=row.name, display_name=row.display_name, production=row.production) for row in sorted(rows)
        )

    def export(self, stream: IO[bytes]) -> int:
        """Write everything as JSON Lines; the number of rows."""
        with self._database.reading() as connection:
            return transfer.write(connection, stream)

    def take_in(self, stream: IO[bytes], name: str) -> int:
        """Read what `export` wrote into a ledger that has no rows yet; the number of rows."""
        with self._database.writing() as connection:
            return transfer.read(connection, stream, name)


def open_ledger(root: Path | None, environment: Mapping[str, str]) -> Ledger:
    """The ledger of a workspace (`root`: its folder), or the one that COUNTERFOIL_LEDGER names."""
    return Ledger(Database(find_address(root, environment)))
