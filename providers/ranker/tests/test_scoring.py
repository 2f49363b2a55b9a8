"""The model: each term on its own, and what is said about it."""

import pytest
from ranker.messages import Availability, Candidate, Money, ScoreCandidatesRequest, ScoredCandidate, UserProfile
from ranker.scoring import MODEL_VERSION, score_candidates

IN_STOCK = Availability.IN_STOCK


def candidate(
    product_id: int = 1,
    *,
    category: str = "books",
    discount: float | None = None,
    availability: Availability = IN_STOCK,
    price: Money | None = None,
) -> Candidate:
    return Candidate(
        product_id=product_id, category=category, discount=discount, availability=availability, price=price
    )


def score(
    scored: Candidate, profile: UserProfile | None = None, times_shown: dict[int, int] | None = None
) -> ScoredCandidate:
    request = ScoreCandidatesRequest(candidates=(scored,))
    return score_candidates(request, profile, times_shown or {}).scores[0]


def test_keeps_the_order_and_leaves_out_the_discontinued() -> None:
    candidates = (candidate(3), candidate(1, availability=Availability.DISCONTINUED), candidate(2))
    response = score_candidates(ScoreCandidatesRequest(candidates=candidates), None, {})
    assert response.model_version == MODEL_VERSION
    assert [scored.product_id for scored in response.scores] == [3, 2]


def test_scores_a_plain_product_with_the_base_appeal_and_says_nothing() -> None:
    scored = score(candidate())
    assert scored.score == 0.5
    assert scored.confidence is None
    assert scored.explanation is None


@pytest.mark.parametrize(("affinity", "expected"), [(1.0, 0.8), (0.5, 0.65), (0.0, 0.5), (-1.0, 0.2)])
def test_affinity_raises_and_lowers(affinity: float, expected: float) -> None:
    assert score(candidate(), UserProfile(id=7, category_affinity={"books": affinity})).score == expected


@pytest.mark.parametrize(("sensitivity", "expected"), [(1.0, 0.7), (0.0, 0.5), (None, 0.6)])
def test_an_unknown_price_sensitivity_is_not_zero(sensitivity: float | None, expected: float) -> None:
    profile = UserProfile(id=7, price_sensitivity=sensitivity)
    assert score(candidate(discount=0.4), profile).score == expected


def test_a_discount_of_zero_attracts_nobody() -> None:
    assert score(candidate(discount=0.0)) == score(candidate(discount=None))


def test_a_discount_on_a_free_product_attracts_nobody() -> None:
    free, cheap = Money(currency_code="EUR"), Money(currency_code="EUR", nanos=1)
    assert score(candidate(discount=0.4, price=free)).score == 0.5
    assert score(candidate(discount=0.4, price=cheap)).score == 0.6


@pytest.mark.parametrize(
    ("availability", "expected"),
    [(IN_STOCK, 0.5), (Availability.UNSPECIFIED, 0.45), (Availability.BACKORDER, 0.35)],
)
def test_what_cannot_be_had_today_scores_less(availability: Availability, expected: float) -> None:
    assert score(candidate(availability=availability)).score == expected


def test_every_showing_lowers_the_score() -> None:
    scores = [score(candidate(), times_shown={1: times, 2: 9}).score for times in range(4)]
    assert scores == [0.5, 0.42, 0.34, 0.26]


@pytest.mark.parametrize(
    ("profile", "confidence"),
    [
        (UserProfile(id=7), 0.3),
        (UserProfile(id=7, price_sensitivity=0.0), 0.5),
        (UserProfile(id=7, last_order_id=1), 0.4),
        (UserProfile(id=7, category_affinity={"books": 0.1, "toys": 0.1}), 0.5),
        (UserProfile(id=7, category_affinity={str(n): 0.1 for n in range(9)}), 0.6),
    ],
)
def test_confidence_grows_with_what_the_profile_tells(profile: UserProfile, confidence: float) -> None:
    assert score(candidate(), profile).confidence == confidence


@pytest.mark.parametrize(
    ("affinity", "discount", "explanation"),
    [
        (0.9, None, "Because you like books"),
        (0.9, 0.2, "Because you like books"),
        (0.1, 0.2, "20 % off"),
        (-0.9, 0.25, "25 % off"),
        (0.05, 0.02, None),
        (-0.9, None, None),
    ],
)
def test_explains_the_term_that_weighs_most(affinity: float, discount: float | None, explanation: str | None) -> None:
    profile = UserProfile(id=7, category_affinity={"books": affinity})
    assert score(candidate(discount=discount), profile).explanation == explanation


def test_does_not_praise_a_discount_to_those_who_do_not_care() -> None:
    assert score(candidate(discount=0.9), UserProfile(id=7, price_sensitivity=0.0)).explanation is None
