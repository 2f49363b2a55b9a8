"""What is installed, which version, what is missing, and the exact command to get it."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from counterfoil.core.printing import printable
from counterfoil.core.workspace import Workspace
from counterfoil.model import Verdict
from counterfoil.system import toolchain
from counterfoil.system.processes import Processes
from counterfoil.system.toolchain import Tool

PACKAGES = ("counterfoil", "pact-python", "pact-python-ffi", "protobuf", "hypothesis")


def examine(processes: Processes, workspace: Workspace | None) -> tuple[Tool, ...]:
    """Python, its packages, buf, git, and every tool that a participant names."""
    tools = [Tool(name="python", path=None, version=platform.python_version(), minimum="3.11", install="")]
    for package in PACKAGES:
        try:
            found: str | None = version(package)
        except PackageNotFoundError:
            found = None
        tools.append(Tool(name=package, path=None, version=found, minimum="0", install=f"pip install {package}"))
    participants = workspace.settings.participants.values() if workspace else ()
    named = ["buf", "git", *(tool for participant in participants for tool in participant.tools)]
    return (*tools, *toolchain.inspect(processes, named))


def show(console: Console, tools: tuple[Tool, ...], *, as_json: bool) -> Verdict:
    """Print what was found; `unproven` when something is missing, since its lanes could not be judged."""
    verdict = Verdict.COMPATIBLE if all(tool.usable for tool in tools) else Verdict.UNPROVEN
    if as_json:
        entries = [{**asdict(tool), "usable": tool.usable} for tool in tools]
        click.echo(json.dumps({"format": 1, "verdict": verdict, "tools": entries}, indent=2))
        return verdict
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("tool", "version", "needed", "state"):
        table.add_column(title)
    for tool in tools:
        problem = printable(f"{_problem(tool)}: {tool.install}")
        state = Text("ok", "green") if tool.usable else Text(problem, "yellow")
        needed = f">= {tool.minimum}" if tool.minimum != "0" else "any"
        table.add_row(Text(printable(tool.name)), Text(printable(tool.version or "-")), needed, state)
    console.print(table)
    return verdict


def _problem(tool: Tool) -> str:
    if tool.version:
        return "too old"
    return "does not run" if tool.path else "missing"
