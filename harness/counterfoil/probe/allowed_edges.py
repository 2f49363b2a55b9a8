"""Which of the curated edge values the JSON mapping allows, so that every reader of the schema has to know them. Pure.

Services are free in what they do with anything else: whether they refuse it is no matter of the contract.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from counterfoil.probe.edge_members import value_edges
from counterfoil.probe.edge_scalars import POWERS
from counterfoil.probe.fields import Field, fields_of
from counterfoil.probe.payloads import EDGE

UNKNOWN_NAME: Final = f"{EDGE}unknown name"
"""The one value here that a reader may refuse: two that both take an unknown name should make the same of it."""
_FLOATS: Final = ("NaN as text", "Infinity as text", "-Infinity as text", "0.1", "1E+2", "1.5 as text")
_DOUBLES: Final = ("2^53+1", "largest double", "smallest double", "many digits")
_NUMBERS: Final = ("2^53+1", "0.1")
_ALLOWED: Final[Mapping[str, tuple[str, ...]]] = {
    "float": (*_FLOATS, "2^24+1", "largest float", "smallest float"),
    "double": (*_FLOATS, *_DOUBLES),
    "string": (
        *("surrogate pair", "NUL", "DEL", "C1 control character", "line separator", "byte order mark"),
        *("noncharacter", "last code point", "combining characters", "every short escape", "65536 characters"),
    ),
    "bytes": (
        *("base64 with padding", "base64 without padding", "base64url with padding", "base64url without padding"),
        "escaped slash",
    ),
    "enum": ("known number", "unknown number", "unknown negative number", "unknown name"),
    "Timestamp": (
        *("smallest time", "largest time", "before the epoch", "offset", "negative offset", "29 February"),
        *("one digit of fraction", "nine digits of fraction"),
    ),
    "Duration": (
        *("largest duration", "smallest duration", "one nanosecond", "negative fraction", "one digit of fraction"),
    ),
    "FieldMask": ("one path", "capitals in a path", "nested path"),
    "Struct": ("empty key", "every type", "fields key", "__proto__ key"),
    "Value": (*_NUMBERS, "true", "false", "empty text", "empty array", "empty object", "array with null"),
    "ListValue": ("every type",),
}
"""Names of edge values by type: a scalar type, or a message of google.protobuf."""


def allowed_edges(field: Field) -> Iterator[tuple[str, bytes]]:
    """(name, JSON value) for one value of a field's type; of other messages none, since their fields have them."""
    if field.type in {"message", "group"}:
        return
    names = frozenset(_names(field))
    yield from ((name, value) for name, value in value_edges(field) if name in names)


def _names(field: Field) -> Iterator[str]:
    message = field.message
    if field.enum is not None:
        yield from _ALLOWED["enum"]
    elif message is None:
        type_ = field.type.removeprefix("unverified ")
        yield from _ALLOWED.get(type_, ()) or _integers(type_)
    elif message.name.endswith("Value") and message.name not in _ALLOWED:
        (inner,) = fields_of(message)
        yield from _names(inner)
    else:
        yield from _ALLOWED.get(message.name, ())


def _integers(type_: str) -> Iterator[str]:
    """What an integer type holds, as a number and as text; nothing for a type that is none."""
    bits = type_[-2:]
    if bits not in {"32", "64"}:
        return
    is_unsigned = type_.startswith(("uint", "fixed"))
    low, high = (0, 2 ** int(bits)) if is_unsigned else (-(2 ** (int(bits) - 1)), 2 ** (int(bits) - 1))
    for name, value in POWERS.items():
        if low <= value < high:
            yield from (name, f"{name} as text")
