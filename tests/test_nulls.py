"""What a contract allows is given to the decoder that reads it: read as what it is, misread, rejected, or unproven."""

from __future__ import annotations

import json
import sys

import pytest
from counterfoil.results.result_cache import REUSED

from tests.builders import Object, Workspace, interaction, line_of, message, message_pact, pact
from tests.readers import AMOUNT, BY_TYPE, NULL, amounts, cell, nulls, reads, with_reader


@pytest.fixture
def shop(shop: Workspace) -> Workspace:
    """A provider, a consumer with a stub, and no pact yet."""
    return with_reader(shop)


@pytest.mark.silent("STATE_REJECTED", "STATE_MISREAD", "READER_UNKNOWN", "BODY_NOT_DERIVED", "STATE_NOT_READ")
@pytest.mark.silent("READER_NOT_STARTED", "VALUE_REJECTED")
def test_a_reader_that_tells_every_state_apart_is_proven(shop: Workspace) -> None:
    amounts(reads(shop, "faithful"), (3, BY_TYPE), (None, NULL))
    report = nulls(shop)
    assert (report.verdict, report.exit_code, report.findings) == ("compatible", 0, [])
    assert cell(report) == {"null": "proven", "default": "proven", "value": "proven"}
    names = ["0 (answer)", "0 (response)", "1 (answer)", "1 (response)"]
    assert list(report.cases) == [f"nulls::web→catalog::{name}" for name in names]


def test_what_was_read_is_reused_with_its_matrix_until_something_changes(shop: Workspace) -> None:
    amounts(reads(shop, "faithful"), (3, BY_TYPE), (None, NULL))
    for table in ("participants.catalog.provider", "stubs.web-stub"):
        shop.configure(table, inputs=["catalog/*.json"] if table == "stubs.web-stub" else ["*.json"])
    reports = [nulls(shop) for _ in range(2)]
    assert [{case["note"] for case in one.document["cases"]} for one in reports] == [{""}, {REUSED}]
    assert reports[0].document["null_matrix"] == reports[1].document["null_matrix"] != []
    assert reports[1].document["steps"] == []
    misread = nulls(reads(shop, "zeroing"))
    assert misread.verdict == "broken"
    assert misread.cases["nulls::web→catalog::0 (answer)"] == "compatible"
    assert {case["note"] for case in misread.document["cases"] if "response" in case["id"]} == {""}
    assert nulls(shop).document["null_matrix"] == misread.document["null_matrix"], "what failed is judged each time"


@pytest.mark.fires("STATE_MISREAD")
@pytest.mark.parametrize(
    ("decoder", "state", "value", "seen"),
    [("zeroing", "null", "null", "0"), ("emptying", "null", "null", '""'), ("falsy", "default", "0", "null")],
)
def test_a_state_that_is_read_as_another(shop: Workspace, decoder: str, state: str, value: str, seen: str) -> None:
    path = amounts(reads(shop, decoder), (3, BY_TYPE), (None, NULL))
    report = nulls(shop)
    found = report.the("STATE_MISREAD", f"{AMOUNT} {state}")
    assert found["message"] == f"the contract lets catalog send `$.amount: {value}`; web reads it as {seen}"
    assert (report.verdict, found["level"], cell(report)[state]) == ("broken", "behaviour", "misread")
    description = '"description": "1"' if state == "null" else '"description": "0"'
    assert found["location"] == {"path": path, "line": line_of((shop.root / path).read_text(), description)}
    assert found["evidence"][0] == {"kind": "output", "label": "payload", "lines": [f'{{"amount":{value}}}']}


@pytest.mark.fires("STATE_MISREAD")
def test_a_whole_number_that_is_rounded(shop: Workspace) -> None:
    amounts(reads(shop, "double"), (3, {"match": "integer"}))
    message = nulls(shop).the("STATE_MISREAD", f"{AMOUNT} value")["message"]
    assert message.endswith("send `$.amount: 9007199254740993`; web reads it as 9007199254740992.0")


