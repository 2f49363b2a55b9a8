"""`stub doctor`: it finds nothing wrong with the stubs that we ship, and names what each unruly one does wrong."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

import pytest
from counterfoil.probing.stub_doctor import golden_frames

from tests import golden
from tests.builders import ROOT, Judged, Workspace

STUBS = Path(__file__).resolve().parent / "stubs"
HOSTILE, UNRULY = str(STUBS / "hostile.py"), str(STUBS / "unruly.py")
NODE = ["node", str(ROOT / "harness" / "stub-node" / "src" / "runtime.js")]
RULE = re.compile(r"docs/stubs\.md, rule (\d+): (.+)")
WITHIN_S = 30.0
SOON_S = 0.5


def with_stub(workspace: Workspace, *start: str, **more: object) -> Workspace:
    """A workspace with one stub."""
    workspace.tables.pop("pacts", None)
    workspace.configure("stubs.other", start=list(start), **({"answer_within_s": 5.0, "start_within_s": 10.0} | more))
    return workspace


def examine(workspace: Workspace, *start: str, **more: object) -> Judged:
    return with_stub(workspace, *start, **more).judge_here("stub", "doctor", "other")


def broken_rules(report: Judged) -> set[int]:
    """The numbers of the rules that the findings send the reader to."""
    fixes = [RULE.fullmatch(found["fix"]) for found in report.findings if found["rule"] == "STUB_BREAKS_PROTOCOL"]
    return {int(match[1]) for match in fixes if match}


@pytest.mark.silent("STUB_BREAKS_PROTOCOL", "STUB_NOT_JUDGED")
@pytest.mark.parametrize(
    ("start", "more"),
    [
        ((sys.executable, "-m", "counterfoil.stub.runtime"), {}),
        (
            (sys.executable, "-m", "counterfoil.stub.runtime"),
            {"env": {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}},
        ),
        (NODE, {"lane": "protobuf-es"}),
        (NODE, {"lane": "protobufjs"}),
        (
            ("cargo", "run", "--locked", "--quiet", "--bin", "counterfoil-runtime-stub"),
            {"dir": "rust", "start_within_s": 600.0},
        ),
    ],
    ids=["upb", "pure Python", "protobuf-es", "protobufjs", "prost-reflect"],
)
def test_our_runtime_stubs_keep_every_rule(shop: Workspace, start: tuple[str, ...], more: dict[str, object]) -> None:
    if "dir" in more:
        (shop.root / "rust").symlink_to(ROOT / "harness" / "stub-rust")
    report = examine(shop, *start, **({"start_within_s": 60.0, "answer_within_s": 30.0} | more))
    assert (report.verdict, report.findings) == ("compatible", [])
    assert report.cases["stub::other::observing JSON"] == "compatible"


@pytest.mark.silent("STUB_BREAKS_PROTOCOL", "STUB_NOT_JUDGED")
@pytest.mark.parametrize(
    ("folder", "start", "env"),
    [
        ("storefront", ("node", "src/stub.js"), {}),
        ("recommender/stub", ("cargo", "run", "--locked", "--quiet"), {}),
        ("ranker", (".venv/bin/python", "-m", "ranker.stub"), {"PYTHONPATH": f".:{ROOT / 'harness'}"}),
    ],
    ids=["storefront", "recommender", "ranker"],
)
def test_the_service_stubs_of_the_reference_system_keep_every_rule(
    shop: Workspace, folder: str, start: tuple[str, ...], env: dict[str, str]
) -> None:
    (shop.root / "service").symlink_to(ROOT / "providers" / folder)
    report = examine(shop, *start, dir="service", env=env, start_within_s=600.0, answer_within_s=30.0)
    assert (report.verdict, report.findings) == ("compatible", [])
    assert report.cases["stub::other::own message, observing JSON"] == "compatible"
    assert "stub::other::observing JSON" not in report.cases


@pytest.mark.fires("STUB_BREAKS_PROTOCOL")
@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("silent", "got no answer within 0.5 s"),
        ("slow", "got no answer within 0.5 s"),
        ("exits mid-frame", "got it ended with exit code 3 in the middle of a frame"),
        ("killed", "got it ended with exit code 137"),
        ("announces 4 GiB", "a frame of 4294967295 bytes is larger than the limit"),
        ("chatty", "it wrote b'hello from a print statement"),
        ("wrong sequence", "got an answer to request 10"),
        ("wrong format", "got json_payload '{}'"),
        ("not a response", "3 bytes that are no Response"),
    ],
)
def test_a_hostile_stub_is_told_what_it_does(shop: Workspace, how: str, told: str) -> None:
    began_s = time.monotonic()
    report = examine(shop, sys.executable, HOSTILE, how, "always", answer_within_s=SOON_S)
    assert time.monotonic() - began_s < WITHIN_S
    assert report.verdict == "broken"
    assert any(told in found["message"] for found in report.findings), [one["message"] for one in report.findings]
    assert broken_rules(report)


@pytest.mark.fires("STUB_BREAKS_PROTOCOL")
@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ("out of order", 3),
        ("always the same", 9),
        ("holds back", 4),
        ("skips everything", 5),
        ("brings nothing", 5),
        ("answers in another format", 8),
        ("accepts unknown messages", 9),
        ("observes unasked", 10),
        ("observes nonsense", 10),
        ("observes nothing", 10),
        ("floods stderr", 2),
        ("talks at the end", 2),
        ("fails at the end", 12),
        ("stays at the end", 12),
    ],
)
def test_a_broken_rule_is_named(shop: Workspace, how: str, rule: int) -> None:
    report = examine(shop, sys.executable, UNRULY, how, **({"answer_within_s": SOON_S} if how == "holds back" else {}))
    assert report.verdict == "broken"
    assert rule in broken_rules(report), [one["message"] for one in report.findings]


@pytest.mark.silent("STUB_BREAKS_PROTOCOL", "STUB_NOT_JUDGED")
def test_without_its_planted_fault_the_unruly_stub_is_well(shop: Workspace) -> None:
    """Negative control for the two tests above: what is found there is due to the fault."""
    assert examine(shop, sys.executable, UNRULY, "nothing wrong").findings == []


@pytest.mark.fires("STUB_NOT_JUDGED")
@pytest.mark.parametrize(
    ("how", "more", "told"),
    [
        ("fails at import", {}, "it cannot be used: it ended with exit code 1"),
        ("no handshake", {"start_within_s": 0.5}, "it cannot be used: no answer within 0.5 s"),
    ],
)
def test_a_stub_that_does_not_start_is_not_judged(
    shop: Workspace, how: str, more: dict[str, object], told: str
) -> None:
    report = examine(shop, sys.executable, HOSTILE, how, **more)
    assert report.verdict == "unproven"
    found = report.the("STUB_NOT_JUDGED", "other")
    assert found["message"] == told
    if how == "fails at import":
        assert found["evidence"][0]["lines"] == ["ModuleNotFoundError: No module named 'planted'"]


@pytest.mark.fires("STUB_NOT_JUDGED")
def test_a_stub_that_dies_again_and_again_is_asked_no_more(shop: Workspace) -> None:
    report = examine(shop, sys.executable, HOSTILE, "killed", "always")
    assert report.the("STUB_NOT_JUDGED")["message"] == "it had to be started anew 3 times"


@pytest.mark.fires("TOOL_MISSING")
def test_a_program_that_is_not_there_is_named(shop: Workspace) -> None:
    report = examine(shop, "no-such-program")
    assert (report.verdict, report.cases) == ("unproven", {})
    assert "no-such-program" in report.the("TOOL_MISSING")["message"]


def test_an_unknown_stub_is_a_usage_error(shop: Workspace) -> None:
    ran = with_stub(shop, "cat").run("stub", "doctor", "ohter")
    assert ran.exit_code == 2
    assert ran.error["why"] == "did you mean 'other'? valid: other, python, python-pure"


def test_a_line_for_each_check_says_what_to_do(shop: Workspace) -> None:
    ran = with_stub(shop, sys.executable, UNRULY, "fails at the end").run("stub", "doctor", "other")
    lines = ran.stdout.splitlines()
    assert ran.exit_code == 1
    assert lines[0].startswith("ok              handshake: in ")
    assert "not applicable  binary to JSON: it loads no schema" in lines
    fix = f"docs/stubs.md, rule 12: {golden_frames().rules[12]}"
    assert lines[-2] == f"wrong           exit code at the end of input: expected exit code 0, got exit code 7. {fix}"
    assert re.fullmatch(r"broken: other: \d+ ok, 1 wrong, \d+ not applicable", lines[-1])


THING = """
syntax = "proto3";
package probe.v1;

