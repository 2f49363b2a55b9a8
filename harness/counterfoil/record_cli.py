"""`--record` of check and verify: what the run found goes into the ledger when it has ended."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import click

from counterfoil.errors import UsageError, nearest
from counterfoil.gate.facts import VersionRef
from counterfoil.ledger.entries import Run
from counterfoil.ledger.names import checked
from counterfoil.ledger.store import open_ledger
from counterfoil.model import Report
from counterfoil.plan import Plan
from counterfoil.printing import printable
from counterfoil.publication import spoken_schemas
from counterfoil.record import Outcomes, contents_of, outcomes_of, probes_of, readings_of
from counterfoil.recording_shell import numbered, say_if_dirty
from counterfoil.revision import revision_of
from counterfoil.workspace import Workspace


def recorder(
    workspace: Workspace, plan: Plan, version: str | None, branch: str | None, others: Iterable[str] = ()
) -> Callable[[Report], None]:
    """What records the report of a plan. Everything that can be refused is refused now, before the run. UsageError.

    `others` are of the form NAME=VERSION: participants that are here at another version than the one that is judged.
    """
    revision = revision_of(workspace.root)
    number = checked(numbered(version, revision), "a version", "--version")
    elsewhere = _versions(workspace, others)

    def at(participant: str) -> VersionRef:
        return VersionRef(participant, elsewhere.get(participant, number))

    on = branch or revision.branch
    if on is not None:
        checked(on, "a branch", "--branch" if branch else "git")
    ledger = open_ledger(workspace.root, os.environ)
    ledger.prepare()
    contents = contents_of(workspace, plan)
    schemas = spoken_schemas(workspace, plan.providers)

    def record(report: Report) -> None:
        outcomes, probes = outcomes_of(plan, contents, report), probes_of(workspace, at, report)
        readings = readings_of(workspace, plan, contents, report)
        with ledger.recording(Run(command="check --record", dirty=revision.dirty)) as into:
            for provider, verifications in outcomes.verifications.items():
                tried = at(provider)
                into.version(tried, branch=None if provider in elsewhere else on)
                for verification in verifications:
                    into.verification(tried, verification)
                for waiver in outcomes.waivers:
                    into.waiver(tried, waiver)
                if schema := schemas.get(provider):
                    into.schema(tried, schema.image, schema.writes, schema.reads)
            for probe in probes:
                into.probe(probe)
            for reading in readings:
                content = reading.content
                into.reading(content.consumer, content.body, at(reading.reader), reading.flaws)
        say_if_dirty(revision, version)
        others_told = [
            f"what {at(one.reader)} reads of {one.content.consumer}→{one.content.provider}" for one in readings
        ]
        others_told += [f"what the stubs of {one.pair[0]} and {one.pair[1]} read" for one in probes]
        _tell(outcomes, at, others_told, ledger.shown)

    return record


def _versions(workspace: Workspace, others: Iterable[str]) -> dict[str, str]:
    """Participant -> version, from NAME=VERSION. Raises UsageError."""
    found = {}
    for other in others:
        name, _, number = other.partition("=")
        if name not in workspace.settings.participants:
            raise UsageError(
                f"no participant '{name}' is here" if number else f"'{other}' names no version",
                where="--at",
                why=nearest(name, workspace.settings.participants),
                fix="name a participant of counterfoil.toml and its version: --at NAME=VERSION",
            )
        found[name] = checked(number, "a version", "--at")
    return found


def _tell(outcomes: Outcomes, at: Callable[[str], VersionRef], others: Iterable[str], where: str) -> None:
    for provider, verifications in outcomes.verifications.items():
        failed = sum(not one.success for one in verifications)
        counted = f"{len(verifications)} verifications" if len(verifications) != 1 else "1 verification"
        text = f"recorded in {where}: {counted} by {at(provider)}{f', {failed} of them failed' if failed else ''}"
        click.echo(printable(text), err=True)
    others = list(others)
    for other in others:
        click.echo(printable(f"recorded in {where}: {other}"), err=True)
    for sentence in outcomes.left_out:
        click.echo(printable(f"note: {sentence}"), err=True)
    if not outcomes.verifications and not others:
        click.echo(printable(f"nothing was recorded in {where}"), err=True)
