"""The probe over a schema: which messages, through which stubs, and what came of it as cases and findings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from counterfoil.core.command_lines import command_line
from counterfoil.core.rules import finding
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError
from counterfoil.model import Case, CaseResult, Finding, Lane, Location, Output
from counterfoil.probe.differences import View
from counterfoil.probe.divergences import Divergence, DivergenceClass, KnownDivergences
from counterfoil.probe.outcomes import Outcome
from counterfoil.probe.payloads import Payload
from counterfoil.probe.stub_protocol import Asking
from counterfoil.probe.verdicts import judge
from counterfoil.probe.witness import StubOutcome, Witness, describe, digest, readable
from counterfoil.probing.panel import Panel, Reading, Row
from counterfoil.probing.probe_stubs import SCHEMA_ID, is_service
from counterfoil.probing.probed_schema import ProbedSchema
from counterfoil.probing.probing import Budget, Ended, Found, Search, phases
from counterfoil.probing.service_search import ServiceSearch, exchanged
from counterfoil.probing.stubs import Stub
from counterfoil.project.witness_files import WitnessFiles
from counterfoil.runs.events import CaseFinished, Event, RunFinished, RunStarted

RUNTIMES = "divergences"
SERVICES = "services"
SHOWN_CHARS = 300


def never() -> bool:
    """Nobody interrupts."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRequest:
    """What to probe, and for how long: a budget in seconds is for all messages, one in examples for each."""

    messages: tuple[str, ...]
    budget: Budget
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of a witness's payload now."""

    outcomes: Row
    divergence: Divergence | None
    """That of the witness, where it still shows."""
    ruling: str
    """Who is right, where the specification settles it."""
    differ: bool
    """Whether the stubs differ in any way."""


