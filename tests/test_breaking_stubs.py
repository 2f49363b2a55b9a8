"""`counterfoil breaking`: what a stub that was to be asked, and was not, means for the verdict."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.builders import Workspace
from tests.schema_change import PROTO, RETYPED, STOCK, change

pytestmark = pytest.mark.usefixtures("unchanged_schema")

OPTIONAL = PROTO.replace("int32 stock", "optional int32 stock")
ALONE = PROTO.replace("  int32 stock = 2;", "  oneof one {\n    int32 stock = 2;\n  }")
"""The same on the wire and in JSON, which only runtimes can tell."""
BUGGY = Path(__file__).resolve().parent / "stubs" / "buggy.py"


@pytest.fixture
def alike(shop: Workspace) -> Workspace:
    change(shop, OPTIONAL, "old")
    change(shop, ALONE)
    return shop


def configured(shop: Workspace, *start: str, more: str = "") -> None:
    shop.write("counterfoil.toml", f"format = 1\n[stubs.mine]\nstart = {json.dumps(start)}\n{more}")


@pytest.mark.fires("STUB_NOT_JUDGED")
@pytest.mark.parametrize(
    ("start", "why"),
    [
        ([sys.executable, "-c", "raise SystemExit(3)"], "no answer to the handshake: it ended with exit code 3"),
        (["no-such-stub"], "no answer to the handshake: it ended with exit code 127"),
        (["cat"], 'it takes no schema; kind = "service" says that it need not'),
    ],
)
def test_a_configured_stub_that_cannot_be_asked_leaves_the_change_unproven(
    alike: Workspace, start: list[str], why: str
) -> None:
    configured(alike, *start)
    report = alike.judge_here("breaking", "new", "--against", "old")
    assert report.verdict == "unproven"
    assert report.the("STUB_NOT_JUDGED", "mine")["message"] == f"how 'mine' reads what changed is not known: {why}"
    assert report.document["cases"][0]["note"] == "not asked: mine"


@pytest.mark.silent("STUB_NOT_JUDGED")
def test_a_configured_stub_that_reads_the_same_has_its_part_in_the_verdict(alike: Workspace) -> None:
    configured(alike, sys.executable, "-P", "-m", "counterfoil.stub.runtime")
    report = alike.judge_here("breaking", "new", "--against", "old")
    assert (report.verdict, report.rules) == ("compatible", {("FIELD_ONEOF_CHANGED", STOCK)})
    assert report.document["cases"][0]["note"] == ""


@pytest.mark.parametrize("more", ['kind = "service"\n', 'participant = "web"\n[participants.web]\n'])
def test_a_service_s_stub_is_not_started_and_that_is_said(alike: Workspace, more: str) -> None:
    configured(alike, "no-such-stub", more=more)
    report = alike.judge_here("breaking", "new", "--against", "old")
    assert (report.verdict, report.document["cases"][0]["note"]) == ("compatible", "not asked: mine")


def test_a_change_that_no_runtime_can_read_is_unproven(alike: Workspace) -> None:
    fields = "".join(f"  string f{number} = {number + 20};\n" for number in range(9_000))
    for side, text in (("old", OPTIONAL), ("new", ALONE)):
        change(alike, text.replace("  string name = 1;\n", fields), side)
    report = alike.judge_here("breaking", "new", "--against", "old")
    assert report.verdict == "unproven"
    assert "exceeded maximum size" in report.the("STUB_NOT_JUDGED", "python")["message"]


@pytest.mark.parametrize(
    ("bug", "why"), [("silent", "it read none of the payloads"), ("hangs", "it let its deadline pass 3 times")]
)
def test_a_stub_that_never_answers_leaves_the_change_unproven(alike: Workspace, bug: str, why: str) -> None:
    configured(alike, sys.executable, str(BUGGY), bug, more="answer-within-s = 0.2\n")
    report = alike.judge_here("breaking", "new", "--against", "old")
    assert report.verdict == "unproven"
    assert why in report.the("STUB_NOT_JUDGED", "mine")["message"]


def test_who_is_not_asked_is_told_beside_what_breaks(shop: Workspace) -> None:
    change(shop, RETYPED)
    configured(shop, "no-such-stub")
    report = shop.judge_here("breaking", "new", "--against", "old")
    assert (report.verdict, {rule for rule, _ in report.rules}) == ("broken", {"FIELD_TYPE_CHANGED", "STUB_NOT_JUDGED"})
