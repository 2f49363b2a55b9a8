"""The command `breaking`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from counterfoil.breaking.breaking_lane import FAILING, BreakingLane, Request, guarded
from counterfoil.breaking.schema_sources import GIT, LEDGER
from counterfoil.commands.check_options_cli import chosen_reuse, reuse_options
from counterfoil.commands.command_examples import examples
from counterfoil.commands.shell import judge, open_workspace, output_option, with_waivers
from counterfoil.compat.changes import Direction
from counterfoil.core.workspace import BREAKING_WITNESSES, FORMAT_VERSION, Schema, Settings, Workspace
from counterfoil.errors import UsageError, nearest
from counterfoil.model import BREAKING, Case, Lane, Level, Waiver
from counterfoil.project.config import FILE_NAME, locate
from counterfoil.results.result_cache import Judged, ResultCache, Reuse
from counterfoil.runs.events import CaseFinished, Event, RunFinished, RunStarted
from counterfoil.system.processes import Processes

MODES = {
    "backward": frozenset({Direction.BACKWARD}),
    "forward": frozenset({Direction.FORWARD}),
    "full": frozenset(Direction),
}
LEVELS = [level.value for level in Level if level is not Level.UNPROVEN]
WITHOUT_WORKSPACE = ".counterfoil/witnesses/breaking"


@examples(
    "counterfoil breaking",
    "counterfoil breaking --against git:v1.4.0",
    "counterfoil breaking --against released.binpb protos --mode backward",
)
@click.command()
@click.argument("new", required=False)
@click.option(
    "--against",
    multiple=True,
    help="The baseline: a folder of protos, an image (.binpb, .pb, .json), git:REF or a git reference, or "
    "ledger:PARTICIPANT@VERSION; repeatable with --transitive.",
)
@click.option(
    "--mode",
    type=click.Choice(list(MODES)),
    default="full",
    show_default=True,
    help="backward: new code reads old data; forward: old code reads new data; full: both.",
)
@click.option(
    "--fail-on",
    "fail_on",
    type=click.Choice(LEVELS),
    multiple=True,
    help="A level that fails; repeatable. By default behaviour and policy.",
)
@click.option("--transitive", is_flag=True, help="Compare with several old versions, each on its own.")
@click.option("--first-release", is_flag=True, help="There is no baseline yet, or it is empty: nothing can break.")
@click.option(
    "--only-affecting",
    metavar="PARTICIPANT",
    default="",
    help="Only what it reads, writes or has a pact about.",
)
@click.option(
    "--witnesses", type=click.Path(path_type=Path), help=f"The folder for witnesses; {BREAKING_WITNESSES} by default."
)
@reuse_options
@output_option
@click.pass_obj
def breaking(  # noqa: PLR0913  (one for each option)
    config: Path | None,
    *,
    new: str | None,
    against: tuple[str, ...],
    mode: str,
    fail_on: tuple[str, ...],
    transitive: bool,
    first_release: bool,
    only_affecting: str,
    witnesses: Path | None,
    output: str,
) -> None:
    """Say what a change of the schema (NEW; by default the configured one) breaks for whom, with payloads."""
    if len(against) > 1 and not transitive:
        raise UsageError(
            f"{len(against)} baselines",
            where="--against",
            why="one is compared with by default",
            fix="add --transitive",
        )
    workspace, configured = workspace_of(config, new)
    _known(workspace, only_affecting)
    schema = workspace.settings.schema or Schema()
    folder = schema.dir if new is None else named(workspace, new)
    baselines: list[str | None] = [named(workspace, one) for one in against] or [schema.against]
    place = BREAKING_WITNESSES if configured else WITHOUT_WORKSPACE
    request = Request(
        new=folder,
        against=None,
        directions=MODES[mode],
        fail_on=frozenset(map(Level, fail_on)) or FAILING,
        first_release=first_release,
        only_affecting=only_affecting,
        witnesses=place if witnesses is None else workspace.relative(Path.cwd() / witnesses),
    )
    requests = [replace(request, against=one) for one in baselines]
    reuse = chosen_reuse()
    could_show = partial(_could_show, schema, requests)
    judge(with_waivers(workspace, lambda processes: _judged(processes, workspace, requests, reuse), could_show), output)


def _could_show(schema: Schema, requests: list[Request], waiver: Waiver) -> bool:
    """Whether a run would have shown what a waiver accepts: it has to be about the schema, and as it is configured."""
    from counterfoil.compat.table import RULES  # noqa: PLC0415  (few workspaces have waivers)

    whole = [Request(new=schema.dir, against=schema.against, witnesses=one.witnesses) for one in requests[:1]]
    return schema.against is not None and requests == whole and waiver.rule in RULES


def _judged(processes: Processes, workspace: Workspace, requests: list[Request], reuse: Reuse) -> Iterator[Event]:
    """A case for each baseline."""
    started_s = time.monotonic()
    several = len(requests) > 1
    cases = [
        Case(lane=Lane.SCHEMA, subject=one.new, name=f"{BREAKING} since {one.against}" if several else BREAKING)
        for one in requests
    ]
    yield RunStarted(tuple(cases))
    with BreakingLane(processes, workspace, ResultCache(workspace, processes, reuse)) as lane:
        for case, request in zip(cases, requests, strict=True):
            began_s = time.monotonic()
            judged = guarded(partial(lane.judged, request), request.new)
            if several:
                judged = _naming(request.against or "", judged)
            yield CaseFinished(judged.result(case, time.monotonic() - began_s))
    yield RunFinished(time.monotonic() - started_s)


def _naming(baseline: str, judged: Judged) -> Judged:
    """With the baseline in what is said, where another may differ in the same element."""
    told = (replace(one, since=baseline, message=f"since {baseline}: {one.message}") for one in judged.findings)
    return replace(judged, findings=tuple(told))


def workspace_of(config: Path | None, new: str | None) -> tuple[Workspace, bool]:
    """The workspace, and whether there is a counterfoil.toml. Where there is none, the arguments are enough."""
    root = Path.cwd()
    if config or new is None or locate(root):
        return open_workspace(config), True
    return Workspace(root=root, file=root / FILE_NAME, settings=Settings(format=FORMAT_VERSION)), False


def named(workspace: Workspace, source: str) -> str:
    """A source as the workspace names it: a path from its folder, unless git or the ledger is meant.

    Raises UsageError for an empty one.
    """
    if not source:
        raise UsageError(
            "a schema has no name",
            why="an empty one would be the folder that the command runs in",
            fix="look whether the variable that it comes from is set; . is the folder",
        )
    is_path = not source.startswith((GIT, LEDGER)) and (Path.cwd() / source).exists()
    return workspace.relative(Path.cwd() / source) if is_path else source


def _known(workspace: Workspace, participant: str) -> None:
    participants = workspace.settings.participants
    if participant and participant not in participants:
        raise UsageError(
            f"unknown participant '{participant}'",
            where="--only-affecting",
            why=nearest(participant, participants),
            fix=f"name a participant of {workspace.file.name}",
        )
    if participant and not _is_declared(workspace, participant):
        raise UsageError(
            f"nothing says what '{participant}' reads or writes",
            where="--only-affecting",
            why="it has neither reads nor writes and no pact, so no change could be told to affect it",
            fix=f'add reads = ["..."] or writes = ["..."] to [participants.{participant}] in {workspace.file.name}',
        )


def _is_declared(workspace: Workspace, participant: str) -> bool:
    """Whether there is anything by which a change can be told to concern a participant."""
    declared = workspace.settings.participants[participant]
    if declared.reads or declared.writes:
        return True
    if workspace.settings.pacts is None:
        return False
    from counterfoil.project.pact_files import read_pacts  # noqa: PLC0415  (few runs need it)

    return any(participant in {pact.consumer, pact.provider} for pact in read_pacts(workspace))
