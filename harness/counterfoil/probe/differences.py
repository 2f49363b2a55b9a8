"""Where observations of one payload differ, for any number of stubs at once and with no favourite among them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import combinations
from typing import Final

from counterfoil.probe.instants import is_same_instant
from counterfoil.probe.observation import (
    Binary,
    Boolean,
    EnumValue,
    Float,
    Integer,
    ListOf,
    MapOf,
    MessageOf,
    Missing,
    Text,
    Tree,
    cut,
    decoded,
    render,
)

Groups = tuple[tuple[str, ...], ...]
"""Stubs that agree with each other; each group and the whole sorted."""

SEEN_WIDTH: Final = 80
_KEY_WIDTH: Final = 40
_THERE: Final = "there"
_ABSENT: Final = "absent"


class View(Enum):
    """What makes two observations the same."""

    SCHEMA = "schema"
    """Of runtime stubs, which name and type everything as the schema does: only equal things are the same."""
    CODE = "code"
    """Of service stubs, each in the idiom of its language. None of these is a difference: the spelling of a name
    (userId, user_id); which of absent, null and undefined stands for nothing; an integer, a float or the digits of
    the same value; an enum value, its name or its number; an object with text keys or a map; a time as `Z` or
    `+00:00`."""


class Aspect(Enum):
    """In what observations differ at a place."""

    VALUE = "value"
    PRESENCE = "presence"
    UNKNOWN = "unknown fields"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place at which observations differ. `seen` says for each of the groups what it sees there."""

    aspect: Aspect
    path: str
    pattern: str
    """The path without indices and keys, as payloads name what they probe: `tags[]`, `attributes{}`."""
    groups: Groups
    seen: tuple[str, ...]
    shape: str
    """The sorts of things seen, whatever their values: `absent|text`."""
    is_alike: bool
    """Whether it is a matter of the value: two see other things of one sort, or one has the place and nothing in it.
    Else they may name or type the place differently."""


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    pattern: str
    nodes: dict[str, Tree]

    def under(self, name: str, nodes: dict[str, Tree]) -> _Place:
        dot = "." if self.path else ""
        return _Place(f"{self.path}{dot}{name}", f"{self.pattern}{dot}{name}", nodes)

    def within(self, brackets: str, key: str, nodes: dict[str, Tree]) -> _Place:
        return _Place(f"{self.path}{brackets[0]}{key}{brackets[1]}", f"{self.pattern}{brackets}", nodes)


def differences(trees: Mapping[str, Tree], view: View = View.SCHEMA) -> Iterator[Difference]:
    """Every place at which the stubs do not see the same, from the root downwards, in the order of the fields."""
    left = [_Place("", "", {stub: trees[stub] for stub in sorted(trees)})]
    while left:
        place = left.pop()
        sides = _sides(place.nodes, view)
        if len(sides) > 1:
            yield _difference(Aspect.PRESENCE, place, sides.values())
        there = {stub: place.nodes[stub] for stub in sorted(sides.get(_THERE, ()))}
        blocks = _blocks(there, view)
        if len(blocks) > 1:
            yield _difference(Aspect.VALUE, place, blocks)
        inside: list[_Place] = []
        for block in blocks:
            nodes = {stub: there[stub] for stub in block}
            unknown = _by_unknown_bytes(nodes)
            if len(unknown) > 1:
                yield _difference(Aspect.UNKNOWN, place, unknown)
            if len(block) > 1:
                inside += _inside(_Place(place.path, place.pattern, nodes), view)
        left += reversed(inside)


def _difference(aspect: Aspect, place: _Place, blocks: Iterable[Iterable[str]]) -> Difference:
    groups = sorted(tuple(sorted(block)) for block in blocks)
    first = [place.nodes[group[0]] for group in groups]
    if aspect is Aspect.UNKNOWN:
        seen = tuple(f"{_unknown_bytes(node)} bytes of unknown fields" for node in first)
    else:
        seen = tuple(render(node, SEEN_WIDTH) for node in first)
    shape = "|".join(sorted({_sort(node) for group in groups for node in (place.nodes[stub] for stub in group)}))
    return Difference(
        aspect=aspect,
        path=place.path,
        pattern=place.pattern,
        groups=tuple(groups),
        seen=seen,
        shape=shape,
        is_alike=_is_alike(aspect, [[place.nodes[stub] for stub in group] for group in groups]),
    )


