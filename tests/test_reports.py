"""Reports in files: each kind holds every finding, and nothing from outside gets out of its place in it."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from counterfoil.model import (
    Case,
    CaseResult,
    Finding,
    Lane,
    Level,
    Location,
    Mismatch,
    Output,
    PayloadWitness,
    Report,
    RuntimeReading,
    Shard,
    StateSeen,
    Waiver,
)
from counterfoil.reporters.kinds import KINDS
from jsonschema import Draft4Validator

from tests.browser import PAGE_WITHIN_S, Browser, tab
from tests.builders import Workspace, interaction, pact

SARIF_SCHEMA = Path(__file__).resolve().parent / "schemas" / "sarif-2.1.0.json"
FILTER_IN_ADDRESS = """
new Promise((done) => {
  const look = () => (location.hash ? done(location.hash) : setTimeout(look, 5));
  look();
})
"""
EVIL = (
    "<img src=x onerror=document.title='owned'>]]> & \"q\" 'a' \x1b[31m\x00\u202e ``` --> %0A::error::\ud800 </script>"
)


def finding(number: int, level: Level = Level.BEHAVIOUR, text: str = EVIL) -> Finding:
    return Finding(
        rule="INTERACTION_FAILED",
        subject=f"web→catalog::case {number} {text}",
        level=level,
        message=f"it failed {text}",
        fix=f"counterfoil replay {number} {text}",
        location=Location(path=f"contracts/pacts/{number}.json", line=number + 1),
        evidence=(
            Mismatch(path=f"$.{text}", expected=text, actual="null", message=text),
            Output(label=text, lines=("a line", text)),
        ),
    )


def report(count: int, text: str = EVIL) -> Report:
    """One passed case, one with all the findings, and a finding of the run."""
    levels = list(Level)
    case = Case(lane=Lane.VERIFY, subject="web→catalog", name=f"a product {text}", participants=("web", "catalog"))
    good = Case(lane=Lane.SCHEMA, subject="protos", name="lint")
    found = tuple(finding(number, levels[number % len(levels)], text) for number in range(count))
    return Report(
        results=(
            CaseResult(case=case, findings=found, duration_s=1.5),
            CaseResult(case=good, duration_s=0.5),
        ),
        findings=(Finding(rule="PACT_MISSING", subject=text, level=Level.UNPROVEN, message=text, fix=text),),
    )


def written(kind: str, of: Report) -> str:
    return KINDS[kind](of, 2.0)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"badge"}))
def test_every_kind_names_every_finding_and_no_control_character(kind: str) -> None:
    text = written(kind, report(7))
    assert [number for number in range(7) if f"case {number}" not in text] == []
    assert "PACT_MISSING" in text
    assert "\x1b" not in text
    assert "\x00" not in text
    assert "\u202e" not in text or kind == "json"  # JSON escapes what JSON must, and says all else as it is


def test_sarif_is_valid_and_points_at_the_line() -> None:
    log = json.loads(written("sarif", report(7)))
    Draft4Validator(json.loads(SARIF_SCHEMA.read_text(encoding="utf-8"))).validate(log)
    [run] = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["INTERACTION_FAILED", "PACT_MISSING"]
    assert {rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"]} == {True}
    assert [result["level"] for result in run["results"]].count("error") == sum(n % 5 in {0, 1} for n in range(7))
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "contracts/pacts/0.json", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 1},
    }


def test_junit_counts_what_broke_and_what_is_unproven() -> None:
    root = ET.fromstring(written("junit", report(5)))  # noqa: S314 - we wrote it
    suites = {suite.get("name"): suite for suite in root}
    counts = {name: (one.get("tests"), one.get("failures"), one.get("errors")) for name, one in suites.items()}
    assert counts == {"verify": ("1", "2", "1"), "schema": ("1", "0", "0"), "run": ("1", "0", "1")}
    [failure, *_] = suites["verify"].iter("failure")
    assert failure.get("type") == "INTERACTION_FAILED"
    assert "expected <img" in str(failure.text)


def test_github_annotations_are_one_line_each() -> None:
    lines = written("github", report(5)).splitlines()
    assert len(lines) == 5 + 1 + 1
    assert all(re.match(r"::(error|warning|notice) [^\n]*::", line) for line in lines)
    assert all("%250A::error::" in line for line in lines[:-1])
    assert lines[0].startswith("::error file=contracts/pacts/0.json,")
    assert lines[-1] == "::error title=Counterfoil: broken::1 of 2 cases compatible, 2.0 s"


def test_a_markdown_comment_stays_within_what_github_takes() -> None:
    text = written("markdown", report(500))
    assert len(text.encode("utf-8", "backslashreplace")) < 65_536
    left_out = re.search(r"and (\d+) more findings", text)
    assert left_out
    assert text.count("<details") + int(left_out[1]) == 501
    assert "<img" not in re.sub(r"(?ms)^(`{4,})$.*?^\1$", "", text)


def test_a_badge_says_the_verdict() -> None:
    svg = ET.fromstring(written("badge", report(1)))  # noqa: S314 - we wrote it
    assert "".join(svg.itertext()).endswith("contractsbroken")


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"badge"}))
def test_a_waived_finding_is_told_and_breaks_nothing(kind: str) -> None:
    waiver = Waiver(rule="INTERACTION_FAILED", subject="*", owner="team-web", reason="until the rollout ends")
    case = Case(lane=Lane.VERIFY, subject="web→catalog", name="a product")
    of = Report(results=(CaseResult(case=case, findings=(replace(finding(0), waived=waiver),)),))
    text = written(kind, of)
    assert "until the rollout ends" in text
    assert "failures" not in text or 'failures="0"' in text


def test_the_page_shows_the_null_matrix() -> None:
    case = Case(lane=Lane.NULLS, subject="web→catalog", name="a product", participants=("web", "catalog"))
    states = tuple(
        StateSeen(contract="web→catalog", field=f"response $.{EVIL}", participant="web", state=state, result=result)
        for state, result in (("null", "misread"), ("value", "proven"))
    )
    text = written("html", Report(results=(CaseResult(case=case, states=states),)))
    assert "Null matrix of web→catalog" in text
    assert '<td class="broken">null misread; value proven</td>' in text
    assert "<img" not in text


@pytest.mark.parametrize(
    ("results", "unfolded"),
    [
        ({"a": "proven", "b": "misread", "c": "unproven", "d": "rejected"}, ["b", "d"]),
        ({"a": "proven", "b": "proven", "c": "unproven"}, ["c"]),
        ({"a": "proven", "b": "not read"}, ["a"]),
    ],
)
def test_the_page_unfolds_the_null_matrix_where_it_is_worst(results: dict[str, str], unfolded: list[str]) -> None:
    states = tuple(
        StateSeen(contract=f"{one}→catalog", field="response $.id", participant=one, state="null", result=result)
        for one, result in results.items()
    )
    case = Case(lane=Lane.NULLS, subject="web→catalog", name="a product")
    text = written("html", Report(results=(CaseResult(case=case, states=states),)))
    assert re.findall(r"Null matrix of (\w)→catalog</h2>\s*<details open>", text) == unfolded


def test_the_page_shows_what_each_runtime_made_of_a_witness() -> None:
    readings = tuple(
        RuntimeReading(stub=stub, runtime=f"{stub} 1 {EVIL}", breaks=stub == "node", wrote=f"id: 7 {EVIL}", read=EVIL)
        for stub in ("node", "python")
    )
    witness = PayloadWitness(
        path=f"contracts/witnesses/a b.json{EVIL}",
        digest="sha256:0",
        direction="backward",
        encoding="json",
        message="shop.v1.Order",
        readable=f'{{"id": 7}} {EVIL}',
        base64="",
        runtimes=readings,
    )
    found = replace(finding(0), evidence=(witness,))
    case = Case(lane=Lane.SCHEMA, subject="protos", name="breaking")
    text = written("html", Report(results=(CaseResult(case=case, findings=(found,)),)))
    assert "payload of shop.v1.Order (backward, json)" in text
    assert re.search(r'<th scope="row">node \(node 1 .*?</th><td>id: 7 .*?</td><td class="broken">', text)
    assert re.search(r'<th scope="row">python \(python 1 .*?</th><td>id: 7 .*?</td><td class="compatible">', text)
    assert "replay <code>counterfoil replay &#39;contracts/witnesses/a b.json" in text
    assert "<img" not in text


def test_the_page_lets_nothing_in_and_out() -> None:
    text = written("html", report(3))
    assert "<img" not in text
    assert re.search(r"""(src|href)=["']?(https?:)?//""", text) is None
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    assert policy[1].startswith("default-src 'none'; style-src 'sha256-")


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    return Browser(tmp_path)


