"""What a pact allows: the derivation by example, its limits, and its agreement with the real matcher at large."""

from __future__ import annotations

from typing import Any

import pytest
from counterfoil.allowance import clauses, paths
from counterfoil.allowance.exchanges import Exchange, Sender, Underived, exchanges
from counterfoil.allowance.matchers import parse_rules
from counterfoil.allowance.payloads import lattice, refused
from counterfoil.allowance.random_payloads import random_payloads
from counterfoil.allowance.scalars import is_whole
from counterfoil.allowance.shrinking import simpler
from counterfoil.allowance.states import MAX_PLACES, Derivation, derive
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Interaction, InteractionKind, Json
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.pact_matcher import request_matcher, response_matcher

Matchers = dict[str, Any]
NOTHING: Json = "\0nothing"
BY_TYPE: Json = {"match": "type"}


def exchange_of(
    body: Json,
    rules: dict[str, Json] | None = None,
    *,
    side: str = "response",
    headers: dict[str, Json] | None = None,
) -> Exchange | Underived:
    """The body of an HTTP request or response with these rules in the form of V3."""
    part: dict[str, Json] = {"body": body, "matchingRules": {"body": rules or {}}, "headers": headers or {}}
    found = Interaction(description="it", kind=InteractionKind.HTTP, states=(), line=None, parts=((side, part),))
    (only,) = exchanges(found)
    return only


def derivation(body: Json, rules: dict[str, Json] | None = None, *, side: str = "response") -> Derivation:
    exchange = exchange_of(body, rules, side=side)
    assert isinstance(exchange, Exchange)
    return derive(exchange)


def rule(*matchers: Json, combine: str = "AND") -> Json:
    return {"matchers": [*matchers], "combine": combine}


def allowed_at(found: Derivation, path: str) -> set[str]:
    """The values that are allowed in a place, as JSON, without the example itself."""
    return {str(one.edit) for one in found.having(allowed=True) if one.path == path and not one.is_the_example}


ANY_NUMBER = {"0", "1", "1.5", "9007199254740993", "8", "-7", "7.0", "7.5"}


