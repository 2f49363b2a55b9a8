"""The command `merge`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from counterfoil.commands.command_examples import examples
from counterfoil.commands.shell import judge, output_option
from counterfoil.errors import UsageError
from counterfoil.model import Report
from counterfoil.runs.events import CaseFinished, Event, FindingRaised, RunFinished, RunStarted, StepFinished
from counterfoil.runs.report_reading import read_report
from counterfoil.runs.shards import merged


@examples("counterfoil merge shard-1.json shard-2.json", "counterfoil merge shard-*.json --report html=report.html")
@click.command()
@click.argument("reports", nargs=-1, required=True, type=click.Path(path_type=Path))
@output_option
def merge(reports: tuple[Path, ...], output: str) -> None:
    """Join the JSON reports of all shards of a check into the report of the whole."""
    parts: dict[str, Report] = {}
    duration_s = 0.0
    for file in reports:
        if str(file) in parts:
            raise UsageError(f"'{file}' is named twice", fix="name the report of each shard once")
        try:
            data = file.read_bytes()
        except OSError as error:
            raise UsageError(
                f"'{file}' cannot be read", why=str(error.strerror), fix="correct the path of the report"
            ) from None
        parts[str(file)], took_s = read_report(str(file), data)
        duration_s = max(duration_s, took_s)
    whole = merged(parts)
    judge(lambda _: _events(whole, duration_s), output)


def _events(report: Report, duration_s: float) -> Iterator[Event]:
    """A report as what happened, for everything that shows it."""
    yield RunStarted(tuple(result.case for result in report.results), report.left_out)
    yield from map(StepFinished, report.steps)
    yield from map(CaseFinished, report.results)
    yield from map(FindingRaised, report.findings)
    yield RunFinished(duration_s)
