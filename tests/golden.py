"""Writes harness/counterfoil/golden_frames.json, the requests that `counterfoil stub doctor` replays.

python -m tests.golden
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, cast

from counterfoil.probe import golden
from counterfoil.probe.golden import FILE_NAME, FORMAT_VERSION, MESSAGE, SCHEMA_ID, GoldenMessage
from counterfoil.probe.stub_protocol import PROTOCOL_VERSION
from counterfoil.stub.messages import MessageObserver
from counterfoil.stub.v1.stub_pb2 import (
    JSON,
    JSPB,
    PROTOBUF,
    TEXT_FORMAT,
    UNSPECIFIED,
    LoadSchema,
    Request,
    WireFormat,
)
from counterfoil.system.files import replace_file
from counterfoil.system.toolchain import find
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet

TARGET = Path(golden.__file__).with_name(FILE_NAME)
SOURCE = """\
syntax = "proto3";
package counterfoil.golden.v1;

enum Colour {
  COLOUR_UNSPECIFIED = 0;
  COLOUR_RED = 1;
}

message Parcel {
  string name = 1;
  int64 count = 2;
  double weight = 3;
  bool fragile = 4;
  bytes seal = 5;
  repeated int32 sizes = 6;
  map<string, string> labels = 7;
  optional int32 priority = 8;
  Parcel inner = 9;
  Colour colour = 10;
}
"""
FULL = {
    "name": "crate",
    "count": "42",
    "weight": 1.5,
    "fragile": True,
    "seal": "AP8=",
    "sizes": [1, 2],
    "labels": {"a": "x", "b": "y"},
    "priority": 0,
    "inner": {"name": "box"},
    "colour": "COLOUR_RED",
}
RULES = {
    1: "A frame is the length of a message as a little-endian uint32, then the message; it may arrive in pieces.",
    2: "Nothing but frames goes to stdout; logs go to stderr, and few of them.",
    3: "Each request gets one answer, in the order of the requests, with the request's `sequence`.",
    4: "An answer is written out before the stub waits for more input.",
    5: "`hello` is answered with a `description`: protocol version 1, the names of language and runtime, and "
    "`loads_schemas` or the `message_types` that the stub brings.",
    6: "`load_schema` is answered with `schema_loaded`, with `runtime_error` and the reason when it cannot be used, "
    "and with `skipped` by a stub that loads none.",
    7: "A payload that the code refuses is answered with `parse_error`, a value that it cannot write with "
    "`serialize_error`.",
    8: "A payload that was decoded is encoded in `requested_output_format`; where that is 0, the answer has no result.",
    9: "What the stub does not do is answered with `skipped` and the reason: a message, lane, schema or format that it "
    "does not know, or no payload.",
    10: "An `observation` is there when `observe` is set and the payload was decoded, and only then.",
    11: "Fields of a request that the stub does not know are ignored.",
    12: "At the end of its input the stub exits with 0.",
    13: "No payload ends the stub.",
}
UNKNOWN_MESSAGE = "counterfoil.golden.v1.Unknown"
UNKNOWN_FIELD = b"\xfa\x7f\x05later"
UNKNOWN_FORMAT = cast("WireFormat", 99)
REFUSED = ("parse_error",)
SKIPPED = ("skipped",)
LAWFUL = ("parse_error", "serialize_error", "skipped")
Entry = dict[str, Any]


@cache
def image() -> bytes:
    """The golden schema, compiled."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "golden.proto").write_text(SOURCE, encoding="utf-8")
        command = [str(find("buf")), "build", folder, "--exclude-source-info", "-o", f"{folder}/golden.binpb"]
        subprocess.run(command, check=True, capture_output=True)
        files = FileDescriptorSet.FromString((Path(folder) / "golden.binpb").read_bytes())
    files.DiscardUnknownFields()
    return files.SerializeToString(deterministic=True)


def binary(data: bytes, output: WireFormat = PROTOBUF, *, observe: bool = False) -> Request:
    """A payload in binary."""
    return Request(protobuf_payload=data, requested_output_format=output, observe=observe)


