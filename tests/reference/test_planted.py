"""Mistakes planted in the real services, schema and pacts: each is found, named and placed, with the right exit."""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path

import pytest

from tests.reference.conftest import ReferenceCopy

PROFILES = "contracts/pacts/ranker-storefront.json"
RECOMMENDATIONS = "contracts/pacts/storefront-recommender.json"
PROFILE_JSON = "providers/storefront/src/profile-json.js"
CATALOG = "protos/shop/v1/catalog.proto"


def test_the_reference_system_is_compatible(reference: ReferenceCopy, own_target: dict[str, str]) -> None:
    report = reference.judge("check", env=own_target)
    assert report.verdict == "compatible", report.findings
    verified = [case for case in report.cases if case.startswith("verify::")]
    assert len(verified) >= 20
    pairs = {case.split("::")[1] for case in verified}
    assert pairs == {"storefront→recommender", "recommender→ranker", "ranker→storefront", "ranker→recommender"}
    assert "schema::protos::lint" in report.cases
    assert "schema::protos::breaking" in report.cases


def test_the_rust_service_returns_null_for_a_field_that_is_never_null(
    reference: ReferenceCopy, own_target: dict[str, str]
) -> None:
    reference.plant("providers/recommender/src/json/mapping.rs", "price: Some(product.price.into()),", "price: None,")
    report = reference.judge("verify", "--participant", "storefront", "-k", "a discount", env=own_target)
    assert report.verdict == "broken"
    failed = [found for found in report.findings if found["rule"] == "INTERACTION_FAILED"]
    assert failed, report.rules
    found = failed[0]
    assert found["subject"].startswith("storefront→recommender::")
    description = found["subject"].split("::")[1]
    assert found["location"] == {
        "path": RECOMMENDATIONS,
        "line": reference.line_of(RECOMMENDATIONS, f'"description": "{description}"'),
    }
    assert {(one["path"], one["actual"]) for one in found["evidence"]} == {
        ("$.recommendations[0].product.price", "null")
    }
    assert found["fix"] == f"counterfoil verify --participant recommender -k '{description}'"


def test_the_node_service_renames_a_field(reference: ReferenceCopy) -> None:
    reference.plant(
        PROFILE_JSON, "    priceSensitivity: rest.priceSensitivity,", "    price_sensitivity: rest.priceSensitivity,"
    )
    report = reference.judge("verify", "--participant", "storefront")
    assert report.verdict == "broken"
    assert all(found["rule"] == "INTERACTION_FAILED" for found in report.findings), report.rules
    found = report.the("INTERACTION_FAILED", "ranker→storefront::a profile without a price sensitivity")
    messages = [one["message"] for one in found["evidence"]]
    assert any("priceSensitivity" in message for message in messages), messages


def test_the_python_service_answers_500_in_one_state(reference: ReferenceCopy) -> None:
    reference.plant(
        "providers/ranker/ranker/ranking.py",
        "        return score_candidates(request, profile, self._memory.times_shown(request.user_id))",
        "        shown = self._memory.times_shown(request.user_id)\n"
        "        return score_candidates(request, profile, shown) if not shown else 1 / 0",
    )
    report = reference.judge("verify", "--participant", "ranker", "-k", "recommender→ranker")
    assert report.rules == {("INTERACTION_FAILED", "recommender→ranker::a score for a product that was lately shown")}
    evidence = report.findings[0]["evidence"]
    assert {"kind": "mismatch", "path": "status", "expected": "200", "actual": "500"}.items() <= evidence[-2].items()


def test_a_field_of_the_schema_changes_its_type(reference: ReferenceCopy) -> None:
    reference.plant(CATALOG, "  string name = 2;", "  int32 name = 2;")
    report = reference.judge("check", "--lane", "schema")
    assert report.verdict == "broken"
    found = report.the("FIELD_TYPE_CHANGED", "shop.v1.Product.name")
    assert found["level"] == "behaviour"
    assert found["location"] == {"path": CATALOG, "line": reference.line_of(CATALOG, "int32 name = 2;")}
    assert "from string to int32" in found["message"]
    assert found["witness"]


