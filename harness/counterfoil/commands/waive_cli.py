"""The command `waive`."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from pathlib import Path

import click

from counterfoil.commands import explanations
from counterfoil.commands.command_examples import examples
from counterfoil.commands.shell import open_workspace
from counterfoil.compat import replayable
from counterfoil.compat.composing import digest_of_all
from counterfoil.compat.table import RULES
from counterfoil.core.command_lines import command_line
from counterfoil.core.rules import LEVELS
from counterfoil.core.workspace import BREAKING_WITNESSES, Workspace
from counterfoil.errors import UsageError, nearest_of_many
from counterfoil.model import Waiver
from counterfoil.probe.witness import digest
from counterfoil.project.waiver_file import append_waiver
from counterfoil.project.witness_files import read_witness, saved_changes
from counterfoil.runs.waivers import DIVERGENCE, FILE, check_rule, pattern_of

FINDING = re.compile(r"(?P<rule>[A-Z][A-Z0-9_]*)(::|\s+)(?P<subject>\S.*)", re.DOTALL)


class Day(click.ParamType[dt.date]):
    """A date, written 2027-01-31."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        """The date."""
        try:
            return dt.date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"'{value}' is no date; for example 2027-01-31", param, ctx)


@examples(
    'counterfoil waive "STATE_MISREAD::web→orders::*" --owner team-web --reason "mended in 2.0" --expires 2027-01-31',
)
@click.command()
@click.argument("finding")
@click.option("--owner", required=True, help="Who accepts it, such as a team.")
@click.option("--reason", required=True, help="Why it is accepted for now.")
@click.option("--expires", type=Day(), help="The last day on which it is; may be left out for DIVERGENCE alone.")
@click.option("--link", help="Where more is said.")
@click.pass_obj
def waive(
    config: Path | None, *, finding: str, owner: str, reason: str, expires: dt.date | None, link: str | None
) -> None:
    """Accept a finding for now: write it to contracts/waivers.toml.

    FINDING is RULE::SUBJECT, the line of a report that names both, or the file of a witness.
    """
    workspace = open_workspace(config)
    rule, subject, witness = _named(finding)
    check_rule(rule, "FINDING")
    _check_known(rule)
    witness = witness or _saved(workspace, rule, subject)
    today = dt.datetime.now(tz=dt.UTC).date()
    if expires is not None and expires < today:
        raise UsageError(
            f"the waiver would have expired on {expires}",
            where="--expires",
            why=f"today is {today} (UTC), and a waiver holds until the end of its day",
            fix=f"name a later day, {today} or after",
        )
    if expires is None and rule != DIVERGENCE:
        raise UsageError(
            f"a waiver of {rule} needs a date on which it expires",
            why=f"only one of {DIVERGENCE} may hold for ever",
            fix="add for example: --expires 2027-01-31",
        )
    waiver = Waiver(
        rule=rule,
        subject=pattern_of(subject),
        owner=owner,
        reason=reason,
        link=link,
        expires=expires,
        witness=witness,
    )
    append_waiver(workspace, waiver)
    bound = f", as long as {witness} shows it" if witness else ""
    click.echo(f"waived in {FILE}: {rule}::{subject}{bound}", err=True)


def _saved(workspace: Workspace, rule: str, subject: str) -> str | None:
    """The digest of the witnesses of a change of the schema, as far as they are saved."""
    saved = saved_changes(workspace, rule, subject)
    effects = Counter((one.direction, one.encoding) for one in saved.values())
    if any(number > 1 for number in effects.values()):
        raise UsageError(
            f"there are several witnesses of {rule}::{subject}, which show the same",
            where=BREAKING_WITNESSES,
            why="some may be of an earlier state of the schema, and a waiver holds as long as its witness shows it",
            fix=f"remove those that are outdated, or name one: {command_line('waive', next(iter(saved)))} ...",
        )
    return digest_of_all(saved.values())


def _check_known(rule: str) -> None:
    """Raise UsageError for a rule that no finding has."""
    known = {*LEVELS, *RULES, *explanations.of_buf()}
    if rule not in known:
        raise UsageError(
            f"no rule is called '{rule}'",
            where="FINDING",
            why=nearest_of_many(rule, known),
            fix="copy it from a report, or see them all: counterfoil explain",
        )


def _named(finding: str) -> tuple[str, str, str | None]:
    """Rule and subject of what is to be waived, and the digest of its witness where that is known."""
    match = FINDING.fullmatch(finding.strip())
    if match:
        return match["rule"], match["subject"], None
    path = Path(finding)
    if path.is_file():
        data = path.read_bytes()
        if replayable.is_one(data):
            change = replayable.read(data, str(path))
            return change.rule, change.subject, change.digest
        witness = read_witness(path)
        return DIVERGENCE, witness.divergence.signature, digest(witness.message, witness.payload)
    raise UsageError(
        f"'{finding}' is neither a finding nor a file",
        why="a finding is written RULE::SUBJECT",
        fix="copy it from a report, or name the file of its witness",
    )