class ProbeLane:
    """Probes the messages of one schema, one after another; each divergence is reported once, wherever it shows."""

    def __init__(
        self,
        workspace: Workspace,
        schema: ProbedSchema,
        stubs: Sequence[Stub],
        *,
        is_interrupted: Callable[[], bool] = never,
    ) -> None:
        self.files = WitnessFiles(workspace)
        self._is_interrupted = is_interrupted
        self._exchanged = exchanged(workspace)
        self._schema = schema
        self._services = [stub for stub in stubs if is_service(workspace, stub)]
        self._runtimes = [stub for stub in stubs if stub not in self._services]
        self._known = KnownDivergences()

    def run(self, request: ProbeRequest) -> Iterator[Event]:
        """A case for each message and kind of stubs. Raises UsageError when no message has two stubs to compare.

        The witnesses of all messages are read before anything is searched for. Ctrl-C ends the search, not the run.
        """
        started_s = time.monotonic()
        cases = self._cases(request.messages)
        yield RunStarted(cases)
        saved = self.files.all()
        replayed = {case: self._replayed(case, saved) for case in cases}
        was_interrupted = self._is_interrupted()
        for number, case in enumerate(cases):
            began_s = time.monotonic()
            budget = request.budget
            if budget.seconds is not None:
                left_s = budget.seconds - (began_s - started_s)
                budget = replace(budget, seconds=max(0.0, left_s) / (len(cases) - number))
            if was_interrupted:
                result = CaseResult(case=case, findings=(*replayed[case], _cut_short(case, 0)))
            else:
                witnesses = [one.payload for one in self._saved_by(case, saved).values()]
                result, was_interrupted = self._searched(case, witnesses, budget, request.seed)
                result = replace(result, findings=(*replayed[case], *result.findings))
            yield CaseFinished(replace(result, duration_s=time.monotonic() - began_s))
        yield RunFinished(time.monotonic() - started_s, was_interrupted=was_interrupted)

    def _cases(self, messages: Iterable[str]) -> tuple[Case, ...]:
        cases = tuple(
            Case(lane=Lane.PROBE, subject=message, name=name)
            for message in messages
            for name in (RUNTIMES, SERVICES)
            if len(self._stubs_of(message, name)) > 1
        )
        if not cases:
            names = ", ".join(f"'{stub.name}'" for stub in (*self._runtimes, *self._services))
            raise UsageError(
                f"no two of the stubs {names} are to be compared on any of the messages",
                why="runtime stubs are compared with each other, service stubs on the messages that both bring",
                fix="name other stubs with --stub, or other messages with --message; a stub that brings messages is "
                'compared with runtimes once its [stubs.NAME] has kind = "runtime"',
            )
        return cases

    def _stubs_of(self, message: str, name: str) -> list[Stub]:
        if name == RUNTIMES:
            return self._runtimes
        return [stub for stub in self._services if message in stub.description.message_types]

    def _panel(self, message: str, name: str) -> Panel:
        schema_id = SCHEMA_ID if name == RUNTIMES else ""
        asking = Asking(message_type=message, schema_id=schema_id)
        view = View.SCHEMA if name == RUNTIMES else View.CODE
        return Panel(self._stubs_of(message, name), asking, self._schema.message(message), view=view)

    def _replayed(self, case: Case, saved: Mapping[str, Witness]) -> tuple[Finding, ...]:
        """The witnesses of a message that still show what they were saved for."""
        mine = self._saved_by(case, saved)
        try:
            readings = _readings(self._panel(case.subject, case.name), mine.values())
        except InterruptedError:
            readings = []
        if self._is_interrupted():
            return ()
        return tuple(self._still(case, mine, readings))

    def _still(self, case: Case, mine: Mapping[str, Witness], readings: Iterable[Reading]) -> Iterator[Finding]:
        for (path, witness), reading in zip(mine.items(), readings, strict=True):
            divergence = _same(witness, reading)
            if divergence:
                self._known.add(divergence)
                found = Found(divergence=divergence, payload=witness.payload, outcomes=reading.outcomes)
                yield self._finding(case, found, path)

    def _saved_by(self, case: Case, saved: Mapping[str, Witness]) -> dict[str, Witness]:
        """The witnesses of the message that only stubs of this kind have read."""
        names = {stub.name for stub in self._stubs_of(case.subject, case.name)}
        return {
            path: witness
            for path, witness in saved.items()
            if witness.message == case.subject and {one.stub for one in witness.outcomes} <= names
        }

    def _searched(self, case: Case, witnesses: Sequence[Payload], budget: Budget, seed: int) -> tuple[CaseResult, bool]:
        """What a search comes to, and whether it was interrupted."""
        message, panel = self._schema.message(case.subject), self._panel(case.subject, case.name)
        for stub in panel.stubs:
            stub.renew()
        search: Search | ServiceSearch
        if case.name == SERVICES:
            search = ServiceSearch(panel, message, self._exchanged)
            news = search.run(witnesses, budget)
        else:
            search = Search(panel, message, self._known)
            tried = takewhile(self._goes_on, phases(message, seed=seed, witnesses=witnesses))
            news = search.run(tried, budget)
        findings = []
        try:
            for found in takewhile(self._goes_on, news):  # a stub that is ended may seem to differ
                path = self.files.save(self._witness(case, found))
                findings.append(self._finding(case, found, path))
        except (KeyboardInterrupt, InterruptedError):
            search.progress.ended = Ended.INTERRUPTED
        progress = search.progress
        if self._is_interrupted():
            progress.ended = Ended.INTERRUPTED
        was_interrupted = progress.ended is Ended.INTERRUPTED
        if was_interrupted:
            findings.append(_cut_short(case, progress.payloads))
        elif isinstance(search, ServiceSearch) and not progress.payloads:
            findings.append(_no_ground(case, search.silent))
        else:
            if isinstance(search, ServiceSearch):
                findings += [_alone(case, stub) for stub in sorted(search.alone)]
            findings += [_said_nothing(case, stub, progress.payloads) for stub in sorted(search.silent)]
            findings += [_given_up(case, stub) for stub in panel.stubs if stub.is_given_up]
        note = f"{progress.payloads:,} payloads, {progress.ended.value}"
        if isinstance(search, ServiceSearch) and search.apart:
            note += f"; not comparable: {', '.join(sorted(search.apart))}"
        return CaseResult(case=case, findings=tuple(findings), note=note), was_interrupted

    def _goes_on(self, _: object) -> bool:
        return not self._is_interrupted()

    def _finding(self, case: Case, found: Found, path: str) -> Finding:
        verdict = _settled(case, found)
        message = self._schema.message(case.subject)
        seen = tuple(
            Output(label=stub, lines=(describe(one, SHOWN_CHARS),)) for stub, one in sorted(found.outcomes.items())
        )
        payload = Output(label="payload", lines=(readable(found.payload, message, SHOWN_CHARS),))
        made = finding(
            "DIVERGENCE",
            found.divergence.signature,
            found.divergence.detail + (f". {verdict}" if verdict else ""),
            fix=command_line("replay", path),
            location=Location(path=path),
            evidence=(payload, *seen),
        )
        return replace(made, witness=digest(case.subject, found.payload))

    def _witness(self, case: Case, found: Found) -> Witness:
        return Witness(
            message=case.subject,
            schema_digest=self._schema.digest,
            payload=found.payload,
            readable=readable(found.payload, self._schema.message(case.subject)),
            divergence=found.divergence,
            outcomes=self._told(found.outcomes),
            verdict=_settled(case, found),
        )

    def _told(self, outcomes: Mapping[str, Outcome]) -> tuple[StubOutcome, ...]:
        descriptions = {stub.name: stub.description for stub in (*self._runtimes, *self._services)}
        runtimes = {name: f"{one.runtime} {one.runtime_version}" for name, one in descriptions.items()}
        return tuple(
            StubOutcome(stub=stub, runtime=runtimes[stub], outcome=describe(one, SHOWN_CHARS))
            for stub, one in outcomes.items()
        )

    def replay(self, witness: Witness) -> Replayed:
        """Read a witness's payload again."""
        name = RUNTIMES if self._runtimes else SERVICES
        [reading] = _readings(self._panel(witness.message, name), [witness])
        same = _same(witness, reading)
        found = Found(divergence=same, payload=witness.payload, outcomes=reading.outcomes) if same else None
        case = Case(lane=Lane.PROBE, subject=witness.message, name=name)
        return Replayed(
            outcomes=reading.outcomes,
            divergence=same,
            ruling=_settled(case, found) if found else "",
            differ=bool(reading.divergences),
        )


