"""Whom a change of the schema concerns: participants that declare the message, and pacts that mention the field."""

from __future__ import annotations

import json

import pytest

from tests.builders import Object, Workspace
from tests.schema_change import PROTO, RETYPED, evidence

PACT: Object = {
    "consumer": {"name": "storefront"},
    "provider": {"name": "ranker"},
    "interactions": [
        {
            "description": "the stock",
            "request": {"method": "GET", "path": "/stock"},
            "response": {"status": 200, "body": {"product": [{"stock": 2}]}},
        }
    ],
    "metadata": {"pactSpecification": {"version": "3.0.0"}},
}


@pytest.fixture
def team(shop: Workspace) -> Workspace:
    """The ranker reads products, the mailer reads nothing of them, and the storefront has a pact about the stock."""
    shop.write(
        "counterfoil.toml",
        'format = 1\n[pacts]\n[participants.ranker]\nreads = ["shop.v1.*"]\n'
        '[participants.mailer]\nwrites = ["mail.v1.*"]\n[participants.storefront]\n',
    )
    shop.write("contracts/pacts/storefront-ranker.json", json.dumps(PACT))
    shop.write("old/shop/v1/shop.proto", PROTO)
    shop.write("new/shop/v1/shop.proto", RETYPED)
    return shop


def test_a_finding_names_who_reads_it_and_which_pacts_mention_it(team: Workspace) -> None:
    found = team.judge_here("breaking", "new", "--against", "old").the("FIELD_TYPE_CHANGED")
    [changed] = evidence(found, "change")
    assert changed["participants"] == ["ranker reads"]
    assert changed["pacts"] == ["storefront→ranker::the stock"]
    assert all(one["path"].startswith("contracts/witnesses/breaking/") for one in evidence(found, "witness"))


def test_a_pact_that_has_a_field_under_the_json_name_that_its_schema_gives_it_mentions_it(team: Workspace) -> None:
    for side, type_ in {"old": "int32", "new": "string"}.items():
        team.write(
            f"{side}/shop/v1/shop.proto", PROTO.replace("int32 stock = 2", f'{type_} s = 2 [json_name = "stock"]')
        )
    report = team.judge_here("breaking", "new", "--against", "old", "--only-affecting", "storefront")
    assert evidence(report.the("FIELD_TYPE_CHANGED"), "change")[0]["pacts"] == ["storefront→ranker::the stock"]


def test_a_pact_that_has_a_field_under_both_of_its_names_is_told_of_once(team: Workspace) -> None:
    for side, type_ in {"old": "int32", "new": "string"}.items():
        team.write(f"{side}/shop/v1/shop.proto", PROTO.replace("int32 stock", f"{type_} in_stock"))
    both, json_only, schema_only = ({"in_stock": 1, "inStock": 1}, {"inStock": 1}, {"in_stock": 1})
    interactions = [
        {**PACT["interactions"][0], "description": description, "response": {"status": 200, "body": body}}
        for description, body in {"json": json_only, "both": both, "schema": schema_only}.items()
    ]
    team.write("contracts/pacts/storefront-ranker.json", json.dumps(PACT | {"interactions": interactions}))
    found = team.judge_here("breaking", "new", "--against", "old").the("FIELD_TYPE_CHANGED")
    [changed] = evidence(found, "change")
    assert changed["pacts"] == [f"storefront→ranker::{one}" for one in ("both", "schema", "json")]


@pytest.mark.parametrize(
    ("name", "verdict"), [("ranker", "broken"), ("storefront", "broken"), ("mailer", "compatible")]
)
def test_findings_are_narrowed_to_a_participant(team: Workspace, name: str, verdict: str) -> None:
    assert team.judge_here("breaking", "new", "--against", "old", "--only-affecting", name).verdict == verdict


@pytest.mark.parametrize(("name", "verdict"), [("ranker", "broken"), ("mailer", "compatible")])
def test_a_change_concerns_those_who_read_what_carries_it_files_away(team: Workspace, name: str, verdict: str) -> None:
    team.write("counterfoil.toml", (team.root / "counterfoil.toml").read_text().replace("shop.v1.*", "far.v1.Order"))
    for side in ("old", "new"):
        for package, inner, held in (("near", "shop", "Product"), ("far", "near", "Line")):
            outer = {"near": "Line", "far": "Order"}[package]
            text = f'syntax = "proto3";\npackage {package}.v1;\nimport "{inner}/v1/{inner}.proto";\n'
            team.write(
                f"{side}/{package}/v1/{package}.proto", f"{text}message {outer} {{\n  {inner}.v1.{held} a = 1;\n}}\n"
            )
    assert team.judge_here("breaking", "new", "--against", "old", "--only-affecting", name).verdict == verdict


