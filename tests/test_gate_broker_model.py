"""What a Pact Broker answers, against an independent telling of it: every kind of selector over random histories."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

from counterfoil.core.pact_content import PactContent, content_of
from counterfoil.gate.broker import ask, pact_broker_answer
from counterfoil.gate.decision import decide
from counterfoil.gate.facts import VersionRef
from counterfoil.gate.index import FactIndex
from counterfoil.gate.question import Destination, Ignored, LatestBy, Question, Selector
from counterfoil.ledger import presences
from counterfoil.ledger.entries import Environment, Run, Verification
from counterfoil.ledger.presences import Slot
from counterfoil.ledger.store import Ledger, open_ledger
from counterfoil.model import Verdict
from hypothesis import Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.broker_tables import Tables
from tests.builders import interaction, pact
from tests.gate_history import History

NAMES, NUMBERS = ("a", "b", "c"), ("1", "2", "3")
BRANCHES, TAGS, ENVIRONMENTS = ("main", "master", "trunk"), ("prod", "main"), ("live", "staging")
names, numbers = st.sampled_from(NAMES), st.sampled_from(NUMBERS)
branches, tags, environments = st.sampled_from(BRANCHES), st.sampled_from(TAGS), st.sampled_from(ENVIRONMENTS)
versions = st.builds(VersionRef, names, numbers)
instances = st.sampled_from([None, "blue"])
restricted = st.builds(
    Selector,
    participant=names,
    branch=st.none() | branches,
    tag=st.none() | st.none() | tags,
    environment=st.none() | st.none() | environments,
    main_branch=st.booleans(),
    latest=st.booleans(),
)
selectors = st.one_of(
    st.builds(Selector, participant=names, number=numbers),
    st.builds(Selector, participant=names, number=numbers),
    st.builds(Selector, participant=names),
    restricted,
)
destinations = st.one_of(
    st.builds(Destination, environment=environments),
    st.builds(Destination, environment=environments),
    st.builds(Destination, tag=tags),
    st.just(Destination(main_branch=True)),
    st.just(Destination(latest=True)),
    st.none(),
)
questions = st.builds(
    Question,
    selectors=st.lists(selectors, min_size=1, max_size=3).map(tuple),
    destination=destinations,
    ignored=st.lists(st.builds(Ignored, participant=names, number=st.none() | numbers), max_size=1).map(tuple),
    latest_by=st.sampled_from(LatestBy),
)


class Histories(RuleBasedStateMachine):
    """Records in memory and in a real ledger, under names of this history's own, and asks everything of both."""

    count = itertools.count()

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger
        self.suffix = f"-{next(self.count)}"
        self.history = History()
        with ledger.recording(Run(command="test")) as recorder:
            for name in ENVIRONMENTS:
                recorder.environment(Environment(name=name, display_name=name, production=True))
            for name in NAMES:
                recorder.participant(name + self.suffix)
                self.history.main_branches[name + self.suffix] = None

    def here(self, version: VersionRef) -> VersionRef:
        """The version under this history's names."""
        return VersionRef(version.participant + self.suffix, version.number)

    @rule(consumer=versions, provider=names, wanted=st.sampled_from("xy"))
    def publish(self, consumer: VersionRef, provider: str, wanted: str) -> None:
        version, other = self.here(consumer), provider + self.suffix
        if self.history.publish(told(version), other, wanted):
            with self.ledger.recording(Run(command="test")) as recorder:
                recorder.pact(version.number, content(version.participant, other, wanted))

    @rule(data=st.data(), number=numbers, success=st.sampled_from([True, True, False]))
    def verify(self, data: st.DataObject, number: str, success: bool) -> None:  # noqa: FBT001
        published = sorted(self.history.pacts.items())
        if published:
            (consumer, provider), wanted = data.draw(st.sampled_from(published))
            tried = VersionRef(provider, number)
            self.history.verify(told(consumer), told(tried), success=success)
            body = content(consumer.participant, provider, wanted).body
            with self.ledger.recording(Run(command="test")) as recorder:
                recorder.verification(tried, Verification(consumer=consumer.participant, content=body, success=success))

    @rule(version=versions, branch=st.none() | branches, tag=st.none() | tags)
    def make(self, version: VersionRef, branch: str | None, tag: str | None) -> None:
        self.history.version(told(self.here(version)), branch=branch, tag=tag)
        with self.ledger.recording(Run(command="test")) as recorder:
            recorder.version(self.here(version), branch=branch, tags=[tag] if tag else [])

    @rule(version=versions, environment=environments, instance=instances)
    def deploy(self, version: VersionRef, environment: str, instance: str | None) -> None:
        one = self.here(version)
        if one in self.history.versions:
            self.history.deploy(told(one), environment=environment, instance=instance)
            with self.ledger.recording(Run(command="test")) as recorder:
                presences.deploy(recorder, self.slot(one, environment, instance), one.number)

    @rule(name=names, environment=environments, instance=instances)
    def undeploy(self, name: str, environment: str, instance: str | None) -> None:
        slot = Slot(participant=name + self.suffix, environment=environment, instance=instance)
        if (slot.participant, environment, instance) in self.history.deployed:
            self.history.undeploy(slot.participant, environment=environment, instance=instance)
            with self.ledger.recording(Run(command="test")) as recorder:
                presences.undeploy(recorder, slot)

    @rule(version=versions, environment=environments, live=st.sampled_from([True, True, False]))
    def release(self, version: VersionRef, environment: str, live: bool) -> None:  # noqa: FBT001
        one = self.here(version)
        if one in self.history.versions and live is not ((one, environment) in self.history.released):
            (self.history.release if live else self.history.end_support)(told(one), environment=environment)
            with self.ledger.recording(Run(command="test")) as recorder:
                presences.release(recorder, self.slot(one, environment), one.number, live=live)

    @rule(asked=st.lists(questions, min_size=1, max_size=10))
    def ask(self, asked: Sequence[Question]) -> None:
        for one in asked:
            question = named(one, self.suffix)
            expected, lines = Tables(self.history).answer(question), Tables(self.history).lines(question)
            event(f"answer {expected}")
            for facts in (self.history.facts(), self.ledger.facts(question)):
                answer = ask(FactIndex(facts), question)
                assert pact_broker_answer(facts, question) is answer.deployable is expected
                rows = [(row.pact.consumer, row.pact.provider, row.provider, row.success) for row in answer.rows]
                assert sorted(rows, key=str) == sorted(lines, key=str)
                decision = decide(facts, question)
                assert expected or decision.verdict is not Verdict.COMPATIBLE, "never more lenient than a Broker"

    def slot(self, version: VersionRef, environment: str, instance: str | None = None) -> Slot:
        return Slot(participant=version.participant, environment=environment, instance=instance)


