"""The `[pacts]` table for the pact files of a repository: a folder, and patterns of what is read besides."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from counterfoil.project.survey import SeenPact

PACT_FOLDER = "contracts/pacts"
OURS = (".", "contracts")
"""Folders in which a check writes JSON of its own."""


def pacts_table(pacts: Collection[SeenPact], mixed: Collection[str]) -> tuple[str, list[str]]:
    """Its `dir` and `also`: the folder with most of the pacts, or the usual one where none has; and patterns of others.

    A folder with other JSON in it, or anywhere below it, is not named: of such, each pact is.
    """
    folders = {pact.folder for pact in pacts if pact.folder not in OURS and not _holds(pact.folder, mixed)}
    topmost = {one for one in folders if not folders.intersection(map(str, PurePosixPath(one).parents))}
    counts = Counter(_place(pact, topmost) for pact in pacts)
    most = max(sorted(topmost), key=lambda one: counts[one], default="")
    main = most if counts[most] * 2 > len(pacts) else PACT_FOLDER
    files = sorted(glob.escape(place) for place in counts if place not in topmost)
    return main, [*_patterns(sorted(topmost - {main}), mixed), *files]


def _place(pact: SeenPact, folders: Collection[str]) -> str:
    """The folder that a pact lies in, or itself."""
    path = PurePosixPath(pact.folder, pact.name)
    return next((str(parent) for parent in path.parents if str(parent) in folders), str(path))


def _holds(folder: str, others: Iterable[str]) -> bool:
    """Whether it is one of them, or one of them lies in it."""
    return any(PurePosixPath(one).is_relative_to(folder) for one in others)


def _patterns(folders: Iterable[str], mixed: Collection[str]) -> list[str]:
    """Patterns that match these folders; one for those that differ in one place alone, where no other matches it."""
    left, found = list(folders), []
    while left:
        parts = [glob.escape(part) for part in PurePosixPath(left[0]).parts]
        candidates = ["/".join([*parts[:at], "*", *parts[at + 1 :]]) for at in range(len(parts) - 1)]
        matched = {one: [folder for folder in left if _matches(folder, one)] for one in candidates}
        usable = [one for one in candidates if len(matched[one]) > 1 and not any(_reaches(m, one) for m in mixed)]
        best = max(usable, key=lambda one: len(matched[one]), default="/".join(parts))
        found.append(best)
        left = [folder for folder in left if folder not in matched.get(best, [left[0]])]
    return found


def _matches(folder: str, pattern: str) -> bool:
    parts, wanted = PurePosixPath(folder).parts, PurePosixPath(pattern).parts
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def _reaches(folder: str, pattern: str) -> bool:
    """Whether a folder that the pattern matches is this one, or has it in it."""
    parts = PurePosixPath(folder).parts
    return any(_matches("/".join(parts[:length]), pattern) for length in range(1, len(parts) + 1))