@pytest.mark.parametrize(
    ("example", "matcher", "allowed"),
    [
        (7, {"match": "type"}, ANY_NUMBER),
        (7, {"match": "number"}, ANY_NUMBER),
        (7, {"match": "integer"}, ANY_NUMBER - {"1.5", "7.0", "7.5"}),
        (1.5, {"match": "decimal"}, {"2.5", "-1.5", "2.0"}),
        (None, {"match": "null"}, set()),
        ("b1", {"match": "regex", "regex": "[a-z]+1?"}, {"null", "false", "true", '"a"', '"b"'}),
        ("b", {"match": "include", "value": "u"}, {"null", "true"}),
        (True, {"match": "boolean"}, {"false"}),
        ("a", {"match": "semver"}, set()),
        (7, {"match": "notEmpty"}, ANY_NUMBER | {"false", "true", '"a"', '"0"', '"7"'}),
        ("b", {"match": "equality"}, set()),
    ],
    ids=lambda value: value["match"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_a_matcher_allows_these_values(example: Json, matcher: Matchers, allowed: set[str]) -> None:
    found = derivation({"at": example}, {"$.at": rule(matcher)})
    assert allowed_at(found, "$.at") == allowed


def test_without_a_matcher_only_the_example_is_allowed() -> None:
    found = derivation({"at": [1, {"in": ""}]})
    assert not [one for one in found.having(allowed=True) if not one.is_the_example and one.state != "extra"]
    assert {one.clause for one in found.having(allowed=False)} == {
        clauses.KEY_REQUIRED,
        clauses.EQUALITY,
        clauses.CONTAINER,
        clauses.LENGTH,
    }


def test_a_response_may_have_keys_that_the_example_lacks_and_a_request_not() -> None:
    response, request = derivation({"at": 1}), derivation({"at": 1}, side="request")
    assert response.states("$.counterfoilExtra") == {"extra"}
    assert request.states("$.counterfoilExtra") == frozenset()
    assert {one.clause for one in request.having(allowed=False) if one.state == "extra"} == {clauses.EXTRA_REFUSED}


def test_an_array_by_type_may_be_empty_unless_min_stands_at_its_own_path() -> None:
    by_type = derivation({"at": [1]}, {"$.at": rule({"match": "type"})})
    with_min = derivation({"at": [1]}, {"$.at": rule({"match": "type", "min": 1})})
    cascading = derivation({"at": [[1]]}, {"$.at": rule({"match": "type", "min": 1})})
    assert "[]" in allowed_at(by_type, "$.at")
    assert "[]" not in allowed_at(with_min, "$.at")
    assert "[]" in allowed_at(cascading, "$.at[*]")


def test_the_values_of_a_map_may_go_by_any_key() -> None:
    found = derivation({"at": {"a": 1}}, {"$.at": rule({"match": "eachValue", "rules": [{"match": "integer"}]})})
    assert found.states("$.at.a") == {"absent", "default", "value"}
    absent = next(one for one in found.having(allowed=True) if one.path == "$.at.a" and one.state == "absent")
    assert (absent.clause, absent.rule) == (clauses.VALUES, "$.at")


def test_a_derivation_cites_the_rule_and_the_path_behind_it() -> None:
    found = derivation({"at": {"in": 1}}, {"$.at": rule({"match": "type"})})
    zero = next(one for one in found.having(allowed=True) if str(one.edit) == "0")
    assert (zero.path, zero.clause, zero.rule) == ("$.at.in", clauses.TYPE, "$.at")
    assert str(zero.clause) == "`type`: a value of the same JSON type (V2, 'Matchers')"


def test_any_matcher_is_enough_for_a_single_value_and_none_may_fail_for_an_object() -> None:
    either = rule({"match": "type"}, {"match": "null"}, combine="OR")
    single, whole = derivation({"at": 1}, {"$.at": either}), derivation({"at": {}}, {"$.at": either})
    assert "null" in allowed_at(single, "$.at")
    assert not [one for one in whole.having(allowed=True) if one.path == "$.at"]


@pytest.mark.parametrize(
    ("heavier", "lighter", "place"),
    [("$.a.b", "$.a.*", "a.b"), ("$.a", "$.*.*", "a.b.c"), ("$[*].b", "$", "0.b"), ("$.a", "", "a")],
)
def test_the_heavier_path_wins(heavier: str, lighter: str, place: str) -> None:
    rules = parse_rules({lighter: rule({"match": "null"}), heavier: rule({"match": "type"})})
    selected = rules.at(tuple(place.split(".")))
    assert selected is not None
    assert selected.expression.text == heavier


def test_paths_of_the_same_weight_decide_nothing() -> None:
    found = derivation({"a": {"b": 1}}, {"$.a.*": rule({"match": "null"}), "$.*.b": rule({"match": "type"})})
    assert "$.a.* and $.*.b weigh the same at $.a.b" in {one.reason for one in found.having(allowed=None)}


@pytest.mark.parametrize(
    ("text", "shown"), [("$['a b'][0].*[*]", "$['a b'][0].*[*]"), ("a.b", "$.a.b"), ("$", "$"), ("$.@x", "$['@x']")]
)
def test_a_path_is_read(text: str, shown: str) -> None:
    tokens = paths.parse(text).tokens
    assert tokens is not None
    written = paths.shown(tuple(one.name or str(one.wildcard) for one in tokens))
    assert written == shown.replace(".*", "['*']")


@pytest.mark.parametrize("text", ["$a", "$.", "$[", "$['']", "$.a b", "[0]x"])
def test_a_path_that_pact_does_not_load_decides_nothing(text: str) -> None:
    with pytest.raises(UndecidedError, match="is not a path expression"):
        paths.parse(text)


@pytest.mark.parametrize("pattern", ["(", r"\h", "[[:alpha:]]", "(a+)+$", "(?<n>a)", "(?m)a"])
def test_a_pattern_that_is_read_otherwise_decides_nothing(pattern: str) -> None:
    with pytest.raises(UndecidedError):
        is_whole(pattern, "a")


def test_a_pattern_has_to_match_from_the_first_to_the_last_character() -> None:
    assert is_whole("red|blue", "red")
    assert not is_whole("red|blue", "reddish")
    assert not is_whole("red|reddish", "reddish")
    assert is_whole("^a$", "a")


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        ("<a/>", "text/xml", "the body is text/xml, not JSON"),
        ({"content": "AA==", "contentType": "image/png", "encoded": "base64"}, "", "the body is encoded, not JSON"),
        (1, "application/json", "the body is a single value (Integer)"),
    ],
    ids=["xml", "encoded", "single"],
)
def test_a_body_that_is_not_covered_is_named(body: Json, content_type: str, reason: str) -> None:
    found = exchange_of(body, headers={"content-type": [content_type]} if content_type else {})
    assert isinstance(found, Underived)
    assert found.reason.startswith(reason)


