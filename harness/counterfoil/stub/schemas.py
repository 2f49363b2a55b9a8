"""Schemas: a FileDescriptorSet becomes a descriptor pool of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message


class SchemaError(Exception):
    """A schema cannot be built; the text says what is wrong with it."""


class Schema:
    """The messages of one FileDescriptorSet."""

    def __init__(self, pool: DescriptorPool, message_count: int) -> None:
        self.pool = pool
        self.message_count = message_count

    def message_class(self, full_name: str) -> type[Message] | None:
        """The class of a message, or None when there is no such message."""
        try:
            descriptor: Descriptor = self.pool.FindMessageTypeByName(full_name)
        except KeyError:
            return None
        return message_factory.GetMessageClass(descriptor)


def read_schema(*file_descriptor_sets: bytes) -> Schema:
    """Build a schema from one or more serialized sets, with their files in any order; raise SchemaError."""
    files: dict[str, FileDescriptorProto] = {}
    for encoded in file_descriptor_sets:
        for file in _decode(encoded).file:
            name_in_ascii(file)
            if files.setdefault(file.name, file) != file:
                raise SchemaError(f"there are two different files of the name {file.name}")
    pool = DescriptorPool()
    for file in _imports_first(files):
        _add(pool, file)
    return Schema(pool, sum(_count(file.message_type) for file in files.values()))


def name_in_ascii(file: FileDescriptorProto) -> None:
    """Give a file, and what it imports, names in ASCII: protobuf's C backend finds a file under no other."""
    file.name = _in_ascii(file.name)
    if not all(map(str.isascii, file.dependency)):
        file.dependency[:] = map(_in_ascii, file.dependency)


def _in_ascii(name: str) -> str:
    return name.encode("ascii", "backslashreplace").decode()


def _decode(encoded: bytes) -> FileDescriptorSet:
    try:
        return FileDescriptorSet.FromString(encoded)
    except DecodeError as error:
        raise SchemaError(f"not a FileDescriptorSet: {error}") from error


def _imports_first(files: dict[str, FileDescriptorProto]) -> list[FileDescriptorProto]:
    for file in files.values():
        for imported in file.dependency:
            if imported not in files:
                raise SchemaError(f"{file.name} imports {imported}, which is not in the schema")
    graph = {file.name: list(file.dependency) for file in files.values()}
    try:
        return [files[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise SchemaError(f"these files import each other: {' -> '.join(error.args[1])}") from error


def _add(pool: DescriptorPool, file: FileDescriptorProto) -> None:
    try:
        pool.AddSerializedFile(file.SerializeToString())
        pool.FindFileByName(file.name)  # the pure-Python pool builds a file when it is first looked up
        if file.extension:
            message_factory.GetMessageClassesForFiles([file.name], pool)
        for full_name in _extending(file.message_type, file.package):
            message_factory.GetMessageClass(pool.FindMessageTypeByName(full_name))
    except Exception as error:
        # TypeError, KeyError, ValueError and more: the two backends have no exception in common for this.
        raise SchemaError(f"{file.name} is not valid: {error}") from error


def _extending(messages: Iterable[DescriptorProto], scope: str) -> Iterator[str]:
    """The messages that declare extensions: the pure-Python backend knows these once the message has a class."""
    for message in messages:
        full_name = f"{scope}.{message.name}" if scope else message.name
        if message.extension:
            yield full_name
        yield from _extending(message.nested_type, full_name)


def _count(messages: Iterable[DescriptorProto]) -> int:
    """Count these and those declared inside them, but not the entries that stand for a map field."""
    return sum(not message.options.map_entry for message in messages) + sum(
        _count(message.nested_type) for message in messages
    )
