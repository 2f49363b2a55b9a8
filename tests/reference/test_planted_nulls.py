"""What the contracts of the real services allow is proven in every state; each weakness that is planted is found.

By field and state, with a payload that differs from an example in that field alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders import Judged
from tests.reference.conftest import ReferenceCopy

PROFILES = "contracts/pacts/ranker-storefront.json"
READER = "providers/storefront/src/recommendation-json.js"
DISCOUNT = "$.recommendations[*].product.discount"
NULLABLE = {
    "response $.recommendations[*].product.discount": {"absent", "null", "default", "value"},
    "response $.recommendations[*].confidence": {"absent", "null", "default", "value"},
    "response $.recommendations[*].reason": {"absent", "value"},
    "response $.scores[*].confidence": {"null", "default", "value"},
    "response $.scores[*].explanation": {"null", "default", "value"},
    "response $.nickname": {"null", "default", "value"},
    "response $.priceSensitivity": {"null", "default", "value"},
    "response $.lastOrderId": {"absent", "value"},
    "response $.email": {"absent", "default", "value"},
    "response $.phone": {"absent", "default", "value"},
    "message $.userId": {"null", "value"},
    "request $.userId": {"absent", "value"},
    "request $.candidates[*].discount": {"null", "default", "value"},
    "request $.userContext": {"absent", "value"},
    "request $.limit": {"absent", "default", "value"},
}
"""Every field that may be unset, in the states in which the contracts of the reference system show it."""
IGNORED = ("storefront", "response $.error.code")
"""The storefront shows the message of a refusal, and nothing else of it."""


def found_in(report: Judged, rule: str, subject: str, value: object) -> dict[str, Any]:
    """A finding whose payload has this value in the one place that its subject names."""
    assert (report.verdict, report.exit_code) == ("broken", 1)
    found = report.the(rule, subject)
    payload = json.loads(found["evidence"][0]["lines"][0])
    path = subject.partition("::")[2].split()[1]
    for step in path.removeprefix("$.").replace("[*]", ".0").split("."):
        payload = payload[int(step)] if isinstance(payload, list) else payload[step]
    assert payload == value
    return found


def test_every_nullable_field_is_proven_in_all_its_states(built: Path) -> None:
    report = ReferenceCopy(built).judge("nulls", "--no-cache")
    assert report.verdict == "compatible", report.findings
    states: dict[str, set[str]] = {}
    for row in report.document["null_matrix"]:
        is_ignored = (row["participant"], row["field"]) == IGNORED
        assert set(row["states"].values()) == {"not read" if is_ignored else "proven"}, row
        states.setdefault(row["field"], set()).update(row["states"])
    assert {field: states[field] for field in NULLABLE} == NULLABLE


def test_an_interaction_is_removed(reference: ReferenceCopy) -> None:
    file = reference.root / PROFILES
    pact = json.loads(file.read_text(encoding="utf-8"))
    pact["interactions"] = [one for one in pact["interactions"] if one["description"] != "a profile without a nickname"]
    file.write_text(json.dumps(pact), encoding="utf-8")
    report = reference.judge("nulls", "-k", "a profile")
    found = report.the("STATE_NOT_SHOWN", "ranker→storefront::$.nickname")
    assert report.verdict == "unproven"
    assert found["message"] == (
        "shop.v1.UserProfile.nickname may be unset, and no interaction says what ranker does when `nickname` is null"
    )
    assert "'nickname': None" in "\n".join(found["evidence"][-1]["lines"])


@pytest.mark.parametrize(
    ("old", "new", "rule", "words"),
    [
        ("discount: double.nullish(),", "discount: double,", "STATE_REJECTED", "storefront rejects it: "),
        ("discount: discount ?? null,", "discount: discount ?? 0,", "STATE_MISREAD", "storefront reads it as 0.0"),
    ],
    ids=["bare", "zero"],
)
def test_the_node_consumer_reads_null_otherwise(
    reference: ReferenceCopy, old: str, new: str, rule: str, words: str
) -> None:
    reference.plant(READER, old, new)
    report = reference.judge("nulls", "--participant", "storefront", "-k", "(response)")
    found = found_in(report, rule, f"storefront→recommender::response {DISCOUNT} null", None)
    assert words in found["message"]


def test_the_python_consumer_reads_a_number_that_may_be_null(reference: ReferenceCopy) -> None:
    reference.plant(
        "providers/ranker/ranker/messages.py",
        "price_sensitivity: float | None = Field(default=None, ge=0, le=1)",
        "price_sensitivity: float = Field(default=0, ge=0, le=1)",
    )
    report = reference.judge("nulls", "-k", "a profile")
    found = found_in(report, "STATE_MISREAD", "ranker→storefront::response $.priceSensitivity null", None)
    assert found["message"].endswith("`$.priceSensitivity: null`; ranker reads it as 0")


def test_the_rust_consumer_reads_a_number_that_may_be_null(
    reference: ReferenceCopy, own_target: dict[str, str]
) -> None:
    reference.plant(
        "providers/recommender/src/json.rs",
        'pub confidence: Option<f64>,\n    #[serde(skip_serializing_if = "Option::is_none")]\n    pub explanation',
        'pub confidence: f64,\n    #[serde(skip_serializing_if = "Option::is_none")]\n    pub explanation',
    )
    reference.plant(
        "providers/recommender/src/json/mapping.rs",
        "confidence: scored.confidence,",
        "confidence: Some(scored.confidence),",
    )
    report = reference.judge("nulls", "--participant", "recommender", "-k", "(response)", env=own_target)
    found_in(report, "STATE_REJECTED", "recommender→ranker::response $.scores[*].confidence null", None)
