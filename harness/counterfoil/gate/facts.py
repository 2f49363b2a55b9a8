"""What the gate decides on: recorded facts as values, whichever ledger or broker they come from.

`order` is always a number that grows with time within its kind of fact; only the comparison matters. Texts are data:
never SQL, a path or a pattern. Names, numbers and environments are case sensitive.

A verification can be recorded without running it, by the command

    counterfoil record-verification --consumer C --consumer-version V --provider P --provider-version W
                                    --success | --failure [--branch B] [--detail TEXT]

(`--pact FILE` stands for --consumer, --provider and the content). It makes the provider's version exist, puts it on the
branch, and fails with a usage error, changing nothing, where that consumer version has no pact with that provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class VersionRef:
    """One version of one participant; the number is any text."""

    participant: str
    number: str

    def __str__(self) -> str:
        return f"{self.participant} {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantFact:
    """A name that exists, with or without versions."""

    name: str
    main_branch: str | None = None
    """The first branch named develop, main or master that it ever got, or what was set on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentFact:
    """A place where versions are deployed or released."""

    name: str
    production: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A version's branch or tag; `order` is that of the *first* time that the version got it."""

    name: str
    order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFact:
    """A version exists; `order` is the order of creation, by publish, verification or an explicit create."""

    version: VersionRef
    order: int
    branches: tuple[Membership, ...] = ()
    tags: tuple[Membership, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PactFact:
    """The pact of a consumer's version with a provider; one for each pair, by its content."""

    consumer: VersionRef
    provider: str
    content: str
    """The digest of the content; equal contents of different consumers are not the same."""
    order: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One interaction that did not hold."""

    interaction: str
    detail: str
    """What was expected and what came, for a reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationFact:
    """A provider's version was tried against a pact's content. The one with the highest order counts."""

    consumer: str
    content: str
    provider: VersionRef
    success: bool
    order: int
    when: str = ""
    run: str = ""
    failures: tuple[Failure, ...] = ()


class PresenceKind(StrEnum):
    """How a version came to be live."""

    DEPLOYED = "deployed"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceFact:
    """A version is live *now*: in the one slot of (environment, instance), or as a release, which replaces nothing."""

    version: VersionRef
    environment: str
    kind: PresenceKind
    instance: str | None = None
    order: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFact:
    """The schema that a version speaks, and which messages of it go in and out: full names, or `*` for all."""

    version: VersionRef
    digest: str
    writes: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaBreak:
    """One finding of comparing two schemas in the direction of the data: old = the writer's, new = the reader's."""

    rule: str
    symbol: str
    message: str
    fix: str
    messages: frozenset[str] = frozenset()
    """The full names of the messages whose payloads show it, containing ones too; empty: it concerns every exchange."""
    witness: str | None = None
    """A payload that shows it, as text or as the path of its file."""
    unproven: bool = False
    """The comparison could not judge this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPairFact:
    """Two schemas were compared: does the reader read what the writer writes? No breaks: it does."""

    writer: str
    reader: str
    breaks: tuple[SchemaBreak, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """Two stubs read one payload differently."""

    subject: str
    message: str
    witness: str | None = None
    waived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFact:
    """The stubs of two versions were probed with the same payloads; the one with the highest order counts.

    As a verification, it belongs to contents: versions whose stubs are made from the same share it.
    """

    pair: tuple[VersionRef, VersionRef]
    """Sorted."""
    order: int
    stubs: tuple[str | None, str | None] = (None, None)
    """Digests of what the two stubs are made from; None where that is not known."""
    divergences: tuple[Divergence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingFlaw:
    """A payload that a contract allows, and that its reader rejects or takes for another; or that nobody judged."""

    subject: str
    message: str
    payload: str | None = None
    unproven: bool = False
    """What the reader makes of it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingFact:
    """One version read whatever a content lets the other side send it. The one with the highest order counts.

    Flaws that were waived are left out. A reader is either end of the pact.
    """

    consumer: str
    content: str
    reader: VersionRef
    order: int = 0
    flaws: tuple[ReadingFlaw, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that bears on a question. More facts than these never change an answer; fewer may.

    Let S be the participants that the question names, and C their counterparts: the providers of any pact of S, and the
    consumers that ever published a pact with one of S as provider. A version is *in play* when a selector of the
    question picks it, or when it is of a participant in S or C and live in an environment that the question names, or
    what the destination picks: the head of its main branch, the newest of all, or the newest with the tag. Of one in C
    of which nothing else is in play, and of each in S, the newest version is too: a reader is told of it. Then:

    - `participants`: S and C, as far as they exist, and the ignored ones.
    - `environments`: those that the question names.
    - `versions`: those in play, those to ignore as far as they exist, and each that another fact here names; with their
      branches and tags, and the main branches of participants, if the question asks for any.
    - `integrations`: (consumer, provider) of every pact ever published, with either of S.
    - `pacts`: of the versions in play, those of S whatever the provider, and those of others with S.
    - `verifications`: of the contents of those pacts, the last for each provider version in play; and where these do
      not all honour the content, the last of the content by whichever version.
    - `presences`: live now, of S and C, in the environments that the question names; and of whoever `schemas` adds.
    - `schemas`: of the versions in play; and since schemas need no pact, of the versions live in the destination's
      environment whose participants ever named a message that one of S names. `schema_pairs`: for the digests in
      `schemas`.
    - `probed`: the versions in play whose stubs were ever probed, with whomever, each with the content that its stub
      had the last time. `probes`: the last between each two of these versions, and between each two of these contents.
    - `readings`: by versions in play, the last of each content.
    - Only for a question of one selector with nothing inferred, which picks one version or names a participant alone:
      the verifications of these versions' pacts by every provider version, every verification by them as provider, and
      all pacts with these contents, of whichever consumer version.
    """

    participants: tuple[ParticipantFact, ...] = ()
    environments: tuple[EnvironmentFact, ...] = ()
    versions: tuple[VersionFact, ...] = ()
    integrations: frozenset[tuple[str, str]] = frozenset()
    pacts: tuple[PactFact, ...] = ()
    verifications: tuple[VerificationFact, ...] = ()
    presences: tuple[PresenceFact, ...] = ()
    schemas: tuple[SchemaFact, ...] = ()
    schema_pairs: tuple[SchemaPairFact, ...] = ()
    probes: tuple[ProbeFact, ...] = ()
    probed: Mapping[VersionRef, str | None] = field(default_factory=dict)
    readings: tuple[ReadingFact, ...] = ()
