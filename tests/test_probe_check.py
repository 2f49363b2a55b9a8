"""The probe as a lane of a check: known divergences are waived, new and vanished ones fail; nothing runs in vain."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys

import pytest

from tests.builders import CLI, CLI_WITHIN_S, Judged, Workspace
from tests.test_probe import BUGGY, PROTO

CASE = "probe::protos::divergences"
WAIVERS = "contracts/waivers.toml"


@pytest.fixture
def checked(shop: Workspace) -> Workspace:
    """A workspace whose check has the lane of the probe, with the same runtime twice."""
    shop.tables.pop("pacts")
    shop.configure("schema", dir="protos", against="protos")
    shop.configure("probe", examples=300)
    shop.write("protos/probe/v1/thing.proto", PROTO)
    shop.write("stub/other.txt", "inputs of the other stub")
    return with_stub(shop, "-m", "counterfoil.stub.runtime")


def with_stub(workspace: Workspace, *command: str) -> Workspace:
    workspace.configure("stubs.other", dir="stub", start=[sys.executable, *command], inputs=["*.txt"])
    return workspace


def note(workspace: Workspace) -> str:
    """How far the lane went, when nothing is amiss."""
    report = workspace.judge("check", "--lane", "probe")
    assert (report.verdict, report.findings) == ("compatible", [])
    return str(report.document["cases"][0]["note"])


@pytest.mark.silent("PROBE_NOT_RUN", "SEARCH_INTERRUPTED", "DIVERGENCE")
def test_a_check_probes_and_reuses_the_result_until_something_changes(checked: Workspace) -> None:
    fresh = "1 searches of up to 300 payloads"
    reused = f"{fresh}, reused: nothing changed since"
    assert [note(checked), note(checked)] == [fresh, reused]
    checked.write("stub/other.txt", "changed")
    assert [note(checked), note(checked)] == [fresh, reused]
    checked.write("protos/probe/v1/thing.proto", PROTO.replace("stock = 2", "stock = 4"))
    assert [note(checked), note(checked)] == [fresh, reused]
    checked.configure("probe", examples=200)
    assert note(checked) == "1 searches of up to 200 payloads"
    for entry in (checked.root / ".counterfoil" / "results").iterdir():
        entry.write_text("{")
    assert note(checked) == "1 searches of up to 200 payloads"


@pytest.mark.parametrize("inputs", [[], ["*.txt", "*.misspelt"]], ids=["none", "one that matches nothing"])
def test_nothing_is_reused_when_inputs_of_a_stub_are_not_known(checked: Workspace, inputs: list[str]) -> None:
    checked.configure("stubs.other", inputs=inputs)
    assert [note(checked), note(checked)] == ["1 searches of up to 300 payloads"] * 2


@pytest.mark.fires("PROBE_NOT_RUN")
@pytest.mark.parametrize("edit", [{"base64": "EAE="}, {"encoding": "json"}], ids=["bytes", "encoding"])
def test_an_edited_witness_is_trusted_by_nobody(checked: Workspace, edit: dict[str, str]) -> None:
    with_stub(checked, str(BUGGY), "zero_dropped")
    found = checked.judge("check", "--lane", "probe").findings
    path = next(one["location"]["path"] for one in found if " | binary | " in one["subject"])
    document = json.loads((checked.root / path).read_text())
    document["payload"].update(edit)
    checked.write(path, json.dumps(document))
    for command in (["probe", "--budget", "5"], ["replay", path]):
        ran = checked.run(*command)
        assert (ran.exit_code, ran.stdout) == (2, "")
        assert ran.error["error"].endswith("was edited: its bytes are not those that the finding was written for")
    not_run = checked.judge("check", "--lane", "probe").the("PROBE_NOT_RUN")
    assert "was edited" in not_run["message"]
    assert path in not_run["message"]


@pytest.mark.fires("DIVERGENCE", "WAIVER_UNMATCHED")
def test_a_known_divergence_is_waived_until_it_vanishes(checked: Workspace) -> None:
    with_stub(checked, str(BUGGY), "zero_dropped")
    found = checked.judge("check").findings
    assert {one["rule"] for one in found} == {"DIVERGENCE"}
    entry = '\n[[waiver]]\nrule = "DIVERGENCE"\nsubject = "*other / python"\nowner = "o"\nreason = "r"\n'
    checked.write(WAIVERS, f"format = 1\n{entry}")
    for _ in ("found", "reused"):
        report = checked.judge("check")
        assert report.verdict == "compatible"
        assert report.document["counts"]["findings"]["waived"] == len(found)
    gone = with_stub(checked, "-m", "counterfoil.stub.runtime").judge("check")
    assert gone.verdict == "broken"
    assert gone.rules == {("WAIVER_UNMATCHED", "DIVERGENCE::*other / python")}
    assert checked.judge("check", "--lane", "schema").verdict == "compatible"


def test_the_lane_is_listed_and_selected(checked: Workspace) -> None:
    assert CASE in checked.run("check", "--list").stdout.splitlines()
    checked.tables.pop("stubs.other")
    checked.configure("probe")
    assert CASE not in checked.run("check", "--list").stdout


@pytest.mark.fires("PROBE_NOT_RUN")
def test_a_stub_that_does_not_start_leaves_the_other_lanes_judged(checked: Workspace) -> None:
    report = with_stub(checked, "-c", "raise SystemExit('planted')").judge("check")
    assert report.verdict == "unproven"
    assert "planted" in report.the("PROBE_NOT_RUN")["message"]
    assert report.cases["schema::protos::breaking"] == "compatible"


@pytest.mark.fires("TOOL_MISSING")
def test_a_stub_without_its_tools_is_named(checked: Workspace) -> None:
    checked.configure("stubs.other", tools=["no-such-tool"])
    assert checked.judge("check", "--lane", "probe").the("TOOL_MISSING")["subject"] == "other"


def interrupted(workspace: Workspace, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command that gets Ctrl-C once its stub answers no more; no child is left."""
    workspace.configure("stubs.other", answer_within_s=600.0)
    pipe = workspace.root / "stub" / "asked"
    os.mkfifo(pipe)
    asked = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with subprocess.Popen(
        [*CLI, *arguments], cwd=workspace.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert select.select([asked], [], [], CLI_WITHIN_S)[0], "the stub was not asked often enough"
            stub = int(os.read(asked, 100))
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=CLI_WITHIN_S)
        finally:
            process.kill()
            os.close(asked)
    with pytest.raises(ProcessLookupError):
        os.kill(stub, 0)
    assert "Traceback" not in stderr
    return process.returncode, stdout, stderr


