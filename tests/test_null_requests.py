"""Every request that a contract allows is sent to the running provider, which has to answer as the contract says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from counterfoil.allowance.requests import Allowance, allowance_of, objection
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Interaction, Json, parse_pact

from tests.builders import Judged, Object, Workspace, as_v2, as_v4, interaction, line_of, pact
from tests.pact_matcher import text_matcher

BY_TYPE: Object = {"match": "type"}
CASE = "nulls::web→catalog::a search (answer)"
SUBJECT = "web→catalog::a search"
FOUND: Object = {"found": 1}


def rules(**places: Object) -> Object:
    """Matching rules of a request as V3 has them: `body={"$.limit": BY_TYPE}`, `query={"limit": BY_TYPE}`."""
    made: Object = {
        category: {place: {"matchers": [matcher]} for place, matcher in entries.items()}
        for category, entries in places.items()
        if category != "path"
    }
    return made | ({"path": {"matchers": [places["path"]]}} if "path" in places else {})


def search(matching: Object | None = None, **request: object) -> Object:
    """An interaction that posts a search."""
    made = interaction("a search", body=FOUND)
    made["request"] = {"method": "POST", "path": "/search", "matchingRules": matching or {}, **request}
    return made


def posts(body: object, **matchers: Object) -> Object:
    """A search with a JSON body and matchers for it by member."""
    matching = rules(body={f"$.{member}": matcher for member, matcher in matchers.items()})
    return search(matching, body=body, headers={"Content-Type": "application/json"})


def asks(shop: Workspace, made: Object, answer: Object | None = None, **entries: object) -> str:
    """A pact with this interaction, and a provider that gives this answer; the path of the pact."""
    route: Object = {"body": FOUND} | (answer or {})
    states: Object = {"known": ["", "a user"], "fail": ["locked"]}
    shop.provide("catalog", {"routes": {f"{made['request']['method']} /search": route}, "states": states}, **entries)
    nothing_read = [{"sender": "catalog"}]
    shop.configure("participants.web", dir=".", decoders=nothing_read)
    return shop.pact(pact("web", "catalog", made))


def nulls(shop: Workspace) -> Judged:
    return shop.judge_here("nulls")


def cells(report: Judged) -> dict[str, Any]:
    """The states of each field that the provider is sent."""
    return {row["field"]: row["states"] for row in report.document["null_matrix"] if row["participant"] == "catalog"}


@pytest.mark.silent("REQUEST_FAILED", "REQUEST_NOT_TRIED", "STATE_REJECTED", "VALUE_REJECTED")
def test_a_provider_that_answers_every_allowed_request_is_proven(shop: Workspace) -> None:
    asks(shop, posts({"limit": 5, "sort": None}, limit=BY_TYPE))
    report = nulls(shop)
    assert (report.verdict, report.findings) == ("compatible", [])
    assert report.cases[CASE] == "compatible"
    assert cells(report) == {
        "request path": {"value": "proven"},
        "request header X-Counterfoil-Extra": {"extra": "proven"},
        "request $": {"value": "proven"},
        "request $.limit": {"value": "proven", "default": "proven"},
        "request $.sort": {"null": "proven"},
    }


@pytest.mark.fires("REQUEST_FAILED")
def test_a_server_error_is_a_finding_with_the_request_and_what_was_printed(shop: Workspace) -> None:
    error = {"status": 500, "body": "division by zero", "log": "the catalog divides by zero"}
    path = asks(shop, posts({"limit": 5}, limit=BY_TYPE), {"unless": {'"limit": 0': error}})
    report = nulls(shop)
    found = report.the("REQUEST_FAILED", "web→catalog::request $.limit default")
    assert found["message"] == (
        "the contract lets web send `$.limit: 0`; catalog answers 500, where the contract says 200"
    )
    assert (found["level"], report.verdict) == ("behaviour", "broken")
    assert found["location"] == {"path": path, "line": line_of((shop.root / path).read_text(), '"a search"')}
    evidence = {one["label"]: one["lines"] for one in found["evidence"]}
    assert evidence["payload"] == ["POST /search", "Content-Type: application/json", '{"limit": 0}']
    assert evidence["allowed by"] == [
        "$.limit: the matching rule at $.limit, `type`: a value of the same JSON type (V2, 'Matchers')"
    ]
    assert evidence["it answered 500"] == ['"division by zero"']
    assert "the catalog divides by zero" in evidence["it printed"]
    assert cells(report)["request $.limit"] == {"default": "rejected", "value": "proven"}


@pytest.mark.fires("REQUEST_FAILED")
@pytest.mark.parametrize(
    ("answer", "words"),
    [({"die": True}, "ends with exit code 9 on it"), ({"hang": True}, "gives no answer to it in 0.3 s")],
    ids=["dies", "hangs"],
)
def test_a_provider_that_dies_or_hangs_is_started_anew(shop: Workspace, answer: Object, words: str) -> None:
    asks(shop, posts({"limit": 5}, limit=BY_TYPE), {"unless": {'"limit": 0': answer}}, answer_within_s=0.3)
    report = nulls(shop)
    assert report.the("REQUEST_FAILED", "web→catalog::request $.limit default")["message"].endswith(words)
    assert cells(report)["request $.limit"] == {"default": "rejected", "value": "proven"}


@pytest.mark.fires("REQUEST_NOT_TRIED", "REQUEST_FAILED")
def test_a_provider_that_dies_again_and_again_is_given_up(shop: Workspace) -> None:
    made = posts({"limit": 5}, limit=BY_TYPE)
    dying = {"unless": {'"limit": 5}': {"body": FOUND}, '"limit"': {"die": True}}}
    asks(shop, made, dying)
    report = nulls(shop)
    assert report.the("REQUEST_NOT_TRIED")["message"].endswith("4 requests hung or ended it")
    assert report.verdict == "broken"


@pytest.mark.fires("STATE_REJECTED")
def test_a_refusal_of_a_presence_state_is_a_finding(shop: Workspace) -> None:
    refusal = {"status": 400, "body": {"error": "limit must be positive"}}
    asks(shop, posts({"limit": 5}, limit=BY_TYPE), {"unless": {'"limit": 0': refusal}})
    report = nulls(shop)
    found = report.the("STATE_REJECTED")
    assert found["message"].endswith("catalog answers 400, where the contract says 200")
    assert {one["label"]: one["lines"] for one in found["evidence"]}["it answered 400"] == [
        '{"error": "limit must be positive"}'
    ]


@pytest.mark.fires("VALUE_REJECTED")
def test_a_refusal_of_a_value_is_listed_and_fails_nothing(shop: Workspace) -> None:
    refusal = {"status": 400, "body": {"error": "limit must be at most 50"}}
    asks(shop, posts({"limit": 5}, limit=BY_TYPE), {"unless": {"9007199254740993": refusal}})
    report = nulls(shop)
    assert (report.verdict, report.rules) == ("compatible", {("VALUE_REJECTED", "web→catalog::request $.limit value")})
    assert cells(report)["request $.limit"] == {"default": "proven", "value": "proven"}


@pytest.mark.fires("STATE_REJECTED")
def test_another_body_than_the_contract_allows(shop: Workspace) -> None:
    asks(shop, posts({"limit": 5}, limit=BY_TYPE), {"unless": {'"limit": 0': {"body": {"found": None}}}})
    found = nulls(shop).the("STATE_REJECTED")
    assert found["message"].endswith("catalog answers 200 with another $.found than the contract allows")


@pytest.mark.fires("STATE_REJECTED")
def test_only_a_pair_is_refused(shop: Workspace) -> None:
    refusal = {"status": 400, "body": None}
    made = posts({"from": 5, "to": 7}, **{"from": BY_TYPE, "to": BY_TYPE})
    asks(shop, made, {"unless": {'"from": 0, "to": 0': refusal}})
    assert nulls(shop).rules == {("STATE_REJECTED", "web→catalog::request $.from default + $.to default")}


@pytest.mark.fires("REQUEST_FAILED")
@pytest.mark.parametrize("version", [dict, as_v4], ids=["v3", "v4"])
def test_parameters_headers_and_paths_are_varied_too(shop: Workspace, version: Any) -> None:  # noqa: ANN401  (a function)
    matching = rules(
        query={"limit": BY_TYPE}, header={"X-Trace": {"match": "regex", "regex": "[a-z0-9]*"}}, path=BY_TYPE
    )
    made = search(matching, method="GET", query={"limit": ["5"]}, headers={"X-Trace": "t1"})
    error = {"status": 503, "body": None}
    asks(shop, made, {"unless": {"limit=\n": error, "x-trace: 0": error}})
    shop.pact(version(pact("web", "catalog", made)))
    report = nulls(shop)
    failed = {subject for rule, subject in report.rules if rule == "REQUEST_FAILED"}
    assert failed == {"web→catalog::request query limit default", "web→catalog::request header X-Trace value"}
    found = report.the("REQUEST_FAILED", "web→catalog::request query limit default")
    assert found["evidence"][0]["lines"] == ["GET /search?limit=", "X-Trace: t1"]
    assert found["message"].startswith('the contract lets web send `query limit: ""`; catalog answers 503')


@pytest.mark.fires("REQUEST_FAILED")
def test_v2_writes_its_rules_and_its_query_otherwise(shop: Workspace) -> None:
    made = search({"$.query.limit": BY_TYPE}, method="GET", query="limit=5&page=1")
    asks(shop, made, {"unless": {"limit=0": {"status": 500, "body": None}}})
    shop.pact(as_v2(pact("web", "catalog", made)))
    assert {subject for rule, subject in nulls(shop).rules if rule == "REQUEST_FAILED"} == {
        "web→catalog::request query limit value"
    }


@pytest.mark.silent("REQUEST_FAILED", "STATE_REJECTED")
@pytest.mark.fires("REQUEST_NOT_TRIED")
def test_a_provider_that_does_not_answer_the_very_example_is_not_accused(shop: Workspace) -> None:
    asks(shop, posts({"limit": 5}, limit=BY_TYPE), {"status": 500})
    report = nulls(shop)
    assert report.rules == {("REQUEST_NOT_TRIED", SUBJECT)}
    found = report.the("REQUEST_NOT_TRIED")
    assert "its very example is not answered as the contract says: it answers 500" in found["message"]
    assert found["fix"] == "counterfoil verify --participant catalog -k 'a search'"
    assert (report.verdict, cells(report)) == ("unproven", {"request $": {"value": "unproven"}})


@pytest.mark.fires("REQUEST_NOT_TRIED")
@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("locked", "the setup of provider state 'locked' was answered 500"),
        ("unheard of", "the setup of provider state 'unheard of' was answered 404"),
    ],
)
def test_a_provider_state_that_fails_leaves_an_interaction_untried(shop: Workspace, state: str, words: str) -> None:
    asks(shop, posts({"limit": 5}, limit=BY_TYPE) | {"providerStates": [{"name": state}]})
    assert nulls(shop).the("REQUEST_NOT_TRIED")["message"].endswith(words)


@pytest.mark.silent("REQUEST_NOT_TRIED")
def test_provider_states_are_set_up(shop: Workspace) -> None:
    asks(shop, posts({"limit": 5}, limit=BY_TYPE) | {"providerStates": [{"name": "a user", "params": {"id": 1}}]})
    assert nulls(shop).findings == []


def test_an_unknown_provider_leaves_its_interactions_unproven(shop: Workspace) -> None:
    asks(shop, posts({"limit": 5}, limit=BY_TYPE))
    shop.configure("participants.catalog.provider", start=["no-such-program-anywhere"])
    report = nulls(shop)
    assert ({rule for rule, _ in report.rules}, report.cases[CASE]) == ({"TOOL_MISSING"}, "unproven")


def test_a_provider_that_does_not_start_is_said_so(shop: Workspace) -> None:
    asks(shop, posts({"limit": 5}, limit=BY_TYPE))
    shop.provide("catalog", {"startup": {"exit": 3}})
    report = nulls(shop)
    assert ({rule for rule, _ in report.rules}, report.cases[CASE]) == ({"PROVIDER_NOT_STARTED"}, "unproven")


def test_a_provider_that_does_not_start_is_not_waited_for_again_by_each_interaction(shop: Workspace) -> None:
    made = posts({"limit": 5}, limit=BY_TYPE)
    asks(shop, made)
    shop.pact(pact("web", "catalog", *({**made, "description": f"search {number}"} for number in range(3))))
    starts = shop.root / "starts"
    script = 'echo started >> "$0"; exit 3'
    shop.configure("participants.catalog.provider", start=["sh", "-c", script, str(starts)])
    report = shop.judge_here("check")
    assert (report.the("PROVIDER_NOT_STARTED")["subject"], starts.read_text()) == ("catalog", "started\n")
    assert set(report.cases.values()) == {"compatible", "unproven"}


def test_one_start_serves_the_verification_and_the_trials(shop: Workspace) -> None:
    asks(shop, posts({"limit": 5}, limit=BY_TYPE))
    starts = shop.root / "starts"
    start = shop.tables["participants.catalog.provider"]["start"]
    script = 'echo started >> "$0"; exec "$@"'
    shop.configure("participants.catalog.provider", start=["sh", "-c", script, str(starts), *start])
    report = shop.judge_here("check")
    assert (report.verdict, starts.read_text()) == ("compatible", "started\n")
    assert {"verify::web→catalog::a search", CASE} <= set(report.cases)


# --- what is allowed, purely -----------------------------------------------------------------------------------------


def parsed(made: Object) -> Interaction:
    (only,) = parse_pact("p.json", json.dumps(pact("web", "catalog", made)).encode()).interactions
    return only


def texts(allowance: Allowance, path: str) -> set[str]:
    """The texts that a place may have beside the example's."""
    return {str(item.edit.value) for one in allowance.others for item in one.items if item.path == path}


