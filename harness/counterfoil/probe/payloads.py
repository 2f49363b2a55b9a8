"""Payloads: bytes made for a purpose, with stable words for what was done to which kind of field.

Words of `kind`: a label and a type. The labels are "optional" (explicit presence), "required", "oneof", "repeated",
"extension" and "map<KEY,TYPE>"; a singular field with implicit presence, and a message outside a oneof, have none.
The types are those of the protobuf language, "string" where the language says so and "unverified string" where its
UTF-8 is nobody's concern (proto2), "enum" and "closed enum", "message" for a message of the user, "group", and
"message:FULL.NAME" or "enum:FULL.NAME" for those of google.protobuf that JSON treats specially. "document" is the
whole payload; "anything" stands in divergences that are of one cause whatever the payload.

Words of `state`: "absent", "null", "default", "empty" (no content: "", [], {}, a message of no bytes; where the
type's default is that too, it is called "default"), "zero" (where the schema declares another default), "value",
"other packing" (values, packed or not as the schema does not say), "empty entry" (of a map), "null element", "null
value" (of a map), "null member" (of a message), each followed by " by proto name" when the JSON key is the field's
name in the schema instead of its JSON name; "edge:..." and the words of `edges`, which name one curated value each.

A payload that probes several fields joins the words of each with PLUS, in the order in which they stand in it, and
each part (kind, state) also occurs in a payload of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Encoding(StrEnum):
    """How a payload represents its message."""

    BINARY = "binary"
    JSON = "json"


class Phase(StrEnum):
    """Which part of the probe a payload belongs to, in the order in which they run."""

    WITNESS = "witness"
    LATTICE = "lattice"
    EDGES = "edges"
    RANDOM = "random"


ABSENT = "absent"
NULL = "null"
DEFAULT = "default"
EMPTY = "empty"
ZERO = "zero"
VALUE = "value"
OTHER_PACKING = "other packing"
NULL_ELEMENT = "null element"
NULL_VALUE = "null value"
NULL_MEMBER = "null member"
EMPTY_ENTRY = "empty entry"
BY_PROTO_NAME = " by proto name"
EDGE = "edge:"
PLUS = " + "
RANDOM = "random"
DOCUMENT = "document"
ANYTHING = "anything"
ONEOF = "oneof"
SPECIAL_MESSAGES = frozenset(
    f"google.protobuf.{name}"
    for name in (
        *(f"{scalar}Value" for scalar in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32")),
        *("BoolValue", "StringValue", "BytesValue", "Struct", "Value", "ListValue"),
        *("Timestamp", "Duration", "FieldMask", "Any", "Empty"),
    )
)
"""The messages whose JSON is not an object of their fields, and Empty."""
LABELS = frozenset({"optional", "required", "oneof", "repeated", "extension"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A payload. `path` names the probed field from the root: "price.units", "tags[]", "attributes{}"; or is empty."""

    encoding: Encoding
    data: bytes
    path: str
    kind: str
    state: str
    phase: str

    @property
    def parts(self) -> tuple[tuple[str, str, str], ...]:
        """(path, kind, state) of every probed field, in the order in which they stand in the payload."""
        return tuple(zip(self.path.split(PLUS), self.kind.split(PLUS), self.state.split(PLUS), strict=True))


def type_of(kind: str) -> str:
    """The type in a kind, without its labels: "int32" for "optional int32"; a map stays whole."""
    words = kind.split(" ")
    while len(words) > 1 and words[0] in LABELS:
        words = words[1:]
    return " ".join(words)
