"""Stands between Pact's verifier and a provider's state and message endpoints, and remembers what these answered.

The verifier alone hides too much: a failed state change is easily lost among its results, and a 5xx from a state or
message endpoint is retried eight times, which takes two minutes. The relay passes the first answer on, with every
failure as 424, and keeps a record of each call.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

BODY_LIMIT_BYTES = 16 * 1024 * 1024
ERROR_EXCERPT_CHARS = 500
SUCCESS_CLASS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCall:
    """One call of the provider's state endpoint; `status` is None when no answer came."""

    state: str
    params: str
    action: str
    status: int | None
    error: str

    def as_json(self) -> dict[str, object]:
        """The call as plain JSON."""
        return asdict(self)


class Relay:
    """Answers on a port of its own; `states` and `messages` are the provider's endpoints as full URLs, or None."""

    def __init__(self, *, states: str | None, messages: str | None, timeout_s: float) -> None:
        self.calls: list[StateCall] = []
        self._targets = {"/states": states, "/messages": messages}
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
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Pass one request on, and its answer back."""
        size = int(handler.headers.get("content-length") or 0)
        body = handler.rfile.read(min(size, BODY_LIMIT_BYTES))
        target = self._targets.get(handler.path)
        status, headers, content, error = self._forward(target, body)
        if handler.path == "/states":
            self.calls.append(_state_call(body, status, error or _excerpt(status, content)))
        passed = (
            status if status is not None and status < HTTPStatus.INTERNAL_SERVER_ERROR else HTTPStatus.FAILED_DEPENDENCY
        )
        handler.send_response(passed)
        for name, value in headers:
            if name.lower() in {"content-type", "pact-message-metadata"}:
                handler.send_header(name, value)
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def _forward(self, target: str | None, body: bytes) -> tuple[int | None, list[tuple[str, str]], bytes, str]:
        if target is None:
            return HTTPStatus.NOT_FOUND, [], b"", "the participant names no such endpoint in counterfoil.toml"
        url = urlsplit(target)
        connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=self._timeout_s)
        try:
            connection.request("POST", url.path, body, {"content-type": "application/json"})
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


def _state_call(body: bytes, status: int | None, error: str) -> StateCall:
    request = json.loads(body)
    return StateCall(
        state=str(request.get("state", "")),
        params=json.dumps(request.get("params") or {}, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
        action=str(request.get("action", "setup")),
        status=status,
        error=error,
    )
