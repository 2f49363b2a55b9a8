"""The words of the project as values: verdicts, levels, cases, findings. Imports nothing of ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Verdict(StrEnum):
    """What is known after judging. Green means proven: what could not be judged is `unproven`, never `compatible`."""

    COMPATIBLE = "compatible"
    UNPROVEN = "unproven"
    BROKEN = "broken"

    @property
    def exit_code(self) -> int:
        """The process exit code; 2 is kept for usage errors, where nothing was judged."""
        return {Verdict.COMPATIBLE: 0, Verdict.BROKEN: 1, Verdict.UNPROVEN: 3}[self]


USAGE_EXIT_CODE = 2
INTERRUPTED_EXIT_CODE = 130


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """`broken` beats `unproven` beats `compatible`; no verdict at all is `unproven`, since nothing was judged."""
    order = list(Verdict)
    return max(verdicts, key=order.index, default=Verdict.UNPROVEN)


class Level(StrEnum):
    """How much a finding matters, strongest first."""

    BEHAVIOUR = "behaviour"
    """A real participant answers or decodes something else than the contract says."""
    POLICY = "policy"
    """No single payload shows it, but a caller breaks or a promise is withdrawn."""
    UNPROVEN = "unproven"
    """Something that had to be judged could not be."""
    SOURCE = "source"
    """Only generated code changes."""
    ADDITIVE = "additive"
    """Normal evolution that an old strict reader could refuse."""

    @property
    def verdict(self) -> Verdict:
        """What one finding of this level makes of the run."""
        if self in {Level.BEHAVIOUR, Level.POLICY}:
            return Verdict.BROKEN
        return Verdict.UNPROVEN if self is Level.UNPROVEN else Verdict.COMPATIBLE


class Lane(StrEnum):
    """A kind of judgement; lanes that do not depend on one another run side by side."""

    BUILD = "build"
    """The participants' build commands; a command of its own, and no part of a check."""
    CONSUME = "consume"
    """The participants' consumer tests; likewise."""
    PACTS = "pacts"
    VERIFY = "verify"
    SCHEMA = "schema"
    NULLS = "nulls"
    """What the pacts allow to be sent, given to the decoders that have to read it."""
    PROBE = "probe"
    """Payloads through the stubs of several languages."""
    STUB = "stub"
    """One stub against the rules of its protocol; a command of its own."""


CHECKED_LANES = (Lane.PACTS, Lane.VERIFY, Lane.SCHEMA, Lane.NULLS, Lane.PROBE)
"""What a check judges."""
LINT = "lint"
BREAKING = "breaking"
"""The cases of the schema lane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place in a file of the workspace; `path` is relative to it, `line` counts from 1."""

    path: str
    line: int | None = None

    def __str__(self) -> str:
        return self.path if self.line is None else f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One difference between what a contract says and what came. `path` is a JSON path, a header name or "status"."""

    path: str
    expected: str
    actual: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The last lines that a process printed, for a reader who has to find out why it failed."""

    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """What changed between two schemas."""

    old: str | None
    new: str | None
    old_location: Location | None
    new_location: Location | None
    effects: tuple[tuple[str, str], ...]
    """(direction, encoding) in which a payload was read differently, such as ("backward", "json")."""
    not_shown: tuple[tuple[str, str], ...] = ()
    """Where the rule expects it too, but no runtime showed it."""
    also: tuple[str, ...] = ()
    """The rules of buf that report the same."""
    participants: tuple[str, ...] = ()
    """Who reads or writes the element, as the participants declare it."""
    pacts: tuple[str, ...] = ()
    """The pacts that mention the element by its JSON name."""


