"""What could not be judged, or proves too little, is unproven and never green."""

from __future__ import annotations

import tomllib
from collections.abc import Callable

import pytest

from tests.builders import (
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

ROUTES: Object = {"GET /product": {"body": {"id": 1, "tags": ["new"]}}, "GET /null": {"body": {"id": None}}}
BY_TYPE: Object = {"match": "type"}
PACT = "contracts/pacts/web-catalog.json"


@pytest.fixture
def shop(shop: Workspace) -> Workspace:
    """A provider, and no pact yet."""
    shop.provide("catalog", {"routes": ROUTES, "messages": {"sold": {"ids": [1]}}})
    return shop


def with_pact(shop: Workspace) -> Workspace:
    shop.pact(pact("web", "catalog", interaction("a product", body={"id": 1}), interaction("another", body={"id": 1})))
    return shop


@pytest.mark.silent(
    "PACT_MISSING", "PACT_EMPTY", "INTERACTION_DUPLICATED", "INTERACTION_NOT_RUN", "FILTER_MATCHED_NOTHING"
)
def test_a_pact_that_proves_something_is_silent(shop: Workspace) -> None:
    report = with_pact(shop).judge("check")
    assert (report.verdict, report.exit_code, report.findings) == ("compatible", 0, [])
    assert list(report.cases) == [
        f"pacts::web→catalog::{PACT}",
        "verify::web→catalog::a product",
        "verify::web→catalog::another",
    ]


@pytest.mark.fires("PACT_MISSING")
@pytest.mark.parametrize("empty_folder", [True, False])
def test_no_pact_at_all(shop: Workspace, *, empty_folder: bool) -> None:
    if empty_folder:
        (shop.root / "contracts/pacts").mkdir(parents=True)
    report = shop.judge("check")
    assert (report.verdict, report.exit_code, report.cases) == ("unproven", 3, {})
    found = report.the("PACT_MISSING", "contracts/pacts")
    assert found["message"] == "there is no pact file in 'contracts/pacts'"
    assert found["location"] == {"path": "contracts/pacts", "line": None}
    assert found["fix"].endswith("counterfoil consume")


@pytest.mark.fires("PACT_MISSING")
@pytest.mark.parametrize("command", ["check", "verify"])
def test_a_consumer_that_wrote_no_pact(shop: Workspace, command: str) -> None:
    shop.configure("participants.app", dir=".")
    shop.configure("participants.app.consumer", run=["true"])
    report = with_pact(shop).judge(command)
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    found = report.the("PACT_MISSING", "app")
    assert found["message"] == "app has consumer tests, but no pact file in 'contracts/pacts' names it as its consumer"
    assert found["fix"] == "counterfoil consume --participant app"


@pytest.mark.fires("PACT_MISSING")
def test_verify_without_a_pact_does_not_blame_the_selection(shop: Workspace) -> None:
    report = shop.judge("verify")
    assert report.rules == {("PACT_MISSING", "contracts/pacts")}


@pytest.mark.fires("PACT_EMPTY")
@pytest.mark.parametrize("written_as", [dict, as_v4], ids=["V3", "V4"])
def test_a_pact_without_interactions(shop: Workspace, written_as: Callable[[Object], Object]) -> None:
    shop.pact(written_as(pact("web", "catalog")))
    report = shop.judge_here("check", "--lane", "pacts")
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    found = report.the("PACT_EMPTY", "web→catalog")
    assert found["message"] == "the pact of web with catalog has no interactions, so verifying it proves nothing"
    assert found["location"] == {"path": PACT, "line": None}
    assert found["fix"].endswith("counterfoil consume --participant web")


@pytest.mark.fires("PACT_VERSION_UNKNOWN")
@pytest.mark.parametrize(
    "metadata",
    [
        {"pactSpecification": {"version": "9.9"}},
        {"pact-specification": {"version": "latest"}},
        {"pactSpecificationVersion": 7},
    ],
    ids=["V9.9", "a word", "a number"],
)
def test_a_pact_of_a_specification_that_nobody_knows(shop: Workspace, metadata: Object) -> None:
    shop.pact(pact("web", "catalog", interaction("a product", body={"id": 1}), metadata=metadata))
    report = shop.judge_here("check", "--lane", "pacts")
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    assert "1 to 4 are known" in report.the("PACT_VERSION_UNKNOWN", "web→catalog")["message"]


@pytest.mark.silent("PACT_VERSION_UNKNOWN")
@pytest.mark.parametrize(
    "metadata",
    [
        {"pactSpecification": {"version": "4.0"}},
        {"pact-specification": {"version": "3.0.0"}},
        {"pactSpecificationVersion": "2.0.0"},
        {},
        [],
    ],
    ids=["V4", "V3", "V2", "none", "no object"],
)
def test_a_pact_of_a_known_specification_or_of_none(shop: Workspace, metadata: object) -> None:
    shop.pact(pact("web", "catalog", interaction("a product", body={"id": 1}), metadata=metadata))
    assert shop.judge_here("check", "--lane", "pacts").rules == set()


@pytest.mark.fires("PACT_PARTICIPANT_UNKNOWN")
@pytest.mark.parametrize("declared", [True, False])
def test_a_provider_that_nobody_can_start(shop: Workspace, *, declared: bool) -> None:
    if declared:
        shop.configure("participants.stock", dir=".")
    shop.pact(pact("web", "stock", interaction("a stock", body={"id": 1})))
    report = with_pact(shop).judge("check")
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    assert report.cases["verify::web→stock::a stock"] == "unproven"
    assert report.cases["verify::web→catalog::a product"] == "compatible"
    found = report.the("PACT_PARTICIPANT_UNKNOWN", "stock")
    assert found["message"] == "counterfoil.toml does not say how to start 'stock', the provider of 1 interactions"
    assert found["fix"] == "add [participants.stock.provider] with a start command to counterfoil.toml"
    assert found["location"]["path"] == "contracts/pacts/web-stock.json"


@pytest.mark.parametrize(
    ("name", "table"),
    [("a stock.v2", '[participants."a stock.v2".provider]'), ('pro\'v """ #', None), ("läden", None)],
)
def test_the_advice_for_a_provider_is_toml_that_can_be_written(shop: Workspace, name: str, table: str | None) -> None:
    shop.pact(pact("web", name, interaction("a stock", body={"id": 1})))
    fix = with_pact(shop).judge("check").the("PACT_PARTICIPANT_UNKNOWN", name)["fix"]
    if table is None:
        assert fix.startswith("no participant of counterfoil.toml can have that name")
    else:
        assert fix == f"add {table} with a start command to counterfoil.toml"
        assert tomllib.loads(table) == {"participants": {name: {"provider": {}}}}


@pytest.mark.fires("INTERACTION_DUPLICATED")
def test_two_interactions_of_one_description(shop: Workspace) -> None:
    path = shop.pact(
        pact("web", "catalog", interaction("twin", body={"id": 1}), interaction("twin", path="/null", body={"id": 1}))
    )
    report = shop.judge("check")
    assert report.exit_code == 1, "the one that fails is not hidden by the one that holds"
    assert [case["verdict"] for case in report.document["cases"] if case["lane"] == "verify"] == [
        "compatible",
        "broken",
    ]
    found = report.the("INTERACTION_DUPLICATED", "web→catalog::twin")
    assert found["level"] == "unproven"
    assert found["message"].startswith("2 interactions are called 'twin'; ")
    line = line_of((shop.root / path).read_text(), '"description": "twin"', nth=2)
    assert found["location"] == {"path": path, "line": line}
    assert found["fix"] == "give each a description of its own in web's contract tests"


@pytest.mark.fires("INTERACTION_NOT_RUN")
def test_an_interaction_that_the_verifier_leaves_out(shop: Workspace) -> None:
    """Pact's verifier takes a V3 file with messages for one of messages only."""
    shop.pact(
        pact("web", "catalog", interaction("a product", body={"id": 1}), messages=[message("sold", {"ids": [1]})])
    )
    report = shop.judge("check")
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    assert report.cases["verify::web→catalog::sold"] == "compatible"
    assert report.cases["verify::web→catalog::a product"] == "unproven"
    found = report.the("INTERACTION_NOT_RUN", "web→catalog::a product")
    assert found["message"] == "the verifier did not run 'a product' against catalog"
    assert found["location"]["path"] == PACT
    assert "unique description" in found["fix"]


@pytest.mark.fires("ARRAY_WITHOUT_MIN")
@pytest.mark.parametrize("written_as", [dict, as_v2, as_v4], ids=["V3", "V2", "V4"])
def test_an_array_that_may_be_empty(shop: Workspace, written_as: Callable[[Object], Object]) -> None:
    document = pact("web", "catalog", interaction("tags", body={"tags": ["old"]}, rules={"$.tags": BY_TYPE}))
    path = shop.pact(written_as(document))
    report = shop.judge_here("check", "--lane", "pacts")
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    found = report.the("ARRAY_WITHOUT_MIN", "web→catalog::tags::response $.tags")
    assert found["message"].startswith("the array at $.tags of the response is matched by type without a minimum")
    line = line_of((shop.root / path).read_text(), '"description": "tags"')
    assert found["location"] == {"path": path, "line": line}
    assert "each_like(..., min=1)" in found["fix"]


def test_an_array_that_may_be_empty_passes_whatever_its_elements_are(shop: Workspace) -> None:
    """Why the rule above is needed: Pact's verifier is content with `[]`."""
    shop.provide("catalog", {"routes": {"GET /product": {"body": {"tags": []}}}})
    shop.pact(pact("web", "catalog", interaction("tags", body={"tags": ["old"]}, rules={"$.tags": BY_TYPE})))
    report = shop.judge("check")
    assert report.cases["verify::web→catalog::tags"] == "compatible"
    assert report.rules == {("ARRAY_WITHOUT_MIN", "web→catalog::tags::response $.tags")}


@pytest.mark.silent("ARRAY_WITHOUT_MIN")
@pytest.mark.parametrize("written_as", [dict, as_v2, as_v4], ids=["V3", "V2", "V4"])
def test_an_array_with_a_minimum_or_without_a_matcher(shop: Workspace, written_as: Callable[[Object], Object]) -> None:
    at_least_one: Object = {"$.tags": {"match": "type", "min": 1}}
    rules: list[Object] = [at_least_one, {"$.id": {"match": "integer"}}, {"$.tags[*]": BY_TYPE}, {}]
    body = {"id": 1, "tags": ["new"]}
    interactions = [interaction(f"{number}", body=body, rules=rule) for number, rule in enumerate(rules)]
    shop.pact(written_as(pact("web", "catalog", *interactions)))
    assert shop.judge_here("check", "--lane", "pacts").findings == []


@pytest.mark.fires("ARRAY_WITHOUT_MIN")
@pytest.mark.parametrize("written_as", [dict, as_v4], ids=["V3", "V4"])
def test_an_array_of_a_message_that_may_be_empty(shop: Workspace, written_as: Callable[[Object], Object]) -> None:
    sold = message("sold", {"ids": [1]}) | {"matchingRules": {"body": {"$.ids": {"matchers": [BY_TYPE]}}}}
    shop.pact(written_as(message_pact("web", "catalog", sold)))
    report = shop.judge_here("check", "--lane", "pacts")
    assert report.rules == {("ARRAY_WITHOUT_MIN", "web→catalog::sold::message $.ids")}


# --- what the user left out ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "cases"),
    [
        (["-k", "ANOTHER"], ["verify::web→catalog::another"]),
        (["-k", "verify::web"], ["verify::web→catalog::a product", "verify::web→catalog::another"]),
        (["--lane", "pacts"], ["pacts::app→catalog::contracts/pacts/app-catalog.json", f"pacts::web→catalog::{PACT}"]),
        (["--lane", "pacts", "--lane", "verify", "-k", "a product"], ["verify::web→catalog::a product"]),
        (["--participant", "web", "-k", "another"], ["verify::web→catalog::another"]),
        (["--participant", "app"], ["pacts::app→catalog::contracts/pacts/app-catalog.json", "verify::app→catalog::x"]),
    ],
)
def test_a_selection_judges_what_it_names(shop: Workspace, arguments: list[str], cases: list[str]) -> None:
    shop.pact(pact("app", "catalog", interaction("x", body={"id": 1})))
    assert with_pact(shop).run_here("check", "--list", *arguments).stdout.splitlines() == cases


