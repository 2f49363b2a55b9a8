"""`counterfoil breaking`: what it says of a change, under which directions, levels and rules of buf."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.builders import Object, Workspace, line_of
from tests.schema_change import BREAKING, PROTO, RETYPED, STOCK, change, evidence

pytestmark = pytest.mark.usefixtures("unchanged_schema")
RENAMED = PROTO.replace("int32 stock", "int32 in_stock")
IN_GO = PROTO.replace("package shop.v1;", 'package shop.v1;\noption go_package = "shop";')
MODULE_BREAKING = "version: v2\nmodules:\n  - path: .\n    breaking:\n      use: [{}]\n"


def effects(found: Object) -> set[tuple[str, str]]:
    [change] = evidence(found, "change")
    return {(one["direction"], one["encoding"]) for one in change["effects"]}


# --- what it says of a change ----------------------------------------------------------------------------------------


def test_a_changed_type_breaks_every_reader_and_names_buf_s_rule(shop: Workspace) -> None:
    change(shop, RETYPED)
    report = shop.judge_here("breaking", "new", "--against", "old")
    assert (report.verdict, report.cases) == ("broken", {BREAKING: "broken"})
    found = report.the("FIELD_TYPE_CHANGED", STOCK)
    assert report.rules == {("FIELD_TYPE_CHANGED", STOCK)}
    assert found["level"] == "behaviour"
    assert found["location"] == {"path": "new/shop/v1/shop.proto", "line": line_of(RETYPED, "stock")}
    assert effects(found) == {(one, other) for one in ("backward", "forward") for other in ("binary", "json")}
    [changed] = evidence(found, "change")
    assert (changed["old"], changed["new"], changed["also"]) == ("int32", "string", ["FIELD_SAME_TYPE"])


def test_a_field_under_another_number_is_named_as_what_it_is(shop: Workspace) -> None:
    """In JSON it is read by its name all the same; only binary readers do not know it."""
    change(shop, PROTO.replace("stock = 2", "stock = 12"))
    found = shop.judge_here("breaking", "new", "--against", "old").the("FIELD_RENUMBERED")
    read = {
        one["encoding"]: {reading["read"].partition("reader: ")[2] for reading in one["runtimes"]}
        for one in evidence(found, "witness")
        if one["direction"] == "backward"
    }
    assert read == {"binary": {"a field that it does not know"}, "json": {"stock: 1, as field 12 and not 2"}}


@pytest.mark.parametrize(
    ("text", "identity", "level"),
    [
        (PROTO.replace("2;\n", "2;\n  bool listed = 3;\n"), ("FIELD_ADDED", "shop.v1.Product.listed"), "additive"),
        (PROTO.replace("string name", "// The name.\n  string name"), None, None),
        (
            PROTO.replace("package shop.v1;", 'package shop.v1;\noption go_package = "shop";'),
            "FILE_OPTION_CHANGED",
            "source",
        ),
    ],
    ids=["added", "comment", "source"],
)
def test_benign_changes_are_compatible(shop: Workspace, text: str, identity: object, level: str | None) -> None:
    change(shop, text)
    report = shop.judge_here("breaking", "new", "--against", "old")
    assert (report.verdict, report.exit_code) == ("compatible", 0)
    assert {found["level"] for found in report.findings} == ({level} if level else set())
    assert identity is None or identity in {one for pair in report.rules for one in (pair, pair[0])}


@pytest.mark.fires("BEHAVIOUR_CHANGED")
def test_the_runtimes_are_the_judge_where_no_rule_expects_anything(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfoil.breaking.breaking_findings.compare", lambda *_: ())
    change(shop, RETYPED)
    found = shop.judge_here("breaking", "new", "--against", "old").the("BEHAVIOUR_CHANGED", STOCK)
    assert found["level"] == "behaviour"
    assert found["location"] == {"path": "new/shop/v1/shop.proto", "line": line_of(RETYPED, "stock")}
    [changed] = evidence(found, "change")
    assert changed["old_location"] == {"path": "old/shop/v1/shop.proto", "line": line_of(PROTO, "stock")}
    assert evidence(found, "witness")


@pytest.mark.silent("BEHAVIOUR_CHANGED")
def test_a_rule_that_expects_it_accounts_for_what_runtimes_show(shop: Workspace) -> None:
    change(shop, RETYPED)
    assert shop.judge_here("breaking", "new", "--against", "old").verdict == "broken"
    assert shop.judge_here("breaking", "new", "--against", "old").findings


MAPS = """\
syntax = "proto2";
package shop.v1;
message B { extensions 100 to 200; }
extend B { optional int32 ext = 100; }
message S {}
message M { map<string, int32> labels = 1; map<string, int32> tags = 2; optional int32 keep = 3; }
"""
MOVED = {
    "extend B { optional int32 ext = 100; }\n": "",
    "message S {}": "message S { extend B { optional int32 ext = 100; } }",
}


def test_what_buf_says_of_map_entries_and_moved_extensions_is_merged_with_ours(shop: Workspace) -> None:
    shop.write("old/shop/v1/shop.proto", MAPS)
    text = MAPS.replace("labels", "etiquettes").replace(" map<string, int32> tags = 2;", "")
    for old, new in MOVED.items():
        text = text.replace(old, new)
    change(shop, text)
    report = shop.judge_here("breaking", "new", "--against", "old")
    also: dict[str, set[str]] = {}
    for found in report.findings:
        also.setdefault(found["subject"], set()).update(evidence(found, "change")[0]["also"])
    assert also == {
        "shop.v1.ext": {"EXTENSION_NO_DELETE", "FIELD_SAME_NAME"},
        "shop.v1.M.labels": {"FIELD_SAME_JSON_NAME", "FIELD_SAME_NAME", "FIELD_SAME_TYPE", "MESSAGE_NO_DELETE"},
        "shop.v1.M.tags": {"FIELD_NO_DELETE", "MESSAGE_NO_DELETE"},
    }


def test_a_renamed_message_with_another_field_is_told_as_what_it_is(shop: Workspace) -> None:
    change(shop, PROTO.replace("message Product", "message Item").replace("stock = 2;", "stock = 2;\n  bool new = 3;"))
    report = shop.judge_here("breaking", "new", "--against", "old")
    assert report.rules == {("MESSAGE_RENAMED", "shop.v1.Product"), ("FIELD_ADDED", "shop.v1.Item.new")}


TREE = """syntax = "proto3";
package shop.v1;
enum Color { COLOR_UNSPECIFIED = 0; COLOR_RED = 1; }
message Tree { repeated Branch branches = 1; string name = 2; map<string, Branch> by_name = 3; }
message Branch { Tree tree = 1; Leaf leaf = 2; }
message Leaf { Color color = 1; }
"""


@pytest.mark.parametrize(
    "renamed",
    [{"Tree", "Branch"}, {"Branch", "Leaf"}, {"Tree", "Branch", "Leaf"}, {"Leaf", "Color"}],
    ids=lambda one: " ".join(sorted(one)),
)
def test_messages_that_are_renamed_together_are_told_as_renamed(shop: Workspace, renamed: set[str]) -> None:
    shop.write("old/shop/v1/shop.proto", TREE)
    change(shop, re.sub(rf"\b({'|'.join(sorted(renamed))})\b", r"New\1", TREE))
    report = shop.judge_here("breaking", "new", "--against", "old")
    told = {found["subject"].rpartition(".")[2]: found["rule"] for found in report.findings if found["fails"]}
    assert told == dict.fromkeys(renamed - {"Color"}, "MESSAGE_RENAMED")
    assert not {rule for rule, _ in report.rules} & {"MESSAGE_REMOVED", "MESSAGE_ADDED", "ENUM_REMOVED"}


def test_messages_of_which_another_is_just_alike_are_not_told_as_renamed(shop: Workspace) -> None:
    twins = TREE + "message Twig { Tree tree = 1; Leaf leaf = 2; }\n"
    shop.write("old/shop/v1/shop.proto", twins)
    change(shop, re.sub(r"\b(Leaf|Branch|Twig)\b", r"New\1", twins))
    report = shop.judge_here("breaking", "new", "--against", "old")
    assert {name for rule, name in report.rules if rule == "MESSAGE_REMOVED"} == {"shop.v1.Branch", "shop.v1.Twig"}


def test_a_message_that_is_like_two_new_ones_is_removed(shop: Workspace) -> None:
    text = PROTO.replace("message Product", "message Item").replace("stock = 2;", "stock = 2;\n  bool new = 3;")
    other = text.partition("message Item")[2].replace("bool", "int32")
    change(shop, text + "message Other" + other)
    report = shop.judge_here("breaking", "new", "--against", "old")
    assert {rule for rule, _ in report.rules} == {"MESSAGE_REMOVED", "MESSAGE_ADDED"}


# --- modes, levels, several baselines --------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "verdict"), [("backward", "broken"), ("forward", "compatible"), ("full", "broken")])
def test_a_mode_picks_the_directions(shop: Workspace, mode: str, verdict: str) -> None:
    """A widened integer is read by new code; old code cannot read what is too large for it."""
    shop.write("old/shop/v1/shop.proto", PROTO.replace("int32", "int64"))
    report = shop.judge_here("breaking", "new", "--against", "old", "--mode", mode)
    assert report.verdict == verdict
    shown = {direction for found in report.findings for direction, _ in effects(found)}
    assert shown <= ({mode} if mode != "full" else {"backward"})


@pytest.mark.parametrize(
    ("levels", "verdict"),
    [(["behaviour"], "broken"), (["policy"], "compatible"), (["additive", "policy"], "compatible")],
)
def test_levels_that_fail_are_picked(shop: Workspace, levels: list[str], verdict: str) -> None:
    change(shop, RETYPED)
    options = [word for level in levels for word in ("--fail-on", level)]
    assert shop.judge_here("breaking", "new", "--against", "old", *options).verdict == verdict


def test_an_addition_can_be_made_to_fail(shop: Workspace) -> None:
    change(shop, PROTO.replace("2;\n", "2;\n  bool listed = 3;\n"))
    assert shop.judge_here("breaking", "new", "--against", "old", "--fail-on", "additive").verdict == "broken"


def test_several_baselines_are_a_case_each(shop: Workspace) -> None:
    shop.write("older/shop/v1/shop.proto", RETYPED)
    report = shop.judge_here("breaking", "new", "--against", "old", "--against", "older", "--transitive")
    assert report.cases == {f"{BREAKING} since old": "compatible", f"{BREAKING} since older": "broken"}
    ran = shop.run_here("breaking", "new", "--against", "old", "--against", "older")
    assert (ran.exit_code, ran.error["next"]) == (2, "add --transitive")


def test_what_differs_from_each_of_several_baselines_is_told_of_each(shop: Workspace) -> None:
    """The same rule of the same field: int32 in one, bytes in the other."""
    shop.write("old/shop/v1/shop.proto", PROTO)
    shop.write("older/shop/v1/shop.proto", PROTO.replace("int32 stock", "bytes stock"))
    change(shop, RETYPED)
    report = shop.judge_here("breaking", "new", "--against", "old", "--against", "older", "--transitive")
    told = [found["message"].partition(" node")[0] for found in report.findings if found["subject"] == STOCK]
    assert told == [
        "since old: shop.v1.Product.stock changed its type from int32 to string.",
        "since older: shop.v1.Product.stock changed its type from bytes to string.",
    ]


@pytest.mark.parametrize(("old", "new"), [("extended", "own"), ("own", "extended")])
def test_a_field_in_place_of_an_extension_has_its_type_compared(shop: Workspace, old: str, new: str) -> None:
    head = 'syntax = "proto2";\npackage shop.v1;\n'
    texts = {
        "extended": f"{head}message Open {{\n  extensions 100;\n}}\nextend Open {{\n  optional int32 more = 100;\n}}\n",
        "own": f"{head}message Open {{\n  optional string more = 100;\n}}\n",
    }
    shop.write("old/shop/v1/shop.proto", texts[old])
    shop.write("new/shop/v1/shop.proto", texts[new])
    found = shop.judge_here("breaking", "new", "--against", "old").the("FIELD_TYPE_CHANGED")
    assert {(one["direction"], one["encoding"]) for one in evidence(found, "witness")} >= {
        ("backward", "binary"),
        ("forward", "binary"),
    }


# --- buf -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "fails"),
    [
        ("version: v2\nbreaking:\n  use: [WIRE]\n", False),
        ("version: v2\nbreaking:\n  use: [FILE]\n", True),
        ("version: v2\nbreaking:\n  except: [FILE_SAME_GO_PACKAGE]\n", False),
        ("version: v2\n", True),
        (MODULE_BREAKING.format("WIRE"), False),
        (MODULE_BREAKING.format("FILE"), True),
    ],
    ids=["wire", "file", "except", "default", "module-wire", "module-file"],
)
def test_what_buf_yaml_asks_for_fails(shop: Workspace, config: str, *, fails: bool) -> None:
    """An option of a file changes generated code alone: a matter of policy where buf's rules are asked for."""
    change(shop, IN_GO)
    shop.write("new/buf.yaml", config)
    report = shop.judge_here("breaking", "new", "--against", "old")
    found = report.the("FILE_OPTION_CHANGED")
    assert (report.verdict, found["level"]) == (("broken", "policy") if fails else ("compatible", "source"))
    assert evidence(found, "change")[0]["also"] == (["FILE_SAME_GO_PACKAGE"] if fails else [])


