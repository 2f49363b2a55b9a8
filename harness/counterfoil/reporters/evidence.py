"""Evidence as lines of text, for every report that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from counterfoil.core.printing import printable
from counterfoil.model import Evidence, Finding, Mismatch, Output, PayloadWitness, SchemaChange
from counterfoil.reporters.text_report import change_lines, reading_lines

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
        case SchemaChange():
            return Shown("change", tuple(map(safe, change_lines(evidence))))
        case PayloadWitness(message=message, direction=direction, encoding=encoding, readable=readable):
            label = f"payload of {message} ({direction}, {encoding})"
            return Shown(safe(label), (safe(readable), *map(safe, reading_lines(evidence)), safe(evidence.path)))


def sides(evidence: Evidence) -> tuple[Shown, ...]:
    """A change of a schema, old beside new; nothing for evidence of another kind."""
    if not isinstance(evidence, SchemaChange):
        return ()
    both = (("old", evidence.old, evidence.old_location), ("new", evidence.new, evidence.new_location))
    return tuple(
        Shown(safe(f"{label} {place or ''}".strip()), (safe("(none)" if value is None else value),))
        for label, value, place in both
    )


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


def as_text(finding: Finding) -> str:
    """A finding as a title and, below it, indented lines."""
    return "\n".join(
        [f"{safe(finding.rule)}  {safe(finding.subject)}", *(f"  {line}" for line in plain_lines(finding))]
    )
