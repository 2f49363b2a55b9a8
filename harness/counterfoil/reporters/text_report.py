"""What a person sees: progress while it runs, and one screen at the end."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from counterfoil.events import CaseFinished, Event, RunStarted, StepFinished, StepStarted
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
WAIVERS_SHOWN = 3
BASIC_PLANE_END = 0xFFFF
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
OUTPUT_LINES_SHOWN = 8
VALUE_SHOWN_CHARS = 200
STYLES = {Verdict.COMPATIBLE: "green", Verdict.BROKEN: "bold red", Verdict.UNPROVEN: "yellow"}
ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


def printable(text: str) -> str:
    """Text from outside, without anything that could move a cursor, colour a terminal or hide what follows."""
    text = ANSI.sub("", text)
    return "".join(char if _is_harmless(char) else _escape(char) for char in text)


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) <= BASIC_PLANE_END else f"\\U{ord(char):08x}"


def _is_harmless(char: str) -> bool:
    return char == " " or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


class ProgressView:
    """Steps under way and cases done, on a terminal; nothing elsewhere."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._steps: dict[str, TaskID] = {}
        self._cases: TaskID | None = None

    @contextmanager
    def shown(self) -> Iterator[ProgressView]:
        """Show it for as long as the context lasts."""
        with self._progress:
            yield self

    def take(self, event: Event) -> None:
        """Show what the event changed."""
        match event:
            case RunStarted(cases) if cases:
                self._cases = self._progress.add_task("cases", total=len(cases))
            case CaseFinished() if self._cases is not None:
                self._progress.advance(self._cases)
            case StepStarted(label):
                self._steps[label] = self._progress.add_task(printable(label), total=None)
            case StepFinished(step):
                self._progress.remove_task(self._steps.pop(step.label))
            case _:
                pass


def render(console: Console, report: Report, duration_s: float) -> None:
    """The last screen: what was judged, what broke on what, and what to do next."""
    if report.results:
        console.print(_table(report))
    findings = report.open_findings
    for found in findings[:FINDINGS_SHOWN]:
        console.print(_finding(found))
    if len(findings) > FINDINGS_SHOWN:
        console.print(f"\n... and {len(findings) - FINDINGS_SHOWN} more findings: --format json lists them all")
    if report.waived_findings:
        console.print(_waived(report))
    console.print(_verdict_line(report, duration_s))


def _table(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for overflow in ("fold", "fold", "fold", "fold", "ellipsis"):
        table.add_column(overflow=overflow, no_wrap=overflow == "ellipsis")
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
            Text(printable("; ".join(result.note for result in results if result.note)), "dim"),
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
