"""One decoder of a service stub, given everything that contracts allow: the lattice, then what Hypothesis makes up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from counterfoil.allowance import paths
from counterfoil.allowance.edits import EXTRA
from counterfoil.allowance.payloads import Allowed
from counterfoil.allowance.random_payloads import random_payloads
from counterfoil.allowance.reading import Judgement, Result, Trials, judge, judge_one
from counterfoil.allowance.shrinking import smaller
from counterfoil.allowance.states import Derived
from counterfoil.allowance.unread import Unread, doubts, read_paths, unread
from counterfoil.core.pacts import canonical
from counterfoil.probe.outcomes import Decoded, Outcome, OutputFormat
from counterfoil.probe.payloads import VALUE, Encoding, Payload
from counterfoil.probe.stub_protocol import Asking
from counterfoil.probing.stubs import Stub

RANDOM_EXAMPLES = 25
"""Payloads that are made up for a body in which a matching rule holds that no body before had."""
BATCH = 8
MAX_SHRINKING = 300
"""Smaller payloads that are tried for each that is not read as what it is."""
MAX_FAULTS = 30
"""The same where each may cost a restart, or a deadline."""


class DecoderTrial:
    """Asks one decoder about bodies, one after another."""

    def __init__(self, stub: Stub, message: str) -> None:
        self._stub = stub
        self._asking = Asking(
            message_type=message, lane=stub.command.lane, output_format=OutputFormat.NONE, observe=True
        )
        self._rules: set[str] = set()
        self._read: set[str] = set()

    def judgements(self, tried: Trials) -> tuple[list[Judgement], tuple[Unread, ...]]:
        """A judgement of each payload of the lattice, and of those made up that are not read as what they are.

        Beside them the places that are not read at all.
        """
        outcomes = self._ask(tried.questions())
        while further := doubts(tried, outcomes, self._read):
            outcomes |= self._ask(further)
        self._read |= read_paths(tried, outcomes)
        found = list(judge(tried, outcomes))
        if isinstance(outcomes.get(tried.example), Decoded) and self._is_new(tried):
            found += self._made_up(tried, outcomes, found)
        return found, unread(tried, outcomes, self._read)

    def _is_new(self, tried: Trials) -> bool:
        """Whether a matching rule holds in a body that held in none before, so that there is more to make up."""
        rules = {repr(entry) for entry in tried.derivation.exchange.matching.rules.by_path}
        is_new = not self._rules or not rules <= self._rules
        self._rules |= rules
        return is_new

    def _ask(self, documents: Iterable[str]) -> dict[str, Outcome]:
        asked = list(documents)
        questions = (
            self._asking.about(number, json_payload(document.encode("utf-8", "surrogatepass")))
            for number, document in enumerate(asked, start=1)
        )
        return dict(zip(asked, self._stub.ask(questions), strict=True))

    def _made_up(self, tried: Trials, outcomes: dict[str, Outcome], found: Sequence[Judgement]) -> Iterator[Judgement]:
        """What is told of a place and state already is not tried again: each may cost a restart of the stub."""
        told = {key for one in found if one.result is not Result.PROVEN for key in _keys(one.allowed.items)}
        left = list(random_payloads(tried.derivation.exchange, RANDOM_EXAMPLES))
        while left:
            batch, left = left[:BATCH], left[BATCH:]
            for judgement in self._judged(tried, outcomes, [one for one in batch if not _keys(one.items) & told]):
                if judgement.result is not Result.PROVEN and not _keys(judgement.allowed.items) & told:
                    smallest = self._shrunk(tried, outcomes, judgement)
                    told |= _keys(smallest.allowed.items)
                    yield smallest

    def _judged(self, tried: Trials, outcomes: dict[str, Outcome], payloads: Sequence[Allowed]) -> list[Judgement]:
        texts = [canonical(one.document) for one in payloads]
        outcomes |= self._ask(dict.fromkeys(text for text in texts if text not in outcomes))
        return [judge_one(tried, one, text, outcomes) for one, text in zip(payloads, texts, strict=True)]

    def _shrunk(self, tried: Trials, outcomes: dict[str, Outcome], judgement: Judgement) -> Judgement:
        """The judgement of the smallest payload that fares alike; what ends or hangs the stub is asked one by one."""
        at_once, asked = (1, MAX_FAULTS) if judgement.is_failure else (BATCH, MAX_SHRINKING)
        candidates = smaller(tried.derivation.exchange, judgement.allowed)
        while asked > 0 and (batch := list(islice(candidates, at_once))):
            asked -= len(batch)
            alike = (
                one
                for one in self._judged(tried, outcomes, batch)
                if (one.result, one.is_refusal) == (judgement.result, judgement.is_refusal)
            )
            if (following := next(alike, None)) is not None:
                judgement = following
                candidates = smaller(tried.derivation.exchange, judgement.allowed)
        return judgement


def _keys(items: Iterable[Derived]) -> frozenset[tuple[str, str]]:
    """Under which findings are told once; further keys of one object are all the same."""
    return frozenset(
        (paths.shown(item.edit.place[:-1], generalised=True) if item.state == EXTRA else item.path, item.state)
        for item in items
    )


def json_payload(data: bytes) -> Payload:
    """A document as stubs take it."""
    return Payload(encoding=Encoding.JSON, data=data, path="", kind="document", state=VALUE, phase="nulls")
