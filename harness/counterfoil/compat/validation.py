"""Whether validation rules (protovalidate's, or anyone's in its form) let less through than before, or more. Pure.

The rules come as nested mappings under the names of buf/validate/validate.proto.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from counterfoil.compat.values import INTEGERS

LOWER = {"gt": True, "gte": False, "min_len": False, "min_bytes": False, "min_items": False, "min_pairs": False}
UPPER = {"lt": True, "lte": False, "max_len": False, "max_bytes": False, "max_items": False, "max_pairs": False}
"""Bounds, and whether they exclude the value itself."""
BOTH = tuple((low, high) for low in ("gt", "gte") for high in ("lt", "lte"))
OUTSIDE = "outside"
"""Two bounds in one, of which the lower is not below the upper: what lies between them is refused, not what is beyond
(what buf/validate/validate.proto says of `gt`)."""
EXACT = {"len": "len", "len_bytes": "bytes"}
"""A lower and an upper bound in one, and of what."""
WHOLE_NUMBERS = tuple(f"{name}." for name in INTEGERS)
INTEGER_RANGES = {name: values for name, (_, values) in INTEGERS.items()}
PARTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "prefix": lambda old, new: bool(old.startswith(new)),
    "suffix": lambda old, new: bool(old.endswith(new)),
    "contains": lambda old, new: new in old,
    "not_contains": lambda old, new: old in new,
}
"""What a text, or bytes, has in it or not, and whether a new one lets everything through that an old one does."""
SAYS_NOTHING = {"example", "message", "id"}
LISTS_ALLOWED = {"in"}
ITEMS = {"items", "keys", "values"}
"""The rules below these are for each of a field's items, of which an empty field has none."""
NOTHING = (0, False)
"""The bound that what is empty, or zero, just meets."""
EMPTY = {"", "0", "0.0", "False"}
FORMATS = {"address", "email", "hostname", "ip", "ipv4", "ipv6", "tuuid", "uri", "uuid"}
"""Of text; an empty one has none of them."""
RULES_OF_THEIR_OWN = {"cel", "cel_expression", "oneof"}
WAIVES = {"ignore": ("", "IGNORE_UNSPECIFIED", "IGNORE_IF_ZERO_VALUE", "IGNORE_IF_UNPOPULATED", "IGNORE_ALWAYS")}
WAIVING_FLAGS = {"disabled", "skipped", "ignore_empty"}
ON_BY_DEFAULT = {"strict"}


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The rules (dotted names) by which less goes through, and those by which more does."""

    tightened: tuple[str, ...]
    loosened: tuple[str, ...]


def judge(old: Mapping[str, Any], new: Mapping[str, Any]) -> Verdicts:
    """Compare two sets of rules. What cannot be told counts as tightened: it may refuse what went through before."""
    before, after = dict(_flat("", old)), dict(_flat("", new))
    tightened, loosened = [], []
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) == after.get(path):
            continue
        less, more = _judge_one(path.rpartition(".")[2], before.get(path), after.get(path))
        tightened += [path] if less else []
        loosened += [path] if more else []
    if _is_ignored(after):
        tightened = []
    return Verdicts(tuple(tightened), tuple(loosened))


def refuses_absence(rules: Mapping[str, Any], *, tracks_presence: bool) -> bool:
    """Whether a message of a writer who does not know the field is refused.

    Rules other than `required` hold for an absent field only where it cannot be told from an empty one
    (https://protovalidate.com/schemas/field-rules): those that are known to refuse what is empty count.
    """
    if _is_ignored(rules):
        return False
    if rules.get("required"):
        return True
    if tracks_presence or rules.get("ignore", "IGNORE_UNSPECIFIED") != "IGNORE_UNSPECIFIED":
        return False
    own = ((path.split("."), value) for path, value in _flat("", rules))
    return any(_refuses_empty(path[-1], value) for path, value in own if ITEMS.isdisjoint(path[:-1]))


def _refuses_empty(name: str, value: Any) -> bool:  # noqa: ANN401 - a rule's value may be anything
    """Whether one rule refuses zero, an empty text, list or map."""
    if name.startswith("lower"):
        return bool(_is_higher(value, NOTHING))
    if name == OUTSIDE:
        lower, upper = value
        return bool(_is_higher(lower, NOTHING)) and _is_higher(upper, NOTHING) is False
    if name in LISTS_ALLOWED:
        return EMPTY.isdisjoint(value)
    return name in FORMATS and value is True


def _is_ignored(rules: Mapping[str, Any]) -> bool:
    return rules.get("ignore") == "IGNORE_ALWAYS" or bool(rules.get("disabled")) or bool(rules.get("skipped"))


def _flat(prefix: str, rules: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each rule by its dotted name, bounds as `lower` and `upper`, without those that say nothing.

    Rules that say the same come out the same: an exact length is two bounds, a constant a list of one.
    """
    for name, value in _with_outside(prefix, rules).items():
        path = f"{prefix}{name}"
        if name in SAYS_NOTHING:
            continue
        if name in RULES_OF_THEIR_OWN:
            yield path, frozenset(_expressions(value))
        elif isinstance(value, Mapping):
            yield from _flat(f"{path}.", value)
        elif name in LOWER or name in UPPER:
            yield from _bounds(prefix, name, value)
        elif name in EXACT:
            unit = EXACT[name]
            yield from (
                (f"{prefix}lower_{unit}", (_number(value), False)),
                (f"{prefix}upper_{unit}", (_number(value), True)),
            )
        elif isinstance(value, list):
            yield path, frozenset(map(str, value))
        elif name == "const":
            yield f"{prefix}in", frozenset({str(value)})
        elif value is not (name in ON_BY_DEFAULT) and value != "":
            yield path, b64decode(value) if name in PARTS and prefix.endswith("bytes.") else value


def _with_outside(prefix: str, rules: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same rules, two bounds as one where they refuse what lies between them."""
    both = next((both for both in BOTH if _lies_outside(rules, *both)), None)
    if both is None:
        return rules
    others = {name: value for name, value in rules.items() if name not in both}
    return {**others, OUTSIDE: tuple(_bound(prefix, name, rules[name]) for name in both)}


def _lies_outside(rules: Mapping[str, Any], low: str, high: str) -> bool:
    if low not in rules or high not in rules:
        return False
    lower, upper = ((_number(rules[name]), False) for name in (low, high))
    return _is_higher(lower, upper) is True or (lower == upper and (low, high) != ("gte", "lte"))


def _bounds(prefix: str, name: str, value: object) -> Iterator[tuple[str, tuple[object, bool]]]:
    """A bound under its name, unless it refuses nothing."""
    bound = _bound(prefix, name, value)
    if not _refuses_nothing(prefix, name, bound):
        yield f"{prefix}{'lower' if name in LOWER else 'upper'}{_unit(name)}", bound


def _bound(prefix: str, name: str, value: object) -> tuple[object, bool]:
    """A limit and whether it is just above it, so that limits compare; whole numbers have a next one."""
    number = _number(value)
    excludes = LOWER.get(name, False) or UPPER.get(name, False)
    if excludes and isinstance(number, int) and prefix.endswith(WHOLE_NUMBERS):
        return (number + 1 if name in LOWER else number - 1), name in UPPER
    return number, LOWER[name] if name in LOWER else not UPPER[name]


def _refuses_nothing(prefix: str, name: str, bound: tuple[object, bool]) -> bool:
    """Whether a bound lies where a length, or an integer of its type, cannot go beyond it."""
    least: int | None
    least, most = (0, None) if "_" in name else INTEGER_RANGES.get(prefix.split(".")[-2:][0], (None, None))
    if name in LOWER:
        return least is not None and _is_higher(bound, (least, False)) is False
    return most is not None and _is_higher((most, True), bound) is False


def _unit(name: str) -> str:
    return f"_{name.partition('_')[2]}" if "_" in name else ""


def _expressions(value: object) -> Iterator[str]:
    """What each of a list of rules asks, without the words it is reported in."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, Mapping):
            yield str(one.get("expression") or sorted((key, str(part)) for key, part in one.items()))
        else:
            yield str(one)


def _judge_one(name: str, old: Any, new: Any) -> tuple[bool, bool]:  # noqa: ANN401 - a rule's value may be anything
    """Whether one rule lets less through, and whether more."""
    if name in WAIVES:
        order = WAIVES[name]
        stronger = _rank(order, new) > _rank(order, old)
        return not stronger, stronger
    if name in WAIVING_FLAGS or name in ON_BY_DEFAULT:
        relaxes = bool(new) if name in WAIVING_FLAGS else new is False
        return not relaxes, relaxes
    if old is None or new is None:
        return old is None, new is None
    if name.startswith(("lower", "upper")):
        tighter = _is_higher(new, old) in {None, name.startswith("lower")}
        return tighter, not tighter
    if name == OUTSIDE:
        less = _is_higher(new[0], old[0]), _is_higher(old[1], new[1])
        more = _is_higher(old[0], new[0]), _is_higher(new[1], old[1])
        return less != (False, False), True in more
    wider = name in PARTS and PARTS[name](old, new)
    if isinstance(old, frozenset) and isinstance(new, frozenset):
        wider = new < old if name not in LISTS_ALLOWED else new > old
    return not wider, wider


def _rank(order: tuple[str, ...], value: object) -> int:
    text = str(value or "")
    return order.index(text) if text in order else len(order)


def _is_higher(one: tuple[Any, bool], other: tuple[Any, bool]) -> bool | None:
    """None where the two cannot be compared."""
    try:
        return one > other
    except TypeError:
        return None


def _number(value: object) -> object:
    """ProtoJSON writes 64-bit integers as text, and durations as seconds with an s."""
    text = str(value).removesuffix("s")
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
