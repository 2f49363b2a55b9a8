"""SARIF 2.1.0, which code-scanning services and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/
"""

from __future__ import annotations

import json
from urllib.parse import quote

from counterfoil import __version__
from counterfoil.core.command_lines import command_line
from counterfoil.model import Finding, Level, Location, Report, Verdict
from counterfoil.reporters.evidence import plain_lines, safe

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://counterfoil.invalid/"
LEVELS = {Verdict.BROKEN: "error", Verdict.UNPROVEN: "warning", Verdict.COMPATIBLE: "note"}


def render(report: Report, duration_s: float) -> str:
    """The log of one run, with a result for each finding."""
    findings = report.all_findings
    rules = {found.rule: found.level for found in reversed(findings)}
    run = {
        "tool": {
            "driver": {
                "name": "Counterfoil",
                "version": __version__,
                "informationUri": HOME,
                "rules": [_rule(rule, level) for rule, level in sorted(rules.items())],
            }
        },
        "columnKind": "unicodeCodePoints",
        "properties": {"verdict": report.verdict, "durationSeconds": round(duration_s, 3)},
        "results": [_result(found, sorted(rules).index(found.rule)) for found in findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(rule: str, level: Level) -> dict[str, object]:
    return {
        "id": rule,
        "name": "".join(word.capitalize() for word in rule.split("_")),
        "help": {"text": command_line("explain", rule)},
        "defaultConfiguration": {"level": LEVELS[level.verdict]},
        "properties": {"level": level},
    }


def _result(finding: Finding, index: int) -> dict[str, object]:
    made: dict[str, object] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": LEVELS[finding.level.verdict],
        "suppressions": _suppressions(finding),
        "message": {"text": f"{safe(finding.subject)}\n" + "\n".join(plain_lines(finding))},
        "partialFingerprints": {"counterfoil/v1": safe("::".join(finding.identity))},
    }
    if finding.location and not finding.location.path.startswith(("/", "..")):
        made["locations"] = [_location(finding.location)]
    return made


def _suppressions(finding: Finding) -> list[dict[str, object]]:
    """SARIF's word for a waiver."""
    if finding.waived is None:
        return []
    return [{"kind": "external", "status": "accepted", "justification": safe(finding.waived.reason)}]


def _location(location: Location) -> dict[str, object]:
    place: dict[str, object] = {"artifactLocation": {"uri": quote(location.path), "uriBaseId": "%SRCROOT%"}}
    if location.line:
        place["region"] = {"startLine": location.line}
    return {"physicalLocation": place}
