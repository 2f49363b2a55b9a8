"""What happened in a run, in the past tense. The engine yields them, the shells fold them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from counterfoil.model import Case, CaseResult, Finding, Report, Shard, Step


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The plan is made; nothing was judged yet."""

    cases: tuple[Case, ...]
    left_out: tuple[Case, ...] = ()
    shard: Shard | None = None


@dataclass(frozen=True, slots=True)
class StepStarted:
    """Longer work began, such as a build; `label` is unique among the steps under way."""

    label: str


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step ended, well or not."""

    step: Step


@dataclass(frozen=True, slots=True)
class CaseFinished:
    """One case was judged."""

    result: CaseResult


@dataclass(frozen=True, slots=True)
class FindingRaised:
    """A finding that belongs to no case."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class FindingDeferred:
    """What is a finding of the whole run where each of its parts says it."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class RunFinished:
    """Nothing more will come. `was_interrupted`: because the user wanted no more."""

    duration_s: float
    was_interrupted: bool = False


Event = RunStarted | StepStarted | StepFinished | CaseFinished | FindingRaised | FindingDeferred | RunFinished


def fold(report: Report, event: Event) -> Report:
    """The report after one more event."""
    match event:
        case RunStarted(_, left_out, shard):
            return replace(report, left_out=left_out, shard=shard)
        case FindingDeferred(finding):
            return replace(report, deferred=(*report.deferred, finding))
        case CaseFinished(result):
            return replace(report, results=(*report.results, result))
        case FindingRaised(finding):
            return replace(report, findings=(*report.findings, finding))
        case StepFinished(step):
            return replace(report, steps=(*report.steps, step))
        case _:
            return report
