"""The witness files of `counterfoil breaking`: what is edited is refused, and each waives what it shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from counterfoil.compat.changes import Change, Direction, Effect
from counterfoil.compat.composing import Context, compose
from counterfoil.model import SILENT, Level, PayloadWitness, RuntimeReading
from counterfoil.probe.payloads import Encoding
from counterfoil.runs.waivers import FILE

from tests.builders import Workspace
from tests.schema_change import PROTO, RETYPED, STOCK, change, evidence
from tests.schema_corpus import CORPUS

pytestmark = pytest.mark.usefixtures("unchanged_schema")


@pytest.fixture
def kept(shop: Workspace) -> str:
    """The witness of a field whose type changed; its path in the workspace."""
    change(shop, RETYPED)
    shop.write("counterfoil.toml", "format = 1\n")
    found = shop.judge_here("breaking", "new", "--against", "old").the("FIELD_TYPE_CHANGED")
    return str(evidence(found, "witness")[-1]["path"])


def test_an_edited_witness_is_refused(shop: Workspace, kept: str) -> None:
    document = json.loads((shop.root / kept).read_text())
    document["payload"]["base64"] = "CAE="
    shop.write(kept, json.dumps(document))
    ran = shop.run_here("replay", kept)
    assert ran.exit_code == 2
    assert "was edited" in ran.error["error"]


def test_a_witness_waives_the_change_that_it_shows(shop: Workspace, kept: str) -> None:
    accepted = ("--owner", "me", "--reason", "so", "--expires", "2999-01-31")
    assert shop.run_here("waive", str(shop.root / kept), *accepted).exit_code == 0
    written = (shop.root / "contracts/waivers.toml").read_text()
    digest = json.loads((shop.root / kept).read_text())["digest"]
    assert f'rule = "FIELD_TYPE_CHANGED"\nsubject = "{STOCK}"\n' in written
    assert f'witness = "{digest}"' in written
    assert shop.judge_here("breaking", "new", "--against", "old").verdict == "compatible"


def test_what_a_report_prints_is_waived_as_long_as_the_same_payloads_show_it(shop: Workspace, kept: str) -> None:
    accepted = ("--owner", "me", "--reason", "so", "--expires", "2999-01-31")
    ran = shop.run_here("waive", f"FIELD_TYPE_CHANGED  {STOCK}", *accepted)
    assert (ran.exit_code, ran.stderr.partition(", as")[0]) == (0, f"waived in {FILE}: FIELD_TYPE_CHANGED::{STOCK}")
    report = shop.judge_here("breaking", "new", "--against", "old")
    assert (report.verdict, [one["rule"] for one in report.findings]) == ("compatible", ["FIELD_TYPE_CHANGED"])
    change(shop, PROTO.replace("int32 stock", "bool stock"))
    report = shop.judge_here("breaking", "new", "--against", "old")
    assert ("WAIVER_WITNESS_CHANGED", f"FIELD_TYPE_CHANGED::{STOCK}") in report.rules
    (shop.root / FILE).unlink()
    ran = shop.run_here("waive", f"FIELD_TYPE_CHANGED::{STOCK}", *accepted)
    assert (ran.exit_code, ran.error["at"]) == (2, str(Path(kept).parent)), "which of them, before or now?"


def test_a_witness_is_a_file_that_replays_on_its_own(shop: Workspace) -> None:
    change(shop, RETYPED)
    found = shop.judge_here("breaking", "new", "--against", "old").the("FIELD_TYPE_CHANGED")
    witness = evidence(found, "witness")[0]
    assert {one["stub"] for one in witness["runtimes"]} >= {"python", "node"}
    file = shop.root / witness["path"]
    assert file.is_relative_to(shop.root / ".counterfoil")
    elsewhere = Workspace(shop.root / "elsewhere")
    elsewhere.write("witness.json", file.read_bytes())
    replayed = elsewhere.run_here("replay", "witness.json")
    assert (replayed.exit_code, replayed.stdout.splitlines()[-1]) == (1, "still so")


def test_a_schema_that_python_does_not_take_is_judged_by_the_others(shop: Workspace) -> None:
    change(
        shop, PROTO.replace("name = 1", 'name = 1 [json_name = "stock"]').replace("k = 2", 'k = 2 [json_name = "name"]')
    )
    report = shop.judge_here("breaking", "new", "--against", "old")
    found = report.the("FIELD_JSON_NAME_CHANGED", STOCK)
    assert (report.verdict, found["level"]) == ("broken", "behaviour")
    assert "node and rust show it" in found["message"]
    assert found["message"].partition("; not asked: python (")[2].endswith(").")
    for witness in evidence(found, "witness"):
        replayed = shop.run_here("replay", str(shop.root / witness["path"]))
        assert (replayed.exit_code, replayed.stdout.splitlines()[-1]) == (1, "still so")


def test_a_field_that_is_missing_is_the_one_that_is_required(shop: Workspace) -> None:
    """A payload of the other field of its oneof lacks it too, and is no witness against that one."""
    pair = CORPUS / "p2_required_into_oneof"
    report = shop.judge_here("breaking", str(pair / "new"), "--against", str(pair / "old"))
    shown = {
        (found["rule"], found["subject"]): {(one["direction"], one["encoding"]) for one in evidence(found, "witness")}
        for found in report.findings
    }
    assert shown == {
        ("FIELD_REQUIRED_CHANGED", "t.v1.M.k"): {("forward", "binary"), ("forward", "json")},
        ("FIELD_ONEOF_CHANGED", "t.v1.M.a"): {("backward", "binary"), ("backward", "json")},
        ("FIELD_ONEOF_CHANGED", "t.v1.M.k"): {("backward", "json")},
    }


def test_a_witness_shows_what_is_lost_rather_than_what_stands_for_nothing(shop: Workspace) -> None:
    change(shop, RETYPED)
    found = shop.judge_here("breaking", "new", "--against", "old").the("FIELD_TYPE_CHANGED")
    assert not [one for one in evidence(found, "witness") if one["base64"] in {"", "e30="}]


def test_a_witness_shows_its_own_change_where_another_field_changed_too(shop: Workspace) -> None:
    change(shop, RETYPED.replace("string name", "bytes name"))
    report = shop.judge_here("breaking", "new", "--against", "old")
    for found in report.findings:
        field = str(found["subject"]).rpartition(".")[2]
        assert {field in one["readable"] for one in evidence(found, "witness")} == {True}


BASE = """\
syntax = "proto2";

