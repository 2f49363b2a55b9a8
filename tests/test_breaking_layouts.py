"""`counterfoil breaking`: where protos, buf.yaml and the folder of a schema lie to one another."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.builders import Workspace
from tests.schema_change import PROTO, image

OPTION = ("FILE_OPTION_CHANGED", "file shop/v1/shop.proto")
IN_GO = PROTO.replace("package shop.v1;", 'package shop.v1;\noption go_package = "x/y";')
FILE = "shop/v1/shop.proto"


def commit(folder: Path, tag: str) -> None:
    """Commit everything under a tag."""
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", tag], ["tag", tag]):
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("old", "new"),
    [("git:v1", "git:v2"), ("v1", "v2"), ("git:v1", "new.binpb"), ("old.binpb", "git:v2"), ("git:v1", "elsewhere")],
)
def test_in_git_the_configured_folder_is_meant_where_the_new_schema_is_none(
    shop: Workspace, old: str, new: str
) -> None:
    shop.write("counterfoil.toml", 'format = 1\n[schema]\ndir = "elsewhere"\n')
    for tag, text in {"v1": PROTO, "v2": IN_GO}.items():
        shop.write(f"elsewhere/{FILE}", text)
        commit(shop.root, tag)
        image(shop.root / "elsewhere", shop.root / f"{'old' if tag == 'v1' else 'new'}.binpb")
    report = shop.judge_here("breaking", new, "--against", old, "--first-release")
    assert report.rules == {OPTION}


@pytest.mark.parametrize(("module", "configured"), [("", True), ("", False), ("proto/", True)])
def test_the_whole_repository_may_be_the_schema(shop: Workspace, module: str, *, configured: bool) -> None:
    """A module at the top: what is put aside of its baseline is no part of it, and nothing is located there."""
    shop.write("counterfoil.toml", 'format = 1\n[schema]\ndir = "."\n')
    config = f"version: v2\nmodules:\n  - path: {module or '.'}\n"
    if configured:
        shop.write("buf.yaml", config)
    shop.write(f"{module}{FILE}", PROTO)
    commit(shop.root, "v1")
    shop.write("buf.yaml", config)
    shop.write(f"{module}{FILE}", IN_GO)
    found = shop.judge_here("breaking", "--against", "git:v1").the(OPTION[0])
    assert found["location"]["path"] == f"{module}{FILE}"


def test_the_nearest_buf_yaml_above_a_schema_says_which_rules_hold(shop: Workspace) -> None:
    shop.write("counterfoil.toml", 'format = 1\n[schema]\ndir = "backend/protos"\n')
    shop.write(f"backend/old/{FILE}", PROTO)
    shop.write(f"backend/protos/{FILE}", IN_GO)
    shop.write("backend/buf.yaml", "version: v2\nmodules:\n  - path: protos\nbreaking:\n  use: [FILE]\n")
    report = shop.judge_here("breaking", "--against", "backend/old")
    assert (report.verdict, report.the(OPTION[0])["level"]) == ("broken", "policy")


@pytest.mark.parametrize(
    "config",
    [
        "[1]",
        "modules: 3",
        "modules: [{path: 7}]",
        "breaking: [FILE]",
        "breaking: {ignore: 5}",
        "breaking: {ignore_only: [a]}",
        "breaking: {use: [2020-01-01]}",
    ],
)
@pytest.mark.fires("BUF_FAILED")
def test_a_buf_yaml_of_another_form_is_told(shop: Workspace, config: str) -> None:
    for side, text in {"old": PROTO, "new": IN_GO}.items():
        shop.write(f"{side}/{FILE}", text)
        image(shop.root / side, shop.root / f"{side}.binpb")
    shop.write("buf.yaml", config)
    report = shop.judge_here("breaking", "new.binpb", "--against", "old.binpb")
    assert report.the("BUF_FAILED")["message"].startswith("cannot read ")
    assert report.verdict == "unproven"


def test_protos_behind_a_linked_folder_count(shop: Workspace) -> None:
    for side, text in {"old": PROTO, "new": IN_GO}.items():
        shop.write(f"{side}-linked/v1/shop.proto", text)
        shop.write(f"{side}/other.proto", 'syntax = "proto3";\n')
        (shop.root / side / "shop").symlink_to(shop.root / f"{side}-linked")
        (shop.root / side / "itself").symlink_to(shop.root / side)
    report = shop.judge_here("breaking", "new", "--against", "old")
    assert {rule for rule, _ in report.rules} == {OPTION[0]}


MANY = 110
"""Protos: more than are compiled as a whole."""


def test_who_imports_a_changed_file_is_seen_however_the_import_is_written(shop: Workspace) -> None:
    """Only a field of the enum shows that its first value, which stands for what is absent, became another."""
    for side, values in {"old": "A = 1; B = 2;", "new": "B = 2; A = 1;"}.items():
        shop.write(f"{side}/e.proto", f'syntax = "proto2";\npackage e;\nenum E {{ {values} }}\n')
        lines = 'import "p0.proto"; import"e.proto";\nmessage U { optional e.E e = 1; optional p0.P p = 2; }'
        shop.write(f"{side}/u.proto", f'syntax = "proto2"; package u;\n{lines}\n')
        for number in range(MANY):
            shop.write(f"{side}/p{number}.proto", f'syntax = "proto2"; package p{number};\nmessage P {{}}\n')
    report = shop.judge_here("breaking", "new", "--against", "old")
    assert report.the("ENUM_DEFAULT_CHANGED")["level"] == "behaviour"


HELD = 'syntax = "proto3";\npackage held.v1;\nmessage Held { int32 count = 1; }\n'
HOLDER = """syntax = "proto3";
package shop.v1;
import "held/v1/held.proto";
message Holder { held.v1.Held held = 1; int32 size = 2; }
"""


@pytest.fixture
def modules(shop: Workspace) -> Workspace:
    """The schema is one of two modules of a workspace of buf, and imports from the other."""
    shop.write("counterfoil.toml", 'format = 1\n[schema]\ndir = "protos"\n')
    shop.write("buf.yaml", "version: v2\nmodules:\n  - path: protos\n  - path: vendor\n")
    shop.write("vendor/held/v1/held.proto", HELD)
    shop.write("protos/shop/v1/holder.proto", HOLDER)
    return shop


def test_what_is_kept_is_of_what_was_compiled_from_other_modules_too(modules: Workspace) -> None:
    image(modules.root / "protos", modules.root / "old.binpb")
    modules.write("protos/shop/v1/holder.proto", HOLDER.replace("int32 size", "string size"))
    first = modules.judge_here("breaking", "--against", "old.binpb")
    modules.write("vendor/held/v1/held.proto", HELD.replace("int32", "string"))
    second = modules.judge_here("breaking", "--against", "old.binpb")
    assert second.rules - first.rules == {("FIELD_TYPE_CHANGED", "held.v1.Held.count")}


@pytest.mark.parametrize("many", [0, MANY])
@pytest.mark.parametrize(
    ("edited", "rules"),
    [
        ((), set()),
        (("vendor",), {("ENUM_VALUE_REMOVED", "held.v1.Kind.ONE")}),
        (("protos",), {OPTION}),
        (("protos", "vendor"), {OPTION, ("ENUM_VALUE_REMOVED", "held.v1.Kind.ONE")}),
        (("elsewhere",), set()),
    ],
)
def test_modules_beside_the_schema_count_as_they_were_committed(
    modules: Workspace, many: int, edited: tuple[str, ...], rules: set[tuple[str, str]]
) -> None:
    kind = "enum Kind { ZERO = 0; ONE = 1; }\n"
    modules.write("vendor/held/v1/held.proto", HELD + kind)
    modules.write("elsewhere/other.proto", PROTO)
    modules.write("protos/shop/v1/shop.proto", PROTO)
    for number in range(many):
        modules.write(f"protos/p{number}.proto", f'syntax = "proto3";\npackage p{number};\n')
    commit(modules.root, "v1")
    files = {
        "vendor": ("held/v1/held.proto", HELD + kind.replace(" ONE = 1;", "reserved 1; reserved 'ONE';")),
        "protos": (FILE, IN_GO),
        "elsewhere": ("other.proto", "no proto"),
    }
    for module in edited:
        modules.write(f"{module}/{files[module][0]}", files[module][1])
    report = modules.judge_here("breaking", "--against", "git:v1")
    assert report.rules == rules


def test_a_module_of_thousands_of_files_may_be_let_off(modules: Workspace) -> None:
    """What buf is asked names each of them, which is more than fits in an argument."""
    image(modules.root / "protos", modules.root / "old.binpb")
    for number in range(2000):
        modules.write(f"vendor/{'long' * 20}/p{number}.proto", "")
    config = (modules.root / "buf.yaml").read_text()
    modules.write("buf.yaml", f"{config}breaking:\n  use: [FILE]\n  ignore: [vendor]\n")
    modules.write("protos/shop/v1/holder.proto", HOLDER.replace("message", 'option go_package = "x/y";\nmessage'))
    found = modules.judge_here("breaking", "--against", "old.binpb").the(OPTION[0])
    assert found["level"] == "policy"
