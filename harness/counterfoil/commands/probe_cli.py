"""The command `probe`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from counterfoil.commands.command_examples import examples
from counterfoil.commands.interruption import stopped_by_ctrl_c
from counterfoil.commands.shell import judge, open_workspace, output_option, with_waivers
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError
from counterfoil.lanes.probe_lane import ProbeLane, ProbeRequest
from counterfoil.probing.probe_stubs import started, stub_command, stub_names
from counterfoil.probing.probed_schema import read_schema
from counterfoil.probing.probing import Budget
from counterfoil.runs.events import Event
from counterfoil.system.processes import Processes

SECOND = "s"


class Spending(click.ParamType[Budget]):
    """A budget: seconds, written `30s`, or a number of payloads, written `500`."""

    name = "budget"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Budget:
        """The budget; it has to be positive."""
        text = str(value)
        try:
            number = float(text.removesuffix(SECOND)) if text.endswith(SECOND) else int(text)
        except ValueError:
            number = -1
        if not 0 < number < float("inf"):
            self.fail(f"'{value}' is no budget; for example 30s, or 500 payloads of each message", param, ctx)
        return Budget(examples=number) if isinstance(number, int) else Budget(seconds=number)


@examples(
    "counterfoil probe",
    "counterfoil probe --message shop.v1.Money --budget 20s",
    "counterfoil probe --stub python --stub node --budget 500",
)
@click.command()
@click.option("--schema", help="A folder of protos or an image; by default the configured schema.")
@click.option("--message", "messages", multiple=True, help="Full name of a message, * for any part of it; repeatable.")
@click.option(
    "--stub", "stubs", multiple=True, help="Only this stub; repeatable. By default those of probe.stubs, or all."
)
@click.option(
    "--budget",
    type=Spending(),
    default="30s",
    show_default=True,
    help="How long to search in all, as 30s; or how many payloads of each message, as 500.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed makes up the same messages.")
@output_option
@click.pass_obj
def probe(  # noqa: PLR0913  (one for each option)
    config: Path | None,
    *,
    schema: str | None,
    messages: tuple[str, ...],
    stubs: tuple[str, ...],
    budget: Budget,
    seed: int,
    output: str,
) -> None:
    """Search for payloads that the stubs of several languages do not read alike; each is saved as a witness."""
    workspace = open_workspace(config)
    commands = [stub_command(workspace, name) for name in stub_names(workspace, stubs)]
    source = schema_source(workspace, schema)

    def run(processes: Processes) -> Iterator[Event]:
        probed = read_schema(processes, workspace, source)
        names = probed.matching(messages or workspace.settings.probe.messages)
        request = ProbeRequest(messages=names, budget=budget, seed=seed)
        with stopped_by_ctrl_c(processes) as told, started(processes, commands, probed) as running:
            yield from ProbeLane(workspace, probed, running, is_interrupted=told.is_set).run(request)

    judge(with_waivers(workspace, run), output)


def schema_source(workspace: Workspace, named: str | None) -> str:
    """The schema that the user named, or the configured one. Raises UsageError when there is neither."""
    if named is not None:
        return workspace.relative(Path.cwd() / named)
    if workspace.settings.schema is None:
        raise UsageError(
            f"{workspace.file.name} has no [schema] table, so there is no schema to probe with",
            fix="name one: --schema DIR or --schema IMAGE",
        )
    return workspace.settings.schema.dir
