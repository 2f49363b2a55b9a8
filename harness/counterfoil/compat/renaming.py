"""Which elements that are gone live on under another name, with some parts more or less. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

Parts = frozenset[object]
"""What an element is made of, such as the fields of a message, without its name."""
MAX_PAIRS = 100_000
"""Elements that are gone, times new ones, that are looked at; among more a likeness means little."""
MIN_SHARED = 2


def grown(old: Mapping[str, Parts], new: Mapping[str, Parts]) -> Mapping[str, str]:
    """By old name, the one new element that has all the parts of the old one and more, or some of them and no others.

    Half of the larger one has to be shared, and neither may be like another. (new, old) gives the same the other way
    round.
    """
    if len(old) * len(new) > MAX_PAIRS:
        return {}
    alike = {name: [other for other, theirs in new.items() if _is_alike(parts, theirs)] for name, parts in old.items()}
    wanted = Counter(other for several in alike.values() for other in several)
    return {name: several[0] for name, several in alike.items() if len(several) == 1 and wanted[several[0]] == 1}


def _is_alike(one: Parts, other: Parts) -> bool:
    shared = min(len(one), len(other))
    return shared >= MIN_SHARED and shared * 2 >= max(len(one), len(other)) and (one <= other or other <= one)
