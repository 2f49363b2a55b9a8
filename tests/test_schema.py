"""Schemas are linted, and compared with their baseline."""

from __future__ import annotations

import pytest

from tests.builders import Judged, Object, Workspace, line_of

PROTO = """\
syntax = "proto3";

package shop.v1;

message Product {
  string name = 1;
  int32 stock = 2;
}
"""
FILE = "protos/shop/v1/shop.proto"
LINT, BREAKING = "schema::protos::lint", "schema::protos::breaking"


@pytest.fixture
def shop(shop: Workspace) -> Workspace:
    """A schema with a baseline of the same content."""
    shop.tables.pop("pacts")
    shop.configure("schema", dir="protos", against="released")
    shop.write(FILE, PROTO)
    shop.write("released/shop/v1/shop.proto", PROTO)
    return shop


def the_only(report: Judged, rule: str, subject: str) -> Object:
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    assert report.rules == {(rule, subject)}
    return report.the(rule)


@pytest.mark.silent(
    "SCHEMA_MISSING",
    "SCHEMA_BASELINE_MISSING",
    "SCHEMA_BASELINE_EMPTY",
    "SCHEMA_DOES_NOT_COMPILE",
    "SCHEMA_UNUSABLE",
    "BUF_FAILED",
)
def test_a_schema_that_did_not_change_is_compatible(shop: Workspace) -> None:
    report = shop.judge("check")
    assert (report.verdict, report.exit_code, report.findings) == ("compatible", 0, [])
    assert report.cases == {LINT: "compatible", BREAKING: "compatible"}


def test_an_added_field_is_compatible(shop: Workspace) -> None:
    shop.write(FILE, PROTO.replace("stock = 2;", "stock = 2;\n  bool listed = 3;"))
    assert shop.judge_here("breaking").cases == {BREAKING: "compatible"}


@pytest.mark.fires("MESSAGE_PASCAL_CASE")
def test_a_lint_violation_is_located(shop: Workspace) -> None:
    text = PROTO + "\nmessage price_tag {}\n"
    shop.write(FILE, text)
    shop.write("protos/buf.yaml", "version: v2\n")
    report = shop.judge_here("check")
    assert report.cases == {LINT: "broken", BREAKING: "compatible"}
    found = report.the("MESSAGE_PASCAL_CASE")
    assert found["location"] == {"path": FILE, "line": line_of(text, "price_tag")}
    assert found["fix"].startswith(f"correct {FILE}:{line_of(text, 'price_tag')}, or name the rule under lint.except")


def test_what_no_buf_yaml_asks_for_is_listed_and_fails_nothing(shop: Workspace) -> None:
    shop.write(FILE, PROTO + "\nmessage price_tag {}\n")
    report = shop.judge_here("check", "-k", "::lint")
    assert report.verdict == "compatible"
    assert report.the("MESSAGE_PASCAL_CASE")["level"] == "source"


def test_lint_rules_of_buf_yaml_hold(shop: Workspace) -> None:
    shop.write(FILE, PROTO + "\nmessage price_tag {}\n")
    shop.write("protos/buf.yaml", "version: v2\nlint:\n  except: [MESSAGE_PASCAL_CASE]\n")
    assert shop.judge_here("check", "-k", "::lint").verdict == "compatible"


@pytest.mark.fires("SCHEMA_DOES_NOT_COMPILE")
def test_a_schema_that_does_not_compile_is_located(shop: Workspace) -> None:
    text = PROTO.replace("string name = 1;", "strin name = 1;")
    shop.write(FILE, text)
    report = shop.judge_here("check")
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    assert report.cases == {LINT: "unproven", BREAKING: "unproven"}
    line = line_of(text, "strin name")
    found = report.the("SCHEMA_DOES_NOT_COMPILE", f"{FILE}:{line}:3")
    assert "strin" in found["message"]
    assert found["fix"] == f"correct {FILE}"
    assert found["location"] == {"path": FILE, "line": line}
    assert {one["location"]["path"] for one in report.findings} == {FILE}, "lint and breaking name one file alike"


