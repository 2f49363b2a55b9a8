"""`counterfoil breaking`: how far from a change its findings reach, and what it tries there."""

from __future__ import annotations

import pytest

from tests.builders import Object, Workspace


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
