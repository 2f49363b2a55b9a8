"""The features of proto2, proto3 and the editions, resolved as descriptor.proto describes it.

The defaults of each edition are read from the annotations on `google.protobuf.FeatureSet` itself, so a newer protobuf
brings newer editions along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from google.protobuf.descriptor_pb2 import (
    EDITION_2023,
    EDITION_LEGACY,
    EDITION_PROTO2,
    EDITION_PROTO3,
    Edition,
    FeatureSet,
    FieldDescriptorProto,
    FileDescriptorProto,
)

NEWEST_EDITION = max(
    default.edition for field in FeatureSet.DESCRIPTOR.fields for default in field.GetOptions().edition_defaults
)
"""The newest that changed a default; editions that protobuf keeps for its own tests are beyond it."""


class UnknownEditionError(Exception):
    """A file is written in a syntax or an edition that the installed protobuf has no defaults for."""


@dataclass(frozen=True, slots=True)
class Features:
    """The features that hold for one element; the values are the names in descriptor.proto, such as "EXPLICIT"."""

    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def overridden_by(self, explicit: FeatureSet) -> Features:
        """With what an element says itself; what it does not say is inherited."""
        own = {
            field.name: _value_name(field.name, number) for field, number in explicit.ListFields() if field.enum_type
        }
        return replace(self, values={**self.values, **own}) if own else self


def of_file(file: FileDescriptorProto) -> Features:
    """The features at the top of a file. Raises UnknownEditionError."""
    return edition_defaults(edition_of(file)).overridden_by(file.options.features)


def of_field(field: FieldDescriptorProto, inherited: Features, edition: int) -> Features:
    """Those of a field; what proto2 and proto3 say with keywords and options becomes features first."""
    if edition < EDITION_2023:
        return replace(inherited, values={**inherited.values, **_said_by_keywords(field, edition)})
    return inherited.overridden_by(field.options.features)


def _said_by_keywords(field: FieldDescriptorProto, edition: int) -> dict[str, str]:
    said = {}
    if field.label == FieldDescriptorProto.LABEL_REQUIRED:
        said["field_presence"] = "LEGACY_REQUIRED"
    elif field.proto3_optional:
        said["field_presence"] = "EXPLICIT"
    if field.type == FieldDescriptorProto.TYPE_GROUP:
        said["message_encoding"] = "DELIMITED"
    if edition == EDITION_PROTO3 and field.options.HasField("packed") and not field.options.packed:
        said["repeated_field_encoding"] = "EXPANDED"
    if edition == EDITION_PROTO2 and field.options.packed:
        said["repeated_field_encoding"] = "PACKED"
    return said


def edition_of(file: FileDescriptorProto) -> int:
    """The edition of a file; proto2 and proto3 count as editions before 2023."""
    try:
        known = {"": EDITION_PROTO2, "proto2": EDITION_PROTO2, "proto3": EDITION_PROTO3, "editions": file.edition}
        return known[file.syntax]
    except KeyError:
        raise UnknownEditionError(f"the syntax '{file.syntax}' is not known") from None


@cache
def edition_defaults(edition: int) -> Features:
    """What holds where a file of this edition says nothing. Raises UnknownEditionError."""
    if edition not in Edition.values() or not EDITION_LEGACY <= edition <= NEWEST_EDITION:
        raise UnknownEditionError(f"the edition {edition} is not known")
    values = {}
    for field in FeatureSet.DESCRIPTOR.fields:
        if field.enum_type is not None:
            defaults = [one for one in field.GetOptions().edition_defaults if one.edition <= edition]
            values[field.name] = max(defaults, key=lambda one: one.edition).value if defaults else ""
    return Features(values)


def _value_name(feature: str, number: int) -> str:
    enum = FeatureSet.DESCRIPTOR.fields_by_name[feature].enum_type
    known = enum.values_by_number if enum is not None else {}
    return known[number].name if number in known else str(number)
