"""From descriptor messages to elements: one pass over each file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from google.protobuf.descriptor_pb2 import (
    EDITION_2023,
    VISIBILITY_LOCAL,
    DescriptorProto,
    Edition,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodOptions,
    ServiceDescriptorProto,
)
from google.protobuf.unknown_fields import UnknownFieldSet

from counterfoil.schema import features
from counterfoil.schema.elements import (
    MESSAGE,
    Cardinality,
    Enum,
    EnumValue,
    Field,
    File,
    Message,
    Method,
    Oneof,
    Positions,
    Presence,
    Service,
)
from counterfoil.schema.features import Features

# The numbers of descriptor.proto's fields, which are the steps of a source position.
FILE_MESSAGE, FILE_ENUM, FILE_SERVICE, FILE_EXTENSION, FILE_PACKAGE = 4, 5, 6, 7, 2
MESSAGE_FIELD, MESSAGE_NESTED, MESSAGE_ENUM, MESSAGE_EXTENSION, MESSAGE_ONEOF = 2, 3, 4, 6, 8
MEMBER = 2
TYPES = {number: name.removeprefix("TYPE_").lower() for name, number in FieldDescriptorProto.Type.items() if number} | {
    FieldDescriptorProto.TYPE_GROUP: MESSAGE
}
BUF_EXTENSION, IS_IMPORT = 8042, b"\x08\x01"
"""What buf notes about a file of an image, and how that begins of a file which is there for others alone."""
UNPACKABLE = {"string", "bytes", MESSAGE}


class ImageError(Exception):
    """An image cannot be read, or contradicts itself; the message says where."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Elements:
    """Everything found so far. A list where the same symbol may wrongly occur twice."""

    files: list[File] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    enums: list[Enum] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    extensions: list[Field] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an element is declared: the name in front of its own, its place, and what it inherits."""

    prefix: str
    index: tuple[int, ...]
    inherited: Features
    edition: int
    positions: Positions
    entries: frozenset[str] = frozenset()
    """Full names of the map entries declared here."""

    def symbol(self, name: str) -> str:
        """The full name of what is declared here."""
        return f"{self.prefix}.{name}" if self.prefix else name


def build(file: FileDescriptorProto, into: Elements) -> None:
    """Add a file and all that it declares. Raises features.UnknownEditionError."""
    own = features.of_file(file)
    edition = features.edition_of(file)
    positions = Positions(file)
    into.files.append(
        File(
            symbol=f"file {file.name}",
            name=file.name,
            positions=positions,
            index=(FILE_PACKAGE,),
            features=own,
            options=file.options,
            package=file.package,
            syntax=_syntax(edition),
            imports=tuple(file.dependency),
            public_imports=frozenset(file.dependency[one] for one in file.public_dependency),
            is_foreign=file.name.startswith("google/protobuf/") or _is_import(file),
        )
    )
    scope = Scope(file.package, (), own, edition, positions)
    for number, message in enumerate(file.message_type):
        _message(message, scope, (FILE_MESSAGE, number), into)
    for number, enum in enumerate(file.enum_type):
        into.enums.append(_enum(enum, scope, (FILE_ENUM, number)))
    for number, service in enumerate(file.service):
        into.services.append(_service(service, scope, (FILE_SERVICE, number)))
    for number, extension in enumerate(file.extension):
        into.extensions.append(_field(extension, scope, (FILE_EXTENSION, number), None))


def _is_import(file: FileDescriptorProto) -> bool:
    """What buf says of a file in an image (buf.alpha.image.v1.ImageFileExtension.is_import)."""
    for unknown in UnknownFieldSet(file):  # type: ignore[attr-defined] # the stubs lack it
        if unknown.field_number == BUF_EXTENSION and isinstance(unknown.data, bytes):
            return unknown.data.startswith(IS_IMPORT)
    return False


def _syntax(edition: int) -> str:
    name = Edition.Name(edition).removeprefix("EDITION_").lower()  # type: ignore[arg-type] # known: its defaults were found
    return name if edition < EDITION_2023 else f"edition {name}"


def _message(proto: DescriptorProto, scope: Scope, place: tuple[int, int], into: Elements) -> None:
    symbol, index = scope.symbol(proto.name), (*scope.index, *place)
    own = scope.inherited.overridden_by(proto.options.features)
    entries = frozenset(f"{symbol}.{one.name}" for one in proto.nested_type if one.options.map_entry)
    inner = Scope(symbol, index, own, scope.edition, scope.positions, entries)
    fields = [_field(one, inner, (MESSAGE_FIELD, number), proto) for number, one in enumerate(proto.field)]
    if len({one.number for one in fields}) < len(fields) or len({one.name for one in fields}) < len(fields):
        raise ValueError(f"two fields of '{symbol}' have the same number or name")
    into.messages.append(
        Message(
            symbol=symbol,
            name=proto.name,
            positions=scope.positions,
            index=index,
            features=own,
            options=proto.options,
            fields={one.number: one for one in fields},
            numbers={one.name: one.number for one in fields},
            by_json_name=_by_json_name(fields),
            oneofs={one.name: one for one in _oneofs(proto, inner, fields)},
            reserved_ranges=tuple((one.start, one.end - 1) for one in proto.reserved_range),
            reserved_names=frozenset(proto.reserved_name),
            extension_ranges=tuple((one.start, one.end - 1) for one in proto.extension_range),
            is_map_entry=proto.options.map_entry,
            is_message_set=proto.options.message_set_wire_format,
            visibility=_visibility(proto.visibility, own, is_nested=bool(scope.index)),
        )
    )
    for number, nested in enumerate(proto.nested_type):
        _message(nested, inner, (MESSAGE_NESTED, number), into)
    for number, enum in enumerate(proto.enum_type):
        into.enums.append(_enum(enum, inner, (MESSAGE_ENUM, number)))
    for number, extension in enumerate(proto.extension):
        into.extensions.append(_field(extension, inner, (MESSAGE_EXTENSION, number), None))


def _by_json_name(fields: Iterable[Field]) -> dict[str, frozenset[int]]:
    found: dict[str, frozenset[int]] = {}
    for one in fields:
        found[one.json_name] = found.get(one.json_name, frozenset()) | {one.number}
    return found


def _oneofs(proto: DescriptorProto, scope: Scope, fields: Iterable[Field]) -> Iterator[Oneof]:
    members: dict[str, set[int]] = {}
    for one in fields:
        if one.oneof is not None:
            members.setdefault(one.oneof, set()).add(one.number)
    for number, oneof in enumerate(proto.oneof_decl):
        if oneof.name in members:
            yield Oneof(
                symbol=scope.symbol(oneof.name),
                name=oneof.name,
                positions=scope.positions,
                index=(*scope.index, MESSAGE_ONEOF, number),
                features=scope.inherited.overridden_by(oneof.options.features),
                options=oneof.options,
                numbers=frozenset(members[oneof.name]),
            )


def _field(proto: FieldDescriptorProto, scope: Scope, place: tuple[int, int], owner: DescriptorProto | None) -> Field:
    symbol = scope.symbol(proto.name)
    own = features.of_field(proto, scope.inherited, scope.edition)
    type_ = TYPES.get(proto.type, "") if proto.HasField("type") else ""
    type_name = proto.type_name.removeprefix(".") or None
    cardinality = _cardinality(proto, type_name in scope.entries)
    is_repeated = cardinality is Cardinality.REPEATED
    in_oneof = owner is not None and proto.HasField("oneof_index") and not proto.proto3_optional
    return Field(
        symbol=symbol,
        name=proto.name,
        positions=scope.positions,
        index=(*scope.index, *place),
        features=own,
        options=proto.options,
        message=proto.extendee.removeprefix(".") if owner is None else scope.prefix,
        number=proto.number,
        type=type_,
        type_name=type_name,
        cardinality=cardinality,
        presence=_presence(cardinality, type_, own, always=in_oneof or owner is None),
        default=proto.default_value if proto.HasField("default_value") else None,
        json_name=f"[{symbol}]" if owner is None else proto.json_name or json_name(proto.name),
        oneof=owner.oneof_decl[proto.oneof_index].name if in_oneof and owner is not None else None,
        is_packed=is_repeated and type_ not in UNPACKABLE and own["repeated_field_encoding"] == "PACKED",
        is_delimited=cardinality is not Cardinality.MAP and type_ == MESSAGE and own["message_encoding"] == "DELIMITED",
        verifies_utf8=type_ == "string" and own["utf8_validation"] == "VERIFY",
        is_extension=owner is None,
    )


def _cardinality(proto: FieldDescriptorProto, is_entry: bool) -> Cardinality:  # noqa: FBT001 - what its type is
    if proto.label != FieldDescriptorProto.LABEL_REPEATED:
        return Cardinality.SINGULAR
    return Cardinality.MAP if is_entry else Cardinality.REPEATED


def _presence(cardinality: Cardinality, type_: str, own: Features, *, always: bool) -> Presence:
    if cardinality is not Cardinality.SINGULAR:
        return Presence.NONE
    if own["field_presence"] == "LEGACY_REQUIRED":
        return Presence.REQUIRED
    if always or type_ == MESSAGE or own["field_presence"] == "EXPLICIT":
        return Presence.EXPLICIT
    return Presence.IMPLICIT


def json_name(name: str) -> str:
    """The JSON name that protoc gives a field: an underscore goes, and the letter after it becomes a capital."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def _enum(proto: EnumDescriptorProto, scope: Scope, place: tuple[int, int]) -> Enum:
    symbol, index = scope.symbol(proto.name), (*scope.index, *place)
    own = scope.inherited.overridden_by(proto.options.features)
    values = tuple(
        EnumValue(
            symbol=f"{symbol}.{one.name}",
            name=one.name,
            positions=scope.positions,
            index=(*index, MEMBER, number),
            features=own.overridden_by(one.options.features),
            options=one.options,
            number=one.number,
        )
        for number, one in enumerate(proto.value)
    )
    names: dict[int, tuple[str, ...]] = {}
    for value in values:
        names[value.number] = (*names.get(value.number, ()), value.name)
    return Enum(
        symbol=symbol,
        name=proto.name,
        positions=scope.positions,
        index=index,
        features=own,
        options=proto.options,
        values=values,
        names=names,
        numbers={value.name: value.number for value in values},
        by_name={value.name: value for value in values},
        is_closed=own["enum_type"] == "CLOSED",
        reserved_ranges=tuple((one.start, one.end) for one in proto.reserved_range),
        reserved_names=frozenset(proto.reserved_name),
        visibility=_visibility(proto.visibility, own, is_nested=bool(scope.index)),
    )


