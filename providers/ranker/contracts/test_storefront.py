"""What the ranker needs from the storefront: profiles in each of their states, through the real client."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import pytest
from pact import Pact, match
from ranker.messages import Tier
from ranker.profile_client import ProfileRefusedError, StorefrontClient

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ranker.messages import UserProfile

    class Existing(Protocol):
        def __call__(
            self, description: str, *, state: dict[str, object], body: dict[str, object]
        ) -> AbstractContextManager[UserProfile]: ...


USER_ID = 9007199254740995
ORDER_ID = 9007199254741001

STATE: dict[str, object] = {
    "id": str(USER_ID),
    "displayName": "Ada Example",
    "nickname": "ada",
    "tier": "TIER_PREMIUM",
    "priceSensitivity": 0.4,
    "categoryAffinity": {"books": 0.8},
    "lastOrderId": str(ORDER_ID),
    "email": "ada@example.org",
}
BODY: dict[str, object] = {
    "id": str(USER_ID),
    "displayName": match.str("Ada Example"),
    "nickname": match.str("ada"),
    "tier": match.regex("TIER_PREMIUM", regex=r"^TIER_(UNSPECIFIED|STANDARD|PREMIUM)$"),
    "priceSensitivity": match.number(0.4),
    "categoryAffinity": {"books": match.number(0.8)},
    "memberSince": match.regex("2024-03-01T09:30:00Z", regex=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$"),
    "lastOrderId": match.regex(str(ORDER_ID), regex=r"^[1-9]\d{0,18}$"),
    "email": match.str("ada@example.org"),
}


def without(original: dict[str, object], left_out: str) -> dict[str, object]:
    return {name: value for name, value in original.items() if name != left_out}


def refusal(code: str, message: str) -> dict[str, object]:
    return {"error": {"code": code, "message": match.str(message)}}


def fetch(url: str, user_id: int) -> UserProfile | None:
    async def once() -> UserProfile | None:
        async with StorefrontClient(url) as client:
            return await client.fetch(user_id)

    return asyncio.run(once())


@contextlib.contextmanager
def agreement(pact_dir: Path) -> Generator[Pact]:
    """Give a pact to fill and to serve; it is written if the test was content with what the client made of it."""
    pact = Pact("ranker", "storefront").with_specification("V4")
    yield pact
    pact.write_file(pact_dir)


@pytest.fixture
def existing(pact_dir: Path) -> Existing:
    """Fetch a profile that stands in `state` and is written as `body`."""

    @contextlib.contextmanager
    def profile(description: str, *, state: dict[str, object], body: dict[str, object]) -> Generator[UserProfile]:
        with agreement(pact_dir) as pact:
            (
                pact.upon_receiving(description)
                .given("a user exists", state)
                .with_request("GET", f"/profiles/{USER_ID}")
                .with_header("Accept", "application/json")
                .will_respond_with(200)
                .with_body(body, content_type="application/json")
            )
            with pact.serve("127.0.0.1") as server:
                fetched = fetch(server.url, USER_ID)
            assert fetched is not None
            yield fetched

    return profile


def test_everything_is_known(existing: Existing) -> None:
    with existing("a profile with everything known", state=STATE, body=BODY) as profile:
        assert profile.id == USER_ID
        assert profile.display_name == "Ada Example"
        assert profile.nickname == "ada"
        assert profile.tier is Tier.PREMIUM
        assert profile.price_sensitivity == 0.4
        assert profile.category_affinity == {"books": 0.8}
        assert profile.member_since == datetime(2024, 3, 1, 9, 30, tzinfo=UTC)
        assert profile.last_order_id == ORDER_ID
        assert (profile.email, profile.phone) == ("ada@example.org", None)


def test_a_nickname_was_never_given(existing: Existing) -> None:
    never = {"nickname": None}
    with existing("a profile without a nickname", state=STATE | never, body=BODY | never) as profile:
        assert profile.nickname is None


def test_a_nickname_was_removed(existing: Existing) -> None:
    removed = {"nickname": ""}
    with existing("a profile with a removed nickname", state=STATE | removed, body=BODY | removed) as profile:
        assert profile.nickname == ""


def test_the_price_sensitivity_is_unknown(existing: Existing) -> None:
    unknown = {"priceSensitivity": None}
    with existing("a profile without a price sensitivity", state=STATE | unknown, body=BODY | unknown) as profile:
        assert profile.price_sensitivity is None


def test_the_price_sensitivity_is_zero(existing: Existing) -> None:
    zero = {"priceSensitivity": 0}
    with existing("a profile with a price sensitivity of zero", state=STATE | zero, body=BODY | zero) as profile:
        assert profile.price_sensitivity == 0


def test_nothing_was_ever_ordered(existing: Existing) -> None:
    state, body = STATE | {"lastOrderId": None}, without(BODY, "lastOrderId")
    with existing("a profile without an order", state=state, body=body) as profile:
        assert profile.last_order_id is None


def test_the_contact_is_a_phone(existing: Existing) -> None:
    state = without(STATE, "email") | {"phone": "+49 30 901820"}
    body = without(BODY, "email") | {"phone": match.str("+49 30 901820")}
    with existing("a profile with a phone", state=state, body=body) as profile:
        assert (profile.email, profile.phone) == (None, "+49 30 901820")


def test_there_is_no_contact(existing: Existing) -> None:
    state, body = without(STATE, "email"), without(BODY, "email")
    with existing("a profile without a contact", state=state, body=body) as profile:
        assert (profile.email, profile.phone) == (None, None)


def test_there_is_no_affinity(existing: Existing) -> None:
    none: dict[str, object] = {"categoryAffinity": {}}
    with existing("a profile without any affinity", state=STATE | none, body=BODY | none) as profile:
        assert profile.category_affinity == {}


def test_the_user_does_not_exist(pact_dir: Path) -> None:
    with agreement(pact_dir) as pact:
        (
            pact.upon_receiving("a profile that does not exist")
            .given("no user exists", {"id": str(USER_ID)})
            .with_request("GET", f"/profiles/{USER_ID}")
            .with_header("Accept", "application/json")
            .will_respond_with(404)
            .with_body(refusal("NOT_FOUND", "there is no such user"), content_type="application/json")
        )
        with pact.serve("127.0.0.1") as server:
            assert fetch(server.url, USER_ID) is None


def test_the_id_is_none(pact_dir: Path) -> None:
    with agreement(pact_dir) as pact:
        (
            pact.upon_receiving("a profile with an id that is not positive")
            .with_request("GET", "/profiles/0")
            .with_header("Accept", "application/json")
            .will_respond_with(400)
            .with_body(refusal("INVALID_ARGUMENT", "the id is not positive"), content_type="application/json")
        )
        with pact.serve("127.0.0.1") as server, pytest.raises(ProfileRefusedError) as caught:
            fetch(server.url, 0)
        assert (caught.value.code, caught.value.message) == ("INVALID_ARGUMENT", "the id is not positive")