MATCHERS: list[Object] = [
    {"match": "type"},
    {"match": "integer"},
    {"match": "number"},
    {"match": "decimal"},
    {"match": "boolean"},
    {"match": "notEmpty"},
    {"match": "semver"},
    {"match": "null"},
    {"match": "equality"},
    {"match": "include", "value": "5"},
    {"match": "regex", "regex": "\\d+"},
    {"match": "regex", "regex": "[a-z]*|5.*"},
    {"match": "date", "format": "yyyy"},
]


@pytest.mark.parametrize("matcher", MATCHERS, ids=lambda matcher: str(matcher.get("regex", matcher["match"])))
@pytest.mark.parametrize("category", ["query", "header"])
def test_the_real_matcher_accepts_every_text_that_is_said_to_be_allowed(category: str, matcher: Object) -> None:
    name = "limit" if category == "query" else "X-Limit"
    given: Object = {"query": {name: ["5"]}} if category == "query" else {"headers": {name: "5"}}
    matching = rules(**{category: {name: matcher}})
    allowed = texts(allowance_of(parsed(search(matching, method="GET", **given))), f"{category} {name}")
    with text_matcher(category, name, "5", matching) as matches:
        assert [text for text in sorted(allowed) if not matches(text)] == []
    assert bool(allowed) is (matcher["match"] not in {"semver", "null", "equality", "date"})


