"""What judgements make of the null matrix, and which of them are findings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from counterfoil.allowance.edits import EXTRA
from counterfoil.allowance.reading import Judgement, Result
from counterfoil.allowance.states import Derived
from counterfoil.allowance.unread import Unread
from counterfoil.core.pacts import Interaction, Pact
from counterfoil.core.rules import finding
from counterfoil.model import Finding, Output, StateSeen
from counterfoil.probe.payloads import ABSENT, VALUE

WORST_FIRST: Final = tuple(Result)
RULES: Final = {
    Result.REJECTED: "STATE_REJECTED",
    Result.MISREAD: "STATE_MISREAD",
    Result.UNPROVEN: "STATE_NOT_READ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of an interaction, who sends it, and who has to read it. `name` is request, response or message."""

    pact: Pact
    interaction: Interaction
    name: str
    sender: str
    reader: str
    failure: str = "STATE_REJECTED"
    """The rule of what the reader ends, hangs or breaks on."""

    def subject(self, place: str) -> str:
        """What findings about a place of it are about."""
        return f"{self.pact.pair}::{self.name} {place}"

    def cell(self, path: str, state: str, result: Result) -> StateSeen:
        """A cell of the null matrix."""
        field = f"{self.name} {path}"
        return StateSeen(contract=self.pact.pair, field=field, participant=self.reader, state=state, result=result)


def cells(
    part: Part, judgements: Sequence[Judgement], undecided: Iterable[Derived], left_out: Iterable[str] = ()
) -> Iterator[StateSeen]:
    """What became of each field in each state, the worst where several payloads show it.

    A value that is rejected for itself, such as a price of -1, leaves its field proven in the state "value". What the
    example leaves out, and other interactions have, is absent in it.
    """
    worst: dict[tuple[str, str], Result] = {}
    tolerated = _tolerated(judgements)
    for judgement in judgements:
        for item in judgement.allowed.items if len(judgement.allowed.items) == 1 else ():
            is_for_itself = item.state == VALUE and not item.is_the_example
            if judgement.is_refusal and (is_for_itself or item.path in tolerated):
                continue
            key = (item.path, item.state)
            worst[key] = min(worst.get(key, Result.PROVEN), judgement.result, key=WORST_FIRST.index)
    for item in undecided:
        if item.state not in {VALUE, EXTRA}:
            worst[item.path, item.state] = Result.UNPROVEN
    of_example = [one.result for one in judgements if all(item.is_the_example for item in one.allowed.items)]
    for path in left_out if of_example else ():
        worst[path, ABSENT] = min(of_example, key=WORST_FIRST.index)
    for (path, state), result in worst.items():
        yield part.cell(path, state, result)


def findings(part: Part, judgements: Sequence[Judgement]) -> Iterator[Finding]:
    """Each field and state once; a pair only where neither of its parts is a finding by itself."""
    told: set[tuple[str, str]] = set()
    tolerated = _tolerated(judgements)
    for judgement in sorted(judgements, key=lambda one: not one.is_failure):
        places_told = {item.path for item in judgement.allowed.items}
        if judgement.result is Result.PROVEN or (judgement.is_refusal and places_told & tolerated):
            continue
        keys = {(item.path, item.state) for item in judgement.allowed.items} or {("$", VALUE)}
        if keys & told:
            continue
        told |= keys
        yield _finding(part, judgement)


def not_derived(part: Part, undecided: Iterable[Derived], whole: str) -> Iterator[Finding]:
    """What is not known to be allowed or not: presence states of a place, and `whole`: why not all of it, or ""."""
    reasons = {item.path: item.reason for item in undecided if item.state not in {VALUE, EXTRA}}
    if whole:
        reasons["$"] = whole
    for path, reason in reasons.items():
        yield finding(
            "BODY_NOT_DERIVED",
            part.subject(path),
            f"what '{part.interaction.description}' allows at {path} of the {part.name} is not known: {reason}",
            fix="use a matcher that is modelled (docs/null-contracts.md), or waive this",
            location=part.pact.locate(part.interaction),
        )


def with_unread(cells: Iterable[StateSeen], missed: Iterable[Unread]) -> Iterator[StateSeen]:
    """The cells, of which those are not proven whose field is not read at all."""
    kinds = {one.path: Result.NOT_READ if one.is_ignored else Result.UNPROVEN for one in missed}
    for cell in cells:
        kind = kinds.get(cell.field.partition(" ")[2])
        yield replace(cell, result=kind) if kind and cell.result == Result.PROVEN and cell.state != EXTRA else cell


def not_read(part: Part, missed: Iterable[Unread]) -> Iterator[Finding]:
    """Fields that are read as the very same whatever is sent, each once."""
    for one in missed:
        if one.is_ignored or not one.is_leaf:
            continue
        yield finding(
            RULES[Result.UNPROVEN],
            part.subject(one.path),
            f"{part.reader} reads the same whatever {part.sender} sends as `{one.path}`, so nothing is proven of it",
            fix=f"let the stub of {part.reader} give the value that was decoded; where {part.reader} does not use the "
            f"field, leave it out of what the stub gives, or of {part.pact.consumer}'s contract",
            location=part.pact.locate(part.interaction),
        )


def _tolerated(judgements: Sequence[Judgement]) -> frozenset[str]:
    """Where a further key is accepted with some value, so that what was rejected is its value and not its presence."""
    return frozenset(
        judgement.allowed.items[0].path
        for judgement in judgements
        if len(judgement.allowed.items) == 1
        and judgement.allowed.items[0].state == EXTRA
        and judgement.result is not Result.REJECTED
    )


def _finding(part: Part, judgement: Judgement) -> Finding:
    what = " and ".join(f"`{item.path}: {item.edit}`" for item in judgement.allowed.items) or "its very example"
    rule = part.failure if judgement.is_failure else RULES[judgement.result]
    if judgement.is_refusal and not judgement.is_about_presence:
        rule = "VALUE_REJECTED"
    fields = " + ".join(f"{item.path} {item.state}" for item in judgement.allowed.items) or "$ value"
    grounds = Output(label="allowed by", lines=tuple(map(_ground, judgement.allowed.items)))
    return finding(
        rule,
        part.subject(fields),
        f"the contract lets {part.sender} send {what}; {part.reader} {judgement.words}",
        fix=_fix(part, judgement),
        location=part.pact.locate(part.interaction),
        evidence=(Output(label="payload", lines=judgement.allowed.lines), grounds, *judgement.evidence),
    )


def _ground(item: Derived) -> str:
    rule = f"the matching rule at {item.rule}, " if item.rule else ""
    return f"{item.path}: {rule}{item.clause}"


def _fix(part: Part, judgement: Judgement) -> str:
    if judgement.result is Result.UNPROVEN:
        return f"see what the stub of {part.reader} says to the payload"
    if judgement.is_failure and part.failure != RULES[Result.REJECTED]:
        return f"let {part.reader} answer it; with a refusal, if need be, and a narrower matcher in the contract"
    return f"let {part.reader} read it as what it is, or narrow the matcher in {part.pact.consumer}'s contract test"
