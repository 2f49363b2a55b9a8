"""The elements of a schema as frozen values: files, messages, fields, enums, services. Features are resolved.

`symbol` is a full name without a leading dot; that of a file is `file PATH`. `index` is the element's place in the
source positions of its file (SourceCodeInfo.Location.path).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import Message as ProtobufMessage

from counterfoil.model import Location
from counterfoil.schema.features import Features

Ranges = tuple[tuple[int, int], ...]
"""Numbers from the first to the second, both included."""


class Positions:
    """Where the elements of a file stand, looked up when first asked for."""

    def __init__(self, proto: FileDescriptorProto) -> None:
        self._proto = proto
        self.path = proto.name

    @cached_property
    def _lines(self) -> dict[tuple[int, ...], int]:
        return {tuple(one.path): one.span[0] + 1 for one in self._proto.source_code_info.location if one.span}

    def line(self, index: tuple[int, ...]) -> int | None:
        """The line, from 1, of an element; None in an image without positions."""
        return self._lines.get(index)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Element:
    """What all elements have. `options` is the element's options message as it stands in the image."""

    symbol: str
    name: str
    positions: Positions
    index: tuple[int, ...]
    features: Features
    options: ProtobufMessage

    @property
    def path(self) -> str:
        """The file, as the image names it."""
        return self.positions.path

    @property
    def line(self) -> int | None:
        """The line on which it begins, from 1, where the image has positions."""
        return self.positions.line(self.index)

    @property
    def location(self) -> Location:
        """Where it stands."""
        return Location(path=self.path, line=self.line)

    @property
    def is_deprecated(self) -> bool:
        """Whether it is marked so."""
        return bool(getattr(self.options, "deprecated", False))


class Cardinality(StrEnum):
    """How many values a field has."""

    SINGULAR = "singular"
    REPEATED = "repeated"
    MAP = "map"


class Presence(StrEnum):
    """Whether a field that was not set can be told from one that has its default."""

    IMPLICIT = "implicit"
    EXPLICIT = "explicit"
    REQUIRED = "required"
    NONE = "none"
    """Repeated fields and maps."""


MESSAGE = "message"
ENUM = "enum"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field(Element):
    """A field, or an extension. `message` is the full name of the message whose payloads carry it."""

    message: str
    number: int
    type: str
    """A scalar's keyword, "message" (groups too) or "enum"."""
    type_name: str | None
    """The full name of its message or enum; for a map, that of its entry."""
    cardinality: Cardinality
    presence: Presence
    default: str | None
    """The default that the schema declares, as descriptor.proto writes it."""
    json_name: str
    oneof: str | None
    """The oneof that it is a member of; not the one that proto3 makes up for `optional`."""
    is_packed: bool
    is_delimited: bool
    verifies_utf8: bool
    is_extension: bool

    @property
    def has_presence(self) -> bool:
        """Whether a program can ask if it is set."""
        return self.presence in {Presence.EXPLICIT, Presence.REQUIRED}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Oneof(Element):
    """A real oneof; `numbers` are those of its members."""

    numbers: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Message(Element):
    """A message, with its fields by number (without extensions), in the order of the file."""

    fields: Mapping[int, Field]
    oneofs: Mapping[str, Oneof]
    reserved_ranges: Ranges
    reserved_names: frozenset[str]
    extension_ranges: Ranges
    is_map_entry: bool
    is_message_set: bool
    visibility: str
    numbers: Mapping[str, int] = field(repr=False)
    """The number of each field, by name."""
    by_json_name: Mapping[str, frozenset[int]] = field(repr=False)
    """The numbers of the fields, by JSON name: mostly one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EnumValue(Element):
    """A value. Its symbol has the enum's full name in it (`shop.v1.Color.RED`), though protobuf scopes it beside."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Enum(Element):
    """An enum. `names` gives the names of each number in the order of the file: more than one for aliases."""

    values: tuple[EnumValue, ...]
    names: Mapping[int, tuple[str, ...]]
    numbers: Mapping[str, int]
    by_name: Mapping[str, EnumValue]
    is_closed: bool
    reserved_ranges: Ranges
    reserved_names: frozenset[str]
    visibility: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Method(Element):
    """An RPC; `request` and `response` are full names."""

    service: str
    request: str
    response: str
    streams_requests: bool
    streams_responses: bool
    idempotency: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Service(Element):
    """A service with its methods by name."""

    methods: Mapping[str, Method]
    visibility: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class File(Element):
    """A file. `syntax` is "proto2", "proto3" or "edition 2023"."""

    package: str
    syntax: str
    imports: tuple[str, ...]
    public_imports: frozenset[str]
    is_foreign: bool
    """Whether the image has it only because others import it, or it comes with protobuf."""


def within(number: int, ranges: Ranges) -> bool:
    """Whether a number lies in one of the ranges."""
    return any(first <= number <= last for first, last in ranges)
