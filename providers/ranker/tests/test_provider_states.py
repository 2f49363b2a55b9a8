"""Provider states: what each does, that they add up, and that a teardown undoes them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ranker.messages import UserProfile

if TYPE_CHECKING:
    from conftest import Door

PATH = "/_pact/provider-states"


def change(door: Door, state: str, action: str = "setup", **params: object) -> None:
    response = door.post(PATH, {"state": state, "params": params, "action": action})
    assert (response.status_code, response.json()) == (200, {})


def score(door: Door, user_id: str = "7") -> dict[str, object]:
    response = door.post("/v1/scores", {"userId": user_id, "candidates": [{"productId": "1", "category": "books"}]})
    assert response.status_code == 200
    scored: dict[str, object] = response.json()["scores"][0]
    return scored


def test_a_profile_is_known(stated_door: Door) -> None:
    change(stated_door, "a profile is known", userId="7", priceSensitivity=None, categoryAffinity={"books": 1})
    assert score(stated_door)["confidence"] == 0.4
    assert score(stated_door)["explanation"] == "Because you like books"
    assert score(stated_door, "8")["confidence"] is None


def test_no_profile_is_known(stated_door: Door) -> None:
    stated_door.given.profiles = {7: UserProfile(id=7)}
    change(stated_door, "no profile is known", userId="7")
    assert score(stated_door)["confidence"] is None


def test_the_storefront_is_unavailable_whatever_is_known(stated_door: Door) -> None:
    change(stated_door, "the storefront is unavailable")
    change(stated_door, "a profile is known", userId="7", priceSensitivity=0)
    assert score(stated_door)["confidence"] is None


def test_the_user_was_lately_shown(stated_door: Door) -> None:
    change(stated_door, "the user was lately shown", userId="7", productIds=["1"])
    assert score(stated_door)["score"] == 0.37


def test_any_teardown_undoes_everything(stated_door: Door) -> None:
    stated_door.given.profiles = {7: UserProfile(id=7)}
    before = score(stated_door)
    change(stated_door, "the user was lately shown", userId="7", productIds=["1"])
    change(stated_door, "the storefront is unavailable")
    change(stated_door, "a profile is known", userId="7", priceSensitivity=1)
    change(stated_door, "a profile is known", action="teardown")
    assert score(stated_door) == before


def test_the_empty_state_changes_nothing(stated_door: Door) -> None:
    before = score(stated_door)
    assert stated_door.post(PATH, {"state": ""}).status_code == 200
    assert score(stated_door) == before


@pytest.mark.parametrize("action", ["setup", "teardown"])
def test_an_unknown_state_is_an_error(stated_door: Door, action: str) -> None:
    response = stated_door.post(PATH, {"state": "the moon is full", "action": action})
    assert response.status_code == 404
    error = response.json()["error"]
    assert error["code"] == "UNKNOWN_STATE"
    assert "'the moon is full'" in error["message"]
    assert "'a profile is known'" in error["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"state": "a profile is known", "params": {}},
        {"state": "a profile is known", "params": {"userId": "7", "priceSensitivity": "high"}},
        {"state": "the user was lately shown", "params": {"userId": "7", "productIds": []}},
        {"state": "no profile is known"},
        {"state": "", "action": "party"},
        {},
    ],
)
def test_bad_params_are_an_error(stated_door: Door, body: dict[str, object]) -> None:
    response = stated_door.post(PATH, body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_ARGUMENT")
