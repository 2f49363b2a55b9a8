"""One value of each type in each presence state, in both encodings, built without any runtime's encoder. Pure."""

from __future__ import annotations

import base64
import json
import math
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from google.protobuf.descriptor import Descriptor, EnumDescriptor

from counterfoil.probe.fields import CACHED_MESSAGES, Field, Shape, enum_values, fields_of, required_fields
from counterfoil.probe.json_tree import string
from counterfoil.probe.payloads import (
    DEFAULT,
    EMPTY,
    EMPTY_ENTRY,
    NULL,
    NULL_ELEMENT,
    NULL_MEMBER,
    NULL_VALUE,
    OTHER_PACKING,
    VALUE,
    ZERO,
    Encoding,
)
from counterfoil.probe.wire_format import WireType, delimited, double, tag, varint, zigzag

ScalarValue = bool | int | float | str | bytes


@dataclass(frozen=True, slots=True)
class Form:
    """A value: its JSON text, and its content in the wire format without tag and length; None where there is none."""

    state: str
    json: bytes | None
    wire: bytes | None


@dataclass(frozen=True, slots=True)
class Sample:
    """A whole field in a state: its JSON value, and its records in the wire format; None where there is none."""

    state: str
    json: bytes | None
    wire: bytes | None


def scalar_json(type_: str, value: ScalarValue) -> bytes:
    """The JSON that the ProtoJSON mapping writes for a scalar that is no enum."""
    if isinstance(value, bytes):
        return b'"%b"' % base64.b64encode(value)
    if isinstance(value, str):
        return string(value)
    if isinstance(value, float) and not math.isfinite(value):
        return b'"NaN"' if math.isnan(value) else b'"Infinity"' if value > 0 else b'"-Infinity"'
    text = json.dumps(value).encode()
    return b'"%b"' % text if type_.endswith("64") else text


def scalar_wire(type_: str, value: ScalarValue) -> bytes:
    """The wire format's content of a scalar, without tag and length."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    layout = {"double": "<d", "float": "<f", "fixed32": "<I", "sfixed32": "<i", "fixed64": "<Q", "sfixed64": "<q"}
    if type_ in layout:
        return struct.pack(layout[type_], value)
    number = int(value)
    return varint(zigzag(number) if type_.startswith("sint") else number)


def record(field: Field, content: bytes) -> bytes:
    """The record of one value of a field that is no map; `content` as in Form."""
    wire_type = field.wire_type
    if wire_type is WireType.LEN:
        return delimited(field.number, content)
    end = tag(field.number, WireType.END_GROUP) if wire_type is WireType.START_GROUP else b""
    return tag(field.number, wire_type) + content + end


def packed(field: Field, contents: Iterable[bytes]) -> bytes:
    """One packed record of a repeated scalar field."""
    return delimited(field.number, b"".join(contents))


def map_entry(field: Field, key: bytes | None, value: bytes | None) -> bytes:
    """The record of a map's entry; `key` and `value` as in Form, None to leave one out."""
    key_field, value_field = field.entry
    parts = (record(one, content) for one, content in ((key_field, key), (value_field, value)) if content is not None)
    return delimited(field.number, b"".join(parts))


STRUCT_ENTRY = delimited(1, b"k")
SECONDS_AND_NANOS = b"\x08\x2a\x10" + varint(500_000_000)
ZERO_SECONDS_AND_NANOS = b"\x08\x00\x10\x00"
DURATION = "google.protobuf.Duration"

SPECIAL_FORMS: dict[str, tuple[Form, ...]] = {
    "google.protobuf.Struct": (
        Form(EMPTY, b"{}", b""),
        Form(VALUE, b'{"k":"v"}', delimited(1, STRUCT_ENTRY + delimited(2, delimited(3, b"v")))),
        Form(NULL_VALUE, b'{"k":null}', delimited(1, STRUCT_ENTRY + delimited(2, b"\x08\x00"))),
    ),
    "google.protobuf.Value": (
        Form(NULL, b"null", b"\x08\x00"),
        Form(DEFAULT, b"0", b"\x11" + double(0)),
        Form(EMPTY, None, b""),
        Form(VALUE, b'"v"', delimited(3, b"v")),
    ),
    "google.protobuf.ListValue": (
        Form(EMPTY, b"[]", b""),
        Form(VALUE, b'["v"]', delimited(1, delimited(3, b"v"))),
        Form(NULL_ELEMENT, b"[null]", delimited(1, b"\x08\x00")),
    ),
    "google.protobuf.Timestamp": (
        Form(DEFAULT, b'"1970-01-01T00:00:00Z"', ZERO_SECONDS_AND_NANOS),
        Form(EMPTY, None, b""),
        Form(VALUE, b'"1970-01-01T00:00:42.500Z"', SECONDS_AND_NANOS),
    ),
    DURATION: (
        Form(DEFAULT, b'"0s"', ZERO_SECONDS_AND_NANOS),
        Form(EMPTY, None, b""),
        Form(VALUE, b'"42.500s"', SECONDS_AND_NANOS),
    ),
    "google.protobuf.FieldMask": (
        Form(EMPTY, b'""', b""),
        Form(VALUE, b'"fooBar,baz.qux"', delimited(1, b"foo_bar") + delimited(1, b"baz.qux")),
    ),
    "google.protobuf.Empty": (Form(EMPTY, b"{}", b""),),
}


