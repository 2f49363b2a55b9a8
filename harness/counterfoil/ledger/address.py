"""Where the ledger is: a file beside the workspace, or the database that COUNTERFOIL_LEDGER names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from counterfoil.errors import UsageError

VARIABLE = "COUNTERFOIL_LEDGER"
DEFAULT = Path(".counterfoil/ledger.db")
DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
FORMS = "sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
BUSY_TIMEOUT = "timeout"
SECRET_KEYS = ("password", "sslpassword", "passfile", "oauth_client_secret")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A database; only `shown` may stand in a message, since the URL can hold a password."""

    url: URL
    shown: str
    file: Path | None
    """The file of a SQLite database."""

    def scrubbed(self, text: str) -> str:
        """A text of the database's driver, without the secrets of the URL."""
        secrets = [self.url.password, *(self.url.query.get(key) for key in SECRET_KEYS)]
        for secret in secrets:
            for value in (secret,) if isinstance(secret, str) else secret or ():
                for form in sorted(
                    {value, quote(value), quote(value, safe=""), quote_plus(value)}, key=len, reverse=True
                ):
                    text = text.replace(form, "***") if form else text
        return text


def find_address(root: Path | None, environment: Mapping[str, str]) -> Address:
    """The ledger of a workspace (`root`: its folder, None: there is none). Raises UsageError."""
    named = environment.get(VARIABLE, "").strip()
    if named:
        return _read(named, root or Path.cwd())
    if root is None:
        raise UsageError(
            f"no counterfoil.toml here, and {VARIABLE} is not set, so there is no ledger",
            fix=f"go to the workspace's folder, or set {VARIABLE} to {FORMS}",
        )
    return _sqlite(URL.create("sqlite+pysqlite"), root / DEFAULT)


def _read(named: str, folder: Path) -> Address:
    try:
        url = make_url(named)
    except (ArgumentError, ValueError):  # neither message may be shown: it repeats the URL
        url = None
    if url is None or url.drivername not in DRIVERS:
        kind = f"'{url.drivername}' is no kind of ledger" if url else "its value cannot be read as a URL"
        raise UsageError(
            f"{VARIABLE} names no database that can hold a ledger", where=VARIABLE, why=kind, fix=f"set it to {FORMS}"
        )
    if not url.drivername.startswith("sqlite") and named.count("@") > 1:
        raise UsageError(  # what stands before an @ may be a part of the password
            f"{VARIABLE} has more than one @, so its host cannot be told from its password",
            where=VARIABLE,
            fix="write each @ of the user and the password as %40",
        )
    url = url.set(drivername=DRIVERS[url.drivername])
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise UsageError(
                f"{VARIABLE} names no file", where=VARIABLE, fix="set it to sqlite:///PATH, with a path of a file"
            )
        if set(url.query) - {BUSY_TIMEOUT}:
            raise UsageError(
                f"{VARIABLE} has settings that a ledger in a file does not know",
                where=VARIABLE,
                why=f"valid: {BUSY_TIMEOUT} (seconds to wait for another writer)",
                fix="set it to sqlite:///PATH",
            )
        return _sqlite(url, folder / url.database)
    plain = URL.create("postgresql", username=url.username, host=url.host, port=url.port, database=url.database)
    return Address(url=url, shown=plain.render_as_string(), file=None)


def _sqlite(url: URL, file: Path) -> Address:
    return Address(url=url.set(database=str(file)), shown=str(file), file=file)
