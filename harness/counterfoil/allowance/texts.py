"""What a contract allows beside bodies: texts in the path, query and headers of requests, headers of answers. Pure.

A model of the reference matcher for texts: pact_matching 2.1, `matchingrules.rs`, `Matches<&str>`. Only what it surely
accepts is said to be allowed. A parameter or header of the example may never be absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from counterfoil.allowance import clauses
from counterfoil.allowance.edits import EXTRA, Edit, state_of
from counterfoil.allowance.matchers import Kind, Matcher, RuleList, rule_list
from counterfoil.allowance.paths import Steps
from counterfoil.allowance.scalars import CLAUSE_OF, SEMVER, is_whole
from counterfoil.allowance.states import LARGE, Derived
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Json

PATH: Final = "path"
QUERY: Final = "query"
HEADER: Final = "header"
EXTRA_HEADER: Final = "X-Counterfoil-Extra"
NEVER_VARIED: Final = frozenset({"content-encoding", "content-type"})
"""Headers that belong to the body and change with it."""
MODELLED: Final = frozenset({Kind.TYPE, Kind.REGEX, Kind.INCLUDE, Kind.BOOLEAN, Kind.NOT_EMPTY, Kind.SEMVER})
"""Matchers of which it is known what they refuse of a text, and not only what they accept."""
_DIGITS: Final = re.compile(r"[0-9]+")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Text:
    """A text in a request: `("path",)`, `("query", name, index)` or `("header", name)`, with its rules, if any."""

    place: Steps
    example: str
    rules: RuleList | None

    @property
    def path(self) -> str:
        """How a report names it, such as `query limit`."""
        where, *names = self.place
        return f"{where} {names[0]}" if names else where


def text_rules(part: dict[str, Json], category: str, name: str = "") -> RuleList | None:
    """The rules of a path, parameter or header, in the form of V2, V3 or V4. Raises UndecidedError."""
    rules = part.get("matchingRules")
    if not isinstance(rules, dict):
        return None
    for key in (f"$.{category}.{name}", f"$.{category}s.{name}") if name else (f"$.{category}",):
        if key in rules:
            return rule_list(rules[key])
    entry = rules.get(category)
    if not isinstance(entry, dict):
        return None
    if category == HEADER:
        entry = {key.lower(): one for key, one in entry.items()}
    found = entry.get(name.lower() if category == HEADER else name) if name else entry
    return rule_list(found) if isinstance(found, dict) and found.get("matchers") else None


def allowed_texts(text: Text) -> Iterator[Derived]:
    """The example, and every candidate that its rules surely accept, with the state that it is in."""
    selected = text.rules
    clause = CLAUSE_OF[selected.matchers[0].kind] if selected else clauses.EQUALITY
    for value in dict.fromkeys((text.example, *(_candidates(text) if selected else ()))):
        is_the_example = value == text.example
        if is_the_example or (selected and _accepts(selected, text.example, value)):
            yield Derived(
                path=text.path,
                state=state_of(value),
                edit=Edit(text.place, value),
                allowed=True,
                clause=clause,
                rule=text.path if selected else "",
                is_the_example=is_the_example,
            )


def extra_header() -> Derived:
    """A header that no example has."""
    return Derived(
        path=f"{HEADER} {EXTRA_HEADER}",
        state=EXTRA,
        edit=Edit((HEADER, EXTRA_HEADER), "1"),
        allowed=True,
        clause=clauses.EXTRA_HEADER,
    )


def _candidates(text: Text) -> Iterator[str]:
    example = text.example
    if text.place == (PATH,):
        yield from (_DIGITS.sub(digits, example) for digits in ("0", "1", str(LARGE)))
        return
    yield from ("", "0", "1", "1.5", "-1", str(LARGE), "a", "true", "false")
    yield from (example + "0", example.swapcase(), example[:-1], _DIGITS.sub("0", example))


def _accepts(rules: RuleList, example: str, value: str) -> bool:
    quantifier = any if rules.any_of else all
    try:
        return quantifier(_admits(one, example, value) for one in rules.matchers)
    except UndecidedError:
        return False


def _admits(matcher: Matcher, example: str, value: str) -> bool:  # noqa: PLR0911  (a case for each matcher)
    match matcher.kind:
        case Kind.TYPE:
            return True
        case Kind.REGEX:
            return is_whole(matcher.text, value)
        case Kind.INCLUDE:
            return matcher.text in value
        case Kind.INTEGER:
            return _DIGITS.fullmatch(value) is not None
        case Kind.NUMBER | Kind.DECIMAL:
            return _NUMBER.fullmatch(value) is not None
        case Kind.BOOLEAN:
            return value in {"true", "false"}
        case Kind.NOT_EMPTY:
            return value != ""
        case Kind.SEMVER:
            return SEMVER.fullmatch(value) is not None
        case _:
            return value == example


def header_objection(part: dict[str, Json], name: str, example: str, values: list[str]) -> str:
    """What is amiss with a header of an answer, or "". `values`: what came under its name; none where it is missing.

    Pact specification, V1, "Header matching": a header of the contract has to be there, names are compared without
    case, further headers are allowed. Of a content type what is not a parameter counts, and each parameter of the
    contract that the answer has too. A rule whose matchers are not modelled is not held against an answer.
    """
    if not values:
        return f"without the header {name}"
    value = ", ".join(values)
    selected = text_rules(part, HEADER, name)
    if selected is None:
        is_like = _is_content_type_like if name.lower() == "content-type" else _is_list_like
        is_allowed = is_like(example, value)
    else:
        pieces = [piece.strip() for piece in value.split(",")]
        is_allowed = not _refuses(selected, example, value) or not any(
            _refuses(selected, example, one) for one in pieces
        )
    return "" if is_allowed else f"with another header {name} than the contract allows"


def _refuses(rules: RuleList, example: str, value: str) -> bool:
    """Whether rules surely refuse a text."""
    quantifier = any if rules.any_of else all
    if any(one.kind not in MODELLED for one in rules.matchers):
        return False
    try:
        return not quantifier(_admits(one, example, value) for one in rules.matchers)
    except UndecidedError:
        return False


def _is_list_like(example: str, value: str) -> bool:
    """Equality of lists that are separated by commas, with or without spaces after them."""
    one, other = ([piece.strip() for piece in text.split(",")] for text in (example, value))
    return one == other


def _is_content_type_like(example: str, value: str) -> bool:
    (one, of_one), (other, of_other) = _content_type(example), _content_type(value)
    return one == other and all(of_other.get(name, text) == text for name, text in of_one.items())


def _content_type(text: str) -> tuple[str, dict[str, str]]:
    kind, *parameters = (piece.strip().lower() for piece in text.split(";"))
    pairs = (piece.partition("=") for piece in parameters if piece)
    return kind, {name.strip(): value.strip().strip('"') for name, _, value in pairs}
