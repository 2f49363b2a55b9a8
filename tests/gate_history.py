"""A history in memory, recorded call by call as a ledger would, and given to the gate as facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from counterfoil.gate.facts import (
    EnvironmentFact,
    Facts,
    Failure,
    Membership,
    PactFact,
    ParticipantFact,
    PresenceFact,
    PresenceKind,
    ProbeFact,
    SchemaFact,
    SchemaPairFact,
    VerificationFact,
    VersionFact,
    VersionRef,
)
from counterfoil.gate.question import Destination, Ignored, LatestBy, Question, Selector

MAIN_BRANCHES = {"develop", "main", "master"}
PRODUCTION = "production"


def ref(text: str) -> VersionRef:
    """`shop@1` as a version."""
    participant, _, number = text.partition("@")
    return VersionRef(participant, number)


@dataclass(slots=True)
class History:
    """Methods take versions as `name@number`. Whatever is recorded later has the higher order."""

    clock: int = 0
    main_branches: dict[str, str | None] = field(default_factory=dict)
    versions: dict[VersionRef, int] = field(default_factory=dict)
    branches: dict[tuple[VersionRef, str], int] = field(default_factory=dict)
    tags: dict[tuple[VersionRef, str], int] = field(default_factory=dict)
    pacts: dict[tuple[VersionRef, str], str] = field(default_factory=dict)
    verifications: list[VerificationFact] = field(default_factory=list)
    deployed: dict[tuple[str, str, str | None], VersionRef] = field(default_factory=dict)
    released: dict[tuple[VersionRef, str], None] = field(default_factory=dict)
    schemas: list[SchemaFact] = field(default_factory=list)
    schema_pairs: list[SchemaPairFact] = field(default_factory=list)
    probes: list[ProbeFact] = field(default_factory=list)

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    def version(self, text: str, *, branch: str | None = None, tag: str | None = None) -> VersionRef:
        """Make a version exist, and put it on a branch."""
        version = ref(text)
        self.main_branches.setdefault(version.participant, None)
        self.versions.setdefault(version, self.tick())
        if branch is not None:
            self.branches.setdefault((version, branch), self.tick())
            if branch in MAIN_BRANCHES and self.main_branches[version.participant] is None:
                self.main_branches[version.participant] = branch
        if tag is not None:
            self.tags.setdefault((version, tag), self.tick())
        return version

    def publish(self, consumer: str, provider: str, content: str, *, branch: str | None = None) -> bool:
        """Whether it was taken: other content for the same version and provider is not."""
        if self.pacts.get((ref(consumer), provider), content) != content:
            return False
        version = self.version(consumer, branch=branch)
        self.main_branches.setdefault(provider, None)
        self.pacts[version, provider] = content
        return True

    def verify(
        self, consumer: str, provider: str, *, success: bool = True, failures: Sequence[Failure] = ()
    ) -> VerificationFact:
        """A result of the provider's version for the content of the consumer version's pact."""
        name = ref(provider).participant
        content = self.pacts[ref(consumer), name]
        fact = VerificationFact(
            consumer=ref(consumer).participant,
            content=content,
            provider=self.version(provider),
            success=success,
            order=self.tick(),
            failures=tuple(failures),
        )
        self.verifications.append(fact)
        return fact

    def deploy(self, text: str, *, environment: str = PRODUCTION, instance: str | None = None) -> None:
        version = ref(text)
        assert version in self.versions
        self.deployed[version.participant, environment, instance] = version

    def undeploy(self, participant: str, *, environment: str = PRODUCTION, instance: str | None = None) -> None:
        self.deployed.pop((participant, environment, instance), None)

    def release(self, text: str, *, environment: str = PRODUCTION) -> None:
        assert ref(text) in self.versions
        self.released[ref(text), environment] = None

    def end_support(self, text: str, *, environment: str = PRODUCTION) -> None:
        self.released.pop((ref(text), environment), None)

    def schema(self, text: str, digest: str, *, writes: Iterable[str] = (), reads: Iterable[str] = ()) -> None:
        version = self.version(text)
        self.schemas.append(
            SchemaFact(version=version, digest=digest, writes=frozenset(writes), reads=frozenset(reads))
        )

    def facts(self) -> Facts:
        """Everything, which is more than a question needs."""
        presences = [
            PresenceFact(version=version, environment=environment, kind=PresenceKind.DEPLOYED, instance=instance)
            for (_, environment, instance), version in self.deployed.items()
        ]
        presences += [
            PresenceFact(version=version, environment=environment, kind=PresenceKind.RELEASED)
            for version, environment in self.released
        ]
        return Facts(
            participants=tuple(ParticipantFact(name=name, main_branch=b) for name, b in self.main_branches.items()),
            environments=(EnvironmentFact(name=PRODUCTION, production=True), EnvironmentFact(name="staging")),
            versions=tuple(self._version_fact(version) for version in self.versions),
            integrations=frozenset((version.participant, provider) for version, provider in self.pacts),
            pacts=tuple(
                PactFact(consumer=version, provider=provider, content=content)
                for (version, provider), content in self.pacts.items()
            ),
            verifications=tuple(self.verifications),
            presences=tuple(presences),
            schemas=tuple(self.schemas),
            schema_pairs=tuple(self.schema_pairs),
            probes=tuple(self.probes),
        )

    def _version_fact(self, version: VersionRef) -> VersionFact:
        return VersionFact(
            version=version,
            order=self.versions[version],
            branches=tuple(
                Membership(name=name, order=o) for (one, name), o in self.branches.items() if one == version
            ),
            tags=tuple(Membership(name=name, order=o) for (one, name), o in self.tags.items() if one == version),
        )


def question(
    *versions: str | Selector,
    to: str | Destination | None = PRODUCTION,
    ignore: Iterable[str] = (),
    latest_by: LatestBy = LatestBy.CVPV,
    instance: str | None = None,
) -> Question:
    """Versions as `name@number`, or selectors; `to` names an environment unless it is a destination."""
    return Question(
        selectors=tuple(
            one if isinstance(one, Selector) else Selector(participant=ref(one).participant, number=ref(one).number)
            for one in versions
        ),
        destination=Destination(environment=to) if isinstance(to, str) else to,
        ignored=tuple(Ignored(participant=ref(one).participant, number=ref(one).number or None) for one in ignore),
        latest_by=latest_by,
        instance=instance,
    )
