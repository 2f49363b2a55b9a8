"""What a verification says of a provider that answers, answers wrongly, late or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from tests.builders import (
    Judged,
    Object,
    Workspace,
    as_v2,
    as_v4,
    interaction,
    line_of,
    message,
    message_pact,
    pact,
)

ID_IS_WHOLE = {"$.id": {"match": "integer"}}
PACT = "contracts/pacts/web-catalog.json"
ROUTES: Object = {
    "GET /product": {"body": {"id": 1}},
    "GET /null": {"body": {"id": None}},
    "GET /missing": {"body": {}},
    "GET /text": {"body": {"id": "1"}},
    "GET /error": {"status": 500, "body": {"id": 1}, "log": "the catalog is on fire"},
    "GET /hang": {"hang": True},
    "GET /html": {"body": {"id": 1}, "headers": {"content-type": "text/html"}},
}
VERSIONS: dict[str, Callable[[Object], Object]] = {"v2": as_v2, "v3": dict, "v4": as_v4}
STATES: Object = {"known": ["", "a product", "sticky"], "fail": ["locked"], "fail_teardown": ["sticky"]}


def expecting_id(description: str, path: str, states: Sequence[str | Object] = ()) -> Object:
    return interaction(description, path=path, body={"id": 1}, rules=ID_IS_WHOLE, states=states)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Judged, str]:
    """One run over interactions that hold and that fail in every way, and the text of their pact."""
    shop = Workspace(tmp_path_factory.mktemp("mixed"))
    shop.provide("catalog", {"routes": ROUTES, "states": STATES}, answer_within_s=0.5)
    shop.pact(
        pact(
            "web",
            "catalog",
            expecting_id("a product", "/product"),
            expecting_id("a null id", "/null"),
            expecting_id("no id", "/missing"),
            expecting_id("a text id", "/text"),
            expecting_id("an error", "/error"),
            expecting_id("no answer", "/hang"),
            expecting_id("a page", "/html"),
            expecting_id("a known state", "/product", states=["a product"]),
            expecting_id("an unknown state", "/product", states=["a prodcut"]),
            expecting_id("a failing state", "/product", states=["locked"]),
            expecting_id("a failing teardown", "/product", states=["sticky"]),
        )
    )
    return shop.judge("verify"), (shop.root / PACT).read_text()


def subject(name: str) -> str:
    return f"web→catalog::{name}"


def located(text: str, name: str) -> Object:
    return {"path": PACT, "line": line_of(text, f'"description": "{name}"')}


@pytest.mark.fires("INTERACTION_FAILED", "PROVIDER_TIMED_OUT", "STATE_UNKNOWN", "STATE_FAILED")
def test_each_interaction_has_its_own_verdict(mixed: tuple[Judged, str]) -> None:
    report, _ = mixed
    assert (report.verdict, report.exit_code) == ("broken", 1)
    assert report.cases == {
        f"pacts::web→catalog::{PACT}": "compatible",
        "verify::web→catalog::a product": "compatible",
        "verify::web→catalog::a null id": "broken",
        "verify::web→catalog::no id": "broken",
        "verify::web→catalog::a text id": "broken",
        "verify::web→catalog::an error": "broken",
        "verify::web→catalog::no answer": "broken",
        "verify::web→catalog::a page": "broken",
        "verify::web→catalog::a known state": "compatible",
        "verify::web→catalog::an unknown state": "unproven",
        "verify::web→catalog::a failing state": "unproven",
        "verify::web→catalog::a failing teardown": "unproven",
    }
    assert report.rules == {
        *(("INTERACTION_FAILED", subject(name)) for name in ("a null id", "no id", "a text id", "an error", "a page")),
        ("PROVIDER_TIMED_OUT", subject("no answer")),
        ("STATE_UNKNOWN", subject("an unknown state") + "::a prodcut"),
        ("STATE_FAILED", subject("a failing state") + "::locked"),
        ("STATE_FAILED", subject("a failing teardown") + "::sticky"),
    }
    assert report.document["counts"] == {
        "cases": {"total": 12, "compatible": 3, "unproven": 3, "broken": 6},
        "findings": {"total": 9, "behaviour": 6, "policy": 0, "unproven": 3, "source": 0, "additive": 0, "waived": 0},
    }


def test_findings_come_strongest_first(mixed: tuple[Judged, str]) -> None:
    levels = [found["level"] for found in mixed[0].findings]
    assert levels == sorted(levels, key=["behaviour", "policy", "unproven"].index)


@pytest.mark.parametrize(
    ("name", "path", "expected", "actual"),
    [
        ("a null id", "$.id", "1", "null"),
        ("a text id", "$.id", "1", '"1"'),
        ("an error", "status", "200", "500"),
        ("a page", "header Content-Type", "application/json", "text/html"),
    ],
)
def test_a_mismatch_tells_path_expected_and_actual(
    mixed: tuple[Judged, str], name: str, path: str, expected: str, actual: str
) -> None:
    report, text = mixed
    found = report.the("INTERACTION_FAILED", subject(name))
    assert found["message"] == "catalog does not answer what web expects"
    assert found["fix"] == f"counterfoil verify --participant catalog -k '{name}'"
    assert found["level"] == "behaviour"
    assert found["location"] == located(text, name)
    shown = [one for one in found["evidence"] if one["kind"] == "mismatch" and one["path"] == path]
    assert [(one["expected"], one["actual"]) for one in shown] == [(expected, actual)]
    assert shown[0]["message"]


def test_a_missing_field_is_told_at_its_parent(mixed: tuple[Judged, str]) -> None:
    (shown,) = mixed[0].the("INTERACTION_FAILED", subject("no id"))["evidence"]
    assert (shown["path"], shown["expected"], shown["actual"]) == ("$", '["id"]', "[]")


def test_what_the_provider_printed_stands_only_by_its_own_errors(mixed: tuple[Judged, str]) -> None:
    report, _ = mixed
    outputs = {
        name: [one for one in report.the("INTERACTION_FAILED", subject(name))["evidence"] if one["kind"] == "output"]
        for name in ("an error", "a null id")
    }
    assert outputs["a null id"] == []
    assert outputs["an error"] == [{"kind": "output", "label": "catalog printed", "lines": ["the catalog is on fire"]}]


def test_no_answer_is_a_finding_of_its_own(mixed: tuple[Judged, str]) -> None:
    report, text = mixed
    found = report.the("PROVIDER_TIMED_OUT")
    assert found["message"] == "catalog gave no answer within 0.5 s"
    assert found["location"] == located(text, "no answer")
    case = next(one for one in report.document["cases"] if one["id"].endswith("::no answer"))
    assert 0.5 <= case["duration_s"] < 5


@pytest.mark.parametrize(
    ("rule", "name", "state", "message", "label"),
    [
        (
            "STATE_UNKNOWN",
            "an unknown state",
            "a prodcut",
            "catalog does not know the provider state 'a prodcut'",
            "it answered 404",
        ),
        (
            "STATE_FAILED",
            "a failing state",
            "locked",
            "the setup of provider state 'locked' failed in catalog",
            "it answered 500",
        ),
        (
            "STATE_FAILED",
            "a failing teardown",
            "sticky",
            "the teardown of provider state 'sticky' failed in catalog",
            "it answered 500",
        ),
    ],
)
def test_a_state_that_is_not_set_up_proves_nothing(
    mixed: tuple[Judged, str], rule: str, name: str, state: str, message: str, label: str
) -> None:
    report, text = mixed
    found = report.the(rule, f"{subject(name)}::{state}")
    assert found["level"] == "unproven"
    assert found["message"] == message
    assert found["fix"] == f"teach catalog's provider-state handler '{state}' (/states)"
    assert found["location"] == located(text, name)
    assert [one["label"] for one in found["evidence"]] == [label]


@pytest.mark.silent("INTERACTION_FAILED", "PROVIDER_TIMED_OUT", "STATE_UNKNOWN", "STATE_FAILED", "VERIFIER_CRASHED")
def test_every_version_of_pact_is_verified(shop: Workspace) -> None:
    shop.provide("catalog", {"routes": ROUTES, "states": STATES})
    for consumer, written_as in VERSIONS.items():
        interactions = (
            expecting_id("plain", "/product"),
            expecting_id("with a state", "/product", states=["a product"]),
        )
        shop.pact(written_as(pact(consumer, "catalog", *interactions)))
    report = shop.judge("verify")
    assert (report.verdict, report.findings) == ("compatible", [])
    assert report.document["counts"]["cases"]["compatible"] == 9


@pytest.mark.fires("INTERACTION_FAILED", "STATE_UNKNOWN")
def test_every_version_of_pact_is_refuted(shop: Workspace) -> None:
    shop.provide("catalog", {"routes": ROUTES, "states": STATES})
    for consumer, written_as in VERSIONS.items():
        interactions = (expecting_id("null", "/null"), expecting_id("s", "/product", states=["unheard"]))
        shop.pact(written_as(pact(consumer, "catalog", *interactions)))
    assert shop.judge("verify").rules == {
        finding
        for consumer in VERSIONS
        for finding in (
            ("INTERACTION_FAILED", f"{consumer}→catalog::null"),
            ("STATE_UNKNOWN", f"{consumer}→catalog::s::unheard"),
        )
    }


@pytest.mark.fires("MESSAGE_NOT_EMITTED")
def test_a_provider_may_have_no_messages_endpoint(shop: Workspace) -> None:
    shop.provide("catalog", messages=None)
    shop.pact(message_pact("stock", "catalog", message("sold", {"id": 1})))
    report = shop.judge("verify")
    assert report.cases["verify::stock→catalog::sold"] != "compatible"
    assert report.the("MESSAGE_NOT_EMITTED")["fix"].endswith(' of counterfoil.toml: messages = "/_pact/messages"')


@pytest.mark.silent("MESSAGE_NOT_EMITTED")
def test_messages_are_verified(shop: Workspace) -> None:
    shop.provide("catalog", {"messages": {"sold": {"id": 1}, "void": {"id": None}}})
    for name, written_as in (("v3", dict), ("v4", as_v4)):
        shop.pact(written_as(message_pact(name, "catalog", message("sold", {"id": 1}), message("void", {"id": 2}))))
    report = shop.judge("verify")
    for name in ("v3", "v4"):
        assert report.cases[f"verify::{name}→catalog::sold"] == "compatible"
        (shown,) = report.the("INTERACTION_FAILED", f"{name}→catalog::void")["evidence"]
        assert (shown["path"], shown["expected"], shown["actual"]) == ("$.id", "2", "null")


@pytest.mark.fires("MESSAGE_NOT_EMITTED")
@pytest.mark.parametrize("status", [404, 500])
def test_a_message_endpoint_that_fails_is_not_taken_for_a_message(shop: Workspace, status: int) -> None:
    shop.provide("catalog", {"messages": {"sold": {"message": "internal error"}}, "message_status": status})
    shop.pact(message_pact("stock", "catalog", message("sold", {"message": "internal error"})))
    report = shop.judge("verify")
    assert report.cases["verify::stock→catalog::sold"] != "compatible"
    found = report.the("MESSAGE_NOT_EMITTED", "stock→catalog::sold")
    assert found["message"] == "catalog emitted nothing when asked for 'sold'"
    assert found["fix"] == "let catalog's message endpoint (/messages) run the code that emits it"
    assert found["evidence"] == [
        {"kind": "output", "label": f"it answered {status}", "lines": ['{"message": "internal error"}']}
    ]


def test_a_provider_that_dies_breaks_what_was_not_answered(shop: Workspace) -> None:
    shop.provide("catalog", {"routes": {**ROUTES, "GET /die": {"die": True}}})
    shop.pact(pact("web", "catalog", expecting_id("1", "/product"), expecting_id("2", "/die")))
    report = shop.judge("verify")
    assert report.cases["verify::web→catalog::1"] == "compatible"
    found = report.the("PROVIDER_DIED", subject("2"))
    assert found["message"] == "catalog ended with exit code 9 while '2' was verified"
    assert found["evidence"] == [{"kind": "output", "label": "catalog printed", "lines": ["fatal: the provider dies"]}]


def test_an_interaction_without_a_state_asks_for_none(shop: Workspace) -> None:
    """Pact's verifier announces the state "" for it, which no provider has to know."""
    shop.provide("catalog", {"routes": ROUTES, "states": {"known": []}})
    shop.pact(pact("web", "catalog", expecting_id("stateless", "/product")))
    assert shop.judge("verify").verdict == "compatible"


