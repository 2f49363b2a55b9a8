"""The search for divergences: phases of payloads, in batches, until nothing is left to try or the budget ends."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import chain, count, islice

import hypothesis
from google.protobuf.descriptor import Descriptor

from counterfoil.probe.differences import Groups
from counterfoil.probe.divergences import FAULTS, Divergence, DivergenceClass, KnownDivergences, primary
from counterfoil.probe.edges import edges
from counterfoil.probe.labels import relabelled
from counterfoil.probe.lattice import lattice
from counterfoil.probe.outcomes import Unsupported
from counterfoil.probe.payloads import DOCUMENT, RANDOM, Encoding, Payload, Phase
from counterfoil.probe.shrink import BATCH as SHRUNK_AT_ONCE
from counterfoil.probe.shrink import shrink
from counterfoil.probe.strategies import messages
from counterfoil.probe.surroundings import surroundings
from counterfoil.probing.panel import Panel, Reading, Row

BATCH = 512
RANDOM_EXAMPLES = 100
"""Made up at a time, so that the first are tried before all are made."""
SEEDS_APART = 1_000_003
QUIET_PAYLOADS = 500
SHRINK_CANDIDATES = 600
FAULT_SHOWINGS = 15
"""So often a payload that ends a stub, or lets it hang, is shown in a smaller one: it costs a restart or a deadline."""
TIMEOUT_SHOWINGS = 6
"""Of those that let it hang: half of what a stub may before it is given up."""
FAULTS_FOLLOWED = 3
REVIVALS = 4
"""So often a search lets stubs that died often live on, to see with fewer fields what they die of."""
FOLLOWED = 64
"""So many fruitless attempts are made to trace a kind of divergence before they become rare."""


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
    patience: int = QUIET_PAYLOADS
    """So many random payloads without news end a search as well."""
    clock: Callable[[], float] = time.monotonic

    def batch(self, progress: Progress) -> int:
        """How many payloads to take next."""
        return BATCH if self.examples is None else min(BATCH, max(1, self.examples - progress.payloads))

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
        self._fruitless: Counter[tuple[DivergenceClass, Encoding, Groups]] = Counter()
        self._revivals_left = REVIVALS
        self._is_out_of_time: Callable[[], bool] = lambda: False

    def run(self, payloads: Iterable[Payload], budget: Budget) -> Iterator[Found]:
        """Each new divergence, as soon as it is found and shrunk. Random payloads are tried while they tell news."""
        progress, started_s = self.progress, budget.clock()
        self._is_out_of_time = lambda: budget.seconds is not None and budget.clock() - started_s >= budget.seconds
        left, quiet = iter(payloads), 0
        while batch := list(islice(left, budget.batch(progress))):
            for reading in self._panel.judge(batch):
                quiet += reading.payload.phase == Phase.RANDOM
                for found in self._new(reading):
                    quiet = 0
                    yield found
                progress.payloads += 1
                progress.spent_s = budget.clock() - started_s
                if budget.is_spent(progress):
                    progress.ended = Ended.BUDGET
                    return
            if quiet >= budget.patience:
                break
        progress.ended = Ended.NOTHING_NEW

    def _new(self, reading: Reading) -> Iterator[Found]:
        self.silent -= {stub for stub, outcome in reading.outcomes.items() if not isinstance(outcome, Unsupported)}
        for divergence in reading.divergences:
            if self._known.explain(divergence) or not self._is_worth_it(divergence):
                continue
            names = self._traced(reading, divergence)
            is_new = not any(self._known.explain(one.divergence) for one in names)
            for one in (divergence, *(found.divergence for found in names)):
                self._known.add(one)
            if names and is_new:
                self._fruitless = Counter({kind: n for kind, n in self._fruitless.items() if kind[0] in FAULTS})
                yield names[-1]

    def _is_worth_it(self, divergence: Divergence) -> bool:
        """Where following one kind of divergence led to nothing new many times, it is followed ever more rarely."""
        kind = (divergence.kind, divergence.encoding, divergence.groups)
        self._fruitless[kind] += 1
        count = self._fruitless[kind]
        return count <= (FAULTS_FOLLOWED if divergence.kind in FAULTS else FOLLOWED) or count & (count - 1) == 0

    def _traced(self, reading: Reading, divergence: Divergence) -> list[Found]:
        """The divergence on the smallest payload, under each of its names; empty where a field beside shows it too."""
        if divergence.kind is DivergenceClass.CRASH and self._revivals_left:
            self._revivals_left -= self._panel.revive()
        around = surroundings(reading.payload, self._message)
        if around is not None:
            [beside] = self._panel.judge([around])
            same = next((one for one in beside.divergences if _is_still(divergence, one)), None)
            if same is not None and self._known.explain(same):
                return []
            if same is not None:
                reading, divergence = beside, same
        return self._shrunk(reading, divergence)

    def _shrunk(self, reading: Reading, divergence: Divergence) -> list[Found]:
        is_fault = divergence.kind in FAULTS
        bound = TIMEOUT_SHOWINGS if divergence.kind is DivergenceClass.TIMEOUT else FAULT_SHOWINGS
        showings = 0

        def show_it(candidates: Sequence[Payload]) -> Sequence[bool]:
            nonlocal showings
            if self._is_out_of_time() or (is_fault and showings >= bound):
                return [False] * len(candidates)
            if divergence.kind is DivergenceClass.CRASH:
                for candidate in candidates:
                    self._panel.insist(candidate)
            readings = self._panel.judge(candidates)
            shown = [any(_is_still(divergence, one) for one in reading.divergences) for reading in readings]
            showings += sum(shown)
            return shown

        smallest = shrink(
            reading.payload,
            show_it,
            self._message,
            max_candidates=SHRINK_CANDIDATES,
            batch=1 if is_fault else SHRUNK_AT_ONCE,
        )
        names = []
        for payload in _named(smallest, reading.payload, self._message):
            [judged] = self._panel.judge([payload])
            main = primary(divergence, judged.divergences)
            if main is not None:
                names.append(Found(divergence=main, payload=payload, outcomes=judged.outcomes))
        return names or [Found(divergence=divergence, payload=reading.payload, outcomes=reading.outcomes)]


def _named(smallest: Payload, original: Payload, message: Descriptor) -> list[Payload]:
    """The payload named by its looks, if it has any, then by what the original was made for."""
    looks = relabelled(replace(smallest, path="", kind=DOCUMENT, state=RANDOM), None, message)
    named = relabelled(smallest, original, message)
    return [named] if looks.state == RANDOM else [looks, named]


def _is_still(sought: Divergence, found: Divergence) -> bool:
    """Whether a smaller payload shows the same, or its cause, of the same stubs and perhaps of others too."""
    if found.is_of_anything != sought.is_of_anything:
        return False
    return found.kind in {sought.kind, DivergenceClass.ORDER} and found.apart >= sought.apart


def phases(message: Descriptor, *, seed: int, witnesses: Iterable[Payload] = ()) -> Iterator[Payload]:
    """What to try, in order: what was found before, every presence state, curated edge values, then random messages.

    Of the last there is no end: the search stops when they tell nothing new.
    """
    return chain(witnesses, lattice(message), edges(message), random_payloads(message, seed))


def random_payloads(message: Descriptor, seed: int) -> Iterator[Payload]:
    """Messages that Hypothesis makes up, without end; the same for the same seed."""
    for turn in count():
        made: list[Payload] = []

        @hypothesis.seed(seed * SEEDS_APART + turn)
        @hypothesis.settings(
            max_examples=RANDOM_EXAMPLES,
            database=None,
            deadline=None,
            phases=(hypothesis.Phase.generate,),
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(messages(message))
        def collect(payload: Payload) -> None:
            made.append(payload)  # noqa: B023 - called in this turn alone

        collect()
        yield from made
