"""What the pages show, worked out from a report: the HTML page, the Markdown comment and the badge."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from counterfoil import __version__
from counterfoil.allowance.reading import Result
from counterfoil.core.command_lines import command_line
from counterfoil.model import CaseResult, Finding, Lane, Level, PayloadWitness, Report, Verdict, worst
from counterfoil.reporters import null_matrix
from counterfoil.reporters.evidence import Shown, plain_lines, safe, shown, sides

PAIR = 2
MATRIX_STYLES = {
    Result.PROVEN: Verdict.COMPATIBLE,
    Result.NOT_READ: Verdict.COMPATIBLE,
    Result.UNPROVEN: Verdict.UNPROVEN,
}
WAIVED = "waived"
"""Stands in the filter for the level of what counts no more."""
OPENED = 3
"""So many findings are unfolded from the start."""
COMMENT_CHARS = 60_000
"""GitHub refuses comments of more than 65,536 characters."""
FINDING_CHARS = 3_000
BADGE_COLOURS = {Verdict.COMPATIBLE: "#2e7d32", Verdict.BROKEN: "#c62828", Verdict.UNPROVEN: "#b26a00"}
BADGE_LABEL_PX, BADGE_CHAR_PX = 76, 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Some cases, summed up; `query` is the filter that shows their findings."""

    name: str
    query: str
    verdict: Verdict
    compatible: int
    total: int
    duration_s: float
    share: float = 0.0
    """Of the longest, in per cent."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """The matrix of consumers and providers."""

    consumers: tuple[str, ...]
    providers: tuple[str, ...]
    cells: dict[tuple[str, str], Tally]

    def cell(self, consumer: str, provider: str) -> Tally | None:
        """What became of one pair's contracts; None where there are none."""
        return self.cells.get((consumer, provider))


@dataclass(frozen=True, slots=True)
class ShownMatrix:
    """The null matrix of one contract; the worst of its cells."""

    title: str
    columns: list[str]
    rows: list[dict[str, object]]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ShownReading:
    """What one runtime made of a witness."""

    runtime: str
    written: str
    read: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ShownWitness:
    """A payload, and what each runtime made of it; `replay` is empty where no file was written."""

    label: str
    payload: str
    readings: tuple[ShownReading, ...]
    replay: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFinding:
    """A finding, every text in it safe to print."""

    lane: str
    """Empty for a finding of the run as a whole."""
    rule: str
    subject: str
    level: Level
    verdict: Verdict
    waived: str
    """By whom and why; empty for a finding that counts."""
    message: str
    location: str
    sides: tuple[Shown, ...]
    """A change of the schema, old beside new."""
    witnesses: tuple[ShownWitness, ...]
    evidence: tuple[Shown, ...]
    fix: str


def html(report: Report, duration_s: float) -> str:
    """One self-contained page: nothing is fetched, and its own policy lets nothing but its own script run."""
    style, script = _file("report.css"), _file("report.js")
    findings = report.all_findings
    lanes = {one.identity: result.case.lane for result in report.results for one in result.findings}
    matrices = _matrices(report)
    counts = Counter(WAIVED if found.waived else found.level for found in findings)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            _summary(report, duration_s)
            | {
                "style": Markup(style),  # noqa: S704 - files of ours
                "script": Markup(script),  # noqa: S704 - likewise
                "style_hash": _hash(style),
                "script_hash": _hash(script),
                "version": __version__,
                "pairs": _pairs(report.results),
                "matrices": matrices,
                "unfolded": _unfolded(matrices),
                "levels": [{"name": one, "count": counts[one]} for one in (*Level, WAIVED) if counts[one]],
                "findings": [_shown(found, lanes.get(found.identity, "")) for found in findings],
                "opened": OPENED,
                "cases": [
                    {"id": safe(result.case.id), "verdict": result.verdict, "duration_s": result.duration_s}
                    for result in sorted(report.results, key=lambda result: result.case.id)
                ],
            }
        )
    )


def markdown(report: Report, duration_s: float) -> str:
    """A comment for a pull request, within what GitHub takes."""
    blocks, used = [], 0
    findings = report.all_findings
    for found in findings:
        block = _fenced("\n".join(plain_lines(found))[:FINDING_CHARS])
        used += len(block) + len(found.subject) + 200
        if used > COMMENT_CHARS:
            break
        blocks.append({"rule": found.rule, "subject": safe(found.subject), "block": block})
    context = _summary(report, duration_s) | {"findings": blocks, "left_out": len(findings) - len(blocks)}
    text = _environment().get_template("comment.md.j2").render(context)
    return re.sub(r"\n{3,}", "\n\n", text)


def badge(report: Report, _duration_s: float) -> str:
    """An SVG image of the verdict."""
    verdict = report.verdict
    width = BADGE_LABEL_PX + BADGE_CHAR_PX * len(verdict)
    colour = BADGE_COLOURS[verdict]
    return _environment().get_template("badge.svg.j2").render(verdict=verdict, width=width, colour=colour)


def _summary(report: Report, duration_s: float) -> dict[str, object]:
    good = sum(result.verdict is Verdict.COMPATIBLE for result in report.results)
    found, waived = len(report.open_findings), len(report.waived_findings)
    findings = f"{found} finding{'' if found == 1 else 's'}" + (f", {waived} waived" if waived else "")
    left_out = f"; {len(report.left_out)} left out, of which nothing is known" if report.left_out else ""
    shard = report.shard if report.is_empty_shard else None
    nothing = f"; shard {shard.index}/{shard.total} has none of the plan's cases" if shard else ""
    return {
        "verdict": report.verdict,
        "headline": f"{good} of {len(report.results)} cases compatible, {findings}{left_out}{nothing}",
        "duration_s": duration_s,
        "lanes": _lanes(report.results),
    }


