"""What a deployment would mean, told a second time: from the list of events alone, by asking about every pair there is.

Written from the rules of docs/gate.md and without anything of `counterfoil.gate`, so that the two can be held against
each other. Slow on purpose: no index, no selector, every question is a scan over all events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

Version = tuple[str, str]
"""Participant and number."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; which texts it has depends on its kind."""

    kind: str
    version: Version
    other: str = ""
    """The provider of a pact, an environment, a branch."""
    detail: str = ""
    """A content, an instance."""
    consumer: str = ""
    success: bool = False


@dataclass(slots=True)
class Model:
    """A list of events, and what follows from it."""

    events: list[Event] = field(default_factory=list)

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    def exists(self, version: Version) -> bool:
        return any(event.version == version for event in self.events)

    def pacts(self) -> set[tuple[Version, str, str]]:
        return {(event.version, event.other, event.detail) for event in self.of("publish")}

    def live(self, environment: str) -> dict[tuple[str, str], Version]:
        """What is in each slot: (participant, instance), or a slot of its own for each release."""
        slots: dict[tuple[str, str], Version] = {}
        for event in self.events:
            participant, number = event.version
            if event.other != environment:
                continue
            if event.kind == "deploy":
                slots[participant, f"instance {event.detail}"] = event.version
            elif event.kind == "undeploy":
                slots.pop((participant, f"instance {event.detail}"), None)
            elif event.kind == "release":
                slots[participant, f"release {number}"] = event.version
            elif event.kind == "end support":
                slots.pop((participant, f"release {number}"), None)
        return slots

    def result(self, consumer: str, content: str, provider: Version) -> bool | None:
        last = None
        for event in self.of("verify"):
            if (event.consumer, event.detail, event.version) == (consumer, content, provider):
                last = event.success
        return last

    def main_head(self, participant: str) -> Version | None:
        """The version that came last, for the first time, to the first branch named develop, main or master."""
        added = [event for event in self.of("branch") if event.version[0] == participant]
        mains = [event.other for event in added if event.other in {"develop", "main", "master"}]
        firsts: list[Version] = []
        for event in added:
            if event.other in mains[:1] and event.version not in firsts:
                firsts.append(event.version)
        return firsts[-1] if firsts else None

    # --- what a Broker says ------------------------------------------------------------------------------------------

    def broker(self, asked: Sequence[Version], environment: str | None, ignored: Iterable[str] = ()) -> bool | None:
        """With an environment: against what is live there. Without: among the versions alone."""
        there = set(self.live(environment).values()) if environment else set()
        return self._broker(asked, there, set(ignored), among_named=environment is None)

    def broker_merge(self, asked: Version) -> bool | None:
        """Against the head of each main branch."""
        names = {event.version[0] for event in self.events} | {event.other for event in self.of("publish")}
        heads = {head for name in names if (head := self.main_head(name))}
        return self._broker([asked], heads, set())

    def _broker(
        self, asked: Sequence[Version], there: set[Version], ignored: set[str], *, among_named: bool = False
    ) -> bool | None:
        names = {name for name, _ in asked}
        if any(not self.exists(one) and one[0] not in ignored for one in asked):
            return False
        present = set(asked) | {one for one in there if one[0] not in names}
        answers: list[bool | None] = []
        for consumer, provider, content in self.pacts():
            concerned = consumer in asked or provider in names
            if consumer not in present or not concerned or {consumer[0], provider} & ignored:
                continue
            if among_named and provider not in names:
                continue
            results = [self.result(consumer[0], content, one) for one in present if one[0] == provider]
            answers += [one for one in results if one is not None] or [None]
        if None in answers:
            return None
        return False not in answers

    # --- what we say -------------------------------------------------------------------------------------------------

    def verdict(self, asked: Sequence[Version], environment: str) -> str:
        """`compatible`, `broken` or `unproven`."""
        if not all(self.exists(one) for one in asked):
            return "unproven"
        orders = [self._order(order, environment) for order in permutations(asked)]
        finals = {order[-1] for order in orders}
        assert len(finals) == 1, "the end does not depend on the order"
        best = min((_worst(order) for order in orders), key=_BAD.index)
        return _worst([finals.pop(), best])

    def _order(self, order: Sequence[Version], environment: str) -> list[str]:
        """The verdict while each version is rolled out, beside the one that it replaces, and that of the end."""
        slots = dict(self.live(environment))
        verdicts = []
        for new in order:
            beside = {*slots.values(), new}
            verdicts.append(self._state(beside, {new, *order[: order.index(new)]}, underway=True))
            slots[new[0], "instance "] = new
        return [*verdicts, self._state(set(slots.values()), set(order))]

    def _state(self, present: set[Version], new: set[Version], *, underway: bool = False) -> str:
        """Whether every pair of which one end is new is proven; what was there before is none of our business.

        At the end nobody may miss a provider; on the way there, whoever is the first of a system to come does.
        """
        verdicts = []
        for consumer, provider, content in self.pacts():
            providers = {one for one in present if one[0] == provider}
            if consumer in present:
                if consumer in new and not providers and not underway:
                    verdicts.append("unproven")
                pairs = [one for one in providers if {consumer, one} & new]
                verdicts += [_WORDS[self.result(consumer[0], content, one)] for one in pairs]
        return _worst(verdicts)


_BAD = ["compatible", "unproven", "broken"]
_WORDS: Mapping[bool | None, str] = {True: "compatible", False: "broken", None: "unproven"}


def _worst(verdicts: Iterable[str]) -> str:
    return max(verdicts, key=_BAD.index, default="compatible")


def questions(names: Sequence[str], numbers: Sequence[str]) -> Iterator[tuple[Version, ...]]:
    """Every version alone, and every two of different participants."""
    versions = [(name, number) for name in names for number in numbers]
    yield from ((one,) for one in versions)
    yield from ((one, other) for one in versions for other in versions if one[0] < other[0])
