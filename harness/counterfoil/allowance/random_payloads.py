"""Payloads that a contract allows, made up by Hypothesis: after the lattice, and the same in every run. Pure.

Each differs from the example in up to three places, with values that the matching rules admit: texts of a pattern,
whole numbers beyond 2^53, arrays of several lengths, further keys. What is not surely allowed is not kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

import hypothesis
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from hypothesis.strategies import SearchStrategy

from counterfoil.allowance.edits import EXTRA, Edit, apply, state_of
from counterfoil.allowance.exchanges import Exchange
from counterfoil.allowance.json_values import MAX_INTEGER, MIN_INTEGER, type_of
from counterfoil.allowance.matchers import Kind, Matcher
from counterfoil.allowance.paths import Steps
from counterfoil.allowance.payloads import Allowed, apart
from counterfoil.allowance.scalars import SEMVER
from counterfoil.allowance.states import MAX_PLACES, judged, places
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Json, canonical

SEED: Final = 0
MAX_EDITS: Final = 3
MAX_TEXT_CHARS: Final = 40
MAX_LENGTH: Final = 5

Values = SearchStrategy[Json]

_TEXTS: Final[Values] = st.text(st.characters(codec="utf-8"), max_size=MAX_TEXT_CHARS)
_INTEGERS: Final[Values] = st.one_of(
    st.integers(MIN_INTEGER, MAX_INTEGER), st.sampled_from([2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, MAX_INTEGER])
)
_DECIMALS: Final[Values] = st.floats(allow_nan=False, allow_infinity=False)
_LEAVES: Final[Values] = st.one_of(st.none(), st.booleans(), _INTEGERS, _DECIMALS, _TEXTS)
_OF_TYPE: Final[dict[str, Values]] = {
    "Integer": st.one_of(_INTEGERS, _DECIMALS),
    "Decimal": st.one_of(_DECIMALS, _INTEGERS),
    "String": _TEXTS,
    "Boolean": st.booleans(),
}
_OF_KIND: Final[dict[Kind, Values]] = {
    Kind.NUMBER: st.one_of(_INTEGERS, _DECIMALS),
    Kind.INTEGER: _INTEGERS,
    Kind.DECIMAL: _DECIMALS,
    Kind.BOOLEAN: st.one_of(st.booleans(), st.sampled_from(["true", "false"])),
    Kind.NOT_EMPTY: _LEAVES,
    Kind.SEMVER: st.from_regex(SEMVER, fullmatch=True),
}


def random_payloads(exchange: Exchange, examples: int) -> tuple[Allowed, ...]:
    """At most so many different payloads; none where nothing but the example is known to be allowed."""
    sources = list(_sources(exchange))
    if not sources:
        return ()
    made: dict[str, Allowed] = {}
    one = st.one_of(sources)

    @hypothesis.seed(SEED)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(hypothesis.Phase.generate,),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(st.one_of(one.map(lambda edit: [edit]), st.lists(one, min_size=2, max_size=MAX_EDITS)))
    def collect(edits: list[Edit]) -> None:
        allowed = allowed_payload(exchange, edits)
        if allowed is not None:
            made.setdefault(canonical(allowed.document), allowed)

    collect()
    return tuple(made.values())


def allowed_payload(exchange: Exchange, edits: list[Edit]) -> Allowed | None:
    """The example with these edits; None where it is not surely allowed, or an edit lies within another one."""
    if any(not apart(one, other) for index, one in enumerate(edits) for other in edits[:index]):
        return None
    document = exchange.example
    for edit in edits:
        document = apply(document, edit)
    try:
        if not exchange.matching.allows(exchange.example, document):
            return None
    except UndecidedError:
        return None
    return Allowed(document, tuple(judged(exchange, edit, _state(exchange, edit)) for edit in edits))


def _state(exchange: Exchange, edit: Edit) -> str:
    there: Json = exchange.example
    for step in edit.place[:-1]:
        there = there[int(step)] if isinstance(there, list) else there[step] if isinstance(there, dict) else None
    is_extra = isinstance(there, dict) and edit.place[-1] not in there
    return EXTRA if is_extra else state_of(edit.value)


def _sources(exchange: Exchange) -> Iterator[SearchStrategy[Edit]]:
    """Strategies of edits, each for one place."""
    for place, example in list(places(exchange.example))[:MAX_PLACES]:
        if isinstance(example, dict) and exchange.matching.extra_keys_allowed:
            yield _further_keys(place, example)
        values = _values(exchange, place, example)
        if values is not None and place:
            yield values.map(_edit_of(place))


def _edit_of(place: Steps) -> Callable[[Json], Edit]:
    return lambda value: Edit(place, value)


def _further_keys(place: Steps, example: dict[str, Json]) -> SearchStrategy[Edit]:
    keys = st.text(st.characters(codec="utf-8"), min_size=1, max_size=MAX_TEXT_CHARS).filter(
        lambda key: key not in example
    )
    return st.builds(lambda key, value: Edit((*place, key), value), keys, _LEAVES)


def _values(exchange: Exchange, place: Steps, example: Json) -> Values | None:
    """What may stand in a place; None where only the example is known to."""
    try:
        selected = exchange.matching.rules.at(place)
    except UndecidedError:
        return None
    if selected is None:
        return None
    if isinstance(example, list):
        if not example:
            return st.lists(_LEAVES, max_size=MAX_LENGTH)
        return st.integers(0, MAX_LENGTH).map(lambda length: [example[index % len(example)] for index in range(length)])
    if isinstance(example, dict):
        return None
    found = [one for matcher in selected.rules.matchers if (one := _by(matcher, example)) is not None]
    return st.one_of(found) if found else None


def _by(matcher: Matcher, example: Json) -> Values | None:
    match matcher.kind:
        case Kind.TYPE:
            return _OF_TYPE.get(type_of(example))
        case Kind.REGEX:
            return _of_pattern(matcher.text)
        case Kind.INCLUDE:
            return st.tuples(_TEXTS, _TEXTS).map(lambda around: f"{around[0]}{matcher.text}{around[1]}")
        case kind:
            return _OF_KIND.get(kind)


def _of_pattern(pattern: str) -> Values | None:
    """Texts that a pattern matches; None where it is not one of Python's."""
    try:
        texts: Values = st.from_regex(re.compile(pattern), fullmatch=True)
        texts.validate()
    except (re.error, RecursionError, OverflowError, HypothesisException):
        return None
    return texts
