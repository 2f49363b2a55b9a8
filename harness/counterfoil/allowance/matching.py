"""Whether a payload is one that a pact allows: every reason why not, or none.

A model of the reference matcher for JSON bodies: pact_matching 2.1, `compare_json` in `json.rs` and what it calls in
`matchingrules.rs` and `lib.rs`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from counterfoil.allowance import clauses
from counterfoil.allowance.clauses import Clause
from counterfoil.allowance.json_values import same
from counterfoil.allowance.matchers import COLLECTIONS, EQUAL, Kind, Matcher, RuleList, Rules, Selected
from counterfoil.allowance.paths import ANY, Expression, Steps, Token
from counterfoil.allowance.scalars import CLAUSE_OF, admits
from counterfoil.core.pacts import Json

ACCEPTED_ON_OBJECTS = frozenset(
    {Kind.REGEX, Kind.TYPE, Kind.EQUALITY, Kind.NOT_EMPTY, Kind.ARRAY_CONTAINS, Kind.EACH_KEY, Kind.EACH_VALUE}
    | {Kind.VALUES}
)
"""Every other matcher refuses every object."""
REFUSED_ON_ARRAYS = frozenset({Kind.NULL, Kind.STATUS_CODE})
"""Every other matcher accepts an array, if it has nothing to say about its size or content."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a payload is not allowed, and where."""

    place: Steps
    clause: Clause


@dataclass(frozen=True, slots=True)
class Matching:
    """The rules of one body, and whether it may have keys that the example lacks: a response may, a request not."""

    rules: Rules
    extra_keys_allowed: bool

    def refusals(self, expected: Json, actual: Json, place: Steps = ()) -> Iterator[Refusal]:
        """What is wrong with `actual`, given the example. Raises UndecidedError."""
        if isinstance(expected, dict):
            if not isinstance(actual, dict):
                yield Refusal(place, clauses.CONTAINER)
                return
            yield from self._object(expected, actual, place)
        elif isinstance(expected, list):
            if not isinstance(actual, list):
                yield Refusal(place, clauses.CONTAINER)
                return
            yield from self._array(expected, actual, place)
        else:
            yield from self._single(expected, actual, place)

    def allows(self, expected: Json, actual: Json) -> bool:
        """Whether nothing is wrong with it. Raises UndecidedError."""
        return next(self.refusals(expected, actual), None) is None

    def _single(self, expected: Json, actual: Json, place: Steps) -> Iterator[Refusal]:
        selected = self.rules.at(place)
        if selected is None:
            if not same(expected, actual):
                yield Refusal(place, clauses.EQUALITY)
            return
        matchers = selected.rules.matchers
        refusing = [one for one in matchers if not admits(one, expected, actual)]
        if refusing and not (selected.rules.any_of and len(refusing) < len(matchers)):
            yield from (Refusal(place, CLAUSE_OF[one.kind]) for one in refusing)

    # --- objects ------------------------------------------------------------------------------------------------------

    def _object(self, expected: Mapping[str, Json], actual: Mapping[str, Json], place: Steps) -> Iterator[Refusal]:
        if not expected and actual and not self.extra_keys_allowed:
            yield Refusal(place, clauses.EXTRA_REFUSED)
            return
        selected = self.rules.at(place)
        if selected is None:
            yield from self._keys(expected, actual, place)
            yield from self._members(expected, actual, place)
            return
        for matcher in selected.rules.matchers:  # all of them, whatever `combine` says
            yield from self._object_by(matcher, selected, expected, actual, place)

    def _object_by(
        self, matcher: Matcher, selected: Selected, expected: Mapping[str, Json], actual: Mapping[str, Json], at: Steps
    ) -> Iterator[Refusal]:
        if matcher.kind in COLLECTIONS and not selected.cascaded:
            below = self._each_value(matcher, at) if matcher.kind is Kind.EACH_VALUE else self
            for key, value in actual.items():
                if expected:
                    example = expected.get(key, expected[min(expected)])
                    yield from below.refusals(example, value, (*at, key))
            return
        yield from _object_as_a_whole(matcher, selected, expected, actual, at)
        yield from self._keys(expected, actual, at)
        yield from self._members(expected, actual, at)

    def _members(self, expected: Mapping[str, Json], actual: Mapping[str, Json], place: Steps) -> Iterator[Refusal]:
        for key, value in expected.items():
            if key in actual:
                yield from self.refusals(value, actual[key], (*place, key))

    def _keys(self, expected: Mapping[str, Json], actual: Mapping[str, Json], place: Steps) -> Iterator[Refusal]:
        if not self.rules.ignores_keys(place):
            if expected.keys() - actual.keys():
                yield Refusal(place, clauses.KEY_REQUIRED)
            if actual.keys() - expected.keys() and not self.extra_keys_allowed:
                yield Refusal(place, clauses.EXTRA_REFUSED)
        selected = self.rules.at(place) if self.rules.has_own(place) else None
        for matcher in selected.rules.matchers if selected else ():
            if matcher.kind is Kind.EACH_KEY:
                for key in actual:
                    if not all(admits(inner, "", key) for inner in matcher.inner):
                        yield Refusal((*place, key), clauses.EACH_KEY)

    def _each_value(self, matcher: Matcher, place: Steps) -> Matching:
        """What holds inside `eachValue`: its own rules and no others."""
        tokens = (*(Token(step) for step in place), Token(wildcard=ANY))
        rules = RuleList(matcher.inner)
        return replace(self, rules=Rules(((Expression("", tokens), rules),) if matcher.inner else ()))

    # --- arrays -------------------------------------------------------------------------------------------------------

    def _array(self, expected: list[Json], actual: list[Json], place: Steps) -> Iterator[Refusal]:
        selected = self.rules.at(place)
        if selected is None:
            if len(expected) != len(actual):
                yield Refusal(place, clauses.LENGTH)
            yield from self._elements(expected, actual, place)
            return
        if not expected:
            return
        found = [list(self._array_by(one, selected, expected, actual, place)) for one in selected.rules.matchers]
        if not selected.rules.any_of or all(found):
            for refusals in found:
                yield from refusals

    def _array_by(
        self, matcher: Matcher, selected: Selected, expected: list[Json], actual: list[Json], place: Steps
    ) -> Iterator[Refusal]:
        if matcher.kind is Kind.ARRAY_CONTAINS:
            yield from self._contains(matcher, expected, actual, place)
        elif matcher.kind is Kind.EACH_VALUE:
            if not selected.cascaded:
                below = self._each_value(matcher, place)
                yield from below._filled(expected, actual, place)  # noqa: SLF001  (another of this very class)
        else:
            yield from _array_as_a_whole(matcher, selected, expected, actual, place)
            yield from self._filled(expected, actual, place)

    def _filled(self, expected: list[Json], actual: list[Json], place: Steps) -> Iterator[Refusal]:
        """Further elements are compared with the example's first; elements may be missing where a rule holds."""
        examples = [*expected, *expected[:1] * (len(actual) - len(expected))]
        yield from self._elements(examples, actual, place)
        missing = range(len(actual), len(examples))
        if any(not self.rules.covers((*place, str(index))) for index in missing):
            yield Refusal(place, clauses.LENGTH)

    def _elements(self, expected: list[Json], actual: list[Json], place: Steps) -> Iterator[Refusal]:
        for index, (example, value) in enumerate(zip(expected, actual, strict=False)):
            yield from self.refusals(example, value, (*place, str(index)))

    def _contains(self, matcher: Matcher, expected: list[Json], actual: list[Json], place: Steps) -> Iterator[Refusal]:
        variants = matcher.variants or tuple((index, EQUAL) for index in range(len(expected)))
        for index, rules in variants:
            below = replace(self, rules=rules)
            if index >= len(expected) or not any(below.allows(expected[index], value) for value in actual):
                yield Refusal(place, clauses.ARRAY_CONTAINS)


