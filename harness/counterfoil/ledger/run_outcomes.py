"""What a check found, as the ledger records it: one verification for each pact that was judged whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from counterfoil.allowance.links import plan_readings, plan_trials
from counterfoil.core.pact_content import PactContent, content_of, interactions_of
from counterfoil.core.pacts import Pact
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError
from counterfoil.gate.facts import Divergence, ProbeFact, ReadingFlaw, VersionRef
from counterfoil.ledger.entries import InteractionResult, Verification, WaiverInForce
from counterfoil.model import CaseResult, Finding, Lane, Level, Mismatch, Output, Report, Verdict, worst
from counterfoil.runs.plan import Plan
from counterfoil.runs.waivers import DIVERGENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What there is to record of a run, by provider."""

    verifications: Mapping[str, tuple[Verification, ...]]
    left_out: tuple[str, ...]
    """Why a pact's verification is not recorded: sentences for the user."""
    waivers: tuple[WaiverInForce, ...]


def contents_of(workspace: Workspace, plan: Plan) -> dict[str, PactContent]:
    """The content of each pact that will be judged, by its path, as it is before the run. Raises UsageError."""
    verified, read = (one.pact.path for one in plan.interactions), (one.pact.path for one in plan.readings)
    paths = dict.fromkeys((*verified, *read))
    contents = {}
    for path in paths:
        try:
            contents[path] = content_of(path, workspace.path(path).read_bytes())
        except OSError as error:
            raise UsageError(f"cannot read '{path}'", why=str(error.strerror), fix="run it again") from None
    return contents


def outcomes_of(plan: Plan, contents: Mapping[str, PactContent], report: Report) -> Outcomes:
    """What became of each pact. One of which an interaction was not judged is not recorded, unless another failed."""
    results = {result.case.id: result for result in report.results if result.case.lane is Lane.VERIFY}
    planned_in: dict[str, list[tuple[str, CaseResult | None]]] = defaultdict(list)
    pacts: dict[str, Pact] = {}
    for planned in plan.interactions:
        pacts[planned.pact.path] = planned.pact
        planned_in[planned.pact.path].append((planned.interaction.description, results.get(planned.case.id)))
    found: dict[str, list[Verification]] = defaultdict(list)
    left_out = []
    for path, pact in pacts.items():
        judged = {description: result for description, result in planned_in[path] if result is not None}
        descriptions = [interaction.description for interaction in pact.interactions]
        missing = [one for one in descriptions if one not in judged or judged[one].verdict is Verdict.UNPROVEN]
        verdict = worst(result.verdict for result in judged.values())
        if verdict is not Verdict.BROKEN and missing:
            left_out.append(
                f"{pact.pair} is not recorded: {len(missing)} of its {len(descriptions)} interactions were not judged"
            )
            continue
        found[pact.provider].append(_verification(contents[path], judged))
    return Outcomes(
        verifications={provider: tuple(entries) for provider, entries in found.items()},
        left_out=tuple(left_out),
        waivers=tuple(dict.fromkeys(_in_force(one) for one in report.waived_findings)),
    )


def _verification(content: PactContent, judged: Mapping[str, CaseResult]) -> Verification:
    """A waived failure counts as a success, as it does for the run; its detail is kept."""
    results = tuple(
        InteractionResult(
            digest=interaction.digest,
            description=interaction.description,
            success=judged[interaction.description].verdict is Verdict.COMPATIBLE,
            detail="\n".join(map(_told, judged[interaction.description].findings)),
        )
        for interaction in interactions_of(content.body)
        if interaction.description in judged
    )
    success = all(result.success for result in results)
    return Verification(consumer=content.consumer, content=content.body, success=success, results=results)


def _told(found: Finding) -> str:
    mismatches = [one for one in found.evidence if isinstance(one, Mismatch)]
    differences = [f"{one.path}: expected {one.expected}, got {one.actual}" for one in mismatches]
    return "\n".join([f"{found.rule}: {found.message}", *differences])