IGNORING = "version: v2\nmodules:\n  - path: shop\n  - path: other\nbreaking:\n  use: [FILE]\n"


@pytest.mark.parametrize(
    ("ignoring", "level"),
    [
        ("", "policy"),
        ("  ignore: [other/v1]\n", "policy"),
        ("  ignore: [shop/v1]\n", "source"),
        ("  ignore: [shop]\n", "source"),
        ("  ignore: [.]\n", "source"),
        ("  ignore: [other]\n", "policy"),
        ("  ignore_only: {FILE_SAME_GO_PACKAGE: [shop]}\n", "source"),
        ("  ignore_only: {FILE_SAME_GO_PACKAGE: [shop/v1/shop.proto]}\n", "source"),
        ("  ignore_only: {FIELD_SAME_NAME: [shop/v1/shop.proto]}\n", "policy"),
    ],
)
def test_what_buf_yaml_lets_off_is_named_from_where_it_lies(shop: Workspace, ignoring: str, level: str) -> None:
    for side, text in {"old": PROTO, "new": IN_GO}.items():
        shop.write(f"{side}/shop/v1/shop.proto", text)
        shop.write(f"{side}/other/v1/other.proto", PROTO.replace("shop", "other"))
        shop.write(f"{side}/buf.yaml", IGNORING + ignoring)
    found = shop.judge_here("breaking", "new", "--against", "old").the("FILE_OPTION_CHANGED")
    assert found["level"] == level


