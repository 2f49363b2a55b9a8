"""The model "linear-1": a sum of a few terms for each candidate. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ranker.messages import Availability, ScoreCandidatesResponse, ScoredCandidate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ranker.messages import Candidate, ScoreCandidatesRequest, UserProfile

MODEL_VERSION = "linear-1"

BASE_APPEAL = 0.5
AFFINITY_WEIGHT = 0.3
DISCOUNT_WEIGHT = 0.5
# For a customer of whom it is not known how much a lower price attracts them; one known not to care has 0.
NEUTRAL_PRICE_SENSITIVITY = 0.5
AVAILABILITY_PENALTY = {
    Availability.IN_STOCK: 0.0,
    Availability.UNSPECIFIED: 0.05,
    Availability.BACKORDER: 0.15,
}
SHOWN_PENALTY = 0.08
WORTH_SAYING = 0.03
SCORE_DIGITS = 6

CONFIDENCE_OF_ANY_PROFILE = 0.3
CONFIDENCE_OF_PRICE_SENSITIVITY = 0.2
CONFIDENCE_OF_AN_ORDER = 0.1
CONFIDENCE_OF_EACH_AFFINITY = 0.1
MOST_AFFINITIES = 3


@dataclass(frozen=True, slots=True)
class _Appeal:
    """A term of the sum that can be explained to people."""

    weight: float
    saying: str


def score_candidates(
    request: ScoreCandidatesRequest,
    profile: UserProfile | None,
    times_shown: Mapping[int, int],
) -> ScoreCandidatesResponse:
    """Score in the order of the candidates, leaving out the discontinued ones."""
    confidence = None if profile is None else _confidence(profile)
    return ScoreCandidatesResponse(
        model_version=MODEL_VERSION,
        scores=tuple(
            _score(candidate, profile, confidence, times_shown.get(candidate.product_id, 0))
            for candidate in request.candidates
            if candidate.availability is not Availability.DISCONTINUED
        ),
    )


def _score(
    candidate: Candidate, profile: UserProfile | None, confidence: float | None, times_shown: int
) -> ScoredCandidate:
    appeals = [_affinity(candidate, profile), _discount(candidate, profile)]
    penalty = AVAILABILITY_PENALTY[candidate.availability] + SHOWN_PENALTY * times_shown
    return ScoredCandidate(
        product_id=candidate.product_id,
        score=round(BASE_APPEAL + sum(appeal.weight for appeal in appeals) - penalty, SCORE_DIGITS),
        confidence=confidence,
        explanation=_explanation(appeals),
    )


def _affinity(candidate: Candidate, profile: UserProfile | None) -> _Appeal:
    affinity = 0.0 if profile is None else profile.category_affinity.get(candidate.category, 0.0)
    return _Appeal(AFFINITY_WEIGHT * affinity, f"Because you like {candidate.category}")


def _discount(candidate: Candidate, profile: UserProfile | None) -> _Appeal:
    price = candidate.price
    free = price is not None and price.units == price.nanos == 0
    # Nothing can be taken off a price of nothing.
    discount = 0.0 if candidate.discount is None or free else candidate.discount
    known = None if profile is None else profile.price_sensitivity
    sensitivity = NEUTRAL_PRICE_SENSITIVITY if known is None else known
    return _Appeal(DISCOUNT_WEIGHT * discount * sensitivity, f"{100 * discount:.0f} % off")


def _confidence(profile: UserProfile) -> float:
    confidence = CONFIDENCE_OF_ANY_PROFILE
    confidence += CONFIDENCE_OF_EACH_AFFINITY * min(len(profile.category_affinity), MOST_AFFINITIES)
    if profile.price_sensitivity is not None:
        confidence += CONFIDENCE_OF_PRICE_SENSITIVITY
    if profile.last_order_id is not None:
        confidence += CONFIDENCE_OF_AN_ORDER
    return round(confidence, SCORE_DIGITS)


def _explanation(appeals: list[_Appeal]) -> str | None:
    """Name the term that weighs most, if it weighs enough to be worth saying."""
    strongest = max(appeals, key=lambda appeal: appeal.weight)
    return strongest.saying if strongest.weight >= WORTH_SAYING else None
