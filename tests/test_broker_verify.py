"""`verify --from-broker`: pacts come from a Pact Broker, and the results go back to it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.builders import Workspace, interaction, pact
from tests.fake_broker import FakeBroker, serving

ROUTES = {"GET /product": {"body": {"id": 1}}, "GET /null": {"body": {"id": None}}}
RULES = {"$.id": {"match": "type"}}
RECORD = ("--record", "--version", "7", "--branch", "main")


def expecting(path: str) -> dict[str, object]:
    return interaction("a product", path=path, body={"id": 1}, rules=RULES)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBroker]:
    with serving() as one:
        monkeypatch.setenv("PACT_BROKER_BASE_URL", one.url)
        monkeypatch.setenv("PACT_BROKER_USERNAME", "me")
        monkeypatch.setenv("PACT_BROKER_PASSWORD", "s3cr3t")
        yield one


@pytest.fixture
def shop(shop: Workspace, broker: FakeBroker) -> Workspace:
    """A catalog that keeps web's pact; the Broker has it, the workspace has no pacts."""
    shop.provide("catalog", {"routes": ROUTES})
    broker.pacts["web", "1", "catalog"] = json.dumps(pact("web", "catalog", expecting("/product"))).encode()
    return shop


def broken(broker: FakeBroker, consumer: str) -> None:
    broker.pacts[consumer, "2", "catalog"] = json.dumps(pact(consumer, "catalog", expecting("/null"))).encode()


def outcomes(broker: FakeBroker) -> list[bool]:
    return sorted(result["success"] for kept in broker.results.values() for result in kept)


def test_results_go_back_and_are_read_again(shop: Workspace, broker: FakeBroker) -> None:
    ran = shop.run_here("verify", "--from-broker", *RECORD)
    assert ran.exit_code == 0, ran.stdout + ran.stderr
    assert "the Pact Broker knows that catalog 7 verified the pact of web" in ran.stderr
    ((result,),) = broker.results.values()
    assert (result["success"], result["providerApplicationVersion"]) == (True, "7")
    assert [one["success"] for one in result["testResults"]] == [True]
    paths = [one.path for one in broker.requests]
    assert "/pacticipants/catalog/branches/main/versions/7" in paths
    assert broker.requests[-1].method == "GET"
    assert {one.authorization for one in broker.requests} == {"Basic bWU6czNjcjN0"}
    assert "s3cr3t" not in ran.stdout + ran.stderr + shop.run_here("ledger", "export").stdout


def test_nothing_is_told_without_record(shop: Workspace, broker: FakeBroker) -> None:
    assert shop.run_here("verify", "--from-broker").exit_code == 0
    assert not broker.results
    body = broker.requests[0].body
    assert body["consumerVersionSelectors"] == [{"mainBranch": True}, {"deployedOrReleased": True}]


def test_each_content_of_a_pair_is_verified(shop: Workspace, broker: FakeBroker) -> None:
    broken(broker, "web")
    ran = shop.run_here("verify", "--from-broker", *RECORD)
    assert ran.exit_code == 1
    assert outcomes(broker) == [False, True]


def test_a_pending_pact_fails_without_harm_and_is_told_as_failed(shop: Workspace, broker: FakeBroker) -> None:
    broken(broker, "app")
    broker.pending.add("app")
    assert shop.run_here("verify", "--from-broker").exit_code == 1
    wanted = ("--enable-pending", "--include-wip-pacts-since", "2026-01-01")
    ran = shop.run_here("verify", "--from-broker", *wanted, *RECORD)
    assert ran.exit_code == 0, ran.stdout
    assert "pending" in ran.stdout
    assert outcomes(broker) == [False, True]
    sent = next(one.body for one in reversed(broker.requests) if one.path.endswith("/for-verification"))
    assert (sent["includePendingStatus"], sent["includeWipPactsSince"]) == (True, "2026-01-01")
    assert sent["providerVersionBranch"] == "main"


def test_selectors_are_sent_as_they_are(shop: Workspace, broker: FakeBroker) -> None:
    shop.run_here("verify", "--from-broker", "--consumer-version-selector", '{"branch": "feat x"}')
    assert broker.requests[0].body["consumerVersionSelectors"] == [{"branch": "feat x"}]
    ran = shop.run_here("verify", "--from-broker", "--consumer-version-selector", "[]")
    assert ran.exit_code == 2
    assert "no consumer version selector" in ran.error["error"]


def test_a_broker_that_keeps_no_result_is_found_out(shop: Workspace, broker: FakeBroker) -> None:
    broker.forgets = True
    ran = shop.run_here("verify", "--from-broker", *RECORD)
    assert ran.exit_code == 2
    assert f"error: the Pact Broker at {broker.url} answered 404" in ran.stderr


def test_a_broker_without_pacts_proves_nothing(shop: Workspace, broker: FakeBroker) -> None:
    broker.pacts.clear()
    assert shop.run_here("verify", "--from-broker").exit_code == 3


def test_credentials_go_to_no_other_server(shop: Workspace, broker: FakeBroker) -> None:
    with serving() as other:
        link = {"self": {"href": f"{other.url}/pacts/1"}}
        broker.answers["/for-verification"] = 200, {"_embedded": {"pacts": [{"_links": link}]}}
        ran = shop.run_here("verify", "--from-broker")
        assert ran.exit_code == 2
        assert "links to another server" in ran.error["why"]
        assert not other.requests


def test_without_a_broker_there_is_nothing_to_fetch(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PACT_BROKER_BASE_URL")
    assert "PACT_BROKER_BASE_URL" in shop.run_here("verify", "--from-broker").error["error"]
    assert shop.run_here("verify", "--enable-pending").exit_code == 2


def test_links_may_be_relative(shop: Workspace, broker: FakeBroker) -> None:
    url = broker.url
    try:
        broker.url = ""
        assert shop.run_here("verify", "--from-broker", *RECORD).exit_code == 0
    finally:
        broker.url = url
    assert outcomes(broker) == [True]
