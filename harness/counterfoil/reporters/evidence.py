"""Evidence as lines of text, for every report that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from counterfoil.model import Evidence, Finding, Mismatch, Output
from counterfoil.reporters.text_report import printable

SHOWN_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class Shown:
    """One piece of evidence: a label, and lines that are safe to print."""

    label: str
    lines: tuple[str, ...]


def shown(evidence: Evidence) -> Shown:
    """A piece of evidence for a reader."""
    match evidence:
        case Mismatch(path=path, expected=expected, actual=actual, message=message):
            return Shown(safe(path), (f"expected {safe(expected)}", f"got      {safe(actual)}", safe(message)))
        case Output(label=label, lines=lines):
            return Shown(safe(label), tuple(safe(line) for line in lines))


def safe(text: str) -> str:
    """Text from outside, harmless and bounded."""
    text = printable(text)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}..."


def plain_lines(finding: Finding) -> Iterator[str]:
    """A finding as plain text: what, where, the evidence, and what to do."""
    yield safe(finding.message)
    if finding.waived:
        yield f"waived by {safe(finding.waived.owner)}: {safe(finding.waived.reason)}"
    if finding.location:
        yield f"at    {safe(str(finding.location))}"
    for one in map(shown, finding.evidence):
        yield f"{one.label}:"
        yield from (f"    {line}" for line in one.lines if line)
    yield f"next  {safe(finding.fix)}"
