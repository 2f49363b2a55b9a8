"""Starting a real participant: a free port, a wait until it is ready, and an end in every case."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from counterfoil.core.workspace import Provider
from counterfoil.system.processes import Child, Processes
from counterfoil.verifying.relay import is_success

HOST = "127.0.0.1"
POLL_S = 0.02
STARTS = 3
"""Between choosing a free port and the participant's taking it, somebody else may take it; then another is tried."""


@dataclass(frozen=True, slots=True)
class Service:
    """A participant that serves."""

    port: int
    child: Child

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return f"http://{HOST}:{self.port}"

    def exit_code(self, within_s: float) -> int | None:
        """How it ended, if it does so soon; None: it goes on."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.child.process.wait(within_s)
        return None


class StartError(Exception):
    """The participant does not serve; `tail` is the last of what it printed."""

    def __init__(self, message: str, tail: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.tail = tail


class PortTakenError(StartError):
    """The configured port belongs to another process."""


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Host:
    """One participant, started when it is first asked for, and ended when the context is left.

    What does not start is not tried again: each try may take as long as `ready_within_s`.
    """

    def __init__(self, processes: Processes, provider: Provider, folder: Path) -> None:
        self.provider = provider
        self._processes = processes
        self._folder = folder
        self._service: Service | None = None
        self._failure: StartError | None = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def service(self) -> Service:
        """The participant, ready to answer; started anew where it has ended. Raises StartError."""
        if self._failure is not None:
            raise self._failure
        if self._service is None or not self._service.child.alive:
            self.stop()
            try:
                self._service = _start(self._processes, self.provider, self._folder, self._stack)
            except StartError as error:
                self._failure = error
                raise
        return self._service

    def stop(self) -> None:
        """End the participant; `service` starts it anew."""
        self._service = None
        self._stack.close()


def _start(processes: Processes, provider: Provider, folder: Path, stack: contextlib.ExitStack) -> Service:
    for attempt in range(1, STARTS + 1):
        port = provider.port or free_port()
        if is_listening(port):
            if provider.port is None:
                continue
            raise PortTakenError(f"port {port} is taken by {_owner(port)}")
        with contextlib.ExitStack() as trial:
            child = trial.enter_context(
                processes.serve(
                    provider.start, cwd=folder, env=_environment(provider, port), grace_s=provider.stop_within_s
                )
            )
            try:
                _wait_until_ready(child, provider, port)
            except StartError:
                if provider.port is None and attempt < STARTS and not child.alive and is_listening(port):
                    continue
                raise
            stack.push(trial.pop_all())
            return Service(port=port, child=child)
    raise StartError(f"no free port was left after {STARTS} tries")


def _environment(provider: Provider, port: int) -> dict[str, str]:
    def filled(value: str) -> str:
        value = value.replace("{port}", str(port))
        while "{free-port}" in value:
            value = value.replace("{free-port}", str(free_port()), 1)
        return value

    return {key: filled(value) for key, value in provider.env.items()}


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def _owner(port: int) -> str:
    """Who listens on a port, as far as this user may know."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                if connection.pid is None:
                    break
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "another process"


def _wait_until_ready(child: Child, provider: Provider, port: int) -> None:
    deadline = time.monotonic() + provider.ready_within_s
    last = "nobody listened"
    while time.monotonic() < deadline:
        if not child.alive:
            code = child.process.returncode
            raise StartError(f"it ended with exit code {code} before it was ready", _settled_tail(child))
        status = _get_status(port, provider.ready, deadline - time.monotonic())
        if isinstance(status, int) and is_success(status):
            return
        last = f"GET {provider.ready} on port {port} answered {status}" if isinstance(status, int) else status
        time.sleep(POLL_S)
    raise StartError(f"it was not ready within {provider.ready_within_s:g} s: {last}", child.tail.lines)


def _settled_tail(child: Child) -> tuple[str, ...]:
    """The tail once the readers had a moment to take in what an ended process left in its pipes."""
    time.sleep(POLL_S)
    return child.tail.lines


def _get_status(port: int, path: str, timeout_s: float) -> int | str:
    """The status of one GET, or why there is none."""
    connection = http.client.HTTPConnection(HOST, port, timeout=max(0.1, min(2.0, timeout_s)))
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"GET {path} on port {port}: {str(error) or type(error).__name__}"
    finally:
        connection.close()