ANY_OF_DURATION = Form(
    VALUE,
    b'{"@type":"type.googleapis.com/google.protobuf.Duration","value":"42.500s"}',
    delimited(1, b"type.googleapis.com/google.protobuf.Duration") + delimited(2, SECONDS_AND_NANOS),
)


def _any_forms(message: Descriptor) -> Iterator[Form]:
    """Holding a Duration where the schema has it, else an empty Any, which every schema has that has one."""
    yield Form(EMPTY, b"{}", b"")
    pool = message.file.pool
    try:
        pool.FindMessageTypeByName(DURATION)
    except KeyError:
        name = message.full_name.encode()
        text = b'{"@type":"type.googleapis.com/%b","value":{}}' % name
        yield Form(VALUE, text, delimited(1, b"type.googleapis.com/" + name))
    else:
        yield ANY_OF_DURATION


def _wrapper_forms(message: Descriptor) -> Iterator[Form]:
    (inner,) = fields_of(message)
    for form in forms(inner):
        yield Form(form.state, form.json, None if form.wire is None else record(inner, form.wire))
    yield Form(EMPTY, None, b"")


def _enum_forms(field: Field, enum: EnumDescriptor) -> Iterator[Form]:
    values = enum_values(enum)
    default: int = values[0][1] if field.shape is Shape.REPEATED else field.descriptor.default_value
    of_default = next(name for name, number in values if number == default)
    yield Form(DEFAULT, string(of_default), varint(default))
    other = next(((name, number) for name, number in values if number != default), None)
    if other:
        yield Form(VALUE, string(other[0]), varint(other[1]))


SCALAR_VALUES: dict[str, tuple[ScalarValue, ...]] = {
    **dict.fromkeys(("int32", "int64", "uint32", "uint64", "sint32", "sint64"), (0, 42, 43)),
    **dict.fromkeys(("fixed32", "fixed64", "sfixed32", "sfixed64"), (0, 42, 43)),
    **dict.fromkeys(("double", "float"), (0.0, 1.5, 2.5)),
    **dict.fromkeys(("string", "unverified string"), ("", "v", "w")),
    "bool": (False, True),
    "bytes": (b"", b"\x01\x02", b"\x03\x04"),
}
"""The zero of each scalar type, and other values, so that one of them is not the default that a schema declares."""


def _scalar_forms(field: Field) -> Iterator[Form]:
    zero, *values = SCALAR_VALUES[field.type]
    default: ScalarValue = field.descriptor.default_value if field.descriptor.has_default_value else zero
    states = {DEFAULT: default, ZERO: None if default == zero else zero}
    states[VALUE] = next((value for value in values if value != default), None)
    for state, value in states.items():
        if value is not None:
            yield Form(state, scalar_json(field.type, value), scalar_wire(field.type, value))


@lru_cache(maxsize=CACHED_MESSAGES)
def forms(field: Field) -> tuple[Form, ...]:
    """Single values of a field's type; for a map, see `samples`."""
    if field.enum is not None:
        return tuple(_enum_forms(field, field.enum))
    message = field.message
    if message is None:
        return tuple(_scalar_forms(field))
    if message.full_name in SPECIAL_FORMS:
        return SPECIAL_FORMS[message.full_name]
    if message.full_name == "google.protobuf.Any":
        return tuple(_any_forms(message))
    if field.type not in {"message", "group"}:
        return tuple(_wrapper_forms(message))
    return tuple(_message_forms(message))


def _message_forms(message: Descriptor) -> Iterator[Form]:
    """An empty one, and one with its first scalar field in each state; with all that is required, if anything is."""
    yield Form(EMPTY, b"{}", b"")
    required = required_fields(message)
    simple = (one for one in fields_of(message) if one.message is None and one.shape is Shape.SINGULAR)
    chosen = next(simple, None)
    if chosen is None and required:
        yield Form(VALUE, *members(required))
    if chosen is None:
        return
    for form in (*forms(chosen), Form(NULL, b"null", None)):
        if form.state in {DEFAULT, VALUE, NULL}:
            rest = [one for one in required if one is not chosen]
            text, content = members(rest, json=[(chosen, form.json)], wire=[(chosen, form.wire)])
            state = NULL_MEMBER if form.state == NULL else form.state
            yield Form(state, text, None if form.wire is None else content)