def test_each_folder_of_a_workspace_of_buf_is_judged_by_its_own_rules(shop: Workspace) -> None:
    shutil.rmtree(shop.root / "old")
    shutil.rmtree(shop.root / "new")
    for side, text in {"old": PROTO, "new": IN_GO}.items():
        shop.write(f"{side}/buf.work.yaml", "version: v1\ndirectories: [a, b, c]\n")
        for name, rules in {"a": "use: [WIRE]", "b": "except: [FILE_NO_DELETE]", "c": "ignore: [v1]"}.items():
            shop.write(f"{side}/{name}/v1/{name}.proto", text.replace("shop", name))
            shop.write(f"{side}/{name}/buf.yaml", f"version: v1\nbreaking:\n  {rules}\n")
    found = shop.judge_here("breaking", "new", "--against", "old").findings
    levels = {one["location"]["path"]: one["level"] for one in found}
    assert levels == {"new/a/v1/a.proto": "source", "new/b/v1/b.proto": "policy", "new/c/v1/c.proto": "source"}


@pytest.mark.parametrize("text", [PROTO.replace("2;", "2;\n  bool more = 3;"), IN_GO], ids=["added", "changed"])
def test_programs_that_buf_yaml_names_are_asked_from_where_it_lies(shop: Workspace, text: str) -> None:
    change(shop, text)
    shop.write("new/plugin", "#!/bin/sh\necho started from $PWD >&2\nexit 7\n").chmod(0o755)
    shop.write("new/buf.yaml", "version: v2\nplugins:\n  - plugin: ./plugin\n")
    report = shop.judge_here("breaking", "new", "--against", "old")
    said = report.the("BUF_FAILED")["evidence"][0]["lines"]
    assert (report.verdict, said[:1]) == ("unproven", [f"started from {shop.root / 'new'}"])


