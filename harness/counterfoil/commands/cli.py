"""The command line: finds the command, runs it, and tells what went wrong before anything was judged."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn, TextIO

import click

from counterfoil.commands.lazy_commands import LazyGroup, Place
from counterfoil.core.printing import printable
from counterfoil.errors import UsageError
from counterfoil.model import INTERRUPTED_EXIT_CODE, USAGE_EXIT_CODE

TERMINATED_EXIT_CODE = 143


def main() -> NoReturn:
    """The entry point of the program."""
    _open_standard_streams()
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            cli(prog_name="counterfoil", standalone_mode=False)
        finally:
            sys.stdout.flush()  # or the interpreter does as it ends, and has its own exit code for a full disk
    except UsageError as error:
        print_error(error)
        sys.exit(USAGE_EXIT_CODE)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except OSError as error:
        _drop_what_is_left(sys.stdout)
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


def _drop_what_is_left(stream: TextIO) -> None:
    """Let what a stream still holds go nowhere: it could not be written."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _told_of_the_system(error: OSError) -> int:
    """What the system refused, such as a full disk or a file in the way. Nothing was judged to its end."""
    said = error.strerror or str(error)
    print_error(
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


def print_error(error: UsageError) -> None:
    """What the user asked wrongly, on stderr."""
    lines = [f"error: {error.what}"]
    lines += [
        f"  {label:5} {text}" for label, text in (("at", error.where), ("why", error.why), ("next", error.fix)) if text
    ]
    click.echo("\n".join(printable(line) for line in lines), err=True)


class Commands(LazyGroup):
    """All commands; a test holds the lines of help to what the commands say themselves."""

    places = {  # noqa: RUF012 - never changed
        "breaking": Place(
            "breaking_cli:breaking",
            "Say what a change of the schema (NEW; by default the configured one) breaks for whom, with payloads.",
        ),
        "build": Place(
            "check_cli:build",
            "Run the build commands of the participants and stubs, as far as something changed.",
        ),
        "can-i-deploy": Place(
            "gate_cli:can_i_deploy",
            "Say whether the versions may be deployed: exit 0 yes, 1 no, 3 unproven.",
        ),
        "can-i-merge": Place(
            "gate_cli:can_i_merge",
            "Say whether the version fits the head of each other participant's main branch.",
        ),
        "check": Place(
            "check_cli:check",
            "Judge everything: the pact files, every provider against its pacts, the schema against its baseline.",
        ),
        "completion": Place(
            "completion_cli:completion",
            "Print the script that makes a shell complete commands and options.",
        ),
        "consume": Place(
            "check_cli:consume",
            "Run the consumer tests, and put the pact files that they write in place.",
        ),
        "create-environment": Place(
            "ledger_cli:create_environment", "Create an environment, to which versions are deployed."
        ),
        "doctor": Place(
            "doctor_cli:doctor",
            "Say which tools are installed, in which version, and how to get what is missing.",
        ),
        "explain": Place("explain_cli:explain", "Say what a rule means: one of ours, or one of buf's."),
        "init": Place(
            "init_cli:init",
            "Look through a repository (FOLDER; by default this one), and write a counterfoil.toml for `check`.",
        ),
        "ledger": Place("ledger_cli:ledger_group", "Move the ledger."),
        "list-environments": Place("ledger_cli:list_environments", "List the environments."),
        "matrix": Place("gate_cli:matrix", "List what is known between versions, without judging: exit 0."),
        "merge": Place(
            "merge_cli:merge",
            "Join the JSON reports of all shards of a check into the report of the whole.",
        ),
        "nulls": Place(
            "nulls_cli:nulls",
            "Give every payload that the pacts allow to the decoders that read it, and print the null matrix.",
        ),
        "probe": Place(
            "probe_cli:probe",
            "Search for payloads that the stubs of several languages do not read alike; each is saved as a witness.",
        ),
        "publish": Place("publish_cli:publish", "Record pacts of a version, and the schema that it speaks."),
        "record-deployment": Place(
            "ledger_cli:record_deployment",
            "Record that a version runs in an environment now, in place of the one that did.",
        ),
        "record-release": Place(
            "ledger_cli:record_release",
            "Record that a version is supported in an environment, beside those that are.",
        ),
        "record-support-ended": Place(
            "ledger_cli:record_support_ended",
            "Record that a released version is no longer supported in an environment.",
        ),
        "record-undeployment": Place(
            "ledger_cli:record_undeployment",
            "Record that a participant, or one instance of it, no longer runs in an environment.",
        ),
        "record-verification": Place(
            "publish_cli:record_verification",
            "Record a verification that was run elsewhere; `verify --record` records its own.",
        ),
        "replay": Place(
            "replay_cli:replay",
            "Read a witness's payload again: exit 1 when it still shows what it says, 0 when it no longer does.",
        ),
        "stub": Place("stub_cli:stub", "Stubs: the processes that decode payloads for a probe."),
        "verify": Place("check_cli:verify", "Start each provider and verify its pacts against it."),
        "waive": Place("waive_cli:waive", "Accept a finding for now: write it to contracts/waivers.toml."),
    }


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  (click's)
    if wanted and not context.resilient_parsing:
        from counterfoil.commands.version_cli import show_version  # noqa: PLC0415  (loads what only this needs)

        show_version(context)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version, with those of what it drives, and exit.",
)
@click.option(
    "--config", type=click.Path(path_type=Path), help="The counterfoil.toml to use; by default the nearest one."
)
@click.pass_context
def cli(context: click.Context, config: Path | None) -> None:
    """Say who breaks, on which payload, if this version is deployed.

    Exit codes: 0 compatible, 1 broken, 2 usage error (nothing was judged), 3 unproven.
    """
    context.obj = config