def members(
    fields: Iterable[Field],
    *,
    json: Iterable[tuple[Field, bytes | None]] = (),
    wire: Iterable[tuple[Field, bytes | None]] = (),
) -> tuple[bytes, bytes]:
    """A message of these fields with a value each, and of further contents, in both encodings."""
    chosen = [(field, value_of(field)) for field in fields]
    texts = [(field, sample.json) for field, sample in chosen] + list(json)
    records = [sample.wire or b"" for _, sample in chosen]
    records += [record(field, content) for field, content in wire if content is not None]
    return b"{%b}" % b",".join(member(field, text) for field, text in texts if text is not None), b"".join(records)


def member(field: Field, value: bytes | None, spelling: int = 0) -> bytes:
    """The member of a JSON object for a value that JSON has."""
    if value is None:
        raise ValueError(field.name)
    return b"%b:%b" % (field.spellings[spelling], value)


def best(candidates: Iterable[Form], *states: str) -> Form:
    """The form in the first of the states that there is."""
    by_state = {form.state: form for form in candidates}
    return next(by_state[state] for state in (*states, VALUE, ZERO, DEFAULT, EMPTY) if state in by_state)


@lru_cache(maxsize=CACHED_MESSAGES)
def samples(field: Field) -> tuple[Sample, ...]:
    """The field in each presence state that it has, apart from absence."""
    if field.shape is Shape.MAP:
        return tuple(_map_samples(field))
    if field.shape is Shape.REPEATED:
        return tuple(_repeated_samples(field))
    made = [
        Sample(form.state, form.json, None if form.wire is None else record(field, form.wire)) for form in forms(field)
    ]
    return tuple(made if any(one.state == NULL for one in made) else [Sample(NULL, b"null", None), *made])


def value_of(field: Field) -> Sample:
    """The field with a value, or with the next best where its type has no value apart from its default."""
    by_state = {sample.state: sample for sample in samples(field)}
    return next(by_state[state] for state in (VALUE, ZERO, DEFAULT, EMPTY) if state in by_state)


def in_role(field: Field, encoding: Encoding, role: str) -> Sample | None:
    """The sample that stands for null, default or value where fields are combined; None if the encoding has none."""
    lists_in_json = encoding is Encoding.JSON and field.shape is not Shape.SINGULAR
    states = {
        DEFAULT: (EMPTY, DEFAULT) if lists_in_json else (DEFAULT, EMPTY),
        VALUE: (VALUE, ZERO),
    }.get(role, (role,))
    found = {
        one.state: one for one in samples(field) if (one.json if encoding is Encoding.JSON else one.wire) is not None
    }
    return next((found[state] for state in states if state in found), None)


def _repeated_samples(field: Field) -> Iterator[Sample]:
    default, value = best(forms(field), DEFAULT, EMPTY), best(forms(field), VALUE)
    yield Sample(NULL, b"null", None)
    yield Sample(EMPTY, b"[]", packed(field, ()) if field.is_packable else None)
    for state, items in ((DEFAULT, (default,)), (VALUE, (value, default))):
        contents = [item.wire or b"" for item in items]
        text = b"[%b]" % b",".join(item.json or b"{}" for item in items)
        spread = b"".join(record(field, content) for content in contents)
        is_packed = field.descriptor.is_packed
        yield Sample(state, text, packed(field, contents) if is_packed else spread)
        if field.is_packable and state == VALUE:
            yield Sample(OTHER_PACKING, None, spread if is_packed else packed(field, contents))
    yield Sample(NULL_ELEMENT, b"[null]", None)


def _map_samples(field: Field) -> Iterator[Sample]:
    key, value = field.entry
    yield Sample(NULL, b"null", None)
    yield Sample(EMPTY, b"{}", None)
    yield Sample(EMPTY_ENTRY, None, map_entry(field, None, None))
    for state in (DEFAULT, VALUE):
        of_key, of_value = best(forms(key), state), best(forms(value), state)
        text = b"{%b:%b}" % (quoted(of_key.json or b""), of_value.json or b"{}")
        yield Sample(state, text, map_entry(field, of_key.wire, of_value.wire))
    yield Sample(NULL_VALUE, b"{%b:null}" % quoted(best(forms(key), VALUE).json or b""), None)


def quoted(text: bytes) -> bytes:
    """A JSON scalar as a map's key."""
    return text if text.startswith(b'"') else b'"%b"' % text
