"""Matching rules by which a pact passes for another reason than its author thinks. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from counterfoil.allowance import paths
from counterfoil.allowance.exchanges import Exchange, exchanges
from counterfoil.allowance.json_values import is_number, type_of
from counterfoil.allowance.matchers import Kind, Selected
from counterfoil.allowance.matching import Matching
from counterfoil.allowance.paths import Steps
from counterfoil.allowance.scalars import admits
from counterfoil.allowance.states import MAX_PLACES, places
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Interaction, Json, Pact, canonical
from counterfoil.core.rules import finding
from counterfoil.model import Finding

MAX_SAFE = 2**53
"""Beyond it neighbouring integers are the same binary64, the only number of JavaScript."""
ANYTHING: tuple[Json, ...] = (None, False, True, 0, 1.5, "", "a")
"""Whoever accepts all of these accepts every single value."""
NO_TEXT: tuple[Json, ...] = (None, 0)

KNOW_INTEGERS = ("3", "4")
"""Versions of Pact's specification that have a matcher for whole numbers; V2 has `type` and `regex` alone."""

Said = tuple[str, str, str]
"""A rule, a sentence about the place, and what to do."""


def lint_matchers(pact: Pact) -> Iterator[Finding]:
    """What makes a green verification prove less than it seems to; each kind of place once, where it first occurs."""
    said: dict[tuple[str, str], list[tuple[Interaction, Said]]] = {}
    for interaction in pact.interactions:
        for exchange in exchanges(interaction):
            if isinstance(exchange, Exchange):
                for place, one in _of_exchange(pact, exchange):
                    said.setdefault((one[0], f"{exchange.part} {place}"), []).append((interaction, one))
    for (rule, place), found in said.items():
        interaction, (_, sentence, fix) = found[0]
        others = len({id(one) for one, _ in found}) - 1
        more = f"; {others} other interactions have it too" if others > 1 else "; so does another one" if others else ""
        yield finding(
            rule,
            f"{pact.pair}::{place}",
            f"'{interaction.description}', {place}: {sentence}{more}",
            fix=fix,
            location=pact.locate(interaction),
        )


def _of_exchange(pact: Pact, exchange: Exchange) -> Iterator[tuple[str, Said]]:
    for place, example in list(places(exchange.example))[:MAX_PLACES]:
        for said in _of_place(pact, exchange.matching, place, example):
            yield paths.shown(place, generalised=True), said


def _of_place(pact: Pact, matching: Matching, place: Steps, example: Json) -> Iterator[Said]:
    try:
        selected = matching.rules.at(place)
    except UndecidedError as why:
        yield (
            "MATCHERS_OF_SAME_WEIGHT",
            f"{why}; which of them counts is left to chance",
            "write the matching rule at the very path of the value, without wildcards",
        )
        return
    if selected is not None:
        yield from _of_rules(pact, selected, example)
    if type_of(example) == "Integer" and isinstance(example, int) and abs(example) > MAX_SAFE:
        yield (
            "NUMBER_BEYOND_DOUBLE",
            f"the example {example} is beyond 2^53, so that JavaScript reads another number and the pact passes",
            "send such numbers as strings (the JSON form of int64), and match them with a regular expression",
        )


def _of_rules(pact: Pact, selected: Selected, example: Json) -> Iterator[Said]:
    kinds = {matcher.kind for matcher in selected.rules.matchers}
    at = selected.expression.text or "$"
    if isinstance(example, dict):
        if selected.rules.any_of:
            yield (
                "OR_ON_OBJECT",
                f"the matchers of '{at}' are combined with OR, but on an object all of them have to match",
                "match the members of the object instead, and describe null in an interaction of its own",
            )
        return
    if isinstance(example, list):
        return
    if _accepts(selected, example, ANYTHING):
        yield (
            "MATCHER_NEVER_FAILS",
            f"the matchers of '{at}' accept every single value, null too",
            "match it by type, or narrow the pattern",
        )
    elif isinstance(example, str) and kinds & {Kind.REGEX, Kind.INCLUDE}:
        for value in NO_TEXT:
            if _accepts(selected, example, (value,)):
                yield (
                    "PATTERN_MATCHES_NON_TEXT",
                    f"the pattern of '{at}' is compared with the text of {canonical(value)} and matches it",
                    "narrow the pattern, or combine it with a type matcher (AND)",
                )
                return
    yield from _of_number(pact, selected, kinds, example)


def _of_number(pact: Pact, selected: Selected, kinds: AbstractSet[Kind], example: Json) -> Iterator[Said]:
    is_by_type = kinds == {Kind.TYPE} and not selected.cascaded
    if is_by_type and type_of(example) == "Integer" and pact.specification.startswith(KNOW_INTEGERS):
        yield (
            "NUMBER_BY_TYPE",
            f"`type` takes 1.5 as well as {canonical(example)}: a reader of whole numbers fails on what passes here",
            "use `integer` for whole numbers, `number` where any number is meant",
        )
    if Kind.DECIMAL in kinds and is_number(example) and isinstance(example, int | float) and example == int(example):
        yield (
            "DECIMAL_WITHOUT_FRACTION",
            f"`decimal` refuses {int(example)}, which is how JavaScript and others write {float(example)}",
            "use `number`, or an example with a fraction that the provider always sends",
        )


def _accepts(selected: Selected, example: Json, values: tuple[Json, ...]) -> bool:
    """Whether the rules at a place accept all of these values."""
    quantifier = any if selected.rules.any_of else all
    try:
        return all(
            quantifier(admits(matcher, example, value) for matcher in selected.rules.matchers) for value in values
        )
    except UndecidedError:
        return False
