"""The one error that a user can cause. Imports nothing of ours."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UsageError(Exception):
    """Nothing was judged, because the request, the configuration or an input file cannot be used. Exit code 2.

    `what` names the real value, `where` is `path:line` or a flag, `why` is one line, `fix` an exact edit or command.
    """

    def __init__(self, what: str, *, where: str = "", why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.fix = fix


def nearest(name: str, valid: Iterable[str]) -> str:
    """A sentence that corrects an unknown name: the nearest match, then the whole valid list."""
    names = sorted(valid)
    match = get_close_matches(name, names, n=1)
    guess = f"did you mean '{match[0]}'? " if match else ""
    return f"{guess}valid: {', '.join(names) if names else '(none)'}"


def nearest_of_many(name: str, valid: Iterable[str]) -> str:
    """The nearest match alone: the whole list is too long for an error."""
    names = list(valid)
    return nearest(name, names).partition("valid: ")[0] + f"there are {len(names)}"
