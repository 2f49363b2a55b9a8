"""Matching rules as values: reading them from a pact of V2, V3 or V4, and choosing the one that holds at a place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from counterfoil.allowance import paths
from counterfoil.allowance.paths import Expression, Steps
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Json


class Kind(StrEnum):
    """What a matcher compares, by its name in a pact file."""

    EQUALITY = "equality"
    TYPE = "type"
    REGEX = "regex"
    INCLUDE = "include"
    NUMBER = "number"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    NULL = "null"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    CONTENT_TYPE = "contentType"
    NOT_EMPTY = "notEmpty"
    SEMVER = "semver"
    STATUS_CODE = "statusCode"
    VALUES = "values"
    EACH_KEY = "eachKey"
    EACH_VALUE = "eachValue"
    ARRAY_CONTAINS = "arrayContains"


OTHER_NAMES = {
    "real": Kind.DECIMAL,
    "datetime": Kind.TIMESTAMP,
    "content-type": Kind.CONTENT_TYPE,
    "not-empty": Kind.NOT_EMPTY,
    "status-code": Kind.STATUS_CODE,
    "each-key": Kind.EACH_KEY,
    "each-value": Kind.EACH_VALUE,
    "array-contains": Kind.ARRAY_CONTAINS,
    "min": Kind.TYPE,
    "max": Kind.TYPE,
    "min-type": Kind.TYPE,
    "max-type": Kind.TYPE,
}
TEXT_OF = {
    Kind.REGEX: ("regex",),
    Kind.INCLUDE: ("value",),
    Kind.CONTENT_TYPE: ("value",),
    Kind.DATE: ("format", "date"),
    Kind.TIME: ("format", "time"),
    Kind.TIMESTAMP: ("format", "timestamp", "datetime"),
}
"""Where each kind that needs a text keeps it."""
WITHOUT_NAME = ("regex", "min", "max", "timestamp", "time", "date")
"""V2 lets the kind be guessed from the attribute; these are tried in this order."""
COLLECTIONS = frozenset({Kind.VALUES, Kind.EACH_VALUE, Kind.ARRAY_CONTAINS})
"""Matchers that look at the values of an object and ignore its keys."""
KEYLESS = frozenset({Kind.VALUES, Kind.EACH_VALUE, Kind.EACH_KEY})
"""Matchers at whose own path no key is required and none refused."""

ON_KEYS = frozenset({Kind.REGEX, Kind.INCLUDE, Kind.EQUALITY, Kind.TYPE, Kind.NOT_EMPTY, Kind.SEMVER, Kind.BOOLEAN})
"""Matchers that read a key as they read a string; the others read numbers out of it, or fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """One matching rule. `text` is a pattern, a part or a format; `inner` the rules of eachKey and eachValue."""

    kind: Kind
    text: str = ""
    minimum: int | None = None
    maximum: int | None = None
    inner: tuple[Matcher, ...] = ()
    variants: tuple[tuple[int, Rules], ...] = ()


@dataclass(frozen=True, slots=True)
class RuleList:
    """The matchers at one path, of which all must match, or any."""

    matchers: tuple[Matcher, ...]
    any_of: bool = False


@dataclass(frozen=True, slots=True)
class Selected:
    """The rules that hold at a place. `cascaded`: they belong to something above it."""

    rules: RuleList
    expression: Expression
    cascaded: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """The matching rules of one body."""

    by_path: tuple[tuple[Expression, RuleList], ...] = ()
    _selected: dict[Steps, Selected | None] = field(default_factory=dict, compare=False, repr=False)
    _own: dict[Steps, tuple[RuleList, ...]] = field(default_factory=dict, compare=False, repr=False)

    def at(self, place: Steps) -> Selected | None:
        """The rules of the path that weighs most. Raises UndecidedError where two different ones weigh the same."""
        if place not in self._selected:
            self._selected[place] = self._select(place)
        return self._selected[place]

    def _select(self, place: Steps) -> Selected | None:
        weighed = [
            (weight * path.length, path, rules) for path, rules in self.by_path if (weight := path.weight(place)) > 0
        ]
        if not weighed:
            return None
        most = max(weight for weight, _, _ in weighed)
        best = [(path, rules) for weight, path, rules in weighed if weight == most]
        path, rules = best[0]
        if any((other, at.length) != (rules, path.length) for at, other in best[1:]):
            raise UndecidedError(f"{' and '.join(at.text for at, _ in best)} weigh the same at {paths.shown(place)}")
        return Selected(rules, path, cascaded=path.length != len(place) + 1)

    def covers(self, place: Steps) -> bool:
        """Whether any rule holds at a place."""
        return any(path.weight(place) for path, _ in self.by_path)

    def ignores_keys(self, place: Steps) -> bool:
        """Whether a rule at the very place does without the keys of the example."""
        kinds = {frozenset(matcher.kind for matcher in rules.matchers) & KEYLESS for rules in self._at_the_very(place)}
        if len(kinds) > 1:
            raise UndecidedError(f"several rules stand at {paths.shown(place)}")
        return any(kinds)

    def has_own(self, place: Steps) -> bool:
        """Whether any rule stands at the very place."""
        return bool(self._at_the_very(place))

    def _at_the_very(self, place: Steps) -> tuple[RuleList, ...]:
        if place not in self._own:
            self._own[place] = tuple(rules for path, rules in self.by_path if path.is_exactly(place))
        return self._own[place]


