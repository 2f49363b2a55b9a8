"""The profile client: profiles, asked for over HTTP at the storefront."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, Self

import httpx

from ranker.messages import read_error, read_profile
from ranker.wire import InvalidMessageError

if TYPE_CHECKING:
    from ranker.messages import UserProfile

DEADLINE_S = 1.0
MAX_ANSWER_BYTES = 1024 * 1024


class ProfileError(Exception):
    """The storefront gave no usable answer."""


class ProfileUnavailableError(ProfileError):
    """The storefront is down, slow, failing, or answers what cannot be read."""


class ProfileRefusedError(ProfileError):
    """The storefront understood the question and refused it; `code` is its own word for why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"the storefront refused: {code}: {message}")
        self.code = code
        self.message = message


class ProfileSource(Protocol):
    """Whoever can be asked for profiles."""

    async def fetch(self, user_id: int) -> UserProfile | None:
        """Return the profile, or None when there is none; raise ProfileError when that cannot be told."""


class StorefrontClient:
    """Asks the storefront, within DEADLINE_S for the whole exchange. Use it with `async with`, which closes it."""

    def __init__(self, storefront_url: str) -> None:
        # Neither proxies nor .netrc of the environment: the storefront is an internal neighbour.
        self._http = httpx.AsyncClient(trust_env=False, timeout=DEADLINE_S, follow_redirects=False)
        self._url = storefront_url

    async def fetch(self, user_id: int) -> UserProfile | None:
        """Return the profile, or None when the storefront knows no such customer."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                status, body = await self._get(f"{self._url}/profiles/{user_id}")
        except TimeoutError as error:
            message = f"the storefront did not answer within {DEADLINE_S:g} s"
            raise ProfileUnavailableError(message) from error
        except httpx.HTTPError as error:
            message = f"the storefront cannot be reached: {str(error) or type(error).__name__}"
            raise ProfileUnavailableError(message) from error
        return read_answer(status, body, user_id=user_id)

    async def __aenter__(self) -> Self:
        """Keep connections from here on."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections kept."""
        await self._http.aclose()

    async def _get(self, url: str) -> tuple[int, bytes]:
        body = bytearray()
        async with self._http.stream("GET", url, headers={"Accept": "application/json"}) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    message = f"the storefront's answer is larger than {MAX_ANSWER_BYTES} bytes"
                    raise ProfileUnavailableError(message)
            return response.status_code, bytes(body)


def read_answer(status: int, body: bytes, *, user_id: int) -> UserProfile | None:
    """Make sense of the storefront's answer to a question about `user_id`. Pure."""
    try:
        if status == HTTPStatus.OK:
            return _own_profile(body, user_id)
        if status in {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}:
            # Read in both cases: a 404 that is not the storefront's own says nothing about a customer.
            refusal = read_error(body)
            if status == HTTPStatus.NOT_FOUND:
                return None
            raise ProfileRefusedError(refusal.code, refusal.message)
    except InvalidMessageError as error:
        message = f"the storefront's answer cannot be read: {error}"
        raise ProfileUnavailableError(message) from error
    message = f"the storefront answered {status}"
    raise ProfileUnavailableError(message)


def _own_profile(body: bytes, user_id: int) -> UserProfile:
    profile = read_profile(body)
    if profile.id != user_id:
        message = f"the storefront answered with profile {profile.id} instead of {user_id}"
        raise ProfileUnavailableError(message)
    return profile
