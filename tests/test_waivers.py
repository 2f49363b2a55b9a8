"""Waivers accept findings for now: by pattern, until a date, for one witness; and told of once nothing shows them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from fnmatch import fnmatchcase

import pytest
from counterfoil.errors import UsageError
from counterfoil.model import Case, CaseResult, Finding, Lane, Level, Report, Verdict, Waiver
from counterfoil.runs.events import CaseFinished, Event, FindingRaised, RunFinished, RunStarted, fold
from counterfoil.runs.waivers import Waivers, appended, pattern_of, read
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import Workspace, interaction, pact

TODAY = dt.date(2027, 1, 31)
WITNESS = "sha256:" + "0" * 64
ENTRY = """
[[waiver]]
rule = "INTERACTION_FAILED"
subject = "web→catalog::*"
owner = "team-catalog"
reason = "the price becomes text in March"
expires = 2999-01-31
"""
FILE = "contracts/waivers.toml"


def found(subject: str = "a::b", *, rule: str = "DIVERGENCE", level: Level = Level.BEHAVIOUR) -> Finding:
    return Finding(rule=rule, subject=subject, level=level, message="m", fix="f", witness=WITNESS)


def waiver(subject: str = "a::*", **more: object) -> Waiver:
    values = {"rule": "DIVERGENCE", "subject": subject, "owner": "o", "reason": "r"} | more
    return Waiver(**values)  # type: ignore[arg-type]  # the keywords of a test


def report_of(waivers: Waivers, *findings: Finding, sees_all: bool = True) -> Report:
    """What a run with these findings comes to."""
    case = Case(lane=Lane.PROBE, subject="s", name="n")
    events: list[Event] = [RunStarted((case,)), CaseFinished(CaseResult(case=case, findings=findings)), RunFinished(0)]
    report = Report()
    for event in waivers.applied_to(events, TODAY, could_show=lambda _: sees_all):
        report = fold(report, event)
    return report


def test_a_waived_finding_is_kept_and_makes_nothing_of_the_verdict() -> None:
    entry = waiver(expires=TODAY)
    report = report_of(Waivers((entry,)), found())
    assert report.verdict is Verdict.COMPATIBLE
    assert [one.waived for one in report.all_findings] == [entry]
    assert report.open_findings == ()


def test_another_rule_or_subject_is_not_waived() -> None:
    waivers = Waivers((waiver(),))
    for one in (found("b::a"), found(rule="INTERACTION_FAILED")):
        assert waivers.apply([one], TODAY).findings == (one,)
        assert report_of(waivers, one).verdict is Verdict.BROKEN


@pytest.mark.parametrize("level", [Level.UNPROVEN, Level.SOURCE, Level.ADDITIVE])
def test_what_could_not_be_judged_or_breaks_nothing_is_not_waived(level: Level) -> None:
    [judged] = Waivers((waiver(),)).apply([found(level=level)], TODAY).findings
    assert judged.waived is None


@pytest.mark.parametrize(("level", "fails"), [(Level.SOURCE, True), (Level.ADDITIVE, True), (Level.POLICY, False)])
def test_what_fails_because_its_level_was_picked_is_waived(level: Level, *, fails: bool) -> None:
    picked = dataclasses.replace(found(level=level), fails=fails)
    [judged] = Waivers((waiver(),)).apply([picked], TODAY).findings
    assert judged.waived == waiver()


def test_an_expired_waiver_accepts_nothing_and_says_so() -> None:
    report = report_of(Waivers((waiver(expires=TODAY - dt.timedelta(days=1)),)), found())
    assert report.verdict is Verdict.BROKEN
    assert {one.identity for one in report.open_findings} == {
        ("DIVERGENCE", "a::b"),
        ("WAIVER_EXPIRED", "DIVERGENCE::a::*"),
    }


def test_a_waiver_holds_for_its_witness_alone() -> None:
    assert report_of(Waivers((waiver(witness=WITNESS),)), found()).verdict is Verdict.COMPATIBLE
    report = report_of(Waivers((waiver(witness=WITNESS.replace("0", "1")),)), found())
    assert report.verdict is Verdict.BROKEN
    assert "WAIVER_WITNESS_CHANGED" in {one.rule for one in report.open_findings}


def test_a_second_waiver_that_holds_is_enough() -> None:
    expired = waiver(expires=TODAY - dt.timedelta(days=1))
    assert report_of(Waivers((expired, waiver("a::b"))), found()).verdict is Verdict.COMPATIBLE


def test_a_waiver_of_nothing_is_told_of_where_the_run_could_have_shown_it() -> None:
    waivers = Waivers((waiver("gone"), waiver()))
    assert report_of(waivers, found(), sees_all=False).verdict is Verdict.COMPATIBLE
    report = report_of(waivers, found())
    assert [one.identity for one in report.open_findings] == [("WAIVER_UNMATCHED", "DIVERGENCE::gone")]
    assert report.verdict is Verdict.BROKEN
    doubtful = report_of(waivers, found(), found("x", rule="STUB_SAID_NOTHING", level=Level.UNPROVEN))
    assert doubtful.verdict is Verdict.UNPROVEN


def test_findings_of_no_case_are_waived_too() -> None:
    events = Waivers((waiver(),)).applied_to([FindingRaised(found())], TODAY)
    assert [event.finding.waived is not None for event in events if isinstance(event, FindingRaised)] == [True]


@given(st.text())
def test_the_pattern_of_a_subject_matches_it_alone(subject: str) -> None:
    assert fnmatchcase(subject, pattern_of(subject))
    assert not fnmatchcase(subject + "x", pattern_of(subject))


# --- the file --------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: bool(text.strip()))


@given(TEXT, TEXT, TEXT, st.none() | TEXT, st.none() | st.dates())
def test_what_is_appended_is_read_again(
    subject: str, owner: str, reason: str, link: str | None, expires: dt.date | None
) -> None:
    before = f"# why\nformat = 1 # one\n{ENTRY}".encode()
    made = waiver(subject, owner=owner, reason=reason, link=link, expires=expires)
    data = appended(before, made)
    assert data.startswith(before)
    last = read(data).entries[-1]
    assert (last.subject, last.owner, last.reason, last.link, last.expires) == (subject, owner, reason, link, expires)
    assert read(appended(b"", made)).entries[0].subject == subject


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("format = 1\nwaver = 1\n", f"{FILE}:2", "unknown key 'waver'"),
        ("format = 2\n", f"{FILE}:1", "format = 2 of waivers is not known"),
        (f"format = 1\n{ENTRY}wtness = 'x'\n", f"{FILE}:9", "unknown key 'wtness'"),
        (f"format = 1\n{ENTRY}link = 1\n", f"{FILE}:9", "'waiver.link' is not valid"),
        (f"format = 1\n{ENTRY}witness = 'sha1:00'\n", f"{FILE}:9", "'waiver.witness' is not valid"),
        (f"format = 1\n{ENTRY}{ENTRY}", f"{FILE}:10", "two waivers of INTERACTION_FAILED::web→catalog::*"),
        (f"format = 1\n{ENTRY.replace('team-catalog', ' ')}", f"{FILE}:6", "'waiver.owner' is not valid"),
        (f"format = 1\n{ENTRY.replace('owner', '#')}", f"{FILE}:3", "'waiver' is not valid"),
        (f"format = 1\n{ENTRY.replace('expires', '#')}", f"{FILE}:3", "no date on which it expires"),
        (f"format = 1\n{ENTRY.replace('2999-01-31', '2999-01-31T10:00:00')}", f"{FILE}:8", "'waiver.expires'"),
        (f"format = 1\n{ENTRY.replace('INTERACTION_FAILED', 'STATE_UNKNOWN')}", f"{FILE}:4", "cannot be waived"),
        (f"format = 1\n{ENTRY.replace('INTERACTION_FAILED', 'WAIVER_EXPIRED')}", f"{FILE}:4", "cannot be waived"),
        ("format = 1\n[[waiver]\n", f"{FILE}:2", "is not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(text: str, where: str, what: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(text.encode())
    assert raised.value.where == where
    assert what in raised.value.what


def test_a_second_waiver_of_the_same_is_refused() -> None:
    with pytest.raises(UsageError, match="already"):
        appended(appended(b"", waiver()), waiver())


# --- the command line ------------------------------------------------------------------------------------------------


@pytest.fixture
def broken(shop: Workspace) -> Workspace:
    """A workspace with one interaction that fails."""
    shop.provide("catalog", {"routes": {"GET /product": {"body": {"id": None}}}})
    shop.pact(pact("web", "catalog", interaction("a product", body={"id": 1})))
    return shop


@pytest.mark.silent("WAIVER_EXPIRED", "WAIVER_WITNESS_CHANGED", "WAIVER_UNMATCHED")
def test_check_passes_what_is_waived_and_lists_it(broken: Workspace) -> None:
    assert broken.judge("check").verdict == "broken"
    broken.write(FILE, f"format = 1\n{ENTRY}")
    report = broken.judge("check")
    assert report.verdict == "compatible"
    assert report.document["counts"]["findings"]["waived"] == 1
    told = report.the("INTERACTION_FAILED")["waived"]
    assert (told["owner"], told["expires"], told["location"]) == (
        "team-catalog",
        "2999-01-31",
        {"path": FILE, "line": 3},
    )
    text = broken.run("check").stdout
    assert "waived  1 finding  INTERACTION_FAILED  web→catalog::*\n        team-catalog until 2999-01-31: " in text
    assert "0 findings, 1 waived" in text


@pytest.mark.fires("WAIVER_EXPIRED", "WAIVER_WITNESS_CHANGED", "WAIVER_UNMATCHED")
def test_check_tells_of_waivers_that_no_longer_hold(broken: Workspace) -> None:
    entries = [
        ENTRY.replace("2999", "2020"),
        ENTRY.replace("web→catalog::*", "web→*") + f'witness = "{WITNESS}"\n',
        ENTRY.replace("web→catalog::*", "gone"),
    ]
    broken.write(FILE, "format = 1\n" + "".join(entries))
    report = broken.judge("check")
    assert report.verdict == "broken"
    assert report.rules == {
        ("INTERACTION_FAILED", "web→catalog::a product"),
        ("WAIVER_EXPIRED", "INTERACTION_FAILED::web→catalog::*"),
        ("WAIVER_WITNESS_CHANGED", "INTERACTION_FAILED::web→*"),
        ("WAIVER_UNMATCHED", "INTERACTION_FAILED::gone"),
    }
    narrow = broken.judge("check", "-k", "product")
    assert ("WAIVER_UNMATCHED", "INTERACTION_FAILED::gone") not in narrow.rules


def test_a_file_of_waivers_that_cannot_be_read_is_a_usage_error(broken: Workspace) -> None:
    broken.write(FILE, "format = 1\nwaver = 1\n")
    ran = broken.run("check")
    assert ran.exit_code == 2
    assert ran.error["at"] == f"{FILE}:2"


ACCEPT = ("--owner", "team-catalog", "--reason", 'the "price" becomes text')


def test_what_a_report_prints_is_waived_and_the_rest_of_the_file_stays(broken: Workspace) -> None:
    [line] = [line for line in broken.run("check").stdout.splitlines() if line.startswith("INTERACTION_FAILED")]
    broken.write(FILE, "# ours\nformat = 1")
    assert broken.run("waive", line, *ACCEPT, "--expires", "2999-01-31").exit_code == 0
    assert (broken.root / FILE).read_text().startswith("# ours\nformat = 1\n\n[[waiver]]\n")
    assert broken.judge("check").verdict == "compatible"
    again = broken.run("waive", "INTERACTION_FAILED::web→catalog::a product", *ACCEPT, "--expires", "2999-01-31")
    assert again.exit_code == 2
    assert again.error["at"] == f"{FILE}:4"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing"], "'nothing' is neither a finding nor a file"),
        (["counterfoil.toml"], "'counterfoil.toml' is not a witness"),
        (["INTERACTON_FAILED::x", "--expires", "2999-01-31"], "no rule is called 'INTERACTON_FAILED'"),
        (["INTERACTION_FAILED::x", "--expires", "2020-01-31"], "the waiver would have expired on 2020-01-31"),
        (["STATE_UNKNOWN::x"], "STATE_UNKNOWN cannot be waived"),
        (["INTERACTION_FAILED::x"], "a waiver of INTERACTION_FAILED needs a date on which it expires"),
    ],
)
def test_what_cannot_be_waived_is_a_usage_error(broken: Workspace, arguments: list[str], told: str) -> None:
    ran = broken.run_here("waive", *arguments, *ACCEPT)
    assert ran.exit_code == 2
    assert ran.error["error"] == told
    assert not (broken.root / FILE).exists()