def _in_force(found: Finding) -> WaiverInForce:
    waiver = found.waived
    if waiver is None:
        raise ValueError(found.identity)
    return WaiverInForce(
        rule=waiver.rule,
        subject=waiver.subject,
        owner=waiver.owner,
        reason=waiver.reason,
        link=waiver.link,
        expires=waiver.expires.isoformat() if waiver.expires else None,
        witness=waiver.witness,
    )


def probes_of(
    workspace: Workspace, at: Callable[[str], VersionRef], report: Report, contents: Mapping[str, str | None]
) -> tuple[ProbeFact, ...]:
    """What the probe found between the stubs of each two participants; nothing, unless all of it was judged.

    `at` says which version of a participant was there, and `contents` what its stub is made from.
    """
    probed = [result for result in report.results if result.case.lane is Lane.PROBE]
    if not probed or any(found.level is Level.UNPROVEN for result in probed for found in result.findings):
        return ()
    stubs = {name: one.stub for name, one in workspace.settings.participants.items() if one.stub}
    found = {one.subject: one for result in probed for one in result.findings if one.rule == DIVERGENCE}
    return tuple(
        ProbeFact(
            pair=(at(first), at(second)),
            stubs=(contents.get(first), contents.get(second)),
            order=0,
            divergences=tuple(
                Divergence(subject=subject, message=one.message, witness=one.witness, waived=one.waived is not None)
                for subject, one in found.items()
                if _separates(subject, stubs[first], stubs[second])
            ),
        )
        for first, second in combinations(sorted(stubs), 2)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a participant made of whatever a pact lets the other side send it."""

    reader: str
    content: PactContent
    flaws: tuple[ReadingFlaw, ...]


def readings_of(
    workspace: Workspace, plan: Plan, contents: Mapping[str, PactContent], report: Report
) -> tuple[Reading, ...]:
    """What became of each pact's payloads, by reader. One that was judged in part is recorded only where it failed."""
    results = {result.case.id: result for result in report.results if result.case.lane is Lane.NULLS}
    found = []
    pacts = [*(one.pact for one in plan.readings), *(one.pact for one in plan.trials)]
    for path, pact in {pact.path: pact for pact in pacts}.items():
        wanted: dict[str, list[str]] = defaultdict(list)
        for planned in plan_readings(workspace.settings, [pact], always=True):
            wanted[planned.reader].append(planned.case.id)
        for trial in plan_trials(workspace.settings, [pact], always=True):
            wanted[pact.provider].append(trial.case.id)
        for reader, cases in wanted.items():
            judged = [results[case] for case in cases if case in results]
            flaws = tuple(dict.fromkeys(flaw for result in judged for flaw in _flaws(result)))
            if len(judged) == len(cases) or any(not flaw.unproven for flaw in flaws):
                found.append(Reading(reader=reader, content=contents[path], flaws=flaws))
    return tuple(found)


def _flaws(result: CaseResult) -> Iterator[ReadingFlaw]:
    """What stands against a body; a waived finding does not."""
    for one in result.findings:
        if one.verdict is not Verdict.COMPATIBLE:
            shown = [part.lines[0] for part in one.evidence if isinstance(part, Output) and part.label == "payload"]
            yield ReadingFlaw(
                subject=f"{one.rule} {one.subject}",
                message=one.message,
                payload=shown[0] if shown else None,
                unproven=one.verdict is Verdict.UNPROVEN,
            )


def _separates(subject: str, first: str, second: str) -> bool:
    """Whether two stubs are in different groups of a divergence: `presence | json | field | node / python, rust`."""
    groups = [set(group.split(", ")) for group in subject.rpartition(" | ")[2].split(" / ")]
    places = [[place for place, group in enumerate(groups) if stub in group] for stub in (first, second)]
    return all(places) and places[0] != places[1]
