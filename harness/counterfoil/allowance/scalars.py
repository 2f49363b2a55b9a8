"""Whether a matcher accepts a value where the example has a single one (string, number, boolean or null).

A model of the reference matcher: pact_matching 2.1, `json.rs`, `DoMatch<&Value>`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from counterfoil.allowance import clauses
from counterfoil.allowance.clauses import Clause
from counterfoil.allowance.json_values import is_number, same, text_of, type_of
from counterfoil.allowance.matchers import Kind, Matcher
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Json

MAX_TEXT_CHARS: Final = 1_000
"""Longer texts are not compared: a pattern may take exponentially long."""
_OTHERWISE: Final = re.compile(
    r"\\[ZzGhHRXKpPNOkg]|\[\[:|&&|\(\?[a-zA-Z^-]*[msuax]|\(\?[<~(]|\(\?P|\{,|([+*]|,\})\)+[+*{]"
)
"""Constructs that Oniguruma and Python read differently, that only one has, or that may run for very long."""
SEMVER: Final = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?"
    r"(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)


def admits(matcher: Matcher, expected: Json, actual: Json) -> bool:
    """Whether the matcher alone accepts the value. Raises UndecidedError."""
    judge = _JUDGES.get(matcher.kind)
    return True if judge is None else judge(matcher, expected, actual)


def _by_type(_: Matcher, expected: Json, actual: Json) -> bool:
    return type_of(expected) == type_of(actual) or (is_number(expected) and is_number(actual))


def _equal(_: Matcher, expected: Json, actual: Json) -> bool:
    return same(expected, actual)


def _regex(matcher: Matcher, expected: Json, actual: Json) -> bool:
    try:
        return is_whole(matcher.text, text_of(actual))
    except UndecidedError:
        if same(expected, actual):  # an example that its own pattern refuses would fail every verification
            return True
        raise


def is_whole(pattern: str, text: str) -> bool:
    """Whether the first match that Oniguruma finds at the start of a text is all of it. Raises UndecidedError.

    `red|reddish` does not match "reddish": the first alternative is taken and leaves a rest (onig, `Regex::is_match`).
    Its syntax is Ruby's, in which ^ and $ are the ends of lines.
    """
    if len(text) > MAX_TEXT_CHARS:
        raise UndecidedError(f"a text of {len(text)} characters is not compared with a pattern")
    match = _compiled(pattern).match(text)
    return match is not None and match.end() == len(text)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    if _OTHERWISE.search(pattern):
        raise UndecidedError(f"the pattern '{pattern}' has a construct that is not modelled")
    try:
        return re.compile(pattern, re.MULTILINE)
    except (re.error, RecursionError, OverflowError):
        raise UndecidedError(f"the pattern '{pattern}' is not modelled") from None


def _include(matcher: Matcher, _: Json, actual: Json) -> bool:
    return matcher.text in text_of(actual)


def _number(_matcher: Matcher, _: Json, actual: Json) -> bool:
    return is_number(actual)


def _integer(_matcher: Matcher, _: Json, actual: Json) -> bool:
    return type_of(actual) == "Integer"


def _decimal(_matcher: Matcher, _: Json, actual: Json) -> bool:
    return type_of(actual) == "Decimal"


def _boolean(_matcher: Matcher, _: Json, actual: Json) -> bool:
    return isinstance(actual, bool) or actual in ("true", "false")


def _null(_matcher: Matcher, _: Json, actual: Json) -> bool:
    return actual is None


def _not_empty(_matcher: Matcher, _: Json, actual: Json) -> bool:
    return not (actual is None or actual in ("", [], {}))


def _semver(_matcher: Matcher, _: Json, actual: Json) -> bool:
    return isinstance(actual, str) and SEMVER.fullmatch(actual) is not None


def _date(matcher: Matcher, expected: Json, actual: Json) -> bool:
    """Formats are not modelled: only the example is known to match, and what is no text at all not to."""
    if same(expected, actual):
        return True
    if actual in (None, "", [], {}) and "'" not in matcher.text:
        return False
    raise UndecidedError(f"the date format '{matcher.text}' is not modelled")


def _content_type(matcher: Matcher, expected: Json, actual: Json) -> bool:
    if same(expected, actual):
        return True
    raise UndecidedError(f"the content type '{matcher.text}' of a value is not modelled")


_JUDGES: Final[dict[Kind, Callable[[Matcher, Json, Json], bool]]] = {
    Kind.TYPE: _by_type,
    Kind.EQUALITY: _equal,
    Kind.VALUES: _equal,
    Kind.REGEX: _regex,
    Kind.INCLUDE: _include,
    Kind.NUMBER: _number,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: _boolean,
    Kind.NULL: _null,
    Kind.NOT_EMPTY: _not_empty,
    Kind.SEMVER: _semver,
    Kind.DATE: _date,
    Kind.TIME: _date,
    Kind.TIMESTAMP: _date,
    Kind.CONTENT_TYPE: _content_type,
}
"""The others (matchers for collections, and for the status) accept every single value."""

CLAUSE_OF: Final[dict[Kind, Clause]] = {
    Kind.TYPE: clauses.TYPE,
    Kind.EQUALITY: clauses.EXPLICIT_EQUALITY,
    Kind.VALUES: clauses.VALUES,
    Kind.REGEX: clauses.REGEX,
    Kind.INCLUDE: clauses.INCLUDE,
    Kind.NUMBER: clauses.NUMBER,
    Kind.INTEGER: clauses.INTEGER,
    Kind.DECIMAL: clauses.DECIMAL,
    Kind.BOOLEAN: clauses.BOOLEAN,
    Kind.NULL: clauses.NULL,
    Kind.NOT_EMPTY: clauses.NOT_EMPTY,
    Kind.SEMVER: clauses.SEMVER,
    Kind.DATE: clauses.DATE,
    Kind.TIME: clauses.DATE,
    Kind.TIMESTAMP: clauses.DATE,
    Kind.CONTENT_TYPE: clauses.CONTENT_TYPE,
    Kind.ARRAY_CONTAINS: clauses.IGNORED_ON_SCALARS,
    Kind.EACH_KEY: clauses.IGNORED_ON_SCALARS,
    Kind.EACH_VALUE: clauses.IGNORED_ON_SCALARS,
    Kind.STATUS_CODE: clauses.IGNORED_ON_SCALARS,
}
