"""What the ranker does, whichever door is knocked at."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ranker.events import read_event
from ranker.profile_client import ProfileError
from ranker.scoring import score_candidates

if TYPE_CHECKING:
    from ranker.memory import Remembered, ShownMemory
    from ranker.messages import ScoreCandidatesRequest, ScoreCandidatesResponse, UserProfile
    from ranker.profile_client import ProfileSource

logger = logging.getLogger(__name__)


class Ranking:
    """Scores candidates with what is known of the customer and of what they were shown."""

    def __init__(self, profiles: ProfileSource, memory: ShownMemory) -> None:
        self._profiles = profiles
        self._memory = memory

    async def score(self, request: ScoreCandidatesRequest) -> ScoreCandidatesResponse:
        """Score; a storefront that cannot be asked makes the scores less confident, not the request fail."""
        profile = None if request.user_id is None else await self._profile(request.user_id)
        return score_candidates(request, profile, self._memory.times_shown(request.user_id))

    def accept_event(self, body: bytes) -> Remembered:
        """Take in a RecommendationServed as JSON, or raise InvalidMessageError."""
        return self._memory.remember(read_event(body))

    async def _profile(self, user_id: int) -> UserProfile | None:
        try:
            return await self._profiles.fetch(user_id)
        except ProfileError as error:
            logger.warning("scoring without a profile: %s", error)
            return None
