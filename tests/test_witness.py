"""Witness files: what is written is read back, named for the finding; a mistake in one is told with its place."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from counterfoil.errors import UsageError
from counterfoil.probe.compare import compare
from counterfoil.probe.outcomes import (
    Crashed,
    Decoded,
    EncodeFailed,
    Garbled,
    Outcome,
    OutputFormat,
    Rejected,
    TimedOut,
    Unsupported,
)
from counterfoil.probe.payloads import Encoding
from counterfoil.probe.witness import (
    StubOutcome,
    Witness,
    describe,
    digest,
    file_name,
    read,
    readable,
    write,
)
from counterfoil.stub import observation as seen
from hypothesis import given
from hypothesis import strategies as st

from tests.simulated import item, payload

PROBED = payload(b'{"name":null}', path="name", kind="optional string", state="null", phase="witness")
READ = Decoded(seen.message_of([(seen.field_name("name"), seen.text(""))]), b'{"name":""}', OutputFormat.JSON)
OUTCOMES: dict[str, Outcome] = {"node": READ, "rust": Rejected("expected a string\nat line 1")}


def witness() -> Witness:
    (found,) = compare(PROBED, OUTCOMES)
    return Witness(
        message="test.Item",
        schema_digest="sha256:00ff",
        payload=PROBED,
        readable=readable(PROBED),
        divergence=found,
        outcomes=tuple(
            StubOutcome(stub=stub, runtime=f"{stub}-runtime 1.0", outcome=describe(one))
            for stub, one in OUTCOMES.items()
        ),
        verdict="rust is wrong: null is read for any field",
    )


def test_a_witness_is_written_for_readers_and_machines() -> None:
    assert json.loads(write(witness())) == {
        "format": 1,
        "message": "test.Item",
        "schema": "sha256:00ff",
        "payload": {
            "encoding": "json",
            "path": "name",
            "kind": "optional string",
            "state": "null",
            "readable": '{"name":null}',
            "base64": "eyJuYW1lIjpudWxsfQ==",
        },
        "divergence": {
            "class": "accept-reject",
            "path": "",
            "groups": [["node"], ["rust"]],
            "about": [["optional string", "null"]],
            "detail": 'node reads it as {name: ""}; rust refuses it (rust: expected a string at line 1)',
            "signature": "accept-reject | json | optional string | null | node / rust",
        },
        "outcomes": [
            {
                "stub": "node",
                "runtime": "node-runtime 1.0",
                "outcome": 'read as {name: ""}, written as {"name":""}',
            },
            {"stub": "rust", "runtime": "rust-runtime 1.0", "outcome": "refused: expected a string at line 1"},
        ],
        "replay": "counterfoil replay contracts/witnesses/test.Item/"
        "accept-reject-json-optional-string-null-54b3890946.json",
        "digest": digest("test.Item", PROBED),
        "verdict": "rust is wrong: null is read for any field",
    }


def test_what_is_written_is_read_back() -> None:
    assert read(write(witness())) == witness()
    assert write(read(write(witness()))) == write(witness())


@given(st.binary(max_size=30), st.text(max_size=20), st.sampled_from(list(Encoding)))
def test_any_payload_survives(data: bytes, text: str, encoding: Encoding) -> None:
    probed = replace(PROBED, data=data, encoding=encoding)
    found = replace(witness().divergence, encoding=encoding)
    one = replace(witness(), payload=probed, divergence=found, readable=readable(probed, item()), verdict=text)
    back = read(write(one))
    assert (back.payload, back.divergence, back.verdict) == (probed, found, text)


def test_lone_surrogates_do_not_keep_a_witness_from_being_written() -> None:
    one = replace(witness(), readable="\ud800", verdict="\udfff")
    assert read(write(one)).readable == "\\ud800"


def test_a_name_is_the_finding_s_own() -> None:
    one = witness().divergence
    assert file_name(one) == file_name(replace(one, path="elsewhere", detail="in other words"))
    assert file_name(one) != file_name(replace(one, groups=(("node", "rust"),)))
    odd = replace(one, parts=(("map<string,int32>", "edge:2^53+1 / ../.. \u00e9" * 9),))
    assert file_name(odd).startswith("accept-reject-json-integer-edge-2-53-1-")
    assert len(file_name(odd)) < 80


def changed(*keys: str, value: object) -> str:
    document: Any = json.loads(write(witness()))
    place = document
    for key in keys[:-1]:
        place = place[key]
    if value is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Input data was truncated"),
        ("[]", "Expected `object`, got `array`"),
        (changed("format", value=2), "its format is 2; this version of counterfoil reads 1"),
        (changed("format", value=None), "Object missing required field `format`"),
        (changed("payload", "base64", value=None), "Object missing required field `base64` - at `$.payload`"),
        (changed("payload", "base64", value="*"), "Only base64 data is allowed - at `$.payload.base64`"),
        (changed("payload", "encoding", value="xml"), "Invalid enum value 'xml' - at `$.payload.encoding`"),
        (changed("divergence", "class", value="odd"), "Invalid enum value 'odd' - at `$.divergence.class`"),
        (changed("divergence", "about", value=[]), "it is about no field - at `$.divergence.about`"),
        (changed("digest", value=None), "Object missing required field `digest`"),
        (changed("extra", value=1), "Object contains unknown field `extra`"),
        ("[" * 100_000, "Expected `object`, got `array`"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text, "contracts/witnesses/x.json")
    assert caught.value.what == "'contracts/witnesses/x.json' is not a witness"
    assert caught.value.where == "contracts/witnesses/x.json"
    assert caught.value.why == why
    assert "counterfoil probe" in caught.value.fix
    assert "remove" not in caught.value.fix


EDITED = changed("payload", "base64", value="e30=")


@pytest.mark.parametrize(
    "text",
    [
        EDITED,
        changed("message", value="test.Other"),
        changed("digest", value="sha256:00"),
    ],
)
def test_an_edited_witness_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="was edited") as caught:
        read(text, "w.json")
    assert caught.value.where == "w.json"


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Decoded(), "read"),
        (Decoded(b"", b"\x10\x00", OutputFormat.BINARY), "read, written as 10 00"),
        (Decoded(b"", b"", OutputFormat.BINARY), "read, written as no bytes"),
        (Decoded(b"\xff"), "read, but the observation cannot be read: ends too early"),
        (EncodeFailed("year 10000", seen.integer(1)), "read as 1, but not written again: year 10000"),
        (Unsupported("no JSON"), "not supported: no JSON"),
        (Crashed(101, ("thread main", "panicked")), "crashed with exit code 101: thread main / panicked"),
        (TimedOut(5.0), "no answer within 5 s"),
        (Garbled("sequence 9"), "no answer to what was asked: sequence 9"),
    ],
)
def test_an_outcome_is_one_readable_line(outcome: Outcome, text: str) -> None:
    assert describe(outcome) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x10\x05", "2 id: 5"),
        (b"\x10\x85\x00", "2 id: 5 (in 2 bytes)"),
        (b"\x0a\x02hi\x22\x01\xff", '1 name: "hi" 4 tags: bytes(ff)'),
        (b"\x32\x02\x10\x01", "6 child: {2 id: 1}"),
        (b"\x49" + bytes(8), "9 ratio: fixed(00 00 00 00 00 00 00 00)"),
        (b"\xf8\x07\x01\xff", "127: 1 and no record: ff"),
        (b"\xfb\x07\xf8\x07\x01\xfc\x07", "127: group{127: 1}"),
    ],
)
def test_the_wire_format_is_shown_record_by_record(data: bytes, text: str) -> None:
    assert readable(payload(data, Encoding.BINARY), item()) == text


def test_json_is_shown_as_its_text() -> None:
    assert readable(payload(b'{"a":"\xc3\xa9\x01\xff"}')) == '{"a":"\u00e9\\u0001\\xff"}'
    assert readable(payload(b"x" * 100), width=10) == "xxxxxxxxx\u2026"
