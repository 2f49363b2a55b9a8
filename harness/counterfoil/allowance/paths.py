"""Path expressions of matching rules (`$.items[*]['a b']`), and which of them weighs most at a place.

Pact specification, V2, "Matching path expressions" and "Selecting the best matcher": each token that equals its step
counts 2, a wildcard 1, a mismatch 0, and the product is the weight; a rule holds for everything below its path. The
reference matcher multiplies the weight by the number of tokens, where the specification only uses the length to break
ties; this model does as the reference does (pact_models, `path_exp.rs` and `MatchingRuleCategory::max_by_path`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from counterfoil.allowance.undecided import UndecidedError

Steps = tuple[str, ...]
"""A place in a document: the keys and indices from its root, `("items", "0", "price")`."""

ANY: Final = "*"
ANY_INDEX: Final = "[*]"
_TOKEN: Final = re.compile(r"\.(?:(\*)|([\w\-:#@]+))|\[(?:(\*)|(\d+)|'([^']+)')\]")
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def is_index(step: str) -> bool:
    """Whether a step can be the index of an array's element."""
    return step.isascii() and step.isdecimal()


@dataclass(frozen=True, slots=True)
class Token:
    """One step of an expression. `wildcard` is ANY, ANY_INDEX or None; otherwise `name` is a key or an index."""

    name: str = ""
    wildcard: str | None = None

    def weight(self, step: str) -> int:
        """2 for the step itself, 1 for a wildcard that covers it, else 0."""
        if self.wildcard == ANY:
            return 1
        if self.wildcard == ANY_INDEX:
            return int(step == ANY_INDEX or is_index(step))
        return 2 if self.name == step else 0


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed path; `tokens` is None for the empty expression, which lies above the root."""

    text: str
    tokens: tuple[Token, ...] | None

    @property
    def length(self) -> int:
        """Tokens including the root's `$`."""
        return 0 if self.tokens is None else len(self.tokens) + 1

    def weight(self, place: Steps) -> int:
        """0 where it does not lead to the place or above it, as the reference matcher counts it."""
        if self.tokens is None:
            return 1
        if len(self.tokens) > len(place):
            return 0
        product = 2
        for token, step in zip(self.tokens, place, strict=False):
            product *= token.weight(step)
        return product

    def is_exactly(self, place: Steps) -> bool:
        """Whether it leads to the place itself, not to something above it."""
        return self.length == len(place) + 1 and self.weight(place) > 0


def parse(text: str) -> Expression:
    """Read an expression. Raises UndecidedError for what the reference matcher refuses to load."""
    if not text:
        return Expression(text, None)
    rest = text[1:] if text.startswith("$") else "." + text
    tokens: list[Token] = []
    position = 0
    while position < len(rest):
        match = _TOKEN.match(rest, position)
        if match is None:
            raise UndecidedError(f"'{text}' is not a path expression")
        star, name, star_index, index, quoted = match.groups()
        wildcard = ANY if star else ANY_INDEX if star_index else None
        tokens.append(Token(str(int(index)) if index else name or quoted or "", wildcard))
        position = match.end()
    return Expression(text, tokens=tuple(tokens))


def shown(place: Steps, *, generalised: bool = False) -> str:
    """The place as a path expression; generalised, `[*]` stands for every index."""
    parts = ["$"]
    for step in place:
        if is_index(step) or step == ANY_INDEX:
            parts.append("[*]" if generalised or step == ANY_INDEX else f"[{step}]")
        else:
            parts.append(f".{step}" if _PLAIN_KEY.fullmatch(step) else f"['{step}']")
    return "".join(parts)
