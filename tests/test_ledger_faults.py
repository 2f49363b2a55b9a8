"""What a user is told when the database fails: what happened and what to do, exit code 2, and no secret."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from counterfoil.ledger.migration import NEWEST, VERSION_TABLE
from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

from tests.builders import CLI, Ran, Workspace, run_here
from tests.ledgers import Recorded
from tests.postgresql import Server

WRITE = ("publish", "-a", "web", "-e", "1", "--branch", "main")
NOBODY = 65534


@pytest.fixture
def file(shop: Workspace) -> Path:
    """The file of a ledger that has a version in it."""
    shop.configure("pacts", dir="contracts/pacts")
    assert shop.run_here(*WRITE).exit_code == 0
    return shop.root / ".counterfoil" / "ledger.db"


def refused(ran: Ran, what: str) -> dict[str, str]:
    assert ran.exit_code == 2, ran.stdout
    assert what in ran.error["error"], ran.stderr
    assert ran.error["next"]
    return ran.error


def is_sound(file: Path) -> bool:
    with closing(sqlite3.connect(file)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok")


def test_a_locked_file(shop: Workspace, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_LEDGER", f"sqlite:///{file}?timeout=0.1")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused(shop.run_here("publish", "-a", "web", "-e", "2"), "is locked by another writer")
        assert shop.run_here("ledger", "export").exit_code == 0, "readers do not wait"


def test_a_file_that_may_not_be_written(file: Path) -> None:
    with somebody_without_rights(file) as run:
        refused(run("create-environment", "--name", "prod"), "cannot be")
    assert is_sound(file)


@contextmanager
def somebody_without_rights(file: Path) -> Iterator[Callable[..., Ran]]:
    """Run commands as a user who may read the file and not write it; root could write it all the same."""
    file.chmod(0o444)
    file.parent.chmod(0o555)
    opened = [
        folder for folder in file.parents if folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & 1
    ]
    for folder in opened if os.geteuid() == 0 else ():
        folder.chmod(folder.stat().st_mode | 0o11)
    try:
        if os.geteuid() == 0:
            os.seteuid(NOBODY)
            try:
                yield lambda *arguments: run_here(file.parents[1], *arguments)
            finally:
                os.seteuid(0)
        else:
            yield lambda *arguments: run_here(file.parents[1], *arguments)
    finally:
        file.parent.chmod(0o755)
        for folder in opened if os.geteuid() == 0 else ():
            folder.chmod(folder.stat().st_mode & ~0o11)


def test_a_full_disk(shop: Workspace, file: Path) -> None:
    def bound(connection: sqlite3.Connection, _: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    shop.write("big.json", b'{"consumer": {"name": "web"}, "provider": {"name": "api"}, "messages": [{"description": "')
    with (shop.root / "big.json").open("ab") as big:
        big.write(b"x" * 500_000 + b'", "contents": {}}]}')
    event.listen(Pool, "connect", bound)
    try:
        refused(shop.run_here("publish", "big.json", "-e", "2"), "is full; nothing was recorded")
    finally:
        event.remove(Pool, "connect", bound)
    assert is_sound(file)
    assert '"number":"2"' not in shop.run_here("ledger", "export").stdout
    assert shop.run_here("publish", "big.json", "-e", "2").exit_code == 0


def test_a_file_that_cannot_grow(shop: Workspace, file: Path) -> None:
    """A quota, for example: the system refuses to write past a size."""
    limit = 8192
    done = subprocess.run(
        [*CLI, "publish", "-a", "web", "-e", "2"],
        cwd=shop.root,
        capture_output=True,
        check=False,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    refused(Ran(done.returncode, done.stdout, done.stderr), "failed")
    assert is_sound(file)


def test_what_is_no_database(shop: Workspace, file: Path) -> None:
    file.write_bytes(b"something else" * 1000)
    error = refused(shop.run_here(*WRITE), "is not a database")
    assert "move this one away" in error["next"]
    assert file.read_bytes() == b"something else" * 1000


def test_a_damaged_file(shop: Workspace, file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(file.read_bytes())
    data[8192:] = b"\xff" * (len(data) - 8192)
    file.write_bytes(data)
    refused(shop.run_here("ledger", "export"), "is damaged")


def test_a_folder_in_its_place(shop: Workspace) -> None:
    shop.configure("pacts", dir="contracts/pacts")
    (shop.root / ".counterfoil" / "ledger.db").mkdir(parents=True)
    refused(shop.run_here(*WRITE), "cannot be opened")


def test_another_programs_database_is_left_alone(shop: Workspace, tmp_path: Path) -> None:
    shop.configure("pacts", dir="contracts/pacts")
    (tmp_path / ".counterfoil").mkdir()
    with closing(sqlite3.connect(tmp_path / ".counterfoil" / "ledger.db")) as connection:
        connection.execute("CREATE TABLE version (x)")
        connection.commit()
    refused(shop.run_here(*WRITE), "holds another program's tables")


def test_a_newer_schema_is_refused_and_not_damaged(recorded: Recorded) -> None:
    recorded.do(*WRITE)
    change = f"UPDATE {VERSION_TABLE} SET version_num = '{{}}'"  # noqa: S608
    recorded.execute(change.format("9999"))
    for command in (WRITE, ("ledger", "export"), ("list-environments",)):
        error = refused(recorded.shop.run_here(*command), "was written by a newer Counterfoil")
        assert "install" in error["next"]
    recorded.execute(change.format(NEWEST))
    assert len(recorded.rows("version")) == 1


def test_rows_are_never_changed(recorded: Recorded) -> None:
    recorded.do(*WRITE)
    for statement in ("UPDATE version SET number = '2'", "DELETE FROM membership"):
        with pytest.raises(Exception, match="rows of the ledger are never changed"):
            recorded.execute(statement)
    assert [row["number"] for row in recorded.rows("version")] == ["1"]


def test_reading_makes_no_ledger(shop: Workspace) -> None:
    shop.configure("pacts", dir="contracts/pacts")
    for command in (("list-environments",), ("ledger", "export")):
        error = refused(shop.run_here(*command), "there is no ledger at")
        assert "counterfoil publish" in error["next"]
    assert not (shop.root / ".counterfoil").exists()


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("mysql://u:s3cret@h/d", "names no database that can hold a ledger"),
        ("not a url s3cret", "names no database that can hold a ledger"),
        ("postgresql+psycopg://u:s3cret@[::1/d", "names no database that can hold a ledger"),
        ("sqlite://", "names no file"),
        ("sqlite:///x.db?mode=s3cret", "has settings that a ledger in a file does not know"),
        ("sqlite:///x.db?timeout=soon", "'soon' is no number of seconds"),
        ("postgresql+psycopg://u:s3cret@127.0.0.1:1/d", "cannot be reached"),
        ("postgresql+psycopg://u:s3cret@nowhere.invalid/d", "cannot be reached"),
        ("postgresql+psycopg://u@127.0.0.1:1/d?password=s3cret", "cannot be reached"),
        ("postgresql+psycopg://u:s3cret@127.0.0.1/d?connect_timeout=s3cret", "could not"),
        ("postgresql+psycopg://u:s3cret@nowhere.invalid/d?nonsense=s3cret", "cannot be reached"),
    ],
)
def test_an_address_that_leads_nowhere(url: str, what: str, shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.configure("pacts", dir="contracts/pacts")
    monkeypatch.setenv("COUNTERFOIL_LEDGER", url)
    ran = shop.run_here(*WRITE)
    refused(ran, what)
    assert "s3cret" not in ran.stderr


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@hush@127.0.0.1:1/d",
        "postgresql://u:p@hush/more@127.0.0.1:1/d",
        "postgresql://u:p@hush?more@127.0.0.1:1/d",
        "postgresql://u:hush/more@nowhere.invalid/d",
        "postgresql://u:hush?more@nowhere.invalid/d",
    ],
)
def test_no_part_of_a_password_is_taken_for_a_host(url: str, shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.configure("pacts", dir="contracts/pacts")
    monkeypatch.setenv("COUNTERFOIL_LEDGER", url)
    ran = shop.run_here(*WRITE)
    assert ran.exit_code == 2
    assert "COUNTERFOIL_LEDGER" in ran.stderr
    assert "hush" not in ran.stderr + ran.stdout


def test_a_server_that_refuses_the_user(shop: Workspace, postgresql: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.configure("pacts", dir="contracts/pacts")
    good = postgresql.url("postgres")
    for url, what in (
        (good.replace("@127", "wrong@127"), "refuses this user"),
        (postgresql.url("nowhere"), "there is no database"),
    ):
        monkeypatch.setenv("COUNTERFOIL_LEDGER", url)
        ran = shop.run_here(*WRITE)
        refused(ran, what)
        assert postgresql.password not in ran.stderr


def test_the_ledger_says_nothing_of_its_password(recorded: Recorded) -> None:
    recorded.do(*WRITE)
    said = recorded.exported() + recorded.ledger.shown + recorded.do(*WRITE)
    assert "p@ss" not in said
    assert "p%40ss" not in said


def test_a_server_without_its_driver(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.configure("pacts", dir="contracts/pacts")
    monkeypatch.setenv("COUNTERFOIL_LEDGER", "postgresql+psycopg://u:s3cret@h/d")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    error = refused(shop.run_here(*WRITE), "needs the package psycopg")
    assert error["next"] == "pip install 'counterfoil[postgresql]'"


def test_a_server_that_goes_away_in_the_middle(
    shop: Workspace, postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.create("goes away")
    recorded = Recorded(shop, url, monkeypatch)
    recorded.do(*WRITE)

    def cut(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO version"):
            postgresql.cut_off("goes away")

    event.listen(Engine, "before_cursor_execute", cut)
    try:
        refused(shop.run_here("publish", "-a", "web", "-e", "2"), "went away; nothing was recorded")
    finally:
        event.remove(Engine, "before_cursor_execute", cut)
    assert [row["number"] for row in recorded.rows("version")] == ["1"]
    postgresql.drop("goes away")
