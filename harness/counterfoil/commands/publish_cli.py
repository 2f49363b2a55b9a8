"""The commands that record what a version is: `publish`, and `record-verification`, a result from elsewhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import click

from counterfoil.broker.broker_address import find_broker
from counterfoil.commands.command_examples import examples
from counterfoil.commands.recording_shell import (
    PARTICIPANT,
    VERSION,
    Name,
    numbered,
    record,
    say,
    say_if_dirty,
    workspace_or_none,
)
from counterfoil.commands.shell import output_option
from counterfoil.core.pact_content import PactContent
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError, nearest
from counterfoil.gate import commands
from counterfoil.gate.facts import VersionRef
from counterfoil.ledger.entries import Run, Verification
from counterfoil.ledger.names import checked
from counterfoil.ledger.publication import SpokenSchema, pact_contents, spoken_schemas
from counterfoil.ledger.recording import Recorder
from counterfoil.project.pact_places import pact_places
from counterfoil.system.revision import revision_of

SECRET = re.compile(r"token|secret|passw|pwd|key|signature|\bsig\b|auth|credential|session", re.IGNORECASE)
"""Names of parameters that carry one."""


class BuildUrl(Name):
    """A URL without a secret: the ledger keeps it for good, and shows it to all who read it."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The URL, unchanged. Raises UsageError, which does not repeat it."""
        flaw = _secret_in(str(value))
        if flaw:
            raise UsageError(
                "the URL of --build-url holds a secret, and nothing is ever removed from a ledger",
                where="--build-url",
                why=flaw,
                fix="leave that part out",
            )
        return super().convert(value, param, ctx)