def told(version: VersionRef) -> str:
    return f"{version.participant}@{version.number}"


def named(question: Question, suffix: str) -> Question:
    """The same question under the names of one history."""
    return Question(
        selectors=tuple(replaced(one, suffix) for one in question.selectors),
        destination=question.destination,
        ignored=tuple(Ignored(participant=one.participant + suffix, number=one.number) for one in question.ignored),
        latest_by=question.latest_by,
    )


def replaced(selector: Selector, suffix: str) -> Selector:
    return Selector(
        participant=selector.participant + suffix,
        number=selector.number,
        branch=selector.branch,
        tag=selector.tag,
        environment=selector.environment,
        main_branch=selector.main_branch,
        latest=selector.latest,
    )


def content(consumer: str, provider: str, wanted: str) -> PactContent:
    """A pact whose content is told by one text."""
    return content_of("p.json", json.dumps(pact(consumer, provider, interaction(wanted))).encode())


def test_a_broker_would_answer_the_same(ledger_url: str, tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path, {"COUNTERFOIL_LEDGER": ledger_url})
    manner = settings(max_examples=12, stateful_step_count=30, deadline=None, phases=[Phase.generate])

    class HistoriesHere(Histories):
        def __init__(self) -> None:
            super().__init__(ledger)

    run_state_machine_as_test(HistoriesHere, settings=manner)
