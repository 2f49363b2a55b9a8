"""`counterfoil breaking`: what it compares, what it says of a change, and what it cannot use."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path

import pytest
from counterfoil.toolchain import find

from tests.builders import Object, Workspace, line_of

PROTO = """\
syntax = "proto3";

package shop.v1;

message Product {
  string name = 1;
  int32 stock = 2;
}
"""
RETYPED = PROTO.replace("int32 stock", "string stock")
RENAMED = PROTO.replace("int32 stock", "int32 in_stock")
IN_GO = PROTO.replace("package shop.v1;", 'package shop.v1;\noption go_package = "shop";')
STOCK = "shop.v1.Product.stock"
BREAKING = "schema::new::breaking"
MODULE_BREAKING = "version: v2\nmodules:\n  - path: .\n    breaking:\n      use: [{}]\n"


@pytest.fixture
def shop(shop: Workspace) -> Workspace:
    """Two folders of protos, the same so far, and no counterfoil.toml."""
    shop.write("old/shop/v1/shop.proto", PROTO)
    shop.write("new/shop/v1/shop.proto", PROTO)
    return shop


def change(shop: Workspace, text: str) -> None:
    shop.write("new/shop/v1/shop.proto", text)


def evidence(found: Object, kind: str) -> list[Object]:
    return [one for one in found["evidence"] if one["kind"] == kind]


def effects(found: Object) -> set[tuple[str, str]]:
    [change] = evidence(found, "change")
    return {(one["direction"], one["encoding"]) for one in change["effects"]}


def image(folder: Path, path: Path) -> Path:
    """An image of a folder, in the form that the file's name asks for."""
    command = [str(find("buf")), "build", str(folder), "-o", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


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
    monkeypatch.setattr("counterfoil.breaking_lane.compare", lambda *_: ())
    change(shop, RETYPED)
    found = shop.judge_here("breaking", "new", "--against", "old").the("BEHAVIOUR_CHANGED", STOCK)
    assert found["level"] == "behaviour"
    assert evidence(found, "witness")


@pytest.mark.silent("BEHAVIOUR_CHANGED")
def test_a_rule_that_expects_it_accounts_for_what_runtimes_show(shop: Workspace) -> None:
    change(shop, RETYPED)
    assert shop.judge_here("breaking", "new", "--against", "old").verdict == "broken"
    assert shop.judge_here("breaking", "new", "--against", "old").findings


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


@pytest.mark.fires("BUF_FAILED")
def test_modules_with_different_rules_are_refused_and_the_rest_is_judged(shop: Workspace) -> None:
    change(shop, RETYPED)
    shop.write("new/other/other.proto", PROTO.replace("shop", "other"))
    modules = "version: v2\nmodules:\n  - path: shop\n    breaking:\n      use: [WIRE]\n  - path: other\n"
    shop.write("new/buf.yaml", modules)
    report = shop.judge_here("breaking", "new", "--against", "old")
    assert "gives its modules different breaking rules" in report.the("BUF_FAILED")["message"]
    assert report.verdict == "broken"


# --- sources ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["binpb", "pb", "json", "binpb.gz"])
def test_an_image_is_a_schema(shop: Workspace, ending: str) -> None:
    change(shop, RETYPED)
    built = image(shop.root / "old", shop.root / f"built.{'json' if ending == 'json' else 'binpb'}")
    data = built.read_bytes()
    shop.write(f"old.{ending}", gzip.compress(data) if ending.endswith("gz") else data)
    report = shop.judge_here("breaking", "new", "--against", f"old.{ending}")
    assert report.the("FIELD_TYPE_CHANGED")["location"]["path"] == "new/shop/v1/shop.proto"
    assert shop.judge_here("breaking", f"old.{ending}", "--against", f"old.{ending}").verdict == "compatible"


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(shop: Workspace) -> Workspace:
    """Two commits, the first under the tag v1; then a change of type that is not committed."""
    git(shop.root, "init", "-q", "-b", "main")
    git(shop.root, "add", ".")
    git(shop.root, "commit", "-qm", "released")
    git(shop.root, "tag", "v1")
    shop.write("README.md", "more")
    git(shop.root, "add", ".")
    git(shop.root, "commit", "-qm", "more")
    change(shop, RETYPED)
    return shop


@pytest.mark.parametrize("reference", ["git:HEAD", "git:v1", "git:HEAD~1", "main", "HEAD~1", "v1"])
def test_a_git_reference_is_a_baseline(repository: Workspace, reference: str) -> None:
    report = repository.judge_here("breaking", "new", "--against", reference)
    assert report.rules == {("FIELD_TYPE_CHANGED", STOCK)}


def test_two_git_references_are_compared(repository: Workspace) -> None:
    git(repository.root, "commit", "-qam", "retyped")
    repository.write("counterfoil.toml", 'format = 1\n[schema]\ndir = "new"\n')
    assert repository.judge_here("breaking", "--against", "HEAD").verdict == "compatible"
    assert repository.judge_here("breaking", "--against", "v1").verdict == "broken"


@pytest.mark.parametrize("reference", ["git:v9", "git:", "git:--output=stolen", "git:-h", "v9"])
def test_an_unknown_reference_is_refused(repository: Workspace, reference: str) -> None:
    ran = repository.run_here("breaking", "new", "--against", reference)
    assert ran.exit_code == 2
    assert ran.error["error"] in {f"git has no '{reference.removeprefix('git:')}'", f"there is no schema '{reference}'"}
    assert "git fetch" in ran.error["next"]
    assert not (repository.root / "stolen").exists()


def test_a_shallow_clone_is_told_how_to_fetch(repository: Workspace, tmp_path_factory: pytest.TempPathFactory) -> None:
    clone = tmp_path_factory.mktemp("clone")
    git(clone, "clone", "-q", "--depth=1", f"file://{repository.root}", "shallow")
    ran = Workspace(clone / "shallow").run_here("breaking", "new", "--against", "git:HEAD~1")
    assert (ran.exit_code, ran.error["why"]) == (2, "this clone is shallow and may lack it")
    assert ran.error["next"].startswith("git fetch --unshallow")


@pytest.mark.parametrize("target", ["/etc/hostname", "../../outside"])
def test_a_link_in_the_baseline_is_refused(repository: Workspace, target: str) -> None:
    (repository.root / "new" / "link.proto").symlink_to(target)
    git(repository.root, "add", ".")
    git(repository.root, "commit", "-qm", "link")
    (repository.root / "new" / "link.proto").unlink()
    ran = repository.run_here("breaking", "new", "--against", "git:HEAD")
    assert (ran.exit_code, ran.error["error"]) == (2, "'new/link.proto' at 'HEAD' is a link, which is not followed")


# --- what cannot be used ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_schema_that_does_not_compile_is_located(shop: Workspace, side: str) -> None:
    text = PROTO.replace("string name = 1;", "strin name = 1;")
    shop.write(f"{side}/shop/v1/shop.proto", text)
    ran = shop.run_here("breaking", "new", "--against", "old")
    assert (ran.exit_code, ran.error["error"]) == (2, f"the schema '{side}' does not compile")
    assert ran.error["at"] == f"{side}/shop/v1/shop.proto:{line_of(text, 'strin name')}:3"
    assert "strin" in ran.error["why"]


@pytest.mark.parametrize(
    ("text", "said"),
    [('import "missing.proto";', "imported file does not exist"), ('import "shop/v1/shop.proto";', "cyclic import")],
    ids=["missing", "cycle"],
)
def test_imports_that_cannot_be_followed_are_told(shop: Workspace, text: str, said: str) -> None:
    change(shop, PROTO.replace("package shop.v1;", f"package shop.v1;\n{text}"))
    ran = shop.run_here("breaking", "new", "--against", "old")
    assert ran.exit_code == 2
    assert said in ran.error["why"]


def damaged(data: bytes) -> dict[str, bytes]:
    return {
        "cut": data[: len(data) // 2],
        "text": b"this is no image at all",
        "bytes": b"\xff\xff not an image",
        "unzipped": gzip.compress(data)[:-20],
        "json": b'{"file": 3}',
        "unrelated": b"\x10\x01",
    }


@pytest.mark.parametrize("kind", sorted(damaged(b"")))
def test_what_is_no_image_is_refused(shop: Workspace, kind: str) -> None:
    data = image(shop.root / "old", shop.root / "whole.binpb").read_bytes()
    shop.write("bad.binpb", damaged(data)[kind])
    change(shop, RETYPED)
    for arguments in (("new", "--against", "bad.binpb"), ("bad.binpb", "--against", "new")):
        ran = shop.run_here("breaking", *arguments)
        assert (ran.exit_code, ran.error["error"]) == (2, "'bad.binpb' is not an image"), ran.stderr


def test_an_image_without_its_imports_is_refused(shop: Workspace) -> None:
    stamped = PROTO.replace("package shop.v1;", 'package shop.v1;\nimport "google/protobuf/timestamp.proto";')
    change(shop, stamped.replace("int32 stock", "google.protobuf.Timestamp stock"))
    command = [str(find("buf")), "build", "new", "--exclude-imports", "-o", "lone.binpb"]
    subprocess.run(command, cwd=shop.root, check=True, capture_output=True)
    ran = shop.run_here("breaking", "lone.binpb", "--against", "old")
    assert (ran.exit_code, ran.error["error"]) == (2, "the new schema cannot be used")
    assert "google/protobuf/timestamp.proto" in ran.error["why"]


@pytest.mark.fires("SCHEMA_BASELINE_EMPTY")
def test_an_empty_baseline_is_unproven_unless_it_is_the_first_release(shop: Workspace) -> None:
    shop.write("empty/README.md", "")
    report = shop.judge_here("breaking", "new", "--against", "empty")
    assert (report.verdict, report.the("SCHEMA_BASELINE_EMPTY")["fix"].endswith("--first-release")) == (
        "unproven",
        True,
    )
    assert shop.judge_here("breaking", "new", "--against", "empty", "--first-release").verdict == "compatible"
    assert shop.judge_here("breaking", "new", "--first-release").cases == {BREAKING: "compatible"}


def test_a_message_of_ten_thousand_fields_is_judged(shop: Workspace) -> None:
    fields = "".join(f"  int32 f{number} = {number + 20000};\n" for number in range(10_000))
    proto = 'syntax = "proto3";\npackage big.v1;\nmessage Big {\n' + fields + "}\n"
    shop.write("old/big.proto", proto)
    shop.write("new/big.proto", proto.replace("int32 f7 ", "string f7 "))
    report = shop.judge_here("breaking", "new", "--against", "old")
    assert report.rules == {("FIELD_TYPE_CHANGED", "big.v1.Big.f7")}
    assert evidence(report.findings[0], "witness")


def test_without_a_workspace_both_schemas_have_to_be_named(tmp_path: Path) -> None:
    ran = Workspace(tmp_path).run("breaking", "--against", "old")
    assert (ran.exit_code, ran.error["error"].startswith("no counterfoil.toml in ")) == (2, True)


def test_a_mistake_in_the_configuration_is_not_passed_over(shop: Workspace) -> None:
    shop.write("counterfoil.toml", 'format = 1\n[schema]\nagaints = "x"\n')
    ran = shop.run_here("breaking", "new", "--against", "old")
    assert (ran.exit_code, ran.error["error"]) == (2, "unknown key 'againts' in [schema]")


# --- whom it concerns ------------------------------------------------------------------------------------------------

PACT = {
    "consumer": {"name": "storefront"},
    "provider": {"name": "ranker"},
    "interactions": [
        {
            "description": "the stock",
            "request": {"method": "GET", "path": "/stock"},
            "response": {"status": 200, "body": {"product": [{"stock": 2}]}},
        }
    ],
    "metadata": {"pactSpecification": {"version": "3.0.0"}},
}


@pytest.fixture
def team(shop: Workspace) -> Workspace:
    """The ranker reads products, the mailer reads nothing of them, and the storefront has a pact about the stock."""
    shop.write(
        "counterfoil.toml",
        'format = 1\n[pacts]\n[participants.ranker]\nreads = ["shop.v1.*"]\n'
        '[participants.mailer]\nwrites = ["mail.v1.*"]\n[participants.storefront]\n',
    )
    shop.write("contracts/pacts/storefront-ranker.json", json.dumps(PACT))
    change(shop, RETYPED)
    return shop


def test_a_finding_names_who_reads_it_and_which_pacts_mention_it(team: Workspace) -> None:
    found = team.judge_here("breaking", "new", "--against", "old").the("FIELD_TYPE_CHANGED")
    [changed] = evidence(found, "change")
    assert changed["participants"] == ["ranker reads"]
    assert changed["pacts"] == ["storefront→ranker::the stock"]
    assert all(one["path"].startswith("contracts/witnesses/breaking/") for one in evidence(found, "witness"))


@pytest.mark.parametrize(
    ("name", "verdict"), [("ranker", "broken"), ("storefront", "broken"), ("mailer", "compatible")]
)
def test_findings_are_narrowed_to_a_participant(team: Workspace, name: str, verdict: str) -> None:
    assert team.judge_here("breaking", "new", "--against", "old", "--only-affecting", name).verdict == verdict


def test_an_unknown_participant_is_refused(team: Workspace) -> None:
    ran = team.run_here("breaking", "new", "--against", "old", "--only-affecting", "rankr")
    assert (ran.exit_code, ran.error["error"]) == (2, "unknown participant 'rankr'")
    assert "'ranker'" in ran.error["why"]
