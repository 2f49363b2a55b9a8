"""Passes bytes between Pact's verifier and a provider as they are, and keeps what was answered.

The verifier tells of an answer only in what it differs from the contract. What it was is read from the copy,
afterwards: nothing of it can change a verification.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote, urlsplit

from counterfoil.core.content_coding import unpacked
from counterfoil.system.serving import serving

HOST = "127.0.0.1"
CHUNK_BYTES = 64 * 1024
COPY_LIMIT_BYTES = 1024 * 1024
"""Of what one connection carries in one direction; answers after it are not kept."""
TOTAL_LIMIT_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One answer, and to what: the path is decoded and has no query, the body is text."""

    method: str
    path: str
    status: int
    body: str


class _Copy(io.BytesIO):
    """Bytes that http.client cannot close between two answers."""

    def close(self) -> None:
        """Stay open."""

    def makefile(self, _mode: str) -> _Copy:
        """As of a socket."""
        return self


class Tap:
    """Listens on a port of its own, and passes every connection on to a port of this machine."""

    def __init__(self, port: int) -> None:
        self._copies: list[tuple[bytearray, bytearray]] = []
        tap = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                tap.pass_on(self.request, port)

        self._server = socketserver.ThreadingTCPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @contextmanager
    def passing(self) -> Iterator[Tap]:
        """Pass connections on for as long as the context lasts."""
        with serving(self._server):
            yield self

    def pass_on(self, client: socket.socket, port: int) -> None:
        """Carry one connection, until both sides ended it."""
        copies = bytearray(), bytearray()
        self._copies.append(copies)
        with contextlib.suppress(OSError), socket.create_connection((HOST, port)) as provider:
            for one in (client, provider):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_carry, args=(provider, client, copies[1]), daemon=True)
            back.start()
            _carry(client, provider, copies[0])
            back.join()

    def heard(self) -> Iterator[Heard]:
        """Every whole answer, as far as it was kept."""
        kept = 0
        for asked, answered in self._copies:
            kept += len(answered)
            if kept > TOTAL_LIMIT_BYTES:
                return
            with contextlib.suppress(http.client.HTTPException, ValueError, OSError):
                yield from _read(_Copy(bytes(asked)), _Copy(bytes(answered)))


def _carry(source: socket.socket, target: socket.socket, copy: bytearray) -> None:
    """Pass on what comes, and then its end."""
    with contextlib.suppress(OSError):
        while chunk := source.recv(CHUNK_BYTES):
            copy += chunk[: COPY_LIMIT_BYTES - len(copy)]  # First: whoever has the answer may ask for the copy.
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _read(asked: _Copy, answered: _Copy) -> Iterator[Heard]:
    """The answers of one connection, in order, with the requests to them."""
    while line := asked.readline():
        method, target, _ = line.decode("latin-1").split(" ", 2)
        headers = http.client.parse_headers(asked)
        asked.read(int(headers.get("content-length") or 0))
        answer = http.client.HTTPResponse(cast("socket.socket", answered), method=method)
        answer.begin()
        body = unpacked(answer.read(), answer.headers["content-encoding"], COPY_LIMIT_BYTES)
        path = unquote(urlsplit(target).path)
        yield Heard(method=method, path=path, status=answer.status, body=body.decode("utf-8", "replace"))
