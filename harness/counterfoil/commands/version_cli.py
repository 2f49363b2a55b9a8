"""`counterfoil --version`: its own version, and those of what it drives."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import click

from counterfoil import __version__
from counterfoil.system import toolchain
from counterfoil.system.processes import Processes

PACKAGES = {"buf": "buf-bin", "pact": "pact-python-ffi", "protobuf": "protobuf", "hypothesis": "hypothesis"}
PROGRAMS = ("git", "node", "cargo")
WITHIN_S = 3.0


def show_version(context: click.Context) -> None:
    """Print the versions and leave; a program that is missing, or silent for three seconds, is left out."""
    click.echo("\n".join([f"counterfoil, version {__version__}", *_lines()]))
    context.exit()


def _lines() -> Iterator[str]:
    yield f"python      {platform.python_version()}"
    for name, package in PACKAGES.items():
        try:
            yield f"{name:11} {version(package)}"
        except PackageNotFoundError:
            continue
    processes = Processes()
    try:
        for tool in toolchain.inspect(processes, PROGRAMS, within_s=WITHIN_S):
            if tool.version:
                yield f"{tool.name:11} {tool.version}"
    finally:
        processes.stop()