def test_a_number_with_a_fraction_may_be_a_double(shop: Workspace) -> None:
    amounts(reads(shop, "double"), (1.5, {"match": "number"}))
    assert nulls(shop).verdict == "compatible"


@pytest.mark.fires("STATE_REJECTED")
def test_null_that_is_rejected_is_named_by_its_field(shop: Workspace) -> None:
    amounts(reads(shop, "strict"), (3, BY_TYPE), (None, NULL))
    report = nulls(shop)
    found = report.the("STATE_REJECTED", f"{AMOUNT} null")
    assert found["message"].startswith("the contract lets catalog send `$.amount: null`; web rejects it: ")
    assert found["evidence"][1]["lines"] == [
        "$.amount: the matching rule at $.amount, `null`: null and nothing else (V3, 'Matchers')"
    ]
    assert cell(report) == {"null": "rejected", "default": "proven", "value": "proven"}


@pytest.mark.fires("STATE_REJECTED")
def test_a_reader_that_dies_of_null(shop: Workspace) -> None:
    amounts(reads(shop, "dying"), (None, NULL))
    found = nulls(shop).the("STATE_REJECTED")
    assert found["message"].endswith("web ends with exit code 3 on it")


@pytest.mark.fires("VALUE_REJECTED")
def test_a_value_out_of_range_is_listed_and_fails_nothing(shop: Workspace) -> None:
    amounts(reads(shop, "strict"), ("x", {"match": "regex", "regex": "x?"}), (3, BY_TYPE))
    amounts(reads(shop, "strict"), (3, {"match": "notEmpty"}))
    report = nulls(shop)
    assert (report.verdict, report.the("VALUE_REJECTED")["level"]) == ("compatible", "additive")


@pytest.mark.fires("STATE_REJECTED")
def test_what_the_lattice_lacks_is_made_up_and_shrunk_to_one_character(shop: Workspace) -> None:
    amounts(reads(shop, "ascii"), ("abc", {"match": "regex", "regex": "\\w+"}))
    found = nulls(shop).the("STATE_REJECTED", f"{AMOUNT} value")
    assert found["message"].endswith("web ends with exit code 3 on it")
    (payload,) = found["evidence"][0]["lines"]
    text = json.loads(payload)["amount"]
    assert (len(text), text.isascii()) == (1, False)


@pytest.mark.fires("STATE_MISREAD")
def test_a_number_that_is_rounded_far_beyond_a_double_is_made_up(shop: Workspace) -> None:
    amounts(reads(shop, "doubling"), (3, {"match": "integer"}))
    found = nulls(shop).the("STATE_MISREAD", f"{AMOUNT} value")
    (payload,) = found["evidence"][0]["lines"]
    assert 2**60 < abs(json.loads(payload)["amount"]) < 2**61


@pytest.mark.fires("READER_UNKNOWN")
def test_an_interaction_without_a_reader_is_unproven(shop: Workspace) -> None:
    amounts(reads(shop, "faithful", interactions=["1"]), (3, BY_TYPE), (None, NULL))
    report = nulls(shop)
    found = report.the("READER_UNKNOWN", "web→catalog::0 (response)")
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    assert found["fix"] == 'add [[participants.web.decoders]] with sender = "catalog" to counterfoil.toml'


def test_a_body_that_is_not_looked_at_needs_no_reader(shop: Workspace) -> None:
    amounts(reads(shop, None), (3, BY_TYPE))
    assert nulls(shop).verdict == "compatible"


