"""The command `replay`, for the witness of a schema change."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from counterfoil.breaking.breaking_replay import replay
from counterfoil.breaking.schema_witnesses import SHOWN
from counterfoil.commands.breaking_cli import named, workspace_of
from counterfoil.commands.interruption import ended_by_ctrl_c
from counterfoil.commands.shell import end_when_nobody_reads
from counterfoil.compat import replayable
from counterfoil.compat.changes import Direction
from counterfoil.core.printing import printable
from counterfoil.core.workspace import Schema
from counterfoil.model import Verdict
from counterfoil.project.config import locate
from counterfoil.system.processes import Processes


def replay_change(config: Path | None, file: Path, against: str | None, new: str | None) -> bool:
    """Replay a file if it is the witness of a schema change, and leave with its exit code; False if it is not."""
    try:
        text = file.read_bytes()
    except OSError:
        return False
    if not replayable.is_one(text):
        return False
    witness = replayable.read(text, str(file))
    root = Path.cwd()
    workspace, _ = workspace_of(config, "" if config is None and not locate(root) else None)
    sources = None
    if against is not None:
        schema = workspace.settings.schema or Schema()
        sources = named(workspace, against), schema.dir if new is None else named(workspace, new)
    processes = Processes()
    try:
        with ended_by_ctrl_c(processes):
            replayed = replay(processes, workspace, witness, sources)
    finally:
        processes.stop()
    end_when_nobody_reads()
    reader = "new code reading old" if witness.direction is Direction.BACKWARD else "old code reading new"
    click.echo(printable(f"{witness.rule}  {witness.subject}"))
    shown = witness.readable[:SHOWN] or "(no bytes)"
    click.echo(printable(f"{witness.message}, {reader} {witness.encoding}: {shown}"))
    width = max(map(len, replayed.by_runtime), default=0)
    for name, found in replayed.by_runtime.items():
        said = "; ".join(map(str, found)) if found else "reads the same" if found is not None else "says nothing"
        click.echo(printable(f"  {name:{width}}  {said}"))
    click.echo({Verdict.BROKEN: "still so", Verdict.COMPATIBLE: "no longer so"}.get(replayed.verdict, "not judged"))
    sys.exit(replayed.verdict.exit_code)
