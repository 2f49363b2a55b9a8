"""The stub as Counterfoil drives it: frames in, frames out, through the ranker's own reading and writing code."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent.parent
# The service knows nothing of Counterfoil; only its stub does.
HARNESS = FOLDER.parent.parent / "harness"
sys.path.append(str(HARNESS))

from counterfoil.stub.v1 import stub_pb2  # noqa: E402 - found through the line above
from shop.v1 import ranking_pb2  # noqa: E402 - as above

DEADLINE_S = 30
ABOVE_2_53 = 9007199254740993
REQUEST = json.dumps({"userId": str(ABOVE_2_53), "candidates": [{"productId": 1, "discount": 0}]}).encode()
RESPONSE = b'{"modelVersion": "linear-1", "scores": [{"productId": "1", "score": 0.5}]}'


def exchange(*requests: stub_pb2.Request) -> list[stub_pb2.Response]:
    encoded = [request.SerializeToString() for request in requests]
    answered = subprocess.run(
        [sys.executable, "-m", "ranker.stub"],
        cwd=FOLDER,
        env=os.environ | {"PYTHONPATH": str(HARNESS)},
        input=b"".join(struct.pack("<I", len(request)) + request for request in encoded),
        capture_output=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert (answered.returncode, answered.stderr) == (0, b"")
    responses, rest = [], answered.stdout
    while rest:
        (size,) = struct.unpack_from("<I", rest)
        responses.append(stub_pb2.Response.FromString(rest[4 : 4 + size]))
        rest = rest[4 + size :]
    assert len(responses) == len(requests)
    return responses


def seen(observation: stub_pb2.Observation) -> object:
    """The observation as Python's own values; a message becomes a dict."""
    match observation.WhichOneof("seen"):
        case "message":
            return fields(observation)
        case "map":
            return {seen(entry.key): seen(entry.value) for entry in observation.map.entries}
        case "list":
            return [seen(item) for item in observation.list.items]
        case kind:
            return _scalar(observation, str(kind))


def _scalar(observation: stub_pb2.Observation, kind: str) -> object:
    scalars: dict[str, object] = {
        "null": None,
        "integer": int(observation.integer or 0),
        "float_bits": struct.unpack("<d", observation.float_bits.to_bytes(8, "little"))[0],
        "text": observation.text.decode(),
    }
    return scalars[kind]


def fields(observation: stub_pb2.Observation) -> dict[str, object]:
    return {field.name: seen(field.value) for field in observation.message.fields}


def test_describes_itself() -> None:
    (response,) = exchange(stub_pb2.Request(hello=stub_pb2.Hello(protocol_version=1)))
    description = response.description
    assert (description.language, description.runtime, list(description.lanes)) == ("python", "pydantic", ["pydantic"])
    assert description.observes
    assert not description.loads_schemas
    assert list(description.message_types) == [
        "shop.v1.ScoreCandidatesRequest",
        "shop.v1.ScoreCandidatesResponse",
        "shop.v1.UserProfile",
        "shop.v1.RecommendationServed",
        "error",
    ]


def test_says_the_same_of_a_request_in_json_and_in_binary() -> None:
    binary = ranking_pb2.ScoreCandidatesRequest(candidates=[ranking_pb2.Candidate(product_id=1, discount=0)])
    binary.user_id.value = ABOVE_2_53
    name = "shop.v1.ScoreCandidatesRequest"
    responses = exchange(
        stub_pb2.Request(message_type=name, raw_json_payload=REQUEST, observe=True),
        stub_pb2.Request(message_type=name, protobuf_payload=binary.SerializeToString(), observe=True),
    )
    candidate = {
        "product_id": 1,
        "category": "",
        "price": None,
        "discount": 0.0,
        "availability": "AVAILABILITY_UNSPECIFIED",
    }
    expected = {"user_id": ABOVE_2_53, "candidates": [candidate]}
    assert [seen(response.observation) for response in responses] == [expected, expected]
    assert [response.WhichOneof("result") for response in responses] == [None, None]


def test_writes_its_answer_as_its_doors_do() -> None:
    name = "shop.v1.ScoreCandidatesResponse"
    in_json, in_binary = exchange(
        stub_pb2.Request(message_type=name, json_payload=RESPONSE.decode(), requested_output_format=stub_pb2.JSON),
        stub_pb2.Request(message_type=name, raw_json_payload=RESPONSE, requested_output_format=stub_pb2.PROTOBUF),
    )
    assert json.loads(in_json.json_payload) == {
        "modelVersion": "linear-1",
        "scores": [{"productId": "1", "score": 0.5, "confidence": None, "explanation": None}],
    }
    written = ranking_pb2.ScoreCandidatesResponse.FromString(in_binary.protobuf_payload)
    assert not written.scores[0].HasField("confidence")
    assert written.scores[0].score == 0.5


def test_observes_what_it_reads_from_others() -> None:
    profile, event = exchange(
        stub_pb2.Request(
            message_type="shop.v1.UserProfile",
            raw_json_payload=b'{"id": "7", "nickname": "", "memberSince": "2024-03-01T09:30:00Z"}',
            observe=True,
        ),
        stub_pb2.Request(
            message_type="shop.v1.RecommendationServed",
            raw_json_payload=b'{"eventId": "e", "productIds": [2, "1"], "servedAt": "2024-03-01T09:30:00Z"}',
            observe=True,
        ),
    )
    nickname = ("nickname", "last_order_id", "member_since")
    assert [fields(profile.observation)[name] for name in nickname] == ["", None, "2024-03-01T09:30:00+00:00"]
    assert fields(event.observation)["product_ids"] == [2, 1]
    assert fields(event.observation)["attributes"] == {}


def test_refuses_with_the_service_s_own_words() -> None:
    name = "shop.v1.ScoreCandidatesRequest"
    empty, not_utf8, unwritable = exchange(
        stub_pb2.Request(message_type=name, json_payload="{}"),
        stub_pb2.Request(message_type=name, raw_json_payload=b'{"candidates": "\xff"}'),
        stub_pb2.Request(message_type=name, raw_json_payload=REQUEST, requested_output_format=stub_pb2.JSON),
    )
    assert empty.parse_error == "$.candidates: Field required"
    assert not_utf8.WhichOneof("result") == "parse_error"
    assert unwritable.skipped == f"this stub does not write {name} as JSON"
