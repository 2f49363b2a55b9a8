"""The commands `check`, `verify`, `consume` and `build`, which run the engine on a workspace."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import click

from counterfoil.allowance.links import is_asked_for, plan_readings
from counterfoil.commands.check_options_cli import changed_since_option, chosen_reuse, reuse_options, shard_option
from counterfoil.commands.command_examples import examples
from counterfoil.commands.interruption import until_ctrl_c
from counterfoil.commands.shell import (
    Command,
    end_when_nobody_reads,
    judge,
    open_workspace,
    output_option,
    screen,
    with_waivers,
    write_json,
)
from counterfoil.core.pacts import Pact
from counterfoil.core.printing import printable
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError, nearest
from counterfoil.lanes.engine import Engine
from counterfoil.model import CHECKED_LANES, Lane, Report
from counterfoil.project.pact_files import read_pacts
from counterfoil.reporters import text_report
from counterfoil.results.changed import affected
from counterfoil.results.durations import recorded, recording
from counterfoil.results.judged_content import judged_content
from counterfoil.runs.events import Event
from counterfoil.runs.plan import Plan, Selection, make_plan
from counterfoil.runs.shards import part_of
from counterfoil.system.processes import Processes

RECORDED = "counterfoil.recorded"


def selection_options(command: Command) -> Command:
    """What to judge, for the commands that take a selection."""
    command = click.option(
        "-k", "keyword", default="", help="Only cases whose id contains this, whatever the letters' case."
    )(command)
    return click.option(
        "--participant", "participants", multiple=True, help="Only cases of this participant; repeatable."
    )(command)


def record_options(command: Command) -> Command:
    """`--record`, for the commands whose findings can go into the ledger."""
    described = (
        (("--record",), {"is_flag": True, "help": "Record what is found in the ledger."}),
        (("-e", "--version"), {"help": "With --record: the version that is judged; by default git's commit."}),
        (("--at",), {"multiple": True, "help": "With --record: NAME=VERSION, a participant that is at another one."}),
        (("--branch",), {"help": "With --record: the branch of the version; by default git's."}),
    )
    for names, settings in reversed(described):
        command = click.option(*names, expose_value=False, callback=_keep, **settings)(command)
    return command


def _keep(context: click.Context, param: click.Parameter, value: object) -> None:
    context.meta[f"{RECORDED}.{param.name}"] = value


def _recorder(workspace: Workspace, plan: Plan) -> Callable[[Report], None] | None:
    """What records the run's report, if it is to be recorded."""
    meta = click.get_current_context().meta
    version, branch = meta.get(f"{RECORDED}.version"), meta.get(f"{RECORDED}.branch")
    others = meta.get(f"{RECORDED}.at") or ()
    if not meta.get(f"{RECORDED}.record"):
        if version or branch or others:
            raise UsageError("--version, --branch and --at say what is recorded, and nothing is", fix="add --record")
        return None
    from counterfoil.commands.record_cli import recorder  # noqa: PLC0415  (loads the ledger, which takes its time)

    return recorder(workspace, plan, version, branch, others)


