"""Runs a plan and yields what happened. Independent work runs side by side; nothing is printed here or below."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue

from counterfoil import consumers, schema_lane, toolchain, verification
from counterfoil.builds import Stamps, run_build
from counterfoil.events import CaseFinished, Event, FindingRaised, RunFinished, RunStarted, StepFinished, StepStarted
from counterfoil.model import Case, CaseResult, Finding, Location, Output, Step
from counterfoil.pacts import lint_pact
from counterfoil.plan import LINT, Plan, PlannedInteraction
from counterfoil.processes import Processes
from counterfoil.rules import finding
from counterfoil.workspace import Participant, Workspace

Emit = Callable[[Event], None]
Task = Callable[[Emit], None]

JOBS = 4
"""Tasks under way at once: they mostly wait for other processes."""
BUILD_TAIL_SHOWN = 30


class Engine:
    """Runs one plan in one workspace."""

    def __init__(self, workspace: Workspace, processes: Processes, *, jobs: int = JOBS) -> None:
        self._workspace = workspace
        self._processes = processes
        self._jobs = jobs
        self._started = time.monotonic()
        self._stamps = Stamps(workspace.state_dir / "stamps")

    def check(self, plan: Plan) -> Iterator[Event]:
        """Judge every case of the plan."""
        tasks: list[Task] = [self._provider_task(provider, plan) for provider in plan.providers]
        tasks += [self._schema_task(case) for case in plan.schema_cases]
        yield RunStarted(plan.cases)
        for found in plan.findings:
            yield FindingRaised(found)
        for case, pact in plan.pact_cases:
            yield CaseFinished(CaseResult(case=case, findings=lint_pact(pact)))
        yield from self._run(tasks)
        yield RunFinished(self._elapsed_s())

    def consume(self, names: Sequence[str]) -> Iterator[Event]:
        """Run the consumer tests of these participants and install the pacts they write."""
        yield from self._timed([self._consumer_task(name) for name in names])

    def build(self, names: Sequence[str]) -> Iterator[Event]:
        """Run the build commands of these participants, as far as something changed."""
        yield from self._timed([partial(self._prepare_and_tell, name) for name in names])

    def _timed(self, tasks: Sequence[Task]) -> Iterator[Event]:
        yield RunStarted(())
        yield from self._run(tasks)
        yield RunFinished(self._elapsed_s())

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started

    @contextmanager
    def _step(self, label: str, emit: Emit) -> Iterator[None]:
        """Tell when a step starts and ends."""
        started_s = self._elapsed_s()
        emit(StepStarted(label))
        try:
            yield
        finally:
            duration_s = self._elapsed_s() - started_s
            emit(StepFinished(Step(label=label, started_s=started_s, duration_s=duration_s)))

    def _run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        """Yield the events of all tasks as they come; leaving early stops every child process."""
        queue: SimpleQueue[Event | Future[None]] = SimpleQueue()
        pool = ThreadPoolExecutor(max_workers=self._jobs)
        try:
            for task in tasks:
                pool.submit(task, queue.put).add_done_callback(queue.put)
            ended = 0
            while ended < len(tasks):
                event = queue.get()
                if isinstance(event, Future):
                    ended += 1
                    event.result()
                else:
                    yield event
        except BaseException:
            self._processes.stop()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def _provider_task(self, name: str, plan: Plan) -> Task:
        planned = plan.interactions_of(name)

        def task(emit: Emit) -> None:
            for result in self._verified(name, planned, emit):
                emit(CaseFinished(result))

        return task

    def _verified(self, name: str, planned: Sequence[PlannedInteraction], emit: Emit) -> Sequence[CaseResult]:
        participant = self._workspace.settings.participants.get(name)
        if participant is None or participant.provider is None:
            obstacle: Finding | None = self._not_a_provider(name, planned)
        else:
            obstacle = self._prepared(name, participant, participant.provider.start, emit)
        if obstacle or participant is None:
            return [CaseResult(case=one.case, findings=(obstacle,) if obstacle else ()) for one in planned]
        with self._step(f"verify {name}", emit):
            return verification.verify(self._processes, self._workspace, name, participant, planned)

    def _not_a_provider(self, name: str, planned: Sequence[PlannedInteraction]) -> Finding:
        file = self._workspace.file.name
        return finding(
            "PACT_PARTICIPANT_UNKNOWN",
            name,
            f"{file} does not say how to start '{name}', the provider of {len(planned)} interactions",
            fix=f"add [participants.{name}.provider] with a start command to {file}",
            location=planned[0].pact.locate(),
        )

    def _prepared(self, name: str, participant: Participant, command: Sequence[str], emit: Emit) -> Finding | None:
        """Check the tools and run the builds of a participant; what prevents it from being judged, if anything."""
        needed = [
            *participant.tools,
            *(run[0] for run in (command, *(build.run for build in participant.build)) if run),
        ]
        for tool in dict.fromkeys(needed):
            if "/" not in tool and toolchain.find(tool) is None:
                return finding(
                    "TOOL_MISSING",
                    f"{name}:{tool}",
                    f"'{tool}' is not on PATH, so nothing of {name} could be judged",
                    fix=toolchain.how_to_install(tool),
                    location=Location(path=self._workspace.file.name),
                )
        for number, build in enumerate(participant.build, start=1):
            with self._step(f"build {name} ({' '.join(build.run)[:60]})", emit):
                done = run_build(
                    self._processes,
                    self._stamps,
                    f"build-{name}-{number}",
                    self._workspace.path(participant.dir),
                    build,
                )
            if done and done.exit_code != 0:
                how = f"did not end within {build.deadline_s:g} s" if done.exit_code is None else "failed"
                return finding(
                    "BUILD_FAILED",
                    f"{name}:{number}",
                    f"building {name} {how}: {' '.join(build.run)}",
                    fix=f"run it by hand in {participant.dir}",
                    location=Location(path=participant.dir),
                    evidence=(Output(label="it printed", lines=done.tail[-BUILD_TAIL_SHOWN:]),),
                )
        return None

    def _prepare_and_tell(self, name: str, emit: Emit) -> None:
        obstacle = self._prepared(name, self._workspace.settings.participants[name], (), emit)
        if obstacle:
            emit(FindingRaised(obstacle))

    def _consumer_task(self, name: str) -> Task:
        participant = self._workspace.settings.participants[name]

        def task(emit: Emit) -> None:
            command = participant.consumer.run if participant.consumer else ()
            obstacle = self._prepared(name, participant, command, emit)
            if obstacle:
                emit(FindingRaised(obstacle))
                return
            with self._step(f"consumer tests of {name}", emit):
                consumed = consumers.consume(self._processes, self._stamps, self._workspace, name, participant)
            for found in consumed.findings:
                emit(FindingRaised(found))

        return task

    def _schema_task(self, case: Case) -> Task:
        judge = schema_lane.judge_lint if case.name == LINT else schema_lane.judge_breaking

        def task(emit: Emit) -> None:
            schema = self._workspace.settings.schema
            if schema is None:
                raise ValueError(case.id)
            started_s = self._elapsed_s()
            with self._step(f"schema {case.name}", emit):
                findings = judge(self._processes, self._workspace, schema)
            emit(CaseFinished(CaseResult(case=case, findings=findings, duration_s=self._elapsed_s() - started_s)))

        return task
