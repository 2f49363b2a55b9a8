"""The probe through the command line: planted bugs are found and shrunk, equals agree, silence is not agreement."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import Judged, Workspace

BUGGY = Path(__file__).resolve().parent / "stubs" / "buggy.py"
PROTO = """
syntax = "proto3";
package probe.v1;

message Thing {
  string name = 1;
  optional int32 stock = 2;
  int64 id = 3;
}
"""
CLASSES = {
    "null_as_empty": {"presence", "accept-reject"},
    "zero_dropped": {"presence"},
    "int64_rounded": {"value"},
    "unknown_lost": {"re-encoding loss"},
    "everything_accepted": {"accept-reject"},
    "first_key_only": {"order dependence"},
}


@pytest.fixture
def probed(shop: Workspace) -> Workspace:
    """A workspace with a schema of one message."""
    shop.tables.pop("pacts")
    shop.configure("schema", dir="protos")
    shop.write("protos/probe/v1/thing.proto", PROTO)
    return shop


def with_stub(workspace: Workspace, *command: str) -> Workspace:
    workspace.configure("stubs.other", start=[sys.executable, *command])
    return workspace


def probe(workspace: Workspace, *more: str) -> Judged:
    return workspace.judge("probe", "--budget", "10s", *more)


@pytest.mark.silent("DIVERGENCE", "STUB_SAID_NOTHING")
def test_the_same_runtime_twice_agrees_on_everything(probed: Workspace) -> None:
    report = probe(with_stub(probed, "-m", "counterfoil.stub.runtime"))
    assert (report.verdict, report.findings) == ("compatible", [])
    assert report.cases == {"probe::probe.v1.Thing::divergences": "compatible"}


@pytest.mark.fires("DIVERGENCE")
@pytest.mark.parametrize("bug", CLASSES)
def test_a_planted_bug_is_found_and_shrunk(probed: Workspace, bug: str) -> None:
    report = probe(with_stub(probed, str(BUGGY), bug))
    assert report.verdict == "broken"
    classes = {found["subject"].split(" | ")[0] for found in report.findings}
    assert classes & CLASSES[bug], classes
    for found in report.findings:
        witness = json.loads((probed.root / found["location"]["path"]).read_text())
        assert witness["divergence"]["signature"] == found["subject"]
        fields = witness["payload"]["path"].split(" + ")
        assert len(fields) <= 3, witness["payload"]


@pytest.mark.fires("DIVERGENCE")
def test_a_witness_replays_until_the_bug_is_gone(probed: Workspace) -> None:
    found = probe(with_stub(probed, str(BUGGY), "zero_dropped")).findings[0]
    probed.write("other/other.proto", 'syntax = "proto3";\npackage other;\nmessage Other {}\n')
    path = found["location"]["path"]
    assert found["fix"] == f"counterfoil replay {path}"
    still = probed.run("replay", path)
    assert still.exit_code == 1
    *payload_and_outcomes, ruling = still.stdout.splitlines()
    assert payload_and_outcomes == [
        "probe.v1.Thing, binary: 2 stock: 0",
        "  other   read as {}, written as no bytes",
        "  python  read as {stock: 0}, written as 10 00",
        "still so (presence): stock: other sees absent; python sees 0",
    ]
    assert ruling.startswith("by the specification: other is wrong: every value in a serialization is a present field")
    gone = with_stub(probed, "-m", "counterfoil.stub.runtime").run("replay", path)
    assert gone.exit_code == 0
    assert gone.stdout.splitlines() == [
        "probe.v1.Thing, binary: 2 stock: 0",
        "  other   read as {stock: 0}, written as 10 00",
        "          before: read as {}, written as no bytes",
        "  python  read as {stock: 0}, written as 10 00",
        "no longer so: they agree; it was presence: stock: other sees absent; python sees 0",
    ]
    silent = with_stub(probed, str(BUGGY), "silent").run("replay", path)
    assert (silent.exit_code, silent.stdout.splitlines()[-1]) == (3, "not judged: not all of them read it now")
    other = probed.run("replay", path, "--schema", str(probed.root / "other"))
    assert other.error["error"] == "the schema has no message 'probe.v1.Thing', whose payload this is"
    probed.tables["stubs.another"] = probed.tables.pop("stubs.other")
    probed.configure("stubs.another")
    unknown = probed.run("replay", path)
    assert (unknown.error["error"], unknown.error["at"]) == ("unknown stub 'other'", path)
    file = probed.root / path
    document = json.loads(file.read_text())
    document["payload"]["base64"] = "e30="
    file.write_text(json.dumps(document))
    edited = probed.run("replay", path)
    assert (edited.exit_code, edited.stdout) == (2, "")
    assert "was edited" in edited.error["error"]


def test_a_crash_that_takes_two_readings_is_found_shrunk_and_replayed(probed: Workspace) -> None:
    found = with_stub(probed, str(BUGGY), "ends_at_the_second_zero").judge("probe", "--budget", "60").findings
    crashes = [one for one in found if one["subject"].startswith("crash | ")]
    assert crashes
    for one in crashes:
        path = one["location"]["path"]
        witness = json.loads((probed.root / path).read_text())
        assert len(witness["payload"]["path"].split(" + ")) <= 3
        replayed = probed.run("replay", path)
        assert (replayed.exit_code, replayed.stdout.count("crashed with exit code 9")) == (1, 1)


def test_what_a_stub_often_dies_of_is_shrunk_all_the_same(probed: Workspace) -> None:
    fields = "".join(f"  optional int32 f{number} = {number};\n" for number in range(1, 10))
    probed.write("protos/probe/v1/wide.proto", f'syntax = "proto3";\npackage probe.v1;\nmessage Wide {{\n{fields}}}\n')
    found = with_stub(probed, str(BUGGY), "ends_of_four_fields").judge(
        "probe", "--message", "*.Wide", "--budget", "300"
    )
    crashes = [one["location"]["path"] for one in found.findings if one["subject"].startswith("crash | ")]
    assert crashes
    for path in crashes:
        readable = json.loads((probed.root / path).read_text())["payload"]["readable"]
        assert readable.count("f") == 4, readable


def test_the_same_seed_finds_the_same(probed: Workspace) -> None:
    with_stub(probed, str(BUGGY), "int64_rounded")
    assert probe(probed, "--seed", "7").rules == probe(probed, "--seed", "7").rules


@pytest.mark.fires("STUB_SAID_NOTHING")
def test_a_stub_that_skips_everything_is_not_taken_for_agreement(probed: Workspace) -> None:
    report = probe(with_stub(probed, str(BUGGY), "silent"))
    assert report.verdict == "unproven"
    assert report.rules == {("STUB_SAID_NOTHING", "probe.v1.Thing::other")}


def test_one_stub_alone_is_a_usage_error(probed: Workspace) -> None:
    ran = probed.run("probe")
    assert ran.exit_code == 2
    assert ran.error["error"] == "'python' alone has nobody to disagree with"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--stub", "pyton", "--stub", "other"], "unknown stub 'pyton'"),
        (["--message", "probe.v1.Thin"], "no message of the schema matches 'probe.v1.Thin'"),
        (["--schema", "no-such-folder"], "there is no 'no-such-folder'"),
        (["--schema", "empty-folder"], "'empty-folder' has no .proto files"),
        (["--schema", "empty.binpb"], "the schema has no messages"),
        (["--schema", "counterfoil.toml"], "'counterfoil.toml' is not an image"),
        (["--schema", "refused"], "Python's protobuf refuses the schema 'refused'"),
        (["--schema", "misnamed"], "the file 'inner/\\xff.proto' in 'misnamed' has a name that is not UTF-8"),
    ],
)
def test_what_cannot_be_probed_is_a_usage_error(probed: Workspace, arguments: list[str], told: str) -> None:
    probed.write("empty-folder/README", "no protos")
    probed.write("empty.binpb", "")
    swapped = 'string a = 1 [json_name = "b"];\n  string b = 2 [json_name = "a"];'
    probed.write("refused/x.proto", f'syntax = "proto3";\nmessage M {{\n  {swapped}\n}}\n')
    probed.write("misnamed/inner/\udcff.proto", 'syntax = "proto3";\nmessage M {}\n')
    ran = with_stub(probed, "-m", "counterfoil.stub.runtime").run("probe", *arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.error["error"] == told
    assert ran.error["next"]


def test_a_schema_without_messages_says_so(probed: Workspace) -> None:
    probed.write("protos/probe/v1/thing.proto", 'syntax = "proto3";\npackage probe.v1;\nenum Kind { NONE = 0; }\n')
    ran = with_stub(probed, "-m", "counterfoil.stub.runtime").run("probe")
    assert ran.exit_code == 2
    assert ran.error["error"] == "the schema has no messages"


def test_a_stub_of_another_language_is_compared_as_its_page_says(probed: Workspace) -> None:
    own = BUGGY.parent / "thing.pl"
    probed.configure("stubs.perl", start=["perl", str(own)])
    of_service = probed.run("probe", "--stub", "perl", "--stub", "python", "--budget", "5")
    assert of_service.exit_code == 2
    assert 'kind = "runtime"' in of_service.error["next"]
    probed.configure("stubs.perl", kind="runtime")
    assert probe(probed, "--stub", "perl", "--stub", "python").cases.keys() == {"probe::probe.v1.Thing::divergences"}


def test_a_stub_that_cannot_start_is_a_usage_error(probed: Workspace) -> None:
    ran = with_stub(probed, "-c", "raise SystemExit('planted')").run("probe")
    assert ran.exit_code == 2
    assert ran.error["error"].startswith("the stub 'other' cannot be used: ")
    assert "planted" in ran.error["why"]
    assert "start-within-s" in ran.error["next"]


def test_a_schema_that_does_not_compile_is_located(probed: Workspace) -> None:
    probed.write("protos/probe/v1/thing.proto", PROTO.replace("int64 id", "int65 id"))
    ran = with_stub(probed, "-m", "counterfoil.stub.runtime").run("probe")
    assert ran.exit_code == 2
    assert ran.error["at"] == "protos/probe/v1/thing.proto:8:3"


CTRL_C_IN_A_CALLBACK = """
import gc, os, signal, sys
from counterfoil.commands.cli import main

def press(phase, info):
    frame = sys._getframe()
    while frame and frame.f_code.co_name != "random_payloads":
        frame = frame.f_back
    if frame:
        gc.callbacks.remove(press)
        os.kill(os.getpid(), signal.SIGINT)
        [None for _ in range(1000)]  # the handler runs here

gc.callbacks.append(press)
main()
"""


def test_ctrl_c_is_heard_where_an_exception_would_be_dropped(probed: Workspace) -> None:
    with_stub(probed, str(BUGGY), "zero_dropped")
    ran = subprocess.run(
        [sys.executable, "-c", CTRL_C_IN_A_CALLBACK, "probe", "--budget", "60s", "--format", "json"],
        cwd=probed.root,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 130, ran.stderr
    assert ran.stderr.decode().endswith("interrupted; what was found so far is kept\n")
    rules = {found["rule"] for found in json.loads(ran.stdout)["findings"]}
    assert rules == {"DIVERGENCE", "SEARCH_INTERRUPTED"}
