"""The pytest plugin: `pytest counterfoil.toml` collects every case of every lane as a test.

Without that argument it collects nothing. Fixtures for a participant's own tests: `contract_stub`, `presence_states`
and `provider`. What they need is imported when it is needed: every run of pytest where Counterfoil is installed loads
this module.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from counterfoil.core.workspace import Workspace
    from counterfoil.probe.payloads import Payload
    from counterfoil.probing.stubs import Stub
    from counterfoil.system.processes import Processes
    from counterfoil.verifying.services import Service

FILE_NAME = "counterfoil.toml"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "contract: a case of counterfoil.toml")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a counterfoil.toml that was named on the command line, and no other."""
    if file_path.name != FILE_NAME:
        return None
    invocation = parent.config.invocation_params.dir
    named = {(invocation / argument.partition("::")[0]).resolve() for argument in parent.config.args}
    return _collected(parent, file_path) if file_path.resolve() in named else None


def _collected(parent: pytest.Collector, file: Path) -> pytest.Collector:
    from counterfoil.pytest_items import ContractFile

    collector: pytest.Collector = ContractFile.from_parent(parent, path=file)
    return collector


@pytest.fixture(scope="session")
def _contract_workspace(pytestconfig: pytest.Config) -> Workspace:
    from counterfoil.project.config import find_workspace

    return find_workspace(pytestconfig.rootpath)


@pytest.fixture(scope="session")
def _contract_processes() -> Iterator[Processes]:
    from counterfoil.system.processes import Processes

    processes = Processes()
    yield processes
    processes.stop()


@pytest.fixture(scope="session")
def provider(_contract_workspace: Workspace, _contract_processes: Processes) -> Iterator[Callable[[str], Service]]:
    """Start a participant of counterfoil.toml: `provider("orders").url`. Each is started once."""
    from counterfoil.verifying.services import Host

    with contextlib.ExitStack() as stack:
        started: dict[str, Service] = {}

        def start(name: str) -> Service:
            participant = _contract_workspace.settings.participants[name]
            if participant.provider is None:
                raise LookupError(f"[participants.{name}] has no provider table")
            if name not in started:
                folder = _contract_workspace.path(participant.dir)
                host = stack.enter_context(Host(_contract_processes, participant.provider, folder))
                started[name] = host.service()
            return started[name]

        yield start


@pytest.fixture(scope="session")
def contract_stub(_contract_workspace: Workspace, _contract_processes: Processes) -> Iterator[Callable[[str], Stub]]:
    """Start a stub of counterfoil.toml: `contract_stub("orders-stub").ask(...)`. Each is started once."""
    from counterfoil.probing.probe_stubs import stub_command
    from counterfoil.probing.stubs import Stub

    with contextlib.ExitStack() as stack:
        started: dict[str, Stub] = {}

        def start(name: str) -> Stub:
            if name not in started:
                command = stub_command(_contract_workspace, name)
                started[name] = stack.enter_context(Stub(_contract_processes, command))
            return started[name]

        yield start


@pytest.fixture(scope="session")
def presence_states(
    _contract_workspace: Workspace, _contract_processes: Processes
) -> Callable[..., SearchStrategy[Payload]]:
    """Hypothesis's strategy of a message's presence states: `presence_states("shop.v1.Product", "binary")`.

    It draws payloads with every field in any state: `data` holds the bytes, in JSON unless "binary" is asked for, and
    `parts` says which field is in which state.
    """
    from counterfoil.probe.payloads import Encoding
    from counterfoil.probe.strategies import presence_states as states_of
    from counterfoil.probing.probed_schema import read_schema

    settings = _contract_workspace.settings
    if settings.schema is None:
        raise LookupError(f"{_contract_workspace.file} has no [schema] table")
    schema = read_schema(_contract_processes, _contract_workspace, settings.schema.dir)

    def strategy(message: str, encoding: str = "json") -> SearchStrategy[Payload]:
        return states_of(schema.message(message), [Encoding(encoding)])

    return strategy
