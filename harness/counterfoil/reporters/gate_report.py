"""The gate's decision: as one JSON document (docs/reference/gate.v1.schema.json), and as text for a person."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from counterfoil import __version__
from counterfoil.core.printing import printable
from counterfoil.gate import notes
from counterfoil.gate.broker import Row
from counterfoil.gate.decision import Decision
from counterfoil.gate.exchange import Flow
from counterfoil.gate.facts import VersionRef
from counterfoil.gate.reasons import Reason
from counterfoil.gate.rollout import Rollout
from counterfoil.model import Level, Verdict
from counterfoil.reporters.text_report import STYLES

FORMAT_VERSION = 1
ANSWERS = {Verdict.COMPATIBLE: "yes", Verdict.BROKEN: "no", Verdict.UNPROVEN: "unproven"}
RESULTS = {True: ("passed", "green"), False: ("failed", "bold red"), None: ("unknown", "yellow")}
VALUE_SHOWN_CHARS = 400
WITNESSES_SHOWN = 4
WITNESS_LINES_SHOWN = 6
ROWS_SHOWN = 40


def render_json(decision: Decision, *, dry_run: bool) -> str:
    """The document as text, without a newline at its end."""
    return json.dumps(document(decision, dry_run=dry_run), indent=2, ensure_ascii=False)


def document(decision: Decision, *, dry_run: bool) -> dict[str, object]:
    """The document as plain values."""
    broker = decision.broker
    levels = Counter(reason.level for reason in decision.reasons)
    return {
        "format": FORMAT_VERSION,
        "counterfoil": __version__,
        "verdict": decision.verdict,
        "answer": ANSWERS[decision.verdict],
        "pact_broker_answer": broker.deployable,
        "dry_run": dry_run,
        "question": asdict(decision.question),
        "counts": {
            "findings": {"total": len(decision.reasons), **{level: levels[level] for level in Level}},
            "matrix": {
                "success": broker.count(success=True),
                "failed": broker.count(success=False),
                "unknown": broker.count(success=None),
                "ignored": sum(row.ignored for row in broker.rows),
            },
        },
        "reasons": [_reason(reason) for reason in decision.reasons],
        "findings": [_finding(reason) for reason in decision.reasons],
        "matrix": [_row(row) for row in broker.rows],
        "pairs": [_row(row) for row in decision.pairs],
        "flows": [_flow(flow) for flow in decision.flows],
        "rollout": _rollout(decision.rollout),
        "next": list(decision.next),
        "notes": list(notes.of(decision)),
    }


def _version(version: VersionRef | None) -> dict[str, str] | None:
    return asdict(version) if version else None


def _reason(reason: Reason) -> dict[str, object]:
    return {
        "rule": reason.rule,
        "subject": reason.subject,
        "verdict": reason.verdict,
        "consumer": _version(reason.consumer),
        "provider": _version(reason.provider),
        "symbols": list(reason.symbols),
        "witnesses": list(reason.witnesses),
        "message": reason.message,
        "next": reason.next,
    }


def _finding(reason: Reason) -> dict[str, object]:
    """The reason in the form in which every judging command lists its findings."""
    witnesses = [{"kind": "output", "label": "witness", "lines": [one]} for one in reason.witnesses]
    return {
        "rule": reason.rule,
        "subject": reason.subject,
        "level": reason.level,
        "location": None,
        "message": reason.message,
        "fix": reason.next,
        "evidence": witnesses,
    }


def _row(row: Row) -> dict[str, object]:
    return {
        "consumer": row.pact.consumer.participant,
        "consumer_version": row.pact.consumer.number,
        "provider": row.pact.provider,
        "provider_version": row.provider.number if row.provider else None,
        "content": row.pact.content,
        "success": row.success,
        "ignored": row.ignored,
        "verified_at": row.verification.when if row.verification else None,
        "verified_by_run": row.verification.run if row.verification else None,
    }


def _flow(flow: Flow) -> dict[str, object]:
    return {
        "writer": _version(flow.writer.version),
        "reader": _version(flow.reader.version),
        "writer_schema": flow.writer.digest,
        "reader_schema": flow.reader.digest,
        "messages": sorted(flow.messages),
    }


def _rollout(rollout: Rollout | None) -> dict[str, object] | None:
    if rollout is None:
        return None
    return {
        "order": None if rollout.order is None else [_version(one) for one in rollout.order],
        "any_order": not rollout.precedences,
        "precedences": [
            {
                "first": _version(one.first),
                "second": _version(one.second),
                "reasons": [_reason(reason) for reason in one.reasons],
            }
            for one in rollout.precedences
        ],
    }


def render_text(console: Console, decision: Decision, *, dry_run: bool) -> None:
    """The answer, why, what to run next, and the matrix."""
    answer = Text(ANSWERS[decision.verdict], STYLES[decision.verdict])
    answer.append(f": {printable(_asked(decision))}", "default")
    if dry_run:
        answer.append(" (dry run: the exit code is 0 whatever the answer)", "dim")
    console.print(answer)
    for reason in decision.reasons:
        console.print(_reason_text(reason))
    for note in notes.of(decision):
        console.print(Text(f"\nnote  {printable(note)}"))
    if not decision.reasons and decision.next:
        console.print("\nonce it is deployed")
        for command in decision.next:
            console.print(Text(f"  next  {printable(command)}"))
    if decision.pairs:
        render_matrix(console, decision.pairs)


def _asked(decision: Decision) -> str:
    destination = decision.question.destination
    picked = [version for one in decision.broker.resolved if one.specified for version in one.versions]
    named = [
        _numbered(one.selector.participant, one.selector.number) for one in decision.broker.resolved if one.missing
    ]
    what = " + ".join([*dict.fromkeys(map(str, picked)), *named]) or "nothing"
    if destination is None:
        return f"{what} together"
    if destination.environment is not None:
        return f"{what} to {destination.environment}"
    if destination.tag is not None:
        return f"{what} with the newest versions tagged {destination.tag}"
    with_what = "the head of each main branch" if destination.main_branch else "the newest version of each"
    return f"{what} with {with_what}"


def _numbered(participant: str, number: str | None) -> str:
    return participant if number is None else f"{participant} {number}"


def _reason_text(reason: Reason) -> Text:
    text = Text("\n")
    text.append(reason.rule, STYLES[reason.verdict])
    text.append(f"  {printable(reason.subject)}\n")
    text.append(f"  {printable(reason.message)}\n")
    for line in _witness_lines(reason):
        text.append(f"      {line}\n")
    text.append(f"  next  {printable(reason.next)}")
    return text


def _witness_lines(reason: Reason) -> Iterator[str]:
    """What shows it: an interaction beside its mismatch where both are told, the symbols alone otherwise."""
    if len(reason.symbols) == len(reason.witnesses):
        lines = [f"{symbol}: {witness}" for symbol, witness in zip(reason.symbols, reason.witnesses, strict=True)]
    else:
        lines = [*reason.symbols, *reason.witnesses]
    for line in (part for whole in lines[:WITNESSES_SHOWN] for part in whole.split("\n")[:WITNESS_LINES_SHOWN]):
        text = printable(line)
        yield text if len(text) <= VALUE_SHOWN_CHARS else f"{text[:VALUE_SHOWN_CHARS]}..."
    if len(lines) > WITNESSES_SHOWN:
        yield f"... and {len(lines) - WITNESSES_SHOWN} more: --format json lists them all"


def render_matrix(console: Console, rows: Iterable[Row]) -> None:
    """The rows as a table."""
    rows = tuple(rows)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("consumer", "version", "provider", "version", "result"):
        table.add_column(heading)
    for row in rows[:ROWS_SHOWN]:
        word, style = RESULTS[row.success]
        table.add_row(
            *(Text(printable(one)) for one in (row.pact.consumer.participant, row.pact.consumer.number)),
            Text(printable(row.pact.provider)),
            Text(printable(row.provider.number) if row.provider else "-"),
            Text(f"{word}, ignored" if row.ignored else word, "dim" if row.ignored else style),
        )
    console.print()
    console.print(table)
    if len(rows) > ROWS_SHOWN:
        console.print(f"... and {len(rows) - ROWS_SHOWN} more rows: --format json lists them all")
