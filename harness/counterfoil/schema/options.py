"""Custom options, read through the image's own declarations of them: protovalidate, google.api and anyone's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.unknown_fields import UnknownFieldSet

from counterfoil.schema.descriptors import Schema
from counterfoil.schema.elements import Element

OPTIONS_PACKAGE = "google.protobuf."
Options = Mapping[str, Any]
"""Options by name: `deprecated` for descriptor.proto's own, `[buf.validate.field]` for custom ones, `#50001` for those
that the image does not declare. The values are as ProtoJSON has them, under the names of the schema."""


class OptionReader:
    """Reads the options of one schema's elements."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def read(self, element: Element) -> Options:
        """All options of an element."""
        data = element.options.SerializeToString()
        if not data:
            return {}
        options = self._parsed(element.options.DESCRIPTOR.full_name, data) or element.options
        try:
            found: dict[str, Any] = MessageToDict(options, preserving_proto_field_name=True, descriptor_pool=self._pool)
        except (TypeError, ValueError, KeyError):
            found = {"(options)": data.hex()}
        unknown: dict[str, list[str]] = {}
        for one in UnknownFieldSet(options):  # type: ignore[attr-defined] # the stubs lack it
            unknown.setdefault(f"#{one.field_number}", []).append(str(one.data))
        return {**found, **unknown}

    def _parsed(self, name: str, data: bytes) -> Message | None:
        """With the custom options known; None where the image does not have them, or they contradict themselves."""
        try:
            return GetMessageClass(self._pool.FindMessageTypeByName(name)).FromString(data)
        except (KeyError, DecodeError, TypeError):
            return None

    @cached_property
    def _pool(self) -> DescriptorPool:
        pool = DescriptorPool()
        protos = {file.name: file for file in self._schema.proto.file}
        try:
            for path in self._needed():
                pool.Add(protos[path])
        except (TypeError, KeyError):
            return DescriptorPool()
        return pool

    def _needed(self) -> Iterator[str]:
        """The files that declare options, and what they import, imports first."""
        starts = sorted(
            {one.path for one in self._schema.extensions.values() if one.message.startswith(OPTIONS_PACKAGE)}
        )
        done: set[str] = set()
        waiting = [(path, False) for path in starts]
        while waiting:
            path, is_ready = waiting.pop()
            if path in done:
                continue
            if is_ready:
                done.add(path)
                yield path
            else:
                waiting.append((path, True))
                waiting += [(one, False) for one in self._schema.files[path].imports]