def parse_rules(entries: dict[str, Json]) -> Rules:
    """Read `{path: {"matchers": [...], "combine": "AND"}}` (V3, V4) or `{path: {matcher}}` (V2, without `$.body`).

    Raises UndecidedError for what the reference matcher does not load or a plug-in would decide.
    """
    return Rules(tuple((paths.parse(path), rule_list(entry)) for path, entry in entries.items() if _has_any(entry)))


def _has_any(entry: Json) -> bool:
    return not (isinstance(entry, dict) and "matchers" in entry and not entry["matchers"])


def rule_list(entry: Json) -> RuleList:
    """Read the rules of one path. Raises UndecidedError as `parse_rules` does."""
    if not isinstance(entry, dict):
        raise UndecidedError("a matching rule is not an object")
    matchers = entry.get("matchers", [entry])
    if not isinstance(matchers, list):
        raise UndecidedError("'matchers' is not an array")
    any_of = str(entry.get("combine", "AND")).upper() == "OR"
    return RuleList(tuple(map(_matcher, matchers)), any_of and len(matchers) > 1)


def _matcher(entry: Json) -> Matcher:
    if not isinstance(entry, dict):
        raise UndecidedError("a matcher is not an object")
    name = entry.get("match", next((one for one in WITHOUT_NAME if one in entry), None))
    if name is None:
        raise UndecidedError("a matcher has no 'match'")
    kind = OTHER_NAMES.get(str(name)) or next((one for one in Kind if one == name), None)
    if kind is None:
        raise UndecidedError(f"the matcher '{name}' belongs to a plug-in")
    return Matcher(
        kind=kind,
        text=_text(kind, entry),
        minimum=_count(entry, "min") if kind is Kind.TYPE else None,
        maximum=_count(entry, "max") if kind is Kind.TYPE else None,
        inner=_inner(kind, entry) if kind in {Kind.EACH_KEY, Kind.EACH_VALUE} else (),
        variants=tuple(_variants(entry)) if kind is Kind.ARRAY_CONTAINS else (),
    )


def _text(kind: Kind, entry: dict[str, Json]) -> str:
    keys = TEXT_OF.get(kind, ())
    value = next((entry[key] for key in keys if key in entry), None)
    if value is None and kind in {Kind.REGEX, Kind.INCLUDE, Kind.CONTENT_TYPE}:
        raise UndecidedError(f"the matcher '{kind}' has no '{keys[0]}'")
    return value if isinstance(value, str) else "" if value is None else str(value)


def _count(entry: dict[str, Json], key: str) -> int | None:
    value = entry.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _inner(kind: Kind, entry: dict[str, Json]) -> tuple[Matcher, ...]:
    rules = entry.get("rules", [])
    if not isinstance(rules, list):
        raise UndecidedError("'rules' is not an array")
    if kind is Kind.EACH_VALUE and not rules:
        raise UndecidedError("'eachValue' without rules is not modelled")
    inner = tuple(map(_matcher, rules))
    if kind is Kind.EACH_KEY and any(one.kind not in ON_KEYS for one in inner):
        raise UndecidedError("a rule of 'eachKey' is not one for text")
    return inner


def _variants(entry: dict[str, Json]) -> Iterator[tuple[int, Rules]]:
    """(index of the example element, the rules below it) of each; one without rules is compared for equality."""
    variants = entry.get("variants")
    if not isinstance(variants, list):
        raise UndecidedError("the matcher 'arrayContains' has no 'variants'")
    for variant in variants:
        if not isinstance(variant, dict):
            raise UndecidedError("a variant is not an object")
        index, rules = variant.get("index", 0), variant.get("rules")
        if not isinstance(index, int) or not isinstance(rules, dict | None):
            raise UndecidedError("a variant has no index, or rules that are none")
        yield index, EQUAL if rules is None else parse_rules(rules)


EQUAL = Rules(((Expression("", None), RuleList((Matcher(kind=Kind.EQUALITY),))),))
"""Everything must be equal."""
