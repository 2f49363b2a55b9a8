"""What is recorded, as values."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

from counterfoil.core.pact_content import digest_of


def now() -> str:
    """The time as the ledger writes it: UTC, to the microsecond, for example `2027-01-31T12:00:00.000000Z`."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a command that records; every row of the ledger names one."""

    command: str
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    at: str = field(default_factory=now)
    build_url: str | None = None
    dirty: bool = False
    """Whether the working tree had changes that its commit does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A place where versions are deployed or released."""

    name: str
    display_name: str
    production: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionResult:
    """What became of one interaction of a pact; `digest` is that of the interaction's content."""

    digest: str
    description: str
    success: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A provider's version was tried against a content. It succeeded when all interactions did."""

    consumer: str
    content: bytes
    success: bool
    results: tuple[InteractionResult, ...] = ()

    @classmethod
    def whole(cls, consumer: str, content: bytes, *, success: bool, detail: str = "") -> Verification:
        """One of which only the outcome is known; a detail is told as that of an interaction without a name."""
        results = (InteractionResult(digest=digest_of(content), description="", success=success, detail=detail),)
        return cls(consumer=consumer, content=content, success=success, results=results if detail else ())


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverInForce:
    """A waiver that held when a version was judged; dates are ISO 8601."""

    rule: str
    subject: str
    owner: str
    reason: str
    link: str | None = None
    expires: str | None = None
    witness: str | None = None