@pytest.mark.parametrize(
    ("matcher", "reason"),
    [
        ({"match": "protobuf"}, "the matcher 'protobuf' belongs to a plug-in"),
        ({"match": "eachValue"}, "'eachValue' without rules is not modelled"),
        ({"match": "regex"}, "the matcher 'regex' has no 'regex'"),
        ({}, "a matcher has no 'match'"),
    ],
    ids=["plug-in", "eachValue", "regex", "nameless"],
)
def test_a_matcher_that_is_not_covered_is_named(matcher: Matchers, reason: str) -> None:
    found = exchange_of({}, {"$": rule(matcher)})
    assert isinstance(found, Underived)
    assert found.reason == reason


def test_a_date_is_only_known_to_be_its_example() -> None:
    found = derivation({"at": "2026-01-05"}, {"$.at": rule({"match": "date", "format": "yyyy-MM-dd"})})
    assert found.states("$.at") == {"value"}
    assert {str(one.edit) for one in found.having(allowed=False) if one.path == "$.at"} >= {"null", '""', "absent"}
    assert [one for one in found.having(allowed=None) if one.path == "$.at"]


def test_places_beyond_the_bound_are_counted() -> None:
    assert derivation({f"k{number}": 1 for number in range(MAX_PLACES)}).places_left_out == 1


def test_v2_rules_and_message_contents_are_read() -> None:
    v2: dict[str, Json] = {"body": {"a": 1}, "matchingRules": {"$.body.a": {"match": "type"}, "$.headers.x": {}}}
    v4: dict[str, Json] = {
        "contents": {"content": {"a": 1}, "contentType": "application/vnd.x+json; charset=utf-8"},
        "matchingRules": {"content": {"$.a": rule({"match": "type"})}},
    }
    for part_name, part in (("response", v2), ("message", v4)):
        found = Interaction(
            description="it", kind=InteractionKind.MESSAGE, states=(), line=None, parts=((part_name, part),)
        )
        (exchange,) = exchanges(found)
        assert isinstance(exchange, Exchange)
        assert exchange.sender is Sender.PROVIDER
        assert derive(exchange).states("$.a") == {"default", "value"}


def test_pairs_change_two_places_that_lie_apart() -> None:
    either = rule({"match": "type"}, {"match": "null"}, combine="OR")
    found = list(lattice(derivation({"a": 1, "b": {"c": "x"}}, {"$.a": either, "$.b.c": either})))
    assert found[0].document == {"a": 1, "b": {"c": "x"}}
    assert {"a": None, "b": {"c": None}} in [one.document for one in found if len(one.items) == 2]
    assert all(one.items[0].edit.place != one.items[1].edit.place for one in found if len(one.items) == 2)


# --- at large ---------------------------------------------------------------------------------------------------------

