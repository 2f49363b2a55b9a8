"""Schemas are linted, and compared with their baseline."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.builders import Judged, Object, Workspace, judged, line_of, run

PROTO = """\
syntax = "proto3";

package shop.v1;

message Product {
  string name = 1;
  int32 stock = 2;
}
"""
FILE = "protos/shop/v1/shop.proto"
LINT, BREAKING = "schema::protos::lint", "schema::protos::breaking"
MODULE_BREAKING = "version: v2\nmodules:\n  - path: .\n    breaking:\n      use: [{}]\n"


@pytest.fixture
def shop(shop: Workspace) -> Workspace:
    """A schema with a baseline of the same content."""
    shop.tables.pop("pacts")
    shop.configure("schema", dir="protos", against="released")
    shop.write(FILE, PROTO)
    shop.write("released/shop/v1/shop.proto", PROTO)
    return shop


def the_only(report: Judged, rule: str, subject: str) -> Object:
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    assert report.rules == {(rule, subject)}
    return report.the(rule)


@pytest.mark.silent(
    "SCHEMA_MISSING", "SCHEMA_BASELINE_MISSING", "SCHEMA_BASELINE_EMPTY", "SCHEMA_DOES_NOT_COMPILE", "BUF_FAILED"
)
def test_a_schema_that_did_not_change_is_compatible(shop: Workspace) -> None:
    report = shop.judge("check")
    assert (report.verdict, report.exit_code, report.findings) == ("compatible", 0, [])
    assert report.cases == {LINT: "compatible", BREAKING: "compatible"}


def test_an_added_field_is_compatible(shop: Workspace) -> None:
    shop.write(FILE, PROTO.replace("stock = 2;", "stock = 2;\n  bool listed = 3;"))
    assert shop.judge_here("breaking").cases == {BREAKING: "compatible"}


@pytest.mark.fires("FIELD_SAME_TYPE")
def test_a_changed_type_is_located(shop: Workspace) -> None:
    text = PROTO.replace("int32 stock", "string stock")
    shop.write(FILE, text)
    report = shop.judge_here("breaking")
    assert (report.verdict, report.exit_code, report.cases) == ("broken", 1, {BREAKING: "broken"})
    found = report.the("FIELD_SAME_TYPE")
    assert found["level"] == "policy"
    assert found["location"] == {"path": FILE, "line": line_of(text, "stock")}
    assert found["subject"].startswith("shop/v1/shop.proto::")
    assert '"int32" to "string"' in found["message"]
    assert found["fix"].startswith("keep the old element, or reserve it")


@pytest.mark.fires("FIELD_NO_DELETE")
def test_a_removed_field_is_located_at_its_message(shop: Workspace) -> None:
    text = PROTO.replace("  int32 stock = 2;\n", "")
    shop.write(FILE, text)
    found = shop.judge_here("breaking").the("FIELD_NO_DELETE")
    assert found["location"] == {"path": FILE, "line": line_of(text, "message Product")}
    assert '"stock"' in found["message"]
    assert found["subject"] == "shop/v1/shop.proto::2 stock Product"


@pytest.mark.fires("MESSAGE_PASCAL_CASE")
def test_a_lint_violation_is_located(shop: Workspace) -> None:
    text = PROTO + "\nmessage price_tag {}\n"
    shop.write(FILE, text)
    report = shop.judge_here("check")
    assert report.cases == {LINT: "broken", BREAKING: "compatible"}
    found = report.the("MESSAGE_PASCAL_CASE")
    assert found["location"] == {"path": FILE, "line": line_of(text, "price_tag")}
    assert found["fix"].startswith(f"correct {FILE}:{line_of(text, 'price_tag')}, or name the rule under lint.except")


def test_lint_rules_of_buf_yaml_hold(shop: Workspace) -> None:
    shop.write(FILE, PROTO + "\nmessage price_tag {}\n")
    shop.write("protos/buf.yaml", "version: v2\nlint:\n  except: [MESSAGE_PASCAL_CASE]\n")
    assert shop.judge_here("check", "-k", "::lint").verdict == "compatible"


@pytest.mark.fires("SCHEMA_DOES_NOT_COMPILE")
def test_a_schema_that_does_not_compile_is_located(shop: Workspace) -> None:
    text = PROTO.replace("string name = 1;", "strin name = 1;")
    shop.write(FILE, text)
    report = shop.judge_here("check")
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    assert report.cases == {LINT: "unproven", BREAKING: "unproven"}
    line = line_of(text, "strin name")
    found = report.the("SCHEMA_DOES_NOT_COMPILE", f"{FILE}:{line}:3")
    assert "strin" in found["message"]
    assert found["fix"] == f"correct {FILE}"
    assert found["location"] == {"path": FILE, "line": line}
    assert {one["location"]["path"] for one in report.findings} == {FILE}, "lint and breaking name one file alike"


@pytest.mark.fires("SCHEMA_DOES_NOT_COMPILE")
def test_a_baseline_that_does_not_compile_is_located(shop: Workspace) -> None:
    shop.write("released/shop/v1/shop.proto", PROTO.replace("message", "massage"))
    report = shop.judge_here("breaking")
    assert {rule for rule, _ in report.rules} == {"SCHEMA_DOES_NOT_COMPILE"}
    assert {found["location"]["path"] for found in report.findings} == {"released/shop/v1/shop.proto"}


@pytest.mark.fires("SCHEMA_MISSING")
@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_without_a_schema(shop: Workspace, *, exists: bool) -> None:
    shop.configure("schema", dir="empty")
    if exists:
        shop.write("empty/README.md", "nothing here")
    found = the_only(shop.judge_here("check"), "SCHEMA_MISSING", "empty")
    assert found["message"] == "'empty' has no .proto files, so there is no schema to judge"
    assert found["fix"] == "correct schema.dir in counterfoil.toml"
    assert found["location"] == {"path": "counterfoil.toml", "line": None}


@pytest.mark.fires("SCHEMA_BASELINE_MISSING")
def test_a_schema_without_a_baseline(shop: Workspace) -> None:
    shop.configure("schema", against=None)
    report = shop.judge_here("check")
    assert report.cases == {LINT: "compatible", BREAKING: "unproven"}
    found = the_only(report, "SCHEMA_BASELINE_MISSING", "protos")
    assert found["message"] == "'protos' has no baseline to be compared with"
    assert found["fix"] == "set schema.against, or pass --against: a folder, an image (.binpb) or git:REF"


@pytest.mark.fires("SCHEMA_BASELINE_EMPTY")
@pytest.mark.parametrize("kind", ["folder", "image"])
def test_an_empty_baseline_proves_nothing(shop: Workspace, kind: str) -> None:
    shop.write("empty/README.md", "")
    shop.write("empty.binpb", b"")
    against = {"folder": "empty", "image": "empty.binpb"}[kind]
    found = the_only(shop.judge_here("breaking", "--against", against), "SCHEMA_BASELINE_EMPTY", "protos")
    assert found["message"] == f"the baseline '{against}' has no schema in it, so nothing could break"


@pytest.mark.fires("BUF_FAILED")
@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("released.binpb", b"\xff\xff not an image"),
        ("protos/buf.yaml", b"version: v9\n"),
        ("protos/buf.yaml", b"- a\n"),
    ],
    ids=["image", "version", "list"],
)
def test_what_buf_cannot_read_is_unproven(shop: Workspace, path: str, content: bytes) -> None:
    shop.write(path, content)
    against = "released.binpb" if path.endswith("binpb") else "released"
    found = the_only(shop.judge_here("breaking", "--against", against), "BUF_FAILED", "protos")
    assert found["fix"] == "see what it said, then run 'counterfoil doctor'"
    assert found["evidence"][0]["lines"]


def test_an_image_is_a_baseline(shop: Workspace) -> None:
    image = build_image(shop.root / "released", shop.root / "released.binpb")
    shop.write(FILE, PROTO.replace("int32 stock", "string stock"))
    report = shop.judge("breaking", "--against", image.name)
    assert [found["rule"] for found in report.findings] == ["FIELD_SAME_TYPE"]
    assert report.findings[0]["location"]["path"] == FILE


def build_image(folder: Path, image: Path) -> Path:
    from counterfoil.toolchain import find  # noqa: PLC0415

    subprocess.run([str(find("buf")), "build", str(folder), "-o", str(image)], check=True, capture_output=True)
    return image


@pytest.mark.parametrize(
    ("config", "verdict"),
    [
        ("version: v2\nbreaking:\n  use: [WIRE]\n", "compatible"),
        ("version: v2\nbreaking:\n  use: [FILE]\n", "broken"),
        ("version: v2\nbreaking:\n  use: [FILE]\n  except: [FIELD_SAME_NAME, FIELD_SAME_JSON_NAME]\n", "compatible"),
        ("version: v2\nbreaking:\n  except: [FIELD_SAME_NAME, FIELD_SAME_JSON_NAME]\n", "compatible"),
        ("version: v2\n", "broken"),
        (MODULE_BREAKING.format("WIRE"), "compatible"),
        (MODULE_BREAKING.format("FILE"), "broken"),
    ],
    ids=["wire", "file", "except", "only-except", "default", "module-wire", "module-file"],
)
def test_breaking_rules_of_buf_yaml_hold(shop: Workspace, config: str, verdict: str) -> None:
    """A renamed field changes nothing on the wire, but the generated code and the JSON."""
    shop.write(FILE, PROTO.replace("int32 stock", "int32 in_stock"))
    shop.write("protos/buf.yaml", config)
    assert shop.judge_here("breaking").verdict == verdict


def test_modules_with_different_rules_are_refused(shop: Workspace) -> None:
    shop.write("protos/other/other.proto", PROTO.replace("shop", "other"))
    shop.write(
        "protos/buf.yaml",
        "version: v2\nmodules:\n  - path: shop\n    breaking:\n      use: [WIRE]\n  - path: other\n",
    )
    found = the_only(shop.judge_here("breaking"), "BUF_FAILED", "protos")
    assert "gives its modules different breaking rules" in found["message"]


# --- a baseline in git -----------------------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(shop: Workspace) -> Workspace:
    """Two commits: the schema as released under the tag v1, and something else; then a change of type."""
    git(shop.root, "init", "-q", "-b", "main")
    git(shop.root, "add", ".")
    git(shop.root, "commit", "-qm", "released")
    git(shop.root, "tag", "v1")
    shop.write("README.md", "more")
    git(shop.root, "add", ".")
    git(shop.root, "commit", "-qm", "more")
    shop.write(FILE, PROTO.replace("int32 stock", "string stock"))
    return shop


@pytest.mark.parametrize("reference", ["HEAD", "v1", "HEAD~1"])
def test_a_git_reference_is_a_baseline(repository: Workspace, reference: str) -> None:
    report = repository.judge_here("breaking", "--against", f"git:{reference}")
    assert [found["rule"] for found in report.findings] == ["FIELD_SAME_TYPE"]


@pytest.mark.parametrize("folder", ["nested/deeper"])
def test_a_workspace_may_be_a_folder_of_its_repository(repository: Workspace, folder: str) -> None:
    nested = Workspace(repository.root / folder)
    nested.tables.pop("pacts")
    nested.configure("schema", dir="protos", against="git:HEAD")
    nested.write(FILE, PROTO)
    git(repository.root, "add", ".")
    git(repository.root, "commit", "-qm", "nested")
    nested.write(FILE, PROTO.replace("int32 stock", "string stock"))
    assert [found["rule"] for found in nested.judge("breaking").findings] == ["FIELD_SAME_TYPE"]


@pytest.mark.fires("BUF_FAILED")
@pytest.mark.parametrize("reference", ["v9", "", "--output=stolen", "-h", "v1\n"])
def test_an_unknown_git_reference_is_unproven(repository: Workspace, reference: str) -> None:
    found = the_only(repository.judge_here("breaking", "--against", f"git:{reference}"), "BUF_FAILED", "protos")
    assert found["message"].startswith(f"git has no 'protos' at '{reference}'; a shallow clone may lack it: git fetch")
    assert not (repository.root / "stolen").exists()


def test_a_shallow_clone_is_told_how_to_fetch(repository: Workspace, tmp_path_factory: pytest.TempPathFactory) -> None:
    clone = tmp_path_factory.mktemp("clone")
    git(clone, "clone", "-q", "--depth=1", f"file://{repository.root}", "shallow")
    report = judged(run(clone / "shallow", "breaking", "--against", "git:HEAD~1", "--format", "json"))
    found = the_only(report, "BUF_FAILED", "protos")
    assert found["message"].startswith("git has no 'protos' at 'HEAD~1'; a shallow clone may lack it: git fetch")
    assert found["evidence"][0]["lines"]


@pytest.mark.parametrize("target", ["/etc/hostname", "../../outside"])
def test_a_link_that_leads_out_of_the_baseline_is_unproven(repository: Workspace, target: str) -> None:
    (repository.root / "protos" / "link.proto").symlink_to(target)
    git(repository.root, "add", ".")
    git(repository.root, "commit", "-qm", "link")
    (repository.root / "protos" / "link.proto").unlink()
    report = repository.judge_here("breaking", "--against", "git:HEAD")
    assert report.verdict == "unproven"


# --- outside a workspace ---------------------------------------------------------------------------------------------


def test_breaking_works_outside_a_workspace(tmp_path: Path) -> None:
    shop = Workspace(tmp_path)
    shop.write("new/shop.proto", PROTO.replace("int32 stock", "string stock"))
    shop.write("old/shop.proto", PROTO)
    report = shop.judge("breaking", "new", "--against", "old")
    assert report.cases == {"schema::new::breaking": "broken"}
    assert report.the("FIELD_SAME_TYPE")["location"] == {"path": "new/shop.proto", "line": 7}
    assert shop.judge("breaking", "old", "--against", "old").verdict == "compatible"


def test_breaking_outside_a_workspace_needs_a_schema(tmp_path: Path) -> None:
    ran = Workspace(tmp_path).run("breaking", "--against", "old")
    assert ran.exit_code == 2
    assert ran.error["error"].startswith("no counterfoil.toml in ")


def test_breaking_does_not_pass_over_a_mistake_in_the_configuration(shop: Workspace) -> None:
    shop.configure("schema", againts="x")
    ran = shop.run("breaking", "protos", "--against", "released")
    assert ran.exit_code == 2
    assert ran.error["error"] == "unknown key 'againts' in [schema]"
