"""The command line: reads arguments, runs the engine, hands its events to a reporter, exits with the verdict's code."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console

from counterfoil import __version__, doctor
from counterfoil.config import locate
from counterfoil.consumers import read_pacts
from counterfoil.engine import Engine
from counterfoil.errors import UsageError, nearest
from counterfoil.explain_cli import explain
from counterfoil.init_cli import init
from counterfoil.lazy_commands import LazyGroup
from counterfoil.model import CHECKED_LANES, USAGE_EXIT_CODE, Lane, Report
from counterfoil.plan import Plan, Selection, make_plan
from counterfoil.processes import Processes
from counterfoil.reporters import text_report
from counterfoil.shell import (
    INTERRUPTED_EXIT_CODE,
    Command,
    end_when_nobody_reads,
    judge,
    open_workspace,
    output_option,
    screen,
    with_waivers,
    write_json,
)
from counterfoil.stub_cli import stub
from counterfoil.waive_cli import waive
from counterfoil.workspace import Workspace

RECORDED = "counterfoil.recorded"
TERMINATED_EXIT_CODE = 143


def main() -> NoReturn:
    """The entry point of the program."""
    _open_standard_streams()
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        cli(prog_name="counterfoil", standalone_mode=False)
    except UsageError as error:
        _print_error(error)
        sys.exit(USAGE_EXIT_CODE)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except OSError as error:
        sys.exit(_told_of_the_system(error))
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; every process that was started has ended", err=True)
        sys.exit(INTERRUPTED_EXIT_CODE)
    sys.exit(0)


def _open_standard_streams() -> None:
    """Stand in for a standard stream that is closed: a pipe of ours in its place would be taken for it."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
            name = ("stdin", "stdout", "stderr")[descriptor]
            setattr(sys, name, os.fdopen(descriptor, "w" if descriptor else "r"))


def _told_of_the_system(error: OSError) -> int:
    """What the system refused, such as a full disk or a file in the way. Nothing was judged to its end."""
    said = error.strerror or str(error)
    _print_error(
        UsageError(
            said or f"{type(error).__name__}, without a word on what for",
            where=str(error.filename or ""),
            why="the system refused it" if said else "the run ended before its end",
            fix="make room or correct permissions, and look for a file where a folder should be; then run it again"
            if said
            else "run it again",
        )
    )
    return USAGE_EXIT_CODE


def _terminate(*_: object) -> NoReturn:
    sys.exit(TERMINATED_EXIT_CODE)


def _print_error(error: UsageError) -> None:
    lines = [f"error: {error.what}"]
    lines += [
        f"  {label:5} {text}" for label, text in (("at", error.where), ("why", error.why), ("next", error.fix)) if text
    ]
    click.echo("\n".join(text_report.printable(line) for line in lines), err=True)


class Commands(LazyGroup):
    """All commands; these are loaded when they are wanted, since what they need takes its time."""

    places = {  # noqa: RUF012 - never changed
        "breaking": "counterfoil.breaking_cli:breaking",
        "probe": "counterfoil.probe_cli:probe",
        "replay": "counterfoil.probe_cli:replay",
        "can-i-deploy": "counterfoil.gate_cli:can_i_deploy",
        "can-i-merge": "counterfoil.gate_cli:can_i_merge",
        "create-environment": "counterfoil.ledger_cli:create_environment",
        "ledger": "counterfoil.ledger_cli:ledger_group",
        "list-environments": "counterfoil.ledger_cli:list_environments",
        "matrix": "counterfoil.gate_cli:matrix",
        "nulls": "counterfoil.nulls_cli:nulls",
        "publish": "counterfoil.publish_cli:publish",
        "record-deployment": "counterfoil.ledger_cli:record_deployment",
        "record-release": "counterfoil.ledger_cli:record_release",
        "record-support-ended": "counterfoil.ledger_cli:record_support_ended",
        "record-undeployment": "counterfoil.ledger_cli:record_undeployment",
        "record-verification": "counterfoil.publish_cli:record_verification",
    }


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="counterfoil")
@click.option(
    "--config", type=click.Path(path_type=Path), help="The counterfoil.toml to use; by default the nearest one."
)
@click.pass_context
def cli(context: click.Context, config: Path | None) -> None:
    """Say who breaks, on which payload, if this version is deployed.

    Exit codes: 0 compatible, 1 broken, 2 usage error (nothing was judged), 3 unproven.
    """
    context.obj = config


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
    if not meta.get(f"{RECORDED}.record"):
        if version or branch:
            raise UsageError("--version and --branch say what is recorded, and nothing is", fix="add --record")
        return None
    from counterfoil.record_cli import recorder  # noqa: PLC0415  (loads the ledger, which takes its time)

    return recorder(workspace, plan, version, branch)


