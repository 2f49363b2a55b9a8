"""`python -m ranker.stub`: a stub around the code with which the ranker reads and writes its messages."""

from functools import partial

import pydantic
from counterfoil.stub import Stub
from shop.v1 import ranking_pb2

from ranker.events import read_event
from ranker.grpc_door import from_generated, to_generated
from ranker.messages import (
    ScoreCandidatesRequest,
    ScoreCandidatesResponse,
    read_error,
    read_profile,
    read_score_request,
)
from ranker.wire import read_message, write_message


def build_stub() -> Stub:
    """Register what the ranker reads and what it writes, with the functions that its doors and clients call."""
    stub = Stub(language="python", runtime="pydantic", version=pydantic.VERSION)
    stub.json("shop.v1.ScoreCandidatesRequest", decode=read_score_request)
    stub.protobuf("shop.v1.ScoreCandidatesRequest", decode=read_generated_request)
    # The ranker only writes its answer. It is read here by the same model, so that there is something to write.
    stub.json(
        "shop.v1.ScoreCandidatesResponse", decode=partial(read_message, ScoreCandidatesResponse), encode=write_message
    )
    stub.protobuf("shop.v1.ScoreCandidatesResponse", encode=write_generated_response)
    stub.json("shop.v1.UserProfile", decode=read_profile)
    stub.json("shop.v1.RecommendationServed", decode=read_event)
    stub.json("error", decode=read_error)
    return stub


def read_generated_request(body: bytes) -> ScoreCandidatesRequest:
    """Decode what comes in through the gRPC door, or raise DecodeError or InvalidMessageError."""
    return from_generated(ranking_pb2.ScoreCandidatesRequest.FromString(body))


def write_generated_response(response: ScoreCandidatesResponse) -> bytes:
    """Encode what goes out through the gRPC door."""
    return to_generated(response).SerializeToString()


if __name__ == "__main__":
    build_stub().run()
