"""What a person sees at the end: one screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from counterfoil.core.printing import printable
from counterfoil.model import (
    CaseResult,
    Evidence,
    Finding,
    Lane,
    Mismatch,
    Output,
    PayloadWitness,
    Report,
    SchemaChange,
    Verdict,
    Waiver,
    worst,
)

FINDINGS_SHOWN = 12
HARMLESS_SHOWN = 12
WAIVERS_SHOWN = 3
UNITS = {
    Lane.BUILD: "participant",
    Lane.CONSUME: "participant",
    Lane.PACTS: "pact file",
    Lane.VERIFY: "interactions",
    Lane.SCHEMA: "checks",
    Lane.NULLS: "bodies",
    Lane.PROBE: "searches",
    Lane.STUB: "checks",
}
EVIDENCE_SHOWN = 6
OUTPUT_LINES_SHOWN = 24
VALUE_SHOWN_CHARS = 200
STYLES = {Verdict.COMPATIBLE: "green", Verdict.BROKEN: "bold red", Verdict.UNPROVEN: "yellow"}


def render(console: Console, report: Report, duration_s: float) -> None:
    """The last screen: what was judged, what broke on what, and what to do next."""
    if report.results:
        with console.capture() as padded:
            console.print(_table(report))
        for line in padded.get().splitlines():
            console.out(line.rstrip(), highlight=False)
    findings = [found for found in report.open_findings if found.verdict is not Verdict.COMPATIBLE]
    for found in findings[:FINDINGS_SHOWN]:
        console.print(_finding(found))
    left = findings[FINDINGS_SHOWN:]
    if left:
        unproven = sum(found.verdict is Verdict.UNPROVEN for found in left)
        which = f", {unproven} of them unproven" if unproven and report.verdict is Verdict.BROKEN else ""
        console.print(f"\n... and {len(left)} more findings{which}: --format json lists them all")
    harmless = [found for found in report.open_findings if found.verdict is Verdict.COMPATIBLE]
    if harmless:
        console.print(_harmless(harmless))
    if report.waived_findings:
        console.print(_waived(report))
    if report.left_out:
        cases = _count(len(report.left_out), "case")
        console.print(f"\nleft out: {cases} that no change can affect; nothing is known of them")
    if report.is_empty_shard and report.shard:
        part = f"{report.shard.index}/{report.shard.total}"
        console.print(f"\nshard {part} has none of the plan's cases; 'counterfoil merge' still asks for its report")
    console.print(_verdict_line(report, duration_s))


def _table(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    notes = any(result.note for result in report.results)
    for _ in ("lane", "subject", "cases", "verdict"):
        table.add_column(overflow="fold")
    if notes:
        table.add_column(overflow="ellipsis", no_wrap=True)
    groups: dict[tuple[Lane, str], list[CaseResult]] = {}
    for result in report.results:
        groups.setdefault((result.case.lane, result.case.subject), []).append(result)
    lanes = list(Lane)
    for (lane, subject), results in sorted(groups.items(), key=lambda group: (lanes.index(group[0][0]), group[0][1])):
        verdict = worst(result.verdict for result in results)
        good = sum(result.verdict is Verdict.COMPATIBLE for result in results)
        table.add_row(
            str(lane),
            Text(printable(subject)),
            f"{good}/{len(results)} {UNITS[lane]}",
            Text(verdict, STYLES[verdict]),
            *(
                [Text(printable("; ".join(dict.fromkeys(filter(None, (one.note for one in results))))), "dim")]
                if notes
                else []
            ),
        )
    return table


def _finding(found: Finding) -> Text:
    text = Text("\n")
    text.append(found.rule, STYLES[found.verdict])
    text.append(f"  {printable(found.subject)}\n")
    text.append(f"  {printable(found.message)}\n")
    if found.location:
        text.append(f"  at    {printable(str(found.location))}\n", "dim")
    for line in _evidence_lines(found.evidence):
        text.append(f"  {line}\n")
    text.append(f"  next  {printable(found.fix)}")
    return text


def _harmless(findings: Sequence[Finding]) -> Text:
    """A line for each finding that fails nothing."""
    width = max(len(found.level) for found in findings[:HARMLESS_SHOWN])
    text = Text()
    for found in findings[:HARMLESS_SHOWN]:
        text.append(f"\n{found.level:{width}}", STYLES[found.verdict])
        text.append(f"  {found.rule}  {_cut(found.subject)}")
    if len(findings) > HARMLESS_SHOWN:
        text.append(f"\n... and {len(findings) - HARMLESS_SHOWN} more that fail nothing: --format json lists them all")
    return text


def _waived(report: Report) -> Text:
    """A line for each waiver that accepted something."""
    numbers: Counter[Waiver] = Counter(found.waived for found in report.waived_findings if found.waived)
    text = Text()
    for waiver, number in list(numbers.items())[:WAIVERS_SHOWN]:
        until = f" until {waiver.expires}" if waiver.expires else ""
        text.append(f"\nwaived  {_count(number, 'finding')}  {waiver.rule}  {_cut(waiver.subject)}\n")
        text.append(f"        {_cut(waiver.owner)}{until}: {_cut(waiver.reason)}", "dim")
    if len(numbers) > WAIVERS_SHOWN:
        text.append(f"\n... and by {len(numbers) - WAIVERS_SHOWN} more waivers: --format json lists them all")
    return text


def _evidence_lines(evidence: Iterable[Evidence]) -> Iterator[str]:
    mismatches = [one for one in evidence if isinstance(one, Mismatch)]
    for mismatch in mismatches[:EVIDENCE_SHOWN]:
        why = f" ({_cut(mismatch.message)})" if mismatch.expected == mismatch.actual else ""
        yield f"      {_cut(mismatch.path)}: expected {_cut(mismatch.expected)}, got {_cut(mismatch.actual)}{why}"
    if len(mismatches) > EVIDENCE_SHOWN:
        yield f"      ... and {len(mismatches) - EVIDENCE_SHOWN} more differences"
    for output in evidence:
        if isinstance(output, Output):
            yield f"{printable(output.label)}:"
            yield from (f"      | {_cut(line)}" for line in output.lines[-OUTPUT_LINES_SHOWN:])
    for one in evidence:
        if isinstance(one, SchemaChange):
            yield from map(_cut, change_lines(one))
        elif isinstance(one, PayloadWitness):
            yield f"payload of {_cut(one.message)} ({one.direction}, {one.encoding}): {_cut(one.readable)}"
            yield from (f"      {_cut(line)}" for line in reading_lines(one))
            yield f"      {_cut(one.path)}"


def change_lines(change: SchemaChange) -> Iterator[str]:
    """Who else reports a change, and whom it concerns."""
    for label, names in (("buf", change.also), ("who", change.participants), ("pacts", change.pacts)):
        if names:
            yield f"{label:5} {', '.join(names)}"


def reading_lines(witness: PayloadWitness) -> Iterator[str]:
    """What each runtime made of a payload."""
    for one in witness.runtimes:
        yield f"{one.stub} ({one.runtime}): {one.read if one.breaks else f'agrees; {one.read}'}"


def _cut(text: str) -> str:
    text = printable(text)
    return text if len(text) <= VALUE_SHOWN_CHARS else f"{text[:VALUE_SHOWN_CHARS]}..."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _verdict_line(report: Report, duration_s: float) -> Text:
    good = sum(result.verdict is Verdict.COMPATIBLE for result in report.results)
    text = Text("\n")
    text.append(report.verdict, STYLES[report.verdict])
    cases, found = _count(len(report.results), "case"), _count(len(report.open_findings), "finding")
    waived = f", {len(report.waived_findings)} waived" if report.waived_findings else ""
    text.append(f": {good} of {cases} compatible, {found}{waived}, {duration_s:.1f} s")
    return text
