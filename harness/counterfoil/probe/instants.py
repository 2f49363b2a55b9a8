"""Whether two texts are one instant, each as its language writes it: `Z` or `+00:00`, zeros at the end or not. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

_INSTANT: Final = re.compile(
    rb"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", flags=re.ASCII
)
"""A time of RFC 3339, with at most nanoseconds."""
Instant = tuple[float, str]
"""Seconds since the epoch, and what there is of the next second, without zeros at its end."""


def is_same_instant(one: bytes, other: bytes) -> bool:
    """Whether both are times, and the same."""
    instant = _instant(one)
    return instant is not None and instant == _instant(other)


def _instant(text: bytes) -> Instant | None:
    found = _INSTANT.fullmatch(text)
    if not found:
        return None
    seconds, fraction, zone = (part.decode() for part in found.groups(b""))
    try:
        whole = datetime.fromisoformat(seconds.upper() + zone.upper().replace("Z", "+00:00"))
        return whole.timestamp(), fraction.rstrip("0")
    except (ValueError, OverflowError):
        return None
