"""Divergences: what programs disagree on, with a signature by which one is recognised wherever it shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from itertools import combinations

from counterfoil.probe.differences import Groups
from counterfoil.probe.families import cause, family
from counterfoil.probe.payloads import ANYTHING, BY_PROTO_NAME, PLUS, Encoding, Payload, Phase


class DivergenceClass(StrEnum):
    """How programs disagree; in the order in which one that comes with others tells the most."""

    CRASH = "crash"
    TIMEOUT = "timeout"
    GARBLED = "garbled"
    """What came from the stub is not an answer."""
    ACCEPT_REJECT = "accept-reject"
    """Some read the payload, others refuse it."""
    VALUE = "value"
    """They read other values out of it."""
    PRESENCE = "presence"
    """Some see something where others see nothing, or another nothing: absent, null and default are confused."""
    REENCODING = "re-encoding loss"
    """What was read is lost, or cannot be written, when it is encoded again."""
    ORDER = "order dependence"
    """The order of keys or records changes what is read, where it has no meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """One disagreement. `path` is where the observations differ, "" for the whole message."""

    kind: DivergenceClass
    path: str
    groups: Groups
    detail: str
    encoding: Encoding
    parts: tuple[tuple[str, str], ...]
    """(kind, state) of the probed fields that it is about."""

    @property
    def signature(self) -> str:
        """The cause: stable across field names, values, messages and kinds of one family; one finding for each."""
        return " | ".join((self.kind, self.encoding, *cause(self.parts), show_groups(self.groups)))

    @property
    def apart(self) -> frozenset[frozenset[str]]:
        """The pairs of stubs that it sets apart; of a single group, each stub by itself."""
        return _apart(self.groups)

    @property
    def is_of_anything(self) -> bool:
        """Whether it is of one cause whatever the payload (see `of_anything`)."""
        return self.parts[0][0] == ANYTHING


def divergence(
    kind: DivergenceClass,
    payload: Payload,
    groups: Iterable[Iterable[str]],
    detail: str,
    *,
    path: str = "",
    about: str = "",
) -> Divergence:
    """A divergence of a payload. `about` is the place as a pattern, by which the probed field is found it concerns."""
    sorted_groups = tuple(sorted(tuple(sorted(group)) for group in groups if group))
    return Divergence(
        kind=kind,
        path=path,
        groups=sorted_groups,
        detail=detail,
        encoding=payload.encoding,
        parts=_parts(payload, about),
    )


def _parts(payload: Payload, pattern: str) -> tuple[tuple[str, str], ...]:
    """Of several probed fields those at the place that differs; all of them where it is none of theirs."""
    parts = payload.parts
    at_place = [(kind, state) for path, kind, state in parts if pattern and _related(path, pattern)]
    return tuple(at_place or [(kind, state) for _path, kind, state in parts])


def _related(path: str, pattern: str) -> bool:
    """Whether one path leads to the other, or is it."""
    short, long = sorted((path, pattern), key=len)
    return long.startswith(short) and (len(long) == len(short) or not short or long[len(short)] in ".[{")


def shaped(found: Divergence, payload: Payload, shape: str) -> Divergence:
    """The divergence of a random payload, which probes no field alone: the sorts of things seen stand for one."""
    if payload.phase != Phase.RANDOM:
        return found
    return replace(found, parts=((shape, payload.state),))


def of_anything(found: Divergence, state: str) -> Divergence:
    """The divergence as one cause, whatever the payload is about that shows it."""
    return replace(found, parts=((ANYTHING, state),))


def show_groups(groups: Groups) -> str:
    """For example `node / python, rust`."""
    return " / ".join(", ".join(group) for group in groups)


def distinct(found: Iterable[Divergence], *, by_place: bool = False) -> tuple[Divergence, ...]:
    """The first of each signature; or, by place, of each signature at each place."""
    firsts: dict[tuple[str, str], Divergence] = {}
    for one in found:
        firsts.setdefault((one.signature, one.path if by_place else ""), one)
    return tuple(firsts.values())


FAULTS = frozenset({DivergenceClass.CRASH, DivergenceClass.TIMEOUT, DivergenceClass.GARBLED})
"""What is wrong even where all stubs do the same."""
CONSEQUENCES = (DivergenceClass.REENCODING, DivergenceClass.ORDER)
RANKS = tuple(DivergenceClass)
"""Of several classes that a payload shows of the same stubs, the first is what a reader has to know."""