def _is_alike(aspect: Aspect, groups: Iterable[Iterable[Tree]]) -> bool:
    blocks = [list(nodes) for nodes in groups]
    if aspect is Aspect.PRESENCE:
        return any(isinstance(node, Missing) and node is not Missing.ABSENT for nodes in blocks for node in nodes)
    sorts = [{_comparable_sort(node) for node in nodes} for nodes in blocks]
    return any(one & other for one, other in combinations(sorts, 2)) or _has_digits(blocks)


def _has_digits(blocks: Iterable[Iterable[Tree]]) -> bool:
    """Whether all are numbers, be it as text."""
    nodes = [node for block in blocks for node in block]
    return all(_comparable_sort(node) == "number" or _is_digits(node) for node in nodes)


def _comparable_sort(node: Tree) -> str:
    if isinstance(node, Integer | Float):
        return "number"
    return "object" if isinstance(node, MessageOf | MapOf) else _sort(node)


def _is_digits(node: Tree) -> bool:
    return isinstance(node, Text) and node.encoded.removeprefix(b"-").isdigit()


def _sort(node: Tree) -> str:
    return node.value if isinstance(node, Missing) else _SORTS[type(node)]


_SORTS: Final[dict[type, str]] = {
    Boolean: "boolean",
    Integer: "integer",
    Float: "float",
    Text: "text",
    Binary: "binary",
    EnumValue: "enum",
    ListOf: "list",
    MapOf: "map",
    MessageOf: "message",
}


def shown(tree: Tree, pattern: str = "") -> Iterator[str]:
    """The patterns of the places that have a value in an observation, in small letters without underscores."""
    if isinstance(tree, ListOf):
        for item in tree.items:
            yield from shown(item, f"{pattern}[]")
    elif isinstance(tree, MessageOf | MapOf):
        for name, value in _members(tree).items():
            yield from shown(value, f"{pattern}.{_fold(name)}" if pattern else _fold(name))
    if pattern and not isinstance(tree, Missing):
        yield pattern


def folded(path: str) -> str:
    """A path as `shown` has its pattern: without indices, and keys of maps as names."""
    names = re.sub(r"\[\d+\]", "[]", path).replace("}", "").replace("{", ".").split(".")
    return ".".join(_fold(name) for name in names if name)


# --- whether something is there --------------------------------------------------------------------------------------


def _sides(nodes: Mapping[str, Tree], view: View) -> dict[str, list[str]]:
    """The stubs by whether they see something. One that cannot tell a default from absence takes no side of the two."""
    sides: dict[str, list[str]] = {}
    unsure: list[str] = []
    for stub, node in nodes.items():
        if node is Missing.DEFAULT:
            unsure.append(stub)
        else:
            sides.setdefault(_side(node, view), []).append(stub)
    if not unsure:
        return sides
    fitting = [
        side
        for side, stubs in sides.items()
        if side == _ABSENT or (side == _THERE and any(_is_default(nodes[stub]) for stub in stubs))
    ]
    if len(fitting) <= 1:
        sides.setdefault(fitting[0] if fitting else Missing.DEFAULT.value, []).extend(unsure)
    return sides


def _side(node: Tree, view: View) -> str:
    if not isinstance(node, Missing):
        return _THERE
    return _ABSENT if view is View.CODE else node.value


def _is_default(node: Tree) -> bool:
    return node in _DEFAULTS or (isinstance(node, EnumValue) and node.number == 0)


_DEFAULTS: Final[frozenset[Tree]] = frozenset(
    {Boolean(value=False), Integer("0"), Float(0), Text(b""), Binary(b""), ListOf(()), MapOf(()), MessageOf(())}
)


# --- whether it is the same ------------------------------------------------------------------------------------------


def _blocks(nodes: Mapping[str, Tree], view: View) -> list[list[str]]:
    """The stubs by what they see, without looking into containers: what is inside is compared place by place."""
    blocks: list[list[str]] = []
    for stub in sorted(nodes, key=lambda stub: nodes[stub] is Missing.DEFAULT):
        for block in blocks:
            if _same(nodes[block[0]], nodes[stub], view):
                block.append(stub)
                break
        else:
            blocks.append([stub])
    return blocks


