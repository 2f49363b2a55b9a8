"""`counterfoil breaking`: where schemas come from, and what cannot be used."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from counterfoil.system.toolchain import find
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tests.builders import Workspace, line_of
from tests.schema_change import BREAKING, PROTO, RETYPED, STOCK, change, evidence, image
from tests.schema_corpus import CORPUS

pytestmark = pytest.mark.usefixtures("unchanged_schema")


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


@pytest.mark.parametrize("sides", [("new", "older.binpb"), ("older.binpb", "new")])
def test_what_comes_with_another_compiler_is_no_change(shop: Workspace, sides: tuple[str, str]) -> None:
    """A release of protoc has fields in descriptor.proto that one before it has not."""
    option = "extend google.protobuf.FieldOptions {\n  string owner = 50001;\n}\n"
    change(shop, PROTO.replace("message", f'import "google/protobuf/descriptor.proto";\n{option}message', 1))
    files = FileDescriptorSet.FromString(image(shop.root / "new", shop.root / "newer.binpb").read_bytes())
    [descriptors] = [file for file in files.file if file.name == "google/protobuf/descriptor.proto"]
    [features] = [message for message in descriptors.message_type if message.name == "FeatureSet"]
    del features.field[-1]
    shop.write("older.binpb", files.SerializeToString())
    new, old = sides
    report = shop.judge_here("breaking", new, "--against", old)
    assert (report.verdict, report.findings) == ("compatible", [])


def test_what_is_imported_for_options_alone_is_followed(shop: Workspace) -> None:
    """buf refuses its own image where such an import is not used."""
    pair = CORPUS / "pv_option_import_loosened"
    for path in pair.rglob("*.proto"):
        shop.write(f"pair/{path.relative_to(pair).as_posix()}", path.read_text())
    report = shop.judge_here("breaking", "pair/new", "--against", "pair/old")
    assert (report.verdict, [found["rule"] for found in report.findings]) == ("compatible", ["VALIDATION_LOOSENED"])


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


def test_a_workspace_that_is_itself_the_folder_of_protos_is_compared_with_a_commit(repository: Workspace) -> None:
    for name in ("old", "new"):
        shutil.rmtree(repository.root / name)
    repository.write("shop/v1/shop.proto", PROTO)
    git(repository.root, "add", ".")
    git(repository.root, "commit", "-qm", "moved")
    repository.write("shop/v1/shop.proto", RETYPED)
    report = repository.judge_here("breaking", ".", "--against", "git:HEAD")
    assert report.rules == {("FIELD_TYPE_CHANGED", STOCK)}


@pytest.mark.parametrize(
    ("new", "configured"), [("git:HEAD", True), ("git:HEAD", False), ("main", False), ("built.binpb", True)]
)
def test_what_is_compared_with_a_commit_need_not_be_a_folder(
    repository: Workspace, new: str, *, configured: bool
) -> None:
    shutil.rmtree(repository.root / "old")
    git(repository.root, "rm", "-rq", "--cached", "old")
    git(repository.root, "commit", "-qm", "only one")
    git(repository.root, "commit", "-qam", "retyped")
    image(repository.root / "new", repository.root / "built.binpb")
    if configured:
        repository.write("counterfoil.toml", 'format = 1\n[schema]\ndir = "new"\n')
    before = "git:HEAD~1"
    assert repository.judge_here("breaking", new, "--against", before).rules == {("FIELD_TYPE_CHANGED", STOCK)}
    assert repository.judge_here("breaking", new, "--against", "new").verdict == "compatible"


def test_the_configured_schema_is_compared_with_what_was_committed(repository: Workspace) -> None:
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


@pytest.mark.parametrize(
    ("target", "exit_code"), [("../shared", 2), ("../shared/v1", 2), ("../texts", 0), ("../nothing", 0), ("/etc", 0)]
)
def test_a_link_to_protos_in_the_baseline_is_refused(repository: Workspace, target: str, exit_code: int) -> None:
    repository.write("shared/v1/shared.proto", 'syntax = "proto3";\n')
    repository.write("texts/text.md", "")
    change(repository, PROTO)
    (repository.root / "new" / "link").symlink_to(target)
    git(repository.root, "add", ".")
    git(repository.root, "commit", "-qm", "link")
    (repository.root / "new" / "link").unlink()
    ran = repository.run_here("breaking", "new", "--against", "git:HEAD")
    assert ran.exit_code == exit_code
    assert exit_code == 0 or ran.error["error"] == "'new/link' at 'HEAD' is a link, which is not followed"


@pytest.mark.parametrize(("file", "exit_code"), [("a.proto", 2), ("a.md", 0)])
def test_a_submodule_of_protos_in_the_baseline_is_refused(repository: Workspace, file: str, exit_code: int) -> None:
    change(repository, PROTO)
    commit_id = subprocess.run(["git", "rev-parse", "v1"], cwd=repository.root, check=True, capture_output=True).stdout
    git(repository.root, "update-index", "--add", "--cacheinfo", f"160000,{commit_id.decode().strip()},new/sub")
    git(repository.root, "commit", "-qm", "submodule")
    repository.write(f"new/sub/{file}", 'syntax = "proto3";\n')
    ran = repository.run_here("breaking", "new", "--against", "git:HEAD")
    assert ran.exit_code == exit_code
    assert exit_code == 0 or ran.error["error"].startswith("'new/sub' at 'HEAD' is a submodule")


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


@pytest.mark.parametrize("baseline", [[], ["--against", "empty"]])
@pytest.mark.parametrize(
    ("content", "said"),
    [(PROTO.encode() + b"?", "the schema 'first' does not compile"), (b"\x0a\xff", "'first' is not an image")],
)
def test_a_first_release_has_to_be_a_schema(shop: Workspace, baseline: list[str], content: bytes, said: str) -> None:
    shop.write("empty/README.md", "")
    shop.write("first/shop.proto" if content.isascii() else "first", content)
    ran = shop.run_here("breaking", "first", *baseline, "--first-release")
    assert (ran.exit_code, ran.error["error"]) == (2, said)


def test_what_does_not_compile_on_either_side_is_not_compatible(shop: Workspace) -> None:
    for side in ("old", "new"):
        change(shop, PROTO + "?", side)
    ran = shop.run_here("breaking", "new", "--against", "old")
    assert (ran.exit_code, ran.error["error"]) == (2, "the schema 'new' does not compile")


@pytest.mark.parametrize("arguments", [("new", "--against", ""), ("", "--against", "old")])
def test_a_schema_without_a_name_is_not_taken_for_the_folder(shop: Workspace, arguments: tuple[str, ...]) -> None:
    ran = shop.run_here("breaking", *arguments)
    assert (ran.exit_code, ran.error["error"]) == (2, "a schema has no name")


def test_a_pipe_among_the_protos_is_refused(shop: Workspace) -> None:
    os.mkfifo(shop.root / "new" / "endless.proto")
    ran = shop.run_here("breaking", "new", "--against", "old")
    assert (ran.exit_code, ran.error["error"].endswith("endless.proto' is not a file with a schema in it")) == (2, True)


def test_a_new_schema_that_is_empty_is_named_as_it_was_given(shop: Workspace) -> None:
    shop.write("empty/README.md", "")
    report = shop.judge_here("breaking", "empty", "--against", "old")
    found = report.the("SCHEMA_MISSING", "empty")
    assert report.verdict == "unproven"
    assert (found["location"]["path"], "counterfoil.toml" in found["fix"]) == ("empty", False)


def test_a_message_of_ten_thousand_fields_is_judged(shop: Workspace) -> None:
    fields = "".join(f"  int32 f{number} = {number + 20000};\n" for number in range(10_000))
    proto = 'syntax = "proto3";\npackage big.v1;\nmessage Big {\n' + fields + "}\n"
    shop.write("old/big.proto", proto)
    shop.write("new/big.proto", proto.replace("int32 f7 ", "string f7 "))
    report = shop.judge_here("breaking", "new", "--against", "old")
    assert report.rules == {("FIELD_TYPE_CHANGED", "big.v1.Big.f7")}
    assert evidence(report.findings[0], "witness")


def test_files_may_have_names_in_any_language(shop: Workspace) -> None:
    for side, text in {"old": PROTO, "new": RETYPED}.items():
        shop.write(f"{side}/größe.proto", text.replace("shop.v1", "lager.v1"))
        user = 'syntax = "proto2";\npackage lager.v1;\nimport "größe.proto";\nimport "日本/値.proto";\n'
        shop.write(f"{side}/b.proto", user + "message N {\n  optional Product a = 1;\n}\n")
        extended = "message E {\n  extensions 1 to 9;\n}\nextend E {\n  optional int32 one = 1;\n}\n"
        shop.write(f"{side}/日本/値.proto", 'syntax = "proto2";\npackage lager.v1;\n' + extended)
    report = shop.judge_here("breaking", "new", "--against", "old")
    found = report.the("FIELD_TYPE_CHANGED", "lager.v1.Product.stock")
    assert found["location"] == {"path": "new/größe.proto", "line": line_of(RETYPED, "stock")}
    witness = evidence(found, "witness")[0]
    assert {one["stub"] for one in witness["runtimes"]} == {"node", "python", "rust"}
    replayed = shop.run_here("replay", str(shop.root / witness["path"]))
    assert (replayed.exit_code, replayed.stdout.splitlines()[-1]) == (1, "still so")


@pytest.mark.parametrize("name", ["-n", "new.git", "new.zip", "new.binpb", "ä b", "."])
def test_a_folder_is_one_whatever_its_name_looks_like(shop: Workspace, name: str) -> None:
    elsewhere = Workspace(shop.root / "there")
    image(shop.root / "old", shop.root / "there.binpb")
    elsewhere.write(f"{name}/shop/v1/shop.proto", RETYPED)
    report = elsewhere.judge_here("breaking", f"./{name}", "--against", "../there.binpb")
    assert report.rules == {("FIELD_TYPE_CHANGED", STOCK)}
    elsewhere.write(f"{name}/shop/v1/shop.proto", RETYPED.replace("string stock", "no stock"))
    ran = elsewhere.run_here("breaking", f"./{name}", "--against", "../there.binpb")
    assert ran.error["at"].startswith(f"{name}/shop/v1/shop.proto:".removeprefix("./"))


def test_a_name_that_is_not_utf_8_is_told(shop: Workspace) -> None:
    shop.write("new/\udcff.proto", 'syntax = "proto3";\n')
    ran = shop.run_here("breaking", "new", "--against", "old")
    assert (ran.exit_code, ran.error["error"]) == (2, "the file '\\xff.proto' in 'new' has a name that is not UTF-8")


def test_a_commit_without_a_repository_is_refused(shop: Workspace) -> None:
    ran = shop.run_here("breaking", "new", "--against", "git:HEAD")
    assert ran.exit_code == 2
    assert ran.error["error"] == f"'{shop.root}' is not in a git repository, so 'HEAD' names no commit"


def test_the_package_without_a_name_is_named(shop: Workspace) -> None:
    shop.write("bare/a.proto", 'syntax = "proto3";\nmessage M {}\n')
    found = shop.judge_here("breaking", "new", "--against", "bare").the("PACKAGE_REMOVED")
    assert found["message"].startswith("nothing is left of the package (none).")


def test_without_a_workspace_both_schemas_have_to_be_named(tmp_path: Path) -> None:
    ran = Workspace(tmp_path).run("breaking", "--against", "old")
    assert (ran.exit_code, ran.error["error"].startswith("no counterfoil.toml in ")) == (2, True)


def test_a_mistake_in_the_configuration_is_not_passed_over(shop: Workspace) -> None:
    shop.write("counterfoil.toml", 'format = 1\n[schema]\nagaints = "x"\n')
    ran = shop.run_here("breaking", "new", "--against", "old")
    assert (ran.exit_code, ran.error["error"]) == (2, "unknown key 'againts' in [schema]")
