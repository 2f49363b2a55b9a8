"""The command `stub doctor`."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import click

from counterfoil.commands.command_examples import examples
from counterfoil.commands.shell import end_when_nobody_reads, open_workspace, output_option, write_json
from counterfoil.core.printing import printable
from counterfoil.core.rules import finding
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError, nearest
from counterfoil.model import Case, CaseResult, Finding, Lane, Output, Report
from counterfoil.probing.probe_stubs import BUILT_IN, stub_command
from counterfoil.probing.stub_doctor import Check, State, StubDoctor, golden_frames
from counterfoil.project.builds import Stamps
from counterfoil.project.preparation import Preparation
from counterfoil.reporters import json_report
from counterfoil.runs.events import CaseFinished, FindingRaised, fold
from counterfoil.system.processes import Processes

PAGE = "docs/stubs.md"
TAIL_SHOWN = 10


@examples("counterfoil stub doctor python")
@click.group()
def stub() -> None:
    """Stubs: the processes that decode payloads for a probe."""


@examples("counterfoil stub doctor python", "counterfoil stub doctor orders-stub --format json")
@stub.command("doctor")
@click.argument("name")
@output_option
@click.pass_obj
def doctor(config: Path | None, *, name: str, output: str) -> None:
    """Replay golden frames against a stub, and say which rules of the protocol it breaks.

    NAME is that of a [stubs.NAME] table, or a stub that is built in: 'python' or 'python-pure'. Exit code 0: it
    keeps them all; 1: it breaks one; 3: it could not be judged, for example because it does not start.
    """
    workspace = open_workspace(config)
    known = {*BUILT_IN, *workspace.settings.stubs}
    if name not in known:
        raise UsageError(f"unknown stub '{name}'", why=nearest(name, known), fix="correct it, or add [stubs.NAME]")
    began_s = time.monotonic()
    processes = Processes()
    try:
        obstacle = _obstacle(processes, workspace, name)
        patient = StubDoctor(processes, stub_command(workspace, name), golden_frames())
        checks = () if obstacle else tuple(patient.examine())
    finally:
        processes.stop()
    report = fold(Report(), FindingRaised(obstacle)) if obstacle else Report()
    for result in _results(name, checks, patient.tail):
        report = fold(report, CaseFinished(result))
    end_when_nobody_reads()
    if output == "json":
        write_json(json_report.render(report, time.monotonic() - began_s))
    else:
        for line in (*_lines(checks, patient.tail, obstacle), _summary(name, report, checks)):
            click.echo(printable(line))
    sys.exit(report.verdict.exit_code)


def _obstacle(processes: Processes, workspace: Workspace, name: str) -> Finding | None:
    """What prevents the stub from being started at all: a missing tool, a failed build."""
    settings = workspace.settings.stubs.get(name)
    if settings is None:
        return None
    preparation = Preparation(processes, Stamps(workspace.state_dir / "stamps"), workspace)
    return preparation.prepare(name, settings.start, f"stub doctor {name}", lambda _: nullcontext())


def _results(name: str, checks: Sequence[Check], tail: Sequence[str]) -> Iterator[CaseResult]:
    """A case for each check that applies."""
    for check in checks:
        if check.state is State.NOT_APPLICABLE:
            continue
        case = Case(lane=Lane.STUB, subject=name, name=check.name)
        yield CaseResult(case=case, findings=tuple(_findings(name, check, tail)))


def _findings(name: str, check: Check, tail: Sequence[str]) -> Iterator[Finding]:
    evidence = (Output(label="its stderr", lines=tuple(tail[-TAIL_SHOWN:])),) if tail else ()
    if check.state is State.WRONG:
        yield finding(
            "STUB_BREAKS_PROTOCOL",
            f"{name}::{check.name}",
            f"expected {check.expected}, got {check.got}",
            fix=_fix(check),
            evidence=evidence,
        )
    elif check.state is State.NOT_JUDGED:
        yield finding(
            "STUB_NOT_JUDGED",
            name,
            check.got,
            fix=f"start it by hand with the command of [stubs.{name}]",
            evidence=evidence,
        )


def _fix(check: Check) -> str:
    return f"{PAGE}, rule {check.rule}: {golden_frames().rules[check.rule]}"


def _lines(checks: Sequence[Check], tail: Sequence[str], obstacle: Finding | None) -> Iterator[str]:
    """A line for each check; then what the stub itself said, when something is not as it should be."""
    width = max(map(len, State))
    for check in checks:
        line = f"{check.state:{width}}  {check.name}"
        if check.state is State.WRONG:
            line += f": expected {check.expected}, got {check.got}. {_fix(check)}"
        elif check.got:
            line += f": {check.got}"
        yield line
    if obstacle:
        yield f"{obstacle.rule}  {obstacle.message}; next: {obstacle.fix}"
    if tail and any(check.state in {State.WRONG, State.NOT_JUDGED} for check in checks):
        yield from ("its stderr:", *(f"  | {line}" for line in tail[-TAIL_SHOWN:]))


def _summary(name: str, report: Report, checks: Sequence[Check]) -> str:
    counts = Counter(check.state for check in checks)
    told = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
    return f"{report.verdict}: {name}: {told or 'nothing could be judged'}"
