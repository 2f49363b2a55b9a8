"""Commands that a reader is told to run, each word quoted for a shell: pacts and paths are of others. Pure."""

from __future__ import annotations

import shlex

from counterfoil.core.printing import printable

PROGRAM = "counterfoil"


def command_line(*words: str) -> str:
    """A command of ours, ready to paste; a word of several, or with anything that a shell reads, stands in quotes."""
    return shlex.join([PROGRAM, *words])


def verify_one(participant: str, description: str) -> str:
    """Verify one interaction again."""
    return command_line("verify", "--participant", participant, "-k", keyword(description))


def keyword(text: str) -> str:
    """What `-k` finds a text by: the text, or the longest part of it that can be shown as it is.

    A line of a shell carries no NUL, and a report shows control characters as escapes, which no id would match.
    """
    parts = "".join(char if printable(char) == char else "\n" for char in text).split("\n")
    return text if len(parts) == 1 else max(parts, key=len).strip()
