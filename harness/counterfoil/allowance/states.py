"""The derivation: for every place of a body, the presence states and values that the contract allows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from counterfoil.allowance import clauses, paths
from counterfoil.allowance.clauses import Clause
from counterfoil.allowance.edits import EXTRA, REMOVED, Edit, apply, state_of
from counterfoil.allowance.exchanges import Exchange
from counterfoil.allowance.json_values import same, type_of
from counterfoil.allowance.matchers import Kind
from counterfoil.allowance.paths import Steps
from counterfoil.allowance.scalars import CLAUSE_OF
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Json, canonical
from counterfoil.probe.payloads import ABSENT

MAX_PLACES: Final = 300
"""Places of one body that are looked at; the rest is named as not derived."""
MAX_ELEMENTS: Final = 3
"""Elements of one array whose places are looked at; those after them are compared like them or like the first."""
EXTRA_KEY: Final = "counterfoilExtra"
LARGE: Final = 2**53 + 1
"""The first integer that a binary64 cannot hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """One value at one place: allowed, or refused, with the rule that says so; or undecided, with the reason.

    `rule` is the path of the matching rule that holds there, or "" where there is none.
    """

    path: str
    state: str
    edit: Edit
    allowed: bool | None
    clause: Clause | None
    rule: str = ""
    reason: str = ""
    is_the_example: bool = False


@dataclass(frozen=True, slots=True)
class Derivation:
    """What was derived of a body, place by place in document order, and what was left out."""

    exchange: Exchange
    items: tuple[Derived, ...]
    places_left_out: int = 0

    def having(self, *, allowed: bool | None) -> Iterator[Derived]:
        """What is allowed, refused, or (None) undecided."""
        return (item for item in self.items if item.allowed is allowed)

    def states(self, path: str) -> frozenset[str]:
        """The presence states that a path may be in; indices of a path are written `[*]`."""
        return frozenset(item.state for item in self.having(allowed=True) if item.path == path)


def derive(exchange: Exchange) -> Derivation:
    """Judge every candidate at every place of the example."""
    found = list(places(exchange.example))
    items = [
        replace(
            judged(exchange, edit, state),
            is_the_example=edit.place == place and edit.value is not REMOVED and same(edit.value, value),
        )
        for place, value in found[:MAX_PLACES]
        for edit, state in candidates(place, value)
    ]
    return Derivation(exchange, tuple(items), max(0, len(found) - MAX_PLACES))


def places(example: Json, place: Steps = ()) -> Iterator[tuple[Steps, Json]]:
    """Every place of a document with its value, the root first."""
    yield place, example
    if isinstance(example, dict):
        for key, value in example.items():
            yield from places(value, (*place, key))
    elif isinstance(example, list):
        for index, value in enumerate(example[:MAX_ELEMENTS]):
            yield from places(value, (*place, str(index)))


def values_at(documents: Iterable[Json]) -> dict[str, tuple[Json, ...]]:
    """The different values that documents have at each path, in which `[*]` stands for indices."""
    found: dict[str, dict[str, Json]] = {}
    for document in documents:
        for place, value in places(document):
            found.setdefault(paths.shown(place, generalised=True), {}).setdefault(canonical(value), value)
    return {path: tuple(values.values()) for path, values in found.items()}


def lacking(example: Json, others: Iterable[Json]) -> Iterator[Derived]:
    """Keys that an example lacks and others have in the same object: by this example they are allowed to be absent."""
    known = {path: [one for one in values if isinstance(one, dict)] for path, values in values_at(others).items()}
    for place, value in places(example):
        if isinstance(value, dict):
            objects = known.get(paths.shown(place, generalised=True), ())
            for key in sorted({key for one in objects for key in one} - value.keys()):
                here = (*place, key)
                yield Derived(
                    path=paths.shown(here, generalised=True),
                    state=ABSENT,
                    edit=Edit(here, REMOVED),
                    allowed=True,
                    clause=clauses.EXAMPLE,
                    is_the_example=True,
                )


def left_out(example: Json, others: Iterable[Json]) -> list[str]:
    """The same as paths, each once."""
    return list(dict.fromkeys(item.path for item in lacking(example, others)))


def candidates(place: Steps, example: Json) -> Iterator[tuple[Edit, str]]:
    """Values to try at a place, each once, with the state that it would be in: the example first."""
    seen: list[Json] = []
    if place and not paths.is_index(place[-1]):
        yield Edit(place, REMOVED), state_of(REMOVED)
    for value in _values(example):
        if not any(same(value, other) for other in seen):
            seen.append(value)
            yield Edit(place, value), state_of(value)
    if isinstance(example, dict):
        for value in (*list(example.values())[:1], "a", 1, None):
            yield Edit((*place, EXTRA_KEY), value), EXTRA


def _values(example: Json) -> Iterator[Json]:
    yield example
    yield None
    yield from (0, False, "", [], {})
    yield from (1, 1.5, True, "a", "0", LARGE)
    if isinstance(example, str):
        yield from (example + "0", example.swapcase(), example[:-1], " ")
    elif isinstance(example, int | float) and type_of(example) in {"Integer", "Decimal"} and abs(example) < LARGE:
        yield from (example + 1, -example, float(example), example + 0.5, str(example))
    elif isinstance(example, list) and example:
        yield from (example[:1], example[:-1], [*example, example[0]], [*example, None])


def judged(exchange: Exchange, edit: Edit, state: str) -> Derived:
    """Whether the example with one change is allowed, and which rule says so."""
    path = paths.shown(edit.place, generalised=True)
    matching = exchange.matching
    try:
        clause, rule = ground(exchange, edit, state)
        refusal = next(matching.refusals(exchange.example, apply(exchange.example, edit)), None)
    except UndecidedError as why:
        return Derived(path=path, state=state, edit=edit, allowed=None, clause=None, reason=str(why))
    if refusal is not None:
        return Derived(path=path, state=state, edit=edit, allowed=False, clause=refusal.clause, rule=rule)
    return Derived(path=path, state=state, edit=edit, allowed=True, clause=clause, rule=rule)


def ground(exchange: Exchange, edit: Edit, state: str) -> tuple[Clause, str]:
    """The rule that allows something at a place, if anything does, and the path of the matching rule behind it."""
    rules, place = exchange.matching.rules, edit.place
    if state == EXTRA or edit.value is REMOVED:
        parent = place[:-1]
        if rules.ignores_keys(parent):
            return clauses.VALUES, paths.shown(parent)
        return (clauses.EXTRA_ALLOWED if state == EXTRA else clauses.KEY_REQUIRED), ""
    selected = rules.at(place)
    if selected is None:
        return clauses.EQUALITY, ""
    matcher = selected.rules.matchers[0]
    if isinstance(edit.value, list) and matcher.kind in {Kind.TYPE, Kind.REGEX, Kind.NUMBER}:
        bounded = matcher.minimum is not None or matcher.maximum is not None
        return (clauses.SIZE if bounded and not selected.cascaded else clauses.LIST_BY_TYPE), selected.expression.text
    return CLAUSE_OF[matcher.kind], selected.expression.text
