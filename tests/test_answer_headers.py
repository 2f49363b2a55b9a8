"""The headers of an answer, held against those of the contract."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from counterfoil.allowance.requests import objection
from counterfoil.core.pacts import Interaction, parse_pact

from tests.builders import Object, as_v4, interaction, pact


def parsed(made: Object, as_version: Callable[[Object], Object]) -> Interaction:
    (one,) = parse_pact("p.json", json.dumps(as_version(pact("web", "catalog", made))).encode()).interactions
    return one


JSON_TYPE = ("content-type", "application/json; charset=utf-8")


@pytest.mark.parametrize(
    ("header", "rule", "answered", "expected"),
    [
        ("no-store", None, "no-store", ""),
        ("a,b", None, "a, b", ""),
        ("no-store", None, "private", "answers 200 with another header X-Cache than the contract allows"),
        ("no-store", None, None, "answers 200 without the header X-Cache"),
        ("12", {"match": "regex", "regex": "[0-9]+"}, "345", ""),
        (
            "12",
            {"match": "regex", "regex": "[0-9]+"},
            "many",
            "answers 200 with another header X-Cache than the contract allows",
        ),
        ("12", {"match": "integer"}, "many", ""),
        ("12", {"match": "type"}, "many", ""),
    ],
)
@pytest.mark.parametrize("as_version", [dict, as_v4])
def test_the_headers_of_an_answer_are_those_of_the_contract(
    as_version: Callable[[Object], Object],
    header: str,
    rule: Object | None,
    answered: str | None,
    expected: str,
) -> None:
    made = interaction("a search", body={"found": 1})
    made["response"]["headers"] = {"X-Cache": header, "Content-Type": "application/json"}
    made["response"]["matchingRules"] = {"header": {"X-Cache": {"matchers": [rule]}}} if rule else {}
    headers = [JSON_TYPE, *([("x-cache", answered)] if answered else [])]
    assert objection(parsed(made, as_version), 200, b'{"found": 1}', headers) == expected


def test_a_content_type_is_compared_by_what_both_say() -> None:
    made = interaction("a search", body={"found": 1})
    made["response"]["headers"] = {"Content-Type": "application/json"}
    said = [
        objection(parsed(made, dict), 200, b'{"found": 1}', [("Content-Type", kind)])
        for kind in (JSON_TYPE[1], "text/html")
    ]
    assert said == ["", "answers 200 with another header Content-Type than the contract allows"]
