"""The gate against an independent model, over random histories."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

from counterfoil.core.pact_content import PactContent, content_of
from counterfoil.gate.broker import pact_broker_answer
from counterfoil.gate.decision import decide
from counterfoil.gate.facts import Facts, VersionRef
from counterfoil.gate.question import Destination, LatestBy, Question
from counterfoil.ledger import presences
from counterfoil.ledger.entries import Environment, Run, Verification
from counterfoil.ledger.presences import Slot
from counterfoil.ledger.recording import Recorder
from counterfoil.ledger.store import Ledger, open_ledger
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.builders import interaction, pact
from tests.gate_history import PRODUCTION, History, question
from tests.gate_model import Event, Model, Version, questions

NAMES = ("a", "b", "c")
NUMBERS = ("1", "2", "3")
INSTANCES = ("", "blue")
names, numbers, instances = st.sampled_from(NAMES), st.sampled_from(NUMBERS), st.sampled_from(INSTANCES)
versions = st.tuples(names, numbers)


def told(version: Version) -> str:
    return "@".join(version)


class Histories(RuleBasedStateMachine):
    """The same events go to a history, which the gate reads as facts, and to the model."""

    def __init__(self) -> None:
        super().__init__()
        self.history = History()
        self.model = Model()

    @rule(consumer=versions, provider=names, content=st.sampled_from("xy"))
    def publish(self, consumer: Version, provider: str, content: str) -> None:
        if consumer[0] != provider and self.history.publish(told(consumer), provider, content):
            self.model.events.append(Event("publish", consumer, other=provider, detail=content))

    @rule(data=st.data(), number=numbers, success=st.sampled_from([True, True, False]))
    def verify(self, data: st.DataObject, number: str, success: bool) -> None:  # noqa: FBT001
        published = sorted(self.model.pacts())
        if published:
            consumer, provider, content = data.draw(st.sampled_from(published))
            self.history.verify(told(consumer), f"{provider}@{number}", success=success)
            event = Event("verify", (provider, number), detail=content, consumer=consumer[0], success=success)
            self.model.events.append(event)

    @rule(version=versions, branch=st.sampled_from(["main", "master", "trunk"]))
    def put_on_branch(self, version: Version, branch: str) -> None:
        self.history.version(told(version), branch=branch)
        self.model.events.append(Event("branch", version, other=branch))

    @rule(version=versions, instance=instances)
    def deploy(self, version: Version, instance: str) -> None:
        if self.model.exists(version):
            self.history.deploy(told(version), instance=instance or None)
            self.model.events.append(Event("deploy", version, other=PRODUCTION, detail=instance))

    @rule(name=names, instance=instances)
    def undeploy(self, name: str, instance: str) -> None:
        self.history.undeploy(name, instance=instance or None)
        if any(slot == (name, f"instance {instance}") for slot in self.model.live(PRODUCTION)):
            version = self.model.live(PRODUCTION)[name, f"instance {instance}"]
            self.model.events.append(Event("undeploy", version, other=PRODUCTION, detail=instance))

    @rule(version=versions, ends=st.booleans())
    def release(self, version: Version, ends: bool) -> None:  # noqa: FBT001
        is_released = (version[0], f"release {version[1]}") in self.model.live(PRODUCTION)
        if self.model.exists(version) and is_released is ends:
            (self.history.end_support if ends else self.history.release)(told(version))
            self.model.events.append(Event("end support" if ends else "release", version, other=PRODUCTION))

    def check(self, facts: Facts, asked: Sequence[Version], suffix: str = "") -> None:
        """Hold the gate's answers on these facts against the model's; `suffix` ends the names in the facts."""
        texts = [f"{name}{suffix}@{number}" for name, number in asked]
        environment = f"{PRODUCTION}{suffix}"
        in_production = question(*texts, to=environment)
        assert pact_broker_answer(facts, in_production) is self.model.broker(asked, PRODUCTION)
        ignoring = question(*texts, to=environment, ignore=[f"b{suffix}"])
        assert pact_broker_answer(facts, ignoring) is self.model.broker(asked, PRODUCTION, ["b"])
        decision = decide(facts, in_production)
        assert decision.verdict == self.model.verdict(asked, PRODUCTION), (asked, decision)
        assert decision.broker.deployable or decision.verdict != "compatible", "never more lenient than a Broker"


def merging(text: str) -> Question:
    return question(text, to=Destination(main_branch=True), latest_by=LatestBy.CVP)


class HistoriesInMemory(Histories):
    """Asks everything there is to ask, at the end of each history."""

    def teardown(self) -> None:
        facts = self.history.facts()
        for asked in questions(NAMES, NUMBERS):
            self.check(facts, asked)
            texts = [told(one) for one in asked]
            if len(asked) > 1:
                assert pact_broker_answer(facts, question(*texts, to=None)) is self.model.broker(asked, None)
            else:
                assert pact_broker_answer(facts, merging(*texts)) is self.model.broker_merge(asked[0])


class HistoriesInLedger(Histories):
    """Records the events in a real ledger, under names of this history's own, and asks in between."""

    count = itertools.count()

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger
        self.suffix = f"-{next(self.count)}"
        self.recorded = 0
        with ledger.recording(Run(command="test")) as recorder:
            recorder.environment(
                Environment(name=f"{PRODUCTION}{self.suffix}", display_name=self.suffix, production=True)
            )
            for name in NAMES:
                recorder.participant(f"{name}{self.suffix}")

    @rule(asked=st.one_of(st.tuples(versions), st.tuples(versions, versions).filter(lambda two: two[0][0] < two[1][0])))
    def ask(self, asked: tuple[Version, ...]) -> None:
        with self.ledger.recording(Run(command="test")) as recorder:
            for event in self.model.events[self.recorded :]:
                self._record(recorder, event)
        self.recorded = len(self.model.events)
        texts = [f"{name}{self.suffix}@{number}" for name, number in asked]
        self.check(self.ledger.facts(question(*texts, to=f"{PRODUCTION}{self.suffix}")), asked, self.suffix)
        if len(asked) == 1:
            facts = self.ledger.facts(merging(*texts))
            assert pact_broker_answer(facts, merging(*texts)) is self.model.broker_merge(asked[0])
        else:
            facts = self.ledger.facts(question(*texts, to=None))
            assert pact_broker_answer(facts, question(*texts, to=None)) is self.model.broker(asked, None)

    def _record(self, recorder: Recorder, event: Event) -> None:
        version = VersionRef(event.version[0] + self.suffix, event.version[1])
        slot = Slot(
            participant=version.participant, environment=f"{event.other}{self.suffix}", instance=event.detail or None
        )
        match event.kind:
            case "publish":
                recorder.pact(version.number, content(version.participant, event.other + self.suffix, event.detail))
            case "verify":
                body = content(event.consumer + self.suffix, version.participant, event.detail).body
                tried = Verification(consumer=event.consumer + self.suffix, content=body, success=event.success)
                recorder.verification(version, tried)
            case "branch":
                recorder.version(version, branch=event.other)
            case "deploy":
                presences.deploy(recorder, slot, version.number)
            case "undeploy":
                presences.undeploy(recorder, slot)
            case _:
                presences.release(recorder, slot, version.number, live=event.kind == "release")


def content(consumer: str, provider: str, detail: str) -> PactContent:
    """A pact whose content is told by one text."""
    return content_of("p.json", json.dumps(pact(consumer, provider, interaction(detail))).encode())


HistoriesInMemory.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestHistoriesInMemory = HistoriesInMemory.TestCase


def test_histories_in_a_ledger(ledger_url: str, tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path, {"COUNTERFOIL_LEDGER": ledger_url})
    manner = settings(max_examples=10, stateful_step_count=25, deadline=None, phases=[Phase.generate])

    class Histories(HistoriesInLedger):
        def __init__(self) -> None:
            super().__init__(ledger)

    run_state_machine_as_test(Histories, settings=manner)
