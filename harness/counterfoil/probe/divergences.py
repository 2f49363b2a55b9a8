"""Divergences: what programs disagree on, with a signature by which one is recognised wherever it shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations

from counterfoil.probe.differences import Groups
from counterfoil.probe.payloads import PLUS, Encoding, Payload, Phase


class DivergenceClass(StrEnum):
    """How programs disagree."""

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
    CRASH = "crash"
    TIMEOUT = "timeout"
    GARBLED = "garbled"
    """What came from the stub is not an answer."""


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
        """Stable across field names, values and messages; one finding for each."""
        kinds, states = (PLUS.join(words) for words in zip(*self.parts, strict=True))
        return " | ".join((self.kind, self.encoding, kinds, states, show_groups(self.groups)))


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


def show_groups(groups: Groups) -> str:
    """For example `node / python, rust`."""
    return " / ".join(", ".join(group) for group in groups)


def distinct(found: Iterable[Divergence]) -> tuple[Divergence, ...]:
    """The first of each signature."""
    by_signature: dict[str, Divergence] = {}
    for one in found:
        by_signature.setdefault(one.signature, one)
    return tuple(by_signature.values())


class KnownDivergences:
    """What was found so far, so that the search goes on with what is new.

    A payload that probes several fields tells nothing new where its fields alone already set the same stubs apart: if
    one of two fields is refused by node and the other by rust, then both refuse the pair, and that is no third finding.
    """

    def __init__(self, found: Iterable[Divergence] = ()) -> None:
        self._signatures: set[str] = set()
        self._apart: dict[tuple[str, ...], set[frozenset[str]]] = {}
        for one in found:
            self.add(one)

    def add(self, found: Divergence) -> None:
        """Remember a divergence."""
        self._signatures.add(found.signature)
        if len(found.parts) == 1:
            self._apart.setdefault(_key(found, *found.parts[0]), set()).update(_apart(found.groups))

    def explain(self, found: Divergence) -> bool:
        """Whether it is nothing new."""
        if found.signature in self._signatures:
            return True
        if len(found.parts) == 1:
            return False
        known = (self._apart.get(_key(found, kind, state), set()) for kind, state in found.parts)
        return _apart(found.groups) <= set().union(*known)


def _key(found: Divergence, kind: str, state: str) -> tuple[str, ...]:
    return (found.kind, found.encoding, kind, state)


def _apart(groups: Groups) -> set[frozenset[str]]:
    """The pairs of stubs that are in different groups; of a single group, each stub by itself."""
    if len(groups) == 1:
        return {frozenset({stub}) for stub in groups[0]}
    return {frozenset({one, other}) for left, right in combinations(groups, 2) for one in left for other in right}