def _secret_in(text: str) -> str | None:
    """What looks like a secret in a URL, without it."""
    try:
        url = urlsplit(text)
    except ValueError:
        return "it is no URL, so what in it is secret cannot be told"
    if "@" in url.netloc:
        return "it names a user or a password before the host"
    keys = [key for part in (url.query, url.fragment) for key, _ in parse_qsl(part, keep_blank_values=True)]
    named = next((key for key in keys if SECRET.search(key)), None)
    return f"'{named}' looks like the name of a secret" if named else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What is published, all under one version number."""

    participants: tuple[str, ...]
    number: str
    branch: str | None
    tags: tuple[str, ...]
    pacts: tuple[PactContent, ...]
    schemas: dict[str, SpokenSchema]

    @property
    def versions(self) -> list[VersionRef]:
        """A version for each participant."""
        return [VersionRef(name, self.number) for name in self.participants]


@examples("counterfoil publish -e 1.4.0 --branch main", "counterfoil publish pacts/web-orders.json -a web -e 1.4.0")
@click.command()
@click.argument("pacts", nargs=-1, type=click.Path(path_type=Path))
@click.option("-a", "--pacticipant", type=PARTICIPANT, help="Only this consumer's pacts; it need not have any.")
@click.option(
    "-e", "--version", "--consumer-app-version", "version", type=VERSION, help="The version; by default git's commit."
)
@click.option("--branch", type=Name("a branch"), help="The branch of the version; by default git's.")
@click.option("-t", "--tag", "tags", multiple=True, type=Name("a tag"), help="A tag for the version; repeatable.")
@click.option("--build-url", type=BuildUrl("a URL"), help="Where the run can be looked at.")
@output_option
@click.pass_obj
def publish(  # noqa: PLR0913  (one for each option)
    config: Path | None,
    *,
    pacts: tuple[Path, ...],
    pacticipant: str | None,
    version: str | None,
    branch: str | None,
    tags: tuple[str, ...],
    build_url: str | None,
    output: str,
) -> None:
    """Record pacts of a version, and the schema that it speaks.

    PACTS are files, or folders of them; by default those of the workspace. What a version has published stays: other
    content under the same version is refused.
    """
    workspace = workspace_or_none(config)
    root = workspace.root if workspace else Path.cwd()
    revision = revision_of(root)
    contents = _contents(workspace, root, pacts, pacticipant)
    participants = tuple(dict.fromkeys([pacticipant] if pacticipant else [one.consumer for one in contents]))
    publication = Publication(
        participants=participants,
        number=numbered(version, revision),
        branch=branch or (checked(revision.branch, "a branch", "git") if revision.branch else None),
        tags=tags,
        pacts=contents,
        schemas=spoken_schemas(workspace, participants) if workspace else {},
    )
    run = Run(command="publish", build_url=build_url, dirty=revision.dirty)
    sent_to = _send(publication)
    fresh = record(config, run, lambda recorder: _publish(recorder, publication))
    say_if_dirty(revision, version)
    _tell(publication, fresh, output, sent_to)


def _send(publication: Publication) -> str | None:
    """Send the pacts, or the version that has none, to the Pact Broker that the environment names; its address.

    It comes first: what the Broker refuses is not recorded either. Publishing again mends a failure in between.
    """
    address = find_broker(os.environ)
    if address is None:
        return None
    from counterfoil.broker.broker_client import BrokerClient  # noqa: PLC0415  (loads what only few need)

    client, consumers = BrokerClient(address), {pact.consumer for pact in publication.pacts}
    client.publish(publication.pacts, publication.number, publication.branch, publication.tags)
    for version in publication.versions:
        if version.participant not in consumers:
            client.make_version(version, publication.branch, publication.tags)
    return address.url


def _contents(
    workspace: Workspace | None, root: Path, named: tuple[Path, ...], pacticipant: str | None
) -> tuple[PactContent, ...]:
    """The contents to publish. Raises UsageError where there is nothing."""
    places = named or tuple(pact_places(workspace) if workspace else ())
    found = tuple(pact_contents(root, places))
    contents = tuple(one for one in found if pacticipant in {None, one.consumer})
    if named and pacticipant is not None and not contents:
        raise UsageError(
            f"none of the {len(found)} pacts there is {pacticipant}'s",
            where=", ".join(map(str, named)),
            why=nearest(pacticipant, {one.consumer for one in found}) if found else "there is no pact file",
            fix="correct -a or the path; to record a version without pacts, name no path",
        )
    if not contents and pacticipant is None:
        raise UsageError(
            "there is no pact to publish",
            where=", ".join(map(str, places)),
            fix="name pact files or folders; or a participant, to record a version without pacts: -a NAME",
        )
    return contents


def _publish(recorder: Recorder, publication: Publication) -> list[PactContent]:
    """Record a publication; the contents that were new."""
    for version in publication.versions:
        recorder.version(version, branch=publication.branch, tags=publication.tags)
    fresh = [content for content in publication.pacts if recorder.pact(publication.number, content)]
    for version in publication.versions:
        if schema := publication.schemas.get(version.participant):
            recorder.schema(version, schema.image, schema.writes, schema.reads)
    return fresh


def _tell(publication: Publication, fresh: Iterable[PactContent], output: str, sent_to: str | None) -> None:
    number, branch, known = publication.number, publication.branch, {one.digest for one in publication.pacts}
    known -= {one.digest for one in fresh}
    lines = [f"{one} is in the ledger{f', on branch {branch}' if branch else ''}" for one in publication.versions]
    lines += [
        f"{one.consumer} {number} has a pact with {one.provider}: {one.digest}"
        f"{' (known already)' if one.digest in known else ''}"
        for one in publication.pacts
    ]
    if sent_to and publication.pacts:
        lines.append(f"the Pact Broker at {sent_to} has them too")
    say(
        output,
        "\n".join(lines),
        version=number,
        branch=branch,
        tags=list(publication.tags),
        participants=list(publication.participants),
        pacts=[
            {"consumer": one.consumer, "provider": one.provider, "content": one.digest} for one in publication.pacts
        ],
        schemas=sorted(publication.schemas),
        pact_broker=sent_to,
    )


@examples(
    "counterfoil record-verification --consumer web --consumer-version 9 --provider api --provider-version 2 --success",
)
@click.command("record-verification")
@click.option("--consumer", required=True, type=PARTICIPANT, help="The consumer's name.")
@click.option("--consumer-version", required=True, type=VERSION, help="The version whose pact was verified.")
@click.option("--provider", required=True, type=PARTICIPANT, help="The provider's name.")
@click.option("--provider-version", required=True, type=VERSION, help="The version that was tried.")
@click.option("--success/--failure", "success", required=True, help="How it went.")
@click.option("--branch", type=Name("a branch"), help="The branch of the provider's version.")
@click.option("--detail", default="", help="What did not hold.")
@output_option
@click.pass_obj
def record_verification(  # noqa: PLR0913  (one for each option)
    config: Path | None,
    *,
    consumer: str,
    consumer_version: str,
    provider: str,
    provider_version: str,
    success: bool,
    branch: str | None,
    detail: str,
    output: str,
) -> None:
    """Record a verification that was run elsewhere; `verify --record` records its own."""
    tried, published = VersionRef(provider, provider_version), VersionRef(consumer, consumer_version)

    def work(recorder: Recorder) -> str:
        body = recorder.pact_body(published, provider)
        if body is None:
            raise UsageError(
                f"{published} has no pact with {provider} in the ledger, so there is nothing that was verified",
                fix=f"publish it first: {commands.publish(published)}",
            )
        recorder.version(tried, branch=branch)
        return recorder.verification(tried, Verification.whole(consumer, body, success=success, detail=detail))

    digest = record(config, Run(command="record-verification"), work)
    text = f"{tried} {'verified' if success else 'failed'} the pact of {published}: {digest}"
    say(output, text, consumer=consumer, provider=provider, provider_version=provider_version, success=success)
