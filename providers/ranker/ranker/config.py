"""The service's settings, read from environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_HIGHEST_PORT = 65535
# Port 9 is "discard": a storefront that is not there, which the ranker handles as one that is down.
_NO_STOREFRONT = "http://127.0.0.1:9"


class ConfigError(Exception):
    """A variable is missing or unreadable; the message is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Config:
    """Where the ranker listens and whom it asks."""

    host: str
    http_port: int
    grpc_port: int
    storefront_url: str
    provider_states: bool


def load_config(env: Mapping[str, str]) -> Config:
    """Read the settings; raise ConfigError for the first one that is missing or invalid."""
    return Config(
        host=env.get("HOST") or "127.0.0.1",
        http_port=_port(env, "PORT", example="PORT=4003"),
        grpc_port=_port(env, "GRPC_PORT", example="GRPC_PORT=5003"),
        storefront_url=_http_url(env, "STOREFRONT_URL", default=_NO_STOREFRONT),
        provider_states=_switch(env, "PROVIDER_STATES"),
    )


def _port(env: Mapping[str, str], name: str, *, example: str) -> int:
    text = env.get(name, "")
    if not text:
        message = f"{name} is missing; set a port, for example {example}"
        raise ConfigError(message)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= _HIGHEST_PORT):
        message = f"{name}={text!r} is not a port from 1 to {_HIGHEST_PORT}; for example {example}"
        raise ConfigError(message)
    return int(text)


def _http_url(env: Mapping[str, str], name: str, *, default: str) -> str:
    text = env.get(name) or default
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        message = f"{name}={text!r} is not an http URL; for example {name}=http://127.0.0.1:4001"
        raise ConfigError(message)
    return text.rstrip("/")


def _switch(env: Mapping[str, str], name: str) -> bool:
    text = env.get(name, "")
    if text not in {"", "0", "1"}:
        message = f"{name}={text!r} is neither 0 nor 1; for example {name}=1"
        raise ConfigError(message)
    return text == "1"
