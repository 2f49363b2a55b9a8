"""The probe as a lane of a check: saved witnesses, then a fixed number of payloads; reused while nothing changed."""

from __future__ import annotations

from collections.abc import Iterator

from counterfoil.core.rules import finding
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError
from counterfoil.model import Case, Finding, Location, Report
from counterfoil.probing.probe_stubs import started, stub_command, stub_names
from counterfoil.probing.probed_schema import ProbedSchema, read_schema
from counterfoil.project.preparation import Preparation, Step
from counterfoil.results.result_cache import Judged, ResultCache
from counterfoil.results.result_keys import probe_key
from counterfoil.runs.events import CaseFinished, fold
from counterfoil.system.processes import Processes

SEED = 0
AT_STAKE = "the probe"
SHELF = "probe"


class ProbeCheck:
    """Probes the configured messages through the configured stubs."""

    def __init__(
        self, workspace: Workspace, processes: Processes, preparation: Preparation, cache: ResultCache
    ) -> None:
        self._workspace = workspace
        self._processes = processes
        self._preparation = preparation
        self._cache = cache

    def judge(self, case: Case, step: Step) -> Judged:
        """Never raises for what is configured wrongly or cannot be started: the check has other lanes.

        Raises InterruptedError where the processes were stopped before the probe began.
        """
        try:
            names = stub_names(self._workspace)
            settings = self._workspace.settings
            schema = read_schema(self._processes, self._workspace, settings.schema.dir if settings.schema else ".")
            messages = schema.matching(settings.probe.messages)
            asked = (messages, settings.probe.examples, SEED)
            return self._cache.reused_or_judged(
                SHELF,
                case.id,
                lambda: probe_key(self._workspace, names, schema.digest, asked),
                lambda: self._judged(names, schema, messages, step),
            )
        except UsageError as error:
            return self._not_judged(self._not_run(error))

    def _not_judged(self, why: Finding) -> Judged:
        if self._processes.stopped.is_set():
            raise InterruptedError
        return Judged(findings=(why,))

    def _judged(self, names: tuple[str, ...], schema: ProbedSchema, messages: tuple[str, ...], step: Step) -> Judged:
        obstacle = next(self._obstacles(names, step), None)
        if obstacle:
            return self._not_judged(obstacle)
        with step("probe"):
            report = self._run(names, schema, messages)
        note = f"{len(report.results)} searches of up to {self._workspace.settings.probe.examples:,} payloads"
        return Judged(findings=report.all_findings, note=note)

    def _obstacles(self, names: tuple[str, ...], step: Step) -> Iterator[Finding]:
        for name in names:
            stub = self._workspace.settings.stubs.get(name)
            for unit in (stub.participant, name) if stub else ():
                obstacle = self._preparation.prepare(unit, stub.start, AT_STAKE, step) if unit and stub else None
                if obstacle:
                    yield obstacle

    def _run(self, names: tuple[str, ...], schema: ProbedSchema, messages: tuple[str, ...]) -> Report:
        # Hypothesis takes longer to load than a check in which nothing changed.
        from counterfoil.lanes.probe_lane import ProbeLane, ProbeRequest  # noqa: PLC0415
        from counterfoil.probing.probing import Budget  # noqa: PLC0415

        budget = Budget(examples=self._workspace.settings.probe.examples)
        request = ProbeRequest(messages=messages, budget=budget, seed=SEED)
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
