"""What is kept, and what is not: of a change of a schema, and in the files themselves."""

from __future__ import annotations

import threading

from counterfoil.model import Finding, Level
from counterfoil.results.result_cache import REUSED, Judged, ResultCache

from tests.builders import Object, Workspace
from tests.test_result_cache import cache_of, judged

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
    witness = shop.root / found[0]["evidence"][-1]["path"]
    written = witness.read_text()
    shop.write(str(witness.relative_to(shop.root)), written.replace("stock", "stack"))
    assert [broken(shop), witness.read_text()] == [(found, False), written], "one that was edited is too"
    assert broken(shop, "--no-cache") == (found, False)
    assert broken(shop, "--audit-cache", "100") == (found, False)
    shop.write("new/buf.yaml", "version: v2\nbreaking:\n  use: [WIRE]\n")
    assert broken(shop)[1] is False
    shop.write("new/shop.proto", PROTO)
    assert broken(shop) == ([], False)


def test_what_needs_no_runtime_is_judged_anew_which_takes_less_than_finding_it_again(shop: Workspace) -> None:
    shop.write("old/shop.proto", PROTO)
    shop.write("new/shop.proto", PROTO.replace("int32 stock = 2;", "int32 stock = 2;\n  bool sold = 3;"))
    found, first = broken(shop)
    assert [one["rule"] for one in found] == ["FIELD_ADDED"]
    assert [first, broken(shop)] == [False, (found, False)]


def test_a_folder_is_linted_once(shop: Workspace) -> None:
    shop.write("protos/shop.proto", PROTO)
    shop.write("protos/buf.yaml", "version: v2\nlint:\n  use: [PACKAGE_DIRECTORY_MATCH]\n")
    shop.configure("schema", dir="protos", against="protos")

    def linted(*arguments: str) -> tuple[list[str], bool]:
        report = shop.judge_here("check", "-k", "lint", *arguments)
        (case,) = report.document["cases"]
        return [found["rule"] for found in report.findings], case["note"] == REUSED

    found = ["PACKAGE_DIRECTORY_MATCH"]
    assert [linted(), linted(), linted("--no-cache")] == [(found, False), (found, True), (found, False)]
    assert linted("--audit-cache=100%") == (found, False)
    shop.write("protos/node_modules/shop/v1/more.proto", PROTO.replace("Product", "More"))
    assert linted()[1] is False, "buf reads every folder"
    (shop.root / "protos/node_modules/shop/v1/more.proto").unlink()
    shop.write("protos/buf.yaml", "version: v2\n")
    (shop.root / "protos/shop.proto").rename(shop.write("protos/shop/v1/shop.proto", ""))
    assert [linted(), linted()] == [([], False), ([], True)]
    shop.write("protos/shop/v1/shop.proto", PROTO.replace("stock", "inStock"))
    assert linted() == (["FIELD_LOWER_SNAKE_CASE"], False)
    shop.write("protos/shop/v1/shop.proto", "syntax")
    rules = ["SCHEMA_DOES_NOT_COMPILE"]
    assert [linted(), linted()] == [(rules, False), (rules, False)], "what is unproven is not kept"
    shop.write("protos/shop/v1/shop.proto", PROTO)
    shop.write("buf.yaml", "version: v2\nmodules:\n  - path: protos\n")
    (shop.root / "protos/buf.yaml").unlink()
    assert [linted()[1], linted()[1]] == [False, False], "what lies above the folder may say more"


# --- the files themselves -------------------------------------------------------------------------------------------


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
