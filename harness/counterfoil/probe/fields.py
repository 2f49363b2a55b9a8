"""The fields of a message as the probe sees them: names, kinds, labels, oneofs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FeatureSet, FileDescriptorProto

from counterfoil.probe.json_tree import string
from counterfoil.probe.payloads import ONEOF, SPECIAL_MESSAGES
from counterfoil.probe.wire_format import SCALAR_WIRE_TYPES, WireType

CACHED_MESSAGES = 4096
NULL_VALUE_ENUM = "google.protobuf.NullValue"


class Shape(Enum):
    """How many values a field has."""

    SINGULAR = "singular"
    REPEATED = "repeated"
    MAP = "map"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field:
    """A field, or an extension, of a message."""

    descriptor: FieldDescriptor
    name: str
    """In brackets for an extension, as JSON writes it."""
    json_name: str
    number: int
    shape: Shape
    type: str
    label: str
    oneof: str | None
    """The name of the real oneof that it is a member of."""

    @property
    def kind(self) -> str:
        """Its label and type, in the words of `payloads`."""
        if self.shape is Shape.MAP:
            key, value = self.entry
            kind = f"map<{key.type},{value.type}>"
        else:
            kind = f"repeated {self.type}" if self.shape is Shape.REPEATED else self.type
        return f"{self.label} {kind}" if self.label else kind

    @property
    def message(self) -> Descriptor | None:
        """The type of its value, if that is a message; a map's is its entry."""
        return self.descriptor.message_type

    @property
    def is_plain_message(self) -> bool:
        """Whether its values are messages that JSON writes as an object of their fields."""
        return self.type in {"message", "group"} and self.shape is not Shape.MAP

    @property
    def is_required(self) -> bool:
        """Whether a message without it is refused."""
        return self.label == "required"

    @property
    def is_packable(self) -> bool:
        """Whether it is repeated and of a type that the wire format can pack."""
        return self.shape is Shape.REPEATED and self.descriptor.type in SCALAR_WIRE_TYPES

    @property
    def holds_null(self) -> bool:
        """Whether JSON's null is one of its values."""
        type_ = self.entry[1].type if self.shape is Shape.MAP else self.type
        return type_ in {"message:google.protobuf.Value", f"enum:{NULL_VALUE_ENUM}"}

    @property
    def wire_type(self) -> WireType:
        """That of one value."""
        if self.descriptor.type == FieldDescriptor.TYPE_GROUP:
            return WireType.START_GROUP
        return SCALAR_WIRE_TYPES.get(self.descriptor.type, WireType.LEN)

    @property
    def entry(self) -> tuple[Field, Field]:
        """The key and the value of a map field."""
        if self.message is None:
            raise ValueError(self.name)
        key, value = fields_of(self.message)
        return key, value

    @property
    def enum(self) -> EnumDescriptor | None:
        """The type of its value, if that is an enum."""
        return self.descriptor.enum_type

    @property
    def spellings(self) -> tuple[bytes, ...]:
        """Its JSON keys in quotes: the JSON name, and the name in the schema where that is another."""
        return _spellings(self.json_name, self.name)


@lru_cache(maxsize=CACHED_MESSAGES)
def _spellings(json_name: str, name: str) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys((string(json_name), string(name))))


@lru_cache(maxsize=CACHED_MESSAGES)
def fields_of(message: Descriptor) -> tuple[Field, ...]:
    """The fields of a message in the order of their numbers, then the extensions that its pool knows."""
    proto = DescriptorProto()
    message.CopyToProto(proto)
    optional = {field.name for field in proto.field if field.proto3_optional}
    extensions = message.file.pool.FindAllExtensions(message) if message.is_extendable else []
    return tuple(
        _field(descriptor, optional)
        for group in (message.fields, extensions)
        for descriptor in sorted(group, key=lambda one: one.number)
    )


