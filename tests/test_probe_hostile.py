"""Stubs that misbehave, through the command line: each is a clear outcome, and none stops the run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from counterfoil.probing.stubs import TIMEOUTS

from tests.builders import Workspace
from tests.test_probe import PROTO

HOSTILE = Path(__file__).resolve().parent / "stubs" / "hostile.py"
OUTCOMES = {
    "exits mid-frame": ("crash", "exit code 3"),
    "announces 4 GiB": ("garbled", "4294967295"),
    "wrong sequence": ("garbled", "an answer to request"),
    "not a response": ("garbled", "not a response"),
}


@pytest.fixture
def hosted(shop: Workspace) -> Workspace:
    shop.tables.pop("pacts")
    shop.configure("schema", dir="protos")
    shop.write("protos/probe/v1/thing.proto", PROTO)
    return shop


def host(workspace: Workspace, *how: str) -> Workspace:
    workspace.configure(
        "stubs.hostile",
        start=[sys.executable, str(HOSTILE), *how, "anything"],
        answer_within_s=0.3,
        start_within_s=10.0,
    )
    return workspace


@pytest.mark.fires("DIVERGENCE")
@pytest.mark.parametrize("how", OUTCOMES)
def test_a_hostile_stub_is_a_finding_and_the_run_goes_on(hosted: Workspace, how: str) -> None:
    class_, told = OUTCOMES[how]
    report = host(hosted, how, "always").judge("probe", "--budget", "5")
    assert report.verdict == "broken"
    found = [one for one in report.findings if one["subject"].startswith(f"{class_} | ")]
    assert found, report.rules
    assert told in found[0]["message"]


@pytest.mark.parametrize(
    ("how", "told"), [("fails at import", "No module named 'planted'"), ("no handshake", "nothing came within 1 s")]
)
def test_a_stub_that_never_works_is_a_usage_error(hosted: Workspace, how: str, told: str) -> None:
    host(hosted, how).configure("stubs.hostile", start_within_s=1.0 if how == "no handshake" else 10.0)
    ran = hosted.run("probe", "--budget", "5")
    assert ran.exit_code == 2
    assert told in ran.stderr


@pytest.mark.fires("STUB_GIVEN_UP")
def test_a_stub_that_dies_of_everything_leaves_the_rest_unproven(hosted: Workspace) -> None:
    report = host(hosted, "exits mid-frame", "always").judge("probe", "--budget", "300")
    assert report.the("STUB_GIVEN_UP", "probe.v1.Thing::hostile")["level"] == "unproven"


@pytest.mark.fires("STUB_GIVEN_UP", "DIVERGENCE")
def test_a_stub_that_never_answers_is_given_up_soon(hosted: Workspace) -> None:
    report = host(hosted, "silent", "always").judge("probe", "--budget", "30")
    assert "never answered" in report.the("STUB_GIVEN_UP", "probe.v1.Thing::hostile")["message"]
    assert len([one for one in report.findings if one["subject"].startswith("timeout | ")]) <= 2  # one per encoding


@pytest.mark.fires("STUB_GIVEN_UP", "DIVERGENCE")
def test_a_stub_that_hangs_now_and_then_is_given_up_and_its_timeouts_are_one_finding(hosted: Workspace) -> None:
    report = host(hosted, "slow", "some").judge("probe", "--budget", "2000")
    given_up = report.the("STUB_GIVEN_UP", "probe.v1.Thing::hostile")
    assert given_up["level"] == "unproven"
    assert f"it let its deadline pass {TIMEOUTS} times:" in given_up["message"]
    timeouts = [one["subject"] for one in report.findings if one["subject"].startswith("timeout | ")]
    assert len(timeouts) == len({one.split(" | ")[1] for one in timeouts}) > 0, timeouts  # one for each encoding
    assert all(" | anything | no answer | " in one for one in timeouts)


@pytest.mark.silent("STUB_GIVEN_UP")
def test_a_stub_that_only_answers_wrongly_is_asked_to_the_end(hosted: Workspace) -> None:
    report = host(hosted, "not a response", "always").judge("probe", "--budget", "20")
    assert "STUB_GIVEN_UP" not in {rule for rule, _ in report.rules}
