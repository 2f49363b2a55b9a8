"""The runtime stub for Python: what it sees of messages, and the schemas that it takes."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from counterfoil.stub.answers import Answerer
from counterfoil.stub.runtime import RuntimeCodecs
from counterfoil.stub.schemas import read_schema
from counterfoil.stub.v1 import stub_pb2
from counterfoil.stub.v1.stub_pb2 import (
    JSON,
    JSON_IGNORE_UNKNOWN_PARSING_TEST,
    JSPB,
    PROTOBUF,
    TEXT_FORMAT,
    Request,
    Response,
)
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from tests.test_stub_python import BACKENDS, IMAGE, PROTO3, bits, framed, responses, runtime

PROTO2 = "protobuf_test_messages.proto2.TestAllTypesProto2"


@pytest.fixture
def ask() -> Callable[[Request], Response]:
    """A runtime stub in this process, with the test messages loaded."""
    answerer = Answerer(RuntimeCodecs(read_schema(IMAGE.read_bytes())))

    def ask(request: Request) -> Response:
        (response,) = responses(answerer.answer(request.SerializeToString()))
        return response

    return ask


def field_names(response: Response) -> list[str]:
    return [field.name for field in response.observation.message.fields]


def test_lists_fields_that_are_set_not_default_or_not_empty(
    ask: Callable[[Request], Response],
) -> None:
    text = (
        '{"optionalInt32": 0, "oneofUint32": 0, "repeatedInt32": [], "optionalString": "x", '
        '"mapInt32Int32": {"3": 1, "-1": 0}}'
    )
    response = ask(Request(message_type=PROTO3, json_payload=text, observe=True))
    assert field_names(response) == ["optional_string", "map_int32_int32", "oneof_uint32"]
    entries = response.observation.message.fields[1].value.map.entries
    assert [(entry.key.integer, entry.value.integer) for entry in entries] == [("-1", "0"), ("3", "1")]
    assert response.WhichOneof("result") is None


def test_names_enum_values_and_extensions_and_widens_floats(ask: Callable[[Request], Response]) -> None:
    text = "optional_nested_enum: BAZ optional_float: 0.1 [protobuf_test_messages.proto2.extension_int32]: 5"
    response = ask(Request(message_type=PROTO2, text_payload=text, observe=True, requested_output_format=TEXT_FORMAT))
    assert field_names(response) == [
        "optional_float",
        "optional_nested_enum",
        "[protobuf_test_messages.proto2.extension_int32]",
    ]
    narrow, baz, _ = (field.value for field in response.observation.message.fields)
    assert narrow.float_bits == bits(struct.unpack("<f", struct.pack("<f", 0.1))[0])
    assert (baz.enum_value.number, baz.enum_value.name) == (2, "BAZ")
    assert "extension_int32" in response.text_payload


def test_counts_the_bytes_of_unknown_fields(ask: Callable[[Request], Response]) -> None:
    unknown = b"\xf8\xff\xff\xff\x0f\x80\x01"
    nested = b"\x92\x01" + bytes([2 + len(unknown)]) + b"\x08\x01" + unknown
    for payload, at_top, inside in ((b"\x08\x05" + unknown, len(unknown), None), (nested, 0, len(unknown))):
        response = ask(
            Request(message_type=PROTO3, protobuf_payload=payload, observe=True, requested_output_format=PROTOBUF)
        )
        assert response.protobuf_payload == payload
        message = response.observation.message
        assert message.unknown_bytes == at_top
        if inside is not None:
            assert message.fields[0].value.message.unknown_bytes == inside


def test_an_observation_may_be_nested_more_deeply_than_protobuf_encodes(ask: Callable[[Request], Response]) -> None:
    depth = 60
    payload = b""
    for _ in range(depth):  # field 27 is recursive_message
        payload = b"\xda\x01" + _varint(len(payload)) + payload
    answered = ask_raw(Request(message_type=PROTO3, protobuf_payload=payload, observe=True))
    assert answered.count(b"recursive_message") == depth
    too_deep = "[" * 150 + "]" * 150
    response = ask(Request(message_type="google.protobuf.Value", json_payload=too_deep, observe=True))
    assert response.WhichOneof("result") in {"parse_error", "runtime_error"}


def ask_raw(request: Request) -> bytes:
    return Answerer(RuntimeCodecs(read_schema(IMAGE.read_bytes()))).answer(request.SerializeToString())


def _varint(number: int) -> bytes:
    return stub_pb2.ObservedMessage(unknown_bytes=number).SerializeToString()[1:] or b"\x00"


def test_unknown_json_fields_are_refused_unless_they_are_to_be_ignored(ask: Callable[[Request], Response]) -> None:
    request = Request(message_type=PROTO3, json_payload='{"unknown": 1}', requested_output_format=JSON)
    assert 'no field named "unknown"' in ask(request).parse_error
    request.test_category = JSON_IGNORE_UNKNOWN_PARSING_TEST
    assert ask(request).json_payload == "{}"


@pytest.mark.parametrize("payload", [b'{"optionalString": "\xff"}', b"\xef\xbb\xbf{}"], ids=["not UTF-8", "with a BOM"])
def test_raw_json_takes_the_way_of_bytes_from_a_socket(ask: Callable[[Request], Response], payload: bytes) -> None:
    assert ask(Request(message_type=PROTO3, raw_json_payload=payload)).WhichOneof("result") == "parse_error"
    good = ask(Request(message_type=PROTO3, raw_json_payload=b"{}", requested_output_format=JSON))
    assert good.raw_json_payload == b"{}"


def test_a_value_that_has_no_json_is_a_serialize_error_with_its_observation(ask: Callable[[Request], Response]) -> None:
    request = Request(message_type="google.protobuf.Timestamp", protobuf_payload=b"\x10\xff\xff\xff\xff\x07")
    request.observe, request.requested_output_format = True, JSON
    response = ask(request)
    assert "nanos" in response.serialize_error.lower()
    assert field_names(response) == ["nanos"]


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (Request(message_type="a.B", json_payload="{}"), "the schema has no message 'a.B'"),
        (Request(message_type=PROTO3, lane="x", json_payload="{}"), "this stub has no lane 'x'"),
        (Request(message_type=PROTO3, schema_id="x", json_payload="{}"), "no schema 'x' is loaded"),
        (Request(message_type=PROTO3, jspb_payload="[]"), f"this stub does not read {PROTO3} from a jspb_payload"),
        (Request(message_type=PROTO3, json_payload="{}", requested_output_format=JSPB), "as JSPB"),
        (Request(message_type=PROTO3, json_payload="{}", requested_output_format=77), "as format 77"),  # type: ignore[arg-type]
        (Request(message_type=PROTO3), "no payload"),
    ],
    ids=["message", "lane", "schema", "input format", "output format", "unknown format", "payload"],
)
def test_what_it_cannot_do_is_skipped_with_the_reason(
    ask: Callable[[Request], Response], request_: Request, why: str
) -> None:
    assert why in ask(request_).skipped


def test_the_conformance_runner_hears_of_no_expected_failures(ask: Callable[[Request], Response]) -> None:
    response = ask(Request(message_type="conformance.FailureSet", protobuf_payload=b""))
    assert (response.WhichOneof("result"), response.protobuf_payload) == ("protobuf_payload", b"")


# Schemas


def a_file(name: str, *imports: str, message: str = "M", field: str = "f") -> FileDescriptorProto:
    file = FileDescriptorProto(name=name, package=name.removesuffix(".proto"), syntax="proto3", dependency=imports)
    file.message_type.add(name=message).field.add(name=field, number=1, type="TYPE_INT32", label="LABEL_OPTIONAL")
    return file


def loading(*files: FileDescriptorProto, schema_id: str = "s") -> Request:
    image = FileDescriptorSet(file=files).SerializeToString()
    return Request(load_schema=stub_pb2.LoadSchema(id=schema_id, file_descriptor_set=image))


@pytest.mark.parametrize("backend", BACKENDS)
def test_schemas_are_loaded_and_replaced(backend: str) -> None:
    use = Request(schema_id="s", message_type="a.M", protobuf_payload=b"\x08\x01", requested_output_format=JSON)
    first = loading(a_file("a.proto", "b.proto"), a_file("b.proto"))
    second = loading(a_file("a.proto", field="other"))
    ended = runtime(
        given=framed(use, first, use, second, use, loading(a_file("a.proto"), schema_id="")), backend=backend
    )
    assert ended.exit_code == 0
    before, loaded, with_first, replaced, with_second, unnamed = ended.responses
    assert before.skipped == "no schema 's' is loaded"
    assert (loaded.schema_loaded.message_count, replaced.schema_loaded.message_count) == (2, 1)
    assert (with_first.json_payload, with_second.json_payload) == ('{"f": 1}', '{"other": 1}')
    assert unnamed.runtime_error == "a schema to load needs an id"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_schema_that_cannot_be_built_is_a_runtime_error_that_says_why(backend: str) -> None:
    unresolved = a_file("a.proto")
    unresolved.message_type[0].field.add(
        name="g", number=2, type="TYPE_MESSAGE", type_name=".b.M", label="LABEL_OPTIONAL"
    )
    ended = runtime(
        given=framed(
            loading(a_file("a.proto", "gone.proto")),
            loading(a_file("a.proto", "b.proto"), a_file("b.proto", "a.proto")),
            loading(a_file("a.proto"), a_file("a.proto", field="other")),
            loading(unresolved),
            Request(load_schema=stub_pb2.LoadSchema(id="s", file_descriptor_set=b"\xff")),
            Request(hello=stub_pb2.Hello()),
        ),
        backend=backend,
    )
    *errors, hello = ended.responses
    missing, cyclic, twice, invalid, garbage = [response.runtime_error for response in errors]
    assert missing == "a.proto imports gone.proto, which is not in the schema"
    assert cyclic.startswith("these files import each other: ")
    assert twice == "there are two different files of the name a.proto"
    assert invalid.startswith("a.proto is not valid: ")
    assert garbage.startswith("not a FileDescriptorSet")
    assert list(hello.description.lanes) == [backend]


def test_both_backends_see_and_write_the_same() -> None:
    payloads = [
        b"\x08\x05\x72\x01x",
        b"\x55\x00\x00\xc0\x7f\x61\x00\x00\x00\x00\x00\x00\x00\x80",
        b"\xa8\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x82\x07\x09\x0a\x03\x08\x96\x01\x12\x02\x08\x01",
        b"\xf8\x7f\x01\x92\x01\x06\x08\x01\xf8\x7f\x80\x01",
    ]
    requests = [
        Request(message_type=name, protobuf_payload=payload, requested_output_format=output, observe=True)
        for payload in payloads
        for name in (PROTO2, PROTO3)
        for output in (PROTOBUF, JSON, TEXT_FORMAT)
    ]
    upb, python = (runtime("--schema", str(IMAGE), given=framed(*requests), backend=name) for name in BACKENDS)
    assert {response.WhichOneof("result") for response in upb.responses} >= {"protobuf_payload", "json_payload"}
    for request, one, other in zip(requests, upb.responses, python.responses, strict=True):
        assert one.WhichOneof("result") == other.WhichOneof("result"), request
        if not one.parse_error:
            assert one == other, request
