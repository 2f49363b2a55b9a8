"""Curated members of JSON objects for one field: edge values, and what can be wrong about keys, lists, maps. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from counterfoil.probe.backgrounds import brackets, contents
from counterfoil.probe.edge_scalars import OTHER_TYPES, enum_edges, scalar_edges
from counterfoil.probe.edge_special import JSON_EDGES
from counterfoil.probe.fields import Field, Shape, fields_of
from counterfoil.probe.forms import best, forms, in_role, member, quoted
from counterfoil.probe.payloads import DEFAULT, EDGE, VALUE, Encoding

NESTINGS = (32, 64, 99, 100, 101, 1000, 10_000)
"""protobuf's documented limit is 100; JSON parsers and recursive programs have others."""
Probe = tuple[str, str, tuple[bytes, ...]]
"""What to add to the path, the state, and the members."""


def member_edges(field: Field) -> Iterator[Probe]:
    """Every curated JSON of a field."""
    for where, name, value in _values(field):
        yield where, EDGE + name, (member(field, value),)
    for state, members in (*_keys(field), *_nested(field)):
        yield "", state, members


def _values(field: Field) -> Iterator[tuple[str, str, bytes]]:
    if field.shape is Shape.SINGULAR:
        for name, value in value_edges(field):
            yield "", name, value
        return
    if field.shape is Shape.REPEATED:
        for name, value in value_edges(field):
            yield "[]", name, b"[%b]" % value
        yield from (("", name, value) for name, value in _lists(field))
        return
    key, of_key = field.entry
    key_text, value_text = _value(key), _value(of_key)
    for name, text in value_edges(of_key):
        yield "{}", name, b"{%b:%b}" % (quoted(key_text), text)
    for name, text in _key_edges(key):
        yield "{}", name, b"{%b:%b}" % (text, value_text)
    yield from (("", name, text) for name, text in _maps(field))


def value_edges(field: Field) -> Iterator[tuple[str, bytes]]:
    """(name, JSON value) for one value of a field's type."""
    message = field.message
    if field.enum is not None:
        yield from enum_edges(field.enum)
    elif message is None:
        yield from scalar_edges(field.type)
    elif field.type in {"message", "group"}:
        yield from {**OTHER_TYPES, "array of one": b"[{}]", "number": b"1", "text": b'"v"'}.items()
        yield "unknown field", b'{"no_such_field":1}'
        yield "trailing comma", b'{"no_such_field":1,}'
    elif message.name in JSON_EDGES:
        yield from JSON_EDGES[message.name].items()
    else:
        (inner,) = fields_of(message)
        yield from value_edges(inner)
        yield "wrapper as an object", b'{"value":%b}' % _value(inner)


def _value(field: Field) -> bytes:
    """The JSON of an ordinary value; every type has one."""
    return best(forms(field), VALUE).json or b"{}"


def _lists(field: Field) -> Iterator[tuple[str, bytes]]:
    value = _value(field)
    yield "value without a list", value
    yield "list in a list", b"[[%b]]" % value
    yield "empty list in a list", b"[[]]"
    yield "object for a list", b"{}"
    yield "text for a list", b'""'
    yield "indexes as keys", b'{"0":%b}' % value
    yield "null after a value", b"[%b,null]" % value
    yield "null before a value", b"[null,%b]" % value
    yield "trailing comma", b"[%b,]" % value
    yield "hole in a list", b"[%b,,%b]" % (value, value)
    yield "list of 1000", b"[%b]" % b",".join([value] * 1000)


def _maps(field: Field) -> Iterator[tuple[str, bytes]]:
    key_field, value_field = field.entry
    key, value = quoted(_value(key_field)), _value(value_field)
    default = best(forms(value_field), DEFAULT).json or value
    yield "list for a map", b"[]"
    yield "text for a map", b'""'
    yield "list of entries for a map", b'[{"key":%b,"value":%b}]' % (key, value)
    yield "duplicate map key", b"{%b:%b,%b:%b}" % (key, default, key, value)
    yield "duplicate map key, default last", b"{%b:%b,%b:%b}" % (key, value, key, default)
    yield "duplicate map key, null last", b"{%b:%b,%b:null}" % (key, value, key)
    yield "unquoted map key", b"{%b:%b}" % (key.strip(b'"'), value)
    yield "list for a map's value", b"{%b:[%b]}" % (key, value)