@pytest.mark.fires("BODY_NOT_DERIVED")
def test_a_body_that_is_not_json_is_unproven(shop: Workspace) -> None:
    document = pact("web", "catalog", interaction("page", body="<p>3</p>"))
    document["interactions"][0]["response"]["headers"] = {"Content-Type": "text/html"}
    shop.provide(
        "catalog", {"routes": {"GET /product": {"body": "<p>3</p>", "headers": {"content-type": "text/html"}}}}
    )
    reads(shop, "faithful").pact(document)
    assert nulls(shop).the("BODY_NOT_DERIVED")["message"].endswith("is not known: the body is text/html, not JSON")


@pytest.mark.fires("METADATA_NOT_TRIED")
@pytest.mark.parametrize("name", ["topic", "$.topic"], ids=["V4", "as a path"])
def test_metadata_that_may_be_otherwise_is_unproven(shop: Workspace, name: str) -> None:
    sold = message("sold", {"amount": 3}) | {"matchingRules": {"metadata": {name: {"matchers": [BY_TYPE]}}}}
    reads(shop, "faithful").pact(message_pact("web", "catalog", sold))
    report = nulls(shop)
    assert report.verdict == "unproven"
    found = report.the("METADATA_NOT_TRIED", "web→catalog::sold (message) topic")
    assert "allows every 'topic' in its metadata" in found["message"]


@pytest.mark.silent("METADATA_NOT_TRIED")
def test_metadata_that_is_as_in_the_example_needs_no_trial(shop: Workspace) -> None:
    sold = message("sold", {"amount": 3}) | {"matchingRules": {"metadata": {"contentType": {"matchers": [BY_TYPE]}}}}
    sold["metadata"] |= {"topic": "sales"}
    reads(shop, "faithful").pact(message_pact("web", "catalog", sold))
    assert nulls(shop).findings == []


@pytest.mark.fires("BODY_NOT_DERIVED")
def test_a_pattern_that_is_not_modelled_leaves_its_field_unproven(shop: Workspace) -> None:
    amounts(reads(shop, "faithful"), ("aa", {"match": "regex", "regex": "(a+)+"}))
    report = nulls(shop)
    assert "has a construct that is not modelled" in report.the("BODY_NOT_DERIVED", AMOUNT)["message"]
    assert cell(report)["null"] == "unproven"


@pytest.mark.fires("STATE_NOT_READ")
def test_a_stub_without_the_decoder_proves_nothing(shop: Workspace) -> None:
    amounts(reads(shop, "unheard of"), (3, BY_TYPE))
    report = nulls(shop)
    assert (report.verdict, report.rules) == ("unproven", {("STATE_NOT_READ", "web→catalog::response $ value")})


@pytest.mark.fires("READER_NOT_STARTED")
def test_a_stub_that_does_not_start_proves_nothing(shop: Workspace) -> None:
    shop.configure("stubs.web-stub", start=[sys.executable, "-c", "exit('no database')"])
    amounts(reads(shop, "faithful"), (3, BY_TYPE))
    report = nulls(shop)
    assert report.verdict == "unproven"
    found = report.the("READER_NOT_STARTED", "web-stub")
    assert found["evidence"][0]["lines"] == ["no database"]
    assert "start-within-s" in found["fix"]


@pytest.mark.fires("STATE_MISREAD")
def test_messages_are_read_too(shop: Workspace) -> None:
    sold = message("sold", {"amount": None}) | {"matchingRules": {"body": {"$.amount": {"matchers": [NULL]}}}}
    reads(shop, "zeroing", part="message").pact(message_pact("web", "catalog", sold))
    assert nulls(shop).rules == {("STATE_MISREAD", "web→catalog::message $.amount null")}


PROTO = 'syntax = "proto3"; package shop; message Product { optional int32 amount = 1; string name = 2; }'


def with_schema(shop: Workspace) -> Workspace:
    """The decoder's message is one of the workspace's schema, in which the amount may be unset."""
    shop.write("protos/buf.yaml", "version: v2\n")
    shop.write("protos/shop/product.proto", PROTO)
    shop.configure("schema", dir="protos")
    return reads(shop, "shop.Product")