@pytest.mark.parametrize(("shop_s", "other_s"), [("WIRE", "FILE"), ("FILE", "WIRE")])
def test_each_module_is_judged_by_its_own_rules(shop: Workspace, shop_s: str, other_s: str) -> None:
    for side, text in {"old": PROTO, "new": IN_GO}.items():
        change(shop, text, side)
        shop.write(f"{side}/other/v1/other.proto", text.replace("shop", "other"))
    module = "  - path: {}\n    breaking:\n      use: [{}]\n"
    modules = module.format("shop", shop_s) + module.format("other", other_s)
    shop.write("new/buf.yaml", f"version: v2\nmodules:\n{modules}")
    shop.write("old/buf.yaml", f"version: v2\nmodules:\n{modules}")
    found = {
        one["location"]["path"]: one["level"] for one in shop.judge_here("breaking", "new", "--against", "old").findings
    }
    by_rules = {"WIRE": "source", "FILE": "policy"}
    assert found == {"new/shop/v1/shop.proto": by_rules[shop_s], "new/other/v1/other.proto": by_rules[other_s]}


def test_a_buf_yaml_that_asks_for_what_no_buf_knows_is_told_of_where_the_schema_only_grew(shop: Workspace) -> None:
    shop.write("new/buf.yaml", "version: v2\nbreaking:\n  use: [NOT_A_RULE]\n")
    change(shop, PROTO.replace("2;\n", "2;\n  bool listed = 3;\n"))
    report = shop.judge_here("breaking", "new", "--against", "old")
    assert report.verdict == "unproven"
    assert "NOT_A_RULE" in str(evidence(report.the("BUF_FAILED"), "output"))
