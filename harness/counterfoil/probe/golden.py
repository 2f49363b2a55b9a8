"""Golden frames: recorded requests to a stub, and what a correct stub answers to each. Pure.

They stand in golden_frames.json, which `python -m tests.golden` writes. A frame's bytes are a Request without what
differs from stub to stub; that is appended, since protobuf merges what stands behind one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.message import DecodeError, Message

from counterfoil.probe.observation import MalformedObservationError, parse_observation, render
from counterfoil.probe.stub_protocol import OUTPUTS, RawResponse
from counterfoil.stub.v1 import stub_pb2

FORMAT_VERSION = 1
FILE_NAME = "golden_frames.json"
SCHEMA_ID = "golden"
MESSAGE = "counterfoil.golden.v1.Parcel"
SHOWN_CHARS = 200
NOTHING = "nothing"
OBSERVING = 10
"""The rule about observations."""
DECODED = frozenset({NOTHING, "text_payload", *OUTPUTS})
LAWFUL = DECODED | {"parse_error", "serialize_error", "skipped"}
"""What may be answered to a payload of which nothing is known."""


class Frame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One recorded request."""

    name: str
    about: Literal["stub", "golden", "own"]
    """Whether any stub can answer it, one that loads the golden schema, or one that brings messages."""
    rule: int
    """Which of the rules it holds the stub to."""
    request: Any = None
    """The request, for people."""
    data: bytes
    results: tuple[str, ...]
    """The fields of `Response.result` that may be set; `nothing` when none may."""
    observation: Literal["none", "some", "exact"] = "some"
    """Of what was decoded: none, a well-formed one, or exactly `observed`."""
    observed: bytes = b""
    """An Observation, as a runtime stub writes it."""
    means: Any = None
    """The golden message, as ProtoJSON, that the answer encodes; None where it encodes none."""


class GoldenFrames(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    format: int
    protocol_version: int
    rules: dict[int, str]
    """The numbered sentences of docs/stubs.md."""
    schema_source: tuple[str, ...]
    schema: bytes
    frames: tuple[Frame, ...]

    def named(self, name: str) -> Frame:
        """One frame."""
        return next(frame for frame in self.frames if frame.name == name)


def read_frames(text: str) -> GoldenFrames:
    """The file's content."""
    return msgspec.json.decode(text, type=GoldenFrames)


@dataclass(frozen=True, slots=True)
class Problem:
    """In what an answer differs from what a correct stub says."""

    expected: str
    got: str
    rule: int | None = None
    """The rule that it breaks, where that is another than the frame is about."""


class GoldenMessage:
    """The golden message as Python's protobuf reads it."""

    def __init__(self, schema: bytes) -> None:
        self._pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(schema).file:
            self._pool.Add(file)
        self._class = message_factory.GetMessageClass(self._pool.FindMessageTypeByName(MESSAGE))

    def made(self, document: dict[str, Any]) -> Message:
        """The message that a ProtoJSON document means."""
        return json_format.ParseDict(document, self._class(), descriptor_pool=self._pool)

    def read(self, content: bytes | str, *, binary: bool) -> Message:
        """What an answer encodes. Raises DecodeError or json_format.ParseError."""
        if binary and isinstance(content, bytes):
            message = self._class()
            message.ParseFromString(content)
            return message
        return json_format.Parse(content, self._class(), descriptor_pool=self._pool)


def judge_answer(frame: Frame, response: Any, golden: GoldenMessage) -> Problem | None:  # noqa: ANN401  (made at run time)
    """What is wrong with an answer, if anything is."""
    result = response.WhichOneof("result") or NOTHING
    if result not in frame.results:
        return Problem(f"one of {', '.join(frame.results)}", _shown(result, response))
    problem = _judge_content(frame, result, response, golden) if frame.means is not None else None
    return problem or _judge_observation(frame, result, response.observation)


def _judge_content(frame: Frame, result: str, response: Any, golden: GoldenMessage) -> Problem | None:  # noqa: ANN401
    if result not in OUTPUTS:
        return None
    expected = golden.made(frame.means)
    content = getattr(response, result)
    try:
        said = golden.read(content, binary=result == "protobuf_payload")
    except (DecodeError, json_format.ParseError, ValueError) as error:
        return Problem(_text(expected), f"{_shown(result, response)}, which cannot be read: {error}")
    return None if said == expected else Problem(_text(expected), _text(said))


def _judge_observation(frame: Frame, result: str, seen: bytes) -> Problem | None:
    if frame.observation == "none" or result == "parse_error":
        why = "none was asked for" if frame.observation == "none" else "nothing was decoded"
        return Problem(f"no observation, since {why}", f"{len(seen)} bytes of one", OBSERVING) if seen else None
    if result not in DECODED:
        return None
    if not seen:
        return Problem("an observation of what was decoded", "none", OBSERVING)
    try:
        tree = parse_observation(seen)
    except MalformedObservationError as error:
        return Problem("a well-formed observation", f"{len(seen)} bytes: {error}", OBSERVING)
    expected = parse_observation(frame.observed) if frame.observation == "exact" else tree
    return None if tree == expected else Problem(render(expected), render(tree), OBSERVING)


def judge_description(description: Any) -> Problem | None:  # noqa: ANN401  (made at run time)
    """What is missing in a description, or contradicts itself."""
    formats = set(stub_pb2.WireFormat.values()) - {stub_pb2.UNSPECIFIED}
    wrong = [
        (description.protocol_version != 1, "protocol_version 1", f"{description.protocol_version}"),
        (not description.language, "the name of the language", "an empty language"),
        (not description.runtime, "the name of the runtime", "an empty runtime"),
        (
            not description.loads_schemas and not description.message_types,
            "loads_schemas, or message_types with the names of the messages that it brings",
            "neither, so there is nothing to ask it",
        ),
        (
            len(set(description.message_types)) < len(description.message_types)
            or not all(description.message_types)
            or any(name.startswith(".") for name in description.message_types),
            "message_types with distinct full names, without a leading dot",
            ", ".join(map(repr, description.message_types))[:SHOWN_CHARS],
        ),
        (
            len(set(description.lanes)) < len(description.lanes) or not all(description.lanes),
            "lanes with distinct names",
            ", ".join(map(repr, description.lanes))[:SHOWN_CHARS],
        ),
        (
            not set(description.formats) <= formats,
            "formats that stub.proto names",
            ", ".join(map(str, description.formats))[:SHOWN_CHARS],
        ),
    ]
    return next((Problem(expected, got) for is_wrong, expected, got in wrong if is_wrong), None)


def request(frame: Frame, sequence: int, lane: str, message: str = "") -> bytes:
    """The bytes of a frame's request as one stub gets it."""
    added = stub_pb2.Request(sequence=sequence, lane="" if frame.name == "unknown lane" else lane)
    if message:
        added.message_type = message
    return frame.data + added.SerializeToString()


def read_response(data: bytes) -> Any:  # noqa: ANN401  (made at run time)
    """A frame's content as a Response. Raises DecodeError."""
    response = RawResponse()
    response.ParseFromString(data)
    return response


def _shown(result: str, response: Any) -> str:  # noqa: ANN401  (made at run time)
    if result == NOTHING:
        return "no result"
    return f"{result} {getattr(response, result)!r}"[:SHOWN_CHARS]


def _text(message: Message) -> str:
    return str(json_format.MessageToJson(message, indent=None))[:SHOWN_CHARS]
