"""Beside the ledger, a Pact Broker: what is sent to it, and what its answers do to ours."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import interaction, pact
from tests.fake_broker import FakeBroker, matrix, row, serving
from tests.gated import Answer, Gate, gate_in

SECRET = "s3cr3t-token"  # noqa: S105  (of a Broker that ends with the test)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBroker]:
    """A Broker, named by the environment."""
    with serving() as one:
        monkeypatch.setenv("PACT_BROKER_BASE_URL", f"{one.url}/")
        monkeypatch.setenv("PACT_BROKER_TOKEN", SECRET)
        yield one


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return gate_in(tmp_path)


def ask(gate: Gate, *more: str) -> Answer:
    return gate.deployable("web@1", more=more)


def test_publish_sends_the_files_as_they_are(gate: Gate, broker: FakeBroker) -> None:
    gate.publish("web@1", "shop", branch="main")
    document = json.loads(broker.pacts["web", "1", "shop"])
    assert document == pact("web", "shop", interaction("a product", status=200))
    sent = broker.requests[-1]
    assert (sent.path, sent.authorization) == ("/contracts/publish", f"Bearer {SECRET}")
    assert sent.body["branch"] == "main"
    assert base64.b64decode(sent.body["contracts"][0]["content"]) == broker.pacts["web", "1", "shop"]


def test_what_the_broker_refuses_is_not_recorded_either(gate: Gate, broker: FakeBroker) -> None:
    broker.pacts["web", "1", "shop"] = b"{}"
    file = gate.shop.pact(pact("web", "shop", interaction("a product")))
    ran = gate.shop.run_here("publish", file, "-a", "web", "-e", "1")
    assert ran.exit_code == 2
    assert "409" in ran.error["error"]
    assert "has another pact already" in ran.error["why"]
    assert '"table":"version"' not in gate.ok("ledger", "export").stdout.replace(" ", "")


@pytest.mark.silent("BROKER_OBJECTS")
def test_rows_of_the_broker_are_facts(gate: Gate, broker: FakeBroker) -> None:
    broker.answers["/matrix"] = 200, matrix(row("web@1", "shop@7", success=True), deployable=True)
    answer = ask(gate)
    assert (answer.verdict, answer.broker) == ("compatible", True)
    assert not answer.rules
    assert [(one["provider_version"], one["success"]) for one in answer.document["pairs"]] == [("7", True)]
    asked = broker.requests[-1].query
    expected = (("q[][pacticipant]", "web"), ("q[][version]", "1"), ("latestby", "cvpv"), ("environment", "production"))
    assert asked == expected


def test_the_broker_has_the_last_word_on_pacts(gate: Gate, broker: FakeBroker) -> None:
    gate.publish("web@1", "shop")
    gate.verify("web@1", "shop@7")
    gate.deploy("shop@7")
    broker.answers["/matrix"] = 200, matrix(row("web@1", "shop@7", success=False), deployable=False)
    answer = ask(gate)
    assert (answer.verdict, answer.broker) == ("broken", False)
    assert answer.rules == {("VERIFICATION_FAILED", "web 1→shop 7")}
    broker.answers["/matrix"] = 200, matrix(row("web@1", "shop", success=None), deployable=None)
    gate.verify("web@1", "shop@7", success=False)
    assert ask(gate).verdict == "broken", "what the ledger alone knows still counts"


def test_a_missing_result_is_unproven(gate: Gate, broker: FakeBroker) -> None:
    broker.answers["/matrix"] = 200, matrix(row("web@1", "shop", success=None), deployable=None)
    answer = ask(gate, "--ignore", "stock", "-e", "3")
    assert (answer.verdict, answer.broker) == ("unproven", None)
    assert answer.rules == {("PROVIDER_NOT_DEPLOYED", "web 1→shop")}
    assert ("ignore[][version]", "3") in broker.requests[-1].query


@pytest.mark.fires("BROKER_OBJECTS")
@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(200, matrix(deployable=False, reason="No version with number 1"), id="a version it lacks"),
        pytest.param(400, {"errors": ["No version with number 1"]}, id="a participant it lacks"),
    ],
)
def test_a_broker_that_objects_keeps_it_unproven(gate: Gate, broker: FakeBroker, status: int, body: object) -> None:
    gate.publish("web@1")
    broker.answers["/matrix"] = status, body
    answer = ask(gate)
    assert answer.verdict == "unproven"
    assert "No version with number 1" in answer.the("BROKER_OBJECTS")["message"]


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        pytest.param(401, f"who is {SECRET}?", "answered 401", id="credentials"),
        pytest.param(500, "oops", "answered 500", id="its own error"),
        pytest.param(302, "http://127.0.0.1:9/elsewhere", "answered 302", id="a redirect"),
        pytest.param(200, "<html>", "not understood", id="no JSON"),
        pytest.param(200, "[" * 100_000, "not understood", id="deep JSON"),
        pytest.param(200, {"summary": {"deployable": "yes"}}, "not understood", id="another shape"),
    ],
)
def test_what_is_no_answer_is_told(gate: Gate, broker: FakeBroker, status: int, body: object, told: str) -> None:
    broker.answers["/matrix"] = status, body
    ran = gate.shop.run_here("can-i-deploy", "-a", "web", "-e", "1", "--to-environment", "production")
    assert ran.exit_code == 2
    assert told in ran.error["error"]
    assert SECRET not in ran.stdout + ran.stderr
    assert [one.path for one in broker.requests] == ["/matrix"], "nothing is asked of anybody else"


@pytest.mark.parametrize("url", ["ftp://host", "https://me:pass@host", "nothing", "http://[", "http://h/?a=b"])
def test_an_address_that_is_none_is_refused(gate: Gate, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PACT_BROKER_BASE_URL", url)
    ran = gate.shop.run_here("can-i-deploy", "-a", "web", "-e", "1", "--to-environment", "production")
    assert ran.exit_code == 2
    assert "PACT_BROKER_BASE_URL" in ran.error["error"]
    assert "pass@" not in ran.stderr


def test_a_broker_that_is_gone_is_told(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as gone:
        monkeypatch.setenv("PACT_BROKER_BASE_URL", gone.url)
    ran = gate.shop.run_here("can-i-deploy", "-a", "web", "-e", "1", "--to-environment", "production")
    assert ran.exit_code == 2
    assert "could not be asked" in ran.error["error"]


def test_pacts_own_client_sends_the_same(gate: Gate, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The binary of pact-python-cli is an independent client: what it publishes is what we publish."""
    program = shutil.which("pact", path=str(Path(sys.executable).parent))
    assert program, "it comes with pact-python-cli, of the dependency group 'tests'"
    gate.publish("web@1", "shop", branch="main")
    ours = broker.requests[-1].body
    monkeypatch.setenv("PACT_BROKER_HTTP_RETRIES", "0")
    file = gate.shop.pact(pact("web", "shop", interaction("a product", status=200)))
    words = ["broker", "publish", file, "--consumer-app-version", "2", "--branch", "main"]
    done = subprocess.run([program, *words], cwd=gate.shop.root, capture_output=True, timeout=60, check=False)
    theirs = next(one.body for one in reversed(broker.requests) if one.path == "/contracts/publish")
    assert done.returncode == 0, done.stderr.decode()
    assert (theirs["pacticipantName"], theirs["pacticipantVersionNumber"]) == (ours["pacticipantName"], "2")
    assert theirs["branch"] == ours["branch"]
    for one in (*ours["contracts"], *theirs["contracts"]):
        one["content"] = json.loads(base64.b64decode(one["content"]))["interactions"][0]["description"]
    assert ours["contracts"] == theirs["contracts"]
