"""Reads an image (a serialized FileDescriptorSet, as buf and protoc write it) into a Schema, and checks it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import DecodeError

from counterfoil.model import Location
from counterfoil.schema.building import Elements, ImageError, build
from counterfoil.schema.elements import ENUM, MESSAGE, Element, Enum, Field, File, Message, Service
from counterfoil.schema.features import UnknownEditionError

ElementT = TypeVar("ElementT", bound=Element)
SHOWN_NAMES = 5


@dataclass(frozen=True, eq=False)
class Schema:
    """A whole schema. All mappings go by symbol, files by path; `extensions` go by their own full name."""

    proto: FileDescriptorSet
    files: Mapping[str, File]
    messages: Mapping[str, Message]
    enums: Mapping[str, Enum]
    services: Mapping[str, Service]
    extensions: Mapping[str, Field]

    def location(self, symbol: str) -> Location | None:
        """Where a message, field, extension, enum or enum value stands; None if there is none of that name."""
        whole = self.messages.get(symbol) or self.extensions.get(symbol) or self.enums.get(symbol)
        if whole is not None:
            return whole.location
        scope, _, name = symbol.rpartition(".")
        message, enum = self.messages.get(scope), self.enums.get(scope)
        if message is not None and name in message.numbers:
            return message.fields[message.numbers[name]].location
        return enum.by_name[name].location if enum is not None and name in enum.by_name else None

    def value_field(self, field: Field) -> Field:
        """The field itself, or the value in a map's entry."""
        entry = self.messages[field.type_name] if field.cardinality == "map" and field.type_name else None
        return entry.fields[2] if entry else field

    def key_field(self, field: Field) -> Field | None:
        """The key in a map's entry; None for other fields."""
        entry = self.messages[field.type_name] if field.cardinality == "map" and field.type_name else None
        return entry.fields[1] if entry else None


def parse_image(data: bytes) -> Schema:
    """The schema of an image. Raises ImageError when it is no image, is cut off, or contradicts itself."""
    proto = FileDescriptorSet()
    try:
        proto.ParseFromString(data)
    except DecodeError as error:
        raise ImageError(f"this is no image, or it is cut off or nested too deeply: {error}") from None
    except RecursionError:
        raise ImageError("the image is nested too deeply") from None
    if data and not proto.file:
        raise ImageError(f"this is no image: {len(data)} bytes, and none of them describes a file")
    return schema_of(proto)


def schema_of(proto: FileDescriptorSet) -> Schema:
    """The same for a descriptor set that is already parsed. Raises ImageError."""
    elements = Elements()
    for file in proto.file:
        try:
            build(file, elements)
        except UnknownEditionError as error:
            raise ImageError(f"{file.name or '(a file without a name)'}: {error}") from None
        except (IndexError, ValueError) as error:
            raise ImageError(f"{file.name}: the image refers to something that it does not have: {error}") from None
    schema = Schema(
        proto=proto,
        files={file.name: file for file in _by_symbol(elements.files).values()},
        messages=_by_symbol(elements.messages),
        enums=_by_symbol(elements.enums),
        services=_by_symbol(elements.services),
        extensions=_by_symbol(elements.extensions),
    )
    problem = next(_problems(schema), None)
    if problem:
        raise ImageError(problem)
    return schema


def _by_symbol(elements: Iterable[ElementT]) -> Mapping[str, ElementT]:
    found: dict[str, ElementT] = {}
    for one in elements:
        if one.symbol in found:
            raise ImageError(f"'{one.symbol}' is declared twice, in {found[one.symbol].path} and in {one.path}")
        found[one.symbol] = one
    return found


def _problems(schema: Schema) -> Iterator[str]:
    """What a compiler would not have written, first things first."""
    yield from _file_problems(schema)
    for name in schema.messages.keys() & schema.enums.keys():
        yield f"'{name}' is both a message and an enum"
    for message in schema.messages.values():
        if message.is_map_entry and set(message.fields) != {1, 2}:
            yield f"{message.path}: the map entry '{message.symbol}' has not just a key and a value"
        for field in message.fields.values():
            yield from _field_problems(schema, field)
    for extension in schema.extensions.values():
        yield from _field_problems(schema, extension)
    for service in schema.services.values():
        yield from _service_problems(schema, service)


def _file_problems(schema: Schema) -> Iterator[str]:
    for name, file in schema.files.items():
        missing = sorted(set(file.imports) - set(schema.files))
        if missing:
            yield f"{name} imports {_listed(missing)}, which the image does not have; build it with its imports"
    try:
        TopologicalSorter({name: file.imports for name, file in schema.files.items()}).prepare()
    except CycleError as error:
        yield f"files import each other in a circle: {' -> '.join(error.args[1][: SHOWN_NAMES + 1])}"


def _service_problems(schema: Schema, service: Service) -> Iterator[str]:
    for method in service.methods.values():
        for name in (method.request, method.response):
            if name not in schema.messages:
                yield f"{service.path}: '{method.symbol}' uses '{name}', which is no message of the image"


def _field_problems(schema: Schema, field: Field) -> Iterator[str]:
    if field.message not in schema.messages:
        yield f"{field.path}: '{field.symbol}' extends '{field.message}', which the image does not have"
    if not field.type:
        yield f"{field.path}: '{field.symbol}' has no type; the image was not written by a compiler"
    known = {MESSAGE: schema.messages, ENUM: schema.enums}.get(field.type)
    if known is not None and field.type_name not in known:
        yield f"{field.path}: '{field.symbol}' is a {field.type} '{field.type_name}' that the image does not have"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(f"'{name}'" for name in names[:SHOWN_NAMES]) + more
