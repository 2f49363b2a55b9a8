"""Many writers at a time lose nothing, and a writer that is killed leaves nothing half done."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from unittest import mock

import pytest
from counterfoil.gate.facts import VersionRef
from counterfoil.ledger.entries import Run
from counterfoil.ledger.store import open_ledger

from tests.ledger_worker import publish
from tests.ledgers import Recorded

WRITERS, EACH = 8, 25
KILLS, EARLY_KILLS = 40, 10
WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Writer:
    """A process that publishes, and what it has told."""

    process: ForkServerProcess
    told: Connection

    def hear(self) -> int | None:
        """The next number that it tells; None: it has ended."""
        try:
            return int(self.told.recv())
        except EOFError:
            return None


Start = Callable[[str, str, int, int], Writer]


@pytest.fixture(scope="module")
def start() -> Start:
    """Start writers from a process that has loaded the ledger already, so that none takes a second to begin."""
    context = get_context("forkserver")
    context.set_forkserver_preload(
        ["tests.ledger_worker", "alembic.command", "sqlalchemy.dialects.postgresql", "psycopg"]
    )

    def started(url: str, who: str, first: int, count: int) -> Writer:
        told, teller = context.Pipe(duplex=False)
        process = context.Process(target=publish, args=(url, who, first, count, teller))
        # That process stays until the tests have ended: no test is to be blamed for it.
        with mock.patch.dict(os.environ, {"COUNTERFOIL_TEST_ID": ""}):
            process.start()
        teller.close()
        return Writer(process, told)

    return started


def killed(writer: Writer, wait_for: int, delay_s: float) -> int:
    """Kill a writer some time after it has told so many numbers; the last that it told, or -1."""
    said = [writer.hear() for _ in range(wait_for)]
    timer = threading.Timer(delay_s, writer.process.kill)
    timer.start()
    while (number := writer.hear()) is not None:
        said.append(number)
    timer.join()
    writer.process.join(WITHIN_S)
    assert writer.process.exitcode == -signal.SIGKILL
    writer.told.close()
    return max((number for number in said if number is not None), default=-1)


def is_whole(recorded: Recorded) -> bool:
    """Every version has its branch, its tag and both of its pacts; and every run has rows of its own."""
    versions = recorded.rows("version")
    of_version = Counter(row["version_id"] for row in (*recorded.rows("membership"), *recorded.rows("pact")))
    mentioned = {row["run_id"] for row in versions}
    return {row["id"] for row in recorded.rows("run")} == mentioned and all(
        of_version[row["id"]] == 4 for row in versions
    )


def test_concurrent_publishes_lose_nothing(recorded: Recorded, start: Start) -> None:
    """They begin with a ledger that nobody has made yet."""
    writers = [start(recorded.url, f"writer {number}", 0, EACH) for number in range(WRITERS)]
    for writer in writers:
        assert [writer.hear() for _ in range(EACH)] == list(range(EACH))
        writer.process.join(WITHIN_S)
        assert writer.process.exitcode == 0
        writer.told.close()
    versions = recorded.rows("version")
    assert len(versions) == WRITERS * EACH
    assert len({(row["participant_id"], row["number"]) for row in versions}) == WRITERS * EACH
    assert is_whole(recorded)
    by_run = {row["id"]: row["at"] for row in recorded.rows("run")}
    assert len(by_run) == WRITERS * EACH
    first_names = [row["name"] for row in recorded.rows("participant")]
    assert len(first_names) == len(set(first_names)) == WRITERS + 2


def test_a_killed_writer_leaves_whole_versions_only(recorded: Recorded, start: Start) -> None:
    draw = random.Random(0)  # noqa: S311  (nothing secret)
    confirmed = -1
    for attempt in range(KILLS):
        # The first few are killed while the ledger is being made, before they have said anything.
        wait_for = 0 if attempt < EARLY_KILLS else draw.randint(1, 4)
        delay_s = draw.uniform(0.0, 0.25 if attempt < EARLY_KILLS else 0.03)
        confirmed = max(confirmed, killed(start(recorded.url, "web", confirmed + 1, 10_000), wait_for, delay_s))
    numbers = {int(row["number"]) for row in recorded.rows("version")}
    assert confirmed >= KILLS - EARLY_KILLS
    assert set(range(confirmed + 1)) <= numbers
    assert numbers <= set(range(confirmed + 2)), "at most the version that was being told is beyond what was told"
    assert is_whole(recorded)
    recorded.do("publish", "-a", "web", "-e", "after", "--branch", "main")


def test_what_is_left_by_an_exception_is_not_recorded(recorded: Recorded) -> None:
    recorded.do("publish", "-a", "web", "-e", "1")
    before = recorded.exported()
    with (  # noqa: PT012  (the exception has to come from inside)
        pytest.raises(ZeroDivisionError),
        open_ledger(None, os.environ).recording(Run(command="test")) as into,
    ):
        into.version(VersionRef("web", "2"))
        raise ZeroDivisionError
    assert recorded.exported() == before
