"""JUnit XML: a suite for each lane, a test case for each case; what belongs to no case is a case of the suite `run`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from counterfoil.model import Case, CaseResult, Finding, Lane, Report, Verdict
from counterfoil.reporters.evidence import as_text, safe

RUN = "run"


def render(report: Report, duration_s: float) -> str:
    """The document. A broken case is a failure, an unproven one an error: both turn a CI server's page red."""
    document = JUnitXml("counterfoil")
    for lane in Lane:
        results = [result for result in report.results if result.case.lane is lane]
        left_out = [case for case in report.left_out if case.lane is lane]
        if results or left_out:
            document.add_testsuite(_suite(lane, [*map(_case, results), *map(_left_out, left_out)]))
    if report.findings:
        document.add_testsuite(_suite(RUN, map(_finding_alone, report.findings)))
    document.time = round(duration_s, 3)
    text: bytes = document.tostring()  # type: ignore[no-untyped-call]
    return text.decode()


def _suite(name: str, cases: Iterable[TestCase]) -> TestSuite:
    suite = TestSuite(name)
    for case in cases:
        suite.add_testcase(case)
    return suite


def _case(result: CaseResult) -> TestCase:
    case = TestCase(safe(result.case.name), classname=safe(f"{result.case.lane}.{result.case.subject}"))
    case.time = round(result.duration_s, 3)
    case.result = list(_outcomes(result.findings))
    notes = [as_text(found) for found in result.findings if found.verdict is Verdict.COMPATIBLE]
    if notes:
        case.system_out = "\n\n".join(notes)
    return case


def _left_out(left_out: Case) -> TestCase:
    case = TestCase(safe(left_out.name), classname=safe(f"{left_out.lane}.{left_out.subject}"))
    case.result = [Skipped("no change can affect it; nothing is known of it")]
    return case


def _finding_alone(finding: Finding) -> TestCase:
    case = TestCase(safe(finding.subject), classname=safe(f"{RUN}.{finding.rule}"))
    case.result = list(_outcomes([finding]))
    return case


def _outcomes(findings: Iterable[Finding]) -> Iterator[Failure | Error]:
    for finding in findings:
        verdict = finding.verdict
        if verdict is not Verdict.COMPATIBLE:
            outcome = (Failure if verdict is Verdict.BROKEN else Error)(safe(finding.message), safe(finding.rule))
            outcome.text = as_text(finding)
            yield outcome