@pytest.mark.fires("STATE_UNKNOWN")
def test_a_provider_may_have_no_states_endpoint(shop: Workspace) -> None:
    shop.provide("catalog", {"routes": ROUTES}, states=None)
    shop.pact(
        pact(
            "web", "catalog", expecting_id("stateless", "/product"), expecting_id("stateful", "/product", states=["x"])
        )
    )
    report = shop.judge("verify")
    assert report.cases["verify::web→catalog::stateless"] == "compatible"
    found = report.the("STATE_UNKNOWN", subject("stateful") + "::x")
    where = "[participants.catalog.provider] of counterfoil.toml"
    assert (
        found["fix"] == f'let catalog answer at such a path, and name it in {where}: states = "/_pact/provider-states"'
    )


def test_a_failing_teardown_does_not_hide_a_wrong_answer(shop: Workspace) -> None:
    shop.provide("catalog", {"routes": ROUTES, "states": STATES})
    shop.pact(pact("web", "catalog", expecting_id("null", "/null", states=["sticky"])))
    report = shop.judge("verify")
    assert ("INTERACTION_FAILED", subject("null")) in report.rules
    assert report.verdict == "broken"


def test_state_parameters_tell_states_apart(shop: Workspace) -> None:
    """One of two states of the same name but other parameters fails; the other is not blamed."""
    shop.provide("catalog", {"routes": ROUTES, "states": {"known": ["", "p"], "fail_params": [{"id": 2}]}})
    good, bad = ({"name": "p", "params": {"id": number}} for number in (1, 2))
    shop.pact(
        pact(
            "web", "catalog", expecting_id("1", "/product", states=[good]), expecting_id("2", "/product", states=[bad])
        )
    )
    report = shop.judge("verify")
    assert report.rules == {("STATE_FAILED", subject("2") + "::p")}