def _object_as_a_whole(
    matcher: Matcher, selected: Selected, expected: Mapping[str, Json], actual: Mapping[str, Json], place: Steps
) -> Iterator[Refusal]:
    if matcher.kind not in ACCEPTED_ON_OBJECTS:
        yield Refusal(place, clauses.OBJECT_RULES)
    elif matcher.kind is Kind.EQUALITY and not same(dict(expected), dict(actual)):
        yield Refusal(place, clauses.EXPLICIT_EQUALITY)
    else:
        yield from _size(matcher, selected, len(actual), place)


def _array_as_a_whole(
    matcher: Matcher, selected: Selected, expected: list[Json], actual: list[Json], place: Steps
) -> Iterator[Refusal]:
    if matcher.kind in REFUSED_ON_ARRAYS:
        yield Refusal(place, CLAUSE_OF[matcher.kind])
    elif matcher.kind is Kind.EQUALITY and not same(expected, actual):
        yield Refusal(place, clauses.EXPLICIT_EQUALITY)
    else:
        yield from _size(matcher, selected, len(actual), place)


def _size(matcher: Matcher, selected: Selected, size: int, place: Steps) -> Iterator[Refusal]:
    if matcher.kind is Kind.NOT_EMPTY and size == 0:
        yield Refusal(place, clauses.NOT_EMPTY)
    if matcher.kind is Kind.TYPE and not selected.cascaded:
        too_few = matcher.minimum is not None and size < matcher.minimum
        too_many = matcher.maximum is not None and size > matcher.maximum
        if too_few or too_many:
            yield Refusal(place, clauses.SIZE)
