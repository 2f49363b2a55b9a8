"""The real Pact matcher, through pact-python's native library: does a body match an expectation?

A response or a message is matched as a response of a synchronous message, which compares JSON bodies by the very code
that compares those of an HTTP response; a request, whole or with a text in it, is sent to a mock server.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol
from urllib.parse import urlencode

import pact_ffi
from counterfoil.core.pacts import Json
from pact_ffi import InteractionPart, PactSpecification

JSON_TYPE = "application/json"


class Matcher(Protocol):
    """Whether the real matcher accepts a body."""

    def __call__(self, body: Json) -> bool:
        """Judge one body."""


class TextMatcher(Protocol):
    """Whether the real matcher accepts a text."""

    def __call__(self, text: str) -> bool:
        """Judge one text."""


@contextmanager
def response_matcher(example: Json, matching_rules: dict[str, Json]) -> Iterator[Matcher]:
    """Of a response or a message: keys that the example lacks are allowed. `matching_rules` as a pact has them."""
    pact = _pact()
    interaction = pact_ffi.new_sync_message_interaction(pact, "a message")
    pact_ffi.with_body(interaction, InteractionPart.RESPONSE, JSON_TYPE, json.dumps(example))
    if matching_rules:
        pact_ffi.with_matching_rules(interaction, InteractionPart.RESPONSE, json.dumps(matching_rules))

    def matches(body: Json) -> bool:
        return not pact_ffi.sync_message_match_response_contents(interaction, 0, JSON_TYPE, json.dumps(body))

    yield matches


@contextmanager
def request_matcher(example: Json, matching_rules: dict[str, Json]) -> Iterator[Matcher]:
    """Of an HTTP request: keys that the example lacks are refused."""
    pact = _pact()
    interaction = pact_ffi.new_interaction(pact, "a request")
    pact_ffi.with_request(interaction, "POST", "/")
    pact_ffi.with_body(interaction, InteractionPart.REQUEST, JSON_TYPE, json.dumps(example))
    if matching_rules:
        pact_ffi.with_matching_rules(interaction, InteractionPart.REQUEST, json.dumps(matching_rules))
    with _served(pact) as is_ok:
        yield lambda body: is_ok("POST", "/", json.dumps(body), {"Content-Type": JSON_TYPE})


@contextmanager
def _served(pact: pact_ffi.PactHandle) -> Iterator[Callable[[str, str, str | None, dict[str, str]], bool]]:
    """Pact's mock server for one pact, as whether it takes a request: method, target, body and headers."""
    server = pact_ffi.create_mock_server_for_transport(pact, "127.0.0.1", 0, "http", None)
    connection = http.client.HTTPConnection("127.0.0.1", server._ref, timeout=10)  # noqa: SLF001  (its only name)

    def is_ok(method: str, target: str, body: str | None, headers: dict[str, str]) -> bool:
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status == http.client.OK

    try:
        yield is_ok
    finally:
        connection.close()


def _pact() -> pact_ffi.PactHandle:
    pact = pact_ffi.new_pact("consumer", "provider")
    pact_ffi.with_specification(pact, PactSpecification.V4)
    return pact


@contextmanager
def text_matcher(category: str, name: str, example: str, matching_rules: dict[str, Json]) -> Iterator[TextMatcher]:
    """Of a parameter ("query") or a header ("header") of a GET request."""
    pact = _pact()
    interaction = pact_ffi.new_interaction(pact, "a request")
    pact_ffi.with_request(interaction, "GET", "/")
    if category == "query":
        pact_ffi.with_query_parameter_v2(interaction, name, 0, example)
    else:
        pact_ffi.with_header_v2(interaction, InteractionPart.REQUEST, name, 0, example)
    pact_ffi.with_matching_rules(interaction, InteractionPart.REQUEST, json.dumps(matching_rules))
    with _served(pact) as is_ok:
        if category == "query":
            yield lambda text: is_ok("GET", f"/?{urlencode({name: text})}", None, {})
        else:
            yield lambda text: is_ok("GET", "/", None, {name: text})
