"""Which values of one type are other values, or none, when they are read as another type. Encoding by encoding."""

from __future__ import annotations

from counterfoil.compat.changes import BINARY, EVERYWHERE, JSON, NOWHERE, Encodings
from counterfoil.schema.elements import Enum

INT32 = (-(2**31), 2**31 - 1)
UINT32 = (0, 2**32 - 1)
INT64 = (-(2**63), 2**63 - 1)
UINT64 = (0, 2**64 - 1)
INTEGERS = {
    "int32": ("varint", INT32),
    "sint32": ("zigzag", INT32),
    "sfixed32": ("32 bits", INT32),
    "uint32": ("varint", UINT32),
    "fixed32": ("32 bits", UINT32),
    "int64": ("varint", INT64),
    "sint64": ("zigzag", INT64),
    "sfixed64": ("64 bits", INT64),
    "uint64": ("varint", UINT64),
    "fixed64": ("64 bits", UINT64),
    "enum": ("varint", INT32),
}
"""How an integer type stands on the wire (https://protobuf.dev/programming-guides/encoding/), and its values."""


def kind_of(type_: str) -> str:
    """What a program holds: an integer (enums too), a float, a bool, text, bytes or a message."""
    if type_ in INTEGERS:
        return "integer"
    return "float" if type_ in {"float", "double"} else type_


def scalar_values(writer: str, reader: str) -> Encodings:
    """Where values of the writer's type may not arrive as themselves; enums count as open ones.

    JSON carries an enum as its name, which no integer field reads; a number is read by an enum field as it is.
    """
    if writer == reader:
        return NOWHERE
    if kind_of(writer) != kind_of(reader) or kind_of(writer) != "integer":
        return EVERYWHERE  # float and double differ on the wire, and in JSON by their precision and range
    (writer_form, written), (reader_form, readable) = INTEGERS[writer], INTEGERS[reader]
    fits = readable[0] <= written[0] and written[1] <= readable[1]
    binary = NOWHERE if fits and writer_form == reader_form else BINARY
    json = NOWHERE if fits and writer != "enum" else JSON
    return binary | json


def enum_values(writer: Enum, reader: Enum) -> Encodings:
    """Where values of one enum may not arrive in another.

    A closed enum takes only the numbers that it declares; the rest go to the unknown fields (binary) or are refused
    (JSON). JSON carries the name, in its first spelling.
    """
    found = NOWHERE
    if reader.is_closed and (not writer.is_closed or set(writer.names) - set(reader.names)):
        found |= EVERYWHERE
    if any(reader.numbers.get(names[0]) != number for number, names in writer.names.items()):
        found |= JSON
    return found


def integers_into_enum(reader: Enum) -> Encodings:
    """Where a number that is written as int32 may not arrive in an enum."""
    return EVERYWHERE if reader.is_closed else NOWHERE


def enum_into_integers(writer: Enum, reader: str) -> Encodings:
    """Where an enum's value may not arrive as an integer: a closed enum writes only what it declares."""
    form, (lowest, highest) = INTEGERS[reader]
    fits = writer.is_closed and all(lowest <= number <= highest for number in writer.names)
    return JSON if fits and form == "varint" else JSON | scalar_values("enum", reader)