def text(json_text: str, output: WireFormat = JSON, *, observe: bool = False) -> Request:
    """A payload in JSON, as text."""
    return Request(json_payload=json_text, requested_output_format=output, observe=observe)


def raw(data: bytes, output: WireFormat = JSON, *, observe: bool = False) -> Request:
    """A payload in JSON, as bytes."""
    return Request(raw_json_payload=data, requested_output_format=output, observe=observe)


def entry(name: str, rule: int, request: Request, *results: str, about: str, garbage: bytes = b"") -> Entry:
    """One entry of the file; `garbage` is what stands behind the request."""
    made: Entry = {
        "name": name,
        "about": about,
        "rule": rule,
        "request": json_format.MessageToDict(request),
        "data": base64.b64encode(request.SerializeToString(deterministic=True) + garbage).decode(),
        "results": results,
    }
    return made if request.observe else made | {"observation": "none"}


def golden_entry(name: str, rule: int, request: Request, *results: str, means: Entry | None = None) -> Entry:
    """An entry about the golden message; what is asked to be observed is known exactly where the meaning is."""
    request.schema_id = request.schema_id or SCHEMA_ID
    request.message_type = MESSAGE
    made = entry(name, rule, request, *results, about="golden")
    if means is None:
        return made
    if not request.observe:
        return made | {"means": means}
    observed = MessageObserver().observe(GoldenMessage(image()).made(means))
    return made | {"means": means, "observation": "exact", "observed": base64.b64encode(observed).decode()}


def own_entry(name: str, rule: int, request: Request, *results: str) -> Entry:
    """An entry about a message that the stub brings."""
    made = entry(f"own message, {name}", rule, request, *results, about="own")
    return made | {"observation": "some"} if request.observe else made


def of_stub(schema: bytes) -> list[Entry]:
    """What is asked of every stub."""
    good = Request(load_schema=LoadSchema(id=SCHEMA_ID, file_descriptor_set=schema))
    broken = Request(load_schema=LoadSchema(id="broken", file_descriptor_set=b"\xff"))
    unknown = [binary(b""), text("{}"), binary(b"")]
    for request in unknown:
        request.message_type = UNKNOWN_MESSAGE
    return [
        entry("a schema", 6, good, "schema_loaded", "skipped", about="stub"),
        entry("a broken schema", 6, broken, "runtime_error", "skipped", about="stub"),
        entry("unknown message, binary", 9, unknown[0], *SKIPPED, about="stub"),
        entry("unknown message, JSON", 9, unknown[1], *SKIPPED, about="stub"),
        entry("no payload", 9, Request(), *SKIPPED, about="stub"),
        entry("unknown fields in the request", 11, unknown[2], *SKIPPED, about="stub", garbage=UNKNOWN_FIELD),
    ]


def round_trips(full: bytes) -> list[Entry]:
    """Payloads that every stub with the golden schema reads and writes."""
    document = json.dumps(FULL, separators=(",", ":"))
    data = document.encode()
    told = ("raw_json_payload", "json_payload")
    return [
        golden_entry("binary to binary", 8, binary(full), "protobuf_payload", means=FULL),
        golden_entry("binary to JSON", 8, binary(full, JSON), "json_payload", means=FULL),
        golden_entry("JSON to JSON", 8, text(document), "json_payload", means=FULL),
        golden_entry("JSON to binary", 8, text(document, PROTOBUF), "protobuf_payload", means=FULL),
        golden_entry("JSON as bytes to JSON", 8, raw(data), *told, means=FULL),
        golden_entry("JSON as bytes to binary", 8, raw(data, PROTOBUF), "protobuf_payload", means=FULL),
        golden_entry("empty binary payload", 8, binary(b""), "protobuf_payload", means={}),
        golden_entry("empty JSON object", 8, text("{}"), "json_payload", means={}),
        golden_entry("no output format", 8, binary(full, UNSPECIFIED), "nothing"),
        golden_entry("observing binary", 10, binary(full, observe=True), "protobuf_payload", means=FULL),
        golden_entry("observing JSON", 10, text(document, observe=True), "json_payload", means=FULL),
        golden_entry("observing nothing set", 10, text("{}", observe=True), "json_payload", means={}),
        golden_entry("observing without output", 10, text(document, UNSPECIFIED, observe=True), "nothing", means=FULL),
    ]