def visible(page: str) -> int:
    rows = re.findall(r'<details class="finding[^>]*>', page)
    assert rows
    return sum("hidden" not in row for row in rows)


def test_the_filter_of_the_page_stands_in_its_address(browser: Browser) -> None:
    text = written("html", report(20))
    assert "<title>broken: Counterfoil</title>" in browser.page(text)  # and no handler of EVIL's has run
    page = browser.page(text, "#q=web+pacts/7.json&without=additive")
    assert visible(page) == 1
    assert "1 of 21 findings" in page
    assert visible(browser.page(text, "#q=case&without=behaviour,policy")) == 12


def test_the_page_works_from_the_keyboard(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_bytes(written("html", report(20)).encode("utf-8", "backslashreplace"))
    with tab(tmp_path / "browser") as page:
        page.open((tmp_path / "report.html").as_uri())
        page.press("Tab")
        assert page.ask("document.activeElement.textContent") == "Skip to the findings"
        page.press("/")
        assert page.ask("document.activeElement.id") == "query"
        for key in "s/7.":
            page.press(key)
        assert page.ask(FILTER_IN_ADDRESS) == "#q=s%2F7."
        assert page.ask("document.querySelectorAll('#list > details:not([hidden])').length") == 1
        for _ in range(1 + len(Level)):
            page.press("Tab")
        assert page.ask("document.activeElement.tagName") == "SUMMARY"
        before = page.ask("document.activeElement.parentElement.open")
        page.press("Enter")
        assert page.ask("document.activeElement.parentElement.open") is (not before)


def test_the_page_is_usable_with_ten_thousand_findings(browser: Browser) -> None:
    text = written("html", report(10_000, "plain"))
    started_s = time.monotonic()
    assert visible(browser.page(text, "#q=pacts/9999.json")) == 1
    assert time.monotonic() - started_s < PAGE_WITHIN_S


def test_what_is_waived_can_be_hidden(browser: Browser) -> None:
    waiver = Waiver(rule="INTERACTION_FAILED", subject="*", owner="team-web", reason="until the rollout ends")
    case = Case(lane=Lane.VERIFY, subject="web→catalog", name="a product")
    found = (finding(0), replace(finding(1), waived=waiver), replace(finding(2), waived=waiver))
    text = written("html", Report(results=(CaseResult(case=case, findings=found),)))
    assert [visible(browser.page(text, part)) for part in ("", "#without=waived")] == [3, 1]
    assert 'waived <span class="count">2</span>' in text


@pytest.mark.parametrize("kind", ["html", "markdown"])
def test_a_shard_without_a_case_says_so(kind: str) -> None:
    empty = Report(shard=Shard(index=8, total=9, plan="sha256:1", cases=0))
    assert "shard 8/9 has none of the plan's cases" in written(kind, empty).replace("&#39;", "'")


def test_reports_are_written_beside_what_is_printed(shop: Workspace) -> None:
    shop.provide("catalog", {"routes": {"GET /product": {"body": {"id": None}}}})
    shop.pact(pact("web", "catalog", interaction("a product", path="/product", body={"id": 1})))
    wanted = [f"{kind}=out/report.{kind}" for kind in KINDS]
    ran = shop.run("check", "--format", "json", *(word for one in wanted for word in ("--report", one)))
    printed: dict[str, Any] = json.loads(ran.stdout)
    assert (ran.exit_code, printed["verdict"]) == (1, "broken")
    assert json.loads((shop.root / "out/report.json").read_text(encoding="utf-8")) == printed
    for kind in KINDS:
        assert "broken" in (shop.root / f"out/report.{kind}").read_text(encoding="utf-8") or kind == "junit"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["pdf=x.pdf"], "is not KIND=PATH"),
        (["html"], "is not KIND=PATH"),
        (["html="], "is not KIND=PATH"),
        (["html=x", "junit=x"], "'x' is named for two reports"),
    ],
)
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_judged(
    shop: Workspace, words: list[str], complaint: str
) -> None:
    ran = shop.run("check", *(part for word in words for part in ("--report", word)))
    assert ran.exit_code == 2
    assert complaint in ran.stderr


def test_a_report_in_the_way_of_a_folder(shop: Workspace) -> None:
    (shop.root / "taken").mkdir()
    ran = shop.run("check", "--report", "html=taken")
    assert ran.exit_code == 2
    assert "Traceback" not in ran.stderr