package t;

message Base {
  extensions 100 to 200;
}
"""
EXTENSION = """\
syntax = "proto2";

package t;

import "base.proto";

message Inner {
  optional int32 v = 1;
}
enum Colour {
  RED = 0;
}
extend Base {
  optional string text = 100;
  optional Inner inner = 101;
}
"""


@pytest.mark.parametrize(
    ("old", "new", "extension"), [("string text", "bytes text", "t.text"), ("Inner inner", "Colour inner", "t.inner")]
)
def test_an_extension_in_a_file_of_its_own_has_witnesses_that_replay(
    shop: Workspace, old: str, new: str, extension: str
) -> None:
    for side, text in (("old", EXTENSION), ("new", EXTENSION.replace(old, new))):
        shop.write(f"{side}/base.proto", BASE)
        shop.write(f"{side}/extension.proto", text)
    report = shop.judge_here("breaking", "new", "--against", "old")
    [found] = report.findings
    assert (found["subject"], found["level"]) == (extension, "behaviour")
    for witness in evidence(found, "witness"):
        replayed = shop.run_here("replay", str(shop.root / witness["path"]))
        assert (replayed.exit_code, replayed.stdout.splitlines()[-1]) == (1, "still so")


def test_a_witness_of_a_change_taken_back_no_longer_shows(shop: Workspace) -> None:
    change(shop, RETYPED)
    found = shop.judge_here("breaking", "new", "--against", "old").the("FIELD_TYPE_CHANGED")
    paths = [one["path"] for one in evidence(found, "witness") if one["direction"] == "backward"]
    replayed = shop.run_here("replay", paths[0], "old", "--against", "old")
    assert (replayed.exit_code, replayed.stdout.splitlines()[-1]) == (0, "no longer so")


@pytest.mark.parametrize("damage", [b"{}", b'{"kind": "breaking"}', b'{"kind": "breaking", "format": 9}'])
def test_a_file_that_is_no_witness_is_refused(shop: Workspace, damage: bytes) -> None:
    shop.write("counterfoil.toml", "format = 1\n")
    shop.write("witness.json", damage)
    assert shop.run_here("replay", "witness.json").exit_code == 2


def test_a_witness_is_waived_by_its_digest(shop: Workspace) -> None:
    change(shop, RETYPED)
    shop.write("counterfoil.toml", "format = 1\n")
    digest = shop.judge_here("breaking", "new", "--against", "old").the("FIELD_TYPE_CHANGED")["witness"]
    waiver = f'format = 1\n[[waiver]]\nrule = "FIELD_TYPE_CHANGED"\nsubject = "{STOCK}"\nowner = "me"\nreason = "so"\n'
    shop.write("contracts/waivers.toml", f'{waiver}expires = 2999-01-01\nwitness = "{digest}"\n')
    assert shop.judge_here("breaking", "new", "--against", "old").verdict == "compatible"
    shop.write("contracts/waivers.toml", f'{waiver}expires = 2999-01-01\nwitness = "sha256:{"0" * 64}"\n')
    report = shop.judge_here("breaking", "new", "--against", "old")
    assert report.verdict == "broken"
    assert "WAIVER_WITNESS_CHANGED" in {rule for rule, _ in report.rules}


def test_a_probe_leaves_the_witnesses_of_schema_changes_alone(shop: Workspace, kept: str) -> None:
    assert kept.startswith("contracts/witnesses/")
    ran = shop.run_here("probe", "--schema", "new", "--stub", "python", "--stub", "python-pure", "--budget", "20")
    assert ran.exit_code in {0, 1}, ran.stderr
    assert (shop.root / kept).is_file()


def test_why_a_runtime_was_not_asked_is_said(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    change(shop, RETYPED)
    monkeypatch.setenv("CARGO_TARGET_DIR", str(shop.root / "nowhere"))
    monkeypatch.setattr("counterfoil.breaking.schema_stubs.RUST_BINARY", "no-rust-stub")
    found = shop.judge_here("breaking", "new", "--against", "old").the("FIELD_TYPE_CHANGED")
    assert "; not asked: rust (its runtime stub is not built: cargo build" in found["message"]


def test_a_runtime_that_gives_no_answer_is_not_said_to_read_the_same() -> None:
    effect = Effect(direction=Direction.BACKWARD, encoding=Encoding.JSON)
    readings = (
        RuntimeReading(stub="python", runtime="p 1", breaks=True, wrote="1", read="refuses it"),
        RuntimeReading(stub="go", runtime="g 1", breaks=False, wrote="1", read=f"{SILENT}not supported: JSON"),
        RuntimeReading(stub="node", runtime="n 1", breaks=False, wrote="1", read="reads the same"),
    )
    witness = PayloadWitness(
        path="",
        digest="",
        direction="backward",
        encoding="json",
        message="M",
        readable="",
        base64="",
        runtimes=readings,
    )
    changed = Change(
        names=(),
        rule="FIELD_TYPE_CHANGED",
        symbol="M.f",
        level=Level.BEHAVIOUR,
        effects=frozenset({effect}),
        old="int32",
        new="string",
        old_location=None,
        new_location=None,
        messages=frozenset({"M"}),
        message="it changed",
        fix="keep it",
    )
    found = compose(changed, {effect: (witness,)}, (), Context(directions=frozenset(Direction)))
    assert found is not None
    assert found.message.endswith("node reads the same; without an answer: go (not supported: JSON).")