def _visibility(own: int, resolved: Features, *, is_nested: bool) -> str:
    """Whether other files may name it: "export" or "local"."""
    if own:
        return "local" if own == VISIBILITY_LOCAL else "export"
    default = resolved["default_symbol_visibility"]
    return {"EXPORT_ALL": "export", "EXPORT_TOP_LEVEL": "local" if is_nested else "export"}.get(default, "local")


def _service(proto: ServiceDescriptorProto, scope: Scope, place: tuple[int, int]) -> Service:
    symbol, index = scope.symbol(proto.name), (*scope.index, *place)
    own = scope.inherited.overridden_by(proto.options.features)
    methods = {
        one.name: Method(
            symbol=f"{symbol}.{one.name}",
            name=one.name,
            positions=scope.positions,
            index=(*index, MEMBER, number),
            features=own.overridden_by(one.options.features),
            options=one.options,
            service=symbol,
            request=one.input_type.removeprefix("."),
            response=one.output_type.removeprefix("."),
            streams_requests=one.client_streaming,
            streams_responses=one.server_streaming,
            idempotency=MethodOptions.IdempotencyLevel.Name(one.options.idempotency_level),
        )
        for number, one in enumerate(proto.method)
    }
    return Service(
        symbol=symbol,
        name=proto.name,
        positions=scope.positions,
        index=index,
        features=own,
        options=proto.options,
        methods=methods,
    )
