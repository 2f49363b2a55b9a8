"""Pact's selectors from the words of a command line, where order matters: each -a begins a selector.

`-a A -e 1 -a B --branch main --latest --ignore C -e 2` names version 1 of A and the head of B's branch main, and leaves
out version 2 of C. `--branch B` alone means every version on the branch, as in Pact's own client; with `--latest` it is
the head. `--main-branch` always means the head.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from shlex import quote

from counterfoil.errors import UsageError
from counterfoil.gate.question import Ignored, Selector

PACTICIPANT, IGNORE = "pacticipant", "ignore"
FIELDS = {"version": "number", "branch": "branch", "tag": "tag", "environment": "environment"}
LATEST, MAIN_BRANCH = "latest", "main_branch"
WORDS = frozenset({PACTICIPANT, IGNORE, LATEST, MAIN_BRANCH, *FIELDS})
"""The names of the options that belong to a selector."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the asker named, and what is left out."""

    selectors: tuple[Selector, ...] = ()
    ignored: tuple[Ignored, ...] = ()


def read_words(words: Iterable[tuple[str, str]]) -> Selection:
    """The selectors from (option, value) in the order in which they were given. Raises UsageError."""
    selection, in_ignored = Selection(), False
    for option, value in words:
        if option == PACTICIPANT:
            selection = replace(selection, selectors=(*selection.selectors, Selector(participant=value)))
            in_ignored = False
        elif option == IGNORE:
            selection = replace(selection, ignored=(*selection.ignored, Ignored(participant=value)))
            in_ignored = True
        elif in_ignored:
            selection = _ignored_version(selection, option, value)
        else:
            selection = _restricted(selection, option, value)
    for selector in selection.selectors:
        _check(selector)
    return selection


def _flag(option: str) -> str:
    return f"--{option.replace('_', '-')}"


def _restricted(selection: Selection, option: str, value: str) -> Selection:
    if not selection.selectors:
        raise UsageError(
            f"{_flag(option)} stands before any --pacticipant, so it belongs to none",
            where=_flag(option),
            fix=f"name the participant first: -a NAME {_flag(option)} {quote(value)}".rstrip(),
        )
    last = selection.selectors[-1]
    return replace(selection, selectors=(*selection.selectors[:-1], _with(last, option, value)))


def _with(selector: Selector, option: str, value: str) -> Selector:
    if option == MAIN_BRANCH:
        return replace(selector, main_branch=True, latest=True)
    if option == LATEST:
        selector = replace(selector, latest=True)
        return _with(selector, "tag", value) if value else selector
    former = getattr(selector, FIELDS[option])
    if former is not None:
        raise UsageError(
            f"two values of {_flag(option)} for {selector.participant}: '{former}' and '{value}'",
            where=_flag(option),
            fix=f"begin another selector: -a {quote(selector.participant)} {_flag(option)} {quote(value)}",
        )
    changes: dict[str, str] = {FIELDS[option]: value}
    return replace(selector, **changes)  # type: ignore[arg-type]  # every field of FIELDS is a text


def _ignored_version(selection: Selection, option: str, value: str) -> Selection:
    last = selection.ignored[-1]
    if option != "version" or last.number is not None:
        raise UsageError(
            f"{_flag(option)} stands after --ignore {last.participant}, which takes one --version and nothing else",
            where=_flag(option),
            fix="put the selectors (-a ...) before --ignore",
        )
    return replace(selection, ignored=(*selection.ignored[:-1], replace(last, number=value)))


def _check(selector: Selector) -> None:
    others = selector != Selector(participant=selector.participant, number=selector.number)
    if selector.number is not None and others:
        raise UsageError(
            f"{selector.participant} has both --version {selector.number} and another restriction",
            where="--version",
            why="a number names one version, so nothing is left to choose from",
            fix=f"leave one out, for example: -a {quote(selector.participant)} -e {quote(selector.number)}",
        )
