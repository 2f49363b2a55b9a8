"""What a program makes of the payloads that a contract allows: proven, misread, rejected or unproven. Pure.

Where a value went is found by comparison: the observation of the payload differs from that of a payload with a plain
value in the same place in the leaves that the place decides. What stands there tells null read as 0 from null read as
null. A place that decides no leaf is not read (`unread`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import permutations
from typing import Final

from google.protobuf.descriptor import Descriptor

from counterfoil.allowance.declared import is_implicit
from counterfoil.allowance.edits import Edit, apply
from counterfoil.allowance.json_values import type_of
from counterfoil.allowance.payloads import Allowed, lattice
from counterfoil.allowance.requests import AllowedRequest
from counterfoil.allowance.states import Derivation, Derived, lacking, values_at
from counterfoil.core.pacts import Json, canonical
from counterfoil.model import Output
from counterfoil.probe.observation import (
    Boolean,
    Float,
    Integer,
    ListOf,
    MalformedObservationError,
    MapOf,
    MessageOf,
    Missing,
    Text,
    Tree,
    parse_observation,
    render,
)
from counterfoil.probe.outcomes import Crashed, Decoded, EncodeFailed, Outcome, Rejected, TimedOut, Unsupported
from counterfoil.probe.payloads import ABSENT, DEFAULT, NULL, VALUE

PLAIN_VALUES: Final[tuple[Json, ...]] = (1, 0.5, "a", True, {})
"""Tried in the place of an example that is null or a default itself, to find where the place is seen."""
NOTHING_AS_TEXT: Final = frozenset({Text(b"null"), Text(b"None"), Text(b"undefined")})
"""What languages write for no value where a text is wanted: nobody chose it."""
SHOWN_CHARS: Final = 60


class Result(StrEnum):
    """What is known of a place in a state, the worst first."""

    REJECTED = "rejected"
    MISREAD = "misread"
    UNPROVEN = "unproven"
    NOT_READ = "not read"
    """Ignored: the program has nothing of that name, so that nothing of it can be misread."""
    PROVEN = "proven"


SENT: Final = "sent"
"""Of a provider: it did send a place in a state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a program made of one payload. `words` go on after its name: "reads it as 0"; empty where all is well."""

    allowed: Allowed | AllowedRequest
    result: Result
    words: str = ""
    is_refusal: bool = False
    """Whether the program rejected it in so many words, and did not end, hang or break on it."""
    evidence: tuple[Output, ...] = ()

    @property
    def is_failure(self) -> bool:
        """Whether the program ended, hung or broke on it."""
        return self.result is Result.REJECTED and not self.is_refusal

    @property
    def is_about_presence(self) -> bool:
        """Whether the payload differs from the example in presence, and not in a value only."""
        return all(item.state != VALUE for item in self.allowed.items)


Outcomes = Mapping[str, Outcome]
"""What the program did with each document, by the document's canonical JSON."""


@dataclass(frozen=True, slots=True)
class Trials:
    """What to try on the reader of a body: the payloads that are allowed, each with its canonical JSON.

    `lacking`: what the example leaves out, and other examples have. `known`: the values that those have, by path.
    """

    derivation: Derivation
    payloads: tuple[tuple[Allowed, str], ...]
    lacking: tuple[Derived, ...] = ()
    known: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    declared: Descriptor | None = None
    """The reader's schema, where it names one: what it says of null and of absence is no misreading."""

    @property
    def example(self) -> str:
        """The example, as canonical JSON."""
        return canonical(self.derivation.exchange.example)

    def questions(self) -> tuple[str, ...]:
        """Every document to give to the reader, each once: what is allowed, and what the answers are held to."""
        wanted = dict.fromkeys(text for _, text in self.payloads)
        for allowed, _ in self.payloads:
            if len(allowed.items) == 1:
                item = allowed.items[0]
                asked = (*_references(self, item), *_zeros(self, item).values(), *_neighbours(self, item).values())
                wanted |= dict.fromkeys(map(canonical, asked))
        return tuple(wanted)


def trials(derivation: Derivation, others: Iterable[Json] = (), declared: Descriptor | None = None) -> Trials:
    """Every payload that is allowed, and the example once for each of its places, in the state that it has there.

    `others` are examples of what the same decoder reads elsewhere.
    """
    others = tuple(others)
    found = [(allowed, canonical(allowed.document)) for allowed in lattice(derivation)]
    example = derivation.exchange.example
    absent = tuple(lacking(example, others))
    places = [item for item in derivation.having(allowed=True) if item.is_the_example]
    of_places = [(Allowed(example, (item,)), canonical(example)) for item in (*places, *absent)]
    return Trials(derivation, (*found, *of_places), lacking=absent, known=values_at(others), declared=declared)


