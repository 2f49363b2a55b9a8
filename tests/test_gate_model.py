"""The gate against an independent model, over random histories."""

from __future__ import annotations

from counterfoil.gate.broker import pact_broker_answer
from counterfoil.gate.decision import decide
from counterfoil.gate.question import Destination, LatestBy
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

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
        if self.model.exists(version):
            (self.history.end_support if ends else self.history.release)(told(version))
            self.model.events.append(Event("end support" if ends else "release", version, other=PRODUCTION))

    def teardown(self) -> None:
        """Ask everything there is to ask."""
        facts = self.history.facts()
        for asked in questions(NAMES, NUMBERS):
            texts = [told(one) for one in asked]
            in_production = question(*texts)
            assert pact_broker_answer(facts, in_production) is self.model.broker(asked, PRODUCTION)
            assert pact_broker_answer(facts, question(*texts, ignore=["b"])) is self.model.broker(
                asked, PRODUCTION, ["b"]
            )
            if len(asked) > 1:
                assert pact_broker_answer(facts, question(*texts, to=None)) is self.model.broker(asked, None)
            else:
                merge = question(*texts, to=Destination(main_branch=True), latest_by=LatestBy.CVP)
                assert pact_broker_answer(facts, merge) is self.model.broker_merge(asked[0])
            decision = decide(facts, in_production)
            assert decision.verdict == self.model.verdict(asked, PRODUCTION), (asked, decision)
            assert decision.broker.deployable or decision.verdict != "compatible", "never more lenient than a Broker"


Histories.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestHistories = Histories.TestCase
