"""What every command does around its work: find the workspace, fold events, print a report, exit with its code."""

from __future__ import annotations

import datetime as dt
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console

from counterfoil.core.printing import printable
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError
from counterfoil.model import INTERRUPTED_EXIT_CODE, Report, Waiver
from counterfoil.project.config import find_workspace, read_workspace
from counterfoil.project.waiver_file import read_waivers
from counterfoil.reporters import text_report
from counterfoil.reporters.kinds import KINDS, Wanted
from counterfoil.runs.events import Event, RunFinished, StepFinished, StepStarted, fold
from counterfoil.runs.waivers import never
from counterfoil.system.files import replace_file
from counterfoil.system.processes import Processes

Command = Callable[..., None]
Run = Callable[[Processes], Iterator[Event]]
LOG_WIDTH = 1_000
"""In a log no name is cut, and no line wrapped."""
STDERR = "-"
REPORTS = "counterfoil.reports"


class WantedReport(click.ParamType[Wanted]):
    """A kind of report and where it goes, written `html=report.html`."""

    name = "kind=path"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Wanted:
        """The pair."""
        kind, _, path = str(value).partition("=")
        if kind not in KINDS or not path:
            self.fail(
                f"'{value}' is not KIND=PATH, for example html=report.html; kinds: {', '.join(KINDS)}", param, ctx
            )
        return Wanted(kind, path)


def _keep_reports(context: click.Context, param: click.Parameter, wanted: tuple[Wanted, ...]) -> None:
    paths = [one.path for one in wanted if one.path != STDERR]
    for path in paths:
        if paths.count(path) > 1:
            raise click.BadParameter(f"'{path}' is named for two reports", context, param)
    context.meta[REPORTS] = wanted


def output_option(command: Command) -> Command:
    """`--format` and `--report`, for every command that judges."""
    command = click.option(
        "--report",
        type=WantedReport(),
        multiple=True,
        expose_value=False,
        callback=_keep_reports,
        help=f"Write a report too; repeatable. Kinds: {', '.join(KINDS)}.",
    )(command)
    return click.option(
        "--format",
        "output",
        type=click.Choice(["text", "json"]),
        default="text",
        help="JSON goes to stdout as one document.",
    )(command)


def open_workspace(config: Path | None) -> Workspace:
    """The named configuration, or the nearest one."""
    return read_workspace(config) if config else find_workspace(Path.cwd())


def with_waivers(workspace: Workspace, run: Run, could_show: Callable[[Waiver], bool] = never) -> Run:
    """The run with what the workspace's waivers accept; `could_show` as in `Waivers.applied_to`. Raises UsageError."""
    waivers, today = read_waivers(workspace), dt.datetime.now(tz=dt.UTC).date()
    return lambda processes: waivers.applied_to(run(processes), today, could_show=could_show)


def judge(
    run: Run,
    output: str,
    record: Callable[[Report], None] | None = None,
    *,
    above: Callable[[Console, Report], None] | None = None,
    below: str = "",
    tells_steps: bool = False,
) -> NoReturn:
    """Run something that yields events, report it, record it, and leave with the exit code of its verdict.

    `above` shows more of the report on a screen, before the rest; `below` is a last line there, on stderr.
    `tells_steps` is for what takes minutes: where no terminal shows what starts and ends, lines on stderr do.
    """
    report, end = _fold(run, tells_steps=tells_steps)
    for wanted in click.get_current_context().meta.get(REPORTS, ()):
        _write_report(wanted.path, wanted.text(report, end.duration_s))
    failure = _recorded(report, record) if record and not end.was_interrupted else None
    end_when_nobody_reads()
    if output == "json":
        write_json(KINDS["json"](report, end.duration_s))
    else:
        if above:
            above(screen(), report)
        text_report.render(screen(), report, end.duration_s)
        if below:
            click.echo(below, err=True)
    if failure:
        raise failure
    if end.was_interrupted:
        click.echo("interrupted; what was found so far is kept", err=True)
    sys.exit(INTERRUPTED_EXIT_CODE if end.was_interrupted else report.verdict.exit_code)


def _recorded(report: Report, record: Callable[[Report], None]) -> UsageError | None:
    """Record a report; why that failed, to be told after the report."""
    try:
        record(report)
    except UsageError as error:
        return error
    return None


def _write_report(path: str, text: str) -> None:
    """Write it whole or not at all."""
    data = text.encode("utf-8", "backslashreplace")
    if path == STDERR:
        click.echo(data, err=True, nl=False)
        return
    replace_file(Path(path), data)


def end_when_nobody_reads() -> None:
    """From here on only output is left: when its reader has gone, end as other programs do, by SIGPIPE."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def screen(*, stderr: bool = False) -> Console:
    """Where text goes: lines are not cut to the width, and nothing is guessed into colours."""
    console = Console(stderr=stderr, soft_wrap=True, highlight=False)
    if not console.is_terminal:
        console.width = LOG_WIDTH
    return console


def write_json(document: str) -> None:
    """Write JSON. Half a surrogate pair, or a file name that is no text, becomes the escape that stands for it."""
    click.echo(document.encode("utf-8", "backslashreplace"))


def _fold(run: Run, *, tells_steps: bool) -> tuple[Report, RunFinished]:
    report, end = Report(), RunFinished(0.0)
    processes = Processes()
    try:
        with _shown(_tell_step if tells_steps else lambda _: None) as show:
            for event in run(processes):
                show(event)
                report = fold(report, event)
                if isinstance(event, RunFinished):
                    end = event
    finally:
        processes.stop()
    return report, end


def _tell_step(event: Event) -> None:
    if isinstance(event, StepStarted):
        click.echo(f"started  {printable(event.label)}", err=True)
    elif isinstance(event, StepFinished):
        click.echo(f"ended    {printable(event.step.label)}, {event.step.duration_s:.1f} s", err=True)


@contextmanager
def _shown(elsewhere: Callable[[Event], None]) -> Iterator[Callable[[Event], None]]:
    """What shows progress on a terminal; `elsewhere` does it elsewhere, where nothing for a terminal is even loaded."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield elsewhere
        return
    from counterfoil.reporters.progress import ProgressView  # noqa: PLC0415

    with ProgressView(console).shown() as progress:
        yield progress.take
