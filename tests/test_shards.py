"""A check in parts: the union of the shards is the whole, and what is missing of it is not proven."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from counterfoil.model import Case, Lane
from counterfoil.runs.plan import Group
from counterfoil.runs.shards import split
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import Judged, Object, Ran, Workspace, interaction, judged, pact

ROUTES: Object = {"GET /product": {"body": {"id": 1}}, "GET /null": {"body": {"id": None}}}


def group(name: str) -> Group:
    return Group(name, (Case(lane=Lane.VERIFY, subject=name, name="case"),))


names = st.lists(st.text(min_size=1, max_size=4), unique=True, max_size=12)


@given(names=names, total=st.integers(1, 9), data=st.data())
def test_the_union_of_the_parts_is_the_whole(names: list[str], total: int, data: st.DataObject) -> None:
    groups = [group(name) for name in names]
    known = data.draw(st.dictionaries(st.sampled_from(names), st.floats(0, 1e6))) if names else {}
    parts = split(groups, total, known)
    assert len(parts) == total
    assert Counter(one for part in parts for one in part) == Counter(groups)
    shuffled = data.draw(st.permutations(groups))
    assert split(shuffled, total, known) == parts, "in whatever order the groups come"


@given(seconds=st.lists(st.floats(0.01, 100), min_size=1, max_size=12), total=st.integers(1, 5))
def test_parts_are_even(seconds: list[float], total: int) -> None:
    """The longest part is at most 4/3 of the best there is (Graham 1969), of which these two are bounds."""
    known = {str(number): one for number, one in enumerate(seconds)}
    parts = split([group(name) for name in known], total, known)
    longest = max(sum(known[one.name] for one in part) for part in parts)
    longest_first = sorted(seconds, reverse=True)
    pairs = [sum(longest_first[total - 1 : total + 1])] if len(seconds) > total else []
    best_at_least = max([longest_first[0], sum(seconds) / total, *pairs])
    assert longest <= best_at_least * 4 / 3 + 1e-9 or longest - best_at_least <= min(longest_first[:total])


@pytest.fixture
def market(shop: Workspace) -> Workspace:
    """Three providers, one of which breaks a contract; a schema that does too; waivers, one of which nothing shows."""
    for name in ("catalog", "stock", "price"):
        shop.provide(name, {"routes": ROUTES}, inputs=["*.json"])
        shop.pact(pact("web", name, interaction(f"a product of {name}", path="/product", body={"id": 1})))
    shop.pact(pact("app", "price", *(interaction(f"{one} null", path="/null", body={"id": 1}) for one in "ab")))
    shop.write("protos/shop/v1/shop.proto", 'syntax = "proto3";\npackage shop.v1;\nmessage Product {}\n')
    shop.configure("schema", dir="protos", against="protos")
    entry = '[[waiver]]\nrule = "INTERACTION_FAILED"\nsubject = "{}"\nowner = "o"\nreason = "r"\nexpires = 2999-01-01\n'
    shop.write("contracts/waivers.toml", "format = 1\n" + entry.format("app→price::b null") + entry.format("gone"))
    return shop


def shard(shop: Workspace, index: int, total: int) -> Path:
    path = shop.root / f"{index}.json"
    ran = shop.run_here("check", "--shard", f"{index}/{total}", "--report", f"json={path}")
    assert ran.exit_code in {0, 1, 3}, ran.stderr
    return path


def merged(shop: Workspace, *reports: Path) -> Judged:
    return judged(shop.run_here("merge", *map(str, reports), "--format", "json"))


def refused(shop: Workspace, *reports: Path) -> Ran:
    ran = shop.run_here("merge", *map(str, reports))
    assert ran.exit_code == 2
    return ran


def essence(report: Judged) -> Object:
    """What has to be the same of the whole and of its parts together."""
    assert "durations" not in report.document
    passing = ("steps", "duration_s")
    cases = [{key: value for key, value in case.items() if key != "duration_s"} for case in report.document["cases"]]
    return {key: value for key, value in report.document.items() if key not in passing} | {"cases": cases}


@pytest.mark.silent("SHARD_MISSING")
@pytest.mark.fires("WAIVER_UNMATCHED")
def test_four_shards_merged_say_what_the_whole_says(market: Workspace) -> None:
    parts = [shard(market, index, 4) for index in range(1, 5)]
    documents = [json.loads(part.read_text()) for part in parts]
    assert all(document["cases"] for document in documents)
    assert all("WAIVER_UNMATCHED" not in {one["rule"] for one in document["findings"]} for document in documents)
    (market.root / ".counterfoil/results").rename(market.root / "elsewhere")
    whole = market.judge_here("check")
    assert whole.verdict == "broken"
    assert whole.rules == {
        ("INTERACTION_FAILED", "app→price::a null"),
        ("INTERACTION_FAILED", "app→price::b null"),
        ("WAIVER_UNMATCHED", "INTERACTION_FAILED::gone"),
    }
    assert essence(merged(market, *parts)) == essence(whole)
    assert essence(merged(market, *reversed(parts))) == essence(whole)
    ran = market.run_here("merge", *map(str, parts), "--report", "junit=all.xml", "--report", "html=all.html")
    assert ran.stdout.splitlines()[-1].startswith("broken: ")
    assert "a product of stock" in (market.root / "all.xml").read_text()
    assert "a product of stock" in (market.root / "all.html").read_text()


@pytest.mark.fires("SHARD_MISSING")
def test_what_is_missing_or_told_twice_is_not_merged(market: Workspace) -> None:
    market.tables.pop("schema")
    market.configure("pacts")
    parts = [shard(market, index, 3) for index in range(1, 4)]
    report = merged(market, *parts[:2])
    assert report.the("SHARD_MISSING")["subject"] == "shard 3/3"
    document = json.loads(parts[2].read_text())
    document["cases"].pop()
    parts[2].write_text(json.dumps(document))
    assert "judged" in merged(market, *parts).the("SHARD_MISSING")["message"]
    assert "named twice" in refused(market, parts[0], parts[0]).stderr
    (market.root / "copy.json").write_bytes(parts[0].read_bytes())
    assert "are both shard 1/3" in refused(market, parts[0], market.root / "copy.json").stderr
    other = shard(market, 1, 2)
    assert "are not parts of one run" in refused(market, other, parts[1]).stderr
    market.run_here("check", "--report", "json=whole.json")
    assert "is the report of a whole run" in refused(market, market.root / "whole.json").stderr


def test_a_shard_without_a_case_is_no_failure_but_is_merged(market: Workspace) -> None:
    market.tables.pop("schema")
    market.configure("pacts")
    (market.root / "contracts/waivers.toml").unlink()
    market.pact(pact("app", "price", interaction("a null", path="/product", body={"id": 1})))
    parts = [shard(market, index, 9) for index in range(1, 10)]
    empty = [part for part in parts if not json.loads(part.read_text())["cases"]]
    assert len(empty) == 2
    ran = market.run_here("check", "--shard", f"{empty[0].stem}/9")
    assert ran.exit_code == 0
    assert f"shard {empty[0].stem}/9 has none of the plan's cases; 'counterfoil merge' still asks" in ran.stdout
    assert merged(market, *parts).verdict == "compatible"
    assert merged(market, *(part for part in parts if part != empty[0])).rules == {
        ("SHARD_MISSING", f"shard {empty[0].stem}/9")
    }
    assert merged(market, *empty).verdict == "unproven"


def test_an_empty_plan_is_unproven_in_every_part(market: Workspace) -> None:
    market.configure("pacts")
    assert market.run_here("check", "--shard", "2/2", "-k", "nothing like it").exit_code == 3


def change_routes(shop: Workspace) -> None:
    shop.provide("stock", {"routes": ROUTES | {"GET /more": {"body": 1}}}, inputs=["*.json"])


OTHER_FILES: dict[str, Callable[[Workspace], object]] = {
    "a pact": lambda shop: shop.pact(
        pact("web", "stock", interaction("a product of stock", path="/product", body={"id": 2}))
    ),
    "an input": change_routes,
    "the configuration": lambda shop: shop.configure("participants.stock.provider", answer_within_s=4.0),
    "the schema": lambda shop: shop.write("protos/shop/v1/shop.proto", 'syntax = "proto3";\npackage shop.v1;\n'),
    "a waiver": lambda shop: shop.write("contracts/waivers.toml", "format = 1\n"),
}


@pytest.mark.parametrize("what", OTHER_FILES)
def test_shards_of_other_files_are_refused(market: Workspace, what: str) -> None:
    first = shard(market, 1, 2)
    OTHER_FILES[what](market)
    assert "are not parts of one run" in refused(market, first, shard(market, 2, 2)).stderr


def test_what_names_no_inputs_is_known_by_its_files_in_git(market: Workspace) -> None:
    market.provide("stock", {"routes": ROUTES}, inputs=[])
    market.write("stock/main.txt", "old")
    market.write("notes.txt", "old")
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "a"]):
        subprocess.run(["git", *words], cwd=market.root, check=True)
    first = shard(market, 1, 2)
    market.write("notes.txt", "new")
    market.write("stock/new.log", "git does not track it")
    assert ("SHARD_MISSING", "shard 2/2") not in merged(market, first, shard(market, 2, 2)).rules
    market.write("stock/main.txt", "new")
    assert "are not parts of one run" in refused(market, first, shard(market, 2, 2)).stderr


def test_shards_of_another_place_are_merged(market: Workspace) -> None:
    first = shard(market, 1, 2)
    kept = first.rename(market.root.with_name(f"{market.root.name}-1.json"))
    moved = replace(market, root=market.root.rename(market.root.with_name(f"{market.root.name}-moved")))
    rules = {rule for rule, _ in merged(moved, kept, shard(moved, 2, 2)).rules}
    assert "PROVIDER_NOT_STARTED" in rules, "the test's providers have absolute paths"
    assert "SHARD_MISSING" not in rules


@pytest.mark.parametrize(
    "text", ["", "[1]", "{}", '{"format": 2}', "[" * 100_000, '{"format": 1, "cases": [1]}'], ids=range(6)
)
def test_what_is_no_report_is_refused(shop: Workspace, text: str) -> None:
    path = shop.write("report.json", text)
    assert "is not a report that this version" in refused(shop, path).stderr
    assert "cannot be read" in refused(shop, shop.root / "nowhere.json").stderr


@pytest.mark.parametrize("value", ["0/4", "5/4", "1", "a/b", "1/0", "-1/4", "1/100000"])
def test_a_shard_is_one_of_those_there_are(shop: Workspace, value: str) -> None:
    shop.configure("pacts")
    assert shop.run_here("check", "--shard", value).exit_code == 2


def test_a_whole_check_records_how_long_its_parts_took(market: Workspace) -> None:
    market.tables.pop("schema")
    market.configure("pacts")
    market.run_here("check", "--participant", "stock")
    assert not (market.root / ".counterfoil/durations.json").exists(), "a part says little"
    market.run_here("check", "--no-cache")
    file = market.root / ".counterfoil/durations.json"
    recorded = json.loads(file.read_text())
    assert recorded["format"] == 1
    assert set(recorded["seconds"]) == {"verify catalog", "verify stock", "verify price"}
    market.run_here("check", "--shard", "1/2")
    assert json.loads(file.read_text()) == recorded, "or the shards of one run would be cut in different ways"
    seconds = {"verify catalog": 9.0, "verify stock": 5.0, "verify price": 5.0}
    file.write_text(json.dumps({"format": 1, "seconds": seconds}))
    listed = [market.run_here("check", "--shard", f"{one}/2", "--list").stdout for one in (1, 2)]
    assert ["catalog" in text and "verify" in text for text in listed] == [True, True] or "stock" in listed[1]
    file.write_text('{"format": 1')
    assert market.run_here("check", "--shard", "1/2", "--list").exit_code == 0