@examples(
    "counterfoil check",
    "counterfoil check --lane schema --lane pacts",
    'counterfoil check -k "a product" --report html=out/report.html',
    "counterfoil check --changed-since origin/main",
)
@click.command()
@click.option(
    "--lane",
    "lanes",
    type=click.Choice([lane.value for lane in CHECKED_LANES]),
    multiple=True,
    help="Only this lane; repeatable.",
)
@changed_since_option
@shard_option
@click.option("--watch", is_flag=True, help="Judge again whenever a file changes, until Ctrl-C.")
@click.option("--list", "list_only", is_flag=True, help="Print the id of every case, and judge nothing.")
@selection_options
@reuse_options
@record_options
@output_option
@click.pass_obj
def check(  # noqa: PLR0913  (one for each option)
    config: Path | None,
    *,
    lanes: tuple[str, ...],
    participants: tuple[str, ...],
    keyword: str,
    changed_since: str | None,
    shard: tuple[int, int] | None,
    watch: bool,
    list_only: bool,
    output: str,
) -> None:
    """Judge everything: the pact files, every provider against its pacts, the schema against its baseline."""
    selection = Selection(
        lanes=frozenset(Lane(lane) for lane in lanes), participants=frozenset(participants), keyword=keyword
    )

    def judge_once() -> NoReturn:
        workspace = open_workspace(config)
        pacts = read_pacts(workspace)
        plan = make_plan(workspace.settings, pacts, selection)
        if changed_since:
            plan = _affected(workspace, plan, changed_since)
        if shard:
            plan = part_of(plan, *shard, recorded(workspace), judged_content(workspace))
        if list_only:
            _list(plan, output)
        _check(workspace, plan, output, selection=selection, below=_left_to_nulls(workspace, pacts, selection))

    if not watch:
        judge_once()
    if list_only or output == "json":
        raise click.UsageError("--watch is for a screen: leave out --list and --format json")
    from counterfoil.commands.watch_cli import judge_on_changes  # noqa: PLC0415  (loads what only few need)

    judge_on_changes(open_workspace(config), judge_once)


@examples(
    "counterfoil verify",
    'counterfoil verify --participant orders -k "an order"',
    "counterfoil verify --record --version 1.4.0 --branch main",
)
@click.command()
@selection_options
@reuse_options
@record_options
@click.option("--from-broker", is_flag=True, help="Fetch the pacts from the Pact Broker at PACT_BROKER_BASE_URL.")
@click.option("--consumer-version-selector", "selectors", multiple=True, help="Of which versions, as JSON; repeatable.")
@click.option("--enable-pending", is_flag=True, help="Let pacts that were never honoured fail without harm.")
@click.option("--include-wip-pacts-since", "wip_since", metavar="DATE", help="Also new pacts of branches, as pending.")
@output_option
@click.pass_obj
def verify(  # noqa: PLR0913  (one for each option)
    config: Path | None,
    *,
    participants: tuple[str, ...],
    keyword: str,
    from_broker: bool,
    selectors: tuple[str, ...],
    enable_pending: bool,
    wip_since: str | None,
    output: str,
) -> None:
    """Start each provider and verify its pacts against it."""
    workspace = open_workspace(config)
    selection = Selection(
        lanes=frozenset({Lane.PACTS, Lane.VERIFY}), participants=frozenset(participants), keyword=keyword
    )
    if from_broker:
        _verify_fetched(workspace, selection, selectors, pending=enable_pending, wip_since=wip_since, output=output)
    if selectors or enable_pending or wip_since:
        raise UsageError("selectors, pending and WIP say what a Pact Broker hands out", fix="add --from-broker")
    plan = make_plan(workspace.settings, read_pacts(workspace), selection)
    _check(workspace, plan, output)


def _verify_fetched(
    workspace: Workspace,
    selection: Selection,
    selectors: tuple[str, ...],
    *,
    pending: bool,
    wip_since: str | None,
    output: str,
) -> NoReturn:
    from counterfoil.commands.broker_verify_cli import BrokerRounds, Fetch  # noqa: PLC0415  (loads what only few need)

    meta = click.get_current_context().meta
    branch, version = meta.get(f"{RECORDED}.branch"), meta.get(f"{RECORDED}.version")
    fetch = Fetch(selectors=selectors, pending=pending, wip_since=wip_since, branch=branch)
    rounds = BrokerRounds(workspace, selection, fetch)
    judge(rounds.run, output, rounds.recorder(version) if meta.get(f"{RECORDED}.record") else None)


@examples("counterfoil consume", "counterfoil consume --participant web")
@click.command()
@click.option("--participant", "participants", multiple=True, help="Only this participant; repeatable.")
@output_option
@click.pass_obj
def consume(config: Path | None, participants: tuple[str, ...], output: str) -> None:
    """Run the consumer tests, and put the pact files that they write in place."""
    workspace = open_workspace(config)
    if workspace.pact_dir is None:
        raise UsageError(
            f"{workspace.file.name} has no [pacts] table, so there is no place for the pacts",
            where=str(workspace.file),
            fix='add [pacts] with dir = "contracts/pacts"',
        )
    names = _named(workspace, participants, "consumer")
    judge(
        lambda processes: until_ctrl_c(processes, Engine(workspace, processes).consume(names)), output, tells_steps=True
    )


