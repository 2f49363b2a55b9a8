"""Which texts the ledger takes from outside: bounded, and without characters that could garble a report. Pure.

Any letters of any script are fine. Texts are stored and compared as they are: neither case nor Unicode form is changed.
"""

from __future__ import annotations

import unicodedata

from counterfoil.errors import UsageError

MAX_NAME_CHARS = 255
MAX_TEXT_CHARS = 8_192
CUT = "..."
REFUSED = {"Cc": "a control character", "Cs": "a byte that is not UTF-8", "Zl": "a line break", "Zp": "a line break"}
"""Unicode's categories of what no name may contain."""


def flaw_of(text: str, *, max_chars: int = MAX_NAME_CHARS) -> str | None:
    """Why a text cannot be a name; None: it can."""
    if not text.strip():
        return "it is empty"
    if len(text) > max_chars:
        return f"it has {len(text)} characters, more than {max_chars}"
    return next(
        (
            f"character {position} is {REFUSED[category]} (U+{ord(character):04X})"
            for position, character in enumerate(text, start=1)
            if (category := unicodedata.category(character)) in REFUSED
        ),
        None,
    )


def checked(text: str, what: str, where: str, *, max_chars: int = MAX_NAME_CHARS) -> str:
    """The text, as the name of something. Raises UsageError."""
    flaw = flaw_of(text, max_chars=max_chars)
    if flaw:
        shown = text if len(text) <= MAX_NAME_CHARS else f"{text[:40]}..."
        raise UsageError(
            f"'{shown}' cannot be {what}",
            where=where,
            why=flaw,
            fix=f"give one of 1 to {max_chars} characters, without control characters",
        )
    return text


def storable(text: str) -> str:
    """A text from a report, such as a failure's detail: bounded, and with an escape for each character not in names."""
    escaped = "".join(
        character.encode("unicode_escape").decode("ascii")
        if character not in "\n\t" and unicodedata.category(character) in REFUSED
        else character
        for character in text[:MAX_TEXT_CHARS]
    )
    cut = len(escaped) > MAX_TEXT_CHARS or len(text) > MAX_TEXT_CHARS
    return f"{escaped[: MAX_TEXT_CHARS - len(CUT)]}{CUT}" if cut else escaped
