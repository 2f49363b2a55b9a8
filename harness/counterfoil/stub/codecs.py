"""What answers requests: codecs, and where they are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from counterfoil.stub.v1.stub_pb2 import Request, StubDescription

PROTOCOL_VERSION: Final = 1

Decode: TypeAlias = Callable[[Any, Request], Any]
"""Takes the payload of the request, as str or bytes, and the request for its options. Raises what it refuses."""
Encode: TypeAlias = Callable[[Any, Request], bytes]


class UnsupportedError(Exception):
    """What was asked is not among what this stub does; the text says why."""


@dataclass(frozen=True, slots=True)
class Codec:
    """Reads and writes one message in one lane."""

    decoders: Mapping[str, Decode]
    """By the name of the request's payload field."""
    encoders: Mapping[int, Encode]
    """By the WireFormat. JSON and text are UTF-8."""
    observe: Callable[[Any], bytes]
    """Encodes an Observation."""


class Codecs(Protocol):
    """All that a stub can do."""

    def describe(self) -> StubDescription: ...

    def load_schema(self, schema_id: str, file_descriptor_set: bytes) -> int:
        """Keep a schema and return how many messages it has, or raise UnsupportedError or SchemaError."""

    def find(self, lane: str, schema_id: str, message_type: str) -> Codec:
        """Return the codec for a message, or raise UnsupportedError."""
