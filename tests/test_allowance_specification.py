"""The Pact specification's own matching cases, V2 to V4: what we say a pact allows, the real matcher accepts.

And it refuses what we say is not allowed. `COUNTED` is how much of that was tried; docs/null-contracts.md repeats it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from counterfoil.allowance.exchanges import NO_BODY, Exchange, example_of, exchanges
from counterfoil.allowance.payloads import lattice, refused
from counterfoil.allowance.states import Derived, derive
from counterfoil.core.pacts import Interaction, InteractionKind, Json

from tests.builders import ROOT
from tests.pact_matcher import request_matcher, response_matcher

CASES = Path(__file__).resolve().parent / "pact_specification"
COUNTED = {
    "v2": {"cases": 141, "derived": 68, "not JSON": 50, "no body": 23, "allowed": 682, "refused": 1592},
    "v3": {"cases": 180, "derived": 97, "not JSON": 56, "no body": 27, "allowed": 1114, "refused": 2241},
    "v4": {"cases": 180, "derived": 97, "not JSON": 56, "no body": 27, "allowed": 1114, "refused": 2241},
}


def cases(version: str) -> dict[str, Any]:
    """The cases of a version by `side/name`."""
    read: dict[str, Any] = json.loads((CASES / f"{version}.json").read_text(encoding="utf-8"))
    return read


def interaction(side: str, part: dict[str, Json]) -> Interaction:
    kind = InteractionKind.MESSAGE if side == "message" else InteractionKind.HTTP
    return Interaction(description="a case", kind=kind, states=(), line=None, parts=((side, part),))


def sampled(exchange: Exchange) -> Iterator[tuple[Json, Derived]]:
    """One payload that is not allowed for each place, state and rule."""
    seen = set()
    for document, item in refused(derive(exchange)):
        if (key := (item.path, item.state, item.clause)) not in seen:
            seen.add(key)
            yield document, item


@pytest.mark.parametrize("version", sorted(COUNTED))
def test_the_real_matcher_agrees_on_every_case(version: str) -> None:
    counted: Counter[str] = Counter()
    for name, case in cases(version).items():
        side = name.split("/")[0]
        counted["cases"] += 1
        found = list(exchanges(interaction(side, case["expected"])))
        if not found:
            counted["no body"] += 1
        for exchange in found:
            if isinstance(exchange, Exchange):
                counted["derived"] += 1
                counted += judged(side, exchange, case)
            else:
                assert "JSON" in exchange.reason or "single value" in exchange.reason
                counted["not JSON"] += 1
    assert counted == COUNTED[version]


def judged(side: str, exchange: Exchange, case: dict[str, Any]) -> Counter[str]:
    """How many payloads of a case the real matcher was asked about; it has to agree about each."""
    asked: Counter[str] = Counter()
    matcher = request_matcher if side == "request" else response_matcher
    with matcher(exchange.example, case["expected"].get("matchingRules", {})) as matches:
        actual = example_of(case["actual"])
        if actual is not NO_BODY:
            assert matches(actual) is exchange.matching.allows(exchange.example, actual) is case["match"]
        for allowed in lattice(derive(exchange)):
            assert matches(allowed.document), (allowed.document, allowed.items)
            asked["allowed"] += 1
        for document, item in sampled(exchange):
            assert not matches(document), (document, item)
            asked["refused"] += 1
    return asked


def test_the_documentation_gives_the_numbers() -> None:
    text = (ROOT / "docs" / "null-contracts.md").read_text(encoding="utf-8")
    rows = {row[0]: tuple(map(int, row[1:])) for row in re.findall(r"\| (v\d) " + r"\| (\d+) " * 6, text)}
    assert rows == {version: tuple(numbers.values()) for version, numbers in COUNTED.items()}
