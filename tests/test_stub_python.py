"""Python stubs, by the frames that go in and come out, and what they see of Python's own values."""

from __future__ import annotations

import dataclasses
import enum
import math
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO

import pytest
from counterfoil.stub.frames import FrameSplitter, FrameTooLargeError
from counterfoil.stub.observation import MAX_DEPTH, TooDeepError
from counterfoil.stub.v1 import stub_pb2
from counterfoil.stub.v1.stub_pb2 import JSON, PROTOBUF, Request, Response
from counterfoil.stub.values import UnobservableError, observe_value
from counterfoil.stub.wire import varint
from hypothesis import given
from hypothesis import strategies as st

WITHIN_S = 30.0
MEBIBYTE = 1024 * 1024
IMAGE = Path(__file__).parent / "conformance" / "test_messages.binpb"
PROTO3 = "protobuf_test_messages.proto3.TestAllTypesProto3"
BACKENDS = ("upb", "python")

SERVICE_STUB = """
import json, os, sys
from counterfoil.stub import Stub

print("while it is imported")

def read(body):
    value = json.loads(body)
    print("while it decodes", flush=True)
    os.write(1, b"past every buffer")
    os.system("echo from a child; read line && echo $line")
    if value == "exit":
        sys.exit(3)
    if value == "read":
        value = sys.stdin.read()
    return value

stub = Stub(runtime="json", version="1")
stub.json("shop.v1.Any", decode=read, encode=lambda value: json.dumps(value).encode())
stub.json("shop.v1.Any", decode=lambda body: body, lane="raw")
stub.run()
"""


def framed(*messages: Request | bytes) -> bytes:
    encoded = [message if isinstance(message, bytes) else message.SerializeToString() for message in messages]
    return b"".join(struct.pack("<I", len(message)) + message for message in encoded)


def responses(answered: bytes) -> list[Response]:
    splitter = FrameSplitter()
    read = [Response.FromString(frame) for frame in splitter.feed(answered)]
    assert not splitter.inside_frame
    return read


@dataclasses.dataclass(frozen=True)
class Ended:
    exit_code: int
    responses: list[Response]
    errors: str


def environment(backend: str) -> dict[str, str]:
    """With Python's ordinary buffering: only with it can what was printed before run() be kept out of the frames."""
    return os.environ | {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": backend, "PYTHONUNBUFFERED": ""}


def program(*command: str, given: bytes, backend: str = "upb") -> Ended:
    ended = subprocess.run(
        [sys.executable, *command],
        env=environment(backend),
        input=given,
        capture_output=True,
        timeout=WITHIN_S,
        check=False,
    )
    return Ended(ended.returncode, responses(ended.stdout), ended.stderr.decode())


def runtime(*arguments: str, given: bytes, backend: str = "upb") -> Ended:
    return program("-m", "counterfoil.stub.runtime", *arguments, given=given, backend=backend)


# Frames


@given(st.lists(st.binary(max_size=300), max_size=8), st.data())
def test_frames_survive_any_way_of_cutting_the_stream(messages: list[bytes], data: st.DataObject) -> None:
    stream, splitter = framed(*messages), FrameSplitter()
    found: list[bytes] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += splitter.feed(stream[:size])
        stream = stream[size:]
    assert found == messages
    assert not splitter.inside_frame


def test_a_large_frame_in_small_chunks_is_put_together_once() -> None:
    splitter, message = FrameSplitter(), bytes(8 * MEBIBYTE)
    stream = memoryview(framed(message))
    chunks = [bytes(stream[start : start + 512]) for start in range(0, len(stream), 512)]
    found = [frame for chunk in chunks for frame in splitter.feed(chunk)]
    assert found == [message]


def test_frames_before_one_that_is_too_large_are_still_found() -> None:
    frames = FrameSplitter(max_frame_bytes=3).feed(framed(b"abc", b"abcd"))
    assert next(frames) == b"abc"
    with pytest.raises(FrameTooLargeError, match="4 bytes is larger than the limit of 3"):
        next(frames)


@given(st.integers(0, 2**64 - 1))
def test_varints_are_those_of_protobuf(number: int) -> None:
    # The first byte is the field's number.
    assert varint(number) == stub_pb2.ObservedMessage(unknown_bytes=number).SerializeToString()[1:] or number == 0


# The process


@contextmanager
def started(*arguments: str, backend: str = "upb") -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]]:
    with subprocess.Popen(
        [sys.executable, "-m", "counterfoil.stub.runtime", *arguments],
        env=environment(backend),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    ) as process:
        try:
            assert process.stdin
            assert process.stdout
            yield process, process.stdin, process.stdout
        finally:
            process.kill()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_request_split_at_every_byte_is_answered(backend: str) -> None:
    stream = framed(Request(message_type=PROTO3, json_payload="{}", requested_output_format=JSON, sequence=300))
    with started("--schema", str(IMAGE), backend=backend) as (process, stdin, stdout):
        for _ in range(2):
            for position in range(len(stream)):
                stdin.write(stream[position : position + 1])
            # No further request is under way: the answer must come nevertheless.
            (response,) = responses(stdout.read(200))
            assert (response.json_payload, response.sequence) == ("{}", 300)
        stdin.close()
        assert process.wait(WITHIN_S) == 0