def judge(tried: Trials, outcomes: Outcomes) -> Iterator[Judgement]:
    """A judgement of each payload. Where the very example is rejected, only which of its places is the cause.

    Where a stub cannot be asked about the example, it can be asked nothing, which is said once.
    """
    if isinstance(outcomes.get(tried.example), Unsupported):
        yield judge_one(tried, Allowed(tried.derivation.exchange.example), tried.example, outcomes)
        return
    if isinstance(outcomes.get(tried.example), Rejected | Crashed | TimedOut):
        causes = [allowed for allowed, _ in tried.payloads if _is_cause(tried, allowed, outcomes)]
        for allowed in causes or [Allowed(tried.derivation.exchange.example)]:
            yield judge_one(tried, allowed, tried.example, outcomes)
        return
    for allowed, text in tried.payloads:
        yield judge_one(tried, allowed, text, outcomes)


def _is_cause(tried: Trials, allowed: Allowed, outcomes: Outcomes) -> bool:
    """Whether the example is read once a place that is null or default in it has a plain value."""
    if len(allowed.items) != 1 or not allowed.items[0].is_the_example:
        return False
    others = _references(tried, allowed.items[0])
    return any(isinstance(outcomes[canonical(document)], Decoded) for document in others)


def _references(tried: Trials, item: Derived) -> Iterator[Json]:
    """Documents with a plain value in a place, the example first, then what other examples have there."""
    if item.state not in {ABSENT, NULL, DEFAULT}:
        return
    example = tried.derivation.exchange.example
    yield example
    for value in (*tried.known.get(item.path, ()), *PLAIN_VALUES):
        yield apply(example, Edit(item.edit.place, value))


def _zeros(tried: Trials, item: Derived) -> dict[type, Json]:
    """Documents with 0, "" and false in the place of what is null or absent, by the type of that."""
    if item.state not in {ABSENT, NULL}:
        return {}
    example = tried.derivation.exchange.example
    return {type(zero): apply(example, Edit(item.edit.place, zero)) for zero in (0, "", False)}


def _neighbours(tried: Trials, item: Derived) -> dict[int, Json]:
    """Documents with the whole numbers next to the fraction that the example has in a place, by these."""
    value = item.edit.value
    if not item.is_the_example or not isinstance(value, float) or not math.isfinite(value) or value.is_integer():
        return {}
    example = tried.derivation.exchange.example
    return {whole: apply(example, Edit(item.edit.place, whole)) for whole in (math.floor(value), math.ceil(value))}


def judge_one(tried: Trials, allowed: Allowed, text: str, outcomes: Outcomes) -> Judgement:
    """A judgement of one payload, whose canonical JSON `text` is; `outcomes` has it and the example."""
    outcome = outcomes[text]
    match outcome:
        case Decoded(observation) | EncodeFailed(_, observation):
            return _as_read(tried, allowed, outcomes, observation)
        case Rejected(message):
            words = f"rejects it: {message[:SHOWN_CHARS]}"
            return Judgement(allowed=allowed, result=Result.REJECTED, words=words, is_refusal=True)
        case Crashed(exit_code, _):
            return Judgement(allowed=allowed, result=Result.REJECTED, words=f"ends with exit code {exit_code} on it")
        case TimedOut(after_s):
            return Judgement(allowed=allowed, result=Result.REJECTED, words=f"gives no answer to it in {after_s:g} s")
        case Unsupported(reason):
            return Judgement(allowed=allowed, result=Result.UNPROVEN, words=f"cannot be asked: {reason[:SHOWN_CHARS]}")
        case _:
            return Judgement(allowed=allowed, result=Result.UNPROVEN, words="gives an answer that is none")


def _as_read(tried: Trials, allowed: Allowed, outcomes: Outcomes, observation: bytes) -> Judgement:
    if not observation:
        return Judgement(allowed=allowed, result=Result.UNPROVEN, words="does not tell what it saw")
    if len(allowed.items) == 1:
        try:
            words = _misread(tried, allowed.items[0], outcomes, observation)
        except MalformedObservationError as why:
            return Judgement(allowed=allowed, result=Result.UNPROVEN, words=f"tells what cannot be read: {why}")
        if words:
            return Judgement(allowed=allowed, result=Result.MISREAD, words=f"reads it as {words}")
    return Judgement(allowed=allowed, result=Result.PROVEN)


def _misread(tried: Trials, item: Derived, outcomes: Outcomes, observation: bytes) -> str:
    """As what else the place was read; empty where it was read as what it is, or not at all."""
    if item.state == VALUE and type_of(item.edit.value) == "Integer" and not item.is_the_example:  # type: ignore[arg-type]  # no key was removed
        return _rounded(tried.derivation, item, outcomes, observation)
    if item.state not in {ABSENT, NULL, DEFAULT}:
        return _without_fraction(tried, item, outcomes, observation)
    seen = parse_observation(observation)
    for document in _references(tried, item):
        other = outcomes[canonical(document)]
        if isinstance(other, Decoded) and other.observation not in {b"", observation}:
            leaves = differences(parse_observation(other.observation), seen)
            return next(
                (words for _, leaf in leaves if (words := _wrong(tried, item, leaf, outcomes, observation))), ""
            )
    return ""


