"""`--record` of check and verify: what the run found goes into the ledger when it has ended."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import click

from counterfoil.commands.recording_shell import numbered, say_if_dirty
from counterfoil.core.printing import printable
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError, nearest
from counterfoil.gate.facts import ProbeFact, VersionRef
from counterfoil.ledger.entries import Run
from counterfoil.ledger.names import checked
from counterfoil.ledger.publication import SpokenSchema, spoken_schemas
from counterfoil.ledger.recording import Recorder
from counterfoil.ledger.run_outcomes import Outcomes, Reading, contents_of, outcomes_of, probes_of, readings_of
from counterfoil.ledger.store import open_ledger
from counterfoil.model import Report
from counterfoil.results.judged_content import stub_contents
from counterfoil.runs.plan import Plan
from counterfoil.system.revision import revision_of

VersionOf = Callable[[str], VersionRef]
"""The version of a participant that the run judged."""


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
    schemas, stubs = spoken_schemas(workspace, plan.providers), stub_contents(workspace)

    def record(report: Report) -> None:
        found = Found(
            outcomes_of(plan, contents, report),
            probes_of(workspace, at, report, stubs),
            readings_of(workspace, plan, contents, report),
            schemas,
        )
        with ledger.recording(Run(command="check --record", dirty=revision.dirty)) as into:
            for provider in found.outcomes.verifications:
                into.version(at(provider), branch=None if provider in elsewhere else on)
            found.write(into, at)
        say_if_dirty(revision, version)
        found.tell(at, ledger.shown)

    return record


@dataclass(frozen=True, slots=True)
class Found:
    """What a run found that goes into the ledger."""

    outcomes: Outcomes
    probes: Sequence[ProbeFact]
    readings: Sequence[Reading]
    schemas: Mapping[str, SpokenSchema]

    def write(self, into: Recorder, at: VersionOf) -> None:
        """Record it, each participant being at the version that `at` says."""
        for provider, verifications in self.outcomes.verifications.items():
            tried = at(provider)
            for verification in verifications:
                into.verification(tried, verification)
            for waiver in self.outcomes.waivers:
                into.waiver(tried, waiver)
            if schema := self.schemas.get(provider):
                into.schema(tried, schema.image, schema.writes, schema.reads)
        for probe in self.probes:
            into.probe(probe)
        for reading in self.readings:
            content = reading.content
            into.reading(content.consumer, content.body, at(reading.reader), reading.flaws)

    def tell(self, at: VersionOf, where: str) -> None:
        """Say on stderr what was recorded where."""
        told = []
        for provider, verifications in self.outcomes.verifications.items():
            failed = sum(not one.success for one in verifications)
            counted = f"{len(verifications)} verifications" if len(verifications) != 1 else "1 verification"
            told.append(f"{counted} by {at(provider)}{f', {failed} of them failed' if failed else ''}")
        told += [
            f"what {at(one.reader)} reads of {one.content.consumer}→{one.content.provider}" for one in self.readings
        ]
        told += [f"what the stubs of {one.pair[0]} and {one.pair[1]} read" for one in self.probes]
        for sentence in told:
            click.echo(printable(f"recorded in {where}: {sentence}"), err=True)
        for sentence in self.outcomes.left_out:
            click.echo(printable(f"note: {sentence}"), err=True)
        if not told:
            click.echo(printable(f"nothing was recorded in {where}"), err=True)


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
