"""The commands about environments and what is live in them, in Pact's vocabulary; and moving the ledger."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from counterfoil.broker.broker_address import find_broker
from counterfoil.commands.command_examples import examples
from counterfoil.commands.recording_shell import (
    ENVIRONMENT,
    Name,
    environment_option,
    instance_option,
    numbered,
    pacticipant_option,
    record,
    say,
    the_ledger,
    version_option,
)
from counterfoil.commands.shell import end_when_nobody_reads, output_option
from counterfoil.core.printing import printable
from counterfoil.errors import UsageError
from counterfoil.ledger import presences
from counterfoil.ledger.entries import Environment, Run
from counterfoil.ledger.presences import Slot
from counterfoil.system.files import replacing
from counterfoil.system.revision import Revision, revision_of

if TYPE_CHECKING:
    from counterfoil.broker.broker_places import BrokerPlaces

Fields = dict[str, object]
STREAM = Path("-")
"""Stands for stdout, or stdin."""


@examples("counterfoil record-deployment -a web -e 1.4.0 --environment production")
@click.command("record-deployment")
@pacticipant_option
@version_option
@environment_option
@instance_option
@output_option
@click.pass_obj
def record_deployment(
    config: Path | None,
    *,
    pacticipant: str,
    version: str | None,
    environment: str,
    instance: str | None,
    output: str,
) -> None:
    """Record that a version runs in an environment now, in place of the one that did."""
    number = numbered(version, Revision() if version else revision_of(Path.cwd()))
    slot = Slot(participant=pacticipant, environment=environment, instance=instance)
    run = Run(command="record-deployment")
    told = _told(lambda places: places.deploy(slot, number))
    changed = record(config, run, lambda recorder: presences.deploy(recorder, slot, number))
    text = (
        f"{pacticipant} {number} is deployed to {environment}{_of(instance)}{'' if changed else ', as it was before'}"
    )
    say(output, text + _also(told), pacticipant=pacticipant, version=number, environment=environment, instance=instance)


@examples("counterfoil record-undeployment -a web --environment production")
@click.command("record-undeployment")
@pacticipant_option
@environment_option
@instance_option
@output_option
@click.pass_obj
def record_undeployment(
    config: Path | None, *, pacticipant: str, environment: str, instance: str | None, output: str
) -> None:
    """Record that a participant, or one instance of it, no longer runs in an environment."""
    slot = Slot(participant=pacticipant, environment=environment, instance=instance)
    run = Run(command="record-undeployment")
    told = _told(lambda places: places.undeploy(slot))
    number = record(config, run, lambda recorder: presences.undeploy(recorder, slot))
    text = f"{pacticipant} {number} is no longer deployed to {environment}{_of(instance)}"
    say(output, text + _also(told), pacticipant=pacticipant, version=number, environment=environment, instance=instance)


def _told(tell: Callable[[BrokerPlaces], None]) -> str | None:
    """Tell the Pact Broker that the environment names; its address.

    It comes first: what the Broker refuses is not recorded either. Running the command again mends a failure between.
    """
    address = find_broker(os.environ)
    if address is None:
        return None
    from counterfoil.broker.broker_places import BrokerPlaces  # noqa: PLC0415  (loads what only few need)

    tell(BrokerPlaces(address))
    return address.url


def _also(told: str | None) -> str:
    return f"; the Pact Broker at {told} knows it too" if told else ""


def _of(instance: str | None) -> str:
    return f" (instance {instance})" if instance else ""


@examples("counterfoil record-release -a app -e 3.1 --environment store")
@click.command("record-release")
@pacticipant_option
@version_option
@environment_option
@output_option
@click.pass_obj
def record_release(
    config: Path | None, *, pacticipant: str, version: str | None, environment: str, output: str
) -> None:
    """Record that a version is supported in an environment, beside those that are."""
    _release(config, pacticipant, version, environment, output, live=True)


@examples("counterfoil record-support-ended -a app -e 2.9 --environment store")
@click.command("record-support-ended")
@pacticipant_option
@version_option
@environment_option
@output_option
@click.pass_obj
def record_support_ended(
    config: Path | None, *, pacticipant: str, version: str | None, environment: str, output: str
) -> None:
    """Record that a released version is no longer supported in an environment."""
    _release(config, pacticipant, version, environment, output, live=False)


def _release(
    config: Path | None, pacticipant: str, version: str | None, environment: str, output: str, *, live: bool
) -> None:
    number = numbered(version, Revision() if version else revision_of(Path.cwd()))
    slot = Slot(participant=pacticipant, environment=environment)
    run = Run(command="record-release" if live else "record-support-ended")
    told = _told(lambda places: places.release(slot, number) if live else places.end_support(slot, number))
    changed = record(config, run, lambda recorder: presences.release(recorder, slot, number, live=live))
    state = "is released in" if live else "is no longer supported in"
    text = f"{pacticipant} {number} {state} {environment}{'' if changed else ', as it was before'}"
    say(output, text + _also(told), pacticipant=pacticipant, version=number, environment=environment, released=live)


@examples("counterfoil create-environment --name production --production")
@click.command("create-environment")
@click.option("--name", required=True, type=ENVIRONMENT, help="The name, as commands use it.")
@click.option("--display-name", type=Name("a display name"), help="The name for people; by default the same.")
@click.option("--production/--no-production", default=False, help="Whether it is a production environment.")
@output_option
@click.pass_obj
def create_environment(
    config: Path | None, *, name: str, display_name: str | None, production: bool, output: str
) -> None:
    """Create an environment, to which versions are deployed."""
    made = Environment(name=name, display_name=display_name or name, production=production)
    told = _told(lambda places: places.create_environment(made))
    created = record(config, Run(command="create-environment"), lambda recorder: recorder.environment(made))
    text = f"environment {name} {'is created' if created else 'was there already'}"
    say(output, text + _also(told), created=created, **_fields(made))


@examples("counterfoil list-environments")
@click.command("list-environments")
@output_option
@click.pass_obj
def list_environments(config: Path | None, *, output: str) -> None:
    """List the environments."""
    environments = the_ledger(config).environments()
    lines = [f"{one.name}  {one.display_name}{'  production' if one.production else ''}" for one in environments]
    text = "\n".join(lines) or "there is none yet; create one: counterfoil create-environment --name NAME"
    say(output, text, environments=[_fields(one) for one in environments])


def _fields(environment: Environment) -> Fields:
    return {
        "name": environment.name,
        "display_name": environment.display_name,
        "production": environment.production,
    }


@examples("counterfoil ledger export ledger.jsonl", "counterfoil ledger import ledger.jsonl")
@click.group("ledger")
def ledger_group() -> None:
    """Move the ledger."""


@examples("counterfoil ledger export ledger.jsonl")
@ledger_group.command("export")
@click.argument("file", required=False, type=click.Path(path_type=Path, allow_dash=True))
@click.pass_obj
def export_ledger(config: Path | None, file: Path | None) -> None:
    """Write everything that is recorded as JSON Lines, to FILE or to stdout (`-`)."""
    ledger = the_ledger(config)
    if file is None or file == STREAM:
        end_when_nobody_reads()
        ledger.export(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    with replacing(file) as stream:
        count = ledger.export(stream)
    click.echo(printable(f"{count} rows are in {file}"), err=True)


@examples("counterfoil ledger import ledger.jsonl")
@ledger_group.command("import")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.pass_obj
def import_ledger(config: Path | None, file: Path) -> None:
    """Read what `export` wrote (FILE, or `-`: stdin) into a ledger that is empty: every row, or none."""
    try:
        with nullcontext(sys.stdin.buffer) if file == STREAM else file.open("rb") as stream:
            count = the_ledger(config).take_in(stream, str(file))
    except FileNotFoundError:
        raise UsageError(
            f"there is no file '{file}'", fix="name one that 'counterfoil ledger export FILE' wrote"
        ) from None
    click.echo(printable(f"{count} rows of {file} are in the ledger"), err=True)
