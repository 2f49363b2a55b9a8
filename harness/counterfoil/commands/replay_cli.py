"""The command `replay`: one payload again, through the stubs that its witness names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from counterfoil.commands.breaking_replay_cli import replay_change
from counterfoil.commands.command_examples import examples
from counterfoil.commands.interruption import ended_by_ctrl_c
from counterfoil.commands.probe_cli import schema_source
from counterfoil.commands.shell import end_when_nobody_reads, open_workspace
from counterfoil.core.command_lines import command_line
from counterfoil.core.printing import printable
from counterfoil.errors import UsageError
from counterfoil.lanes.probe_lane import SHOWN_CHARS, ProbeLane, Replayed
from counterfoil.model import Verdict
from counterfoil.probe.observation import cut
from counterfoil.probe.outcomes import Unsupported
from counterfoil.probe.witness import Witness, describe
from counterfoil.probing.probe_stubs import started, stub_command, stub_names
from counterfoil.probing.probed_schema import ProbedSchema, read_schema
from counterfoil.project.witness_files import read_witness
from counterfoil.system.processes import Processes


@examples("counterfoil replay contracts/witnesses/shop.v1.Money/FILE.json")
@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("new", required=False)
@click.option("--schema", help="A folder of protos or an image; by default the configured schema.")
@click.option("--against", help="Of a schema change: the old schema, beside NEW, in place of those in the witness.")
@click.pass_obj
def replay(config: Path | None, file: Path, new: str | None, schema: str | None, against: str | None) -> None:
    """Read a witness's payload again: exit 1 when it still shows what it says, 0 when it no longer does."""
    if replay_change(config, file, against, new):
        return
    workspace = open_workspace(config)
    witness = read_witness(file)
    names = stub_names(workspace, tuple(sorted({one.stub for one in witness.outcomes})), named_in=str(file))
    processes = Processes()
    try:
        with ended_by_ctrl_c(processes):
            probed = read_schema(processes, workspace, schema_source(workspace, schema))
            _hold_to_schema(witness, probed, file)
            with started(processes, [stub_command(workspace, name) for name in names], probed) as running:
                replayed = ProbeLane(workspace, probed, running).replay(witness)
    finally:
        processes.stop()
    if probed.digest != witness.schema_digest:
        click.echo("the schema is not the one that the witness was found with", err=True)
    verdict = _verdict(witness, replayed)
    end_when_nobody_reads()
    click.echo("\n".join(map(printable, _lines(witness, replayed, verdict))))
    sys.exit(verdict.exit_code)


def _hold_to_schema(witness: Witness, probed: ProbedSchema, file: Path) -> None:
    if witness.message not in probed.messages:
        raise UsageError(
            f"the schema has no message '{witness.message}', whose payload this is",
            where=str(file),
            why="the witness was found with another schema",
            fix=f"{command_line('replay', str(file))} --schema DIR, or an image, that has the message",
        )


def _verdict(witness: Witness, replayed: Replayed) -> Verdict:
    """Unproven where one that took part in the divergence says nothing now."""
    if replayed.divergence:
        return Verdict.BROKEN
    silent = {stub for stub, one in replayed.outcomes.items() if isinstance(one, Unsupported)}
    took_part = {stub for group in witness.divergence.groups for stub in group}
    return Verdict.UNPROVEN if silent & took_part else Verdict.COMPATIBLE


def _lines(witness: Witness, replayed: Replayed, verdict: Verdict) -> Iterator[str]:
    """The payload, what every stub does with it now, and did before where that has changed, and who is right."""
    shown = cut(witness.readable, SHOWN_CHARS) or "(no bytes)"
    yield f"{witness.message}, {witness.payload.encoding}: {shown}"
    before = {one.stub: one.outcome for one in witness.outcomes}
    width = max(map(len, replayed.outcomes), default=0)
    for stub, outcome in sorted(replayed.outcomes.items()):
        now = describe(outcome, SHOWN_CHARS)
        yield f"  {stub:{width}}  {now}"
        if stub in before and before[stub] != now and not replayed.divergence:
            yield f"  {'':{width}}  before: {before[stub]}"
    match verdict, replayed.divergence:
        case _, found if found:
            yield f"still so ({found.kind}): {found.detail}"
            yield (
                f"by the specification: {replayed.ruling}"
                if replayed.ruling
                else "no rule of the specification is known that says who is right"
            )
        case Verdict.UNPROVEN, _:
            yield "not judged: not all of them read it now"
        case _:
            agree = "they differ in another way" if replayed.differ else "they agree"
            yield f"no longer so: {agree}; it was {witness.divergence.kind}: {witness.divergence.detail}"
