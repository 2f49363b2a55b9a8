"""The gate as a user meets it: the real commands on a real ledger."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from counterfoil.gate.facts import Divergence, ReadingFlaw, SchemaBreak

from tests.gated import Gate, gate_in

ORDER = "shop.v1.Order"


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """Web 1 has a pact with shop, of which version 1 is live."""
    made = gate_in(tmp_path)
    made.publish("web@1", "shop", branch="main")
    made.publish("shop@1")
    made.deploy("shop@1")
    return made


@pytest.mark.silent("VERIFICATION_FAILED", "VERIFICATION_MISSING", "PROVIDER_NOT_DEPLOYED", "VERSION_UNKNOWN")
@pytest.mark.silent("SCHEMA_NOT_READ", "SCHEMA_UNPROVEN", "SCHEMAS_NOT_COMPARED", "STUBS_DIVERGE")
@pytest.mark.silent("ROLLOUT_BROKEN", "ROLLOUT_UNPROVEN", "STUBS_NOT_PROBED", "PAYLOAD_NOT_READ", "PAYLOADS_UNPROVEN")
def test_what_is_proven_may_go(gate: Gate) -> None:
    gate.verify("web@1", "shop@1")
    one, other = gate.schema("web@1", b"one", writes=ORDER), gate.schema("shop@1", b"two", reads=ORDER)
    gate.compared(one, other)
    gate.probed("web@1", "shop@1", Divergence(subject="s", message="m", waived=True))
    gate.read("web@1", "web@1", "shop")
    gate.read("shop@1", "web@1", "shop")
    answer = gate.deployable("web@1")
    assert not answer.rules
    assert (answer.verdict, answer.broker) == ("compatible", True)
    assert answer.document["next"] == ["counterfoil record-deployment -a web -e 1 --environment production"]
    assert [flow["messages"] for flow in answer.document["flows"]] == [[ORDER]]


@pytest.mark.fires("VERIFICATION_FAILED")
def test_a_failed_verification_stops_it_with_what_was_seen(gate: Gate) -> None:
    gate.verify("web@1", "shop@1", success=False, detail="$.price: expected null, got 0")
    answer = gate.deployable("web@1")
    assert (answer.verdict, answer.broker) == ("broken", False)
    reason = answer.the("VERIFICATION_FAILED")
    assert reason["subject"] == "web 1→shop 1"
    assert reason["witnesses"] == ["$.price: expected null, got 0"]
    assert shlex.split(reason["next"]) == ["counterfoil", "verify", "-k", "::web→shop::"]
    gate.verify("web@1", "shop@2")
    together = gate.deployable("web@1").the("VERIFICATION_FAILED")["next"]
    assert together == "counterfoil can-i-deploy -a web -e 1 -a shop -e 2 --to-environment production"
    assert gate.ask(*shlex.split(together)[1:]).verdict == "compatible"


@pytest.mark.fires("VERIFICATION_MISSING")
def test_verifying_another_version_than_the_deployed_one_is_told_apart(gate: Gate) -> None:
    gate.verify("web@1", "shop@2")
    answer = gate.deployable("web@1")
    assert (answer.verdict, answer.broker) == ("unproven", None)
    reason = answer.the("VERIFICATION_MISSING")
    assert "production runs shop 1" in reason["message"]
    assert "shop 2 was, and honours it" in reason["message"]
    assert reason["next"] == "counterfoil verify -k '::web→shop::' --record --version 1"


@pytest.mark.fires("PROVIDER_NOT_DEPLOYED")
def test_a_provider_that_was_never_deployed_is_named_with_the_way_out(tmp_path: Path) -> None:
    gate = gate_in(tmp_path)
    gate.publish("web@1", "shop")
    assert gate.deployable("web@1").the("PROVIDER_NOT_DEPLOYED")["next"] == (
        "counterfoil verify -k '::web→shop::' --record"
    )
    gate.verify("web@1", "shop@1")
    answer = gate.deployable("web@1")
    reason = answer.the("PROVIDER_NOT_DEPLOYED")
    assert (answer.verdict, answer.broker) == ("unproven", None)
    assert "counterfoil record-deployment -a shop -e 1 --environment production" in reason["message"]
    together = gate.ask(*shlex.split(reason["next"])[1:])
    assert together.verdict == "compatible"
    assert [one["participant"] for one in together.document["rollout"]["order"]] == ["shop", "web"]


@pytest.mark.fires("VERSION_UNKNOWN")
def test_a_version_that_nobody_recorded_is_unproven(gate: Gate) -> None:
    answer = gate.deployable("web@9")
    assert (answer.verdict, answer.broker) == ("unproven", False)
    assert answer.the("VERSION_UNKNOWN")["next"] == "counterfoil publish -a web -e 9"
    assert any("A Pact Broker would answer no" in note for note in answer.document["notes"])


def test_the_newest_versions_are_named_where_one_is_unknown(gate: Gate) -> None:
    for number in ("2", "3", "4"):
        gate.ok("publish", "-a", "web", "-e", number)
    message = gate.deployable("web@9").the("VERSION_UNKNOWN")["message"]
    assert message == "no version 9 of web is recorded; the newest that are: 4, 3, 2"


def test_a_second_live_version_without_a_result_is_noticed_where_a_broker_does_not(gate: Gate) -> None:
    gate.verify("web@1", "shop@1")
    gate.publish("shop@2")
    gate.deploy("shop@2", instance="blue")
    answer = gate.deployable("web@1")
    assert (answer.verdict, answer.broker) == ("unproven", True)
    assert answer.rules == {("VERIFICATION_MISSING", "web 1→shop 2")}
    assert [row["provider_version"] for row in answer.document["matrix"]] == ["1"]
    assert [row["provider_version"] for row in answer.document["pairs"]] == ["1", "2"]
    assert any("A Pact Broker would answer yes" in note for note in answer.document["notes"])


def test_a_failure_beside_an_unknown_is_broken(gate: Gate) -> None:
    gate.publish("web@2", "shop", "stock")
    gate.verify("web@2", "shop@1", success=False)
    answer = gate.deployable("web@2")
    assert (answer.verdict, answer.broker) == ("broken", None)
    assert [reason["verdict"] for reason in answer.document["reasons"]] == ["broken", "unproven"]


@pytest.mark.fires("SCHEMA_NOT_READ", "SCHEMAS_NOT_COMPARED", "SCHEMA_UNPROVEN")
def test_schemas_are_judged_in_the_direction_in_which_the_data_flows(gate: Gate) -> None:
    gate.verify("web@1", "shop@1")
    web, shop = gate.schema("web@1", b"one", writes=ORDER), gate.schema("shop@1", b"two", reads=ORDER)
    gate.schema("stranger@1", b"three", reads="shop.v1.Other")
    gate.deploy("stranger@1")
    answer = gate.deployable("web@1")
    assert answer.rules == {("SCHEMAS_NOT_COMPARED", "shop 1←web 1")}
    assert (answer.verdict, answer.broker) == ("unproven", True)
    lost = SchemaBreak(
        rule="FIELD_TYPE_CHANGED",
        symbol="shop.v1.Order.total",
        message="the total is read as 0",
        fix="add a field",
        messages=frozenset({ORDER}),
        witness="contracts/witnesses/total.json",
    )
    gate.compared(web, shop, lost)
    answer = gate.deployable("web@1")
    assert (answer.verdict, answer.broker) == ("broken", True)
    reason = answer.the("SCHEMA_NOT_READ")
    assert (reason["symbols"], reason["witnesses"]) == (["shop.v1.Order.total"], ["contracts/witnesses/total.json"])
    elsewhere = SchemaBreak(rule="R", symbol="shop.v1.Other.x", message="m", fix="f", messages=frozenset({"shop.v1.O"}))
    unsure = SchemaBreak(rule="R", symbol="shop.v1.Order.x", message="no stub answered", fix="f", unproven=True)
    gate.compared(web, shop, elsewhere, unsure)
    answer = gate.deployable("web@1")
    assert answer.rules == {("SCHEMA_UNPROVEN", "shop 1←web 1")}
    assert answer.verdict == "unproven"


def test_every_message_passes_only_between_those_with_a_pact(gate: Gate) -> None:
    gate.verify("web@1", "shop@1")
    gate.schema("web@1", b"one", writes="*", reads="*")
    gate.schema("shop@1", b"two", writes="*", reads="*")
    gate.schema("stranger@1", b"three", writes="*", reads="*")
    gate.deploy("stranger@1")
    flows = gate.deployable("web@1").document["flows"]
    assert {(flow["writer"]["participant"], flow["reader"]["participant"]) for flow in flows} == {
        ("web", "shop"),
        ("shop", "web"),
    }


@pytest.mark.fires("STUBS_DIVERGE")
def test_stubs_that_would_talk_to_each_other_must_agree(gate: Gate) -> None:
    gate.verify("web@1", "shop@1")
    gate.probed("web@1", "shop@1", Divergence(subject="accept-reject", message="null", witness="w.json"))
    answer = gate.deployable("web@1")
    assert (answer.verdict, answer.broker) == ("broken", True)
    assert answer.the("STUBS_DIVERGE")["next"] == "counterfoil replay w.json"


@pytest.mark.fires("STUBS_NOT_PROBED")
def test_stubs_that_were_probed_apart_prove_nothing(gate: Gate) -> None:
    gate.verify("web@1", "shop@1")
    gate.probed("web@1", "shop@2")
    assert gate.deployable("web@1").verdict == "compatible", "shop 1 has no stub that is known"
    gate.probed("web@2", "shop@1")
    answer = gate.deployable("web@1")
    assert (answer.verdict, answer.broker) == ("unproven", True)
    expected = "counterfoil check --lane probe --record --version 1 --at web=1"
    assert answer.the("STUBS_NOT_PROBED")["next"] == expected
    gate.probed("web@1", "shop@1")
    assert gate.deployable("web@1").verdict == "compatible"


def test_a_probe_belongs_to_what_the_stubs_are_made_from(gate: Gate) -> None:
    gate.verify("web@1", "shop@1")
    gate.probed("web@0 made from a", "shop@1 made from b")
    gate.probed("web@1 made from a", "shop@2 made from c")
    assert gate.deployable("web@1").verdict == "compatible", "its stub is that of web 0"
    gate.probed("shop@3 made from b", "web@2 made from a", Divergence(subject="s", message="null"))
    assert gate.deployable("web@1").the("STUBS_DIVERGE")["subject"] == "shop 1↔web 1"
    gate.probed("web@1 made from d", "shop@2 made from c")
    assert gate.deployable("web@1").rules == {("STUBS_NOT_PROBED", "shop 1↔web 1")}, "it was built anew"


@pytest.mark.fires("PAYLOAD_NOT_READ")
@pytest.mark.parametrize("reader", ["web@1", "shop@1"])
def test_each_end_must_read_whatever_their_pact_allows(gate: Gate, reader: str) -> None:
    gate.verify("web@1", "shop@1")
    gate.read(reader, "web@1", "shop", ReadingFlaw(subject="$.price null", message="0 for null", payload="{}"))
    answer = gate.deployable("web@1")
    assert (answer.verdict, answer.broker) == ("broken", True)
    reason = answer.the("PAYLOAD_NOT_READ")
    assert reason["next"] == "counterfoil nulls -k '::web→shop::'"
    assert (reason["symbols"], reason["witnesses"]) == (["$.price null"], ["{}"])
    assert gate.deployable("shop@1").verdict == "compatible", "nobody who is there sends it that"
    gate.read(reader, "web@1", "shop")
    assert gate.deployable("web@1").verdict == "compatible", "the last reading counts"


@pytest.mark.fires("PAYLOADS_UNPROVEN")
def test_what_a_reader_makes_of_a_payload_must_be_known(gate: Gate) -> None:
    gate.verify("web@1", "shop@1")
    gate.read("shop@1", "web@1", "shop")
    gate.publish("web@2", "shop", wanted=201)
    gate.verify("web@2", "shop@1")
    answer = gate.deployable("web@2")
    assert (answer.verdict, answer.broker) == ("unproven", True)
    again = "counterfoil check --lane nulls -k '::web→shop::' --record --version 1"
    assert answer.the("PAYLOADS_UNPROVEN")["next"] == again
    gate.read("shop@1", "web@2", "shop", ReadingFlaw(subject="s", message="m", unproven=True))
    assert gate.deployable("web@2").the("PAYLOADS_UNPROVEN")["symbols"] == ["s"]
    gate.read("shop@1", "web@2", "shop")
    assert gate.deployable("web@2").verdict == "compatible"


def two_services(gate: Gate, *, forwards: bool | None, backwards: bool | None) -> None:
    """Versions 1 are live, versions 2 fit each other; whether new web fits old shop, and old web new shop, is given."""
    gate.deploy("web@1")
    gate.publish("web@2", "shop", wanted=201)
    gate.publish("shop@2")
    gate.verify("web@1", "shop@1")
    gate.verify("web@2", "shop@2")
    for consumer, provider, success in (("web@2", "shop@1", forwards), ("web@1", "shop@2", backwards)):
        if success is not None:
            gate.verify(consumer, provider, success=success)


@pytest.mark.parametrize(
    ("forwards", "backwards", "order"),
    [(False, True, ["shop", "web"]), (True, None, ["web", "shop"]), (True, True, ["shop", "web"])],
    ids=["provider first", "consumer first", "any"],
)
def test_of_two_deployments_the_one_that_fits_goes_first(
    gate: Gate, *, forwards: bool, backwards: bool | None, order: list[str]
) -> None:
    two_services(gate, forwards=forwards, backwards=backwards)
    answer = gate.deployable("web@2", "shop@2")
    rollout = answer.document["rollout"]
    assert answer.verdict == "compatible"
    assert [one["participant"] for one in rollout["order"]] == order
    assert rollout["any_order"] is (backwards is forwards)
    assert len(answer.document["next"]) == 2
    assert order[0] in answer.document["next"][0]


@pytest.mark.fires("ROLLOUT_BROKEN")
def test_no_order_works_when_neither_new_version_fits_the_old_one(gate: Gate) -> None:
    two_services(gate, forwards=False, backwards=False)
    answer = gate.deployable("web@2", "shop@2")
    assert (answer.verdict, answer.broker) == ("broken", True)
    assert answer.rules == {("ROLLOUT_BROKEN", "shop 2 + web 2")}
    assert answer.document["rollout"]["order"] is None


@pytest.mark.fires("ROLLOUT_UNPROVEN")
def test_an_order_that_nobody_proved_is_unproven(gate: Gate) -> None:
    two_services(gate, forwards=False, backwards=None)
    answer = gate.deployable("web@2", "shop@2")
    assert (answer.verdict, answer.broker) == ("unproven", True)
    assert answer.rules == {("ROLLOUT_UNPROVEN", "shop 2 + web 2")}
    assert "verify -k '::web→shop::' --record --version 2" in answer.the("ROLLOUT_UNPROVEN")["next"]


def test_the_other_instance_of_a_participant_stays_and_counts(gate: Gate) -> None:
    two_services(gate, forwards=True, backwards=False)
    assert gate.deployable("web@2", "shop@2").verdict == "compatible"
    gate.deploy("web@1", instance="blue")
    assert gate.deployable("web@2", "shop@2").verdict == "broken"
    gate.ok("record-undeployment", "-a", "web", "--environment", "production")
    assert gate.deployable("web@2", "shop@2", more=("--instance", "blue")).verdict == "compatible"


def test_what_is_ignored_does_not_count_and_is_told(gate: Gate) -> None:
    answer = gate.deployable("web@1", more=("--ignore", "shop"))
    assert (answer.verdict, answer.broker) == ("compatible", True)
    assert answer.document["counts"]["matrix"] == {"success": 0, "failed": 0, "unknown": 0, "ignored": 1}
    assert any("--ignore shop" in note for note in answer.document["notes"])
    assert gate.deployable("web@1", more=("--ignore", "shop", "-e", "1")).broker is None


def test_a_dry_run_answers_and_passes(gate: Gate) -> None:
    answer = gate.deployable("web@1", more=("--dry-run",))
    assert answer.verdict == "unproven"
    ran = gate.shop.run_here("can-i-deploy", "-a", "web", "-e", "1", "--to-environment", "production", "--dry-run")
    assert ran.exit_code == 0
    assert "dry run" in ran.stdout


def test_a_merge_is_held_against_the_heads_of_main_branches(gate: Gate) -> None:
    assert gate.ask("can-i-merge", "-a", "web", "-e", "1").broker is None
    gate.publish("shop@3", branch="main")
    gate.verify("web@1", "shop@3")
    answer = gate.ask("can-i-merge", "-a", "web", "-e", "1")
    assert (answer.verdict, answer.broker) == ("compatible", True)
    assert answer.document["question"]["latest_by"] == "cvp"


def test_selectors_pair_with_the_participant_before_them(gate: Gate) -> None:
    gate.publish("shop@2", branch="main")
    gate.verify("web@1", "shop@2")
    words = ["-a", "web", "--main-branch", "-a", "shop", "--branch", "main", "--latest", "--ignore", "stock", "-e", "7"]
    answer = gate.ask("can-i-deploy", *words)
    assert answer.verdict == "compatible"
    web, shop = answer.document["question"]["selectors"]
    assert (web["main_branch"], web["latest"], web["number"]) == (True, True, None)
    assert (shop["branch"], shop["latest"]) == ("main", True)
    assert answer.document["question"]["ignored"] == [{"participant": "stock", "number": "7"}]
    assert answer.document["question"]["destination"] is None


def test_one_selector_without_destination_is_held_against_the_newest_versions(gate: Gate) -> None:
    answer = gate.ask("can-i-deploy", "-a", "web", "-e", "1")
    assert answer.document["question"]["destination"]["latest"] is True
    assert answer.rules == {("VERIFICATION_MISSING", "web 1→shop 1")}


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["-e", "1", "-a", "web"], "--version stands before any --pacticipant"),
        (["-a", "web", "-e", "1", "-e", "2"], "two values of --version for web"),
        (["-a", "web", "-e", "1", "--latest"], "web has both --version 1 and another restriction"),
        (["-a", "web", "--ignore", "shop", "--branch", "b"], "--branch stands after --ignore shop"),
        (["-a", "wep", "-e", "1"], "no participant 'wep' is recorded"),
        (["-a", "web", "-e", "1", "--to-environment", "prod"], "no environment 'prod' is recorded"),
        (["-a", "web", "-e", "1", "--to-environment", "x", "--to", "y"], "both --to-environment and --to"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_question_that_makes_no_sense_is_refused(gate: Gate, arguments: list[str], what: str) -> None:
    ran = gate.shop.run_here("can-i-deploy", *arguments)
    assert ran.exit_code == 2
    assert what in ran.error["error"]
    assert ran.error["next"]


def test_the_answer_comes_first_in_text(gate: Gate) -> None:
    gate.verify("web@1", "shop@1", success=False, detail="\x1b[31mred\x1b[0m")
    ran = gate.shop.run_here("can-i-deploy", "-a", "web", "-e", "1", "--to-environment", "production")
    lines = ran.stdout.splitlines()
    assert lines[0] == "no: web 1 to production"
    assert "  next  counterfoil verify -k '::web→shop::'" in lines
    assert lines[-1].split() == ["web", "1", "shop", "1", "failed"]
    assert "\x1b" not in ran.stdout


def test_the_matrix_lists_without_judging(gate: Gate) -> None:
    gate.verify("web@1", "shop@1", success=False)
    ran = gate.shop.run_here("matrix", "-a", "web", "-a", "shop")
    assert (ran.exit_code, ran.stdout.splitlines()[-1].split()) == (0, ["web", "1", "shop", "1", "failed"])
    assert gate.ask("matrix", "-a", "web", "-a", "shop").broker is False


def test_it_asks_again_while_something_is_unknown(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def verify_meanwhile(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            gate.verify("web@1", "shop@1")

    monkeypatch.setattr("counterfoil.commands.gate_cli.wait", verify_meanwhile)
    more = ("--retry-while-unknown", "5", "--retry-interval", "7")
    assert gate.deployable("web@1", more=more).verdict == "compatible"
    assert waited == [7.0, 7.0]


def test_names_are_data(gate: Gate) -> None:
    name = "x'; DROP TABLE version; -- $(id)"
    gate.publish(f"{name}@1", "shop")
    answer = gate.deployable(f"{name}@1")
    assert shlex.split(json.loads(json.dumps(answer.document["next"]))[0])[:2] == ["counterfoil", "verify"]
    assert answer.document["pairs"][0]["consumer"] == name
    unknown = gate.deployable(f"{name}@2").the("VERSION_UNKNOWN")["next"]
    assert shlex.split(unknown) == ["counterfoil", "publish", "-a", name, "-e", "2"]