def primary(sought: Divergence, found: Iterable[Divergence]) -> Divergence | None:
    """Of the divergences of a payload that set apart whom the sought one does, the first by class."""
    alike = (one for one in found if one.apart >= sought.apart)
    return min(alike, key=lambda one: RANKS.index(one.kind), default=None)


def settled(
    given: Sequence[Divergence], by_order: Sequence[Divergence], turned: Sequence[Divergence]
) -> list[Divergence]:
    """The divergences of a payload, of which the order of its keys is the cause, or the consequence.

    `by_order` are those between the payload and the same in another order, `turned` those of that. Who stands alone in
    one of the two orders only does so because of the order; who stands alone in both is led astray by something else.
    """
    kept = list(given)
    for one in by_order:
        shows_in = [
            any(other.apart & one.apart and other.kind not in CONSEQUENCES for other in found)
            for found in (given, turned)
        ]
        if one.kind is not DivergenceClass.ORDER or not all(shows_in):
            kept = [other for other in kept if not other.apart <= one.apart or other.kind in FAULTS] + [one]
    return kept


class KnownDivergences:
    """What was found so far, so that the search goes on with what is new.

    A payload that probes several fields tells nothing new where its fields alone already set the same stubs apart: if
    one of two fields is refused by node and the other by rust, then both refuse the pair, and that is no third finding.
    A reader that misreads a field may lose what follows it too, or read it in another order: of a consequence, any
    class is the cause. What is lost when it is written again does not depend on how it was written before.
    """

    def __init__(self, found: Iterable[Divergence] = ()) -> None:
        self._signatures: set[str] = set()
        self._apart: dict[tuple[str, ...], set[frozenset[str]]] = {}
        self._of_cause: dict[tuple[str, ...], set[frozenset[frozenset[str]]]] = {}
        for one in found:
            self.add(one)

    def add(self, found: Divergence) -> None:
        """Remember a divergence."""
        self._signatures |= {found.signature, _loss(found)}
        self._of_cause.setdefault((found.kind, found.encoding, *cause(found.parts)), set()).add(found.apart)
        if len(found.parts) == 1:
            for kind in (found.kind, *CONSEQUENCES):
                self._apart.setdefault(_key(found, kind, *found.parts[0]), set()).update(found.apart)

    def explain(self, found: Divergence) -> bool:
        """Whether it is nothing new."""
        if not self._signatures.isdisjoint({found.signature, _loss(found), _by_json_name(found).signature}):
            return True
        of_cause = self._of_cause.get((found.kind, found.encoding, *cause(found.parts)), ())
        if any(found.apart <= apart for apart in of_cause):  # of fewer stubs: the others take no part here
            return True
        if len(found.parts) == 1:
            return False
        known = (self._apart.get(_key(found, found.kind, kind, state), set()) for kind, state in found.parts)
        return found.apart <= set().union(*known)


def _by_json_name(found: Divergence) -> Divergence:
    """The same with every key by its JSON name: it is news under the other name only if it is none under this."""
    return replace(found, parts=tuple((kind, state.removesuffix(BY_PROTO_NAME)) for kind, state in found.parts))


def _loss(found: Divergence) -> str:
    """What is lost at which kinds of fields, whatever their states; the signature for other classes."""
    if found.kind is not DivergenceClass.REENCODING:
        return found.signature
    kinds = PLUS.join(kind for kind, _state in found.parts)
    lost = found.detail.removeprefix(f"{found.path}: ")
    return " | ".join((found.kind, found.encoding, kinds, lost, show_groups(found.groups)))


def _key(found: Divergence, class_: DivergenceClass, kind: str, state: str) -> tuple[str, ...]:
    return (class_, found.encoding, family(kind, state), state)


@lru_cache(maxsize=1024)
def _apart(groups: Groups) -> frozenset[frozenset[str]]:
    if len(groups) == 1:
        return frozenset(frozenset({stub}) for stub in groups[0])
    return frozenset(
        frozenset({one, other}) for left, right in combinations(groups, 2) for one in left for other in right
    )
