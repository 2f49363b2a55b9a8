"""The SDK for service stubs: a participant registers its decoders and encoders."""

from __future__ import annotations

import argparse
from collections.abc import Callable, MutableSequence, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from counterfoil.stub.answers import Answerer
from counterfoil.stub.codecs import PROTOCOL_VERSION, Codec, Decode, Encode, UnsupportedError
from counterfoil.stub.streams import add_options, serve_process
from counterfoil.stub.v1.stub_pb2 import JSON, PROTOBUF, Request, StubDescription, WireFormat
from counterfoil.stub.values import observe_value

T = TypeVar("T")
Reader: TypeAlias = Callable[[bytes], Any]
"""Decodes a payload; raises whatever it likes when it refuses it."""
Writer: TypeAlias = Callable[[Any], bytes]
"""Encodes what a reader of the same message and lane returned."""

_PAYLOADS: Final = {JSON: ("json_payload", "raw_json_payload"), PROTOBUF: ("protobuf_payload",)}


class Stub:
    """A stub around a participant's own code.

    `runtime` and `version` say what that code reads messages with, for example "pydantic" and "2.14.3". Messages are
    named by the full protobuf name of what the payload corresponds to. A message that is only read has no `encode`,
    one that is only written no `decode`. Where the code reads a message in more than one way, each is a lane: the first
    that is registered is the default; without a name it is called like the runtime.
    """

    def __init__(self, *, runtime: str, version: str, language: str = "python") -> None:
        self._lane = runtime
        self._codecs = _RegisteredCodecs(language, runtime, version)

    def json(
        self, message_name: str, decode: Reader | None = None, encode: Writer | None = None, *, lane: str = ""
    ) -> None:
        """Register how a message is read from JSON and written as JSON: bytes, as they come from and go to a socket."""
        self._codecs.register(JSON, message_name, decode, encode, lane or self._lane)

    def protobuf(
        self, message_name: str, decode: Reader | None = None, encode: Writer | None = None, *, lane: str = ""
    ) -> None:
        """Register how a message is read from protobuf's binary format and written in it."""
        self._codecs.register(PROTOBUF, message_name, decode, encode, lane or self._lane)

    def run(self, arguments: Sequence[str] | None = None) -> None:
        """Answer requests on stdin until it ends; leave through SystemExit when it ends badly.

        From here on, stdout belongs to the answers: what is printed goes to stderr. So does what was printed before,
        while modules were imported, if Python still held it back: it does, unless PYTHONUNBUFFERED is set. `arguments`
        are the program's own unless given.
        """
        parser = argparse.ArgumentParser(description="A stub: it reads requests on stdin and answers on stdout.")
        add_options(parser)
        options = parser.parse_args(arguments)
        exit_code = serve_process(Answerer(self._codecs).answer, options.max_frame_bytes)
        if exit_code:
            raise SystemExit(exit_code)


class _RegisteredCodecs:
    """The codecs of a service stub."""

    def __init__(self, language: str, runtime: str, version: str) -> None:
        self._description = StubDescription(
            protocol_version=PROTOCOL_VERSION,
            language=language,
            runtime=runtime,
            runtime_version=version,
            observes=True,
        )
        self._decoders: dict[tuple[str, str], dict[str, Decode]] = {}
        self._encoders: dict[tuple[str, str], dict[int, Encode]] = {}

    def register(
        self, wire_format: WireFormat, message_name: str, decode: Reader | None, encode: Writer | None, lane: str
    ) -> None:
        decoders = self._decoders.setdefault((lane, message_name), {})
        encoders = self._encoders.setdefault((lane, message_name), {})
        payloads = _PAYLOADS[wire_format]
        if wire_format in encoders or payloads[0] in decoders:
            raise ValueError(f"{message_name} is registered twice for {WireFormat.Name(wire_format)} in lane {lane!r}")
        if decode:
            decoders.update(dict.fromkeys(payloads, _decoder(decode)))
        if encode:
            encoders[wire_format] = _encoder(encode)
        _add(self._description.lanes, lane)
        _add(self._description.message_types, message_name)
        _add(self._description.formats, wire_format)

    def describe(self) -> StubDescription:
        return self._description

    def load_schema(self, schema_id: str, file_descriptor_set: bytes) -> int:  # noqa: ARG002 - of every stub's signature
        raise UnsupportedError("this stub brings its own messages and loads no schema")

    def find(self, lane: str, schema_id: str, message_type: str) -> Codec:
        if schema_id:
            raise UnsupportedError(f"this stub brings its own messages; it has no schema {schema_id!r}")
        lanes = self._description.lanes
        if lane and lane not in lanes:
            raise UnsupportedError(f"this stub has no lane {lane!r}; it has {', '.join(lanes) or 'none'}")
        key = (lane or next(iter(lanes), ""), message_type)
        if key not in self._decoders:
            raise UnsupportedError(f"this stub has no message {message_type!r} in lane {key[0]!r}")
        return Codec(self._decoders[key], self._encoders[key], observe_value)


def _add(known: MutableSequence[T], new: T) -> None:
    if new not in known:
        known.append(new)


def _decoder(read: Reader) -> Decode:
    def decode(payload: str | bytes, _request: Request) -> object:
        return read(payload.encode() if isinstance(payload, str) else payload)

    return decode


def _encoder(write: Writer) -> Encode:
    def encode(value: object, _request: Request) -> bytes:
        content = write(value)
        if not isinstance(content, bytes):
            raise TypeError(f"the encoder returned {type(content).__name__} instead of bytes")
        return content

    return encode
