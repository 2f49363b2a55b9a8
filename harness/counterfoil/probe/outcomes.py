"""What a stub did with a payload: a closed set. A misbehaving stub is one of these, never an exception of ours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class OutputFormat(IntEnum):
    """The format in which a decoded message is encoded again; the numbers are those of the stub protocol."""

    NONE = 0
    BINARY = 1
    JSON = 2


@dataclass(frozen=True, slots=True)
class Decoded:
    """The payload was read. `observation` is a serialized Observation, empty where none was asked for."""

    observation: bytes = b""
    output: bytes | None = None
    output_format: OutputFormat = OutputFormat.NONE


@dataclass(frozen=True, slots=True)
class Rejected:
    """The payload was refused, in the stub's own words."""

    message: str


@dataclass(frozen=True, slots=True)
class EncodeFailed:
    """The payload was read, but what came of it cannot be written in the requested format."""

    message: str
    observation: bytes = b""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The stub cannot do what was asked, and says so."""

    reason: str


@dataclass(frozen=True, slots=True)
class Crashed:
    """The stub's process ended while this payload was the next to be answered."""

    exit_code: int
    tail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TimedOut:
    """No answer came within the deadline."""

    after_s: float


@dataclass(frozen=True, slots=True)
class Garbled:
    """What came is not an answer to what was asked."""

    what: str


Outcome = Decoded | Rejected | EncodeFailed | Unsupported | Crashed | TimedOut | Garbled