message Thing {
  string name = 1;
  optional int32 stock = 2;
  int64 id = 3;
}
"""


@pytest.fixture
def with_perl(shop: Workspace) -> Workspace:
    """A workspace with a stub in a fourth language, and the same with a planted bug."""
    shop.tables.pop("pacts")
    shop.configure("schema", dir="protos")
    shop.write("protos/probe/v1/thing.proto", THING)
    shop.configure("stubs.perl", start=["perl", str(STUBS / "thing.pl")])
    shop.configure("stubs.forgetful", start=["perl", str(STUBS / "thing.pl"), "zero"])
    shop.configure("stubs.again", start=["perl", str(STUBS / "thing.pl")])
    return shop


@pytest.mark.silent("STUB_BREAKS_PROTOCOL", "STUB_NOT_JUDGED")
def test_a_stub_in_a_fourth_language_keeps_every_rule(with_perl: Workspace) -> None:
    report = with_perl.judge_here("stub", "doctor", "perl")
    assert (report.verdict, report.findings) == ("compatible", [])


@pytest.mark.fires("DIVERGENCE")
def test_a_stub_in_a_fourth_language_takes_part_in_a_probe(with_perl: Workspace) -> None:
    report = with_perl.judge("probe", "--budget", "10s", "--stub", "perl", "--stub", "forgetful")
    assert report.verdict == "broken"
    assert all(found["subject"].startswith("presence") for found in report.findings)


@pytest.mark.silent("DIVERGENCE", "STUB_SAID_NOTHING")
def test_a_stub_in_a_fourth_language_agrees_with_itself(with_perl: Workspace) -> None:
    report = with_perl.judge("probe", "--budget", "10s", "--stub", "perl", "--stub", "again")
    assert (report.verdict, report.findings) == ("compatible", [])


# --- the golden frames -----------------------------------------------------------------------------------------------


def test_the_recorded_frames_are_those_that_the_script_writes() -> None:
    assert json.loads(golden.TARGET.read_text(encoding="utf-8")) == json.loads(golden.document())


def test_every_rule_stands_in_the_documentation_and_is_held_to() -> None:
    page = " ".join((ROOT / "docs" / "stubs.md").read_text(encoding="utf-8").split())
    rules = golden_frames().rules
    for number, sentence in rules.items():
        assert f"{number}. {sentence}" in page
    assert list(rules) == list(range(1, len(rules) + 1))


def test_the_frames_are_of_a_known_format_and_have_names_of_their_own() -> None:
    frames = golden_frames()
    names = [frame.name for frame in frames.frames]
    assert (frames.format, len(set(names))) == (1, len(names))
    assert {frame.rule for frame in frames.frames} <= set(frames.rules)
