"""What the ranker needs from the recommender's events, through the code that handles them in production."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pact import Pact, match
from ranker.events import Channel, read_event
from ranker.memory import Remembered, ShownMemory
from ranker.ranking import Ranking

if TYPE_CHECKING:
    from pathlib import Path

    from ranker.events import RecommendationServed
    from ranker.messages import UserProfile

USER_ID = 9007199254740995
PRODUCT_ID = 9007199254740993

_ID = r"^[1-9]\d{0,18}$"

BODY: dict[str, object] = {
    # Not by type: an event without an id cannot be told from the same one sent twice.
    "eventId": match.regex(
        "0190f3a2-5c1e-7d3b-9a44-2f6f0d0c7b11", regex=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
    ),
    "requestId": match.str("0190f3a2-5c1e-7d3b-9a44-2f6f0d0c7b10"),
    "userId": match.regex(str(USER_ID), regex=_ID),
    "productIds": match.each_like(match.regex(str(PRODUCT_ID), regex=_ID), min=1),
    "servedAt": match.regex("2026-01-05T10:00:00Z", regex=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$"),
    "channel": match.regex("CHANNEL_HTTP", regex=r"^CHANNEL_(HTTP|GRPC)$"),
    "attributes": match.like({}),
}


class NoProfiles:
    """A profile source that handling an event has no use for."""

    async def fetch(self, user_id: int) -> UserProfile | None:
        raise AssertionError(user_id)


class Handled:
    """One event, as the ranker reads and remembers it."""

    def __init__(self, body: bytes) -> None:
        self.memory = ShownMemory()
        ranking = Ranking(NoProfiles(), self.memory)
        self.event: RecommendationServed = read_event(body)
        self.outcome: Remembered = ranking.accept_event(body)


@pytest.fixture
def pact() -> Pact:
    return Pact("ranker", "recommender").with_specification("V4")


def handled(pact: Pact, description: str, body: dict[str, object]) -> Handled:
    """Hand the message to the ranker."""
    results: list[Handled] = []

    def handle(contents: str | bytes | None, metadata: dict[str, object]) -> None:
        assert metadata["topic"] == "recommendation-served"
        assert contents is not None
        results.append(Handled(contents.encode() if isinstance(contents, str) else contents))

    (
        pact.upon_receiving(description, "Async")
        .with_body(body, content_type="application/json")
        .with_metadata(topic="recommendation-served")
    )
    pact.verify(handle, "Async")
    (result,) = results
    return result


def test_a_signed_in_user(pact: Pact, pact_dir: Path) -> None:
    result = handled(pact, "a recommendation was served to a signed-in user", BODY)
    assert result.outcome is Remembered.COUNTED
    assert result.memory.times_shown(USER_ID) == {PRODUCT_ID: 1}
    pact.write_file(pact_dir)


def test_an_anonymous_visitor(pact: Pact, pact_dir: Path) -> None:
    result = handled(pact, "a recommendation was served to an anonymous visitor", BODY | {"userId": None})
    assert result.event.user_id is None
    assert result.outcome is Remembered.ANONYMOUS
    pact.write_file(pact_dir)


def test_over_grpc(pact: Pact, pact_dir: Path) -> None:
    result = handled(pact, "a recommendation was served over gRPC", BODY | {"channel": "CHANNEL_GRPC"})
    assert result.event.channel is Channel.GRPC
    assert result.memory.times_shown(USER_ID) == {PRODUCT_ID: 1}
    pact.write_file(pact_dir)


def test_a_locale_and_attributes(pact: Pact, pact_dir: Path) -> None:
    body = BODY | {"locale": match.str("de-DE"), "attributes": {"device": match.str("phone")}}
    result = handled(pact, "a recommendation was served with a locale and attributes", body)
    assert result.event.locale == "de-DE"
    assert result.event.attributes == {"device": "phone"}
    assert result.memory.times_shown(USER_ID) == {PRODUCT_ID: 1}
    pact.write_file(pact_dir)
