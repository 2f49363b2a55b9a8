"""Which places of a body a program reads at all: those on which what it observes depends. Pure.

A program that observes the same whatever stands in a place has not shown that it reads the place, so nothing about it
is proven. There are two reasons for it: the program ignores the place, or it always puts one value there. They are
told apart by the names in what it observes: who has nothing of that name has nothing that could be misread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from typing import Final

from counterfoil.allowance import paths
from counterfoil.allowance.edits import EXTRA, REMOVED, Edit, Removed, apply
from counterfoil.allowance.paths import Steps
from counterfoil.allowance.reading import PLAIN_VALUES, Outcomes, Trials
from counterfoil.allowance.states import MAX_PLACES, places
from counterfoil.core.pacts import Json, canonical
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


def doubts(tried: Trials, outcomes: Outcomes, read: AbstractSet[str]) -> tuple[str, ...]:
    """What to ask next, so that it is known which places are read: documents that need not be allowed, one a place.

    One at a time: a program may end on what it does not expect. `read`: the paths that are known to be.
    """
    found: dict[str, None] = {}
    for place in _missed(_samples(tried, outcomes), outcomes):
        if paths.shown(place, generalised=True) not in read:
            others = (text for _, text in _others(tried, place) if text not in outcomes)
            is_typed = _example_at(tried, place) is not None
            found |= dict.fromkeys(islice(others, 1 if is_typed else None))
    return tuple(found)


def read_paths(tried: Trials, outcomes: Outcomes) -> frozenset[str]:
    """The paths of the places that are read."""
    samples = _samples(tried, outcomes)
    missed = set(_missed(samples, outcomes))
    return frozenset(paths.shown(place, generalised=True) for place in samples if place not in missed)


def unread(tried: Trials, outcomes: Outcomes, known: AbstractSet[str]) -> tuple[Unread, ...]:
    """The places that are not read, in document order; none where the example itself is not, or nothing is told.

    `known`: the paths that are known to be read, of this body and of others.
    """
    example = outcomes.get(tried.example)
    if not isinstance(example, Decoded) or not example.observation:
        return ()
    samples = _samples(tried, outcomes)
    missed = _missed(samples, outcomes)
    above = {place[:depth] for place in samples for depth in range(len(place))}
    names = _names_seen(outcomes) if missed else frozenset()
    found: dict[str, Unread] = {}
    for place in missed:
        path = paths.shown(place, generalised=True)
        is_ignored = () not in missed and _name_of(place) not in names
        if path not in known:
            found.setdefault(path, Unread(path, is_ignored=is_ignored, is_leaf=place not in above))
    return tuple(found.values())


def _missed(samples: dict[Steps, list[Sample]], outcomes: Outcomes) -> tuple[Steps, ...]:
    """The places that decide nothing, as far as was asked; who reads a place reads what it lies in."""
    read = {place for place, of_place in samples.items() if _is_read(of_place, outcomes)}
    above = {place[:depth] for place in read for depth in range(len(place))}
    return tuple(place for place in samples if place not in read | above)


def _samples(tried: Trials, outcomes: Outcomes) -> dict[Steps, list[Sample]]:
    """For each place all that is known to be asked of it."""
    samples = _allowed_samples(tried)
    for place in _missed(samples, outcomes):
        samples[place] += _others(tried, place)
    return samples


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
    """The example with any other value in a place: what other examples have there, then what is of the same type.

    Who refuses another of the same type, and takes one alone, reads the place.
    """
    there = _example_at(tried, place)
    plain = sorted(OTHER_VALUES, key=lambda value: type(value) is not type(there))
    values: list[Json | Removed] = [*tried.known.get(paths.shown(place, generalised=True), ()), *plain]
    if place and not paths.is_index(place[-1]):
        values.append(REMOVED)
    example = tried.derivation.exchange.example
    return [(_shown(value), canonical(apply(example, Edit(place, value)))) for value in values]


def _example_at(tried: Trials, place: Steps) -> Json:
    """What the example has in a place; None too where it lacks it."""
    there = tried.derivation.exchange.example
    for step in place:
        there = there[int(step)] if isinstance(there, list) else there.get(step) if isinstance(there, dict) else None
    return there


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
