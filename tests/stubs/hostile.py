"""A stub that shakes hands and then misbehaves: `python hostile.py HOW [always] [anything]`."""

from __future__ import annotations

import os
import signal
import struct
import sys
import time

from counterfoil.stub.frames import FrameSplitter
from counterfoil.stub.v1 import stub_pb2

HOW = sys.argv[1]
UNSAID: list[bytes] = []
KILLER = b"kill"
"""A payload with these bytes is what the stub does not survive; it answers all others."""
ALWAYS = "always" in sys.argv[2:]
"""Or it survives none."""
SOME = "some" in sys.argv[2:]
"""Or about every fifth, whichever came before."""
ANYTHING = "anything" in sys.argv[2:]
"""It names no messages of its own, so it is asked about all, as a conformance testee is."""
OWN_MESSAGE = "probe.Thing"


def frame(response: stub_pb2.Response) -> bytes:
    data = response.SerializeToString()
    return struct.pack("<I", len(data)) + data


def say(data: bytes) -> None:
    if HOW == "buffers":
        UNSAID.append(data)
    else:
        os.write(1, data)


def flush() -> None:
    os.write(1, b"".join(UNSAID))
    UNSAID.clear()


def hello(request: stub_pb2.Request) -> None:
    description = stub_pb2.StubDescription(protocol_version=1, language="python", runtime="hostile", observes=True)
    if not ANYTHING:
        description.message_types.append(OWN_MESSAGE)
    say(frame(stub_pb2.Response(description=description, sequence=request.sequence)))


def proper(request: stub_pb2.Request) -> stub_pb2.Response:
    return stub_pb2.Response(protobuf_payload=request.protobuf_payload, sequence=request.sequence)


def misbehave(request: stub_pb2.Request) -> None:
    response = proper(request)
    match HOW:
        case "silent" | "slow":
            time.sleep(60)
        case "exits mid-frame":
            say(frame(response)[:-1])
            sys.exit(3)
        case "killed" | "buffers":
            os.kill(os.getpid(), signal.SIGKILL)
        case "announces 4 GiB":
            say(struct.pack("<I", 2**32 - 1))
        case "chatty":
            say(b"hello from a print statement\n")
        case "wrong sequence":
            response.sequence += 1000
            say(frame(response))
        case "wrong format":
            say(frame(stub_pb2.Response(json_payload="{}", sequence=request.sequence)))
        case "not a response":
            say(struct.pack("<I", 3) + b"\xff\xff\xff")


def is_fifth(request: stub_pb2.Request) -> bool:
    payload = getattr(request, request.WhichOneof("payload"))
    return isinstance(payload, bytes) and sum(payload) % 5 == 1


def answer(request: stub_pb2.Request) -> None:
    if request.WhichOneof("payload") == "hello":
        hello(request)
    elif request.protobuf_payload == KILLER or HOW == "silent" or ALWAYS or (SOME and is_fifth(request)):
        misbehave(request)
    else:
        say(frame(proper(request)))


def main() -> None:
    if HOW == "fails at import":
        sys.stderr.write("ModuleNotFoundError: No module named 'planted'\n")
        sys.exit(1)
    if HOW == "no handshake":
        time.sleep(60)
    splitter = FrameSplitter()
    while chunk := os.read(0, 1 << 16):
        for content in splitter.feed(chunk):
            answer(stub_pb2.Request.FromString(content))
        flush()


main()