def test_without_a_rule_a_request_allows_its_example_and_further_headers() -> None:
    made = search(None, method="GET", query={"limit": ["5"]}, headers={"Accept": "application/json"})
    (only,) = allowance_of(parsed(made)).others
    assert only.lines == (
        "GET /search?limit=5", "Accept: application/json", "X-Counterfoil-Extra: 1"
    )  # fmt: skip


def test_a_path_is_varied_in_its_numbers() -> None:
    made = search(rules(path={"match": "regex", "regex": "/users/\\d+"}), method="GET", path="/users/42")
    assert texts(allowance_of(parsed(made)), "path") == {"/users/0", "/users/1", "/users/9007199254740993"}


def test_a_parameter_with_two_values_is_varied_in_each() -> None:
    made = search(rules(query={"id": {"match": "integer"}}), method="GET", query={"id": ["5", "6"]})
    targets = {one.request.target for one in allowance_of(parsed(made)).others}
    assert {"/search?id=0&id=6", "/search?id=5&id=0"} <= targets


def test_a_body_that_is_not_json_is_sent_as_it_is() -> None:
    page = search(None, body="a=b", headers={"Content-Type": "text/plain"})
    packed = search(None, body={"content": "AAE=", "contentType": "application/octet-stream", "encoded": "base64"})
    assert allowance_of(parsed(page)).example.request.body == b"a=b"
    assert allowance_of(parsed(packed)).example.request.body == b"\x00\x01"
    packed["request"]["body"]["content"] = "?"
    with pytest.raises(UndecidedError):
        allowance_of(parsed(packed))


