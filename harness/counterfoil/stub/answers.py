"""Answers one request with one response, whatever the code under test does."""

from __future__ import annotations

import traceback
from typing import Final

from google.protobuf.message import DecodeError

from counterfoil.stub import wire
from counterfoil.stub.codecs import Codecs, UnsupportedError
from counterfoil.stub.schemas import SchemaError
from counterfoil.stub.v1.stub_pb2 import JSON, PROTOBUF, TEXT_FORMAT, UNSPECIFIED, Request, SchemaLoaded, WireFormat

_LONGEST_REASON: Final = 2000
# Asked of a conformance testee before all else: which tests it expects to fail. The answer is an empty list.
_EXPECTED_FAILURES: Final = "conformance.FailureSet"
_RESULTS: Final = {PROTOBUF: "protobuf_payload", JSON: "json_payload", TEXT_FORMAT: "text_payload"}
_RAW_JSON: Final = "raw_json_payload"


class Answerer:
    """Answers requests out of what a stub can do."""

    def __init__(self, codecs: Codecs) -> None:
        self._codecs = codecs

    def answer(self, frame: bytes) -> bytes:
        """Answer one Request with one framed Response. Only KeyboardInterrupt gets out."""
        try:
            request = Request.FromString(frame)
        except DecodeError as error:
            return refusal(0, "runtime_error", f"the frame is no Request: {reason(error)}")
        try:
            return self._answer(request)
        except UnsupportedError as error:
            return refusal(request.sequence, "skipped", reason(error))
        except SchemaError as error:
            return refusal(request.sequence, "runtime_error", reason(error))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - native code panics with what is no Exception; decoders call exit()
            traceback.print_exc()
            return refusal(request.sequence, "runtime_error", f"{type(error).__name__}: {reason(error)}")

    def _answer(self, request: Request) -> bytes:
        payload = request.WhichOneof("payload")
        if payload == "hello":
            return wire.response(request.sequence, "description", self._codecs.describe().SerializeToString())
        if payload == "load_schema":
            asked = request.load_schema
            count = self._codecs.load_schema(asked.id, asked.file_descriptor_set)
            return wire.response(
                request.sequence, "schema_loaded", SchemaLoaded(message_count=count).SerializeToString()
            )
        if payload is None:
            raise UnsupportedError("the request has no payload that this stub knows")
        if request.message_type == _EXPECTED_FAILURES:
            return wire.response(request.sequence, "protobuf_payload")
        return self._convert(request, payload)

    def _convert(self, request: Request, payload: str) -> bytes:
        sequence = request.sequence
        codec = self._codecs.find(request.lane, request.schema_id, request.message_type)
        decode = codec.decoders.get(payload)
        if decode is None:
            raise UnsupportedError(f"this stub does not read {request.message_type} from a {payload}")
        try:
            value = decode(getattr(request, payload), request)
        except Exception as error:  # noqa: BLE001 - whatever a decoder raises is its refusal
            return refusal(sequence, "parse_error", reason(error))
        observation = codec.observe(value) if request.observe else None
        output = request.requested_output_format
        if output == UNSPECIFIED:
            return wire.response(sequence, observation=observation)
        encode = codec.encoders.get(output)
        if encode is None:
            text = f"this stub does not write {request.message_type} as {_format_name(output)}"
            return refusal(sequence, "skipped", text, observation)
        kind = _RAW_JSON if payload == _RAW_JSON and output == JSON else _RESULTS[output]
        try:
            content = encode(value, request)
            if kind == "json_payload":
                content.decode()
        except Exception as error:  # noqa: BLE001 - whatever an encoder raises is its refusal
            return refusal(sequence, "serialize_error", reason(error), observation)
        return wire.response(sequence, kind, content, observation)


def refusal(sequence: int, kind: str, text: str, observation: bytes | None = None) -> bytes:
    return wire.response(sequence, kind, text[:_LONGEST_REASON].encode("utf-8", "backslashreplace"), observation)


def reason(error: BaseException) -> str:
    """What an exception says for itself."""
    try:
        return str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 - it is code under test that writes the text
        return type(error).__name__


def _format_name(number: int) -> str:
    return WireFormat.Name(number) if number in WireFormat.values() else f"format {number}"
