"""Properties of verdicts, of folding events into a report, and of the selection of cases."""

from __future__ import annotations

import json
from difflib import get_close_matches

import pytest
from counterfoil.core.printing import printable
from counterfoil.errors import nearest
from counterfoil.model import Case, CaseResult, Finding, Lane, Level, Location, Report, Verdict, worst
from counterfoil.reporters.json_report import document
from counterfoil.runs.events import CaseFinished, Event, FindingRaised, RunFinished, RunStarted, StepStarted, fold
from counterfoil.runs.plan import Selection
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import EXIT_CODES, REPORT_SCHEMA, report_schema

VERDICTS = st.sampled_from(list(Verdict))
FINDINGS = st.builds(
    Finding,
    rule=st.sampled_from(["A", "B"]),
    subject=st.sampled_from(["x", "y", "z"]),
    level=st.sampled_from(list(Level)),
    message=st.just("m"),
    fix=st.just("f"),
    location=st.none() | st.just(Location(path="p", line=1)),
)
CASES = st.builds(
    Case,
    lane=st.sampled_from(list(Lane)),
    subject=st.sampled_from(["web→catalog", "Protos"]),
    name=st.text(min_size=1, max_size=4),
    participants=st.lists(st.sampled_from(["web", "catalog"]), max_size=2).map(tuple),
)
RESULTS = st.builds(CaseResult, case=CASES, findings=st.lists(FINDINGS, max_size=3).map(tuple))
EVENTS: st.SearchStrategy[Event] = (
    st.builds(CaseFinished, RESULTS)
    | st.builds(FindingRaised, FINDINGS)
    | st.just(StepStarted("build"))
    | st.just(RunStarted(()))
    | st.just(RunFinished(1.0))
)


def folded(events: list[Event]) -> Report:
    report = Report()
    for event in events:
        report = fold(report, event)
    return report


def test_nothing_judged_is_unproven() -> None:
    assert worst([]) is Verdict.UNPROVEN
    assert Report().verdict is Verdict.UNPROVEN


@given(st.lists(VERDICTS, min_size=1))
def test_broken_beats_unproven_beats_compatible(verdicts: list[Verdict]) -> None:
    expected = next(one for one in (Verdict.BROKEN, Verdict.UNPROVEN, Verdict.COMPATIBLE) if one in verdicts)
    assert worst(verdicts) is expected


@given(st.lists(VERDICTS), st.lists(VERDICTS))
def test_more_verdicts_never_make_it_better(some: list[Verdict], more: list[Verdict]) -> None:
    order = [Verdict.COMPATIBLE, Verdict.UNPROVEN, Verdict.BROKEN]
    if some:
        assert order.index(worst([*some, *more])) >= order.index(worst(some))


def test_exit_codes_are_those_of_the_design() -> None:
    assert {str(verdict): verdict.exit_code for verdict in Verdict} == EXIT_CODES


@pytest.mark.parametrize(
    ("level", "verdict"),
    [
        (Level.BEHAVIOUR, Verdict.BROKEN),
        (Level.POLICY, Verdict.BROKEN),
        (Level.UNPROVEN, Verdict.UNPROVEN),
        (Level.SOURCE, Verdict.COMPATIBLE),
        (Level.ADDITIVE, Verdict.COMPATIBLE),
    ],
)
def test_what_a_level_makes_of_a_run(level: Level, verdict: Verdict) -> None:
    found = Finding(rule="R", subject="s", level=level, message="m", fix="f")
    case = Case(lane=Lane.SCHEMA, subject="s", name="n")
    assert level.verdict is verdict
    assert CaseResult(case=case, findings=(found,)).verdict is verdict
    assert folded([CaseFinished(CaseResult(case=case, findings=(found,)))]).verdict is verdict
    assert folded([CaseFinished(CaseResult(case=case)), FindingRaised(found)]).verdict is verdict


