"""The report as one JSON document; docs/reference/report.v1.schema.json is its schema."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

from counterfoil import __version__
from counterfoil.model import (
    Evidence,
    Finding,
    Level,
    Location,
    Mismatch,
    Output,
    PayloadWitness,
    Report,
    SchemaChange,
    Verdict,
    Waiver,
)
from counterfoil.reporters import null_matrix

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
        "findings": [_finding(found) for found in report.all_findings],
        "cases": [
            {
                "id": result.case.id,
                "lane": result.case.lane,
                "verdict": result.verdict,
                "duration_s": round(result.duration_s, 3),
                "note": result.note,
            }
            for result in sorted(report.results, key=lambda result: result.case.id)
        ],
        "steps": [
            {"label": step.label, "started_s": round(step.started_s, 3), "duration_s": round(step.duration_s, 3)}
            for step in report.steps
        ],
        "null_matrix": null_matrix.as_values(report),
        "duration_s": round(duration_s, 3),
    }


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


def _finding(found: Finding) -> dict[str, object]:
    return {
        "rule": found.rule,
        "subject": found.subject,
        "level": found.level,
        "location": _location(found.location),
        "message": found.message,
        "fix": found.fix,
        "evidence": [_evidence(evidence) for evidence in found.evidence],
        "witness": found.witness,
        "waived": _waiver(found.waived) if found.waived else None,
    }


def _waiver(waiver: Waiver) -> dict[str, object]:
    return {
        "rule": waiver.rule,
        "subject": waiver.subject,
        "owner": waiver.owner,
        "reason": waiver.reason,
        "link": waiver.link,
        "expires": waiver.expires.isoformat() if waiver.expires else None,
        "location": _location(waiver.location),
    }


def _location(location: Location | None) -> dict[str, object] | None:
    return {"path": location.path, "line": location.line} if location else None


_KINDS = {Mismatch: "mismatch", Output: "output", SchemaChange: "change", PayloadWitness: "witness"}


def _evidence(evidence: Evidence) -> dict[str, object]:
    document = {"kind": _KINDS[type(evidence)], **asdict(evidence)}
    for key in ("effects", "not_shown"):
        if key in document:
            document[key] = [{"direction": direction, "encoding": encoding} for direction, encoding in document[key]]
    return document
