"""A stub that works and breaks one rule of the protocol: `python unruly.py HOW`. It reads one message, in binary."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from counterfoil.probe.stub_protocol import frame
from counterfoil.stub.frames import FrameSplitter
from counterfoil.stub.v1.stub_pb2 import Request, Response, StubDescription

HOW = sys.argv[1]
OWN_MESSAGE = "probe.Thing"
BINARY = 1


def proper(request: Request) -> Response:
    response = Response(sequence=request.sequence)
    kind = request.WhichOneof("payload")
    if kind == "hello":
        brought = [] if HOW == "brings nothing" else [OWN_MESSAGE]
        response.description.CopyFrom(
            StubDescription(protocol_version=1, language="python", runtime="unruly", message_types=brought)
        )
    elif request.message_type != OWN_MESSAGE or kind != "protobuf_payload" or request.requested_output_format > BINARY:
        response.skipped = "this stub does not do that"
    else:
        if request.requested_output_format:
            response.protobuf_payload = request.protobuf_payload
        if request.observe:
            response.observation.message.unknown_bytes = len(request.protobuf_payload)
    return response


def skip(_: Request, response: Response) -> None:
    response.skipped = "not today"


def repeat(_: Request, response: Response) -> None:
    response.sequence = 2
    response.protobuf_payload = b"x"


def observe_unasked(_: Request, response: Response) -> None:
    response.observation.message.unknown_bytes = 0


def observe_nonsense(_: Request, response: Response) -> None:
    if response.HasField("observation"):
        response.observation.list.items.add()


def observe_nothing(_: Request, response: Response) -> None:
    response.ClearField("observation")


def accept_unknown(request: Request, response: Response) -> None:
    if response.skipped and request.requested_output_format == BINARY:
        response.protobuf_payload = b""


def answer_in_json(_: Request, response: Response) -> None:
    if response.WhichOneof("result") == "protobuf_payload":
        response.json_payload = "{}"


def flood(_: Request, __: Response) -> None:
    sys.stderr.write("something happened\n")


BREAK: dict[str, Callable[[Request, Response], None]] = {
    "skips everything": skip,
    "always the same": repeat,
    "observes unasked": observe_unasked,
    "observes nonsense": observe_nonsense,
    "observes nothing": observe_nothing,
    "accepts unknown messages": accept_unknown,
    "answers in another format": answer_in_json,
    "floods stderr": flood,
}


def answer(content: bytes) -> bytes:
    request = Request.FromString(content)
    response = proper(request)
    if request.WhichOneof("payload") != "hello" and HOW in BREAK:
        BREAK[HOW](request, response)
    return frame(response)


def main() -> int:
    splitter = FrameSplitter()
    held: list[bytes] = []
    while chunk := os.read(0, 1 << 16):
        answers = [answer(content) for content in splitter.feed(chunk)]
        if HOW == "holds back":
            answers, held = held, answers
        if HOW == "out of order":
            answers.reverse()
        os.write(1, b"".join(answers))
    if HOW == "talks at the end":
        os.write(1, b"bye\n")
    if HOW == "stays at the end":
        time.sleep(60)
    return 7 if HOW == "fails at the end" else 0


sys.exit(main())