def test_a_pact_file_is_emptied(reference: ReferenceCopy) -> None:
    pact = json.loads((reference.root / PROFILES).read_text(encoding="utf-8"))
    (reference.root / PROFILES).write_text(json.dumps(pact | {"interactions": []}), encoding="utf-8")
    report = reference.judge("check", "--lane", "pacts", "--participant", "ranker")
    assert report.verdict == "unproven"
    assert report.rules == {("PACT_EMPTY", "ranker→storefront")}
    assert "counterfoil consume --participant ranker" in report.findings[0]["fix"]


@pytest.mark.parametrize("content", ["", "not JSON", '{"consumer": {"name": "ranker"}, "provider"'], ids=len)
def test_a_pact_file_is_not_json(reference: ReferenceCopy, content: str) -> None:
    (reference.root / PROFILES).write_text(content, encoding="utf-8")
    ran = reference.run("check")
    assert ran.exit_code == 2
    assert ran.error["error"] == f"'{PROFILES}' is not a pact file"
    assert ran.error["at"].startswith(f"{PROFILES}:1")
    assert "counterfoil consume" in ran.error["next"]


def test_a_provider_does_not_start(reference: ReferenceCopy) -> None:
    reference.plant(
        "providers/storefront/src/main.js",
        "async function run() {",
        "async function run() {\n  throw new Error('planted');",
    )
    report = reference.judge("verify", "--participant", "storefront", "-k", "ranker→storefront")
    assert report.verdict == "unproven"
    found = report.the("PROVIDER_NOT_STARTED", "storefront")
    assert "planted" in json.dumps(found["evidence"])
    verified = {verdict for case, verdict in report.cases.items() if case.startswith("verify::")}
    assert verified == {"unproven"}


def test_a_provider_hangs(reference: ReferenceCopy) -> None:
    reference.plant(
        "counterfoil.toml", 'start = ["node", "src/main.js"]', 'start = ["node", "src/main.js"]\nanswer-within-s = 1'
    )
    reference.plant(
        "providers/storefront/src/server.js",
        "app.get('/profiles/:id', (request, reply) => {",
        "app.get('/profiles/:id', (request, reply) => {\n    if (reply) return new Promise(() => {});",
    )
    report = reference.judge("verify", "-k", "a profile with a phone")
    assert report.rules == {("PROVIDER_TIMED_OUT", "ranker→storefront::a profile with a phone")}
    assert report.exit_code == 1
    assert "no answer within 1 s" in report.findings[0]["message"]


def test_a_port_is_taken(reference: ReferenceCopy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        reference.plant(
            "counterfoil.toml", 'start = ["node", "src/main.js"]', f'start = ["node", "src/main.js"]\nport = {port}'
        )
        report = reference.judge("verify", "-k", "ranker→storefront")
    assert report.verdict == "unproven"
    found = report.the("PROVIDER_PORT_TAKEN", "storefront")
    assert f"port {port} is taken by process {os.getpid()}" in found["message"]


def test_without_node_its_lanes_are_unproven_and_named(reference: ReferenceCopy, tmp_path: Path) -> None:
    report = reference.judge("check", env={"PATH": _path_without(tmp_path, {"node", "npm", "npx"})})
    assert report.verdict == "unproven"
    service, runtime = report.the("TOOL_MISSING", "storefront"), report.the("TOOL_MISSING", "node")
    assert "'node'" in service["message"]
    assert "'node'" in runtime["message"]
    assert "verify ranker→storefront" in service["message"]
    unproven = {case.split("::")[1] for case, verdict in report.cases.items() if verdict == "unproven"}
    assert "ranker→storefront" in unproven
    assert "recommender→ranker" not in unproven
    assert report.cases["schema::protos::lint"] == "compatible"


def _path_without(folder: Path, hidden: set[str]) -> str:
    """A PATH that has every program of the present one but the hidden ones."""
    programs = folder / "programs"
    programs.mkdir()
    for directory in os.get_exec_path():
        for program in Path(directory).iterdir() if Path(directory).is_dir() else ():
            link = programs / program.name
            if program.name not in hidden and not link.is_symlink() and os.access(program, os.X_OK):
                link.symlink_to(program)
    assert shutil.which("git", path=str(programs))
    return str(programs)
