"""Observes the values of ordinary Python code."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any, TypeAlias
from uuid import UUID

from google.protobuf.message import Message

from counterfoil.stub.messages import MessageObserver
from counterfoil.stub.observation import (
    ABSENT,
    MAX_DEPTH,
    NULL,
    TooDeepError,
    binary,
    boolean,
    enum_value,
    field_name,
    float_bits,
    integer,
    list_of,
    map_of,
    message_of,
    text,
)

_Observe: TypeAlias = Callable[[Any, int], bytes]
_INT32 = range(-(2**31), 2**31)
_MISSING = object()


class UnobservableError(TypeError):
    """A decoder returned something of which nobody said how it is to be observed."""


def observe_value(value: object, depth: int = 0) -> bytes:
    """Observe a decoded value, to its last field.

    None is null. An object with declared fields (a dataclass, a NamedTuple; an instance of pydantic, attrs, msgspec) is
    a message of all of them. A date, a time, a Decimal or a UUID is its usual text. An enum member that stands for a
    number that fits int32 is an enum value; any other is what it stands for.
    """
    if depth > MAX_DEPTH:
        raise TooDeepError
    kind: type = type(value)
    return _observer(kind)(value, depth)


@cache
def _observer(kind: type) -> _Observe:
    names = _declared_fields(kind)
    if names is not None:
        return _fields_observer(names)
    for known, observe in _OBSERVERS:
        if issubclass(kind, known):
            return observe
    raise UnobservableError(
        f"a {kind.__module__}.{kind.__qualname__} cannot be observed; a decoder returns dataclasses, pydantic models, "
        "protobuf messages, or Python's own types"
    )


def _declared_fields(kind: type) -> Iterable[str] | None:
    """The fields that a class declares, by their names in the code; None for a class that does not declare any."""
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind)]
    if hasattr(kind, "__pydantic_fields__"):
        return list(kind.__pydantic_fields__)
    if hasattr(kind, "__attrs_attrs__"):
        return [attribute.name for attribute in kind.__attrs_attrs__]
    if hasattr(kind, "__struct_fields__"):
        return list(kind.__struct_fields__)
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return list(kind._fields)
    return None


def _fields_observer(names: Iterable[str]) -> _Observe:
    encoded_names = [(name, field_name(name)) for name in names]

    def observe_fields(value: object, depth: int) -> bytes:
        fields = []
        for name, encoded_name in encoded_names:
            member = getattr(value, name, _MISSING)
            fields.append((encoded_name, ABSENT if member is _MISSING else observe_value(member, depth + 1)))
        extra = getattr(value, "__pydantic_extra__", None) or {}
        fields += [(field_name(name), observe_value(member, depth + 1)) for name, member in extra.items()]
        return message_of(fields)

    return observe_fields


def _observe_enum(value: enum.Enum, depth: int) -> bytes:
    if isinstance(value.value, int) and value.value in _INT32:
        return enum_value(value.value, value.name or "")
    return observe_value(value.value, depth + 1)


def _observe_list(value: Iterable[object], depth: int) -> bytes:
    return list_of([observe_value(item, depth + 1) for item in value])


def _observe_set(value: Iterable[object], depth: int) -> bytes:
    return list_of(sorted(observe_value(item, depth + 1) for item in value))


def _observe_map(value: Mapping[Any, object], depth: int) -> bytes:
    try:
        keys = sorted(value)
    except TypeError:  # of several types, or of one without an order
        keys = list(value)
    return map_of([(observe_value(key, depth + 1), observe_value(value[key], depth + 1)) for key in keys])


_of_pool = MessageObserver()

# In this order: an enum may be an int or a str as well, a bool is an int, a datetime a date.
_OBSERVERS: list[tuple[type | tuple[type, ...], _Observe]] = [
    (type(None), lambda _value, _depth: NULL),
    (enum.Enum, _observe_enum),
    (bool, lambda value, _depth: boolean(value)),
    (int, lambda value, _depth: integer(value)),
    (float, lambda value, _depth: float_bits(value)),
    (str, lambda value, _depth: text(value)),
    ((bytes, bytearray, memoryview), lambda value, _depth: binary(bytes(value))),
    ((datetime, date, time), lambda value, _depth: text(value.isoformat())),
    ((Decimal, UUID), lambda value, _depth: text(str(value))),
    ((list, tuple), _observe_list),
    ((set, frozenset), _observe_set),
    (Mapping, _observe_map),
    (Message, _of_pool.observe),
]
