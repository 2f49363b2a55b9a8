"""The search for divergences: phases of payloads, in batches, until nothing is left to try or the budget ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain, islice

import hypothesis
from google.protobuf.descriptor import Descriptor

from counterfoil.panel import Panel, Reading, Row
from counterfoil.probe.divergences import Divergence, KnownDivergences
from counterfoil.probe.edges import edges
from counterfoil.probe.labels import relabelled
from counterfoil.probe.lattice import lattice
from counterfoil.probe.outcomes import Unsupported
from counterfoil.probe.payloads import Payload
from counterfoil.probe.shrink import shrink
from counterfoil.probe.strategies import messages

BATCH = 512
RANDOM_EXAMPLES = 500
SHRINK_CANDIDATES = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One divergence with the smallest payload that shows it."""

    divergence: Divergence
    payload: Payload
    outcomes: Row


class Ended(Enum):
    """Why a search stopped, in words that fit after `it ended because`."""

    NOTHING_NEW = "nothing new came"
    BUDGET = "the budget was spent"
    INTERRUPTED = "it was interrupted"


@dataclass(slots=True)
class Progress:
    """How far a search came."""

    payloads: int = 0
    spent_s: float = 0.0
    ended: Ended = Ended.INTERRUPTED
    """Interrupted until the search ends by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """When to stop at the latest: after so many seconds of the clock, or after so many payloads of the phases.

    A budget in payloads alone makes a search that does not depend on the clock.
    """

    seconds: float | None = None
    examples: int | None = None
    clock: Callable[[], float] = time.monotonic

    def is_spent(self, progress: Progress) -> bool:
        """Whether to stop here."""
        out_of_time = self.seconds is not None and progress.spent_s >= self.seconds
        return out_of_time or (self.examples is not None and progress.payloads >= self.examples)


class Search:
    """Searches one message on one panel of stubs."""

    def __init__(self, panel: Panel, message: Descriptor, known: KnownDivergences) -> None:
        self.progress = Progress()
        self.silent = {stub.name for stub in panel.stubs}
        """Stubs that have not said anything yet about any payload."""
        self._panel = panel
        self._message = message
        self._known = known

    def run(self, payloads: Iterable[Payload], budget: Budget) -> Iterator[Found]:
        """Each new divergence, as soon as it is found and shrunk."""
        started = budget.clock()
        left = iter(payloads)
        while batch := list(islice(left, BATCH)):
            for reading in self._panel.judge(batch):
                yield from self._new(reading)
                self.progress.payloads += 1
                self.progress.spent_s = budget.clock() - started
                if budget.is_spent(self.progress):
                    self.progress.ended = Ended.BUDGET
                    return
        self.progress.ended = Ended.NOTHING_NEW

    def _new(self, reading: Reading) -> Iterator[Found]:
        self.silent -= {stub for stub, outcome in reading.outcomes.items() if not isinstance(outcome, Unsupported)}
        for divergence in reading.divergences:
            if self._known.explain(divergence):
                continue
            found = self._shrunk(reading, divergence)
            is_new = not self._known.explain(found.divergence)
            self._known.add(divergence)
            self._known.add(found.divergence)
            if is_new:
                yield found

    def _shrunk(self, reading: Reading, divergence: Divergence) -> Found:
        """The divergence on a smaller payload, named by what is left in it."""

        def is_still(candidates: Sequence[Payload]) -> Sequence[bool]:
            readings = self._panel.judge(candidates)
            return [divergence.signature in {one.signature for one in reading.divergences} for reading in readings]

        smallest = shrink(reading.payload, is_still, self._message, max_candidates=SHRINK_CANDIDATES)
        for payload in (relabelled(smallest, reading.payload, self._message), smallest, reading.payload):
            [judged] = self._panel.judge([payload])
            for one in judged.divergences:
                if (one.kind, one.groups) == (divergence.kind, divergence.groups):
                    return Found(divergence=one, payload=payload, outcomes=judged.outcomes)
        return Found(divergence=divergence, payload=reading.payload, outcomes=reading.outcomes)


def phases(message: Descriptor, *, seed: int, witnesses: Iterable[Payload] = ()) -> Iterator[Payload]:
    """What to try, in order: what was found before, every presence state, curated edge values, then random messages."""
    return chain(witnesses, lattice(message), edges(message), random_payloads(message, seed))


def random_payloads(message: Descriptor, seed: int, count: int = RANDOM_EXAMPLES) -> Iterator[Payload]:
    """Messages that Hypothesis makes up; the same for the same seed."""
    made: list[Payload] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(hypothesis.Phase.generate,),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(messages(message))
    def collect(payload: Payload) -> None:
        made.append(payload)

    collect()
    yield from made
