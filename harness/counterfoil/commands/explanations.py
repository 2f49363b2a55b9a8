"""The explanations that ship with the package: a page for each rule of compatibility, a row for each other rule."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from counterfoil.compat.table import RULES
from counterfoil.core.rules import LEVELS

PAGES = "explanations"
ROWS = "rules.md"
CHECKOUT = Path(__file__).resolve().parents[3] / "docs"
"""Where docs/rules.md lies in a checkout; a wheel has it inside the package."""


def page(rule: str) -> str:
    """The Markdown of a rule of compatibility, with its title."""
    return (files("counterfoil.compat") / PAGES / f"{rule}.md").read_text(encoding="utf-8")


@cache
def rows() -> Mapping[str, tuple[str, str]]:
    """Of every other rule of ours: what it means, and what to do. The table is docs/rules.md."""
    packaged = files("counterfoil") / ROWS
    text = (packaged if packaged.is_file() else CHECKOUT / ROWS).read_text(encoding="utf-8")
    found: dict[str, tuple[str, str]] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 3:  # noqa: PLR2004 - rule, meaning, what to do
            names = [name.strip(" `") for name in cells[0].split(",")]
            found |= {name: (cells[1], cells[2]) for name in names if name in LEVELS}
    return found


def of_buf() -> Mapping[str, tuple[str, ...]]:
    """buf's rules, each with those of ours that see the same change."""
    found: dict[str, tuple[str, ...]] = {}
    for rule in RULES.values():
        for name in sorted(rule.buf):
            found[name] = (*found.get(name, ()), rule.name)
    return found
