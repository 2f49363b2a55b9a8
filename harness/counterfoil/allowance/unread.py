"""Which places of a body a program reads at all: those on which what it observes depends. Pure.

A program that observes the same whatever stands in a place has not shown that it reads the place, so nothing about it
is proven. There are two reasons for it: the program ignores the place, or it always puts one value there. They are
told apart by the names in what it observes: who has nothing of that name has nothing that could be misread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from counterfoil.allowance import paths
from counterfoil.allowance.edits import EXTRA, REMOVED, Edit, Removed, apply
from counterfoil.allowance.paths import Steps
from counterfoil.allowance.reading import PLAIN_VALUES, Outcomes, Trials
from counterfoil.allowance.states import MAX_PLACES, places
from counterfoil.pacts import Json, canonical
from counterfoil.probe.observation import (
    ListOf,
    MalformedObservationError,
    MapOf,
    MessageOf,
    Text,
    Tree,
    parse_observation,
)
from counterfoil.probe.outcomes import Crashed, Decoded, Rejected, TimedOut

OTHER_VALUES: Final[tuple[Json, ...]] = (*PLAIN_VALUES, 0, "", False, None)
NULL, ABSENT = "null", "absent"

Sample = tuple[str, str]
"""What stands in a place, and the document in which it does."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A place that a program reads as the very same whatever stands there; `path` has `[*]` for indices.

    `is_ignored`: nothing that the program observes has its name. `is_leaf`: no other place lies below it.
    """

    path: str
    is_ignored: bool
    is_leaf: bool


def doubts(tried: Trials, outcomes: Outcomes) -> tuple[str, ...]:
    """What else to ask, so that it is known which places are read: documents that need not be allowed."""
    samples = _allowed_samples(tried)
    missed = _missed(samples, outcomes)
    return tuple(dict.fromkeys(text for place in missed for _, text in _others(tried, place) if text not in outcomes))


def unread(tried: Trials, outcomes: Outcomes) -> tuple[Unread, ...]:
    """The places that are not read, in document order; none where the example itself is not, or nothing is told."""
    example = outcomes.get(tried.example)
    if not isinstance(example, Decoded) or not example.observation:
        return ()
    samples = _allowed_samples(tried)
    for place in _missed(samples, outcomes):
        samples[place] += _others(tried, place)
    missed = _missed(samples, outcomes)
    read = {paths.shown(place, generalised=True) for place in samples if place not in missed}
    above = {place[:depth] for place in samples for depth in range(len(place))}
    names = _names_seen(outcomes) if missed else frozenset()
    found: dict[str, Unread] = {}
    for place in missed:
        path = paths.shown(place, generalised=True)
        is_ignored = () not in missed and _name_of(place) not in names
        if path not in read:
            found.setdefault(path, Unread(path, is_ignored=is_ignored, is_leaf=place not in above))
    return tuple(found.values())


def _missed(samples: dict[Steps, list[Sample]], outcomes: Outcomes) -> tuple[Steps, ...]:
    """The places that decide nothing, as far as was asked; who reads a place reads what it lies in."""
    read = {place for place, of_place in samples.items() if _is_read(of_place, outcomes)}
    above = {place[:depth] for place in read for depth in range(len(place))}
    return tuple(place for place in samples if place not in read | above)


def _allowed_samples(tried: Trials) -> dict[Steps, list[Sample]]:
    """The example and all that is allowed with one change, for each place of the example and each that it lacks."""
    known = [*places(tried.derivation.exchange.example)][:MAX_PLACES]
    samples = {place: [(_shown(value), tried.example)] for place, value in known}
    samples |= {item.edit.place: [(ABSENT, tried.example)] for item in tried.lacking}
    for allowed, text in tried.payloads:
        for item in allowed.items if len(allowed.items) == 1 else ():
            place = item.edit.place[:-1] if item.state == EXTRA else item.edit.place
            samples[place].append((text if item.state == EXTRA else _shown(item.edit.value), text))
    return samples


def _others(tried: Trials, place: Steps) -> list[Sample]:
    """The example with any other value in a place: first what other examples have there."""
    values: list[Json | Removed] = [*tried.known.get(paths.shown(place, generalised=True), ()), *OTHER_VALUES]
    if place and not paths.is_index(place[-1]):
        values.append(REMOVED)
    example = tried.derivation.exchange.example
    return [(_shown(value), canonical(apply(example, Edit(place, value)))) for value in values]


def _shown(value: Json | Removed) -> str:
    """Of a value; numbers that are equal are the same."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return ABSENT if isinstance(value, Removed) else canonical(value)


def _is_read(samples: Sequence[Sample], outcomes: Outcomes) -> bool:
    """Whether what is observed depends on the value; or nothing but one value is taken, and others are refused."""
    seen: dict[str, bytes] = {}
    is_choosy = False
    for value, text in samples:
        match outcomes.get(text):
            case Decoded(observation):
                if seen.setdefault(value, observation) != observation:
                    return True
            case Rejected() | Crashed() | TimedOut():
                is_choosy = True
    return len(set(seen.values())) > 1 or (is_choosy and (len(seen) <= 1 or seen.keys() <= {NULL, ABSENT}))


def _name_of(place: Steps) -> str:
    """The name under which a place would be seen: its key, or that of the array in which it is."""
    return _plain(next((step for step in reversed(place) if not paths.is_index(step)), ""))


def _plain(name: str) -> str:
    """A name without what languages write differently: `unit_price`, `unitPrice` and `UnitPrice` are one."""
    return "".join(filter(str.isalnum, name)).casefold()


def _names_seen(outcomes: Outcomes) -> frozenset[str]:
    """Every name of a field or key that was ever observed."""
    names: set[str] = set()
    for observation in {one.observation for one in outcomes.values() if isinstance(one, Decoded)}:
        try:
            names.update(_names(parse_observation(observation)))
        except MalformedObservationError:
            continue
    return frozenset(map(_plain, names))


def _names(tree: Tree) -> Iterator[str]:
    inside: Iterable[Tree] = ()
    if isinstance(tree, MessageOf):
        yield from (name for name, _ in tree.fields)
        inside = (value for _, value in tree.fields)
    elif isinstance(tree, MapOf):
        yield from (key.encoded.decode("utf-8", "replace") for key, _ in tree.entries if isinstance(key, Text))
        inside = (value for _, value in tree.entries)
    elif isinstance(tree, ListOf):
        inside = tree.items
    for value in inside:
        yield from _names(value)
