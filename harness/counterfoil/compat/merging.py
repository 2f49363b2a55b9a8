"""buf's findings beside ours: one change that both report is one finding with both names. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from counterfoil.compat.annotations import QUOTED, Annotation
from counterfoil.compat.changes import Change, Key
from counterfoil.compat.positions import Positions
from counterfoil.schema.descriptors import Schema


@dataclass(frozen=True, slots=True)
class Merged:
    """The rules of buf that report the same as a change of ours, and the annotations that no change accounts for."""

    also: Mapping[Key, tuple[str, ...]]
    rest: tuple[Annotation, ...]


def merge(
    changes: Sequence[Change],
    annotations: Iterable[Annotation],
    positions: Positions,
    equivalents: Mapping[str, frozenset[str]],
    entries: Mapping[str, str],
) -> Merged:
    """Match by element, then by rule: `equivalents` are ours in buf's names, `entries` those of `map_entries`."""
    by_symbol: dict[str, list[Change]] = {}
    for change in changes:
        by_symbol.setdefault(change.symbol, []).append(change)
    also: dict[Key, dict[str, None]] = {}
    rest = []
    for annotation in annotations:
        matching = _matching(annotation, by_symbol, positions, equivalents, entries)
        for change in matching:
            also.setdefault((change.rule, change.symbol), {})[annotation.rule] = None
        if not matching:
            rest.append(annotation)
    return Merged({key: tuple(sorted(rules)) for key, rules in also.items()}, tuple(rest))


def map_entries(schemas: Iterable[Schema]) -> Mapping[str, str]:
    """The full name of each map field by that of the message that the compiler makes up for its entries."""
    messages = (message for schema in schemas for message in schema.messages.values())
    fields = (field for message in messages for field in message.fields.values())
    return {field.type_name: field.symbol for field in fields if field.cardinality == "map" and field.type_name}


def _matching(
    annotation: Annotation,
    by_symbol: Mapping[str, Sequence[Change]],
    positions: Positions,
    equivalents: Mapping[str, frozenset[str]],
    entries: Mapping[str, str],
) -> list[Change]:
    symbols = tuple(dict.fromkeys(_symbols(annotation, positions)))
    candidates = [change for symbol in symbols for change in by_symbol.get(symbol, ())]
    same_rule = [change for change in candidates if annotation.rule in equivalents.get(change.rule, ())]
    of_map = [change for symbol in symbols for change in by_symbol.get(entries.get(symbol, ""), ())]
    if same_rule or of_map:
        return same_rule or of_map
    found = positions.symbol(annotation.path, annotation.line, annotation.column)
    related = [
        change
        for changes in by_symbol.values()
        for change in changes
        if annotation.rule in equivalents.get(change.rule, ()) and _is_related(change, found)
    ]
    if related:
        return related
    about_file = annotation.rule.startswith(("FILE_", "PACKAGE_"))
    precise = by_symbol.get(symbols[0], []) if symbols and not about_file else []
    return list(precise) if len(precise) == 1 else []


def _is_related(change: Change, symbol: str) -> bool:
    """Whether buf names the parent of what changed, or a field of the message that shows it."""
    return symbol == change.symbol.rpartition(".")[0] or symbol.rpartition(".")[0] in change.messages


def _symbols(annotation: Annotation, positions: Positions) -> Iterator[str]:
    """What an annotation may be about. What was removed has no position of its own: its name is in the message."""
    found = positions.symbol(annotation.path, annotation.line, annotation.column)
    package = positions.package(annotation.path)
    names = QUOTED.findall(annotation.message)
    if found != package:
        yield found
    for name in names:
        yield name.lstrip(".")
        for scope in (found, found.rpartition(".")[0], package):
            yield f"{scope}.{name}" if scope else name
    for outer in names:
        for inner in names:
            yield ".".join(part for part in (package, outer, inner) if part)
            yield f"{outer}.{inner}"
    if annotation.path:
        yield f"file {annotation.path}"
    yield from (f"file {name}" for name in names if name.endswith(".proto"))
    yield from (f"package {name}" for name in names)