SILENT = "says nothing: "
"""Before the reason, what a runtime read that cannot be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeReading:
    """What one runtime made of a payload with the writer's and with the reader's schema."""

    stub: str
    runtime: str
    breaks: bool
    wrote: str
    read: str

    @property
    def why_silent(self) -> str:
        """Why it says nothing of the payload, such as an encoding that it does not support; empty where it does."""
        return self.read.removeprefix(SILENT) if self.read.startswith(SILENT) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadWitness:
    """A payload that a program with one schema writes, and what programs with the other make of it."""

    path: str
    """The file that replays; empty where none was written."""
    digest: str
    """Of the message, direction, encoding and bytes."""
    direction: str
    encoding: str
    message: str
    readable: str
    base64: str
    runtimes: tuple[RuntimeReading, ...]


Evidence = Mismatch | Output | SchemaChange | PayloadWitness


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """Findings that are accepted for now: those of a rule whose subject matches a pattern."""

    rule: str
    subject: str
    """A pattern as `fnmatch` knows them: `*`, `?` and `[...]`."""
    owner: str
    reason: str
    link: str | None = None
    expires: date | None = None
    """The last day on which it holds."""
    witness: str | None = None
    """The digest of the witness that it was granted for; None: whatever the witness."""
    location: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as it should be. Its identity is (rule, subject)."""

    rule: str
    subject: str
    level: Level
    message: str
    fix: str
    location: Location | None = None
    evidence: tuple[Evidence, ...] = ()
    witness: str | None = None
    """The digest of the payload that shows it, such as `sha256:...`; None where there is none."""
    waived: Waiver | None = None
    """The waiver under which it is accepted for now."""
    fails: bool | None = None
    """Whether it counts against the run; None: as its level says."""
    since: str = ""
    """The baseline from which the schema differs so, where a run compares with several; the message names it too."""

    @property
    def identity(self) -> tuple[str, str]:
        """The pair under which a finding is recognised from run to run."""
        return (self.rule, self.subject)

    @property
    def verdict(self) -> Verdict:
        """What it makes of the run: nothing, once it is waived."""
        if self.waived:
            return Verdict.COMPATIBLE
        if self.fails is None or self.level is Level.UNPROVEN:
            return self.level.verdict
        return Verdict.BROKEN if self.fails else Verdict.COMPATIBLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The smallest thing that is judged on its own: one interaction, one pact file, one comparison of schemas."""

    lane: Lane
    subject: str
    name: str
    participants: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """For example `verify::storefront→recommender::a recommendation without a discount`."""
        return f"{self.lane}::{self.subject}::{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSeen:
    """A cell of the null matrix: what a participant makes of a field of a contract in a presence state.

    `result` is proven, not read, misread, rejected or unproven; or "sent", where the participant is the provider and
    did send it.
    """

    contract: str
    field: str
    participant: str
    state: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What became of a case. A case without findings that fail is `compatible`."""

    case: Case
    findings: tuple[Finding, ...] = ()
    duration_s: float = 0.0
    note: str = ""
    """How far the judgement went, such as the number of payloads."""
    states: tuple[StateSeen, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings' levels."""
        return worst([Verdict.COMPATIBLE, *(finding.verdict for finding in self.findings)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A longer piece of work, such as `build recommender`; `started_s` counts from the start of the run."""

    label: str
    started_s: float
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Which part of a plan a run judges."""

    index: int
    """From 1."""
    total: int
    plan: str
    """The digest of the whole plan, and of how it was cut."""
    cases: int
    """How many cases the part has."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a run found: the fold of its events."""

    results: tuple[CaseResult, ...] = ()
    findings: tuple[Finding, ...] = field(default=())
    """Findings that belong to no case, such as a filter that matched nothing."""
    steps: tuple[Step, ...] = ()
    """The longer pieces of work, in the order in which they ended."""
    left_out: tuple[Case, ...] = ()
    """Cases that were not judged, since no change can affect them; nothing is known of them."""
    shard: Shard | None = None
    """The part of a plan that this is about; None: the whole."""
    deferred: tuple[Finding, ...] = ()
    """Of a part: what is a finding of the whole where every part has it."""

    @property
    def is_empty_shard(self) -> bool:
        """Whether this is a part of a plan that has fewer groups than it has parts."""
        return self.shard is not None and self.shard.cases == 0 and not self.results

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """The findings of the run and of its cases, each identity once: the waived last, the strongest first.

        Of several baselines each may have one.
        """
        levels = list(Level)

        def rank(finding: Finding) -> tuple[bool, int, str, str]:
            return (finding.waived is not None, levels.index(finding.level), *finding.identity)

        found = [*self.findings, *(finding for result in self.results for finding in result.findings)]
        told: dict[tuple[str, str, str], Finding] = {}
        for finding in sorted(found, key=rank):
            told.setdefault((*finding.identity, finding.since), finding)
        return tuple(told.values())

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """Those that nobody has accepted."""
        return tuple(finding for finding in self.all_findings if finding.waived is None)

    @property
    def waived_findings(self) -> tuple[Finding, ...]:
        """Those that a waiver accepts for now."""
        return tuple(finding for finding in self.all_findings if finding.waived is not None)

    @property
    def verdict(self) -> Verdict:
        """The worst of all cases and findings; a run that judged nothing is `unproven`.

        A shard that has none of the plan's cases had nothing to judge; `merge` says what is proven of the whole.
        """
        if self.is_empty_shard:
            return worst([Verdict.COMPATIBLE, *(finding.verdict for finding in self.findings)])
        of_cases = worst(result.verdict for result in self.results)
        return worst([of_cases, *(finding.verdict for finding in self.findings)])
