"""Runs a plan and yields what happened. Independent work runs side by side; nothing is printed here or below."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from queue import Empty, SimpleQueue

from counterfoil import consumers, schema_lane, verification
from counterfoil.allowance.links import PlannedReading
from counterfoil.allowance.lint import lint_matchers
from counterfoil.builds import Stamps
from counterfoil.events import CaseFinished, Event, FindingRaised, RunFinished, RunStarted, StepFinished, StepStarted
from counterfoil.model import LINT, Case, CaseResult, Finding, Lane, Step
from counterfoil.null_lane import NullLane, without_stub
from counterfoil.pacts import lint_pact
from counterfoil.plan import Plan, PlannedInteraction
from counterfoil.preparation import Preparation
from counterfoil.probe_check import ProbeCheck
from counterfoil.processes import Processes
from counterfoil.result_cache import ResultCache, Reuse
from counterfoil.result_keys import reading_keys, verification_keys
from counterfoil.rules import finding
from counterfoil.workspace import Workspace

Emit = Callable[[Event], None]
Task = Callable[[Emit], None]

SIGNAL_POLL_S = 0.2
"""A signal that arrives just before a wait begins does not end it; so no wait is longer than this."""
JOBS = 4
"""Tasks under way at once: they mostly wait for other processes."""
REUSE_ALL = Reuse()


class Engine:
    """Runs one plan in one workspace."""

    def __init__(
        self, workspace: Workspace, processes: Processes, *, jobs: int = JOBS, reuse: Reuse = REUSE_ALL
    ) -> None:
        self._workspace = workspace
        self._processes = processes
        self._jobs = jobs
        self._started = time.monotonic()
        self._stamps = Stamps(workspace.state_dir / "stamps")
        self._preparation = Preparation(processes, self._stamps, workspace)
        self._null_lane = NullLane(processes, workspace)
        self._cache = ResultCache(workspace, reuse)

    def check(self, plan: Plan) -> Generator[Event]:
        """Judge every case of the plan."""
        tasks: list[Task] = [self._provider_task(provider, plan) for provider in plan.providers]
        tasks += [self._schema_task(case) for case in plan.schema_cases]
        tasks += [self._reading_task(stub, plan) for stub in dict.fromkeys(planned.stub for planned in plan.readings)]
        tasks += [self._probe_task(case) for case in plan.probe_cases]
        yield RunStarted(plan.cases, plan.left_out, plan.shard)
        for found in plan.findings:
            yield FindingRaised(found)
        for case, pact in plan.pact_cases:
            yield CaseFinished(CaseResult(case=case, findings=(*lint_pact(pact), *lint_matchers(pact))))
        yield from self._run(tasks)
        yield RunFinished(self._elapsed_s())

    def consume(self, names: Sequence[str]) -> Iterator[Event]:
        """Run the consumer tests of these participants and install the pacts they write."""
        yield from self._each(names, Lane.CONSUME, self._consumed)

    def build(self, names: Sequence[str]) -> Iterator[Event]:
        """Run the build commands of these participants, as far as something changed."""
        yield from self._each(names, Lane.BUILD, self._built)

    def _each(
        self, names: Sequence[str], lane: Lane, work: Callable[[str, Emit], tuple[Finding, ...]]
    ) -> Iterator[Event]:
        """Do the same work for each participant, as a case of its own."""

        def task(name: str, emit: Emit) -> None:
            started_s = self._elapsed_s()
            findings = work(name, emit)
            case = Case(lane=lane, subject=name, name=lane, participants=(name,))
            emit(CaseFinished(CaseResult(case=case, findings=findings, duration_s=self._elapsed_s() - started_s)))

        yield RunStarted(())
        yield from self._run([partial(task, name) for name in names])
        yield RunFinished(self._elapsed_s())

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started

    @contextmanager
    def _step(self, emit: Emit, label: str) -> Iterator[None]:
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
                try:
                    event = queue.get(timeout=SIGNAL_POLL_S)
                except Empty:
                    continue
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
            results = self._cache.each_reused_or_judged(
                f"{Lane.VERIFY} {name}",
                [one.case for one in planned],
                lambda: verification_keys(self._workspace, name, planned),
                lambda rest: self._verified(name, [planned[number] for number in rest], emit),
            )
            for result in results:
                emit(CaseFinished(result))

        return task

    def _verified(self, name: str, planned: Sequence[PlannedInteraction], emit: Emit) -> Sequence[CaseResult]:
        participant = self._workspace.settings.participants.get(name)
        if participant is None or participant.provider is None:
            obstacle: Finding | None = self._not_a_provider(name, planned)
        else:
            at_stake = f"{Lane.VERIFY} {', '.join(dict.fromkeys(one.pact.pair for one in planned))}"
            obstacle = self._preparation.prepare(name, participant.provider.start, at_stake, partial(self._step, emit))
        if obstacle or participant is None:
            return [CaseResult(case=one.case, findings=(obstacle,) if obstacle else ()) for one in planned]
        with self._step(emit, f"verify {name}"):
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

    def _built(self, name: str, emit: Emit) -> tuple[Finding, ...]:
        obstacle = self._preparation.prepare(name, (), f"build {name}", partial(self._step, emit))
        return (obstacle,) if obstacle else ()

    def _consumed(self, name: str, emit: Emit) -> tuple[Finding, ...]:
        participant = self._workspace.settings.participants[name]
        command = participant.consumer.run if participant.consumer else ()
        at_stake = f"consumer tests of {name}"
        obstacle = self._preparation.prepare(name, command, at_stake, partial(self._step, emit))
        if obstacle:
            return (obstacle,)
        with self._step(emit, at_stake):
            return consumers.consume(self._processes, self._stamps, self._workspace, name)

    def _reading_task(self, stub: str | None, plan: Plan) -> Task:
        """What one stub reads; None: what nobody does."""
        readings = [planned for planned in plan.readings if planned.stub == stub]

        def task(emit: Emit) -> None:
            if stub is None:
                results = list(map(without_stub, readings))
            else:
                results = self._cache.each_reused_or_judged(
                    f"{Lane.NULLS} {stub}",
                    [one.case for one in readings],
                    lambda: reading_keys(self._workspace, stub, readings),
                    lambda rest: list(self._read(stub, [readings[number] for number in rest], emit)),
                )
            for result in results:
                emit(CaseFinished(result))

        return task

    def _read(self, stub: str, readings: Sequence[PlannedReading], emit: Emit) -> Iterator[CaseResult]:
        """Readers are built before their stubs, which may use what they leave behind."""
        for name in dict.fromkeys([*(planned.reader for planned in readings), stub]):
            obstacle = self._preparation.prepare(name, (), f"nulls {stub}", partial(self._step, emit))
            if obstacle:
                yield from (CaseResult(case=planned.case, findings=(obstacle,)) for planned in readings)
                return
        with self._step(emit, f"nulls {stub}"):
            yield from self._null_lane.judge(stub, readings)

    def _probe_task(self, case: Case) -> Task:
        def task(emit: Emit) -> None:
            started_s = self._elapsed_s()
            check = ProbeCheck(self._workspace, self._processes, self._preparation, self._cache)
            judged = check.judge(case, partial(self._step, emit))
            emit(CaseFinished(judged.result(case, self._elapsed_s() - started_s)))

        return task

    def _schema_task(self, case: Case) -> Task:
        def task(emit: Emit) -> None:
            schema = self._workspace.settings.schema
            if schema is None:
                raise ValueError(case.id)
            started_s = self._elapsed_s()
            with self._step(emit, f"schema {case.name}"):
                judged = (
                    schema_lane.judge_lint(self._processes, self._workspace, schema)
                    if case.name == LINT
                    else schema_lane.judge_breaking(self._processes, self._workspace, schema, self._cache)
                )
            emit(CaseFinished(judged.result(case, self._elapsed_s() - started_s)))

        return task