def test_what_is_listed_is_what_is_judged(shop: Workspace) -> None:
    shop.pact(pact("app", "catalog", interaction("x", body={"id": 1})))
    arguments = ["--lane", "pacts", "--lane", "verify", "--participant", "web", "-k", "a"]
    report = with_pact(shop).judge_here("check", *arguments)
    assert shop.run_here("check", "--list", *arguments).stdout.splitlines() == list(report.cases)
    assert "verify::app→catalog::x" not in report.cases


def test_a_selection_leaves_a_broken_interaction_out(shop: Workspace) -> None:
    shop.pact(
        pact("web", "catalog", interaction("good", body={"id": 1}), interaction("bad", path="/null", body={"id": 1}))
    )
    assert shop.judge("verify", "-k", "good").verdict == "compatible"
    assert shop.judge("verify", "-k", "bad").verdict == "broken"


@pytest.mark.fires("FILTER_MATCHED_NOTHING")
@pytest.mark.parametrize(
    ("arguments", "subject"), [(["-k", "no such case"], "no such case"), (["--lane", "schema"], "selection")]
)
def test_a_selection_that_matches_nothing(shop: Workspace, arguments: list[str], subject: str) -> None:
    report = with_pact(shop).judge_here("check", *arguments)
    assert (report.verdict, report.exit_code, report.cases) == ("unproven", 3, {})
    found = report.the("FILTER_MATCHED_NOTHING", subject)
    assert found["message"] == "the selection matches none of the 3 cases, so nothing was judged"
    assert found["fix"] == "loosen --lane, --participant or -k; 'counterfoil check --list' shows every case"


@pytest.mark.fires("FILTER_MATCHED_NOTHING")
def test_a_workspace_with_nothing_to_judge(shop: Workspace) -> None:
    shop.tables.pop("pacts")
    shop.configure("")
    report = shop.judge("check")
    found = report.the("FILTER_MATCHED_NOTHING", "counterfoil.toml")
    assert found["fix"] == "add [pacts] or [schema] to counterfoil.toml"
    assert report.exit_code == 3


def test_listing_a_selection_that_matches_nothing_is_not_green(shop: Workspace) -> None:
    ran = with_pact(shop).run_here("check", "--list", "-k", "no such case")
    assert (ran.exit_code, ran.stdout) == (3, "")


def test_an_unknown_participant_is_a_usage_error(shop: Workspace) -> None:
    ran = with_pact(shop).run_here("check", "--participant", "catalogue")
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.error == {
        "error": "unknown participant 'catalogue'",
        "at": "--participant",
        "why": "did you mean 'catalog'? valid: catalog, web",
        "next": "name a participant of counterfoil.toml or of a pact",
    }


def test_a_report_is_the_only_thing_on_stdout(shop: Workspace) -> None:
    assert with_pact(shop).judge("check").stderr == ""