@pytest.mark.fires("STATE_NOT_SHOWN")
def test_a_field_that_may_be_unset_and_never_is(shop: Workspace) -> None:
    amounts(with_schema(shop), (3, {"match": "integer"}))
    report = nulls(shop)
    found = report.the("STATE_NOT_SHOWN", "web→catalog::$.amount")
    assert found["message"] == (
        "shop.Product.amount may be unset, and no interaction says what web does when `amount` is null"
    )
    assert found["evidence"][0]["lines"] == [
        "(",
        "    pact.upon_receiving('0, amount null')",
        "    .with_request('GET', '/product/0')",
        "    .will_respond_with(200)",
        "    .with_body({'amount': None}, content_type='application/json')",
        ")",
    ]
    assert report.verdict == "unproven"


def test_what_the_provider_did_send_to_others_is_told(shop: Workspace) -> None:
    amounts(with_schema(shop), (3, {"match": "integer"}))
    other = interaction("none", path="/product/1", body={"amount": None})
    shop.pact(pact("phone", "catalog", other))
    routes = {"GET /product/0": {"body": {"amount": 3}}, "GET /product/1": {"body": {"amount": None, "more": []}}}
    shop.provide("catalog", {"routes": routes})
    shop.configure("participants.phone", dir=".", decoders=[{"sender": "catalog"}])
    report = nulls(shop)
    found = report.the("STATE_NOT_SHOWN", "web→catalog::$.amount")
    assert found["evidence"][0] == {
        "kind": "output", "label": "seen", "lines": ["catalog did send $.amount null in phone→catalog"]
    }  # fmt: skip
    rows = [row for row in report.document["null_matrix"] if row["field"] == "response $.amount"]
    sent = {row["contract"]: (row["sent"], row["states"] != {}) for row in rows}
    assert sent == {"web→catalog": (["value"], True), "phone→catalog": (["null"], False)}
    lines = shop.run_here("nulls").stdout.splitlines()
    assert next(line for line in lines if line.startswith("web→catalog ")).split()[-3:] == ["catalog", "did", "send"]


@pytest.mark.silent("STATE_NOT_SHOWN")
def test_a_field_that_is_shown_unset(shop: Workspace) -> None:
    amounts(with_schema(shop), (3, {"match": "integer"}), (None, NULL))
    assert nulls(shop).findings == []


@pytest.mark.fires("SCHEMA_DOES_NOT_COMPILE")
def test_a_schema_that_does_not_compile_is_said(shop: Workspace) -> None:
    amounts(with_schema(shop), (3, {"match": "integer"}))
    shop.write("protos/shop/product.proto", "syntax = 3;")
    assert {rule for rule, _ in nulls(shop).rules} == {"SCHEMA_DOES_NOT_COMPILE"}


def test_the_matrix_is_printed_above_the_findings(shop: Workspace) -> None:
    amounts(reads(shop, "zeroing"), (3, BY_TYPE), (None, NULL))
    lines = shop.run_here("nulls").stdout.splitlines()
    assert lines[0].split() == ["web→catalog", "catalog", "web", "catalog", "did", "send"]
    row = next(line.split() for line in lines if line.startswith("response $.amount"))
    assert row == ["response", "$.amount", "null", "misread;", "default,", "value", "proven", "null,", "value"]


def test_it_is_part_of_a_check_once_a_participant_says_how_it_reads(shop: Workspace) -> None:
    amounts(shop, (3, BY_TYPE))
    assert shop.run_here("check", "--list").stdout.splitlines()[-1].startswith("verify::")
    reads(shop, "faithful")
    listed = ["nulls::web→catalog::0 (response)", "nulls::web→catalog::0 (answer)"]
    assert shop.run_here("check", "--list").stdout.splitlines()[-2:] == listed


