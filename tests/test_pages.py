"""The pages of the documentation: what they show is true, and their commands do what they say."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import yaml
from counterfoil.core import workspace
from counterfoil.project.config import read_workspace
from counterfoil.project.setup_files import WORKFLOW
from counterfoil.runs import waivers

from tests.builders import ROOT, Workspace, interaction, pact, run_here
from tests.fake_broker import serving
from tests.pages import DOCS, Block, blocks, follow, pages, setting
from tests.postgresql import Server

EMPTY_FOLDER, REFERENCE, SMALL_SHOP = "an empty folder", "the reference system", "a small shop"
WITH_SERVER, WITH_BROKER = f"{EMPTY_FOLDER} with a PostgreSQL server", f"{SMALL_SHOP} with a Pact Broker"
BROKEN_TUTORIAL = "the tutorial's folder, with the total as a number"
SETTINGS = {EMPTY_FOLDER, REFERENCE, SMALL_SHOP, WITH_SERVER, WITH_BROKER, BROKEN_TUTORIAL}
RUN_WITHIN_S = 120.0
PARSERS: dict[str, Callable[[str], object]] = {"json": json.loads, "yaml": yaml.safe_load, "toml": tomllib.loads}
SHOWN = {"console", "json", "yaml", "toml", "proto", "python", "javascript", "rust", "text", "diff"}
PAGES = pages()
ALL = [block for page in PAGES for block in blocks(page)]
BY_PAGE = {page.relative_to(ROOT).as_posix(): page for page in PAGES}
FENCED = re.compile(r"^ *(`{3,}).*?^ *\1$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!\!)\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`|^ {4}[^\n]*", re.DOTALL | re.MULTILINE)


def place(block: Block) -> str:
    return block.place


def named(*languages: str) -> list[Block]:
    return [block for block in ALL if block.language in languages]


def with_commands(where: str) -> list[str]:
    """The pages whose commands run there."""
    return sorted(name for name, page in BY_PAGE.items() if setting(page) == where)


@pytest.mark.parametrize("block", ALL, ids=place)
def test_a_block_says_what_it_is(block: Block) -> None:
    assert block.language in SHOWN
    assert set(block.options) <= {"title"}


@pytest.mark.parametrize("block", named("console"), ids=place)
def test_a_command_is_run_by_a_test_or_says_why_not(block: Block) -> None:
    assert list(block.steps), "a console block without a line that begins with '$ '"
    assert block.not_run or setting(BY_PAGE[block.page]) in SETTINGS


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_command_hides_in_a_block_without_a_fence(page: Path) -> None:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    assert not re.findall(r"^ {4}(?:counterfoil|pytest|pip|nox|python3?) .*", text, re.MULTILINE)


def test_what_no_test_runs_is_this() -> None:
    """A longer list is to be seen in a review."""
    assert {block.not_run for block in named("console")} - {""} == {
        "installs a package",
        "makes environments, as CI does with the same command",
        "runs until Ctrl-C; tests/test_watch.py watches",
    }


@pytest.mark.parametrize("block", [block for block in ALL if block.is_excerpt], ids=place)
def test_an_excerpt_stands_in_its_file(block: Block) -> None:
    assert block.text in (ROOT / block.file).read_text(encoding="utf-8")


@pytest.mark.parametrize("block", named(*PARSERS), ids=place)
def test_a_block_of_data_is_valid(block: Block) -> None:
    assert PARSERS[block.language](block.text)


@pytest.mark.parametrize("name", sorted({block.page for block in named("toml")}))
def test_the_configuration_on_a_page_is_valid(name: str, tmp_path: Path) -> None:
    """All blocks without a title are one counterfoil.toml; waivers are named by theirs."""
    of_page = [block for block in blocks(BY_PAGE[name]) if block.language == "toml"]
    configuration = "\n".join(block.text for block in of_page if not block.file)
    head = "" if re.search(r"^format\b", configuration, re.MULTILINE) else "format = 1\n"
    read = tomllib.loads(configuration)
    for folder in (*re.findall(r'^dir = "(.+?)"', configuration, re.MULTILINE), *read.get("pacts", {}).get("also", ())):
        (tmp_path / folder.replace("*", "any")).mkdir(parents=True, exist_ok=True)
    (tmp_path / "counterfoil.toml").write_text(head + configuration, encoding="utf-8")
    assert read_workspace(tmp_path / "counterfoil.toml").settings.format == 1
    for block in of_page:
        if block.file == waivers.FILE:
            assert waivers.read(block.text.encode()).entries


def test_the_readme_counts_the_cases_of_the_reference_system() -> None:
    shown = next(block.text for block in blocks(ROOT / "README.md") if "compatible: " in block.text)
    rows = re.findall(r"^(\w+) +(\S+) +(\d+)/(\d+) ", shown, re.MULTILINE)
    listed = [case.split("::") for case in run_here(ROOT, "check", "--list").stdout.splitlines()]
    assert {(lane, subject): int(total) for lane, subject, _, total in rows} == Counter(
        (lane, subject) for lane, subject, *_ in listed
    )
    assert f"compatible: {len(listed)} of {len(listed)} cases compatible, " in shown


def test_every_key_of_the_configuration_is_on_its_page() -> None:
    told = (DOCS / "configuration.md").read_text(encoding="utf-8")
    tables = (one for one in vars(workspace).values() if isinstance(one, type) and issubclass(one, msgspec.Struct))
    keys = {
        key.encode_name for table in tables if table is not workspace.Workspace for key in msgspec.structs.fields(table)
    }
    assert len(keys) > 30
    assert {key for key in keys if not re.search(rf"\b{key}\b", told)} == set()


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_list_begins_after_an_empty_line(page: Path) -> None:
    """Otherwise the site shows it as one paragraph, and a table as text."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    assert not re.findall(r"^(?![-*#|>]|\d+\. |  )[^\n]+\n(?:- |\* |\d+\. |\|)[^\n]*", text, re.MULTILINE)


def test_the_workflow_on_the_page_is_the_one_that_init_writes(tmp_path: Path) -> None:
    shown = next(block for block in ALL if block.file == WORKFLOW)
    assert run_here(tmp_path, "init").exit_code == 0
    assert shown.text in (tmp_path / WORKFLOW).read_text(encoding="utf-8")


def test_the_figures_about_buf_are_those_of_the_corpus() -> None:
    table = (DOCS / "buf-comparison.md").read_text(encoding="utf-8")
    told = " ".join((DOCS / "explanation" / "comparison.md").read_text(encoding="utf-8").split())
    rows = re.findall(r"^\| (\w+) \| (\d+) of (\d+) \| (\d+) of (\d+) \|$", table, re.MULTILINE)
    figures = {row[0]: row[1:] for row in rows}
    missed, pairs, alarms, benign = figures["FILE"]
    assert f"FILE, passes {missed} of {pairs} pairs" in told
    assert f"fails {alarms} of {benign} benign ones" in told
    assert f"WIRE passes {figures['WIRE'][0]} and fails {figures['WIRE'][2]}" in told


@pytest.mark.parametrize("name", with_commands(EMPTY_FOLDER))
def test_a_page_that_begins_with_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COUNTERFOIL_LEDGER", raising=False)
    assert follow(BY_PAGE[name], tmp_path, within_s=RUN_WITHIN_S, env={}) > 0


@pytest.mark.parametrize("name", with_commands(WITH_SERVER))
def test_a_page_that_needs_a_server(name: str, tmp_path: Path, postgresql: Server) -> None:
    address = {"COUNTERFOIL_LEDGER": postgresql.create("of a team")}
    try:
        assert follow(BY_PAGE[name], tmp_path, within_s=RUN_WITHIN_S, env=address) > 0
    finally:
        postgresql.drop("of a team")


@pytest.mark.parametrize("name", with_commands(BROKEN_TUTORIAL))
def test_a_page_that_begins_where_the_tutorial_is_red(name: str, tmp_path: Path) -> None:
    for block in blocks(DOCS / "tutorial.md"):
        if block.file.startswith(("orders/", "pacts/")):
            (tmp_path / block.file).parent.mkdir(exist_ok=True)
            text = block.text.replace('"total": "12.50"', '"total": 12.5') if block.language == "python" else block.text
            (tmp_path / block.file).write_text(text, encoding="utf-8")
    assert run_here(tmp_path, "init").exit_code == 0
    assert follow(BY_PAGE[name], tmp_path, within_s=RUN_WITHIN_S, env={}) > 0


@pytest.fixture
def small_shop(shop: Workspace) -> Workspace:
    """One provider and its consumer's pact in git, with a branch that does not have the provider's last change."""
    shop.write("recommender/src/main.txt", "old")
    shop.provide("recommender", {"routes": {"GET /next": {"body": {"id": 1}}}}, inputs=["*.json", "src/*"])
    shop.pact(
        pact(
            "storefront",
            "recommender",
            interaction("a recommendation without a discount", path="/next", body={"id": 1}),
            interaction("a recommendation", path="/next", body={"id": 1}),
        )
    )
    shop.write(".gitignore", ".counterfoil\n*.log\n")
    assert shop.file.is_file()
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "one"],
    ):
        subprocess.run(["git", *words], cwd=shop.root, check=True)
    subprocess.run(["git", "update-ref", "refs/remotes/origin/main", "HEAD"], cwd=shop.root, check=True)
    shop.write("recommender/src/main.txt", "new")
    return shop