MAP_KEYS: Mapping[str, Mapping[str, bytes]] = {
    "bool": {
        "map key true": b'"true"',
        "map key false": b'"false"',
        "map key 1": b'"1"',
        "map key True": b'"True"',
        "empty map key": b'""',
    },
    "string": {
        "empty map key": b'""',
        "map key __proto__": b'"__proto__"',
        "map key constructor": b'"constructor"',
        "map key with NUL": b'"\\u0000"',
        "map key with a dot": b'"a.b"',
        "map key of digits": b'"10"',
        "map key with a lone surrogate": b'"\\ud800"',
        "map key with invalid UTF-8": b'"\xff"',
        "map key null": b'"null"',
    },
}
INTEGER_KEYS = {
    "map key 0": b'"0"',
    "map key -1": b'"-1"',
    "map key -0": b'"-0"',
    "map key 1.0": b'"1.0"',
    "map key 1e2": b'"1e2"',
    "map key 1.5": b'"1.5"',
    "map key with a leading zero": b'"01"',
    "map key with a plus sign": b'"+1"',
    "map key with a space": b'" 1"',
    "empty map key": b'""',
    "map key 2^31": b'"2147483648"',
    "map key 2^32": b'"4294967296"',
    "map key 2^53+1": b'"9007199254740993"',
    "map key 2^63": b'"9223372036854775808"',
    "map key 2^64": b'"18446744073709551616"',
    "map key that is a word": b'"one"',
}


def _key_edges(key: Field) -> Iterator[tuple[str, bytes]]:
    yield from MAP_KEYS.get(key.type.removeprefix("unverified "), INTEGER_KEYS).items()


def _keys(field: Field) -> Iterator[tuple[str, tuple[bytes, ...]]]:
    """What can be special about the key: twice, in both spellings, escaped, in other letters."""
    default, value = in_role(field, Encoding.JSON, DEFAULT), in_role(field, Encoding.JSON, VALUE)
    null = b"null"
    second = value.json if value is not None and value.json is not None else null
    first = default.json if default is not None and default.json is not None else null
    key, *other = field.spellings
    yield "duplicate key", (b"%b:%b" % (key, first), b"%b:%b" % (key, second))
    yield "duplicate key, default last", (b"%b:%b" % (key, second), b"%b:%b" % (key, first))
    yield "duplicate key, null first", (b"%b:null" % key, b"%b:%b" % (key, second))
    yield "duplicate key, null last", (b"%b:%b" % (key, second), b"%b:null" % key)
    for proto_name in other:
        yield "both spellings", (b"%b:%b" % (key, first), b"%b:%b" % (proto_name, second))
        yield "both spellings, proto name first", (b"%b:%b" % (proto_name, first), b"%b:%b" % (key, second))
        yield "both spellings, null last", (b"%b:%b" % (key, second), b"%b:null" % proto_name)
    name = field.json_name
    yield "escaped key", (b'"\\u%04x%b:%b' % (ord(name[0]), json.dumps(name[1:]).encode()[1:], second),)
    for state, text in (
        ("key in capitals", name.upper()),
        ("key with a space", f"{name} "),
        ("number as key", str(field.number)),
    ):
        yield state, (b"%b:%b" % (json.dumps(text).encode(), second),)


def _nested(field: Field) -> Iterator[tuple[str, tuple[bytes, ...]]]:
    """Recursion to a depth, where a field's message has the same field again."""
    if contents(field) is None or contents(field) is not field.descriptor.containing_type:
        return
    opening, closing = brackets(field)
    key = field.spellings[0]
    for depth in NESTINGS:
        value = (opening + b"{%b:" % key) * (depth - 1) + opening + b"{}" + closing + (b"}" + closing) * (depth - 1)
        yield f"nesting of {depth}", (b"%b:%b" % (key, value),)
