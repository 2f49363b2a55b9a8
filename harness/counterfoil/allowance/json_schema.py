"""Which presence states a JSON Schema allows at the places of an example. Pure.

JSON Schema 2020-12 and draft 7, and the schemas of OpenAPI 3.0 and 3.1. The example leads the way, so that a schema
which contains itself ends where the example does. What is not followed is named; nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final
from urllib.parse import unquote

from counterfoil.allowance.edits import state_of
from counterfoil.allowance.paths import Steps
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Json
from counterfoil.probe.payloads import ABSENT, NULL

MAX_DEPTH: Final = 32
"""Places within places of an example."""
MAX_NESTING: Final = 64
"""References and combinations on the way to what a schema says of one place."""
MAX_VARIANTS: Final = 64
"""Combinations of `anyOf` and `oneOf` at one place."""
MAX_STEPS: Final = 100_000
"""Schemas that are looked at for one example, each time counted."""
SHOWN_CHARS: Final = 100
DYNAMIC: Final = ("$dynamicRef", "$recursiveRef")
TYPES: Final[Mapping[type, frozenset[str]]] = {
    type(None): frozenset({"null"}),
    bool: frozenset({"boolean"}),
    int: frozenset({"integer", "number"}),
    float: frozenset({"integer", "number"}),
    str: frozenset({"string"}),
    list: frozenset({"array"}),
    dict: frozenset({"object"}),
}

Node = dict[str, Json]
Variant = tuple[Node, ...]
"""Schemas that hold of a value at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A place, the state that it has in the example, and those of absent and null that its schema allows there."""

    place: Steps
    state: str
    may_be: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFollowed:
    """A place of whose schema nothing is claimed, with the reason in a few words."""

    place: Steps
    reason: str


def places_of(document: Json, schema: Json, example: Json) -> Iterator[Described | NotFollowed]:
    """What a schema of a document says of every member and element of the example, and of members that it lacks."""
    return _Schemas(document).places(schema, example, ())


def resolve(document: Json, reference: Json) -> Json:
    """What a reference within the document (`#/...`, RFC 6901) leads to. Raises UndecidedError for every other one."""
    name = str(reference)[:SHOWN_CHARS]
    if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
        raise UndecidedError(f"it refers to '{name}', and only references within the document (#/...) are followed")
    found = document
    for step in reference.split("/")[1:]:
        key = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isascii() and key.isdecimal() and int(key[:9]) < len(found):
            found = found[int(key[:9])]
        else:
            raise UndecidedError(f"it refers to '{name}', which is not there")
    return found


class _Schemas:
    """The schemas of one document, and how much more may be looked at."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._left = MAX_STEPS

    def places(self, schema: Json, value: Json, place: Steps) -> Iterator[Described | NotFollowed]:
        if not isinstance(value, dict | list):
            return
        if len(place) >= MAX_DEPTH:
            yield NotFollowed(place=place, reason=f"places beyond a depth of {MAX_DEPTH} are not looked at")
            return
        try:
            variants = self._fitting(schema, value)
        except UndecidedError as why:
            yield NotFollowed(place=place, reason=str(why))
            return
        if isinstance(value, dict):
            named = dict.fromkeys(key for variant in variants for node in variant for key in _properties(node))
            for key in dict.fromkeys([*named, *value]):
                yield from self._member(variants, key, value, (*place, key))
        else:
            for index, element in enumerate(value):
                of_element = [[_element(node, index) for node in variant] for variant in variants]
                yield from self._place(of_element, element, (*place, str(index)), may_be_absent=False)

    def _member(
        self, variants: Iterable[Variant], key: str, value: Node, place: Steps
    ) -> Iterator[Described | NotFollowed]:
        """Of variants that name the member, those count; a variant that does not is of another kind of object."""
        if key not in value:
            yield Described(place=place, state=ABSENT)
            return
        naming = [variant for variant in variants if any(key in _properties(node) for node in variant)]
        of_member = [[_member_schema(node, key) for node in variant] for variant in naming or variants]
        may_be_absent = any(not any(key in _required(node) for node in variant) for variant in naming)
        yield from self._place(of_member, value[key], place, may_be_absent=may_be_absent)

    def _place(
        self, alternatives: list[list[Json]], value: Json, place: Steps, *, may_be_absent: bool
    ) -> Iterator[Described | NotFollowed]:
        """A place of which all schemas of one alternative hold. A schema that is None says nothing."""
        told: list[list[Json]] = [[schema for schema in one if schema is not None] for one in alternatives]
        spoken: list[Json] = [{"allOf": schemas} for schemas in told if schemas]
        if not spoken:
            return
        schema: Json = {"anyOf": spoken}
        try:
            may_be_null = self._takes_null(schema, 0)
        except UndecidedError as why:
            yield NotFollowed(place=place, reason=str(why))
            return
        may_be = {ABSENT: may_be_absent, NULL: may_be_null}
        allowed = frozenset(state for state, allows in may_be.items() if allows)
        yield Described(place=place, state=state_of(value), may_be=allowed)
        yield from self.places(schema, value, place)

    def _takes_null(self, schema: Json, nesting: int) -> bool:
        """Whether null is valid; `nullable: true` says so wherever it stands, as authors mean it beside `$ref`."""
        node = self._node(schema, nesting)
        if node is None:
            return bool(schema)
        if node.get("nullable") is True:
            return True
        kinds, allowed = node.get("type"), node.get("enum")
        refused = (
            (isinstance(kinds, str) and kinds != "null")
            or (isinstance(kinds, list) and "null" not in kinds and None not in kinds)
            or (isinstance(allowed, list) and None not in allowed)
            or ("const" in node and node["const"] is not None)
        )
        deeper = nesting + 1
        return (
            not refused
            and ("$ref" not in node or self._takes_null(resolve(self._document, node["$ref"]), deeper))
            and all(self._takes_null(one, deeper) for one in _list(node, "allOf"))
            and all(
                any(self._takes_null(one, deeper) for one in _list(node, key))
                for key in ("anyOf", "oneOf")
                if _list(node, key)
            )
            and ("not" not in node or not self._takes_null(node["not"], deeper))
        )

    def _fitting(self, schema: Json, value: Json) -> list[Variant]:
        """The variants that the example is of; all of them, where it is of none."""
        variants = self._variants(schema, value, 0)
        return [one for one in variants if all(_fits(node, value) for node in one)] or variants

    def _variants(self, schema: Json, value: Json, nesting: int) -> list[Variant]:
        node = self._node(schema, nesting)
        if node is None:
            return [()] if schema else []
        deeper = nesting + 1
        groups: list[list[Variant]] = [[(node,)]]
        if "$ref" in node:
            groups.append(self._variants(resolve(self._document, node["$ref"]), value, deeper))
        groups += [self._variants(one, value, deeper) for one in _list(node, "allOf")]
        for key in ("anyOf", "oneOf"):
            choices = _chosen(node, _list(node, key), value)
            groups += [[made for one in choices for made in self._variants(one, value, deeper)]] if choices else []
        found: list[Variant] = [()]
        for group in groups:
            if len(found) * len(group) > MAX_VARIANTS:
                raise UndecidedError(f"its schema has more than {MAX_VARIANTS} variants")
            found = [one + other for one, other in product(found, group)]
        return found

    def _node(self, schema: Json, nesting: int) -> Node | None:
        """The schema, if it is an object and not just true or false. Raises UndecidedError for what is not followed."""
        self._left -= 1
        if nesting > MAX_NESTING or self._left < 0:
            raise UndecidedError("its schema refers to itself, or is too large")
        if isinstance(schema, bool):
            return None
        if not isinstance(schema, dict):
            raise UndecidedError("its schema is neither an object nor true or false")
        for keyword in DYNAMIC:
            if keyword in schema:
                raise UndecidedError(f"'{keyword}' is not followed")
        return schema