@pytest.mark.parametrize("name", with_commands(SMALL_SHOP))
def test_a_page_that_begins_with_a_small_shop(name: str, small_shop: Workspace) -> None:
    assert follow(BY_PAGE[name], small_shop.root, within_s=RUN_WITHIN_S, env={}) > 0


@pytest.mark.parametrize("name", with_commands(WITH_BROKER))
def test_a_page_that_needs_a_broker(name: str, small_shop: Workspace) -> None:
    """The consumer's tests write the pact that is there, and their Broker is empty at first."""
    file = small_shop.root / "contracts/pacts/storefront-recommender.json"
    kept = small_shop.write("storefront/storefront-recommender.json", file.read_bytes())
    file.unlink()
    small_shop.configure("participants.storefront", dir="storefront")
    small_shop.configure("participants.storefront.consumer", run=["sh", "-c", f"cp {kept.name} $PACT_DIR"])
    with serving() as broker:
        address = {"PACT_BROKER_BASE_URL": broker.url}
        assert follow(BY_PAGE[name], small_shop.root, within_s=RUN_WITHIN_S, env=address) > 0
    assert {one.authorization for one in broker.requests} == {"Bearer ..."}


@pytest.mark.parametrize("name", sorted(BY_PAGE))
def test_links_lead_somewhere(name: str) -> None:
    page = BY_PAGE[name]
    dead = []
    for target in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        file = page.parent / path if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(target)
    assert not dead


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in addresses."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