def _same(one: Tree, other: Tree, view: View) -> bool:
    if other is Missing.DEFAULT:
        return one is other or _is_default(one)
    if isinstance(one, ListOf) and isinstance(other, ListOf):
        return len(one.items) == len(other.items)
    if isinstance(one, MessageOf | MapOf) and isinstance(other, MessageOf | MapOf):
        return type(one) is type(other) or (view is View.CODE and _is_object(one) and _is_object(other))
    if isinstance(one, EnumValue) and isinstance(other, EnumValue):
        return one.number == other.number or (view is View.CODE and one.name == other.name != "")
    return one == other or (view is View.CODE and (_idiomatic(one, other) or _idiomatic(other, one)))


def _is_object(node: MessageOf | MapOf) -> bool:
    return isinstance(node, MessageOf) or all(isinstance(key, Text) for key, _value in node.entries)


def _idiomatic(one: Tree, other: Tree) -> bool:
    """Whether two languages' ways to see one thing are at hand."""
    if isinstance(one, Integer) and isinstance(other, Float):
        value = other.value
        return value.is_integer() and other.bits != _NEGATIVE_ZERO and f"{value:.0f}" == one.digits
    if isinstance(one, Integer):
        return isinstance(other, Text) and other.encoded == one.digits.encode()
    if isinstance(one, Text) and isinstance(other, Text):
        return is_same_instant(one.encoded, other.encoded)
    if isinstance(one, EnumValue):
        return (isinstance(other, Text) and one.name.encode() == other.encoded) or (
            isinstance(other, Integer) and str(one.number) == other.digits
        )
    return False


_NEGATIVE_ZERO: Final = 1 << 63


def _unknown_bytes(node: Tree) -> int:
    return node.unknown_bytes if isinstance(node, MessageOf) else 0


def _by_unknown_bytes(nodes: Mapping[str, Tree]) -> list[list[str]]:
    blocks: dict[int, list[str]] = {}
    for stub, node in nodes.items():
        blocks.setdefault(_unknown_bytes(node), []).append(stub)
    return list(blocks.values())


# --- what is inside --------------------------------------------------------------------------------------------------


def _inside(place: _Place, view: View) -> list[_Place]:
    """The places in containers that are the same as such; members that a stub does not list are absent for it."""
    first = next(iter(place.nodes.values()))
    if isinstance(first, ListOf):
        lists = {stub: node.items for stub, node in place.nodes.items() if isinstance(node, ListOf)}
        return [
            place.within("[]", str(index), {stub: items[index] for stub, items in lists.items()})
            for index in range(len(first.items))
        ]
    if not isinstance(first, MessageOf | MapOf):
        return []
    members = {stub: _members(node) for stub, node in place.nodes.items()}
    fold = view is View.CODE and all(isinstance(node, MessageOf) for node in place.nodes.values())
    spellings = _spellings(members.values(), fold=fold)
    places = []
    for spelling in spellings:
        nodes: dict[str, Tree] = {
            stub: next((names[name] for name in spelling if name in names), Missing.ABSENT)
            for stub, names in members.items()
        }
        shown = spelling[0]
        if isinstance(first, MapOf):
            places.append(place.within("{}", cut(shown, _KEY_WIDTH), nodes))
        else:
            places.append(place.under(shown, nodes))
    return places


def _members(node: Tree) -> dict[str, Tree]:
    if isinstance(node, MessageOf):
        return dict(node.fields)
    if isinstance(node, MapOf):
        return {decoded(key.encoded) if isinstance(key, Text) else render(key): value for key, value in node.entries}
    return {}


def _spellings(members: Iterable[Mapping[str, Tree]], *, fold: bool) -> list[tuple[str, ...]]:
    """The names of all members, each with its other spellings where these are only the habit of another language."""
    listed = list(members)
    names = dict.fromkeys(name for one in listed for name in one)
    if not fold or any(len({_fold(name) for name in one}) < len(one) for one in listed):
        return [(name,) for name in names]
    folded: dict[str, list[str]] = {}
    for name in names:
        folded.setdefault(_fold(name), []).append(name)
    return [tuple(spelling) for spelling in folded.values()]


def _fold(name: str) -> str:
    return name.replace("_", "").lower()
