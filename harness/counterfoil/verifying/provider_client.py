"""Speaks HTTP to a participant that serves: requests as a contract allows them, and changes of provider states."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from counterfoil.allowance.requests import HttpRequest
from counterfoil.core.content_coding import unpacked
from counterfoil.core.pacts import ProviderState
from counterfoil.verifying.relay import BODY_LIMIT_BYTES, ERROR_EXCERPT_CHARS, is_success
from counterfoil.verifying.services import HOST

CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, its body up to a bound, its headers as they came."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def excerpt(self) -> str:
        """The beginning of the body, as text."""
        return self.body[:ERROR_EXCERPT_CHARS].decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Silent:
    """No answer, or no end of it, came in time."""

    after_s: float


@dataclass(frozen=True, slots=True)
class Broken:
    """The connection ended without an answer."""

    reason: str


Answer = Answered | Silent | Broken


class ProviderClient:
    """Asks one participant on 127.0.0.1; each answer has to be whole within a deadline."""

    def __init__(self, port: int, answer_within_s: float) -> None:
        self._port = port
        self._within_s = answer_within_s

    def send(self, request: HttpRequest) -> Answer:
        """Send a request on a connection of its own; whatever happens is an answer."""
        deadline = time.monotonic() + self._within_s
        connection = http.client.HTTPConnection(HOST, self._port, timeout=self._within_s)
        try:
            connection.putrequest(request.method, request.target, skip_accept_encoding=True)
            for name, value in request.headers:
                connection.putheader(name, value.encode("utf-8"))
            if request.body is not None:
                connection.putheader("Content-Length", str(len(request.body)))
            connection.endheaders(request.body)
            response = connection.getresponse()
            body = bytearray()
            while len(body) < BODY_LIMIT_BYTES and (chunk := response.read1(CHUNK_BYTES)):
                body += chunk
                if time.monotonic() > deadline:
                    return Silent(self._within_s)
            content = unpacked(bytes(body), response.headers["content-encoding"], BODY_LIMIT_BYTES)
            return Answered(response.status, content, tuple(response.getheaders()))
        except TimeoutError:
            return Silent(self._within_s)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Broken(str(error) or type(error).__name__)
        finally:
            connection.close()

    def change_states(self, endpoint: str | None, states: Sequence[ProviderState], action: str) -> str:
        """Set provider states up, or tear them down, as the verifier does; what went wrong, or ""."""
        for state in states:
            if endpoint is None:
                return f"there is no states endpoint for '{state.name}' in counterfoil.toml"
            change = {"state": state.name, "params": json.loads(state.params), "action": action}
            match self.send(_json_request(endpoint, change)):
                case Answered(status=status) if is_success(status):
                    continue
                case Answered(status=status):
                    return f"the {action} of provider state '{state.name}' was answered {status}"
                case _:
                    return f"the {action} of provider state '{state.name}' was not answered"
        return ""


def _json_request(endpoint: str, document: object) -> HttpRequest:
    path, _, query = endpoint.partition("?")
    return HttpRequest(
        method="POST",
        path=path,
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers=(("Content-Type", "application/json"),),
        body=json.dumps(document).encode(),
    )