def _lanes(results: Sequence[CaseResult]) -> list[Tally]:
    by_lane = {lane: [result for result in results if result.case.lane is lane] for lane in Lane}
    tallies = [_tally(lane, quote(f"{lane}"), group) for lane, group in by_lane.items() if group]
    longest = max((tally.duration_s for tally in tallies), default=0.0) or 1.0
    return [_with_share(tally, 100 * tally.duration_s / longest) for tally in tallies]


def _with_share(tally: Tally, share: float) -> Tally:
    return Tally(**{name: getattr(tally, name) for name in Tally.__slots__ if name != "share"}, share=round(share, 2))


def _tally(name: str, query: str, results: Iterable[CaseResult]) -> Tally:
    results = list(results)
    return Tally(
        name=name,
        query=query,
        verdict=worst(result.verdict for result in results),
        compatible=sum(result.verdict is Verdict.COMPATIBLE for result in results),
        total=len(results),
        duration_s=sum(result.duration_s for result in results),
    )


def _pairs(results: Iterable[CaseResult]) -> Pairs:
    groups: dict[tuple[str, str], list[CaseResult]] = defaultdict(list)
    for result in results:
        if result.case.lane in {Lane.PACTS, Lane.VERIFY} and len(result.case.participants) == len(
            ("consumer", "provider")
        ):
            consumer, provider = map(safe, result.case.participants)
            groups[consumer, provider].append(result)
    return Pairs(
        consumers=tuple(sorted({consumer for consumer, _ in groups})),
        providers=tuple(sorted({provider for _, provider in groups})),
        cells={pair: _tally("→".join(pair), quote("→".join(pair)), group) for pair, group in groups.items()},
    )


def _matrices(report: Report) -> list[ShownMatrix]:
    """The null matrix, a table for each contract: who reads which presence state of which field, and how."""
    matrix, seen = null_matrix.rows(report), null_matrix.sent(report)
    tables = []
    for contract in dict.fromkeys(contract for contract, _ in matrix):
        fields = {field: cells for (of, field), cells in matrix.items() if of == contract}
        readers = sorted({name for cells in fields.values() for name in cells})
        is_seen = null_matrix.is_seen(contract, seen)
        provider = contract.rpartition("→")[2]
        rows: list[dict[str, object]] = [
            {
                "name": safe(field),
                "cells": [
                    *(_cell(cells.get(one, {})) for one in readers),
                    *([_sent(seen.get((contract, field), []))] if is_seen else []),
                ],
            }
            for field, cells in fields.items()
        ]
        tables.append(
            ShownMatrix(
                title=f"Null matrix of {safe(contract)}",
                columns=[*map(safe, readers), *([safe(f"{provider} did send")] if is_seen else [])],
                rows=rows,
                verdict=worst(_style(cell) for cells in fields.values() for cell in cells.values()),
            )
        )
    return tables


def _unfolded(matrices: list[ShownMatrix]) -> list[ShownMatrix]:
    """Those with the worst that was seen in any; where all is well, the first."""
    overall = worst(one.verdict for one in matrices)
    return matrices[:1] if overall is Verdict.COMPATIBLE else [one for one in matrices if one.verdict is overall]


def _sent(states: Sequence[str]) -> dict[str, str]:
    return {"style": "", "text": ", ".join(states)}


def _cell(cell: null_matrix.Cell) -> dict[str, str]:
    return {"style": _style(cell), "text": "; ".join(text for _, text in null_matrix.told(cell))}


def _style(cell: null_matrix.Cell) -> Verdict:
    words = null_matrix.told(cell)
    return MATRIX_STYLES.get(words[0][0], Verdict.BROKEN) if words else Verdict.COMPATIBLE


def _shown(finding: Finding, lane: str) -> ShownFinding:
    return ShownFinding(
        lane=lane,
        rule=safe(finding.rule),
        subject=safe(finding.subject),
        level=finding.level,
        verdict=finding.verdict,
        waived=safe(f"{finding.waived.owner}: {finding.waived.reason}") if finding.waived else "",
        message=safe(finding.message),
        location=safe(str(finding.location)) if finding.location else "",
        sides=tuple(side for one in finding.evidence for side in sides(one)),
        witnesses=tuple(_witness(one) for one in finding.evidence if isinstance(one, PayloadWitness)),
        evidence=tuple(
            piece for one in finding.evidence if not isinstance(one, PayloadWitness) and (piece := shown(one)).lines
        ),
        fix=safe(finding.fix),
    )


def _witness(witness: PayloadWitness) -> ShownWitness:
    return ShownWitness(
        label=safe(f"payload of {witness.message} ({witness.direction}, {witness.encoding})"),
        payload=safe(witness.readable),
        readings=tuple(
            ShownReading(
                runtime=safe(f"{one.stub} ({one.runtime})"),
                written=safe(one.wrote),
                read=safe(one.read),
                verdict=Verdict.BROKEN if one.breaks else Verdict.COMPATIBLE,
            )
            for one in witness.runtimes
        ),
        replay=safe(command_line("replay", witness.path)) if witness.path else "",
    )


def _fenced(text: str) -> str:
    """A code block that no text in it can close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("counterfoil.reporters"),
        autoescape=select_autoescape(("html.j2", "svg.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _file(name: str) -> str:
    environment = _environment()
    assert environment.loader is not None  # noqa: S101 - set above
    return environment.loader.get_source(environment, name)[0]