KEYS = st.sampled_from(["a", "b", "c d"])
SINGLES = st.sampled_from([None, True, 0, 1, -3, 1.5, 2.0, "", "abc", "1.2.3"])
BODIES: st.SearchStrategy[Any] = st.recursive(
    SINGLES, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3), max_leaves=6
).filter(lambda body: isinstance(body, dict | list))
PLAIN = st.sampled_from(
    "type number integer decimal boolean null equality notEmpty semver values".split()  # noqa: SIM905  (a list of names)
).map(lambda name: {"match": name})
MATCHERS: st.SearchStrategy[Any] = st.recursive(
    PLAIN
    | st.builds(lambda size, key: {"match": "type", key: size}, st.integers(0, 2), st.sampled_from(["min", "max"]))
    | st.sampled_from([r"[a-z]+", "a|abc", r"\d+", ".*", "^n", "x?"]).map(lambda one: {"match": "regex", "regex": one})
    | st.sampled_from(["a", "u", "1", ""]).map(lambda part: {"match": "include", "value": part}),
    lambda below: (
        st.lists(below, min_size=1, max_size=2).map(lambda rules: {"match": "eachValue", "rules": rules})
        | st.just({"match": "eachKey", "rules": [{"match": "regex", "regex": "[a-b]"}]})
        | st.builds(
            lambda index, path, one: {
                "match": "arrayContains",
                "variants": [{"index": index, "rules": {path: rule(one)}}],
            },
            st.integers(0, 2),
            st.sampled_from(["$", "$.a", "$.*"]),
            below,
        )
    ),
    max_leaves=2,
)
PATHS = st.lists(st.sampled_from([".a", ".b", "['c d']", "[0]", "[1]", "[*]", ".*"]), max_size=3).map(
    lambda steps: "$" + "".join(steps)
)
RULES = st.dictionaries(
    PATHS, st.builds(rule, MATCHERS) | st.builds(rule, MATCHERS, MATCHERS, combine=st.sampled_from(["AND", "OR"]))
)


@given(body=BODIES, rules=RULES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_real_matcher_agrees_about_responses(body: Json, rules: dict[str, Json]) -> None:
    agree(body, rules, "response")


@given(body=BODIES, rules=RULES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_real_matcher_agrees_about_requests(body: Json, rules: dict[str, Json]) -> None:
    agree(body, rules, "request")


def agree(body: Json, rules: dict[str, Json], side: str) -> None:
    exchange = exchange_of(body, rules, side=side)
    assume(isinstance(exchange, Exchange))
    assert isinstance(exchange, Exchange)
    matcher = request_matcher if side == "request" else response_matcher
    found = derive(exchange)
    with matcher(body, {"body": rules}) as matches:
        for allowed in lattice(found):
            assert matches(allowed.document), allowed
        for document, item in refused(found):
            assert not matches(document), item


SHAPES: dict[str, tuple[Json, dict[str, Json]]] = {
    "scalars": ({"a": 1, "b": "x", "c": True}, {"$.a": rule(BY_TYPE), "$.b": rule(BY_TYPE), "$.c": rule(BY_TYPE)}),
    "numbers": (
        {"a": 1, "b": 1.5, "c": 2},
        {"$.a": rule({"match": "integer"}), "$.b": rule({"match": "decimal"}), "$.c": rule({"match": "number"})},
    ),
    "patterns": (
        {"a": "2024-01-01", "b": "ab", "c": "1.0.0"},
        {
            "$.a": rule({"match": "regex", "regex": "\\d{4}-\\d\\d-\\d\\d"}),
            "$.b": rule({"match": "include", "value": "b"}),
            "$.c": rule({"match": "semver"}),
        },
    ),
    "lists": ({"a": [{"b": 1}], "c": []}, {"$.a": rule({"match": "type", "min": 1}), "$.c": rule(BY_TYPE)}),
    "a cascade": ({"a": {"b": [1, 2], "c": "x"}}, {"$": rule(BY_TYPE)}),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_real_matcher_accepts_what_is_made_up(shape: str) -> None:
    body, rules = SHAPES[shape]
    exchange = exchange_of(body, rules)
    assert isinstance(exchange, Exchange)
    made = random_payloads(exchange, 60)
    assert len(made) > 10
    assert made == random_payloads(exchange, 60)
    with response_matcher(body, {"body": rules}) as matches:
        assert [one.document for one in made if not matches(one.document)] == []


def test_nothing_is_made_up_where_only_the_example_is_allowed() -> None:
    exchange = exchange_of({"a": 1, "b": [2]}, side="request")
    assert isinstance(exchange, Exchange)
    assert random_payloads(exchange, 20) == ()


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(), st.lists(st.integers())))
def test_simpler_values_come_to_an_end(value: Json) -> None:
    for _ in range(20_000):
        value = next(simpler(value), NOTHING)
        if value is NOTHING:
            return
    pytest.fail("there was always something simpler")
