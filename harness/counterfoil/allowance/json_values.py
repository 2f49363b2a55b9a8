"""JSON values as the reference matcher sees them: their types, their equality and their text (serde_json)."""

from __future__ import annotations

from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Json, canonical

MIN_INTEGER, MAX_INTEGER = -(2**63), 2**64 - 1


def type_of(value: Json) -> str:
    """Null, Boolean, Integer, Decimal, String, Array or Object.

    A number is an integer if it is written without point and exponent and fits 64 bits.
    """
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, int):
        return "Integer" if MIN_INTEGER <= value <= MAX_INTEGER else "Decimal"
    names = {type(None): "Null", float: "Decimal", str: "String", list: "Array", dict: "Object"}
    return names[type(value)]


def is_number(value: Json) -> bool:
    """An integer or a decimal; a boolean is neither."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(one: Json, other: Json) -> bool:
    """Equality in which 1 is neither 1.0 nor true."""
    if type_of(one) != type_of(other):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


def text_of(value: Json) -> str:
    """What `regex` and `include` look at: a string itself, anything else as JSON. Raises UndecidedError."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) or type_of(value) == "Decimal":
        digits = repr(value)
        if "e" in digits or not isinstance(value, float):
            raise UndecidedError(f"how {digits} is written as text is not modelled")
        return digits
    if isinstance(value, dict | list) and value:
        raise UndecidedError("the text of an object or array is not modelled")
    return canonical(value)
