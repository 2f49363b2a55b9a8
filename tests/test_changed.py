"""`check --changed-since`: what nothing can affect is left out and listed, and what is not known is judged."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from counterfoil.system.git import Git
from counterfoil.system.processes import Processes

from tests.builders import Judged, Object, Workspace, interaction, pact

ROUTES: Object = {"GET /product": {"body": {"id": 1}}}
PROTO = 'syntax = "proto3";\npackage shop.v1;\nmessage Product {}\n'
CATALOG, STOCK = ("verify::web→catalog::of catalog", "verify::web→stock::of stock")
PACTS = {name: f"pacts::web→{name}::contracts/pacts/web-{name}.json" for name in ("catalog", "stock")}
LINT, BREAKING = "schema::protos::lint", "schema::protos::breaking"
EVERYTHING = {CATALOG, STOCK, *PACTS.values(), LINT, BREAKING}


def git(shop: Workspace, *arguments: str) -> None:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments]
    subprocess.run(command, cwd=shop.root, check=True, capture_output=True)


@pytest.fixture
def market(shop: Workspace) -> Workspace:
    """Two providers that say what they are made from, and a schema; all of it committed."""
    for name in ("catalog", "stock"):
        shop.write(f"{name}/src/main.txt", name)
        shop.write(f"{name}/old/gone.txt", name)
        shop.provide(name, {"routes": ROUTES}, inputs=["*.json", "src/**/*.txt", "old/*"])
        shop.pact(pact("web", name, interaction(f"of {name}", path="/product", body={"id": 1})))
    shop.write("protos/shop/v1/shop.proto", PROTO)
    shop.write("README.md", "read me")
    shop.write(".gitignore", ".counterfoil\n*.log\n")
    for folder in ("linked", "other"):
        shop.write(f"{folder}/deep/x.txt", "x")
        shop.write(f"{folder}/deep/y.txt", "y")
    link(shop, "linked")
    shop.configure("schema", dir="protos", against="protos")
    git(shop, "init", "--quiet")
    git(shop, "add", ".")
    git(shop, "commit", "--quiet", "-m", "first")
    return shop


def listed(shop: Workspace) -> set[str]:
    return set(shop.run_here("check", "--changed-since", "HEAD", "--list").stdout.splitlines())


def assume(shop: Workspace) -> None:
    git(shop, "update-index", "--assume-unchanged", "stock/src/main.txt")
    shop.write("stock/src/main.txt", "else")


CHANGES: dict[str, tuple[Callable[[Workspace], object], set[str]]] = {
    "nothing": (lambda shop: shop.write("README.md", "else"), set()),
    "a source": (lambda shop: shop.write("catalog/src/main.txt", "else"), {CATALOG}),
    "a new source": (lambda shop: shop.write("stock/src/deep/new.txt", "new"), {STOCK}),
    "a source that is gone": (lambda shop: (shop.root / "stock/old/gone.txt").unlink(), {STOCK}),
    "a source that git does not see": (lambda shop: shop.write("stock/old/new.log", "x"), {STOCK}),
    "a pact": (
        lambda shop: shop.pact(pact("web", "stock", interaction("of stock", path="/product", body={}))),
        {STOCK, PACTS["stock"], BREAKING},
    ),
    "a proto": (lambda shop: shop.write("protos/shop/v1/shop.proto", PROTO + "\n"), {LINT, BREAKING}),
    "how protos are linted": (lambda shop: shop.write("buf.yaml", "version: v2\n"), {LINT, BREAKING}),
    "waivers": (lambda shop: shop.write("contracts/waivers.toml", "format = 1\n"), EVERYTHING),
    "the configuration": (lambda shop: shop.configure("pacts", dir="./contracts/pacts"), EVERYTHING),
    "a provider without inputs": (lambda shop: without_inputs(shop, "stock"), {STOCK}),
    "a build without inputs": (
        lambda shop: committed(shop, "participants.stock", build=[{"run": ["true"]}]),
        {STOCK},
    ),
    "a file behind a linked folder": (lambda shop: shop.write("linked/deep/x.txt", "else"), {CATALOG}),
    "a file behind a linked folder that is gone": (lambda shop: (shop.root / "linked/deep/y.txt").unlink(), {CATALOG}),
    "where a linked folder leads": (lambda shop: link(shop, "other"), {CATALOG}),
    "a further pact that is gone": (lambda shop: (further_pacts(shop) / "app-stock.json").unlink(), {BREAKING}),
    "a source that git assumes to be the same": (assume, {STOCK}),
    "a baseline elsewhere": (lambda shop: committed(shop, "schema", against="git:HEAD"), {BREAKING}),
}

READING = "nulls::web→stock::of stock (response)"


def test_what_is_read_is_judged_when_the_document_changes_that_describes_it(market: Workspace) -> None:
    market.write("api/openapi.yaml", "openapi: 3.1.0")
    market.configure("participants.stock", schemas=[{"file": "api/openapi.yaml"}])
    market.configure("participants.web", dir=".", decoders=[{"sender": "stock", "message": "faithful", "stub": "s"}])
    market.configure("stubs.s", start=["true"], inputs=["README.md"])
    git(market, "add", ".")
    git(market, "commit", "--quiet", "-m", "second")
    assert READING not in listed(market)
    market.write("api/openapi.yaml", "openapi: 3.0.3")
    assert READING in listed(market)


def link(shop: Workspace, target: str) -> None:
    place = shop.root / "catalog/src/lib"
    place.unlink(missing_ok=True)
    place.symlink_to(f"../../{target}", target_is_directory=True)


def committed(shop: Workspace, table: str, **entries: object) -> None:
    shop.configure(table, **entries)
    git(shop, "commit", "--quiet", "--all", "-m", "second")


def further_pacts(shop: Workspace) -> Path:
    for consumer in ("app", "tab"):
        document = pact(consumer, "stock", interaction(f"of {consumer}", path="/product", body={"id": 1}))
        shop.write(f"further/one/{consumer}-stock.json", json.dumps(document))
    git(shop, "add", ".")
    committed(shop, "pacts", also=["further/*"])
    return shop.root / "further" / "one"


def without_inputs(shop: Workspace, name: str) -> None:
    committed(shop, f"participants.{name}.provider", inputs=[])


def test_what_differs_beside_the_folder_is_told_whatever_git_is_configured_to_tell(market: Workspace) -> None:
    git(market, "config", "diff.relative", "true")
    file = market.write("stock/src/main.txt", "else")
    processes = Processes()
    try:
        assert Git(processes, market.root / "catalog").differing("HEAD")[0] == {file.resolve()}
    finally:
        processes.stop()


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_change_may_affect_is_judged(market: Workspace, what: str) -> None:
    change, affected = CHANGES[what]
    change(market)
    assert {one.replace("::./contracts", "::contracts") for one in listed(market)} == affected


@pytest.mark.silent("FILTER_MATCHED_NOTHING")
def test_what_is_left_out_is_listed_and_counts_for_nothing(market: Workspace) -> None:
    market.write("catalog/src/main.txt", "else")
    report = market.judge_here(
        "check", "--changed-since", "HEAD", "--report", "junit=out.xml", "--report", "html=out.html"
    )
    assert (report.verdict, report.findings, report.cases) == ("compatible", [], {CATALOG: "compatible"})
    assert set(report.document["left_out"]) == EVERYTHING - {CATALOG}
    assert report.document["counts"]["cases"]["total"] == 1
    assert (market.root / "out.xml").read_text().count("<skipped") == len(EVERYTHING) - 1
    assert "5 left out, of which nothing is known" in (market.root / "out.html").read_text()
    screen = market.run_here("check", "--changed-since", "HEAD").stdout
    assert "left out: 5 cases that no change can affect; nothing is known of them" in screen


@pytest.mark.fires("FILTER_MATCHED_NOTHING")
def test_where_nothing_is_affected_nothing_is_proven(market: Workspace) -> None:
    report: Judged = market.judge_here("check", "--changed-since", "HEAD")
    assert report.verdict == "unproven"
    assert "can affect any of the 6 cases" in report.the("FILTER_MATCHED_NOTHING")["message"]


@pytest.mark.parametrize("reference", ["nowhere", "-p"])
def test_a_reference_that_is_none_is_refused(market: Workspace, reference: str) -> None:
    ran = market.run_here("check", "--changed-since", reference, "--list")
    assert (ran.exit_code, "git has no" in ran.stderr) == (2, True)


def test_without_a_repository_it_is_refused(shop: Workspace) -> None:
    shop.configure("pacts")
    ran = shop.run_here("check", "--changed-since", "HEAD")
    assert ran.exit_code == 2
    assert f"'{shop.root}' is not in a git repository" in ran.error["error"]
    assert ran.error["next"] == "run it in the repository, or leave the reference out"