@pytest.mark.parametrize("named", ["in the pact", "by the participant"])
def test_a_pact_names_its_decoder_itself(shop: Workspace, named: str) -> None:
    amounts(shop, (3, BY_TYPE), (None, NULL))
    references = {"decoder": "zeroing"} | ({"stub": "web-stub"} if named == "in the pact" else {})
    if named == "by the participant":
        shop.configure("participants.web", stub="web-stub")
    file = shop.root / "contracts/pacts/web-catalog.json"
    document = json.loads(file.read_text())
    document["interactions"][1]["comments"] = {"references": {"counterfoil": references}}
    file.write_text(json.dumps(document))
    assert nulls(shop).rules == {
        ("STATE_MISREAD", f"{AMOUNT} null"),
        ("READER_UNKNOWN", "web→catalog::0 (response)"),
    }
    reads(shop, "faithful")
    assert nulls(shop).verdict == "compatible"


@pytest.mark.fires("READER_UNKNOWN")
def test_a_pact_that_names_no_known_stub_has_no_reader(shop: Workspace) -> None:
    amounts(shop, (3, BY_TYPE))
    file = shop.root / "contracts/pacts/web-catalog.json"
    document = json.loads(file.read_text())
    document["interactions"][0]["comments"] = {"references": {"counterfoil": {"decoder": "faithful", "stub": "x"}}}
    file.write_text(json.dumps(document))
    assert nulls(shop).rules == {("READER_UNKNOWN", "web→catalog::0 (response)")}


@pytest.mark.fires("READER_UNKNOWN")
def test_without_any_reader_every_interaction_is_unproven_with_what_to_add(shop: Workspace) -> None:
    amounts(shop, (3, BY_TYPE), (None, NULL))
    report = nulls(shop)
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    assert report.rules == {("READER_UNKNOWN", f"web→catalog::{number} (response)") for number in (0, 1)}
    lines = report.the("READER_UNKNOWN", "web→catalog::1 (response)")["evidence"][0]["lines"]
    assert [line.partition("  #")[0] for line in lines] == [
        "[[participants.web.decoders]]",
        'sender = "catalog"',
        'interactions = ["1"]',
        'message = "NAME"',
        'stub = "web-stub"',
        "[stubs.web-stub]",
        'participant = "web"',
        'start = ["COMMAND"]',
    ]
    assert report.cases["nulls::web→catalog::1 (answer)"] == "compatible"


def test_what_is_to_be_added_is_all_that_is_missing(shop: Workspace) -> None:
    amounts(shop, (3, BY_TYPE))
    shop.configure("stubs.web-stub", participant="web")
    lines = nulls(shop).the("READER_UNKNOWN")["evidence"][0]["lines"]
    file = shop.root / "counterfoil.toml"
    file.write_text(file.read_text() + "\n" + "\n".join(lines).replace("NAME", "faithful"))
    assert nulls(shop).verdict == "compatible"


def test_a_check_without_any_reader_says_so_in_a_line_and_stays_green(shop: Workspace) -> None:
    amounts(shop, (3, BY_TYPE), (None, NULL))
    said = "null lane: 2 interactions without a named decoder, not judged; 'counterfoil nulls' lists them"
    ran = shop.run_here("check")
    assert (ran.exit_code, ran.stderr.splitlines()[-1]) == (0, said)
    assert said not in shop.run_here("check", "--lane", "verify").stderr
    assert said not in reads(shop, "faithful").run_here("check").stderr


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ({"sender": "catalog", "message": "faithful", "stub": "web"}, "unknown stub 'web'"),
        ({"sender": "catalog", "message": "faithful"}, "decoder for 'catalog' needs both message and stub"),
    ],
    ids=["unknown", "half"],
)
def test_a_reader_that_cannot_be_is_refused(shop: Workspace, entry: Object, error: str) -> None:
    amounts(shop, (3, BY_TYPE))
    shop.configure("participants.web", decoders=[entry])
    ran = shop.run_here("nulls")
    assert ran.exit_code == 2
    assert ran.error["error"].startswith(error)