def test_two_consumers_may_use_one_description(shop: Workspace) -> None:
    shop.provide("catalog", {"routes": ROUTES})
    shop.pact(pact("web", "catalog", expecting_id("an id", "/product")))
    shop.pact(pact("app", "catalog", expecting_id("an id", "/null")))
    report = shop.judge("verify")
    assert report.cases["verify::web→catalog::an id"] == "compatible"
    assert report.cases["verify::app→catalog::an id"] == "broken"


def test_every_provider_is_verified_with_what_it_needs(shop: Workspace) -> None:
    for name in ("catalog", "stock"):
        shop.provide(name, {"routes": ROUTES})
    shop.pact(pact("web", "catalog", expecting_id("an id", "/product")))
    shop.pact(pact("catalog", "stock", expecting_id("an id", "/null")))
    report = shop.judge("verify")
    assert report.cases["verify::web→catalog::an id"] == "compatible"
    assert report.rules == {("INTERACTION_FAILED", "catalog→stock::an id")}
    assert sorted(step["label"] for step in report.document["steps"]) == ["verify catalog", "verify stock"]


def test_pact_text_is_json(shop: Workspace) -> None:
    """Negative control: the builders write what the tests above think they write."""
    path = shop.pact(as_v2(pact("web", "catalog", expecting_id("x", "/product", states=["s"]))))
    written = json.loads((shop.root / path).read_text())
    assert written["interactions"][0]["providerState"] == "s"
    assert written["interactions"][0]["response"]["matchingRules"] == {"$.body.id": {"match": "integer"}}
