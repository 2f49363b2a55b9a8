"""Matching rules by which a pact passes for the wrong reason are found, and those that say what they mean are not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import Object, Workspace, as_v2, interaction, line_of, pact

SUBJECT = "web→catalog::response $.at"


@pytest.fixture
def shop(shop: Workspace) -> Workspace:
    """A provider, of which nothing is asked here."""
    shop.provide("catalog")
    return shop


def linted(shop: Workspace, body: object, rules: Object) -> Any:  # noqa: ANN401  (a report)
    """What a check says of a pact whose response has this body under `at`, and these rules."""
    shop.pact(pact("web", "catalog", interaction("it", body={"at": body}, rules=rules)))
    return shop.judge_here("check", "--lane", "pacts")


def either(shop: Workspace, body: object, *matchers: Object) -> Any:  # noqa: ANN401  (a report)
    """The same with several matchers, of which any may match."""
    document = pact("web", "catalog", interaction("it", body={"at": body}))
    document["interactions"][0]["response"]["matchingRules"] = {
        "body": {"$.at": {"combine": "OR", "matchers": list(matchers)}}
    }
    shop.pact(document)
    return shop.judge_here("check", "--lane", "pacts")


@pytest.mark.fires("PATTERN_MATCHES_NON_TEXT")
@pytest.mark.parametrize(
    ("matcher", "value"),
    [
        ({"match": "regex", "regex": "[a-z]+"}, "null"),
        ({"match": "regex", "regex": "\\d+"}, "0"),
        ({"match": "include", "value": "ul"}, "null"),
    ],
    ids=["letters", "digits", "include"],
)
def test_a_pattern_that_null_or_0_satisfies_as_text(shop: Workspace, matcher: Object, value: str) -> None:
    report = linted(shop, "null1" if matcher["match"] == "include" else "12", {"$.at": matcher})
    found = report.the("PATTERN_MATCHES_NON_TEXT", SUBJECT)
    assert f"compared with the text of {value} and matches it" in found["message"]
    assert (report.verdict, found["level"]) == ("unproven", "unproven")


@pytest.mark.silent("PATTERN_MATCHES_NON_TEXT")
def test_a_pattern_that_only_text_satisfies(shop: Workspace) -> None:
    assert linted(shop, "p-1", {"$.at": {"match": "regex", "regex": "p-\\d+"}}).findings == []


@pytest.mark.silent("PATTERN_MATCHES_NON_TEXT")
def test_a_pattern_beside_a_type_matcher(shop: Workspace) -> None:
    document = pact("web", "catalog", interaction("it", body={"at": "12"}))
    both = [{"match": "type"}, {"match": "regex", "regex": "\\d+"}]
    document["interactions"][0]["response"]["matchingRules"] = {"body": {"$.at": {"matchers": both}}}
    shop.pact(document)
    assert shop.judge_here("check", "--lane", "pacts").findings == []


@pytest.mark.fires("PATTERN_MATCHES_NON_TEXT")
def test_the_same_in_several_interactions_is_said_once(shop: Workspace) -> None:
    rules = {"$.at": {"match": "regex", "regex": "\\d+"}}
    path = shop.pact(pact("web", "catalog", *(interaction(name, body={"at": "1"}, rules=rules) for name in "abc")))
    found = shop.judge_here("check", "--lane", "pacts").the("PATTERN_MATCHES_NON_TEXT")
    assert found["message"].startswith("'a', response $.at: ")
    assert found["message"].endswith("; 2 other interactions have it too")
    line = line_of((shop.root / path).read_text(), '"description": "a"')
    assert found["location"] == {"path": path, "line": line}


@pytest.mark.fires("MATCHER_NEVER_FAILS")
@pytest.mark.parametrize(
    "matcher",
    [{"match": "regex", "regex": ".*"}, {"match": "include", "value": ""}],
    ids=["everything", "nothing"],
)
def test_a_matcher_that_accepts_every_value(shop: Workspace, matcher: Object) -> None:
    assert linted(shop, "x", {"$.at": matcher}).rules == {("MATCHER_NEVER_FAILS", SUBJECT)}


@pytest.mark.fires("MATCHER_NEVER_FAILS")
def test_null_or_anything(shop: Workspace) -> None:
    report = either(shop, "x", {"match": "null"}, {"match": "regex", "regex": "(?:.|\n)*"})
    assert report.rules == {("MATCHER_NEVER_FAILS", SUBJECT)}


@pytest.mark.silent("MATCHER_NEVER_FAILS", "OR_ON_OBJECT")
def test_null_or_a_string(shop: Workspace) -> None:
    assert either(shop, "x", {"match": "null"}, {"match": "type"}).findings == []


@pytest.mark.fires("OR_ON_OBJECT")
def test_an_object_or_null(shop: Workspace) -> None:
    report = either(shop, {"in": "x"}, {"match": "type"}, {"match": "null"})
    assert report.rules == {("OR_ON_OBJECT", SUBJECT)}


@pytest.mark.fires("MATCHERS_OF_SAME_WEIGHT")
def test_two_rules_of_one_weight(shop: Workspace) -> None:
    report = linted(shop, {"in": "x"}, {"$.at.*": {"match": "type"}, "$.*.in": {"match": "equality"}})
    found = report.the("MATCHERS_OF_SAME_WEIGHT", "web→catalog::response $.at.in")
    assert "$.at.* and $.*.in weigh the same at $.at.in" in found["message"]


@pytest.mark.silent("MATCHERS_OF_SAME_WEIGHT")
def test_two_rules_of_which_one_weighs_more(shop: Workspace) -> None:
    rules = {"$.at.in": {"match": "type"}, "$.*.in": {"match": "equality"}}
    assert linted(shop, {"in": "x"}, rules).findings == []


@pytest.mark.fires("DECIMAL_WITHOUT_FRACTION")
@pytest.mark.parametrize("example", [2, 2.0])
def test_a_decimal_that_is_a_whole_number(shop: Workspace, example: float) -> None:
    report = linted(shop, example, {"$.at": {"match": "decimal"}})
    assert "refuses 2, which is how JavaScript" in report.the("DECIMAL_WITHOUT_FRACTION", SUBJECT)["message"]


@pytest.mark.fires("NUMBER_BEYOND_DOUBLE")
def test_an_integer_that_javascript_cannot_hold(shop: Workspace) -> None:
    report = linted(shop, 2**53 + 1, {"$.at": {"match": "integer"}})
    assert report.rules == {("NUMBER_BEYOND_DOUBLE", SUBJECT)}
    assert report.verdict == "unproven"


@pytest.mark.silent("DECIMAL_WITHOUT_FRACTION", "NUMBER_BEYOND_DOUBLE")
def test_numbers_that_say_what_they_mean(shop: Workspace) -> None:
    body = {"decimal": 1.5, "large": 2**53, "whole": 3}
    rules = {f"$.at.{name}": {"match": kind} for name, kind in zip(body, ("decimal", "number", "integer"), strict=True)}
    assert linted(shop, body, rules).findings == []


@pytest.mark.fires("NUMBER_BY_TYPE")
def test_a_whole_number_by_type(shop: Workspace) -> None:
    report = linted(shop, 2, {"$.at": {"match": "type"}})
    assert "`type` takes 1.5 as well as 2" in report.the("NUMBER_BY_TYPE", SUBJECT)["message"]
    assert report.verdict == "compatible"


@pytest.mark.silent("NUMBER_BY_TYPE")
@pytest.mark.parametrize(
    ("example", "kind"), [(2, "integer"), (2, "number"), (1.5, "type"), ("2", "type"), (True, "type")]
)
def test_a_value_whose_type_says_enough(shop: Workspace, example: object, kind: str) -> None:
    assert linted(shop, example, {"$.at": {"match": kind}}).findings == []


@pytest.mark.silent("NUMBER_BY_TYPE")
def test_a_whole_number_inside_what_is_matched_by_type(shop: Workspace) -> None:
    assert linted(shop, {"in": 2}, {"$.at": {"match": "type"}}).findings == []


@pytest.mark.silent("NUMBER_BY_TYPE")
def test_a_version_of_pact_that_knows_no_integers(shop: Workspace) -> None:
    rules = {"$.at": {"match": "type"}}
    shop.pact(as_v2(pact("web", "catalog", interaction("it", body={"at": 2}, rules=rules))))
    assert shop.judge_here("check", "--lane", "pacts").findings == []
