"""The gRPC door, over a real connection, and that it answers as the HTTP door does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc
import grpc.aio
import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from ranker.grpc_door import build_grpc_server, from_generated
from ranker.messages import Availability, UserProfile
from shop.v1 import ranking_pb2, ranking_pb2_grpc

if TYPE_CHECKING:
    from conftest import Door

REQUEST: dict[str, object] = {
    "userId": "9007199254740995",
    "candidates": [
        {
            "productId": "9007199254740993",
            "category": "books",
            "price": {"currencyCode": "EUR", "units": "12", "nanos": 500000000},
            "discount": 0.0,
            "availability": "AVAILABILITY_IN_STOCK",
        },
        {"productId": "1", "category": "toys", "availability": "AVAILABILITY_BACKORDER"},
        {"productId": "2", "discount": 0.5},
        {"productId": "3", "availability": "AVAILABILITY_DISCONTINUED"},
    ],
}


def call(door: Door, request: dict[str, object]) -> ranking_pb2.ScoreCandidatesResponse:
    async def exchange() -> ranking_pb2.ScoreCandidatesResponse:
        server = build_grpc_server(door.ranking)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = ranking_pb2_grpc.RankingServiceStub(channel)  # type: ignore[no-untyped-call] # generated without types
                response = await stub.ScoreCandidates(
                    ParseDict(request, ranking_pb2.ScoreCandidatesRequest()), timeout=5
                )
                assert isinstance(response, ranking_pb2.ScoreCandidatesResponse)
                return response
        finally:
            await server.stop(None)

    return asyncio.run(exchange())


@pytest.mark.parametrize("profiles", [None, {}, {9007199254740995: UserProfile(id=9007199254740995)}])
def test_answers_as_the_http_door_does(door: Door, profiles: dict[int, UserProfile] | None) -> None:
    door.given.profiles = profiles
    over_http = door.post("/v1/scores", REQUEST).json()
    # What is null over HTTP is unset over gRPC.
    expected = {
        "modelVersion": over_http["modelVersion"],
        "scores": [
            {name: value for name, value in scored.items() if value is not None} for scored in over_http["scores"]
        ],
    }
    assert MessageToDict(call(door, REQUEST)) == expected


@pytest.mark.parametrize(
    ("request_fields", "where"),
    [
        ({}, "$.candidates"),
        ({"candidates": [{}]}, "$.candidates[0].product_id"),
        ({"candidates": [{"productId": "1", "discount": "NaN"}]}, "$.candidates[0].discount"),
        ({"candidates": [{"productId": "1", "price": {}}]}, "$.candidates[0].price.currency_code"),
        ({"userId": "0", "candidates": [{"productId": "1"}]}, "$.user_id"),
    ],
)
def test_refuses_what_the_http_door_refuses_by_the_fields_own_names(
    door: Door, request_fields: dict[str, object], where: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        call(door, request_fields)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (caught.value.details() or "").startswith(where)


def test_tells_the_client_nothing_about_a_bug(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object, __: object) -> None:
        message = "secret"
        raise RuntimeError(message)

    monkeypatch.setattr(type(door.memory), "times_shown", fail)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        call(door, REQUEST)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.INTERNAL, "internal error")


def test_tells_an_unset_discount_from_zero() -> None:
    unset, zero = ranking_pb2.Candidate(product_id=1), ranking_pb2.Candidate(product_id=1, discount=0)
    read = from_generated(ranking_pb2.ScoreCandidatesRequest(candidates=[unset, zero]))
    assert [candidate.discount for candidate in read.candidates] == [None, 0]


def test_takes_an_availability_of_a_newer_schema_for_unspecified() -> None:
    request = ranking_pb2.ScoreCandidatesRequest.FromString(b"\x12\x04\x08\x01\x28\x63")
    assert request.candidates[0].availability == 99
    assert from_generated(request).candidates[0].availability is Availability.UNSPECIFIED