def _readings(panel: Panel, witnesses: Iterable[Witness]) -> list[Reading]:
    payloads = [witness.payload for witness in witnesses]
    for witness in witnesses:
        if witness.divergence.kind is DivergenceClass.CRASH:
            panel.insist(witness.payload)
    return panel.judge(payloads)


def _same(witness: Witness, reading: Reading) -> Divergence | None:
    return next((one for one in reading.divergences if one.signature == witness.divergence.signature), None)


def _settled(case: Case, found: Found) -> str:
    """Who is right, where the specification settles it; it says nothing about the code of services."""
    return str(judge(found.payload, found.divergence, found.outcomes) or "") if case.name == RUNTIMES else ""


def _said_nothing(case: Case, stub: str, payloads: int) -> Finding:
    return finding(
        "STUB_SAID_NOTHING",
        f"{case.subject}::{stub}",
        f"the stub '{stub}' read none of {payloads} payloads of {case.subject}",
        fix=f"leave it out with --stub, or see what it says: counterfoil replay with a witness of {case.subject}",
    )


def _given_up(case: Case, stub: Stub) -> Finding:
    return finding(
        "STUB_GIVEN_UP",
        f"{case.subject}::{stub.name}",
        f"the stub '{stub.name}' was not asked everything, since {stub.trouble}: what it does with the other payloads "
        f"of {case.subject} is unknown",
        fix=f"mend what the faults among the findings show, then: {command_line('probe', '--message', case.subject)}",
    )


def _no_ground(case: Case, stubs: Iterable[str]) -> Finding:
    return finding(
        "PROBE_NOT_RUN",
        f"{case.subject}::{case.name}",
        f"no pact has a body that all of {', '.join(sorted(stubs))} read as {case.subject}, nor do they read one "
        "with a value in every field, so nothing was tried",
        fix=f"let a consumer test exchange a {case.subject}, or leave one of them out of probe.stubs",
    )


def _alone(case: Case, stub: str) -> Finding:
    return finding(
        "PROBE_NOT_RUN",
        f"{case.subject}::{stub}",
        f"nothing that the stub '{stub}' sees in a {case.subject} can be compared with what another stub sees: they "
        "name or type every field differently, or see other values",
        fix="let its decode return all fields, by the names of the schema",
    )


def _cut_short(case: Case, payloads: int) -> Finding:
    return finding(
        "SEARCH_INTERRUPTED",
        f"{case.subject}::{case.name}",
        f"the search of {case.subject} was interrupted after {payloads:,} payloads",
        fix=command_line("probe", "--message", case.subject),
    )