@pytest.mark.fires("SCHEMA_MISSING")
@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_without_a_schema(shop: Workspace, *, exists: bool) -> None:
    shop.configure("schema", dir="empty")
    if exists:
        shop.write("empty/README.md", "nothing here")
    found = the_only(shop.judge_here("check"), "SCHEMA_MISSING", "empty")
    assert found["message"] == "'empty' has no .proto files, so there is no schema to judge"
    assert found["fix"] == "correct schema.dir in counterfoil.toml"
    assert found["location"] == {"path": "counterfoil.toml", "line": None}


@pytest.mark.fires("SCHEMA_BASELINE_MISSING")
def test_a_schema_without_a_baseline(shop: Workspace) -> None:
    shop.configure("schema", against=None)
    report = shop.judge_here("check")
    assert report.cases == {LINT: "compatible", BREAKING: "unproven"}
    found = the_only(report, "SCHEMA_BASELINE_MISSING", "protos")
    assert found["message"] == "'protos' has no baseline to be compared with"
    assert found["fix"].startswith("set schema.against, or pass --against: a folder, an image (.binpb) or git:REF")


@pytest.mark.fires("SCHEMA_BASELINE_EMPTY")
@pytest.mark.parametrize("kind", ["folder", "image"])
def test_an_empty_baseline_proves_nothing(shop: Workspace, kind: str) -> None:
    shop.write("empty/README.md", "")
    shop.write("empty.binpb", b"")
    against = {"folder": "empty", "image": "empty.binpb"}[kind]
    found = the_only(shop.judge_here("breaking", "--against", against), "SCHEMA_BASELINE_EMPTY", "protos")
    assert found["message"] == f"the baseline '{against}' has no schema in it, so nothing could break"


@pytest.mark.fires("BUF_FAILED")
@pytest.mark.parametrize("content", [b"version: v9\n", b"- a\n"], ids=["version", "list"])
def test_what_buf_cannot_read_is_unproven(shop: Workspace, content: bytes) -> None:
    shop.write("protos/buf.yaml", content)
    shop.write(FILE, PROTO.replace("int32 stock", "int64 stock"))
    found = shop.judge_here("check").the("BUF_FAILED", "protos")
    assert found["fix"] == "see what it said, then run 'counterfoil doctor'"


@pytest.mark.fires("SCHEMA_UNUSABLE")
def test_a_baseline_that_is_no_image_leaves_a_check_unproven(shop: Workspace) -> None:
    shop.write("released.binpb", b"\xff\xff not an image")
    shop.configure("schema", against="released.binpb")
    report = shop.judge_here("check")
    assert report.cases == {LINT: "compatible", BREAKING: "unproven"}
    assert report.the("SCHEMA_UNUSABLE", "protos")["message"].startswith("'released.binpb' is not an image: ")


@pytest.mark.fires("SCHEMA_DOES_NOT_COMPILE")
def test_a_baseline_that_does_not_compile_leaves_a_check_unproven(shop: Workspace) -> None:
    shop.write("released/shop/v1/shop.proto", PROTO.replace("message", "massage"))
    report = shop.judge_here("check")
    assert report.cases == {LINT: "compatible", BREAKING: "unproven"}
    assert {found["location"]["path"] for found in report.findings} == {"released/shop/v1/shop.proto"}


def test_a_check_judges_the_change_through_the_runtimes(shop: Workspace) -> None:
    shop.write(FILE, PROTO.replace("int32 stock", "string stock"))
    report = shop.judge_here("check")
    assert report.cases == {LINT: "compatible", BREAKING: "broken"}
    assert report.the("FIELD_TYPE_CHANGED", "shop.v1.Product.stock")["level"] == "behaviour"
