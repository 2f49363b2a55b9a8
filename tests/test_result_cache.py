"""Kept results: reused while everything that they depend on is what it was, and never the reason of a verdict."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
from counterfoil.model import Finding, Level, StateSeen
from counterfoil.project.config import read_workspace
from counterfoil.results.result_cache import HEADER, REUSED, Judged, ResultCache, Reuse
from counterfoil.system.processes import Processes

from tests.builders import CLI, CLI_WITHIN_S, PROVIDER, Object, Workspace, interaction, message, message_pact, pact

ROUTES: Object = {"GET /product": {"body": {"id": 1}}, "GET /null": {"body": {"id": None}}}
BROKEN: Object = {"GET /product": {"body": {"id": None}}}


@pytest.fixture
def catalog(shop: Workspace) -> Workspace:
    """A provider that says what it is made from, with two interactions that hold."""
    provide(shop, ROUTES)
    shop.pact(pact("web", "catalog", expecting("a product"), expecting("the product again")))
    return shop


def provide(shop: Workspace, routes: Object, **entries: object) -> None:
    shop.provide("catalog", {"routes": routes}, **({"inputs": ["*.json"]} | entries))


def expecting(description: str, path: str = "/product") -> Object:
    return interaction(description, path=path, body={"id": 1})


def reused(shop: Workspace, *arguments: str) -> set[str]:
    """The interactions whose results were not found by this run, which is green."""
    report = shop.judge_here("check", *arguments)
    assert (report.verdict, report.findings) == ("compatible", [])
    return {case["id"].rpartition("::")[2] for case in report.document["cases"] if REUSED in case["note"]}


BOTH = {"a product", "the product again"}


def test_a_second_check_starts_no_provider(catalog: Workspace) -> None:
    assert reused(catalog) == set()
    report = catalog.judge("check")
    assert [case["note"] for case in report.document["cases"]] == ["", REUSED, REUSED]
    assert report.document["steps"] == []
    assert catalog.run("check").stdout.count(REUSED) == 1


CHANGES: dict[str, Callable[[Workspace], object]] = {
    "an input": lambda shop: shop.write("catalog/other.json", "{}"),
    "the behaviour": lambda shop: provide(shop, ROUTES | {"GET /more": {"body": 1}}),
    "how it is started": lambda shop: provide(shop, ROUTES, answer_within_s=4.0),
    "its states": lambda shop: shop.configure("participants.catalog.provider", states="/states?other"),
    "its tools": lambda shop: shop.configure("participants.catalog", tools=["git"]),
    "its builds": lambda shop: shop.configure("participants.catalog", build=[{"run": ["true"], "inputs": ["*.json"]}]),
    "the version of the specification": lambda shop: change_pact(shop, '"3.0.0"', '"3.0.1"'),
}


def change_pact(shop: Workspace, old: str, new: str) -> None:
    file = shop.root / "contracts/pacts/web-catalog.json"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_change_of_what_it_depends_on_is_judged_anew(catalog: Workspace) -> None:
    assert reused(catalog) == set()
    for what, change in CHANGES.items():
        change(catalog)
        assert reused(catalog) == set(), what
    assert reused(catalog) == BOTH


def test_a_changed_interaction_is_judged_and_the_others_are_reused(catalog: Workspace) -> None:
    reused(catalog)
    change_pact(catalog, '"the product again"', '"the product once more"')
    assert reused(catalog) == {"a product"}


def test_the_environment_of_the_user_counts(catalog: Workspace) -> None:
    reused(catalog)
    assert REUSED not in catalog.run("check", env={"CATALOG_MODE": "other"}).stdout
    passing = {"COLUMNS": "70", "TERM_PROGRAM": "x", "GITHUB_RUN_ID": "7", "PYTEST_CURRENT_TEST": "y"}
    assert REUSED in catalog.run("check", env={"CATALOG_MODE": "other"} | passing).stdout


@pytest.mark.parametrize("name", ["TERMS_V2", "GITHUB_TOKEN_MODE", "RUNNER_UP", "PYTEST_MODE", "XDG_SESSION_STORE"])
def test_a_variable_that_only_starts_like_one_of_the_session_counts(catalog: Workspace, name: str) -> None:
    reused(catalog)
    assert REUSED not in catalog.run("check", env={name: "1"}).stdout


def test_a_file_behind_a_linked_folder_counts(catalog: Workspace) -> None:
    catalog.write("shared/deep/prices.txt", "1")
    catalog.write("catalog/src/main.txt", "1")
    (catalog.root / "catalog/src/lib").symlink_to("../../shared", target_is_directory=True)
    (catalog.root / "shared/back").symlink_to("../catalog", target_is_directory=True)
    provide(catalog, ROUTES, inputs=["*.json", "src/**/*.txt"])
    reused(catalog)
    assert reused(catalog) == BOTH
    catalog.write("shared/deep/prices.txt", "2")
    assert reused(catalog) == set()


def test_a_program_that_may_no_longer_be_run_is_not_reused(catalog: Workspace) -> None:
    program = catalog.write("catalog/serve", f"#!{sys.executable} -I\n{PROVIDER.read_text()}")
    program.chmod(0o755)
    provide(catalog, ROUTES, start=["./serve", "behaviour.json"])
    reused(catalog)
    assert reused(catalog) == BOTH
    program.chmod(0o644)
    assert catalog.judge_here("check", "--lane", "verify").verdict != "compatible"


def test_what_is_judged_is_the_pact_as_it_was_read(catalog: Workspace) -> None:
    """A build rewrites the pact of a run that has read it already."""
    file = catalog.root / "contracts/pacts/web-catalog.json"
    broken = file.read_text().replace('"id": 1', '"id": "none"')
    catalog.write("catalog/broken.json", broken)
    good = file.read_bytes()
    rewrite = {"run": ["cp", "broken.json", str(file)], "inputs": ["broken.json"]}
    catalog.configure("participants.catalog", build=[rewrite])
    file.write_text(broken)
    catalog.write("catalog/broken.json", good)
    assert catalog.judge_here("check", "--lane", "verify").verdict == "broken", "it was broken when it was read"
    assert file.read_bytes() == good
    assert reused(catalog) == set()
    assert reused(catalog) == BOTH


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "a (b|c)* d", "ö $ ^", "x" * 60_000], ids=range(5))
def test_the_rest_is_judged_whatever_it_is_called(catalog: Workspace, name: str) -> None:
    others = [expecting("a"), expecting("b")]
    catalog.pact(pact("web", "catalog", expecting(name), *others))
    first = catalog.judge_here("check", "--lane", "verify")
    alike = interaction(name, path="/product", body={"id": 2}, rules={"$.id": {"match": "type"}})
    catalog.pact(pact("web", "catalog", alike, *others))
    second = catalog.judge_here("check", "--lane", "verify")
    assert sorted(one["note"] for one in second.document["cases"]) == ["", REUSED, REUSED]
    assert set(first.cases.values()) == set(second.cases.values()) == {"compatible"}


def test_another_rust_toolchain_is_judged_anew(catalog: Workspace) -> None:
    catalog.configure("participants.catalog", tools=["cargo"])
    catalog.write("bin/cargo", "#!/bin/sh\n").chmod(0o755)
    rustc = catalog.write("rustup/toolchains/stable/bin/rustc", "1")
    catalog.write("rustup/settings.toml", 'default_toolchain = "stable"')
    path = f"{catalog.root / 'bin'}{os.pathsep}{os.environ['PATH']}"
    with mock.patch.dict(os.environ, {"RUSTUP_HOME": str(catalog.root / "rustup"), "PATH": path}):
        reused(catalog)
        assert reused(catalog) == BOTH
        rustc.write_text("22")
        assert reused(catalog) == set()
        catalog.write("rustup/settings.toml", 'default_toolchain = "beta"')
        assert reused(catalog) == set()
        catalog.write("catalog/rust-toolchain.toml", '[toolchain]\nchannel = "nightly"')
        assert reused(catalog) == set()
        assert reused(catalog) == BOTH


@pytest.mark.parametrize("inputs", [[], ["*.misspelt"]], ids=["none", "one that matches nothing"])
def test_nothing_is_reused_when_inputs_of_a_build_are_not_known(catalog: Workspace, inputs: list[str]) -> None:
    catalog.configure("participants.catalog", build=[{"run": ["true"], "inputs": inputs}])
    assert [reused(catalog), reused(catalog)] == [set(), set()]


@pytest.mark.parametrize("inputs", [[], ["*.json", "*.misspelt"]], ids=["none", "one that matches nothing"])
def test_nothing_is_reused_when_inputs_of_a_provider_are_not_known(catalog: Workspace, inputs: list[str]) -> None:
    provide(catalog, ROUTES, inputs=inputs)
    assert [reused(catalog), reused(catalog)] == [set(), set()]
    assert not (catalog.root / ".counterfoil/results").exists()


def test_a_pattern_that_cannot_be_one_is_refused(catalog: Workspace) -> None:
    provide(catalog, ROUTES, inputs=["/abs/*"])
    ran = catalog.run("check")
    assert ran.exit_code == 2
    assert "'/abs/*' is not a pattern" in ran.error["error"]


def test_what_fails_is_judged_each_time(catalog: Workspace) -> None:
    provide(catalog, BROKEN)
    for _ in range(2):
        report = catalog.judge_here("check")
        assert report.cases == dict.fromkeys(report.cases, "broken") | {
            "pacts::web→catalog::contracts/pacts/web-catalog.json": "compatible"
        }
        assert [step["label"] for step in report.document["steps"]] == ["verify catalog"]


def test_two_interactions_of_one_name_are_never_reused(catalog: Workspace) -> None:
    catalog.pact(pact("web", "catalog", expecting("a product"), expecting("a product", "/null")))
    for _ in range(2):
        assert catalog.judge_here("check", "--lane", "verify").verdict == "broken"


def test_messages_are_reused_too(shop: Workspace) -> None:
    shop.provide("catalog", {"messages": {"sold": {"id": 1}}}, inputs=["*.json"])
    shop.pact(message_pact("stock", "catalog", message("sold", {"id": 1})))
    assert [reused(shop), reused(shop)] == [set(), {"sold"}]


def test_without_the_cache_nothing_is_read_or_written(catalog: Workspace) -> None:
    assert reused(catalog, "--no-cache") == set()
    assert reused(catalog) == set()
    assert reused(catalog, "--no-cache") == set()
    assert reused(catalog) == BOTH


def kept_file(shop: Workspace) -> Path:
    (file,) = (shop.root / ".counterfoil/results").iterdir()
    return file


def with_body(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    """A change of what a file holds, with a checksum that fits."""

    def apply(file: Path) -> None:
        body = change(file.read_bytes().partition(b"\n")[2])
        file.write_bytes(HEADER + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)

    return apply


def in_its_place(file: Path) -> None:
    file.unlink()
    (file / "folder").mkdir(parents=True)


def a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "emptied": lambda file: file.write_bytes(b""),
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:-7]),
    "one byte changed": lambda file: file.write_bytes(file.read_bytes().replace(b"findings", b"Findings", 1)),
    "another note": lambda file: file.write_bytes(file.read_bytes().replace(b'"note": "x"', b'"note": "y"', 1)),
    "of another version": lambda file: file.write_bytes(file.read_bytes().replace(b"results 1 ", b"results 2 ", 1)),
    "not ours": lambda file: file.write_bytes(b"\x00\xff" * 1000),
    "a list": with_body(lambda _: b"[1]"),
    "nested without end": with_body(lambda _: b"[" * 100_000),
    "other entries": with_body(lambda body: json.dumps({one: {"note": 1} for one in json.loads(body)}).encode()),
    "findings of no kind": with_body(lambda body: body.replace(b'"rule": "DIVERGENCE"', b'"rule": 1')),
    "other keys": with_body(lambda body: json.dumps({f"0{one}": 1 for one in json.loads(body)}).encode()),
    "a folder": in_its_place,
    "a pipe": a_pipe,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_holds_nothing(shop: Workspace, damage: str) -> None:
    cache = cache_of(shop)
    cache.put("a", {"1": judged("x")})
    DAMAGE[damage](kept_file(shop))
    assert cache.get("a", ["1"]) == {}
    cache.put("a", {"1": judged("y")})
    assert cache.get("a", ["1"]) == ({} if damage == "a folder" else {"1": judged("y")})


def test_what_is_found_once_processes_were_stopped_is_not_kept(shop: Workspace) -> None:
    shop.configure("pacts")
    processes = Processes()
    cache = ResultCache(read_workspace(shop.file), processes, Reuse())
    processes.stop()
    cache.put("a", {"1": judged("x")})
    assert cache.get("a", ["1"]) == {}


@pytest.mark.parametrize("damage", ["cut off", "of another version", "other keys"])
def test_a_damaged_file_changes_no_verdict(catalog: Workspace, damage: str) -> None:
    reused(catalog)
    DAMAGE[damage](kept_file(catalog))
    assert reused(catalog) == set()
    DAMAGE[damage](kept_file(catalog))
    provide(catalog, BROKEN)
    assert catalog.judge_here("check").verdict == "broken"


def test_two_checks_at_once_share_the_cache(catalog: Workspace) -> None:
    command = [*CLI, "check", "--format", "json"]
    started = [subprocess.Popen(command, cwd=catalog.root, stdout=subprocess.PIPE) for _ in range(2)]
    verdicts = [json.loads(process.communicate(timeout=CLI_WITHIN_S)[0])["verdict"] for process in started]
    assert verdicts == ["compatible", "compatible"]
    assert REUSED in catalog.run("check").stdout
    provide(catalog, BROKEN)
    assert catalog.judge_here("check").verdict == "broken"


@pytest.mark.fires("CACHE_MISMATCH")
def test_an_audit_fails_where_a_kept_result_is_another(catalog: Workspace) -> None:
    catalog.write("elsewhere.json", json.dumps({"routes": ROUTES, "states": {"known": [""]}, "startup": {}}))
    start = [*catalog.tables["participants.catalog.provider"]["start"][:-1], str(catalog.root / "elsewhere.json")]
    provide(catalog, ROUTES, start=start)
    reused(catalog)
    catalog.write("elsewhere.json", json.dumps({"routes": BROKEN, "states": {"known": [""]}, "startup": {}}))
    assert reused(catalog) == BOTH, "its inputs do not name what it is made from"
    report = catalog.judge_here("check", "--audit-cache", "100")
    assert report.verdict == "broken"
    assert {one for one in report.rules if one[0] == "CACHE_MISMATCH"} == {
        ("CACHE_MISMATCH", f"verify::web→catalog::{name}") for name in BOTH
    }
    found = report.the("CACHE_MISMATCH", "verify::web→catalog::a product")
    assert found["evidence"][0] == {"kind": "output", "label": "kept", "lines": ["compatible"]}
    assert found["evidence"][1]["lines"][0].startswith("INTERACTION_FAILED web→catalog::a product")
    report = catalog.judge_here("check")
    assert report.verdict == "broken", "what an audit contradicted is not reused again"


@pytest.mark.silent("CACHE_MISMATCH")
def test_an_audit_judges_a_part_again_and_at_least_one(catalog: Workspace) -> None:
    reused(catalog)
    assert reused(catalog, "--audit-cache", "100") == set()
    assert len(reused(catalog, "--audit-cache", "50%")) == 1
    assert len(reused(catalog, "--audit-cache", "0.1")) == 1
    assert reused(catalog) == BOTH


@pytest.mark.parametrize("value", ["0", "0%", "101", "100.1%", "many", "%", "10%%", "nan", "inf", "-5%"])
def test_a_part_is_between_nothing_and_all(catalog: Workspace, value: str) -> None:
    ran = catalog.run_here("check", f"--audit-cache={value}")
    assert ran.exit_code == 2
    assert f"'{value}' is not a percentage above 0 and up to 100, for example 10 or 10%" in ran.stderr


def test_an_audit_without_a_cache_is_refused(catalog: Workspace) -> None:
    ran = catalog.run_here("check", "--audit-cache", "10", "--no-cache")
    assert ran.exit_code == 2
    assert "--audit-cache" in ran.stderr


def test_what_is_reused_is_recorded_as_what_was_found(catalog: Workspace) -> None:
    recorded = [catalog.run("check", "--record", "--version", "1", "--branch", "main") for _ in range(2)]
    assert [one.exit_code for one in recorded] == [0, 0]
    assert REUSED in recorded[1].stdout
    assert catalog.run("can-i-deploy", "--pacticipant", "web", "--version", "1").exit_code in {0, 3}
    dumps = [catalog.run("ledger", "export", "-").stdout, catalog.run("ledger", "export", "-").stdout]
    assert dumps[0] == dumps[1]


# --- the files themselves -------------------------------------------------------------------------------------------


def cache_of(shop: Workspace, **reuse: object) -> ResultCache:
    shop.configure("pacts")
    return ResultCache(read_workspace(shop.file), Processes(), Reuse(**reuse))  # type: ignore[arg-type]


def judged(text: str) -> Judged:
    found = Finding(rule="DIVERGENCE", subject=text, level=Level.BEHAVIOUR, message=text, fix="f")
    state = StateSeen(contract="a→b", field="$", participant="b", state="null", result="proven")
    return Judged(findings=(found,), note=text, states=(state,))
