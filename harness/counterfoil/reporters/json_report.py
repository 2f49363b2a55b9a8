"""The report as one JSON document; docs/reference/report.v1.schema.json is its schema."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict

from counterfoil import __version__
from counterfoil.model import CaseResult, Level, Report, Verdict
from counterfoil.reporters import null_matrix
from counterfoil.runs.finding_values import as_values

FORMAT_VERSION = 1


def render(report: Report, duration_s: float) -> str:
    """The document as text, without a newline at its end."""
    return json.dumps(document(report, duration_s), indent=2, ensure_ascii=False)


def document(report: Report, duration_s: float) -> dict[str, object]:
    """The document as plain values."""
    return {
        "format": FORMAT_VERSION,
        "counterfoil": __version__,
        "verdict": report.verdict,
        "counts": {"cases": _case_counts(report), "findings": _finding_counts(report)},
        "findings": [as_values(found) for found in report.all_findings],
        "cases": [_case(result) for result in sorted(report.results, key=lambda result: result.case.id)],
        "steps": [
            {"label": step.label, "started_s": round(step.started_s, 3), "duration_s": round(step.duration_s, 3)}
            for step in report.steps
        ],
        "null_matrix": null_matrix.as_values(report),
        "duration_s": round(duration_s, 3),
        "left_out": sorted(case.id for case in report.left_out),
        "shard": _shard(report) if report.shard else None,
    }


def _case(result: CaseResult) -> dict[str, object]:
    return {
        "id": result.case.id,
        "lane": result.case.lane,
        "subject": result.case.subject,
        "name": result.case.name,
        "participants": list(result.case.participants),
        "verdict": result.verdict,
        "duration_s": round(result.duration_s, 3),
        "note": result.note,
        "findings": [{"rule": rule, "subject": subject} for rule, subject in _identities(result)],
    }


def _identities(result: CaseResult) -> Iterable[tuple[str, str]]:
    return dict.fromkeys(found.identity for found in result.findings)


def _shard(report: Report) -> dict[str, object]:
    return {**(asdict(report.shard) if report.shard else {}), "deferred": [as_values(one) for one in report.deferred]}


def _case_counts(report: Report) -> dict[str, int]:
    counts = Counter(result.verdict for result in report.results)
    return {"total": len(report.results), **{verdict: counts[verdict] for verdict in Verdict}}


def _finding_counts(report: Report) -> dict[str, int]:
    counts = Counter(found.level for found in report.all_findings)
    return {
        "total": len(report.all_findings),
        **{level: counts[level] for level in Level},
        "waived": len(report.waived_findings),
    }
