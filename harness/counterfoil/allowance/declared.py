"""What the schema of a reader says of a place in a JSON document. Pure."""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from counterfoil.allowance import paths
from counterfoil.allowance.paths import Steps


def is_implicit(message: Descriptor | None, place: Steps) -> bool:
    """Whether a place is a field without presence, which JSON leaves out where it has its default."""
    field = field_at(message, place)
    return field is not None and not field.has_presence


def field_at(message: Descriptor | None, place: Steps) -> FieldDescriptor | None:
    """The field that a place is in a message; None where it is none, such as an entry of a map."""
    field: FieldDescriptor | None = None
    for step in place:
        if field is not None and field.is_repeated and not is_map(field) and paths.is_index(step):
            continue
        if field is not None and is_map(field):
            return None
        of = field.message_type if field is not None else message
        field = next((one for one in of.fields if step in {one.json_name, one.name}), None) if of else None
        if field is None:
            return None
    return field


def is_map(field: FieldDescriptor) -> bool:
    """Whether a field is a map, which protobuf has as a list of entries."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)
