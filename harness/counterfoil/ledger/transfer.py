"""Moving a ledger: JSON Lines, one row a line, in the order of the tables and of their ids.

The first line is a header, `{"counterfoil-ledger": 1, "revision": "0001"}`; then come `{"table": ..., "row": {...}}`,
with bytes as base64; the last line is `{"rows": N}`, so that a file that was cut off is seen. A row keeps its id, so
exporting what was imported gives the same bytes. An export of an older revision has fewer columns, which stay empty.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import IO

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, Connection, LargeBinary, Table, func, insert, select
from sqlalchemy.exc import IntegrityError

from counterfoil.core.pact_content import digest_of, is_normalised
from counterfoil.core.pacts import MAX_PACT_BYTES
from counterfoil.errors import UsageError
from counterfoil.gate.facts import Divergence, ReadingFlaw, SchemaBreak
from counterfoil.ledger.migration import NEWEST, known_revisions
from counterfoil.ledger.names import MAX_TEXT_CHARS, flaw_of, storable
from counterfoil.ledger.tables import ContentKind, Holds, metadata

FORMAT = 1
HEADER = "counterfoil-ledger"
MAX_LINE_BYTES = 4 * MAX_PACT_BYTES
MAX_ID = 2**62
BATCH = 500
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
TIME_CHARS = len("2027-01-31T12:00:00.000000Z")
DOCUMENTS = {
    "writes": frozenset[str],
    "reads": frozenset[str],
    "breaks": tuple[SchemaBreak, ...],
    "divergences": tuple[Divergence, ...],
    "flaws": tuple[ReadingFlaw, ...],
}
"""What the documents of each column are."""
Value = int | str | bool | bytes | None


class _FlawError(Exception):
    """What is wrong with a line."""


def write(connection: Connection, stream: IO[bytes]) -> int:
    """Write every row; their number."""
    encoder = msgspec.json.Encoder()
    stream.write(encoder.encode({HEADER: FORMAT, "revision": NEWEST}) + b"\n")
    count = 0
    for table in metadata.sorted_tables:
        rows = connection.execution_options(yield_per=BATCH).execute(select(table).order_by(table.c.id))
        for row in rows:
            values = dict(zip(table.c.keys(), row, strict=True))
            stream.write(encoder.encode({"table": str(table.name), "row": values}) + b"\n")
            count += 1
    stream.write(encoder.encode({"rows": count}) + b"\n")
    return count


def read(connection: Connection, stream: IO[bytes], name: str) -> int:
    """Add every row of a file to a ledger that has none; their number. Raises UsageError, with the line."""
    if connection.execute(select(func.count()).select_from(metadata.tables["run"])).scalar():
        raise UsageError(
            "the ledger has rows already, and two histories cannot be told apart once they are mixed",
            fix="import into an empty ledger: set COUNTERFOIL_LEDGER to a new one",
        )
    rows, number = _Rows(connection), 0
    try:
        for number, line in enumerate(_lines(stream), start=1):  # noqa: B007 - told when a line is wrong
            rows.take(line)
        rows.end()
    except (_FlawError, IntegrityError) as flaw:
        why = str(flaw) if isinstance(flaw, _FlawError) else "a row near this line names another that is not there"
        raise UsageError(
            f"'{name}' is not an export of a ledger; nothing was imported",
            where=f"{name}:{number}",
            why=why,
            fix="export it again: counterfoil ledger export FILE",
        ) from None
    return rows.count


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    while line := stream.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            raise _FlawError(f"the line has more than the {MAX_LINE_BYTES} bytes that are read")
        yield line


class _Rows:
    """Takes the lines of a file in order, and adds what they say."""

    def __init__(self, connection: Connection) -> None:
        self.count = 0
        self._connection = connection
        self._order = {table.name: place for place, table in enumerate(metadata.sorted_tables)}
        self._table: Table | None = None
        self._pending: list[dict[str, Value]] = []
        self._last_id = 0
        self._begun = False
        self._revision = NEWEST
        self._ended = False

    def take(self, line: bytes) -> None:
        """Take one line. Raises _FlawError."""
        if self._ended:
            raise _FlawError("there are lines after the last one")
        match _document(line):
            case {"counterfoil-ledger": int(number), "revision": str(revision)} if not self._begun:
                if number != FORMAT or revision not in known_revisions():
                    known = f"{FORMAT} and up to {NEWEST}"
                    raise _FlawError(f"it has format {number} and revision {revision}; this program reads {known}")
                self._begun, self._revision = True, revision
            case {"table": str(table), "row": dict(row)} if self._begun and table in self._order:
                self._take_row(metadata.tables[table], row)
            case {"rows": int(count)} if self._begun:
                if count != self.count:
                    raise _FlawError(f"it says that it has {count} rows, and has {self.count}")
                self._ended = True
            case _:
                raise _FlawError("the line is neither the header, a row of a known table, nor the number of rows")

    def end(self) -> None:
        """Add what is pending. Raises _FlawError for a file that was cut off."""
        if not self._ended:
            raise _FlawError("the last line, which tells the number of rows, is missing")
        self._add_pending()
        if self._connection.dialect.name == "postgresql":
            for table in metadata.sorted_tables:
                sequence = func.setval(func.pg_get_serial_sequence(table.name, "id"), func.max(table.c.id))
                self._connection.execute(select(sequence).having(func.count() > 0))

    def _take_row(self, table: Table, row: Mapping[str, object]) -> None:
        if table is not self._table:
            if self._table is not None and self._order[table.name] < self._order[self._table.name]:
                raise _FlawError(f"rows of '{table.name}' stand after those of '{self._table.name}'")
            self._add_pending()
            self._table, self._last_id = table, 0
        columns = {column.name for column in table.c if column.info.get("since", "") <= self._revision}
        if set(row) != columns:
            raise _FlawError(f"a row of '{table.name}' has {', '.join(sorted(columns))}")
        values = {column.name: _value(column, row.get(column.name)) for column in table.c}
        _check_content(table, values)
        identifier = values["id"]
        if not isinstance(identifier, int) or identifier <= self._last_id:
            raise _FlawError("the ids of a table's rows have to grow")
        self._last_id = identifier
        self.count += 1
        self._pending.append(values)
        if len(self._pending) >= BATCH:
            self._add_pending()

    def _add_pending(self) -> None:
        if self._table is not None and self._pending:
            self._connection.execute(insert(self._table), self._pending)
        self._pending = []


def _document(line: bytes) -> object:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _FlawError(f"the line is not JSON: {error}") from None


def _value(column: Column[object], value: object) -> Value:
    """The value, if it is one that the column can have."""
    flaw: str | None = "it has the wrong type"
    if value is None and column.nullable:
        return None
    if isinstance(column.type, Boolean) and isinstance(value, bool):
        return value
    if isinstance(column.type, BigInteger) and isinstance(value, int) and not isinstance(value, bool):
        if 0 < value <= MAX_ID:
            return value
        flaw = f"it is not between 1 and {MAX_ID}"
    if isinstance(column.type, LargeBinary) and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error as error:
            flaw = str(error)
    if isinstance(column.info.get("holds"), Holds) and isinstance(value, str):
        flaw = _flaw_of_text(column, value)
        if flaw is None:
            return value
    raise _FlawError(f"'{column.name}' cannot be {msgspec.json.encode(value).decode()[:80]}: {flaw}")


def _flaw_of_text(column: Column[object], value: str) -> str | None:
    holds, values = column.info["holds"], column.info["values"]
    if values and value not in values:
        return f"valid: {', '.join(sorted(values))}"
    if column.name == "at":
        return None if _is_time(value) else "it is not a time in UTC, such as 2027-01-31T12:00:00.000000Z"
    match holds:
        case Holds.TEXT:
            flaw = None if storable(value) == value else f"it has control characters, or over {MAX_TEXT_CHARS} others"
        case Holds.DIGEST:
            flaw = None if DIGEST.fullmatch(value) else "it is not sha256: and 64 digits"
        case Holds.DOCUMENT:
            flaw = _flaw_of_document(column.name, value)
        case _:
            flaw = None if holds is Holds.OPTIONAL_NAME and not value else flaw_of(value)
    return flaw


def _flaw_of_document(name: str, value: str) -> str | None:
    try:
        msgspec.json.decode(value, type=DOCUMENTS[name])
    except (msgspec.DecodeError, RecursionError) as error:
        return str(error)
    return None


def _is_time(value: str) -> bool:
    try:
        return value.endswith("Z") and len(value) == TIME_CHARS and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _check_content(table: Table, values: Mapping[str, Value]) -> None:
    """A content has the digest that it says, and a pact's is written in the one way in which equal ones are equal."""
    if table.name != "content" or not isinstance(body := values["body"], bytes):
        return
    digest = digest_of(body)
    if digest != values["digest"]:
        raise _FlawError(f"a content has the digest {digest}, and not the one beside it: it was changed")
    if values["kind"] == ContentKind.PACT and not is_normalised(body):
        raise _FlawError(f"the content {digest} is not that of a pact")
