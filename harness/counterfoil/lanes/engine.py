"""Runs a plan and yields what happened. Independent work runs side by side; nothing is printed here or below."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from queue import Empty, SimpleQueue

from counterfoil.allowance.links import PlannedReading, PlannedTrial
from counterfoil.allowance.lint import lint_matchers
from counterfoil.allowance.reading import SENT
from counterfoil.allowance.shown import is_not_shown, with_sightings
from counterfoil.core import toml_tables
from counterfoil.core.pacts import lint_pact
from counterfoil.core.rules import finding
from counterfoil.core.workspace import Workspace
from counterfoil.lanes import schema_lane
from counterfoil.lanes.null_lane import NullLane
from counterfoil.lanes.probe_check import ProbeCheck
from counterfoil.lanes.request_lane import RequestLane
from counterfoil.model import LINT, Case, CaseResult, Finding, Lane, StateSeen, Step
from counterfoil.project import consumers
from counterfoil.project.builds import Stamps
from counterfoil.project.config import NAME
from counterfoil.project.preparation import Preparation
from counterfoil.results.result_cache import ResultCache, Reuse
from counterfoil.results.result_keys import reading_keys, trial_keys, verification_keys
from counterfoil.runs.events import (
    CaseFinished,
    Event,
    FindingRaised,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from counterfoil.runs.plan import Plan, PlannedInteraction
from counterfoil.system.processes import Processes
from counterfoil.verifying import services, verification

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
        self._cache = ResultCache(workspace, processes, reuse)

    def check(self, plan: Plan) -> Generator[Event]:
        """Judge every case of the plan."""
        tasks: list[Task] = [self._provider_task(provider, plan) for provider in plan.providers]
        tasks += [self._schema_task(case) for case in plan.schema_cases]
        tasks += [self._reading_task(stub, plan) for stub in dict.fromkeys(planned.stub for planned in plan.readings)]
        tasks = [self._until_stopped(task) for task in tasks]
        # A search that is interrupted tells what it found.
        tasks += [self._probe_task(case) for case in plan.probe_cases]
        yield RunStarted(plan.cases, plan.left_out, plan.shard)
        for found in plan.findings:
            yield FindingRaised(found)
        for case, pact in plan.pact_cases:
            yield CaseFinished(CaseResult(case=case, findings=(*lint_pact(pact), *lint_matchers(pact))))
        yield from _with_sightings(self._run(tasks))
        yield RunFinished(self._elapsed_s())

    def consume(self, names: Sequence[str]) -> Generator[Event]:
        """Run the consumer tests of these participants and install the pacts they write."""
        yield from self._each(names, Lane.CONSUME, self._consumed)

    def build(self, names: Sequence[str]) -> Generator[Event]:
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
        yield from self._run([self._until_stopped(partial(task, name)) for name in names])
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
        """Yield the events of all tasks as they come; leaving early stops every child process.

        Raises InterruptedError at the end where the processes were stopped from outside before it.
        """
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
                    self._end(event)
                else:
                    yield event
        except BaseException:
            self._processes.stop()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        if self._processes.stopped.is_set():
            raise InterruptedError

    def _end(self, task: Future[None]) -> None:
        """Raise what a task raised, unless it could start no more processes."""
        try:
            task.result()
        except InterruptedError:
            if not self._processes.stopped.is_set():
                raise

    def _until_stopped(self, task: Task) -> Task:
        """The task without what it tells once its processes were stopped from outside, which is not to be trusted."""

        def until_stopped(emit: Emit) -> None:
            task(lambda event: None if self._processes.stopped.is_set() else emit(event))

        return until_stopped

    def _provider_task(self, name: str, plan: Plan) -> Task:
        """One start of a provider serves its verification and the trials of what else it may be sent."""
        planned, trials = plan.interactions_of(name), plan.trials_of(name)

        cases = [*(one.case for one in planned), *(one.case for one in trials)]

        def task(emit: Emit) -> None:
            results = self._cache.each_reused_or_judged(
                f"{Lane.VERIFY} {name}",
                cases,
                lambda: [
                    *verification_keys(self._workspace, name, planned),
                    *trial_keys(self._workspace, name, trials),
                ],
                lambda rest: self._asked(
                    name,
                    [planned[number] for number in rest if number < len(planned)],
                    [trials[number - len(planned)] for number in rest if number >= len(planned)],
                    emit,
                ),
            )
            for result in results:
                emit(CaseFinished(result))

        return task

    def _asked(
        self, name: str, planned: Sequence[PlannedInteraction], trials: Sequence[PlannedTrial], emit: Emit
    ) -> Iterator[CaseResult]:
        participant = self._workspace.settings.participants.get(name)
        asked: tuple[PlannedInteraction | PlannedTrial, ...] = (*planned, *trials)
        if participant is None or participant.provider is None:
            obstacle: Finding | None = self._not_a_provider(name, asked)
        else:
            pairs = dict.fromkeys(f"{one.case.lane} {one.pact.pair}" for one in asked)
            at_stake = ", ".join(pairs)
            obstacle = self._preparation.prepare(name, participant.provider.start, at_stake, partial(self._step, emit))
        if obstacle or participant is None or participant.provider is None:
            findings = (obstacle,) if obstacle else ()
            yield from (CaseResult(case=one.case, findings=findings) for one in asked)
            return
        folder = self._workspace.path(participant.dir)
        with services.Host(self._processes, participant.provider, folder) as host:
            if planned:
                with self._step(emit, f"verify {name}"):
                    yield from verification.verify(self._processes, self._workspace, name, host, planned)
            if trials:
                with self._step(emit, f"nulls {name}"):
                    yield from RequestLane(self._workspace, name, host).judge(trials)

    def _not_a_provider(self, name: str, planned: Sequence[PlannedInteraction | PlannedTrial]) -> Finding:
        file = self._workspace.file.name
        interactions = len({one.pact.subject(one.interaction) for one in planned})
        return finding(
            "PACT_PARTICIPANT_UNKNOWN",
            name,
            f"{file} does not say how to start '{name}', the provider of {interactions} interactions",
            fix=f"add [participants.{toml_tables.key(name)}.provider] with a start command to {file}"
            if NAME.fullmatch(name)
            else f"no participant of {file} can have that name: let the consumer's contract tests name another",
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
                results = [self._null_lane.without_stub(one) for one in readings]
            else:
                results = self._cache.each_reused_or_judged(
                    f"{Lane.NULLS} {stub}",
                    [one.case for one in readings],
                    lambda: reading_keys(self._workspace, stub, readings),
                    lambda rest: self._read(stub, [readings[number] for number in rest], emit),
                    together=True,
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
                    schema_lane.judge_lint(self._processes, self._workspace, schema, self._cache)
                    if case.name == LINT
                    else schema_lane.judge_breaking(self._processes, self._workspace, schema, self._cache)
                )
            emit(CaseFinished(judged.result(case, self._elapsed_s() - started_s)))

        return task


def _with_sightings(events: Iterator[Event]) -> Iterator[Event]:
    """What says that a state is never shown comes last: by then it is known what the providers did send."""
    seen: list[StateSeen] = []
    held: list[CaseResult] = []
    for event in events:
        if isinstance(event, CaseFinished):
            seen += [one for one in event.result.states if one.result == SENT]
            if is_not_shown(event.result):
                held.append(event.result)
                continue
        yield event
    for result in held:
        yield CaseFinished(with_sightings(result, seen))
