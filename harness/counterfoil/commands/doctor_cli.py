"""The command `doctor`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from counterfoil.commands import doctor as examination
from counterfoil.commands.command_examples import examples
from counterfoil.commands.shell import end_when_nobody_reads, open_workspace, output_option
from counterfoil.project.config import locate
from counterfoil.system.processes import Processes


@examples("counterfoil doctor", "counterfoil doctor --format json")
@click.command()
@output_option
@click.pass_obj
def doctor(config: Path | None, output: str) -> None:
    """Say which tools are installed, in which version, and how to get what is missing."""
    workspace = open_workspace(config) if config or locate(Path.cwd()) else None
    processes = Processes()
    try:
        tools = examination.examine(processes, workspace)
    finally:
        processes.stop()
    end_when_nobody_reads()
    sys.exit(examination.show(Console(), tools, as_json=output == "json").exit_code)
