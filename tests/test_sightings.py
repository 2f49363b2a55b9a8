"""What providers really send: recorded while they are verified, over their states, with no decoder named."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from counterfoil.core.content_coding import unpacked
from counterfoil.verifying.tap import Heard, Tap

from tests.builders import Judged, Object, Workspace, as_v2, as_v4, interaction, message, message_pact, pact

BY_TYPE: Object = {"$.amount": {"match": "type"}}


def sent(report: Judged) -> dict[tuple[str, str], list[str]]:
    """The states in which the provider sent each field, by reader and field."""
    return {(row["participant"], row["field"]): row["sent"] for row in report.document["null_matrix"]}


@pytest.mark.parametrize("version", ["v2", "v3", "v4"])
def test_a_verification_records_the_states_of_the_fields(shop: Workspace, version: str) -> None:
    bodies: dict[str, Object] = {"full": {"amount": 3, "name": "lamp"}, "bare": {"amount": 3}}
    answers: dict[str, Object] = {"full": {"amount": 0, "name": "lamp"}, "bare": {"amount": 4, "more": None}}
    made = [interaction(name, body=body, rules=BY_TYPE, path="/product") for name, body in bodies.items()]
    for one in made:
        one["request"]["path"] = f"/{one['description']}"
    document = pact("web", "catalog", *made)
    shop.pact(as_v2(document) if version == "v2" else as_v4(document) if version == "v4" else document)
    shop.provide("catalog", {"routes": {f"GET /{name}": {"body": body} for name, body in answers.items()}})
    report = shop.judge_here("verify")
    assert report.verdict == "compatible"
    assert sent(report) == {
        ("web", "response $"): ["value"],
        ("web", "response $.amount"): ["default", "value"],
        ("web", "response $.more"): ["null"],
        ("web", "response $.name"): ["value"],
    }
    assert {str(row["states"]) for row in report.document["null_matrix"]} == {"{}"}


def test_what_other_answers_of_the_same_endpoint_have_is_absent(shop: Workspace) -> None:
    full, bare = {"amount": 3, "name": "lamp"}, {"amount": 3}
    other = interaction("bare", body=bare)
    other["request"]["query"] = {"bare": ["1"]}
    shop.pact(pact("web", "catalog", interaction("full", body=full), other))
    shop.provide("catalog", {"routes": {"GET /product": {"body": full}, "GET /product?bare=1": {"body": bare}}})
    assert sent(shop.judge_here("verify"))["web", "response $.name"] == ["absent", "value"]


def test_a_verification_records_the_states_of_messages(shop: Workspace) -> None:
    sold, void = {"id": 1, "amount": 3, "shop": "a"}, {"id": 1, "shop": "a"}
    shop.provide("catalog", {"messages": {"sold": sold, "void": void}})
    shop.pact(message_pact("web", "catalog", message("sold", sold), message("void", void)))
    seen = sent(shop.judge_here("verify"))
    assert seen["web", "message $.amount"] == ["absent", "value"]
    assert seen["web", "message $.id"] == ["value"]


def test_an_answer_that_is_not_as_the_contract_says_is_not_recorded(shop: Workspace) -> None:
    shop.pact(pact("web", "catalog", interaction("full", body={"amount": 3})))
    shop.provide("catalog", {"routes": {"GET /product": {"body": {"amount": None}}}})
    report = shop.judge_here("verify")
    assert (report.verdict, report.document["null_matrix"]) == ("broken", [])


def test_answers_that_are_packed_are_recorded_and_tried(shop: Workspace) -> None:
    shop.pact(pact("web", "catalog", interaction("full", body={"amount": 3}, rules=BY_TYPE)))
    packed = {"body": {"amount": 0}, "headers": {"content-encoding": "gzip"}}
    shop.provide("catalog", {"routes": {"GET /product": packed}})
    assert sent(shop.judge_here("verify"))["web", "response $.amount"] == ["default"]
    shop.configure("participants.web", dir=".", decoders=[{"sender": "catalog"}])
    report = shop.judge_here("nulls")
    assert (report.verdict, report.findings) == ("compatible", [])


@pytest.mark.parametrize("coding", ["gzip", " GZIP ", "deflate"])
def test_content_is_unpacked_up_to_a_bound(coding: str) -> None:
    pack = zlib.compress if coding == "deflate" else gzip.compress
    assert unpacked(pack(b"x" * 100), coding, 10) == b"x" * 10


@pytest.mark.parametrize("coding", [None, "identity", "br", "gzip"])
def test_what_is_not_packed_stays_as_it_is(coding: str | None) -> None:
    assert unpacked(b"plain", coding, 10) == b"plain"


@contextmanager
def served(*, chunked: bool) -> Iterator[int]:
    """A server that keeps connections open and answers with what it was sent."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(201)
            self.send_header(*(("transfer-encoding", "chunked") if chunked else ("content-length", str(len(body)))))
            self.end_headers()
            self.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n" if chunked else body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it so)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


@pytest.mark.parametrize("chunked", [True, False])
def test_a_tap_keeps_every_answer_of_a_connection(chunked: bool) -> None:  # noqa: FBT001  (a parameter of the test)
    with served(chunked=chunked) as port, Tap(port).passing() as tap:
        connection = http.client.HTTPConnection("127.0.0.1", tap.port, timeout=5)
        for number in range(3):
            connection.request("POST", f"/a%20b?number={number}", json.dumps(number))
            assert connection.getresponse().read() == str(number).encode()
        connection.close()
        heard = list(tap.heard())
    assert heard == [Heard(method="POST", path="/a b", status=201, body=str(number)) for number in range(3)]


def test_a_tap_passes_the_end_of_a_provider_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, Tap(listener.getsockname()[1]).passing() as tap:
        with socket.create_connection(("127.0.0.1", tap.port), timeout=5) as client:
            provider, _ = listener.accept()
            provider.close()
            assert client.recv(1) == b""
        assert list(tap.heard()) == []
