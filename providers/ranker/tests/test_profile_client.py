"""The profile client: every kind of answer, and every kind of none, from a real socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from ranker import profile_client
from ranker.profile_client import (
    ProfileRefusedError,
    ProfileUnavailableError,
    StorefrontClient,
    read_answer,
)

if TYPE_CHECKING:
    from ranker.messages import UserProfile


def test_reads_a_profile() -> None:
    profile = read_answer(200, b'{"id": "7", "priceSensitivity": 0}', user_id=7)
    assert profile is not None
    assert profile.price_sensitivity == 0


def test_reads_not_found_as_no_profile() -> None:
    assert read_answer(404, b'{"error": {"code": "NOT_FOUND", "message": "no user 7"}}', user_id=7) is None


def test_reads_a_refusal() -> None:
    with pytest.raises(ProfileRefusedError) as caught:
        read_answer(400, b'{"error": {"code": "INVALID_ARGUMENT", "message": "no id"}}', user_id=0)
    assert (caught.value.code, caught.value.message) == ("INVALID_ARGUMENT", "no id")


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, b"<html>", "cannot be read"),
        (200, b'{"id": "7", "priceSensitivity": 2}', r"\$\.priceSensitivity"),
        (200, b'{"id": "8"}', "profile 8 instead of 7"),
        (400, b"<html>", "cannot be read"),
        (404, b"<html>", "cannot be read"),
        (302, b"", "answered 302"),
        (500, b"", "answered 500"),
    ],
)
def test_counts_every_other_answer_as_unavailable(status: int, body: bytes, message: str) -> None:
    with pytest.raises(ProfileUnavailableError, match=message):
        read_answer(status, body, user_id=7)


def fetch_from(answer: bytes, *, close: bool = True) -> UserProfile | None:
    """Fetch profile 7 from a server that sends `answer`, whatever the question, and then hangs up or hangs."""

    async def fetch() -> UserProfile | None:
        done = asyncio.Event()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            if not close:
                await done.wait()
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            async with StorefrontClient(f"http://127.0.0.1:{port}") as client:
                return await client.fetch(7)
        finally:
            done.set()
            server.close()

    return asyncio.run(fetch())


def test_fetches_over_http() -> None:
    body = b'{"id": "7", "nickname": ""}'
    profile = fetch_from(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    assert profile is not None
    assert profile.nickname == ""


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b"SSH-2.0-nothing\r\n"])
def test_a_broken_connection_is_unavailable(answer: bytes) -> None:
    with pytest.raises(ProfileUnavailableError, match="cannot be reached"):
        fetch_from(answer)


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile_client, "MAX_ANSWER_BYTES", 10)
    with pytest.raises(ProfileUnavailableError, match="larger than 10 bytes"):
        fetch_from(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 1000)


def test_a_silent_storefront_is_unavailable_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile_client, "DEADLINE_S", 0.05)
    with pytest.raises(ProfileUnavailableError, match=r"within 0\.05 s"):
        fetch_from(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", close=False)


def test_nobody_listening_is_unavailable() -> None:
    async def fetch() -> UserProfile | None:
        async with StorefrontClient("http://127.0.0.1:9") as client:
            return await client.fetch(7)

    with pytest.raises(ProfileUnavailableError, match="cannot be reached"):
        asyncio.run(fetch())
