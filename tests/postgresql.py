"""A PostgreSQL server of the tests' own: made in a temporary folder, on a port of its own, gone after the run."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from counterfoil.system.processes import Child, Processes
from psycopg import sql

START_WITHIN_S = 60.0
STOP_WITHIN_S = 5.0
POLL_S = 0.05
NOBODY = 65534
PLACES = ("/usr/lib/postgresql", "/usr/local/lib/postgresql", "/opt/homebrew/opt")
MISSING = "these tests need PostgreSQL's server programs; on Debian and Ubuntu: apt-get install postgresql"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; its user has a password with characters that URLs have to escape."""

    folder: Path
    port: int
    password: str

    def url(self, database: str) -> str:
        """The address of a database, as COUNTERFOIL_LEDGER takes it."""
        return f"postgresql+psycopg://ledger:{quote(self.password, safe='')}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Make an empty database; its address."""
        self._do(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._do(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

    def cut_off(self, database: str) -> None:
        """End every connection to a database."""
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}"
        self._do(sql.SQL(query).format(sql.Literal(database)))

    def _do(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement)


def _program(name: str) -> str:
    """The newest of the installed programs of that name: Debian keeps the server's off PATH."""
    found = [path for place in PLACES for path in Path(place).glob(f"*/bin/{name}")]
    if found:
        return str(max(found, key=lambda path: [int(part) for part in path.parts[-3].split("@")[-1].split(".")]))
    on_path = shutil.which(name)
    assert on_path, MISSING
    return on_path


def _user(folder: Path) -> list[str]:
    """What to put before a command: PostgreSQL refuses to run as root, so root runs it as nobody."""
    if os.geteuid() != 0:
        return []
    os.chown(folder, NOBODY, NOBODY)
    return [_program("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server() -> Iterator[Server]:
    """A server for as long as the context lasts, on a leash like every other child."""
    # Not pytest's own folder, through which no other user may pass.
    with tempfile.TemporaryDirectory(prefix="counterfoil-postgresql-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        user = _user(folder)
        server = Server(folder=folder, port=_free_port(), password=f"p@ss:/?#{secrets.token_hex(8)}%")
        file = folder / "password"
        file.write_text(server.password)
        file.chmod(0o644)
        made = [*user, _program("initdb"), "--username=ledger", "--auth=scram-sha-256", f"--pwfile={file}", "--no-sync"]
        done = subprocess.run(
            [*made, "--encoding=UTF8", "--locale=C", f"--pgdata={folder / 'data'}"],
            check=False,
            capture_output=True,
            cwd="/",
        )
        assert done.returncode == 0, done.stderr.decode()
        settings: dict[str, str | int] = {"listen_addresses": "127.0.0.1", "port": server.port}
        settings |= {"unix_socket_directories": "", "autovacuum": "off"}
        # What is here is thrown away: nothing has to outlive a power cut.
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        flags = [f"--{setting}={value}" for setting, value in settings.items()]
        command = [*user, _program("postgres"), "-D", str(folder / "data"), *flags]
        processes = Processes()
        # Its children are born and die as tests connect: no test is to be blamed for one that is there.
        with processes.serve(command, cwd=Path("/"), env={"COUNTERFOIL_TEST_ID": ""}, grace_s=STOP_WITHIN_S) as child:
            _wait_until_ready(server, child)
            yield server


def _wait_until_ready(server: Server, child: Child) -> None:
    last = ""
    for _ in range(int(START_WITHIN_S / POLL_S)):
        assert child.alive, child.tail.lines
        try:
            psycopg.connect(server.url("postgres").replace("+psycopg", "")).close()
        except psycopg.OperationalError as error:
            last = str(error)
            threading.Event().wait(POLL_S)
        else:
            return
    raise AssertionError(last)
