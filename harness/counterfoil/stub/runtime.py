"""`python -m counterfoil.stub.runtime`: the runtime stub for Python's protobuf, whichever backend that is using."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import google.protobuf
from google.protobuf import json_format, text_format
from google.protobuf.internal import api_implementation
from google.protobuf.message import Message

from counterfoil.stub.answers import Answerer
from counterfoil.stub.codecs import PROTOCOL_VERSION, Codec, UnsupportedError
from counterfoil.stub.messages import MessageObserver
from counterfoil.stub.schemas import Schema, SchemaError, read_schema
from counterfoil.stub.streams import add_options, complain, serve_process
from counterfoil.stub.v1.stub_pb2 import (
    JSON,
    JSON_IGNORE_UNKNOWN_PARSING_TEST,
    PROTOBUF,
    TEXT_FORMAT,
    Request,
    StubDescription,
)

_MISUSED = 2


class RuntimeCodecs:
    """The codecs for every message of the schemas that were loaded."""

    def __init__(self, preloaded: Schema | None = None) -> None:
        self._lane = api_implementation.Type()
        self._schemas = {} if preloaded is None else {"": _LoadedSchema(preloaded)}

    def describe(self) -> StubDescription:
        return StubDescription(
            protocol_version=PROTOCOL_VERSION,
            language="python",
            runtime="protobuf",
            runtime_version=google.protobuf.__version__,
            lanes=[self._lane],
            formats=[PROTOBUF, JSON, TEXT_FORMAT],
            loads_schemas=True,
            observes=True,
        )

    def load_schema(self, schema_id: str, file_descriptor_set: bytes) -> int:
        """Keep a schema in place of one of the same id."""
        if not schema_id:
            raise SchemaError("a schema to load needs an id")
        schema = read_schema(file_descriptor_set)
        self._schemas[schema_id] = _LoadedSchema(schema)
        return schema.message_count

    def find(self, lane: str, schema_id: str, message_type: str) -> Codec:
        if lane and lane != self._lane:
            raise UnsupportedError(f"this stub has no lane {lane!r}; it has {self._lane}")
        loaded = self._schemas.get(schema_id)
        if loaded is None:
            raise UnsupportedError(f"no schema {schema_id!r} is loaded" if schema_id else "no schema was preloaded")
        return loaded.find(message_type)


class _LoadedSchema:
    """A schema with the codecs that were asked for so far."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._observer = MessageObserver()
        self._codecs: dict[str, Codec] = {}

    def find(self, message_type: str) -> Codec:
        codec = self._codecs.get(message_type)
        if codec is None:
            message_class = self._schema.message_class(message_type)
            if message_class is None:
                raise UnsupportedError(f"the schema has no message {message_type!r}")
            codec = self._codecs[message_type] = self._build(message_class)
        return codec

    def _build(self, message_class: type[Message]) -> Codec:
        pool = self._schema.pool

        def decode_protobuf(payload: bytes, _request: Request) -> Message:
            return message_class.FromString(payload)

        def decode_json(payload: str | bytes, request: Request) -> Message:
            ignores_unknown = request.test_category == JSON_IGNORE_UNKNOWN_PARSING_TEST
            return json_format.Parse(payload, message_class(), ignores_unknown, pool)

        def decode_text(payload: str, _request: Request) -> Message:
            return text_format.Parse(payload, message_class(), descriptor_pool=pool)

        def encode_protobuf(message: Message, _request: Request) -> bytes:
            return message.SerializeToString()

        def encode_json(message: Message, _request: Request) -> bytes:
            return json_format.MessageToJson(message, indent=None, descriptor_pool=pool).encode()

        def encode_text(message: Message, request: Request) -> bytes:
            return text_format.MessageToString(
                message, descriptor_pool=pool, print_unknown_fields=request.print_unknown_fields
            ).encode()

        return Codec(
            decoders={
                "protobuf_payload": decode_protobuf,
                "json_payload": decode_json,
                "raw_json_payload": decode_json,
                "text_payload": decode_text,
            },
            encoders={PROTOBUF: encode_protobuf, JSON: encode_json, TEXT_FORMAT: encode_text},
            observe=self._observer.observe,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the input ends: exit 0; 1 when it ends badly, 2 when a schema that was named cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m counterfoil.stub.runtime", description=__doc__)
    parser.add_argument(
        "--schema",
        action="extend",
        nargs="+",
        default=[],
        type=Path,
        metavar="IMAGE",
        help="a serialized FileDescriptorSet, for requests that name no schema",
    )
    add_options(parser)
    options = parser.parse_args(arguments)
    try:
        schema = read_schema(*(path.read_bytes() for path in options.schema)) if options.schema else None
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}")
        return _MISUSED
    except SchemaError as error:
        complain(str(error))
        return _MISUSED
    return serve_process(Answerer(RuntimeCodecs(schema)).answer, options.max_frame_bytes)


if __name__ == "__main__":
    sys.exit(main())