@pytest.mark.parametrize(
    ("status", "rule", "expected"),
    [
        (200, None, ""),
        (201, None, "answers 201, where the contract says 200"),
        (204, {"match": "statusCode", "status": "success"}, ""),
        (404, {"match": "statusCode", "status": "success"}, "answers 404, where the contract says 200"),
        (404, {"match": "statusCode", "status": [404, 410]}, ""),
    ],
)
def test_an_answer_is_held_to_the_status(status: int, rule: Json, expected: str) -> None:
    made = search()
    if rule:
        made["response"]["matchingRules"] = {"status": {"matchers": [rule]}}
    assert objection(parsed(made), status, b'{"found": 1}') == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"found": 1, "more": 2}', ""),
        (b'{"found": 2}', "answers 200 with another $.found than the contract allows"),
        (b"{}", "answers 200 with another $ than the contract allows"),
        (b"<p>", "answers 200 with a body that is not JSON"),
        (b"\xff", "answers 200 with a body that is not JSON"),
    ],
)
def test_an_answer_is_held_to_the_body(body: bytes, expected: str) -> None:
    assert objection(parsed(search()), 200, body) == expected


def test_a_status_by_a_rule_that_is_not_modelled_is_not_judged() -> None:
    made = search()
    made["response"]["matchingRules"] = {"status": {"matchers": [{"match": "regex", "regex": "2.."}]}}
    with pytest.raises(UndecidedError, match="status"):
        objection(parsed(made), 200, b"{}")


@pytest.mark.fires("STATE_REJECTED")
def test_a_state_that_is_answered_with_another_header_is_a_finding(shop: Workspace) -> None:
    made = posts({"limit": 5}, limit=BY_TYPE)
    made["response"]["headers"]["X-Cache"] = "no-store"
    answer: Object = {"headers": {"X-Cache": "no-store"}, "unless": {'"limit": 0': {"body": FOUND}}}
    asks(shop, made, answer)
    found = nulls(shop).the("STATE_REJECTED", "web→catalog::request $.limit default")
    assert found["message"].endswith("catalog answers 200 without the header X-Cache")