@given(st.lists(EVENTS, max_size=8))
def test_a_report_keeps_every_case_and_identity(events: list[Event]) -> None:
    report = folded(events)
    results = [event.result for event in events if isinstance(event, CaseFinished)]
    raised = [event.finding for event in events if isinstance(event, FindingRaised)]
    every = [*raised, *(found for result in results for found in result.findings)]
    assert list(report.results) == results
    assert [found.identity for found in report.all_findings] != [] or not every
    assert {found.identity for found in report.all_findings} == {found.identity for found in every}
    assert len({found.identity for found in report.all_findings}) == len(report.all_findings)


@given(st.lists(EVENTS, max_size=8))
def test_green_means_that_every_case_is_and_nothing_else_was_found(events: list[Event]) -> None:
    report = folded(events)
    green = bool(report.results) and all(one.verdict is Verdict.COMPATIBLE for one in report.results)
    green = green and all(found.level.verdict is Verdict.COMPATIBLE for found in report.findings)
    assert (report.verdict is Verdict.COMPATIBLE) == green


@given(st.lists(EVENTS, max_size=8))
def test_the_strongest_of_one_identity_is_shown(events: list[Event]) -> None:
    """A report whose verdict is broken lists a finding that breaks it."""
    report = folded(events)
    levels = [list(Level).index(found.level) for found in report.all_findings]
    assert levels == sorted(levels)
    if report.verdict is Verdict.BROKEN:
        assert report.all_findings[0].level.verdict is Verdict.BROKEN


@given(st.lists(EVENTS, max_size=8))
def test_every_report_follows_its_schema(events: list[Event]) -> None:
    report = folded(events)
    made = document(report, 1.0)
    report_schema().validate(made)
    assert made["verdict"] == report.verdict


def test_the_schema_knows_every_word() -> None:
    definitions = json.loads(REPORT_SCHEMA.read_text(encoding="utf-8"))["$defs"]
    assert definitions["verdict"]["enum"] == list(Verdict)
    assert definitions["level"]["enum"] == list(Level)
    assert definitions["case"]["properties"]["lane"]["enum"] == list(Lane)
    assert definitions["case"]["properties"]["id"]["pattern"] == f"^({'|'.join(Lane)})::"


def test_the_schema_refuses_what_it_should() -> None:
    """Negative control of the test above, and of `builders.judged`."""
    good = document(Report(), 1.0)
    assert report_schema().is_valid(good)
    changes: list[dict[str, object]] = [
        {"verdict": "green"},
        {"format": 2},
        {"findings": [{}]},
        {"cases": None},
        {"extra": 1},
    ]
    for change in changes:
        assert not report_schema().is_valid(good | change), change
    for key in good:
        assert not report_schema().is_valid({name: value for name, value in good.items() if name != key}), key


@given(CASES)
def test_an_empty_selection_covers_everything(case: Case) -> None:
    assert Selection().covers(case)
    assert not Selection().is_narrow


@given(CASES, st.sets(st.sampled_from(list(Lane))), st.sets(st.sampled_from(["web", "catalog"])), st.text(max_size=2))
def test_a_selection_is_the_intersection_of_its_parts(
    case: Case, lanes: set[Lane], participants: set[str], keyword: str
) -> None:
    parts = [
        Selection(lanes=frozenset(lanes)),
        Selection(participants=frozenset(participants)),
        Selection(keyword=keyword),
    ]
    whole = Selection(lanes=frozenset(lanes), participants=frozenset(participants), keyword=keyword)
    assert whole.covers(case) == all(part.covers(case) for part in parts)
    assert whole.is_narrow == any(part.is_narrow for part in parts)
    assert not lanes or Selection(lanes=frozenset(lanes)).covers(case) == (case.lane in lanes)


@given(st.text(max_size=6), st.sets(st.text("abc", min_size=1, max_size=6), max_size=4))
def test_the_nearest_name_is_one_of_the_valid(name: str, valid: set[str]) -> None:
    told = nearest(name, valid)
    close = get_close_matches(name, sorted(valid), n=1)
    assert told.startswith(f"did you mean '{close[0]}'? " if close else "valid: ")
    assert told.endswith(", ".join(sorted(valid)) or "(none)")


@given(st.text())
def test_what_is_printable_is_one_line_and_stays_so(text: str) -> None:
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown
    assert "\x1b" not in shown
    shown.encode()
