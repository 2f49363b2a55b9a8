"""What a reader makes of a field: nothing at all, always the same, or something else than was sent."""

from __future__ import annotations

import pytest

from tests.builders import Object, Workspace, interaction, pact
from tests.readers import AMOUNT, BY_TYPE, NULL, amounts, cell, nulls, reads, with_reader


@pytest.fixture
def shop(shop: Workspace) -> Workspace:
    """A provider, a consumer with a stub, and no pact yet."""
    return with_reader(shop)


@pytest.mark.fires("STATE_NOT_READ")
@pytest.mark.parametrize("decoder", ["constant", "blind", "typed", "deaf"])
@pytest.mark.parametrize("matcher", [BY_TYPE, None], ids=["by type", "fixed"])
def test_a_reader_that_answers_the_same_whatever_it_is_given_proves_nothing(
    shop: Workspace, decoder: str, matcher: Object | None
) -> None:
    amounts(reads(shop, decoder), (3, matcher))
    report = nulls(shop)
    found = report.the("STATE_NOT_READ", AMOUNT)
    assert found["message"] == "web reads the same whatever catalog sends as `$.amount`, so nothing is proven of it"
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    assert set(cell(report).values()) == {"unproven"}


@pytest.mark.fires("STATE_NOT_READ")
def test_a_reader_that_asks_for_a_text_and_keeps_nothing_of_it_proves_nothing(shop: Workspace) -> None:
    amounts(reads(shop, "texting"), ("three", None))
    assert nulls(shop).rules == {("STATE_NOT_READ", AMOUNT)}


@pytest.mark.silent("STATE_NOT_READ")
def test_a_reader_whose_values_lack_a_field_ignores_it_safely(shop: Workspace) -> None:
    reads(shop, "ignoring").provide("catalog", {"routes": {"GET /product": {"body": {"amount": 3, "name": "lamp"}}}})
    body = {"amount": 3, "name": "lamp"}
    shop.pact(pact("web", "catalog", interaction("a", body=body, rules={"$.amount": BY_TYPE, "$.name": BY_TYPE})))
    report = nulls(shop)
    assert (report.verdict, report.findings) == ("compatible", [])
    assert cell(report) == {"default": "not read", "value": "not read"}
    assert cell(report, "response $.name") == {"default": "proven", "value": "proven"}
    assert "default, value not read" in shop.run_here("nulls").stdout


def optional_amount(shop: Workspace, *, matched: bool = True) -> None:
    """Two interactions: in the second the amount is not sent."""
    rules: dict[str, Object] = {"$.name": BY_TYPE, "$.amount": BY_TYPE} if matched else {}
    bodies: list[Object] = [{"amount": 3, "name": "lamp"}, {"name": "lamp"}]
    shop.provide("catalog", {"routes": {f"GET /{number}": {"body": body} for number, body in enumerate(bodies)}})
    made = [interaction(f"{number}", path=f"/{number}", body=body, rules=rules) for number, body in enumerate(bodies)]
    shop.pact(pact("web", "catalog", *made))


@pytest.mark.fires("STATE_MISREAD")
@pytest.mark.parametrize("decoder", ["defaulting", "floating"])
def test_absence_that_is_read_as_zero(shop: Workspace, decoder: str) -> None:
    optional_amount(reads(shop, decoder))
    report = nulls(shop)
    found = report.the("STATE_MISREAD", f"{AMOUNT} absent")
    assert found["message"] == "the contract lets catalog send `$.amount: absent`; web reads it as 0"
    assert found["evidence"][0]["lines"] == ['{"name":"lamp"}']
    assert "by an interaction in which it is" in found["evidence"][1]["lines"][0]
    assert cell(report) == {"absent": "misread", "default": "proven", "value": "proven"}


@pytest.mark.silent("STATE_MISREAD")
@pytest.mark.parametrize("decoder", ["deciding", "flagged", "shop.Product", "dropping"])
def test_absence_that_is_told_from_zero_is_proven(shop: Workspace, decoder: str) -> None:
    optional_amount(reads(shop, decoder))
    report = nulls(shop)
    assert (report.verdict, report.rules, cell(report)["absent"]) == ("compatible", set(), "proven")


def test_absence_is_the_default_of_a_field_without_presence(shop: Workspace) -> None:
    shop.write("protos/buf.yaml", "version: v2\n")
    shop.write(
        "protos/shop/named.proto",
        'syntax = "proto3"; package shop; message Named { string name = 1; int32 amount = 2; }',
    )
    shop.configure("schema", dir="protos")
    optional_amount(reads(shop, "shop.Named"))
    assert nulls(shop).findings == []
    shop.write(
        "protos/shop/named.proto",
        'syntax = "proto3"; package shop; message Named { string name = 1; optional int32 amount = 2; }',
    )
    assert nulls(shop).rules == {("STATE_MISREAD", f"{AMOUNT} absent")}


@pytest.mark.fires("STATE_MISREAD")
def test_null_that_is_read_as_absent(shop: Workspace) -> None:
    amounts(reads(shop, "dropping"), (3, BY_TYPE), (None, NULL))
    found = nulls(shop).the("STATE_MISREAD", f"{AMOUNT} null")
    assert found["message"] == "the contract lets catalog send `$.amount: null`; web reads it as absent"


def test_null_beside_a_flag_that_says_so_is_proven(shop: Workspace) -> None:
    amounts(reads(shop, "flagged"), (3, BY_TYPE), (None, NULL))
    assert nulls(shop).verdict == "compatible"


@pytest.mark.fires("STATE_MISREAD")
@pytest.mark.parametrize("matcher", [{"match": "number"}, {"match": "decimal"}, BY_TYPE, None])
def test_a_fraction_that_is_read_as_a_whole_number(shop: Workspace, matcher: Object | None) -> None:
    amounts(reads(shop, "truncating"), (9.5, matcher))
    found = nulls(shop).the("STATE_MISREAD", f"{AMOUNT} value")
    assert found["message"] == "the contract lets catalog send `$.amount: 9.5`; web reads it as 9"
    assert found["evidence"][0]["lines"] == ['{"amount":9.5}']


@pytest.mark.silent("STATE_MISREAD")
@pytest.mark.parametrize("decoder", ["faithful", "double", "cents", "dear"])
def test_a_fraction_that_is_kept_or_put_otherwise_is_proven(shop: Workspace, decoder: str) -> None:
    amounts(reads(shop, decoder), (9.5, {"match": "number"}))
    assert nulls(shop).findings == []


@pytest.mark.fires("STATE_MISREAD")
@pytest.mark.parametrize(("decoder", "text"), [("writing", "None"), ("interpolating", "null")])
def test_nothing_that_is_read_as_a_text_that_says_so(shop: Workspace, decoder: str, text: str) -> None:
    amounts(reads(shop, decoder), (3, BY_TYPE), (None, NULL))
    found = nulls(shop).the("STATE_MISREAD", f"{AMOUNT} null")
    assert found["message"] == f'the contract lets catalog send `$.amount: null`; web reads it as "{text}"'