def _chosen(node: Node, choices: list[Json], value: Json) -> list[Json]:
    """Of alternatives, those that OpenAPI's `discriminator` tells for this value; all where it tells none."""
    by = node.get("discriminator")
    name = by.get("propertyName") if isinstance(by, dict) else None
    kind = value.get(name) if isinstance(value, dict) and isinstance(name, str) else None
    if not isinstance(by, dict) or not isinstance(kind, str):
        return choices
    mapping = by.get("mapping")
    target = mapping.get(kind, kind) if isinstance(mapping, dict) else kind
    references = [(one, one.get("$ref")) for one in choices if isinstance(one, dict)]
    found: list[Json] = [
        one for one, ref in references if isinstance(ref, str) and target in {ref, ref.rpartition("/")[2]}
    ]
    return found or choices


def _fits(node: Node, value: Json) -> bool:
    """Whether a value may be of this schema, by what stands in it and directly in its properties.

    What is required is not asked: the examples of contracts leave out what their readers do not use.
    """
    members = _properties(node).items() if isinstance(value, dict) else ()
    return _is_of(node, value) and all(
        _is_of(schema, value[key])
        for key, schema in members
        if isinstance(value, dict) and key in value and isinstance(schema, dict)
    )


def _is_of(node: Node, value: Json) -> bool:
    """By type, `enum` and `const` alone."""
    kinds = node.get("type")
    names = [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else []
    if names and not any(one in names for one in TYPES[type(value)]):
        return value is None and node.get("nullable") is True
    allowed = node.get("enum")
    return (not isinstance(allowed, list) or value in allowed) and ("const" not in node or node["const"] == value)


def _member_schema(node: Node, key: str) -> Json:
    """What a schema says of a member; None where nothing."""
    if key in _properties(node):
        return _properties(node)[key]
    others = None if "patternProperties" in node else node.get("additionalProperties")
    return others if isinstance(others, dict) else None


def _element(node: Node, index: int) -> Json:
    """What a schema says of an array's element, in 2020-12 and in draft 7; None where nothing."""
    first, rest = node.get("prefixItems"), node.get("items")
    if isinstance(rest, list):
        first, rest = rest, node.get("additionalItems")
    if isinstance(first, list) and index < len(first):
        return first[index]
    return rest if isinstance(rest, dict) else None


def _properties(node: Node) -> Node:
    found = node.get("properties")
    return found if isinstance(found, dict) else {}


def _required(node: Node) -> list[Json]:
    return _list(node, "required")


def _list(node: Node, key: str) -> list[Json]:
    found = node.get(key)
    return found if isinstance(found, list) else []
