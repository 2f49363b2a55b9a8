"""Beside the ledger, a Pact Broker: what is sent to it, and what its answers do to ours."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import Object, interaction, pact
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
    broker.versions.add(("shop", "7"))
    gate.environment()
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


def test_pacts_own_client_sends_the_same(gate: Gate, broker: FakeBroker) -> None:
    """The binary of pact-python-cli is an independent client: what it publishes is what we publish."""
    gate.publish("web@1", "shop", branch="main")
    ours = broker.requests[-1].body
    file = gate.shop.pact(pact("web", "shop", interaction("a product", status=200)))
    pact_broker(gate, "publish", file, "--consumer-app-version", "2", "--branch", "main")
    theirs = next(one.body for one in reversed(broker.requests) if one.path == "/contracts/publish")
    assert (theirs["pacticipantName"], theirs["pacticipantVersionNumber"]) == (ours["pacticipantName"], "2")
    assert theirs["branch"] == ours["branch"]
    for one in (*ours["contracts"], *theirs["contracts"]):
        one["content"] = json.loads(base64.b64decode(one["content"]))["interactions"][0]["description"]
    assert ours["contracts"] == theirs["contracts"]


def live(broker: FakeBroker) -> set[tuple[str, str, str, str | None]]:
    """What the Broker has: kind, participant, number, instance."""
    return {(one["kind"], one["name"], one["number"], one["instance"]) for one in broker.live if one["holds"]}


def test_what_is_live_is_told_to_the_broker_too(gate: Gate, broker: FakeBroker) -> None:
    gate.publish("web@1", "shop")
    gate.publish("web@2", "shop")
    here = ("-a", "web", "--environment", "staging")
    assert "no environment 'staging'" in gate.shop.run_here("record-deployment", *here, "-e", "1").error["error"]
    assert "knows it too" in gate.ok("create-environment", "--name", "staging", "--production").stdout
    gate.ok("create-environment", "--name", "staging", "--production")
    (made,) = [one for one in broker.environments if one["name"] == "staging"]
    assert (made["displayName"], made["production"]) == ("staging", True)
    for number, more in (("1", ["--instance", "blue"]), ("1", []), ("2", [])):
        assert "knows it too" in gate.ok("record-deployment", *here, "-e", number, *more).stdout
    gate.ok("record-release", *here, "-e", "1")
    assert live(broker) == {
        ("deployed", "web", "1", "blue"),
        ("deployed", "web", "2", None),
        ("released", "web", "1", None),
    }
    gate.ok("record-undeployment", *here)
    gate.ok("record-support-ended", *here, "-e", "1")
    assert live(broker) == {("deployed", "web", "1", "blue")}
    assert {one.authorization for one in broker.requests} == {f"Bearer {SECRET}"}


def test_what_the_broker_does_not_know_is_not_live_here_either(gate: Gate, broker: FakeBroker) -> None:
    gate.publish("shop@1")
    broker.versions.clear()
    gate.ok("create-environment", "--name", "production")
    ran = gate.shop.run_here("record-deployment", "-a", "shop", "-e", "1", "--environment", "production")
    assert (ran.exit_code, ran.error["error"].endswith("answered 404")) == (2, True)
    assert "counterfoil publish" in ran.error["next"]
    assert not broker.live
    assert '"table":"presence"' not in gate.ok("ledger", "export").stdout
    gate.ok("publish", "-a", "shop", "-e", "1", "--branch", "my main", "-t", "x")
    gate.deploy("shop@1")
    assert live(broker) == {("deployed", "shop", "1", None)}
    paths = {one.path for one in broker.requests if one.method == "PUT"}
    assert paths >= {"/pacticipants/shop/branches/my%20main/versions/1", "/pacticipants/shop/versions/1/tags/x"}


@pytest.mark.parametrize("instance", [[], ["--application-instance", "blue"]])
def test_pacts_own_client_records_the_same(gate: Gate, broker: FakeBroker, instance: list[str]) -> None:
    """The binary of pact-python-cli follows the links of the same answers to the same requests."""
    gate.publish("web@1", "shop")
    gate.ok("create-environment", "--name", "production")
    at = ["--pacticipant", "web", "--environment", "production"]

    def told(*words: str, by_us: bool) -> list[tuple[str, str, Object]]:
        broker.requests.clear()
        gate.ok(*words) if by_us else pact_broker(gate, *words)
        sent = [one for one in broker.requests if one.method != "GET"]
        for one in sent:
            one.body.pop("target", None)  # what an instance was called before
        return [(one.method, one.path.rstrip("0123456789"), one.body) for one in sent]

    deploying, releasing = (
        ["record-deployment", *at, "--version", "1", *instance],
        ["record-release", *at, "--version", "1"],
    )
    undeploying = ["record-undeployment", *at, *instance]
    for words in (deploying, undeploying, releasing):
        theirs = told(*words, by_us=False)
        if words is undeploying:
            assert live(broker) == set()
            told(*deploying, by_us=True)
        assert told(*words, by_us=True) == theirs
        assert len(theirs) == 1


def pact_broker(gate: Gate, *words: str) -> None:
    """Run the `broker` commands of Pact's own client, on the Broker that the environment names."""
    program = shutil.which("pact", path=str(Path(sys.executable).parent))
    assert program, "it comes with pact-python-cli, of the dependency group 'tests'"
    done = subprocess.run(
        [program, "broker", *words],
        cwd=gate.shop.root,
        env={**os.environ, "PACT_BROKER_HTTP_RETRIES": "0"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, (done.stdout.decode(), done.stderr.decode())
