"""Many writers at a time lose nothing, and a writer that is killed leaves nothing half done."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter

import pytest
from counterfoil.gate.facts import VersionRef
from counterfoil.ledger.entries import Run
from counterfoil.ledger.store import open_ledger

from tests.builders import ROOT
from tests.ledgers import Recorded

WRITERS, EACH = 8, 25
KILLS, EARLY_KILLS = 25, 6


def worker(who: str, first: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.ledger_worker", who, str(first), str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def killed(writer: subprocess.Popen[str], wait_for: int, delay_s: float) -> int:
    """Kill a writer some time after so many lines; the last number that it told, or -1."""
    with writer:
        assert writer.stdout
        said = [writer.stdout.readline() for _ in range(wait_for)]
        timer = threading.Timer(delay_s, writer.kill)
        timer.start()
        said += writer.stdout.read().splitlines(keepends=True)
        timer.join()
    assert writer.returncode == -signal.SIGKILL
    return max((int(line) for line in said if line.endswith("\n")), default=-1)


def is_whole(recorded: Recorded) -> bool:
    """Every version has its branch, its tag and both of its pacts; and every run has rows of its own."""
    versions = recorded.rows("version")
    of_version = Counter(row["version_id"] for row in (*recorded.rows("membership"), *recorded.rows("pact")))
    mentioned = {row["run_id"] for row in versions}
    return {row["id"] for row in recorded.rows("run")} == mentioned and all(
        of_version[row["id"]] == 4 for row in versions
    )


def test_concurrent_publishes_lose_nothing(recorded: Recorded) -> None:
    """They begin with a ledger that nobody has made yet."""
    writers = [worker(f"writer {number}", 0, EACH) for number in range(WRITERS)]
    for writer in writers:
        _, stderr = writer.communicate(timeout=120)
        assert writer.returncode == 0, stderr
    versions = recorded.rows("version")
    assert len(versions) == WRITERS * EACH
    assert len({(row["participant_id"], row["number"]) for row in versions}) == WRITERS * EACH
    assert is_whole(recorded)
    by_run = {row["id"]: row["at"] for row in recorded.rows("run")}
    assert len(by_run) == WRITERS * EACH
    first_names = [row["name"] for row in recorded.rows("participant")]
    assert len(first_names) == len(set(first_names)) == WRITERS + 2


def test_a_killed_writer_leaves_whole_versions_only(recorded: Recorded) -> None:
    draw = random.Random(0)
    confirmed = -1
    for attempt in range(KILLS):
        # The first few are killed while the ledger is being made, before they have said anything.
        wait_for = 0 if attempt < EARLY_KILLS else draw.randint(1, 4)
        delay_s = draw.uniform(0.3, 1.5) if attempt < EARLY_KILLS else draw.uniform(0.0, 0.03)
        confirmed = max(confirmed, killed(worker("web", confirmed + 1, 10_000), wait_for, delay_s))
    numbers = {int(row["number"]) for row in recorded.rows("version")}
    assert confirmed >= KILLS - EARLY_KILLS
    assert set(range(confirmed + 1)) <= numbers
    assert numbers <= set(range(confirmed + 2)), "at most the version that was being told is beyond what was told"
    assert is_whole(recorded)
    recorded.do("publish", "-a", "web", "-e", "after", "--branch", "main")


def test_what_is_left_by_an_exception_is_not_recorded(recorded: Recorded) -> None:
    recorded.do("publish", "-a", "web", "-e", "1")
    before = recorded.exported()
    with pytest.raises(ZeroDivisionError), open_ledger(None, os.environ).recording(Run(command="test")) as into:
        into.version(VersionRef("web", "2"))
        raise ZeroDivisionError
    assert recorded.exported() == before
