"""The two schemas that runtimes read payloads with, as they get them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from counterfoil.compat.replayable import image_digest
from counterfoil.stub.schemas import Schema, SchemaError, name_in_ascii, read_schema

OPTIONS_FILE = "google/protobuf/descriptor.proto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A schema as runtimes get it, without positions, and as we read it."""

    id: str
    files: tuple[FileDescriptorProto, ...]
    image: bytes
    pool: DescriptorPool
    messages: frozenset[str]
    enums: frozenset[str]
    extended: Mapping[str, frozenset[str]]
    """By a file with extensions, the files of the messages that it extends; options, which no payload has, left out."""

    def message(self, name: str) -> Descriptor:
        """One message, by its full name."""
        return self.pool.FindMessageTypeByName(name)

    def closure(self, message: str) -> bytes:
        """The files that a message needs, with those that extend what is in them, as an image."""
        files = {file.name: file for file in self.files}
        wanted = [self.message(message).file.name]
        needed: set[str] = set()
        while wanted:
            name = wanted.pop()
            if name in files and name not in needed:
                needed.add(name)
                wanted += files[name].dependency
                wanted += [extension for extension, extended in self.extended.items() if name in extended]
        return FileDescriptorSet(file=[file for file in self.files if file.name in needed]).SerializeToString()


def side(image: bytes) -> Side:
    """A schema from an image. Raises SchemaError where it cannot be read."""
    files = FileDescriptorSet.FromString(image)
    for file in files.file:
        file.ClearField("source_code_info")
        name_in_ascii(file)
    stripped = files.SerializeToString()
    schema = _read(files, stripped)
    named = [one for file in files.file for one in _named(file.package, file.message_type, file.enum_type)]
    return Side(
        id=image_digest(stripped),
        files=tuple(files.file),
        image=stripped,
        pool=schema.pool,
        messages=frozenset(name for name, is_message in named if is_message),
        enums=frozenset(name for name, is_message in named if not is_message),
        extended=dict(_extended(schema.pool, files.file)),
    )


def _read(files: FileDescriptorSet, image: bytes) -> Schema:
    """The schema, also where JSON names are others' names, which Python refuses and other runtimes take."""
    try:
        return read_schema(image)
    except SchemaError:
        lenient = FileDescriptorSet()
        lenient.CopyFrom(files)
        for file in lenient.file:
            _allow_names_of_others(file.message_type)
        return read_schema(lenient.SerializeToString())


def _allow_names_of_others(messages: Iterable[DescriptorProto]) -> None:
    for message in messages:
        message.options.deprecated_legacy_json_field_conflicts = True
        _allow_names_of_others(message.nested_type)


def _named(
    scope: str, messages: Iterable[DescriptorProto], enums: Iterable[EnumDescriptorProto]
) -> Iterator[tuple[str, bool]]:
    prefix = f"{scope}." if scope else ""
    for enum in enums:
        yield f"{prefix}{enum.name}", False
    for message in messages:
        if not message.options.map_entry:
            yield f"{prefix}{message.name}", True
            yield from _named(f"{prefix}{message.name}", message.nested_type, message.enum_type)


def _extended(pool: DescriptorPool, files: Iterable[FileDescriptorProto]) -> Iterator[tuple[str, frozenset[str]]]:
    for file in files:
        places = {pool.FindMessageTypeByName(name).file.name for name in _extendees(file)} - {OPTIONS_FILE}
        if places:
            yield file.name, frozenset(places)


def _extendees(scope: FileDescriptorProto | DescriptorProto) -> Iterator[str]:
    for extension in scope.extension:
        yield extension.extendee.removeprefix(".")
    for message in scope.message_type if isinstance(scope, FileDescriptorProto) else scope.nested_type:
        yield from _extendees(message)


def same_files(old: Side, new: Side) -> frozenset[str]:
    """The files that are the same on both sides, with everything that they import and all that extends them."""
    before = {file.name: file for file in old.files}
    importers: dict[str, list[str]] = {}
    for file in new.files:
        for imported in file.dependency:
            importers.setdefault(imported, []).append(file.name)
    names = {file.name for file in new.files}
    waiting = [file.name for file in new.files if before.get(file.name) != file]
    while waiting:
        name = waiting.pop()
        if name in names:
            names.remove(name)
            waiting += importers.get(name, ())
    return frozenset(names).difference(
        *(extended for one in (old, new) for name, extended in one.extended.items() if name not in names)
    )