def test_an_interrupt_ends_it_without_a_word() -> None:
    with started() as (process, stdin, stdout):
        stdin.write(framed(b""))
        assert stdout.read(200)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=WITHIN_S)
    assert (process.returncode, errors) == (130, b"")


def test_nobody_who_reads_the_answers_is_one_line_and_exit_1() -> None:
    with started() as (process, _, stdout):
        stdout.close()
        _, errors = process.communicate(framed(b""), timeout=WITHIN_S)
    assert (process.returncode, errors) == (1, b"stub: nobody reads the answers any more\n")


def test_ten_thousand_requests_are_answered_in_order() -> None:
    payload = b"\x08\x05"
    requests = [
        Request(message_type=PROTO3, protobuf_payload=payload, requested_output_format=PROTOBUF, sequence=number)
        for number in range(10_000)
    ]
    ended = runtime("--schema", str(IMAGE), given=framed(*requests))
    assert ended.exit_code == 0
    assert [response.sequence for response in ended.responses] == list(range(10_000))
    assert {response.protobuf_payload for response in ended.responses} == {payload}


def test_says_who_it_is_and_takes_a_frame_that_is_no_request() -> None:
    ended = runtime(given=framed(b"\xff\xff", Request(hello=stub_pb2.Hello(protocol_version=1), sequence=7)))
    garbage, hello = ended.responses
    assert garbage.runtime_error.startswith("the frame is no Request")
    assert (hello.sequence, hello.description.protocol_version) == (7, 1)
    assert (hello.description.language, list(hello.description.lanes)) == ("python", ["upb"])
    assert (ended.exit_code, ended.errors) == (0, "")


@pytest.mark.parametrize(
    ("stream", "complaint"),
    [
        (framed(b"") + b"\x05\x00\x00", "stub: the input ended in the middle of a frame\n"),
        (framed(b"") + b"\x05\x00\x00\x00abc", "stub: the input ended in the middle of a frame\n"),
        (framed(b"") + b"\xff\xff\xff\xff", "stub: a frame of 4294967295 bytes is larger than the limit of 67108864\n"),
    ],
    ids=["in the length", "in the message", "four gibibytes"],
)
def test_a_broken_stream_is_one_line_and_exit_1(stream: bytes, complaint: str) -> None:
    ended = runtime(given=stream)
    assert (ended.exit_code, ended.errors) == (1, complaint)
    assert [response.WhichOneof("result") for response in ended.responses] == ["skipped"]


def test_the_limit_of_a_frame_can_be_set() -> None:
    ended = runtime("--max-frame-bytes", "10", given=framed(bytes(11)))
    assert (ended.exit_code, ended.errors) == (1, "stub: a frame of 11 bytes is larger than the limit of 10\n")


@pytest.mark.parametrize("content", [None, b"\xff", b"\x0a\x01"], ids=["missing", "garbage", "cut off"])
def test_an_unusable_schema_is_one_line_and_exit_2(tmp_path: Path, content: bytes | None) -> None:
    image = tmp_path / "image.binpb"
    if content:
        image.write_bytes(content)
    ended = runtime("--schema", str(image), given=b"")
    assert (ended.exit_code, ended.errors.count("\n")) == (2, 1)
    assert ended.errors.startswith("stub: ")


# The SDK


@pytest.fixture
def service_stub(tmp_path: Path) -> str:
    path = tmp_path / "service_stub.py"
    path.write_text(SERVICE_STUB, encoding="utf-8")
    return str(path)


def any_request(payload: str | bytes, **options: object) -> Request:
    request = Request(message_type="shop.v1.Any", requested_output_format=JSON)
    if isinstance(payload, bytes):
        request.raw_json_payload = payload
    else:
        request.json_payload = payload
    for name, value in options.items():
        setattr(request, name, value)
    return request


