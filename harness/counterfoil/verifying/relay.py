"""Stands between Pact's verifier and a provider's state and message endpoints, and remembers what these answered.

The verifier alone hides too much: a failed state change is easily lost among its results, a message endpoint's 404 is
taken for a message, and a 5xx from either is retried eight times, which takes two minutes. The relay passes the first
answer on, every failure as 424, and keeps a record of each call.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from counterfoil.system.serving import serving

BODY_LIMIT_BYTES = 16 * 1024 * 1024
MESSAGE_LIMIT_BYTES = 1024 * 1024
"""Of what is kept of a message."""
ERROR_EXCERPT_CHARS = 500
SUCCESS_CLASS = 2
STATES_PATH = "/states"
MESSAGES_PATH = "/messages"
TEARDOWN = "teardown"


class CallKind(StrEnum):
    """Which of the provider's endpoints was called."""

    STATE = "state"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that was passed on; `name` is a provider state or a message's description, `params` canonical JSON."""

    kind: CallKind
    name: str
    params: str = "{}"
    action: str = ""
    status: int | None = None
    """None when no answer came."""
    error: str = ""
    body: str = ""
    """The message that was emitted."""

    @property
    def succeeded(self) -> bool:
        """Whether the provider answered 2xx."""
        return is_success(self.status)


Answer = tuple[int | None, list[tuple[str, str]], bytes, str]
"""Status (None: there was no answer), headers, body, and what went wrong."""

STATELESS = Call(kind=CallKind.STATE, name="")
NOTHING_TO_DO: Answer = (HTTPStatus.OK, [], b"{}", "")


class Relay:
    """Answers on a port of its own; `states` and `messages` are the provider's endpoints as full URLs, or None."""

    def __init__(self, *, states: str | None, messages: str | None, timeout_s: float) -> None:
        self.calls: list[Call] = []
        self._targets = {STATES_PATH: states, MESSAGES_PATH: messages}
        self._timeout_s = timeout_s
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                relay.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it so)
                """Say nothing; the verifier's own output is kept."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def port(self) -> int:
        """Where the relay listens."""
        return int(self._server.server_address[1])

    @contextmanager
    def serving(self) -> Iterator[Relay]:
        """Answer for as long as the context lasts."""
        with serving(self._server):
            yield self

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Pass one request on, and its answer back."""
        size = int(handler.headers.get("content-length") or 0)
        body = handler.rfile.read(min(size, BODY_LIMIT_BYTES))
        call = _read_call(handler.path, body)
        status, headers, content, error = NOTHING_TO_DO
        if call != STATELESS:
            status, headers, content, error = self._forward(self._targets.get(handler.path), body)
            emitted = content[:MESSAGE_LIMIT_BYTES] if call.kind is CallKind.MESSAGE and is_success(status) else b""
            told = error or _excerpt(status, content)
            self.calls.append(replace(call, status=status, error=told, body=emitted.decode("utf-8", "replace")))
        # A failed teardown comes too late to keep the verifier from telling what the provider answered.
        passed = is_success(status) or call.action == TEARDOWN
        handler.send_response(HTTPStatus.OK if passed else HTTPStatus.FAILED_DEPENDENCY)
        for name, value in headers:
            if name.lower() in {"content-type", "pact-message-metadata"}:
                handler.send_header(name, value)
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def _forward(self, target: str | None, body: bytes) -> Answer:
        if target is None:
            return HTTPStatus.NOT_FOUND, [], b"", "the participant names no such endpoint in counterfoil.toml"
        url = urlsplit(target)
        connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=self._timeout_s)
        try:
            connection.request(
                "POST", f"{url.path}?{url.query}" if url.query else url.path, body, {"content-type": "application/json"}
            )
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read(BODY_LIMIT_BYTES), ""
        except (OSError, http.client.HTTPException) as error:
            return None, [], b"", f"no answer: {str(error) or type(error).__name__}"
        finally:
            connection.close()


def is_success(status: int | None) -> bool:
    """Whether an answer came, and is a 2xx."""
    return status is not None and status // 100 == SUCCESS_CLASS


def _excerpt(status: int | None, content: bytes) -> str:
    return "" if is_success(status) else content[:ERROR_EXCERPT_CHARS].decode("utf-8", "replace")


def _read_call(path: str, body: bytes) -> Call:
    """What the verifier asks for. Without a provider state it asks for the state "" all the same."""
    request = json.loads(body)
    if path == MESSAGES_PATH:
        return Call(kind=CallKind.MESSAGE, name=str(request.get("description", "")))
    if not request.get("state"):
        return STATELESS
    return Call(
        kind=CallKind.STATE,
        name=str(request["state"]),
        params=json.dumps(request.get("params") or {}, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
        action=str(request.get("action", "setup")),
    )