def not_done(full: bytes) -> list[Entry]:
    """What a stub may leave undone, or cannot do."""
    schema, lane = binary(full), binary(full)
    schema.schema_id, lane.lane = "unknown", "unknown"
    return [
        golden_entry("text format asked", 9, binary(full, TEXT_FORMAT), "text_payload", "skipped"),
        golden_entry("JSPB asked", 9, binary(full, JSPB), *SKIPPED),
        golden_entry("unknown format asked", 9, binary(full, UNKNOWN_FORMAT), *SKIPPED),
        golden_entry("unknown schema", 9, schema, *SKIPPED),
        golden_entry("unknown lane", 9, lane, *SKIPPED),
    ]


def refusals(full: bytes) -> list[Entry]:
    """Payloads that every stub with the golden schema refuses, and one that it may."""
    payloads = {
        "truncated in a varint": binary(b"\x10\x80", observe=True),
        "truncated in a text": binary(full[: full.index(b"crate") + 2], observe=True),
        "a length past the end": binary(b"\x0a\xff\xff\xff\xff\x07", observe=True),
        "an overlong varint": binary(b"\x10" + b"\xff" * 11, observe=True),
        "field number 0": binary(b"\x00\x01", observe=True),
        "a group that never ends": binary(b"\x7b", observe=True),
        "no JSON at all": text("", observe=True),
        "JSON that ends early": text('{"name":"crate"', observe=True),
        "JSON of another kind": text("[1]", observe=True),
        "a value of another kind": text('{"count":"many"}', observe=True),
        "text behind the JSON": text("{}{}", observe=True),
    }
    not_utf8 = raw(b'{"name":"\xff"}')
    return [
        *(golden_entry(name, 7, request, *REFUSED) for name, request in payloads.items()),
        golden_entry("JSON that is not UTF-8", 7, not_utf8, "raw_json_payload", "json_payload", *LAWFUL),
    ]


def of_own_messages() -> list[Entry]:
    """What is asked about the messages that a stub brings, of which nothing is known."""
    in_binary, in_json = ("protobuf_payload", *LAWFUL), ("raw_json_payload", "json_payload", *LAWFUL)
    return [
        own_entry("empty binary", 8, binary(b""), *in_binary),
        own_entry("empty JSON object", 8, raw(b"{}"), *in_json),
        own_entry("truncated binary", 7, binary(b"\x0a\x05ab"), *in_binary),
        own_entry("truncated JSON", 7, raw(b'{"'), *in_json),
        own_entry("JSON that is not UTF-8", 7, raw(b'{"\xff":1}'), *in_json),
        own_entry("observing binary", 10, binary(b"", observe=True), *in_binary),
        own_entry("observing JSON", 10, raw(b"{}", observe=True), *in_json),
        own_entry("JSPB asked", 9, raw(b"{}", JSPB), "skipped", "parse_error"),
        own_entry("no output format", 8, raw(b"{}", UNSPECIFIED), "nothing", "parse_error", "skipped"),
    ]


def document() -> str:
    """The file's content."""
    schema = image()
    full = GoldenMessage(schema).made(FULL).SerializeToString(deterministic=True)
    written = {
        "format": FORMAT_VERSION,
        "protocol_version": PROTOCOL_VERSION,
        "rules": RULES,
        "schema_source": SOURCE.splitlines(),
        "schema": base64.b64encode(schema).decode(),
        "frames": [*of_stub(schema), *round_trips(full), *not_done(full), *refusals(full), *of_own_messages()],
    }
    return json.dumps(written, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    replace_file(TARGET, document().encode())
    sys.stdout.write(f"{TARGET.name} is written\n")
