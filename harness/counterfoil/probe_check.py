"""The probe as a lane of a check: saved witnesses, then a fixed number of payloads; reused while nothing changed."""

from __future__ import annotations

from collections.abc import Iterator

from counterfoil.errors import UsageError
from counterfoil.events import CaseFinished, fold
from counterfoil.model import Finding, Level, Location, Report
from counterfoil.preparation import Preparation, Step
from counterfoil.probe_cache import ProbeCache, key_of
from counterfoil.probe_lane import ProbeLane, ProbeRequest
from counterfoil.probe_stubs import started, stub_command, stub_names
from counterfoil.probed_schema import ProbedSchema, read_schema
from counterfoil.probing import Budget
from counterfoil.processes import Processes
from counterfoil.rules import finding
from counterfoil.workspace import Workspace

SEED = 0
AT_STAKE = "the probe"
REUSED = ", reused: nothing changed since"

Judgement = tuple[tuple[Finding, ...], str]
"""The findings, and how far the judgement went."""


class ProbeCheck:
    """Probes the configured messages through the configured stubs."""

    def __init__(self, workspace: Workspace, processes: Processes, preparation: Preparation, step: Step) -> None:
        self._workspace = workspace
        self._processes = processes
        self._preparation = preparation
        self._step = step

    def judge(self) -> Judgement:
        """Never raises for what is configured wrongly or cannot be started: the check has other lanes.

        Raises InterruptedError where the processes were stopped before the probe began.
        """
        try:
            names = stub_names(self._workspace)
            obstacle = next(self._obstacles(names), None)
            if obstacle:
                return self._not_judged(obstacle)
            settings = self._workspace.settings
            schema = read_schema(self._processes, self._workspace, settings.schema.dir if settings.schema else ".")
            return self._reused_or_run(names, schema)
        except UsageError as error:
            return self._not_judged(self._not_run(error))

    def _not_judged(self, why: Finding) -> Judgement:
        if self._processes.stopped.is_set():
            raise InterruptedError
        return (why,), ""

    def _obstacles(self, names: tuple[str, ...]) -> Iterator[Finding]:
        for name in names:
            stub = self._workspace.settings.stubs.get(name)
            for unit in (stub.participant, name) if stub else ():
                obstacle = self._preparation.prepare(unit, stub.start, AT_STAKE, self._step) if unit and stub else None
                if obstacle:
                    yield obstacle

    def _reused_or_run(self, names: tuple[str, ...], schema: ProbedSchema) -> Judgement:
        settings = self._workspace.settings.probe
        messages = schema.matching(settings.messages)
        request = ProbeRequest(messages=messages, budget=Budget(examples=settings.examples), seed=SEED)
        cache = ProbeCache(self._workspace)
        key = key_of(self._workspace, names, schema.digest, [messages, settings.examples, SEED])
        kept = cache.get(key) if key else None
        if kept:
            note, findings = kept
            return findings, note + REUSED
        with self._step("probe"):
            report = self._run(names, schema, request)
        note = f"{len(report.results)} searches of up to {settings.examples:,} payloads"
        is_proven = all(one.level is not Level.UNPROVEN for one in report.all_findings)
        # A run that saved a witness has another key from now on, under which nothing has run yet.
        if (
            key
            and is_proven
            and key == key_of(self._workspace, names, schema.digest, [messages, settings.examples, SEED])
        ):
            cache.put(key, note, report.all_findings)
        return report.all_findings, note

    def _run(self, names: tuple[str, ...], schema: ProbedSchema, request: ProbeRequest) -> Report:
        report = Report()
        commands = [stub_command(self._workspace, name) for name in names]
        is_interrupted = self._processes.stopped.is_set
        with started(self._processes, commands, schema) as stubs:
            for event in ProbeLane(self._workspace, schema, stubs, is_interrupted=is_interrupted).run(request):
                if isinstance(event, CaseFinished):
                    report = fold(report, event)
        return report

    def _not_run(self, error: UsageError) -> Finding:
        return finding(
            "PROBE_NOT_RUN",
            self._workspace.file.name,
            ": ".join(filter(None, [error.what, error.why])),
            fix=error.fix or "counterfoil probe",
            location=Location(path=self._workspace.file.name),
        )
