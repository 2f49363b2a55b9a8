"""Annotations for GitHub Actions: workflow commands, one line a finding.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from counterfoil.model import Finding, Report, Verdict
from counterfoil.reporters.evidence import plain_lines, safe

COMMANDS = {Verdict.BROKEN: "error", Verdict.UNPROVEN: "warning", Verdict.COMPATIBLE: "notice"}


def render(report: Report, duration_s: float) -> str:
    """The commands; GitHub shows them beside the code when they are printed."""
    lines = [_annotation(found) for found in report.all_findings]
    good = sum(result.verdict is Verdict.COMPATIBLE for result in report.results)
    total = f"{good} of {len(report.results)} cases compatible, {duration_s:.1f} s"
    return "\n".join([*lines, f"::{COMMANDS[report.verdict]} title=Counterfoil: {report.verdict}::{total}"])


def _annotation(finding: Finding) -> str:
    properties = {"title": f"{finding.rule} {safe(finding.subject)}"}
    if finding.location:
        properties = {"file": safe(finding.location.path)} | properties
        if finding.location.line:
            properties["line"] = str(finding.location.line)
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{COMMANDS[finding.verdict]} {written}::{_data(chr(10).join(plain_lines(finding)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