@cli.command()
@click.option(
    "--lane",
    "lanes",
    type=click.Choice([lane.value for lane in CHECKED_LANES]),
    multiple=True,
    help="Only this lane; repeatable.",
)
@click.option("--list", "list_only", is_flag=True, help="Print the id of every case, and judge nothing.")
@selection_options
@record_options
@output_option
@click.pass_obj
def check(
    config: Path | None,
    *,
    lanes: tuple[str, ...],
    participants: tuple[str, ...],
    keyword: str,
    list_only: bool,
    output: str,
) -> None:
    """Judge everything: the pact files, every provider against its pacts, the schema against its baseline."""
    workspace = open_workspace(config)
    selection = Selection(
        lanes=frozenset(Lane(lane) for lane in lanes), participants=frozenset(participants), keyword=keyword
    )
    plan = make_plan(workspace.settings, read_pacts(workspace), selection)
    if list_only:
        _list(plan, output)
    _check(workspace, plan, output, selection=selection)


@cli.command()
@selection_options
@record_options
@output_option
@click.pass_obj
def verify(config: Path | None, participants: tuple[str, ...], keyword: str, output: str) -> None:
    """Start each provider and verify its pacts against it."""
    workspace = open_workspace(config)
    selection = Selection(
        lanes=frozenset({Lane.PACTS, Lane.VERIFY}), participants=frozenset(participants), keyword=keyword
    )
    plan = make_plan(workspace.settings, read_pacts(workspace), selection)
    _check(workspace, plan, output)


@cli.command()
@click.option("--participant", "participants", multiple=True, help="Only this participant; repeatable.")
@output_option
@click.pass_obj
def consume(config: Path | None, participants: tuple[str, ...], output: str) -> None:
    """Run the consumer tests, and put the pact files that they write into the folder of pacts."""
    workspace = open_workspace(config)
    if workspace.pact_dir is None:
        raise UsageError(
            f"{workspace.file.name} has no [pacts] table, so there is no place for the pacts",
            where=str(workspace.file),
            fix='add [pacts] with dir = "contracts/pacts"',
        )
    names = _named(workspace, participants, "consumer")
    judge(lambda processes: Engine(workspace, processes).consume(names), output)


@cli.command()
@click.option("--participant", "participants", multiple=True, help="Only this participant; repeatable.")
@output_option
@click.pass_obj
def build(config: Path | None, participants: tuple[str, ...], output: str) -> None:
    """Run the build commands of the participants and stubs, as far as something changed."""
    workspace = open_workspace(config)
    names = _named(workspace, participants, "build")
    if not participants:
        names = (*names, *(name for name, stub in workspace.settings.stubs.items() if stub.build))
    judge(lambda processes: Engine(workspace, processes).build(names), output)


cli.add_command(init)
cli.add_command(explain)
cli.add_command(waive)
cli.add_command(stub)


@cli.command("doctor")
@output_option
@click.pass_obj
def doctor_command(config: Path | None, output: str) -> None:
    """Say which tools are installed, in which version, and how to get what is missing."""
    workspace = open_workspace(config) if config or locate(Path.cwd()) else None
    processes = Processes()
    try:
        tools = doctor.examine(processes, workspace)
    finally:
        processes.stop()
    end_when_nobody_reads()
    sys.exit(doctor.show(Console(), tools, as_json=output == "json").exit_code)


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
        click.echo("\n".join(text_report.printable(case.id) for case in plan.cases))
    report = Report(findings=plan.findings)
    if not plan.cases:
        text_report.render(screen(stderr=True), report, 0.0)
    sys.exit(0 if plan.cases else report.verdict.exit_code)


def _check(workspace: Workspace, plan: Plan, output: str, *, selection: Selection | None = None) -> NoReturn:
    """Judge a plan. A check that leaves nothing out tells of waivers that nothing shows any more."""
    is_whole = selection is not None and not selection.is_narrow
    run = with_waivers(workspace, lambda processes: Engine(workspace, processes).check(plan), lambda _: is_whole)
    judge(run, output, _recorder(workspace, plan))
