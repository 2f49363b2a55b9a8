"""All three services at once, asked the way a shop's front page asks: GraphQL in, recommendations out."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from counterfoil.core.workspace import Provider
from counterfoil.project.config import read_workspace
from counterfoil.system.processes import Processes
from counterfoil.verifying import services

ANSWER_WITHIN_S = 20.0
QUERY = """
query ($userId: ID, $transport: Transport!, $limit: Int, $categories: [String!]) {
  recommendations(userId: $userId, transport: $transport, limit: $limit, categories: $categories) {
    requestId generatedAt
    items {
      score confidence reason
      product { id name category availability discount price { currencyCode units nanos } }
      finalPrice { currencyCode units nanos }
    }
  }
}
"""


@pytest.fixture(scope="module")
def storefront_url(built: Path) -> Iterator[str]:
    """The whole system, started for real, each service told where the others are."""
    workspace = read_workspace(built / "counterfoil.toml")
    ports = {
        name: services.free_port()
        for name in ("storefront", "recommender", "recommender_grpc", "ranker", "ranker_grpc")
    }
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    environments = {
        "ranker": {"STOREFRONT_URL": urls["storefront"], "GRPC_PORT": str(ports["ranker_grpc"])},
        "recommender": {
            "RANKER_URL": urls["ranker"],
            "RANKER_GRPC_URL": urls["ranker_grpc"],
            "EVENTS_URL": f"{urls['ranker']}/v1/events",
            "GRPC_PORT": str(ports["recommender_grpc"]),
        },
        "storefront": {"RECOMMENDER_URL": urls["recommender"], "RECOMMENDER_GRPC_URL": urls["recommender_grpc"]},
    }
    processes = Processes()
    with contextlib.ExitStack() as stack:
        for name, env in environments.items():
            participant = workspace.settings.participants[name]
            assert participant.provider
            provider = Provider(start=participant.provider.start, port=ports[name], env={"PORT": "{port}", **env})
            stack.enter_context(services.Host(processes, provider, workspace.path(participant.dir))).service()
        yield urls["storefront"]
    processes.stop()


def ask(url: str, *, transport: str = "HTTP", **variables: object) -> dict[str, Any]:
    """The answer of the GraphQL endpoint, errors and all."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=ANSWER_WITHIN_S)
    with contextlib.closing(connection):
        body = json.dumps({"query": QUERY, "variables": {"transport": transport, **variables}})
        connection.request("POST", "/graphql", body, {"content-type": "application/json"})
        answer: dict[str, Any] = json.load(connection.getresponse())
    return answer


def known_user(built: Path) -> str:
    """A user of the storefront's seed whose taste is known."""
    profiles = json.loads((built / "providers/storefront/data/profiles.json").read_text(encoding="utf-8"))
    return next(str(profile["id"]) for profile in profiles if profile.get("categoryAffinity"))


@pytest.mark.parametrize("transport", ["HTTP", "GRPC"])
def test_a_known_user_gets_scored_recommendations(storefront_url: str, built: Path, transport: str) -> None:
    answer = ask(storefront_url, userId=known_user(built), transport=transport, limit=5)
    assert "errors" not in answer, answer
    items = answer["data"]["recommendations"]["items"]
    assert len(items) == 5
    assert [item["score"] for item in items] == sorted((item["score"] for item in items), reverse=True)
    assert all(0 <= item["confidence"] <= 1 for item in items)
    assert all(int(item["product"]["id"]) > 2**53 for item in items)
    assert "DISCONTINUED" not in {item["product"]["availability"] for item in items}


@pytest.mark.parametrize("transport", ["HTTP", "GRPC"])
def test_a_visitor_gets_recommendations_without_confidence(storefront_url: str, transport: str) -> None:
    answer = ask(storefront_url, transport=transport)
    assert "errors" not in answer, answer
    items = answer["data"]["recommendations"]["items"]
    assert items
    assert {item["confidence"] for item in items} == {None}


@pytest.mark.parametrize("transport", ["HTTP", "GRPC"])
def test_prices_are_exact_with_and_without_a_discount(storefront_url: str, transport: str) -> None:
    items = ask(storefront_url, transport=transport, limit=50)["data"]["recommendations"]["items"]
    discounts = set()
    for item in items:
        discount = item["product"]["discount"]
        discounts.add(discount is None)
        full, final = (_nanos(item["product"]["price"]), _nanos(item["finalPrice"]))
        assert abs(final - full * (1 - (discount or 0))) <= 1
        assert final == full or discount
    assert discounts == {True, False}, "the seed has products with and without a discount"


@pytest.mark.parametrize("transport", ["HTTP", "GRPC"])
def test_nothing_fits(storefront_url: str, transport: str) -> None:
    answer = ask(storefront_url, transport=transport, categories=["no such category"])
    assert answer["data"]["recommendations"]["items"] == []


def test_what_was_shown_is_ranked_lower_next_time(storefront_url: str, built: Path) -> None:
    user = known_user(built)
    before = ask(storefront_url, userId=user)["data"]["recommendations"]["items"][0]
    deadline = time.monotonic() + ANSWER_WITHIN_S
    while time.monotonic() < deadline:  # the event travels in the background
        items = ask(storefront_url, userId=user)["data"]["recommendations"]["items"]
        scores = {item["product"]["id"]: item["score"] for item in items}
        if scores.get(before["product"]["id"], -1.0) < before["score"]:
            return
    pytest.fail("the ranker never heard what was recommended")


def _nanos(price: dict[str, Any]) -> int:
    return int(price["units"]) * 10**9 + int(price["nanos"])
