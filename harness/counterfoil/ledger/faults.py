"""What a database's failure means to a user: what happened, where, and what to do, without a secret of the URL."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from counterfoil.errors import UsageError
from counterfoil.ledger.address import VARIABLE, Address

PRIMARY = 0xFF
"""SQLite's extended result codes keep the primary one in their lowest byte."""
DRIVER_SAID_CHARS = 300


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of failure; `what` has a place for the ledger's address."""

    what: str
    fix: str


FULL = Fault("the disk of the ledger '{}' is full; nothing was recorded", "make room, then run the command again")
READ_ONLY = Fault("the ledger '{}' cannot be written", "give this user the right to write it and the folder it is in")
LOCKED = Fault(
    "the ledger '{}' is locked by another writer; nothing was recorded",
    "wait until that process has ended, or end it, then run the command again",
)
CANNOT_OPEN = Fault("the ledger '{}' cannot be opened", "correct the path and its permissions")
NOT_A_LEDGER = Fault("'{}' is not a database", f"name another file in {VARIABLE}, or move this one away")
DAMAGED = Fault("the ledger '{}' is damaged", "restore it from a backup or from a file of 'counterfoil ledger export'")
IO_FAILED = Fault(
    "reading or writing the ledger '{}' failed", "look at the disk (is it full?), then run the command again"
)
UNREACHABLE = Fault("the ledger '{}' cannot be reached", f"start the database, or correct {VARIABLE}")
REFUSED = Fault("the ledger '{}' refuses this user", f"correct the user and the password in {VARIABLE}")
NO_DATABASE = Fault("there is no database '{}'", f"create it, or correct {VARIABLE}")
NO_RIGHT = Fault("this user may not do that in the ledger '{}'", "grant the user rights to the schema and its tables")
GONE = Fault(
    "the ledger '{}' went away; nothing was recorded", "see that the database runs, then run the command again"
)
OTHER = Fault("the ledger '{}' could not do what it was asked", "see what the database said")

OF_SQLITE = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_CANTOPEN: CANNOT_OPEN,
    sqlite3.SQLITE_NOTADB: NOT_A_LEDGER,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_IOERR: IO_FAILED,
}
OF_SQLSTATE = {
    "28": REFUSED,
    "3D": NO_DATABASE,
    "42501": NO_RIGHT,
    "25006": READ_ONLY,
    "53100": FULL,
    "53": UNREACHABLE,
    "55P03": LOCKED,
    "57P": GONE,
    "58": IO_FAILED,
    "08": GONE,
    "XX": DAMAGED,
}
"""By the longest prefix of PostgreSQL's error codes (its manual, appendix A)."""
SAID = {
    "password authentication failed": REFUSED,
    "no password supplied": REFUSED,
    "does not exist": NO_DATABASE,
}
NOT_CONNECTED = ("connection failed", "connection timeout", "failed to resolve host")
"""A failed connection has no code: libpq keeps only the text."""


def explained(error: DBAPIError, address: Address) -> UsageError:
    """The error to show for a failure of the database."""
    original = error.orig
    said = str(original).strip() if original else ""
    fault = _fault(original, said)
    why = address.scrubbed(" ".join(said.split()))[:DRIVER_SAID_CHARS]
    return UsageError(
        fault.what.format(address.shown), where=VARIABLE if not address.file else "", why=why, fix=fault.fix
    )


def _fault(original: BaseException | None, said: str) -> Fault:
    if isinstance(original, sqlite3.Error):
        return OF_SQLITE.get(getattr(original, "sqlite_errorcode", 0) & PRIMARY, OTHER)
    state = getattr(original, "sqlstate", None)
    if state:
        prefixes = [prefix for prefix in OF_SQLSTATE if state.startswith(prefix)]
        return OF_SQLSTATE[max(prefixes, key=len)] if prefixes else OTHER
    if any(part in said for part in NOT_CONNECTED):
        return next((fault for part, fault in SAID.items() if part in said), UNREACHABLE)
    return GONE if "connection" in said else OTHER
