"""Fixtures of every test: a workspace to fill, and a watch that no test leaves a process behind."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Collection, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings

from tests import builders
from tests.builders import Workspace
from tests.ledgers import Recorded
from tests.postgresql import Server, running_server
from tests.schema_change import PROTO, change

RULE_MARKERS = {
    "fires": "fires(*rules): the test reads a report in which these rules have findings.",
    "silent": "silent(*rules): the test reads a report in which these rules had something to judge and found nothing.",
}
MARK = "COUNTERFOIL_TEST_ID"
# Whoever starts the tests in the background may ignore SIGINT, and ignoring is inherited; a handler is not.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ[MARK] = f"tests-{os.getpid()}"
os.environ.pop("COLUMNS", None)
LEAVE_WITHIN_S = 3.0
STARTED_AT = psutil.Process().create_time()
ELDERS: set[int] = set()
"""Processes that were there before this one, while they live: to look into each of them twice a test takes minutes."""

settings.register_profile("suite", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    for description in RULE_MARKERS.values():
        config.addinivalue_line("markers", description)


@pytest.fixture(autouse=True)
def hold_to_markers(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that says it fires a rule, or leaves it silent, must have read a report that shows it."""
    builders.READ_RULES.clear()
    yield
    seen = builders.READ_RULES
    for marker in request.node.iter_markers("fires"):
        assert set(marker.args) <= set().union(*seen), f"marked as firing {marker.args}, but the reports show {seen}"
    for marker in request.node.iter_markers("silent"):
        assert seen, "marked as silent, but the test read no report"
        assert any(set(marker.args).isdisjoint(rules) for rules in seen), f"not silent: {seen}"


@pytest.fixture(autouse=True)
def ignore_closed_pipes() -> None:
    """As Python does from its start. Commands that run in this process end by SIGPIPE, and it outlives them."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def marked_processes(*, besides: Collection[int] = ()) -> list[psutil.Process]:
    """Every process that was started, however indirectly, by this test process and still lives."""
    pids = set(psutil.pids())
    ELDERS.intersection_update(pids)
    found = []
    for pid in pids.difference(ELDERS, besides, [os.getpid()]):
        try:
            process = psutil.Process(pid)
            if process.create_time() < STARTED_AT:
                ELDERS.add(pid)
            elif process.environ().get(MARK) == os.environ[MARK] and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.fixture(autouse=True)
def leave_no_process() -> Iterator[None]:
    """Fail a test that leaves a process behind, and end that process; those of a whole module's fixture may stay."""
    before = set(marked_processes())
    yield
    started = [process for process in marked_processes() if process not in before]
    _, left = psutil.wait_procs(started, timeout=LEAVE_WITHIN_S)
    told = [f"{process.pid} {_command(process)}" for process in left]
    for process in left:
        process.kill()
    assert not told, f"processes were left behind: {told}"


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return "(gone)"


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return Workspace(tmp_path)


@pytest.fixture
def unchanged_schema(shop: Workspace) -> None:
    """Two folders of protos, `old` and `new`, the same so far, and no counterfoil.toml."""
    change(shop, PROTO, side="old")
    change(shop, PROTO)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server, started by the first test that needs it."""
    with running_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty ledger, for COUNTERFOIL_LEDGER: each test runs once with each kind of database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    server: Server = request.getfixturevalue("postgresql")
    name = f"test {uuid.uuid4().hex}"
    yield server.create(name)
    server.drop(name)


@pytest.fixture
def recorded(shop: Workspace, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """An empty workspace with an empty ledger, of each kind of database."""
    return Recorded(shop, ledger_url, monkeypatch)
