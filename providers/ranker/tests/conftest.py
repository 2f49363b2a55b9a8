"""A ranking whose profiles are given, behind each of its doors."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest
from ranker.http_app import build_app
from ranker.memory import ShownMemory
from ranker.profile_client import ProfileUnavailableError
from ranker.provider_states import ProviderStates, StatedProfiles
from ranker.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ranker.messages import UserProfile


@dataclass
class GivenProfiles:
    """A profile source in memory; None stands for a storefront that is down."""

    profiles: dict[int, UserProfile] | None = field(default_factory=dict)

    async def fetch(self, user_id: int) -> UserProfile | None:
        if self.profiles is None:
            message = "down"
            raise ProfileUnavailableError(message)
        return self.profiles.get(user_id)


class Door:
    """The HTTP app, asked without a socket; with `states` it also has the routes under /_pact."""

    def __init__(self, given: GivenProfiles, *, states: bool) -> None:
        self.given = given
        self.memory = ShownMemory()
        stated = StatedProfiles(given)
        self.ranking = Ranking(stated, self.memory)
        self._app = build_app(self.ranking, ProviderStates(stated, self.memory) if states else None)

    def request(
        self, method: str, path: str, body: object = None, *, content: bytes | AsyncIterator[bytes] | None = None
    ) -> httpx.Response:
        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://ranker") as client:
                if content is not None:
                    return await client.request(method, path, content=content)
                return await client.request(method, path, json=body)

        return asyncio.run(exchange())

    def post(
        self, path: str, body: object = None, *, content: bytes | AsyncIterator[bytes] | None = None
    ) -> httpx.Response:
        return self.request("POST", path, body, content=content)


@pytest.fixture
def door() -> Door:
    return Door(GivenProfiles(), states=False)


@pytest.fixture
def stated_door() -> Door:
    return Door(GivenProfiles(), states=True)