def test_what_the_code_under_test_prints_and_reads_stays_apart_from_the_frames(service_stub: str) -> None:
    ended = program(service_stub, given=framed(any_request('"read"'), any_request('"x"')))
    assert [response.json_payload for response in ended.responses] == ['""', '"x"']
    for line in ("while it is imported", "while it decodes", "past every buffer", "from a child"):
        assert line in ended.errors


def test_refusals_and_ends_of_the_code_under_test_are_answers(service_stub: str) -> None:
    ended = program(
        service_stub,
        given=framed(
            any_request("{"),
            any_request('"exit"'),
            any_request(b'"\xff"'),
            any_request(b"1"),
            any_request("1", lane="raw", observe=True),
            any_request("1", lane="other"),
            any_request("1", schema_id="other"),
            any_request("1", message_type="shop.v1.Other"),
            Request(load_schema=stub_pb2.LoadSchema(id="s")),
            Request(hello=stub_pb2.Hello()),
        ),
    )
    assert ended.exit_code == 0
    kinds = [response.WhichOneof("result") for response in ended.responses]
    assert kinds[:4] == ["parse_error", "runtime_error", "parse_error", "raw_json_payload"]
    assert kinds[4:] == ["skipped"] * 5 + ["description"]
    _, exited, _, _, raw, lane, *_, hello = ended.responses
    assert exited.runtime_error == "SystemExit: 3"
    assert raw.skipped == "this stub does not write shop.v1.Any as JSON"
    assert raw.observation.binary == b"1"
    assert lane.skipped == "this stub has no lane 'other'; it has json, raw"
    assert list(hello.description.lanes) == ["json", "raw"]
    assert list(hello.description.formats) == [JSON]


# Observations of Python's values


class Colour(enum.Enum):
    RED = 1
    WORD = "word"


@dataclasses.dataclass
class Point:
    x: object
    late: int = dataclasses.field(init=False)


def observed(value: object) -> stub_pb2.Observation:
    return stub_pb2.Observation.FromString(observe_value(value))


def bits(value: float) -> int:
    return int.from_bytes(struct.pack("<d", value), "little")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, {"null": True}),
        (True, {"boolean": True}),
        (False, {"boolean": False}),
        (-(10**40), {"integer": str(-(10**40))}),
        (0, {"integer": "0"}),
        (-0.0, {"float_bits": bits(-0.0)}),
        (-math.nan, {"float_bits": 0x7FF8_0000_0000_0000}),
        ("\ud800\x00ä", {"text": b"\xed\xa0\x80\x00\xc3\xa4"}),
        (bytearray(b"\x00"), {"binary": b"\x00"}),
        (Decimal("1.50"), {"text": b"1.50"}),
        (datetime(2024, 3, 1, 9, 30, tzinfo=UTC), {"text": b"2024-03-01T09:30:00+00:00"}),
        (Colour.RED, {"enum_value": stub_pb2.ObservedEnum(number=1, name="RED")}),
        (Colour.WORD, {"text": b"word"}),
    ],
    ids=repr,
)
def test_observes_scalars(value: object, expected: dict[str, object]) -> None:
    assert observed(value) == stub_pb2.Observation(**expected)  # type: ignore[arg-type]


def test_observes_declared_fields_by_their_names() -> None:
    seen = observed(Point(x=[1, None])).message
    assert [field.name for field in seen.fields] == ["x", "late"]
    assert [item.WhichOneof("seen") for item in seen.fields[0].value.list.items] == ["integer", "null"]
    assert seen.fields[1].value.absent


def test_observes_maps_in_the_order_of_their_keys() -> None:
    keys = [entry.key.text for entry in observed({"b": 1, "a": {}, "": 2}).map.entries]
    assert keys == [b"", b"a", b"b"]
    assert len(observed({1: 1, "a": 2}).map.entries) == 2


def test_an_observation_is_as_deep_as_its_limit_and_no_deeper() -> None:
    value: object = 1
    for _ in range(MAX_DEPTH):
        value = Point(value)
    assert observe_value(value)
    with pytest.raises(TooDeepError, match="more than 200 levels"):
        observe_value([value])


def test_what_cannot_be_observed_is_named() -> None:
    with pytest.raises(UnobservableError, match=r"a builtins\.object cannot be observed"):
        observe_value(object())