@pytest.mark.fires("SEARCH_INTERRUPTED", "DIVERGENCE")
@pytest.mark.silent("RUN_INTERRUPTED")
def test_ctrl_c_ends_a_probe_and_keeps_what_was_found(checked: Workspace) -> None:
    with_stub(checked, str(BUGGY), "zero_dropped_then_hangs")
    exit_code, stdout, stderr = interrupted(checked, "probe", "--budget", "1000000", "--format", "json")
    assert exit_code == 130, stderr
    assert "interrupted; what was found so far is kept" in stderr
    report = Judged(130, json.loads(stdout), "")
    assert report.verdict == "broken"
    assert {one["rule"] for one in report.findings} == {"DIVERGENCE", "SEARCH_INTERRUPTED"}
    for found in report.findings:
        if found["rule"] == "DIVERGENCE":
            assert checked.root.joinpath(found["location"]["path"]).is_file()
    assert "payloads, it was interrupted" in report.document["cases"][0]["note"]


@pytest.mark.fires("RUN_INTERRUPTED")
def test_ctrl_c_ends_a_check_and_reports_what_was_found(checked: Workspace) -> None:
    with_stub(checked, str(BUGGY), "zero_dropped_then_hangs")
    checked.configure("probe", examples=1_000_000)
    exit_code, stdout, stderr = interrupted(checked, "check", "--format", "json")
    assert exit_code == 130, stderr
    assert "interrupted; what was found so far is kept" in stderr
    report = Judged(130, json.loads(stdout), "")
    rules = {one["rule"] for one in report.findings}
    assert rules == {"DIVERGENCE", "SEARCH_INTERRUPTED", "RUN_INTERRUPTED"}
    assert report.the("RUN_INTERRUPTED")["level"] == "unproven"
    assert {"schema::protos::breaking", CASE} <= report.cases.keys()
    told = {one["subject"].partition(" | ")[0] for one in report.findings if one["rule"] == "DIVERGENCE"}
    assert told == {"presence"}  # none of a stub that was ended


def test_ctrl_c_ends_a_replay(checked: Workspace) -> None:
    with_stub(checked, str(BUGGY), "zero_dropped")
    path = checked.judge("probe", "--budget", "500").findings[0]["location"]["path"]
    with_stub(checked, str(BUGGY), "hangs")
    exit_code, stdout, stderr = interrupted(checked, "replay", path)
    assert (exit_code, stdout) == (130, "")
    assert stderr.strip() == "interrupted; every process that was started has ended"
