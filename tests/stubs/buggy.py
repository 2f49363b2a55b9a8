"""Python's runtime stub with one planted bug: `python buggy.py BUG`. Negative controls for the probe."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from counterfoil.stub.answers import Answerer
from counterfoil.stub.codecs import Codec, Decode, UnsupportedError
from counterfoil.stub.frames import DEFAULT_MAX_FRAME_BYTES
from counterfoil.stub.runtime import RuntimeCodecs
from counterfoil.stub.streams import serve_process
from counterfoil.stub.v1.stub_pb2 import Request
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

Bug = Callable[[Decode, Any, Request], Any]
INT64 = (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_SINT64)


def null_as_empty(decode: Decode, payload: Any, request: Request) -> Any:  # noqa: ANN401 - str or bytes
    """Turns null into ""."""
    if isinstance(payload, bytes) and payload[:1] == b"{":
        payload = payload.replace(b":null", b':""')
    return decode(payload, request)


def zero_dropped(decode: Decode, payload: Any, request: Request) -> Any:  # noqa: ANN401 - str or bytes
    """Forgets that a field was set when it was set to zero."""
    message: Message = decode(payload, request)
    for field, value in message.ListFields():
        if field.has_presence and value == 0:
            message.ClearField(field.name)
    return message


def int64_rounded(decode: Decode, payload: Any, request: Request) -> Any:  # noqa: ANN401 - str or bytes
    """Reads a large integer as a double does."""
    message: Message = decode(payload, request)
    for field, value in message.ListFields():
        if field.type in INT64 and not field.is_repeated and abs(value) > 2**53:
            setattr(message, field.name, min(int(float(value)), 2**63 - 1025))
    return message


def unknown_lost(decode: Decode, payload: Any, request: Request) -> Any:  # noqa: ANN401 - str or bytes
    """Keeps nothing of the fields that it does not know."""
    message: Message = decode(payload, request)
    message.DiscardUnknownFields()
    return message


def everything_accepted(decode: Decode, payload: Any, request: Request) -> Any:  # noqa: ANN401 - str or bytes
    """Reads what must be refused as an empty message."""
    try:
        return decode(payload, request)
    except Exception:  # noqa: BLE001 - the planted bug
        return decode(b"" if request.WhichOneof("payload") == "protobuf_payload" else "{}", request)


def always_the_same(decode: Decode, payload: Any, request: Request) -> Any:  # noqa: ANN401 - str or bytes
    """Reads everything as an empty message."""
    del payload
    return decode(b"" if request.WhichOneof("payload") == "protobuf_payload" else "{}", request)


def first_key_only(decode: Decode, payload: Any, request: Request) -> Any:  # noqa: ANN401 - str or bytes
    """Reads the keys of an object only as long as they come in alphabetical order."""
    try:
        document = json.loads(payload)
    except ValueError:
        document = None
    if not isinstance(document, dict) or list(document) == sorted(document):
        return decode(payload, request)
    return decode(json.dumps(dict([next(iter(document.items()))])), request)


def zero_dropped_then_hangs(decode: Decode, payload: Any, request: Request) -> Any:  # noqa: ANN401 - str or bytes
    """Drops zeros for a while, then writes its process id to the named pipe "asked" and answers nothing more."""
    ASKED.append(request.sequence)
    return (hangs if len(ASKED) > LONG_ENOUGH else zero_dropped)(decode, payload, request)


def hangs(*_: object) -> None:
    """Answers nothing."""
    Path("asked").write_text(str(os.getpid()), encoding="utf-8")
    signal.pause()


def ends_at_the_second_zero(decode: Decode, payload: Any, request: Request) -> Any:  # noqa: ANN401 - str or bytes
    """Reads the first explicit zero, and dies of the second."""
    message: Message = decode(payload, request)
    if any(field.has_presence and value == 0 for field, value in message.ListFields()):
        ASKED.append(request.sequence)
    if len(ASKED) > 1:
        os._exit(9)
    return message


def ends_of_four_fields(decode: Decode, payload: Any, request: Request) -> Any:  # noqa: ANN401 - str or bytes
    """Dies of any four fields together."""
    message: Message = decode(payload, request)
    if len(message.ListFields()) > 3:
        os._exit(9)
    return message


ASKED: list[int] = []
LONG_ENOUGH = 900
"""Requests: more than a batch, so that something was found."""
BUGS: dict[str, Bug] = {
    bug.__name__: bug
    for bug in (
        *(null_as_empty, zero_dropped, int64_rounded, unknown_lost, everything_accepted, first_key_only),
        always_the_same,
        *(zero_dropped_then_hangs, hangs, ends_at_the_second_zero, ends_of_four_fields),
    )
}


class BuggyCodecs(RuntimeCodecs):
    """The runtime stub's codecs, each decoder with the bug around it."""

    def __init__(self, bug: Bug) -> None:
        super().__init__()
        self._bug = bug

    def find(self, lane: str, schema_id: str, message_type: str) -> Codec:
        codec = super().find(lane, schema_id, message_type)
        return replace(codec, decoders={name: self._planted(one) for name, one in codec.decoders.items()})

    def _planted(self, decode: Decode) -> Decode:
        return lambda payload, request: self._bug(decode, payload, request)


class SilentCodecs(RuntimeCodecs):
    """Skips everything."""

    def find(self, lane: str, schema_id: str, message_type: str) -> Codec:
        raise UnsupportedError(f"planted: {lane}{schema_id}{message_type} is skipped")


if __name__ == "__main__":
    codecs = SilentCodecs() if sys.argv[1] == "silent" else BuggyCodecs(BUGS[sys.argv[1]])
    sys.exit(serve_process(Answerer(codecs).answer, DEFAULT_MAX_FRAME_BYTES))
