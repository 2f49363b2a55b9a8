"""`verify --from-broker`: pacts come from the team's Pact Broker, and with --record the results go back to it.

A Broker may name several contents of one pair, such as that of main and the one that is deployed. Each is verified in a
round of its own, since results are told apart by consumer and description.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import click

from counterfoil.broker.broker_address import URL, find_broker
from counterfoil.broker.broker_client import BrokerClient, FetchedPact, Wanted
from counterfoil.commands.check_options_cli import chosen_reuse
from counterfoil.commands.record_cli import recorder
from counterfoil.commands.recording_shell import numbered
from counterfoil.commands.shell import with_waivers
from counterfoil.core.pacts import Pact
from counterfoil.core.printing import printable
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError
from counterfoil.gate.facts import VersionRef
from counterfoil.lanes.engine import Engine
from counterfoil.ledger.names import checked
from counterfoil.ledger.run_outcomes import contents_of, outcomes_of
from counterfoil.model import CaseResult, Lane, Report, Verdict, Waiver
from counterfoil.project.pact_files import read_pact
from counterfoil.runs.events import CaseFinished, Event, RunFinished, RunStarted, fold
from counterfoil.runs.plan import Plan, Selection, make_plan
from counterfoil.system.files import replace_file
from counterfoil.system.processes import Processes
from counterfoil.system.revision import revision_of

FOLDER = "broker"
SELECTORS: tuple[dict[str, object], ...] = ({"mainBranch": True}, {"deployedOrReleased": True})
"""What Pact recommends: the main branch of each consumer, and whatever runs somewhere."""
PENDING = "pending: no version of the provider has ever honoured this pact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """What the user asks of the Broker."""

    selectors: tuple[str, ...] = ()
    pending: bool = False
    wip_since: str | None = None
    branch: str | None = None


@dataclass(slots=True, kw_only=True)
class Round:
    """One content of each pair at most, and what became of it."""

    plan: Plan
    fetched: dict[str, FetchedPact]
    """By the path of its file."""
    report: Report


class BrokerRounds:
    """What there is to verify according to the Broker. Raises UsageError."""

    def __init__(self, workspace: Workspace, selection: Selection, fetch: Fetch) -> None:
        address = find_broker(os.environ)
        if address is None:
            raise UsageError(
                f"{URL} is not set, so there is no Pact Broker to fetch pacts from",
                where="--from-broker",
                fix=f"set {URL}, or leave out --from-broker to verify the pacts of the workspace",
            )
        self._workspace = workspace
        self._reuse = chosen_reuse()
        self._client = BrokerClient(address)
        self._branch = fetch.branch or revision_of(workspace.root).branch
        wanted = Wanted(
            selectors=tuple(map(_selector, fetch.selectors)) or SELECTORS,
            branch=self._branch,
            pending=fetch.pending or fetch.wip_since is not None,
            wip_since=fetch.wip_since,
        )
        self._rounds = list(self._planned(selection, self._fetched(selection, wanted)))

    def _fetched(self, selection: Selection, wanted: Wanted) -> list[tuple[Pact, FetchedPact]]:
        """The pacts, in files whose names say nothing: what a Broker names is no path."""
        folder = self._workspace.state_dir / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for file in folder.glob("*.json"):
            file.unlink()
        participants = self._workspace.settings.participants
        providers = [name for name, one in participants.items() if one.provider and selection.concerns(name)]
        fetched = [pact for name in providers for pact in self._client.pacts_for_verification(name, wanted)]
        found = []
        for number, pact in enumerate(fetched, start=1):
            file = folder / f"{number}.json"
            replace_file(file, pact.document)
            found.append((read_pact(self._workspace, file), pact))
        return found

    def _planned(self, selection: Selection, pacts: Iterable[tuple[Pact, FetchedPact]]) -> Iterator[Round]:
        rounds: list[dict[str, tuple[Pact, FetchedPact]]] = [{}]
        for pact, fetched in pacts:
            free = next((one for one in rounds if pact.pair not in one), None)
            if free is None:
                rounds.append(free := {})
            free[pact.pair] = pact, fetched
        for one in rounds:
            plan = make_plan(self._workspace.settings, [pact for pact, _ in one.values()], selection)
            plan = replace(plan, findings=() if one else plan.findings)
            yield Round(plan=plan, fetched={pact.path: fetched for pact, fetched in one.values()}, report=Report())

    def run(self, processes: Processes) -> Iterator[Event]:
        """The events of all rounds as those of one run; a failure of a pending pact does not count."""
        yield RunStarted(tuple(case for one in self._rounds for case in one.plan.cases))
        duration_s, engine = 0.0, Engine(self._workspace, processes, reuse=self._reuse)
        for one in self._rounds:
            for event in with_waivers(self._workspace, lambda _, plan=one.plan: engine.check(plan))(processes):  # type: ignore[misc]  # a default binds it
                one.report = fold(one.report, event)
                if isinstance(event, RunFinished):
                    duration_s = event.duration_s
                elif isinstance(event, CaseFinished):
                    yield CaseFinished(_without_pending(event.result, one))
                elif not isinstance(event, RunStarted):
                    yield event
        yield RunFinished(duration_s)

    def recorder(self, version: str | None) -> Callable[[Report], None]:
        """What records the run in the ledger and at the Broker. Raises UsageError now for what can be refused now."""
        number = checked(numbered(version, revision_of(self._workspace.root)), "a version", "--version")
        into = [(one, recorder(self._workspace, one.plan, version, self._branch)) for one in self._rounds]

        def record(_: Report) -> None:
            for one, ledger in into:
                ledger(one.report)
                self._publish(one, number)

        return record

    def _publish(self, one: Round, number: str) -> None:
        contents = contents_of(self._workspace, one.plan)
        outcomes = outcomes_of(one.plan, contents, one.report)
        if self._branch:
            for provider in outcomes.verifications:
                self._client.put_on_branch(VersionRef(provider, number), self._branch)
        for path, fetched in one.fetched.items():
            content = contents.get(path)
            for verification in outcomes.verifications.get(fetched.provider, ()):
                if content and (verification.consumer, verification.content) == (content.consumer, content.body):
                    self._client.publish_result(fetched, number, verification)
                    word = "verified" if verification.success else "failed"
                    told = (
                        f"the Pact Broker knows that {fetched.provider} {number} {word} the pact of {content.consumer}"
                    )
                    click.echo(printable(told), err=True)


def _without_pending(result: CaseResult, one: Round) -> CaseResult:
    """The result, with its failures accepted where the pact is pending. What was not judged stays unproven."""
    paths = {planned.case.id: planned.pact.path for planned in one.plan.interactions}
    path = paths.get(result.case.id)
    if result.case.lane is not Lane.VERIFY or path is None or not one.fetched[path].pending:
        return result
    findings = (
        replace(found, waived=Waiver(rule=found.rule, subject=found.subject, owner="the Pact Broker", reason=PENDING))
        if found.verdict is Verdict.BROKEN
        else found
        for found in result.findings
    )
    return replace(result, findings=tuple(findings))


def _selector(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UsageError(
            f"'{text[:80]}' is no consumer version selector",
            where="--consumer-version-selector",
            why="it is not a JSON object",
            fix="""write one as Pact does: '{"mainBranch": true}' or '{"deployedOrReleased": true}'""",
        )
    return value
