"""What a reader should know beside the reasons: where a Pact Broker would answer otherwise, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator

from counterfoil.gate.decision import Decision
from counterfoil.gate.rollout import Precedence
from counterfoil.model import Verdict

PACT_RULES = frozenset({"VERIFICATION_FAILED", "VERIFICATION_MISSING", "PROVIDER_NOT_DEPLOYED"})
BROKER_VERDICTS = {True: Verdict.COMPATIBLE, False: Verdict.BROKEN, None: Verdict.UNPROVEN}
BROKER_WORDS = {True: "yes", False: "no", None: "unknown"}


def of(decision: Decision) -> tuple[str, ...]:
    """All notes, the most important first."""
    return (*_difference(decision), *_order(decision), *_left_out(decision), *_nothing(decision))


def _difference(decision: Decision) -> Iterator[str]:
    answer, verdict = decision.broker.deployable, decision.verdict
    if BROKER_VERDICTS[answer] is not verdict:
        yield f"A Pact Broker would answer {BROKER_WORDS[answer]}: {_why(decision)}."


def _why(decision: Decision) -> str:
    rules = {reason.rule for reason in decision.reasons}
    if decision.broker.missing:
        return "it takes a version that nobody recorded for one that fails"
    if decision.verdict is Verdict.BROKEN and decision.broker.deployable is None:
        hidden = "a missing result hides a failed one from it"
        return hidden if "VERIFICATION_FAILED" in rules else "it knows pacts only"
    if rules & PACT_RULES:
        return "it does not notice a version without a result beside another that has one, nor what stays live"
    if rules & {"ROLLOUT_BROKEN", "ROLLOUT_UNPROVEN"}:
        return "it does not ask what runs side by side while several versions are deployed"
    return "it knows pacts only"


def _order(decision: Decision) -> Iterator[str]:
    rollout = decision.rollout
    if not rollout or not rollout.order or not rollout.precedences:
        return
    order = ", then ".join(map(str, rollout.order))
    kept = [one for one in rollout.precedences if rollout.order.index(one.first) < rollout.order.index(one.second)]
    yield f"Deploy in this order: {order}; {'; '.join(map(_cause, kept))}."
    if len(kept) < len(rollout.precedences):
        yield "They need each other, and none of them is there yet: until all are, the first will miss the others."


def _cause(one: Precedence) -> str:
    if one.is_first_deployment:
        return f"{one.second} needs {one.first.participant} to be there"
    return f"the other way round, {one.reasons[0].message}"


def _left_out(decision: Decision) -> Iterator[str]:
    ignored = sum(row.ignored for row in decision.pairs)
    if ignored:
        names = ", ".join(
            one.participant if one.number is None else f"{one.participant} {one.number}"
            for one in decision.question.ignored
        )
        yield f"{ignored} {'pair' if ignored == 1 else 'pairs'} not counted, because of --ignore {names}."


def _nothing(decision: Decision) -> Iterator[str]:
    if not decision.pairs and not decision.flows and decision.verdict is Verdict.COMPATIBLE:
        yield "Nothing there exchanges anything with it, as far as is recorded."
