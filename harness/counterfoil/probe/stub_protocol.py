"""The stub protocol as bytes: requests into frames, and what a stub sent into outcomes. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from counterfoil.probe.outcomes import (
    Decoded,
    EncodeFailed,
    Garbled,
    Outcome,
    OutputFormat,
    Rejected,
    Unsupported,
)
from counterfoil.probe.payloads import Encoding, Payload
from counterfoil.stub.v1 import stub_pb2

PROTOCOL_VERSION = 1
HEADER = struct.Struct("<I")
MESSAGE_SHOWN_CHARS = 2_000
OUTPUTS = {
    "protobuf_payload": OutputFormat.BINARY,
    "json_payload": OutputFormat.JSON,
    "raw_json_payload": OutputFormat.JSON,
}


@dataclass(frozen=True, slots=True)
class Question:
    """A request, framed; a frame's answer has to be in `output_format`."""

    sequence: int
    frame: bytes
    output_format: OutputFormat = OutputFormat.NONE


def _raw_response() -> type[Message]:
    """The class of Response in which an observation stays bytes: most are only ever compared, never looked into."""
    file = descriptor_pb2.FileDescriptorProto()
    stub_pb2.DESCRIPTOR.CopyToProto(file)
    file.name, package = "counterfoil/raw_stub.proto", file.package
    file.package = "counterfoil.stub.raw"
    for message in file.message_type:
        for field in message.field:
            if field.type_name:
                field.type_name = field.type_name.replace(f".{package}.", f".{file.package}.")
            if message.name == "Response" and field.name == "observation":
                field.type = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
                field.ClearField("type_name")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.Response"))


RawResponse: Any = _raw_response()


def frame(message: Message) -> bytes:
    """A message behind its length."""
    data = message.SerializeToString()
    return HEADER.pack(len(data)) + data


def hello(sequence: int) -> Question:
    """The first request of a conversation."""
    request = stub_pb2.Request(hello=stub_pb2.Hello(protocol_version=PROTOCOL_VERSION), sequence=sequence)
    return Question(sequence, frame(request))


def load_schema(sequence: int, schema_id: str, file_descriptor_set: bytes) -> Question:
    """Hand a schema to a runtime stub."""
    schema = stub_pb2.LoadSchema(id=schema_id, file_descriptor_set=file_descriptor_set)
    return Question(sequence, frame(stub_pb2.Request(load_schema=schema, sequence=sequence)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What is the same in every request of a probe."""

    message_type: str
    schema_id: str = ""
    lane: str = ""
    output_format: OutputFormat | None = None
    """None: the format of the payload."""
    observe: bool = True

    def about(self, sequence: int, payload: Payload) -> Question:
        """The request for one payload."""
        binary = payload.encoding is Encoding.BINARY
        output = self.output_format
        if output is None:
            output = OutputFormat.BINARY if binary else OutputFormat.JSON
        request = stub_pb2.Request(
            message_type=self.message_type,
            requested_output_format=output.value,  # type: ignore[arg-type]  # the numbers of WireFormat
            schema_id=self.schema_id,
            lane=self.lane,
            sequence=sequence,
            observe=self.observe,
        )
        if binary:
            request.protobuf_payload = payload.data
        else:
            request.raw_json_payload = payload.data
        return Question(sequence, frame(request), output)


def read_answer(question: Question, data: bytes, *, sequenced: bool = True) -> Outcome:
    """What a frame's content says about the question. A plain conformance testee does not repeat the sequence."""
    response = RawResponse()
    try:
        response.ParseFromString(data)
    except DecodeError:
        return Garbled(f"{len(data)} bytes that are not a response")
    if response.sequence != question.sequence and (sequenced or response.sequence):
        return Garbled(f"an answer to request {response.sequence}, where {question.sequence} was to be answered")
    result = response.WhichOneof("result")
    if result in OUTPUTS:
        if OUTPUTS[result] is not question.output_format:
            return Garbled(f"{result} as answer to a request for {question.output_format.name}")
        output = getattr(response, result)
        output = output.encode("utf-8", "surrogatepass") if isinstance(output, str) else output
        return Decoded(response.observation, output, question.output_format)
    return _without_output(question, response, result)


def _without_output(question: Question, response: Any, result: str | None) -> Outcome:  # noqa: ANN401  (made at run time)
    if result is None:
        if question.output_format is OutputFormat.NONE:
            return Decoded(response.observation)
        return Garbled(f"no result, where {question.output_format.name} was asked for")
    message = str(getattr(response, result))[:MESSAGE_SHOWN_CHARS]
    match result:
        case "parse_error":
            return Rejected(message)
        case "serialize_error":
            return EncodeFailed(message, response.observation)
        case "skipped":
            return Unsupported(message)
        case _:
            return Garbled(f"{result}: {message}")
