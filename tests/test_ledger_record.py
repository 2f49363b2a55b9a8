"""`check --record` and `verify --record`: what a run finds is what the ledger says afterwards."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from counterfoil.core.rules import finding
from counterfoil.gate.facts import ProbeFact, VersionRef
from counterfoil.ledger.run_outcomes import probes_of
from counterfoil.model import Case, CaseResult, Finding, Lane, Report, Waiver
from counterfoil.project.config import read_workspace
from counterfoil.results.judged_content import stub_contents

from tests.builders import Workspace, interaction, pact
from tests.ledgers import Recorded

READER = Path(__file__).resolve().parent / "stubs" / "reader.py"
ROUTES = {"GET /product": {"body": {"id": 1}}, "GET /null": {"body": {"id": None}}}
RULES = {"$.id": {"match": "type"}}


def expecting(description: str, path: str) -> dict[str, object]:
    return interaction(description, path=path, body={"id": 1}, rules=RULES)


@pytest.fixture
def verified(recorded: Recorded) -> Recorded:
    """A shop whose catalog keeps one consumer's pact and breaks another's."""
    recorded.shop.provide("catalog", {"routes": ROUTES})
    recorded.shop.pact(pact("web", "catalog", expecting("a product", "/product"), expecting("again", "/product")))
    recorded.shop.pact(pact("app", "catalog", expecting("a product", "/product"), expecting("null", "/null")))
    recorded.do("publish", "-e", "1", "--branch", "main")
    return recorded


def test_each_pact_has_a_verification_by_the_provider(verified: Recorded) -> None:
    ran = verified.shop.run_here("check", "--record", "--version", "7", "--branch", "main")
    assert ran.exit_code == 1
    assert "2 verifications by catalog 7, 1 of them failed" in ran.stderr
    (good,) = verified.facts("web", "1").verifications
    assert (good.provider, good.success, good.failures) == (VersionRef("catalog", "7"), True, ())
    (bad,) = verified.facts("app", "1").verifications
    assert not bad.success
    assert [failure.interaction for failure in bad.failures] == ["null"]
    assert "$.id: expected" in bad.failures[0].detail
    results = {row["description"]: row["success"] for row in verified.rows("interaction_result")}
    assert results == {"a product": True, "again": True, "null": False}
    assert verified.rows("run")[-1]["command"] == "check --record"


def test_a_pact_that_was_judged_in_part_is_not_recorded(verified: Recorded) -> None:
    ran = verified.shop.run_here("verify", "-k", "again", "--record", "--version", "7")
    assert ran.exit_code == 0
    assert "web→catalog is not recorded: 1 of its 2 interactions were not judged" in ran.stderr
    assert "nothing was recorded" in ran.stderr
    assert not verified.rows("verification")


def test_a_part_that_fails_is_recorded_as_a_failure(verified: Recorded) -> None:
    assert verified.shop.run_here("verify", "-k", "null", "--record", "--version", "7").exit_code == 1
    (bad,) = verified.facts("app", "1").verifications
    assert not bad.success


def test_a_provider_that_does_not_start_proves_nothing(verified: Recorded) -> None:
    verified.shop.provide("catalog", start=["false"])
    assert verified.shop.run_here("verify", "--record", "--version", "7").exit_code == 3
    assert not verified.rows("verification")


def test_a_waived_failure_counts_as_in_the_run(verified: Recorded) -> None:
    verified.shop.write(
        "contracts/waivers.toml",
        'format = 1\n[[waiver]]\nrule = "INTERACTION_FAILED"\nsubject = "*null"\nowner = "web"\nreason = "known"\n'
        "expires = 2999-01-01\n",
    )
    assert verified.shop.run_here("verify", "--record", "--version", "7").exit_code == 0
    (good,) = verified.facts("app", "1").verifications
    assert good.success
    (waiver,) = verified.rows("waiver")
    assert (waiver["owner"], waiver["expires"]) == ("web", "2999-01-01")


def test_what_cannot_be_recorded_is_refused_before_anything_is_judged(shop: Workspace) -> None:
    shop.pact(pact("web", "catalog", expecting("a product", "/product")))
    shop.provide("catalog", {"routes": ROUTES})
    ran = shop.run_here("verify", "--record")
    assert ran.exit_code == 2
    assert "--version is missing" in ran.error["error"]
    assert not ran.stdout
    shop.write(".counterfoil/ledger.db", "this is no database, however long it may be" * 100)
    ran = shop.run_here("verify", "--record", "--version", "1")
    assert ran.exit_code == 2
    assert "is not a database" in ran.error["error"]
    assert not ran.stdout


def test_a_version_without_record_says_nothing(shop: Workspace) -> None:
    shop.pact(pact("web", "catalog", expecting("a product", "/product")))
    shop.configure("pacts", dir="contracts/pacts")
    assert shop.run_here("verify", "--version", "1").error["next"] == "add --record"


def test_the_schema_of_a_provider_is_recorded(verified: Recorded) -> None:
    source = 'syntax = "proto3";\npackage a.v1;\nmessage A { string b = 1; }\n'
    verified.shop.write("protos/a/v1/a.proto", source)
    verified.shop.write("protos/buf.yaml", "version: v2\n")
    verified.shop.configure("schema", dir="protos")
    verified.shop.configure("participants.catalog", writes=["a.v1.*"])
    verified.shop.run_here("verify", "--record", "--version", "7")
    verified.shop.write("protos/a/v1/a.proto", f"// a comment changes nothing\n{source}")
    verified.shop.run_here("verify", "--record", "--version", "8")
    first, second = (verified.facts("catalog", number).schemas[-1] for number in ("7", "8"))
    assert first.digest == second.digest
    assert (first.writes, first.reads) == (frozenset({"a.v1.A"}), frozenset({"*"}))
    image = verified.ledger.schema_image(first.digest)
    assert image is not None
    assert b"a/v1/a.proto" in image


def test_what_a_reader_makes_of_payloads_is_recorded_and_stops_a_deployment(recorded: Recorded) -> None:
    shop = recorded.shop
    routes = {"GET /product": {"body": {"amount": 1}}, "GET /null": {"body": {"amount": None}}}
    shop.provide("catalog", {"routes": routes})
    shop.configure("stubs.web-stub", start=[sys.executable, str(READER)])
    decoder = {"sender": "catalog", "message": "zeroing", "stub": "web-stub"}
    shop.configure("participants.web", dir=".", decoders=[decoder])
    one = interaction("a price", path="/product", body={"amount": 1}, rules={"$.amount": {"match": "type"}})
    other = interaction("no price", path="/null", body={"amount": None}, rules={"$.amount": {"match": "null"}})
    shop.pact(pact("web", "catalog", one, other))
    recorded.do("publish", "-e", "1")
    recorded.do("create-environment", "--name", "production")
    told = shop.run_here("check", "--record", "--version", "1").stderr
    assert "what web 1 reads of web→catalog" in told
    assert "what catalog 1 reads of web→catalog" in told
    recorded.do("record-deployment", "-a", "catalog", "-e", "1", "--environment", "production")
    asking = ("can-i-deploy", "-a", "web", "-e", "1", "--to-environment", "production", "--format", "json")
    (reason,) = json.loads(shop.run_here(*asking).stdout)["reasons"]
    assert (reason["rule"], reason["subject"]) == ("PAYLOAD_NOT_READ", "web 1←catalog 1")
    assert reason["witnesses"] == ['{"amount":null}']
    shop.configure("participants.web", decoders=[{**decoder, "message": "faithful"}])
    narrow = ("check", "--lane", "nulls", "-k", "no price", "--record", "--version", "1")
    assert "nothing was recorded" in shop.run_here(*narrow).stderr, "one body of two proves nothing"
    again = ("check", "--lane", "nulls", "--record", "--version", "2", "--at", "web=1")
    assert "what web 1 reads" in shop.run_here(*again).stderr
    assert json.loads(shop.run_here(*asking).stdout)["verdict"] == "compatible"
    refused = shop.run_here(*again[:-1], "nobody=1")
    assert refused.error["error"] == "no participant 'nobody' is here"


def test_a_request_that_a_provider_fails_on_stops_a_deployment(recorded: Recorded) -> None:
    shop = recorded.shop
    made = interaction("a price", path="/product", body={"amount": 1})
    made["request"] |= {"query": {"id": ["5"]}, "matchingRules": {"query": {"id": {"matchers": [{"match": "type"}]}}}}
    shop.pact(pact("web", "catalog", made))
    error = {"unless": {"?id=\n": {"status": 500, "body": None}}}
    shop.provide("catalog", {"routes": {"GET /product": {"body": {"amount": 1}} | error}})
    shop.configure("participants.web", dir=".", decoders=[{"sender": "catalog"}])
    recorded.do("publish", "-e", "1")
    recorded.do("create-environment", "--name", "production")
    shop.run_here("check", "--record", "--version", "1")
    recorded.do("record-deployment", "-a", "web", "-e", "1", "--environment", "production")
    asking = ("can-i-deploy", "-a", "catalog", "-e", "1", "--to-environment", "production", "--format", "json")
    (reason,) = json.loads(shop.run_here(*asking).stdout)["reasons"]
    assert (reason["rule"], reason["subject"]) == ("PAYLOAD_NOT_READ", "catalog 1←web 1")
    assert reason["witnesses"] == ["GET /product?id="]


def probed(shop: Workspace, *findings: Finding) -> tuple[ProbeFact, ...]:
    """What is recorded of a probe with these findings, when each of three participants has a stub."""
    for name, stub in (("web", "node"), ("api", "rust"), ("ranker", "python"), ("other", None)):
        shop.configure(f"participants.{name}", dir=".", stub=stub)
    case = Case(lane=Lane.PROBE, subject="a.B", name="probe")
    report = Report(results=(CaseResult(case=case, findings=findings),))
    workspace = read_workspace(shop.file)
    return probes_of(workspace, lambda name: VersionRef(name, "7"), report, stub_contents(workspace))


def diverging(groups: str, waived: Waiver | None = None) -> Finding:
    subject = f"presence | json | field | {groups}"
    made = finding("DIVERGENCE", subject, "they differ", fix="make them agree")
    return replace(made, waived=waived, witness="sha256:0")


def test_a_divergence_concerns_those_whose_stubs_it_separates(shop: Workspace) -> None:
    waiver = Waiver(rule="DIVERGENCE", subject="*", owner="o", reason="r")
    facts = probed(shop, diverging("node / python, rust"), diverging("node, rust / python", waiver))
    found = {
        (first.participant, second.participant): [
            (one.subject.rpartition(" | ")[2], one.waived) for one in fact.divergences
        ]
        for fact in facts
        for first, second in [fact.pair]
    }
    assert found == {
        ("api", "ranker"): [("node, rust / python", True)],
        ("api", "web"): [("node / python, rust", False)],
        ("ranker", "web"): [("node / python, rust", False), ("node, rust / python", True)],
    }


def test_the_content_of_a_stub_is_that_of_its_files_its_table_and_the_schema(shop: Workspace) -> None:
    def contents(**table: object) -> list[str | None]:
        shop.configure("stubs.rust", start=["stub"], inputs=["src/*"], **table)
        facts = probed(shop)
        assert [fact.pair[0].participant for fact in facts] == ["api", "api", "ranker"]
        return [facts[0].stubs[0], facts[0].stubs[1], facts[2].stubs[1]]

    assert contents()[0] is None, "no file matches its inputs"
    shop.write("src/main", "one")
    first = contents()
    assert contents() == first
    assert first[2] is None, "nothing tells what node is"
    shop.write("src/main", "two")
    assert contents()[0] != first[0]
    shop.write("src/main", "one")
    assert contents(env={"A": "b"})[0] != first[0]
    shop.configure("schema", dir="protos")
    shop.write("protos/a.proto", 'syntax = "proto3";')
    assert None not in (again := contents()[:2])
    assert {first[0], first[1]}.isdisjoint(again), "a built-in stub reads by the schema too"


def test_a_probe_that_judged_in_part_is_not_recorded(shop: Workspace) -> None:
    assert [fact.divergences for fact in probed(shop)] == [()] * 3
    assert not probed(shop, finding("STUB_SAID_NOTHING", "x", "m", fix="f"))
