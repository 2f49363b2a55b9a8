"""The HTTP door, route by route, with its refusals."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from ranker import http_app, profile_client, server
from ranker.messages import UserProfile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import Door

ONE = {"candidates": [{"productId": "9007199254740993", "category": "books", "discount": 0.2}]}
EVENT = {
    "eventId": "e1",
    "requestId": "r1",
    "userId": "7",
    "productIds": ["9007199254740993"],
    "servedAt": "2026-01-05T10:00:00Z",
}


def test_is_healthy(door: Door) -> None:
    response = door.request("GET", "/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_scores_for_an_anonymous_visitor(door: Door) -> None:
    response = door.post("/v1/scores", ONE)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "modelVersion": "linear-1",
        "scores": [
            {"productId": "9007199254740993", "score": 0.5, "confidence": None, "explanation": "20 % off"},
        ],
    }


def test_scores_for_a_known_customer(door: Door) -> None:
    door.given.profiles = {7: UserProfile(id=7, price_sensitivity=0.0, category_affinity={"books": 0.5})}
    scored = door.post("/v1/scores", {**ONE, "userId": "7"}).json()["scores"][0]
    assert scored["confidence"] == 0.6
    assert scored["explanation"] == "Because you like books"


@pytest.mark.parametrize("profiles", [None, {}])
def test_scores_without_confidence_when_there_is_no_profile(
    door: Door, profiles: dict[int, UserProfile] | None
) -> None:
    door.given.profiles = profiles
    response = door.post("/v1/scores", {**ONE, "userId": "7"})
    assert response.status_code == 200
    assert response.json()["scores"][0]["confidence"] is None


def test_what_was_shown_scores_less_and_a_repeated_event_counts_once(door: Door) -> None:
    asked = {**ONE, "userId": "7"}
    before = door.post("/v1/scores", asked).json()["scores"][0]["score"]
    for outcome in ("counted", "repeated"):
        response = door.post("/v1/events", EVENT)
        assert (response.status_code, response.json()) == (202, {"outcome": outcome})
    after = door.post("/v1/scores", asked).json()["scores"][0]["score"]
    assert after == pytest.approx(before - 0.08)


def test_refuses_bad_requests(door: Door) -> None:
    for path in ("/v1/scores", "/v1/events"):
        for content in (b"", b"{", b"[]", b"\xff\xfe", b'{"candidates": [], "productIds": []}'):
            response = door.post(path, content=content)
            assert response.status_code == 400
            assert response.json()["error"]["code"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "NOT_FOUND"),
        ("POST", "/v1/scores/", 404, "NOT_FOUND"),
        ("POST", "/_pact/provider-states", 404, "NOT_FOUND"),
        ("GET", "/v1/scores", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_names_the_error_of_a_wrong_route(door: Door, method: str, path: str, status: int, code: str) -> None:
    response = door.request(method, path)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


def test_refuses_a_body_that_is_too_large(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_app, "MAX_BODY_BYTES", 10)
    response = door.post("/v1/scores", content=b" " * 11)
    assert response.status_code == 413
    assert response.json()["error"] == {
        "code": "REQUEST_ENTITY_TOO_LARGE",
        "message": "the body is larger than 10 bytes",
    }


def test_tells_the_client_nothing_about_a_bug(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        message = "secret"
        raise RuntimeError(message)

    monkeypatch.setattr(type(door.memory), "remember", lambda _, event: fail(event))
    response = door.post("/v1/events", EVENT)
    assert response.status_code == 500
    assert response.json() == {"error": {"code": "INTERNAL", "message": "internal error"}}


def test_does_not_wait_for_a_body_forever(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_app, "BODY_DEADLINE_S", 0.05)

    async def trickle() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    response = door.post("/v1/scores", content=trickle())
    assert (response.status_code, response.json()["error"]["code"]) == (408, "REQUEST_TIMEOUT")


def test_every_request_fits_into_the_grace_of_a_stop() -> None:
    assert http_app.BODY_DEADLINE_S + profile_client.DEADLINE_S < server.STOP_GRACE_S
