"""The event RecommendationServed, as a dataclass that pydantic fills."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from ranker.wire import WIRE_CONFIG, Id, InvalidMessageError, Timestamp, drop_nulls, explain

_ShortText = Annotated[str, Field(min_length=1, max_length=200)]


class Channel(StrEnum):
    """Over which door a recommendation left the recommender."""

    UNSPECIFIED = "CHANNEL_UNSPECIFIED"
    HTTP = "CHANNEL_HTTP"
    GRPC = "CHANNEL_GRPC"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecommendationServed:
    """What a customer was shown, best first; user_id is None for a visitor who is not signed in."""

    __pydantic_config__: ClassVar[ConfigDict] = WIRE_CONFIG

    event_id: _ShortText
    request_id: Annotated[str, Field(max_length=200)] = ""
    user_id: Id | None = None
    product_ids: Annotated[tuple[Id, ...], Field(strict=False, min_length=1, max_length=500)]
    served_at: Timestamp
    channel: Annotated[Channel, Field(strict=False)] = Channel.UNSPECIFIED
    locale: Annotated[str, Field(max_length=100)] | None = None
    attributes: dict[str, str] = field(default_factory=dict)


_EVENT: TypeAdapter[RecommendationServed] = TypeAdapter(Annotated[RecommendationServed, BeforeValidator(drop_nulls)])


def read_event(body: bytes) -> RecommendationServed:
    """Decode the body of POST /v1/events, or raise InvalidMessageError."""
    try:
        return _EVENT.validate_json(body)
    except ValidationError as error:
        raise InvalidMessageError(explain(error)) from error
