"""Whether a schema only grew, so that neither a runtime nor buf can find fault with what both schemas have. Pure.

This is a cheap look at the descriptors that spares the start of processes; it says no where it is not sure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import Message

from counterfoil.compat.changes import Change
from counterfoil.model import Level
from counterfoil.schema.descriptors import Schema

NAMED = frozenset({"message_type", "nested_type", "enum_type", "service", "extension", "field", "method"})
"""The lists of descriptor.proto to which elements may be added anywhere."""
APPENDED = frozenset({"value", "oneof_decl"})
"""Those of which the order counts: an enum's first value stands for none, and fields name their oneof by its place."""
SERVICE = "service"
UNSEEN = frozenset({"source_code_info"})
"""What says nothing of the schema."""


def reads_alike(old: Schema, new: Schema, changes: Iterable[Change]) -> bool:
    """Whether every payload that both schemas know is the same in both, so that no runtime need be started."""
    behaves = any(change.level is Level.BEHAVIOUR for change in changes)
    return not behaves and _files_grew(old, new, UNSEEN | {SERVICE})


def only_grew(old: Schema, new: Schema, changes: Iterable[Change]) -> bool:
    """Whether all of the old schema is in the new one as it was; none of buf's rules is about anything else."""
    return all(change.level is Level.ADDITIVE for change in changes) and _files_grew(old, new, UNSEEN)


def _files_grew(old: Schema, new: Schema, ignored: frozenset[str]) -> bool:
    before, after = ({file.name: file for file in one.proto.file} for one in (old, new))
    return all(name in after and _file_grew(file, after[name], ignored) for name, file in before.items())


def _file_grew(old: FileDescriptorProto, new: FileDescriptorProto, ignored: frozenset[str]) -> bool:
    indexed = (*old.public_dependency, *old.weak_dependency, *new.public_dependency, *new.weak_dependency)
    has_imports = old.dependency == new.dependency or (not indexed and set(old.dependency) <= set(new.dependency))
    return has_imports and _grew(old, new, ignored | {"dependency"})


def _grew(old: Message, new: Message, ignored: frozenset[str]) -> bool:
    one: dict[str, Any]
    other: dict[str, Any]
    one, other = ({field.name: value for field, value in side.ListFields()} for side in (old, new))
    for name in (one.keys() | other.keys()) - ignored:
        before, after = one.get(name, ()), other.get(name, ())
        if name in NAMED:
            found = {element.name: element for element in after}
            has_grown = all(
                element.name in found and _grew(element, found[element.name], ignored) for element in before
            )
        elif name in APPENDED:
            has_grown = list(before) == list(after)[: len(before)]
        else:
            has_grown = _same(before, after)
        if not has_grown:
            return False
    return True


def _same(old: object, new: object) -> bool:
    if isinstance(old, Message) and isinstance(new, Message):
        return old.SerializeToString(deterministic=True) == new.SerializeToString(deterministic=True)
    return old == new