def _wrong(tried: Trials, item: Derived, leaf: Tree | None, outcomes: Outcomes, observation: bytes) -> str:
    """What a leaf that the place decides shows and must not, or ""."""
    nothing = _as_nothing(leaf)
    if item.state == DEFAULT:
        return nothing
    if item.state == NULL and nothing in {"absent", "undefined"}:
        return nothing if tried.declared is None else ""
    if leaf in NOTHING_AS_TEXT:
        return render(leaf)
    zero = _as_zero(leaf)
    if not zero or (item.state == ABSENT and is_implicit(tried.declared, item.edit.place)):
        return ""
    return "" if _is_told_from_zero(tried, item, leaf, outcomes, observation) else zero


def _is_told_from_zero(tried: Trials, item: Derived, leaf: Tree | None, outcomes: Outcomes, observation: bytes) -> bool:
    """Whether the program sees something else than this where 0, "" or false was sent: a flag beside it, for one."""
    kind = {Text: str, Boolean: bool}.get(type(leaf), int)
    outcome = outcomes.get(canonical(_zeros(tried, item)[kind]))
    if isinstance(outcome, Decoded) and outcome.observation:
        return not _are_alike(parse_observation(outcome.observation), parse_observation(observation))
    return isinstance(leaf, Boolean)  # Where false cannot be sent, false is a flag.


def _are_alike(one: Tree, other: Tree) -> bool:
    """Whether two observations differ in nothing but the kind of equal numbers."""
    pairs = ((_number(before), _number(after)) for before, after in differences(one, other))
    return all(before is not None and before == after for before, after in pairs)


def _rounded(derivation: Derivation, item: Derived, outcomes: Outcomes, observation: bytes) -> str:
    """A whole number that was read as another one, where the example says that whole numbers are meant."""
    example = outcomes[canonical(derivation.exchange.example)]
    if not isinstance(example, Decoded) or not _is_whole(derivation, item):
        return ""
    for before, after in differences(parse_observation(example.observation), parse_observation(observation)):
        number = _number(after)
        if _number(before) is not None and number is not None and number != item.edit.value:
            return render(after)  # type: ignore[arg-type]  # it is a number
    return ""


def _without_fraction(tried: Trials, item: Derived, outcomes: Outcomes, observation: bytes) -> str:
    """The whole number as which the fraction of the example was read: what is seen is what is seen of that number."""
    seen = {
        whole: answer.observation
        for whole, document in _neighbours(tried, item).items()
        if isinstance(answer := outcomes.get(canonical(document)), Decoded) and answer.observation
    }
    for one, other in permutations(seen, 2):
        if seen[one] == observation:
            for leaf, further in differences(parse_observation(seen[one]), parse_observation(seen[other])):
                if (_number(leaf), _number(further)) == (one, other):
                    return render(leaf)  # type: ignore[arg-type]  # it is a number
    return ""


def _is_whole(derivation: Derivation, item: Derived) -> bool:
    there: Json = derivation.exchange.example
    for step in item.edit.place:
        there = there[int(step)] if isinstance(there, list) else there[step] if isinstance(there, dict) else None
    return type_of(there) == "Integer"


def _number(leaf: Tree | None) -> float | None:
    if isinstance(leaf, Integer):
        return int(leaf.digits) if len(leaf.digits) < SHOWN_CHARS else None
    return leaf.value if isinstance(leaf, Float) else None


def differences(one: Tree, other: Tree) -> Iterator[tuple[Tree | None, Tree | None]]:
    """The pairs of leaves in which two observations differ; None where one of them has nothing."""
    if one == other:
        return
    below = _children(one), _children(other)
    if below[0] is None or below[1] is None or type(one) is not type(other) or _are_lists_of_other_lengths(one, other):
        yield one, other
        return
    for key in dict.fromkeys([*below[0], *below[1]]):
        before, after = below[0].get(key), below[1].get(key)
        if before is None or after is None:
            yield before, after
        else:
            yield from differences(before, after)


def _are_lists_of_other_lengths(one: Tree, other: Tree) -> bool:
    return isinstance(one, ListOf) and isinstance(other, ListOf) and len(one.items) != len(other.items)


def _children(tree: Tree) -> Mapping[object, Tree] | None:
    if isinstance(tree, MessageOf):
        return dict(tree.fields)
    if isinstance(tree, ListOf):
        return dict(enumerate(tree.items))
    return dict(tree.entries) if isinstance(tree, MapOf) else None


def _as_zero(leaf: Tree | None) -> str:
    """0, "", false or a type's default, in words; an empty list is how protobuf's JSON mapping reads null."""
    is_zero = isinstance(leaf, Float | Integer) and _number(leaf) == 0
    if is_zero or leaf in {Text(b""), Boolean(value=False)}:
        return render(leaf)  # type: ignore[arg-type]  # it is a leaf
    return "its default" if leaf is Missing.DEFAULT else ""


def _as_nothing(leaf: Tree | None) -> str:
    """Null, absent or undefined, in words."""
    if leaf is None:
        return "absent"
    return leaf.value if isinstance(leaf, Missing) and leaf is not Missing.DEFAULT else ""
