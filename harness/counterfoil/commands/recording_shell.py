"""What every command that records does around its work: options, the version, the ledger, what it says."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from counterfoil.commands.shell import Command, end_when_nobody_reads, open_workspace, write_json
from counterfoil.core.printing import printable
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError
from counterfoil.ledger.entries import Run
from counterfoil.ledger.names import checked
from counterfoil.ledger.recording import Recorder
from counterfoil.ledger.store import Ledger, open_ledger
from counterfoil.project.config import locate
from counterfoil.system.revision import Revision

Recorded = TypeVar("Recorded")
FORMAT = 1


class Name(click.ParamType[str]):
    """A name or number that the ledger takes."""

    name = "text"

    def __init__(self, what: str) -> None:
        self._what = what

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, unchanged. Raises UsageError."""
        del ctx
        return checked(str(value), self._what, param.opts[-1] if param else "")


PARTICIPANT = Name("a participant's name")
VERSION = Name("a version")
ENVIRONMENT = Name("an environment's name")
INSTANCE = Name("an instance's name")


def pacticipant_option(command: Command) -> Command:
    """`-a`, for the commands that are about one participant."""
    return click.option("-a", "--pacticipant", required=True, type=PARTICIPANT, help="The participant's name.")(command)


def version_option(command: Command) -> Command:
    """`-e`, for the commands that are about one version; by default git's commit."""
    return click.option("-e", "--version", type=VERSION, help="The version; by default git's commit.")(command)


def environment_option(command: Command) -> Command:
    """`--environment`."""
    return click.option("--environment", required=True, type=ENVIRONMENT, help="The environment's name.")(command)


def instance_option(command: Command) -> Command:
    """`--application-instance`."""
    return click.option(
        "--application-instance",
        "--instance",
        "instance",
        type=INSTANCE,
        help="Which of several instances in the environment; each has a version of its own.",
    )(command)


def workspace_or_none(config: Path | None) -> Workspace | None:
    """The workspace, where there is one: with COUNTERFOIL_LEDGER, most commands need none."""
    return open_workspace(config) if config or locate(Path.cwd()) else None


def the_ledger(config: Path | None) -> Ledger:
    """The ledger of the workspace, or the one that COUNTERFOIL_LEDGER names."""
    workspace = workspace_or_none(config)
    return open_ledger(workspace.root if workspace else None, os.environ)


def numbered(version: str | None, revision: Revision) -> str:
    """The version that was given, or git's commit."""
    number = version or revision.commit
    if number is None:
        raise UsageError(
            "there is no version to record: --version is missing, and git knows no commit here",
            where="--version",
            fix="name one: --version NUMBER",
        )
    return number


def say_if_dirty(revision: Revision, version: str | None) -> None:
    """A version that stands for a commit does not have what is not committed."""
    if revision.dirty:
        named = version or "this commit"
        click.echo(
            f"note: files changed since the commit, so {printable(named)} is recorded as not committed", err=True
        )


def record(config: Path | None, run: Run, work: Callable[[Recorder], Recorded]) -> Recorded:
    with the_ledger(config).recording(run) as recorder:
        return work(recorder)


def say(output: str, text: str, **fields: object) -> None:
    """What was recorded: a sentence, or a document."""
    end_when_nobody_reads()
    if output == "json":
        write_json(json.dumps({"format": FORMAT, **fields}, ensure_ascii=False))
    else:
        click.echo("\n".join(printable(line) for line in text.split("\n")))
