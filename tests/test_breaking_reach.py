"""`counterfoil breaking`: how far from a change its findings reach, and what it tries there."""

from __future__ import annotations

import subprocess
from operator import itemgetter
from pathlib import Path

import pytest
from counterfoil.breaking import schema_sides
from counterfoil.compat import witnessing
from counterfoil.probe.fields import fields_of
from counterfoil.probe.forms import samples
from counterfoil.system.toolchain import find

from tests.builders import Object, Workspace, line_of
from tests.schema_change import evidence, image


def changed(found: Object) -> Object:
    """The finding's evidence about the two schemas."""
    [change] = [one for one in found["evidence"] if one["kind"] == "change"]
    assert isinstance(change, dict)
    return change


NESTED = """\
syntax = "proto3";

package t.v1;

enum Color {
  COLOR_UNSPECIFIED = 0;
  RED = 1;
}
message Inner {
  int32 v = 1;
  Color color = 2;
}
message Outer {
  map<string, Inner> inner = 1;
}
message Query {
  int32 q = 1;
}
message Lone {
  int32 l = 1;
}
service Search {
  rpc Get(Query) returns (Outer);
}
"""


@pytest.mark.parametrize(
    ("old", "new", "affected"),
    [
        ("int32 v", "string v", ["caller writes", "reader reads"]),
        ("RED = 1", "RED = 2", ["caller writes", "reader reads"]),
        ("int32 q", "string q", ["caller writes"]),
        ("int32 l", "string l", []),
    ],
)
def test_who_sends_or_reads_a_message_is_concerned_by_all_that_is_in_it(
    shop: Workspace, old: str, new: str, affected: list[str]
) -> None:
    participants = '[participants.reader]\nreads = ["t.v1.Outer"]\n[participants.caller]\nwrites = ["t.v1.Search"]\n'
    shop.write("counterfoil.toml", f"format = 1\n{participants}")
    shop.write("old/t.proto", NESTED)
    shop.write("new/t.proto", NESTED.replace(old, new))
    for name in ("reader", "caller"):
        report = shop.judge_here("breaking", "new", "--against", "old", "--only-affecting", name)
        concerned = any(one.startswith(f"{name} ") for one in affected)
        assert report.verdict == ("broken" if concerned else "compatible")
        for found in report.findings:
            assert sorted(changed(found)["participants"]) == affected


def test_of_a_huge_message_some_fields_are_tried_and_the_others_say_that_they_were_not(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfoil.compat.witnessing.MAX_FIELD_PAIRS", 100)
    fields = "".join(f"  int32 f{number} = {number};\n" for number in range(1, 51))
    proto = f'syntax = "proto3";\npackage big.v1;\nmessage Big {{\n{fields}}}\n'
    shop.write("old/big.proto", proto)
    for number in (3, 13, 23):
        proto = proto.replace(f"int32 f{number} ", f"int64 f{number} ")
    shop.write("new/big.proto", proto)
    report = shop.judge_here("breaking", "new", "--against", "old")
    levels = {found["subject"]: (found["level"], "too many fields" in found["message"]) for found in report.findings}
    shown, untried = ("behaviour", False), ("policy", True)
    assert levels == {"big.v1.Big.f3": shown, "big.v1.Big.f13": shown, "big.v1.Big.f23": untried}


@pytest.mark.parametrize(("fields", "is_too_much"), [(5, False), (12, True)])
def test_each_field_that_differs_in_a_replaced_message_has_edge_values_tried(
    tmp_path: Path, *, fields: int, is_too_much: bool
) -> None:
    outers = []
    for side, (name, kind) in {"old": ("A", "int32"), "new": ("B", "int64")}.items():
        inner = "".join(f"  {kind} f{number} = {number};\n" for number in range(1, fields + 1))
        text = f'syntax = "proto3";\npackage t;\nmessage {name} {{\n{inner}}}\nmessage Outer {{ {name} inner = 1; }}\n'
        (tmp_path / side).mkdir()
        (tmp_path / side / "t.proto").write_text(text)
        outers.append(schema_sides.side(image(tmp_path / side, tmp_path / f"{side}.binpb").read_bytes()))
    writer, reader = (one.message("t.Outer") for one in outers)
    tried = witnessing.trial(writer, reader)
    assert tried is not None
    assert tried.untried == (frozenset({"t.Outer.inner"}) if is_too_much else frozenset())
    states: dict[str, set[str]] = {}
    for payload in witnessing.payloads(tried):
        states.setdefault(payload.path, set()).add(payload.state)
    ordinary = {sample.state for sample in samples(fields_of(outers[0].message("t.A"))[0])}
    assert all(states[f"inner.f{number}"] - ordinary for number in range(1, fields + 1))


@pytest.mark.parametrize("ending", ["", ".binpb"])
def test_what_is_gone_is_located_in_the_old_schema(shop: Workspace, ending: str) -> None:
    shop.write("old/t.proto", NESTED)
    shop.write("new/t.proto", NESTED.replace("message Lone {\n  int32 l = 1;\n}\n", "").replace("int32 q", "int64 q"))
    if ending:
        command = [str(find("buf")), "build", "old", "-o", f"old{ending}"]
        subprocess.run(command, cwd=shop.root, check=True, capture_output=True)
    report = shop.judge_here("breaking", "new", "--against", f"old{ending}")
    path = "old.binpb:t.proto" if ending else "old/t.proto"
    gone = report.the("MESSAGE_REMOVED")
    assert gone["location"] == {"path": path, "line": line_of(NESTED, "message Lone")}
    assert changed(gone)["old_location"] == gone["location"]
    kept = report.the("FIELD_TYPE_CHANGED")
    assert kept["location"] == {"path": "new/t.proto", "line": line_of(NESTED, "int32 q")}
    assert changed(kept)["old_location"] == {"path": path, "line": line_of(NESTED, "int32 q")}


def enum_of(values: dict[str, int], reserved: dict[str, int]) -> str:
    """A file with a closed enum and a message that carries it."""
    named = "".join(f" {name} = {number};" for name, number in values.items())
    kept = "".join(f" reserved {number}; reserved '{name}';" for name, number in reserved.items())
    return f'syntax = "proto2";\npackage t;\nenum E {{{named}{kept} }}\nmessage M {{ optional E e = 1; }}\n'


@pytest.mark.parametrize(
    ("gone", "others"),
    [({"V5": 5}, {f"V{one}": one for one in range(250) if one != 5}), ({"A": 300, "BA": 1}, {"ZERO": 0})],
    ids=["one of many", "one name in another"],
)
def test_a_removed_value_is_shown_by_itself(shop: Workspace, gone: dict[str, int], others: dict[str, int]) -> None:
    shop.write("old/t.proto", enum_of(dict(sorted((others | gone).items(), key=itemgetter(1))), {}))
    shop.write("new/t.proto", enum_of(others, gone))
    report = shop.judge_here("breaking", "new", "--against", "old", "--mode", "backward")
    for name, number in gone.items():
        found = report.the("ENUM_VALUE_REMOVED", f"t.E.{name}")
        shown = {one["encoding"]: one["readable"] for one in evidence(found, "witness")}
        assert shown == {"binary": f"1 e: {number}", "json": f'{{"e": "{name}"}}'}