@examples("counterfoil build", "counterfoil build --participant orders")
@click.command()
@click.option("--participant", "participants", multiple=True, help="Only this participant; repeatable.")
@output_option
@click.pass_obj
def build(config: Path | None, participants: tuple[str, ...], output: str) -> None:
    """Run the build commands of the participants and stubs, as far as something changed."""
    workspace = open_workspace(config)
    names = _named(workspace, participants, "build")
    if not participants:
        names = (*names, *(name for name, stub in workspace.settings.stubs.items() if stub.build))
    judge(
        lambda processes: until_ctrl_c(processes, Engine(workspace, processes).build(names)), output, tells_steps=True
    )


def _named(workspace: Workspace, participants: tuple[str, ...], table: str) -> tuple[str, ...]:
    """The participants that have the table, or those of them that were asked for."""
    able = tuple(name for name, participant in workspace.settings.participants.items() if getattr(participant, table))
    for name in participants:
        if name not in able:
            raise UsageError(
                f"no participant '{name}' with a '{table}' table",
                where="--participant",
                why=nearest(name, able),
                fix=f"name one that has [participants.NAME.{table}] in {workspace.file.name}",
            )
    if not able:
        table_form = f"[participants.NAME.{table}]" if table == "build" else f"participants.NAME.{table}"
        raise UsageError(
            f"no participant has a '{table}' table, so there is nothing to do",
            where=str(workspace.file),
            fix=f"add [{table_form}]; see docs/configuration.md",
        )
    return participants or able


def _list(plan: Plan, output: str) -> NoReturn:
    """Print the ids of the cases; what is amiss with the plan itself goes to stderr."""
    end_when_nobody_reads()
    if output == "json":
        write_json(json.dumps({"format": 1, "cases": [case.id for case in plan.cases]}, ensure_ascii=False))
    elif plan.cases:
        click.echo("\n".join(printable(case.id) for case in plan.cases))
    report = Report(findings=plan.findings)
    if not plan.cases:
        text_report.render(screen(stderr=True), report, 0.0)
    sys.exit(0 if plan.cases else report.verdict.exit_code)


def _left_to_nulls(workspace: Workspace, pacts: Sequence[Pact], selection: Selection) -> str:
    """How many interactions the null lane leaves out where no decoder is named; empty where it leaves out none."""
    if selection.lanes or is_asked_for(workspace.settings, pacts):
        return ""
    bodies = [one for one in plan_readings(workspace.settings, pacts, always=True) if selection.covers(one.case)]
    count = len({one.pact.subject(one.interaction) for one in bodies})
    named = f"{count} interaction{'s' * (count > 1)} without a named decoder"
    return f"null lane: {named}, not judged; 'counterfoil nulls' lists them" if count else ""


def _affected(workspace: Workspace, plan: Plan, reference: str) -> Plan:
    processes = Processes()
    try:
        return affected(workspace, plan, reference, processes)
    finally:
        processes.stop()


def _check(
    workspace: Workspace, plan: Plan, output: str, *, selection: Selection | None = None, below: str = ""
) -> NoReturn:
    """Judge a plan. A check that leaves nothing out tells of waivers that nothing shows any more."""
    is_whole = selection is not None and not selection.is_narrow and not plan.left_out
    reuse = chosen_reuse()

    def run(processes: Processes) -> Iterator[Event]:
        events = until_ctrl_c(processes, Engine(workspace, processes, reuse=reuse).check(plan))
        return recording(workspace, plan, events) if is_whole and plan.shard is None else events

    judge(with_waivers(workspace, run, lambda _: is_whole), output, _recorder(workspace, plan), below=below)