@pytest.mark.parametrize(("name", "verdict"), [("ranker", "broken"), ("mailer", "compatible")])
def test_a_removed_rpc_concerns_those_who_read_what_it_answers(team: Workspace, name: str, verdict: str) -> None:
    rpc = "message None {}\nservice Shop {\n  rpc Find(None) returns (Product);\n  rpc Ping(None) returns (None);\n}\n"
    team.write("counterfoil.toml", (team.root / "counterfoil.toml").read_text().replace("v1.*", "v1.Product"))
    team.write("old/shop/v1/shop.proto", PROTO + rpc)
    team.write("new/shop/v1/shop.proto", PROTO + rpc.replace("  rpc Find(None) returns (Product);\n", ""))
    assert team.judge_here("breaking", "new", "--against", "old", "--only-affecting", name).verdict == verdict


def test_what_only_buf_reports_is_shown_whomever_it_concerns(team: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfoil.breaking.breaking_findings.compare", lambda *_: ())
    monkeypatch.setattr("counterfoil.breaking.breaking_findings.only_grew", lambda *_: False)
    team.write("new/buf.yaml", "version: v2\n")
    rpc = "service Shop {\n  rpc Find(Product) returns (Product);\n}\n"
    team.write("old/shop/v1/shop.proto", PROTO + rpc)
    team.write("new/shop/v1/shop.proto", PROTO + rpc.replace("Find", "Search"))
    report = team.judge_here("breaking", "new", "--against", "old", "--only-affecting", "ranker")
    assert report.verdict == "broken"
    assert {rule for rule, _ in report.rules} == {"RPC_NO_DELETE"}


def test_an_unknown_participant_is_refused(team: Workspace) -> None:
    ran = team.run_here("breaking", "new", "--against", "old", "--only-affecting", "rankr")
    assert (ran.exit_code, ran.error["error"]) == (2, "unknown participant 'rankr'")
    assert "'ranker'" in ran.error["why"]


def test_a_participant_of_which_nothing_is_known_is_not_called_unaffected(team: Workspace) -> None:
    team.write("counterfoil.toml", (team.root / "counterfoil.toml").read_text() + "[participants.ghost]\n")
    ran = team.run_here("breaking", "new", "--against", "old", "--only-affecting", "ghost")
    assert (ran.exit_code, ran.error["error"]) == (2, "nothing says what 'ghost' reads or writes")
    assert "[participants.ghost]" in ran.error["next"]


WAIVED = """
[[waiver]]
rule = "{}"
subject = "shop.v1.Product.stock"
owner = "team"
reason = "known"
expires = 2999-01-31
"""


@pytest.mark.parametrize(
    ("rule", "arguments", "verdict"),
    [
        ("FIELD_TYPE_CHANGED", [], "compatible"),
        ("FIELD_RENAMED", [], "broken"),
        ("INTERACTION_FAILED", [], "compatible"),
        ("FIELD_RENAMED", ["--mode", "backward"], "compatible"),
        ("FIELD_RENAMED", ["--against", "new"], "compatible"),
    ],
)
def test_a_waiver_that_matches_nothing_is_told_by_a_run_that_could_have_seen_it(
    team: Workspace, rule: str, arguments: list[str], verdict: str
) -> None:
    team.write("counterfoil.toml", 'format = 1\n[schema]\ndir = "new"\nagainst = "old"\n')
    accepted = WAIVED.format("FIELD_TYPE_CHANGED") if arguments[:1] != ["--against"] else ""
    other = WAIVED.format(rule) if rule != "FIELD_TYPE_CHANGED" else ""
    team.write("contracts/waivers.toml", f"format = 1\n{accepted}{other}")
    report = team.judge_here("breaking", *arguments)
    assert report.verdict == verdict
    assert ("WAIVER_UNMATCHED" in {name for name, _ in report.rules}) is (verdict == "broken")
