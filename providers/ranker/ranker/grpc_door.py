"""The gRPC door: shop.v1.RankingService in front of the same ranking as the HTTP door's."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import grpc
import grpc.aio
from pydantic import ValidationError
from shop.v1 import catalog_pb2, ranking_pb2, ranking_pb2_grpc

from ranker.messages import Availability, ScoreCandidatesRequest
from ranker.wire import InvalidMessageError, explain

if TYPE_CHECKING:
    from ranker.messages import ScoreCandidatesResponse, ScoredCandidate
    from ranker.ranking import Ranking

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 1024 * 1024
MAX_CONCURRENT_CALLS = 256


class RankingServicer(ranking_pb2_grpc.RankingServiceServicer):
    """Translates between the generated messages and the ranking's own."""

    def __init__(self, ranking: Ranking) -> None:
        self._ranking = ranking

    async def ScoreCandidates(  # noqa: N802 - the name that the generated code calls
        self,
        request: ranking_pb2.ScoreCandidatesRequest,
        context: grpc.aio.ServicerContext[ranking_pb2.ScoreCandidatesRequest, ranking_pb2.ScoreCandidatesResponse],
    ) -> ranking_pb2.ScoreCandidatesResponse:
        """Score, or abort with INVALID_ARGUMENT."""
        try:
            return to_generated(await self._ranking.score(from_generated(request)))
        except InvalidMessageError as error:
            code, message = grpc.StatusCode.INVALID_ARGUMENT, str(error)
        except Exception:
            # Without this, grpc would send the exception's text to the client.
            logger.exception("scoring failed")
            code, message = grpc.StatusCode.INTERNAL, "internal error"
        return await context.abort(code, message)


def build_grpc_server(ranking: Ranking) -> grpc.aio.Server:
    """Build a server that is neither bound nor started."""
    server = grpc.aio.server(
        options=[
            # Otherwise a second process could take the same port and get a part of the calls.
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ],
        maximum_concurrent_rpcs=MAX_CONCURRENT_CALLS,
    )
    ranking_pb2_grpc.add_RankingServiceServicer_to_server(  # type: ignore[no-untyped-call] # generated without types
        RankingServicer(ranking), server
    )
    return server


def from_generated(request: ranking_pb2.ScoreCandidatesRequest) -> ScoreCandidatesRequest:
    """Check a decoded request by the same rules as a JSON one; raise InvalidMessageError. Pure."""
    try:
        return ScoreCandidatesRequest.model_validate(
            {
                "user_id": request.user_id.value if request.HasField("user_id") else None,
                "candidates": [_candidate(candidate) for candidate in request.candidates],
            }
        )
    except ValidationError as error:
        raise InvalidMessageError(explain(error)) from error


def _candidate(candidate: ranking_pb2.Candidate) -> dict[str, object]:
    price = candidate.price
    return {
        "product_id": candidate.product_id,
        "category": candidate.category,
        "price": {"currency_code": price.currency_code, "units": price.units, "nanos": price.nanos}
        if candidate.HasField("price")
        else None,
        "discount": candidate.discount if candidate.HasField("discount") else None,
        "availability": _availability(candidate.availability),
    }


def _availability(number: int) -> Availability:
    """Name the number; one of a newer schema tells this ranker nothing."""
    known = catalog_pb2.Availability.values()
    return Availability(catalog_pb2.Availability.Name(number)) if number in known else Availability.UNSPECIFIED


def to_generated(response: ScoreCandidatesResponse) -> ranking_pb2.ScoreCandidatesResponse:
    """Encode the answer; None leaves a field unset. Pure."""
    return ranking_pb2.ScoreCandidatesResponse(
        model_version=response.model_version,
        scores=[_scored(score) for score in response.scores],
    )


def _scored(score: ScoredCandidate) -> ranking_pb2.ScoredCandidate:
    return ranking_pb2.ScoredCandidate(
        product_id=score.product_id,
        score=score.score,
        confidence=score.confidence,
        explanation=score.explanation,
    )
