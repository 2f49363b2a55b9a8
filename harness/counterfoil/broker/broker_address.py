"""Where a team's Pact Broker is, if it has one: the variables that Pact's own clients read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from counterfoil.errors import UsageError

URL, TOKEN = "PACT_BROKER_BASE_URL", "PACT_BROKER_TOKEN"
USERNAME, PASSWORD = "PACT_BROKER_USERNAME", "PACT_BROKER_PASSWORD"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where a Broker is, and who asks."""

    url: str
    """Without a slash at its end."""
    token: str = field(default="", repr=False)
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may hold."""
        return tuple(filter(None, (self.token, self.password)))


def find_broker(environment: Mapping[str, str]) -> BrokerAddress | None:
    """The Broker that the environment names, if any. Raises UsageError."""
    named = environment.get(URL, "").strip()
    if not named:
        return None
    try:
        url = urlsplit(named)
        host, user = url.hostname, url.username
    except ValueError:
        url, host, user = urlsplit(""), None, None
    if url.scheme not in {"http", "https"} or not host or user is not None or url.query or url.fragment:
        raise UsageError(
            f"{URL} is not the address of a Pact Broker",
            where=URL,
            why="a user and password in it would end up in logs"
            if user is not None
            else "it must be an http(s) address",
            fix=f"set it to https://HOST[/PATH], and {USERNAME} and {PASSWORD} (or {TOKEN}) to the credentials",
        )
    token, username, password = (environment.get(name, "").strip() for name in (TOKEN, USERNAME, PASSWORD))
    return BrokerAddress(url=named.rstrip("/"), token=token, username=username, password=password)
