"""Compares two schemas: every rule of the table on every matched pair of elements."""

from __future__ import annotations

from collections.abc import Iterator

from counterfoil.compat.changes import Change, Difference
from counterfoil.compat.comparison import Comparison, matched
from counterfoil.compat.table import RULES, CompatRule, Kind
from counterfoil.model import Level
from counterfoil.schema.descriptors import Schema
from counterfoil.schema.elements import Field


def compare(old: Schema, new: Schema, *, disabled: frozenset[str] = frozenset()) -> tuple[Change, ...]:
    """Every change, strongest first; deterministic. Rules named in `disabled` are left out."""
    comparison = Comparison(old, new)
    rules: dict[Kind, list[CompatRule]] = {kind: [] for kind in Kind}
    for rule in RULES.values():
        if rule.name not in disabled:
            rules[rule.kind].append(rule)
    found = [
        _change(rule, difference)
        for kind in Kind
        if rules[kind]
        for before, after in _pairs(comparison, kind)
        for rule in rules[kind]
        for difference in rule.judge(comparison, before, after)
    ]
    found += [
        _change(rule, difference)
        for rule in RULES.values()
        if rule.of_new_field and rule.name not in disabled
        for field in comparison.new_fields()
        for difference in rule.of_new_field(comparison, None, field)
    ]
    return tuple(sorted(found, key=lambda change: change.sort_key))


def _pairs(comparison: Comparison, kind: Kind) -> Iterator[tuple[object, object]]:
    old, new = comparison.old, comparison.new
    match kind:
        case Kind.SCHEMA:
            yield old, new
        case Kind.FILE:
            yield from matched(old.files, new.files)
        case Kind.MESSAGE:
            yield from comparison.messages()
        case Kind.FIELD:
            yield from comparison.fields()
        case Kind.ENUM:
            yield from matched(old.enums, new.enums)
        case Kind.SERVICE:
            yield from matched(old.services, new.services)
        case Kind.METHOD:
            yield from comparison.methods()
        case Kind.ELEMENT:
            yield from comparison.elements()


def _change(rule: CompatRule, difference: Difference) -> Change:
    old = None if difference.is_addition else difference.element
    new = difference.element if difference.is_addition else difference.counterpart
    level = difference.level or rule.level
    if level is Level.BEHAVIOUR and not difference.effects:
        level = rule.unseen
    values = {"symbol": difference.element.symbol, "old": difference.old, "new": difference.new}
    return Change(
        rule=rule.name,
        symbol=difference.element.symbol,
        level=level,
        effects=difference.effects,
        old=difference.old,
        new=difference.new,
        old_location=old.location if old else None,
        new_location=new.location if new else None,
        messages=difference.messages,
        names=_names(difference),
        message=rule.says.format_map(values),
        fix=rule.fix,
    )


def _names(difference: Difference) -> tuple[str, ...]:
    element = difference.element
    sides = [one for one in (element, difference.counterpart) if isinstance(one, type(element))]
    names = [one.name for one in sides] + [one.json_name for one in sides if isinstance(one, Field)]
    return tuple(dict.fromkeys(names))
