"""What is asked of the gate: which versions, against what, leaving out whom. Pact's selectors as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LatestBy(StrEnum):
    """How rows of the matrix are collapsed; the names are the Pact Broker's."""

    CVPV = "cvpv"
    """One row for each consumer version and provider version: the last verification counts."""
    CVP = "cvp"
    """One row for each consumer version and provider: the provider version created last counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Versions of one participant. Without any restriction: every version of it.

    `number` stands alone. The others restrict: `latest` takes the newest of what `branch`, `main_branch` or `tag`
    leaves.
    """

    participant: str
    number: str | None = None
    branch: str | None = None
    tag: str | None = None
    environment: str | None = None
    main_branch: bool = False
    latest: bool = False

    @property
    def all_versions(self) -> bool:
        """Whether the participant's name is all that was given."""
        given = (self.number, self.branch, self.tag, self.environment, self.main_branch or None, self.latest or None)
        return all(one is None for one in given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Which versions of the other participants count: exactly one of the four."""

    environment: str | None = None
    """All versions live in the environment."""
    tag: str | None = None
    """The newest version with the tag."""
    main_branch: bool = False
    """The head of each participant's main branch."""
    latest: bool = False
    """The newest version of each participant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A participant, or one version of it, that does not count."""

    participant: str
    number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May the selected versions go to the destination? Without one: do the selected versions fit each other?"""

    selectors: tuple[Selector, ...]
    destination: Destination | None = None
    ignored: tuple[Ignored, ...] = ()
    latest_by: LatestBy = LatestBy.CVPV
    instance: str | None = None
    """The slot of the environment that the selected versions will replace; a Broker does not ask for it."""

    @property
    def environment(self) -> str | None:
        """Where the versions would go."""
        return self.destination.environment if self.destination else None

    @property
    def specified(self) -> frozenset[str]:
        """The names of the participants that the asker named."""
        return frozenset(selector.participant for selector in self.selectors)
