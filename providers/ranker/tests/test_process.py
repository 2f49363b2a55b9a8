"""The process as an operator sees it: exit codes, one line for each fault, a clean stop."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

FOLDER = Path(__file__).parent.parent
DEADLINE_S = 30


@contextlib.contextmanager
def started(**env: str) -> Generator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "ranker"],
        cwd=FOLDER,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def free_ports(count: int) -> list[str]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [str(bound.getsockname()[1]) for bound in sockets]


def test_a_missing_variable_is_one_line_and_exit_2() -> None:
    with started(PORT="4003") as process:
        out, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, out) == (2, "")
    assert err == "ERROR ranker: GRPC_PORT is missing; set a port, for example GRPC_PORT=5003\n"


@pytest.mark.parametrize("taken", ["PORT", "GRPC_PORT"])
def test_a_taken_port_is_one_line_and_exit_1(taken: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        port = occupant.getsockname()[1]
        ports = dict(zip(("PORT", "GRPC_PORT"), free_ports(2), strict=True))
        with started(**{**ports, taken: str(port)}) as process:
            out, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, out) == (1, "")
    assert err == f"ERROR ranker: cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_a_signal_and_exits_0(number: signal.Signals) -> None:
    http_port, grpc_port = free_ports(2)
    with started(PORT=http_port, GRPC_PORT=grpc_port) as process:
        assert process.stderr is not None
        lines = [process.stderr.readline() for _ in range(2)]
        response = httpx.get(f"http://127.0.0.1:{http_port}/healthz", timeout=DEADLINE_S, trust_env=False)
        process.send_signal(number)
        out, err = process.communicate(timeout=DEADLINE_S)
    assert lines == [
        f"INFO ranker.server: listening for gRPC on 127.0.0.1:{grpc_port}\n",
        f"INFO ranker.server: listening for HTTP on 127.0.0.1:{http_port}\n",
    ]
    assert response.json() == {"status": "ok"}
    assert (process.returncode, out, err) == (0, "", "INFO ranker.server: stopped\n")


def test_finishes_the_request_under_way() -> None:
    http_port, grpc_port = free_ports(2)
    body = b'{"candidates": [{"productId": "1"}]}'
    head = b"POST /v1/scores HTTP/1.1\r\nHost: ranker\r\nContent-Length: %d\r\n\r\n" % len(body)
    with started(PORT=http_port, GRPC_PORT=grpc_port) as process:
        assert process.stderr is not None
        for _ in range(2):
            process.stderr.readline()
        with socket.create_connection(("127.0.0.1", int(http_port)), timeout=DEADLINE_S) as connection:
            connection.sendall(head.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
            # The server asks for the body: the request is under way.
            assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
            process.send_signal(signal.SIGTERM)
            connection.sendall(body)
            answer = b""
            while chunk := connection.recv(1000):
                answer += chunk
        process.communicate(timeout=DEADLINE_S)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"modelVersion":"linear-1"' in answer
    assert process.returncode == 0
