"""`--record` of check and verify: what the run found goes into the ledger when it has ended."""

from __future__ import annotations

import os
from collections.abc import Callable

import click

from counterfoil.gate.facts import VersionRef
from counterfoil.ledger.entries import Run
from counterfoil.ledger.names import checked
from counterfoil.ledger.store import open_ledger
from counterfoil.model import Report
from counterfoil.plan import Plan
from counterfoil.printing import printable
from counterfoil.publication import spoken_schemas
from counterfoil.record import Outcomes, contents_of, outcomes_of, probes_of
from counterfoil.recording_shell import numbered, say_if_dirty
from counterfoil.revision import revision_of
from counterfoil.workspace import Workspace


def recorder(workspace: Workspace, plan: Plan, version: str | None, branch: str | None) -> Callable[[Report], None]:
    """What records the report of a plan. Everything that can be refused is refused now, before the run. UsageError."""
    revision = revision_of(workspace.root)
    number = checked(numbered(version, revision), "a version", "--version")
    on = branch or revision.branch
    if on is not None:
        checked(on, "a branch", "--branch" if branch else "git")
    ledger = open_ledger(workspace.root, os.environ)
    ledger.prepare()
    contents = contents_of(workspace, plan)
    schemas = spoken_schemas(workspace, plan.providers)

    def record(report: Report) -> None:
        outcomes = outcomes_of(plan, contents, report)
        with ledger.recording(Run(command="check --record", dirty=revision.dirty)) as into:
            for provider, verifications in outcomes.verifications.items():
                tried = VersionRef(provider, number)
                into.version(tried, branch=on)
                for verification in verifications:
                    into.verification(tried, verification)
                for waiver in outcomes.waivers:
                    into.waiver(tried, waiver)
                if schema := schemas.get(provider):
                    into.schema(tried, schema.image, schema.writes, schema.reads)
            for probe in probes_of(workspace, number, report):
                into.probe(probe)
        say_if_dirty(revision, version)
        _tell(outcomes, number, ledger.shown)

    return record


def _tell(outcomes: Outcomes, number: str, where: str) -> None:
    for provider, verifications in outcomes.verifications.items():
        failed = sum(not one.success for one in verifications)
        counted = f"{len(verifications)} verifications" if len(verifications) != 1 else "1 verification"
        text = f"recorded in {where}: {counted} by {provider} {number}{f', {failed} of them failed' if failed else ''}"
        click.echo(printable(text), err=True)
    for sentence in outcomes.left_out:
        click.echo(printable(f"note: {sentence}"), err=True)
    if not outcomes.verifications:
        click.echo(printable(f"nothing was recorded in {where}"), err=True)
