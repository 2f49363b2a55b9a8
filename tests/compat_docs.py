"""Writes docs/rules/ and docs/buf-comparison.md: `python -m tests.compat_docs`; with --check, says what is not current.

The pages come from the table of rules and the explanations that ship with the package; the comparison from the corpus.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from counterfoil.commands import explanations
from counterfoil.compat.table import RULES, CompatRule, Kind
from counterfoil.model import Level

from tests.schema_corpus import CATEGORIES, expected, names

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = {
    "fields": ("Fields and extensions", {Kind.FIELD}),
    "messages": ("Messages", {Kind.MESSAGE}),
    "enums": ("Enums", {Kind.ENUM}),
    "services": ("Services and HTTP", {Kind.SERVICE, Kind.METHOD}),
    "schemas": ("Whole schemas and files", {Kind.SCHEMA, Kind.FILE}),
    "options": ("Options", {Kind.ELEMENT}),
}
WRITTEN_BY = "<!-- Written by `python -m tests.compat_docs`. -->"
SILENT = "silent"
INDEX = """\
# Rules of compatibility

What `counterfoil breaking` says of a change between two schemas. `counterfoil explain RULE` prints the same text.

A `behaviour` rule predicts in which direction (backward: new code reads old data; forward: old code reads new data) and
in which encoding a payload shows the change. Where it predicts none, the finding has the second level that is named.

| rule | level | seen by buf as |
|---|---|---|
"""
COMPARISON = """\
# Counterfoil's verdicts and buf's

Over the corpus of schema changes (`tests/corpus/`): the strongest level that our rules give a pair, the direction and
encoding in which they expect a payload to show it, and what each category of `buf breaking` says. `additive` and
`source` do not fail; `silent` is no finding. A pair that a runtime was seen to read otherwise has a * at its name.

"""


def pages() -> dict[Path, str]:
    """Every page by its path below docs/."""
    found = {Path("rules") / f"{name}.md": _page(title, kinds) for name, (title, kinds) in PAGES.items()}
    return {**found, Path("rules/README.md"): _index(), Path("buf-comparison.md"): _comparison()}


def _of(kinds: set[Kind]) -> Iterator[CompatRule]:
    return (rule for rule in RULES.values() if rule.kind in kinds)


def _page(title: str, kinds: set[Kind]) -> str:
    parts = [f"{WRITTEN_BY}\n# {title}"]
    for rule in _of(kinds):
        _, _, text = explanations.page(rule.name).strip().partition("\n\n")
        facts = f"level: {_level(rule)}; buf: {', '.join(sorted(rule.buf)) or 'no rule sees it'}"
        parts.append(f'<a id="{rule.anchor}"></a>\n## {rule.name}\n{facts}\n\n{text}')
    return "\n\n".join(parts) + "\n"


def _level(rule: CompatRule) -> str:
    return f"{rule.level} or {rule.unseen}" if rule.level is Level.BEHAVIOUR else str(rule.level)


def _index() -> str:
    rows = [
        f"| [{rule.name}]({name}.md#{rule.anchor}) | {_level(rule)} | {', '.join(sorted(rule.buf)) or '-'} |"
        for name, (_, kinds) in PAGES.items()
        for rule in _of(kinds)
    ]
    return f"{WRITTEN_BY}\n{INDEX}" + "\n".join(rows) + "\n"


def _comparison() -> str:
    counts = [f"| {category} | {_missed(category)} | {_alarms(category)} |" for category in CATEGORIES]
    summary = "\n".join(
        ("| category | pairs seen to break that it passes | benign pairs that it fails |", "|---|---|---|", *counts)
    )
    head = "| pair | ours | where | FILE | PACKAGE | WIRE_JSON | WIRE |\n|---|---|---|---|---|---|---|\n"
    return f"{WRITTEN_BY}\n{COMPARISON}{summary}\n\n{head}" + "\n".join(map(_row, names())) + "\n"


def _seen_to_break(name: str) -> bool:
    """Seen by a runtime, and not normal evolution."""
    return bool(expected(name)["observed"]) and not expected(name)["benign"]


def _missed(category: str) -> str:
    seen = [name for name in names() if _seen_to_break(name)]
    return f"{sum(not expected(name)['buf'][category] for name in seen)} of {len(seen)}"


def _alarms(category: str) -> str:
    benign = [name for name in names() if expected(name)["benign"]]
    return f"{sum(bool(expected(name)['buf'][category]) for name in benign)} of {len(benign)}"


def _row(name: str) -> str:
    content = expected(name)
    changes = content["changes"]
    strongest = min((list(Level).index(Level(one["level"])) for one in changes), default=None)
    ours = SILENT if strongest is None else str(list(Level)[strongest])
    where = ", ".join(sorted({effect for one in changes for effect in one["effects"]})) or "-"
    buf: Mapping[str, list[str]] = content["buf"]
    cells = [", ".join(buf[category]) or SILENT for category in CATEGORIES]
    return f"| {name}{'*' if content['observed'] else ''} | {ours} | {where} | {' | '.join(cells)} |"


def stale() -> list[str]:
    """The pages that are not as they would be written."""
    return [
        str(path)
        for path, text in pages().items()
        if not (DOCS / path).is_file() or (DOCS / path).read_text(encoding="utf-8") != text
    ]


def main() -> None:
    """Write, or check."""
    if "--check" in sys.argv:
        sys.exit("\n".join(f"docs/{path} is not current" for path in stale()) or 0)
    for path, text in pages().items():
        (DOCS / path).parent.mkdir(exist_ok=True)
        (DOCS / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
