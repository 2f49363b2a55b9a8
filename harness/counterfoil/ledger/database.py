"""The database behind the ledger: opening it, and transactions in which one writer writes at a time.

SQLite runs in WAL mode, so that readers never wait for a writer, and with `synchronous = FULL`: a command writes once,
so one more flush to disk costs little, and a deployment that was recorded outlives a power cut. A writing transaction
takes the write lock at its start (`BEGIN IMMEDIATE`; PostgreSQL: an advisory lock), so the ids of rows grow in the
order in which transactions end, and "the last one counts" means the same to everybody.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from counterfoil.errors import UsageError
from counterfoil.ledger.address import BUSY_TIMEOUT, VARIABLE, Address
from counterfoil.ledger.faults import explained
from counterfoil.ledger.migration import State, migrate, state_of

WAIT_S = 30.0
"""How long to wait for another writer."""
CONNECT_WITHIN_S = 10
BEGIN = "counterfoil_begin"
"""The execution option that says how SQLite begins a transaction; None: it begins none."""
WRITE_LOCK = 0x636F756E74657266
"""The number of PostgreSQL's advisory lock: any that no other program takes; this one spells `counterf`."""


class Database:
    """One ledger's database. Every failure of it is raised as a UsageError."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._wait_s = WAIT_S
        if address.file:
            seconds = address.url.query.get(BUSY_TIMEOUT)
            self._wait_s = _seconds(seconds) if isinstance(seconds, str) else WAIT_S
        self._engine = self._sqlite(address.file) if address.file else self._postgresql()
        self._is_current = False

    @property
    def shown(self) -> str:
        """The address, as it may be shown."""
        return self._address.shown

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the ledger. Raises UsageError where there is no ledger yet."""
        with self._explaining():
            if self._address.file and not self._address.file.exists():
                raise self._absent()
            if not self._is_current and self._look() is State.EMPTY:
                raise self._absent()
            self._prepare()
            with self._engine.connect() as connection, connection.begin():
                if not self._address.file:
                    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes: all of it or nothing. The ledger is made where there is none."""
        with self._explaining():
            self._prepare()
            with self._locked() as connection:
                yield connection

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise explained(error, self._address) from error
        finally:
            self._engine.dispose()

    @contextmanager
    def _locked(self) -> Iterator[Connection]:
        with self._engine.connect() as opened:
            connection = opened.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})
            with connection.begin():
                if not self._address.file:
                    connection.execute(text(f"SET LOCAL lock_timeout = '{int(self._wait_s * 1000)}ms'"))
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": WRITE_LOCK})
                yield connection

    def _look(self) -> State:
        with self._engine.connect() as connection, connection.begin():
            state = state_of(connection)
        self._is_current = state is State.CURRENT
        if state is State.NEWER:
            raise UsageError(
                f"the ledger '{self.shown}' was written by a newer Counterfoil than this one",
                why="its schema is unknown here, and writing to it could damage it",
                fix="install that version of Counterfoil, or a newer one",
            )
        if state is State.FOREIGN:
            raise UsageError(
                f"'{self.shown}' holds another program's tables under names that the ledger needs",
                fix=f"name a database of its own in {VARIABLE}",
            )
        return state

    def _prepare(self) -> None:
        """Bring the database to the newest schema, once for this process; others may be at it at the same time."""
        file = self._address.file
        if self._is_current:
            return
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
        if (file and not file.exists()) or self._look() is not State.CURRENT:
            if file:
                self._make_wal(file)
            with self._locked() as connection:
                if state_of(connection) in {State.EMPTY, State.OLDER}:
                    migrate(connection)
            self._look()

    def _make_wal(self, file: Path) -> None:
        """Switch a new file to WAL mode. SQLite lets nobody wait for that switch, hence a lock beside the file."""
        lock = FileLock(f"{file}.lock", timeout=self._wait_s)
        try:
            with lock, self._engine.connect() as connection:
                connection.execution_options(**{BEGIN: None}).exec_driver_sql("PRAGMA journal_mode = WAL")
        except Timeout:
            raise UsageError(
                f"another process has been making the ledger '{file}' for {self._wait_s:g} s",
                fix=f"end that process, or remove {file}.lock, then run the command again",
            ) from None

    def _absent(self) -> UsageError:
        return UsageError(
            f"there is no ledger at '{self.shown}' yet",
            fix=f"record something first: counterfoil publish; or set {VARIABLE} to where the ledger is",
        )

    def _sqlite(self, file: Path) -> Engine:
        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(file, timeout=self._wait_s, isolation_level=None)
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")
            return connection

        engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)
        event.listen(engine, "begin", _begin)
        return engine

    def _postgresql(self) -> Engine:
        url = self._address.url
        try:
            return create_engine(
                url.update_query_dict({"connect_timeout": str(CONNECT_WITHIN_S), **url.query}), poolclass=NullPool
            )
        except ModuleNotFoundError:
            raise UsageError(
                "a ledger in PostgreSQL needs the package psycopg, which is not installed",
                where=VARIABLE,
                fix="pip install 'counterfoil[postgresql]'",
            ) from None


def _begin(connection: Connection) -> None:
    """Python's own module begins no transaction for reading, and takes the write lock too late."""
    statement = connection.get_execution_options().get(BEGIN, "BEGIN")
    if statement:
        connection.exec_driver_sql(statement)


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(
            f"'{value}' is no number of seconds", where=f"{VARIABLE}, {BUSY_TIMEOUT}", fix="give one, such as 30"
        )
    return seconds
