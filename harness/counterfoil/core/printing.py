"""Text from outside as it may be shown. Pure."""

from __future__ import annotations

import re
import unicodedata

BASIC_PLANE_END = 0xFFFF
WORKFLOW_COMMAND = re.compile(r"^(\s*)([:#])(?=:|#\[)")
"""What GitHub takes a line of a log for, after leading blanks: `::error ...`, `##[error]...`."""
ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


def printable(text: str) -> str:
    """Text from outside, without anything that could move a cursor, colour a terminal, hide a text or command CI."""
    text = "".join(char if _is_harmless(char) else _escape(char) for char in ANSI.sub("", text))
    return WORKFLOW_COMMAND.sub(lambda found: found[1] + _escape(found[2]), text)


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) <= BASIC_PLANE_END else f"\\U{ord(char):08x}"


def _is_harmless(char: str) -> bool:
    return char == " " or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
