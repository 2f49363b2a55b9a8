"""What customers were shown lately. All of it is bounded, so that it never outgrows the process."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ranker.events import RecommendationServed


class Remembered(Enum):
    """What became of an event."""

    COUNTED = "counted"
    REPEATED = "repeated"
    ANONYMOUS = "anonymous"


@dataclass(kw_only=True, slots=True)
class ShownMemory:
    """Lately means the last `max_shown_per_user` products; the customers longest unseen are forgotten first."""

    max_users: int = 10_000
    max_shown_per_user: int = 100
    max_event_ids: int = 50_000
    _shown: OrderedDict[int, deque[int]] = field(default_factory=OrderedDict)
    _event_ids: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def remember(self, event: RecommendationServed) -> Remembered:
        """Count an event once, however often it is delivered."""
        if event.user_id is None:
            return Remembered.ANONYMOUS
        if event.event_id in self._event_ids:
            return Remembered.REPEATED
        self._event_ids[event.event_id] = None
        if len(self._event_ids) > self.max_event_ids:
            self._event_ids.popitem(last=False)
        self.note_shown(event.user_id, event.product_ids)
        return Remembered.COUNTED

    def note_shown(self, user_id: int, product_ids: Iterable[int]) -> None:
        """Add products to what a customer was shown."""
        shown = self._shown.setdefault(user_id, deque(maxlen=self.max_shown_per_user))
        shown.extend(product_ids)
        self._shown.move_to_end(user_id)
        if len(self._shown) > self.max_users:
            self._shown.popitem(last=False)

    def times_shown(self, user_id: int | None) -> Mapping[int, int]:
        """Product id to how often that customer was lately shown it; products not shown are missing."""
        return Counter(self._shown.get(user_id, ())) if user_id is not None else {}

    def forget(self) -> None:
        """Return to knowing nothing."""
        self._shown.clear()
        self._event_ids.clear()
