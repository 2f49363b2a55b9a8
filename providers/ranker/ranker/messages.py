"""The messages of the ranker's HTTP interface and the profile it reads, as pydantic models."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from ranker.wire import Id, Message, Share, Timestamp, WholeUnits, read_message

MAX_CANDIDATES = 500

Category = Annotated[str, Field(max_length=100)]
CategoryAffinity = Annotated[dict[Category, Annotated[float, Field(ge=-1, le=1)]], Field(max_length=1000)]


class Availability(StrEnum):
    """Whether a product can be bought today."""

    UNSPECIFIED = "AVAILABILITY_UNSPECIFIED"
    IN_STOCK = "AVAILABILITY_IN_STOCK"
    BACKORDER = "AVAILABILITY_BACKORDER"
    DISCONTINUED = "AVAILABILITY_DISCONTINUED"


class Tier(StrEnum):
    """How much the shop knows and likes a customer."""

    UNSPECIFIED = "TIER_UNSPECIFIED"
    STANDARD = "TIER_STANDARD"
    PREMIUM = "TIER_PREMIUM"


class Money(Message):
    """A price, hence never negative."""

    currency_code: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    units: WholeUnits = 0
    nanos: Annotated[int, Field(ge=0, le=999_999_999)] = 0


class Candidate(Message):
    """A product that might be recommended. A discount of None is no discount, which is not a discount of 0."""

    product_id: Id
    category: Category = ""
    price: Money | None = None
    discount: Share | None = None
    availability: Annotated[Availability, Field(strict=False)] = Availability.UNSPECIFIED


class ScoreCandidatesRequest(Message):
    """Whose candidates to score; user_id is None for a visitor who is not signed in."""

    user_id: Id | None = None
    candidates: Annotated[tuple[Candidate, ...], Field(strict=False, min_length=1, max_length=MAX_CANDIDATES)]


class ScoredCandidate(Message):
    """confidence is None when the ranker knows nothing of the customer; explanation, when nothing is worth saying."""

    product_id: Id
    score: float
    confidence: float | None = None
    explanation: str | None = None


class ScoreCandidatesResponse(Message):
    """The scores in the order of the candidates; discontinued ones are left out."""

    model_version: str
    scores: Annotated[tuple[ScoredCandidate, ...], Field(strict=False)]


class UserProfile(Message):
    """A customer, as the storefront knows them.

    nickname: None was never given, "" was removed. price_sensitivity: None is unknown, which is not 0.
    """

    id: Id
    display_name: str = ""
    nickname: str | None = None
    tier: Annotated[Tier, Field(strict=False)] = Tier.UNSPECIFIED
    price_sensitivity: float | None = Field(default=None, ge=0, le=1)
    category_affinity: CategoryAffinity = Field(default_factory=dict)
    member_since: Timestamp | None = None
    last_order_id: Id | None = None
    email: str | None = None
    phone: str | None = None

    @model_validator(mode="after")
    def _has_one_contact_at_most(self) -> Self:
        if self.email is not None and self.phone is not None:
            message = "email and phone exclude each other"
            raise ValueError(message)
        return self


class ErrorDetail(Message):
    """Why a request was refused: a code for programs, a message for people."""

    code: str
    message: str


class ErrorBody(Message):
    """What every service of the shop answers instead of a result."""

    error: ErrorDetail


def read_score_request(body: bytes) -> ScoreCandidatesRequest:
    """Decode the body of POST /v1/scores, or raise InvalidMessageError."""
    return read_message(ScoreCandidatesRequest, body)


def read_profile(body: bytes) -> UserProfile:
    """Decode the storefront's profile, or raise InvalidMessageError."""
    return read_message(UserProfile, body)


def read_error(body: bytes) -> ErrorDetail:
    """Decode a service's refusal, or raise InvalidMessageError."""
    return read_message(ErrorBody, body).error