def _field(descriptor: FieldDescriptor, optional: set[str]) -> Field:
    extension = descriptor.is_extension
    oneof = descriptor.containing_oneof
    real_oneof = oneof.name if oneof is not None and descriptor.name not in optional else None
    shape = Shape.REPEATED if descriptor.is_repeated else Shape.SINGULAR
    entry = descriptor.message_type
    if shape is Shape.REPEATED and entry is not None and entry.GetOptions().map_entry:
        shape = Shape.MAP
    name = f"[{descriptor.full_name}]" if extension else descriptor.name
    return Field(
        descriptor=descriptor,
        name=name,
        json_name=name if extension else descriptor.json_name,
        number=descriptor.number,
        shape=shape,
        type=_type(descriptor),
        label=_label(descriptor, real_oneof),
        oneof=real_oneof,
    )


def _label(descriptor: FieldDescriptor, oneof: str | None) -> str:
    if descriptor.is_extension:
        return "extension"
    if descriptor.is_required:
        return "required"
    if oneof is not None:
        return ONEOF
    is_message = descriptor.message_type is not None
    return "optional" if descriptor.has_presence and not is_message and not _is_entry_field(descriptor) else ""


def _is_entry_field(descriptor: FieldDescriptor) -> bool:
    owner = descriptor.containing_type
    return owner is not None and owner.GetOptions().map_entry


TYPES = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in vars(FieldDescriptor).items()
    if name.startswith("TYPE_")
}


def _type(descriptor: FieldDescriptor) -> str:
    message, enum = descriptor.message_type, descriptor.enum_type
    if message is not None and descriptor.type == FieldDescriptor.TYPE_MESSAGE:
        name = message.full_name
        return f"message:{name}" if name in SPECIAL_MESSAGES else "message"
    if enum is not None:
        if enum.full_name == NULL_VALUE_ENUM:
            return f"enum:{enum.full_name}"
        return "closed enum" if enum.is_closed else "enum"
    file: FileDescriptor = descriptor.file  # type: ignore[attr-defined] # the stubs lack it
    if descriptor.type == FieldDescriptor.TYPE_STRING and descriptor.full_name in _unverified(file):
        return "unverified string"
    return TYPES[descriptor.type]


@lru_cache(maxsize=CACHED_MESSAGES)
def _unverified(file: FileDescriptor) -> frozenset[str]:
    """The full names of a file's fields whose UTF-8 is not checked: all of proto2, none of proto3, some of editions."""
    proto = FileDescriptorProto()
    file.CopyToProto(proto)
    is_checked = proto.syntax in {"proto3", "editions"}
    return frozenset(_unverified_in(proto, proto.package, _verifies(proto.options.features, is_checked)))


def _unverified_in(scope: FileDescriptorProto | DescriptorProto, name: str, inherited: bool) -> Iterator[str]:  # noqa: FBT001 - a feature
    if isinstance(scope, DescriptorProto):
        fields, messages = [*scope.field, *scope.extension], scope.nested_type
    else:
        fields, messages = [*scope.extension], scope.message_type
    for field in fields:
        if not _verifies(field.options.features, inherited):
            yield f"{name}.{field.name}".lstrip(".")
    for message in messages:
        inner = _verifies(message.options.features, inherited)
        yield from _unverified_in(message, f"{name}.{message.name}".lstrip("."), inner)


def _verifies(features: FeatureSet, inherited: bool) -> bool:  # noqa: FBT001 - a feature
    return features.utf8_validation == FeatureSet.VERIFY if features.HasField("utf8_validation") else inherited


def required_fields(message: Descriptor) -> tuple[Field, ...]:
    """Those that can be given: a message that requires one of its own type cannot be had at all."""
    return tuple(one for one in fields_of(message) if one.is_required and not _requires(one.message, message))


def _requires(message: Descriptor | None, wanted: Descriptor) -> bool:
    """Whether a message, or what it requires, is or requires the wanted type or itself."""
    seen: list[Descriptor] = [wanted]
    found = [] if message is None else [message]
    while found:
        one = found.pop()
        if one in seen:
            return True
        seen.append(one)
        found += [field.message for field in fields_of(one) if field.is_required and field.message is not None]
    return False


def enum_values(descriptor: EnumDescriptor) -> tuple[tuple[str, int], ...]:
    """(name, number) in the order of the schema."""
    return tuple((value.name, value.number) for value in descriptor.values)
