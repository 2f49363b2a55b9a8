"""Kept results: reused while everything that they depend on is what it was, and never the reason of a verdict."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from counterfoil.config import read_workspace
from counterfoil.model import Finding, Level, StateSeen
from counterfoil.processes import Processes
from counterfoil.result_cache import HEADER, REUSED, Judged, ResultCache, Reuse

from tests.builders import CLI, CLI_WITHIN_S, Object, Workspace, interaction, message, message_pact, pact

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
    assert REUSED in catalog.run("check", env={"CATALOG_MODE": "other", "COLUMNS": "70", "TERM_PROGRAM": "x"}).stdout


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


@pytest.mark.silent("CACHE_MISMATCH")
def test_an_audit_judges_a_part_again_and_at_least_one(catalog: Workspace) -> None:
    reused(catalog)
    assert reused(catalog, "--audit-cache", "100") == set()
    assert len(reused(catalog, "--audit-cache", "50")) == 1
    assert len(reused(catalog, "--audit-cache", "0.1")) == 1
    assert reused(catalog) == BOTH


@pytest.mark.parametrize("value", ["0", "101", "many"])
def test_a_part_is_between_nothing_and_all(catalog: Workspace, value: str) -> None:
    assert catalog.run_here("check", "--audit-cache", value).exit_code == 2


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


# --- a change of a schema --------------------------------------------------------------------------------------------

PROTO = 'syntax = "proto3";\npackage shop.v1;\nmessage Product {\n  int32 stock = 2;\n}\n'


def broken(shop: Workspace, *arguments: str) -> tuple[list[Object], bool]:
    """The findings about a change, and whether they were reused."""
    report = shop.judge_here("breaking", "new", "--against", "old", *arguments)
    (case,) = report.document["cases"]
    return report.findings, case["note"] == REUSED


def test_a_pair_of_schemas_is_judged_once(shop: Workspace) -> None:
    shop.write("old/shop.proto", PROTO)
    shop.write("new/shop.proto", PROTO.replace("int32", "string"))
    found, first = broken(shop)
    assert [one["rule"] for one in found] == ["FIELD_TYPE_CHANGED"]
    assert [first, broken(shop)] == [False, (found, True)]
    assert broken(shop, "--only-affecting", "") == (found, True)
    again, fourth = broken(shop, "--mode", "backward")
    assert (again != found, fourth) == (True, False)
    (shop.root / found[0]["evidence"][-1]["path"]).unlink()
    assert broken(shop) == (found, False), "a witness that is gone is written again"
    assert broken(shop, "--no-cache") == (found, False)
    assert broken(shop, "--audit-cache", "100") == (found, False)
    shop.write("new/buf.yaml", "version: v2\nbreaking:\n  use: [WIRE]\n")
    assert broken(shop)[1] is False
    shop.write("new/shop.proto", PROTO)
    assert broken(shop) == ([], False)


# --- the files themselves -------------------------------------------------------------------------------------------


def cache_of(shop: Workspace, **reuse: object) -> ResultCache:
    shop.configure("pacts")
    return ResultCache(read_workspace(shop.file), Processes(), Reuse(**reuse))  # type: ignore[arg-type]


def judged(text: str) -> Judged:
    found = Finding(rule="DIVERGENCE", subject=text, level=Level.BEHAVIOUR, message=text, fix="f")
    state = StateSeen(contract="a→b", field="$", participant="b", state="null", result="proven")
    return Judged(findings=(found,), note=text, states=(state,))


def test_what_is_put_is_what_is_got(shop: Workspace) -> None:
    cache = cache_of(shop)
    cache.put("a", {"1": judged("x \ud800 →"), "2": judged("")})
    assert cache.get("a", ["1", "2", "3"]) == {"1": judged("x \ud800 →"), "2": judged("")}
    assert cache.get("b", ["1"]) == {}


def test_processes_that_share_a_file_read_whole_results_or_none(shop: Workspace) -> None:
    expected = {str(number): judged(f"{number} " * 500) for number in range(8)}
    caches = [cache_of(shop) for _ in range(4)]

    def write(cache: ResultCache) -> None:
        for key, one in expected.items():
            cache.put("shared", {key: one})

    threads = [threading.Thread(target=write, args=[cache]) for cache in caches]
    for thread in threads:
        thread.start()
    reader, seen = cache_of(shop), []
    while any(thread.is_alive() for thread in threads):
        seen.append(reader.get("shared", expected))
    for thread in threads:
        thread.join()
    assert all(found == {key: expected[key] for key in found} for found in seen)
    assert reader.get("shared", ["7"]) == {"7": expected["7"]}


def test_what_changes_while_it_is_judged_is_not_kept(shop: Workspace) -> None:
    keys = iter("12")
    cache = cache_of(shop)
    assert cache.reused_or_judged("a", "s", lambda: next(keys), lambda: judged("x")) == judged("x")
    assert cache.get("a", "12") == {}


def test_what_could_not_be_judged_is_not_kept(shop: Workspace) -> None:
    unproven = Judged(
        findings=(Finding(rule="PROBE_NOT_RUN", subject="s", level=Level.UNPROVEN, message="m", fix="f"),)
    )
    cache = cache_of(shop)
    for _ in range(2):
        assert cache.reused_or_judged("a", "s", lambda: "1", lambda: unproven) == unproven
    assert cache.get("a", "1") == {}


def test_what_is_kept_is_judged_once(shop: Workspace) -> None:
    cache = cache_of(shop)
    found = iter([judged("first")])
    assert cache.reused_or_judged("a", "s", lambda: "1", lambda: next(found)) == judged("first")
    assert cache.reused_or_judged("a", "s", lambda: "1", lambda: next(found)).note == f"first, {REUSED}"
