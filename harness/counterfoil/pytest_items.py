"""The cases of a counterfoil.toml as pytest's collectors and tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from counterfoil.core.printing import printable
from counterfoil.errors import UsageError
from counterfoil.lanes.engine import Engine
from counterfoil.model import Case, CaseResult, Finding, Report, Verdict
from counterfoil.project.config import read_workspace
from counterfoil.project.pact_files import read_pacts
from counterfoil.project.waiver_file import read_waivers
from counterfoil.reporters.evidence import as_text, safe
from counterfoil.runs.events import CaseFinished, Event, fold
from counterfoil.runs.plan import Group, Plan, Selection, make_plan
from counterfoil.system.processes import Processes

if TYPE_CHECKING:
    from counterfoil.core.workspace import Workspace

RUN = "run"
"""The test of what belongs to no case: a plan that leaves something out, a waiver that nothing shows."""


class ContractError(Exception):
    """A case, or the run, is not compatible."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(", ".join(found.rule for found in findings))
        self.findings = findings


class ContractFile(pytest.File):
    """A counterfoil.toml with its cases, below their lanes and subjects."""

    def collect(self) -> Iterator[pytest.Collector | pytest.Item]:
        """A collector for each lane, and a test of the run."""
        try:
            workspace = read_workspace(self.path)
            plan = make_plan(workspace.settings, read_pacts(workspace), Selection())
            judge = Judge(workspace, plan, spread=hasattr(self.config, "workerinput"))
        except UsageError as error:
            parts = (error.what, error.where, error.why, error.fix)
            raise self.CollectError("\n".join(safe(part) for part in parts if part)) from None
        self.config.add_cleanup(judge.stop)
        for lane in dict.fromkeys(case.lane for case in plan.cases):
            cases = [case for case in plan.cases if case.lane is lane]
            yield ContractNode.of(self, str(lane), judge, cases, by_subject=True)
        yield RunItem.from_parent(self, name=RUN, judge=judge)


class ContractNode(pytest.Collector):
    """A lane, or a subject in it."""

    judge: Judge
    cases: list[Case]
    by_subject: bool

    @classmethod
    def of(
        cls, parent: pytest.Collector, name: str, judge: Judge, cases: list[Case], *, by_subject: bool
    ) -> ContractNode:
        """The node with what lies below it."""
        node: ContractNode = cls.from_parent(parent, name=printable(name))
        node.judge, node.cases, node.by_subject = judge, cases, by_subject
        return node

    def collect(self) -> Iterator[pytest.Collector | pytest.Item]:
        """The subjects of a lane, or the cases of a subject."""
        if not self.by_subject:
            yield from (
                ContractItem.from_parent(self, name=printable(case.name), judge=self.judge, case=case)
                for case in self.cases
            )
            return
        for subject in dict.fromkeys(case.subject for case in self.cases):
            cases = [case for case in self.cases if case.subject == subject]
            yield ContractNode.of(self, subject, self.judge, cases, by_subject=False)


class _Item(pytest.Item):
    """What the tests of a counterfoil.toml have in common: a failure shows findings, not where we raised it."""

    judge: Judge

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """The findings, as other reports show them."""
        del style
        if isinstance(excinfo.value, ContractError):
            return "\n\n".join(map(as_text, excinfo.value.findings))
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, None, str]:
        """The title of a failure. Not the end of the id: pytest would take each dot in it for a separator."""
        return self.path, None, f"[{self.nodeid.partition('::')[2]}]"

    @staticmethod
    def fail_for(findings: tuple[Finding, ...]) -> None:
        """Fail unless the findings are compatible: what could not be judged has not passed."""
        open_findings = tuple(found for found in findings if found.verdict is not Verdict.COMPATIBLE)
        if open_findings:
            raise ContractError(open_findings)


class ContractItem(_Item):
    """One case."""

    def __init__(self, *, judge: Judge, case: Case, **more: object) -> None:
        super().__init__(**more)  # type: ignore[arg-type]
        self.judge, self.case = judge, case
        self.add_marker(pytest.mark.contract)
        if self.config.pluginmanager.hasplugin("xdist"):
            self.add_marker(pytest.mark.xdist_group(judge.group_of(case).name))

    def runtest(self) -> None:
        """Judge it, with all that is judged in the same go."""
        selected = {item.case for item in self.session.items if isinstance(item, ContractItem)}
        self.fail_for(self.judge.result(self.case, selected).findings)


class RunItem(_Item):
    """What belongs to no case: a plan that leaves something out, a waiver that nothing shows any more."""

    def __init__(self, *, judge: Judge, **more: object) -> None:
        super().__init__(**more)  # type: ignore[arg-type]
        self.judge = judge
        self.add_marker(pytest.mark.contract)

    def runtest(self) -> None:
        """Only a run of every case can tell of a waiver that nothing shows it."""
        selected = {item.case for item in self.session.items if isinstance(item, ContractItem)}
        self.fail_for(self.judge.of_the_run(selected))


class Judge:
    """Judges the cases of one file when the first of them is asked for, in the order and as far as tests ask.

    The independent groups of a run are judged side by side. Where tests are spread over workers, each judges only the
    groups that it is asked for.
    """

    def __init__(self, workspace: Workspace, plan: Plan, *, spread: bool) -> None:
        self._workspace = workspace
        self._plan = plan
        self._spread = spread
        self._groups = {case: group for group in plan.groups for case in group.cases}
        self._waivers = read_waivers(workspace)
        self._today = dt.datetime.now(tz=dt.UTC).date()
        self._processes = Processes()
        self._runs: dict[str, Generator[Event]] = {}
        self._judged: dict[Case, CaseResult] = {}

    def stop(self) -> None:
        """End what is under way, and every process that was started."""
        for run in self._runs.values():
            run.close()
        self._processes.stop()

    def group_of(self, case: Case) -> Group:
        """What is judged together with a case."""
        return self._groups[case]

    def result(self, case: Case, selected: set[Case]) -> CaseResult:
        """What became of a case, waivers applied."""
        judged = self._raw(case, selected)
        applied = self._waivers.apply(judged.findings, self._today)
        return CaseResult(case=case, findings=applied.findings, duration_s=judged.duration_s)

    def of_the_run(self, selected: set[Case]) -> tuple[Finding, ...]:
        """The findings that belong to no case."""
        is_whole = selected >= set(self._plan.cases)
        results = [self._raw(case, selected) for case in self._plan.cases if case in selected]
        engine = Engine(self._workspace, self._processes)
        empty = engine.check(Plan(findings=self._plan.findings))
        events: list[Event] = [*map(CaseFinished, results), *empty]
        report = Report()
        for event in self._waivers.applied_to(events, self._today, could_show=lambda _: is_whole):
            report = fold(report, event)
        return report.findings

    def _raw(self, case: Case, selected: set[Case]) -> CaseResult:
        if case not in self._judged:
            for event in self._run(case, selected):
                if isinstance(event, CaseFinished):
                    self._judged[event.result.case] = event.result
                    if event.result.case == case:
                        break
        if case not in self._judged:
            raise LookupError(f"the run ended before it judged {case.id}")
        return self._judged[case]

    def _run(self, case: Case, selected: set[Case]) -> Generator[Event]:
        """The run that judges a case; it goes on in the background while its events wait."""
        name = self._groups[case].name if self._spread else RUN
        if name not in self._runs:
            cases = {case, *(one for one in selected if not self._spread or one in self._groups[case].cases)}
            self._runs[name] = Engine(self._workspace, self._processes).check(self._plan.only(cases))
        return self._runs[name]
